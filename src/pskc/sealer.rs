//! Everything about a file that is not a token: its head, its cipher, its MAC, who signs it.

use std::sync::Arc;

use super::cipher::in_token::{Failure, InToken};
use super::cipher::{Cipher, Family, Keyed, Mode};
use super::kdf::{Pbkdf2, SALT, iterations};
use super::key_info;
use super::mac::{HmacHash, Mac};
use super::pen::{Pen, push, push_base64};
use super::receiver::Receiver;
use super::sealing::{Encryption, Sealing};
use super::uri;
use super::writer::WriteError;
use crate::custody::Recipient;
use crate::keystore::BatchKey;
use crate::pkcs11::{KeyKind, TokenKey};
use crate::secret::Secret;
use crate::signature::{Sign, enveloped_len};

/// Everything about a file that is not a token, prepared once: its head, cipher and MAC.
pub struct Sealer {
    head: Vec<u8>,
    pub(super) under: Option<Under>,
    pub(super) receiver: Receiver,
    /// Who signs, and how long the signature is.
    signer: Option<(Arc<dyn Sign>, usize)>,
}

/// What encrypts the values.
pub(super) struct Under {
    pub(super) cipher: Cipher,
    pub(super) keyed: Box<dyn Keyed>,
    pub(super) mac: Option<(HmacHash, Mac)>,
    /// What stands before the base64 of each value.
    pub(super) before: Vec<u8>,
    /// What a token said, if the key is in one.
    pub(super) failure: Failure,
}

const TAIL: &[u8] = b"</KeyContainer>\n";

impl Sealer {
    /// A file under `key`, as every reader has it but for `encryption`.
    ///
    /// # Errors
    /// As [`Sealer::with`].
    pub fn new(key: &BatchKey, encryption: Encryption) -> Result<Self, WriteError> {
        Self::with(key, &Sealing { encryption, ..Sealing::default() })
    }

    /// A file under `key`. A passphrase takes a fraction of a second to become a key.
    ///
    /// # Errors
    /// [`WriteError::KeyLength`], [`WriteError::ForReading`], [`WriteError::Receiver`] or
    /// [`WriteError::Random`].
    pub fn with(key: &BatchKey, sealing: &Sealing) -> Result<Self, WriteError> {
        match key {
            BatchKey::Transport(secret) => {
                let cipher = sealing.encryption.cipher(secret.len())?;
                sealing.receiver.check_file(cipher, sealing, Some(key))?;
                Self::under(secret, cipher, sealing, &key_info::pre_shared("Pre-shared-key"))
            }
            BatchKey::Private(_) => Err(WriteError::ForReading),
            BatchKey::Token(token) => Self::with_token(token, key, sealing),
            BatchKey::Passphrase(words) => {
                let key_len = sealing.encryption.default_key_len();
                let cipher = sealing.encryption.cipher(key_len)?;
                sealing.receiver.check_file(cipher, sealing, Some(key))?;
                let mut salt = vec![0; SALT];
                getrandom::fill(&mut salt)?;
                let prf = sealing.prf;
                let kdf = Pbkdf2 { salt, iterations: iterations(prf), key_len: Some(key_len), prf };
                let info = key_info::passphrase(&kdf, key_len);
                Self::under(&kdf.derive(words, key_len), cipher, sealing, &info)
            }
        }
    }

    /// A file under a key in a token: the token wraps the key of the file, which is random and works
    /// here; or it works itself on every value, where the receiver knows no other way.
    fn with_token(
        token: &Arc<TokenKey>,
        key: &BatchKey,
        sealing: &Sealing,
    ) -> Result<Self, WriteError> {
        let KeyKind::Aes { bytes } = token.kind() else { return Err(WriteError::ForReading) };
        let cipher = sealing.encryption.cipher(bytes)?;
        let wrong = || {
            let key = token.label().to_owned();
            WriteError::TokenCipher { key, cipher: cipher.name() }
        };
        let failure = Failure::default();
        let failed = |failure: &Failure| match failure.take() {
            Some(error) => WriteError::from(Box::new(error)),
            None => wrong(),
        };
        if sealing.in_token || sealing.receiver != Receiver::Generic {
            sealing.receiver.check_file(cipher, sealing, Some(key))?;
            let keyed = InToken::new(token, cipher, &failure).ok_or_else(wrong)?;
            let info = key_info::pre_shared(token.label());
            let mut this = Self::under_keyed(Box::new(keyed), cipher, sealing, &info)
                .map_err(|error| failure.take().map_or(error, |error| Box::new(error).into()))?;
            this.under.iter_mut().for_each(|under| under.failure = failure.clone());
            return Ok(this);
        }
        let wrap = Cipher::of(Family::Aes, Mode::Wrap, bytes).ok_or_else(wrong)?;
        let content = Secret::random(bytes)?;
        let wrapped = InToken::new(token, wrap, &failure).and_then(|keyed| {
            let mut out = Vec::new();
            keyed.seal(&[], content.expose(), &mut out).map(|()| out)
        });
        let wrapped = wrapped.ok_or_else(|| failed(&failure))?;
        let info = key_info::wrapped(token.label(), wrap, &wrapped);
        Self::under(&content, cipher, sealing, &info)
    }

    /// A file that each of `recipients` can open: under a random key of its own, encrypted for
    /// each of them by RSA-OAEP.
    ///
    /// # Errors
    /// As [`Sealer::with`]; [`WriteError::NoRecipient`] when there is none.
    pub fn for_recipients(recipients: &[Recipient], sealing: &Sealing) -> Result<Self, WriteError> {
        if recipients.is_empty() {
            return Err(WriteError::NoRecipient);
        }
        let content = Secret::random(sealing.encryption.default_key_len())?;
        let cipher = sealing.encryption.cipher(content.len())?;
        sealing.receiver.check_file(cipher, sealing, None)?;
        let info = key_info::recipients(&content, recipients).map_err(Box::new)?;
        Self::under(&content, cipher, sealing, &info)
    }

    /// A file with secrets in clear, for receivers that read nothing else.
    #[must_use]
    pub fn in_clear(receiver: Receiver) -> Self {
        let mut head = Vec::new();
        open_container(&mut head);
        Self { head, under: None, receiver, signer: None }
    }

    fn under(
        key: &Secret,
        cipher: Cipher,
        sealing: &Sealing,
        key_info: &str,
    ) -> Result<Self, WriteError> {
        let wrong = WriteError::KeyLength { expected: "another number of", bytes: key.len() };
        let keyed = cipher.keyed(key.expose()).ok_or(wrong)?;
        Self::under_keyed(keyed, cipher, sealing, key_info)
    }

    fn under_keyed(
        keyed: Box<dyn Keyed>,
        cipher: Cipher,
        sealing: &Sealing,
        key_info: &str,
    ) -> Result<Self, WriteError> {
        let mut head = Vec::new();
        open_container(&mut head);
        head.extend_from_slice(key_info.as_bytes());
        let method = format!(
            "<xenc:EncryptionMethod Algorithm=\"{}\"/><xenc:CipherData><xenc:CipherValue>",
            cipher.uri()
        );
        let mut mac = None;
        if !cipher.authenticates() {
            let hash = sealing.mac;
            let mac_key = Secret::random(hash.len())?;
            let mut iv = [0; 16];
            let iv = &mut iv[..cipher.iv_len()];
            getrandom::fill(iv)?;
            let mut sealed = Vec::new();
            // A cipher in CBC mode takes any length: only a token can fail here.
            let key = || WriteError::KeyLength { expected: "a working", bytes: mac_key.len() };
            keyed.seal(iv, mac_key.expose(), &mut sealed).ok_or_else(key)?;
            push(&mut head, &["<MACMethod Algorithm=\"", hash.uri(), "\"><MACKey>", &method]);
            push_base64(&mut head, &sealed);
            push(&mut head, &["</xenc:CipherValue></xenc:CipherData></MACKey></MACMethod>\n"]);
            mac = Some((hash, Mac::new(hash, mac_key.expose())));
        }
        let before = format!("<EncryptedValue>{method}").into_bytes();
        let failure = Failure::default();
        let under = Some(Under { cipher, keyed, mac, before, failure });
        Ok(Self { head, under, receiver: sealing.receiver, signer: None })
    }

    /// The same file, signed (RFC 6030 §13.2 recommends it): RSA-SHA256 or ECDSA-SHA256 over the
    /// whole of it, behind the last key.
    ///
    /// # Errors
    /// [`WriteError::Signature`], when the signer cannot sign.
    pub fn signed_by(mut self, signer: Arc<dyn Sign>) -> Result<Self, WriteError> {
        let len = enveloped_len(&*signer).map_err(Box::new)?;
        self.signer = Some((signer, len));
        Ok(self)
    }

    /// In words, for people: `AES-128-CBC with HMAC-SHA1`.
    #[must_use]
    pub fn describe(&self) -> String {
        let values = match &self.under {
            None => "secrets in clear".into(),
            Some(Under { cipher, mac: Some((hash, _)), .. }) => {
                format!("{} with {}", cipher.name(), hash.name())
            }
            Some(under) => under.cipher.name().into(),
        };
        match &self.signer {
            None => values,
            Some((signer, _)) => format!("{values}, signed ({})", signer.method().name()),
        }
    }

    /// What stands before the first key.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// What stands after the last.
    pub(super) fn tail(&self) -> &'static [u8] {
        TAIL
    }

    /// Bytes of all that stands after the last key: signature and tail.
    pub(super) fn end_len(&self) -> usize {
        self.tail().len() + self.signer.as_ref().map_or(0, |(_, len)| *len)
    }

    /// Who signs.
    pub(super) fn signer(&self) -> Option<&dyn Sign> {
        self.signer.as_ref().map(|(signer, _)| &**signer)
    }

    /// Something to write tokens with: one per thread.
    pub(super) fn pen(&self) -> Pen<'_> {
        Pen::new(self)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({})", self.describe())
    }
}

fn open_container(out: &mut Vec<u8>) {
    push(
        out,
        &[
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<KeyContainer Version=\"1.0\" xmlns=\"",
            uri::PSKC,
            "\" xmlns:ds=\"",
            uri::DS,
            "\" xmlns:xenc=\"",
            uri::XENC,
            "\">\n",
        ],
    );
}
