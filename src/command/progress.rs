//! How far long work has come: one bar on standard error, when that is a terminal.
//!
//! Words and the bar share standard error, so that whatever is said goes through [`aside`].

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::interrupt::Input;
use crate::terminal::Terminal;

/// The bar that is drawn now.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Whether standard output, on a terminal, is where data go.
static DATA: AtomicBool = AtomicBool::new(false);

/// Shorter files are read before anybody could look.
const SHORTEST: u64 = 256 * 1024;

/// A bar for `count` keys.
pub(super) fn keys(count: u64) -> Bar {
    let style = "{bar:30} {human_pos}/{human_len} keys, {per_sec}, {eta} left";
    Bar::draw(Some(count), style)
}

/// `input`, of `bytes` bytes if that is known, with a bar while it is read.
pub(super) fn watched<R: Read>(input: R, bytes: Option<u64>) -> Watched<R> {
    let style = match bytes {
        Some(_) => "{bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes}, {bytes_per_sec}",
    };
    // Data on the same terminal would be drawn over.
    let alone = !DATA.load(Ordering::Relaxed);
    let wanted = alone && bytes.is_none_or(|bytes| bytes >= SHORTEST);
    Watched { input, bar: wanted.then(|| Bar::draw(bytes, style)) }
}

/// As [`watched`], for a file of so many bytes.
pub(super) fn file(input: Input, bytes: u64) -> Box<dyn Read> {
    Box::new(watched(input, Some(bytes)))
}

/// Data are written to standard output while the input is read: on a terminal, without a bar.
pub(super) fn data_on_stdout() {
    DATA.store(Terminal::stdout().interactive, Ordering::Relaxed);
}

/// Does `work`, which writes to standard error, with the bar out of its way.
pub(super) fn aside(work: impl FnOnce()) {
    let bar = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(work),
        None => work(),
    }
}

/// A bar, which goes away when it is dropped. Nothing when standard error is no terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    fn draw(len: Option<u64>, style: &str) -> Self {
        let bar = ProgressBar::with_draw_target(len, ProgressDrawTarget::stderr());
        let style =
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style);
        *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(bar)
    }

    /// So much is done.
    pub(super) fn set(&self, position: u64) {
        self.0.set_position(position);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
        *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// An input with its bar.
pub(super) struct Watched<R> {
    input: R,
    bar: Option<Bar>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.bar = None;
        } else if let Some(bar) = &self.bar {
            bar.0.inc(read as u64);
        }
        Ok(read)
    }
}
