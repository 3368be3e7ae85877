//! How one kind of server is talked to, and how its answers are to be read, as data
//! (`scenarios/targets/NAME.toml`). Pure: renders requests and judges answers, performs neither;
//! knows nothing of time, keys or people. May use [`crate::definition`]; no I/O may come in.
//!
//! An operation is a list of `open` exchanges (the person opens the page) and a list of `submit`
//! exchanges (the person has typed). Each answer is judged:
//!
//! | exchange | rules tried, in order | none matches |
//! |---|---|---|
//! | open, or a submit before the last | its own | status below 400: go on; otherwise as below |
//! | the last submit | its own, the operation's, the target's | `otherwise` |
//!
//! The first rule that matches ends the operation with its verdict. A 5xx answer is the server's
//! failure and only read by a rule that names the status.

mod answer;
mod compile;
mod css;
mod example;
mod exchange;
mod explain;
mod html;
mod judge;
mod likeness;
mod link;
mod live;
mod mask;
mod operation;
mod page;
mod policy;
mod radius;
mod raw;
mod request;
mod rule;
mod spelling;
mod take;
mod template;
mod verdict;

pub use answer::{Answer, Site};
pub use example::{Example, ExampleError};
pub use exchange::{Exchange, HttpRequest};
pub use explain::{Taken, Tried};
pub use judge::{Judged, Matched};
pub use link::follow;
pub use operation::{Operation, Phase};
pub use policy::{ClockSource, PinCharacters, PinPosition, Policy};
pub use radius::{RadiusDraft, RadiusRequest, RadiusSettings};
pub use request::{LiveRequest, RequestError};
pub use verdict::Verdict;

use crate::definition::{Definition, DefinitionError, Library};
use rule::Rule;

/// The targets in the binary and in the user's folder.
pub const TARGETS: Library = Library {
    kind: "target",
    folder: "targets",
    embedded: &[
        ("freeradius-chap", include_str!("../../scenarios/targets/freeradius-chap.toml")),
        ("freeradius-new-pin", include_str!("../../scenarios/targets/freeradius-new-pin.toml")),
        ("freeradius-totp", include_str!("../../scenarios/targets/freeradius-totp.toml")),
        ("generic-form", include_str!("../../scenarios/targets/generic-form.toml")),
        ("pam-oath", include_str!("../../scenarios/targets/pam-oath.toml")),
        ("pam-oath-nginx", include_str!("../../scenarios/targets/pam-oath-nginx.toml")),
        ("portal-html", include_str!("../../scenarios/targets/portal-html.toml")),
        ("portal-json", include_str!("../../scenarios/targets/portal-json.toml")),
        ("portal-radius", include_str!("../../scenarios/targets/portal-radius.toml")),
        ("privacyidea", include_str!("../../scenarios/targets/privacyidea.toml")),
        ("rsa-am-web", include_str!("../../scenarios/targets/rsa-am-web.toml")),
    ],
};

/// Name of the credential that is the shared secret of RADIUS.
pub const RADIUS_SECRET: &str = "radius";

/// A compiled target.
#[derive(Debug)]
pub struct Target {
    /// Name, as in `--target`.
    pub name: String,
    /// One line for lists.
    pub title: String,
    /// What the server declares about itself.
    pub policy: Policy,
    /// What else is to be known of a RADIUS server; `None` when it is spoken to over HTTP.
    pub radius: Option<RadiusSettings>,
    /// Recorded exchanges and what they mean: the target's own tests.
    pub examples: Vec<Example>,
    /// By [`Operation`] in the order of [`Operation::ALL`].
    operations: [Option<Compiled>; Operation::ALL.len()],
    /// Tried after the operation's own.
    rules: Vec<Rule>,
    otherwise: Verdict,
    /// Names of the values taken from answers; everything else knows them by index.
    captures: Vec<String>,
    /// For the place of a rule in messages.
    source: Definition,
}

/// One operation, compiled.
#[derive(Debug)]
struct Compiled {
    open: Vec<Exchange>,
    submit: Vec<Exchange>,
    rules: Vec<Rule>,
}

/// What a person types; templates name the fields. Has no `Debug`: it holds secrets.
#[derive(Clone, Copy, Default)]
#[allow(missing_debug_implementations)]
pub struct Inputs<'a> {
    /// `{user}`
    pub user: &'a str,
    /// `{code}`: the digits of the key alone
    pub code: &'a str,
    /// `{pin}`
    pub pin: &'a str,
    /// `{passcode}`: PIN and code in the order of the policy
    pub passcode: &'a str,
    /// `{new_pin}`
    pub new_pin: &'a str,
    /// `{new_pin_confirmation}`
    pub new_pin_confirmation: &'a str,
}

impl Target {
    /// Compiles a definition.
    ///
    /// # Errors
    /// [`DefinitionError`] with file, line and column.
    pub fn load(definition: &Definition) -> Result<Self, DefinitionError> {
        compile::target(definition)
    }

    /// Whether the server has this operation.
    #[must_use]
    pub fn has(&self, operation: Operation) -> bool {
        self.compiled(operation).is_some()
    }

    /// Whether the operation begins with a page to open.
    #[must_use]
    pub fn has_open(&self, operation: Operation) -> bool {
        !self.exchanges(operation, Phase::Open).is_empty()
    }

    /// The exchanges of one phase of an operation; none when the server does not have it.
    #[must_use]
    pub fn exchanges(&self, operation: Operation, phase: Phase) -> &[Exchange] {
        match (self.compiled(operation), phase) {
            (None, _) => &[],
            (Some(compiled), Phase::Open) => &compiled.open,
            (Some(compiled), Phase::Submit) => &compiled.submit,
        }
    }

    /// Names of the values taken from answers, in the order of their indices.
    #[must_use]
    pub fn captures(&self) -> &[String] {
        &self.captures
    }

    /// Names of the credentials that its requests need, each once.
    #[must_use]
    pub fn credentials(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Operation::ALL
            .iter()
            .filter_map(|operation| self.compiled(*operation))
            .flat_map(|compiled| compiled.open.iter().chain(&compiled.submit))
            .filter_map(Exchange::credential)
            .collect();
        if self.radius.is_some() {
            names.push(RADIUS_SECRET);
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The definition it was compiled from.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.source
    }

    fn compiled(&self, operation: Operation) -> Option<&Compiled> {
        self.operations[operation as usize].as_ref()
    }
}
