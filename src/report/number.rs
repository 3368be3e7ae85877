//! Numbers for people: grouped thousands, three significant digits, units.

/// `12034` as `12,034`.
#[must_use]
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share (0 to 1) in per cent, two significant digits below one per cent.
#[must_use]
pub(super) fn percent(share: f64) -> String {
    let value = share * 100.0;
    match value {
        0.0 => "0 %".to_owned(),
        _ if value >= 99.995 => "100 %".to_owned(),
        _ if value >= 10.0 => format!("{value:.1} %"),
        _ if value >= 0.1 => format!("{value:.2} %"),
        _ => {
            let decimals = (1.0 - value.log10().floor()).clamp(2.0, 9.0);
            format!("{value:.*} %", decimals as usize)
        }
    }
}

/// At most three decimals, and none that are zero: `0`, `0.926`, `60`.
#[must_use]
pub(super) fn plain_number(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0;
    if rounded.abs() >= 10_000.0 && rounded.fract() == 0.0 && rounded > 0.0 {
        return number(rounded as u64);
    }
    rounded.to_string()
}

/// Milliseconds with three significant digits and the unit that suits them.
#[must_use]
pub(super) fn milliseconds(value: f64) -> String {
    match value {
        _ if value < 1.0 => format!("{:.0} µs", value * 1000.0),
        _ if value < 9.995 => format!("{value:.2} ms"),
        _ if value < 99.95 => format!("{value:.1} ms"),
        _ if value < 999.5 => format!("{value:.0} ms"),
        _ if value < 9_995.0 => format!("{:.2} s", value / 1000.0),
        _ if value < 120_000.0 => format!("{:.1} s", value / 1000.0),
        _ => format!("{:.1} min", value / 60_000.0),
    }
}

/// A length of time in seconds as people write it: `45 s`, `12 min 30 s`, `2 h 05 min`.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..10 => format!("{:.1} s", seconds.max(0.0)),
        10..120 => format!("{whole} s"),
        120..3600 if whole.is_multiple_of(60) => format!("{} min", whole / 60),
        120..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Text from outside (user ids, addresses) without control characters, which could drive a
/// terminal.
#[must_use]
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_well() {
        let grouped: Vec<_> = [0, 999, 1_000, 12_034, 1_000_000].map(number).into();
        assert_eq!(grouped, ["0", "999", "1,000", "12,034", "1,000,000"]);
        let shares: Vec<_> = [0.0, 0.00489, 0.5, 1.0, 0.000_002_995_7, 0.000_3].map(percent).into();
        assert_eq!(shares, ["0 %", "0.49 %", "50.0 %", "100 %", "0.00030 %", "0.030 %"]);
        let times: Vec<_> =
            [0.084, 1.234, 12.34, 123.4, 1_234.0, 61_000.0, 600_000.0].map(milliseconds).into();
        assert_eq!(
            times,
            ["84 µs", "1.23 ms", "12.3 ms", "123 ms", "1.23 s", "61.0 s", "10.0 min"]
        );
        let values: Vec<_> = [0.0, 0.9264, 60.0, 12_345.0, -3.2].map(plain_number).into();
        assert_eq!(values, ["0", "0.926", "60", "12,345", "-3.2"]);
        let lengths: Vec<_> = [0.5, 45.0, 120.0, 750.0, 7_500.0].map(duration).into();
        assert_eq!(lengths, ["0.5 s", "45 s", "2 min", "12 min 30 s", "2 h 05 min"]);
        assert_eq!(plain("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
    }
}
