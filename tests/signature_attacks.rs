//! Files made to get around a signature, or to have much work done before it is judged.

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{PROGRAM, describe, text};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const RSA: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

fn vector(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/signatures").join(name);
    path.display().to_string()
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.0.path()).args(words);
        command
    }

    /// `inspect` of a file with this content says `expected`, whether its signature is asked for
    /// or not.
    fn refuses(&self, content: &str, expected: &str) {
        fs::write(self.at("b.xml"), content).unwrap();
        for more in [&[][..], &["--require-signature", &vector("rsa.crt")]] {
            let output = self.command(&[&["inspect", "b.xml"], more].concat()).output().unwrap();
            let told = describe(&output);
            assert_eq!(output.status.code(), Some(2), "{told}");
            assert!(told.contains(expected), "{told}");
        }
    }
}

/// A container with the declarations `around`, so many empty packages, and a signature.
fn container(around: &str, packages: usize, signature: &str) -> String {
    format!(
        "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" Version=\"1.0\"{around}>{}{signature}\
         </KeyContainer>",
        "<KeyPackage/>".repeat(packages)
    )
}

/// So many declarations, none of them of the prefixes `aa` to `fz`.
fn declarations(many: usize) -> String {
    let letter = |n: usize| char::from(b'a' + n as u8);
    (0..many)
        .map(|n| format!(" xmlns:{}{}=\"u:{n}\"", letter(6 + n / 26), letter(n % 26)))
        .collect()
}

fn exclusive(what: &str, prefixes: &str) -> String {
    format!(
        "<ds:{what} Algorithm=\"{EXCLUSIVE}\"><ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" \
         PrefixList=\"{prefixes}\"/></ds:{what}>"
    )
}

/// A signature with these parts, `more` in its reference, and a value that is none.
fn signature(declared: &str, canonicalization: &str, transforms: &str, more: &str) -> String {
    format!(
        "<ds:Signature xmlns:ds=\"{DS}\"{declared}><ds:SignedInfo>{canonicalization}\
         <ds:SignatureMethod Algorithm=\"{RSA}\"/><ds:Reference URI=\"\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{DS}enveloped-signature\"/>{transforms}</ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{SHA256}\"/><ds:DigestValue>AAAA</ds:DigestValue>{more}\
         </ds:Reference></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>"
    )
}

/// The prefixes, so many, different ones.
fn prefixes(many: usize) -> String {
    (0..many).map(|n| format!("p{n} ")).collect()
}

/// Minutes, each of them, when a list of prefixes was looked through at every tag.
#[test]
fn lists_of_prefixes_are_short_and_name_each_once() {
    let bench = Bench::new();
    let plain = format!("<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>");
    // One prefix, often, over the whole file; in vain, and in the midst of namespaces.
    for (around, prefix) in [(String::new(), "a "), (declarations(60), "zz ")] {
        let transform = exclusive("Transform", &prefix.repeat(20_000));
        let file = container(&around, 5_000, &signature("", &plain, &transform, ""));
        bench.refuses(&file, "a PrefixList that names a prefix twice");
    }
    let transform = exclusive("Transform", &prefixes(33));
    let file = container("", 1, &signature("", &plain, &transform, ""));
    bench.refuses(&file, "a PrefixList of more than 32 prefixes");

    // The same for what is signed itself, with as many elements as a signature has room for.
    let method = exclusive("CanonicalizationMethod", &"aa ".repeat(20_000));
    let file =
        container("", 0, &signature(&declarations(50), &method, "", &"<a/>".repeat(200_000)));
    bench.refuses(&file, "more than 200 elements in it");
    let file = container("", 0, &signature(&declarations(50), &method, "", ""));
    bench.refuses(&file, "a PrefixList that names a prefix twice");
    let deep = format!("{}{}", "<a>".repeat(20), "</a>".repeat(20));
    let file = container("", 0, &signature("", &plain, "", &deep));
    bench.refuses(&file, "more than 16 elements within each other");
}

/// A signature beside the file has its elements counted, too.
#[test]
fn a_detached_signature_has_as_many_elements_as_a_set_has_files() {
    let bench = Bench::new();
    let method = format!("<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>");
    fs::write(bench.at("b.sig"), signature("", &method, "", &"<a/>".repeat(100_000))).unwrap();
    fs::write(bench.at("b.xml"), container("", 0, "")).unwrap();
    let output = bench.command(&["inspect", "b.xml", "--detached-signature", "b.sig"]).output();
    let told = describe(&output.unwrap());
    assert!(
        told.contains("b.sig: the Signature of line 1: more than 30200 elements in it"),
        "{told}"
    );
}

/// What is shown of a manifest is what its signature covers, even if its name becomes that of another
/// file at the worst time: when the signature is being read.
#[test]
fn a_manifest_is_read_once() {
    let bench = Bench::new();
    let key = ["--new-transport-key", "k.hex", "--sign-detached", "--out", "set/p.xml"];
    let split = ["mint", "--count", "3", "--serial-prefix", "S", "--split-rows", "3"];
    let signer = ["--sign-key-file", &vector("rsa.key"), "--sign-cert", &vector("rsa.crt")];
    let made = bench.command(&[&split[..], &key, &signer].concat()).output().unwrap();
    assert!(made.status.success(), "{}", describe(&made));
    let (manifest, pipe) = (bench.at("set/manifest.json"), bench.at("pipe"));
    let forged = fs::read_to_string(&manifest).unwrap().replace("\"S1\"", "\"X1\"");
    fs::write(bench.at("forged"), forged).unwrap();
    let signature = fs::read(bench.at("set/manifest.json.sig")).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());

    let certificate = vector("rsa.crt");
    let words = ["inspect", "--manifest", "set/manifest.json", "--require-signature", &certificate];
    let mut command = bench.command(&[&words[..], &["--detached-signature", "pipe"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = File::options().write(true).open(&pipe).unwrap();
    fs::rename(bench.at("forged"), &manifest).unwrap();
    out.write_all(&signature).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", describe(&output));
    let seen = text(&output.stdout);
    assert!(
        seen.contains("S1 to S3") && seen.contains("trusted: the certificate required"),
        "{seen}"
    );
}
