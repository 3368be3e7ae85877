//! What programming stations are handed, end to end from a minted batch.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use common::{ok, run};

const KEY: &str = "--transport-key-file k.hex";

/// Forty HOTP keys with the serials of YubiKeys.
fn bench() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    ok(
        folder.path(),
        "mint --count 40 --first-serial 508326 --algorithm hotp --new-transport-key k.hex \
         --out b.xml",
    );
    folder
}

fn inspect(at: &Path, file: &str) -> Vec<serde_json::Value> {
    let text = ok(at, &format!("inspect {file} {KEY} --json --reveal-secrets"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn generic_files_say_what_inspect_says() {
    let folder = bench();
    let at = folder.path();
    let keys = inspect(at, "b.xml");
    let lines = ok(at, &format!("export b.xml {KEY} --format jsonl --out -"));
    for (line, key) in lines.lines().zip(&keys) {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line.as_object_mut().unwrap().remove("issuer").unwrap().is_null());
        assert_eq!(line, *key);
    }
    assert_eq!(lines.lines().count(), 40);
    ok(at, &format!("export b.xml {KEY} --format csv --out b.csv"));
    ok(at, "export b.csv --from csv --format pskc --out-transport-key-file k.hex --out c.xml");
    assert_eq!(inspect(at, "c.xml"), keys);
}

#[test]
fn the_commands_put_each_seed_into_its_own_device() {
    let folder = bench();
    let at = folder.path();
    ok(at, &format!("export b.xml {KEY} --format ykman --out all.sh"));
    // A stand-in that writes down its arguments, one a line, and what it reads.
    let stand_in = "#!/bin/sh\nprintf '%s\\n' \"$@\" >> said\ncat >> read\n";
    fs::write(at.join("ykman"), stand_in).unwrap();
    fs::set_permissions(at.join("ykman"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", at.display(), std::env::var("PATH").unwrap());
    let done = Command::new("sh").arg("all.sh").current_dir(at).env("PATH", path).status().unwrap();
    assert!(done.success());
    let said = fs::read_to_string(at.join("said")).unwrap();
    let said: Vec<&str> = said.lines().collect();
    let keys = inspect(at, "b.xml");
    assert_eq!(said.len() % keys.len(), 0);
    let seeds = fs::read_to_string(at.join("read")).unwrap();
    assert_eq!(seeds.lines().count(), keys.len());
    for ((call, key), read) in said.chunks(said.len() / keys.len()).zip(&keys).zip(seeds.lines()) {
        assert_eq!(call[..2], ["--device", key["serial"].as_str().unwrap()]);
        let option = |name| call[call.iter().position(|word| *word == name).unwrap() + 1];
        assert_eq!((option("--oath-type"), option("--digits")), ("HOTP", "6"));
        assert_eq!((option("--counter"), option("--algorithm")), ("0", "SHA1"));
        let seed = key["secret"].as_str().unwrap();
        let seed = data_encoding::HEXLOWER.decode(seed.as_bytes()).unwrap();
        let seed = data_encoding::BASE32_NOPAD.encode(&seed);
        assert_eq!(read, seed);
        assert!(call.iter().all(|word| *word != seed));
    }
}

#[test]
fn a_nitrokey_gets_its_seed_through_a_pipe_alone() {
    let folder = bench();
    let at = folder.path();
    ok(at, &format!("export b.xml {KEY} --format nitrocli --set slot=1 --out all.sh"));
    // A stand-in that writes down its arguments, and what it reads, apart from each other.
    let stand_in = "#!/bin/sh\nprintf '%s\\n' \"$@\" >> said\n{ cat; echo; } >> read\n";
    fs::write(at.join("nitrocli"), stand_in).unwrap();
    fs::set_permissions(at.join("nitrocli"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", at.display(), std::env::var("PATH").unwrap());
    for shell in ["sh", "bash"] {
        let done =
            Command::new(shell).arg("all.sh").current_dir(at).env("PATH", &path).status().unwrap();
        assert!(done.success(), "{shell}");
        let said = fs::read_to_string(at.join("said")).unwrap();
        let seeds = fs::read_to_string(at.join("read")).unwrap();
        let keys = inspect(at, "b.xml");
        assert_eq!(seeds.lines().count(), keys.len());
        let said: Vec<&str> = said.lines().collect();
        for ((call, seed), key) in
            said.chunks(said.len() / keys.len()).zip(seeds.lines()).zip(&keys)
        {
            let (serial, secret) =
                (key["serial"].as_str().unwrap(), key["secret"].as_str().unwrap());
            assert_eq!(seed, secret);
            assert!(call.iter().all(|word| *word != secret));
            assert_eq!(call[..2], ["--serial-number", &format!("0x{serial}")]);
            assert_eq!(call[2..4], ["otp", "set"]);
            assert_eq!(call[call.len() - 4..], ["--", "1", serial, "-"]);
        }
        fs::remove_file(at.join("said")).unwrap();
        fs::remove_file(at.join("read")).unwrap();
    }
    let slot = format!("export b.xml {KEY} --format nitrocli --set slot=1;id --out x");
    assert_eq!(run(at, &slot).status.code(), Some(2));
    assert!(!at.join("x").exists());
}

#[test]
fn what_a_format_cannot_say_is_refused_without_a_file() {
    let folder = bench();
    let at = folder.path();
    ok(at, &format!("mint --count 2 --serial-prefix T {KEY} --out t.xml"));
    let before = fs::read_dir(at).unwrap().count();
    let date = "--set programmed=2026-09-01T08:30:00";
    for (arguments, words) in [
        (format!("b.xml {KEY} --format yk-ksm"), "YK-KSM holds Yubico OTP keys (AES)"),
        (format!("b.xml {KEY} --format nitropy"), "nitropy takes seeds as arguments"),
        (format!("t.xml {KEY} --format nitrocli"), "the Nitrokey's own serial, hexadecimal"),
        (format!("t.xml {KEY} --format yubico-csv {date}"), "algorithm totp is not among"),
        (format!("b.xml {KEY} --format yubico-csv"), "--set programmed="),
        (format!("t.xml {KEY} --format ykman"), "the YubiKey's own serial, a number"),
        (format!("b.xml {KEY} --format deepnet-xml"), "give one with --set product_code=VALUE"),
    ] {
        let output = run(at, &format!("export {arguments} --out x"));
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(words) && said.contains(" help: "), "{arguments}: {said}");
        assert_eq!(fs::read_dir(at).unwrap().count(), before, "{arguments}");
    }
    // The same keys, where the format can say them: serial 508326 in modhex, as on a real key.
    let log =
        ok(at, &format!("export b.xml {KEY} --format yubico-log --set programmed=1.9.26 --out -"));
    let line = log.lines().nth(1).unwrap();
    assert!(line.starts_with("OATH-HOTP,1.9.26,1,cccccccirblh,,"), "{line}");
    assert_eq!(line.split(',').count(), 18);
}
