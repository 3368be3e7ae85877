//! Keys in PKCS #11 tokens, as their user meets them, against SoftHSM 2: each test has a token of
//! its own. Needs `softhsm2`; `tests/interop/pkcs11.sh` installs it and runs this.
#![cfg(feature = "pkcs11")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A folder with a token `factory`, PIN 1234, and the SoftHSM that knows no other.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        fs::create_dir(this.at("tokens")).unwrap();
        let conf = format!("directories.tokendir = {}\n", this.at("tokens").display());
        this.put("conf", &conf);
        this.put("pin", "1234\n");
        this.token("factory");
        this
    }

    fn token(&self, label: &str) {
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--so-pin", "87654321"])
            .args(["--pin", "1234"])
            .env("SOFTHSM2_CONF", self.at("conf"))
            .output()
            .expect("softhsm2-util, of the package softhsm2, is needed");
        assert!(made.status.success(), "{made:?}");
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, content: &str) {
        use std::os::unix::fs::PermissionsExt;
        fs::write(self.at(name), content).unwrap();
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `@LABEL` stands for the options of a key of the token, `^LABEL` for its URI alone.
    fn run(&self, line: &str) -> Output {
        let words = line.split_whitespace().flat_map(|word| {
            let uri =
                |label: &str| format!("pkcs11:token=factory;object={label}?module-path={MODULE}");
            match (word.strip_prefix('@'), word.strip_prefix('^')) {
                (Some(label), _) => vec![
                    "--pkcs11-key".into(),
                    uri(label),
                    "--pkcs11-pin-file".into(),
                    "pin".into(),
                ],
                (_, Some(label)) => vec![uri(label)],
                _ => vec![word.replace("MODULE", MODULE)],
            }
        });
        // No terminal: nobody to ask.
        Command::new("setsid")
            .args(["-w", env!("CARGO_BIN_EXE_trousseau")])
            .args(words)
            .current_dir(self.0.path())
            .env("SOFTHSM2_CONF", self.at("conf"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn ok(&self, line: &str) -> (String, String) {
        let output = self.run(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{line}: {said}");
        (String::from_utf8(output.stdout).unwrap(), said)
    }

    fn refused(&self, line: &str, code: i32, words: &[&str]) {
        let before = self.names();
        let output = self.run(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(output.stdout.is_empty(), "{line}");
        assert!(said.contains("help: "), "{line}: {said}");
        for word in words {
            assert!(said.contains(word), "{line}: {said}");
        }
        assert_eq!(self.names(), before, "{line}");
    }

    /// The secrets of a batch, as its reader sees them.
    fn secrets(&self, file: &str, key: &str) -> String {
        self.ok(&format!("inspect {file} {key} --json --reveal-secrets")).0
    }

    /// Puts a known AES key into the token, with more attributes.
    fn import(&self, label: &str, key: &str, more: &[&str]) {
        let bytes = data_encoding::HEXLOWER.decode(key.as_bytes()).unwrap();
        fs::write(self.at("raw"), &bytes).unwrap();
        let kind = format!("AES:{}", bytes.len());
        let made = Command::new("pkcs11-tool")
            .args(["--module", MODULE, "--login", "--pin", "1234", "--token-label", "factory"])
            .args(["--write-object", "raw", "--type", "secrkey", "--key-type", &kind])
            .args(["--label", label])
            .args(more)
            .current_dir(self.0.path())
            .env("SOFTHSM2_CONF", self.at("conf"))
            .output()
            .expect("pkcs11-tool, of the package opensc, is needed");
        assert!(made.status.success(), "{made:?}");
        fs::remove_file(self.at("raw")).unwrap();
    }
}

#[test]
fn a_key_made_in_the_token_never_leaves_it_and_serves_every_command() {
    let bench = Bench::new();
    let (_, said) = bench.ok("transport-key new --bits 256 @batch");
    let (shown, _) = bench.ok("transport-key show-kcv @batch");
    let kcv = shown.split_whitespace().next().unwrap();
    assert!(said.ends_with(&format!("object=batch: 256 bits, KCV {kcv}\n")), "{said}");
    assert!(shown.contains("key of 256 bits, in its token"), "{shown}");
    bench.refused(
        "transport-key new --bits 128 @batch",
        2,
        &["the token factory has a key of this name already; nothing was made"],
    );

    bench.ok("mint --count 300 --serial-prefix A @batch --inventory i.sqlite --out b.xml");
    let text = fs::read_to_string(bench.at("b.xml")).unwrap();
    assert!(text.contains("xmlenc#kw-aes256\"/><ds:KeyInfo><ds:KeyName>batch</ds:KeyName>"));
    let (shown, _) = bench.ok("inspect b.xml @batch");
    assert!(shown.contains("wrapped under the transport key \"batch\""), "{shown}");
    assert!(shown.contains("verified (HMAC-SHA1)"), "{shown}");
    assert!(bench.ok("inventory show A001-A300 --inventory i.sqlite").0.contains(kcv));
    let (code, _) = bench.ok("code b.xml @batch --serial A007 --at 60");
    assert!(code.chars().filter(char::is_ascii_digit).count() >= 6, "{code}");
    // Under another key, in the same token, on the way out; and under none.
    bench.ok("transport-key new --bits 128 @other");
    let out = "export b.xml @batch --format pskc";
    bench.ok(&format!("{out} --out-pkcs11-key ^other --out other.xml"));
    let secrets = bench.secrets("b.xml", "@batch");
    assert_eq!(bench.secrets("other.xml", "@other"), secrets);
    assert_eq!(secrets.lines().count(), 300);
    bench.ok("export b.xml @batch --format privacyidea-csv --out import.csv");
    bench.refused("inspect b.xml @other", 2, &["AES-256-KW takes a key of 32 bytes"]);
    bench.refused(
        "export other.xml @batch --format privacyidea-csv --out x",
        2,
        &["AES-128-KW takes a key of 16 bytes, this one has 32"],
    );
    bench.ok("transport-key new --bits 128 @third");
    bench.refused("inspect other.xml @third", 2, &["the value cannot be verified under this key"]);
}

#[test]
fn the_same_key_inside_and_outside_the_token_reads_the_same() {
    let bench = Bench::new();
    for (bits, key) in [(128, &KEY[..32]), (192, &KEY[..48]), (256, KEY)] {
        let label = format!("k{bits}");
        bench.import(&label, key, &["--sensitive"]);
        bench.put("key.hex", key);
        let file = "--transport-key-file key.hex";
        let (shown, _) = bench.ok(&format!("transport-key show-kcv key.hex @{label}"));
        let values: Vec<&str> = shown.lines().map(|line| &line[..6]).collect();
        assert_eq!(values[0], values[1], "{shown}");
        for (name, options) in [
            ("wrapped", ""),
            ("wrapped-gcm", "--encryption aes-gcm"),
            ("each-cbc", "--pkcs11-each-value"),
            ("each-gcm", "--pkcs11-each-value --encryption aes-gcm"),
            ("each-kw", "--pkcs11-each-value --encryption aes-kw --secret-bytes 24"),
            ("each-kwp", "--pkcs11-each-value --encryption aes-kw-pad"),
            ("freeipa", "--for freeipa"),
        ] {
            let out = format!("{name}-{bits}.xml");
            bench.ok(&format!("mint --count 20 --serial-prefix K @{label} --out {out} {options}"));
            let inside = bench.secrets(&out, &format!("@{label}"));
            assert_eq!(inside, bench.secrets(&out, file), "{out}");
            let text = fs::read_to_string(bench.at(&out)).unwrap();
            assert_eq!(text.contains("EncryptedKey"), name.starts_with("wrapped"), "{out}");
        }
        // What was made outside is read inside.
        for cipher in ["aes-cbc", "aes-gcm", "aes-kw-pad"] {
            let out = format!("outside-{cipher}-{bits}.xml");
            bench.ok(&format!(
                "mint --count 20 --serial-prefix K {file} --out {out} --encryption {cipher}"
            ));
            assert_eq!(bench.secrets(&out, file), bench.secrets(&out, &format!("@{label}")));
        }
    }
}

#[test]
fn a_key_that_the_token_gives_away_is_read_and_told() {
    let bench = Bench::new();
    bench.import("open", &KEY[..32], &["--extractable"]);
    bench.put("key.hex", &KEY[..32]);
    let (_, said) = bench.ok("mint --count 20 --serial-prefix O @open --out b.xml");
    assert!(said.contains("note: pkcs11:token=factory;object=open: the token gives this key away"));
    let text = fs::read_to_string(bench.at("b.xml")).unwrap();
    assert!(!text.contains("EncryptedKey"));
    assert_eq!(
        bench.secrets("b.xml", "@open"),
        bench.secrets("b.xml", "--transport-key-file key.hex")
    );
}

#[test]
fn the_private_key_of_a_certificate_opens_in_the_token() {
    let bench = Bench::new();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/custody");
    for name in ["recipient.crt", "recipient.key", "other.key"] {
        bench.put(name, &fs::read_to_string(vectors.join(name)).unwrap());
    }
    for (label, id, file) in [("recipient", "01", "recipient.key"), ("other", "02", "other.key")] {
        let made = Command::new("softhsm2-util")
            .args(["--import", file, "--token", "factory", "--label", label, "--id", id])
            .args(["--pin", "1234"])
            .current_dir(bench.0.path())
            .env("SOFTHSM2_CONF", bench.at("conf"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
    }
    bench.ok("mint --count 20 --serial-prefix C --recipient recipient.crt --out b.xml");
    assert_eq!(
        bench.secrets("b.xml", "@recipient"),
        bench.secrets("b.xml", "--private-key-file recipient.key")
    );
    bench.refused("inspect b.xml @other", 2, &["the value cannot be verified under this key"]);
    bench.refused("mint --count 1 @recipient --out x.xml", 2, &["a private key only reads"]);
    bench.refused("transport-key show-kcv @recipient", 2, &["an RSA key has no check value"]);
    bench.ok("mint --count 1 --serial-prefix P --new-transport-key k --out p.xml");
    bench.refused("inspect p.xml @recipient", 2, &["is not the kind of key that was given"]);
}

#[test]
fn every_slip_is_named_and_a_pin_is_tried_once() {
    let bench = Bench::new();
    bench.ok("transport-key new --bits 128 @batch");
    bench.ok("mint --count 3 --serial-prefix E @batch --out b.xml");
    bench.put("wrong", "73195\n");
    let with = |uri: &str| format!("inspect b.xml --pkcs11-key {uri} --pkcs11-pin-file pin");
    let here = "?module-path=MODULE";
    bench.refused(
        &with(&format!("pkcs11:token=fabrik;object=batch{here}")),
        2,
        &["pkcs11:token=fabrik;object=batch: there is no such token; the module has the token \"factory\""],
    );
    bench.refused(
        &with(&format!("pkcs11:token=factory;object=bach{here}")),
        2,
        &["there is no such key; the token factory has the key object=batch"],
    );
    bench.refused(&with("pkcs11:token=factory"), 2, &["the module of the token is not named"]);
    bench.refused(
        &with("pkcs11:token=factory?module-path=/no/such.so"),
        5,
        &["/no/such.so: cannot be used as a PKCS #11 module: "],
    );
    bench.refused(&with("pkcs11:token=factory;library=x"), 2, &["\"library\" is not used here"]);
    bench.refused(
        &with(&format!("pkcs11:token=factory;object=batch{here}&pin-source=file:/etc/pin")),
        2,
        &["pin-source in the URI, and the PIN from elsewhere, too"],
    );
    let uri = format!("pkcs11:token=factory;object=batch{here}");
    let output = bench.run(&format!("inspect b.xml --pkcs11-key {uri}&pin-value=98765432"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("(pin-value) is not used") && !said.contains("98765432"), "{said}");
    bench.refused(
        &format!("inspect b.xml --pkcs11-key {uri}"),
        2,
        &["the token factory wants a PIN, and none was given", "--pkcs11-pin-file"],
    );
    bench.refused(
        &format!("mint --count 2 --pkcs11-key {uri} --pkcs11-pin-file wrong --out x.xml"),
        2,
        &["the token factory refuses the PIN", "it was tried once"],
    );
    let output =
        bench.run(&format!("code b.xml --pkcs11-key {uri} --pkcs11-pin-file wrong --serial E1"));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("73195"));
    bench.refused(
        "mint --count 2 --pkcs11-each-value --new-transport-key k --out x.xml",
        2,
        &["--pkcs11-each-value is for a key in a PKCS #11 token, and none is given"],
    );
    // The PIN by the URI's own way, and by a descriptor.
    let pin = bench.at("pin").display().to_string();
    bench.ok(&format!("inspect b.xml --pkcs11-key {uri}&pin-source=file:{pin}"));
    bench.ok(&format!("inspect b.xml --pkcs11-key {uri}&pin-source={pin}"));
    bench.refused(
        &format!("inspect b.xml --pkcs11-key {uri} --pkcs11-pin-fd 99"),
        5,
        &["cannot read file descriptor 99"],
    );
    // Two of a name.
    bench.import("twin", &KEY[..32], &["--id", "01"]);
    bench.import("twin", &KEY[32..], &["--id", "02"]);
    bench.refused(
        &with(&format!("pkcs11:token=factory;object=twin{here}")),
        2,
        &["several keys are meant: ", "object=twin;id=%01", "add id= or type="],
    );
    bench.ok(&format!(
        "transport-key show-kcv --pkcs11-key pkcs11:token=factory;object=twin;id=%01{here} \
         --pkcs11-pin-file pin"
    ));
    bench.token("factory");
    bench.refused(&with(&uri), 2, &["several tokens are meant: slot-id=", "add serial= or"]);
}

#[test]
fn an_operation_that_the_key_may_not_do_is_named() {
    let bench = Bench::new();
    bench.ok("transport-key new --bits 128 @batch");
    bench.ok("mint --count 3 --serial-prefix E @batch --out wrapped.xml");
    bench.ok("mint --count 3 --serial-prefix E @batch --pkcs11-each-value --out each.xml");
    // In a process of its own, whose environment names the token.
    let helper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "make_an_idle_key", "--ignored"])
        .env("SOFTHSM2_CONF", bench.at("conf"))
        .output()
        .unwrap();
    assert!(helper.status.success(), "{}", String::from_utf8_lossy(&helper.stdout));
    for (line, operation) in [
        ("mint --count 2 @idle --out x.xml", "wrap (CKA_WRAP)"),
        ("mint --count 2 @idle --pkcs11-each-value --out x.xml", "encrypt (CKA_ENCRYPT)"),
        ("inspect wrapped.xml @idle", "unwrap (CKA_UNWRAP)"),
        ("inspect each.xml @idle", "decrypt (CKA_DECRYPT)"),
        ("transport-key show-kcv @idle", "make a check value (CKA_SIGN or CKA_ENCRYPT)"),
    ] {
        let words = format!("object=idle: the token does not permit this key to {operation}");
        bench.refused(line, 2, &[&words]);
    }
}

#[test]
#[ignore = "no test: it makes a key that may do nothing, for the test before"]
fn make_an_idle_key() {
    use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
    use cryptoki::mechanism::Mechanism;
    use cryptoki::object::Attribute;
    use cryptoki::session::UserType;
    use cryptoki::types::AuthPin;

    let module = Pkcs11::new(MODULE).unwrap();
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::from("1234".to_owned()))).unwrap();
    let never = [
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Sign(false),
    ];
    let mut template = vec![
        Attribute::Label(b"idle".to_vec()),
        Attribute::Token(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::ValueLen(16.into()),
    ];
    template.extend(never);
    session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
}
