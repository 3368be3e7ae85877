//! How bytes become text and back: `hex`, `base32-nopad`, `base32:base64`, …

use data_encoding::{
    BASE32, BASE32_NOPAD, BASE64, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER,
    HEXLOWER_PERMISSIVE, HEXUPPER,
};
use zeroize::Zeroizing;

/// One step between bytes and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    HexLower,
    HexUpper,
    Base32,
    Base32NoPad,
    Base32LowerNoPad,
    Base64,
    Base64NoPad,
    Base64Url,
    Url,
    /// A decimal number below 2^48 as twelve digits of modhex, the serial in a YubiKey's public id.
    ModhexNumber,
    /// UTF-8 as it is.
    Text,
}

/// The codecs by name; the names are also the filters of the templates (with `_` for `-`).
pub(super) const CODECS: [(&str, Codec); 11] = [
    ("hex", Codec::HexLower),
    ("HEX", Codec::HexUpper),
    ("base32", Codec::Base32),
    ("base32-nopad", Codec::Base32NoPad),
    ("base32-lower-nopad", Codec::Base32LowerNoPad),
    ("base64", Codec::Base64),
    ("base64-nopad", Codec::Base64NoPad),
    ("base64url", Codec::Base64Url),
    ("url", Codec::Url),
    ("modhex-number", Codec::ModhexNumber),
    ("text", Codec::Text),
];

impl Codec {
    /// Bytes to text; `None` when `text` is asked of what is no UTF-8.
    pub(super) fn encode(self, bytes: &[u8]) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(match self {
            Self::HexLower => HEXLOWER.encode(bytes),
            Self::HexUpper => HEXUPPER.encode(bytes),
            Self::Base32 => BASE32.encode(bytes),
            Self::Base32NoPad => BASE32_NOPAD.encode(bytes),
            Self::Base32LowerNoPad => {
                let mut text = BASE32_NOPAD.encode(bytes);
                text.make_ascii_lowercase();
                text
            }
            Self::Base64 => BASE64.encode(bytes),
            Self::Base64NoPad => BASE64_NOPAD.encode(bytes),
            Self::Base64Url => BASE64URL_NOPAD.encode(bytes),
            Self::Url => percent_encode(bytes),
            Self::ModhexNumber => modhex(std::str::from_utf8(bytes).ok()?)?,
            Self::Text => std::str::from_utf8(bytes).ok()?.to_owned(),
        }))
    }

    /// Text to bytes: either case and any padding, as importers are; stray bits are refused.
    pub(super) fn decode(self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let unpadded = text.trim_end_matches('=');
        let with = |encoding: &Encoding, text: &str| encoding.decode(text.as_bytes()).ok();
        let bytes = match self {
            Self::HexLower | Self::HexUpper => with(&HEXLOWER_PERMISSIVE, text),
            Self::Base32 | Self::Base32NoPad | Self::Base32LowerNoPad => {
                with(&BASE32_NOPAD, &Zeroizing::new(unpadded.to_ascii_uppercase()))
            }
            Self::Base64 | Self::Base64NoPad => with(&BASE64_NOPAD, unpadded),
            Self::Base64Url => with(&BASE64URL_NOPAD, unpadded),
            Self::Url => percent_decode(text),
            Self::ModhexNumber => unmodhex(text).map(|number| number.to_string().into_bytes()),
            Self::Text => Some(text.as_bytes().to_vec()),
        };
        bytes.map(Zeroizing::new)
    }
}

const MODHEX: &str = "cbdefghijklnrtuv";

fn modhex(decimal: &str) -> Option<String> {
    let number: u64 = decimal.parse().ok()?;
    // A leading zero or a sign would be lost.
    if number >> 48 > 0 || number.to_string() != decimal {
        return None;
    }
    let digit = |at: u32| char::from(MODHEX.as_bytes()[(number >> (4 * at) & 15) as usize]);
    Some((0..12).rev().map(digit).collect())
}

fn unmodhex(text: &str) -> Option<u64> {
    if text.len() != 12 {
        return None;
    }
    text.chars().try_fold(0, |number, c| Some(number << 4 | MODHEX.find(c)? as u64))
}

/// Codecs one after the other, the first nearest to the bytes: `base32:base64` is base64 of the
/// base32 text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain(Vec<Codec>);

impl Chain {
    /// Reads `hex` or `base32:base64`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let codec = |name: &str| match CODECS.iter().find(|(known, _)| *known == name) {
            Some((_, codec)) => Ok(*codec),
            None => {
                let names: Vec<&str> = CODECS.iter().map(|(name, _)| *name).collect();
                Err(format!("there is no encoding {name:?}; known: {}", names.join(", ")))
            }
        };
        text.split(':').map(codec).collect::<Result<_, _>>().map(Self)
    }

    /// Text as it is.
    pub(super) fn plain() -> Self {
        Self(vec![Codec::Text])
    }

    /// Bytes to text.
    pub(super) fn encode(&self, bytes: &[u8]) -> Option<Zeroizing<String>> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(first.encode(bytes)?, |text, codec| codec.encode(text.as_bytes()))
    }

    /// Text to bytes.
    pub(super) fn decode(&self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (last, rest) = self.0.split_last()?;
        rest.iter().rev().try_fold(last.decode(text)?, |bytes, codec| {
            codec.decode(std::str::from_utf8(&bytes).ok()?)
        })
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        let name = |codec| CODECS.iter().find(|(_, known)| known == codec).map_or("?", |(n, _)| n);
        self.0.iter().map(name).collect::<Vec<_>>().join(":")
    }
}

/// Everything but the unreserved characters of RFC 3986 §2.3 as `%XX`.
fn percent_encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            out.extend(HEXLOWER_PERMISSIVE.decode(&pair).ok()?);
        } else {
            out.push(byte);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    #[test]
    fn the_spellings_of_one_seed() {
        for (name, text) in [
            ("hex", "3132333435363738393031323334353637383930"),
            ("base32", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
            ("base32-lower-nopad", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq"),
            ("base64", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="),
            ("base32:base64", "R0VaREdOQlZHWTNUUU9KUUdFWkRHTkJWR1kzVFFPSlE="),
        ] {
            let chain = Chain::parse(name).unwrap();
            assert_eq!(*chain.encode(SEED).unwrap(), text, "{name}");
            assert_eq!(chain.decode(text).unwrap().as_slice(), SEED, "{name}");
            assert_eq!(chain.name(), name);
        }
    }

    #[test]
    fn every_codec_is_undone_by_itself() {
        for (name, codec) in CODECS.into_iter().filter(|(_, c)| *c != Codec::ModhexNumber) {
            for len in 0..24 {
                let bytes: Vec<u8> = (0..len).map(|i| 32 + i * 4).collect();
                let text = codec.encode(&bytes).unwrap();
                assert_eq!(*codec.decode(&text).unwrap(), bytes, "{name} {len}");
            }
        }
    }

    #[test]
    fn numbers_in_modhex_are_read_back_or_refused() {
        let codec = Codec::ModhexNumber;
        for (number, text) in [("0", "cccccccccccc"), ("281474976710655", "vvvvvvvvvvvv")] {
            assert_eq!(*codec.encode(number.as_bytes()).unwrap(), text);
            assert_eq!(codec.decode(text).unwrap().as_slice(), number.as_bytes());
        }
        for bad in ["", "01", "+1", "-1", "281474976710656", "A1"] {
            assert!(codec.encode(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(codec.decode("cccccccccca0").is_none() && codec.decode("ccc").is_none());
    }

    #[test]
    fn what_is_no_encoding_is_refused() {
        for (name, bad) in
            [("hex", "3"), ("hex", "zz"), ("base32", "GEZ1"), ("base64", "!"), ("url", "%4")]
        {
            assert!(Chain::parse(name).unwrap().decode(bad).is_none(), "{name} {bad}");
        }
        assert!(Chain::parse("rot13").unwrap_err().contains("no encoding \"rot13\""));
    }
}
