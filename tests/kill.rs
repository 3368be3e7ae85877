//! SIGKILL, which nobody can prepare for: whenever it strikes `mint`, the final name holds the
//! whole batch or nothing, what is left over is named as left over, and no serial is issued twice.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{PROGRAM, names, run};

/// Times that a run is killed, in each of the two tests.
const KILLS: u32 = 105;
const COUNT: u64 = 3000;

fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(line.split_whitespace()).current_dir(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn words(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// How long an undisturbed run takes, to spread the kills over it.
fn duration(folder: &Path) -> Duration {
    let began = Instant::now();
    let line = format!("mint --count {COUNT} --new-transport-key first.key --out first.xml");
    assert!(command(folder, &line).status().unwrap().success());
    began.elapsed()
}

/// Kills the child at a point that `turn` chooses: anywhere in its time, as soon as there is
/// something on the disk, or as soon as a final name is there.
fn kill(mut child: Child, turn: u32, whole: Duration, folder: &Path, name: &str) {
    let over = |child: &mut Child| child.try_wait().unwrap().is_some();
    match turn % 3 {
        0 => std::thread::sleep(whole.mul_f64(1.4 * f64::from(turn) / f64::from(KILLS))),
        1 => while !over(&mut child) && leftovers(folder).is_empty() {},
        _ => while !over(&mut child) && !folder.join(name).exists() {},
    }
    let _ = child.kill();
    child.wait().unwrap();
}

/// Hidden files under the names of unfinished ones.
fn leftovers(folder: &Path) -> Vec<String> {
    let names = names(folder).into_iter();
    names.filter(|name| name.starts_with(".trousseau-") && name.ends_with(".partial")).collect()
}

/// Whether the batch is there; then all of it is, and its key.
fn is_whole(folder: &Path, batch: &str, key: &str) -> bool {
    if !folder.join(batch).exists() {
        return false;
    }
    let output = run(folder, &format!("inspect {batch} --transport-key-file {key}"));
    assert!(output.status.success(), "{}", words(&output));
    assert!(words(&output).contains(&format!("{batch}: {COUNT} keys")), "{}", words(&output));
    true
}

#[test]
fn a_killed_mint_leaves_the_whole_batch_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = duration(folder);
    let (mut there, mut partial) = (0, 0);
    for turn in 0..KILLS {
        let (key, batch) = (format!("{turn}.key"), format!("{turn}.xml"));
        let line = format!("mint --count {COUNT} --new-transport-key {key} --out {batch}");
        kill(command(folder, &line).spawn().unwrap(), turn, whole, folder, &key);
        there += u32::from(is_whole(folder, &batch, &key));
        // A key may be there before its batch; then it is whole, too.
        if let Ok(text) = fs::read_to_string(folder.join(&key)) {
            assert!(text.len() == 33 && text.ends_with('\n'), "half a key: {} bytes", text.len());
        }
        // Whatever else is there says that it is unfinished.
        let left = leftovers(folder);
        let known = [key.clone(), batch.clone(), "first.key".into(), "first.xml".into()];
        for name in names(folder) {
            assert!(known.contains(&name) || left.contains(&name), "{name}");
        }
        partial += u32::from(!left.is_empty());
        for name in left.into_iter().chain([key, batch]) {
            let _ = fs::remove_file(folder.join(name));
        }
    }
    // The kills fell on both sides of the end.
    assert!(there < KILLS && partial > 0, "{there} of {KILLS} whole, {partial} left something");

    // What a killed run left stands in nobody's way.
    let line = format!("mint --count {COUNT} --new-transport-key last.key --out last.xml");
    fs::write(folder.join(".trousseau-abcdef.partial"), "half a batch").unwrap();
    assert!(command(folder, &line).status().unwrap().success());
    assert!(is_whole(folder, "last.xml", "last.key"));
    assert_eq!(fs::read(folder.join(".trousseau-abcdef.partial")).unwrap(), b"half a batch");
}

#[test]
fn a_killed_mint_issues_no_serial_twice() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = duration(folder);
    assert!(command(folder, "transport-key new --out k").status().unwrap().success());
    let (mut issued, mut refused) = (0, 0);
    for turn in 0..KILLS {
        let first = u64::from(turn) * COUNT + 1;
        let order = format!(
            "mint --count {COUNT} --serial-prefix S --serial-width 9 --first-serial {first} \
             --transport-key-file k --inventory inv --out"
        );
        let batch = format!("{turn}.xml");
        let child = command(folder, &format!("{order} {batch}")).spawn().unwrap();
        kill(child, turn, whole, folder, &batch);
        let there = is_whole(folder, &batch, "k");
        // A file that is there is known, by its serials and by its digest.
        let serial = format!("S{first:09}");
        let known = run(folder, &format!("inventory find {serial} --inventory inv"));
        let known = known.status.success();
        assert!(known || !there, "turn {turn}: a batch that the inventory does not know");
        if there {
            let checked = run(folder, &format!("inventory verify {batch} --inventory inv"));
            assert!(checked.status.success(), "turn {turn}: {}", words(&checked));
        }
        // The same serials again: only if nobody took them.
        let again = run(folder, &format!("{order} again-{turn}.xml"));
        assert_eq!(again.status.code(), Some(if known { 2 } else { 0 }), "{}", words(&again));
        assert_eq!(folder.join(format!("again-{turn}.xml")).exists(), !known);
        issued += u32::from(there) + u32::from(!known);
        refused += u32::from(known);
        for name in leftovers(folder).into_iter().chain([batch, format!("again-{turn}.xml")]) {
            let _ = fs::remove_file(folder.join(name));
        }
    }
    assert!(issued > 0 && refused > 0, "{issued} issued, {refused} refused");
}

#[test]
fn what_a_killed_run_left_goes_with_the_next_to_the_same_name_and_a_neighbours_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(command(folder, "transport-key new --out k").status().unwrap().success());
    let endless = "mint --count 900000000 --transport-key-file k --out batch.xml";
    let begin = |others: &[String]| {
        let mut child = command(folder, endless).spawn().unwrap();
        loop {
            assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
            let fresh = leftovers(folder).into_iter().find(|name| !others.contains(name));
            if let Some(name) = fresh
                && fs::metadata(folder.join(&name)).is_ok_and(|facts| facts.len() > 0)
            {
                return (child, name);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let (mut killed, dead) = begin(&[]);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let (mut neighbour, alive) = begin(std::slice::from_ref(&dead));
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(folder.join(&dead)).unwrap().set_modified(old).unwrap();

    let line = "mint --count 1 --transport-key-file k --out batch.xml";
    let output = run(folder, line);
    let left = leftovers(folder);
    neighbour.kill().unwrap();
    neighbour.wait().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    let told = "note: removed 1 unfinished copy of batch.xml that a killed run had left";
    assert!(words(&output).contains(told), "{}", words(&output));
    assert_eq!(left, [alive]);
    assert!(folder.join("batch.xml").exists());
}
