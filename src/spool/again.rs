//! What was held back, read from its beginning as often as need be.

use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::{Spool, wrapped};
use crate::interrupt::Interrupt;

impl Spool {
    /// All of it, from its beginning, until `interrupt` asks to stop.
    pub(crate) fn again(self: &Rc<Self>, interrupt: &Interrupt) -> impl Read + use<> {
        let (spool, interrupt) = (self.clone(), interrupt.clone());
        Again { spool, interrupt, number: 0, block: Zeroizing::new(Vec::new()), used: 0 }
    }
}

struct Again {
    spool: Rc<Spool>,
    interrupt: Interrupt,
    /// Pieces opened so far.
    number: u64,
    /// The piece at hand.
    block: Zeroizing<Vec<u8>>,
    used: usize,
}

impl Again {
    /// Opens the next piece; the last is in memory.
    fn next(&mut self) -> io::Result<bool> {
        self.interrupt.check()?;
        let Spool { piece, sealed, folder } = &*self.spool;
        let pieces = sealed.as_ref().map_or(0, |sealed| sealed.pieces);
        self.used = 0;
        match sealed {
            Some(sealed) if self.number < pieces => {
                const WHOLE: usize = Spool::PIECE + Spool::TAG;
                self.block.resize(WHOLE, 0);
                let offset = self.number * WHOLE as u64;
                let read = sealed.file.read_exact_at(&mut self.block, offset);
                read.and_then(|()| sealed.open(self.number, &mut self.block).map(drop))
                    .map_err(|source| wrapped(folder, source))?;
                self.block.truncate(Spool::PIECE);
            }
            _ if self.number == pieces => {
                self.block.clear();
                self.block.extend_from_slice(piece);
            }
            _ => return Ok(false),
        }
        self.number += 1;
        Ok(true)
    }
}

impl Read for Again {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.used == self.block.len() {
            if !self.next()? {
                return Ok(0);
            }
        }
        let taken = out.len().min(self.block.len() - self.used);
        out[..taken].copy_from_slice(&self.block[self.used..self.used + taken]);
        self.used += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn all_of_it_is_read_twice_at_once() {
        for bytes in [0, 1, Spool::PIECE, Spool::PIECE + 1, 2 * Spool::PIECE + 5] {
            let text: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
            let mut spool = Spool::new();
            spool.write_all(&text).unwrap();
            let spool = Rc::new(spool);
            let never = Interrupt::never();
            let (mut one, mut two) = (spool.again(&never), spool.again(&never));
            let mut head = vec![0; bytes / 2];
            one.read_exact(&mut head).unwrap();
            let (mut rest, mut whole) = (Vec::new(), Vec::new());
            two.read_to_end(&mut whole).unwrap();
            one.read_to_end(&mut rest).unwrap();
            assert!([head, rest].concat() == text && whole == text, "{bytes} bytes");
        }
    }

    #[test]
    fn a_file_that_changed_is_an_error() {
        let mut spool = Spool::new();
        spool.write_all(&vec![7; 2 * Spool::PIECE]).unwrap();
        spool.sealed.as_ref().unwrap().file.write_at(b"?", 5).unwrap();
        let error = Rc::new(spool).again(&Interrupt::never()).read(&mut [0]).unwrap_err();
        assert!(error.to_string().ends_with("it was changed meanwhile"), "{error}");
    }
}
