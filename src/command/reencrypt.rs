//! `trousseau export --format pskc`: the batch under another key.

use std::io::{self, Write};
use std::path::Path;

use super::{Failure, keys};
use crate::cli::{KeyArgs, OutKeyArgs};
use crate::format::{ExportError, ExportOptions, Format, Summary, join};
use crate::keystore::{BatchKey, NewTransportKey};
use crate::pskc::{Encryption, Sealer, WriteError, Writer};
use crate::token::Token;

/// The key of the new file: had already, or new and still without its own file.
pub(super) enum OutKey {
    Had(BatchKey),
    New(Box<NewTransportKey>),
}

impl OutKey {
    /// The key that `args` names.
    pub(super) fn of(args: &OutKeyArgs) -> Result<Self, Failure> {
        if let Some(path) = &args.out_new_transport_key {
            return Ok(Self::New(Box::new(NewTransportKey::create(path)?)));
        }
        let had = KeyArgs {
            transport_key_file: args.out_transport_key_file.clone(),
            passphrase_file: args.out_passphrase_file.clone(),
            ..KeyArgs::default()
        };
        keys::resolve_new(&had)?.map(Self::Had).ok_or_else(|| {
            Failure::bad_input("no key was given to encrypt the new file under").hint(
                "give --out-new-transport-key FILE, --out-transport-key-file FILE or \
                 --out-passphrase-file FILE",
            )
        })
    }

    fn get(&self) -> &BatchKey {
        match self {
            Self::Had(key) => key,
            Self::New(new) => new.key(),
        }
    }

    /// Gives a new key its file; gives the name of that file back.
    pub(super) fn commit(self, args: &OutKeyArgs) -> Result<Option<&Path>, Failure> {
        match self {
            Self::Had(_) => Ok(None),
            Self::New(new) => {
                new.commit()?;
                Ok(args.out_new_transport_key.as_deref())
            }
        }
    }
}

/// Writes `tokens` to `out` under `key`; `failed` turns an error of `out` into a failure.
pub(super) fn write(
    format: &Format,
    options: &ExportOptions<'_>,
    key: &OutKey,
    tokens: impl Iterator<Item = Result<Token, Failure>>,
    out: &mut impl Write,
) -> Result<Summary, ExportError<Failure>> {
    let sealed = |error| match Fault::Write(error) {
        Fault::Write(WriteError::Io(error)) => ExportError::Write(error),
        fault => ExportError::Input(fault.into()),
    };
    let sealer = Sealer::new(key.get(), Encryption::AesCbc).map_err(sealed)?;
    let mut counted = Counted { out, bytes: 0 };
    let mut writer = Writer::new(&mut counted, &sealer).map_err(sealed)?;
    let mut joined = join(format, options, tokens)?;
    let given = joined.by_ref().map(|token| token.map_err(Fault::Input));
    match writer.write_all(given) {
        Ok(()) => {}
        Err(Fault::Write(error)) => return Err(sealed(error)),
        Err(Fault::Input(failure)) => return Err(ExportError::Input(failure)),
    }
    writer.finish().map_err(sealed)?;
    let summary = joined.finish()?;
    Ok(Summary { bytes: counted.bytes, ..summary })
}

/// Which side of the stream failed.
enum Fault {
    Input(Failure),
    Write(WriteError),
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Input(failure) => failure,
            Fault::Write(error) => Self::bad_input(&error).hint(error.hint()),
        }
    }
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
