//! From tokens to a file.

use std::io::{self, Write};
use std::sync::mpsc;

use super::pen::Pen;
use super::sealer::Sealer;
use crate::atomic_file::write_hint;
use crate::pkcs11::Pkcs11Error;
use crate::seen::Seen;
use crate::signature::{SignatureError, Signing};
use crate::token::{Fragment, Token};

/// Bytes gathered before they are written.
const GATHER: usize = 256 * 1024;

/// A PSKC file being written, one token at a time (RFC 6030 §8: one `KeyPackage` per key).
///
/// The file is complete only after [`Writer::finish`].
pub struct Writer<'a, W> {
    out: W,
    sealer: &'a Sealer,
    gathered: Vec<u8>,
    ids: Seen,
    pen: Option<Pen<'a>>,
    signing: Option<Signing<'a>>,
    /// Bytes that went out.
    written: u64,
    /// `Extensions` of the container, for its end.
    extensions: Vec<Fragment>,
}

/// Why a file could not be written. Names the key by its serial number, never by its secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The cipher takes no key of this length.
    #[error("a key of {expected} bytes is needed, this one has {bytes}")]
    KeyLength {
        /// What the cipher takes.
        expected: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// A private key opens, it does not seal.
    #[error("a private key only reads: a file is written for certificates")]
    ForReading,
    /// A file for nobody.
    #[error("there is no recipient to encrypt the file for")]
    NoRecipient,
    /// The key of the values could not be encrypted for a recipient.
    #[error(transparent)]
    Recipient(#[from] Box<crate::custody::CustodyError>),
    /// The file could not be signed.
    #[error(transparent)]
    Signature(#[from] Box<SignatureError>),
    /// The token that holds the key failed.
    #[error(transparent)]
    Token(#[from] Box<Pkcs11Error>),
    /// The key in the token is for other ciphers.
    #[error("the key {key} in the token is not for {cipher}")]
    TokenCipher {
        /// Its label.
        key: String,
        /// What is asked for.
        cipher: &'static str,
    },
    /// The receiver does not read such files.
    #[error("{receiver} does not read {what}")]
    Receiver {
        /// Name of the receiver.
        receiver: &'static str,
        /// What it does not read.
        what: String,
    },
    /// The receiver would take the key for something else.
    #[error("key {serial}: {receiver} does not read {what}")]
    ReceiverToken {
        /// Serial number of the key.
        serial: String,
        /// Name of the receiver.
        receiver: &'static str,
        /// What it does not read.
        what: String,
    },
    /// A key wrap takes only some lengths.
    #[error("key {serial}: {cipher} takes no secret of {bytes} bytes")]
    SecretLength {
        /// Serial number of the key.
        serial: String,
        /// Name of the cipher.
        cipher: &'static str,
        /// Length of the secret.
        bytes: usize,
    },
    /// A text holds a character that XML cannot carry.
    #[error("key {serial}: {field} holds {character:?}, which XML cannot carry")]
    Character {
        /// Serial number of the key.
        serial: String,
        /// Element or attribute.
        field: &'static str,
        /// The character.
        character: char,
    },
    /// A token without a secret.
    #[error("key {serial}: it has no secret to write")]
    NoSecret {
        /// Serial number of the key.
        serial: String,
    },
    /// Two tokens with one id.
    #[error("key {serial}: its id {id:?} was used by a key before it")]
    DuplicateId {
        /// Serial number of the key.
        serial: String,
        /// The id.
        id: String,
    },
    /// The operating system has no random bytes to give.
    #[error("the operating system gave no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The bytes could not be written.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
}

impl WriteError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::KeyLength { .. } => "give twice as many hexadecimal digits as the key has bytes",
            Self::NoRecipient => "name a certificate with --recipient",
            Self::Recipient(error) => error.hint(),
            Self::Signature(error) => error.hint(),
            Self::Token(error) => error.hint(),
            Self::TokenCipher { .. } => "tokens work with AES alone: choose --encryption aes-cbc",

            Self::Receiver { .. } => {
                "see the table of receivers in docs/pskc.md, or leave out --for to decide yourself"
            }
            Self::ReceiverToken { .. } => {
                "leave this key out, or leave out --for to decide yourself"
            }
            Self::SecretLength { .. } => {
                "choose --encryption aes-kw-pad or aes-cbc, which take every length"
            }
            Self::ForReading => "name the certificate of whoever shall read the file",
            Self::Character { .. } => "leave control characters out of it",
            Self::NoSecret { .. } => "leave this key out, or get its secret first",
            Self::DuplicateId { .. } => "give each key an id of its own",
            Self::Random(_) => "the system is still starting up, or its getrandom call is blocked",
            Self::Io(error) => write_hint(error),
            Self::Stopped => "run the same command again",
        }
    }
}

impl<'a, W: Write> Writer<'a, W> {
    /// Starts a file.
    ///
    /// # Errors
    /// When its head cannot be written.
    pub fn new(out: W, sealer: &'a Sealer) -> Result<Self, WriteError> {
        let (gathered, ids, extensions) = (Vec::new(), Seen::default(), Vec::new());
        let signing = sealer.signer().map(Signing::new);
        let (pen, written) = (None, 0);
        let mut this = Self { out, sealer, gathered, ids, pen, signing, written, extensions };
        this.put(sealer.head())?;
        Ok(this)
    }

    /// Adds `token` if the file, ended behind it, has at most `most` bytes; says whether it did.
    ///
    /// # Errors
    /// As [`Writer::write_all`].
    pub fn write_within(&mut self, token: &Token, most: u64) -> Result<bool, WriteError> {
        let before = self.gathered.len();
        let pen = self.pen.get_or_insert_with(|| self.sealer.pen());
        pen.write(token, &mut self.gathered)?;
        let whole = self.written + (self.gathered.len() + self.sealer.end_len()) as u64;
        if whole > most {
            self.gathered.truncate(before);
            return Ok(false);
        }
        if !self.ids.insert(&token.key_id) {
            let (serial, id) = (token.serial.to_string(), token.key_id.clone());
            return Err(WriteError::DuplicateId { serial, id });
        }
        if self.gathered.len() >= GATHER {
            self.write_gathered()?;
        }
        Ok(true)
    }

    /// Adds tokens.
    ///
    /// # Errors
    /// The first error of `tokens` or of writing.
    pub fn write_all<E>(
        &mut self,
        tokens: impl IntoIterator<Item = Result<Token, E>>,
    ) -> Result<(), E>
    where
        E: From<WriteError>,
    {
        let mut pen = self.sealer.pen();
        for token in tokens {
            let token = token?;
            if !self.ids.insert(&token.key_id) {
                let serial = token.serial.to_string();
                return Err(WriteError::DuplicateId { serial, id: token.key_id }.into());
            }
            pen.write(&token, &mut self.gathered)?;
            if self.gathered.len() >= GATHER {
                self.write_gathered()?;
            }
        }
        Ok(())
    }

    /// Adds tokens made and encrypted by several threads, in order: `make(n)` gives the tokens of
    /// chunk `n`, which are not looked at for repeated ids. After each chunk `go_on` is told how
    /// many tokens are in the file; when it says no, nothing more is written.
    ///
    /// # Errors
    /// The first error, in the order of the file; [`WriteError::Stopped`] when `go_on` said no.
    pub fn write_chunks<I>(
        &mut self,
        threads: usize,
        chunks: u64,
        make: impl Fn(u64) -> I + Sync,
        mut go_on: impl FnMut(u64) -> bool,
    ) -> Result<(), WriteError>
    where
        I: Iterator<Item = Result<Token, WriteError>>,
    {
        self.write_gathered()?;
        let (sealer, make) = (self.sealer, &make);
        std::thread::scope(|scope| {
            let mut workers = Vec::new();
            for first in 0..threads.max(1) as u64 {
                // Two chunks ahead of the file at most: memory stays flat.
                let (chunk_out, chunk_in) = mpsc::sync_channel(2);
                let (spare_out, spare_in) = mpsc::channel();
                scope.spawn(move || {
                    let mut pen = sealer.pen();
                    for chunk in (first..chunks).step_by(threads.max(1)) {
                        let mut bytes: Vec<u8> = spare_in.try_recv().unwrap_or_default();
                        bytes.clear();
                        let mut count = 0;
                        let mut done = Ok(());
                        for token in make(chunk) {
                            done = token.and_then(|token| pen.write(&token, &mut bytes));
                            if done.is_err() {
                                break;
                            }
                            count += 1;
                        }
                        let failed = done.is_err();
                        let chunk = done.map(|()| (bytes, count));
                        if chunk_out.send(chunk).is_err() || failed {
                            return;
                        }
                    }
                });
                workers.push((chunk_in, spare_out));
            }
            let mut written = 0;
            for (chunk_in, spare_out) in
                (0..chunks).map(|chunk| &workers[chunk as usize % workers.len()])
            {
                let Ok(chunk) = chunk_in.recv() else { return Err(WriteError::Stopped) };
                let (bytes, count) = chunk?;
                self.put(&bytes)?;
                written += count;
                let _ = spare_out.send(bytes);
                if !go_on(written) {
                    return Err(WriteError::Stopped);
                }
            }
            Ok(())
        })
    }

    /// Adds `extensions` of the container, behind its last key.
    pub fn extend(&mut self, extensions: &[Fragment]) {
        self.extensions.extend_from_slice(extensions);
    }

    /// Ends the file and gives back what it was written to, flushed.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.write_gathered()?;
        let mut rest = Vec::new();
        for extension in &self.extensions {
            rest.extend_from_slice(extension.expose_xml().as_bytes());
        }
        rest.extend_from_slice(self.sealer.tail());
        if let Some(signing) = self.signing.take() {
            let signature = signing.finish(&rest).map_err(Box::new)?;
            self.put(signature.as_bytes())?;
        }
        self.put(&rest)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write_gathered(&mut self) -> Result<(), WriteError> {
        let mut gathered = std::mem::take(&mut self.gathered);
        self.put(&gathered)?;
        gathered.clear();
        self.gathered = gathered;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        if let Some(signing) = &mut self.signing {
            signing.update(bytes).map_err(Box::new)?;
        }
        Ok(())
    }
}

impl<W> std::fmt::Debug for Writer<'_, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("written", &self.written).finish_non_exhaustive()
    }
}
