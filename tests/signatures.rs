//! Signatures as the user of the program meets them: made and verified, required, refused, and
//! nothing half-written.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Bench(tempfile::TempDir);

const SIGN: &str = "--sign-key-file @rsa.key --sign-cert @rsa.crt";
const KEY: &str = "--transport-key-file k.hex";

impl Bench {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        this.put("k.hex", "00112233445566778899aabbccddeeff");
        this
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `@` begins the name of a file of `tests/vectors/signatures`.
    fn command(&self, line: &str) -> Command {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/signatures");
        let mut command = Command::new(env!("CARGO_BIN_EXE_trousseau"));
        command.current_dir(self.0.path());
        for word in line.split_whitespace() {
            match word.strip_prefix('@') {
                Some(name) => command.arg(vectors.join(name)),
                None => command.arg(word),
            };
        }
        command
    }

    fn run(&self, line: &str) -> Output {
        let output = self.command(line).output().unwrap();
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn piped(&self, line: &str, file: &str) -> Output {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let bytes = fs::read(self.at(file)).unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feed = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let output = child.wait_with_output().unwrap();
        feed.join().unwrap();
        output
    }

    /// Refused with exit code 2 and these words, with nothing on standard output and no file more.
    fn refuses(&self, line: &str, words: &[&str]) {
        let before = self.names();
        let output = self.command(line).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}\n{said}");
        for word in words {
            assert!(said.contains(word), "{line}\n{said}\nlacks {word:?}");
        }
        assert!(said.contains(" help: "), "{said}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{line}");
        assert_eq!(self.names(), before, "{line}");
    }

    fn mint(&self, more: &str) -> &Self {
        self.run(&format!(
            "mint --count 30 --serial-prefix S --manufacturer oath.ACME {KEY} {more}"
        ));
        self
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_signed_batch_is_verified_by_every_command_that_reads_one() {
    let bench = Bench::new();
    bench.mint(&format!("{SIGN} --out b.xml"));
    let seen = out(&bench.run(&format!("inspect b.xml {KEY}")));
    assert!(
        seen.contains("signature    by CN=RSA Signer, RSA-SHA256, certificate SHA-256 "),
        "{seen}"
    );
    assert!(seen.contains("not trusted: --require-signature"), "{seen}");
    let trusted = "--require-signature @rsa.crt";
    let seen = out(&bench.run(&format!("inspect b.xml {KEY} {trusted}")));
    assert!(seen.contains("trusted: the certificate required"), "{seen}");

    bench.put("users.csv", "user,serial\nada,S01\n");
    let changed = bench
        .text("b.xml")
        .replace("oath.ACME</Manufacturer><SerialNo>S30", "oath.EVIL</Manufacturer><SerialNo>S30");
    assert_ne!(changed, bench.text("b.xml"));
    bench.put("changed.xml", &changed);
    for (number, command) in [
        "inspect FILE",
        "export FILE --format jsonl --out OUT.jsonl",
        "export FILE --format jsonl --out -",
        "export FILE --format jsonl --split-rows 10 --out OUT/y.jsonl",
        "export FILE --format pskc --out-new-transport-key OUT.hex --out OUT.xml",
        "code FILE --serial S01 --at 60",
        "serve --keys FILE --roster users.csv --listen 127.0.0.1:0",
        "simulate --scenario rentree --target portal-json --url http://127.0.0.1:9 --keys FILE \
         --roster users.csv --out OUT",
    ]
    .into_iter()
    .enumerate()
    {
        let line = command.replace("OUT", &format!("out{number}"));
        for more in ["", trusted] {
            let bad = format!("{} {KEY} {more}", line.replace("FILE", "changed.xml"));
            let words =
                ["changed.xml: the file was changed after it was signed", "use nothing of it"];
            bench.refuses(&bad, &words);
        }
        // What serves or sends does not end by itself.
        if !command.starts_with('s') {
            bench.run(&format!("{} {KEY} {trusted}", line.replace("FILE", "b.xml")));
        }
    }
}

#[test]
fn a_required_signature_is_asked_before_any_key_is_given() {
    let bench = Bench::new();
    bench.mint(&format!("{SIGN} --out b.xml")).mint("--out unsigned.xml");
    bench.mint("--sign-key-file @leaf.key --sign-cert @leaf.crt --out leaf.xml");
    let json =
        |file: &str, by: &str| format!("inspect {file} {KEY} --json --require-signature {by}");
    bench.refuses(&json("unsigned.xml", "@rsa.crt"), &["unsigned.xml: the file is not signed"]);
    bench.refuses(
        &json("b.xml", "@ec.crt"),
        &["b.xml: the file is signed by CN=RSA Signer, and --require-signature wants CN=EC Signer"],
    );
    bench.refuses(&json("leaf.xml", "@rsa.crt"), &["signed by CN=Leaf"]);
    let seen = out(&bench.run(&format!("inspect leaf.xml {KEY} --require-signature @ca.crt")));
    assert!(seen.contains("its certificate was issued by CN=Test Authority"), "{seen}");

    let cut = bench.text("b.xml").replace("</ds:Signature></KeyContainer>", "");
    bench.put("cut.xml", &cut);
    bench.refuses(&json("cut.xml", "@rsa.crt"), &["the document ends in the middle"]);
    let stripped = {
        let text = bench.text("b.xml");
        let (start, end) =
            (text.find("<ds:Signature ").unwrap(), text.find("</KeyContainer>").unwrap());
        format!("{}{}", &text[..start], &text[end..])
    };
    bench.put("stripped.xml", &stripped);
    bench.refuses(&json("stripped.xml", "@rsa.crt"), &["stripped.xml: the file is not signed"]);
    // Another key after the signature, or the signed file put into another.
    let text = bench.text("b.xml");
    bench.put("more.xml", &text.replace("</ds:Signature>", "</ds:Signature><KeyPackage/>"));
    bench.refuses(&json("more.xml", "@rsa.crt"), &["was changed after it was signed"]);
    let body = &text[text.find("<KeyContainer").unwrap()..];
    let open = &body[..body.find("<KeyPackage>").unwrap()];
    bench.put("wrapped.xml", &format!("{open}<Extensions>{body}</Extensions></KeyContainer>"));
    bench.refuses(&json("wrapped.xml", "@rsa.crt"), &["a Signature inside <Extensions>"]);
    bench.put("object.xml", &text.replace("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>"));
    bench.refuses(&json("object.xml", "@rsa.crt"), &["it holds <Object>, which its digest"]);
    bench.refuses(&format!("inspect object.xml {KEY}"), &["it holds <Object>"]);

    bench.put("no.crt", "hello");
    bench.refuses(&json("b.xml", "no.crt"), &["no.crt: no PEM certificate in it"]);
    let missing = bench.command(&json("b.xml", "missing.crt")).output().unwrap();
    assert_eq!(missing.status.code(), Some(5), "{}", err(&missing));
}

/// The file of 2 MB that took minutes when names were looked up among a quarter of a million.
#[test]
fn a_file_of_namespaces_is_refused_for_them() {
    let bench = Bench::new();
    let declared: String = (0..100).map(|n| format!(" xmlns:n{n}=\"u\"")).collect();
    let file = format!(
        "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" xmlns:a=\"urn:a\">{}{}{}\
         </KeyContainer>",
        format!("<e{declared}>").repeat(900),
        "<a:b/>".repeat(100_000),
        "</e>".repeat(900),
    );
    bench.put("names.xml", &file);
    for line in [
        "inspect names.xml --require-signature @rsa.crt".to_owned(),
        format!("sign names.xml {SIGN} --out signed.xml"),
    ] {
        bench.refuses(&line, &["names.xml", "more than 128 namespaces in force"]);
    }
}

#[test]
fn pipes_are_verified_too() {
    let bench = Bench::new();
    bench.mint(&format!("{SIGN} --out b.xml")).mint("--out unsigned.xml");
    bench.put("changed.xml", &bench.text("b.xml").replace("<SerialNo>S07<", "<SerialNo>X07<"));
    let plain = format!("inspect - {KEY}");
    let required = format!("{plain} --require-signature @rsa.crt");
    assert!(out(&bench.piped(&plain, "b.xml")).contains("not trusted"));
    assert!(out(&bench.piped(&required, "b.xml")).contains("trusted: the certificate required"));
    assert!(bench.piped(&plain, "unsigned.xml").status.success());
    for line in [&plain, &required] {
        let output = bench.piped(line, "changed.xml");
        assert_eq!((output.status.code(), out(&output)), (Some(2), String::new()), "{line}");
        assert!(err(&output).contains("standard input: the file was changed after"), "{output:?}");
    }
    // A pipe with a name, which would end if it were opened twice.
    let made = Command::new("mkfifo").arg(bench.at("fifo")).status().unwrap();
    assert!(made.success());
    for line in [&plain, &required] {
        let (fifo, bytes) = (bench.at("fifo"), fs::read(bench.at("b.xml")).unwrap());
        let feed = std::thread::spawn(move || fs::write(fifo, bytes).unwrap());
        let seen = out(&bench.run(&line.replace(" - ", " fifo ")));
        assert!(seen.contains("30 keys") && seen.contains("by CN=RSA Signer"), "{seen}");
        feed.join().unwrap();
    }
    let output = bench.piped(&required, "unsigned.xml");
    assert_eq!((output.status.code(), out(&output)), (Some(2), String::new()));
    let output = bench.piped(&format!("export - {KEY} --format jsonl --out -"), "changed.xml");
    assert_eq!((output.status.code(), out(&output)), (Some(2), String::new()));
}

#[test]
fn sets_and_compressed_files_are_signed_each() {
    let bench = Bench::new();
    bench
        .mint(&format!("{SIGN} --split-rows 12 --out set/p.xml"))
        .mint(&format!("{SIGN} --out z.xml.zst"));
    for file in ["set/p-0001.xml", "set/p-0002.xml", "set/p-0003.xml", "z.xml.zst"] {
        bench.run(&format!("inspect {file} {KEY} --require-signature @rsa.crt"));
    }
    bench.mint(&format!("{SIGN} --split-bytes 20k --out bytes/p.xml"));
    for entry in fs::read_dir(bench.at("bytes")).unwrap() {
        assert!(entry.unwrap().metadata().unwrap().len() <= 20_000);
    }
    let line = format!(
        "export z.xml.zst {KEY} --format pskc --out-new-transport-key n.hex {SIGN} --split-bytes 20k --out e/p.xml"
    );
    bench.run(&line);
    assert!(fs::read_dir(bench.at("e")).unwrap().count() > 2);
    for entry in fs::read_dir(bench.at("e")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().unwrap() == "xml" {
            assert!(path.metadata().unwrap().len() <= 20_000);
            let file = path.strip_prefix(bench.0.path()).unwrap().display().to_string();
            bench.run(&format!(
                "inspect {file} --transport-key-file n.hex --require-signature @rsa.crt"
            ));
        }
    }
}

#[test]
fn signatures_beside_files_cover_them_and_come_with_them() {
    let bench = Bench::new();
    bench.mint(&format!("{SIGN} --sign-detached --out b.xml"));
    assert!(!bench.text("b.xml").contains("Signature"));
    let with = "--detached-signature b.xml.sig --require-signature";
    bench.run(&format!("inspect b.xml {KEY} {with} @rsa.crt"));
    bench.refuses(
        &format!("inspect b.xml {KEY} {with} @ec.crt"),
        &["b.xml.sig: the file is signed by"],
    );
    fs::copy(bench.at("b.xml"), bench.at("c.xml")).unwrap();
    bench.refuses(
        &format!("inspect c.xml {KEY} {with} @rsa.crt"),
        &["b.xml.sig does not cover c.xml; it covers b.xml"],
    );
    bench.put("b.xml", &(bench.text("b.xml") + "\n"));
    bench.refuses(
        &format!("inspect b.xml {KEY} {with} @rsa.crt"),
        &["b.xml was changed after it was signed"],
    );

    // An import file, whatever its format; and as a source of keys.
    let jsonl = "--format csv --sign-detached --sign-key-file @ec.key --sign-cert @ec.crt";
    bench.run(&format!("export c.xml {KEY} {jsonl} --out i.csv"));
    let again = "export i.csv --from csv --format jsonl --detached-signature i.csv.sig --require-signature @ec.crt";
    bench.run(&format!("{again} --out j.jsonl"));
    bench.put("i.csv", &bench.text("i.csv").replacen("S0", "X0", 1));
    bench.refuses(&format!("{again} --out k.jsonl"), &["i.csv was changed after it was signed"]);
    bench.refuses(
        "export i.csv --from csv --format jsonl --require-signature @ec.crt --out k.jsonl",
        &["only a PSKC file holds its signature itself", "--detached-signature i.csv.sig"],
    );
    bench.refuses(
        &format!("export c.xml {KEY} --format csv {SIGN} --out k.csv"),
        &["the format csv has no place for a signature", "--sign-detached"],
    );

    // One for all of a set.
    bench.mint(&format!("{SIGN} --sign-detached --split-rows 10 --out set/p.xml"));
    bench.run("inspect --manifest set/manifest.json --require-signature @rsa.crt");
    bench.refuses(
        "inspect --manifest set/manifest.json --require-signature @ec.crt",
        &["set/manifest.json.sig: the file is signed by CN=RSA Signer"],
    );
    bench.run(&format!(
        "inspect set/p-0002.xml {KEY} --detached-signature set/manifest.json.sig --require-signature @rsa.crt"
    ));
    bench.put("set/manifest.json", &(bench.text("set/manifest.json") + " "));
    bench.refuses(
        "inspect --manifest set/manifest.json --require-signature @rsa.crt",
        &["manifest.json was changed after it was signed"],
    );
    fs::remove_file(bench.at("set/manifest.json.sig")).unwrap();
    let line = "inspect --manifest set/manifest.json --require-signature @rsa.crt";
    assert_eq!(bench.command(line).output().unwrap().status.code(), Some(5));
}

#[test]
fn files_that_are_there_already_are_signed() {
    let bench = Bench::new();
    bench.mint("--out b.xml").mint("--out b.xml.gz");
    bench.run(&format!("sign b.xml {SIGN} --out s.xml"));
    bench.run(&format!("inspect s.xml {KEY} --require-signature @rsa.crt"));
    // The same bytes but for the signature.
    let (before, after) = (bench.text("b.xml"), bench.text("s.xml"));
    let (start, end) =
        (after.find("<ds:Signature ").unwrap(), after.rfind("</KeyContainer>").unwrap());
    assert_eq!(format!("{}{}", &after[..start], &after[end..]), before);
    let told = bench.run(&format!("sign b.xml.gz {SIGN} --out s.xml.zst --json"));
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&told["file"], &told["out"]), (&"b.xml.gz".into(), &"s.xml.zst".into()));
    assert_eq!(told["method"], "RSA-SHA256");
    bench.run(&format!("inspect s.xml.zst {KEY} --require-signature @rsa.crt"));
    bench.run(&format!("sign b.xml {SIGN} --detached"));
    bench.refuses(
        &format!("inspect b.xml {KEY} --require-signature @rsa.crt"),
        &["b.xml.sig is there: give it with --detached-signature b.xml.sig"],
    );
    bench.run(&format!(
        "inspect b.xml {KEY} --detached-signature b.xml.sig --require-signature @rsa.crt"
    ));

    bench.refuses(
        &format!("sign s.xml {SIGN} --out t.xml"),
        &["s.xml: line 35: the file is signed already"],
    );
    bench.refuses(
        &format!("sign k.hex {SIGN} --out t.xml"),
        &["k.hex: line 1: text outside of the root"],
    );
    bench.refuses(&format!("sign b.xml {SIGN} --out s.xml"), &["s.xml exists already"]);
    bench.refuses(&format!("sign b.xml {SIGN} --detached"), &["b.xml.sig exists already"]);
    bench.put("empty.xml", "<KeyContainer/>");
    bench.refuses(&format!("sign empty.xml {SIGN} --out t.xml"), &["an empty document"]);
    let missing = bench.command(&format!("sign none.xml {SIGN} --out t.xml")).output().unwrap();
    assert_eq!(missing.status.code(), Some(5), "{}", err(&missing));
}

#[test]
fn ones_own_file_that_cannot_hold_a_signature_is_not_spoken_of_as_a_strangers() {
    let bench = Bench::new();
    let xml = "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"/>";
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(xml.encode_utf16())
        .flat_map(|unit: u16| unit.to_le_bytes())
        .collect();
    fs::write(bench.at("utf16.xml"), utf16).unwrap();
    bench.put("cut.xml", &xml[..40]);
    bench.put("list.csv", "serial,secret\nA1,3132\n");
    for file in ["utf16.xml", "cut.xml", "list.csv"] {
        let line = format!("sign {file} {SIGN} --out signed");
        bench.refuses(&line, &[file, "a signature is put into well-formed XML in UTF-8 alone"]);
        bench.refuses(&line, &["--detached signs any file as it is", "iconv -f UTF-16 -t UTF-8"]);
        let said = bench.command(&line).output().unwrap();
        assert!(!err(&said).contains("sender"), "{}", err(&said));
        bench.run(&format!("sign {file} {SIGN} --detached"));
    }
}

#[test]
fn unfit_keys_are_refused_before_anything_is_made() {
    let bench = Bench::new();
    let mint = |sign: &str| {
        format!("mint --count 3 --serial-prefix S --new-transport-key n.hex {sign} --out b.xml")
    };
    for (sign, words) in [
        (
            "--sign-key-file @rsa.key --sign-cert @ec.crt",
            &["is not the private key of the certificate"][..],
        ),
        (
            "--sign-key-file @leaf.key --sign-cert @rsa.crt",
            &["is not the private key of the certificate"],
        ),
        (
            "--sign-key-file @rsa.key --sign-cert @weak.crt",
            &["its RSA key has 1024 bits; 2048 to 8192"],
        ),
        (
            "--sign-key-file @rsa.key --sign-cert @p384.crt",
            &["P-384; RSA and P-256 are signed with"],
        ),
        ("--sign-key-file @rsa.key --sign-cert @ed25519.crt", &["neither RSA nor on the curves"]),
        (
            "--sign-key-file @encrypted.key --sign-cert @rsa.crt",
            &["the private key is encrypted", "openssl pkey"],
        ),
        ("--sign-key-file @rsa.crt --sign-cert @rsa.crt", &["no RSA or EC private key in it"]),
        ("--sign-key-file k.hex --sign-cert @rsa.crt", &["no RSA or EC private key in it"]),
        ("--sign-key-file @rsa.key --sign-cert @encipher.crt", &["does not allow signatures"]),
    ] {
        bench.refuses(&mint(sign), words);
    }
    let usage = bench.command(&mint("--sign-key-file @rsa.key")).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    assert!(err(&usage).contains("--sign-cert"), "{usage:?}");
    bench.refuses(
        &format!("mint --count 3 --serial-prefix S {KEY} {SIGN} --sign-detached --out -"),
        &["there is no name to sign"],
    );
    bench.put("b.xml.sig", "taken");
    bench.refuses(
        &format!("mint --count 3 --serial-prefix S {KEY} {SIGN} --sign-detached --out b.xml"),
        &["b.xml.sig exists already"],
    );
}

#[test]
fn what_is_weak_or_worthless_is_told() {
    let bench = Bench::new();
    for (file, key, by, signed, warned) in [
        ("@xmlsec1-sha1.xml", KEY, "@rsa.crt", "RSA-SHA1", "rests on SHA-1"),
        ("@pskctool-sha1.xml", "", "@rsa.crt", "RSA-SHA1", "rests on SHA-1"),
        (
            "@expired.xml",
            KEY,
            "@expired.crt",
            "RSA-SHA256",
            "is valid from 2020-01-01T00:00:00Z to ",
        ),
        ("@signxml.xml", KEY, "@ec.crt", "ECDSA-SHA256", ""),
    ] {
        for more in [String::new(), format!("--require-signature {by}")] {
            let output = bench.run(&format!("inspect {file} {key} {more}"));
            assert!(out(&output).contains(signed), "{output:?}");
            // Another warning, of the key that others may read, is not of the file.
            assert_eq!(err(&output).contains(".xml: "), !warned.is_empty(), "{output:?}");
            assert!(err(&output).contains(warned), "{output:?}");
        }
    }
    for more in ["", "--require-signature @rsa.crt"] {
        let words = ["hmac.xml: the signature is an HMAC: whoever can verify it can make it"];
        bench.refuses(&format!("inspect @hmac.xml {KEY} {more}"), &words);
    }
    // The example of RFC 6030 signs one element, not the file.
    let figure =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/rfc6030/figure9.pskcxml");
    fs::copy(figure, bench.at("figure9.xml")).unwrap();
    let seen = out(&bench.run("inspect figure9.xml"));
    assert!(
        seen.contains("signature    present, not verified: the signature covers the element"),
        "{seen}"
    );
    bench.refuses(
        "inspect figure9.xml --require-signature @rsa.crt",
        &["covers the element with the id \"Device\" alone, not the whole file"],
    );
}
