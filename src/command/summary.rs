//! `--json`: what `mint`, `export`, `sign` and `inspect --manifest` did, for programs. Never a secret.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::{Exit, Failure};
use crate::cli::{ExportArgs, MintArgs};
use crate::format::{Format, Summary};
use crate::manifest::{Listed, Manifest};
use crate::mint::Order;
use crate::pskc::Sealer;
use crate::signature::Sign;

/// Refuses combinations that standard output cannot serve.
pub(super) fn check(json: bool, split: bool, out: &Path) -> Result<(), Failure> {
    if out != Path::new("-") {
        return Ok(());
    }
    let refused = |what: &str| {
        Failure::bad_input(format!("{what} and --out -: standard output is taken by the file"))
            .hint("name a file with --out")
    };
    match (json, split) {
        (true, _) => Err(refused("--json")),
        (_, true) => Err(refused("a set of files")),
        _ => Ok(()),
    }
}

#[derive(Serialize)]
struct Minted<'a> {
    out: String,
    keys: u64,
    encryption: String,
    lots: Vec<Lot<'a>>,
    files: &'a [Listed],
    notes: &'a [String],
    transport_key_file: Option<String>,
    inventory: Option<String>,
    batch_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Lot<'a> {
    keys: u64,
    first_serial: String,
    last_serial: String,
    algorithm: &'a str,
    hash: &'a str,
    digits: u8,
    period: Option<u32>,
}

/// What was minted.
pub(super) fn mint(
    args: &MintArgs,
    order: &Order,
    sealer: &Sealer,
    (files, notes): (&[Listed], &[String]),
) -> Result<(), Failure> {
    let lots = order.lots().iter().zip(order.serial_ranges());
    print(&Minted {
        out: args.out.display().to_string(),
        keys: order.count(),
        encryption: sealer.describe(),
        lots: lots
            .map(|(lot, (first_serial, last_serial))| Lot {
                keys: lot.count,
                first_serial,
                last_serial,
                algorithm: lot.algorithm.name(),
                hash: lot.hash.name(),
                digits: lot.digits,
                period: (lot.algorithm == crate::token::Algorithm::Totp).then_some(lot.period),
            })
            .collect(),
        files,
        notes,
        transport_key_file: args.new_transport_key.as_ref().map(|path| path.display().to_string()),
        inventory: args.inventory.as_ref().map(|path| path.display().to_string()),
        batch_id: args.batch_id.as_deref().or(order.id.as_deref()),
    })
}

#[derive(Serialize)]
struct Exported<'a> {
    out: String,
    format: &'a str,
    keys: u64,
    unassigned: u64,
    notes: &'a [String],
    encrypted: bool,
    /// None for a format that makes a file for each key.
    files: Option<&'a [Listed]>,
}

/// What was exported.
pub(super) fn export(
    args: &ExportArgs,
    format: &Format,
    summary: &Summary,
    files: &[Listed],
) -> Result<(), Failure> {
    print(&Exported {
        out: args.out.display().to_string(),
        format: format.name(),
        keys: summary.keys,
        unassigned: summary.unassigned,
        notes: &summary.notes,
        encrypted: format.is_encrypted(),
        files: (!format.is_file_per_key()).then_some(files),
    })
}

#[derive(Serialize)]
struct Signed {
    file: String,
    /// The file with the signature in it, or the signature beside the file.
    out: String,
    signer: String,
    method: String,
}

/// What was signed by `sign`.
pub(super) fn signed(file: &Path, out: &Path, signer: &dyn Sign) -> Result<(), Failure> {
    print(&Signed {
        file: file.display().to_string(),
        out: out.display().to_string(),
        signer: signer.certificate().subject().to_string(),
        method: signer.method().name(),
    })
}

#[derive(Serialize)]
struct Set<'a> {
    manifest: String,
    content: &'a str,
    keys: u64,
    files: &'a [Listed],
    /// None when none was asked for.
    signature: Option<&'a str>,
}

/// A set of files that is as its manifest lists it.
pub(super) fn set(
    path: &Path,
    manifest: &Manifest,
    signature: Option<&str>,
) -> Result<(), Failure> {
    print(&Set {
        manifest: path.display().to_string(),
        content: &manifest.content,
        keys: manifest.keys,
        files: &manifest.files,
        signature,
    })
}

fn print(summary: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(summary).unwrap_or_default() + "\n";
    io::stdout().write_all(text.as_bytes()).map_err(|error| {
        Failure::new(Exit::Io, format!("cannot write standard output: {error}"))
            .hint("the files are whole; only the summary is missing")
    })
}
