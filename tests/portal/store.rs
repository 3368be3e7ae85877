//! What survives: restarts, other holders, wrong files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use trousseau::clock::{ManualClock, SECOND};
use trousseau::otp::step_start;
use trousseau::portal::{HandedOn, KeyFault, Portal, PortalConfig, PortalError, StoreError};

use super::client::{Bench, START, json, token, user};

fn bench_on(store: &Path, users: usize) -> Bench {
    Bench::with(users, |config| config.store = Some(store.into()))
}

#[test]
fn a_restart_keeps_codes_pins_failures_and_locks() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("portal.db");
    let bench = bench_on(&store, 2);
    bench.initialise(0, "ab12");
    let passcode = format!("ab12{}", bench.code(0, 0));
    assert_eq!(bench.login(0, &passcode), 200);
    for _ in 0..10 {
        assert_eq!(bench.login(1, "x"), 401);
    }
    bench.portal.stop();

    let bench = bench_on(&store, 2);
    bench.clock.advance(120);
    assert_eq!(bench.login(0, &passcode), 401, "used before the restart");
    assert_eq!(bench.login(1, &bench.code(1, 0)), 401, "still locked");
    assert_eq!(bench.login(0, &format!("ab12{}", bench.next_code(0))), 200, "the PIN is kept");
    for name in ["portal.db", "portal.db.key"] {
        let mode = folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_store_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("portal.db");
    let bench = bench_on(&store, 1);
    bench.initialise(0, "ab12");
    bench.portal.stop();
    // As the first version made it: without the drift of resynchronisations.
    let database = rusqlite::Connection::open(&store).unwrap();
    database
        .execute_batch("ALTER TABLE account DROP COLUMN resync_drift; PRAGMA user_version = 1")
        .unwrap();
    drop(database);

    let bench = bench_on(&store, 1);
    bench.clock.advance(120);
    assert_eq!(bench.login(0, &format!("ab12{}", bench.code(0, 0))), 200, "the PIN is kept");
    bench.clock.advance(540);
    let far = format!("ab12{}", bench.code(0, -8));
    let asked = json(bench.addr(), "login", &[("user", &user(0)), ("passcode", &far)]);
    bench.clock.advance(60);
    let (transaction, next) = (asked.field("transaction"), bench.code(0, -8));
    let fields = [("transaction", &*transaction), ("code", &*next)];
    assert_eq!(json(bench.addr(), "next-code", &fields).result(), (200, "accepted"));
    bench.portal.stop();

    // And what was learned is kept over a restart: an ordinary code of the same key does.
    let bench = bench_on(&store, 1);
    bench.clock.advance(900);
    assert_eq!(bench.login(0, &format!("ab12{}", bench.code(0, -8))), 200);
}

#[test]
fn a_key_handed_on_loses_its_pin_but_not_its_used_codes() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("portal.db");
    let bench = bench_on(&store, 1);
    bench.initialise(0, "ab12");
    let used = bench.code(0, 0);
    assert_eq!(bench.login(0, &format!("ab12{used}")), 200);
    bench.portal.stop();

    // A roster of another server, by mistake: refused, and everything is as it was.
    let hand_on = |config: &mut PortalConfig| {
        config.store = Some(store.clone());
        config.tokens = vec![(user(7), token(0))];
    };
    let clock = Arc::new(ManualClock::at(step_start(START, 60)));
    let mut mistaken = PortalConfig::new(Vec::new(), clock);
    hand_on(&mut mistaken);
    let error = Portal::start(mistaken).unwrap_err();
    assert!(
        error.to_string().contains("hands 1 initialised key to other people")
            && error.to_string().contains("key TEST00000000 was u00000's and is to be u00007's"),
        "{error}"
    );
    assert!(error.hint().contains("--reassign"), "{}", error.hint());
    let bench = bench_on(&store, 1);
    bench.clock.advance(180);
    let passcode = format!("ab12{}", bench.code(0, 0));
    assert_eq!(bench.login(0, &passcode), 200, "the PIN is where it was");
    assert_eq!(bench.portal.handed_on(), HandedOn::default());
    bench.portal.stop();

    let bench = Bench::with(1, |config| {
        hand_on(config);
        config.reassign = true;
    });
    assert_eq!(bench.portal.handed_on(), HandedOn { keys: 1, pins: 1 });
    bench.clock.advance(240);
    let login = |passcode: &str| {
        let fields = [("user", &*user(7)), ("passcode", passcode)];
        super::client::json(bench.addr(), "login", &fields).result()
    };
    assert_eq!(login(&passcode), (401, "rejected"), "used");
    assert_eq!(login(&format!("ab12{}", bench.code(0, 0))), (401, "rejected"), "no PIN");
    assert_eq!(login(&used), (401, "rejected"));
    assert_eq!(login(&bench.next_code(0)), (200, "new-pin"));
}

fn start_on(store: &Path, now: u64) -> Result<(), PortalError> {
    let clock = Arc::new(ManualClock::at(now));
    let mut config = PortalConfig::new(vec![(user(0), token(0))], clock);
    config.store = Some(store.into());
    Portal::start(config).map(drop)
}

#[test]
fn stores_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let now = step_start(START, 60);
    let path = |name: &str| folder.path().join(name);

    std::fs::write(path("text"), "not a database, but long enough to be read as one".repeat(20))
        .unwrap();
    let error = start_on(&path("text"), now).unwrap_err();
    assert!(matches!(error, PortalError::Store(StoreError::Database { .. })), "{error}");
    assert!(error.to_string().contains("text"), "{error}");

    rusqlite::Connection::open(path("other")).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
    let error = start_on(&path("other"), now).unwrap_err();
    assert!(matches!(error, PortalError::Store(StoreError::Foreign(_))), "{error}");

    let error = start_on(&path("missing/store"), now).unwrap_err();
    assert!(matches!(error, PortalError::Store(StoreError::Open { .. })), "{error}");
    assert!(error.hint().contains("folder exists"), "{}", error.hint());

    start_on(&path("good"), now).unwrap();
    start_on(&path("second"), now).unwrap();
    std::fs::copy(path("second.key"), path("good.key")).unwrap();
    let fault = |error| match error {
        PortalError::Store(StoreError::Key { fault, .. }) => fault,
        other => panic!("{other}"),
    };
    assert_eq!(fault(start_on(&path("good"), now).unwrap_err()), KeyFault::OfAnotherStore);
    std::fs::write(path("good.key"), "12").unwrap();
    assert_eq!(fault(start_on(&path("good"), now).unwrap_err()), KeyFault::Malformed);
    std::fs::remove_file(path("good.key")).unwrap();
    assert_eq!(fault(start_on(&path("good"), now).unwrap_err()), KeyFault::Missing);
}

#[test]
fn a_store_of_a_faster_clock_is_refused_rather_than_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("portal.db");
    let bench = bench_on(&store, 1);
    assert_eq!(bench.login(0, &bench.code(0, 0)), 200);
    bench.portal.stop();
    let error = start_on(&store, step_start(START, 60) - 3600 * SECOND).unwrap_err();
    assert!(matches!(error, PortalError::StoreAhead { ahead: 3600, .. }), "{error}");
    assert!(error.hint().contains("--clock-origin"));
}

#[test]
fn when_it_cannot_be_written_nobody_is_let_in_and_no_code_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("portal.db");
    let bench = bench_on(&store, 1);
    let holder = rusqlite::Connection::open(&store).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let code = bench.code(0, 0);
    let fields = [("user", &*user(0)), ("passcode", &*code)];
    let answer = super::client::json(bench.addr(), "login", &fields);
    assert_eq!(answer.result(), (503, "unavailable"));
    assert_eq!(bench.portal.stats().unavailable, 1);
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(bench.login(0, &code), 200);
}

#[test]
fn a_taken_address_and_a_double_user_are_refused() {
    let bench = Bench::new(1);
    let clock = Arc::new(ManualClock::at(0));
    let mut config = PortalConfig::new(vec![(user(0), token(0))], clock.clone());
    config.listen = bench.addr();
    let error = Portal::start(config).unwrap_err();
    assert!(error.to_string().contains(&bench.addr().to_string()), "{error}");
    assert!(error.hint().contains("another program"), "{}", error.hint());

    let twice = vec![(user(0), token(0)), (user(0), token(1))];
    let error = Portal::start(PortalConfig::new(twice, clock.clone())).unwrap_err();
    assert!(matches!(error, PortalError::DuplicateUser(_)), "{error}");
    let shared = vec![(user(0), token(0)), (user(1), token(0))];
    let error = Portal::start(PortalConfig::new(shared, clock)).unwrap_err();
    assert!(matches!(error, PortalError::DuplicateSerial(_)), "{error}");
}

#[test]
fn stopping_closes_the_store_even_while_the_service_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("portal.db");
    let bench = bench_on(&store, 1);
    bench.initialise(0, "ab12");
    assert!(folder.path().join("portal.db-wal").exists(), "the log is there while it runs");
    // Somebody who is connected and says nothing does not keep it open.
    let idle = std::net::TcpStream::connect(bench.addr()).unwrap();
    bench.portal.stop();
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["portal.db", "portal.db.key"]);
    drop(idle);
}

#[test]
fn a_refused_start_leaves_pins_and_used_codes_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("portal.db");
    let bench = bench_on(&store, 2);
    bench.initialise(0, "ab12");
    let used = format!("ab12{}", bench.code(0, 0));
    assert_eq!(bench.login(0, &used), 200);
    bench.portal.stop();

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let secret = || trousseau::secret::Secret::from(&b"a shared secret"[..]);
    type Mistake<'a> = (&'a str, Box<dyn Fn(&mut PortalConfig) + 'a>);
    let mistakes: [Mistake<'_>; 6] = [
        ("cannot listen on", Box::new(|c| c.listen = taken.local_addr().unwrap())),
        (
            "cannot listen for RADIUS",
            Box::new(|c| {
                let listen = udp.local_addr().unwrap();
                let secret = trousseau::radius::SharedSecret::new(secret()).unwrap();
                c.radius = Some(trousseau::portal::RadiusConfig { listen, secret });
            }),
        ),
        ("ahead of key time", Box::new(|c| c.clock = Arc::new(ManualClock::at(SECOND)))),
        ("no key to serve", Box::new(|c| c.tokens.clear())),
        ("more than one user", Box::new(|c| c.tokens.push((user(5), token(0))))),
        ("to other people", Box::new(|c| c.reassign = false)),
    ];
    for (words, mistake) in &mistakes {
        // Each time with a roster that hands both keys on, and leave to do so.
        let clock = Arc::new(ManualClock::at(step_start(START + 10, 60)));
        let tokens = vec![(user(7), token(0)), (user(8), token(1))];
        let mut config = PortalConfig::new(tokens, clock);
        (config.store, config.reassign) = (Some(store.clone()), true);
        mistake(&mut config);
        let error = Portal::start(config).unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");

        let holders = rusqlite::Connection::open(&store).unwrap();
        let row = |serial: &str| {
            let sql =
                "SELECT holder, pin_mac IS NOT NULL, last_step FROM account WHERE serial = ?1";
            let row = holders.query_row(sql, [serial], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, bool>(1)?,
                    row.get::<_, Option<i64>>(2)?,
                ))
            });
            row.unwrap()
        };
        let (holder, pin, last) = row("TEST00000000");
        assert_eq!((holder, pin), (user(0), true), "{words}");
        assert!(last.is_some(), "{words}");
        assert_eq!(row("TEST00000001").0, user(1), "{words}");
    }
    let bench = bench_on(&store, 2);
    bench.clock.advance(120);
    assert_eq!(bench.login(0, &used), 401);
    assert_eq!(bench.login(0, &format!("ab12{}", bench.next_code(0))), 200);
}

#[test]
fn two_first_starts_at_once_share_one_key() {
    for _ in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("portal.db");
        let (start, ready) = (std::sync::Barrier::new(4), &store);
        let benches: Vec<Bench> = std::thread::scope(|scope| {
            let begun: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        bench_on(ready, 1)
                    })
                })
                .collect();
            begun.into_iter().map(|bench| bench.join().unwrap()).collect()
        });
        benches[0].initialise(0, "ab12");
        // Each of them knows the PIN that the first one was told: they have the same key.
        for (n, bench) in benches.iter().enumerate() {
            bench.clock.set(step_start(START + 10 + n as u64, 60));
            assert_eq!(bench.login(0, &format!("ab12{}", bench.code(0, 0))), 200, "{n}");
        }
        drop(benches);
        let rows = rusqlite::Connection::open(&store).unwrap();
        let rows: u32 = rows.query_row("SELECT count(*) FROM store", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
        let names = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
        let left: Vec<_> =
            names.filter(|name| name.to_string_lossy().contains("partial")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
