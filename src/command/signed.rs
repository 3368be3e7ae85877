//! The signature of a batch that is read: before its keys are given out when one is required, after
//! the last of them otherwise.
//!
//! | input | `--require-signature` | otherwise |
//! |---|---|---|
//! | a file | verified, then read | read, then verified if it is signed |
//! | a pipe | kept, encrypted, in a file without a name, then as a file | verified while it is read |
//!
//! A file whose signature was asked for must be the same whenever it is read: see [`Witness`]. Where
//! none was asked for there is nothing to hold on to: whoever can change the file meanwhile can as well
//! take the signature away.

use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;

use super::sign::{refused, signature_of};
use super::witness::Witness;
use super::{Exit, Failure, batch, keys, progress};
use crate::cli::KeyArgs;
use crate::compression::unpack;
use crate::interrupt::{Input, Interrupt, Interrupted};
use crate::pskc::{Limit, Summary};
use crate::signature::{
    Certificate, Detached, Outcome, SignatureError, Tap, Tapped, Trust, VerifyError, verify,
};
use crate::spool::Spool;

/// A file that can be read from its beginning again, whatever happens to its name.
enum Kept {
    File(Input, Option<Witness>),
    /// Nothing can change it unnoticed.
    Spool(Rc<Spool>, Interrupt),
}

impl Kept {
    /// Its bytes as they are.
    fn bytes(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::File(file, Some(witness)) => Ok(Box::new(witness.pass(|| file.again())?)),
            Self::File(file, None) => Ok(Box::new(file.again()?)),
            Self::Spool(spool, interrupt) => Ok(Box::new(spool.again(interrupt))),
        }
    }

    /// Its content, decompressed if need be.
    fn content(&self, name: &str, most: u64) -> io::Result<Box<dyn Read>> {
        let len = match self {
            Self::File(file, _) => file.file().metadata().ok().map(|facts| facts.len()),
            Self::Spool(..) => None,
        };
        unpack(name, progress::watched(self.bytes()?, len), most)
    }

    /// Makes sure that it, called `name`, was the same whenever it was read.
    fn check(&self, name: &str) -> Result<(), Failure> {
        let Self::File(_, Some(witness)) = self else { return Ok(()) };
        match witness.agrees() {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(Failure::bad_input(format!("{name} changed after its signature was verified"))
                    .hint("let nothing write to it meanwhile; use nothing of what was read"))
            }
            Err(error) => Err(Failure::unreadable(name, &error)),
        }
    }
}

/// What is still to be done about a signature when all keys were read.
pub(super) struct Check {
    name: String,
    how: How,
    /// How many times its size a compressed file may have.
    most: u64,
}

enum How {
    /// There is none that counts.
    Unsigned,
    /// Verified; the file must be as it was.
    Done(Outcome, Kept),
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
    let most = keys::options(args)?.limits.get(Limit::Expansion);
    let required = required(args, interrupt)?;
    // Opened once: a named pipe would end when it is closed.
    let piped = file == Path::new("-");
    let opened = match piped {
        true => Input::stdin(interrupt),
        false => Input::open(file, interrupt),
    };
    let input = opened.map_err(|error| batch::unreadable(file, error))?;
    let asked = required.is_some() || args.detached_signature.is_some();
    let kept = if !piped && input.is_regular() {
        Kept::File(input, asked.then(Witness::default))
    } else if !asked {
        return stream(file, input, document, most);
    } else {
        Kept::Spool(spool(&name, input)?, interrupt.clone())
    };
    let outcome = if let Some(signature) = &args.detached_signature {
        Some(beside(file, (signature, interrupt), || kept.bytes(), required.as_ref())?)
    } else if required.is_some() && !document {
        return Err(Failure::bad_input(format!(
            "{name}: --require-signature, but only a PSKC file holds its signature itself"
        ))
        .hint(format!(
            "give the one beside it: --detached-signature {}",
            signature_of(file).display()
        )));
    } else if required.is_some() {
        let open = || kept.content(&name, most);
        let outcome = verify(open, required.as_ref(), Timestamp::now());
        Some(outcome.map_err(|error| unsigned(file, &name, error))?)
    } else {
        None
    };
    let input = kept.content(&name, most).map_err(|error| batch::unreadable(file, error))?;
    let how = match outcome {
        Some(outcome) => How::Done(outcome, kept),
        None if document => How::File(kept),
        None => How::Unsigned,
    };
    Ok((input, Check { name, how, most }))
}

/// As [`refused`]; a signature that lies beside a file without one is named.
fn unsigned(file: &Path, name: &str, error: VerifyError) -> Failure {
    let beside = signature_of(file);
    match error {
        VerifyError::Refused(error @ SignatureError::Unsigned) if beside.exists() => {
            let beside = beside.display();
            Failure::bad_input(format!("{name}: {error}"))
                .hint(format!("{beside} is there: give it with --detached-signature {beside}"))
        }
        error => refused(name, error),
    }
}

/// Reads a manifest, and verifies the signature beside it if one is required or named, which it
/// describes. What is verified is what is given out.
///
/// # Errors
/// As [`open`].
pub(super) fn manifest(
    path: &Path,
    args: &KeyArgs,
    interrupt: &Interrupt,
) -> Result<(Vec<u8>, Option<String>), Failure> {
    let content = content(path, interrupt)?;
    let required = required(args, interrupt)?;
    let signature = args.detached_signature.clone();
    let signature = signature.or_else(|| required.as_ref().map(|_| signature_of(path)));
    let Some(signature) = signature else { return Ok((content, None)) };
    let outcome =
        beside(path, (&signature, interrupt), || Ok(content.as_slice()), required.as_ref())?;
    warn(&batch::name(path), &outcome);
    Ok((content, describe(&outcome)))
}

/// Whose signature `args` ask for.
fn required(args: &KeyArgs, interrupt: &Interrupt) -> Result<Option<Certificate>, Failure> {
    let Some(path) = &args.require_signature else { return Ok(None) };
    Ok(Some(Certificate::read(&path.display().to_string(), &content(path, interrupt)?)?))
}

/// All of a small file: a certificate, a manifest.
pub(super) fn content(path: &Path, interrupt: &Interrupt) -> Result<Vec<u8>, Failure> {
    /// None of them is longer: a manifest of ten thousand files has a quarter of it.
    const LONGEST: u64 = 16 << 20;
    let mut content = Vec::new();
    let read = Input::open(path, interrupt)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut content));
    read.map_err(|error| batch::unreadable(path, error))?;
    match content.len() as u64 > LONGEST {
        true => Err(Failure::bad_input(format!(
            "{} is larger than {LONGEST} bytes: no certificate, nor a manifest",
            path.display()
        ))
        .hint("check its name")),
        false => Ok(content),
    }
}

/// What comes once, watched on its way.
fn stream(
    file: &Path,
    input: Input,
    document: bool,
    most: u64,
) -> Result<(Box<dyn Read>, Check), Failure> {
    let name = batch::name(file);
    let input = unpack(&name, progress::watched(input, None), most);
    let input = input.map_err(|error| batch::unreadable(file, error))?;
    if !document {
        return Ok((input, Check { name, how: How::Unsigned, most }));
    }
    let (tap, tapped) = Tap::new(input);
    Ok((Box::new(tap), Check { name, how: How::Stream(tapped), most }))
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

/// Verifies the signature beside `file`, whose bytes `open` gives.
fn beside<R: Read>(
    file: &Path,
    (signature, interrupt): (&Path, &Interrupt),
    open: impl FnOnce() -> io::Result<R>,
    required: Option<&Certificate>,
) -> Result<Outcome, Failure> {
    let name = signature.display().to_string();
    let opened = Input::open(signature, interrupt);
    let opened = opened.map_err(|error| batch::unreadable(signature, error))?;
    let read = Detached::read(&name, opened, required, Timestamp::now());
    let detached = read.map_err(|error| refused(&name, error))?;
    let own = file.file_name().unwrap_or_default().to_string_lossy();
    let bytes = open().map_err(|error| batch::unreadable(file, error))?;
    detached.check(&own, bytes).map_err(|error| refused(&name, error))?;
    Ok(detached.outcome().clone())
}

impl Check {
    /// What came of it, all keys being read; `signed`: whether a signature was met.
    ///
    /// # Errors
    /// When the signature does not hold, or the file was changed while it was read.
    pub(super) fn finish(self, signed: bool) -> Result<Outcome, Failure> {
        let Self { name, how, most } = self;
        let now = Timestamp::now();
        match how {
            How::Unsigned => Ok(Outcome::Unsigned),
            How::Done(outcome, kept) => kept.check(&name).map(|()| outcome),
            _ if !signed => Ok(Outcome::Unsigned),
            How::File(kept) => {
                let outcome = verify(|| kept.content(&name, most), None, now);
                outcome.map_err(|error| refused(&name, error))
            }
            How::Stream(tapped) => {
                tapped.conclude(now).map_err(|error| refused(&name, VerifyError::Refused(error)))
            }
        }
    }

    /// As [`Check::finish`], and tells what came of it.
    pub(super) fn finish_aloud(self, signed: bool) -> Result<Outcome, Failure> {
        let name = self.name.clone();
        let outcome = self.finish(signed)?;
        if let Some(line) = describe(&outcome) {
            say!("note: {name}: signature {line}");
        }
        warn(&name, &outcome);
        Ok(outcome)
    }
}

/// What came of it, in words; nothing when there is no signature.
pub(super) fn describe(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Signed(verdict) => Some(verdict.describe()),
        Outcome::Unknown(reason) => Some(format!("present, not verified: {reason}")),
        _ => None,
    }
}

/// Whether it is known who made the file.
pub(super) fn is_trusted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Signed(verdict) if verdict.trust != Trust::None)
}

/// Warns of secrets that anybody could have put into the file called `name`, read with a private
/// key, unless its signature says who did.
pub(super) fn warn_of_forgers(name: &str, summary: &Summary, outcome: &Outcome) {
    if summary.is_open_to_forgers() && summary.verified > 0 && !is_trusted(outcome) {
        say!(
            "warning: {name}: whole, but anybody who has the certificate can make such a file; a \
             signature tells who did: --require-signature"
        );
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn vector(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/signatures").join(name)
    }

    /// Reads a signed file, which becomes another when it was verified or read, and again before
    /// the end; what comes of its signature.
    fn swapped(args: &KeyArgs, meanwhile: &str, at_last: &str) -> Result<Outcome, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signed.xml");
        std::fs::copy(vector("signxml.xml"), &file).unwrap();
        let change = |from: &str| {
            let good = std::fs::read_to_string(vector("signxml.xml")).unwrap();
            std::fs::write(&file, good.replace(from, "X")).unwrap();
        };
        let (mut input, check) = open(&file, args, true, &Interrupt::never()).unwrap();
        change(meanwhile);
        io::copy(&mut input, &mut io::sink()).unwrap();
        change(at_last);
        check.finish(true).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_file_must_be_the_same_when_it_is_read_and_when_it_is_verified() {
        let required = KeyArgs { require_signature: Some(vector("ec.crt")), ..KeyArgs::default() };
        let same = "what is nowhere in it";
        assert!(matches!(swapped(&required, same, same), Ok(Outcome::Signed(_))));
        let said = swapped(&required, "KeyPackage", same).unwrap_err();
        assert!(said.contains("changed after its signature was verified"), "{said}");
        // Read, then changed: nothing that counts is left to be read.
        assert!(swapped(&required, same, "KeyPackage").is_ok());
        // Not asked for: the signature is verified over the file as it is by then.
        let unasked = KeyArgs::default();
        assert!(matches!(swapped(&unasked, same, same), Ok(Outcome::Signed(_))));
        assert!(swapped(&unasked, same, "KeyPackage").is_err());
    }
}
