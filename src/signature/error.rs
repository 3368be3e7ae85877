//! What can be wrong with a signature, a certificate or a signing key.

use jiff::Timestamp;

/// Why a signature was not made or does not hold. Never quotes a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The document is not well-formed to the letter.
    #[error("line {line}: {what}: a signature is verified over well-formed XML alone")]
    Document {
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// No signature where one is needed.
    #[error("the file is not signed, and --require-signature was given")]
    Unsigned,
    /// A signature that is not where it belongs.
    #[error(
        "line {line}: a Signature inside <{within}>; only one that is a child of the root covers \
             the file"
    )]
    Misplaced {
        /// Its line.
        line: u64,
        /// The element around it.
        within: String,
    },
    /// Several signatures.
    #[error("line {line}: a second Signature; one signature covers a file")]
    Second {
        /// Line of the second.
        line: u64,
    },
    /// The signature element is not what it should be.
    #[error("the Signature of line {line}: {what}")]
    Shape {
        /// Its line.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// An algorithm that is not accepted.
    #[error("the signature asks for {what} {uri:?}, which is not accepted")]
    Unsupported {
        /// What it is for.
        what: &'static str,
        /// Its identifier, shortened.
        uri: String,
    },
    /// A symmetric MAC in place of a signature.
    #[error(
        "the signature is an HMAC: whoever can verify it can make it, so that it proves nothing"
    )]
    Hmac,
    /// A transform that can hide what was signed.
    #[error("the signature uses the transform {name} ({uri}), which can hide what was signed")]
    Transform {
        /// What it is called.
        name: &'static str,
        /// Its identifier.
        uri: String,
    },
    /// A reference to something else.
    #[error("the signature covers {uri:?}, which is outside of this file")]
    External {
        /// What it refers to.
        uri: String,
    },
    /// A reference to a part of the file.
    #[error("the signature covers the element with the id {id:?} alone, not the whole file")]
    Partial {
        /// The id.
        id: String,
    },
    /// Two elements with the id that is signed.
    #[error("line {line}: a second element with the id {id:?}, which the signature refers to")]
    DuplicateId {
        /// The id.
        id: String,
        /// Line of the second element.
        line: u64,
    },
    /// The content is not what was signed.
    #[error("{0} was changed after it was signed: its digest is not the signed one")]
    Changed(String),
    /// The signature value is not one of this key.
    #[error("the signature is not one by {0}: it was changed, or made with another key")]
    Forged(String),
    /// Nobody to hold it against.
    #[error("the signature names no certificate to verify it with")]
    NoCertificate,
    /// Signed by somebody else.
    #[error(
        "the file is signed by {found}, and --require-signature wants {wanted} or somebody with \
             a certificate issued by it"
    )]
    Stranger {
        /// Who signed.
        found: String,
        /// Who should have.
        wanted: String,
    },
    /// A key too short to be safe.
    #[error("{whose}: its RSA key has {bits} bits; 2048 to 8192 are accepted")]
    Weak {
        /// File or subject.
        whose: String,
        /// Bits.
        bits: usize,
    },
    /// A key of another kind than the algorithm.
    #[error("{whose}: {problem}")]
    Certificate {
        /// File or subject.
        whose: String,
        /// What is wrong.
        problem: String,
    },
    /// Outside of its validity.
    #[error("{whose}: the certificate is valid from {from} to {to}, and now it is {now}")]
    Validity {
        /// File or subject.
        whose: String,
        /// Start.
        from: Timestamp,
        /// End.
        to: Timestamp,
        /// The time it was held against.
        now: Timestamp,
    },
    /// The private key cannot be used.
    #[error("{file}: {problem}")]
    Key {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// Key and certificate do not belong together.
    #[error("{key} is not the private key of the certificate {certificate}")]
    Mismatch {
        /// The file with the key.
        key: String,
        /// The file with the certificate.
        certificate: String,
    },
    /// Signing itself failed.
    #[error("the signature could not be made: {0}")]
    Making(&'static str),
    /// The detached signature does not speak of this file.
    #[error("{signature} does not cover {file}; it covers {covered}")]
    NotCovered {
        /// File with the signature.
        signature: String,
        /// The file.
        file: String,
        /// What it covers.
        covered: String,
    },
    /// To be signed, and signed already.
    #[error("line {line}: the file is signed already")]
    Already {
        /// Line of the signature.
        line: u64,
    },
}

impl SignatureError {
    pub(super) fn unsupported(what: &'static str, uri: &str) -> Self {
        Self::Unsupported { what, uri: shortened(uri) }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Changed(_) | Self::Forged(_) | Self::Document { .. } => {
                "use nothing of it; ask the sender for the file again, and compare its digest with \
                 theirs by another way"
            }
            Self::Unsigned => "ask the sender for a signed file",
            Self::Stranger { .. } => {
                "use nothing of it until you know whose certificate that is; ask the sender by \
                 another way which one they sign with"
            }
            Self::NoCertificate => {
                "ask the sender for their certificate, and give it with \
                                    --require-signature"
            }
            Self::Weak { .. } | Self::Hmac | Self::Unsupported { .. } => {
                "ask the sender for a signature by RSA-SHA256 (2048 bits or more) or ECDSA-SHA256"
            }
            Self::Validity { .. } => "check the clock of this machine; ask for a new certificate",
            Self::Certificate { .. } => "give the certificate of the signer, or of who issued it",
            Self::Key { .. } => {
                "give an unencrypted PEM private key, RSA of 2048 bits or more or EC P-256; \
                 `openssl pkey -in ENCRYPTED -out KEY` decrypts one"
            }
            Self::Mismatch { .. } => "give the two files that belong together",
            Self::Making(_) => "try again, or with another key",
            Self::NotCovered { .. } => {
                "give the signature that came with this file, under its name"
            }
            Self::Already { .. } => "sign the file as it was before, or use --detached",
            Self::Misplaced { .. }
            | Self::Second { .. }
            | Self::Shape { .. }
            | Self::Transform { .. }
            | Self::External { .. }
            | Self::Partial { .. }
            | Self::DuplicateId { .. } => {
                "use nothing of it; ask the sender for one enveloped signature over the whole file"
            }
        }
    }
}

/// Text of a file, fit for a message.
pub(super) fn shortened(text: &str) -> String {
    let clean: String = text.chars().take(80).map(crate::terminal::printable).collect();
    if text.chars().nth(80).is_some() { clean + "…" } else { clean }
}
