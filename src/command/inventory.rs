//! `trousseau inventory`: what was issued, what it was, and who has it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Context, Exit, Failure, Outcome, progress};
use crate::cli::{InventoryArgs, InventoryCommand};
use crate::counted::{counted, plural};
use crate::interrupt::Interrupt;
use crate::inventory::{FileDigest, Inventory, InventoryError, Record, State, digest_of};

pub(super) fn run(args: &InventoryArgs, context: &Context) -> Result<Outcome, Failure> {
    let path = args.inventory.as_deref().ok_or_else(|| {
        Failure::bad_input("no inventory was named").hint("give --inventory FILE")
    })?;
    let mut inventory = Inventory::open_existing(path)?;
    match &args.command {
        InventoryCommand::List => list(&inventory, args.json),
        InventoryCommand::Show { id } => show(&inventory.batch(id)?, args.json),
        InventoryCommand::Find { serial } => find(&inventory, serial, args.json),
        InventoryCommand::Verify { files } => {
            verify(&mut inventory, files, args.json, &context.interrupt)
        }
        InventoryCommand::Deliver { id, to } => {
            inventory.deliver(id, to, Timestamp::now())?;
            say(&format!("batch {id}: given to {to}"));
            Ok(())
        }
    }?;
    Ok(Outcome::Done)
}

fn list(inventory: &Inventory, as_json: bool) -> Result<(), Failure> {
    let records = inventory.batches()?;
    let mut out = String::new();
    if as_json {
        for record in &records {
            let _ = writeln!(out, "{}", value(record));
        }
        return print(&out);
    }
    if records.is_empty() {
        say("no batch yet");
        return Ok(());
    }
    let rows: Vec<[String; 6]> = records.iter().map(row).collect();
    let head = ["BATCH", "STATE", "KEYS", "SERIALS", "RESERVED", "GIVEN TO"].map(str::to_owned);
    let mut widths = [0; 6];
    for row in rows.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in [&head].into_iter().chain(&rows) {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    print(&out)?;
    let open = records.iter().filter(|record| record.state == State::Reserved).count();
    if open > 0 {
        say(&format!(
            "{open} reserved without a file: being minted now, or cut off; their serials stay taken"
        ));
    }
    Ok(())
}

fn row(record: &Record) -> [String; 6] {
    let names: Vec<&str> = record.deliveries.iter().map(|delivery| delivery.to.as_str()).collect();
    [
        record.batch.id.clone(),
        record.state.to_string(),
        record.batch.keys().to_string(),
        serials(record).join(", "),
        record.reserved_at.strftime("%Y-%m-%d").to_string(),
        names.join("; "),
    ]
}

fn serials(record: &Record) -> Vec<String> {
    let ranges = record.batch.serials.iter();
    ranges.map(|range| format!("{} to {}", range.first(), range.last())).collect()
}

fn show(record: &Record, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print(&format!("{}\n", value(record)));
    }
    let mut out = String::new();
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "{name:14}{text}");
    };
    line("batch", &record.batch.id);
    line("state", record.state.name());
    if let Some(note) = &record.note {
        line("note", note);
    }
    line("keys", &record.batch.keys().to_string());
    for range in serials(record) {
        line("serials", &range);
    }
    line("reserved", &record.reserved_at.to_string());
    line("last change", &record.changed_at.to_string());
    if let Some(kcv) = &record.batch.key_kcv {
        line("key KCV", kcv);
    }
    for FileDigest { name, bytes, sha256 } in &record.files {
        line("file", &format!("{name}, {bytes} bytes, SHA-256 {sha256}"));
    }
    for delivery in &record.deliveries {
        line("given to", &format!("{} at {}", delivery.to, delivery.at));
    }
    line("order SHA-256", &record.spec_sha256);
    for order in record.batch.spec.lines() {
        line("order", order);
    }
    print(&out)
}

fn find(inventory: &Inventory, serial: &str, as_json: bool) -> Result<(), Failure> {
    match inventory.with_serial(serial)? {
        Some(record) => show(&record, as_json),
        None => Err(Failure::bad_input(format!(
            "{serial:?}: no batch of this inventory has this serial"
        ))
        .hint("give it in full, with its prefix and zeros")),
    }
}

/// What became of one file.
enum Verdict {
    /// As it was made; of these batches.
    Same(Vec<Record>),
    /// A file of this name was recorded, with another content.
    Differs(Box<Record>),
    /// Unknown.
    Unknown,
}

fn verify(
    inventory: &mut Inventory,
    files: &[PathBuf],
    as_json: bool,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let mut out = String::new();
    let mut bad = 0;
    for path in files {
        let digest = digest_of(path, interrupt, &progress::file)
            .map_err(|error| Failure::unreadable(path.display(), &error))?;
        let verdict = verdict(inventory, &digest)?;
        if let Verdict::Same(records) = &verdict {
            for record in records.iter().filter(|record| record.state == State::Written) {
                complete(inventory, &record.batch.id)?;
            }
        } else {
            bad += 1;
        }
        let line = match as_json {
            true => verdict_value(path, &digest, &verdict).to_string(),
            false => verdict_text(path, &digest, &verdict),
        };
        let _ = writeln!(out, "{line}");
    }
    print(&out)?;
    match bad {
        0 => Ok(()),
        _ => Err(Failure::bad_input(format!(
            "{bad} of {} {} not as the inventory knows {}",
            counted(files.len(), "file", "files"),
            plural(bad, "is", "are"),
            plural(bad, "it", "them"),
        ))
        .hint("do not use them: fetch them again from where they were made")),
    }
}

fn verdict(inventory: &Inventory, digest: &FileDigest) -> Result<Verdict, Failure> {
    let same = inventory.with_digest(&digest.sha256)?;
    if !same.is_empty() {
        return Ok(Verdict::Same(same));
    }
    let named = inventory.with_file(&digest.name)?.into_iter().last();
    Ok(named.map_or(Verdict::Unknown, |record| Verdict::Differs(Box::new(record))))
}

/// An inventory that can only be read still answers.
fn complete(inventory: &mut Inventory, id: &str) -> Result<(), Failure> {
    match inventory.confirm(id, Timestamp::now()) {
        Ok(()) => {
            say(&format!("batch {id}: its minting was cut off at the end; now complete"));
            Ok(())
        }
        Err(InventoryError::ReadOnly(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn verdict_text(path: &Path, digest: &FileDigest, verdict: &Verdict) -> String {
    let file = path.display();
    match verdict {
        Verdict::Same(records) => {
            let ids: Vec<&str> = records.iter().map(|record| record.batch.id.as_str()).collect();
            format!("{file}: as made; batch {}", ids.join(", "))
        }
        Verdict::Differs(record) => {
            let known = record.files.iter().find(|known| known.name == digest.name);
            let bytes = known.map_or(0, |known| known.bytes);
            format!(
                "{file}: CHANGED; batch {} has a file of this name with {bytes} bytes and another \
                 digest, this one has {}",
                record.batch.id, digest.bytes
            )
        }
        Verdict::Unknown => format!("{file}: UNKNOWN; no batch of this inventory has this file"),
    }
}

fn verdict_value(path: &Path, digest: &FileDigest, verdict: &Verdict) -> Value {
    let (word, batches) = match verdict {
        Verdict::Same(records) => ("same", records.iter().map(|r| &r.batch.id).collect()),
        Verdict::Differs(record) => ("changed", vec![&record.batch.id]),
        Verdict::Unknown => ("unknown", Vec::new()),
    };
    json!({
        "file": path.display().to_string(),
        "bytes": digest.bytes,
        "sha256": digest.sha256,
        "verdict": word,
        "batches": batches,
    })
}

fn value(record: &Record) -> Value {
    let ranges = record.batch.serials.iter();
    json!({
        "batch": record.batch.id,
        "state": record.state.name(),
        "note": record.note,
        "keys": record.batch.keys(),
        "serials": ranges.map(|range| json!({
            "prefix": range.prefix(),
            "first": range.first(),
            "last": range.last(),
            "keys": range.keys(),
        })).collect::<Vec<_>>(),
        "reserved_at": record.reserved_at.to_string(),
        "changed_at": record.changed_at.to_string(),
        "key_kcv": record.batch.key_kcv,
        "files": record.files.iter().map(|file| json!({
            "name": file.name,
            "bytes": file.bytes,
            "sha256": file.sha256,
        })).collect::<Vec<_>>(),
        "deliveries": record.deliveries.iter().map(|delivery| json!({
            "to": delivery.to,
            "at": delivery.at.to_string(),
        })).collect::<Vec<_>>(),
        "spec_sha256": record.spec_sha256,
        "spec": record.batch.spec,
    })
}

fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| {
        Failure::new(Exit::Io, format!("cannot write to standard output: {error}"))
            .hint("free some space, or write elsewhere")
    })
}

fn say(text: &str) {
    say!("{text}");
}

impl From<InventoryError> for Failure {
    fn from(error: InventoryError) -> Self {
        let exit = match &error {
            InventoryError::Open { .. }
            | InventoryError::Busy(_)
            | InventoryError::ReadOnly(_)
            | InventoryError::Database { .. } => Exit::Io,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}
