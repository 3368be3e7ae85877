//! Keys checked and given their users, for the formats that are no text.

use super::compile::Format;
use super::export::{Export, ExportError, ExportOptions, Summary};
use super::field::Record;
use crate::token::Token;

/// A stream of keys, each with its user; what is wrong with them is told by [`Joined::finish`],
/// so the file they go to must not be kept before.
pub struct Joined<'a, I> {
    tokens: I,
    export: Export<'a>,
    summary: Summary,
}

/// Joins `tokens` with the roster of `options`, under the limits of `format`.
///
/// # Errors
/// What is wrong with the settings.
pub fn join<'a, I, E>(
    format: &'a Format,
    options: &'a ExportOptions<'a>,
    tokens: I,
) -> Result<Joined<'a, I::IntoIter>, ExportError<E>>
where
    I: IntoIterator<Item = Result<Token, E>>,
{
    let export = Export::new(format, options).map_err(ExportError::Settings)?;
    Ok(Joined { tokens: tokens.into_iter(), export, summary: Summary::default() })
}

impl<E, I: Iterator<Item = Result<Token, E>>> Iterator for Joined<'_, I> {
    type Item = Result<Token, E>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut token = match self.tokens.next()? {
                Ok(token) => token,
                Err(error) => return Some(Err(error)),
            };
            let Some(person) = self.export.holder(&token) else {
                self.summary.unassigned += 1;
                continue;
            };
            let record = Record { token: &token, person, settings: &self.export.settings };
            let faults = self.export.state.check(self.export.format, &record);
            self.export.state.add(&token, faults);
            self.summary.keys += 1;
            if let Some(person) = person {
                token.assign(person.user.clone());
            }
            return Some(Ok(token));
        }
    }
}

impl<I> Joined<'_, I> {
    /// The summary, or everything that was wrong.
    ///
    /// # Errors
    /// [`ExportError::Faults`].
    pub fn finish<E>(self) -> Result<Summary, ExportError<E>> {
        let largest = (self.summary.keys, self.summary.bytes);
        self.export.finish(self.summary, largest)
    }
}

impl<I> std::fmt::Debug for Joined<'_, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joined").field("summary", &self.summary).finish_non_exhaustive()
    }
}
