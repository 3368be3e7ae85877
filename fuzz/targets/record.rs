//! The record of a run: its head and its attempts, apart by an empty line. What is read is written
//! and read again the same, and reports are made of it.
#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use trousseau::recorder::{COLUMNS, Observation, RunReader, RunWriter};

const HEAD: &str = include_str!("../seeds/run.json");

fuzz_target!(|input: &[u8]| {
    let base = if Path::new("/dev/shm").is_dir() {
        PathBuf::from("/dev/shm")
    } else {
        std::env::temp_dir()
    };
    let folder = tempfile::tempdir_in(base).expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let cut = input.windows(2).position(|pair| pair == b"\n\n");
    let (head, lines) = match cut {
        Some(cut) if input.starts_with(b"{") => (&input[..cut], &input[cut + 2..]),
        _ => (HEAD.as_bytes(), input),
    };
    std::fs::write(at("run.json"), head).expect("room for a file");
    let attempts = [COLUMNS.join(",").as_bytes(), b"\n", lines].concat();
    std::fs::write(at("attempts.csv"), attempts).expect("room for a file");
    let Ok(mut reader) = RunReader::open(folder.path()) else { return };
    let seen: Vec<Observation> = reader.by_ref().map_while(Result::ok).collect();
    let again = at("again");
    let mut writer = RunWriter::create(&again, reader.run()).expect("a new folder");
    for one in &seen {
        writer.record(one);
    }
    writer.finish(reader.run()).expect("room for a file");
    reported(&again);
    let reader = RunReader::open(&again).expect("its own record");
    let copy: Vec<Observation> = reader.map(|one| one.expect("its own line")).collect();
    assert_eq!(copy, seen);
});

fn reported(folder: &Path) {
    if let Ok(summary) = trousseau::report::read(&[folder.to_owned()]) {
        let out = folder.join("report");
        std::fs::create_dir(&out).expect("room for a folder");
        trousseau::report::write_all(&out, &summary).expect("a report of what was read");
    }
}
