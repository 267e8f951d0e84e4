//! The digests of files that were read before and look as they did then, so that a folder of years need not be read again
//! to find what is new in it.
//!
//! A file looks as it did if it is the same one (device, inode) of the same size, and neither its content nor anything about
//! it was touched since: the system sets the latter instant by its own clock, and no program can set it back where the
//! file system keeps it. What was touched just before it was looked at is not known, since clocks of files have steps.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use muster_ingest::{SourceFile, digest};
use muster_state::State;
use muster_store::{KnownFile, SourceRecord, Store};

use crate::workspace::is_young;

/// A file that was not touched for so long is known by its looks.
const SETTLED: Duration = Duration::from_secs(3);

/// What files hold: asked of each once, however many tables it goes into, and never of one that looks as it did.
#[derive(Debug, Default)]
pub(super) struct KnownFiles {
    /// Where the files are, by their names.
    paths: BTreeMap<String, PathBuf>,
    /// How they looked before, with their digests.
    kept: BTreeMap<String, KnownFile>,
    /// How files look now that could be known by it.
    looks: BTreeMap<String, String>,
    digests: BTreeMap<String, String>,
}

impl KnownFiles {
    /// Looks at `files` before any is read.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn of<'a>(state: &State, files: impl Iterator<Item = &'a SourceFile>) -> Result<Self> {
        let kept = state.read(Store::looks)?;
        let paths: BTreeMap<String, PathBuf> = files.map(|file| (file.name.clone(), file.path.clone())).collect();
        let looks = paths.iter().filter_map(|(name, path)| Some((name.clone(), settled_look(path)?))).collect();
        Ok(Self { paths, kept, looks, digests: BTreeMap::new() })
    }

    /// The digest of a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn digest(&mut self, file: &SourceFile) -> Result<String> {
        if let Some(known) = self.digests.get(&file.name) {
            return Ok(known.clone());
        }
        let looks_the_same = |kept: &&KnownFile| self.looks.get(&file.name) == Some(&kept.look);
        let digest = match self.kept.get(&file.name).filter(looks_the_same) {
            Some(kept) => kept.digest.clone(),
            None => digest(file)?.to_string(),
        };
        self.digests.insert(file.name.clone(), digest.clone());
        Ok(digest)
    }

    /// Keeps for the next load what is known now, also from those that were `read` as tables, by their names. Where the
    /// files are `all` that there are, others are forgotten.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn keep<'a>(mut self, state: &State, read: impl Iterator<Item = &'a SourceRecord>, all: bool) -> Result<()> {
        self.digests.extend(read.map(|source| (source.name.clone(), source.digest.clone())));
        let Self { paths, kept, mut looks, mut digests } = self;
        let mut knowing = if all { BTreeMap::new() } else { kept.clone() };
        for (name, path) in paths {
            match looks.remove(&name).zip(digests.remove(&name)) {
                // Where it is another by now, it may have been neither while it was read.
                Some((look, digest)) if settled_look(&path).as_ref() == Some(&look) => {
                    knowing.insert(name, KnownFile { look, digest });
                }
                _ => drop(knowing.remove(&name)),
            }
        }
        if knowing == kept {
            return Ok(());
        }
        Ok(state.write(|tx| Store::keep_looks(tx, &kept, &knowing))?)
    }
}

/// All by which a file that nobody touched just now would be known again.
#[cfg(unix)]
fn settled_look(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    use std::time::SystemTime;

    let file = fs::metadata(path).ok()?;
    let touched = Duration::new(file.ctime().try_into().ok()?, file.ctime_nsec().try_into().ok()?);
    let is_settled = !is_young(SystemTime::UNIX_EPOCH + touched, SETTLED);
    let look = || {
        let (changed, touched) = ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
        format!("{} {} {} {changed:?} {touched:?}", file.dev(), file.ino(), file.size())
    };
    is_settled.then(look)
}

/// Elsewhere no instant tells that a file was touched, so none is known by its looks.
#[cfg(not(unix))]
fn settled_look(_path: &Path) -> Option<String> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use muster_state::Mode;
    use tempfile::TempDir;

    use super::*;

    fn state() -> (TempDir, State) {
        let folder = TempDir::new().unwrap();
        let state = State::open(folder.path(), muster_store::MIGRATIONS, Mode::Create).unwrap();
        (folder, state)
    }

    /// A file that nobody touched just now.
    fn old() -> SourceFile {
        SourceFile { name: "Cargo.toml".to_owned(), path: Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml") }
    }

    fn kept(state: &State) -> BTreeMap<String, KnownFile> {
        state.read(Store::looks).unwrap()
    }

    #[test]
    fn a_file_that_looks_as_it_did_is_not_read_again() {
        let (_folder, state) = state();
        let mut known = KnownFiles::of(&state, [old()].iter()).unwrap();
        let read = known.digest(&old()).unwrap();
        known.keep(&state, std::iter::empty(), true).unwrap();
        let looks = kept(&state);
        assert_eq!(looks["Cargo.toml"].digest, read);

        let look = looks["Cargo.toml"].look.clone();
        for (look, answer) in [(look, "as it was kept"), ("another".to_owned(), read.as_str())] {
            let other = BTreeMap::from([(old().name, KnownFile { look, digest: "as it was kept".to_owned() })]);
            state.write(|tx| Store::keep_looks(tx, &kept(&state), &other)).unwrap();
            assert_eq!(KnownFiles::of(&state, [old()].iter()).unwrap().digest(&old()).unwrap(), answer);
        }
    }

    #[test]
    fn a_file_that_was_just_written_is_read_the_next_time() {
        let (folder, state) = state();
        let path = folder.path().join("orders.csv");
        fs::write(&path, "id\n1\n").unwrap();
        let orders = SourceFile { name: "orders.csv".to_owned(), path };
        let mut known = KnownFiles::of(&state, [&orders, &old()].into_iter()).unwrap();
        known.digest(&orders).unwrap();
        known.digest(&old()).unwrap();
        known.keep(&state, std::iter::empty(), true).unwrap();
        assert_eq!(kept(&state).into_keys().collect::<Vec<_>>(), ["Cargo.toml"]);
    }

    #[test]
    fn what_is_no_longer_there_is_forgotten_by_who_looked_at_everything() {
        let (_folder, state) = state();
        let mut known = KnownFiles::of(&state, [old()].iter()).unwrap();
        known.digest(&old()).unwrap();
        known.keep(&state, std::iter::empty(), true).unwrap();
        for (all, left) in [(false, 1), (true, 0)] {
            KnownFiles::of(&state, std::iter::empty()).unwrap().keep(&state, std::iter::empty(), all).unwrap();
            assert_eq!(kept(&state).len(), left);
        }
    }
}
