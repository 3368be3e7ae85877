//! Whole PSKC files: without a key, under a transport key, under a passphrase of few iterations.
//! However the bytes come, the reader says the same; what it read is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trousseau::keystore::BatchKey;
use trousseau::pskc::{Encryption, Options, Reader, Sealer, WriteError, Writer};
use trousseau::token::{Algorithm, Token};
use trousseau_fuzz::{
    KEY, Trickle, another, assert_redacted, assert_silent, assert_veiled, limits, secret,
};

fuzz_target!(|input: &[u8]| {
    let transport = BatchKey::Transport(secret(&KEY));
    let passphrase = BatchKey::Passphrase(secret(b"qwerty"));
    let strict = || Options { limits: limits(), ..Options::default() };
    let lax = || Options { allow_unauthenticated: true, ..strict() };
    let locked = || Options { locked: true, ..strict() };
    for (key, options) in [
        (None, strict()),
        (None, locked()),
        (Some(&transport), strict()),
        (Some(&transport), lax()),
        (Some(&passphrase), lax()),
    ] {
        let (tokens, end) = read(input, key, options.clone());
        let (same, same_end) = read_slowly(input, key, options);
        assert_eq!(tokens, same);
        assert_eq!(end, same_end);
        let message = end.unwrap_or_default();
        assert_silent(&message, &KEY, input);
        for token in &tokens {
            assert_veiled(&message, token.secret.expose(), input);
            assert_redacted(token, &Token { secret: another(&token.secret), ..token.clone() });
        }
        rewritten(&tokens);
    }
});

fn read(input: &[u8], key: Option<&BatchKey>, options: Options) -> (Vec<Token>, Option<String>) {
    drain(Reader::new(input, key, options))
}

fn read_slowly(
    input: &[u8],
    key: Option<&BatchKey>,
    options: Options,
) -> (Vec<Token>, Option<String>) {
    drain(Reader::new(Trickle::new(input), key, options))
}

/// The tokens before the first fault, and that fault with its place.
fn drain<R: std::io::Read>(
    reader: Result<Reader<R>, trousseau::pskc::Error>,
) -> (Vec<Token>, Option<String>) {
    let mut tokens = Vec::new();
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => return (tokens, Some(format!("{error} {}", error.hint()))),
    };
    for token in reader {
        match token {
            Ok(token) => tokens.push(token),
            Err(error) => return (tokens, Some(format!("{error} {}", error.hint()))),
        }
    }
    (tokens, None)
}

fn rewritten(tokens: &[Token]) {
    let key = BatchKey::Transport(secret(&KEY));
    let sealer = Sealer::new(&key, Encryption::AesGcm).expect("16 bytes are a key");
    // What the writer does not take (a key that only names its secret) is told, not written.
    let fit = |token: &&Token| write(&sealer, std::slice::from_ref(*token)).is_ok();
    let taken: Vec<Token> = tokens.iter().filter(fit).cloned().collect();
    let file = write(&sealer, &taken).expect("each was taken by itself");
    let (mut again, end) = read(&file, Some(&key), Options::default());
    let mut taken = taken;
    for token in again.iter_mut().chain(&mut taken) {
        matters(token);
    }
    assert_eq!((again, end), (taken, None), "{}", String::from_utf8_lossy(&file));
}

fn write(sealer: &Sealer, tokens: &[Token]) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer::new(Vec::new(), sealer)?;
    writer.write_all(tokens.iter().cloned().map(Ok::<_, WriteError>))?;
    writer.finish()
}

/// Leaves out what means nothing for the kind of key, and is not written.
fn matters(token: &mut Token) {
    match token.algorithm {
        Algorithm::Hotp => token.period = 0,
        Algorithm::Totp => token.counter = 0,
        _ => {}
    }
}
