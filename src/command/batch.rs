//! Opening a batch for the commands that read one: the file, its key, its tokens one by one.

use std::cell::OnceCell;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use super::signed::{self, Check};
use super::{Exit, Failure, keys};
use crate::cli::KeyArgs;
use crate::compression::{Expands, Unsupported};
use crate::interrupt::{Interrupt, Interrupted};
use crate::pskc::{Error, Fault, Reader};
use crate::seen::Seen;
use crate::token::{Fragment, Token};

/// `Extensions` of a container, once its keys were read.
pub(super) type Extensions = Rc<OnceCell<Vec<Fragment>>>;

/// A stream of tokens, each one verified before it is given out.
pub(super) type Tokens = Box<dyn Iterator<Item = Result<Token, Failure>>>;

/// Opens `file` (`-` for standard input) under the key that `keys` names. Every token has a
/// secret, and a serial number of its own.
///
/// # Errors
/// When the file or its key cannot be read, or its head is no PSKC.
pub(super) fn open(file: &Path, keys: &KeyArgs, interrupt: &Interrupt) -> Result<Tokens, Failure> {
    let checked = Checked::new(file, keys, interrupt)?;
    Ok(Box::new(Checked { serials: Some(Seen::default()), ..checked }))
}

/// The same for another file of PSKC, which takes what others do not: keys that are only named, and
/// several keys of one device. The extensions of the container are there when the tokens are read.
///
/// # Errors
/// As [`open`].
pub(super) fn open_whole(
    file: &Path,
    keys: &KeyArgs,
    interrupt: &Interrupt,
) -> Result<(Tokens, Extensions), Failure> {
    let checked = Checked::new(file, keys, interrupt)?;
    let extensions = Rc::clone(&checked.extensions);
    Ok((Box::new(checked), extensions))
}

/// A file that cannot be read, as the user sees it.
pub(super) fn unreadable(file: &Path, error: io::Error) -> Failure {
    match error.get_ref().and_then(|e| e.downcast_ref::<Unsupported>()) {
        Some(refused) => Failure::bad_input(refused).hint(refused.hint()),
        None => Failure::unreadable(name(file), &error),
    }
}

/// What to call `file` in messages.
pub(super) fn name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".into() } else { file.display().to_string() }
}

/// A fault of a batch, as the user sees it: file, line, column, key, what, and what to do.
pub(super) fn failure(file: &Path, error: &Error) -> Failure {
    failed(&name(file), error)
}

fn failed(name: &str, error: &Error) -> Failure {
    let exit = match &error.fault {
        Fault::Io(error) if Interrupted::of(error).is_some() || Expands::is(error) => {
            return Failure::unreadable(name, error);
        }
        Fault::Io(error) if error.kind() != io::ErrorKind::InvalidData => Exit::Io,
        _ => Exit::BadInput,
    };
    Failure::new(exit, format!("{name}: {error}")).hint(error.hint())
}

/// Tokens fit for use: servers name keys by serial number, so that two keys under one would
/// silently become one.
struct Checked<R> {
    file: String,
    reader: Reader<R>,
    /// Those that were met, if each may be met once and must have a secret.
    serials: Option<Seen>,
    extensions: Extensions,
    /// What is still to be done about the signature.
    check: Option<Check>,
    done: bool,
}

impl Checked<Box<dyn Read>> {
    fn new(file: &Path, keys: &KeyArgs, interrupt: &Interrupt) -> Result<Self, Failure> {
        let options = keys::options(keys)?;
        let key = keys::resolve(keys)?;
        let (input, check) = signed::open(file, keys, true, interrupt)?;
        let reader = Reader::new(input, key.as_ref(), options);
        let reader = reader.map_err(|error| failure(file, &error))?;
        let (file, check, extensions) = (name(file), Some(check), Extensions::default());
        Ok(Self { file, reader, serials: None, extensions, check, done: false })
    }
}

impl<R: Read> Iterator for Checked<R> {
    type Item = Result<Token, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let result = match self.reader.next() {
            Some(Ok(token)) => self.check(token),
            Some(Err(error)) => Err(failed(&self.file, &error)),
            None => {
                let _ = self.extensions.set(self.reader.extensions().to_vec());
                self.done = true;
                let signed = self.reader.summary().signed;
                match self.check.take().map(|check| check.finish_aloud(signed)) {
                    Some(Err(failure)) => return Some(Err(failure)),
                    Some(Ok(outcome)) => {
                        signed::warn_of_forgers(&self.file, self.reader.summary(), &outcome);
                    }
                    None => {}
                }
                self.warn();
                return None;
            }
        };
        self.done = result.is_err();
        Some(result)
    }
}

impl<R: Read> Checked<R> {
    fn check(&mut self, token: Token) -> Result<Token, Failure> {
        let refused = |what: &str, hint: &str| {
            Err(Failure::bad_input(format!("{}: key {}: {what}", self.file, token.serial))
                .hint(hint))
        };
        let Some(serials) = &mut self.serials else { return Ok(token) };
        if token.secret.is_empty() {
            return refused(
                "the file has no secret for it, only the name of one kept elsewhere",
                "ask the sender for a file with the secrets; --format pskc carries the name",
            );
        }
        if !serials.insert(token.serial.as_str()) {
            return refused(
                "a second key with this serial number",
                "servers name keys by serial number: split the file so that each has its own",
            );
        }
        Ok(token)
    }

    fn warn(&self) {
        let unchecked = self.reader.summary().unauthenticated;
        if unchecked > 0 {
            say!(
                "warning: {}: {unchecked} secrets were read without any check of their integrity",
                self.file
            );
        }
        let without_key = self.reader.summary().without_key;
        if without_key > 0 {
            say!("note: {}: {without_key} devices without a key are passed over", self.file);
        }
    }
}
