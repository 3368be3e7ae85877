//! Faults that can be planted on purpose, so that a check can be shown to find what it looks for.
//!
//! A test that has never been seen to fail is no evidence. Each defect repeats a fault met in real
//! servers and is planted in exactly one place, named beside it.

use std::fmt;
use std::str::FromStr;

/// A fault planted in the reference server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Defect {
    /// Used codes are forgotten: every code can be used again within the window
    /// (`verifier::floor`).
    ReplayNone,
    /// The check and the burning are two transactions with a gap between them, so that two clicks
    /// at once both pass (`service::judge`).
    Toctou,
    /// A used code is remembered only while its time step is the current one
    /// (`verifier::floor`).
    BurnCurrentStepOnly,
    /// Every thousandth good code is refused (`worker::Desk::judge`).
    FalseReject,
    /// Step 3 takes the code that step 1 has burnt (`verifier::floor`).
    InitCodeReuse,
    /// Anything, or nothing, in front of a good code passes for the PIN (`verifier::judge`).
    PinIgnored,
    /// Failures are counted but never lock (`verifier::refuse`).
    NoLockout,
    /// The window is ±5 steps (`verifier::candidates`).
    WideWindow,
    /// The learned drift has no bound, so the window walks away with the key
    /// (`verifier::learned_drift`).
    DriftWalk,
}

impl Defect {
    /// Every defect, in the order of declaration.
    pub const ALL: &'static [Self] = &[
        Self::ReplayNone,
        Self::Toctou,
        Self::BurnCurrentStepOnly,
        Self::FalseReject,
        Self::InitCodeReuse,
        Self::PinIgnored,
        Self::NoLockout,
        Self::WideWindow,
        Self::DriftWalk,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReplayNone => "replay-none",
            Self::Toctou => "toctou",
            Self::BurnCurrentStepOnly => "burn-current-step-only",
            Self::FalseReject => "false-reject",
            Self::InitCodeReuse => "init-code-reuse",
            Self::PinIgnored => "pin-ignored",
            Self::NoLockout => "no-lockout",
            Self::WideWindow => "wide-window",
            Self::DriftWalk => "drift-walk",
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Defect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|defect| defect.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|defect| defect.name()).collect();
            format!("unknown defect {text:?}: use one of {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for defect in Defect::ALL {
            assert_eq!(defect.name().parse(), Ok(*defect));
        }
        let error = "replay".parse::<Defect>().unwrap_err();
        assert!(error.contains("replay-none, toctou"), "{error}");
    }
}
