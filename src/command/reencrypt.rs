//! `trousseau export --format pskc`: the batch under another key.

use std::io::{self, Write};

use super::batch::Extensions;
use super::output::Output;
use super::sealing::NewKey;
use super::{Failure, receiving, sign};
use crate::cli::{ExportArgs, KeyArgs};
use crate::format::{ExportError, ExportOptions, Format, Summary, join};
use crate::manifest::Part;
use crate::pskc::{Sealer, Sealing, Unread, WriteError, Writer};
use crate::token::Token;

/// Under what the new file is encrypted; `None` for in clear, when the receiver reads nothing else.
pub(super) fn key(args: &ExportArgs, sealing: &Sealing) -> Result<Option<NewKey>, Failure> {
    let out = &args.out_key;
    let had = KeyArgs {
        transport_key_file: out.out_transport_key_file.clone(),
        passphrase_file: out.out_passphrase_file.clone(),
        pkcs11_key: out.out_pkcs11_key.clone(),
        token_pin: args.key.token_pin.clone(),
        ..KeyArgs::default()
    };
    let new = out.out_new_transport_key.as_deref();
    match NewKey::of(&args.seal, sealing, new, &had)? {
        None if !sealing.receiver.reads_clear_only() => {
            Err(Failure::bad_input("no key was given to encrypt the new file under").hint(
                "give --out-new-transport-key FILE, --out-transport-key-file FILE, \
                 --out-passphrase-file FILE, --out-pkcs11-key URI or --recipient CERT",
            ))
        }
        key => Ok(key),
    }
}

/// Writes `tokens` to `out` as `sealing` says, under `key`; `failed` turns an error of `out` into a failure.
pub(super) fn write(
    format: &Format,
    options: &ExportOptions<'_>,
    (key, sealing, signer): (Option<&NewKey>, &Sealing, Option<sign::Signer>),
    (tokens, extensions): (impl Iterator<Item = Result<Token, Failure>>, &Extensions),
    out: &mut Output,
) -> Result<Summary, ExportError<Failure>> {
    let sealed = |error| match error {
        WriteError::Io(error) => ExportError::Write(error),
        error => ExportError::Input(Failure::bad_input(&error).hint(error.hint())),
    };
    let sealer = match key {
        Some(key) => key.sealer(sealing),
        None => Ok(Sealer::in_clear(sealing.receiver)),
    };
    let sealer = sign::sealer(sealer, signer).map_err(sealed)?;
    let (most_keys, most_bytes) =
        (options.split.rows.unwrap_or(u64::MAX), options.split.bytes.unwrap_or(u64::MAX));
    let mut unread = Unread::default();
    let mut joined = join(format, options, tokens)?;
    let (mut bytes, mut part) = (0, Part::default());
    let mut writer = Writer::new(Counted { out: &mut *out, bytes: 0 }, &sealer).map_err(sealed)?;
    for token in joined.by_ref() {
        let token = token.map_err(ExportError::Input)?;
        let fits =
            part.keys < most_keys && writer.write_within(&token, most_bytes).map_err(sealed)?;
        if !fits {
            bytes += writer.finish().map_err(sealed)?.bytes;
            out.ended(std::mem::take(&mut part), true).map_err(ExportError::Write)?;
            writer = Writer::new(Counted { out: &mut *out, bytes: 0 }, &sealer).map_err(sealed)?;
            if !writer.write_within(&token, most_bytes).map_err(sealed)? {
                return Err(ExportError::Input(too_small(token.serial.as_str(), most_bytes)));
            }
        }
        unread.add(sealing.receiver, &token, 1);
        part.add(token.serial.as_str());
    }
    // By the schema they stand at the end: of a set of files, the last one has them.
    writer.extend(extensions.get().map_or(&[], Vec::as_slice));
    let last = writer.finish().map_err(sealed)?.bytes;
    if last > most_bytes {
        return Err(ExportError::Input(
            Failure::bad_input(format!(
                "the last file has more than {most_bytes} bytes with the extensions of the container"
            ))
            .hint("raise --split-bytes"),
        ));
    }
    bytes += last;
    out.ended(part, false).map_err(ExportError::Write)?;
    let mut summary = joined.finish()?;
    summary.notes.extend(receiving::notes(sealing.receiver, &unread, key));
    Ok(Summary { bytes, ..summary })
}

/// Not even one key goes into a file.
pub(super) fn too_small(serial: &str, most: u64) -> Failure {
    Failure::bad_input(format!("{serial}: a file of this key alone has more than {most} bytes"))
        .hint("raise --split-bytes")
}

/// Counts what goes through.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
