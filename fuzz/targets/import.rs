//! Import files of every line format: what is read is written and read again the same, and no
//! message shows a secret of the file.
#![no_main]

use std::convert::Infallible;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trousseau::format::{ExportOptions, Format, LIBRARY, ReadError, read, write};
use trousseau::token::Token;
use trousseau_fuzz::assert_veiled;

static FORMATS: LazyLock<Vec<Format>> = LazyLock::new(|| {
    let load = |(name, _): &(&str, &str)| Format::load(name).expect("an embedded format");
    let lines = |format: &Format| format.is_readable() && !format.is_encrypted();
    LIBRARY.embedded.iter().map(load).filter(lines).collect()
});

fuzz_target!(|input: &[u8]| {
    for format in FORMATS.iter() {
        let (tokens, end) = tokens(format, input);
        if let Some(error) = end {
            let message = format!("{error} {}", error.hint());
            for token in &tokens {
                // Files in clear hold seeds everywhere: that is no excuse.
                assert_veiled(&message, token.secret.expose(), b"");
            }
        }
        if tokens.is_empty() {
            continue;
        }
        // Each alone, as a file holds no two of one serial.
        for token in &tokens {
            let Ok(text) = exported(format, token) else { continue };
            let (again, end) = self::tokens(format, &text);
            let shown = String::from_utf8_lossy(&text);
            assert!(end.is_none(), "{}: {shown:?}: {end:?}", format.name());
            assert_eq!(again.len(), 1, "{}: {shown:?}", format.name());
            assert_eq!(again[0], *token, "{}: {shown:?}", format.name());
        }
    }
});

fn tokens(format: &Format, input: &[u8]) -> (Vec<Token>, Option<ReadError>) {
    let mut tokens = Vec::new();
    for token in read(format, "import", input).expect("a line format") {
        match token {
            Ok(token) => tokens.push(token),
            Err(error) => return (tokens, Some(error)),
        }
    }
    (tokens, None)
}

fn exported(format: &Format, token: &Token) -> Result<Vec<u8>, String> {
    let mut options = ExportOptions::default();
    for (name, default, _) in format.settings() {
        options.settings.insert(name.into(), default.unwrap_or("x").into());
    }
    let mut out = Vec::new();
    write(format, &options, [Ok::<_, Infallible>(token.clone())], &mut out)
        .map_err(|error| error.to_string())?;
    Ok(out)
}
