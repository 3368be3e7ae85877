//! From the bytes of a file to UTF-8 (XML 1.0 §4.3.3 and appendix F), as they come.
//!
//! The first bytes decide: a byte order mark, else what `<` looks like, else the declaration. What
//! the declaration says against the bytes is a mistake of the program that wrote it (text saved in
//! another encoding than it was made for), and does no harm where the bytes leave no doubt.

use std::io::{ErrorKind, Read};

use zeroize::Zeroizing;

use super::source::Stop;
use crate::charset::windows_1252;

/// How the bytes of a file stand for characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16(Order),
    Latin1,
    Windows1252,
}

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Bytes read at once, when they need to be changed.
const RAW: usize = 32 * 1024;

/// Bytes in which the declaration must end.
const HEAD: usize = 1024;

/// Gives the text of `inner` as UTF-8, whatever its encoding, without its byte order mark. Whether
/// UTF-8 is valid is for others to check: it passes untouched.
pub(super) struct Decoder<R> {
    inner: R,
    encoding: Option<Encoding>,
    raw: Zeroizing<Vec<u8>>,
    used: usize,
    filled: usize,
    /// Bytes taken from `inner`.
    taken: u64,
}

impl<R: Read> Decoder<R> {
    pub(super) fn new(inner: R) -> Self {
        let raw = Zeroizing::new(Vec::new());
        Self { inner, encoding: None, raw, used: 0, filled: 0, taken: 0 }
    }

    /// What the first bytes showed; UTF-8 before any was read.
    pub(super) fn encoding(&self) -> Encoding {
        self.encoding.unwrap_or(Encoding::Utf8)
    }

    /// Bytes of the file that were needed so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken - (self.filled - self.used) as u64
    }

    /// Fills the head of `out`, which has room for a character at least; 0 at the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Stop> {
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            None => self.detect()?,
        };
        if encoding == Encoding::Utf8 {
            return self.pass(out);
        }
        loop {
            let (read, written) = encoding.decode(&self.raw[self.used..self.filled], out)?;
            self.used += read;
            if written > 0 {
                return Ok(written);
            }
            if !self.refill()? {
                return match self.used == self.filled {
                    true => Ok(0),
                    false => Err(encoding.invalid()),
                };
            }
        }
    }

    /// UTF-8: what was read ahead first, then straight from the file.
    fn pass(&mut self, out: &mut [u8]) -> Result<usize, Stop> {
        if self.used < self.filled {
            let len = (self.filled - self.used).min(out.len());
            out[..len].copy_from_slice(&self.raw[self.used..self.used + len]);
            self.used += len;
            return Ok(len);
        }
        let len = read(&mut self.inner, out)?;
        self.taken += len as u64;
        Ok(len)
    }

    /// Reads more after the bytes that are left; false at the end of the file.
    fn refill(&mut self) -> Result<bool, Stop> {
        self.raw.copy_within(self.used..self.filled, 0);
        (self.filled, self.used) = (self.filled - self.used, 0);
        self.raw.resize(RAW, 0);
        let len = read(&mut self.inner, &mut self.raw[self.filled..])?;
        self.filled += len;
        self.taken += len as u64;
        Ok(len > 0)
    }

    fn detect(&mut self) -> Result<Encoding, Stop> {
        while self.filled < 4 && self.refill()? {}
        let (encoding, mark) = match &self.raw[..self.filled] {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
            [0xFF, 0xFE, 0, 0, ..]
            | [0, 0, 0xFE, 0xFF, ..]
            | [b'<', 0, 0, 0, ..]
            | [0, 0, 0, b'<', ..] => return Err(Stop::Encoding("UTF-32")),
            [0xFF, 0xFE, ..] => (Encoding::Utf16(Order::Little), 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16(Order::Big), 2),
            [b'<', 0, ..] => (Encoding::Utf16(Order::Little), 0),
            [0, b'<', ..] => (Encoding::Utf16(Order::Big), 0),
            // `<?xm`.
            [0x4C, 0x6F, 0xA7, 0x94, ..] => return Err(Stop::Encoding("EBCDIC")),
            [b'<', b'?', ..] => (self.declared()?, 0),
            _ => (Encoding::Utf8, 0),
        };
        self.used = mark;
        self.encoding = Some(encoding);
        Ok(encoding)
    }

    /// Of the encodings that look alike up to here, the one that the declaration names. Any that is
    /// not known here is left to be read as UTF-8, and is refused when the declaration is checked.
    fn declared(&mut self) -> Result<Encoding, Stop> {
        let end = loop {
            let head = &self.raw[..self.filled.min(HEAD)];
            match memchr::memmem::find(head, b"?>") {
                Some(end) => break end,
                None if head.len() == HEAD || !self.refill()? => return Ok(Encoding::Utf8),
                None => {}
            }
        };
        let name = name_in(&self.raw[..end]).and_then(|name| std::str::from_utf8(name).ok());
        Ok(name.and_then(single_byte).unwrap_or(Encoding::Utf8))
    }
}

fn read<R: Read>(inner: &mut R, out: &mut [u8]) -> Result<usize, Stop> {
    loop {
        match inner.read(out) {
            Ok(len) => return Ok(len),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Stop::Io(error)),
        }
    }
}

/// The encoding with one byte for a character that is called `name`.
fn single_byte(name: &str) -> Option<Encoding> {
    match name.to_ascii_uppercase().as_str() {
        "ISO-8859-1" | "ISO_8859-1" | "LATIN1" | "L1" => Some(Encoding::Latin1),
        "WINDOWS-1252" | "CP1252" | "CP-1252" => Some(Encoding::Windows1252),
        _ => None,
    }
}

/// The value of `encoding` in a declaration. Should it be found where it is not, the parser, which
/// knows better, refuses the file.
fn name_in(start: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"encoding";
    let declaration = start.strip_prefix(b"<?xml")?;
    declaration.first().filter(|byte| byte.is_ascii_whitespace())?;
    let after = &declaration[memchr::memmem::find(declaration, KEY)? + KEY.len()..];
    let value = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    Some(&value[..memchr::memchr(*quote, value)?])
}

impl Encoding {
    /// Whether a file whose bytes were read in this encoding may declare `name`, or nothing.
    pub(super) fn allows(self, name: Option<&str>) -> bool {
        if matches!(self, Self::Latin1 | Self::Windows1252) {
            return name.and_then(single_byte) == Some(self);
        }
        let Some(name) = name else { return true };
        let upper = name.to_ascii_uppercase();
        matches!(
            upper.as_str(),
            "UTF-8"
                | "UTF8"
                | "US-ASCII"
                | "ASCII"
                | "UTF-16"
                | "UTF16"
                | "UTF-16LE"
                | "UTF-16BE"
                | "UCS-2"
                | "ISO-10646-UCS-2"
        )
    }

    /// Changes as much of `raw` to UTF-8 as is whole and finds room; how much was read, written. What
    /// is no text is told when nothing stands before it, so that its place does not depend on how much
    /// comes at a time.
    fn decode(self, raw: &[u8], out: &mut [u8]) -> Result<(usize, usize), Stop> {
        let (mut read, mut written) = (0, 0);
        while out.len() - written >= 4 {
            let (character, len) = match self.first(&raw[read..]) {
                Ok(Some(first)) => first,
                Err(stop) if written == 0 => return Err(stop),
                Ok(None) | Err(_) => break,
            };
            written += character.encode_utf8(&mut out[written..]).len();
            read += len;
        }
        Ok((read, written))
    }

    /// The character with which `raw` begins, and its length; `None` when it is not whole.
    fn first(self, raw: &[u8]) -> Result<Option<(char, usize)>, Stop> {
        match self {
            Self::Utf8 | Self::Latin1 => Ok(raw.first().map(|byte| (char::from(*byte), 1))),
            Self::Windows1252 => raw
                .first()
                .map(|byte| windows_1252(*byte).map(|found| (found, 1)).ok_or(self.invalid()))
                .transpose(),
            Self::Utf16(order) => {
                let unit = |at: usize| {
                    let bytes = [*raw.get(at)?, *raw.get(at + 1)?];
                    Some(match order {
                        Order::Little => u16::from_le_bytes(bytes),
                        Order::Big => u16::from_be_bytes(bytes),
                    })
                };
                let Some(first) = unit(0) else { return Ok(None) };
                let units = match (first, unit(2)) {
                    (0xD800..=0xDBFF, None) => return Ok(None),
                    (0xD800..=0xDBFF, Some(second)) => [first, second],
                    _ => [first, first],
                };
                match char::decode_utf16(units).next() {
                    Some(Ok(character)) => Ok(Some((character, character.len_utf16() * 2))),
                    _ => Err(self.invalid()),
                }
            }
        }
    }

    fn invalid(self) -> Stop {
        Stop::Encoding(match self {
            Self::Utf8 => "not valid UTF-8",
            Self::Utf16(_) => "not valid UTF-16",
            Self::Latin1 => "not valid ISO-8859-1",
            Self::Windows1252 => "not valid windows-1252",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let len = self.0.len().min(out.len()).min(self.1);
            out[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn decode(bytes: &[u8], chunk: usize, room: usize) -> Result<String, &'static str> {
        let mut decoder = Decoder::new(Drops(bytes, chunk));
        let (mut text, mut out) = (Vec::new(), vec![0; room]);
        loop {
            match decoder.read(&mut out) {
                Ok(0) => break,
                Ok(len) => text.extend_from_slice(&out[..len]),
                Err(Stop::Encoding(what)) => return Err(what),
                Err(stop) => panic!("{stop:?}"),
            }
        }
        assert_eq!(decoder.taken(), bytes.len() as u64);
        Ok(String::from_utf8(text).unwrap())
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text_wherever_buffers_end() {
        let text = "<?xml version=\"1.0\"?>\n<Aé€𝄞>\n</A>";
        let marked = format!("\u{FEFF}{text}");
        for bytes in [
            text.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
        ] {
            for (chunk, room) in [(1, 4), (2, 5), (3, 64), (1 << 20, 7), (1 << 20, 1 << 17)] {
                assert_eq!(decode(&bytes, chunk, room).as_deref(), Ok(text), "{bytes:?}");
            }
        }
    }

    #[test]
    fn the_declaration_decides_where_bytes_look_alike() {
        let latin = b"<?xml version='1.0' encoding = 'iso-8859-1'?><A>\xE9\x80</A>";
        let text = decode(latin, 1, 64).unwrap();
        assert!(text.ends_with("<A>é\u{80}</A>"), "{text}");
        let windows = b"<?xml version=\"1.0\" encoding=\"Windows-1252\"?><A>\xE9\x80</A>";
        assert!(decode(windows, 3, 64).unwrap().ends_with("<A>é€</A>"));
        // Not within the declaration, or not a declaration.
        for none in [
            &b"<?xml version='1.0'?><A encoding='ISO-8859-1'>\xC3\xA9</A>"[..],
            b"<?xmlx encoding='ISO-8859-1'?><A>\xC3\xA9</A>",
            b"<?pi encoding='ISO-8859-1'?><A>\xC3\xA9</A>",
        ] {
            assert!(decode(none, 1, 64).unwrap().ends_with("é</A>"));
        }
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        let cut = utf16("<A/>\u{1D11E}", u16::to_le_bytes);
        for (bytes, what) in [
            (&cut[..cut.len() - 1], "not valid UTF-16"),
            (&cut[..cut.len() - 2], "not valid UTF-16"),
            (&[b'<', 0, 0x00, 0xDC, b'A', 0][..], "not valid UTF-16"),
            (&[b'<', 0, 0x00, 0xD8, b'A', 0], "not valid UTF-16"),
            (&[0xFF, 0xFE, 0, 0, b'<', 0, 0, 0], "UTF-32"),
            (&[0, 0, 0, b'<'], "UTF-32"),
            (&[0x4C, 0x6F, 0xA7, 0x94], "EBCDIC"),
            (b"<?xml version='1.0' encoding='cp1252'?>\x81", "not valid windows-1252"),
        ] {
            assert_eq!(decode(bytes, 1, 64), Err(what), "{bytes:?}");
        }
    }

    #[test]
    fn the_text_before_what_is_none_comes_first() {
        for chunk in [1, 2, 5, 64] {
            let bytes = [&utf16("<A/>", u16::to_be_bytes)[..], &[0xDC, 0, 0, b'x']].concat();
            let mut decoder = Decoder::new(Drops(&bytes, chunk));
            let (mut text, mut out) = (Vec::new(), [0; 64]);
            let stop = loop {
                match decoder.read(&mut out) {
                    Ok(len) => text.extend_from_slice(&out[..len]),
                    Err(stop) => break stop,
                }
            };
            assert_eq!(text, b"<A/>", "{chunk}");
            assert!(matches!(stop, Stop::Encoding("not valid UTF-16")), "{stop:?}");
        }
    }

    #[test]
    fn short_files_are_left_to_the_parser() {
        for bytes in [&b""[..], b"<", b"<?", b"<?x", b"a"] {
            assert_eq!(decode(bytes, 1, 64).unwrap().as_bytes(), bytes);
        }
    }

    #[test]
    fn a_declaration_that_the_bytes_belie_is_allowed_among_unicode_only() {
        assert!(Encoding::Utf8.allows(Some("utf-16")) && Encoding::Utf8.allows(None));
        assert!(Encoding::Utf16(Order::Big).allows(Some("UTF-8")));
        assert!(Encoding::Latin1.allows(Some("iso-8859-1")));
        for name in ["ISO-8859-1", "Shift_JIS", "UTF-7", ""] {
            assert!(!Encoding::Utf8.allows(Some(name)), "{name}");
        }
        for name in [None, Some("UTF-8"), Some("windows-1252")] {
            assert!(!Encoding::Latin1.allows(name), "{name:?}");
        }
    }
}
