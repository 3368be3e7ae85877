//! What a batch says of the use of its keys is kept to, and said where it is lost.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const ORDER: &str = r#"
[[lot]]
count = 1
serial = { prefix = "FREE" }
[[lot]]
count = 1
serial = { prefix = "SEAL" }
policy = { usages = ["Encrypt"] }
[[lot]]
count = 1
serial = { prefix = "GONE" }
policy = { transactions = 0 }
[[lot]]
count = 1
serial = { prefix = "LUHN" }
response-format = { check-digits = true }
[[lot]]
count = 1
serial = { prefix = "NAME" }
friendly-name = "Portail"
policy = { usages = ["OTP"], pin = { usage = "Prepend", min-length = 4 } }
"#;

fn trousseau(folder: &Path, args: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .current_dir(folder)
        .args(args.split(' '))
        .output()
        .unwrap()
}

/// A folder with the batch of the order, `batch.xml` under `key.hex`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("order.toml"), ORDER).unwrap();
    let mint = "mint --spec order.toml --new-transport-key key.hex --out batch.xml";
    let output = trousseau(folder.path(), mint);
    assert!(output.status.success(), "{}", text(&output.stderr));
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    for word in words {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
}

const KEY: &str = "--transport-key-file key.hex";

#[test]
fn code_keeps_to_the_policy_unless_told_otherwise() {
    let folder = folder();
    let code =
        |rest: &str| trousseau(folder.path(), &format!("code batch.xml {KEY} --serial {rest}"));
    refused(
        &code("SEAL1"),
        &[
            "batch.xml: key SEAL1: its policy permits Encrypt, not one-time passwords (OTP)",
            "--ignore-policy",
        ],
    );
    refused(&code("GONE1"), &["key GONE1: its policy permits no use of it any more"]);
    let output = code("SEAL1 --ignore-policy");
    assert!(output.status.success() && text(&output.stdout).len() > 8);
    let warning = "warning: used against their policy: batch.xml: key SEAL1: its policy permits";
    assert!(text(&output.stderr).contains(warning), "{}", text(&output.stderr));
    // What cannot be computed cannot be permitted.
    refused(&code("LUHN1 --ignore-policy"), &["key LUHN1: its codes end in a check digit"]);
    for good in ["FREE1", "NAME1"] {
        assert!(code(good).status.success(), "{good}");
    }
}

#[test]
fn runs_and_servers_refuse_every_such_key_before_they_begin() {
    let folder = folder();
    let roster = "user,serial\na,FREE1\nb,SEAL1\nc,GONE1\nd,LUHN1\ne,NAME1\n";
    fs::write(folder.path().join("all.csv"), roster).unwrap();
    let simulate = format!(
        "simulate --keys batch.xml {KEY} --roster all.csv --scenario rentree --target portal-json --url http://127.0.0.1:9 \
         --out run"
    );
    let serve = format!("serve --keys batch.xml {KEY} --roster all.csv --listen 127.0.0.1:0");
    for command in [simulate, serve] {
        let output = trousseau(folder.path(), &command);
        refused(&output, &["key SEAL1: ", "key GONE1: ", "key LUHN1: "]);
        assert!(!text(&output.stderr).contains("FREE1"), "{}", text(&output.stderr));
        let output = trousseau(folder.path(), &format!("{command} --ignore-policy"));
        refused(&output, &["key LUHN1: its codes end in a check digit"]);
    }
    assert!(!folder.path().join("run").exists());
}

#[test]
fn formats_refuse_what_the_server_would_not_know_and_name_the_rest() {
    let folder = folder();
    let export = |rest: &str| trousseau(folder.path(), &format!("export batch.xml {KEY} {rest}"));
    refused(
        &export("--format csv --out keys.csv"),
        &[
            "SEAL1: the file does not carry this, and the server will not know: its policy permits",
            "GONE1: ",
            "LUHN1: the file does not carry this, and the server will not know: its codes end in",
            "--allow-loss",
        ],
    );
    assert!(!folder.path().join("keys.csv").exists());
    let output = export("--format csv --out keys.csv --allow-loss");
    let error = text(&output.stderr);
    assert!(output.status.success(), "{error}");
    for note in ["PIN policy (1 key)", "friendly name (1 key)", "lost, as allowed: "] {
        assert!(error.contains(note), "{note}: {error}");
    }
}

#[test]
fn pskc_carries_all_of_it_and_inspect_shows_it() {
    let folder = folder();
    let export = "--format pskc --out-transport-key-file key.hex --out again.xml";
    let output = trousseau(folder.path(), &format!("export batch.xml {KEY} {export}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json = |file: &str| {
        let options = format!("inspect {file} {KEY} --json --reveal-secrets");
        text(&trousseau(folder.path(), &options).stdout)
    };
    assert_eq!(json("again.xml"), json("batch.xml"));
    assert!(json("again.xml").contains("\"friendly_name\":\"Portail\""), "{}", json("again.xml"));
    let shown = text(&trousseau(folder.path(), &format!("inspect again.xml {KEY}")).stdout);
    for row in [
        "  policy       1 x usages OTP; PIN of 4 characters or more, before the code\n",
        "  policy       1 x 0 transactions\n",
        "  details      1 x friendly name, 1 x response format\n",
    ] {
        assert!(shown.contains(row), "{row}{shown}");
    }
}

#[test]
fn a_key_that_is_only_named_goes_to_pskc_alone_and_extensions_go_with_it() {
    let folder = folder();
    let figure = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/rfc6030/figure4.pskcxml");
    let extension =
        "<Extensions><v:Lot xmlns:v=\"urn:v\">c0ffee</v:Lot></Extensions></KeyContainer>";
    let file = fs::read_to_string(figure).unwrap().replace("</KeyContainer>", extension);
    fs::write(folder.path().join("named.xml"), file).unwrap();
    let export = "--format pskc --out-transport-key-file key.hex --out again.xml";
    let output = trousseau(folder.path(), &format!("export named.xml {export}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let again = fs::read_to_string(folder.path().join("again.xml")).unwrap();
    assert!(again.contains("<KeyReference>MasterKeyLabel</KeyReference>"), "{again}");
    assert!(!again.contains("<Secret>"), "{again}");
    assert!(again.contains("<v:Lot xmlns:v=\"urn:v\">c0ffee</v:Lot></Extensions></KeyContainer>"));
    let output = trousseau(folder.path(), "export named.xml --format csv --out keys.csv");
    refused(&output, &["no secret for it, only the name of one kept elsewhere", "--format pskc"]);
    // Extensions may hold secrets: their names are shown, their content when it is asked for.
    let shown = text(&trousseau(folder.path(), "inspect named.xml --json").stdout);
    assert!(shown.contains("MasterKeyLabel") && !shown.contains("c0ffee"), "{shown}");
}
