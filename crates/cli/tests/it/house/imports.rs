//! Which room may use which, and who keeps the doors to the engines.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;
use toml_edit::DocumentMut;

use super::nothing_found;
use crate::world::project;

type Names = BTreeSet<String>;

/// What a room may use of ours and of the crates that are fenced in, exactly; and what it must not even reach through
/// others. Arrow and rayon are everywhere and stand in no fence.
struct Room {
    name: &'static str,
    imports: &'static [&'static str],
    fenced: &'static [&'static str],
    never: &'static [&'static str],
}

const ENGINES: &[&str] = &["datafusion", "polars", "axum", "tokio"];

const ROOMS: &[Room] = &[
    Room { name: "catalog", imports: &[], fenced: &[], never: ENGINES },
    Room { name: "ingest", imports: &["catalog"], fenced: &["polars", "polars-arrow"], never: &["datafusion", "axum"] },
    Room { name: "state", imports: &[], fenced: &["rusqlite"], never: ENGINES },
    Room { name: "store", imports: &["catalog", "state"], fenced: &[], never: ENGINES },
    Room { name: "language", imports: &["catalog"], fenced: &["sqlparser"], never: ENGINES },
    Room {
        name: "query",
        imports: &["catalog", "language", "store"],
        fenced: &["datafusion", "tokio"],
        never: &["polars", "axum"],
    },
    Room {
        name: "segment",
        imports: &["catalog", "language", "query", "score", "state", "store"],
        fenced: &[],
        never: &["polars", "axum", "lettre"],
    },
    Room { name: "score", imports: &[], fenced: &[], never: ENGINES },
    Room { name: "channel", imports: &["catalog"], fenced: &["lettre", "minijinja"], never: ENGINES },
    Room { name: "campaign", imports: &["catalog", "channel", "state"], fenced: &[], never: ENGINES },
    Room {
        name: "server",
        imports: &["catalog"],
        fenced: &["axum", "tokio"],
        never: &["datafusion", "polars", "rusqlite"],
    },
    Room { name: "demo", imports: &[], fenced: &[], never: &["datafusion", "polars", "axum", "tokio", "rusqlite"] },
    Room {
        name: "cli",
        imports: &[
            "campaign", "catalog", "channel", "demo", "ingest", "language", "query", "segment", "server", "state",
            "store",
        ],
        fenced: &[],
        never: &["aws-lc-sys"],
    },
    Room { name: "testkit", imports: &["catalog"], fenced: &["sqlparser"], never: ENGINES },
];

/// The crates that only the room whose door they are may name.
fn is_fenced(name: &str) -> bool {
    let doors = ["datafusion", "axum", "rusqlite", "sqlparser", "tokio", "lettre", "minijinja"];
    doors.contains(&name) || name.starts_with("polars") || name.starts_with("datafusion-")
}

/// A package of ours, and what it needs outside its tests and build scripts.
struct Package {
    room: String,
    normal: Names,
}

fn packages() -> Vec<Package> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"]).current_dir(project());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

fn package(package: &Value) -> Package {
    let normal = package["dependencies"].as_array().unwrap().iter().filter(|dependency| dependency["kind"].is_null());
    let normal = normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect();
    Package { room: room(package["name"].as_str().unwrap()).unwrap().to_owned(), normal }
}

/// The folder of a package of ours.
fn room(package: &str) -> Option<&str> {
    if package == "muster" { Some("cli") } else { package.strip_prefix("muster-") }
}

/// How what a room uses differs from what it may.
fn breaches(room: &Room, package: &Package) -> Vec<String> {
    let ours = package.normal.iter().filter_map(|name| self::room(name));
    let fenced = package.normal.iter().map(String::as_str).filter(|name| is_fenced(name));
    let used: BTreeSet<&str> = ours.chain(fenced).collect();
    let may: BTreeSet<&str> = room.imports.iter().chain(room.fenced).copied().collect();
    let surplus = used.difference(&may).map(|name| format!("{} uses {name}, which it may not", room.name));
    let missing = may.difference(&used).map(|name| format!("{} does not use {name}; the table is wrong", room.name));
    surplus.chain(missing).collect()
}

#[test]
fn every_room_imports_what_the_table_says_and_nothing_else() {
    let packages = packages();
    let named: BTreeSet<&str> = ROOMS.iter().map(|room| room.name).collect();
    assert_eq!(packages.iter().map(|package| package.room.as_str()).collect::<BTreeSet<_>>(), named);
    let room = |package: &Package| ROOMS.iter().find(|room| room.name == package.room).unwrap();
    let found: Vec<String> = packages.iter().flat_map(|package| breaches(room(package), package)).collect();
    nothing_found(&found);
}

#[test]
fn an_import_too_many_and_one_too_few_are_found() {
    let room = &ROOMS[4];
    let normal = ["muster-store", "sqlparser", "polars-core"].map(str::to_owned).into();
    let package = Package { room: "language".to_owned(), normal };
    assert_eq!(
        breaches(room, &package),
        [
            "language uses polars-core, which it may not",
            "language uses store, which it may not",
            "language does not use catalog; the table is wrong",
        ]
    );
}

#[test]
fn what_is_for_tests_stays_with_the_tests() {
    for Package { room, normal } in packages() {
        assert!(!normal.contains("muster-testkit"), "{room} uses testkit outside its tests");
        assert!(!normal.contains("muster-demo") || room == "cli", "{room} uses demo outside its tests");
    }
}

/// The packages of Cargo.lock by name, each with the names of what it depends on, once per version.
fn lock() -> BTreeMap<String, Vec<Names>> {
    let text = fs::read_to_string(project().join("Cargo.lock")).unwrap();
    let lock: DocumentMut = text.parse().unwrap();
    let mut packages = BTreeMap::<String, Vec<Names>>::new();
    for package in lock["package"].as_array_of_tables().unwrap() {
        let dependencies = package.get("dependencies").and_then(|list| list.as_array());
        let name = |text: &toml_edit::Value| text.as_str().unwrap().split(' ').next().unwrap().to_owned();
        let names = dependencies.into_iter().flatten().map(name).collect();
        packages.entry(package["name"].as_str().unwrap().to_owned()).or_default().push(names);
    }
    packages
}

/// Everything that is compiled with a room, through whatever way. In the lock our own packages also have what their
/// tests need, so for them it is not asked.
fn reach(room: &str, packages: &[Package], lock: &BTreeMap<String, Vec<Names>>) -> Names {
    let (mut reached, mut open) =
        (Names::new(), vec![if room == "cli" { "muster".to_owned() } else { format!("muster-{room}") }]);
    while let Some(name) = open.pop() {
        let ours = packages.iter().find(|package| self::room(&name) == Some(&package.room));
        match ours {
            Some(package) => open.extend(package.normal.iter().filter(|name| !reached.contains(*name)).cloned()),
            None => open.extend(lock[&name].iter().flatten().filter(|name| !reached.contains(*name)).cloned()),
        }
        reached.insert(name);
    }
    reached
}

#[test]
fn no_room_reaches_an_engine_through_another() {
    let (packages, lock) = (packages(), lock());
    let breach = |room: &Room| {
        let reached = reach(room.name, &packages, &lock);
        let found = room.never.iter().filter(|name| reached.contains(**name));
        found.map(|name| format!("{} reaches {name}", room.name)).collect::<Vec<_>>()
    };
    nothing_found(&ROOMS.iter().flat_map(breach).collect::<Vec<_>>());
    // The way there is found where there is one.
    assert!(reach("segment", &packages, &lock).contains("datafusion"));
    assert!(reach("campaign", &packages, &lock).contains("libsqlite3-sys"));
}

#[test]
fn there_is_one_of_everything_that_two_of_would_not_fit_together() {
    let lock = lock();
    for name in [
        "arrow-array",
        "arrow-schema",
        "parquet",
        "datafusion",
        "object_store",
        "sqlparser",
        "libsqlite3-sys",
        "rustls",
    ] {
        assert_eq!(lock.get(name).map(Vec::len), Some(1), "versions of {name}");
    }
    for name in ["aws-lc-sys", "aws-lc-rs", "openssl-sys", "bindgen", "cmake"] {
        assert!(!lock.contains_key(name), "{name} is in the lock");
    }
    assert!(lock.values().any(|versions| versions.len() > 1), "a second version would be seen");
}
