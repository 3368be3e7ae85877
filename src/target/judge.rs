//! Reading an answer: its verdict by the rules, and the values to carry on.

use super::answer::unasked;
use super::exchange::Exchange;
use super::rule::Rule;
use super::{Answer, Inputs, Operation, Phase, Target, Verdict, mask};

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// The next exchange of the operation follows.
    GoOn,
    /// The operation is over.
    Over(Verdict, Matched),
}

/// What led to a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// The rule at this byte offset of the definition; see [`Target::line`].
    Rule(usize),
    /// No rule; the verdict is `otherwise`.
    Otherwise,
    /// No rule names this 5xx status: the server failed.
    ServerFault,
}

impl Target {
    /// Judges the answer to exchange `index` of `phase` of `operation`.
    ///
    /// # Panics
    /// When there is no such exchange.
    #[must_use]
    pub fn judge(
        &self,
        operation: Operation,
        phase: Phase,
        index: usize,
        answer: &Answer<'_>,
    ) -> Judged {
        let exchanges = self.exchanges(operation, phase);
        let decides = phase == Phase::Submit && index + 1 == exchanges.len();
        if let Some(rule) = first(&exchanges[index].rules, answer) {
            return Judged::Over(rule.verdict, Matched::Rule(rule.at));
        }
        if !decides && answer.goes_on() {
            return Judged::GoOn;
        }
        let own = self.compiled(operation).map_or(&[][..], |compiled| &compiled.rules);
        match first(own, answer).or_else(|| first(&self.rules, answer)) {
            Some(rule) => Judged::Over(rule.verdict, Matched::Rule(rule.at)),
            None if answer.status >= 500 => Judged::Over(Verdict::Error, Matched::ServerFault),
            None => Judged::Over(self.otherwise, Matched::Otherwise),
        }
    }

    /// Takes the exchange's values from `answer` into `captured` (one place per name of
    /// [`Target::captures`]). A value bound to verdicts (`when`) is only looked for at those; one
    /// that is not may be missing from a refusal.
    ///
    /// # Errors
    /// A message that names the selector which found nothing and shows some 200 characters around
    /// where it might have been, with what the person typed and what was taken before masked.
    pub fn take(
        &self,
        exchange: &Exchange,
        judged: Judged,
        answer: &Answer<'_>,
        inputs: &Inputs<'_>,
        captured: &mut [Option<Box<[u8]>>],
    ) -> Result<(), String> {
        for take in &exchange.takes {
            let verdict = match judged {
                Judged::GoOn => None,
                Judged::Over(verdict, _) => Some(verdict),
            };
            if !take.when.is_empty() && verdict.is_none_or(|verdict| !take.when.contains(&verdict))
            {
                continue;
            }
            if let Some(value) = take.selector.find(answer) {
                captured[take.index] = Some(value);
                continue;
            }
            let refused = matches!(
                verdict,
                Some(Verdict::Rejected | Verdict::Locked | Verdict::Throttled | Verdict::Error)
            );
            let may_lack = take.optional || (refused && take.when.is_empty());
            if !may_lack {
                let obstacle = take.selector.obstacle(answer);
                let obstacle = obstacle.map_or_else(String::new, |why| format!("; {why}"));
                let place = take.selector.place(answer);
                let shown = match answer.compressed() {
                    Some(_) if place == answer.body => format!("({} bytes)", place.len()),
                    _ => self.excerpt(place, take.selector.landmark(), inputs, captured),
                };
                return Err(format!(
                    "no {} in the answer ({answer}{obstacle}), from which {{{}}} was to be taken: {shown}",
                    take.selector.describe(),
                    self.captures[take.index],
                ));
            }
        }
        Ok(())
    }

    /// Some 200 characters from the beginning of an answer's body, secrets masked; of one that is
    /// compressed, that it is.
    #[must_use]
    pub fn beginning(
        &self,
        answer: &Answer<'_>,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
    ) -> String {
        match answer.compressed() {
            Some(coding) => unasked(&coding),
            None => self.excerpt(answer.body, "", inputs, captured),
        }
    }

    /// Some 200 characters of `body` around `landmark`, or from its beginning, secrets masked.
    #[must_use]
    pub fn excerpt(
        &self,
        body: &[u8],
        landmark: &str,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
    ) -> String {
        mask::excerpt(body, landmark, &mask::secrets(inputs, captured))
    }

    /// `text` on one line, secrets masked.
    #[must_use]
    pub fn masked_line(
        &self,
        text: &[u8],
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
    ) -> String {
        mask::line(text, &mask::secrets(inputs, captured))
    }

    /// The first `limit` characters of `text`, secrets masked, its line breaks kept.
    #[must_use]
    pub fn masked_text(
        &self,
        text: &[u8],
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
        limit: usize,
    ) -> String {
        mask::text(text, &mask::secrets(inputs, captured), limit)
    }

    /// Line, from 1, of the definition at byte `offset`.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        let text = self.source.text.as_bytes();
        1 + text[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
    }
}

fn first<'r>(rules: &'r [Rule], answer: &Answer<'_>) -> Option<&'r Rule> {
    rules.iter().find(|rule| rule.matches(answer))
}
