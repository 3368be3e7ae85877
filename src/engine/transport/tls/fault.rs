//! What was wrong with TLS, each with what to do: rustls's errors in the words of whoever has to put
//! them right.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use tokio_rustls::rustls::{AlertDescription as Alert, CertificateError, Error, InvalidMessage};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// What was wrong with TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// No trusted authority issued the server's certificate.
    UnknownIssuer,
    /// The same, and the certificate was signed by its own key.
    SelfSigned,
    /// The certificate of the server is that of an authority.
    Authority,
    /// Its time is over; when, if known, RFC 3339.
    Expired(Option<String>),
    /// Its time has not begun; when it does, if known, RFC 3339.
    NotYetValid(Option<String>),
    /// It is for other names, these.
    WrongName(Vec<String>),
    /// It may not be used by a server.
    Purpose,
    /// What came is no TLS.
    NotTls,
    /// The server closed the connection during the handshake.
    Closed,
    /// The server wants a certificate of ours.
    CertificateWanted,
    /// The server does not take the certificate of ours; its alert.
    CertificateRefused(String),
    /// No version, cipher or certificate that both have.
    NothingInCommon(String),
    /// Anything else, in the words of the library or the operating system.
    Other(String),
}

impl TlsFault {
    /// What `error`, or what lies below it, says of TLS; nothing when it does not speak of TLS. `chain`
    /// is what the server showed, when that was refused.
    pub(in crate::engine::transport) fn of(
        error: &(dyn StdError + 'static),
        chain: &[Vec<u8>],
    ) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<Error>() {
                return Some(Self::told(error, chain));
            }
            // The error inside an error of the operating system's kind is not among its sources.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = match inner {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    /// What broke a handshake.
    pub(in crate::engine::transport) fn of_handshake(error: &io::Error, chain: &[Vec<u8>]) -> Self {
        match Self::of(error, chain) {
            Some(fault) => fault,
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::Closed,
            None => Self::Other(error.to_string()),
        }
    }

    fn told(error: &Error, chain: &[Vec<u8>]) -> Self {
        match error {
            Error::InvalidCertificate(error) => Self::of_certificate(error, chain),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            Error::AlertReceived(Alert::CertificateRequired) => Self::CertificateWanted,
            Error::AlertReceived(
                alert @ (Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::DecryptError),
            ) => Self::CertificateRefused(format!("{alert:?}")),
            Error::AlertReceived(
                alert @ (Alert::HandshakeFailure
                | Alert::ProtocolVersion
                | Alert::InsufficientSecurity),
            ) => Self::NothingInCommon(format!("alert {alert:?}")),
            Error::PeerIncompatible(what) => Self::NothingInCommon(format!("{what:?}")),
            other => Self::Other(other.to_string()),
        }
    }

    fn of_certificate(error: &CertificateError, chain: &[Vec<u8>]) -> Self {
        let date = |seconds: u64| {
            let seconds = i64::try_from(seconds).ok()?;
            jiff::Timestamp::from_second(seconds).ok().map(|at| at.to_string())
        };
        match error {
            // A bad signature: an authority of that name is trusted, but its key is another.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                if is_self_signed(chain) { Self::SelfSigned } else { Self::UnknownIssuer }
            }
            CertificateError::Expired => Self::Expired(None),
            CertificateError::ExpiredContext { not_after, .. } => {
                Self::Expired(date(not_after.as_secs()))
            }
            CertificateError::NotValidYet => Self::NotYetValid(None),
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotYetValid(date(not_before.as_secs()))
            }
            CertificateError::NotValidForName => Self::WrongName(Vec::new()),
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongName(presented.iter().map(|name| bare(name)).collect())
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::Purpose
            }
            // An error of the library below, which has no name in this one.
            CertificateError::Other(other)
                if format!("{other:?}").contains("CaUsedAsEndEntity") =>
            {
                Self::Authority
            }
            other => Self::Other(format!("the server's certificate is refused: {other}")),
        }
    }

    /// What to do about it, knowing whether authorities and a certificate of ours were given.
    pub(in crate::engine::transport) fn hint(&self, ca_file: bool, identity: bool) -> &'static str {
        match (self, ca_file, identity) {
            (Self::UnknownIssuer, false, _) => {
                "give the certificate of the authority that issued it (the issuer shown last) by \
                 --ca-file; if that is a public one, let the server send the certificates in between"
            }
            (Self::UnknownIssuer, true, _) => {
                "the authority in --ca-file is not the one that issued it: give that of the issuer \
                 shown last, or let the server send the certificates in between"
            }
            (Self::SelfSigned, false, _) => {
                "if it is the server's own, take it from there by a road you trust, and give it by \
                 --ca-file"
            }
            (Self::SelfSigned, true, _) => {
                "the certificate in --ca-file is another one: give the one that the server has now"
            }
            (Self::Authority, ..) => {
                "no authority may be a server (`openssl req -x509` makes such certificates): make one \
                 with `-addext basicConstraints=critical,CA:FALSE`, or have one issued"
            }
            (Self::Expired(_), ..) => {
                "renew the server's certificate; or is this machine's clock wrong (`date -u`)?"
            }
            (Self::NotYetValid(_), ..) => {
                "is this machine's clock wrong (`date -u`), or that of whoever issued it?"
            }
            (Self::WrongName(_), ..) => {
                "write a name that it is for in --url, or have it issued for this one, too \
                 (subjectAltName)"
            }
            (Self::Purpose, ..) => {
                "have it issued for servers (extendedKeyUsage serverAuth, or none at all)"
            }
            (Self::NotTls, ..) => {
                "if the server speaks plain HTTP there, write http:// in --url; otherwise name the \
                 port on which it speaks TLS"
            }
            (Self::Closed, ..) => {
                "is this port one for TLS? then look at the server's log for its reason"
            }
            (Self::CertificateWanted, _, false) => {
                "give a certificate that the server trusts by --client-cert-file, and its private key \
                 by --client-key-file"
            }
            (Self::CertificateWanted | Self::CertificateRefused(_), _, true) => {
                "the certificate in --client-cert-file is none that the server trusts: ask which \
                 authority has to issue it, and put the certificates in between into the file"
            }
            (Self::CertificateRefused(_), _, false) => {
                "if the server asks for a certificate of ours, give it by --client-cert-file and \
                 --client-key-file; its log has the reason"
            }
            (Self::NothingInCommon(_), ..) => {
                "TLS 1.2 or 1.3 is needed, with AES-GCM or ChaCha20; and if the server asks for a \
                 certificate of ours: --client-cert-file and --client-key-file"
            }
            (Self::Other(_), ..) => {
                "look at the server's log, and at what is in between; `openssl s_client -connect \
                 HOST:PORT` shows the same handshake"
            }
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer => {
                f.write_str("no trusted authority issued the server's certificate")
            }
            Self::SelfSigned => {
                f.write_str("the server's certificate is signed by itself, and not trusted")
            }
            Self::Authority => {
                f.write_str("the server's certificate is that of an authority (CA:TRUE)")
            }
            Self::Expired(None) => f.write_str("the server's certificate has expired"),
            Self::Expired(Some(at)) => write!(f, "the server's certificate expired at {at}"),
            Self::NotYetValid(None) => f.write_str("the server's certificate is not valid yet"),
            Self::NotYetValid(Some(at)) => {
                write!(f, "the server's certificate is not valid before {at}")
            }
            Self::WrongName(names) if names.is_empty() => {
                f.write_str("the server's certificate is for another name")
            }
            Self::WrongName(names) => {
                write!(f, "the server's certificate is for another name: {}", names.join(", "))
            }
            Self::Purpose => f.write_str("the server's certificate is not one for servers"),
            Self::NotTls => f.write_str("what the server says is no TLS"),
            Self::Closed => f.write_str("the server closed the connection during the handshake"),
            Self::CertificateWanted => f.write_str("the server wants a certificate of ours"),
            Self::CertificateRefused(alert) => {
                write!(f, "the server refuses our certificate: alert {alert}")
            }
            Self::NothingInCommon(what) => {
                write!(f, "the server and this program have no TLS in common: {what}")
            }
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// Whether the first certificate names itself as its issuer.
fn is_self_signed(chain: &[Vec<u8>]) -> bool {
    let own = chain.first().and_then(|der| Certificate::from_der(der).ok());
    own.is_some_and(|own| own.tbs_certificate().subject() == own.tbs_certificate().issuer())
}

/// `DnsName("otp.example")` and `IpAddress(127.0.0.1)` as a person writes them.
fn bare(name: &str) -> String {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_deep_inside_are_found_and_told_apart() {
        let of = |alert| {
            let error = io::Error::new(io::ErrorKind::InvalidData, Error::AlertReceived(alert));
            TlsFault::of(&error, &[]).unwrap()
        };
        assert_eq!(of(Alert::CertificateRequired), TlsFault::CertificateWanted);
        let wanted = TlsFault::CertificateWanted;
        assert!(wanted.hint(true, false).contains("by --client-cert-file"));
        assert!(wanted.hint(true, true).contains("none that the server trusts"));
        assert_eq!(of(Alert::UnknownCA), TlsFault::CertificateRefused("UnknownCA".to_owned()));
        assert!(matches!(of(Alert::HandshakeFailure), TlsFault::NothingInCommon(_)));
        assert!(matches!(of(Alert::InternalError), TlsFault::Other(_)));
        assert_eq!(TlsFault::of(&io::Error::other("no"), &[]), None);
        let eof = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(TlsFault::of_handshake(&eof, &[]), TlsFault::Closed);
    }

    #[test]
    fn names_are_shown_as_people_write_them() {
        assert_eq!(bare("DnsName(\"otp.example\")"), "otp.example");
        assert_eq!(bare("IpAddress(127.0.0.1)"), "127.0.0.1");
        assert_eq!(bare("*.example"), "*.example");
    }
}
