//! Options of the commands that write batches and import files: a set of files, compression.

use clap::{Args, ValueEnum};

/// How large the files of a set may be.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A set of files")]
pub struct SplitArgs {
    /// Write files of N keys at most: `--out FOLDER/NAME.EXT` makes FOLDER, which must not exist,
    /// with NAME-0001.EXT and so on and a manifest.json
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub split_rows: Option<u64>,
    /// Write files of so many bytes at most, before compression: 10M is ten million, 10Mi is
    /// 10 × 2^20; as --split-rows otherwise
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub split_bytes: Option<u64>,
}

/// `--compress`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompressionName {
    /// As it is, whatever the name says
    None,
    /// gzip
    Gzip,
    /// zstd
    Zstd,
}

fn bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let factor = match &text[end..] {
        "" => 1,
        "k" => 1000,
        "Ki" => 1 << 10,
        "M" => 1_000_000,
        "Mi" => 1 << 20,
        "G" => 1_000_000_000,
        "Gi" => 1 << 30,
        _ => return Err("a number of bytes is wanted, as 500k, 10M or 10Mi".into()),
    };
    let number: u64 = text[..end].parse().map_err(|_| "a number of bytes is wanted, as 10M")?;
    match number.checked_mul(factor) {
        Some(0) | None => Err("between 1 and 18 billion billion bytes".into()),
        Some(bytes) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, value) in [("1", 1), ("500k", 500_000), ("10M", 10_000_000), ("2Mi", 2 << 20)] {
            assert_eq!(bytes(text), Ok(value));
        }
        for text in ["", "M", "0", "-1", "10 M", "10MB", "99999999999G"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
