//! docs/scenarios.md is true: it names every key that a scenario has and no other, its example is
//! one, its `--set` paths are taken, and its roster is one.

use std::collections::BTreeSet;

use trousseau::definition::{Definition, Origin};
use trousseau::roster::Roster;
use trousseau::scenario::{SCENARIOS, Scenario};

const PAGE: &str = include_str!("../docs/scenarios.md");

fn load(text: &str, settings: &[String]) -> Result<Scenario, String> {
    let (name, file, text) = ("small".into(), "small.toml".into(), text.into());
    let definition = Definition { name, file, text, origin: Origin::Embedded };
    Scenario::load(&definition, settings).map_err(|error| error.to_string())
}

/// The fenced block of this kind.
fn block(kind: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{kind}\n")).unwrap();
    rest.split("```").next().unwrap()
}

/// Keys in the first column of the table of keys.
fn told() -> BTreeSet<String> {
    let (_, section) = PAGE.split_once("## Keys\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The keys that reading would take in `table`, as its refusal of another lists them.
fn known(table: &str) -> BTreeSet<String> {
    let text = block("toml");
    let header = format!("[{table}]\n");
    let text = text.replace(&header, &format!("{header}no-such-key = 1\n"));
    let error = load(&text, &[]).unwrap_err();
    let (_, list) = error.split_once("expected ").unwrap();
    let list = list.lines().next().unwrap();
    list.split('`').skip(1).step_by(2).map(|key| format!("{table}.{key}")).collect()
}

#[test]
fn the_page_names_every_key_and_no_other() {
    let tables = ["scenario", "arrivals", "people", "keys", "logins", "thresholds", "example"];
    let known: BTreeSet<String> = tables.iter().flat_map(|table| known(table)).collect();
    assert!(known.len() > 25, "{known:?}");
    assert_eq!(told(), known);
    // No table beside these.
    let error = load(&format!("{}\n[no-such-table]\n", block("toml")), &[]).unwrap_err();
    for table in tables {
        assert!(error.contains(&format!("`{table}`")), "{error}");
    }
    assert_eq!(
        error.split_once("expected ").unwrap().1.lines().next().unwrap().matches('`').count(),
        14
    );
}

#[test]
fn its_example_is_a_scenario_with_every_key() {
    let text = block("toml");
    load(text, &[]).unwrap().check_example().unwrap();
    let table: toml::Table = text.parse().unwrap();
    let keys = table.iter().flat_map(|(name, inside)| {
        inside.as_table().unwrap().keys().map(move |key| format!("{name}.{key}"))
    });
    assert_eq!(keys.collect::<BTreeSet<_>>(), told());
}

#[test]
fn its_paths_are_taken_by_a_scenario_of_the_program() {
    let (_, section) = PAGE.split_once("## `--set`").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let paths = section
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains('=') && !code.starts_with("--"));
    let paths: Vec<String> = paths.map(str::to_owned).collect();
    assert!(paths.len() >= 5, "{paths:?}");
    for path in paths {
        // Of the page's own example, and of those in the program, some have each form.
        let own = load(block("toml"), std::slice::from_ref(&path));
        let rentree = SCENARIOS.find("rentree").unwrap();
        let theirs = Scenario::load(&rentree, std::slice::from_ref(&path));
        assert!(own.is_ok() || theirs.is_ok(), "{path}: {own:?}");
    }
}

#[test]
fn its_roster_is_one() {
    let roster = Roster::from_reader("users.csv", block("csv").as_bytes()).unwrap();
    let pins: Vec<bool> = roster.people.iter().map(|person| person.pin.is_some()).collect();
    assert_eq!(pins, [false, true]);
    assert_eq!(roster.people[0].fields["upn"], "alice@contoso.example");
}
