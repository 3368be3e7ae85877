//! One exchange before the run: is the server there, and does its clock agree with ours?

use std::sync::Arc;
use std::time::Duration;

use super::Error;
use super::transport::{Endpoint, Transport};
use crate::clock::{Clock, SECOND};
use crate::interrupt::Interrupt;
use crate::target::Target;

/// Allowance when the server shows no clock, µs of key time.
const BLIND: u64 = 2 * SECOND;

/// What the preflight found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Met {
    /// Server's clock minus ours, µs of key time.
    pub(super) server_offset: Option<i64>,
    /// How far off that may be, µs of key time.
    pub(super) uncertainty: u64,
}

/// Connects and compares the clocks.
///
/// # Errors
/// [`Error::Unreachable`]; [`Error::Interrupted`]; [`Error::Clock`] and [`Error::Rate`] unless `ignore_clock`.
pub(super) fn meet(
    target: &Arc<Target>,
    endpoint: &Arc<Endpoint>,
    clock: &dyn Clock,
    period: u32,
    ignore_clock: bool,
    interrupt: &Interrupt,
) -> Result<Met, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Workers)?;
    let people = tokio::task::LocalSet::new();
    let found = people.block_on(&runtime, async {
        let transport = Transport::new(Arc::clone(target), Arc::clone(endpoint), 1);
        tokio::select! {
            found = transport.preflight(clock) => Ok(found),
            signal = asked_to_stop(interrupt) => Err(Error::Interrupted(signal)),
        }
    });
    let found = found?.map_err(|error| match error.is_input() {
        true => Error::Address(error),
        false => Error::Unreachable(error),
    })?;
    if !ignore_clock {
        if let Some(server) = found.server_rate
            && (server / clock.rate() - 1.0).abs() > 0.01
        {
            return Err(Error::Rate { server, ours: clock.rate() });
        }
        let steps = target.policy.window_back + target.policy.window_forward + 1;
        check_offset(found.server_clock_offset, steps, period)?;
    }
    let uncertainty = match found.server_clock_offset {
        Some(_) => found.offset_uncertainty,
        None => BLIND,
    };
    Ok(Met { server_offset: found.server_clock_offset, uncertainty })
}

/// A server that takes the connection and says nothing must not hold up Ctrl-C.
async fn asked_to_stop(interrupt: &Interrupt) -> u8 {
    loop {
        if let Some(signal) = interrupt.signal() {
            return signal;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[allow(clippy::cast_precision_loss)]
fn check_offset(offset: Option<i64>, steps: u32, period: u32) -> Result<(), Error> {
    let half = f64::from(steps) * f64::from(period) / 2.0;
    let offset = offset.unwrap_or(0) as f64 / 1e6;
    if offset.abs() > half { Err(Error::Clock { offset, half }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_beyond_half_a_window_is_refused_with_the_figures() {
        assert!(check_offset(Some(-89_000_000), 3, 60).is_ok());
        assert!(check_offset(None, 3, 60).is_ok());
        let error = check_offset(Some(-91_000_000), 3, 60).unwrap_err();
        assert!(error.to_string().contains("-91.0 s from ours"), "{error}");
        assert!(error.to_string().contains("(90 s)"), "{error}");
        assert!(error.hint().contains("--ignore-clock"));
    }
}
