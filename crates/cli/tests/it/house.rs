//! The house test: what the map and the house rules say, held against the code.
//!
//! `imports` reads which room may use what, `map` reads `crates/ARCHITECTURE.md`, and `texts` reads the sources. Every
//! rule is a function from text to what breaks it, so that each is also shown to find something.

mod imports;
mod map;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::project;

/// A file of the project.
struct File {
    /// From the project's folder, with `/`.
    path: String,
    text: String,
}

/// The files below `folder` of the project whose text is UTF-8; what is built or loaded does not count.
fn files(folder: &str) -> Vec<File> {
    let mut paths = Vec::new();
    walk(&project().join(folder), &mut paths);
    paths.sort();
    let file = |path: PathBuf| {
        let name = path.strip_prefix(project()).unwrap().to_str().unwrap().to_owned();
        Some(File { path: name, text: fs::read_to_string(&path).ok()? })
    };
    paths.into_iter().filter_map(file).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // What .gitignore leaves out as well, and git's own.
        let is_left_out = [".git", "target"].contains(&name) || (name == "data" && path.join("state.db").exists());
        match path.is_dir() {
            _ if is_left_out => {}
            true => walk(&path, paths),
            false => paths.push(path),
        }
    }
}

/// The rooms by their folders.
fn rooms() -> Vec<String> {
    let folders = fs::read_dir(project().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let crates = folders.filter(|path| path.join("Cargo.toml").is_file());
    let mut rooms: Vec<String> = crates.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    rooms.sort();
    rooms
}

/// Fails with everything that was found.
#[track_caller]
fn nothing_found(found: &[String]) {
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
}
