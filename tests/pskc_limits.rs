//! Files that ask for more than a genuine one does: refused with the limit, its value, and the
//! option that raises it; read when it is raised. Each runs in 256 MiB of address space.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::text;

/// Runs the program in 256 MiB of address space.
fn trousseau(folder: &Path, args: &str) -> Output {
    Command::new("sh")
        .args(["-c", "ulimit -v 262144; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_trousseau")])
        .args(args.split(' '))
        .current_dir(folder)
        .output()
        .unwrap()
}

/// A file with one key: `head` before the packages, and its secret.
fn file(head: &str, secret: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<KeyContainer Version=\"1.0\" \
         xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
         xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
         xmlns:xenc11=\"http://www.w3.org/2009/xmlenc11#\">\n{head}<KeyPackage>\
         <Key Id=\"A1\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:hotp\"><Data><Secret>\
         <PlainValue>{secret}</PlainValue></Secret></Data></Key></KeyPackage></KeyContainer>"
    )
}

const SECRET: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";

/// A file with something in it that no reader looks at.
fn ignored(inside: &str) -> String {
    let head = format!("<EncryptionKey><x xmlns=\"urn:x\">{inside}</x></EncryptionKey>\n");
    file(&head, SECRET)
}

/// A file of 2007.
fn old(inside: &str) -> String {
    format!(
        "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:container\">{inside}</KeyContainer>"
    )
}

fn nested(count: usize) -> String {
    ignored(&("<a>".repeat(count) + &"</a>".repeat(count)))
}

fn attributes(count: usize) -> String {
    let list = (0..count).fold(String::new(), |mut list, number| {
        write!(list, " a{number}='{number}'").unwrap();
        list
    });
    ignored(&format!("<a{list}/>"))
}

/// Namespaces, 20 on each of `count` elements within each other.
fn namespaces(count: usize) -> String {
    let mut open = String::new();
    for level in 0..count {
        open += "<a";
        for number in 0..20 {
            write!(open, " xmlns:n{level}x{number}='urn:x'").unwrap();
        }
        open += ">";
    }
    ignored(&(open + &"</a>".repeat(count)))
}

fn pbkdf2(salt: usize, iterations: u64) -> String {
    let salt = data_encoding::BASE64.encode(&vec![7; salt]);
    let head = format!(
        "<EncryptionKey><xenc11:DerivedKey><xenc11:KeyDerivationMethod \
         Algorithm=\"http://www.w3.org/2009/xmlenc11#pbkdf2\"><xenc11:PBKDF2-params>\
         <Salt><Specified>{salt}</Specified></Salt><IterationCount>{iterations}</IterationCount>\
         <KeyLength>16</KeyLength></xenc11:PBKDF2-params></xenc11:KeyDerivationMethod>\
         </xenc11:DerivedKey></EncryptionKey>\n"
    );
    file(&head, SECRET)
}

fn recipients(count: usize) -> String {
    let one = "<xenc:EncryptedKey>\
               <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>\
               <xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData>\
               </xenc:EncryptedKey>";
    file(&format!("<EncryptionKey>{}</EncryptionKey>", one.repeat(count)), SECRET)
}

/// Limit, value, what a file beyond it is told, the file, and a value with which it is read.
fn beyond() -> Vec<(&'static str, u64, &'static str, String, u64)> {
    let long = "x".repeat(100_000);
    let blank = " \n".repeat(50_000);
    let base64 = data_encoding::BASE64.encode(&[65; 3000]);
    let (text, what) = ("text", "the length of a text, tag or comment, in bytes,");
    vec![
        ("depth", 32, "the depth of elements", nested(40), 50),
        ("attributes", 64, "the number of attributes", attributes(65), 65),
        ("namespaces", 64, "the number of namespaces in force", namespaces(4), 100),
        (text, 65536, what, ignored(&long), 100_000),
        (text, 65536, what, ignored(&format!("<![CDATA[{long}]]>")), 100_012),
        (text, 65536, what, ignored(&format!("<!--{long}-->")), 100_007),
        (text, 65536, what, ignored(&format!("<?x {long}?>")), 100_010),
        (text, 65536, what, ignored(&format!("<a b=\"{long}\"/>")), 100_100),
        (text, 65536, what, ignored(&format!("<a>{blank}</a>")), 100_000),
        (text, 65536, what, file(&blank, SECRET), 100_001),
        (text, 65536, what, file("", &SECRET.replacen('M', &format!("M{blank}"), 1)), 200_000),
        // In pieces that are short enough each.
        (text, 65536, what, file("", &format!("{}{SECRET}", "  <!---->".repeat(40_000))), 80_100),
        ("secret", 1024, "the length of a secret, in bytes,", file("", &base64), 3000),
        ("iterations", 1_500_000, "IterationCount", pbkdf2(8, 1_500_001), 1_500_001),
        ("salt", 1024, "the length of the salt, in bytes,", pbkdf2(1025, 1000), 1025),
        ("recipients", 64, "the number of recipients", recipients(65), 65),
    ]
}

#[test]
fn what_exceeds_a_limit_is_refused_with_its_name_and_read_when_it_is_raised() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, what, content, raised) in beyond() {
        fs::write(folder.path().join("file.xml"), &content).unwrap();
        let output = trousseau(folder.path(), "inspect file.xml");
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {error}");
        assert!(error.contains("error: file.xml: line "), "{error}");
        assert!(error.contains(&format!("{what} exceeds the limit of {value}\n")), "{error}");
        assert!(error.contains(&format!("--limit {name}=N reads it")), "{error}");
        assert!(output.stdout.is_empty(), "{name}");

        let output = trousseau(folder.path(), &format!("inspect file.xml --limit {name}={raised}"));
        let error = text(&output.stderr);
        assert!(output.status.success(), "{name}={raised}: {error}");
        let summary = text(&output.stdout);
        assert!(summary.starts_with("file.xml: 1 key"), "{name}: {summary}");
    }
}

#[test]
fn every_command_that_reads_a_batch_has_the_option() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file.xml"), attributes(65)).unwrap();
    let export = "export file.xml --format csv --out list.csv";
    let refused = trousseau(folder.path(), export);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!folder.path().join("list.csv").exists(), "half an export");
    let output = trousseau(folder.path(), &format!("{export} --limit attributes=65"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    for command in ["code", "serve", "simulate", "doctor", "targets probe", "inspect", "export"] {
        let help = text(&trousseau(folder.path(), &format!("{command} --help")).stdout);
        assert!(help.contains("--limit <NAME=VALUE>"), "{command}");
    }
    assert!(!text(&trousseau(folder.path(), "mint --help").stdout).contains("--limit"));
}

#[test]
fn a_limit_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file.xml"), ignored("")).unwrap();
    for (option, message) in [
        ("width=3", "--limit: there is no limit \"width\""),
        ("depth", "--limit: \"depth\" is not NAME=VALUE"),
        ("text=99999999999", "--limit: the limit text is a number from 1 to 16777216"),
    ] {
        let output = trousseau(folder.path(), &format!("inspect file.xml --limit {option}"));
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(message) && error.contains("the limits are depth, "), "{error}");
    }
}

/// Hostile in other ways: much of something that has no limit, or far beyond one. With every limit
/// at its highest, memory still suffices.
#[test]
fn hostile_files_need_no_more_memory_than_others() {
    let folder = tempfile::tempdir().unwrap();
    let most = "--limit depth=100000 --limit attributes=1024 --limit namespaces=1024 \
                --limit text=16777216 --limit secret=65536 --limit salt=65536 --limit recipients=1024";
    let split = format!("M{}{}", "<!-- c -->".repeat(300_000), &SECRET[1..]);
    for (content, options, expected) in [
        // A comment never ends a value.
        (file("", &split), "", Ok(())),
        (nested(1_000_000), "", Err("the depth of elements")),
        (nested(1_000_000), most, Err("the depth of elements")),
        (nested(90_000), most, Ok(())),
        (ignored(&"<a/>".repeat(1_000_000)), "", Ok(())),
        (namespaces(2000), most, Err("the number of namespaces")),
        (recipients(20_000), most, Err("the number of recipients")),
        (ignored(&"x".repeat(60_000_000)), most, Err("the length of a text")),
        (ignored(&format!("<!--{}", "x".repeat(60_000_000))), most, Err("the length of a text")),
        // Long names within each other.
        (
            ignored(&format!("<{}>", "n".repeat(60_000)).repeat(500)),
            "",
            Err("the length of a text"),
        ),
        (
            pbkdf2(8, 1000).replace(
                "<IterationCount>",
                &format!("{}<IterationCount>", "<Salt/>".repeat(300_000)),
            ),
            "",
            Ok(()),
        ),
        // Uses of a key.
        (
            file("", SECRET).replace(
                "</Key>",
                &format!("<Policy>{}</Policy></Key>", "<KeyUsage/>".repeat(1_000_000)),
            ),
            "",
            Ok(()),
        ),
        (
            file("", SECRET).replace(
                "</Key>",
                &(0..100_000).fold("<Policy>".to_owned(), |mut uses, number| {
                    write!(uses, "<KeyUsage>u{number}</KeyUsage>").unwrap();
                    uses
                }),
            ),
            "",
            Err("KeyUsage, of 64 kinds, appears twice"),
        ),
        // Older files, of which more is kept at a time: in the head, of a device, of a key.
        (
            old(&format!(
                "<EncryptionMethod algorithm=\"PBE-AES128-CBC\">{}</EncryptionMethod>",
                "<PBESalt>AAAA</PBESalt>".repeat(300_000)
            )),
            "",
            Err("Specified appears twice"),
        ),
        (
            old(&format!("<Device><DeviceId>{}", "<Model>m</Model>".repeat(300_000))),
            "",
            Err("Model appears twice"),
        ),
        (
            old(&format!(
                "<Device><DeviceId><Model>{}</Model></DeviceId></Device>",
                "m".repeat(20_000)
            )),
            "",
            Err("DeviceInfo is not at most 16384 bytes of text"),
        ),
        (
            old(&format!(
                "<Device><Key>{}",
                "<StartDate>2006-05-01T00:00:00Z</StartDate>".repeat(300_000)
            )),
            "",
            Err("StartDate appears twice"),
        ),
        (
            old(&format!(
                "<Device><Key KeyId='a'>{}<Data Name='SECRET'><Value>{SECRET}</Value></Data></Key>\
                 </Device>",
                "<Usage OTP='true' CR='true' Unlock='true'/>".repeat(300_000)
            )),
            "",
            Ok(()),
        ),
        (
            old(&format!(
                "<Device><DeviceId><Model>{}</Model></DeviceId>{}</Device>",
                "m".repeat(16_000),
                (0..5_000).fold(String::new(), |mut keys, number| {
                    write!(
                        keys,
                        "<Key KeyId='k{number}'><Data Name='SECRET'><Value>{SECRET}</Value></Data></Key>"
                    )
                    .unwrap();
                    keys
                })
            )),
            "",
            Ok(()),
        ),
    ] {
        fs::write(folder.path().join("file.xml"), &content).unwrap();
        let output = trousseau(folder.path(), format!("inspect file.xml {options}").trim_end());
        let error = text(&output.stderr);
        match expected {
            Ok(()) => assert!(output.status.success(), "{error}"),
            Err(what) => {
                assert_eq!(output.status.code(), Some(2), "{error}");
                assert!(error.contains(what), "no {what:?} in {error}");
            }
        }
    }
}
