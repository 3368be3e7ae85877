//! The definition language, through the library: what later definitions will lean on.

use std::collections::BTreeMap;

use proptest::prelude::*;
use trousseau::definition::{Definition, Origin};
use trousseau::format::{self, ExportOptions, Format, LIBRARY};
use trousseau::secret::Secret;
use trousseau::serial::Serial;
use trousseau::token::{Algorithm, Token};

fn compile(text: &str) -> Result<Format, String> {
    let definition = Definition {
        name: "mine".into(),
        file: "mine.toml".into(),
        text: text.into(),
        origin: Origin::Embedded,
    };
    Format::compile(&definition).map_err(|error| error.to_string())
}

/// Compiles and runs the examples.
fn holds(text: &str) {
    let format = compile(text).unwrap_or_else(|error| panic!("{error}"));
    if let Err(failures) = format.check_examples() {
        panic!("{}", failures.join("\n"));
    }
}

fn key(serial: &str) -> Token {
    Token::totp60(Serial::new(serial).unwrap(), Secret::from(&b"12345678901234567890"[..]))
}

const SEED: &str = "secret_hex = '3132333435363738393031323334353637383930'";

#[test]
fn quotes_crlf_and_values_in_base64() {
    // The shape of an inventory file in which one quoted cell holds several encoded values.
    holds(&format!(
        r##"
title = "inventory"
[limits]
algorithms = ["totp", "hotp"]
hashes = ["sha1"]
[csv]
delimiter = ","
preamble = ["# Generated"]
header = "Type, Reference, Data"
quote = "always"
eol = "crlf"
comment = "#"
[[csv.column]]
text = "OTP Token"
[[csv.column]]
field = "serial"
[[csv.column]]
name = "Data"
cases = [
    {{ when = {{ algorithm = "totp" }}, text = "TokenKey={{secret:base64}},TokenType=VE9UUA==,OTPLength={{digits:base64}},TOTPTimeStep={{period:base64}}" }},
    {{ when = {{ algorithm = "hotp" }}, text = "TokenKey={{secret:base64}},TokenType=SE9UUA==,OTPLength={{digits:base64}},Counter={{counter}}" }},
]
[[example]]
about = "both"
output = "# Generated\r\nType, Reference, Data\r\n\"OTP Token\",\"A1\",\"TokenKey=MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=,TokenType=VE9UUA==,OTPLength=Ng==,TOTPTimeStep=NjA=\"\r\n\"OTP Token\",\"A2\",\"TokenKey=MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=,TokenType=SE9UUA==,OTPLength=OA==,Counter=7\"\r\n"
[[example.key]]
serial = "A1"
{SEED}
algorithm = "totp"
period = 60
[[example.key]]
serial = "A2"
{SEED}
algorithm = "hotp"
digits = 8
counter = 7
"##
    ));
}

#[test]
fn json_within_json_and_a_file_for_each_key() {
    holds(&format!(
        r##"
title = "realm import"
[limits]
algorithms = ["totp"]
hashes = ["sha1"]
[template]
escape = "json"
file = "{{{{ user }}}}.json"
head = "["
foot = "]\n"
record = '{{"user":"{{{{ user }}}}","data":"{{\"value\":\"{{{{ secret|base32 }}}}\",\"digits\":{{{{ digits }}}},\"period\":{{{{ period }}}},\"label\":\"{{{{ issuer|json }}}}\"}}"}}'
[[example]]
about = "two files"
output = '''
--- alice.json
[{{"user":"alice","data":"{{\"value\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\",\"digits\":6,\"period\":30,\"label\":\"A \\\"B\\\"\"}}"}}]
--- bob.json
[{{"user":"bob","data":"{{\"value\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\",\"digits\":6,\"period\":30,\"label\":\"C\"}}"}}]
'''
[[example.key]]
serial = "A1"
{SEED}
algorithm = "totp"
user = "alice"
issuer = 'A "B"'
[[example.key]]
serial = "A2"
{SEED}
algorithm = "totp"
user = "bob"
issuer = "C"
[[example]]
about = "a name that leaves the folder"
refused = 'A3: template.file: "../eve.json" holds a separator of folders'
[[example.key]]
serial = "A3"
{SEED}
algorithm = "totp"
user = "../eve"
issuer = "C"
[[example]]
about = "two keys of one user"
refused = 'A5: a second file of the name "alice.json"'
[[example.key]]
serial = "A4"
{SEED}
algorithm = "totp"
user = "alice"
issuer = "C"
[[example.key]]
serial = "A5"
{SEED}
algorithm = "totp"
user = "alice"
issuer = "C"
"##
    ));
}

const PASTE: &str = "title = 'paste box'\n[limits]\nalgorithms = ['totp']\nhashes = ['sha1']\n\
    digits = [6]\nrows = 3\nbytes = 200\n[by_hand]\nperiod = 'choose it in the dialogue'\n\
    [fields.serial]\nunique = true\n\
    [csv]\ndelimiter = ','\n[[csv.column]]\nfield = 'serial'\n[[csv.column]]\nfield = 'secret'\n\
    encoding = 'hex'\n[[example]]\nabout = 'one'\nreads_back = false\noutput = \"A,00\\n\"\n\
    [[example.key]]\nserial = 'A'\nsecret_hex = '00'\nalgorithm = 'totp'\n";

fn export(format: &Format, keys: Vec<Token>) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let keys = keys.into_iter().map(Ok::<_, std::convert::Infallible>);
    format::write(format, &ExportOptions::default(), keys, &mut out)
        .map(|summary| summary.notes)
        .map_err(|error| error.to_string())
}

#[test]
fn what_is_chosen_by_hand_must_be_the_same_in_all_keys() {
    let format = compile(PASTE).unwrap();
    let notes = export(&format, vec![key("A1"), key("A2")]).unwrap();
    assert_eq!(notes, ["the file does not carry the period (60): choose it in the dialogue"]);
    let mut other = key("A2");
    other.period = 30;
    let error = export(&format, vec![key("A1"), other]).unwrap_err();
    assert!(error.contains("A2: the period is chosen once for the whole file"), "{error}");
}

#[test]
fn rows_bytes_and_repeated_values_are_counted() {
    let format = compile(PASTE).unwrap();
    let keys = ["A1", "A2", "A3", "A4", "A2"].map(key).into();
    let error = export(&format, keys).unwrap_err();
    for words in [
        "mine: 3 faults; nothing was written",
        "A2: the serial \"A2\" comes twice",
        "the file has 5 keys, the server takes 3 in a file",
        "the file has 220 bytes, the server takes 200",
    ] {
        assert!(error.contains(words), "no {words:?} in {error}");
    }
    assert!(export(&format, Vec::new()).unwrap_err().contains("there is no key to write"));
}

#[test]
fn definitions_that_contradict_themselves_are_refused() {
    for (from, to, words) in [
        ("[csv]\ndelimiter", "[pskc]\n[csv]\ndelimiter", "exactly one of the tables"),
        ("encoding = 'hex'", "encoding = 'rot13'", "csv.column[1]: there is no encoding \"rot13\""),
        ("encoding = 'hex'\n", "", "csv.column[1]: the secret needs an encoding"),
        ("delimiter = ','", "delimiter = 'ab'", "csv.delimiter: \"ab\" is neither"),
        ("field = 'serial'", "field = 'set.x'", "set.x is used, but there is no [settings.x]"),
        ("unique = true", "pattern = '('", "fields.serial: pattern:"),
        ("hashes = ['sha1']", "hashes = ['md5']", "limits.hashes: unknown hash \"md5\""),
        ("field = 'serial'", "field = 'serial'\noptional = true", "only the last columns"),
        ("[by_hand]\nperiod", "[by_hand]\nissuer", "nothing says how the period reaches"),
    ] {
        assert!(PASTE.contains(from), "{from}");
        let error = compile(&PASTE.replacen(from, to, 1)).unwrap_err();
        assert!(error.starts_with("mine.toml: ") && error.contains(words), "{error}");
    }
}

#[test]
fn what_a_program_only_carries_is_in_no_import_file() {
    for (name, _) in LIBRARY.embedded {
        let format = Format::load(name).unwrap();
        let mut other = key("A1");
        other.algorithm = Algorithm::Other("urn:ietf:params:xml:ns:keyprov:pskc:ocra".into());
        if format.is_encrypted() {
            continue;
        }
        // One asks for a setting of the whole file before it looks at the first key.
        let settings = match *name {
            "deepnet-xml" => BTreeMap::from([("product_code".to_owned(), "ST".to_owned())]),
            _ => BTreeMap::new(),
        };
        let options = ExportOptions { settings, ..ExportOptions::default() };
        let tokens = [Ok::<_, std::convert::Infallible>(other)];
        let refused = format::write(&format, &options, tokens, &mut Vec::new()).unwrap_err();
        let error = refused.to_string();
        assert!(error.contains("A1: ") && error.contains("algorithm urn:"), "{name}: {error}");
    }
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused_with_a_place(
        lines in proptest::collection::vec("[A1,;\"\t #é=]{0,12}|A1,3132,totp,6,60|HOTP a - 00", 0..6)
    ) {
        let text = lines.join("\n");
        for name in ["privacyidea-csv", "pam-oath", "entra-csv"] {
            let format = Format::load(name).unwrap();
            let tokens: Vec<_> = format::read(&format, "in", text.as_bytes()).unwrap().collect();
            if let Some(Err(error)) = tokens.last() {
                prop_assert!(error.to_string().starts_with("in:"), "{error}");
            }
        }
    }

    #[test]
    fn written_lines_are_read_back(
        secret in proptest::collection::vec(any::<u8>(), 1..70),
        digits in 6u8..=8, period in 1u32..=100_000, hotp: bool, counter: u64
    ) {
        let format = Format::load("privacyidea-csv").unwrap();
        let mut token = key("A1");
        token.hash = match secret.len() {
            32 => trousseau::otp::Hash::Sha256,
            64 => trousseau::otp::Hash::Sha512,
            _ => trousseau::otp::Hash::Sha1,
        };
        prop_assume!(!matches!(secret.len(), 28 | 48));
        token.secret = Secret::new(secret);
        token.digits = digits;
        if hotp {
            (token.algorithm, token.counter, token.period) = (Algorithm::Hotp, counter, 30);
        } else {
            token.period = period;
        }
        let mut out = Vec::new();
        let tokens = [Ok::<_, std::convert::Infallible>(token.clone())];
        format::write(&format, &ExportOptions::default(), tokens, &mut out).unwrap();
        let back = format::read(&format, "out", &out[..]).unwrap().next().unwrap().unwrap();
        prop_assert_eq!(back, token);
    }
}

/// The first block of docs/formats.md, as a reader types it: each command succeeds and says what
/// the page shows below it.
#[test]
fn the_page_of_formats_begins_with_commands_that_run() {
    let page = include_str!("../docs/formats.md");
    let block = page.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_trousseau")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let run = |line: &str| {
        let output = std::process::Command::new("sh")
            .args(["-euc", line])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}\n{told}{failed}");
        told
    };
    run("trousseau mint --count 2 --serial-prefix K --new-transport-key transport.key \
         --out batch.pskcxml");
    std::fs::write(
        folder.path().join("users.csv"),
        "user,serial\na@acme.example,K1\nb@acme.example,K2\n",
    )
    .unwrap();
    for part in block.replace("\\\n", " ").split("$ ").skip(1) {
        let (line, told) = part.split_once('\n').unwrap();
        assert!(run(line).contains(told.trim()), "{line}");
    }
    let made = std::fs::read_to_string(folder.path().join("import.csv")).unwrap();
    assert!(made.contains("a@acme.example,K1,"), "{made}");
}
