//! The segments that come with muster are read, over the tables of the data set that they are for.

use std::fs;
use std::path::PathBuf;

use muster_testkit::interpreter::members;
use muster_testkit::world::World;

use crate::shop::now;

fn project(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../..", path].iter().collect()
}

/// The corner shop, with one customer who bought a sofa ten days ago.
fn corner_shop() -> World {
    let text = fs::read_to_string(project("datasets/corner-shop/muster.toml")).unwrap();
    let mut world = World::new(muster_catalog::parse("muster.toml", &text).unwrap());
    let customer = "c1 | 2024-01-01 | - | - | - | - | - | - | NL | - | - | - | - | - | - | - | - | gold | - | - | - | - | - | false";
    world.add("profiles", customer);
    world.add("orders", "o1 | c1 | 2025-06-20 | store | - | paid | - | 3000 | - | - | false");
    world.add("order_lines", "l1 | o1 | p1 | 1 | 3000");
    world.add("products", "p1 | Sofa | Sofas | 3000 | - | - | - | - | -");
    for (name, definition) in definitions() {
        world.segment(&name, &definition);
    }
    world
}

/// The files of all folders of queries/ but the checks.
fn files() -> impl Iterator<Item = PathBuf> {
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let folders = below(project("queries")).filter(|path| path.is_dir() && !path.ends_with("checks"));
    folders.flat_map(below)
}

/// Name and definition of every `CREATE OR REPLACE SEGMENT name COMMENT '…' AS …`.
fn definitions() -> Vec<(String, String)> {
    let mut definitions = Vec::new();
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let (head, definition) = text.split_once("\nAS ").unwrap();
        if head.contains("\nCREATE OR REPLACE VARIABLE ") {
            continue;
        }
        definitions.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), definition.to_owned()));
    }
    definitions.sort();
    definitions
}

#[test]
fn every_shipped_segment_is_read_and_answered() {
    let world = corner_shop();
    let definitions = definitions();
    assert!(definitions.len() >= 40, "{} definitions", definitions.len());
    let holds = |definition: &str| {
        !members(&world, definition, now()).unwrap_or_else(|e| panic!("{definition}\n{e}")).is_empty()
    };
    let holding: Vec<&str> =
        definitions.iter().filter(|(_, definition)| holds(definition)).map(|(name, _)| name.as_str()).collect();
    let expected = [
        "big_spenders",
        "buyers",
        "never_asked",
        "new_customers",
        "pilot_500",
        "sofa_spenders",
        "sofa_without_cushions",
        "top_hundred",
        "unreachable",
        "without_birth_date",
    ];
    assert_eq!(holding, expected);
}
