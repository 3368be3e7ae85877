//! Lines: percentiles and rates.

use std::fmt::Write;

use super::Frame;

/// One line.
#[derive(Debug)]
pub(in crate::report) struct Line<'a> {
    /// Class, which gives the colour.
    pub(in crate::report) class: &'a str,
    /// Points in the units of the axes, from left to right.
    pub(in crate::report) points: Vec<(f64, f64)>,
    /// Distance beyond which two neighbours are not joined: nothing was measured between them.
    pub(in crate::report) gap: f64,
}

/// Draws a chart of lines; a point without neighbours is a dot.
pub(in crate::report) fn lines(frame: &Frame<'_>, lines: &[Line<'_>]) -> String {
    let mut out = frame.begin();
    for line in lines {
        let mut path = String::new();
        let mut last: Option<f64> = None;
        for (x, y) in &line.points {
            let joined = last.is_some_and(|last| x - last <= line.gap);
            let (at_x, at_y) = (frame.x_at(*x), frame.y_at(*y));
            let verb = if joined { 'L' } else { 'M' };
            let _ = write!(path, "{verb}{at_x:.1} {at_y:.1}");
            if !joined {
                // Of no length: with round ends, a dot.
                path.push_str("h0");
            }
            last = Some(*x);
        }
        if !path.is_empty() {
            let _ = write!(out, "<path class=\"line {}\" d=\"{path}\"/>", line.class);
        }
    }
    out.push_str("</svg>");
    out
}
