//! What the program and its documents tell people to type is what it takes: every example of every
//! help text, every command in the documents, and every option that a message or a document names
//! is held against the real declarations.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use trousseau::cli::Cli;

#[test]
fn every_subcommand_has_examples_and_each_parses() {
    let mut cli = Cli::command();
    cli.build();
    let mut faults = Vec::new();
    for command in cli.get_subcommands() {
        let name = command.get_name().to_owned();
        let examples = examples(command);
        let own = |line: &String| line.split_whitespace().nth(1) == Some(&*name);
        if !examples.iter().any(own) {
            faults.push(format!("{name}: its help shows no example of it"));
        }
        faults.extend(examples.iter().filter_map(|line| fault(&name, line)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_command_in_the_documents_parses() {
    let (mut faults, mut found) = (Vec::new(), 0);
    for path in documents() {
        let text = read(&path);
        for line in fenced(&text) {
            for command in commands(&line) {
                found += 1;
                faults.extend(fault(&path.display().to_string(), &command));
            }
        }
    }
    assert!(found > 20, "only {found} commands were found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_option_that_a_document_or_a_message_names_exists() {
    let known = options();
    let mut faults = Vec::new();
    for path in documents() {
        let text = read(&path);
        // Inline code that is an option, or a command of ours.
        for code in text.split('`').skip(1).step_by(2) {
            let first = code.split_whitespace().next().unwrap_or_default();
            if first.starts_with("--") || known.commands.contains(first) || first == "trousseau" {
                unknown(&known, code, &path, &mut faults);
            }
        }
    }
    for path in sources() {
        let ours = |line: &&str| !line.trim_start().starts_with("//") && !line.contains("`cargo ");
        for line in read(&path).lines().filter(ours) {
            unknown(&known, line, &path, &mut faults);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The check itself sees what it looks for.
#[test]
fn a_wrong_example_is_found() {
    assert!(fault("here", "trousseau mint --coumt 5").is_some_and(|fault| fault.contains("coumt")));
    assert!(fault("here", "trousseau mint").is_some());
    let known = options();
    let mut faults = Vec::new();
    let told = "give --new-transport-key or --no-such-option (not --out-…-key, nor a-- b)";
    unknown(&known, told, Path::new("here"), &mut faults);
    assert_eq!(faults, ["here: --no-such-option"]);
    let line = "a=1 trousseau inspect \"a b\" 'c' 3< key | gzip -1 > x; trousseau man /tmp && true";
    assert_eq!(commands(line), ["trousseau inspect \"a b\" 'c'", "trousseau man /tmp"]);
    assert_eq!(words("trousseau inspect \"a b\" 'c'"), ["trousseau", "inspect", "a b", "c"]);
}

/// What is wrong with a command, if anything.
fn fault(place: &str, line: &str) -> Option<String> {
    // A variable of the shell stands for a number in every example.
    let mut words = words(line);
    words.iter_mut().filter(|word| word.starts_with('$')).for_each(|word| *word = "1".into());
    let error = Cli::try_parse_from(words).err()?;
    // Help and version are answers, not faults.
    if !error.use_stderr() {
        return None;
    }
    Some(format!("{place}: {line}\n  {}", error.to_string().trim()))
}

/// The commands of ours in the help of `command` and of what is below it.
fn examples(command: &clap::Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let help: Vec<_> = joined(&help).iter().flat_map(|line| commands(line)).collect();
    help.into_iter().chain(command.get_subcommands().flat_map(examples)).collect()
}

/// Lines with those that end in a backslash joined to the next.
fn joined(text: &str) -> Vec<String> {
    text.replace("\\\n", " ").lines().map(|line| line.trim().to_owned()).collect()
}

/// Lines of the fenced blocks, without prompts; output of commands is not told apart, but does not
/// begin with our name.
fn fenced(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut blocks = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            blocks.push_str(line);
            blocks.push('\n');
        }
    }
    joined(&blocks)
}

/// The commands of ours on a line of shell: without redirections, pipes and what follows.
fn commands(line: &str) -> Vec<String> {
    let line = line.trim_start_matches("$ ");
    let mut found = Vec::new();
    let mut quote = None;
    let (mut begin, mut end) = (0, None);
    let mut take = |begin: usize, end: usize| {
        let mut part = line[begin..end].trim();
        // Variables set before, and what runs the program from its source.
        while part.split_whitespace().next().is_some_and(|word| word.contains('=')) {
            part = part.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
        }
        match part.split_once(" -- ") {
            Some((cargo, rest)) if cargo.starts_with("cargo run") => {
                found.push(format!("trousseau {rest}"));
            }
            _ if part.starts_with("trousseau ") => found.push(part.to_owned()),
            _ => {}
        }
    };
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '<' | '>') => {
                // With the number of the descriptor before it.
                let before = line[begin..at].trim_end_matches(|c: char| c.is_ascii_digit());
                end.get_or_insert(begin + before.len());
            }
            (None, '#') if line[..at].ends_with(' ') => {
                end.get_or_insert(at);
            }
            (None, '|' | ';' | '&') => {
                take(begin, end.take().unwrap_or(at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    take(begin, end.unwrap_or(line.len()));
    found
}

/// The words that a shell makes of `line`.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (None, '"' | '\'') => (quote, begun) = (Some(c), true),
            (Some(open), _) if open == c => quote = None,
            (None, c) if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

struct Known {
    options: BTreeSet<String>,
    commands: BTreeSet<String>,
}

fn options() -> Known {
    fn gather(command: &clap::Command, known: &mut Known) {
        known
            .options
            .extend(command.get_arguments().filter_map(|arg| arg.get_long()).map(str::to_owned));
        for below in command.get_subcommands() {
            known.commands.insert(below.get_name().to_owned());
            gather(below, known);
        }
    }
    let mut cli = Cli::command();
    cli.build();
    let mut known = Known { options: BTreeSet::new(), commands: BTreeSet::new() };
    gather(&cli, &mut known);
    known
}

/// Options in `text` that no command has.
fn unknown(known: &Known, text: &str, path: &Path, faults: &mut Vec<String>) {
    for (at, _) in text.match_indices("--") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '-') {
            continue;
        }
        let rest = &text[at + 2..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-');
        let name = &rest[..end.unwrap_or(rest.len())];
        // `--out-…-key` names several.
        let several = rest[name.len()..].starts_with('…');
        if name.starts_with(|c: char| c.is_ascii_lowercase())
            && !several
            && !known.options.contains(name)
        {
            faults.push(format!("{}: --{name}", path.display()));
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    all.push(root.join("README.md"));
    all.sort();
    all
}

fn sources() -> Vec<PathBuf> {
    let (mut files, mut folders) =
        (Vec::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")]);
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
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
