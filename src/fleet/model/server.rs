//! The model server: one account of it, with the faults that can be planted.

use crate::otp::Generator;
use crate::target::{Inputs, Operation, Verdict};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    None,
    ReplayNone,
    Toctou,
    FalseReject,
    PinIgnored,
    CodeIgnored,
    InitCodeReuse,
    BurnCurrentStepOnly,
}

/// How a server goes about codes that it may not take at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Manner {
    /// It looks for the first step that is not spent, and forgets the first of two codes with the
    /// dialogue.
    Dialogue,
    /// As privacyIDEA: it looks for the first step, spent or not, and keeps the first of two codes with
    /// the account until another one is too far out.
    Account,
}

/// Sixty-second steps, one either way, drift of one learned or not.
pub(super) struct Model {
    generator: Generator,
    fault: Fault,
    manner: Manner,
    pub(super) digits: usize,
    pub(super) learns: bool,
    pub(super) monotonic: bool,
    pub(super) pin: Option<String>,
    chosen: Option<String>,
    pub(super) spent: Vec<u64>,
    pub(super) shift: i64,
    /// Drift of the last resynchronisation.
    base: i64,
    /// Steps within which the next code is asked for.
    pub(super) resync: i64,
    /// The first of two codes.
    pub(super) asked: Option<u64>,
    pub(super) failures: u32,
    calls: u64,
}

impl Model {
    pub(super) fn new(generator: Generator, fault: Fault, manner: Manner) -> Self {
        Self {
            generator,
            fault,
            manner,
            digits: 6,
            learns: true,
            monotonic: true,
            pin: None,
            chosen: None,
            spent: Vec::new(),
            shift: 0,
            base: 0,
            resync: 0,
            asked: None,
            failures: 0,
            calls: 0,
        }
    }

    pub(super) fn answer(&mut self, operation: Operation, typed: &Inputs<'_>, now: u64) -> Verdict {
        self.calls += 1;
        if operation == Operation::NewPin {
            self.chosen = Some(typed.new_pin.to_owned());
            return Verdict::Confirm;
        }
        if operation == Operation::Logout {
            return Verdict::Accepted;
        }
        if operation == Operation::Resync {
            return match self.manner {
                Manner::Dialogue => self.next(typed.code, now),
                Manner::Account => self.alone(operation, typed.code, now),
            };
        }
        let (pin, code) = typed.passcode.split_at(typed.passcode.len() - self.digits);
        let wanted = match operation {
            Operation::FirstCode if self.pin.is_none() => Some(String::new()),
            Operation::Confirm => self.chosen.clone(),
            Operation::Login => self.pin.clone(),
            _ => None,
        };
        let pin = if operation == Operation::FirstCode { "" } else { pin };
        let pin_good =
            wanted.is_some_and(|wanted| wanted == pin || self.fault == Fault::PinIgnored);
        if self.manner == Manner::Account {
            return if pin_good { self.alone(operation, code, now) } else { self.refuse() };
        }
        let step = self.find(operation, code, now, 1);
        let far = self.find(operation, code, now, self.resync);
        if step.is_none() && far.is_some() && pin_good && operation != Operation::Confirm {
            self.failures += 1;
            self.asked = far.filter(|_| self.failures <= 10);
            return if self.asked.is_some() { Verdict::NextCode } else { Verdict::Rejected };
        }
        let lucky = self.fault != Fault::FalseReject || !self.calls.is_multiple_of(5);
        match step.filter(|_| self.failures < 10 && pin_good && lucky) {
            Some(step) => self.take(operation, step, now),
            None => self.refuse(),
        }
    }

    fn refuse(&mut self) -> Verdict {
        self.failures += 1;
        Verdict::Rejected
    }

    fn take(&mut self, operation: Operation, step: u64, now: u64) -> Verdict {
        self.spent.push(step);
        if self.learns {
            let off = step as i64 - (now / 60_000_000) as i64;
            self.shift = off.clamp(self.base - 1, self.base + 1);
        }
        self.failures = 0;
        match operation {
            Operation::FirstCode => return Verdict::NewPin,
            Operation::Confirm => self.pin = self.chosen.take(),
            Operation::Resync if self.pin.is_none() => return Verdict::NewPin,
            _ => {}
        }
        Verdict::Accepted
    }

    /// The second of two codes is taken.
    fn follow(&mut self, operation: Operation, step: u64, now: u64) -> Verdict {
        self.base = step as i64 - (now / 60_000_000) as i64;
        self.shift = self.base;
        self.take(operation, step, now)
    }

    /// The code after the one that was too far out.
    fn next(&mut self, code: &str, now: u64) -> Verdict {
        let found = self.find(Operation::Login, code, now, self.resync);
        let wanted = self.asked.take().map(|asked| asked + 1);
        match wanted.filter(|step| found == Some(*step) && self.failures < 10) {
            Some(step) => self.follow(Operation::Resync, step, now),
            None => self.refuse(),
        }
    }

    /// A code whose PIN is right, or is not asked for, by the rules of [`Manner::Account`].
    fn alone(&mut self, operation: Operation, code: &str, now: u64) -> Verdict {
        if self.failures >= 10 {
            return self.refuse();
        }
        if let Some(step) = self.first(code, now, 1) {
            return match (self.dead(step), operation) {
                (true, _) => self.refuse(),
                (false, Operation::Resync) => self.follow(operation, step, now),
                (false, _) => self.take(operation, step, now),
            };
        }
        let Some(step) = self.first(code, now, self.resync) else { return self.refuse() };
        match self.asked.take() {
            Some(first) if first + 1 == step && !self.dead(step) => {
                self.follow(operation, step, now)
            }
            Some(_) => self.refuse(),
            None => {
                self.asked = Some(step);
                self.failures += 1;
                if operation == Operation::Confirm { Verdict::Rejected } else { Verdict::NextCode }
            }
        }
    }

    fn dead(&self, step: u64) -> bool {
        let dead = |spent: &u64| if self.monotonic { *spent >= step } else { *spent == step };
        self.spent.iter().any(dead)
    }

    /// The first step whose code this is, spent or not.
    fn first(&self, code: &str, now: u64, window: i64) -> Option<u64> {
        let middle = (now / 60_000_000) as i64 + self.shift;
        let mut steps = (middle - window..=middle + window).map(|step| step as u64);
        steps.find(|step| self.generator.code(*step).to_string() == code)
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
