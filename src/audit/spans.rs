//! Which runs went on side by side, and so against the same server.

use crate::recorder::RunInfo;

/// When and where each run went on.
#[derive(Debug, Default)]
pub(super) struct Spans(Vec<Span>);

#[derive(Debug)]
struct Span {
    url: String,
    from: jiff::Timestamp,
    until: jiff::Timestamp,
    scope: usize,
}

impl Spans {
    /// Number of the history that `run` belongs to: that of a run beside it, otherwise `fresh`.
    pub(super) fn scope(&mut self, run: &RunInfo, fresh: usize) -> usize {
        let Ok(from) = run.started.parse::<jiff::Timestamp>() else {
            return fresh;
        };
        // A killed run has no end: what came after it is not known to have gone on beside it.
        let until = run.finished.as_deref().and_then(|end| end.parse().ok()).unwrap_or(from);
        let beside = |span: &&Span| span.url == run.url && span.from <= until && from <= span.until;
        let scope = self.0.iter().find(beside).map_or(fresh, |span| span.scope);
        self.0.push(Span { url: run.url.clone(), from, until, scope });
        scope
    }
}
