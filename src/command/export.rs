//! `trousseau export`: an import file from a batch, whole or not at all.

use std::io::{self, BufReader};
use std::path::Path;

use super::batch::{Extensions, Tokens};
use super::folder::Folder;
use super::output::{Hold, Output, Pages};
use super::{
    Context, Exit, Failure, Outcome, batch, progress, reencrypt, sealing, sign, signed, summary,
};
use crate::cli::ExportArgs;
use crate::counted::counted;
use crate::format::{self, ExportError, ExportOptions, Format, ReadError, Summary};
use crate::interrupt::Interrupt;
use crate::manifest::Split;
use crate::roster::Roster;
use crate::terminal::Terminal;
use crate::token::Token;

pub(super) fn run(args: &ExportArgs, context: &Context) -> Result<Outcome, Failure> {
    let format = choose(args)?;
    check_arguments(args, &format)?;
    let roster = args.roster.as_ref().map(Roster::read).transpose()?;
    let options = ExportOptions {
        roster: roster.as_ref(),
        settings: args.settings.iter().cloned().collect(),
        allow_loss: args.allow_loss,
        assigned_only: args.assigned_only,
        split: Split { rows: args.split.split_rows, bytes: args.split.split_bytes },
    };
    let from = args.from.as_deref().map(Format::load).transpose()?;
    let sealing = sealing::sealing(&args.seal)?;
    sealing::check_names(&args.out, args.out_key.out_new_transport_key.as_deref())?;
    let key = if format.is_encrypted() { reencrypt::key(args, &sealing)? } else { None };
    let in_clear = key.is_none();
    let (inside, beside) = sign::placed(sign::signer(&args.sign, &context.interrupt)?, &args.sign);
    refuse_terminal(args, in_clear)?;
    if args.out == Path::new("-") {
        progress::data_on_stdout();
    }
    if format.is_file_per_key() {
        let mut folder = Folder::create(&args.out)?;
        let (tokens, _) = tokens(args, &format, from.as_ref(), context)?;
        let summary = format::write(&format, &options, tokens, &mut folder)
            .map_err(|error| failure(error, |error| folder.failed(&error)))?;
        folder.commit()?;
        if args.json {
            summary::export(args, &format, &summary, &[])?;
        }
        tell(&summary, &args.out.display().to_string(), &format, None, in_clear);
        return Ok(Outcome::Done);
    }
    let digest = args.json || beside.is_some();
    let out = match options.split.is_wanted() {
        true => Output::create_set(&args.out, args.compress)?,
        false => Output::create(&args.out, args.compress, Hold::Back, digest)?,
    };
    let mut out = out.signed_by(beside)?;
    let (tokens, extensions) = tokens(args, &format, from.as_ref(), context)?;
    let written = match format.is_encrypted() {
        true => {
            let under = (key.as_ref(), &sealing, inside);
            reencrypt::write(&format, &options, under, (tokens, &extensions), &mut out)
        }
        false => format::write(&format, &options, tokens, &mut Pages(&mut out)),
    };
    let summary = written.map_err(|error| failure(error, |error| out.failed(&error)))?;
    // The key first: a batch must never be there without it.
    let path = args.out_key.out_new_transport_key.as_deref();
    let new_key = key.map(|key| key.commit(path)).transpose()?.flatten();
    let (place, files) = (out.name(), out.files().to_vec());
    if let Err(failure) = out.commit(format.name()) {
        if let Some(new_key) = new_key {
            let _ = std::fs::remove_file(new_key);
        }
        return Err(failure);
    }
    if args.json {
        summary::export(args, &format, &summary, &files)?;
    }
    tell(&summary, &place, &format, new_key, in_clear);
    Ok(Outcome::Done)
}

/// The format asked for, or its sister for a roster.
fn choose(args: &ExportArgs) -> Result<Format, Failure> {
    let format = Format::load(&args.format)?;
    match format.with_roster() {
        Some(other) if args.roster.is_some() => {
            say!("note: with a roster, {} is written as {other}", format.name());
            Ok(Format::load(other)?)
        }
        _ => Ok(format),
    }
}

fn check_arguments(args: &ExportArgs, format: &Format) -> Result<(), Failure> {
    let out = &args.out_key;
    let out_key = out.out_transport_key_file.is_some()
        || out.out_new_transport_key.is_some()
        || out.out_passphrase_file.is_some()
        || out.out_pkcs11_key.is_some()
        || args.seal.is_used();
    if out_key && !format.is_encrypted() {
        return Err(Failure::bad_input(format!(
            "the format {} is not encrypted: a key for the new file, or a way to encrypt it, would \
             go unused",
            format.name()
        ))
        .hint("leave out --out-…-key and the options of encryption, or choose --format pskc"));
    }
    if args.sign.sign_key_file.is_some() && !args.sign.sign_detached && !format.is_encrypted() {
        return Err(Failure::bad_input(format!(
            "the format {} has no place for a signature",
            format.name()
        ))
        .hint("add --sign-detached, which writes it to a file of its own"));
    }
    if args.sign.sign_detached && format.is_file_per_key() {
        return Err(Failure::bad_input(format!(
            "the format {} makes a file for each key: --sign-detached has no file to sign",
            format.name()
        ))
        .hint("use `trousseau sign` on what you send, such as an archive of the folder"));
    }
    let split = args.split.split_rows.is_some() || args.split.split_bytes.is_some();
    summary::check(args.json, split, &args.out)?;
    if args.compress.is_some() && format.is_file_per_key() {
        return Err(Failure::bad_input(format!(
            "the format {} makes a file for each key, and compresses none",
            format.name()
        ))
        .hint("leave out --compress, and pack the folder when it is there"));
    }
    if split && format.is_file_per_key() {
        return Err(Failure::bad_input(format!(
            "the format {} makes a file for each key: there is nothing to split",
            format.name()
        ))
        .hint("leave out --split-rows and --split-bytes"));
    }
    if args.out == Path::new("-") && format.is_file_per_key() {
        return Err(Failure::bad_input(format!(
            "the format {} makes a file for each key",
            format.name()
        ))
        .hint("name a folder with --out FOLDER"));
    }
    Ok(())
}

fn refuse_terminal(args: &ExportArgs, in_clear: bool) -> Result<(), Failure> {
    if args.out == Path::new("-") && in_clear && Terminal::stdout().interactive {
        return Err(Failure::bad_input("seeds are not shown on a terminal")
            .hint("name a file with --out FILE, or pipe the output to where it is needed"));
    }
    Ok(())
}

/// The keys, until there are no more or the user wants to stop, and the extensions of their
/// container.
fn tokens<'a>(
    args: &ExportArgs,
    format: &Format,
    from: Option<&'a Format>,
    context: &Context,
) -> Result<(impl Iterator<Item = Result<Token, Failure>> + 'a, Extensions), Failure> {
    let mut extensions = Extensions::default();
    let tokens: Box<dyn Iterator<Item = Result<Token, Failure>> + 'a> = match from {
        None if format.is_encrypted() => {
            let (tokens, found) = batch::open_whole(&args.file, &args.key, &context.interrupt)?;
            extensions = found;
            tokens
        }
        None => batch::open(&args.file, &args.key, &context.interrupt)? as Tokens,
        Some(from) => {
            let (input, check) = signed::open(&args.file, &args.key, false, &context.interrupt)?;
            let tokens = format::read(from, &batch::name(&args.file), BufReader::new(input))?;
            let end = std::iter::once_with(|| check.finish_aloud(false).err().map(Err)).flatten();
            Box::new(tokens.map(|token| token.map_err(|error| unread(error, from))).chain(end))
        }
    };
    let interrupt: Interrupt = context.interrupt.clone();
    let tokens = tokens.map(move |token| match interrupt.signal() {
        Some(signal) => {
            Err(Failure::new(Exit::of_signal(signal), "interrupted; nothing was written"))
        }
        None => token,
    });
    Ok((tokens, extensions))
}

fn failure(error: ExportError<Failure>, write: impl FnOnce(io::Error) -> Failure) -> Failure {
    let hint = error.hint();
    match error {
        ExportError::Input(failure) => failure,
        ExportError::Write(error) => write(error),
        error => match hint {
            Some(hint) => Failure::bad_input(error).hint(hint),
            None => Failure::bad_input(error),
        },
    }
}

fn tell(summary: &Summary, out: &str, format: &Format, new_key: Option<&Path>, in_clear: bool) {
    let Summary { keys, bytes, unassigned, notes } = summary;
    say!("{out}: {}, {bytes} bytes, {}", counted(*keys, "key", "keys"), format.name());
    if *unassigned > 0 {
        say!("note: left out {} that nobody holds", counted(*unassigned, "key", "keys"));
    }
    for note in notes {
        say!("note: {note}");
    }
    if let Some(path) = new_key {
        say!("{}: the transport key; send it by another way than the batch", path.display());
    }
    if in_clear {
        say!(
            "warning: {out} holds the seeds in plain text: keep it from others, remove it after the \
             import"
        );
    }
}

/// A fault of the file that is read in place of PSKC.
fn unread(error: ReadError, from: &Format) -> Failure {
    match error {
        ReadError::Line { .. } => Failure::bad_input(error).hint(format!(
            "is it a file of this format? `trousseau formats show {}` prints what one looks like; \
             for a batch in PSKC leave out --from",
            from.name()
        )),
        error => Failure::from(error),
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let exit = match &error {
            ReadError::Io { .. } => Exit::Io,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}
