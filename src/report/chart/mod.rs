//! Charts as inline SVG: no script, colours by the page's style sheet (so that print and dark mode
//! are its matter), a title and description for those who do not see them.
//!
//! | step class | meaning |
//! |---|---|
//! | `s0` to `s6` | the steps, in the order of [`crate::recorder::Step::ALL`] |
//! | `p50`, `p99`, `max`, `ok`, `bad` | percentiles; answers and faults |

mod axis;
mod bars;
mod lines;

pub(super) use axis::{Axis, Scale};
pub(super) use bars::{Bars, bars};
pub(super) use lines::{Line, lines};

use std::fmt::Write;

/// Width of every chart, in its own units.
const WIDTH: f64 = 880.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 44.0;

/// What frames a chart.
#[derive(Debug, Clone)]
pub(super) struct Frame<'a> {
    /// Unique in the page.
    pub(super) id: &'a str,
    /// Short title, read aloud.
    pub(super) title: &'a str,
    /// What can be seen in it, in a sentence, read aloud.
    pub(super) description: String,
    /// Height in the chart's units.
    pub(super) height: f64,
    /// Horizontal.
    pub(super) x: Axis,
    /// Vertical.
    pub(super) y: Axis,
}

impl Frame<'_> {
    /// Begins the SVG: title, grid, axes.
    fn begin(&self) -> String {
        let Self { id, title, height, .. } = self;
        let mut out = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title>\
             <desc id=\"{id}-d\">{}</desc>",
            escape(title),
            escape(&self.description)
        );
        let (bottom, right) = (height - BOTTOM, WIDTH - RIGHT);
        for (value, label) in self.y.ticks() {
            let y = self.y_at(value);
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text class=\"tick end\" x=\"{}\" y=\"{:.1}\">{label}</text>",
                LEFT - 8.0,
                y + 4.0
            );
        }
        for (value, label) in self.x.ticks() {
            let x = self.x_at(value);
            let place = if x > WIDTH - 40.0 { "end" } else { "mid" };
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>\
                 <text class=\"tick {place}\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>",
                bottom + 17.0
            );
        }
        let _ = write!(
            out,
            "<path class=\"axis\" d=\"M{LEFT} {bottom}H{right}\"/>\
             <text class=\"label end\" x=\"{right}\" y=\"{:.1}\">{}</text>\
             <text class=\"label\" x=\"4\" y=\"14\">{}</text>",
            height - 8.0,
            escape(self.x.title),
            escape(self.y.title)
        );
        out
    }

    fn x_at(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (WIDTH - RIGHT - LEFT)
    }

    fn y_at(&self, value: f64) -> f64 {
        let bottom = self.height - BOTTOM;
        bottom - self.y.share(value) * (bottom - TOP)
    }
}

/// Text for XML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}
