//! The files of a report, beside the record they were made from.

use std::path::{Path, PathBuf};

use super::{Summary, hdr};
use crate::atomic_file::{AtomicFile, AtomicFileError};
use crate::recorder::Step;

/// Writes every form of the report into `folder`, which must exist: `report.txt`, `report.json`,
/// `report.html`,
/// `run.hlog`, and `latency-STEP.hgrm` and `service-STEP.hgrm` for each step that
/// was made. Gives their paths. Each is whole or not there; none is overwritten.
///
/// # Errors
/// [`AtomicFileError`]; files written before stay.
pub fn write_all(folder: &Path, summary: &Summary) -> Result<Vec<PathBuf>, AtomicFileError> {
    let mut written = Vec::new();
    let mut write = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        AtomicFile::write(&path, content)?;
        written.push(path);
        Ok(())
    };
    write("report.txt", summary.to_text().as_bytes())?;
    write("report.html", summary.to_html().as_bytes())?;
    write("report.json", summary.to_json().as_bytes())?;
    for (name, content) in percentile_files(summary) {
        write(&name, content.as_bytes())?;
    }
    let log = hdr::interval_log(summary)
        .map_err(|source| AtomicFileError::Write { path: folder.join("run.hlog"), source })?;
    write("run.hlog", &log)?;
    Ok(written)
}

/// Names and contents of the percentile files.
#[must_use]
pub fn percentile_files(summary: &Summary) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for step in Step::ALL {
        let histograms = summary.histograms(*step);
        for (kind, histogram) in
            [("latency", &histograms.latency), ("service", &histograms.service)]
        {
            if !histogram.is_empty() {
                files.push((format!("{kind}-{step}.hgrm"), hdr::percentile_file(histogram)));
            }
        }
    }
    files
}
