//! A run that never was: two thousand people, the wave after each tick, and, when asked for, a
//! server that forgets used codes. The same every time.

use std::path::Path;

use trousseau::recorder::{
    Behaviour, ClockInfo, Expectation, Expected, Fault, GeneratorInfo, Observation, Reason,
    RunInfo, RunWriter, Step, ThresholdInfo, Verdict,
};

/// Real seconds are key minutes here.
const RATE: f64 = 60.0;
const MINUTE: u64 = 60_000_000;

/// What the imaginary server does with used codes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Correct,
    ForgetsUsedCodes,
}

/// The head of the run.
pub(crate) fn head(people: u32) -> RunInfo {
    RunInfo {
        trousseau: "0.1.0".into(),
        scenario: "rentree".into(),
        scenario_sha256: "5e".repeat(32),
        target: "portal-html".into(),
        target_sha256: "a7".repeat(32),
        url: "http://127.0.0.1:8080".into(),
        users: people,
        seed: 7,
        people: (0..people).map(|n| (format!("ACME{n:06}"), format!("user{n:05}"))).collect(),
        clock: ClockInfo {
            rate: RATE,
            start_key: 1_788_249_617_000_000,
            server_offset: Some(-3_200),
            uncertainty: 250_000,
            period: 60,
        },
        started: "2026-09-01T06:40:17Z".into(),
        finished: Some("2026-09-01T06:41:03Z".into()),
        interrupted: None,
        thresholds: ThresholdInfo {
            contradictions: 0,
            error_rate: Some(0.01),
            p99_ms: Some(500.0),
            lateness_p99_ms: Some(20.0),
        },
        generator: Some(GeneratorInfo {
            cpu_seconds: 0.41,
            shared_with_server: false,
            peak_rss_kib: 23_500,
            unsent: 0,
            connections: 64,
            resent: 0,
        }),
        clock_events: Vec::new(),
        datagrams: Vec::new(),
    }
}

/// Writes the record of the whole run into `folder`.
pub(crate) fn record(folder: &Path, run: &RunInfo, server: Server) {
    let mut writer = RunWriter::create(folder, run).unwrap();
    for seen in observations(run, server) {
        writer.record(&seen);
    }
    writer.finish(run).unwrap();
}

/// Every attempt, in the order in which they were answered.
pub(crate) fn observations(run: &RunInfo, server: Server) -> Vec<Observation> {
    let mut all = Vec::new();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let people = u32::try_from(run.people.len()).unwrap();
    for person in 0..people {
        let mut life =
            Life { run, person, attempt: 0, now: 0, dice: &mut dice, server, out: &mut all };
        life.live();
    }
    all.sort_by_key(|seen| seen.answered_us);
    all
}

struct Life<'a> {
    run: &'a RunInfo,
    person: u32,
    attempt: u32,
    // µs of key time since the start of the run
    now: u64,
    dice: &'a mut Dice,
    server: Server,
    out: &'a mut Vec<Observation>,
}

impl Life<'_> {
    fn live(&mut self) {
        use {Expected as E, Reason as R};
        // Arrivals over half an hour, most of them in its middle.
        self.now = (0..3).map(|_| self.dice.below(10 * MINUTE)).sum();
        self.page();
        self.pass(4, 20);
        self.send(Step::FirstCode, E::NewPin, R::FreshCode, Verdict::NewPin, Behaviour::Careful);
        self.pass(6, 25);
        self.send(Step::NewPin, E::Confirm, R::GoodPin, Verdict::Confirm, Behaviour::Careful);
        self.tick();
        self.send(Step::Confirm, E::Accepted, R::FreshCode, Verdict::Accepted, Behaviour::Careful);
        self.pass(120, 400);
        self.page();
        self.tick();
        match self.dice.below(100) {
            0 => self.double(),
            1..=2 => {
                let typo = Behaviour::Typo;
                self.send(Step::Login, E::Rejected, R::WrongCode, Verdict::Rejected, typo);
                self.tick();
                self.login();
            }
            3..=9 => {
                self.login();
                self.pass(2, 6);
                let came = match self.server {
                    Server::Correct => Verdict::Rejected,
                    Server::ForgetsUsedCodes => Verdict::Accepted,
                };
                let impatient = Behaviour::Impatient;
                self.send(Step::Login, E::Rejected, R::ReplayedCode, came, impatient);
            }
            _ => self.login(),
        }
    }

    fn login(&mut self) {
        let (fresh, accepted) = (Reason::FreshCode, Verdict::Accepted);
        self.send(Step::Login, Expected::Accepted, fresh, accepted, Behaviour::Careful);
    }

    fn page(&mut self) {
        let (none, accepted) = (Reason::NoCredential, Verdict::Accepted);
        self.send(Step::Open, Expected::Page, none, accepted, Behaviour::Careful);
    }

    fn double(&mut self) {
        for verdict in [Verdict::Accepted, Verdict::Rejected] {
            let verdict = match self.server {
                Server::Correct => verdict,
                Server::ForgetsUsedCodes => Verdict::Accepted,
            };
            let click = Behaviour::DoubleClick;
            self.send(Step::Login, Expected::OneOfGroup, Reason::Concurrent, verdict, click);
            self.out.last_mut().unwrap().group = 1;
        }
    }

    fn send(
        &mut self,
        step: Step,
        expected: Expected,
        reason: Reason,
        verdict: Verdict,
        behaviour: Behaviour,
    ) {
        let key = self.run.clock.start_key + self.now;
        let due_us = to_real(self.now);
        // Behind the tick there is a queue.
        let since = key % MINUTE;
        let queue = 40_000_u64.saturating_sub(since / 400);
        let service = 700 + self.dice.below(900) + self.dice.below(1 + queue);
        let sent_us = due_us + 30 + self.dice.below(900);
        let lost = self.dice.below(3_000) == 0;
        let answered_us = sent_us + if lost { 250_000 } else { service };
        let real_key = |us: u64| self.run.clock.start_key + (us as f64 * RATE) as u64;
        let mut expectation = Expectation::always(expected, reason);
        let code = matches!(step, Step::FirstCode | Step::Confirm | Step::Login)
            && behaviour != Behaviour::Typo;
        if code && expected != Expected::Rejected {
            expectation.from = (key / MINUTE) * MINUTE - MINUTE;
            expectation.until = (key / MINUTE + 2) * MINUTE;
        }
        self.out.push(Observation {
            person: self.person,
            attempt: self.attempt,
            step,
            behaviour,
            group: 0,
            due_us,
            sent_us,
            answered_us,
            sent_key: real_key(sent_us),
            answered_key: real_key(answered_us),
            counter: code.then_some(key / MINUTE),
            expectation,
            verdict: if lost { Verdict::Error } else { verdict },
            status: if lost { 0 } else { 200 },
            fault: lost.then_some(Fault::Timeout),
        });
        self.attempt += 1;
    }

    /// Some seconds later.
    fn pass(&mut self, at_least: u64, at_most: u64) {
        self.now += (at_least * 1_000_000) + self.dice.below((at_most - at_least) * 1_000_000);
    }

    /// Some seconds after the key's next number appeared.
    fn tick(&mut self) {
        let key = self.run.clock.start_key + self.now;
        self.now += MINUTE - key % MINUTE;
        let reaction = (0..4).map(|_| self.dice.below(4_000_000)).min().unwrap();
        self.now += 2_500_000 + 3 * reaction + self.dice.below(2_000_000);
    }
}

fn to_real(key: u64) -> u64 {
    (key as f64 / RATE) as u64
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}
