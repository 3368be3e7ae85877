//! The shared secret of RADIUS, from wherever its options say.

use super::{Failure, keys};
use crate::cli::RadiusSecretArgs;
use crate::radius::SharedSecret;
use crate::secret::Secret;

/// The secret that `args` names, ready for use; `None` when they name none.
///
/// # Errors
/// As [`secret`].
pub(super) fn shared(args: &RadiusSecretArgs) -> Result<Option<SharedSecret>, Failure> {
    Ok(secret(args)?.and_then(SharedSecret::new))
}

/// The octets of the secret that `args` names; `None` when they name none.
///
/// # Errors
/// When it cannot be read or is empty.
pub(super) fn secret(args: &RadiusSecretArgs) -> Result<Option<Secret>, Failure> {
    let Some(source) = keys::source(args.radius_secret_file.as_deref(), args.radius_secret_fd)
    else {
        return Ok(None);
    };
    let secret = Secret::from(line(keys::read(&source)?.expose()));
    if secret.is_empty() {
        let message = format!("{source}: the shared secret of RADIUS is empty");
        return Err(Failure::bad_input(message)
            .hint("write the secret that client and server share into it, 16 octets or more"));
    }
    Ok(Some(secret))
}

/// `octets` without the line break that an editor puts at the end.
fn line(octets: &[u8]) -> &[u8] {
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    octets.strip_suffix(b"\r").unwrap_or(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_is_not_part_of_it() {
        assert_eq!(line(b"s3cret\n"), b"s3cret");
        assert_eq!(line(b"s3cret\r\n"), b"s3cret");
        assert_eq!(line(b" s3cret \n\n"), b" s3cret \n");
        assert_eq!(line(b""), b"");
    }
}
