//! What the operating system grants and what was used: file descriptors, processor, memory.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Error;

/// Descriptors that are not connections: files, epoll, pipes, and the embedded server's own.
pub(super) const RESERVED: u64 = 64;

/// Raises the soft limit of file descriptors to the hard one.
///
/// # Errors
/// [`Error::Descriptors`] when even that is short of `connections`.
pub(super) fn descriptors(connections: u64) -> Result<(), Error> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let needed = connections.saturating_add(RESERVED);
    match allowed {
        Some(allowed) if allowed < needed => Err(Error::Descriptors { needed, allowed }),
        _ => Ok(()),
    }
}

/// Processor seconds of this process so far, user and system.
#[allow(clippy::cast_precision_loss)]
pub(super) fn cpu_seconds() -> f64 {
    // proc(5): fields 14 and 15, in hundredths of a second on every Linux; the name in field 2 may
    // hold anything, so count from its closing parenthesis.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

/// Peak resident memory of this process, KiB.
pub(super) fn peak_rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_what_was_used() {
        let before = cpu_seconds();
        let mut sum = 0_u64;
        while cpu_seconds() < before + 0.02 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(peak_rss_kib() > 500);
    }

    #[test]
    fn too_few_descriptors_are_refused_with_the_numbers() {
        let error = descriptors(u64::MAX - 100).unwrap_err();
        assert!(error.to_string().contains("file descriptors are needed"), "{error}");
        assert!(error.hint().contains("--max-connections"));
    }
}
