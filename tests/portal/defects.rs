//! Each planted defect breaks the rule it names, and the sound server keeps it.

use trousseau::portal::Defect;

use super::client::{Bench, json, user};
use super::json::at_once;

/// Whether `rule` holds on a sound server and on one with `defect`.
fn holds(defect: Defect, users: usize, rule: impl Fn(&Bench) -> bool) -> (bool, bool) {
    (rule(&Bench::new(users)), rule(&Bench::planted(users, defect)))
}

#[test]
fn replay_none() {
    let rule = |bench: &Bench| {
        bench.initialise(0, "ab12");
        let passcode = format!("ab12{}", bench.code(0, 0));
        assert_eq!(bench.login(0, &passcode), 200);
        bench.login(0, &passcode) == 401
    };
    assert_eq!(holds(Defect::ReplayNone, 1, rule), (true, false));
}

#[test]
fn toctou() {
    let rule = |bench: &Bench| {
        bench.initialise(0, "ab12");
        (0..5).all(|_| at_once(bench, 0, &format!("ab12{}", bench.next_code(0)), 4) == 1)
    };
    assert_eq!(holds(Defect::Toctou, 1, rule), (true, false));
    // One after the other it is as good as the sound one.
    let bench = Bench::planted(1, Defect::Toctou);
    let code = bench.code(0, 0);
    assert_eq!([bench.login(0, &code), bench.login(0, &code)], [200, 401]);
}

#[test]
fn burn_current_step_only() {
    let rule = |bench: &Bench| {
        bench.initialise(0, "ab12");
        let passcode = format!("ab12{}", bench.code(0, 0));
        assert_eq!([bench.login(0, &passcode), bench.login(0, &passcode)], [200, 401]);
        bench.clock.advance(60);
        bench.login(0, &passcode) == 401
    };
    assert_eq!(holds(Defect::BurnCurrentStepOnly, 1, rule), (true, false));
}

#[test]
fn false_reject() {
    let rule = |bench: &Bench| {
        (0..1000).filter(|n| bench.login(*n, &bench.code(*n, 0)) != 200).count() == 0
    };
    assert_eq!(holds(Defect::FalseReject, 1000, rule), (true, false));
}

#[test]
fn init_code_reuse() {
    let rule = |bench: &Bench| {
        let code = bench.code(0, 0);
        let first = json(bench.addr(), "login", &[("user", &user(0)), ("passcode", &code)]);
        let transaction = first.field("transaction");
        let fields = [("transaction", &*transaction), ("pin", "ab12"), ("pin2", "ab12")];
        let transaction = json(bench.addr(), "new-pin", &fields).field("transaction");
        let passcode = format!("ab12{code}");
        let fields = [("transaction", &*transaction), ("passcode", &*passcode)];
        json(bench.addr(), "confirm", &fields).status == 401
    };
    assert_eq!(holds(Defect::InitCodeReuse, 1, rule), (true, false));
}

#[test]
fn pin_ignored() {
    let rule = |bench: &Bench| {
        bench.initialise(0, "ab12");
        bench.login(0, &format!("zz99{}", bench.code(0, 0))) == 401
    };
    assert_eq!(holds(Defect::PinIgnored, 1, rule), (true, false));
}

#[test]
fn no_lockout() {
    let rule = |bench: &Bench| {
        for _ in 0..10 {
            assert_eq!(bench.login(0, "x"), 401);
        }
        bench.login(0, &bench.code(0, 0)) == 401
    };
    assert_eq!(holds(Defect::NoLockout, 1, rule), (true, false));
}

#[test]
fn wide_window() {
    // By itself such a code opens nothing: the next one is asked for.
    let rule = |bench: &Bench| {
        let fields = [("user", &*user(0)), ("passcode", &*bench.code(0, 4))];
        json(bench.addr(), "login", &fields).result() == (200, "next-code")
    };
    assert_eq!(holds(Defect::WideWindow, 1, rule), (true, false));
}

#[test]
fn drift_walk() {
    // Ever one step further than the window should reach.
    let rule = |bench: &Bench| {
        bench.initialise(0, "ab12");
        (1..=5).any(|off| {
            bench.clock.advance(60);
            let passcode = format!("ab12{}", bench.code(0, off));
            let fields = [("user", &*user(0)), ("passcode", &*passcode)];
            json(bench.addr(), "login", &fields).result() == (200, "next-code")
        })
    };
    assert_eq!(holds(Defect::DriftWalk, 1, rule), (true, false));
}
