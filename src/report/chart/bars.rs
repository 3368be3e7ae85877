//! Stacked bars: how many of what, over time.

use std::fmt::Write;

use super::Frame;

/// Bars of equal width, each a stack of the same series.
#[derive(Debug)]
pub(in crate::report) struct Bars<'a> {
    /// Class and heights of each series, the lowest of the stack first.
    pub(in crate::report) series: Vec<(&'a str, Vec<f64>)>,
    /// Width of a bar, in units of the horizontal axis; the first begins at 0.
    pub(in crate::report) width: f64,
}

/// Draws a chart of stacked bars: one outline for each series, so that size does not grow with
/// the number of attempts.
pub(in crate::report) fn bars(frame: &Frame<'_>, bars: &Bars<'_>) -> String {
    let mut out = frame.begin();
    let count = bars.series.first().map_or(0, |(_, heights)| heights.len());
    let mut floor = vec![0.0; count];
    for (class, heights) in &bars.series {
        let mut path = String::new();
        for (at, height) in heights.iter().enumerate().filter(|(_, height)| **height > 0.0) {
            let left = frame.x_at(at as f64 * bars.width);
            let right = frame.x_at((at + 1) as f64 * bars.width);
            let (top, bottom) = (frame.y_at(floor[at] + height), frame.y_at(floor[at]));
            let _ = write!(path, "M{left:.1} {bottom:.1}V{top:.1}H{right:.1}V{bottom:.1}z");
            floor[at] += height;
        }
        if !path.is_empty() {
            let _ = write!(out, "<path class=\"bar {class}\" d=\"{path}\"/>");
        }
    }
    out.push_str("</svg>");
    out
}
