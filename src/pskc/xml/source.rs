//! Buffered text that knows where it is: line and column are counted only when asked for.

use std::io::{self, BufRead, Read};

use zeroize::Zeroizing;

use super::encoding::{Decoder, Encoding};

/// Size of the buffer, in bytes; small under a fuzzer, so that it ends everywhere in a file.
const BUFFER: usize = if cfg!(fuzzing) { 1024 } else { 128 * 1024 };

/// A buffered reader with two marks: where the element being read began, for messages, and where
/// the current event began, so that no single one exceeds its limit.
pub(super) struct Source<R> {
    inner: Decoder<R>,
    buffer: Zeroizing<Vec<u8>>,
    used: usize,
    filled: usize,
    /// Offset in the file of the first byte in the buffer, and its place.
    base: u64,
    base_place: (u64, u64),
    mark: u64,
    /// Place of the mark, once the bytes it lay in are gone.
    mark_place: Option<(u64, u64)>,
    event: u64,
    /// Place of the event, once bytes of it are gone.
    event_place: Option<(u64, u64)>,
    limit: u64,
    failure: Option<Stop>,
}

/// Why the bytes stopped, in more words than an `io::Error` carries through the parser.
#[derive(Debug)]
pub(super) enum Stop {
    /// The operating system said so.
    Io(io::Error),
    /// One tag, text or comment is longer than the limit.
    TooLong,
    /// They are no text, or not in an encoding that is read: this one.
    Encoding(&'static str),
}

impl<R: Read> Source<R> {
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self {
            inner: Decoder::new(inner),
            buffer: Zeroizing::new(vec![0; BUFFER]),
            used: 0,
            filled: 0,
            base: 0,
            base_place: (1, 1),
            mark: 0,
            mark_place: None,
            event: 0,
            event_place: None,
            limit,
            failure: None,
        }
    }

    /// Bytes of text read so far.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.used as u64
    }

    /// Bytes of the file read so far: exact for UTF-8, else to within a buffer.
    pub(super) fn file_offset(&self) -> u64 {
        match self.encoding() {
            Encoding::Utf8 => self.inner.taken() - (self.filled - self.used) as u64,
            _ => self.inner.taken(),
        }
    }

    /// How the bytes stand for characters.
    pub(super) fn encoding(&self) -> Encoding {
        self.inner.encoding()
    }

    /// The bytes that are here already: none, when the next ones are still to be read.
    pub(super) fn buffered(&self) -> &[u8] {
        &self.buffer[self.used..self.filled]
    }

    /// An event starts here.
    pub(super) fn begin_event(&mut self) {
        self.event = self.offset();
        self.event_place = None;
    }

    /// Bytes of the current event so far.
    pub(super) fn event_len(&self) -> u64 {
        self.offset() - self.event
    }

    /// Messages point to the event that began last.
    pub(super) fn mark(&mut self) {
        self.mark = self.event;
        self.mark_place = self.event_place;
    }

    /// Messages point to here.
    pub(super) fn mark_here(&mut self) {
        self.begin_event();
        self.mark();
    }

    /// Line and column of the mark, from 1.
    pub(super) fn place(&self) -> (u64, u64) {
        self.mark_place.unwrap_or_else(|| self.place_of(self.mark))
    }

    pub(super) fn take_failure(&mut self) -> Option<Stop> {
        self.failure.take()
    }

    fn place_of(&self, offset: u64) -> (u64, u64) {
        let index = usize::try_from(offset.saturating_sub(self.base)).unwrap_or(0);
        place_after(self.base_place, &self.buffer[..index.min(self.filled)])
    }

    /// Settles the places that can be told only while the bytes before them are here: mark, event
    /// and end, in this order, so that each byte is looked at once.
    fn settle_places(&mut self) {
        let (mut at, mut place) = (0, self.base_place);
        for (offset, slot) in
            [(self.mark, &mut self.mark_place), (self.event, &mut self.event_place)]
        {
            if slot.is_none() && offset >= self.base {
                let index = usize::try_from(offset - self.base).unwrap_or(0).min(self.filled);
                // The mark is never behind the event.
                place = place_after(place, &self.buffer[at..index]);
                at = index;
                *slot = Some(place);
            }
        }
        self.base_place = place_after(place, &self.buffer[at..self.used]);
        self.base += self.used as u64;
        (self.used, self.filled) = (0, 0);
    }
}

/// The place after `bytes`, which begin at `place`; columns count characters.
fn place_after((line, column): (u64, u64), bytes: &[u8]) -> (u64, u64) {
    match memchr::memrchr(b'\n', bytes) {
        Some(last) => {
            let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
            (line + lines, 1 + characters(&bytes[last + 1..]))
        }
        None => (line, column + characters(bytes)),
    }
}

/// Characters that begin in `bytes`, which may be cut anywhere.
fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.filled {
            if self.event_len() > self.limit {
                self.failure = Some(Stop::TooLong);
                return Err(io::Error::other("too long"));
            }
            self.settle_places();
            match self.inner.read(&mut self.buffer) {
                Ok(filled) => self.filled = filled,
                Err(stop) => {
                    self.failure = Some(stop);
                    return Err(io::Error::other("read failed"));
                }
            }
        }
        Ok(&self.buffer[self.used..self.filled])
    }

    fn consume(&mut self, amount: usize) {
        self.used = (self.used + amount).min(self.filled);
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let len = available.len().min(out.len());
        out[..len].copy_from_slice(&available[..len]);
        self.consume(len);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, so that every mark outlives its buffer.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(1);
            out[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    #[test]
    fn places_are_right_within_and_across_buffers() {
        let text = "ab\ncd\n\neég".as_bytes();
        // The second byte of é is no place of its own: whatever comes after it is.
        let expected = [
            (1, 1),
            (1, 2),
            (1, 3),
            (2, 1),
            (2, 2),
            (2, 3),
            (3, 1),
            (4, 1),
            (4, 2),
            (4, 3),
            (4, 3),
        ];
        for (mark, place) in expected.into_iter().enumerate() {
            let mut whole = Source::new(text, 1000);
            let mut drops = Source::new(Drops(text), 1000);
            for at in 0..text.len() {
                if at == mark {
                    whole.mark_here();
                    drops.mark_here();
                }
                let mut byte = [0];
                assert_eq!(whole.read(&mut byte).unwrap(), 1);
                assert_eq!(drops.read(&mut byte).unwrap(), 1);
            }
            assert_eq!(whole.place(), place);
            assert_eq!(drops.place(), place, "mark {mark}");
        }
    }
}
