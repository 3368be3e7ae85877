//! One test per rule; the names in brackets number the rules of a correct server.

use zeroize::Zeroizing;

use super::*;
use crate::otp::step_start;
use crate::portal::pin::NewPin;
use crate::secret::Secret;
use crate::serial::Serial;

const STEP: u64 = 28_000_000;

struct Bench {
    token: Token,
    key: Key,
    keeper: PinKeeper,
    policy: Policy,
    account: Account,
    now: UnixMicros,
    /// Step of the code that was too far out.
    asked: Option<u64>,
}

impl Bench {
    fn of(token: Token) -> Self {
        let keeper = PinKeeper::new(&Secret::from(&[7; 32][..]));
        let key = Key::of(&token).unwrap();
        let now = step_start(STEP, 60) + SECOND;
        let (policy, account) = (Policy::default(), Account::default());
        Self { token, key, keeper, policy, account, now, asked: None }
    }

    fn new() -> Self {
        Self::of(token())
    }

    fn with_pin(pin: &str) -> Self {
        let mut bench = Self::new();
        bench.account.pin = Some(bench.kept(pin));
        bench
    }

    fn kept(&self, pin: &str) -> PinHash {
        let typed = Zeroizing::new(pin.to_owned());
        self.keeper.keep(&NewPin::choose(typed.clone(), &typed).unwrap()).unwrap()
    }

    fn code(&self, off: i64) -> String {
        let step = time_step(self.now, 60).checked_add_signed(off).unwrap();
        self.token.generator().code(step).to_string()
    }

    fn event(&self, counter: u64) -> String {
        self.token.generator().code(counter).to_string()
    }

    /// Judges and, as the store would, makes it true.
    fn judge(&mut self, attempt: Attempt<'_>) -> Option<Then> {
        let Self { key, keeper, policy, account, now, .. } = self;
        match judge(policy, keeper, None, key, account, attempt, *now) {
            Decision::Refuse { failures, locked_until } => {
                (account.failures, account.locked_until) = (failures, locked_until);
                None
            }
            Decision::Ask { step, failures, locked_until } => {
                (account.failures, account.locked_until) = (failures, locked_until);
                self.asked = Some(step);
                None
            }
            Decision::Burn { step, drift, base, then } => {
                (account.last, account.drift, account.base) = (Some(step), drift, base);
                if then != Then::NewPin {
                    (account.failures, account.locked_until) = (0, None);
                }
                if let Then::Enrol(pin) = then {
                    account.pin = Some(pin);
                }
                Some(then)
            }
        }
    }

    fn login(&mut self, passcode: &str) -> bool {
        self.judge(Attempt::Login(passcode.as_bytes())).is_some()
    }
}

fn token() -> Token {
    Token::totp60(Serial::new("T1").unwrap(), Secret::from(&b"12345678901234567890"[..]))
}

#[test]
fn the_window_is_one_step_either_way() {
    let accepted: Vec<i64> = (-5..=5)
        .filter(|off| {
            let mut bench = Bench::new();
            let code = bench.code(*off);
            bench.login(&code)
        })
        .collect();
    assert_eq!(accepted, [-1, 0, 1], "[W2, W3]");
}

#[test]
fn the_window_follows_a_drift_but_never_walks() {
    for (learned, reach) in [(1, [0, 1, 2]), (-1, [-2, -1, 0])] {
        let accepted: Vec<i64> = (-5..=5)
            .filter(|off| {
                let mut bench = Bench::new();
                bench.account.drift = learned;
                let code = bench.code(*off);
                bench.login(&code)
            })
            .collect();
        assert_eq!(accepted, reach);
    }
    // [W5] Twenty times at the far edge, either way.
    for edge in [1, -1] {
        let mut bench = Bench::new();
        for _ in 0..20 {
            bench.now += 240 * SECOND;
            let far = bench.account.drift + edge;
            let code = bench.code(far);
            assert!(bench.login(&code));
            assert_eq!(bench.account.drift, edge, "after a code {far} steps off");
        }
        bench.now += 240 * SECOND;
        let beyond = bench.code(3 * edge);
        assert!(!bench.login(&beyond));
        let right = bench.code(0);
        assert!(bench.login(&right), "a key set right again is still let in");
        assert_eq!(bench.account.drift, 0);
    }
}

#[test]
fn a_burnt_code_and_all_before_it_are_dead() {
    let mut bench = Bench::new();
    let (before, now, next) = (bench.code(-1), bench.code(0), bench.code(1));
    assert!(bench.login(&before));
    assert!(bench.login(&now));
    for code in [&now, &before] {
        assert!(!bench.login(code), "[R1, R4]");
    }
    bench.now += 60 * SECOND;
    assert!(!bench.login(&now), "[R3]");
    assert!(bench.login(&next));

    let mut bench = Bench::new();
    let (never_used, now) = (bench.code(-1), bench.code(0));
    assert!(bench.login(&now));
    assert!(!bench.login(&never_used), "[R5]");
}

#[test]
fn ten_failures_lock_for_a_time() {
    let mut bench = Bench::with_pin("ab12");
    for failed in 1..=10 {
        assert!(!bench.login("x"));
        assert_eq!(bench.account.failures, failed);
    }
    let end = bench.now + bench.policy.lock_for;
    assert_eq!(bench.account.locked_until, Some(end), "[L1]");
    let good = |bench: &Bench| format!("ab12{}", bench.code(0));
    bench.now = end - 1;
    let passcode = good(&bench);
    assert!(!bench.login(&passcode), "[L4]");
    assert_eq!(
        (bench.account.failures, bench.account.locked_until),
        (10, Some(end)),
        "not extended"
    );
    bench.now = end;
    assert!(!bench.login("x"));
    assert_eq!((bench.account.failures, bench.account.locked_until), (1, None), "[L5]");
    let passcode = good(&bench);
    assert!(bench.login(&passcode));
    assert_eq!(bench.account.failures, 0);
}

#[test]
fn half_a_login_does_not_reset_the_count() {
    let mut bench = Bench::new();
    for _ in 0..9 {
        bench.login("x");
    }
    let code = bench.code(0);
    assert_eq!(bench.judge(Attempt::Login(code.as_bytes())), Some(Then::NewPin));
    assert_eq!(bench.account.failures, 9, "[L7]");
    assert!(!bench.login("x"));
    assert!(bench.account.locked_until.is_some());
    let chosen = bench.kept("ab12");
    bench.now += 60 * SECOND;
    let passcode = format!("ab12{}", bench.code(0));
    assert_eq!(bench.judge(Attempt::Confirm(passcode.as_bytes(), &chosen)), None, "locked");
}

#[test]
fn pin_and_code_are_both_needed_octet_by_octet() {
    let mut bench = Bench::with_pin("Ab12");
    let (code, other) = (bench.code(0), bench.code(7));
    bench.policy.lock_after = u32::MAX;
    for wrong in [
        format!("Ab12{other}"),
        format!("Ab1{code}"),
        format!("Ab123{code}"),
        format!("ab12{code}"),
        format!("Ab12 {code}"),
        format!(" Ab12{code}"),
        format!("Ab12{code} "),
        format!("{code}Ab12"),
        format!("Ab12{}", &code[..5]),
        code.clone(),
        "Ab12".into(),
        String::new(),
    ] {
        assert!(!bench.login(&wrong), "{wrong:?} [P1..P7]");
    }
    assert!(bench.login(&format!("Ab12{code}")), "and none of it burnt the code");
}

#[test]
fn step_3_takes_the_chosen_pin_and_a_later_code_once() {
    let mut bench = Bench::new();
    let chosen = bench.kept("ab12");
    let first = bench.code(0);
    assert_eq!(bench.judge(Attempt::Login(first.as_bytes())), Some(Then::NewPin));
    for early in [format!("ab12{first}"), format!("ab12{}", bench.code(-1)), bench.code(1)] {
        assert_eq!(bench.judge(Attempt::Confirm(early.as_bytes(), &chosen)), None, "[I4]");
    }
    assert!(bench.account.pin.is_none());
    bench.now += 60 * SECOND;
    let passcode = format!("ab12{}", bench.code(0));
    let then = bench.judge(Attempt::Confirm(passcode.as_bytes(), &chosen));
    assert_eq!(then, Some(Then::Enrol(chosen)));
    bench.now += 60 * SECOND;
    let again = format!("ab12{}", bench.code(0));
    assert_eq!(bench.judge(Attempt::Confirm(again.as_bytes(), &chosen)), None, "[I8]");
    let bare = bench.code(0);
    assert!(!bench.login(&bare), "[I10]");
    assert!(bench.login(&again));
}

#[test]
fn an_event_based_key_moves_on_and_looks_ahead() {
    let hotp = || Bench::of(Token { algorithm: Algorithm::Hotp, counter: 5, ..token() });
    let accepted: Vec<u64> = (0..20)
        .filter(|counter| {
            let mut bench = hotp();
            let code = bench.event(*counter);
            bench.login(&code)
        })
        .collect();
    assert_eq!(accepted, (5..=15).collect::<Vec<_>>(), "[H2, H4]");
    let mut bench = hotp();
    let (jump, skipped, next) = (bench.event(9), bench.event(7), bench.event(10));
    assert!(bench.login(&jump));
    assert!(!bench.login(&jump), "[H1]");
    assert!(!bench.login(&skipped), "[H3]");
    assert!(bench.login(&next));
    assert_eq!(bench.account.drift, 0);
}

#[test]
fn a_key_works_only_between_its_dates() {
    let date = |micros: u64| jiff::Timestamp::from_microsecond(micros.try_into().unwrap()).ok();
    let now = Bench::new().now;
    for (start, expiry, good) in
        [(date(now), date(now + 1), true), (date(now + 1), None, false), (None, date(now), false)]
    {
        let mut bench = Bench::of(Token { start_date: start, expiry_date: expiry, ..token() });
        let code = bench.code(0);
        assert_eq!(bench.login(&code), good);
    }
}

#[test]
fn time_goes_on_after_2038() {
    for second in [1 << 31, 1 << 32, 20_000_000_000] {
        let mut bench = Bench::new();
        bench.now = second * SECOND;
        let code = bench.code(0);
        assert!(bench.login(&code), "[W6] {second}");
        assert!(!bench.login(&code));
    }
    let mut bench = Bench::new();
    bench.now = 0;
    let code = bench.code(0);
    assert!(bench.login(&code), "and begins in 1970");
}

/// The second of two codes in a row.
fn next(bench: &mut Bench, code: &str) -> Option<Then> {
    let asked = bench.asked.unwrap();
    bench.judge(Attempt::Next(code.as_bytes(), asked))
}

#[test]
fn two_codes_in_a_row_bring_a_drifted_key_back() {
    for off in [-10_i64, -2, 2, 5, 10] {
        let mut bench = Bench::with_pin("ab12");
        let far = format!("ab12{}", bench.code(off));
        assert!(!bench.login(&far), "{off}: by itself it opens nothing");
        assert!(bench.asked.is_some() && bench.account.failures == 1, "{off}");
        bench.now += 60 * SECOND;
        let code = bench.code(off);
        assert_eq!(next(&mut bench, &code), Some(Then::Enter), "{off}");
        assert_eq!((bench.account.drift, bench.account.failures), (off, 0));
        assert_eq!(next(&mut bench, &code), None, "each is good once");
        // From then on it is an ordinary key, and its drift is learned around there.
        for shift in [1, 1, 0, -1, 0] {
            bench.now += 180 * SECOND;
            let passcode = format!("ab12{}", bench.code(off + shift));
            assert!(bench.login(&passcode), "{off} and {shift}");
        }
        bench.now += 180 * SECOND;
        let old = format!("ab12{}", bench.code(off + 3));
        assert!(!bench.login(&old), "{off}: the window is no wider than before");
    }
}

#[test]
fn nothing_but_the_very_next_code_will_do() {
    let far = |off: i64| {
        let mut bench = Bench::with_pin("ab12");
        let passcode = format!("ab12{}", bench.code(off));
        assert!(!bench.login(&passcode));
        bench
    };
    assert!(far(11).asked.is_none() && far(-11).asked.is_none(), "out of reach");
    assert!(far(3).asked.is_some());
    for wrong in [-1, 0, 2, 3] {
        let mut bench = far(5);
        let code = bench.code(5 + wrong);
        assert_eq!(next(&mut bench, &code), None, "{wrong}");
        assert_eq!(bench.account.failures, 2);
    }
    let mut bench = far(5);
    let with_pin = format!("ab12{}", bench.code(6));
    assert_eq!(next(&mut bench, &with_pin), None, "the PIN came before");
    let mut wrong_pin = Bench::with_pin("ab12");
    let passcode = format!("zz99{}", wrong_pin.code(5));
    assert!(!wrong_pin.login(&passcode) && wrong_pin.asked.is_none());
    let mut off = Bench::with_pin("ab12");
    off.policy.resync = 0;
    let passcode = format!("ab12{}", off.code(5));
    assert!(!off.login(&passcode) && off.asked.is_none());
}

#[test]
fn a_first_code_too_far_out_goes_on_to_the_pin_after_the_next() {
    let mut bench = Bench::new();
    let first = bench.code(-4);
    assert!(!bench.login(&first));
    bench.now += 60 * SECOND;
    let second = bench.code(-4);
    assert_eq!(next(&mut bench, &second), Some(Then::NewPin));
    let chosen = bench.kept("ab12");
    bench.now += 60 * SECOND;
    let passcode = format!("ab12{}", bench.code(-4));
    let then = bench.judge(Attempt::Confirm(passcode.as_bytes(), &chosen));
    assert_eq!(then, Some(Then::Enrol(chosen)));
}

#[test]
fn asking_for_the_next_code_is_no_way_round_the_lock() {
    let mut bench = Bench::with_pin("ab12");
    for tried in 1..=10 {
        let far = format!("ab12{}", bench.code(5));
        assert!(!bench.login(&far));
        assert_eq!(bench.account.failures, tried);
    }
    let code = bench.code(6);
    assert_eq!(next(&mut bench, &code), None, "locked");
}

#[test]
fn an_event_based_key_is_resynchronised_beyond_the_look_ahead() {
    let mut bench = Bench::of(Token { algorithm: Algorithm::Hotp, counter: 5, ..token() });
    let (far, following) = (bench.event(24), bench.event(25));
    assert!(!bench.login(&far));
    assert_eq!(next(&mut bench, &following), Some(Then::NewPin));
    assert_eq!((bench.account.last, bench.account.drift), (Some(25), 0));
    let too_far = bench.event(47);
    bench.asked = None;
    assert!(!bench.login(&too_far) && bench.asked.is_none());
}
