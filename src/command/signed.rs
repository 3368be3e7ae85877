//! The signature of a batch that is read: before its keys are given out when one is required, after
//! the last of them otherwise.
//!
//! | input | `--require-signature` | otherwise |
//! |---|---|---|
//! | a file | verified, then read | read, then verified if it is signed |
//! | a pipe | kept, encrypted, in a file without a name, then as a file | verified while it is read |

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;

use super::sign::{refused, signature_of};
use super::{Exit, Failure, batch, progress};
use crate::cli::KeyArgs;
use crate::compression::unpack;
use crate::interrupt::{Input, Interrupt, Interrupted};
use crate::signature::{Certificate, Detached, Outcome, Tap, Tapped, VerifyError, verify};
use crate::spool::Spool;

/// A file that can be read from its beginning again, whatever happens to its name.
enum Kept {
    File(Input),
    Spool(Rc<Spool>, Interrupt),
}

impl Kept {
    /// Its bytes as they are.
    fn bytes(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::File(file) => Ok(Box::new(file.again()?)),
            Self::Spool(spool, interrupt) => Ok(Box::new(spool.again(interrupt))),
        }
    }

    /// Its content, decompressed if need be.
    fn content(&self, name: &str) -> io::Result<Box<dyn Read>> {
        let bytes = self.facts().ok().flatten().map(|(_, facts)| facts.len());
        unpack(name, progress::watched(self.bytes()?, bytes))
    }

    /// What would show that it was changed; nothing can change a spool unnoticed.
    fn facts(&self) -> io::Result<Option<(File, Metadata)>> {
        match self {
            Self::File(file) => Ok(Some((file.file().try_clone()?, file.file().metadata()?))),
            Self::Spool(..) => Ok(None),
        }
    }
}

/// What is still to be done about a signature when all keys were read.
pub(super) struct Check {
    name: String,
    how: How,
}

enum How {
    /// Verified; the file must be as it was.
    Done(Outcome, Option<(File, Metadata)>),
    /// To be verified, if there is one.
    File(Kept),
    /// It was watched on its way.
    Stream(Tapped),
}

/// Opens `file` (`-` for standard input), whose signature `args` may ask for. `document`: whether it
/// is XML, so that it can hold one.
///
/// # Errors
/// When it cannot be read, `interrupt` asked to stop, or it is not signed as `args` want it.
pub(super) fn open(
    file: &Path,
    args: &KeyArgs,
    document: bool,
    interrupt: &Interrupt,
) -> Result<(Box<dyn Read>, Check), Failure> {
    let name = batch::name(file);
    let required = match &args.require_signature {
        Some(path) => {
            Some(Certificate::read(&path.display().to_string(), &content(path, interrupt)?)?)
        }
        None => None,
    };
    // Opened once: a named pipe would end when it is closed.
    let piped = file == Path::new("-");
    let opened = match piped {
        true => Input::stdin(interrupt),
        false => Input::open(file, interrupt),
    };
    let input = opened.map_err(|error| batch::unreadable(file, error))?;
    let kept = if !piped && input.is_regular() {
        Kept::File(input)
    } else if required.is_none() && args.detached_signature.is_none() {
        return stream(file, input, document);
    } else {
        Kept::Spool(spool(&name, input)?, interrupt.clone())
    };
    let how = if let Some(signature) = &args.detached_signature {
        let done = kept.facts().map_err(|error| batch::unreadable(file, error))?;
        How::Done(beside(file, (signature, interrupt), &kept, required.as_ref())?, done)
    } else if required.is_some() && !document {
        return Err(Failure::bad_input(format!(
            "{name}: --require-signature, but only a PSKC file holds its signature itself"
        ))
        .hint(format!(
            "give the one beside it: --detached-signature {}",
            signature_of(file).display()
        )));
    } else if required.is_some() {
        let done = kept.facts().map_err(|error| batch::unreadable(file, error))?;
        let open = || kept.content(&name);
        let outcome = verify(open, required.as_ref(), Timestamp::now())
            .map_err(|error| refused(&name, error))?;
        How::Done(outcome, done)
    } else if document {
        // Reading and verifying share one place in the file, one after the other.
        let input = kept.content(&name).map_err(|error| batch::unreadable(file, error))?;
        let how = How::File(kept);
        return Ok((input, Check { name, how }));
    } else {
        How::Done(Outcome::Unsigned, None)
    };
    // The place in the file is shared: it must be the beginning now.
    let input = kept.content(&name).map_err(|error| batch::unreadable(file, error))?;
    Ok((input, Check { name, how }))
}

/// Verifies the signature beside a manifest, if one is required or named, and describes it.
///
/// # Errors
/// As [`open`].
pub(super) fn manifest(
    path: &Path,
    args: &KeyArgs,
    interrupt: &Interrupt,
) -> Result<Option<String>, Failure> {
    let Some(signature) = args
        .detached_signature
        .clone()
        .or_else(|| args.require_signature.as_ref().map(|_| signature_of(path)))
    else {
        return Ok(None);
    };
    let args = KeyArgs { detached_signature: Some(signature), ..args.clone() };
    let (_, check) = open(path, &args, false, interrupt)?;
    let outcome = check.finish(false)?;
    warn(&batch::name(path), &outcome);
    Ok(describe(&outcome))
}

/// A file with a certificate, or the like.
pub(super) fn content(path: &Path, interrupt: &Interrupt) -> Result<Vec<u8>, Failure> {
    /// No certificate is longer.
    const LONGEST: u64 = 1 << 20;
    let mut content = Vec::new();
    let read =
        Input::open(path, interrupt).and_then(|file| file.take(LONGEST).read_to_end(&mut content));
    read.map_err(|error| batch::unreadable(path, error))?;
    Ok(content)
}

/// What comes once, watched on its way.
fn stream(file: &Path, input: Input, document: bool) -> Result<(Box<dyn Read>, Check), Failure> {
    let name = batch::name(file);
    let input = unpack(&name, progress::watched(input, None));
    let input = input.map_err(|error| batch::unreadable(file, error))?;
    if !document {
        return Ok((input, Check { name, how: How::Done(Outcome::Unsigned, None) }));
    }
    let (tap, tapped) = Tap::new(input);
    Ok((Box::new(tap), Check { name, how: How::Stream(tapped) }))
}

/// All of standard input or a pipe, called `name`.
fn spool(name: &str, mut input: impl Read) -> Result<Rc<Spool>, Failure> {
    let mut kept = Spool::new();
    match io::copy(&mut input, &mut kept) {
        Ok(_) => Ok(Rc::new(kept)),
        Err(error) if Interrupted::of(&error).is_some() => Err(Failure::unreadable(name, &error)),
        Err(error) => {
            Err(Failure::new(Exit::Io, format!("cannot keep {name} while it is verified: {error}"))
                .hint(
                    "set TMPDIR to a folder with room for all of it, or save it and name the file",
                ))
        }
    }
}

/// Verifies the signature beside `file`, whose bytes are in `kept`.
fn beside(
    file: &Path,
    (signature, interrupt): (&Path, &Interrupt),
    kept: &Kept,
    required: Option<&Certificate>,
) -> Result<Outcome, Failure> {
    let name = signature.display().to_string();
    let opened = Input::open(signature, interrupt);
    let opened = opened.map_err(|error| batch::unreadable(signature, error))?;
    let read = Detached::read(&name, opened, required, Timestamp::now());
    let detached = read.map_err(|error| refused(&name, error))?;
    let own = file.file_name().unwrap_or_default().to_string_lossy();
    let bytes = kept.bytes().map_err(|error| batch::unreadable(file, error))?;
    detached.check(&own, bytes).map_err(|error| refused(&name, error))?;
    Ok(detached.outcome().clone())
}

impl Check {
    /// What came of it, all keys being read; `signed`: whether a signature was met.
    ///
    /// # Errors
    /// When the signature does not hold, or the file was changed while it was read.
    pub(super) fn finish(self, signed: bool) -> Result<Outcome, Failure> {
        let Self { name, how } = self;
        let now = Timestamp::now();
        match how {
            How::Done(outcome, kept) => {
                match kept.map(|(file, before)| (file.metadata().ok(), before)) {
                    Some((after, before))
                        if !after.as_ref().is_some_and(|after| same(&before, after)) =>
                    {
                        Err(Failure::bad_input(format!(
                            "{name} changed after its signature was verified"
                        ))
                        .hint("let nothing write to it meanwhile; use nothing of what was read"))
                    }
                    _ => Ok(outcome),
                }
            }
            _ if !signed => Ok(Outcome::Unsigned),
            How::File(file) => {
                verify(|| file.content(&name), None, now).map_err(|error| refused(&name, error))
            }
            How::Stream(tapped) => {
                tapped.conclude(now).map_err(|error| refused(&name, VerifyError::Refused(error)))
            }
        }
    }

    /// As [`Check::finish`], and tells what came of it.
    pub(super) fn finish_aloud(self, signed: bool) -> Result<(), Failure> {
        let name = self.name.clone();
        let outcome = self.finish(signed)?;
        if let Some(line) = describe(&outcome) {
            say!("note: {name}: signature {line}");
        }
        warn(&name, &outcome);
        Ok(())
    }
}

fn same(before: &Metadata, after: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let facts = |facts: &Metadata| {
        (facts.len(), facts.mtime(), facts.mtime_nsec(), facts.ctime(), facts.ctime_nsec())
    };
    facts(before) == facts(after)
}

/// What came of it, in words; nothing when there is no signature.
pub(super) fn describe(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Signed(verdict) => Some(verdict.describe()),
        Outcome::Unknown(reason) => Some(format!("present, not verified: {reason}")),
        _ => None,
    }
}

/// Warns of what is weak in a signature that holds.
pub(super) fn warn(name: &str, outcome: &Outcome) {
    let Outcome::Signed(verdict) = outcome else { return };
    if verdict.weak {
        say!(
            "warning: {name}: the signature rests on SHA-1, of which collisions can be made: whoever \
             has a say in what is signed can have another text ready; ask for SHA-256"
        );
    }
    if let Some(expired) = &verdict.expired {
        say!("warning: {name}: {expired}");
    }
}
