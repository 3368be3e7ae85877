//! `trousseau mint`: everything that can be refused is refused before the work begins, and the
//! batch appears whole or not at all.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::ledger::Ledger;
use super::output::{Hold, Output};
use super::progress::{self, Bar};
use super::sealing::{self, NewKey};
use super::{Context, Exit, Failure, Outcome, parts, receiving, sign, summary};
use crate::cli::{MintAlgorithm, MintArgs, MintHash};
use crate::counted::counted;
use crate::inventory::Inventory;
use crate::manifest::{Listed, Split};
use crate::mint::{Order, Spec, SpecError};
use crate::otp::Hash;
use crate::pskc::{Sealer, WriteError, Writer};
use crate::token::Algorithm;

/// Keys made and encrypted at a time: between two of them, Ctrl-C is looked at.
const CHUNK: u64 = 512;

pub(super) fn run(args: &MintArgs, context: &Context) -> Result<Outcome, Failure> {
    let order = order(args)?;
    let sealing = sealing::sealing(&args.seal)?;
    receiving::check_mint(sealing.receiver)?;
    sealing::check_names(&args.out, args.new_transport_key.as_deref())?;
    if Output::is_terminal(&args.out) {
        return Err(Failure::bad_input("--out - would write the batch to the terminal")
            .hint("redirect it, or name a file"));
    }
    let split = Split { rows: args.split.split_rows, bytes: args.split.split_bytes };
    summary::check(args.json, split.is_wanted(), &args.out)?;
    let mut inventory = args.inventory.as_deref().map(Inventory::open).transpose()?;
    let signer = sign::signer(&args.sign, &context.interrupt)?;
    let (inside, beside) = sign::placed(signer, &args.sign);
    let digest = inventory.is_some() || args.json || beside.is_some();
    let out = match split.is_wanted() {
        true => Output::create_set(&args.out, args.compress)?,
        false => Output::create(&args.out, args.compress, Hold::Stream, digest)?,
    };
    let out = out.signed_by(beside)?;
    let key = NewKey::of(&args.seal, &sealing, args.new_transport_key.as_deref(), &args.key)?;
    let key = key.ok_or_else(|| {
        Failure::bad_input("no key was given to encrypt the batch under").hint(
            "give --new-transport-key FILE, --transport-key-file FILE, --passphrase-file FILE, \
             --pkcs11-key URI or --recipient CERT",
        )
    })?;
    let sealer = sign::sealer(key.sealer(&sealing), inside);
    let sealer = sealer.map_err(|error| failure(&error, "the key"))?;
    let unread = receiving::unread(&order, sealing.receiver);
    let notes = receiving::notes(sealing.receiver, &unread, Some(&key));
    let parts = parts::plan(&order, &sealer, split)?;
    let mut ledger = Ledger::reserve(inventory.as_mut(), args, &order, key.key())?;
    let files = match make(args, context, (&order, &sealer, &parts, split), out, key, &mut ledger) {
        Ok(files) => files,
        Err(failure) => return Err(ledger.abandon(failure)),
    };
    ledger.complete()?;
    if args.json {
        summary::mint(args, &order, &sealer, (&files, &notes))?;
    }
    tell(args, &order, &sealer, &notes);
    Ok(Outcome::Done)
}

fn make(
    args: &MintArgs,
    context: &Context,
    (order, sealer, parts, split): (&Order, &Sealer, &[Range<u64>], Split),
    mut out: Output,
    key: NewKey,
    ledger: &mut Ledger<'_>,
) -> Result<Vec<Listed>, Failure> {
    let progress = progress::keys(order.count());
    for (place, range) in parts.iter().enumerate() {
        write(order, range, sealer, &mut out, &progress, context)?;
        let part = parts::part(order, range);
        if !split.fits(part.keys, out.bytes()) {
            return Err(Failure::bad_input(
                "a file became larger than was planned: a fault of ours",
            )
            .hint("use --split-rows, and tell us of it"));
        }
        out.ended(part, place + 1 < parts.len()).map_err(|error| out.failed(&error))?;
    }
    drop(progress);
    // First the digests: a file that is there is then always known to the inventory.
    ledger.written(out.files())?;
    let files = out.files().to_vec();
    // Then the key: a batch must never be there without it.
    let key_file = key.commit(args.new_transport_key.as_deref())?;
    if let Err(failure) = out.commit("pskc") {
        if let Some(key_file) = key_file {
            let _ = std::fs::remove_file(key_file);
        }
        return Err(failure);
    }
    Ok(files)
}

/// Makes the keys number `range`.
fn write(
    order: &Order,
    range: &Range<u64>,
    sealer: &Sealer,
    out: &mut Output,
    progress: &Bar,
    context: &Context,
) -> Result<(), Failure> {
    let mut made = range.start;
    let place = out.name();
    let result = Writer::new(out, sealer).and_then(|mut writer| {
        let threads =
            std::thread::available_parallelism().map_or(1, |threads| threads.get().min(8));
        let make = |chunk: u64| {
            let first = range.start + chunk * CHUNK;
            let part = order.part(first..(first + CHUNK).min(range.end));
            part.map(|token| token.map_err(WriteError::from))
        };
        let chunks = (range.end - range.start).div_ceil(CHUNK);
        writer.write_chunks(threads, chunks, make, |written| {
            made = range.start + written;
            progress.set(made);
            !context.interrupt.requested()
        })?;
        writer.finish().map(drop)
    });
    match (result, context.interrupt.signal()) {
        (Ok(()), _) => Ok(()),
        (Err(WriteError::Stopped), Some(signal)) => Err(Failure::new(
            Exit::of_signal(signal),
            format!(
                "interrupted after {made} of {}; no file was left behind",
                counted(order.count(), "key", "keys")
            ),
        )
        .hint("the seeds made so far are gone for good; mint the batch again when you like")),
        (Err(error), _) => Err(failure(&error, &place)),
    }
}

fn failure(error: &WriteError, place: &str) -> Failure {
    match error {
        WriteError::Io(error) => {
            let no_file = if place == "standard output" { "" } else { "; no file was left behind" };
            let hint = WriteError::Io(io::Error::from(error.kind())).hint();
            Failure::new(Exit::Io, format!("cannot write {place}: {error}{no_file}")).hint(hint)
        }
        WriteError::Random(_) => Failure::new(Exit::Io, error).hint(error.hint()),
        _ => Failure::bad_input(error).hint(error.hint()),
    }
}

fn tell(args: &MintArgs, order: &Order, sealer: &Sealer, notes: &[String]) {
    let serials: Vec<String> =
        order.serial_ranges().map(|(first, last)| format!("{first} to {last}")).collect();
    let place = if args.out == Path::new("-") {
        "standard output".into()
    } else {
        args.out.display().to_string()
    };
    let (keys, serials) = (counted(order.count(), "key", "keys"), serials.join(", "));
    say!("{place}: {keys}, {serials}, {}", sealer.describe());
    if let Some(path) = &args.new_transport_key {
        say!("{}: the transport key; send it by another way than the batch", path.display());
    }
    for note in notes {
        say!("note: {note}");
    }
    let unnamed = |text: &&str| !text.starts_with("oath.") && !text.starts_with("iana.");
    let mut makers = order.lots().iter().filter_map(|lot| lot.manufacturer.as_deref());
    if let Some(maker) = makers.find(unnamed) {
        say!(
            "warning: the manufacturer {maker:?} begins with neither \"oath.\" nor \"iana.\", as RFC \
             6030 §4.3.1 has it: a strict reader may refuse the batch"
        );
    }
}

/// The order in the file of `--spec`, or the one that the options make.
fn order(args: &MintArgs) -> Result<Order, Failure> {
    let Some(path) = &args.spec else {
        let spec = spec(args);
        spec.check()?;
        return Ok(Order::single(spec));
    };
    let order = Order::read(path)
        .map_err(|error| Failure::from(error).hint("nothing was made; correct the order"))?;
    match (&args.batch_id, &order.id) {
        (Some(given), Some(id)) if given != id => Err(Failure::bad_input(format!(
            "--batch-id is {given:?}, but {} says id = {id:?}",
            path.display()
        ))
        .hint("leave out --batch-id")),
        _ => Ok(order),
    }
}

fn spec(args: &MintArgs) -> Spec {
    Spec {
        count: args.count.unwrap_or_default(),
        serial_prefix: args.serial_prefix.clone(),
        first_serial: args.first_serial,
        serial_width: args.serial_width,
        algorithm: match args.algorithm {
            MintAlgorithm::Hotp => Algorithm::Hotp,
            MintAlgorithm::Totp => Algorithm::Totp,
        },
        hash: match args.hash {
            MintHash::Sha1 => Hash::Sha1,
            MintHash::Sha256 => Hash::Sha256,
            MintHash::Sha512 => Hash::Sha512,
        },
        digits: args.digits,
        period: args.period,
        counter: args.counter,
        secret_bytes: args.secret_bytes,
        manufacturer: args.manufacturer.clone(),
        model: args.model.clone(),
        issuer: args.issuer.clone(),
        ..Spec::default()
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Self::bad_input(&error).hint(error.hint())
    }
}
