//! The small texts: rosters, manifests, parts of keys and envelopes, keys and certificates, gzip.
#![no_main]

use std::io::Read;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trousseau::compression::unpack;
use trousseau::custody::{Envelope, Part, PrivateKey, Recipient, combine};
use trousseau::interrupt::Interrupt;
use trousseau::keystore::BatchKey;
use trousseau::manifest::Manifest;
use trousseau::roster::{Person, Roster};
use trousseau_fuzz::{another, assert_redacted, assert_veiled, secret};

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    // In memory, where there is such a place.
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
        .expect("a folder")
});

fuzz_target!(|input: &[u8]| {
    roster(input);
    custody(input);
    if input.first() == Some(&b'{') {
        manifest(input);
    }
    if let Ok(mut unpacked) = unpack("f", input, 200) {
        // As much as a reader would take of it, and no more than can be held.
        let mut out = Vec::new();
        let whole = unpacked.by_ref().take(1 << 20).read_to_end(&mut out).is_ok();
        let packed = input.starts_with(&[0x1f, 0x8b])
            || input.get(1..4).is_some_and(|next| next == [0xb5, 0x2f, 0xfd])
            || input.get(1..4).is_some_and(|next| next == [0x2a, 0x4d, 0x18]);
        assert!(packed || (whole && out == input));
    }
});

fn roster(input: &[u8]) {
    let roster = match Roster::from_reader("users.csv", input) {
        Ok(roster) => roster,
        Err(error) => {
            let _ = format!("{error} {}", error.hint());
            return;
        }
    };
    for person in &roster.people {
        if let Some(pin) = &person.pin {
            assert_redacted(person, &Person { pin: Some(another(pin)), ..person.clone() });
        }
    }
    let mut text = Vec::new();
    roster.write_csv(&mut text).expect("writing to memory");
    let shown = String::from_utf8_lossy(&text).into_owned();
    let again = Roster::from_reader("users.csv", &text[..]);
    let again = again.unwrap_or_else(|error| panic!("{error}\n{shown}"));
    // PINs are not written, and lines move.
    let plain = |mut roster: Roster| {
        for person in &mut roster.people {
            (person.line, person.pin) = (0, None);
        }
        roster
    };
    assert_eq!(plain(again), plain(roster), "{shown}");
}

fn custody(input: &[u8]) {
    let content = secret(input);
    if let Ok(part) = Part::from_text("part", &content) {
        let text = part.to_text().expect("its length was checked");
        assert_eq!(Part::from_text("part", &text).expect("its own text"), part);
        assert_redacted(&part, &Part { data: another(&part.data), ..part.clone() });
        for count in 1..=3 {
            let parts: Vec<_> = (0..count)
                .map(|index| (format!("{index}"), Part { index: index + 1, ..part.clone() }))
                .collect();
            if let Err(error) = combine(&parts) {
                assert_veiled(&error.to_string(), part.data.expose(), b"");
            }
        }
    }
    if let Ok(envelope) = Envelope::from_text("envelope", &content) {
        let text = secret(envelope.to_text().as_bytes());
        assert_eq!(Envelope::from_text("envelope", &text).expect("its own text"), envelope);
    }
    let _ = BatchKey::transport(&content, "key").map_err(|error| error.to_string());
    let _ = BatchKey::passphrase(&content, "key").map_err(|error| error.to_string());
    let _ = PrivateKey::from_pem("key", &content).map_err(|error| error.to_string());
    let now = "2030-01-01T00:00:00Z".parse().expect("a date");
    if let Ok(recipient) = Recipient::from_certificate("crt", input, now) {
        assert!(!recipient.subject().contains(char::is_control));
        let der = Recipient::from_certificate("crt", recipient.der(), now).expect("its own DER");
        assert_eq!(der.subject(), recipient.subject());
    }
}

fn manifest(input: &[u8]) {
    let Ok(manifest) = Manifest::from_slice("f", input) else { return };
    // The files that it names are not there; names that lead elsewhere were refused.
    let path = FOLDER.path().join("manifest.json");
    let _ = manifest.verify(&path, &Interrupt::never(), &|file, _| Box::new(file));
    let again = Manifest::from_slice("f", manifest.to_json().as_bytes());
    assert_eq!(again.expect("its own text"), manifest);
}
