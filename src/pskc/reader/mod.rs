//! From bytes to tokens, one key at a time, distrusting the file.
//!
//! What a file holds (RFC 6030 §4), in this order:
//! ```text
//! KeyContainer
//!   EncryptionKey?  MACMethod?                     -> header
//!   KeyPackage*  ( DeviceInfo? CryptoModuleInfo? Key? )   -> package
//!   Signature?  Extensions*
//! ```
//! Within a package, `key`, `data` and `policy` read the parts of a key into a `draft`, of which
//! `token` makes a token.
//! The MAC of a value is checked before the value is decrypted, and a token is given out only
//! when all of it was read.

mod data;
mod draft;
mod header;
mod key;
mod method;
mod package;
mod policy;
mod token;
mod values;
mod vault;

use std::io::Read;
use std::sync::Arc;

use super::dialect::{Dialect, Document};
use super::error::{Error, Fault, shown};
use super::limits::{Limit, Limits};
use super::xml::Element;
use crate::keystore::BatchKey;
use crate::seen::Seen;
use crate::token::{Details, Fragment, Token};
use vault::Vault;

/// How a file is to be read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Reads CBC values without `ValueMAC`, and secrets in clear although a key was given, and
    /// MACs made over the plaintext as some drafts had it. Changes to such values go unnoticed.
    pub allow_unauthenticated: bool,
    /// Without a key, gives tokens with empty secrets instead of refusing an encrypted file.
    pub locked: bool,
    /// The IV of all CBC values, for files that leave it out of them.
    pub iv: Option<Vec<u8>>,
    /// Refuses what is not UTF-8: a signature is verified over nothing else.
    pub utf8: bool,
    /// How much the file may ask for.
    pub limits: Limits,
}

/// Under what a file's values are encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Protection {
    /// Nothing: values in clear.
    #[default]
    None,
    /// A pre-shared key, with its name if the file gives one.
    TransportKey(Option<String>),
    /// A passphrase, by PBKDF2.
    Passphrase {
        /// Its name, if the file gives one.
        name: Option<String>,
        /// The pseudo-random function, as `HMAC-SHA1`.
        prf: &'static str,
        /// Iterations.
        iterations: u32,
    },
    /// A key of the file's own, wrapped under a pre-shared key, with its name if the file gives one.
    WrappedKey(Option<String>),
    /// The public key of a certificate.
    Certificate,
}

/// What is known of a file so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Which PSKC it is in.
    pub dialect: Dialect,
    /// Under what its values are encrypted.
    pub protection: Protection,
    /// Cipher of its values, as `AES-128-CBC`.
    pub cipher: Option<&'static str>,
    /// MAC of its values, as `HMAC-SHA1`.
    pub mac: Option<&'static str>,
    /// Keys read.
    pub keys: u64,
    /// Secrets whose integrity was verified, by MAC or authenticating cipher.
    pub verified: u64,
    /// Secrets read in clear.
    pub in_clear: u64,
    /// Secrets decrypted with nothing to vouch for them.
    pub unauthenticated: u64,
    /// Secrets left encrypted for want of a key.
    pub locked: u64,
    /// Keys that only name a secret kept elsewhere (`KeyReference`).
    pub references: u64,
    /// Packages of a device without a key, which are passed over.
    pub without_key: u64,
    /// Whether there is an XML signature; it is not verified here.
    pub signed: bool,
}

impl Summary {
    /// Whether whoever has a certificate, which is public, can make such a file: its secrets, or the
    /// key of its secrets and of their MACs, are encrypted by a public key.
    #[must_use]
    pub fn is_open_to_forgers(&self) -> bool {
        self.protection == Protection::Certificate
            || self.cipher.is_some_and(|cipher| cipher.starts_with("RSA"))
    }
}

/// A PSKC file as a stream of tokens.
///
/// After the first error the stream ends: what follows a fault is not trusted.
pub struct Reader<R> {
    cursor: Document<R>,
    vault: Vault,
    ids: Seen,
    options: Options,
    summary: Summary,
    state: State,
    current: Current,
    sealed: Sealed,
    /// Those of the last key that had some.
    last_details: Option<Arc<Details>>,
    /// `Extensions` of the container.
    extensions: Vec<Fragment>,
    /// Bytes that these may still have.
    room: u64,
}

/// Serial number or id of the key being read, for messages.
#[derive(Default)]
struct Current {
    name: String,
    known: bool,
}

impl Current {
    fn set(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(name);
        self.known = true;
    }
}

/// Buffers for the encrypted value being read, and its MAC; kept, as each key has them.
#[derive(Default)]
struct Sealed {
    value: header::Encrypted,
    mac: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Inside the container; the first package, if any, is entered already.
    Entered,
    /// Inside the container.
    Between,
    /// At the end, or after an error.
    Done,
}

impl<R: Read> Reader<R> {
    /// Reads the head of a file: all that comes before its keys.
    ///
    /// # Errors
    /// [`Error`] when the head is no PSKC, or asks for what is not supported. Whether the key is
    /// the right one shows at the first value.
    pub fn new(input: R, key: Option<&BatchKey>, options: Options) -> Result<Self, Error> {
        let cursor = Document::new(input, options.limits.clone())
            .map_err(|(fault, (line, column))| Error { line, column, key: None, fault })?;
        let mut this = Self {
            cursor,
            vault: Vault::new(key.cloned(), &options),
            ids: Seen::default(),
            room: options.limits.get(Limit::Extensions),
            options,
            summary: Summary::default(),
            state: State::Between,
            current: Current::default(),
            sealed: Sealed::default(),
            last_details: None,
            extensions: Vec::new(),
        };
        let result = match this.options.utf8 && !this.cursor.is_utf8() {
            true => {
                Err(Fault::Encoding("not UTF-8, in which alone signatures are verified".into()))
            }
            false => this.head(),
        };
        this.summary.dialect = this.cursor.dialect();
        match result {
            Ok(()) => Ok(this),
            Err(fault) => Err(this.fail(fault)),
        }
    }

    /// What is known of the file so far; complete when the stream has ended.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Line at which the key that was given out last ends.
    pub fn line(&self) -> u64 {
        self.cursor.place().0
    }

    /// The `Extensions` of the container that were read so far; by the schema they stand at its end.
    pub fn extensions(&self) -> &[Fragment] {
        &self.extensions
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.cursor.offset()
    }

    fn head(&mut self) -> Result<(), Fault> {
        let version = self.cursor.attribute("Version")?.ok_or(Fault::Missing("Version"))?;
        if !matches!(&*version, "1.0" | "1") {
            return Err(Fault::Version(shown(&version)));
        }
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::EncryptionKey => {
                    let access = header::encryption_key(&mut self.cursor, &self.options)?;
                    self.summary.protection = access.protection.clone();
                    self.vault.set_access(access)?;
                }
                Element::MACMethod => {
                    let method = header::mac_method(&mut self.cursor, &self.options.limits)?;
                    if let Some(method) = method {
                        self.summary.mac = Some(method.hash.name());
                        self.vault.set_mac(method)?;
                    }
                }
                Element::KeyPackage => {
                    self.state = State::Entered;
                    return Ok(());
                }
                Element::Signature => {
                    self.summary.signed = true;
                    self.cursor.skip()?;
                }
                Element::Extensions => self.extension()?,
                other => return Err(unexpected(other, "KeyContainer")),
            }
        }
        self.state = State::Done;
        self.cursor.end()
    }

    fn advance(&mut self) -> Result<Option<Token>, Fault> {
        loop {
            if self.state == State::Between {
                self.current.known = false;
                match self.cursor.child()? {
                    Some(Element::KeyPackage) => {}
                    Some(Element::Signature) => {
                        self.summary.signed = true;
                        self.cursor.skip()?;
                        continue;
                    }
                    Some(Element::Extensions) => {
                        self.extension()?;
                        continue;
                    }
                    Some(other) => return Err(unexpected(other, "KeyContainer")),
                    None => {
                        self.cursor.end()?;
                        self.state = State::Done;
                        return Ok(None);
                    }
                }
            }
            self.state = State::Between;
            if let Some(token) = self.package()? {
                self.summary.keys += 1;
                return Ok(Some(token));
            }
        }
    }

    fn extension(&mut self) -> Result<(), Fault> {
        self.extensions.push(self.cursor.fragment(&mut self.room)?);
        Ok(())
    }

    fn fail(&mut self, fault: Fault) -> Error {
        self.state = State::Done;
        let (line, column) = self.cursor.place();
        let key = self.current.known.then(|| std::mem::take(&mut self.current.name));
        Error { line, column, key, fault }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Token, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        match self.advance() {
            Ok(token) => token.map(Ok),
            Err(fault) => Some(Err(self.fail(fault))),
        }
    }
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("summary", &self.summary).finish_non_exhaustive()
    }
}

fn unexpected(element: Element, within: &'static str) -> Fault {
    Fault::Unexpected { what: format!("<{}>", element.name()), within }
}
