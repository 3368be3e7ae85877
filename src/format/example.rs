//! The examples of a definition, run as its tests.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;

use super::compile::Format;
use super::export::{ExportError, ExportOptions, Sink, write};
use super::reader::read;
use super::shape::{ExampleShape, KeyShape};
use crate::manifest::Split;
use crate::roster::{Person, Roster};
use crate::secret::Secret;
use crate::serial::Serial;
use crate::token::{DEFAULT_PERIOD, Token};

/// Keys in; exact text out, or a refusal in these words.
#[derive(Debug)]
pub(super) struct Example {
    about: String,
    settings: BTreeMap<String, String>,
    allow_loss: bool,
    expected: Expected,
    reads_back: bool,
    tokens: Vec<Token>,
    people: Vec<Person>,
}

#[derive(Debug)]
enum Expected {
    Output(String),
    Refused(String),
    /// A container whose bytes differ each time.
    Encrypted,
}

impl Example {
    pub(super) fn compile(shape: ExampleShape) -> Result<Self, String> {
        let expected = match (shape.output, shape.refused) {
            (Some(output), None) => Expected::Output(output),
            (None, Some(words)) => Expected::Refused(words),
            (None, None) => Expected::Encrypted,
            _ => return Err("either `output` or `refused`".into()),
        };
        let (mut tokens, mut people) = (Vec::new(), Vec::new());
        for key in shape.key {
            let (token, person) =
                self::key(&key).map_err(|why| format!("{}: {why}", key.serial))?;
            tokens.push(token);
            people.extend(person);
        }
        Ok(Self {
            about: shape.about,
            settings: shape.settings,
            allow_loss: shape.allow_loss,
            expected,
            reads_back: shape.reads_back,
            tokens,
            people,
        })
    }

    fn run(&self, format: &Format) -> Result<(), String> {
        let roster = Roster { file: "roster".into(), people: self.people.clone() };
        let options = ExportOptions {
            roster: (!self.people.is_empty()).then_some(&roster),
            settings: self.settings.clone(),
            allow_loss: self.allow_loss,
            assigned_only: false,
            split: Split::default(),
        };
        let mut out = Shown::default();
        let tokens = self.tokens.iter().cloned().map(Ok::<_, Infallible>);
        let result = write(format, &options, tokens, &mut out);
        let text = out.0;
        match (&self.expected, result) {
            (Expected::Output(wanted), Ok(_)) if *wanted != text => Err(difference(wanted, &text)),
            (Expected::Output(_), Ok(_)) if self.reads_back && format.is_readable() => {
                self.read_back(format, &text)
            }
            (Expected::Output(_), Ok(_)) => Ok(()),
            (Expected::Refused(words), Err(error)) if error.to_string().contains(words) => Ok(()),
            (Expected::Refused(words), Err(error)) => {
                Err(format!("refused, but not with the words {words:?}:\n{error}"))
            }
            (Expected::Refused(words), Ok(_)) => Err(format!("should be refused: {words}")),
            (Expected::Encrypted, Err(ExportError::NotText(_))) => Ok(()),
            (Expected::Encrypted, _) => Err("either `output` or `refused` is wanted".into()),
            (Expected::Output(_), Err(error)) => Err(error.to_string()),
        }
    }

    /// What is read back gives the same codes, to the same users.
    fn read_back(&self, format: &Format, text: &str) -> Result<(), String> {
        let reader = read(format, "output", text.as_bytes()).map_err(|error| error.to_string())?;
        let back: Vec<Token> =
            reader.collect::<Result<_, _>>().map_err(|error| format!("read back: {error}"))?;
        if back.len() != self.tokens.len() {
            let (back, wanted) = (back.len(), self.tokens.len());
            return Err(format!("read back: {back} keys instead of {wanted}"));
        }
        for (token, back) in self.tokens.iter().zip(&back) {
            let facts = |token: &Token| {
                let Token { serial, algorithm, hash, digits, period, counter, .. } = token.clone();
                (serial, algorithm, hash, digits, period, counter)
            };
            if facts(token) != facts(back) || token.secret != back.secret {
                return Err(format!("read back: {} is another key", token.serial));
            }
        }
        Ok(())
    }
}

/// What an export writes; the files of a folder one after the other, each under its name.
#[derive(Default)]
struct Shown(String);

impl Sink for Shown {
    fn text(&mut self, text: &str) -> io::Result<()> {
        self.0.push_str(text);
        Ok(())
    }

    fn begin(&mut self, name: &str) -> io::Result<()> {
        self.0.push_str(&format!("--- {name}\n"));
        Ok(())
    }
}

impl Format {
    /// Runs the examples of the definition; gives how many there are.
    ///
    /// # Errors
    /// What each failing example has instead of what it wants.
    pub fn check_examples(&self) -> Result<usize, Vec<String>> {
        let failures: Vec<String> = self
            .examples
            .iter()
            .enumerate()
            .filter_map(|(index, example)| {
                let failure = example.run(self).err()?;
                Some(format!("{}: example[{index}] ({}): {failure}", self.file, example.about))
            })
            .collect();
        if failures.is_empty() { Ok(self.examples.len()) } else { Err(failures) }
    }
}

fn key(shape: &KeyShape) -> Result<(Token, Option<Person>), String> {
    let serial = Serial::new(&shape.serial).map_err(|error| error.to_string())?;
    let secret = Secret::from_hex(&shape.secret_hex).ok_or("secret_hex is no hexadecimal text")?;
    let instant = |text: &Option<String>| match text {
        Some(text) => text.parse().map(Some).map_err(|error: jiff::Error| error.to_string()),
        None => Ok(None),
    };
    let token = Token {
        algorithm: shape.algorithm.parse()?,
        hash: shape.hash.parse()?,
        digits: shape.digits,
        period: shape.period.unwrap_or(DEFAULT_PERIOD),
        counter: shape.counter,
        manufacturer: shape.manufacturer.clone(),
        model: shape.model.clone(),
        issuer: shape.issuer.clone(),
        start_date: instant(&shape.start_date)?,
        expiry_date: instant(&shape.expiry_date)?,
        ..Token::totp60(serial.clone(), secret)
    };
    let person = shape.user.as_ref().map(|user| Person {
        pin: shape.pin.as_ref().map(|pin| Secret::from(pin.as_bytes())),
        fields: shape.roster.clone(),
        ..Person::new(user, serial)
    });
    if person.is_none() && (shape.pin.is_some() || !shape.roster.is_empty()) {
        return Err("`pin` and `roster` are a user's".into());
    }
    Ok((token, person))
}

/// The first line that differs, from both sides.
fn difference(wanted: &str, got: &str) -> String {
    let mut wanted_lines = wanted.split_inclusive('\n');
    let mut got_lines = got.split_inclusive('\n');
    let mut line = 1;
    loop {
        let pair = (wanted_lines.next(), got_lines.next());
        if pair.0 != pair.1 || pair.0.is_none() {
            let show =
                |text: Option<&str>| text.map_or("nothing".into(), |text| format!("{text:?}"));
            let (wanted, got) = (show(pair.0), show(pair.1));
            return format!("line {line} differs\n  wanted {wanted}\n  got    {got}");
        }
        line += 1;
    }
}
