//! A signature beside the files it covers: over their bytes as they are, by name.

use std::io::{self, Read};

use jiff::Timestamp;

use super::c14n::Scopes;
use super::compose::uri_of;
use super::element::{Reference, Signature};
use super::error::shortened;
use super::verify::{Outcome, VerifyError, judge};
use super::watch::Found;
use super::{Certificate, SignatureError};

/// Bytes of a detached signature, at most.
const LONGEST: u64 = 4 << 20;
/// Elements in it, at most: three for each file, of which a set has 9999 and its manifest.
const ELEMENTS: usize = 3 * 10_000 + 200;

/// A detached signature whose value holds.
#[derive(Debug)]
pub struct Detached {
    name: String,
    references: Vec<Reference>,
    outcome: Outcome,
}

impl Detached {
    /// Reads the signature in `input`, called `name` in messages.
    ///
    /// # Errors
    /// [`VerifyError`], as of [`super::verify()`].
    pub fn read(
        name: &str,
        input: impl Read,
        required: Option<&Certificate>,
        now: Timestamp,
    ) -> Result<Self, VerifyError> {
        let mut bytes = Vec::new();
        input.take(LONGEST + 1).read_to_end(&mut bytes)?;
        let shape = |what: &str| SignatureError::Shape { line: 1, what: what.into() };
        if bytes.len() as u64 > LONGEST {
            return Err(shape("it is larger than any signature").into());
        }
        let found = Found { bytes, line: 1, scopes: Scopes::default(), inherits: false };
        let signature = Signature::read(&found, ELEMENTS)?;
        for Reference { uri, enveloped, form, .. } in &signature.references {
            let uri = uri.as_deref().unwrap_or("nothing");
            if *enveloped || form.is_some() {
                return Err(shape("its references are not to files as they are").into());
            }
            // Names of files beside it, and nothing that leads elsewhere.
            if uri.is_empty() || uri.starts_with('.') || uri.contains(['/', ':', '#', '?', '\\']) {
                return Err(SignatureError::External { uri: shortened(uri) }.into());
            }
        }
        let outcome = judge(&signature, required, now)?;
        Ok(Self { name: name.to_owned(), references: signature.references, outcome })
    }

    /// Holds the file called `name`, whose bytes `input` gives, against the signature.
    ///
    /// # Errors
    /// [`SignatureError::NotCovered`] or [`SignatureError::Changed`].
    pub fn check(&self, name: &str, mut input: impl Read) -> Result<(), VerifyError> {
        let (plain, escaped) = (Some(name), uri_of(name));
        let named = |uri: Option<&str>| uri == plain || uri == Some(escaped.as_str());
        let Some(reference) = self.references.iter().find(|r| named(r.uri.as_deref())) else {
            let covered: Vec<&str> =
                self.references.iter().filter_map(|r| r.uri.as_deref()).take(5).collect();
            return Err(SignatureError::NotCovered {
                signature: self.name.clone(),
                file: name.to_owned(),
                covered: shortened(&covered.join(", ")),
            }
            .into());
        };
        let mut context = reference.hash.start();
        let mut block = zeroize::Zeroizing::new(vec![0; 128 * 1024]);
        loop {
            match input.read(&mut block) {
                Ok(0) => break,
                Ok(taken) => context.update(&block[..taken]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        match context.finish().as_ref() == reference.digest {
            true => Ok(()),
            false => Err(SignatureError::Changed(name.to_owned()).into()),
        }
    }

    /// Names of the files covered, as the signature has them.
    pub fn covered(&self) -> impl Iterator<Item = &str> {
        self.references.iter().filter_map(|reference| reference.uri.as_deref())
    }

    /// Whose it is.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}
