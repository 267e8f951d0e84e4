//! Workspaces for tests: the project's own datasets, in folders that go when the test ends.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use muster_demo::workspace::QUERIES;
use muster_state::{Migration, State};
use muster_store::Store;
use tempfile::TempDir;

use crate::binary::done;

/// The project's folder.
pub fn project() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// A new workspace with this `muster.toml`, whose `files` is the folder `files`.
pub fn workspace(definition: &Path, files: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(definition, folder.path().join("muster.toml")).unwrap();
    symlink(files, folder.path().join("files")).unwrap();
    folder
}

/// A new workspace of these files, by their paths in it.
pub fn workspace_of(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The corner shop, loaded and with its segments applied: to read from, by all tests together.
pub fn corner_shop() -> &'static Path {
    static SHOP: OnceLock<(PathBuf, File)> = OnceLock::new();
    let (folder, _) = SHOP.get_or_init(|| {
        let (folder, lock) = own_folder();
        write_corner_shop(&folder);
        done(&folder, &["load"]);
        done(&folder, &["apply"]);
        (folder, lock)
    });
    folder
}

/// The corner shop as it is in the project, not loaded, whatever somebody did in that folder.
pub fn write_corner_shop(folder: &Path) {
    copy(&project().join("datasets/corner-shop"), folder);
    if folder.join("data").exists() {
        fs::remove_dir_all(folder.join("data")).unwrap();
    }
}

/// A copy of the loaded corner shop, to change.
pub fn own_corner_shop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(corner_shop(), folder.path());
    folder
}

/// The tables of every room in the state file.
pub fn migrations() -> Vec<Migration> {
    [muster_store::MIGRATIONS, muster_segment::MIGRATIONS, muster_campaign::MIGRATIONS].concat()
}

/// The little shop, to change: loaded as its README says, so that two customers have a past, and with the scores that so few
/// can be told.
pub fn little_shop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&project().join("datasets/little-shop"), folder.path());
    let _ = fs::remove_dir_all(folder.path().join("data"));
    let first = folder.path().join("files/customers.csv");
    done(folder.path(), &["load", "profiles", "--file", first.to_str().unwrap()]);
    done(folder.path(), &["load"]);
    done(folder.path(), &["score", "next_offer", "engagement", "affinity.product"]);
    folder
}

/// How many of the queries that ship are segments; the others are variables.
pub fn shipped_segments() -> usize {
    QUERIES.iter().filter(|(_, text)| text.contains("\nCREATE OR REPLACE SEGMENT ")).count()
}

/// What a workspace holds, table by table, as one number each: the same however it came to be.
pub fn digests(dir: &Path) -> BTreeMap<String, String> {
    let reader = State::read_only(&dir.join("data"), &migrations()).unwrap();
    let store = reader.read(|tx| Store::open(&dir.join("data"), tx)).unwrap();
    let Some(snapshot) = store.snapshot() else { return BTreeMap::new() };
    let tables = snapshot.schemas().map(|schema| schema.name.clone());
    tables.map(|table| (table.clone(), snapshot.digest(&table).unwrap())).collect()
}

/// A folder for as long as this process runs. Nothing runs when a test binary ends, so the next one to get the folder
/// empties it; the lock keeps the tests of two checkouts apart that share a target folder.
fn own_folder() -> (PathBuf, File) {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let free = (0..).find_map(|number| {
        let lock = File::create(base.join(format!("corner-shop-{number}.lock"))).unwrap();
        lock.try_lock().ok().map(|()| (base.join(format!("corner-shop-{number}")), lock))
    });
    let (folder, lock) = free.expect("the numbers do not end");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    (folder, lock)
}

/// Copies a folder with all below it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
