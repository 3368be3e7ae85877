//! Words on standard error, which never stop the work: when nobody can hear them (a full disk, a
//! closed pipe), `eprintln!` would end the program in a panic, in the middle of whatever it does.

use std::fmt::Arguments;
use std::io::{self, Write};

use crate::terminal::printable_lines;

/// `eprintln!` that does not mind when the words cannot be written.
macro_rules! say {
    ($($words:tt)*) => { $crate::command::words::line(format_args!($($words)*)) };
}

/// One line. What a stranger's file has in it is shown, and not obeyed.
pub(super) fn line(words: Arguments<'_>) {
    // One write, so that lines of several threads do not mix.
    text(&printable_lines(&format!("{words}\n")));
}

/// Anything, such as a line that is redrawn.
pub(super) fn text(words: &str) {
    super::progress::aside(|| {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(words.as_bytes()).and_then(|()| stderr.flush());
    });
}
