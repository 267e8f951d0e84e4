//! Where the real data are, and how a skip is counted.

use std::path::PathBuf;

/// The folder `name` of the real data, or `None` (after saying so on stderr) where they are not to be had.
///
/// # Panics
/// If `MUSTER_TEST_DATA` is set but holds no such folder: a test must not pass because of a typing error.
pub fn real_data(name: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("MUSTER_TEST_DATA") else {
        eprintln!("SKIPPED: {name}: MUSTER_TEST_DATA is not set");
        note_skip(name);
        return None;
    };
    let folder = PathBuf::from(root).join(name);
    assert!(folder.is_dir(), "MUSTER_TEST_DATA is set, but {} is no folder", folder.display());
    Some(folder)
}

/// Test runners swallow the output of tests that pass, so a skip also leaves a file in the folder that
/// `MUSTER_TEST_SKIPS` names, for the gate to count.
fn note_skip(name: &str) {
    if let Some(folder) = std::env::var_os("MUSTER_TEST_SKIPS") {
        let file = PathBuf::from(folder).join(format!("{}-{}", name.replace('/', "_"), std::process::id()));
        std::fs::write(file, name).expect("the folder of skips can be written");
    }
}
