//! The cursor, hidden while a line is redrawn in place and shown again whatever happens.

use std::io::{self, Write};

/// Hides the cursor of the terminal behind `out` until it is dropped.
#[derive(Debug)]
pub struct HiddenCursor<W: Write> {
    out: W,
}

impl<W: Write> HiddenCursor<W> {
    /// Hides the cursor.
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(b"\x1b[?25l")?;
        Ok(Self { out })
    }
}

impl<W: Write> Write for HiddenCursor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Drop for HiddenCursor<W> {
    fn drop(&mut self) {
        // Nothing can be done when the terminal is gone, and nothing is then needed.
        let _ = self.out.write_all(b"\x1b[?25h").and_then(|()| self.out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_shown_again() {
        let mut bytes = Vec::new();
        HiddenCursor::new(&mut bytes).unwrap().write_all(b"text").unwrap();
        assert_eq!(bytes, b"\x1b[?25ltext\x1b[?25h");
    }
}
