//! Rebuilding a report from the files of one run, or of several that are one test.

use std::path::{Path, PathBuf};

use super::collector::{Collector, MixedRuns, Source};
use super::summary::Summary;
use crate::recorder::{RecorderError, RunReader};

/// Why no report can be made of these folders.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// No folder was named.
    #[error("no folder of a run was named")]
    Nothing,
    /// A folder was named twice: its attempts would be counted twice.
    #[error("{path} is named twice", path = .0.display())]
    Twice(PathBuf),
    /// A record cannot be read.
    #[error(transparent)]
    Record(#[from] RecorderError),
    /// A run is not of the same test as the first.
    #[error("{path} cannot be added to {first}: {source}", path = .path.display(), first = .first.display())]
    Mixed {
        /// The folder.
        path: PathBuf,
        /// The first folder.
        first: PathBuf,
        /// In what they differ.
        source: MixedRuns,
    },
}

impl ReportError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Nothing => "name the folder that `trousseau simulate --out` made",
            Self::Twice(_) => "name each folder once",
            Self::Record(error) => error.hint(),
            Self::Mixed { .. } => "report runs of different tests one by one",
        }
    }
}

/// Builds the report of the runs recorded in `folders`: one test, sent in one or several parts.
/// Histograms are added, and thresholds judged on the whole.
///
/// # Errors
/// [`ReportError`].
pub fn read(folders: &[PathBuf]) -> Result<Summary, ReportError> {
    let Some(first) = folders.first() else {
        return Err(ReportError::Nothing);
    };
    let mut collector = Collector::default();
    let mut known = Vec::new();
    for folder in folders {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if known.contains(&real) {
            return Err(ReportError::Twice(folder.clone()));
        }
        known.push(real);
        read_one(&mut collector, folder, first)?;
    }
    Ok(collector.summary())
}

fn read_one(collector: &mut Collector, folder: &Path, first: &Path) -> Result<(), ReportError> {
    let mut reader = RunReader::open(folder)?;
    collector.begin(reader.run()).map_err(|source| ReportError::Mixed {
        path: folder.to_owned(),
        first: first.to_owned(),
        source,
    })?;
    for seen in reader.by_ref() {
        collector.add(&seen?);
    }
    let source = Source {
        folder: Some(folder.to_owned()),
        completeness: reader.completeness(),
        truncated: reader.truncated(),
    };
    collector.end(reader.run().clone(), source);
    Ok(())
}
