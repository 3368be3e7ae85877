//! `trousseau inspect`: a summary for people, or one JSON object per key for programs.

use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use super::dates::Dates;
use super::{Context, Exit, Failure, Outcome, batch, details, keys, progress, signed, summary};
use crate::cli::InspectArgs;
use crate::counted::counted;
use crate::interrupt::Interrupt;
use crate::keystore::BatchKey;
use crate::manifest::{Listed, Manifest, ManifestError};
use crate::pskc::{Dialect, Options, Protection, Reader, Summary};
use crate::seen::Seen;
use crate::terminal::{printable, printable_json, printable_lines};
use crate::token::{Algorithm, Token, date_text};

type Input = Reader<Box<dyn Read>>;

pub(super) fn run(args: &InspectArgs, context: &Context) -> Result<Outcome, Failure> {
    if let Some(path) = &args.manifest {
        return set(path, args, &context.interrupt);
    }
    if args.json {
        progress::data_on_stdout();
    }
    let key = keys::resolve(&args.key)?;
    let options = Options { locked: key.is_none(), ..keys::options(&args.key)? };
    let (input, check) = signed::open(file(args), &args.key, true, &context.interrupt)?;
    let reader = Reader::new(input, key.as_ref(), options);
    let mut reader = reader.map_err(|error| batch::failure(file(args), &error))?;
    let mut facts = Facts::default();
    let result = match args.json {
        true => json(args, &mut reader, &mut facts),
        false => read(&mut reader, file(args), |token, reader| facts.add(&token, reader)),
    };
    warn(file(args), reader.summary(), &facts, args.json);
    result?;
    let outcome = check.finish(reader.summary().signed)?;
    signed::warn(&batch::name(file(args)), &outcome);
    signed::warn_of_forgers(&batch::name(file(args)), reader.summary(), &outcome);
    let signature = signed::describe(&outcome);
    match (args.json, signature) {
        (false, signature) => {
            let integrity = integrity(reader.summary(), key.as_ref(), signed::is_trusted(&outcome));
            print(&batch::name(file(args)), reader.summary(), &facts, &integrity, signature)?;
        }
        (true, Some(signature)) => say!("note: {}: signature {signature}", batch::name(file(args))),
        (true, None) => {}
    }
    Ok(Outcome::Done)
}

/// The batch; clap asked for it unless there is a manifest.
fn file(args: &InspectArgs) -> &Path {
    args.file.as_deref().unwrap_or(Path::new("-"))
}

/// Holds a set of files against its manifest.
fn set(path: &Path, args: &InspectArgs, interrupt: &Interrupt) -> Result<Outcome, Failure> {
    let (content, signature) = signed::manifest(path, &args.key, interrupt)?;
    let manifest = Manifest::from_slice(&path.display().to_string(), &content)?;
    manifest.verify(path, interrupt, &progress::file)?;
    if args.json {
        summary::set(path, &manifest, signature.as_deref())?;
        return Ok(Outcome::Done);
    }
    let name = path.display();
    let mut text = format!(
        "{name}: {} with {} ({}), all as listed\n",
        counted(manifest.files.len(), "file", "files"),
        counted(manifest.keys, "key", "keys"),
        clean(&manifest.content)
    );
    if let Some(signature) = signature {
        text.push_str(&format!("  signature {signature}\n"));
    }
    for Listed { name, keys, first_serial, last_serial, .. } in &manifest.files {
        let keys = counted(*keys, "key", "keys");
        let line = format!("{name}: {keys}, {first_serial} to {last_serial}");
        text.push_str(&format!("  {}\n", clean(&line)));
    }
    show(&text)?;
    Ok(Outcome::Done)
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        match &error {
            ManifestError::Read { file, source } => Self::unreadable(file, source),
            _ => Self::bad_input(&error).hint(error.hint()),
        }
    }
}

/// Reads the batch to its end, or to the first fault.
fn read(
    reader: &mut Input,
    file: &Path,
    mut each: impl FnMut(Token, &Input) -> Result<(), Failure>,
) -> Result<(), Failure> {
    while let Some(token) = reader.next() {
        each(token.map_err(|error| batch::failure(file, &error))?, reader)?;
    }
    Ok(())
}

/// One key as `--json` shows it.
#[derive(Serialize)]
struct Line<'a> {
    serial: &'a str,
    key_id: &'a str,
    algorithm: &'a str,
    hash: &'a str,
    digits: u8,
    period: Option<u32>,
    counter: Option<u64>,
    manufacturer: Option<&'a str>,
    model: Option<&'a str>,
    user: Option<&'a str>,
    start_date: Option<String>,
    expiry_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<serde_json::Value>,
    /// Only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

fn json(args: &InspectArgs, reader: &mut Input, facts: &mut Facts) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let mut line = Zeroizing::new(Vec::new());
    let result =
        read(reader, file(args), |token, reader| {
            facts.add(&token, reader)?;
            if args.reveal_secrets && reader.summary().locked > 0 {
                let file = batch::name(file(args));
                return Err(Failure::bad_input(format!(
                "{file}: key {}: its secret is encrypted, and no key was given to reveal it with",
                clean(token.serial.as_str())
            ))
            .hint("give the key (--transport-key-file, --passphrase-file or --private-key-file), \
                   or leave out --reveal-secrets"));
            }
            let secret =
                (args.reveal_secrets && !token.secret.is_empty()).then(|| token.secret.to_hex());
            let shown = Line {
                serial: token.serial.as_str(),
                key_id: &token.key_id,
                algorithm: token.algorithm.name(),
                hash: token.hash.name(),
                digits: token.digits,
                secret: secret.as_ref().map(|hex| hex.as_str()),
                period: (token.algorithm == Algorithm::Totp).then_some(token.period),
                counter: (token.algorithm != Algorithm::Totp).then_some(token.counter),
                manufacturer: token.manufacturer.as_deref(),
                model: token.model.as_deref(),
                user: token.user.as_deref(),
                start_date: token.start_date.map(date_text),
                expiry_date: token.expiry_date.map(date_text),
                details: (token.details.as_deref())
                    .map(|details| details::shown(details, args.reveal_secrets)),
            };
            line.clear();
            serde_json::to_writer(&mut *line, &shown).map_err(|error| unwritable(&error.into()))?;
            printable_json(&mut line);
            line.push(b'\n');
            out.write_all(&line).map_err(|error| unwritable(&error))
        });
    // What was verified before a fault is shown all the same; the exit code tells of the fault.
    out.flush().map_err(|error| unwritable(&error))?;
    result
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new(Exit::Io, format!("cannot write standard output: {error}"))
        .hint("check where it is redirected to")
}

/// What the summary shows beside the reader's own.
#[derive(Default)]
struct Facts {
    /// Kinds of key, with how many there are; at most [`Facts::KINDS`].
    kinds: Vec<(String, u64)>,
    other_kinds: u64,
    first: Option<String>,
    last: Option<String>,
    details: details::Tally,
    start: Dates,
    expiry: Dates,
    serials: Seen,
    shared_serials: u64,
    /// The first few of these, each with the line where its key ends.
    shared: Vec<(String, u64)>,
}

impl Facts {
    /// Kinds listed: a genuine batch has one or two.
    const KINDS: usize = 20;
    /// Shared serial numbers listed.
    const SHARED: usize = 5;

    fn add(&mut self, token: &Token, reader: &Input) -> Result<(), Failure> {
        let same = self.kinds.last().is_some_and(|(kind, _)| *kind == kind_of(token));
        let kind = match same {
            true => self.kinds.last_mut(),
            false => self.kind(token),
        };
        match kind {
            Some((_, count)) => *count += 1,
            None => self.other_kinds += 1,
        }
        self.details.add(token);
        self.start.add(token.start_date);
        self.expiry.add(token.expiry_date);
        let serial = token.serial.as_str();
        if self.first.is_none() {
            self.first = Some(serial.into());
        }
        let last = self.last.get_or_insert_default();
        last.clear();
        last.push_str(serial);
        if !self.serials.insert(serial) {
            self.shared_serials += 1;
            if self.shared.len() < Self::SHARED {
                self.shared.push((clean(serial), reader.line()));
            }
        }
        Ok(())
    }

    fn kind(&mut self, token: &Token) -> Option<&mut (String, u64)> {
        let kind = kind_of(token);
        let at = self.kinds.iter().position(|(known, _)| *known == kind);
        let at = match at {
            Some(at) => at,
            None if self.kinds.len() < Self::KINDS => {
                self.kinds.push((kind, 0));
                self.kinds.len() - 1
            }
            None => return None,
        };
        self.kinds.get_mut(at)
    }
}

fn kind_of(token: &Token) -> String {
    let Token { hash, digits, .. } = token;
    match &token.algorithm {
        Algorithm::Totp => format!("totp, {hash}, {digits} digits, {} s", token.period),
        Algorithm::Hotp => format!("hotp, {hash}, {digits} digits"),
        Algorithm::Other(name) if name.is_empty() => "no algorithm given".into(),
        Algorithm::Other(name) => {
            if let Some(carried) = token.carried().filter(|carried| carried != name) {
                return format!("{carried}, carried only");
            }
            let suite = token.details.as_deref().and_then(|it| it.parameters.suite.as_deref());
            let suite = suite.map(|suite| format!(" {}", clean(suite))).unwrap_or_default();
            match token.algorithm.title() {
                Some(title) => format!("{}{suite} ({}), carried only", clean(title), clean(name)),
                None => format!("{}{suite}, carried only", clean(name)),
            }
        }
    }
}

fn print(
    name: &str,
    summary: &Summary,
    facts: &Facts,
    integrity: &str,
    signature: Option<String>,
) -> Result<(), Failure> {
    let mut text = format!("{name}: {}\n", counted(summary.keys, "key", "keys"));
    let mut row = |label: &str, value: &str| text.push_str(&format!("  {label:<12} {value}\n"));
    if summary.dialect != Dialect::Rfc6030 {
        row("format", &summary.dialect.to_string());
    }
    row("encryption", &encryption(summary));
    row("integrity", integrity);
    for (kind, count) in &facts.kinds {
        row("algorithm", &format!("{count} x {kind}"));
    }
    if facts.other_kinds > 0 {
        row("algorithm", &format!("{} of further kinds", facts.other_kinds));
    }
    for (label, words) in facts.details.rows() {
        row(label, &words);
    }
    for (label, dates) in [("start", &facts.start), ("expiry", &facts.expiry)] {
        if let Some(words) = dates.words(summary.keys) {
            row(label, &words);
        }
    }
    if let (Some(first), Some(last)) = (&facts.first, &facts.last) {
        row("serials", &format!("{first} (first) to {last} (last)"));
    }
    if summary.references > 0 {
        let secrets = counted(summary.references, "is", "are");
        row("secrets", &format!("{secrets} kept elsewhere (KeyReference)"));
    }
    if let Some(signature) = signature {
        row("signature", &signature);
    }
    show(&text)
}

/// Words of a file among ours, on standard output.
fn show(text: &str) -> Result<(), Failure> {
    let written = io::stdout().write_all(printable_lines(text).as_bytes());
    written.map_err(|error| unwritable(&error))
}

fn encryption(summary: &Summary) -> String {
    let how = match &summary.protection {
        Protection::TransportKey(Some(name)) => format!(" under the transport key {name:?}"),
        Protection::TransportKey(None) => " under a transport key".into(),
        Protection::Passphrase { prf, iterations, .. } => {
            format!(" under a passphrase (PBKDF2, {prf}, {iterations} iterations)")
        }
        Protection::WrappedKey(Some(name)) => {
            format!(" under a key of its own, wrapped under the transport key {name:?}")
        }
        Protection::WrappedKey(None) => {
            " under a key of its own, wrapped under a transport key".into()
        }
        Protection::Certificate => " under a certificate (X.509)".into(),
        _ => String::new(),
    };
    match (summary.cipher, summary.in_clear) {
        (None, 0) => format!("no encrypted value was met{how}"),
        (None, _) => "none: the secrets are in clear".into(),
        (Some(cipher), 0) => format!("{cipher}{how}"),
        (Some(cipher), clear) => {
            let clear = counted(clear, "secret is", "secrets are");
            format!("{cipher}{how}; {clear} in clear")
        }
    }
}

/// `trusted`: whether a signature says who made the file.
fn integrity(summary: &Summary, key: Option<&BatchKey>, trusted: bool) -> String {
    let by = summary.mac.unwrap_or("the cipher itself");
    let (verified, but) = match summary.is_open_to_forgers() && !trusted {
        true => ("whole", ", but anybody who has the certificate can make it"),
        false => ("verified", ""),
    };
    let unchecked = summary.unauthenticated + summary.in_clear;
    match key {
        _ if summary.verified + unchecked + summary.locked == 0 => "nothing to verify".into(),
        None if summary.locked > 0 => "not verified: no key was given".into(),
        _ if unchecked == 0 => format!("{verified} ({by}){but}"),
        _ if summary.verified == 0 => "not verified: nothing in the file vouches for it".into(),
        _ => format!("{verified} ({by}) for {}, not for {unchecked}{but}", summary.verified),
    }
}

fn warn(file: &Path, summary: &Summary, facts: &Facts, json: bool) {
    let name = batch::name(file);
    if summary.unauthenticated > 0 {
        let secrets = counted(summary.unauthenticated, "secret was", "secrets were");
        say!("warning: {name}: {secrets} read without any check of their integrity");
    }
    if json && summary.locked > 0 {
        say!("warning: {name}: integrity not verified, as no key was given");
    }
    if facts.shared_serials > 0 {
        let keys = counted(facts.shared_serials, "key shares", "keys share");
        let mut places: Vec<String> =
            facts.shared.iter().map(|(serial, line)| format!("{serial} (line {line})")).collect();
        if facts.shared_serials > facts.shared.len() as u64 {
            places.push("…".into());
        }
        say!("warning: {name}: {keys} the serial number of another: {}", places.join(", "));
    }
}

/// Text of a file, fit for a terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().take(200).map(printable).collect()
}
