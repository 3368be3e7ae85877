//! Options of `trousseau report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of `trousseau report`.
#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub struct ReportArgs {
    /// Folders of the runs: one, or several that are the parts of one test
    #[arg(value_name = "DIR", required_unless_present = "schema")]
    pub folders: Vec<PathBuf>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// File to write to instead of standard output; never overwritten. With hgrm, a folder to
    /// write one file per step to, made if need be
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the JSON schema of the JSON report, and end
    #[arg(long, conflicts_with_all = ["folders", "format", "out"])]
    pub schema: bool,
}

/// Forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Plain text for a terminal
    Text,
    /// One JSON object; its schema is printed by --schema
    Json,
    /// One self-contained HTML file
    Html,
    /// HdrHistogram percentile distribution, latency and service time of each step
    Hgrm,
    /// HdrHistogram interval log of latency, tagged by step
    Hlog,
}

const REPORT_EXAMPLES: &str = "\
EXAMPLES
  The result of a run again:
    trousseau report run1

  As one HTML file for a colleague:
    trousseau report run1 --format html --out run1.html

  Two machines sent one test together; the result of both:
    trousseau report machine1 machine2 --format json --out both.json

  What the fields of the JSON report mean:
    trousseau report --schema

The exit code is that of the result: 0, 1, 3 or 4 as below.

Exit codes: see `trousseau --help`.";
