//! The encryption of a new PSKC file, from the options of the command that writes it.

use std::path::Path;

use jiff::Timestamp;

use super::{Failure, keys, signed};
use crate::cli::{EncryptionName, KeyArgs, MacName, ReceiverName, SealArgs};
use crate::counted::counted;
use crate::custody::Recipient;
use crate::interrupt::Interrupt;
use crate::keystore::{BatchKey, NewTransportKey};
use crate::pskc::{Encryption, HmacHash, Limit, Receiver, Sealer, Sealing, WriteError};
use crate::secret::Secret;

/// How the file is to be encrypted.
pub(super) fn sealing(args: &SealArgs) -> Result<Sealing, Failure> {
    let encryption = match args.encryption {
        None | Some(EncryptionName::AesCbc) => Encryption::AesCbc,
        Some(EncryptionName::AesGcm) => Encryption::AesGcm,
        Some(EncryptionName::AesKw) => Encryption::AesKw,
        Some(EncryptionName::AesKwPad) => Encryption::AesKwPad,
        Some(EncryptionName::TripledesCbc) => Encryption::TripleDesCbc,
        Some(EncryptionName::TripledesKw) => Encryption::TripleDesKw,
        Some(EncryptionName::CamelliaCbc) => Encryption::CamelliaCbc,
        Some(EncryptionName::CamelliaKw) => Encryption::CamelliaKw,
    };
    if encryption.is_legacy() && !args.legacy {
        return Err(Failure::bad_input("3DES and Camellia are for receivers of old alone").hint(
            "choose --encryption aes-cbc, or add --legacy if the receiver has nothing else",
        ));
    }
    let unused = |option: &str, why: &str| {
        Failure::bad_input(format!("{option} would go unused: {why}"))
            .hint(format!("leave out {option}"))
    };
    if args.legacy && !encryption.is_legacy() {
        return Err(unused(
            "--legacy",
            "it allows for 3DES and Camellia, and --encryption names neither",
        ));
    }
    if args.mac.is_some() && !encryption.has_mac() {
        return Err(unused("--mac", "only ciphers in CBC mode have a MAC beside them"));
    }
    Ok(Sealing {
        in_token: args.pkcs11_each_value,
        encryption,
        mac: hash(args.mac),
        prf: hash(args.prf),
        receiver: match args.receiver {
            None | Some(ReceiverName::Generic) => Receiver::Generic,
            Some(ReceiverName::Privacyidea) => Receiver::PrivacyIdea,
            Some(ReceiverName::Linotp) => Receiver::LinOtp,
            Some(ReceiverName::Freeipa) => Receiver::FreeIpa,
            Some(ReceiverName::Multiotp) => Receiver::MultiOtp,
            Some(ReceiverName::Watchguard) => Receiver::WatchGuard,
        },
    })
}

/// Refuses to write the new key to where the batch goes.
pub(super) fn check_names(out: &Path, new_key: Option<&Path>) -> Result<(), Failure> {
    match new_key {
        Some(key) if key == out => {
            let name = out.display();
            Err(Failure::bad_input(format!("{name} cannot be both the batch and its new key"))
                .hint("give the key a file of its own, which travels by another way"))
        }
        _ => Ok(()),
    }
}

fn hash(name: Option<MacName>) -> HmacHash {
    match name {
        None | Some(MacName::HmacSha1) => HmacHash::Sha1,
        Some(MacName::HmacSha224) => HmacHash::Sha224,
        Some(MacName::HmacSha256) => HmacHash::Sha256,
        Some(MacName::HmacSha384) => HmacHash::Sha384,
        Some(MacName::HmacSha512) => HmacHash::Sha512,
    }
}

/// Under what a new file is encrypted.
pub(super) enum NewKey {
    /// A key had already.
    Had(BatchKey),
    /// A new key, still without its own file.
    New(Box<NewTransportKey>),
    /// The certificates of those who shall read it.
    Recipients(Vec<Recipient>),
}

/// Fewest characters of a passphrase for a new file. Whoever has the file
/// can try short ones without end, and no number of iterations makes up for that.
const PASSPHRASE: usize = 12;

fn strong(passphrase: &Secret) -> Result<(), Failure> {
    let characters = String::from_utf8_lossy(passphrase.expose()).chars().count();
    if characters >= PASSPHRASE {
        return Ok(());
    }
    Err(Failure::bad_input(format!(
        "the passphrase has {}, fewer than {PASSPHRASE}: whoever gets hold of the file can try them \
         all",
        counted(characters, "character", "characters")
    ))
    .hint("take four or five random words, or a transport key (--new-transport-key); \
           --allow-weak-passphrase writes it nevertheless"))
}

impl NewKey {
    /// The key that the options name; `None` when they name none. `new` is where a new key goes.
    pub(super) fn of(
        args: &SealArgs,
        sealing: &Sealing,
        new: Option<&Path>,
        key: &KeyArgs,
    ) -> Result<Option<Self>, Failure> {
        if args.pkcs11_each_value && key.pkcs11_key.is_none() {
            return Err(Failure::bad_input(
                "--pkcs11-each-value is for a key in a PKCS #11 token, and none is given",
            )
            .hint(
                "leave it out, or name the key with --pkcs11-key, or --out-pkcs11-key in export",
            ));
        }
        if args.prf.is_some() && !keys::is_passphrase(key) {
            return Err(Failure::bad_input(
                "--prf would go unused: it makes a key of a passphrase, and none is given",
            )
            .hint("leave out --prf"));
        }
        if args.recipient.is_empty() {
            if let Some(path) = new {
                let bytes = sealing.encryption.default_key_len();
                let key = NewTransportKey::create_of(path, bytes)?;
                return Ok(Some(Self::New(Box::new(key))));
            }
            let key = keys::resolve_new(key)?;
            if let Some(BatchKey::Passphrase(passphrase)) = &key
                && !args.allow_weak_passphrase
            {
                strong(passphrase)?;
            }
            return Ok(key.map(Self::Had));
        }
        if new.is_some() || keys::is_given(key) {
            return Err(Failure::bad_input("--recipient and another key exclude each other")
                .hint("a file is for the holders of certificates, or for those of one key"));
        }
        let most = Limit::Recipients.default_value();
        if args.recipient.len() as u64 > most {
            return Err(Failure::bad_input(format!(
                "{} recipients, and readers refuse a file with more than {most}",
                args.recipient.len()
            ))
            .hint("make one file for each group of recipients, or a certificate for all of them"));
        }
        let now = Timestamp::now();
        let read = |path: &std::path::PathBuf| {
            let file = path.display().to_string();
            let content = signed::content(path, &Interrupt::installed())?;
            Ok(Recipient::from_certificate(&file, &content, now)?)
        };
        let recipients: Result<_, Failure> = args.recipient.iter().map(read).collect();
        Ok(Some(Self::Recipients(recipients?)))
    }

    /// What encrypts the file.
    pub(super) fn sealer(&self, sealing: &Sealing) -> Result<Sealer, WriteError> {
        match self {
            Self::Recipients(recipients) => Sealer::for_recipients(recipients, sealing),
            Self::Had(key) => Sealer::with(key, sealing),
            Self::New(new) => Sealer::with(new.key(), sealing),
        }
    }

    /// The key, unless it is random for every file.
    pub(super) fn key(&self) -> Option<&BatchKey> {
        match self {
            Self::Had(key) => Some(key),
            Self::New(new) => Some(new.key()),
            Self::Recipients(_) => None,
        }
    }

    /// The file of a new key.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::New(new) => Some(new.path()),
            Self::Had(_) | Self::Recipients(_) => None,
        }
    }

    /// Gives a new key its file, whose name comes back.
    pub(super) fn commit(self, path: Option<&Path>) -> Result<Option<&Path>, Failure> {
        match self {
            Self::New(new) => {
                new.commit()?;
                Ok(path)
            }
            Self::Had(_) | Self::Recipients(_) => Ok(None),
        }
    }
}
