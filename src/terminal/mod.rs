//! What a terminal is and can do: whether there is one, whether it wants colour, whether it shows
//! more than ASCII; hiding its cursor while a line is redrawn in place; and text that it may not
//! obey.
//!
//! Text only: these give strings, `command/` prints them.

mod cursor;
mod printable;

pub use cursor::HiddenCursor;
pub use printable::{printable, printable_json, printable_lines};

use std::io::IsTerminal;

/// What standard output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// A person looks at it; otherwise it is a file or a pipe.
    pub interactive: bool,
    /// It wants colour.
    pub colour: bool,
    /// It shows characters beyond ASCII. Files and pipes always do: they are UTF-8.
    pub unicode: bool,
}

/// The few colours in use, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// What the eye should find first.
    Strong,
    /// Time enough.
    Calm,
    /// Little left.
    Soon,
    /// About to change.
    Urgent,
}

impl Terminal {
    /// Looks at standard output and the environment: `NO_COLOR` set to anything but nothing, or
    /// `TERM=dumb`, means no colour (<https://no-color.org>); the locale says whether UTF-8.
    #[must_use]
    pub fn stdout() -> Self {
        Self::of(std::io::stdout().is_terminal(), |name| std::env::var(name).ok())
    }

    fn of(interactive: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let utf8 = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        Self {
            interactive,
            colour: interactive && !dumb && set("NO_COLOR").is_none(),
            unicode: !interactive || utf8,
        }
    }

    /// `text` in the colour of `tone`, or as it is.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Strong => "1",
            Tone::Calm => "32",
            Tone::Soon => "33",
            Tone::Urgent => "31",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// `shown` bars out of `of`: `▮▮▮▯▯`, or `###--` where the terminal has ASCII only.
    #[must_use]
    pub fn bars(&self, shown: u8, of: u8) -> String {
        let (full, empty) = if self.unicode { ("▮", "▯") } else { ("#", "-") };
        full.repeat(shown.into()) + &empty.repeat(of.saturating_sub(shown).into())
    }

    /// What takes the cursor back to the start of its line and clears the line.
    pub const REDRAW: &'static str = "\r\x1b[K";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(interactive: bool, variables: &[(&str, &str)]) -> Terminal {
        Terminal::of(interactive, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_pipe_gets_plain_utf8() {
        let pipe = with(false, &[("TERM", "xterm"), ("LANG", "C")]);
        assert_eq!(pipe, Terminal { interactive: false, colour: false, unicode: true });
        assert_eq!(pipe.paint(Tone::Urgent, "x"), "x");
        assert_eq!(pipe.bars(3, 5), "▮▮▮▯▯");
    }

    #[test]
    fn a_terminal_gets_what_it_can_show() {
        let terminal = with(true, &[("TERM", "xterm"), ("LANG", "fr_FR.UTF-8")]);
        assert!(terminal.colour && terminal.unicode);
        assert_eq!(terminal.paint(Tone::Strong, "x"), "\x1b[1mx\x1b[0m");
        assert!(!with(true, &[("TERM", "xterm"), ("NO_COLOR", "1")]).colour);
        assert!(with(true, &[("TERM", "xterm"), ("NO_COLOR", "")]).colour);
        assert!(!with(true, &[("TERM", "dumb")]).colour);
        let latin = with(true, &[("LC_ALL", "C"), ("LANG", "fr_FR.UTF-8")]);
        assert_eq!(latin.bars(1, 5), "#----");
    }
}
