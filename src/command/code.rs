//! `trousseau code`: the key as its holder sees it.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;

use super::{Context, Exit, Failure, Outcome, batch, permission};
use crate::cli::CodeArgs;
use crate::clock::{
    Clock, ManualClock, SECOND, ScaledClock, SystemClock, UnixMicros, system_micros,
};
use crate::counted::counted;
use crate::otp::{Countdown, Generator};
use crate::terminal::{HiddenCursor, Terminal, Tone};
use crate::token::{Algorithm, Token};

/// Bars on the key's display.
const BARS: u8 = 5;

pub(super) fn run(args: &CodeArgs, context: &Context) -> Result<Outcome, Failure> {
    let clock = clock(args)?;
    let token = find(args, context)?;
    permission::check(&args.file, [&token], &args.policy, None)?;
    // The key itself knows no dates, and shows its codes.
    if let Some(denial) = permission::timestamp(clock.now()).and_then(|now| token.out_of_date(now))
    {
        say!("warning: the key {}: {denial}", token.serial);
    }
    let terminal = Terminal::stdout();
    let mut out = io::stdout();
    let written =
        match &token.algorithm {
            Algorithm::Hotp if args.watch => {
                return Err(Failure::bad_input(format!(
                    "the key {} counts events: its code changes at a press, not with time",
                    token.serial
                ))
                .hint("leave out --watch; --counter N shows the code of another press"));
            }
            Algorithm::Hotp => {
                let counter = args.counter.unwrap_or(token.counter);
                let code = terminal.paint(Tone::Strong, &token.generator().code(counter).grouped());
                writeln!(out, "{code}  counter {counter}")
            }
            Algorithm::Totp if args.counter.is_some() => {
                return Err(Failure::bad_input(format!("the key {} counts time", token.serial))
                    .hint("give the moment with --at"));
            }
            Algorithm::Totp if args.watch && terminal.interactive => {
                redraw(&Display::new(&token, terminal), &*clock, context, out)
            }
            Algorithm::Totp if args.watch => {
                print_changes(&Display::new(&token, terminal), &*clock, context, out)
            }
            Algorithm::Totp => {
                writeln!(out, "{}", Display::new(&token, terminal).line(clock.now()))
            }
            Algorithm::Other(_) => {
                return Err(Failure::bad_input(format!(
                "the key {} computes {}, which this program only carries",
                token.serial,
                token.carried().unwrap_or_default()
            ))
            .hint("codes are given for HOTP and TOTP keys of SHA-1, SHA-256 or SHA-512 and 6 to 10 \
                   digits"));
            }
        };
    match written {
        // Whoever read the codes has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Done),
        Err(error) => {
            Err(Failure::new(Exit::Io, format!("cannot write to standard output: {error}"))
                .hint("free some space, or write elsewhere"))
        }
        Ok(()) => match context.interrupt.signal() {
            Some(signal) => Ok(Outcome::Exit(Exit::of_signal(signal))),
            None => Ok(Outcome::Done),
        },
    }
}

fn clock(args: &CodeArgs) -> Result<Box<dyn Clock>, Failure> {
    if let Some(at) = &args.at {
        return Ok(Box::new(ManualClock::at(moment(at)?)));
    }
    if args.clock_origin.is_none() && args.clock_rate == 1.0 {
        return Ok(Box::new(SystemClock));
    }
    let origin = args.clock_origin.map_or_else(system_micros, |seconds| seconds * SECOND);
    Ok(Box::new(ScaledClock::new(origin, args.clock_rate)))
}

fn moment(text: &str) -> Result<UnixMicros, Failure> {
    let seconds = text.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(SECOND));
    let timestamp = || text.parse::<Timestamp>().ok();
    let micros = || timestamp().and_then(|at| UnixMicros::try_from(at.as_microsecond()).ok());
    seconds.or_else(micros).ok_or_else(|| {
        Failure::bad_input(format!("--at {text:?} is no moment since 1970"))
            .hint("seconds since 1970 (1788220800), or RFC 3339 (2026-09-01T08:00:00Z)")
    })
}

fn find(args: &CodeArgs, context: &Context) -> Result<Token, Failure> {
    let mut keys = 0_u64;
    let mut found = None;
    // To the end: a signature is the last thing in a file.
    for token in batch::open(&args.file, &args.key, &context.interrupt)? {
        let token = token?;
        if token.serial.as_str() == args.serial {
            found = Some(token);
        }
        keys += 1;
    }
    if let Some(token) = found {
        return Ok(token);
    }
    let file = batch::name(&args.file);
    Err(Failure::bad_input(format!(
        "{file}: it holds {}, and none has the serial {}",
        counted(keys, "key", "keys"),
        args.serial
    ))
    .hint("`trousseau inspect FILE --json` lists the serials"))
}

/// A time-based key and the terminal it is shown on.
struct Display {
    generator: Generator,
    period: u32,
    terminal: Terminal,
}

impl Display {
    fn new(token: &Token, terminal: Terminal) -> Self {
        Self { generator: token.generator(), period: token.period, terminal }
    }

    fn countdown(&self, now: UnixMicros) -> Countdown {
        Countdown::at(now, self.period)
    }

    /// `159 753  ▮▮▮▯▯  28 s`.
    fn line(&self, now: UnixMicros) -> String {
        let Countdown { step, bars, remaining } = self.countdown(now);
        let tone = match bars {
            0 | 1 => Tone::Urgent,
            2 => Tone::Soon,
            _ => Tone::Calm,
        };
        let code = self.terminal.paint(Tone::Strong, &self.generator.code(step).grouped());
        let bars = self.terminal.paint(tone, &self.terminal.bars(bars, BARS));
        let width = self.period.to_string().len();
        format!("{code}  {bars}  {:>width$} s", remaining.div_ceil(SECOND))
    }
}

/// Redraws one line until the user has seen enough.
fn redraw(
    display: &Display,
    clock: &dyn Clock,
    context: &Context,
    out: impl Write,
) -> io::Result<()> {
    let mut out = HiddenCursor::new(out)?;
    let mut shown = String::new();
    while !context.interrupt.requested() {
        let now = clock.now();
        let line = display.line(now);
        if line != shown {
            write!(out, "{}{line}", Terminal::REDRAW)?;
            out.flush()?;
            shown = line;
        }
        // To the next whole second of the display.
        let seconds = (display.countdown(now).remaining - 1) % SECOND + 1;
        pause(clock.until(now + seconds));
    }
    // The shell's prompt goes on a line of its own.
    writeln!(out)
}

/// Prints a line whenever the code changes.
fn print_changes(
    display: &Display,
    clock: &dyn Clock,
    context: &Context,
    mut out: impl Write,
) -> io::Result<()> {
    let mut last = None;
    while !context.interrupt.requested() {
        let now = clock.now();
        let countdown = display.countdown(now);
        if last != Some(countdown.step) {
            writeln!(out, "{}", display.line(now))?;
            out.flush()?;
            last = Some(countdown.step);
        }
        pause(clock.until(now + countdown.remaining));
    }
    Ok(())
}

/// Waits, but never so long that Ctrl-C seems unheard.
fn pause(wait: Duration) {
    std::thread::sleep(wait.clamp(Duration::from_millis(1), Duration::from_millis(100)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::serial::Serial;

    #[test]
    fn the_line_is_what_the_key_shows() {
        let secret = Secret::from(&b"12345678901234567890"[..]);
        let token = Token::totp60(Serial::new("A1").unwrap(), secret);
        let terminal = Terminal { interactive: false, colour: false, unicode: true };
        let display = Display::new(&token, terminal);
        // RFC 4226 appendix D, counter 1.
        assert_eq!(display.line(60 * SECOND), "287 082  ▮▮▮▮▮  60 s");
        assert_eq!(display.line(119 * SECOND), "287 082  ▮▯▯▯▯   1 s");
        assert_eq!(display.line(120 * SECOND), "359 152  ▮▮▮▮▮  60 s");
    }

    #[test]
    fn moments_are_read_in_both_spellings() {
        assert_eq!(moment("1788220800").unwrap(), 1_788_220_800 * SECOND);
        assert_eq!(moment("2026-09-01T08:00:00Z").unwrap(), 1_788_249_600 * SECOND);
        for bad in ["", "-1", "yesterday", "1969-12-31T23:59:59Z", "99999999999999999999"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
