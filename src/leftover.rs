//! What a killed program leaves behind: unfinished files and folders, named after what they were to
//! become, and whoever works on one holds a lock on it that the system takes away at its end.
//!
//! So the next run that writes to the same name can tell its own past from a neighbour at work, and
//! clears it away; an unfinished batch may hold secrets, and was never of use.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

const BEGIN: &str = ".trousseau-";
/// End of every unfinished name.
pub(crate) const END: &str = ".partial";
/// Bytes of the final name within the unfinished one: the name may be as long as names may be.
const LONGEST: usize = 200;
/// Younger ones are left alone: theirs may not be locked yet.
const YOUNG: Duration = Duration::from_secs(60);

/// How the unfinished name of `path` begins; something random and [`END`] follow.
pub(crate) fn beginning(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let mut beginning = OsString::from(BEGIN);
    beginning.push(OsStr::from_bytes(&name[..name.len().min(LONGEST)]));
    beginning.push(".");
    beginning
}

/// Marks an open file or folder as being worked on, for as long as it is open. Where the file system
/// has no locks, it is merely younger than [`YOUNG`] when others look.
pub(crate) fn hold(file: &File) {
    let _ = flock(file, FlockOperation::NonBlockingLockExclusive);
}

/// Removes what earlier runs that were killed left of `path`; returns how many there were.
pub(crate) fn clear(path: &Path) -> usize {
    let beginning = beginning(path);
    let ours = |name: &OsStr| {
        let name = name.as_bytes();
        let random = name
            .strip_prefix(beginning.as_bytes())
            .and_then(|rest| rest.strip_suffix(END.as_bytes()));
        random.is_some_and(|text| text.len() == 6 && text.iter().all(u8::is_ascii_alphanumeric))
    };
    let Ok(entries) = fs::read_dir(folder_of(path)) else { return 0 };
    let found = entries.flatten().filter(|entry| ours(&entry.file_name()));
    found.filter(|entry| remove(&entry.path()).is_some()).count()
}

/// Removes what is there, if it is ours, old, and nobody works on it.
fn remove(path: &Path) -> Option<()> {
    let facts = path.symlink_metadata().ok()?;
    let old = facts.modified().ok()?.elapsed().ok()? > YOUNG;
    let mine = facts.uid() == rustix::process::geteuid().as_raw();
    if !old || !mine || !(facts.is_file() || facts.is_dir()) {
        return None;
    }
    let file = File::open(path).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    match facts.is_dir() {
        true => fs::remove_dir_all(path).ok(),
        false => fs::remove_file(path).ok(),
    }
}

/// The folder in which `path` lies.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn make(path: &Path, age: u64) -> File {
        let file = File::create(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        file
    }

    #[test]
    fn only_what_is_ours_old_and_of_this_name_goes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let stays = [
            (".trousseau-batch.xml.abc123.partial", 5),   // young
            (".trousseau-other.xml.abc123.partial", 900), // of another name
            (".trousseau-batch.xml.abc12.partial", 900),  // no name of ours
            (".trousseau-batch.xml.abc/23.partial", 900),
            ("batch.xml.abc123.partial", 900),
        ];
        for (name, age) in stays.iter().filter(|(name, _)| !name.contains('/')) {
            make(&at(name), *age);
        }
        let held = make(&at(".trousseau-batch.xml.held12.partial"), 900);
        hold(&held);
        std::os::unix::fs::symlink("/etc/passwd", at(".trousseau-batch.xml.link12.partial"))
            .unwrap();
        make(&at(".trousseau-batch.xml.stale1.partial"), 900);
        let before = fs::read_dir(folder.path()).unwrap().count();

        assert_eq!(clear(&at("batch.xml")), 1);
        assert!(!at(".trousseau-batch.xml.stale1.partial").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before - 1);
        drop(held);
        assert_eq!(clear(&at("batch.xml")), 1, "its holder is gone");
        assert_eq!(clear(Path::new("/nonexistent/batch.xml")), 0);
    }

    #[test]
    fn a_folder_goes_with_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".trousseau-set.Zz09aa.partial");
        fs::create_dir_all(path.join("files")).unwrap();
        fs::write(path.join("files/one"), "half").unwrap();
        let opened = File::open(&path).unwrap();
        opened.set_modified(SystemTime::now() - Duration::from_secs(900)).unwrap();
        hold(&opened);
        assert_eq!(clear(&folder.path().join("set")), 0);
        drop(opened);
        assert_eq!(clear(&folder.path().join("set")), 1);
        assert!(!path.exists());
    }
}
