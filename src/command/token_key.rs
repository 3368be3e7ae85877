//! A key in a PKCS #11 token, from the options that name it: the token, one PIN, one try.

use std::path::Path;

use super::keys::{read, source};
use super::{Exit, Failure};
use crate::cli::TokenPinArgs;
use crate::keystore::{BatchKey, Source};
use crate::pkcs11::{CryptoToken, KeyUri, Pin, PinNeed, Pkcs11Error, TokenKey};
use crate::secret::Secret;

/// The key that `uri` names, for a batch.
pub(super) fn batch_key(uri: &str, pin: &TokenPinArgs) -> Result<BatchKey, Failure> {
    let key = find(uri, pin)?;
    let name = key.name().to_owned();
    let key = BatchKey::in_token(key)?;
    if matches!(key, BatchKey::Transport(_)) {
        say!("note: {name}: the token gives this key away, and so it works here, at full speed");
    }
    Ok(key)
}

/// The key that `uri` names.
pub(super) fn find(uri: &str, pin: &TokenPinArgs) -> Result<TokenKey, Failure> {
    let uri = KeyUri::parse(uri)?;
    Ok(open(&uri, pin)?.key(&uri)?)
}

/// A new AES key of `bytes` bytes, named as `uri` says.
pub(super) fn make(uri: &str, pin: &TokenPinArgs, bytes: usize) -> Result<TokenKey, Failure> {
    let uri = KeyUri::parse(uri)?;
    Ok(open(&uri, pin)?.new_key(&uri, bytes)?)
}

/// The token that `uri` names, ready to show its keys.
fn open(uri: &KeyUri, args: &TokenPinArgs) -> Result<CryptoToken, Failure> {
    let given = source(args.pkcs11_pin_file.as_deref(), args.pkcs11_pin_fd);
    let given = match (given, uri.pin_file()) {
        (Some(_), Some(_)) => {
            return Err(Failure::bad_input(
                "pin-source in the URI, and the PIN from elsewhere, too",
            )
            .hint("leave one of them out"));
        }
        (given, file) => given.or_else(|| file.map(|file| Source::File(file.to_owned()))),
    };
    let token = CryptoToken::find(uri)?;
    match token.need()? {
        PinNeed::None => {}
        PinNeed::OnToken => {
            say!("{}: type the PIN on the token", token.label());
            token.log_in(None)?;
        }
        PinNeed::Here => {
            let pin = match given {
                Some(source) => Pin { secret: first_line(&read(&source)?), typed: false },
                None => Pin { secret: ask(token.label())?, typed: true },
            };
            token.log_in(Some(&pin))?;
        }
    }
    Ok(token)
}

fn first_line(content: &Secret) -> Secret {
    let line = content.expose().split(|byte| *byte == b'\n').next().unwrap_or_default();
    Secret::from(line.strip_suffix(b"\r").unwrap_or(line))
}

fn ask(token: &str) -> Result<Secret, Failure> {
    // Without a terminal there is nobody to ask, whatever the reason that it says.
    if !Path::new("/dev/tty").exists() {
        return Err(Pkcs11Error::NoPin { token: token.to_owned() }.into());
    }
    rpassword::prompt_password(format!("PIN of the token {token}: "))
        .map(|text| Secret::new(text.into_bytes()))
        .map_err(|_| Pkcs11Error::NoPin { token: token.to_owned() }.into())
}

impl From<Pkcs11Error> for Failure {
    fn from(error: Pkcs11Error) -> Self {
        let exit = match error {
            Pkcs11Error::Module { .. } | Pkcs11Error::Failed { .. } => Exit::Io,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}
