//! What the writer writes the reader reads back, whatever the tokens; and no file, however it was
//! damaged, makes the reader panic or give out a key that was changed.

use proptest::prelude::*;
use trousseau::keystore::BatchKey;
use trousseau::otp::Hash;
use trousseau::pskc::{Encryption, Error, Options, Reader, Sealer, WriteError, Writer};
use trousseau::secret::Secret;
use trousseau::serial::Serial;
use trousseau::token::{Algorithm, DEFAULT_PERIOD, Token};

fn key() -> BatchKey {
    BatchKey::Transport(Secret::new(vec![0x5a; 16]))
}

fn write(tokens: &[Token], encryption: Encryption) -> Vec<u8> {
    let sealer = Sealer::new(&key(), encryption).unwrap();
    let mut writer = Writer::new(Vec::new(), &sealer).unwrap();
    writer.write_all(tokens.iter().cloned().map(Ok::<_, WriteError>)).unwrap();
    writer.finish().unwrap()
}

fn read(file: &[u8]) -> Result<Vec<Token>, Error> {
    Reader::new(file, Some(&key()), Options::default())?.collect()
}

/// Text without blanks at its ends, which XML files have and lose.
fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[!-~é€😀]([ -~é€😀]{0,12}[!-~é€😀])?")
}

prop_compose! {
    fn token()(
        serial in "[!-~]{1,20}",
        totp in any::<bool>(),
        hash in prop::sample::select(vec![Hash::Sha1, Hash::Sha256, Hash::Sha512]),
        digits in 6u8..=10,
        period in 1u32..=3600,
        counter in any::<u64>(),
        secret in prop::collection::vec(any::<u8>(), 1..100),
        texts in (text(), text(), text(), text()),
        dates in prop::option::of((0i64..4_000_000_000, 0i64..4_000_000_000)),
    ) -> Token {
        let date = |seconds| jiff::Timestamp::from_second(seconds).unwrap();
        Token {
            key_id: serial.clone(),
            serial: Serial::new(serial).unwrap(),
            algorithm: if totp { Algorithm::Totp } else { Algorithm::Hotp },
            hash,
            digits,
            period: if totp { period } else { DEFAULT_PERIOD },
            counter: if totp { 0 } else { counter },
            secret: Secret::new(secret),
            manufacturer: texts.0,
            model: texts.1,
            issuer: texts.2,
            user: texts.3,
            start_date: dates.map(|dates| date(dates.0)),
            expiry_date: dates.map(|dates| date(dates.1)),
            details: None,
        }
    }
}

fn tokens() -> impl Strategy<Value = Vec<Token>> {
    prop::collection::vec(token(), 1..4).prop_map(|mut tokens| {
        let mut ids = std::collections::HashSet::new();
        tokens.retain(|token| ids.insert(token.key_id.clone()));
        tokens
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(tokens in tokens(), gcm in any::<bool>()) {
        let encryption = if gcm { Encryption::AesGcm } else { Encryption::AesCbc };
        let file = write(&tokens, encryption);
        prop_assert_eq!(read(&file).unwrap(), tokens);
    }

    #[test]
    fn damaged_files_never_panic_and_never_change_a_secret(
        tokens in tokens(),
        gcm in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6),
    ) {
        let encryption = if gcm { Encryption::AesGcm } else { Encryption::AesCbc };
        let mut file = write(&tokens, encryption);
        for (at, byte, kind) in damage {
            if file.is_empty() {
                break;
            }
            let at = at.index(file.len());
            match kind {
                0 => file[at] = byte,
                1 => file.insert(at, byte),
                2 => { file.remove(at); }
                _ => file.truncate(at.max(1)),
            }
        }
        if let Ok(read) = read(&file) {
            for token in read {
                let known = tokens.iter().any(|known| known.secret == token.secret);
                prop_assert!(known, "a secret that was never written");
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let head = b"<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\">";
        let _ = read(&bytes);
        let _ = read(&[&head[..], &bytes].concat());
    }

    #[test]
    fn any_nesting_of_known_elements_is_refused_or_read_without_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<KeyPackage>", "</KeyPackage>", "<Key Id=\"1\">", "</Key>", "<Data>", "</Data>",
            "<Secret>", "</Secret>", "<PlainValue>", "MTIz", "</PlainValue>", "<EncryptedValue>",
            "</EncryptedValue>", "<ValueMAC>", "</ValueMAC>", "<DeviceInfo>", "</DeviceInfo>",
            "<Policy>", "</Policy>", "<Counter/>", "<SerialNo/>", "&amp;", "<!-- -->", "<MACMethod/>",
            "<EncryptionKey>", "</EncryptionKey>", "</KeyContainer>",
        ]), 0..30),
    ) {
        let head = "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\">";
        let _ = read(format!("{head}{}", parts.concat()).as_bytes());
    }
}

/// Found by fuzzing: of a key of an algorithm that is not known, such as OCRA with a counter and a
/// time step, one of the two was lost.
#[test]
fn keys_of_unknown_algorithms_keep_counter_and_interval() {
    let serial = Serial::new("A1").unwrap();
    let token = Token {
        algorithm: Algorithm::Other("urn:example:ocra".into()),
        counter: 7,
        ..Token::totp60(serial, Secret::new(vec![1; 20]))
    };
    let file = write(std::slice::from_ref(&token), Encryption::AesGcm);
    let back = read(&file).unwrap();
    assert_eq!((back[0].counter, back[0].period), (7, 60));
    // The same once more: what was read says that both were there.
    let file = write(&back, Encryption::AesGcm);
    assert_eq!(read(&file).unwrap(), back);
}
