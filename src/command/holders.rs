//! Joining a batch and a roster: who holds which key, with its seed.

use std::collections::HashMap;
use std::path::Path;

use super::{Failure, batch};
use crate::cli::KeyArgs;
use crate::interrupt::Interrupt;
use crate::roster::{Person, Roster};
use crate::secret::veil;
use crate::token::Token;

/// As [`open_with_people`], with the user ids alone.
pub(super) fn open(
    keys: &Path,
    key: &KeyArgs,
    roster: &Path,
    interrupt: &Interrupt,
) -> Result<Vec<(String, Token)>, Failure> {
    let people = open_with_people(keys, key, roster, interrupt)?;
    Ok(people.into_iter().map(|(person, token)| (person.user, token)).collect())
}

/// The people of the roster, in its order, each with the key that is theirs. Keys of the batch that
/// nobody holds are read (their integrity is verified) and left out.
///
/// # Errors
/// When either file cannot be read, or the roster names a serial that the batch has not: every
/// such line is named, up to ten.
pub(super) fn open_with_people(
    keys: &Path,
    key: &KeyArgs,
    roster: &Path,
    interrupt: &Interrupt,
) -> Result<Vec<(Person, Token)>, Failure> {
    let people = Roster::read(roster)?.people;
    let places: HashMap<_, _> =
        people.iter().enumerate().map(|(place, person)| (&person.serial, place)).collect();
    let mut tokens: Vec<Option<Token>> = people.iter().map(|_| None).collect();
    for token in batch::open(keys, key, interrupt)? {
        let token = token?;
        if let Some(place) = places.get(&token.serial) {
            tokens[*place] = Some(token);
        }
    }
    let unknown: Vec<_> = people.iter().zip(&tokens).filter(|(_, t)| t.is_none()).collect();
    if !unknown.is_empty() {
        let mut message = String::new();
        for (person, _) in unknown.iter().take(10) {
            message.push_str(&format!(
                "{}:{}: user {} holds key {}, which {} does not have\n",
                roster.display(),
                person.line,
                veil(&person.user),
                veil(person.serial.as_str()),
                batch::name(keys),
            ));
        }
        if unknown.len() > 10 {
            message.push_str(&format!("and {} more\n", unknown.len() - 10));
        }
        return Err(Failure::bad_input(message.trim_end())
            .hint("give the batch these keys came in, or take the lines out of the roster"));
    }
    Ok(people.into_iter().zip(tokens.into_iter().flatten()).collect())
}
