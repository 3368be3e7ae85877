//! The character sets of one byte that programs of Western Europe still write, beside UTF-8: how
//! their bytes stand for characters, and back. Bytes and characters only; who declares which set,
//! and where, is for the readers of XML and of pages to know.

/// How bytes stand for characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// What browsers take ISO-8859-1 for, too.
    Windows1252,
    /// ISO-8859-15: Latin-1 with the euro sign and the letters that French lacked.
    Latin9,
}

impl Charset {
    /// The names by which they are told to people.
    pub(crate) const KNOWN: &'static str = "UTF-8, ISO-8859-1, ISO-8859-15, windows-1252";

    /// The set that pages call `label` (Encoding Standard §4.2).
    pub(crate) fn named(label: &str) -> Option<Self> {
        Some(match label.trim().to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" => Self::Utf8,
            "iso-8859-1" | "iso8859-1" | "iso88591" | "iso_8859-1" | "latin1" | "l1" | "ascii"
            | "us-ascii" | "windows-1252" | "cp1252" | "x-cp1252" => Self::Windows1252,
            "iso-8859-15" | "iso8859-15" | "iso885915" | "iso_8859-15" | "latin9" | "l9" => {
                Self::Latin9
            }
            _ => return None,
        })
    }

    /// Its name in pages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
            Self::Latin9 => "iso-8859-15",
        }
    }

    /// The text that `bytes` stand for; what stands for nothing becomes U+FFFD, or a control
    /// character where browsers do so.
    pub(crate) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            _ => bytes.iter().filter_map(|byte| self.character(*byte)).collect(),
        }
    }

    /// The bytes of `text`; a character that the set does not have becomes `&#N;`, as in a form that
    /// a browser sends.
    pub(crate) fn encode(self, text: &str) -> Vec<u8> {
        if self == Self::Utf8 {
            return text.as_bytes().to_vec();
        }
        let mut out = Vec::with_capacity(text.len());
        for character in text.chars() {
            match self.byte(character) {
                Some(byte) => out.push(byte),
                None => out.extend_from_slice(format!("&#{};", u32::from(character)).as_bytes()),
            }
        }
        out
    }

    /// The one byte that stands for `character`.
    pub(crate) fn byte(self, character: char) -> Option<u8> {
        if character.is_ascii() {
            return u8::try_from(u32::from(character)).ok();
        }
        (0x80..=0xff).find(|byte| self.character(*byte) == Some(character))
    }

    /// What `byte` by itself stands for; of UTF-8, that is for no single byte to say.
    fn character(self, byte: u8) -> Option<char> {
        match self {
            Self::Utf8 => None,
            Self::Windows1252 => Some(windows_1252(byte).unwrap_or(char::from(byte))),
            Self::Latin9 => Some(latin9(byte)),
        }
    }
}

/// The character of `byte` in windows-1252, which is ISO-8859-1 but for 0x80 to 0x9F; five bytes
/// mean nothing.
pub(crate) fn windows_1252(byte: u8) -> Option<char> {
    const HIGH: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0',
        '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => Some(HIGH[usize::from(byte - 0x80)]).filter(|character| *character != '\0'),
        _ => Some(char::from(byte)),
    }
}

fn latin9(byte: u8) -> char {
    match byte {
        0xA4 => '€',
        0xA6 => 'Š',
        0xA8 => 'š',
        0xB4 => 'Ž',
        0xB8 => 'ž',
        0xBC => 'Œ',
        0xBD => 'œ',
        0xBE => 'Ÿ',
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        for set in [Charset::Windows1252, Charset::Latin9] {
            assert_eq!(set.encode(&set.decode(&bytes)), bytes, "{set:?}");
            assert_eq!(Charset::named(set.name()), Some(set));
        }
        assert_eq!(Charset::Windows1252.decode(b"r\xe9serv\xe9 \x80\x9c\x81"), "réservé €œ\u{81}");
        assert_eq!(Charset::Latin9.decode(b"\xa4\xbd\xe9\x80"), "€œé\u{80}");
        assert_eq!(Charset::Utf8.decode(b"\xc3\xa9\xe9"), "é\u{fffd}");
    }

    #[test]
    fn what_a_set_does_not_have_becomes_a_reference() {
        assert_eq!(Charset::Windows1252.encode("a€λ"), b"a\x80&#955;");
        assert_eq!(Charset::Utf8.encode("λ"), "λ".as_bytes());
    }

    #[test]
    fn names_are_known_in_any_case() {
        assert_eq!(Charset::named(" ISO-8859-1 "), Some(Charset::Windows1252));
        assert_eq!(Charset::named("shift_jis"), None);
        for known in Charset::KNOWN.split(", ") {
            assert!(Charset::named(known).is_some(), "{known}");
        }
    }
}
