//! What can go wrong between the name of a key and its use.

/// Why a key in a token could not be used. Names token and key, never a PIN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs11Error {
    /// The program was built without the feature.
    #[error("{uri}: this program was built without PKCS #11")]
    NotBuilt {
        /// The key asked for.
        uri: String,
    },
    /// Not a URI of RFC 7512, or one that asks for what is not done here.
    #[error("not a usable PKCS #11 URI: {0}")]
    Uri(String),
    /// The PIN stands in the URI.
    #[error("a PIN in a PKCS #11 URI (pin-value) is not used: arguments can be seen by others")]
    PinValue,
    /// Which library to load was not said.
    #[error("{uri}: the module of the token is not named")]
    NoModule {
        /// The key asked for.
        uri: String,
    },
    /// The library could not be loaded.
    #[error("{path}: cannot be used as a PKCS #11 module: {reason}")]
    Module {
        /// The library.
        path: String,
        /// What the loader or the module said.
        reason: String,
    },
    /// No token of this name.
    #[error("{uri}: there is no such token; the module has {present}")]
    NoToken {
        /// The key asked for.
        uri: String,
        /// What there is.
        present: String,
    },
    /// More than one token of this name.
    #[error("{uri}: several tokens are meant: {found}")]
    Tokens {
        /// The key asked for.
        uri: String,
        /// Which.
        found: String,
    },
    /// No PIN was given.
    #[error("the token {token} wants a PIN, and none was given")]
    NoPin {
        /// Label of the token.
        token: String,
    },
    /// The PIN is wrong. It is never tried again.
    #[error("the token {token} refuses the PIN{left}")]
    Pin {
        /// Label of the token.
        token: String,
        /// What the token says of the tries that are left, after a semicolon; or nothing.
        left: &'static str,
    },
    /// Too many wrong PINs: it was not tried.
    #[error("the PIN of the token {token} is locked")]
    Locked {
        /// Label of the token.
        token: String,
    },
    /// One wrong PIN locks the token, and no person typed this one: it was not tried.
    #[error(
        "the token {token} has one try of its PIN left: a PIN from a file is not risked for it"
    )]
    LastTry {
        /// Label of the token.
        token: String,
    },
    /// The user PIN was never set, or has to be changed first.
    #[error("the token {token} {problem}")]
    NotReady {
        /// Label of the token.
        token: String,
        /// What is missing.
        problem: &'static str,
    },
    /// No key of this name.
    #[error("{uri}: there is no such key; the token {token} has {present}")]
    NoKey {
        /// The key asked for.
        uri: String,
        /// Label of the token.
        token: String,
        /// What there is.
        present: String,
    },
    /// More than one key of this name.
    #[error("{uri}: several keys are meant: {found}")]
    Keys {
        /// The key asked for.
        uri: String,
        /// Which.
        found: String,
    },
    /// A name that is taken.
    #[error("{uri}: the token {token} has a key of this name already; nothing was made")]
    Exists {
        /// The key asked for.
        uri: String,
        /// Label of the token.
        token: String,
    },
    /// Another kind of key than is wanted.
    #[error("{key}: {problem}")]
    Kind {
        /// The key.
        key: String,
        /// What it is, or is not.
        problem: String,
    },
    /// The token has not this mechanism, or not with these parameters.
    #[error("{key}: the token cannot do {mechanism}")]
    Mechanism {
        /// The key.
        key: String,
        /// As PKCS #11 calls it.
        mechanism: &'static str,
    },
    /// The key may not be used so.
    #[error("{key}: the token does not permit this key to {operation}")]
    NotPermitted {
        /// The key.
        key: String,
        /// To do what.
        operation: &'static str,
    },
    /// Anything else that the token said.
    #[error("{key}: the token failed to {operation}: {reason}")]
    Failed {
        /// The key or token.
        key: String,
        /// What it was to do.
        operation: &'static str,
        /// Its words.
        reason: String,
    },
}

impl Pkcs11Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotBuilt { .. } => {
                "build it from its source: `cargo install --path . --features pkcs11 --locked`"
            }
            Self::Uri(_) => {
                "write 'pkcs11:token=LABEL;object=LABEL?module-path=/path/to/module.so' (RFC 7512); \
                 `pkcs11-tool -O` shows labels and ids"
            }
            Self::PinValue => {
                "leave pin-value out; give --pkcs11-pin-file FILE, --pkcs11-pin-fd N or \
                 pin-source=file:FILE, or wait to be asked"
            }
            Self::NoModule { .. } => {
                "add ?module-path=/path/to/module.so, for instance \
                 /usr/lib/softhsm/libsofthsm2.so or /usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
            }
            Self::Module { .. } => {
                "check module-path, and what the module itself needs (SOFTHSM2_CONF, a running \
                 daemon, permissions): `pkcs11-tool -L` with this module asks it, too"
            }
            Self::NoToken { .. } => {
                "check that it is plugged in, and its label: `pkcs11-tool -L` with \
                 the same module shows all"
            }
            Self::Tokens { .. } => "add serial= or slot-id= to the URI",
            Self::NoPin { .. } => {
                "give --pkcs11-pin-file FILE or --pkcs11-pin-fd N, or run it at a terminal"
            }
            Self::Pin { .. } => {
                "it was tried once and will not be again: find the right PIN before the next try, \
                 as tokens lock after a few"
            }
            Self::Locked { .. } => "have its security officer unlock it, by a new user PIN",
            Self::LastTry { .. } => "leave out the file and type the PIN when asked",
            Self::NotReady { .. } => "set its PIN with the token's own program first",
            Self::NoKey { .. } => {
                "check object= and id= of the URI; a private key may need the PIN to be seen"
            }
            Self::Keys { .. } => "add id= or type= (secret-key, private) to the URI",
            Self::Exists { .. } => "choose another object= for the new key",
            Self::Kind { .. } => {
                "name an AES key of 128, 192 or 256 bits, or an RSA private key of 2048 bits or more; \
                 docs/custody.md says how to import one whole"
            }
            Self::Mechanism { .. } => {
                "`pkcs11-tool -M` shows what it can do; docs/custody.md says what is \
                 needed for what"
            }
            Self::NotPermitted { .. } => {
                "the attributes of the key decide (CKA_WRAP, CKA_UNWRAP, CKA_ENCRYPT, CKA_DECRYPT, \
                 CKA_SIGN); docs/custody.md says which are needed"
            }
            Self::Failed { .. } => "check the token; its own log may say more",
        }
    }
}
