//! How much a file may ask for. A file that asks for more is refused, with the limit named and the
//! option that raises it.

use super::error::Fault;

/// What there is a limit on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Elements within elements.
    Depth,
    /// Attributes of one element.
    Attributes,
    /// Namespaces declared at one place. Each element's name is held against them.
    Namespaces,
    /// Bytes of one text, tag or comment, and of the names of all open elements. Memory grows with
    /// a small multiple of it.
    Text,
    /// Bytes of a secret, or of any other encrypted value.
    Secret,
    /// Iterations of PBKDF2: as many as the default take about a second.
    Iterations,
    /// Bytes of the salt of PBKDF2.
    Salt,
    /// Recipients of one file, each with a certificate and a wrapped key.
    Recipients,
    /// Bytes of the extensions of one key, and of those of the container.
    Extensions,
    /// How many times its size a compressed file may have when it is unpacked.
    Expansion,
}

/// How many limits there are.
const COUNT: usize = 10;

/// Limits on what a file may ask of its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits([u64; COUNT]);

/// Why a limit cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// It is not of the form `NAME=VALUE`.
    #[error("{0:?} is not NAME=VALUE")]
    Form(String),
    /// There is none of this name.
    #[error("there is no limit {0:?}")]
    Name(String),
    /// It is no number, 0, or more than memory and time allow.
    #[error("the limit {name} is a number from 1 to {most}, not {found:?}")]
    Value {
        /// Name of the limit.
        name: &'static str,
        /// The highest it can be set to.
        most: u64,
        /// What was given.
        found: String,
    },
}

impl LimitError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "the limits are depth, attributes, namespaces, text, secret, iterations, salt, recipients, \
         extensions and expansion; \
         for instance: --limit iterations=5000000"
    }
}

/// A limit as people know it.
struct Row {
    limit: Limit,
    name: &'static str,
    /// What exceeds it, in a message.
    what: &'static str,
    default: u64,
    most: u64,
    hint: &'static str,
}

macro_rules! rows {
    ($($limit:ident $name:literal, $what:literal, $default:literal to $most:literal;)*) => {
        [$(Row {
            limit: Limit::$limit,
            name: $name,
            what: $what,
            default: $default,
            most: $most,
            hint: concat!(
                "genuine files stay far below: check where this one comes from; if you trust it, \
                 --limit ", $name, "=N reads it (N up to ", $most, ")"
            ),
        },)*]
    };
}

const ROWS: [Row; COUNT] = rows! {
    Depth "depth", "the depth of elements", 32 to 100_000;
    Attributes "attributes", "the number of attributes", 64 to 1024;
    Namespaces "namespaces", "the number of namespaces in force", 64 to 1024;
    Text "text", "the length of a text, tag or comment, in bytes,", 65_536 to 16_777_216;
    Secret "secret", "the length of a secret, in bytes,", 1024 to 65_536;
    Iterations "iterations", "IterationCount", 1_500_000 to 4_294_967_295;
    Salt "salt", "the length of the salt, in bytes,", 1024 to 65_536;
    Recipients "recipients", "the number of recipients", 64 to 1024;
    Extensions "extensions", "the length of the extensions of one key, or of the container, in bytes,", 65_536 to 16_777_216;
    Expansion "expansion", "the expansion of a compressed file", 200 to 1_000_000;
};

impl Limit {
    /// All of them.
    pub const ALL: [Self; COUNT] = {
        let mut all = [Self::Depth; COUNT];
        let mut at = 0;
        while at < COUNT {
            all[at] = ROWS[at].limit;
            at += 1;
        }
        all
    };

    const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Its name, as in `--limit NAME=VALUE`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Its value, unless it is set.
    #[must_use]
    pub fn default_value(self) -> u64 {
        self.row().default
    }

    /// The highest value it can be set to.
    #[must_use]
    pub fn most(self) -> u64 {
        self.row().most
    }

    /// What exceeds it, in a message.
    pub(super) fn what(self) -> &'static str {
        self.row().what
    }

    /// How it is raised, and when not to.
    #[must_use]
    pub fn hint(self) -> &'static str {
        self.row().hint
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self(Limit::ALL.map(Limit::default_value))
    }
}

impl Limits {
    /// The value of `limit`.
    #[must_use]
    pub const fn get(&self, limit: Limit) -> u64 {
        self.0[limit as usize]
    }

    /// Sets the limit that `text` names, as `depth=64`.
    ///
    /// # Errors
    /// [`LimitError`] when there is no such limit, or it cannot have this value.
    pub fn set(&mut self, text: &str) -> Result<(), LimitError> {
        let (name, value) =
            text.split_once('=').ok_or_else(|| LimitError::Form(text.to_owned()))?;
        let row = ROWS.iter().find(|row| row.name == name);
        let row = row.ok_or_else(|| LimitError::Name(name.to_owned()))?;
        let number = value.parse().ok().filter(|number| (1..=row.most).contains(number));
        let number = number.ok_or_else(|| LimitError::Value {
            name: row.name,
            most: row.most,
            found: value.to_owned(),
        })?;
        self.0[row.limit as usize] = number;
        Ok(())
    }

    /// Refuses what exceeds `limit`.
    pub(super) fn check(&self, limit: Limit, found: u64) -> Result<(), Fault> {
        match found > self.get(limit) {
            true => Err(self.exceeded(limit)),
            false => Ok(()),
        }
    }

    /// The fault of a file that exceeds `limit`.
    pub(super) fn exceeded(&self, limit: Limit) -> Fault {
        Fault::Limit { limit, value: self.get(limit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_own_row() {
        for limit in Limit::ALL {
            assert_eq!(limit.row().limit, limit);
            assert!(limit.default_value() <= limit.most());
            assert!(limit.hint().contains(&format!("--limit {}=N", limit.name())));
            assert!(LimitError::Name(String::new()).hint().contains(limit.name()));
        }
    }

    #[test]
    fn limits_are_set_by_name() {
        let mut limits = Limits::default();
        limits.set("depth=64").unwrap();
        limits.set(" text = 16777216 ").unwrap_err();
        limits.set("text=16777216").unwrap();
        assert_eq!((limits.get(Limit::Depth), limits.get(Limit::Text)), (64, 16_777_216));
        assert_eq!(limits.get(Limit::Secret), 1024);
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        let mut limits = Limits::default();
        for (text, message) in [
            ("depth", "\"depth\" is not NAME=VALUE"),
            ("width=3", "there is no limit \"width\""),
            ("depth=0", "the limit depth is a number from 1 to 100000, not \"0\""),
            ("depth=-1", "not \"-1\""),
            ("depth=many", "not \"many\""),
            ("depth=100001", "not \"100001\""),
            ("iterations=99999999999999999999", "from 1 to 4294967295"),
        ] {
            let error = limits.set(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
        assert_eq!(limits, Limits::default());
    }
}
