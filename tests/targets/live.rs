//! The three steps, logins, replays and refusals through `Transport`, as the engine does them.

use std::sync::Arc;
use std::time::Duration;

use trousseau::clock::{Clock, ManualClock, SECOND};
use trousseau::engine::transport::{Endpoint, EndpointOptions, Performed, Session, Transport};
use trousseau::otp::{Generator, Hash};
use trousseau::portal::{Portal, PortalConfig, RunningPortal};
use trousseau::secret::Secret;
use trousseau::serial::Serial;
use trousseau::target::{Inputs, Operation, TARGETS, Target, Verdict};
use trousseau::token::Token;

const SECRET: &[u8] = b"12345678901234567890";

/// A portal with one person, `dupont`, and a browser of hers.
struct Stage {
    portal: RunningPortal,
    clock: Arc<ManualClock>,
    target: Arc<Target>,
    transport: Transport,
    session: Session,
}

impl Stage {
    fn new(target: &str) -> Self {
        let clock = Arc::new(ManualClock::at(1_700_000_030 * SECOND));
        let serial: Serial = "T000001".parse().unwrap();
        let token = Token::totp60(serial, Secret::new(SECRET.to_vec()));
        let tokens = vec![("dupont".to_owned(), token)];
        let portal = Portal::start(PortalConfig::new(tokens, clock.clone())).unwrap();
        let target = Arc::new(Target::load(&TARGETS.find(target).unwrap()).unwrap());
        let url = format!("http://{}", portal.addr());
        let options = EndpointOptions { timeout: Duration::from_secs(20), ..Default::default() };
        let endpoint = Arc::new(Endpoint::resolve(&url, options).unwrap());
        let transport = Transport::new(target.clone(), endpoint, 8);
        Self { portal, clock, target, transport, session: Session::default() }
    }

    fn code(&self) -> String {
        self.code_at(self.clock.now() / SECOND / 60)
    }

    fn code_at(&self, step: u64) -> String {
        let secret = Secret::new(SECRET.to_vec());
        Generator::new(&secret, Hash::Sha1, 6).code(step).to_string()
    }

    async fn perform(&mut self, operation: Operation, pin: &str, code: &str) -> Performed {
        if self.target.has_open(operation) {
            let opened = self.transport.open(&mut self.session, operation).await;
            assert_eq!((opened.verdict, opened.status), (Verdict::Accepted, 200), "{operation}");
        }
        self.submit(operation, pin, code).await
    }

    async fn submit(&mut self, operation: Operation, pin: &str, code: &str) -> Performed {
        let passcode = format!("{pin}{code}");
        let inputs = Inputs {
            user: "dupont",
            code,
            pin,
            passcode: &passcode,
            new_pin: pin,
            new_pin_confirmation: pin,
        };
        self.transport.submit(&mut self.session, operation, &inputs).await
    }

    async fn verdict(&mut self, operation: Operation, pin: &str, code: &str) -> Verdict {
        self.perform(operation, pin, code).await.verdict
    }
}

#[track_caller]
fn local(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

fn the_leaflet(target: &'static str) {
    local(async move {
        use Operation::{Confirm, FirstCode, Login, Logout, NewPin};
        let mut stage = Stage::new(target);

        let preflight = stage.transport.preflight(&*stage.clock).await.unwrap();
        assert_eq!(preflight.server_clock_offset, Some(0));
        assert_eq!(preflight.server_rate, Some(1.0));

        let first = stage.code();
        assert_eq!(stage.verdict(FirstCode, "", "000000").await, Verdict::Rejected);
        assert_eq!(stage.verdict(FirstCode, "", &first).await, Verdict::NewPin);
        assert_eq!(stage.verdict(NewPin, "ab", "").await, Verdict::Rejected);
        assert_eq!(stage.submit(NewPin, "é&\"1", "").await.verdict, Verdict::Confirm);
        // The impatient: the code of step 1 again.
        assert_eq!(stage.verdict(Confirm, "é&\"1", &first).await, Verdict::Rejected);
        stage.clock.advance(60);
        let second = stage.code();
        assert_eq!(stage.submit(Confirm, "é&\"1", &second).await.verdict, Verdict::Accepted);
        assert_eq!(stage.verdict(Logout, "", "").await, Verdict::Accepted);

        assert_eq!(stage.verdict(Login, "é&\"1", &second).await, Verdict::Rejected);
        stage.clock.advance(60);
        let third = stage.code();
        assert_eq!(stage.verdict(Login, "é&\"2", &third).await, Verdict::Rejected);
        let login = stage.perform(Login, "é&\"1", &third).await;
        assert_eq!((login.verdict, login.fault), (Verdict::Accepted, None));
        stage.session.forget();
        assert_eq!(stage.verdict(Login, "é&\"1", &third).await, Verdict::Rejected);
        assert_eq!(stage.transport.connections(), 1);
        stage.portal.stop();
    });
}

/// A key that is five minutes slow: its first code, and later a login, are asked for the next one.
fn after_the_summer(target: &'static str) {
    local(async move {
        use Operation::{Confirm, FirstCode, Login, NewPin, Resync};
        let mut stage = Stage::new(target);
        stage.clock.advance(600);
        let slow = |stage: &Stage| stage.code_at(stage.clock.now() / SECOND / 60 - 5);
        let code = slow(&stage);
        assert_eq!(stage.verdict(FirstCode, "", &code).await, Verdict::NextCode);
        stage.clock.advance(60);
        let code = slow(&stage);
        assert_eq!(stage.verdict(Resync, "", &code).await, Verdict::NewPin);
        assert_eq!(stage.verdict(NewPin, "ab12", "").await, Verdict::Confirm);
        stage.clock.advance(60);
        let code = slow(&stage);
        assert_eq!(stage.verdict(Confirm, "ab12", &code).await, Verdict::Accepted);
        stage.session.forget();
        // Now it is set right, and so too far out again.
        stage.clock.advance(60);
        let code = stage.code();
        assert_eq!(stage.verdict(Login, "ab12", &code).await, Verdict::NextCode);
        assert_eq!(stage.verdict(Resync, "ab12", &code).await, Verdict::Rejected);
        stage.session.forget();
        stage.clock.advance(60);
        let code = stage.code();
        assert_eq!(stage.verdict(Login, "ab12", &code).await, Verdict::NextCode);
        stage.clock.advance(60);
        let code = stage.code();
        assert_eq!(stage.verdict(Resync, "ab12", &code).await, Verdict::Accepted);
        stage.portal.stop();
    });
}

#[test]
fn a_drifted_key_is_brought_back_whatever_the_wire() {
    for target in ["portal-html", "portal-json", "generic-form"] {
        after_the_summer(target);
    }
}

#[test]
fn the_pages_are_walked_as_the_leaflet_asks() {
    the_leaflet("portal-html");
}

#[test]
fn the_json_api_is_walked_as_the_leaflet_asks() {
    the_leaflet("portal-json");
}
