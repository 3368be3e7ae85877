//! `trousseau transport-key` as its users see it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const KCV: &str = "7AD386";

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs in `folder`; whatever happens, the known key is never shown.
fn run(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .arg("transport-key")
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    let shown = format!("{}{}", ran.stdout, ran.stderr).to_lowercase().replace(' ', "");
    assert!(!shown.contains(KEY), "the key was shown by {args:?}");
    ran
}

fn ok(folder: &Path, args: &[&str]) -> Ran {
    let ran = run(folder, args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    ran
}

/// The command is refused with `message` and some help, and leaves every file as it was.
fn refused(folder: &Path, args: &[&str], code: i32, message: &str) {
    let before = files(folder);
    let ran = run(folder, args);
    assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(message), "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(" help: "), "{args:?}: {}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert_eq!(files(folder), before, "{args:?} left something behind");
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn write(folder: &Path, name: &str, content: &str) {
    std::fs::write(folder.join(name), content).unwrap();
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join(name), private).unwrap();
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "key", &format!("{KEY}\n"));
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn vector(name: &str) -> String {
    format!("{}/tests/vectors/custody/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn new_keys_are_private_and_of_the_length_asked_for() {
    let folder = folder();
    let folder = folder.path();
    for (bits, digits) in [("128", 32), ("192", 48), ("256", 64)] {
        let ran = ok(folder, &["new", "--bits", bits, "--out", bits]);
        let key = read(folder, bits);
        assert_eq!(key.trim_end().len(), digits);
        assert!(!ran.stderr.contains(key.trim_end()));
        let mode = folder.join(bits).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let kcv = &ok(folder, &["show-kcv", bits]).stdout[..6];
        assert!(ran.stderr.contains(&format!("{bits}: {bits} bits, KCV {kcv}")), "{}", ran.stderr);
    }
    refused(folder, &["new", "--out", "key"], 2, "key exists already");
    let usage = run(folder, &["new", "--bits", "100", "--out", "x"]);
    assert_eq!(usage.code, 2);
    assert!(usage.stderr.contains("[possible values: 128, 192, 256]"), "{}", usage.stderr);
}

#[test]
fn components_go_out_and_come_together() {
    let folder = folder();
    let folder = folder.path();
    let ran = ok(folder, &["split", "key", "--components", "3", "--out-prefix", "p"]);
    assert!(ran.stderr.contains(&format!("The key has the KCV {KCV}")), "{}", ran.stderr);
    for (index, part) in ["p-1.part", "p-2.part", "p-3.part"].iter().enumerate() {
        assert_eq!(folder.join(part).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let shown = ok(folder, &["show-kcv", part]).stdout;
        let expected = format!("{part}  part {} of 3 of the key {KCV}, set ", index + 1);
        assert!(shown.contains(&expected), "{shown}");
        assert!(ran.stderr.contains(&shown[..6]), "the KCV told at the splitting differs");
    }
    ok(folder, &["combine", "p-3.part", "p-1.part", "p-2.part", "--out", "again"]);
    assert_eq!(read(folder, "again"), format!("{KEY}\n"));

    refused(
        folder,
        &["combine", "p-1.part", "p-3.part", "--out", "no"],
        2,
        "2 of the 3 parts needed were given (missing: 2)",
    );
    refused(
        folder,
        &["combine", "p-1.part", "p-2.part", "p-1.part", "--out", "no"],
        2,
        "p-1.part and p-1.part are both part 1",
    );
    refused(folder, &["combine", "p-1.part", "--out", "key"], 2, "key exists already");
    refused(folder, &["combine", "key", "--out", "no"], 2, "key: its first line is not");
    refused(folder, &["combine", "gone", "--out", "no"], 5, "cannot read gone");
    refused(
        folder,
        &["split", "key", "--components", "2", "--out-prefix", "p"],
        2,
        "p-1.part exists already",
    );
    refused(
        folder,
        &["split", "p-1.part", "--components", "2", "--out-prefix", "q"],
        2,
        "p-1.part: this is not a key, but a part or a sealed key",
    );
}

#[test]
fn parts_of_two_ceremonies_do_not_mix() {
    let folder = folder();
    let folder = folder.path();
    for prefix in ["p", "q"] {
        ok(folder, &["split", "key", "--components", "2", "--out-prefix", prefix]);
    }
    refused(
        folder,
        &["combine", "p-1.part", "q-2.part", "--out", "no"],
        2,
        "q-2.part is of another splitting than p-1.part (set differs)",
    );
}

#[test]
fn a_part_mistyped_or_altered_never_makes_a_key() {
    let folder = folder();
    let folder = folder.path();
    ok(folder, &["split", "key", "--components", "2", "--out-prefix", "p"]);
    let part = read(folder, "p-2.part");
    let data = part.lines().last().unwrap().to_owned();
    let last = if data.ends_with('0') { "1" } else { "0" };
    let altered = part.replace(&data, &format!("{}{last}", &data[..data.len() - 1]));
    write(folder, "typo.part", &altered);
    refused(
        folder,
        &["combine", "p-1.part", "typo.part", "--out", "no"],
        2,
        "typo.part: part 2 has the check value ",
    );
    // Altered together with its own check value: the check value of the key still tells.
    let data = "data: 000102030405060708090a0b0c0d0e0f";
    let other = "000102030405060708090a0b0c0d0e0f\n";
    write(folder, "other", other);
    let kcv = ok(folder, &["show-kcv", "other"]).stdout[..6].to_owned();
    let forged: Vec<String> = part
        .lines()
        .map(|line| match line.split(':').next().unwrap() {
            "data" => data.to_owned(),
            "part-kcv" => format!("part-kcv: {kcv}"),
            _ => line.to_owned(),
        })
        .collect();
    write(folder, "forged.part", &forged.join("\n"));
    refused(
        folder,
        &["combine", "p-1.part", "forged.part", "--out", "no"],
        2,
        &format!("but {KCV} was split: no key was written"),
    );
}

#[test]
fn any_two_of_three_shares_make_the_key_and_one_does_not() {
    let folder = folder();
    let folder = folder.path();
    ok(folder, &["split", "key", "--threshold", "2", "--shares", "3", "--out-prefix", "s"]);
    for (a, b) in [(1, 2), (3, 1), (2, 3)] {
        let (a, b, out) = (format!("s-{a}.part"), format!("s-{b}.part"), format!("{a}{b}"));
        ok(folder, &["combine", &a, &b, "--out", &out]);
        assert_eq!(read(folder, &out), format!("{KEY}\n"));
    }
    refused(
        folder,
        &["combine", "s-1.part", "--out", "no"],
        2,
        "1 of the 2 parts needed were given\n",
    );
    refused(
        folder,
        &["split", "key", "--threshold", "4", "--shares", "3", "--out-prefix", "t"],
        2,
        "4 of 3 shares is no threshold",
    );
    let usage = run(folder, &["split", "key", "--out-prefix", "t"]);
    assert_eq!(usage.code, 2);
    assert!(usage.stderr.contains("--components"), "{}", usage.stderr);
}

#[test]
fn sealed_for_a_certificate_and_opened_with_its_key() {
    let folder = folder();
    let folder = folder.path();
    let (certificate, private) = (vector("recipient.crt"), vector("recipient.key"));
    let ran = ok(folder, &["wrap", "key", "--recipient", &certificate, "--out", "e"]);
    assert!(ran.stderr.contains(&format!("KCV {KCV}, sealed for CN=Key Officer")));
    assert!(ok(folder, &["show-kcv", "e"]).stdout.starts_with(KCV));
    ok(folder, &["unwrap", "e", "--private-key-file", &private, "--out", "again"]);
    assert_eq!(read(folder, "again"), format!("{KEY}\n"));

    let other = vector("other.key");
    refused(
        folder,
        &["unwrap", "e", "--private-key-file", &other, "--out", "no"],
        2,
        "e: this private key does not open it; it was sealed for CN=Key Officer",
    );
    let encrypted = vector("recipient-encrypted.key");
    refused(
        folder,
        &["unwrap", "e", "--private-key-file", &encrypted, "--out", "no"],
        2,
        "the private key is encrypted",
    );
    for (file, problem) in [
        ("signing-only.crt", "its key usage does not allow key encipherment"),
        ("short.crt", "its RSA key has 1024 bits"),
        ("elliptic.crt", "its key is not RSA"),
        ("README.md", "not a certificate"),
    ] {
        refused(folder, &["wrap", "key", "--recipient", &vector(file), "--out", "no"], 2, problem);
    }
}

#[test]
fn a_key_open_to_others_is_remarked_on() {
    let folder = folder();
    let folder = folder.path();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(folder.join("key"), open).unwrap();
    let ran = ok(folder, &["show-kcv", "key"]);
    assert_eq!(ran.stdout, format!("{KCV}  key  key of 128 bits\n"));
    assert!(ran.stderr.contains("chmod 600 key"), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = folder();
    let output = Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .args(["transport-key", "show-kcv", "key"])
        .current_dir(folder.path())
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("cannot write to standard output"), "{stderr}");
    let missing = &["new", "--out", "no/such/folder/key"];
    refused(folder.path(), missing, 5, "cannot create a file in the folder of no/such/folder/key");
}
