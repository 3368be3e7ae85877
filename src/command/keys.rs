//! The key of a batch, from wherever the key options say.

use super::{Exit, Failure, token_key};
use crate::cli::KeyArgs;
use crate::interrupt::{Interrupt, Interrupted};
use crate::keystore::{BatchKey, KeystoreError, Source};
use crate::pskc::{Limits, Options};
use crate::secret::Secret;

/// The key that `args` names; `None` when they name none.
///
/// # Errors
/// When it cannot be read or is no key.
pub(super) fn resolve(args: &KeyArgs) -> Result<Option<BatchKey>, Failure> {
    let transport = source(args.transport_key_file.as_deref(), args.transport_key_fd);
    let passphrase = source(args.passphrase_file.as_deref(), args.passphrase_fd);
    let private = source(args.private_key_file.as_deref(), args.private_key_fd);
    let key = if let Some(source) = transport {
        BatchKey::transport(&read(&source)?, &source.to_string())?
    } else if let Some(source) = passphrase {
        BatchKey::passphrase(&read(&source)?, &source.to_string())?
    } else if let Some(source) = private {
        BatchKey::private(&read(&source)?, &source.to_string())?
    } else if args.transport_key_prompt {
        BatchKey::transport(&ask("Transport key (hexadecimal): ")?, "what was typed")?
    } else if args.passphrase_prompt {
        BatchKey::passphrase(&ask("Passphrase: ")?, "what was typed")?
    } else if let Some(uri) = &args.pkcs11_key {
        token_key::batch_key(uri, &args.token_pin)?
    } else {
        return Ok(None);
    };
    Ok(Some(key))
}

/// Whether `args` name a key.
pub(super) fn is_given(args: &KeyArgs) -> bool {
    args.transport_key_file.is_some()
        || args.transport_key_fd.is_some()
        || args.transport_key_prompt
        || args.passphrase_file.is_some()
        || args.passphrase_fd.is_some()
        || args.passphrase_prompt
        || args.private_key_file.is_some()
        || args.private_key_fd.is_some()
        || args.pkcs11_key.is_some()
}

/// How a batch is to be read, as `args` say.
///
/// # Errors
/// When the IV is none, or a limit cannot be set.
pub(super) fn options(args: &KeyArgs) -> Result<Options, Failure> {
    let iv = args.cbc_iv.as_deref().map(|text| {
        let iv = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        iv.filter(|iv| matches!(iv.len(), 8 | 16)).ok_or_else(|| {
            Failure::bad_input("--cbc-iv is not an IV")
                .hint("give 32 hexadecimal digits (AES, Camellia) or 16 (3DES)")
        })
    });
    let mut limits = Limits::default();
    for text in &args.limit {
        limits
            .set(text)
            .map_err(|error| Failure::bad_input(format!("--limit: {error}")).hint(error.hint()))?;
    }
    Ok(Options {
        limits,
        allow_unauthenticated: args.allow_unauthenticated,
        iv: iv.transpose()?,
        // A signature beside the file is one over its bytes, whatever they mean.
        utf8: args.require_signature.is_some() && args.detached_signature.is_none(),
        ..Options::default()
    })
}

/// Whether `args` name a passphrase.
pub(super) fn is_passphrase(args: &KeyArgs) -> bool {
    args.passphrase_file.is_some() || args.passphrase_fd.is_some() || args.passphrase_prompt
}

/// As [`resolve`], for a batch that is about to be encrypted: a passphrase is asked for twice, as
/// a mistyped one would lock the batch for good.
pub(super) fn resolve_new(args: &KeyArgs) -> Result<Option<BatchKey>, Failure> {
    let key = resolve(args)?;
    if args.passphrase_prompt || args.transport_key_prompt {
        let again = match &key {
            Some(BatchKey::Passphrase(_)) => {
                BatchKey::passphrase(&ask("The same again: ")?, "what was typed")?
            }
            _ => BatchKey::transport(&ask("The same again: ")?, "what was typed")?,
        };
        if key.as_ref() != Some(&again) {
            return Err(Failure::bad_input("the two differ").hint("type it again, twice alike"));
        }
    }
    Ok(key)
}

pub(super) fn source(file: Option<&std::path::Path>, descriptor: Option<u32>) -> Option<Source> {
    file.map(|path| Source::File(path.into())).or_else(|| descriptor.map(Source::Descriptor))
}

/// The content of a file or descriptor that holds a secret; warns when others may read it.
pub(super) fn read(source: &Source) -> Result<Secret, Failure> {
    let secret = source.read()?;
    if source.is_open_to_others() {
        say!("warning: {source}: others may read this key; chmod 600 {source}");
    }
    Ok(secret)
}

fn ask(prompt: &str) -> Result<Secret, Failure> {
    rpassword::prompt_password(prompt).map(|text| Secret::new(text.into_bytes())).map_err(|error| {
        // Ctrl-C at the prompt.
        if error.kind() == std::io::ErrorKind::Interrupted {
            let signal = Interrupt::installed().signal().unwrap_or(2);
            return Failure::new(
                Exit::of_signal(signal),
                "interrupted while the key was asked for",
            );
        }
        Failure::new(Exit::Io, format!("cannot ask for the key: {error}"))
            .hint("without a terminal, give it as a file or a file descriptor")
    })
}

impl From<KeystoreError> for Failure {
    fn from(error: KeystoreError) -> Self {
        let exit = match &error {
            KeystoreError::Read { from, source } if Interrupted::of(source).is_some() => {
                return Self::unreadable(from, source);
            }
            KeystoreError::Read { .. } | KeystoreError::Random(_) => Exit::Io,
            KeystoreError::Write(crate::atomic_file::AtomicFileError::Exists(_)) => Exit::BadInput,
            KeystoreError::Write(_) => Exit::Io,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}
