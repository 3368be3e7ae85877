//! The same code sent several times at once: exactly one attempt of the group may be taken, and
//! which one is the server's choice.

use super::{Finding, Kind, Why, took};
use crate::recorder::{Fault, Observation, Verdict};

/// An attempt of a concurrent group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) seen: Observation,
    /// Whether the same code had been taken before by an attempt outside the group, or in it.
    pub(super) again: bool,
}

/// What a complete group proves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// Of each member, in their order.
    pub(super) findings: Vec<Finding>,
    /// Members that were surely replays, answered and decided.
    pub(super) replays: u64,
    /// Of these, taken.
    pub(super) accepted: u64,
}

/// Decides a group whose members are in the order of their answers; `known` says whether the server
/// took anybody's code, `doubt` why the answer of a member is no evidence.
///
/// | taken | the first taken | further ones taken | refused |
/// |---|---|---|---|
/// | one or more | confirmed; accepted twice when the code had been taken before the group | each a concurrent replay accepted | confirmed |
/// | none, an answer missing or doubtful | | | unknown |
/// | none, all refused | | | the first: none of the group accepted |
pub(super) fn settle(
    members: &[Member],
    known: bool,
    doubt: impl Fn(&Observation) -> Option<Why>,
) -> Settled {
    let silent = |seen: &Observation| !matches!(seen.verdict, Verdict::Rejected | Verdict::Locked);
    let open = members.iter().any(|Member { seen, .. }| silent(seen) || doubt(seen).is_some());
    let taken: Vec<&Member> = members.iter().filter(|member| took(member.seen.verdict)).collect();
    // Records may be out of order: `again` of a single member may stem from another of the group.
    let before = !taken.is_empty() && taken.iter().all(|member| member.again);
    let mut first = true;
    let mut settled =
        Settled { findings: Vec::with_capacity(members.len()), replays: 0, accepted: 0 };
    for Member { seen, .. } in members {
        let sound = |seen| doubt(seen).map_or(Finding::Confirmed, Finding::Undetermined);
        settled.findings.push(match seen.verdict {
            Verdict::Error => Finding::Fault(seen.fault.unwrap_or(Fault::Answer)),
            verdict if took(verdict) => match (std::mem::take(&mut first), before) {
                (true, false) => sound(seen),
                (true, true) => Finding::Contradiction(Kind::AcceptedTwice),
                (false, _) => Finding::Contradiction(Kind::ConcurrentReplayAccepted),
            },
            Verdict::Throttled if !taken.is_empty() => Finding::Undetermined(Why::Throttled),
            Verdict::NextCode if !taken.is_empty() => Finding::Undetermined(Why::NextCode),
            _ if !taken.is_empty() => sound(seen),
            _ if open => Finding::Undetermined(Why::GroupUnknown),
            _ if !known => Finding::Undetermined(Why::Strangers),
            _ if std::mem::take(&mut first) => Finding::Contradiction(Kind::NoneOfGroupAccepted),
            _ => Finding::Confirmed,
        });
    }
    if !taken.is_empty() {
        // Only what the server says of this code: a locked account refuses any.
        let refused = |(member, finding): &(&Member, &Finding)| {
            member.seen.verdict == Verdict::Rejected && **finding == Finding::Confirmed
        };
        settled.accepted = taken.len() as u64 - u64::from(!before);
        settled.replays =
            settled.accepted + members.iter().zip(&settled.findings).filter(refused).count() as u64;
    }
    settled
}

/// Contradictions that the members so far have come to already: acceptances past the first.
pub(super) fn foreseen(members: &[Member]) -> u64 {
    let taken = || members.iter().filter(|member| took(member.seen.verdict));
    let before = taken().count() > 0 && taken().all(|member| member.again);
    (taken().count() as u64).saturating_sub(u64::from(!before))
}
