//! Certificates (X.509, RFC 5280) of those who sign, and of those who vouch for them.

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use ring::signature::{self as algorithms, UnparsedPublicKey, VerificationAlgorithm};
use x509_cert::Certificate as X509;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::algorithm::{Hash, Method};
use super::{SignatureError, pem};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Critical extensions that are kept to here, or have nothing to say: basic constraints, key usage,
/// extended key usage; alternative names, policies.
const KNOWN: [ObjectIdentifier; 5] = [
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.15"),
    ObjectIdentifier::new_unwrap("2.5.29.37"),
    ObjectIdentifier::new_unwrap("2.5.29.17"),
    ObjectIdentifier::new_unwrap("2.5.29.32"),
];
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
/// Purposes of who signs files: e-mail, code, documents (RFC 9336), any.
const PURPOSES: [ObjectIdentifier; 4] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36"),
    ObjectIdentifier::new_unwrap("2.5.29.37.0"),
];

/// A certificate: whose it is, until when, and its public key.
#[derive(Clone)]
pub struct Certificate {
    /// The file it came from, or its subject: what messages call it.
    name: String,
    subject: String,
    der: Vec<u8>,
    x509: X509,
    kind: KeyKind,
    from: Timestamp,
    to: Timestamp,
}

/// The kinds of key that are verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Rsa,
    P256,
    P384,
}

impl Certificate {
    /// Reads `content`, PEM or DER, called `file` in messages.
    ///
    /// # Errors
    /// [`SignatureError::Certificate`]; [`SignatureError::Weak`] for a short RSA key.
    pub fn read(file: &str, content: &[u8]) -> Result<Self, SignatureError> {
        let wrong = |problem: &str| SignatureError::Certificate {
            whose: file.to_owned(),
            problem: problem.to_owned(),
        };
        if content.starts_with(&[0x30]) {
            return Self::from_der(Some(file), content);
        }
        let text = std::str::from_utf8(content).map_err(|_| wrong("not a certificate"))?;
        let der = pem::decode(text, &["CERTIFICATE", "X509 CERTIFICATE"])
            .ok_or_else(|| wrong("no PEM certificate in it"))?;
        Self::from_der(Some(file), &der)
    }

    /// Reads the DER form; messages call it `file`, or by its subject.
    pub(super) fn from_der(file: Option<&str>, der: &[u8]) -> Result<Self, SignatureError> {
        let whose = file.unwrap_or("a certificate in the signature");
        let wrong =
            |problem: String| SignatureError::Certificate { whose: whose.to_owned(), problem };
        let x509 =
            X509::from_der(der).map_err(|error| wrong(format!("not a certificate: {error}")))?;
        let body = x509.tbs_certificate();
        let subject: String =
            body.subject().to_string().chars().map(crate::terminal::printable).take(200).collect();
        let name = file.map_or_else(|| subject.clone(), str::to_owned);
        let date = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
            seconds.and_then(|seconds| Timestamp::from_second(seconds).ok())
        };
        let validity = body.validity();
        let (from, to) = date(validity.not_before)
            .zip(date(validity.not_after))
            .ok_or_else(|| wrong("its dates are absurd".into()))?;
        let info = body.subject_public_key_info();
        let curve = info.algorithm.parameters.as_ref();
        let curve = curve.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        let kind = match (info.algorithm.oid, curve) {
            (RSA, _) => KeyKind::Rsa,
            (EC, Some(P256)) => KeyKind::P256,
            (EC, Some(P384)) => KeyKind::P384,
            _ => return Err(wrong("its key is neither RSA nor on the curves P-256, P-384".into())),
        };
        let der = der.to_vec();
        let this = Self { name, subject, der, x509, kind, from, to };
        if kind == KeyKind::Rsa {
            let bits = this.rsa_bits().ok_or_else(|| wrong("its RSA key is garbled".into()))?;
            if !(2048..=8192).contains(&bits) {
                return Err(SignatureError::Weak { whose: this.name, bits });
            }
        }
        Ok(this)
    }

    /// Its subject (RFC 4514).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// SHA-256 of its DER form, lower-case hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, &self.der).as_ref())
    }

    /// The DER form in base64, as `X509Certificate` has it.
    pub(super) fn base64(&self) -> String {
        BASE64.encode(&self.der)
    }

    pub(super) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// `RSAPublicKey` in DER, or the point on the curve.
    pub(super) fn public_key(&self) -> &[u8] {
        self.x509.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes()
    }

    fn rsa_bits(&self) -> Option<usize> {
        let sequence = AnyRef::from_der(self.public_key()).ok()?;
        let modulus = sequence.value();
        // The first INTEGER of RSAPublicKey (RFC 8017 appendix A.1.1).
        let mut reader = x509_cert::der::SliceReader::new(modulus).ok()?;
        let n = UintRef::decode(&mut reader).ok()?;
        let bytes = n.as_bytes();
        Some(bytes.len() * 8 - bytes.first()?.leading_zeros() as usize)
    }

    /// Whether `now` is within its validity; otherwise what is wrong.
    pub(super) fn check_validity(&self, now: Timestamp) -> Result<(), SignatureError> {
        match (self.from..=self.to).contains(&now) {
            true => Ok(()),
            false => Err(SignatureError::Validity {
                whose: self.name.clone(),
                from: self.from,
                to: self.to,
                now,
            }),
        }
    }

    /// Whether its key usage, if stated, is that of a signer (RFC 5280 §4.2.1.3).
    pub(super) fn may_sign(&self) -> bool {
        match self.x509.tbs_certificate().get_extension::<KeyUsage>() {
            Ok(None) => true,
            Ok(Some((_, usage))) => usage.digital_signature() || usage.non_repudiation(),
            Err(_) => false,
        }
    }

    /// Whether it says nothing that keeps it from vouching for others here (RFC 5280 §6.1).
    pub(super) fn check_authority(&self) -> Result<(), SignatureError> {
        if self.extensions().any(|(oid, _)| oid == NAME_CONSTRAINTS) {
            return Err(self.unfit(
                "it may issue within name constraints alone, which are not looked at here: require \
                 the signer's own certificate"
                    .into(),
            ));
        }
        self.check_critical()
    }

    /// Whether it is one to sign files with, for whoever trusts its issuer and not itself.
    pub(super) fn check_signer(&self) -> Result<(), SignatureError> {
        if !self.may_sign() {
            return Err(self.unfit("its key usage does not allow signatures".into()));
        }
        self.check_critical()?;
        let fits = match self.x509.tbs_certificate().get_extension::<ExtendedKeyUsage>() {
            Ok(None) => true,
            Ok(Some((_, purposes))) => purposes.0.iter().any(|oid| PURPOSES.contains(oid)),
            Err(_) => false,
        };
        match fits {
            true => Ok(()),
            false => Err(self.unfit(
                "its extended key usage names other purposes than signing (e-mail, code, documents)"
                    .into(),
            )),
        }
    }

    fn check_critical(&self) -> Result<(), SignatureError> {
        match self.extensions().find(|(oid, critical)| *critical && !KNOWN.contains(oid)) {
            None => Ok(()),
            Some((oid, _)) => {
                Err(self.unfit(format!("its critical extension {oid} is not understood")))
            }
        }
    }

    /// Its extensions, and whether each is critical.
    fn extensions(&self) -> impl Iterator<Item = (ObjectIdentifier, bool)> {
        let all = self.x509.tbs_certificate().extensions();
        all.into_iter().flatten().map(|extension| (extension.extn_id, extension.critical))
    }

    fn unfit(&self, problem: String) -> SignatureError {
        SignatureError::Certificate { whose: self.name.clone(), problem }
    }

    /// Whether `value` is a signature by the key of this certificate over `data`.
    pub(super) fn verifies(&self, method: Method, data: &[u8], value: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match (method, self.kind) {
            (Method::Rsa(Hash::Sha1), KeyKind::Rsa) => {
                &algorithms::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY
            }
            (Method::Rsa(Hash::Sha256), KeyKind::Rsa) => &algorithms::RSA_PKCS1_2048_8192_SHA256,
            (Method::Rsa(Hash::Sha384), KeyKind::Rsa) => &algorithms::RSA_PKCS1_2048_8192_SHA384,
            (Method::Rsa(Hash::Sha512), KeyKind::Rsa) => &algorithms::RSA_PKCS1_2048_8192_SHA512,
            (Method::Ecdsa(Hash::Sha256), KeyKind::P256) => &algorithms::ECDSA_P256_SHA256_FIXED,
            (Method::Ecdsa(Hash::Sha384), KeyKind::P384) => &algorithms::ECDSA_P384_SHA384_FIXED,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, self.public_key()).verify(data, value).is_ok()
    }

    /// Whether this certificate's key signed `other`, as an authority may (RFC 5280 §4.2.1.9).
    pub(super) fn issued(&self, other: &Self) -> bool {
        let body = self.x509.tbs_certificate();
        let authority = matches!(
            body.get_extension::<BasicConstraints>(),
            Ok(Some((_, BasicConstraints { ca: true, .. })))
        );
        let may = match body.get_extension::<KeyUsage>() {
            Ok(None) => true,
            Ok(Some((_, usage))) => usage.key_cert_sign(),
            Err(_) => false,
        };
        if !authority || !may || other.x509.tbs_certificate().issuer() != body.subject() {
            return false;
        }
        let oid = other.x509.signature_algorithm().oid.to_string();
        let algorithm: &dyn VerificationAlgorithm = match (oid.as_str(), self.kind) {
            ("1.2.840.113549.1.1.11", KeyKind::Rsa) => &algorithms::RSA_PKCS1_2048_8192_SHA256,
            ("1.2.840.113549.1.1.12", KeyKind::Rsa) => &algorithms::RSA_PKCS1_2048_8192_SHA384,
            ("1.2.840.113549.1.1.13", KeyKind::Rsa) => &algorithms::RSA_PKCS1_2048_8192_SHA512,
            ("1.2.840.10045.4.3.2", KeyKind::P256) => &algorithms::ECDSA_P256_SHA256_ASN1,
            ("1.2.840.10045.4.3.3", KeyKind::P256) => &algorithms::ECDSA_P256_SHA384_ASN1,
            ("1.2.840.10045.4.3.2", KeyKind::P384) => &algorithms::ECDSA_P384_SHA256_ASN1,
            ("1.2.840.10045.4.3.3", KeyKind::P384) => &algorithms::ECDSA_P384_SHA384_ASN1,
            _ => return false,
        };
        let Ok(signed) = other.x509.tbs_certificate().to_der() else { return false };
        let value = other.x509.signature().raw_bytes();
        UnparsedPublicKey::new(algorithm, self.public_key()).verify(&signed, value).is_ok()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", self.subject)
    }
}
