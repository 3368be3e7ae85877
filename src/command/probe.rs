//! `trousseau targets probe`: one person, one key, one operation after the other, and everything
//! that went over the wire, for whoever writes a target.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Context, Exit, Failure, Outcome, batch, permission, reach};
use crate::cli::ProbeArgs;
use crate::engine::transport::radius::Counters;
use crate::engine::transport::{Endpoint, Exchanged};
use crate::engine::{CodeSource, Done, Hands, Which};
use crate::interrupt::Interrupt;
use crate::keystore::Source;
use crate::recorder::{Fault, Verdict};
use crate::target::{Judged, Matched, Operation, Phase, TARGETS, Target};
use crate::token::{Algorithm, Token};

pub(super) fn run(args: &ProbeArgs, context: &Context) -> Result<Outcome, Failure> {
    let target = Arc::new(Target::load(&TARGETS.find(&args.target)?)?);
    let operations = operations(args, &target)?;
    let [pin, new_pin] = reach::pins(&args.pins)?;
    check_pins(&operations, pin.is_some(), new_pin.is_some())?;
    let code = code(args, &context.interrupt)?;
    let endpoint = Arc::new(Endpoint::resolve(&args.url, reach::endpoint(&args.reach)?)?);
    endpoint.check(&target)?;
    let clock = reach::clock(&args.clock);
    let hands = Hands::new(Arc::clone(&target), endpoint, clock, args.user.clone(), code)
        .with_pins(pin.unwrap_or_default(), new_pin.unwrap_or_default());
    let runtime = runtime()?;
    let people = tokio::task::LocalSet::new();
    people.block_on(&runtime, probe(hands, &target, &operations, context))
}

/// The runtime of one worker.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Generator, format!("cannot start: {error}")))
}

async fn probe(
    mut hands: Hands,
    target: &Target,
    operations: &[Operation],
    context: &Context,
) -> Result<Outcome, Failure> {
    let mut after_new_pin = false;
    let mut exit = None;
    for operation in operations {
        let sends_next = match operation {
            Operation::Confirm | Operation::Resync => true,
            Operation::Login => after_new_pin,
            _ => false,
        };
        if sends_next && !wait(&hands, context).await {
            return Ok(Outcome::Exit(Exit::of_signal(context.interrupt.signal().unwrap_or(2))));
        }
        after_new_pin = *operation == Operation::NewPin;
        let done = hands.perform(*operation, Which::Shown).await;
        print(&report(target, *operation, &done))?;
        match done.performed.fault {
            Some(Fault::Connect | Fault::Tls | Fault::Timeout | Fault::Reset) => {
                return Ok(Outcome::Exit(Exit::Unreachable));
            }
            _ if done.performed.verdict == Verdict::Error => exit = Some(Exit::Contradiction),
            _ => {}
        }
    }
    Ok(exit.map_or(Outcome::Done, Outcome::Exit))
}

/// Waits until the key shows another code; false when a signal came meanwhile.
pub(super) async fn wait(hands: &Hands, context: &Context) -> bool {
    let left = hands.until_next_code();
    if left > Duration::from_secs(1) {
        say!("waiting {} s for the key to change", left.as_secs() + 1);
    }
    let end = std::time::Instant::now() + left;
    while std::time::Instant::now() < end {
        if context.interrupt.requested() {
            return false;
        }
        let left = end.saturating_duration_since(std::time::Instant::now());
        tokio::time::sleep(left.min(Duration::from_millis(50))).await;
    }
    !context.interrupt.requested()
}

fn operations(args: &ProbeArgs, target: &Target) -> Result<Vec<Operation>, Failure> {
    let parse = |text: &String| {
        let operation: Operation = text.trim().parse().map_err(|_| {
            let known: Vec<&str> = Operation::ALL.iter().map(|one| one.name()).collect();
            Failure::bad_input(format!("--operation {text:?}: unknown operation"))
                .hint(format!("known: {}", known.join(", ")))
        })?;
        if target.has(operation) {
            return Ok(operation);
        }
        let has: Vec<&str> =
            Operation::ALL.iter().filter(|one| target.has(**one)).map(|one| one.name()).collect();
        Err(Failure::bad_input(format!("the target {} has no operation {operation}", target.name))
            .hint(format!("it has: {}", has.join(", "))))
    };
    args.operation.iter().map(parse).collect()
}

/// Who logs in has a PIN (an empty one is a file's to say), who chooses one says which.
fn check_pins(operations: &[Operation], pin: bool, new_pin: bool) -> Result<(), Failure> {
    let has = |operation| operations.contains(&operation);
    if has(Operation::NewPin) && !new_pin {
        return Err(Failure::bad_input("new_pin chooses a PIN, and none was given")
            .hint("give it by --new-pin-file FILE, --new-pin-fd N or --new-pin-prompt"));
    }
    if has(Operation::Confirm) && !has(Operation::NewPin) && !pin {
        return Err(Failure::bad_input("confirm sends the PIN, and none was given").hint(
            "give it by --pin-file FILE, or do it together: --operation first_code,new_pin,confirm",
        ));
    }
    Ok(())
}

fn code(args: &ProbeArgs, interrupt: &Interrupt) -> Result<CodeSource, Failure> {
    if let Some(file) = &args.code_file {
        let source = Source::File(file.clone());
        let code = reach::word(&source.read()?, &source.to_string(), "code")?;
        // As the display groups it: 159 753.
        return Ok(CodeSource::Typed(Zeroizing::new(code.replace(' ', ""))));
    }
    let (Some(file), Some(serial)) = (&args.keys, &args.serial) else {
        return Err(Failure::bad_input("no key was given")
            .hint("give --keys FILE --serial S, or --code-file FILE"));
    };
    // To the end: a signature is the last thing in a file.
    let mut found = None;
    for token in batch::open(file, &args.key, interrupt)? {
        let token = token?;
        if token.serial.as_str() == serial {
            found = Some(token);
        }
    }
    if let Some(token) = found {
        let now = reach::clock(&args.clock).now();
        permission::check(file, [&token], &args.policy, Some(now))?;
        return key(&token);
    }
    Err(Failure::bad_input(format!("{} has no key {serial}", batch::name(file)))
        .hint("`trousseau inspect` lists the serial numbers of a batch"))
}

/// The code of a time-based key.
pub(super) fn key(token: &Token) -> Result<CodeSource, Failure> {
    match token.algorithm {
        Algorithm::Totp => Ok(CodeSource::Key(Box::new(token.generator()), token.period)),
        _ => Err(Failure::bad_input(format!("the key {} does not go by time", token.serial))
            .hint("read a code off it and give that by --code-file")),
    }
}

/// One operation: every exchange, and what it came to.
pub(super) fn report(target: &Target, operation: Operation, done: &Done) -> String {
    let mut out = String::new();
    for exchanged in &done.exchanged {
        exchange(target, exchanged, &mut out);
    }
    let performed = &done.performed;
    let fault = performed.fault.map_or_else(String::new, |fault| format!(" ({fault})"));
    let _ = writeln!(out, "=> {operation}: {}{fault}\n", performed.verdict);
    out
}

fn exchange(target: &Target, exchanged: &Exchanged, out: &mut String) {
    let Exchanged { operation, phase, index, .. } = exchanged;
    let phase = match phase {
        Phase::Open => "open",
        Phase::Submit => "submit",
    };
    let _ = writeln!(
        out,
        "== {operation}, {phase} {index}: {:.0} ms",
        exchanged.took.as_secs_f64() * 1e3
    );
    for hop in &exchanged.hops {
        for line in hop.request.lines() {
            let _ = writeln!(out, "> {line}");
        }
        let _ = writeln!(out);
        for line in hop.answer.lines() {
            let _ = writeln!(out, "< {line}");
        }
        let _ = writeln!(out);
    }
    if let Some(counted) = &exchanged.datagrams {
        let _ = writeln!(out, "{}", datagrams(counted));
    }
    let file = &target.definition().file;
    for tried in &exchanged.tried {
        let _ = match tried.misses.is_empty() {
            true => writeln!(out, "rule {file}:{} matches: {}", tried.line, tried.verdict),
            false => writeln!(
                out,
                "rule {file}:{} does not: {} needs {}",
                tried.line,
                tried.verdict,
                tried.misses.join("; ")
            ),
        };
    }
    let _ = match exchanged.judged {
        None => Ok(()),
        Some(Judged::GoOn) => writeln!(out, "no rule of its own decides: the operation goes on"),
        Some(Judged::Over(_, Matched::Rule(_))) => Ok(()),
        Some(Judged::Over(verdict, Matched::Otherwise)) => {
            writeln!(out, "no rule matches: {verdict}, by otherwise; add a rule for this answer")
        }
        Some(Judged::Over(_, Matched::ServerFault)) => {
            writeln!(out, "a 5xx answer that no rule names: the server failed; see its log")
        }
    };
    for taken in &exchanged.taken {
        let _ = writeln!(
            out,
            "taken: {{{}}} by {} ({} bytes)",
            taken.name, taken.selector, taken.length
        );
    }
    if let Some(trouble) = &exchanged.trouble {
        let _ = writeln!(out, "trouble: {trouble}");
    }
}

/// What went over the wire beside the request and its answer.
fn datagrams(counted: &Counters) -> String {
    let sent = match counted.requests + counted.retransmissions {
        0 | 1 => "sent once",
        2 => "sent twice",
        times => return format!("datagrams: sent {times} times: {counted}"),
    };
    format!("datagrams: {sent}: {counted}")
}

pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_are_told_with_how_often_the_request_was_sent() {
        let mut counted = Counters::default();
        (counted.requests, counted.answers) = (1, 1);
        assert_eq!(datagrams(&counted), "datagrams: sent once: 1 requests, 1 answers");
        (counted.retransmissions, counted.bad_authenticator) = (2, 3);
        assert_eq!(
            datagrams(&counted),
            "datagrams: sent 3 times: 1 requests, 2 retransmissions, 1 answers, 3 answers with a bad \
             authenticator dropped"
        );
    }
}
