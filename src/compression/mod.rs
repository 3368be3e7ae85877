//! Files that are compressed because their name says so, and read whatever their name says.
//!
//! gzip (RFC 1952) is written and read by a pure Rust codec; zstd (RFC 8878) by the reference
//! implementation, which is C, but fuzzed for years, and no pure Rust encoder comes near it. xz and
//! bzip2 are recognised and refused by name.

mod unpack;

use std::io::{self, Write};
use std::path::Path;

use flate2::write::GzEncoder;

pub use unpack::{Expands, unpack};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// zstd, RFC 8878.
    Zstd,
}

/// Compressed in a way that is not written or read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {codec} is neither written nor read here, only gzip and zstd are")]
pub struct Unsupported {
    /// Name of the file.
    pub name: String,
    /// `xz` or `bzip2`.
    pub codec: &'static str,
}

impl Unsupported {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let codec = self.codec;
        format!("name it .zst or .gz, or let `{codec}` do it through `-` and a pipe")
    }
}

const OTHERS: [(&str, &str, &[u8]); 2] =
    [(".xz", "xz", &[0xfd, b'7', b'z', b'X', b'Z', 0]), (".bz2", "bzip2", b"BZh")];

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
        Ok(match name.rsplit_once('.') {
            Some((_, "gz")) => Self::Gzip,
            Some((_, "zst" | "zstd")) => Self::Zstd,
            _ => Self::None,
        })
    }

    /// `name` without the ending that asks for a compression.
    #[must_use]
    pub fn strip(name: &str) -> &str {
        let is = |ending: &str, one: &&str| ending.eq_ignore_ascii_case(one);
        match name.rsplit_once('.') {
            Some((rest, end)) if ["gz", "zst", "zstd"].iter().any(|one| is(end, one)) => rest,
            _ => name,
        }
    }
}

/// A writer that compresses what passes through it, or not.
pub enum Packer<W: Write> {
    /// As it is.
    Plain(W),
    /// gzip.
    Gzip(Box<GzEncoder<W>>),
    /// zstd.
    Zstd(Box<zstd::Encoder<'static, W>>),
}

impl<W: Write> Packer<W> {
    /// Most of a batch is ciphertext: more effort takes several times as long for a few percent.
    const ZSTD_LEVEL: i32 = 1;

    /// Writes to `out`. The head of the file says neither when nor where it was made.
    ///
    /// # Errors
    /// When there is no memory for the codec.
    pub fn new(out: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(out),
            Compression::Gzip => {
                Self::Gzip(Box::new(GzEncoder::new(out, flate2::Compression::fast())))
            }
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(out, Self::ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(Box::new(encoder))
            }
        })
    }

    /// Writes the end of the file and gives back what it was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }

    /// What it writes to.
    pub fn get_ref(&self) -> &W {
        match self {
            Self::Plain(out) => out,
            Self::Gzip(encoder) => encoder.get_ref(),
            Self::Zstd(encoder) => encoder.get_ref(),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            // Flushing would end a block: it would only make the file longer.
            Self::Gzip(_) | Self::Zstd(_) => Ok(()),
        }
    }
}

impl<W: Write> std::fmt::Debug for Packer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Packer::Plain",
            Self::Gzip(_) => "Packer::Gzip",
            Self::Zstd(_) => "Packer::Zstd",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_how_it_is_written() {
        let of = |name: &str| Compression::of(Path::new(name));
        assert_eq!(of("a/batch.pskcxml"), Ok(Compression::None));
        assert_eq!(of("a.gz/batch.pskcxml.GZ"), Ok(Compression::Gzip));
        assert_eq!(of("a.gz/batch.pskcxml.zst"), Ok(Compression::Zstd));
        assert_eq!(of("batch.ZSTD"), Ok(Compression::Zstd));
        assert_eq!(of("-"), Ok(Compression::None));
        let refused = of("batch.xml.xz").unwrap_err();
        assert_eq!(refused.codec, "xz");
        assert!(refused.to_string().starts_with("batch.xml.xz: xz is neither"), "{refused}");
        assert_eq!(Compression::strip("batch.xml.zst"), "batch.xml");
        assert_eq!(Compression::strip("batch.xml.GZ"), "batch.xml");
        assert_eq!(Compression::strip("batch.xml"), "batch.xml");
    }

    #[test]
    fn the_head_tells_no_time_and_the_end_has_a_checksum() {
        let pack = |compression| {
            let mut packer = Packer::new(Vec::new(), compression).unwrap();
            packer.write_all(&b"<KeyContainer/>".repeat(1000)).unwrap();
            packer.finish().unwrap()
        };
        assert_eq!(pack(Compression::None).len(), 15_000);
        let gzip = pack(Compression::Gzip);
        assert!(gzip.len() < 1500 && gzip[4..8] == [0; 4], "the head tells a time");
        let zstd = pack(Compression::Zstd);
        // RFC 8878 §3.1.1.1.1: Content_Checksum_flag.
        assert!(zstd.len() < 1500 && zstd[4] & 4 == 4, "no checksum");
    }
}
