//! Whole people against a tiny model server, written apart from the oracle: a correct model is
//! never contradicted, however answers are delayed or lost; each planted fault is found.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Acted, Expected, Heard, Person, Rules, World};
use crate::otp::Generator;
use crate::scenario::{SCENARIOS, Scenario};
use crate::secret::Secret;
use crate::serial::Serial;
use crate::target::{Inputs, Operation, PinPosition, Policy, Verdict};
use crate::token::Token;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    ReplayNone,
    Toctou,
    FalseReject,
    PinIgnored,
    CodeIgnored,
    InitCodeReuse,
    BurnCurrentStepOnly,
}

/// One account of the model: sixty-second steps, one either way, drift of one learned or not.
struct Model {
    generator: Generator,
    fault: Fault,
    learns: bool,
    monotonic: bool,
    pin: Option<String>,
    chosen: Option<String>,
    spent: Vec<u64>,
    shift: i64,
    /// Drift of the last resynchronisation.
    base: i64,
    /// Steps within which the next code is asked for.
    resync: i64,
    asked: Option<u64>,
    failures: u32,
    calls: u64,
}

impl Model {
    fn answer(&mut self, operation: Operation, typed: &Inputs<'_>, now: u64) -> Verdict {
        self.calls += 1;
        if operation == Operation::NewPin {
            self.chosen = Some(typed.new_pin.to_owned());
            return Verdict::Confirm;
        }
        if operation == Operation::Logout {
            return Verdict::Accepted;
        }
        if operation == Operation::Resync {
            return self.next(typed.code, now);
        }
        let (pin, code) = typed.passcode.split_at(typed.passcode.len() - 6);
        let wanted = match operation {
            Operation::FirstCode if self.pin.is_none() => Some(String::new()),
            Operation::Confirm => self.chosen.clone(),
            Operation::Login => self.pin.clone(),
            _ => None,
        };
        let pin = if operation == Operation::FirstCode { "" } else { pin };
        let pin_good =
            wanted.is_some_and(|wanted| wanted == pin || self.fault == Fault::PinIgnored);
        let step = self.find(operation, code, now, 1);
        let far = self.find(operation, code, now, self.resync);
        if step.is_none() && far.is_some() && pin_good && operation != Operation::Confirm {
            self.failures += 1;
            self.asked = far.filter(|_| self.failures <= 10);
            return if self.asked.is_some() { Verdict::NextCode } else { Verdict::Rejected };
        }
        let lucky = self.fault != Fault::FalseReject || !self.calls.is_multiple_of(5);
        if self.failures >= 10 || !pin_good || step.is_none() || !lucky {
            self.failures += 1;
            return Verdict::Rejected;
        }
        let step = step.unwrap();
        let own = (now / 60_000_000) as i64;
        self.spent.push(step);
        if self.learns {
            self.shift = (step as i64 - own).clamp(self.base - 1, self.base + 1);
        }
        self.failures = 0;
        match operation {
            Operation::FirstCode => return Verdict::NewPin,
            Operation::Confirm => self.pin = self.chosen.take(),
            _ => {}
        }
        Verdict::Accepted
    }

    /// The code after the one that was too far out.
    fn next(&mut self, code: &str, now: u64) -> Verdict {
        let found = self.find(Operation::Login, code, now, self.resync);
        let wanted = self.asked.take().map(|asked| asked + 1);
        let Some(step) = wanted.filter(|step| found == Some(*step) && self.failures < 10) else {
            self.failures += 1;
            return Verdict::Rejected;
        };
        self.spent.push(step);
        self.base = step as i64 - (now / 60_000_000) as i64;
        self.shift = self.base;
        self.failures = 0;
        if self.pin.is_some() { Verdict::Accepted } else { Verdict::NewPin }
    }

    fn find(&self, operation: Operation, code: &str, now: u64, window: i64) -> Option<u64> {
        let middle = (now / 60_000_000) as i64 + self.shift;
        (middle - window..=middle + window).map(|step| step as u64).find(|step| {
            let dead = match self.fault {
                Fault::ReplayNone => false,
                Fault::InitCodeReuse if operation == Operation::Confirm => false,
                Fault::BurnCurrentStepOnly => {
                    self.spent.contains(step) && *step == now / 60_000_000
                }
                _ if self.monotonic => self.spent.iter().any(|spent| spent >= step),
                _ => self.spent.contains(step),
            };
            let right = self.generator.code(*step).to_string() == code;
            !dead && (right || self.fault == Fault::CodeIgnored)
        })
    }
}

#[derive(Debug, Default)]
struct Tally {
    attempts: u32,
    contradictions: u32,
    undecided: u32,
    replays: u32,
    groups: u32,
    asked: u32,
    visits: u32,
    ready: u32,
}

struct Circumstances {
    fault: Fault,
    learns: bool,
    monotonic: bool,
    /// Chance of a lost answer.
    lost: f64,
    /// Longest delay, µs.
    slow: u64,
    /// Server's clock minus ours, µs.
    offset: i64,
    /// Whether the keys were initialised and used before the run.
    known: bool,
    /// Steps within which the next code is asked for.
    resync: i64,
}

fn run(seed: u64, people: u32, with: &Circumstances) -> Tally {
    let scenario = Scenario::load(
        &SCENARIOS.find("rentree").unwrap(),
        &[
            "people.typo=0.1",
            "people.double_click=0.1",
            "people.impatient=0.4",
            "logins.logout=0.2",
            // Soon enough to meet what was used before; else the scenario's own.
            if with.known { "arrivals.window=4m" } else { "logins.logout=0.2" },
            if with.resync > 0 { "keys.drift.normal.sd=4m" } else { "keys.drift.normal.sd=8s" },
            if with.resync > 0 { "keys.drift.normal.min=-8m" } else { "people.tries=3" },
            if with.resync > 0 { "keys.drift.normal.max=8m" } else { "people.tries=3" },
        ]
        .map(str::to_owned),
    )
    .unwrap();
    let policy = Policy {
        window_back: 1,
        window_forward: 1,
        max_drift_steps: 1,
        resync_steps: with.resync as u32,
        monotonic: with.monotonic,
        lock_after: Some(10),
        lock_seconds: None,
        pin_min: 4,
        pin_max: 6,
        pin_position: PinPosition::Before,
        three_steps: true,
        new_pin_accepts: false,
        clock: None,
    };
    let world = World {
        scenario,
        rules: Rules::new(&policy, 60, with.offset, 0),
        policy,
        opens: vec![Operation::FirstCode, Operation::NewPin, Operation::Confirm, Operation::Login],
        logout: true,
        resync: true,
        unused: false,
        start: 1_790_000_000_000_000,
        seed,
        people,
    };
    let mut tally = Tally::default();
    for index in 0..people {
        live(&world, index, with, &mut tally);
    }
    tally
}

fn live(world: &World, index: u32, with: &Circumstances, tally: &mut Tally) {
    let mut rng = ChaCha8Rng::seed_from_u64(world.seed ^ u64::from(index) << 32);
    let secret = Secret::new((0..20).map(|_| rng.random()).collect());
    let token = Token::totp60(Serial::new(format!("K{index}")).unwrap(), secret);
    let mut model = Model {
        generator: token.generator(),
        fault: with.fault,
        learns: with.learns,
        monotonic: with.monotonic,
        pin: None,
        chosen: None,
        spent: Vec::new(),
        shift: 0,
        base: 0,
        resync: with.resync,
        asked: None,
        failures: 0,
        calls: 0,
    };
    let pin = with.known.then(|| Secret::from(&b"ab12"[..]));
    if with.known {
        // Used up to the last moment, at a drift of its own, and nearly locked.
        let shown = (world.start + rng.random_range(0..25_000_000)) / 60_000_000;
        model.pin = Some("ab12".into());
        model.shift = if with.learns { rng.random_range(-1..=1) } else { 0 };
        model.spent = (shown - 2..=shown).filter(|_| rng.random_bool(0.5)).collect();
        model.failures = rng.random_range(0..10);
    }
    let mut person = Person::new(world, index, "u", &token, pin.as_ref());
    let mut last = 0;
    for _ in 0..500 {
        let Some(deed) = person.next_deed(world) else { break };
        assert!(deed.due >= last, "time runs forward: {deed:?}");
        let sent_key = deed.due + rng.random_range(0..=with.slow / 2);
        let answered_key = sent_key + rng.random_range(1..=with.slow);
        last = deed.due;
        let expectation = person.expect(sent_key, &deed);
        let typed = person.typed(world, &deed);
        let typed = typed.inputs("u");
        let mut heard = Vec::new();
        let times = deed.send.map_or(0, |send| send.times);
        for time in 0..times.max(1) {
            let acts = rng.random_range(sent_key..=answered_key).saturating_add_signed(with.offset);
            let fate: f64 = rng.random();
            let before = fate < with.lost / 2.0;
            let mut verdict = Verdict::Accepted;
            if deed.send.is_some() && !before {
                let remembered = (model.spent.clone(), with.fault == Fault::Toctou && time == 1);
                if remembered.1 {
                    model.spent.pop();
                }
                verdict = model.answer(deed.operation, &typed, acts);
                if remembered.1 {
                    model.spent = remembered.0;
                }
            }
            let acted = if fate < with.lost { Acted::Perhaps } else { Acted::Yes };
            let verdict = if acted == Acted::Yes { verdict } else { Verdict::Error };
            heard.push(Heard { verdict, acted, sent_key, answered_key });
        }
        if deed.send.is_none() {
            assert_eq!(expectation.expected, Expected::Page);
        }
        if let Some(send) = deed.send {
            judge(&expectation, &heard, tally);
            tally.replays += u32::from(send.behaviour == super::Behaviour::Impatient);
            tally.asked += u32::from(heard[0].verdict == Verdict::NextCode);
            tally.groups += u32::from(send.times > 1);
        }
        person.heard(world, &deed, &expectation, &heard);
    }
    tally.visits += person.visits();
    tally.ready += u32::from(person.initialised());
}

fn judge(expectation: &super::Expectation, heard: &[Heard], tally: &mut Tally) {
    tally.attempts += 1;
    let lost = heard.iter().any(|heard| heard.acted != Acted::Yes);
    let (sent, answered) = (heard[0].sent_key, heard[0].answered_key);
    if lost || expectation.expected == Expected::Unknown || !expectation.decided(sent, answered, 0)
    {
        tally.undecided += 1;
        return;
    }
    let taken = |heard: &Heard| {
        matches!(heard.verdict, Verdict::Accepted | Verdict::NewPin | Verdict::Confirm)
    };
    let good = match expectation.expected {
        Expected::OneOfGroup => heard.iter().filter(|heard| taken(heard)).count() == 1,
        Expected::Rejected => !heard.iter().any(taken),
        Expected::Accepted | Expected::Page => heard[0].verdict == Verdict::Accepted,
        Expected::NewPin => heard[0].verdict == Verdict::NewPin,
        Expected::Confirm => heard[0].verdict == Verdict::Confirm,
        Expected::NextCode => heard.iter().all(|heard| heard.verdict == Verdict::NextCode),
        Expected::Unknown => true,
    };
    tally.contradictions += u32::from(!good);
}

const CALM: Circumstances = Circumstances {
    fault: Fault::None,
    learns: true,
    monotonic: true,
    lost: 0.0,
    slow: 2_000_000,
    offset: 0,
    known: false,
    resync: 0,
};

#[test]
fn a_correct_server_is_never_contradicted() {
    for seed in 0..12 {
        for learns in [true, false] {
            for monotonic in [true, false] {
                for (lost, slow, offset) in [
                    (0.0, 1_000_000, 0),
                    (0.0, 50_000_000, 0),
                    (0.1, 1_000_000, 7_000_000),
                    (0.3, 90_000_000, -20_000_000),
                ] {
                    let with = Circumstances { learns, monotonic, lost, slow, offset, ..CALM };
                    let tally = run(seed, 60, &with);
                    assert_eq!(tally.contradictions, 0, "seed {seed}, learns {learns}: {tally:?}");
                    assert!(tally.replays > 0 && tally.groups > 0, "{tally:?}");
                }
            }
        }
    }
}

#[test]
fn nor_is_one_that_knows_the_keys_already() {
    for seed in 0..12 {
        for learns in [true, false] {
            for monotonic in [true, false] {
                for (lost, slow, offset) in [(0.0, 1_000_000, 0), (0.1, 20_000_000, 7_000_000)] {
                    let calm = Circumstances { known: true, ..CALM };
                    let with = Circumstances { learns, monotonic, lost, slow, offset, ..calm };
                    let tally = run(seed, 60, &with);
                    assert_eq!(tally.contradictions, 0, "seed {seed}, learns {learns}: {tally:?}");
                }
            }
        }
    }
    let known = Circumstances { known: true, ..CALM };
    let tally = run(99, 500, &known);
    assert!(tally.undecided * 2 < tally.attempts, "{tally:?}");
    let replays = run(5, 200, &Circumstances { fault: Fault::ReplayNone, ..known });
    assert!(replays.contradictions > 0, "{replays:?}");
}

#[test]
fn a_server_that_asks_for_the_next_code_is_not_contradicted_either() {
    for seed in 0..12 {
        for learns in [true, false] {
            for (lost, slow, offset) in
                [(0.0, 1_000_000, 0), (0.0, 50_000_000, 7_000_000), (0.2, 20_000_000, -20_000_000)]
            {
                let with = Circumstances { learns, lost, slow, offset, resync: 10, ..CALM };
                let tally = run(seed, 60, &with);
                assert_eq!(tally.contradictions, 0, "seed {seed}, learns {learns}: {tally:?}");
                assert!(tally.asked > 10, "{tally:?}");
            }
        }
    }
}

#[test]
fn keys_that_drifted_over_the_summer_get_in_by_two_codes() {
    let tally = run(7, 300, &Circumstances { resync: 10, ..CALM });
    assert!(tally.asked > 100, "{tally:?}");
    assert!(tally.ready >= 295, "{tally:?}");
    assert!(tally.undecided * 20 < tally.attempts, "{tally:?}");
}

#[test]
fn in_calm_weather_nearly_everything_is_decided_and_everyone_gets_in() {
    let tally = run(99, 500, &CALM);
    assert!(tally.undecided * 50 < tally.attempts, "{tally:?}");
    assert!(tally.ready >= 499, "{tally:?}");
    assert!(tally.visits > 950, "{tally:?}");
}

#[test]
fn every_planted_fault_is_found() {
    for fault in [
        Fault::ReplayNone,
        Fault::Toctou,
        Fault::FalseReject,
        Fault::PinIgnored,
        Fault::CodeIgnored,
        Fault::InitCodeReuse,
        Fault::BurnCurrentStepOnly,
    ] {
        let tally = run(5, 200, &Circumstances { fault, ..CALM });
        assert!(tally.contradictions > 0, "{fault:?}: {tally:?}");
    }
}
