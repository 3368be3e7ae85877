//! Keys in, import file out: joined with the roster, checked, written; all faults together.
//!
//! The caller writes into a place that disappears when this fails (a temporary file, memory), so
//! that one key the server cannot take means no file at all.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use zeroize::Zeroizing;

use super::compile::{Body, Format};
use super::field::{Field, Record};
use super::limits::Uniques;
use super::loss::Losses;
use crate::counted::counted;
use crate::manifest::{Part, Split};
use crate::roster::{Person, Roster};
use crate::secret::veil;
use crate::seen::Seen;
use crate::token::Token;

/// How many faults are listed.
const LISTED: usize = 20;

/// What the user decided about one export.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions<'a> {
    /// Who holds which key.
    pub roster: Option<&'a Roster>,
    /// Values of the definition's settings.
    pub settings: BTreeMap<String, String>,
    /// Write even where the file cannot carry a fact that decides codes.
    pub allow_loss: bool,
    /// Leave out the keys that nobody holds.
    pub assigned_only: bool,
    /// How large each file may be.
    pub split: Split,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Keys in the file.
    pub keys: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Keys left out because nobody holds them.
    pub unassigned: u64,
    /// What a person must know: facts chosen by hand, facts left out, losses allowed.
    pub notes: Vec<String>,
}

/// Why there is no import file. `E` is how reading the keys failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError<E> {
    /// The keys could not be read.
    #[error("the keys cannot be read")]
    Input(E),
    /// The file could not be written.
    #[error("cannot write: {0}")]
    Write(io::Error),
    /// The settings are not those of the definition.
    #[error("{0}")]
    Settings(String),
    /// The format cannot express what was given: every fault, up to a number.
    #[error("{}", list(.format, .faults, *.unlisted))]
    Faults {
        /// Name of the format.
        format: String,
        /// The first faults, each with its serial, or with the roster's line.
        faults: Vec<String>,
        /// How many more there are.
        unlisted: u64,
        /// Whether losing facts is all that is wrong: `--allow-loss` would write the file.
        only_losses: bool,
    },
    /// The format is no text: it is written by whoever asks [`super::join()`] for the keys.
    #[error("the format {0} is written by the PSKC writer")]
    NotText(String),
}

impl<E> ExportError<E> {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Faults { only_losses: true, .. } => Some(
                "export to a format that carries it, or pass --allow-loss if the server is told \
                 by other means",
            ),
            Self::Faults { .. } => Some(
                "nothing was written; leave those keys out, correct the roster, or choose another \
                 format (`trousseau formats list`)",
            ),
            Self::Settings(_) => Some("`trousseau formats show NAME` prints the settings"),
            Self::Write(_) => Some("free some space, or write elsewhere"),
            Self::Input(_) | Self::NotText(_) => None,
        }
    }
}

fn list(format: &str, faults: &[String], unlisted: u64) -> String {
    let total = faults.len() as u64 + unlisted;
    let mut out = format!("{format}: {}; nothing was written", counted(total, "fault", "faults"));
    for fault in faults {
        out.push_str("\n  ");
        out.push_str(fault);
    }
    if unlisted > 0 {
        out.push_str(&format!("\n  … and {unlisted} more"));
    }
    out
}

/// Where an export goes.
pub trait Sink {
    /// Adds to the file at hand.
    ///
    /// # Errors
    /// What the operating system says.
    fn text(&mut self, text: &str) -> io::Result<()>;

    /// Begins the file of one key; only asked of formats with [`Format::is_file_per_key`].
    ///
    /// # Errors
    /// What the operating system says.
    fn begin(&mut self, name: &str) -> io::Result<()>;

    /// The file at hand is whole and holds `part`; when `more`, the next of the set begins. Not told
    /// of formats with [`Format::is_file_per_key`].
    ///
    /// # Errors
    /// What the operating system says.
    fn ended(&mut self, part: Part, more: bool) -> io::Result<()> {
        let _ = (part, more);
        Ok(())
    }
}

/// One file.
impl<W: Write> Sink for W {
    fn text(&mut self, text: &str) -> io::Result<()> {
        self.write_all(text.as_bytes())
    }

    fn begin(&mut self, _name: &str) -> io::Result<()> {
        Err(io::Error::other("the format makes a file for each key: it needs a folder"))
    }
}

/// Writes `tokens` to `out` as `format` wants them.
///
/// # Errors
/// [`ExportError`]; `out` may then hold a part and must be thrown away.
pub fn write<E>(
    format: &Format,
    options: &ExportOptions<'_>,
    tokens: impl IntoIterator<Item = Result<Token, E>>,
    out: &mut dyn Sink,
) -> Result<Summary, ExportError<E>> {
    let mut export = Export::new(format, options).map_err(ExportError::Settings)?;
    let (head, separator, foot) = match &format.body {
        Body::Lines(lines) => (lines.head(), "", ""),
        Body::Templates(templates) => {
            let head = templates.head(&export.settings).map_err(ExportError::Settings)?;
            (head, templates.separator.as_str(), templates.foot.as_str())
        }
        Body::Pskc => return Err(ExportError::NotText(format.name.clone())),
    };
    let mut summary = Summary::default();
    let (per_key, mut names) = (format.is_file_per_key(), Seen::default());
    if !per_key {
        put(out, &head, &mut summary.bytes)?;
    }
    let mut part = Part::default();
    let (mut part_begins, mut largest) = (0, (0, 0));
    let mut text = Zeroizing::new(String::new());
    for token in tokens {
        let token = token.map_err(ExportError::Input)?;
        let Some(person) = export.holder(&token) else {
            summary.unassigned += 1;
            continue;
        };
        text.clear();
        let record = Record { token: &token, person, settings: &export.settings };
        let mut faults = export.state.check(format, &record);
        let before = faults.len();
        let mut name = None;
        match &format.body {
            Body::Lines(lines) => lines.write(&record, &mut text, &mut faults),
            Body::Templates(templates) => {
                let index = summary.keys + 1;
                templates.write(&record, index, &mut text, &mut faults);
                if per_key {
                    match templates.file_name(&record, index) {
                        Ok(file) if names.insert(&file) => name = Some(file),
                        Ok(file) => faults.push(format!("a second file of the name {file:?}")),
                        Err(why) => faults.push(why),
                    }
                }
            }
            Body::Pskc => {}
        }
        // What the limits refuse, a column often cannot say either: once is enough.
        if before > 0 {
            faults.truncate(before);
        }
        let alone = (head.len() + text.len() + foot.len()) as u64;
        if !options.split.fits(1, alone) {
            faults.push(format!("the key alone makes a file of {alone} bytes"));
        }
        export.state.add(&token, faults);
        let so_far = summary.bytes - part_begins;
        let grown = so_far + (separator.len() + text.len() + foot.len()) as u64;
        let full = !per_key && part.keys > 0 && !options.split.fits(part.keys + 1, grown);
        if full {
            put(out, foot, &mut summary.bytes)?;
            largest = larger(largest, (part.keys, summary.bytes - part_begins));
            part_begins = summary.bytes;
            out.ended(std::mem::take(&mut part), true).map_err(ExportError::Write)?;
            put(out, &head, &mut summary.bytes)?;
        }
        if let Some(name) = name {
            out.begin(&name).map_err(ExportError::Write)?;
            text.insert_str(0, &head);
            text.push_str(foot);
        } else if part.keys > 0 {
            put(out, separator, &mut summary.bytes)?;
        }
        put(out, &text, &mut summary.bytes)?;
        summary.keys += 1;
        part.add(token.serial.as_str());
    }
    if !per_key {
        put(out, foot, &mut summary.bytes)?;
        largest = larger(largest, (part.keys, summary.bytes - part_begins));
        out.ended(part, false).map_err(ExportError::Write)?;
    }
    export.finish(summary, largest)
}

fn larger(one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
    (one.0.max(other.0), one.1.max(other.1))
}

fn put<E>(out: &mut dyn Sink, text: &str, bytes: &mut u64) -> Result<(), ExportError<E>> {
    *bytes += text.len() as u64;
    out.text(text).map_err(ExportError::Write)
}

/// One export under way.
pub(super) struct Export<'a> {
    pub(super) format: &'a Format,
    options: &'a ExportOptions<'a>,
    pub(super) settings: BTreeMap<String, String>,
    holders: HashMap<&'a str, (&'a Person, bool)>,
    pub(super) state: State,
}

/// What was seen so far.
#[derive(Default)]
pub(super) struct State {
    seen: Uniques,
    losses: Losses,
    lost: BTreeMap<String, u64>,
    allow_loss: bool,
    faults: Vec<String>,
    unlisted: u64,
    hard: bool,
}

impl State {
    fn fault(&mut self, fault: String) {
        if self.faults.len() < LISTED {
            self.faults.push(fault);
        } else {
            self.unlisted += 1;
        }
    }

    /// Checks limits and losses; what is returned are hard faults, losses are kept here.
    pub(super) fn check(&mut self, format: &Format, record: &Record<'_>) -> Vec<String> {
        let mut losses = Vec::new();
        format.carriage.check(record, &mut self.losses, &mut losses);
        for loss in losses {
            if self.allow_loss {
                *self.lost.entry(loss).or_default() += 1;
            } else {
                self.fault(format!("{}: {loss}", record.token.serial));
            }
        }
        let mut faults = Vec::new();
        format.limits.check(record, &mut self.seen, &mut faults);
        faults
    }

    /// Keeps the hard faults of one key.
    pub(super) fn add(&mut self, token: &Token, faults: Vec<String>) {
        for fault in faults {
            self.hard = true;
            self.fault(format!("{}: {fault}", token.serial));
        }
    }

    fn hard(&mut self, fault: String) {
        self.hard = true;
        self.fault(fault);
    }
}

impl<'a> Export<'a> {
    /// Joins settings and roster.
    pub(super) fn new(format: &'a Format, options: &'a ExportOptions<'a>) -> Result<Self, String> {
        let mut settings = BTreeMap::new();
        for (name, setting) in &format.settings {
            if let Some(value) = options.settings.get(name).or(setting.default.as_ref()) {
                settings.insert(name.clone(), value.clone());
            }
        }
        if let Some(unknown) =
            options.settings.keys().find(|name| !format.settings.contains_key(*name))
        {
            let known: Vec<&str> = format.settings.keys().map(String::as_str).collect();
            return Err(format!(
                "the format {} has no setting {unknown:?}; known: {}",
                format.name,
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ));
        }
        let people = options.roster.map(|roster| roster.people.as_slice()).unwrap_or_default();
        let holders = people.iter().map(|p| (p.serial.as_str(), (p, false))).collect();
        let state = State { allow_loss: options.allow_loss, ..State::default() };
        let mut this = Self { format, options, settings, holders, state };
        if !people.is_empty() && !format.carriage.carried.contains(&Field::User) {
            let loss = "the format carries no users, so the roster would be lost".to_owned();
            if options.allow_loss {
                this.state.lost.insert(loss, people.len() as u64);
            } else {
                this.state.fault(loss);
            }
        }
        Ok(this)
    }

    /// Who holds `token`; the outer `None` when it is to be left out.
    #[allow(clippy::option_option)]
    pub(super) fn holder(&mut self, token: &Token) -> Option<Option<&'a Person>> {
        let person = self.holders.get_mut(token.serial.as_str()).map(|(person, met)| {
            *met = true;
            *person
        });
        let left_out = self.options.assigned_only && person.is_none() && token.user.is_none();
        (!left_out).then_some(person)
    }

    /// The last checks, and the summary or all the faults.
    /// `largest`: most keys and most bytes of a file.
    pub(super) fn finish<E>(
        mut self,
        mut summary: Summary,
        largest: (u64, u64),
    ) -> Result<Summary, ExportError<E>> {
        let file = self.options.roster.map(|roster| roster.file.as_str()).unwrap_or_default();
        let mut unmet: Vec<&Person> =
            self.holders.values().filter(|(_, met)| !met).map(|(person, _)| *person).collect();
        unmet.sort_by_key(|person| person.line);
        for Person { line, serial, user, .. } in unmet {
            // The columns may be mistaken for one another.
            let (serial, user) = (veil(serial.as_str()), veil(user));
            self.state
                .hard(format!("{file}:{line}: the serial {serial} of {user} is not in the batch"));
        }
        let limits = &self.format.limits;
        if let Some(rows) = limits.rows.filter(|rows| largest.0 > *rows) {
            let keys = largest.0;
            self.state.hard(format!(
                "the file has {keys} keys, the server takes {rows} in a file: --split-rows {rows}"
            ));
        }
        if let Some(max) = limits.bytes.filter(|max| largest.1 > *max) {
            let bytes = largest.1;
            self.state.hard(format!(
                "the file has {bytes} bytes, the server takes {max}: --split-bytes {max}"
            ));
        }
        if summary.keys == 0 {
            self.state.hard("there is no key to write".into());
        }
        let State { faults, unlisted, hard, lost, losses, .. } = self.state;
        if faults.is_empty() {
            summary.notes = self.format.carriage.notes(&losses);
            let lost =
                lost.into_iter().map(|(loss, keys)| format!("lost, as allowed: {loss} ({keys} ×)"));
            summary.notes.extend(lost);
            return Ok(summary);
        }
        let format = self.format.name.clone();
        Err(ExportError::Faults { format, faults, unlisted, only_losses: !hard })
    }
}
