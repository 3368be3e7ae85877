//! `trousseau report`.

use std::io::{ErrorKind, Write};
use std::path::Path;

use super::{Context, Exit, Failure, Outcome};
use crate::atomic_file::AtomicFile;
use crate::cli::{ReportArgs, ReportFormat};
use crate::recorder::RecorderError;
use crate::report::{self, ReportError, Summary};

pub(super) fn run(args: &ReportArgs, _context: &Context) -> Result<Outcome, Failure> {
    if args.schema {
        print(report::SCHEMA.as_bytes())?;
        return Ok(Outcome::Done);
    }
    // A name that is taken is refused before the reading, which may take long.
    let file = match &args.out {
        Some(path) if args.format != ReportFormat::Hgrm => Some(AtomicFile::create(path)?),
        _ => None,
    };
    let summary = report::read(&args.folders)?;
    match (file, &args.out) {
        (Some(mut file), _) => {
            let written = file.write_all(&bytes(args.format, &summary)?);
            written.map_err(|source| file.failed(source))?;
            file.commit()?;
        }
        (None, Some(folder)) => percentile_files(folder, &summary)?,
        (None, None) => print(&bytes(args.format, &summary)?)?,
    }
    Ok(outcome(&summary))
}

/// What the result of a run tells the shell; an interruption is the caller's to tell.
pub(super) fn outcome(summary: &Summary) -> Outcome {
    match summary.outcome {
        report::Outcome::Ok => Outcome::Done,
        report::Outcome::ThresholdMissed => Outcome::Exit(Exit::Threshold),
        report::Outcome::Contradiction => Outcome::Exit(Exit::Contradiction),
        report::Outcome::GeneratorFault => Outcome::Exit(Exit::Generator),
    }
}

fn bytes(format: ReportFormat, summary: &Summary) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        ReportFormat::Text => summary.to_text().into_bytes(),
        ReportFormat::Json => summary.to_json().into_bytes(),
        ReportFormat::Html => summary.to_html().into_bytes(),
        ReportFormat::Hgrm => {
            let mut all = Vec::new();
            for (name, content) in report::percentile_files(summary) {
                all.extend_from_slice(format!("# {name}\n{content}\n").as_bytes());
            }
            all
        }
        ReportFormat::Hlog => report::interval_log(summary)
            .map_err(|error| Failure::new(Exit::Io, format!("cannot make the log: {error}")))?,
    })
}

fn percentile_files(folder: &Path, summary: &Summary) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(Exit::Io, format!("cannot make the folder {}: {error}", folder.display()))
            .hint("name a folder that you may write to")
    })?;
    for (name, content) in report::percentile_files(summary) {
        AtomicFile::write(folder.join(name), content.as_bytes())?;
    }
    Ok(())
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        // Whoever read it had enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            Err(Failure::new(Exit::Io, format!("cannot write to standard output: {error}"))
                .hint("check where the output goes, or name a file with --out"))
        }
        Ok(()) => Ok(()),
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let hint = error.hint();
        match error {
            ReportError::Record(error) => error.into(),
            error => Self::bad_input(error).hint(hint),
        }
    }
}

impl From<RecorderError> for Failure {
    fn from(error: RecorderError) -> Self {
        let exit = match error {
            RecorderError::Write { .. }
            | RecorderError::Lost { .. }
            | RecorderError::Read { .. } => Exit::Io,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}
