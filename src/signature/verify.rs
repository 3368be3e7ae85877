//! Whether a signature holds, and whose it is.

use std::io::{self, Read};

use jiff::Timestamp;

use super::algorithm::{Hash, Method};
use super::c14n::Form;
use super::element::{Reference, Signature};
use super::error::shortened;
use super::watch::{Wanted, Watch, Watched};
use super::{Certificate, SignatureError};

/// Elements in a signature within a document, at most: with the longest chain of certificates there
/// are some sixty.
const ELEMENTS: usize = 200;

/// What is known of a signature that holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// Whose key made it.
    pub signer: Certificate,
    /// How.
    pub method: Method,
    /// Whether it rests on SHA-1, for which collisions can be made.
    pub weak: bool,
    /// Why the certificate is not valid now, if it is not.
    pub expired: Option<String>,
    /// Why the signer is believed.
    pub trust: Trust,
}

/// Why a signer is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// Not at all: anybody can make a certificate with any name.
    None,
    /// The certificate that was asked for is theirs.
    Pinned,
    /// The certificate that was asked for, with this subject, issued theirs.
    Issued(String),
}

/// What was found out of a document's signature.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// There is none.
    Unsigned,
    /// It may hold or not: there is nothing to verify it with, for this reason.
    Unknown(String),
    /// It holds.
    Signed(Box<Verdict>),
}

/// Why nothing was found out, or why the document is to be refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It cannot be read.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// It is to be refused.
    #[error(transparent)]
    Refused(#[from] SignatureError),
}

/// Verifies the signature within a document, whatever its size. `open` gives the document from its
/// beginning: once, and once more for a signature that is made in another way than ours. With
/// `required`, the document must be signed by that certificate, or by one that it issued.
///
/// # Errors
/// [`VerifyError`], also when the signature is one that must not be relied on.
pub fn verify(
    mut open: impl FnMut() -> io::Result<Box<dyn Read>>,
    required: Option<&Certificate>,
    now: Timestamp,
) -> Result<Outcome, VerifyError> {
    let watched = watch(open()?, &[Wanted::usual()])?;
    let Some(mut claim) = Claim::of(&watched, required, now)? else {
        return Ok(Outcome::Unsigned);
    };
    if claim.is_met(&watched).is_none() {
        let again = watch(open()?, std::slice::from_ref(&claim.wanted))?;
        claim.digests_of(again);
    }
    Ok(claim.conclude(&watched)?)
}

fn watch(mut input: impl Read, wanted: &[Wanted]) -> Result<Watched, VerifyError> {
    let mut watch = Watch::new(wanted);
    let mut block = zeroize::Zeroizing::new(vec![0; 128 * 1024]);
    loop {
        match input.read(&mut block) {
            Ok(0) => break,
            Ok(taken) => watch.push(&block[..taken])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(watch.finish()?)
}

/// What the signature of a document that was watched comes to, without another look at it.
pub(super) fn conclude(watched: &Watched, now: Timestamp) -> Result<Outcome, SignatureError> {
    match Claim::of(watched, None, now)? {
        None => Ok(Outcome::Unsigned),
        Some(claim) if claim.is_met(watched).is_some() => claim.conclude(watched),
        Some(_) => Ok(Outcome::Unknown(
            "a signature of its kind needs a second look at the file: save it, and name it".into(),
        )),
    }
}

/// A signature whose value holds, if there was anything to hold it against; its digest is still to
/// be compared.
struct Claim {
    /// None for a signature that says nothing of the document.
    digest: Option<Vec<u8>>,
    wanted: Wanted,
    again: Option<Watched>,
    outcome: Outcome,
}

impl Claim {
    fn of(
        watched: &Watched,
        required: Option<&Certificate>,
        now: Timestamp,
    ) -> Result<Option<Self>, SignatureError> {
        let Some(found) = &watched.signature else {
            return match required {
                Some(_) => Err(SignatureError::Unsigned),
                None => Ok(None),
            };
        };
        let signature = Signature::read(found, ELEMENTS)?;
        let [reference] = signature.references.as_slice() else {
            let what = format!(
                "{} references; one, to the whole file, is accepted",
                signature.references.len()
            );
            return Err(SignatureError::Shape { line: signature.line, what });
        };
        let whole = match covers(reference, watched) {
            // Such is the example of RFC 6030 (figure 9): no fault, but no use either.
            Err(partial @ SignatureError::Partial { .. }) if required.is_none() => {
                return Ok(Some(Self::nothing(&partial)));
            }
            whole => whole?,
        };
        if !reference.enveloped {
            let what = "its reference lacks the transform enveloped-signature".into();
            return Err(SignatureError::Shape { line: signature.line, what });
        }
        let outcome = judge(&signature, required, now)?;
        let form = reference.form.clone().unwrap_or(Form::Inclusive);
        // Without anything outside of the root, it is all one.
        let wanted = Wanted { form, whole: whole || !watched.outer, hash: reference.hash };
        let digest = Some(reference.digest.clone());
        Ok(Some(Self { digest, wanted, again: None, outcome }))
    }

    /// A signature that says nothing of the document.
    fn nothing(reason: &SignatureError) -> Self {
        let outcome = Outcome::Unknown(format!("{reason}"));
        Self { digest: None, wanted: Wanted::usual(), again: None, outcome }
    }

    fn is_met<'w>(&self, watched: &'w Watched) -> Option<&'w [u8]> {
        let met = watched.digests.iter().find(|(wanted, _)| *wanted == self.wanted);
        met.map(|(_, digest)| digest.as_slice())
    }

    fn digests_of(&mut self, again: Watched) {
        self.again = Some(again);
    }

    fn conclude(self, watched: &Watched) -> Result<Outcome, SignatureError> {
        let Some(digest) = &self.digest else { return Ok(self.outcome) };
        let found = self.again.as_ref().and_then(|again| self.is_met(again));
        match found.or_else(|| self.is_met(watched)) {
            Some(found) if found == digest.as_slice() => Ok(self.outcome),
            _ => Err(SignatureError::Changed("the file".into())),
        }
    }
}

/// Whether `reference` names the document; otherwise it names its root.
fn covers(reference: &Reference, watched: &Watched) -> Result<bool, SignatureError> {
    // Without a name it is for the application to know (XML Signature §4.4.3): pskctool writes that,
    // and means the document. What is digested here is always all of it.
    let uri = reference.uri.as_deref().unwrap_or_default();
    if uri.is_empty() {
        return Ok(true);
    }
    let Some(id) = uri.strip_prefix('#') else {
        return Err(SignatureError::External { uri: shortened(uri) });
    };
    if !watched.ids.iter().any(|known| known == id) {
        return Err(SignatureError::Partial { id: shortened(id) });
    }
    match &watched.repeated {
        Some((id, line)) => Err(SignatureError::DuplicateId { id: id.clone(), line: *line }),
        None => Ok(false),
    }
}

/// Holds the signature value against the certificates there are.
pub(super) fn judge(
    signature: &Signature<'_>,
    required: Option<&Certificate>,
    now: Timestamp,
) -> Result<Outcome, SignatureError> {
    let signed_info = signature.signed_info()?;
    let holds = |certificate: &Certificate| {
        certificate.verifies(signature.method, &signed_info, &signature.value)
    };
    let weak = signature.method.is_weak()
        || signature.references.iter().any(|reference| reference.hash == Hash::Sha1);
    let verdict = |signer: Certificate, trust| {
        let expired = signer.check_validity(now).err().map(|error| error.to_string());
        let method = signature.method;
        Ok(Outcome::Signed(Box::new(Verdict { signer, method, weak, expired, trust })))
    };
    if let Some(required) = required.filter(|required| holds(required)) {
        return verdict(required.clone(), Trust::Pinned);
    }
    let mut first_fault = None;
    let mut certificates = Vec::new();
    for der in &signature.certificates {
        match Certificate::from_der(None, der) {
            Ok(certificate) => certificates.push(certificate),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    let signer = certificates.iter().find(|certificate| holds(certificate));
    match (signer, required) {
        (Some(signer), None) => verdict(signer.clone(), Trust::None),
        (Some(signer), Some(required)) if required.issued(signer) => {
            required.check_validity(now)?;
            signer.check_validity(now)?;
            required.check_authority()?;
            signer.check_signer()?;
            verdict(signer.clone(), Trust::Issued(required.subject().to_owned()))
        }
        (Some(signer), Some(required)) => Err(SignatureError::Stranger {
            found: signer.subject().to_owned(),
            wanted: required.subject().to_owned(),
        }),
        (None, _) => match (first_fault, certificates.first(), required) {
            (_, Some(certificate), _) => {
                Err(SignatureError::Forged(certificate.subject().to_owned()))
            }
            (Some(fault), None, _) => Err(fault),
            (None, None, Some(required)) => {
                Err(SignatureError::Forged(required.subject().to_owned()))
            }
            (None, None, None) => Ok(Outcome::Unknown(
                "it names no certificate to verify it with; --require-signature gives one".into(),
            )),
        },
    }
}

impl Verdict {
    /// In words: `signed by CN=…, RSA-SHA256, certificate SHA-256 …, trusted: …`.
    #[must_use]
    pub fn describe(&self) -> String {
        let trust = match &self.trust {
            Trust::None => {
                "whole, but not trusted: --require-signature tells whose it must be".to_owned()
            }
            Trust::Pinned => "trusted: the certificate required".to_owned(),
            Trust::Issued(by) => format!("trusted: its certificate was issued by {by}"),
        };
        format!(
            "by {}, {}, certificate SHA-256 {}; {trust}",
            self.signer.subject(),
            self.method.name(),
            self.signer.fingerprint()
        )
    }
}
