//! Whether a file that is read more than once had the same content each time: dates do not tell, as
//! whoever may write to it may also set them, or have mapped it into memory.

use std::cell::RefCell;
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};
use std::io::{self, Read};
use std::rc::Rc;

/// Takes a digest of each pass over a file.
///
/// The digest is `SipHash` under a key that only this process has: nobody can look for another content
/// with the same one, and it costs a third of SHA-256.
#[derive(Default)]
pub(super) struct Witness {
    key: RandomState,
    passes: RefCell<Passes>,
}

#[derive(Default)]
struct Passes {
    /// The one under way.
    current: Option<Rc<RefCell<Pass>>>,
    /// Length and digest of the first.
    first: Option<(u64, u64)>,
    differ: bool,
}

struct Pass {
    input: Box<dyn Read>,
    hasher: DefaultHasher,
    len: u64,
}

impl Witness {
    /// A further pass, which reads `open()`. The one before is over.
    pub(super) fn pass<R: Read + 'static>(
        &self,
        open: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<Watched> {
        // Passes share one place in the file: the last one ends before this one begins.
        self.settle()?;
        let input = Box::new(open()?);
        let pass = Pass { input, hasher: self.key.build_hasher(), len: 0 };
        let pass = Rc::new(RefCell::new(pass));
        self.passes.borrow_mut().current = Some(Rc::clone(&pass));
        Ok(Watched(pass))
    }

    /// Whether all passes met the same bytes.
    pub(super) fn agrees(&self) -> io::Result<bool> {
        self.settle()?;
        Ok(!self.passes.borrow().differ)
    }

    fn settle(&self) -> io::Result<()> {
        let mut passes = self.passes.borrow_mut();
        let Some(pass) = passes.current.take() else { return Ok(()) };
        let mut pass = pass.borrow_mut();
        // Whoever read it may have stopped at the end of what they understand.
        io::copy(&mut *pass, &mut io::sink())?;
        let seen = (pass.len, pass.hasher.finish());
        passes.differ |= *passes.first.get_or_insert(seen) != seen;
        Ok(())
    }
}

/// The bytes of one pass.
pub(super) struct Watched(Rc<RefCell<Pass>>);

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl Read for Pass {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.input.read(buffer)?;
        // `write` and not `hash`: where the pieces end must not matter.
        self.hasher.write(&buffer[..taken]);
        self.len += taken as u64;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether passes over these contents agree, each read by so many bytes and then left.
    fn agree(passes: &[(&'static [u8], usize)]) -> bool {
        let witness = Witness::default();
        for (content, read) in passes {
            let mut input = witness.pass(|| Ok(*content)).unwrap();
            for _ in 0..*read {
                assert_eq!(input.read(&mut [0]).unwrap(), 1);
            }
        }
        witness.agrees().unwrap()
    }

    #[test]
    fn passes_agree_when_their_bytes_do_however_they_were_read() {
        assert!(agree(&[]));
        assert!(agree(&[(b"content", 0)]));
        assert!(agree(&[(b"content", 7), (b"content", 0), (b"content", 3)]));
        for other in [&b"contend"[..], b"conten", b"contentt", b"", b"content\0"] {
            assert!(!agree(&[(b"content", 4), (other, 0)]), "{other:?}");
            assert!(!agree(&[(b"content", 4), (other, 0), (b"content", 4)]), "{other:?}");
        }
    }
}
