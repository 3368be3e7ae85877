//! Signed files, changed: what still verifies under the certificate that is required says the same as
//! a file that was signed, to the reader that then reads it.
#![no_main]

use std::io::{Cursor, Read};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trousseau::keystore::BatchKey;
use trousseau::pskc::{Options, Reader};
use trousseau::signature::{Certificate, Outcome, Tap, verify};
use trousseau::token::Token;
use trousseau_fuzz::{KEY, Trickle, limits, secret};

static CERTIFICATES: LazyLock<[Certificate; 2]> = LazyLock::new(|| {
    let read = |pem| Certificate::read("crt", pem).expect("a certificate of the vectors");
    [
        read(include_bytes!("../../tests/vectors/signatures/rsa.crt")),
        read(include_bytes!("../../tests/vectors/signatures/ec.crt")),
    ]
});

/// What was signed with the keys of these certificates, and nothing else ever was.
static SIGNED: LazyLock<Vec<Vec<Token>>> = LazyLock::new(|| {
    let files: [&[u8]; 2] =
        [include_bytes!("../seeds/signature/rsa.xml"), include_bytes!("../seeds/signature/ec.xml")];
    let whole = |file: &&[u8]| verified(file) && !tokens(file).is_empty();
    assert!(files.iter().all(whole), "the seeds are signed");
    files.into_iter().map(tokens).collect()
});

fuzz_target!(|input: &[u8]| {
    if verified(input) {
        let found = tokens(input);
        assert!(SIGNED.contains(&found), "forged: {found:?}");
    }
    let whole = outcome(input, None);
    let (mut tap, tapped) = Tap::new(Trickle::new(input));
    std::io::copy(&mut tap, &mut std::io::sink()).expect("reading from memory");
    let streamed = tapped.conclude(now());
    match (whole, streamed) {
        // What comes once is not always enough to tell.
        (_, Ok(Outcome::Unknown(_))) => {}
        (Ok(whole), Ok(streamed)) => assert_eq!(whole, streamed),
        (Err(_), Err(_)) => {}
        (whole, streamed) => panic!("{whole:?} as a file, {streamed:?} as a stream"),
    }
});

fn now() -> jiff::Timestamp {
    "2026-11-24T00:00:00Z".parse().expect("a date")
}

fn outcome(input: &[u8], required: Option<&Certificate>) -> Result<Outcome, String> {
    let open = || Ok(Box::new(Cursor::new(input.to_vec())) as Box<dyn Read>);
    verify(open, required, now()).map_err(|error| error.to_string())
}

fn verified(input: &[u8]) -> bool {
    CERTIFICATES.iter().any(|certificate| match outcome(input, Some(certificate)) {
        Ok(Outcome::Signed(_)) => true,
        Ok(other) => panic!("a signature was required: {other:?}"),
        Err(_) => false,
    })
}

fn tokens(input: &[u8]) -> Vec<Token> {
    let key = BatchKey::Transport(secret(&KEY));
    let options = Options { limits: limits(), ..Options::default() };
    let Ok(reader) = Reader::new(input, Some(&key), options) else { return Vec::new() };
    reader.map_while(Result::ok).collect()
}
