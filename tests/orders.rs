//! `trousseau mint --spec`, as its user sees it.

mod common;

use std::fs;
use std::path::Path;

use common::{ok, run};

fn refused(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "{arguments}: something was left");
    String::from_utf8(output.stderr).unwrap()
}

const EXAMPLE: &str = include_str!("../examples/order.toml");

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("order.toml"), EXAMPLE).unwrap();
    folder
}

const MINT: &str = "mint --spec order.toml --new-transport-key k.hex --out b.xml";

#[test]
fn the_example_is_made_as_it_says() {
    let folder = folder();
    let at = folder.path();
    ok(at, &format!("{MINT} --inventory i.sqlite"));
    let text = ok(at, "inspect b.xml --transport-key-file k.hex --json");
    let keys: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(keys.len(), 1552);
    let serial = |at: usize| keys[at]["serial"].as_str().unwrap();
    // A = 10, C = 12, T = 29: the digits of ACT1000001 are 10 12 29 1 000001.
    let check = 98 - 101_229_100_000_100_u128 % 97;
    assert_eq!(serial(0), format!("ACT1000001{check:02}"));
    assert_eq!(&serial(1499)[..10], "ACT1001500");
    assert_eq!(&serial(1500)[..9], "ADM000501");
    assert_eq!((serial(1540), serial(1551)), ("EV0001", "EV0012"));
    let (staff, admin, event) = (&keys[0], &keys[1500], &keys[1551]);
    assert_eq!((staff["period"].as_u64(), staff["digits"].as_u64()), (Some(60), Some(6)));
    assert_eq!((staff["model"].as_str(), admin["model"].as_str()), (Some("C200"), Some("C300")));
    assert_eq!((admin["hash"].as_str(), admin["digits"].as_u64()), (Some("sha256"), Some(8)));
    assert_eq!((event["algorithm"].as_str(), event["counter"].as_u64()), (Some("hotp"), Some(0)));
    for key in &keys {
        assert_eq!(key["manufacturer"], "oath.AC");
        assert_eq!(key["start_date"], "2026-08-31T22:00:00Z");
        assert_eq!(key["expiry_date"], "2031-08-31T22:00:00Z");
    }
    // The inventory has every lot, under the order's own identifier, and its text.
    let shown = ok(at, "inventory show PO-2026-0117 --inventory i.sqlite");
    assert!(shown.contains("EV0001") && shown.contains("ADM000501"), "{shown}");
    assert!(shown.contains("1552"), "{shown}");
    // And gives neither identifier nor serials out again.
    let again = run(
        at,
        &format!(
            "{} --inventory i.sqlite",
            MINT.replace("b.xml", "c.xml").replace("k.hex", "l.hex")
        ),
    );
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("PO-2026-0117"));
    assert!(!at.join("c.xml").exists() && !at.join("l.hex").exists());
}

#[test]
fn options_may_not_say_what_the_order_says() {
    let folder = folder();
    for option in ["--count 5", "--digits 8", "--serial-prefix X", "--model M", "--hash sha1"] {
        let said = refused(folder.path(), &format!("{MINT} {option}"));
        let name = option.split(' ').next().unwrap();
        assert!(said.contains("--spec <FILE>") && said.contains(name), "{said}");
    }
    let said = refused(folder.path(), &format!("{MINT} --batch-id OTHER --inventory i.sqlite"));
    assert!(said.contains("--batch-id is \"OTHER\", but order.toml says id = \"PO-2026-0117\""));
    let said = refused(folder.path(), "mint --new-transport-key k.hex --out b.xml");
    assert!(said.contains("--count <N>"), "{said}");
}

#[test]
fn a_faulty_order_is_shown_with_its_line() {
    let folder = folder();
    let order = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from), "{from}");
        fs::write(folder.path().join("order.toml"), EXAMPLE.replacen(from, to, 1)).unwrap();
        refused(folder.path(), MINT)
    };
    let line = |part: &str| 1 + EXAMPLE.lines().position(|line| line.contains(part)).unwrap();
    let said = order("count = 40", "cuont = 40");
    let place = format!("order.toml:{}:1: unknown field `cuont`", line("count = 40"));
    assert!(said.contains(&place), "{said}");
    assert!(said.contains("help: nothing was made"), "{said}");
    let said = order("\"EV\", width = 4", "\"ADM00050\", first = 15");
    assert!(said.contains("lot 3: ") && said.contains("serials of lot 2"), "{said}");
    let said = order("digits = 8\nperiod", "digits = 12\nperiod");
    assert!(said.contains("lot 2: the number of digits is 12, not 6 to 10"), "{said}");
    let said = order("2031-09-01T00:00:00+02:00", "2025-09-01T00:00:00+02:00");
    assert!(said.contains("is not after the start date"), "{said}");
}
