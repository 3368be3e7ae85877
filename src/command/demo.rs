//! `trousseau demo`: the whole line in one process, on a scaled clock. It is made of the other
//! commands: each line it announces is one that the user can type.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;

use super::{Context, Exit, Failure, Outcome, serve, simulate};
use crate::atomic_file::AtomicFile;
use crate::cli::{Cli, Command, DemoArgs};
use crate::clock::{Clock, SECOND, ScaledClock, system_micros};
use crate::roster::{Person, Roster};
use crate::serial::Serial;

const SERIAL_PREFIX: &str = "FR";

pub(super) fn run(args: &DemoArgs, context: &Context) -> Result<Outcome, Failure> {
    let folder = make_folder(&args.out)?;
    let file = |name: &str| folder.join(name).into_os_string();
    let (batch, key) = (file("batch.pskcxml"), file("transport.key"));
    let (users, import) = (file("roster.csv"), file("import.csv"));
    let count = args.users.to_string();

    step(
        context,
        "Mint the keys",
        &words(&["mint", "--count", &count, "--serial-prefix", SERIAL_PREFIX])
            .chain(words(&["--manufacturer", "oath.ACME", "--model", "C200"]))
            .chain(["--new-transport-key".into(), key.clone(), "--out".into(), batch.clone()])
            .collect::<Vec<_>>(),
    )?;
    step(
        context,
        "Look at the batch",
        &words(&["inspect"])
            .chain([batch.clone(), "--transport-key-file".into(), key.clone()])
            .collect::<Vec<_>>(),
    )?;
    write_roster(args.users, Path::new(&users))?;
    step(
        context,
        "Write the import file of a server",
        &words(&["export"])
            .chain([batch.clone(), "--transport-key-file".into(), key.clone()])
            .chain(words(&["--format", "privacyidea-csv", "--roster"]))
            .chain([users.clone(), "--out".into(), import])
            .collect::<Vec<_>>(),
    )?;

    // The server listens before its line is shown, since only then is its port known.
    let origin = system_micros() / SECOND;
    let clock: Arc<dyn Clock> = Arc::new(ScaledClock::new(origin * SECOND, args.clock_rate));
    let (rate, origin) = (args.clock_rate.to_string(), origin.to_string());
    let time = ["--clock-rate", &rate, "--clock-origin", &origin];
    let keys =
        ["--keys".into(), batch, "--transport-key-file".into(), key, "--roster".into(), users];
    let serve: Vec<OsString> = words(&["serve", "--listen", "127.0.0.1:0"])
        .chain(keys.clone())
        .chain(["--store".into(), file("server.sqlite")])
        .chain(words(&time))
        .chain(args.defect.iter().flat_map(|defect| ["--defect".into(), defect.into()]))
        .collect();
    announce("Start the embedded server (here, in this process)", &serve);
    let Command::Serve(server) = parse(&serve)? else { unreachable!("it says serve") };
    let (portal, _) = serve::start(&server, &clock, context)?;

    let url = format!("http://{}", portal.addr());
    let seed = args.seed.to_string();
    let play: Vec<OsString> =
        words(&["simulate", "--scenario", "rentree", "--target", "portal-html"])
            .chain(words(&["--url", &url]))
            .chain(keys)
            .chain(words(&time))
            .chain(words(&SHORT_MORNING))
            .chain(words(&["--seed", &seed, "--workers", "1", "--live", "--out"]))
            .chain([folder.clone().into_os_string()])
            .collect();
    announce("Send everybody to it on the first morning of term", &play);
    let Command::Simulate(play) = parse(&play)? else { unreachable!("it says simulate") };
    let outcome = simulate::play(&play, folder.clone(), clock, true, context);
    portal.stop();
    if let (Some(defect), Ok(Outcome::Done)) = (&args.defect, &outcome) {
        tell(&format!(
            "\nwarning: the planted defect {defect} did not show: an ordinary morning does not meet \
             it, or too seldom for this many people. No contradiction is no proof of its absence."
        ));
    }
    tell(&format!("\nOpen {} in a browser.", folder.join("report.html").display()));
    outcome
}

/// The morning of `rentree` in a third of an hour, so that it fits into half a real minute.
const SHORT_MORNING: [&str; 8] = [
    "--set",
    "arrivals.window=12m",
    "--set",
    "scenario.duration=40m",
    "--set",
    "logins.gap.lognormal.median=2m",
    "--set",
    "logins.gap.lognormal.max=5m",
];

fn make_folder(folder: &Path) -> Result<PathBuf, Failure> {
    // Seeds and their key lie in it.
    let private = std::fs::DirBuilder::new().mode(0o700).create(folder);
    private.map(|()| folder.to_owned()).map_err(|error| {
        let name = folder.display();
        if error.kind() == io::ErrorKind::AlreadyExists {
            Failure::bad_input(format!("{name} is there already; nothing was done"))
                .hint("give --out a new folder: a run never overwrites another")
        } else {
            Failure::new(Exit::Io, format!("cannot make the folder {name}: {error}"))
                .hint("give --out a folder that you may make")
        }
    })
}

/// One person a key, in the order of the serials.
fn write_roster(users: u32, path: &Path) -> Result<(), Failure> {
    let width = users.to_string().len();
    let people = (1..=users)
        .map(|number| {
            let serial = Serial::new(format!("{SERIAL_PREFIX}{number:0width$}"));
            serial.map(|serial| Person::new(format!("u{number:0width$}"), serial))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::bad_input)?;
    let mut file = AtomicFile::create(path)?;
    match Roster::new(people).write_csv(&mut file) {
        Ok(()) => Ok(file.commit()?),
        Err(error) => Err(file.failed(error).into()),
    }
}

/// Announces and runs one command as if it had been typed.
fn step(context: &Context, title: &str, line: &[OsString]) -> Result<(), Failure> {
    announce(title, line);
    super::run(&parse(line)?, context).map(drop)
}

fn parse(line: &[OsString]) -> Result<Command, Failure> {
    let line = std::iter::once(OsString::from("trousseau")).chain(line.iter().cloned());
    match Cli::try_parse_from(line) {
        Ok(cli) => Ok(cli.command),
        // A value that came from the user, such as a clock rate out of range.
        Err(error) => {
            Err(Failure::bad_input(error.to_string().trim_start_matches("error: ").trim()))
        }
    }
}

fn words<'a>(words: &'a [&'a str]) -> impl Iterator<Item = OsString> + Clone + 'a {
    words.iter().map(OsString::from)
}

fn announce(title: &str, line: &[OsString]) {
    let line: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
    let (bold, plain) = if io::stderr().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    super::words::text(&format!("\n{bold}{title}{plain}\n"));
    tell(&format!("$ trousseau {}", line.join(" ")));
}

fn tell(words: &str) {
    say!("{words}");
}
