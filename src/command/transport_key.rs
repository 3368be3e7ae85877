//! `trousseau transport-key`: files in, library, files out.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Context, Exit, Failure, Outcome, keys, token_key};
use crate::atomic_file::{AtomicFile, AtomicFileError};
use crate::cli::{
    CombineKeyArgs, NewKeyArgs, ShowKcvArgs, SplitKeyArgs, TransportKeyArgs, TransportKeyCommand,
    UnwrapKeyArgs, WrapKeyArgs,
};
use crate::custody::{
    self, CustodyError, Envelope, Kcv, Part, PrivateKey, Recipient, split_threshold, split_xor,
};
use crate::keystore::{BatchKey, Source};
use crate::pkcs11::KeyKind;
use crate::secret::Secret;

pub(super) fn run(args: &TransportKeyArgs, _context: &Context) -> Result<Outcome, Failure> {
    match &args.command {
        TransportKeyCommand::New(args) => new(args),
        TransportKeyCommand::Split(args) => split(args),
        TransportKeyCommand::Combine(args) => combine(args),
        TransportKeyCommand::ShowKcv(args) => show_kcv(args),
        TransportKeyCommand::Wrap(args) => wrap(args),
        TransportKeyCommand::Unwrap(args) => unwrap(args),
    }?;
    Ok(Outcome::Done)
}

fn new(args: &NewKeyArgs) -> Result<(), Failure> {
    let bits: u16 = args.bits.parse().map_err(Failure::bad_input)?;
    let out = match (&args.out, &args.pkcs11_key) {
        (_, Some(uri)) => {
            let key = token_key::make(uri, &args.token_pin, usize::from(bits / 8))?;
            say(&format!("{}: {bits} bits, KCV {}", key.name(), key.kcv()?));
            return Ok(());
        }
        (Some(out), None) => out,
        (None, None) => return Err(Failure::bad_input("say --out FILE or --pkcs11-key URI")),
    };
    let file = AtomicFile::create(out)?;
    write_key(file, &custody::new_key(bits)?)
}

fn split(args: &SplitKeyArgs) -> Result<(), Failure> {
    let key = key_of(&args.key)?;
    let parts = match (args.components, args.threshold, args.shares) {
        (Some(components), ..) => split_xor(&key, components)?,
        (None, Some(threshold), Some(shares)) => split_threshold(&key, threshold, shares)?,
        _ => return Err(Failure::bad_input("say --components, or --threshold and --shares")),
    };
    let mut files = Vec::new();
    for part in &parts {
        let mut file = AtomicFile::create(path_of(&args.out_prefix, part.index))?;
        let written = file.write_all(part.to_text()?.expose());
        written.map_err(|error| file.failed(error))?;
        files.push(file);
    }
    let paths = commit_all(files)?;
    for (part, path) in parts.iter().zip(paths) {
        say(&format!(
            "{}: part {} of {}, KCV {}",
            path.display(),
            part.index,
            part.of,
            part.kcv()?
        ));
    }
    say(&format!(
        "The key has the KCV {}. When every custodian has checked a part with `show-kcv`, destroy {}.",
        parts[0].key_kcv,
        args.key.display()
    ));
    Ok(())
}

/// All of the files or none: a failure takes back those that already had their names.
fn commit_all(files: Vec<AtomicFile>) -> Result<Vec<PathBuf>, Failure> {
    let mut done = Vec::new();
    for file in files {
        let path = file.path().to_owned();
        if let Err(error) = file.commit() {
            // Of this one, too, if it is there.
            if matches!(error, AtomicFileError::Sync { .. }) {
                done.push(path);
            }
            for path in &done {
                let _ = std::fs::remove_file(path);
            }
            return Err(error.into());
        }
        done.push(path);
    }
    Ok(done)
}

fn combine(args: &CombineKeyArgs) -> Result<(), Failure> {
    let file = AtomicFile::create(&args.out)?;
    let mut parts = Vec::new();
    for path in &args.parts {
        let name = path.display().to_string();
        let part = Part::from_text(&name, &keys::read(&source(path))?)?;
        parts.push((name, part));
    }
    write_key(file, &custody::combine(&parts)?)
}

fn show_kcv(args: &ShowKcvArgs) -> Result<(), Failure> {
    let mut lines = String::new();
    for path in &args.files {
        let name = path.display().to_string();
        let content = keys::read(&source(path))?;
        let (kcv, what) = if Part::is_part(&content) {
            let part = Part::from_text(&name, &content)?;
            let Part { index, of, set, key_kcv, .. } = part;
            (part.kcv()?, format!("part {index} of {of} of the key {key_kcv}, set {set}"))
        } else if Envelope::is_envelope(&content) {
            let envelope = Envelope::from_text(&name, &content)?;
            let what = format!("as the envelope for {} says, unopened", envelope.recipient);
            (envelope.key_kcv, what)
        } else {
            let key = transport_key(&content, &name)?;
            (Kcv::of(&key)?, format!("key of {} bits", key.len() * 8))
        };
        lines.push_str(&format!("{kcv}  {name}  {what}\n"));
    }
    if let Some(uri) = &args.pkcs11_key {
        let key = token_key::find(uri, &args.token_pin)?;
        let kcv = key.kcv()?;
        let KeyKind::Aes { bytes } = key.kind() else {
            return Err(Failure::bad_input(format!("{}: not an AES key", key.name())));
        };
        let (name, bits) = (key.name(), bytes * 8);
        lines.push_str(&format!("{kcv}  {name}  key of {bits} bits, in its token\n"));
    }
    std::io::stdout().write_all(lines.as_bytes()).map_err(|error| {
        Failure::new(Exit::Io, format!("cannot write to standard output: {error}"))
    })
}

fn wrap(args: &WrapKeyArgs) -> Result<(), Failure> {
    let mut file = AtomicFile::create(&args.out)?;
    let certificate = source(&args.recipient).read()?;
    let name = args.recipient.display().to_string();
    let recipient = Recipient::from_certificate(&name, certificate.expose(), Timestamp::now())?;
    let key = key_of(&args.key)?;
    let envelope = recipient.seal(&key)?;
    let written = file.write_all(envelope.to_text().as_bytes());
    written.map_err(|error| file.failed(error))?;
    file.commit()?;
    say(&format!(
        "{}: KCV {}, sealed for {}",
        args.out.display(),
        envelope.key_kcv,
        recipient.subject()
    ));
    Ok(())
}

fn unwrap(args: &UnwrapKeyArgs) -> Result<(), Failure> {
    let file = AtomicFile::create(&args.out)?;
    let name = args.envelope.display().to_string();
    let content = source(&args.envelope).read()?;
    let envelope = Envelope::from_text(&name, &content)?;
    let private = keys::read(&source(&args.private_key_file))?;
    let private = PrivateKey::from_pem(&args.private_key_file.display().to_string(), &private)?;
    write_key(file, &private.open(&name, &envelope)?)
}

/// Writes a key as [`BatchKey::transport`] reads it, and tells its check value.
fn write_key(mut file: AtomicFile, key: &Secret) -> Result<(), Failure> {
    let kcv = Kcv::of(key)?;
    let path = file.path().to_owned();
    // Room for all of it, so that no copy is left behind by growing.
    let mut line = Vec::with_capacity(key.len() * 2 + 1);
    line.extend_from_slice(key.to_hex().as_bytes());
    line.push(b'\n');
    let line = Secret::new(line);
    file.write_all(line.expose()).map_err(|error| file.failed(error))?;
    file.commit()?;
    say(&format!("{}: {} bits, KCV {kcv}", path.display(), key.len() * 8));
    Ok(())
}

fn key_of(path: &Path) -> Result<Secret, Failure> {
    let source = source(path);
    transport_key(&keys::read(&source)?, &source.to_string())
}

fn transport_key(content: &Secret, name: &str) -> Result<Secret, Failure> {
    if Part::is_part(content) || Envelope::is_envelope(content) {
        return Err(Failure::bad_input(format!(
            "{name}: this is not a key, but a part or a sealed key"
        ))
        .hint("make the key with `transport-key combine` or `transport-key unwrap` first"));
    }
    match BatchKey::transport(content, name)? {
        BatchKey::Transport(key) => Ok(key),
        _ => Err(Failure::bad_input(format!("{name}: not a transport key"))),
    }
}

fn source(path: &Path) -> Source {
    if path == Path::new("-") { Source::Descriptor(0) } else { Source::File(path.into()) }
}

fn path_of(prefix: &Path, index: u8) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(format!("-{index}.part"));
    path.into()
}

fn say(text: &str) {
    say!("{text}");
}

impl From<CustodyError> for Failure {
    fn from(error: CustodyError) -> Self {
        let exit = match error {
            CustodyError::Random(_) => Exit::Io,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}
