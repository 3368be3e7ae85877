//! Files that are compressed because their name says so, and read whatever their name says.
//!
//! gzip (RFC 1952) is written and read, by a pure Rust codec. zstd, xz and bzip2 are recognised and
//! refused by name: no encoder for them is free of C or old enough to be trusted with a delivery.

use std::io::{self, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, RFC 1952.
    Gzip,
}

/// Compressed in a way that is not written or read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {codec} is neither written nor read here, only gzip is")]
pub struct Unsupported {
    /// Name of the file.
    pub name: String,
    /// `zstd`, `xz` or `bzip2`.
    pub codec: &'static str,
}

impl Unsupported {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let codec = self.codec;
        format!("name it .gz, or let `{codec}` do it through `-` and a pipe")
    }
}

const OTHERS: [(&str, &str, &[u8]); 4] = [
    (".zst", "zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
    (".zstd", "zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
    (".xz", "xz", &[0xfd, b'7', b'z', b'X', b'Z', 0]),
    (".bz2", "bzip2", b"BZh"),
];

impl Compression {
    /// What the end of a file's name asks for.
    ///
    /// # Errors
    /// [`Unsupported`] for the endings of the other codecs.
    pub fn of(path: &Path) -> Result<Self, Unsupported> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if let Some((_, codec, _)) = OTHERS.iter().find(|(ending, ..)| name.ends_with(ending)) {
            return Err(Unsupported { name: path.display().to_string(), codec });
        }
        Ok(if name.ends_with(".gz") { Self::Gzip } else { Self::None })
    }
}

/// A writer that compresses what passes through it, or not.
#[derive(Debug)]
pub enum Packer<W: Write> {
    /// As it is.
    Plain(W),
    /// gzip.
    Gzip(Box<GzEncoder<W>>),
}

impl<W: Write> Packer<W> {
    /// Writes to `out`. The head of a gzip file says neither when nor where it was made.
    pub fn new(out: W, compression: Compression) -> Self {
        match compression {
            Compression::None => Self::Plain(out),
            // Most of a batch is ciphertext: more effort costs four times as much for little.
            Compression::Gzip => {
                Self::Gzip(Box::new(GzEncoder::new(out, flate2::Compression::fast())))
            }
        }
    }

    /// Writes the end of the file and gives back what it was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }

    /// What it writes to.
    pub fn get_ref(&self) -> &W {
        match self {
            Self::Plain(out) => out,
            Self::Gzip(encoder) => encoder.get_ref(),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            // Flushing gzip ends a block: it would only make the file longer.
            Self::Gzip(_) => Ok(()),
        }
    }
}

/// Reads `input`, called `name` in messages, and decompresses it if it is gzip, which its first
/// bytes tell.
///
/// # Errors
/// When the first bytes cannot be read; [`Unsupported`] as the source of an
/// [`io::ErrorKind::Unsupported`] for the other codecs. While reading,
/// [`io::ErrorKind::InvalidData`] for a broken file and for one that expands beyond all measure.
pub fn unpack<'a>(name: &str, mut input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    input.by_ref().take(6).read_to_end(&mut start)?;
    if let Some((_, codec, _)) = OTHERS.iter().find(|(.., magic)| start.starts_with(magic)) {
        let refused = Unsupported { name: name.to_owned(), codec };
        return Err(io::Error::new(io::ErrorKind::Unsupported, refused));
    }
    let gzip = start.starts_with(&[0x1f, 0x8b]);
    let whole = io::Cursor::new(start).chain(input);
    if gzip {
        let decoder = MultiGzDecoder::new(Counted { input: whole, bytes: 0 });
        return Ok(Box::new(Guarded { decoder, bytes: 0 }));
    }
    Ok(Box::new(whole))
}

struct Counted<R> {
    input: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.input.read(buffer)?;
        self.bytes += taken as u64;
        Ok(taken)
    }
}

/// A decoder that stops at a file made to expand without end: seeds are random, so that even a
/// batch in clear, with long texts around each, shrinks 50-fold at most.
struct Guarded<R> {
    decoder: MultiGzDecoder<Counted<R>>,
    bytes: u64,
}

impl<R> Guarded<R> {
    /// Bytes up to which any file may expand.
    const FREE: u64 = 16 << 20;
    /// How many times its size a larger file may have.
    const RATIO: u64 = 200;
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.decoder.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof => io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the gzip file is cut or broken ({error})"),
            ),
            _ => error,
        })?;
        self.bytes += taken as u64;
        let packed = self.decoder.get_ref().bytes;
        if self.bytes > Self::FREE && self.bytes / Self::RATIO > packed {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the gzip file expands to more than {} times its size, which no batch does",
                    Self::RATIO
                ),
            ));
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut packer = Packer::new(Vec::new(), Compression::Gzip);
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpack("x", bytes)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn the_name_decides_how_it_is_written() {
        let of = |name: &str| Compression::of(Path::new(name));
        assert_eq!(of("a/batch.pskcxml"), Ok(Compression::None));
        assert_eq!(of("a.gz/batch.pskcxml.GZ"), Ok(Compression::Gzip));
        assert_eq!(of("-"), Ok(Compression::None));
        let refused = of("batch.xml.zst").unwrap_err();
        assert_eq!(refused.codec, "zstd");
        assert!(refused.to_string().starts_with("batch.xml.zst: zstd is neither"), "{refused}");
    }

    #[test]
    fn what_was_packed_is_read_back_in_one_piece_or_several() {
        let text = b"<KeyContainer/>".repeat(1000);
        let packed = pack(&text);
        assert!(packed.len() < text.len() / 10);
        assert_eq!(packed[4..8], [0; 4], "the head tells a time");
        assert_eq!(read(&packed).unwrap(), text);
        assert_eq!(read(&[packed.clone(), packed].concat()).unwrap(), [&*text, &*text].concat());
        assert_eq!(read(b"<a/>").unwrap(), b"<a/>");
        assert_eq!(read(b"").unwrap(), b"");
    }

    #[test]
    fn broken_and_endless_files_are_refused() {
        let mut packed = pack(&b"0123456789".repeat(100));
        let whole = packed.clone();
        packed.truncate(packed.len() - 5);
        assert!(read(&packed).unwrap_err().to_string().contains("cut or broken"));
        let mut flipped = whole;
        let last = flipped.len() - 6;
        flipped[last] ^= 1;
        assert!(read(&flipped).unwrap_err().to_string().contains("cut or broken"));
        let bomb = pack(&vec![b' '; 32 << 20]);
        let error = read(&bomb).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("200 times"), "{error}");
    }

    #[test]
    fn other_codecs_are_named() {
        for (start, codec) in [(&b"\x28\xb5\x2f\xfd...."[..], "zstd"), (b"BZh91AY", "bzip2")] {
            let error = read(start).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            assert!(error.to_string().contains(codec), "{error}");
        }
    }
}
