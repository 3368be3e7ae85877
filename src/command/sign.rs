//! `trousseau sign`, and who signs in the commands that write a file.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Context, Exit, Failure, Outcome, batch, keys, progress, signed, summary};
use crate::atomic_file::{AtomicFile, write_hint};
use crate::cli::{SignArgs, SignCommandArgs};
use crate::compression::{Compression, Packer, unpack};
use crate::interrupt::{Input, Interrupt, Interrupted};
use crate::inventory::digest_of;
use crate::keystore::Source;
use crate::pskc::{Limit, Sealer, WriteError};
use crate::signature::{FileSigner, Sign, SignatureError, VerifyError, detached, insertion};

/// Who signs.
pub(super) type Signer = Arc<dyn Sign>;

/// Who signs a new file: `None` when nobody was asked to.
///
/// # Errors
/// When key and certificate cannot be read or used, or do not belong together.
pub(super) fn signer(args: &SignArgs, interrupt: &Interrupt) -> Result<Option<Signer>, Failure> {
    match (&args.sign_key_file, &args.sign_cert) {
        (Some(key), Some(certificate)) => read(key, certificate, interrupt).map(Some),
        _ => Ok(None),
    }
}

/// The signer of what goes into the file, and of what goes beside it.
pub(super) fn placed(signer: Option<Signer>, args: &SignArgs) -> (Option<Signer>, Option<Signer>) {
    if args.sign_detached { (None, signer) } else { (signer, None) }
}

/// A sealer whose files `signer` signs.
pub(super) fn sealer(
    sealer: Result<Sealer, WriteError>,
    signer: Option<Signer>,
) -> Result<Sealer, WriteError> {
    match signer {
        Some(signer) => sealer?.signed_by(signer),
        None => sealer,
    }
}

fn read(key: &Path, certificate: &Path, interrupt: &Interrupt) -> Result<Signer, Failure> {
    let secret = keys::read(&Source::File(key.to_owned()))?;
    let content = signed::content(certificate, interrupt)?;
    let (key, certificate) = (key.display().to_string(), certificate.display().to_string());
    let now = Timestamp::now();
    Ok(FileSigner::open((&key, &secret), (&certificate, &content), now)?)
}

/// `FILE.sig`.
pub(super) fn signature_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

pub(super) fn run(args: &SignCommandArgs, context: &Context) -> Result<Outcome, Failure> {
    let interrupt = &context.interrupt;
    let signer = read(&args.sign_key_file, &args.sign_cert, interrupt)?;
    let place = match &args.out {
        Some(out) => {
            within(&args.file, out, &*signer, interrupt)?;
            out.clone()
        }
        None => beside(&args.file, &*signer, interrupt)?,
    };
    if args.json {
        summary::signed(&args.file, &place, &*signer)?;
    }
    say!(
        "{}: signed by {}, {}",
        place.display(),
        signer.certificate().subject(),
        signer.method().name()
    );
    Ok(Outcome::Done)
}

/// Writes the signature over the bytes of `file` beside it.
fn beside(file: &Path, signer: &dyn Sign, interrupt: &Interrupt) -> Result<PathBuf, Failure> {
    let place = signature_of(file);
    let out = AtomicFile::create(&place)?;
    let digest = digest_of(file, interrupt, &progress::file);
    let digest = digest.map_err(|error| Failure::unreadable(file.display(), &error))?;
    write_detached(out, signer, &[(digest.name, digest.sha256)])?;
    Ok(place)
}

/// Writes the signature over files of these names and SHA-256 digests, in hexadecimal.
pub(super) fn write_detached(
    mut out: AtomicFile,
    signer: &dyn Sign,
    files: &[(String, String)],
) -> Result<(), Failure> {
    let text = detached(signer, &decoded(files))?;
    out.write_all(text.as_bytes()).map_err(|error| out.failed(error))?;
    Ok(out.commit()?)
}

/// Digests as bytes.
pub(super) fn decoded(files: &[(String, String)]) -> Vec<(String, Vec<u8>)> {
    let bytes = |hex: &String| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap_or_default();
    files.iter().map(|(name, hex)| (name.clone(), bytes(hex))).collect()
}

/// Writes `file` with a signature in it to `out`.
fn within(
    file: &Path,
    out: &Path,
    signer: &dyn Sign,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let (place, compression) = (out.display().to_string(), Compression::of(out)?);
    let target = AtomicFile::create(out)?;
    let name = batch::name(file);
    let read_once = || {
        Failure::bad_input(format!("{name}: it is read twice, which a pipe cannot be"))
            .hint("save it, and name the file")
    };
    if file == Path::new("-") {
        return Err(read_once());
    }
    // Both times the same file, whatever happens to its name meanwhile.
    let opened = Input::open(file, interrupt).map_err(|error| batch::unreadable(file, error))?;
    if !opened.is_regular() {
        return Err(read_once());
    }
    let again = || {
        let bytes = opened.file().metadata()?.len();
        unpack(&name, progress::file(opened.again()?, bytes), Limit::Expansion.most())
    };
    let insertion = again()
        .map_err(VerifyError::from)
        .and_then(|input| insertion(input, signer))
        .map_err(|error| unfit(&name, error))?;
    let mut input = again().map_err(|error| batch::unreadable(file, error))?;
    let mut out = Packer::new(target, compression).map_err(|error| refused_out(&place, &error))?;
    let written = (|| -> io::Result<bool> {
        let head = io::copy(&mut input.by_ref().take(insertion.at), &mut out)?;
        out.write_all(insertion.element.as_bytes())?;
        io::copy(&mut input, &mut out)?;
        Ok(head == insertion.at)
    })();
    match written {
        Ok(true) => {}
        Ok(false) => {
            return Err(Failure::bad_input(format!("{name} changed while it was read"))
                .hint("let nothing write to it meanwhile"));
        }
        Err(error) if Interrupted::of(&error).is_some() => {
            return Err(Failure::unreadable(name, &error));
        }
        Err(error) => return Err(out.get_ref().failed(error).into()),
    }
    let whole = out.finish().map_err(|error| refused_out(&place, &error))?;
    Ok(whole.commit()?)
}

/// One's own document that cannot hold a signature.
fn unfit(name: &str, error: VerifyError) -> Failure {
    match error {
        VerifyError::Refused(SignatureError::Document { line, what }) => Failure::bad_input(format!(
            "{name}: line {line}: {what}: a signature is put into well-formed XML in UTF-8 alone"
        ))
        .hint(
            "--detached signs any file as it is, beside it; XML in UTF-16 can be converted first \
             (iconv -f UTF-16 -t UTF-8, and UTF-8 in its first line)",
        ),
        VerifyError::Refused(error @ SignatureError::Already { .. }) => {
            Failure::bad_input(format!("{name}: {error}")).hint(error.hint())
        }
        VerifyError::Refused(error) => Failure::bad_input(format!("{name}: {error}")).hint(
            "sign the file as it was before it had a signature, or sign it as it is with --detached",
        ),
        error => refused(name, error),
    }
}

fn refused_out(place: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::Io, format!("cannot write {place}: {error}; no file was left behind"))
        .hint(write_hint(error))
}

/// A document that is refused, as the user sees it.
pub(super) fn refused(name: &str, error: VerifyError) -> Failure {
    match error {
        VerifyError::Refused(error) => {
            Failure::bad_input(format!("{name}: {error}")).hint(error.hint())
        }
        VerifyError::Io(error) => Failure::unreadable(name, &error),
    }
}

impl From<SignatureError> for Failure {
    fn from(error: SignatureError) -> Self {
        Self::bad_input(&error).hint(error.hint())
    }
}
