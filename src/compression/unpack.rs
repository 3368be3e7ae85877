//! Reading files that are compressed, as their first bytes tell, whatever their name says.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use super::{OTHERS, Unsupported};

/// Reads `input`, called `name` in messages, and decompresses it if it is gzip or zstd, which its
/// first bytes tell. A file of some size may expand to `most` times that.
///
/// # Errors
/// When the first bytes cannot be read; [`Unsupported`] as the source of an
/// [`io::ErrorKind::Unsupported`] for the other codecs. While reading,
/// [`io::ErrorKind::InvalidData`] for a broken file and, with [`Expands`] as its source, for one that
/// expands beyond measure.
pub fn unpack<'a>(
    name: &str,
    mut input: impl Read + 'a,
    most: u64,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    input.by_ref().take(6).read_to_end(&mut start)?;
    if let Some((_, codec, _)) = OTHERS.iter().find(|(.., magic)| start.starts_with(magic)) {
        let refused = Unsupported { name: name.to_owned(), codec };
        return Err(io::Error::new(io::ErrorKind::Unsupported, refused));
    }
    let (gzip, zstd) = (start.starts_with(&[0x1f, 0x8b]), is_zstd(&start));
    let whole = io::Cursor::new(start).chain(input);
    if !gzip && !zstd {
        return Ok(Box::new(whole));
    }
    let packed = Rc::new(Packed::default());
    let whole = Counted { input: whole, packed: Rc::clone(&packed) };
    let (codec, decoder): (_, Box<dyn Read + 'a>) = match gzip {
        true => ("gzip", Box::new(MultiGzDecoder::new(whole))),
        // It takes the windows that the program of that name takes: 128 MiB at most.
        false => ("zstd", Box::new(zstd::Decoder::with_buffer(BufReader::new(whole))?)),
    };
    Ok(Box::new(Guarded { codec, decoder, packed, bytes: 0, most }))
}

/// RFC 8878 §3.1.1, and §3.1.2 for the skippable frame that parallel compressors begin with.
fn is_zstd(start: &[u8]) -> bool {
    match start {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        [first, 0x2a, 0x4d, 0x18, ..] => (0x50..=0x5f).contains(first),
        _ => false,
    }
}

/// What is known of the file below a decoder.
#[derive(Default)]
struct Packed {
    /// Bytes read.
    bytes: Cell<u64>,
    /// Whether reading it failed.
    failed: Cell<bool>,
}

struct Counted<R> {
    input: R,
    packed: Rc<Packed>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.input.read(buffer);
        self.packed.failed.set(taken.is_err());
        self.packed.bytes.set(self.packed.bytes.get() + *taken.as_ref().unwrap_or(&0) as u64);
        taken
    }
}

/// A decoder that stops at a file made to expand without end: seeds are random, so that even a
/// batch in clear, with long texts around each, shrinks 50-fold at most.
struct Guarded<'a> {
    codec: &'static str,
    decoder: Box<dyn Read + 'a>,
    packed: Rc<Packed>,
    /// Bytes given out.
    bytes: u64,
    /// How many times its size a file beyond [`Guarded::FREE`] may have.
    most: u64,
}

/// A file expands beyond what is allowed for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {codec} file expands to more than {most} times its size, which no batch does")]
pub struct Expands {
    codec: &'static str,
    most: u64,
}

impl Expands {
    /// Whether this is what `error` says.
    #[must_use]
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|error| error.is::<Self>())
    }
}

impl Guarded<'_> {
    /// Bytes up to which any file may expand.
    const FREE: u64 = 16 << 20;
}

impl Read for Guarded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let codec = self.codec;
        let taken = self.decoder.read(buffer).map_err(|error| match self.packed.failed.get() {
            true => error,
            // What the codec found, not the disk.
            false => io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the {codec} file is cut or broken ({error})"),
            ),
        })?;
        self.bytes += taken as u64;
        let most = self.most;
        if self.bytes > Self::FREE && self.bytes / most > self.packed.bytes.get() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, Expands { codec, most }));
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::{Compression, Packer};
    use std::io::Write;

    const BOTH: [(&str, Compression); 2] =
        [("gzip", Compression::Gzip), ("zstd", Compression::Zstd)];

    fn pack(bytes: &[u8], compression: Compression) -> Vec<u8> {
        let mut packer = Packer::new(Vec::new(), compression).unwrap();
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpack("x", bytes, 200)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_was_packed_is_read_back_in_one_piece_or_several() {
        let text = b"<KeyContainer/>".repeat(1000);
        for (codec, compression) in BOTH {
            let packed = pack(&text, compression);
            assert_eq!(read(&packed).unwrap(), text, "{codec}");
            let twice = [packed.clone(), packed].concat();
            assert_eq!(read(&twice).unwrap(), [&*text, &*text].concat(), "{codec}");
        }
        // A skippable frame of three bytes, as pzstd writes one.
        let skip = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
        let packed = [skip, pack(&text, Compression::Zstd)].concat();
        assert_eq!(read(&packed).unwrap(), text);
        assert_eq!(read(b"<a/>").unwrap(), b"<a/>");
        assert_eq!(read(b"").unwrap(), b"");
    }

    #[test]
    fn broken_and_endless_files_are_refused() {
        for (codec, compression) in BOTH {
            let broken = format!("the {codec} file is cut or broken");
            let refused = |bytes: &[u8], words: &str| {
                let error = read(bytes).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{codec}");
                assert!(error.to_string().contains(words), "{codec}: {error}");
            };
            let whole = pack(&b"0123456789".repeat(100), compression);
            for cut in [1, 5, whole.len() - 7] {
                refused(&whole[..whole.len() - cut], &broken);
            }
            let mut flipped = whole;
            let last = flipped.len() - 3;
            flipped[last] ^= 1;
            refused(&flipped, &broken);
            refused(&pack(&vec![b' '; 32 << 20], compression), "more than 200 times");
        }
    }

    #[test]
    fn an_error_of_the_disk_stays_one() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(5))
            }
        }
        for (codec, compression) in BOTH {
            let packed = pack(&b"0123456789".repeat(100), compression);
            let mut input = unpack("x", packed[..20].chain(Failing), 200).unwrap();
            let error = input.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(5), "{codec}");
        }
    }

    #[test]
    fn other_codecs_are_named() {
        for (start, codec) in [(&b"\xfd7zXZ\0."[..], "xz"), (b"BZh91AY", "bzip2")] {
            let error = read(start).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            assert!(error.to_string().contains(codec), "{error}");
        }
    }
}
