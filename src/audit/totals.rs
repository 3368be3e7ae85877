//! Counts over a whole run or several.

use super::{Finding, Why, upper_bound_95};
use crate::recorder::{Expected, Fault, Observation, Reason, Verdict};

/// How many attempts came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Attempts answered as they must be.
    pub confirmed: u64,
    /// Attempts answered as a correct server must not.
    pub contradictions: u64,
    /// Attempts that prove nothing.
    pub undetermined: u64,
    /// Attempts without a usable answer.
    pub faults: u64,
}

impl Cell {
    /// All of them.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.confirmed + self.contradictions + self.undetermined + self.faults
    }

    fn add(&mut self, finding: Finding) {
        *match finding {
            Finding::Confirmed => &mut self.confirmed,
            Finding::Contradiction(_) => &mut self.contradictions,
            Finding::Undetermined(_) => &mut self.undetermined,
            Finding::Fault(_) => &mut self.faults,
        } += 1;
    }
}

/// Codes sent again after they had been used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replays {
    /// One after the other: sent, answered, and decided.
    pub sequential: u64,
    /// Of these, taken by the server.
    pub sequential_accepted: u64,
    /// At the same time: all of a group but one.
    pub concurrent: u64,
    /// Of these, taken by the server.
    pub concurrent_accepted: u64,
}

impl Replays {
    /// All replays that were answered and decided.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sequential + self.concurrent
    }

    /// Of these, taken by the server.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.sequential_accepted + self.concurrent_accepted
    }

    /// 95 % upper bound of the probability that a replay is taken.
    #[must_use]
    pub fn upper_bound_95(&self) -> Option<f64> {
        upper_bound_95(self.accepted(), self.sent())
    }
}

const REASONS: usize = Reason::ALL.len();
const VERDICTS: usize = Verdict::ALL.len();

/// Counts by expectation, reason and verdict, exact: every attempt is in one cell, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    all: Cell,
    cells: Vec<Cell>,
    undetermined: [u64; Why::ALL.len()],
    faults: [u64; Fault::ALL.len()],
    /// Replays sent and taken.
    pub replays: Replays,
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            all: Cell::default(),
            cells: vec![Cell::default(); Expected::ALL.len() * REASONS * VERDICTS],
            undetermined: Default::default(),
            faults: Default::default(),
            replays: Replays::default(),
        }
    }
}

impl Totals {
    /// Counts an attempt.
    pub(super) fn add(&mut self, seen: &Observation, finding: Finding) {
        let Observation { expectation, verdict, .. } = seen;
        let row = expectation.expected as usize * REASONS + expectation.reason as usize;
        self.cells[row * VERDICTS + *verdict as usize].add(finding);
        self.all.add(finding);
        match finding {
            Finding::Undetermined(why) => self.undetermined[why as usize] += 1,
            Finding::Fault(fault) => self.faults[fault as usize] += 1,
            Finding::Confirmed | Finding::Contradiction(_) => {}
        }
    }

    /// Every attempt.
    #[must_use]
    pub fn all(&self) -> Cell {
        self.all
    }

    /// The cells that hold anything.
    pub fn cells(&self) -> impl Iterator<Item = (Expected, Reason, Verdict, Cell)> + '_ {
        self.cells.iter().enumerate().filter(|(_, cell)| cell.attempts() > 0).map(|(at, cell)| {
            let (row, verdict) = (at / VERDICTS, at % VERDICTS);
            let (expected, reason) = (row / REASONS, row % REASONS);
            (Expected::ALL[expected], Reason::ALL[reason], Verdict::ALL[verdict], *cell)
        })
    }

    /// Attempts that prove nothing, for this reason.
    #[must_use]
    pub fn undetermined(&self, why: Why) -> u64 {
        self.undetermined[why as usize]
    }

    /// Attempts without a usable answer, of this class.
    #[must_use]
    pub fn faults(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }
}
