//! Why a simulation cannot begin, or be recorded.

use crate::recorder::RecorderError;
use crate::serial::Serial;

use super::transport::TransportError;

/// Why a simulation cannot begin, or be recorded. Nothing was sent, except with
/// [`Error::Record`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user stopped it before the first attempt, by this signal (2 or 15).
    #[error(
        "stopped while waiting for the server's first answer; nothing was sent but that request"
    )]
    Interrupted(u8),
    /// Nobody to simulate.
    #[error("there is nobody to simulate: the number of users is 0")]
    Nobody,
    /// More people than keys.
    #[error(
        "{users} users were asked for, but only {keys} have a key: each needs one of their own"
    )]
    TooFewKeys {
        /// People asked for.
        users: usize,
        /// Keys there are.
        keys: usize,
    },
    /// A key that is not time-based.
    #[error("key {serial} is {algorithm}: only time-based keys (totp) can be simulated")]
    NotTimeBased {
        /// The key.
        serial: Serial,
        /// What it computes.
        algorithm: String,
    },
    /// Keys of several periods.
    #[error("key {serial} changes every {period} s, the keys before it every {others} s")]
    MixedPeriods {
        /// The first that differs.
        serial: Serial,
        /// Its period, seconds.
        period: u32,
        /// The others' period, seconds.
        others: u32,
    },
    /// The plan asks for more codes than the keys will show.
    #[error(
        "the plan cannot be met: {what} takes {codes} codes of each key, at one code every \
         {period} s that is {needed} s, but the last person comes {left} s before the end"
    )]
    Infeasible {
        /// What needs them.
        what: String,
        /// Codes per key.
        codes: u64,
        /// Period of the keys, seconds.
        period: u32,
        /// Seconds needed.
        needed: u64,
        /// Seconds there are.
        left: u64,
    },
    /// The target has no operation that the run needs.
    #[error("the target {target} has no operation {operation}")]
    NoOperation {
        /// Name of the target.
        target: String,
        /// The operation.
        operation: &'static str,
    },
    /// The address or the TLS settings cannot be used.
    #[error("{0}")]
    Address(TransportError),
    /// The server does not answer.
    #[error("{0}")]
    Unreachable(TransportError),
    /// The server's clock is too far from ours.
    #[error(
        "the server's clock is {offset:+.1} s from ours, more than half of its window ({half:.0} s): \
         it would refuse nearly every code"
    )]
    Clock {
        /// Server minus us, seconds of key time.
        offset: f64,
        /// Half of the window, seconds.
        half: f64,
    },
    /// The server's clock runs at another rate.
    #[error("the server's clock runs {server} times as fast as real time, ours {ours} times")]
    Rate {
        /// The server's.
        server: f64,
        /// Ours.
        ours: f64,
    },
    /// Not enough file descriptors.
    #[error("{needed} file descriptors are needed, and the system allows {allowed}")]
    Descriptors {
        /// Needed.
        needed: u64,
        /// Allowed, hard limit.
        allowed: u64,
    },
    /// The record cannot be begun.
    #[error("{0}")]
    Record(#[from] RecorderError),
    /// The operating system gave no thread or runtime.
    #[error("cannot start the workers: {0}")]
    Workers(std::io::Error),
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Interrupted(_) => {
                "if you did not mean to stop it: does the server answer at all? See `trousseau doctor`"
                    .into()
            }
            Self::Nobody => "give --users 1 or more, and a roster with at least one row".into(),
            Self::TooFewKeys { keys, .. } => {
                format!("ask for --users {keys} at most, or mint more keys")
            }
            Self::NotTimeBased { .. } => "leave this key out of the roster".into(),
            Self::MixedPeriods { .. } => {
                "simulate the keys of each period in a run of their own, with a roster each".into()
            }
            Self::Infeasible { .. } => {
                "ask for fewer logins (--set logins.per_person.uniform.1=N) or more time \
                 (--set scenario.duration=4h)"
                    .into()
            }
            Self::NoOperation { .. } => {
                "choose another target, or add the operation to this one; `trousseau targets list` \
                 shows them"
                    .into()
            }
            Self::Address(error) | Self::Unreachable(error) => error.hint(),
            Self::Clock { .. } => {
                "set the clocks (NTP), or give the server's --clock-rate and --clock-origin; \
                 --ignore-clock runs nevertheless"
                    .into()
            }
            Self::Rate { server, .. } => {
                format!("give --clock-rate {server} and the server's --clock-origin")
            }
            Self::Descriptors { allowed, .. } => {
                format!(
                    "raise the limit (ulimit -Hn), or give --max-connections {}",
                    allowed.saturating_sub(super::limits::RESERVED)
                )
            }
            Self::Record(error) => error.hint().to_owned(),
            Self::Workers(_) => "close other programs, or give a smaller --workers".into(),
        }
    }
}
