//! The structure of the house, kept true: imports point down only, without circles; the oracle and
//! the reference server know nothing of each other; nothing prints but `command/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the crate's root and its floor; `DESIGN.md` and `src/lib.rs` tell the reasons.
const FLOORS: &[(u8, &[&str])] = &[
    (7, &["command"]),
    (6, &["audit", "engine", "report"]),
    (5, &["recorder"]),
    (4, &["fleet", "format", "mint", "portal", "pskc"]),
    (3, &["manifest", "scenario", "signature", "target", "token"]),
    (2, &["custody", "inventory", "keystore", "otp", "pkcs11", "radius", "roster"]),
    (
        1,
        &[
            "atomic_file",
            "charset",
            "check_digit",
            "cli",
            "clock",
            "compression",
            "definition",
            "interrupt",
            "leftover",
            "counted",
            "named",
            "secret",
            "seen",
            "serial",
            "spool",
            "terminal",
            "wycheproof",
        ],
    ),
];

#[test]
fn every_module_has_a_floor_and_the_front_page_says_the_same() {
    let lib = read(&source().join("lib.rs"));
    let modules: BTreeSet<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let floors: BTreeMap<&str, u8> = floors();
    assert_eq!(modules, floors.keys().copied().collect(), "src/lib.rs against FLOORS");

    // The list in the documentation of the crate: `//! 2. [`otp`], …`, on one or more lines.
    let mut told = BTreeMap::new();
    let mut floor = None;
    for line in lib.lines().filter_map(|line| line.strip_prefix("//! ")) {
        if let Some((number, _)) = line.split_once(". [") {
            floor = number.parse::<u8>().ok();
        }
        for name in line.split("[`").skip(1).filter_map(|rest| rest.split_once("`]")) {
            let name = name.0.trim_start_matches("mod@");
            told.insert(name, floor.expect("a floor before its modules"));
        }
    }
    for (name, floor) in &told {
        assert_eq!(floors.get(name), Some(floor), "{name} in src/lib.rs");
    }
    // Only what the library does not show has no place in its documentation.
    for name in floors.keys().filter(|name| lib.contains(&format!("\npub mod {name};"))) {
        assert!(told.contains_key(name), "src/lib.rs does not tell the floor of {name}");
    }
}

/// The list in `DESIGN.md`: `2  otp/  radius/`, on one or more lines, in the first fenced block.
#[test]
fn the_floors_of_the_design_are_those_of_the_source() {
    let design = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("DESIGN.md"));
    let block = design.split("```").nth(1).unwrap();
    let (mut told, mut floor) = (BTreeMap::new(), 0);
    // After four blanks there is prose.
    let words =
        block.lines().flat_map(|line| line.split("    ").next().unwrap().split_whitespace());
    for word in words {
        match word.parse::<u8>() {
            Ok(number) => floor = number,
            Err(_) => drop(told.insert(word.trim_end_matches('/'), floor)),
        }
    }
    told.remove("main");
    let mut floors = floors();
    // For the tests alone.
    floors.remove("wycheproof");
    assert_eq!(told, floors, "DESIGN.md against FLOORS");
}

#[test]
fn imports_point_down_only_and_never_in_a_circle() {
    let floors = floors();
    let mut wrong = Vec::new();
    let mut below: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Import { place, from, to } in imports() {
        let (Some(upper), Some(lower)) = (floors.get(&*from), floors.get(&*to)) else {
            wrong.push(format!("{place}: {from} -> {to}: not a module of FLOORS"));
            continue;
        };
        if lower > upper {
            wrong.push(format!("{place}: {from} (floor {upper}) -> {to} (floor {lower}): upward"));
        }
        if from == "cli" {
            wrong.push(format!("{place}: cli imports {to}: it imports nothing of ours"));
        }
        if ["fleet", "portal"].contains(&&*from) && ["fleet", "portal"].contains(&&*to) {
            wrong.push(format!("{place}: {from} -> {to}: shared code hides one bug in both"));
        }
        below.entry(from).or_default().insert(to);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(below.len() > 15, "the imports were found: {below:?}");

    // On one floor, too: take away what stands on nothing until nothing is left.
    while let Some(free) = {
        let stands = |name: &String| below.contains_key(name);
        below.iter().find(|(_, on)| !on.iter().any(stands)).map(|(name, _)| name.clone())
    } {
        below.remove(&free);
    }
    assert!(below.is_empty(), "modules in a circle, or above one: {below:?}");
}

#[test]
fn the_library_neither_prints_nor_ends_the_process() {
    let mut wrong = Vec::new();
    for file in files() {
        let module = module_of(&file);
        let allowed = module == "command" && file.ends_with("words.rs");
        for (number, line) in code(&read(&file)) {
            for word in
                ["println!(", "print!(", "eprintln!(", "eprint!(", "dbg!(", "process::exit("]
            {
                // `println!` is the end of `eprintln!`: only whole words count.
                let found = line.find(word).is_some_and(|at| {
                    !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
                });
                if found && !allowed {
                    wrong.push(format!("{}:{number}: {word}", file.display()));
                }
            }
            for word in ["io::stdout", "io::stderr", "use clap"] {
                if line.contains(word) && !["command", "cli", "terminal"].contains(&&*module) {
                    wrong.push(format!("{}:{number}: {word}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "only command/ prints, by `say!`:\n{}", wrong.join("\n"));
}

/// The check itself sees what it looks for.
#[test]
fn imports_of_every_spelling_are_found() {
    let text = "use crate::clock::Clock;\n\
                pub(crate) use crate::{otp, token::{Algorithm, Token}, secret};\n\
                fn f() { crate::audit::g(); }\n\
                // crate::report in a comment, and in_crate::engine\n\
                pub(in crate::portal) fn g() {}\n\
                use crate::{\n    pskc::Reader,\n    mint,\n};\n";
    let found: Vec<_> = targets(text).into_iter().map(|(_, to)| to).collect();
    let expected = ["clock", "otp", "token", "secret", "audit", "portal", "pskc", "mint"];
    assert_eq!(found, expected);
}

struct Import {
    place: String,
    from: String,
    to: String,
}

fn imports() -> Vec<Import> {
    let mut all = Vec::new();
    for file in files() {
        let from = module_of(&file);
        for (line, to) in targets(&read(&file)) {
            if from != to && !["lib", "main"].contains(&&*from) {
                let place = format!("{}:{line}", file.display());
                all.push(Import { place, from: from.clone(), to });
            }
        }
    }
    all
}

/// Modules of the root that `text` names by `crate::…`, with the line of each.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // With comments gone but lines kept.
    let clean: String = text.lines().map(|line| format!("{}\n", uncommented(line))).collect();
    for (at, _) in clean.match_indices("crate::") {
        if clean[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let line = clean[..at].matches('\n').count() + 1;
        let rest = &clean[at + "crate::".len()..];
        let mut add = |name: &str| {
            let name: String =
                name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                found.push((line, name));
            }
        };
        match rest.strip_prefix('{') {
            None => add(rest),
            Some(group) => {
                let (mut depth, mut begin) = (0, 0);
                for (at, c) in group.char_indices() {
                    match c {
                        ',' if depth == 0 => {
                            add(&group[begin..at]);
                            begin = at + 1;
                        }
                        '{' => depth += 1,
                        '}' if depth == 0 => {
                            add(&group[begin..at]);
                            break;
                        }
                        '}' => depth -= 1,
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

/// Lines of `text` before its tests, numbered, without comments.
fn code(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    lines.enumerate().map(|(index, line)| (index + 1, uncommented(line).to_owned())).collect()
}

fn uncommented(line: &str) -> &str {
    match line.find("//") {
        // Not the one of an address.
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    }
}

fn floors() -> BTreeMap<&'static str, u8> {
    FLOORS.iter().flat_map(|(floor, names)| names.iter().map(|name| (*name, *floor))).collect()
}

/// `src/pskc/reader/mod.rs` and `src/pskc.rs` are of `pskc`.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(source()).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files() -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![source()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 100);
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
