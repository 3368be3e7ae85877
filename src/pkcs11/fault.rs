//! What a module answers, in our words.

use cryptoki::error::{Error, RvError};

use super::Pkcs11Error;

/// The error of `key` when it was to `operation` by `mechanism`.
pub(super) fn failure(
    key: &str,
    operation: &'static str,
    mechanism: &'static str,
    error: &Error,
) -> Pkcs11Error {
    let key = key.to_owned();
    match error {
        Error::Pkcs11(rv, _) if is_unsupported(rv) => Pkcs11Error::Mechanism { key, mechanism },
        Error::Pkcs11(
            RvError::KeyFunctionNotPermitted
            | RvError::KeyTypeInconsistent
            | RvError::KeyUnextractable
            | RvError::KeyNotWrappable
            | RvError::UserNotLoggedIn
            | RvError::ActionProhibited,
            _,
        ) => Pkcs11Error::NotPermitted { key, operation },
        error => Pkcs11Error::Failed { key, operation, reason: words(error) },
    }
}

/// The module has no such function, mechanism or parameters.
pub(super) fn is_unsupported(rv: &RvError) -> bool {
    matches!(
        rv,
        RvError::MechanismInvalid
            | RvError::MechanismParamInvalid
            | RvError::ArgumentsBad
            | RvError::FunctionNotSupported
    )
}

/// What was given to the token was wrong, and not the token. Modules answer a failed padding or
/// check value in many ways, of which the last two are the most frequent.
pub(super) fn is_data(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::EncryptedDataInvalid
                | RvError::EncryptedDataLenRange
                | RvError::WrappedKeyInvalid
                | RvError::WrappedKeyLenRange
                | RvError::DataInvalid
                | RvError::DataLenRange
                | RvError::FunctionFailed
                | RvError::GeneralError,
            _
        )
    )
}

/// `CKR_DEVICE_REMOVED` for an answer of the module: what its manual and its log call it.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::Pkcs11(RvError::VendorDefined(code) | RvError::UnknownErrorCode(code), _) => {
            format!("CKR 0x{code:08X}")
        }
        Error::Pkcs11(rv, _) => {
            let mut name = "CKR".to_owned();
            for letter in format!("{rv:?}").chars() {
                if letter.is_ascii_uppercase() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            name
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn answers_have_the_names_of_the_standard() {
        for (rv, name) in [
            (RvError::DeviceRemoved, "CKR_DEVICE_REMOVED"),
            (RvError::PinLocked, "CKR_PIN_LOCKED"),
            (RvError::VendorDefined(0x8000_0001), "CKR 0x80000001"),
        ] {
            assert_eq!(words(&Error::Pkcs11(rv, Function::Decrypt)), name);
        }
    }
}
