//! From options to an address, a clock, PINs: for every command that talks to a server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Exit, Failure, keys, radius};
use crate::cli::{ClockArgs, PinArgs, ReachArgs};
use crate::clock::{Clock, SECOND, ScaledClock, SystemClock, system_micros};
use crate::engine::transport::{ClientIdentity, EndpointOptions, TransportError};
use crate::keystore::Source;
use crate::secret::Secret;
use crate::target::RADIUS_SECRET;

/// How the server is reached.
///
/// # Errors
/// When a credential cannot be read.
pub(super) fn endpoint(args: &ReachArgs) -> Result<EndpointOptions, Failure> {
    let identity = args.client_cert_file.clone().zip(args.client_key_file.clone());
    Ok(EndpointOptions {
        timeout: Duration::from_secs_f64(args.timeout),
        ca_file: args.ca_file.clone(),
        identity: identity.map(|(certificates, key)| ClientIdentity { certificates, key }),
        credentials: credentials(args)?,
    })
}

fn credentials(args: &ReachArgs) -> Result<BTreeMap<String, Secret>, Failure> {
    let mut credentials = BTreeMap::new();
    if let Some(secret) = radius::secret(&args.radius_secret)? {
        credentials.insert(RADIUS_SECRET.to_owned(), secret);
    }
    for setting in &args.credential {
        let Some((name, file)) = setting.split_once('=') else {
            return Err(Failure::bad_input(format!("--credential {setting:?} has no \"=\""))
                .hint("write --credential NAME=FILE, with the value on the first line of FILE"));
        };
        credentials.insert(name.to_owned(), first_line(&Source::File(file.into()).read()?));
    }
    Ok(credentials)
}

fn first_line(text: &Secret) -> Secret {
    let line = text.expose().split(|byte| *byte == b'\n').next().unwrap_or_default();
    Secret::from(line.trim_ascii_end())
}

/// Key time.
pub(super) fn clock(args: &ClockArgs) -> Arc<dyn Clock> {
    // Exactly 1 is the default, or what was typed.
    #[allow(clippy::float_cmp)]
    if args.clock_rate == 1.0 {
        return Arc::new(SystemClock);
    }
    let origin = args.clock_origin.map_or_else(system_micros, |origin| origin * SECOND);
    Arc::new(ScaledClock::new(origin, args.clock_rate))
}

/// The PIN that the server knows, and the one to choose; `None` for those not given.
///
/// # Errors
/// When one cannot be read, or is no text.
pub(super) fn pins(args: &PinArgs) -> Result<[Option<Zeroizing<String>>; 2], Failure> {
    let one = |file: &Option<std::path::PathBuf>, descriptor, prompt, question: &str| {
        if let Some(source) = keys::source(file.as_deref(), descriptor) {
            return word(&keys::read(&source)?, &source.to_string(), "PIN").map(Some);
        }
        if prompt {
            let typed = rpassword::prompt_password(question).map_err(|error| {
                Failure::new(Exit::Io, format!("cannot ask for the PIN: {error}"))
                    .hint("without a terminal, give it as a file or a file descriptor")
            })?;
            return Ok(Some(Zeroizing::new(typed)));
        }
        Ok(None)
    };
    Ok([
        one(&args.pin_file, args.pin_fd, args.pin_prompt, "PIN: ")?,
        one(&args.new_pin_file, args.new_pin_fd, args.new_pin_prompt, "New PIN: ")?,
    ])
}

/// The first line of a secret as text.
///
/// # Errors
/// When it is empty or no UTF-8.
pub(super) fn word(text: &Secret, place: &str, what: &str) -> Result<Zeroizing<String>, Failure> {
    let line = first_line(text);
    match std::str::from_utf8(line.expose()) {
        Ok(word) if !word.is_empty() => Ok(Zeroizing::new(word.to_owned())),
        Ok(_) => Err(Failure::bad_input(format!("{place}: there is no {what} on the first line"))
            .hint(format!("put the {what} on the first line, as UTF-8 text"))),
        Err(_) => Err(Failure::bad_input(format!("{place}: the {what} is no UTF-8 text"))
            .hint(format!("put the {what} on the first line, as UTF-8 text"))),
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        let exit = if error.is_input() { Exit::BadInput } else { Exit::Unreachable };
        Self::new(exit, &error).hint(error.hint())
    }
}
