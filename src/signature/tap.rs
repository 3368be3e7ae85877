//! A stream that is watched while somebody else reads it: for what comes once and is not kept.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use jiff::Timestamp;

use super::SignatureError;
use super::verify::{Outcome, conclude};
use super::watch::{Wanted, Watch};

/// Passes bytes on and watches them.
pub struct Tap<R> {
    inner: R,
    state: Rc<RefCell<State>>,
}

/// What a [`Tap`] saw.
pub struct Tapped(Rc<RefCell<State>>);

struct State {
    watch: Option<Watch>,
    fault: Option<SignatureError>,
}

impl<R: Read> Tap<R> {
    /// Watches `inner` for a signature made as here: to be ready for every kind would cost eight
    /// times what reading does, and nobody asked for the signature.
    pub fn new(inner: R) -> (Self, Tapped) {
        let watch = Some(Watch::new(&[Wanted::usual()]));
        let state = Rc::new(RefCell::new(State { watch, fault: None }));
        (Self { inner, state: state.clone() }, Tapped(state))
    }
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(buffer)?;
        let mut state = self.state.borrow_mut();
        if let Some(watch) = &mut state.watch
            && let Err(fault) = watch.push(&buffer[..taken])
        {
            // Only if the document turns out to be signed does it matter.
            (state.watch, state.fault) = (None, Some(fault));
        }
        Ok(taken)
    }
}

impl<R> std::fmt::Debug for Tap<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

impl std::fmt::Debug for Tapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tapped")
    }
}

impl Tapped {
    /// What the signature of the stream, which was read to its end, comes to.
    ///
    /// # Errors
    /// As of [`super::verify()`].
    pub fn conclude(self, now: Timestamp) -> Result<Outcome, SignatureError> {
        let mut state = self.0.borrow_mut();
        match (state.watch.take(), state.fault.take()) {
            (Some(watch), _) => conclude(&watch.finish()?, now),
            (None, Some(fault)) => Err(fault),
            (None, None) => Ok(Outcome::Unsigned),
        }
    }
}
