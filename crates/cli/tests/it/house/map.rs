//! `crates/ARCHITECTURE.md` is a map: what it names is there, and every room is on it.
//!
//! It names a place as `crates/room/src/file.rs` or as `room::file::function`, in which a folder may stand for its
//! `mod.rs`, and a function's name may also be that of a type, or of a type and its function.

use std::fs;

use super::{nothing_found, rooms};
use crate::world::project;

fn map() -> String {
    fs::read_to_string(project().join("crates/ARCHITECTURE.md")).unwrap()
}

/// What in `text` looks like the name of a place in the project.
fn places(text: &str) -> Vec<&str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_:/.-*".contains(letter);
    let words = text.split(|letter: char| !is_part(letter)).map(|word| word.trim_end_matches(['.', ':', '/', '-']));
    words.filter(|word| is_path(word) || is_reference(word)).collect()
}

fn is_path(word: &str) -> bool {
    let folders = ["crates/", "queries/", "datasets/", "benches/", "notebooks/", ".ci/", ".cargo/"];
    folders.iter().any(|folder| word.starts_with(folder))
}

fn is_reference(word: &str) -> bool {
    word.split_once("::")
        .is_some_and(|(room, _)| room.starts_with("muster_") || rooms().iter().any(|name| name == room))
}

fn exists(place: &str) -> bool {
    match place.split_once('*') {
        Some((before, _)) => project().join(before.rsplit_once('/').unwrap().0).is_dir(),
        None if is_reference(place) => is_defined(place),
        None => project().join(place).exists(),
    }
}

/// Follows modules as far as there are files for them; what is left must be defined in the last.
fn is_defined(reference: &str) -> bool {
    let mut parts = reference.trim_start_matches("muster_").split("::");
    let mut folder = project().join("crates").join(parts.next().unwrap()).join("src");
    let mut file = None;
    let mut items = Vec::new();
    for part in parts {
        let (flat, deep) = (folder.join(format!("{part}.rs")), folder.join(part).join("mod.rs"));
        match [flat, deep].into_iter().find(|path| items.is_empty() && path.is_file()) {
            Some(path) => file = Some(path),
            None => items.push(part),
        }
        folder = folder.join(part);
    }
    let Some(text) = file.and_then(|path| fs::read_to_string(path).ok()) else { return false };
    items.len() <= 2 && items.iter().all(|item| defines(&text, item))
}

fn defines(text: &str, item: &str) -> bool {
    let kinds = ["fn", "struct", "enum", "trait", "const", "type"];
    let ends = |after: &str| !after.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    kinds.iter().any(|kind| text.split(&format!("{kind} {item}")).skip(1).any(ends))
}

#[test]
fn every_place_on_the_map_exists() {
    let map = map();
    let places = places(&map);
    assert!(places.len() > 30, "the map names {} places", places.len());
    let lost: Vec<String> = places.iter().filter(|place| !exists(place)).map(|place| (*place).to_owned()).collect();
    nothing_found(&lost);
}

#[test]
fn every_room_is_on_the_map() {
    let map = map();
    let missing: Vec<String> =
        rooms().into_iter().filter(|room| !map.contains(&format!("(`crates/{room}`)"))).collect();
    nothing_found(&missing);
}

#[test]
fn places_are_found_in_prose_and_in_tables() {
    let text =
        "Reads `ingest::load::read`, then (see `crates/cli/src/main.rs`). | `queries/**/*.sql`, `std::fs::read` |";
    assert_eq!(places(text), ["ingest::load::read", "crates/cli/src/main.rs", "queries/**/*.sql"]);
}

#[test]
fn a_place_that_is_not_there_is_found() {
    for (place, expected) in [
        ("crates/cli/src/main.rs", true),
        ("crates/cli/src/mains.rs", false),
        ("queries/**/*.sql", true),
        ("query/**/*.sql", false),
        ("cli::commands::load::run", true),
        ("cli::commands::load::ru", false),
        ("cli::commands", true),
        ("cli::commandos", false),
        ("muster_cli::workspace::Workspace", true),
        ("muster_cli::workspace::Workspace::find", true),
        ("muster_cli::workspace::Workspace::found", false),
        ("muster_kitchen::workspace::Workspace", false),
    ] {
        assert_eq!(exists(place), expected, "{place}");
    }
}
