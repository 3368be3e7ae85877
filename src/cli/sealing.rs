//! How a new PSKC file is encrypted, the same in every command that writes one.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How a new PSKC file is encrypted, and for whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Encryption of the new file (PSKC)")]
pub struct SealArgs {
    /// How values are encrypted; the length of the key chooses between 128, 192 and 256 bits
    /// [default: aes-cbc]
    #[arg(long, value_enum)]
    pub encryption: Option<EncryptionName>,
    /// MAC of the values, for the ciphers in CBC mode [default: hmac-sha1]
    #[arg(long, value_enum)]
    pub mac: Option<MacName>,
    /// Pseudo-random function of PBKDF2, for files under a passphrase [default: hmac-sha1, which
    /// some receivers assume whatever the file says]
    #[arg(long, value_enum)]
    pub prf: Option<MacName>,
    /// Allow the ciphers that are for receivers of old: 3DES and Camellia
    #[arg(long)]
    pub legacy: bool,
    /// Certificate (X.509, RSA; PEM or DER) of somebody who shall be able to read the file; may be
    /// given several times, instead of another key
    #[arg(long, value_name = "CERT")]
    pub recipient: Vec<PathBuf>,
    /// Take a passphrase of fewer than 12 characters: whoever has the file can try them all
    #[arg(long)]
    pub allow_weak_passphrase: bool,
    /// With a key in a PKCS #11 token: let the token encrypt every value, and not only the key of
    /// the file; slow, but for receivers that know no such key. Implied by --for
    #[arg(long)]
    pub pkcs11_each_value: bool,
    /// Write what this kind of server really reads, and refuse what it does not
    #[arg(long = "for", value_enum, value_name = "RECEIVER")]
    pub receiver: Option<ReceiverName>,
}

impl SealArgs {
    /// Whether anything was asked for.
    #[must_use]
    pub fn is_used(&self) -> bool {
        let Self {
            encryption,
            mac,
            prf,
            legacy,
            recipient,
            pkcs11_each_value,
            receiver,
            allow_weak_passphrase: _,
        } = self;
        *legacy
            || *pkcs11_each_value
            || encryption.is_some()
            || mac.is_some()
            || prf.is_some()
            || receiver.is_some()
            || !recipient.is_empty()
    }
}

/// `--encryption`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EncryptionName {
    /// AES-CBC with a MAC, which every reader has
    AesCbc,
    /// AES-GCM, which few readers have
    AesGcm,
    /// AES key wrap (RFC 3394): secrets of a multiple of 8 bytes
    AesKw,
    /// AES key wrap with padding (RFC 5649)
    AesKwPad,
    /// 3DES-CBC with a MAC (--legacy)
    TripledesCbc,
    /// Key wrap of 3DES (RFC 3217; --legacy)
    TripledesKw,
    /// Camellia-CBC with a MAC (--legacy)
    CamelliaCbc,
    /// Key wrap of Camellia (RFC 3657; --legacy)
    CamelliaKw,
}

/// `--mac`, `--prf`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(clippy::enum_variant_names)]
pub enum MacName {
    /// HMAC-SHA1, which every reader has
    HmacSha1,
    /// HMAC-SHA224
    HmacSha224,
    /// HMAC-SHA256
    HmacSha256,
    /// HMAC-SHA384
    HmacSha384,
    /// HMAC-SHA512
    HmacSha512,
}

/// `--for`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReceiverName {
    /// privacyIDEA 3: AES-128-CBC, its own names of the hashes
    Privacyidea,
    /// LinOTP: AES-128-CBC, no SHA-512
    Linotp,
    /// FreeIPA: AES-CBC, codes of 6 or 8 digits
    Freeipa,
    /// multiOTP 5.9: secrets in clear, as it cuts encrypted ones short
    Multiotp,
    /// WatchGuard AuthPoint: AES-128-CBC under a transport key
    Watchguard,
    /// Any that follows RFC 6030
    Generic,
}
