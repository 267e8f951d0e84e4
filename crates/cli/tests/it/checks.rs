//! Every query that ships is tried on the corner shop, and its check holds there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use muster_demo::workspace::QUERIES;

use crate::answers::Answers;
use crate::slt::failures;
use crate::world::{corner_shop, project};

fn check(name: &str) -> String {
    fs::read_to_string(project().join(format!("queries/checks/{name}.slt"))).unwrap()
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The segments and variables that ship.
fn queries() -> BTreeSet<String> {
    QUERIES.iter().map(|(path, _)| name(Path::new(path))).collect()
}

/// The variables among them.
fn variables() -> BTreeSet<String> {
    let variables = QUERIES.iter().filter(|(_, text)| text.contains("\nCREATE OR REPLACE VARIABLE "));
    variables.map(|(path, _)| name(Path::new(path))).collect()
}

/// The names of the checks in `queries/checks`.
fn checks() -> BTreeSet<String> {
    let paths = fs::read_dir(project().join("queries/checks")).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "slt")).map(|path| name(&path)).collect()
}

#[test]
fn every_query_has_a_check_that_holds() {
    let queries = queries();
    assert_eq!(queries, checks());
    assert!(queries.len() >= 40, "{} queries", queries.len());
    let shop = Answers::reading(corner_shop());
    let failed = |name: &String| {
        let failures = failures(&shop, &check(name));
        (!failures.is_empty()).then(|| format!("{name}.slt {}", failures.join("\n  ")))
    };
    let failed: Vec<String> = queries.iter().filter_map(failed).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What `queries/checks/counts.py` found without muster: of a segment how many they are and the sum of their numbers, of a
/// variable how many have it and their sum, or how many have which.
#[test]
fn every_check_holds_what_was_counted() {
    let columns = "count(*), sum(CAST(substr(customer_id, 2) AS BIGINT))";
    for name in queries().difference(&variables()) {
        let counted = format!("SELECT {columns} FROM profiles WHERE segments.{name}\n----\n");
        assert!(check(name).contains(&counted), "{name}.slt");
    }
    for name in variables() {
        let added_up = format!("SELECT count({name}), sum({name}) FROM profiles\n----\n");
        let told_apart = format!("SELECT {name}, count(*) FROM profiles GROUP BY {name} ORDER BY {name}\n----\n");
        assert!([added_up, told_apart].iter().any(|record| check(&name).contains(record)), "{name}.slt");
    }
}

#[test]
fn a_check_that_is_wrong_fails_with_its_line() {
    let shop = Answers::reading(corner_shop());
    let right = "query I\nSELECT count(*) FROM profiles\n----\n2000\n\nstatement error unknown\nSELECT x\n\n";
    assert_eq!(failures(&shop, right), [""; 0]);
    for (wrong, failure) in [
        ("query I\nSELECT count(*) FROM profiles\n----\n1999\n", "line 9: expected [\"1999\"], found [\"2000\"]"),
        ("query I\nSELECT count(*) FROM profiles\n----\n", "line 9: expected [], found [\"2000\"]"),
        ("query I\nSELECT 1 WHERE 1 = 2\n----\n1\n", "line 9: expected [\"1\"], found []"),
        ("query II\nSELECT count(*) FROM profiles\n----\n2000\n", "line 9: 2 columns expected, 1 found"),
        ("query I\nSELECT count(*) FROM profile\n----\n2000\n", "line 9: error: "),
        ("statement ok\nSELECT nothing FROM profiles\n", "line 9: error: "),
        (
            "statement error unknown table\nSELECT nothing FROM profiles\n",
            "line 9: expected an error with \"unknown table\"",
        ),
        ("statement error unknown table\nSELECT email FROM profiles LIMIT 1\n", "line 9: expected an error with"),
    ] {
        let failures = failures(&shop, &format!("{right}{wrong}"));
        assert!(failures.len() == 1 && failures[0].starts_with(failure), "{wrong}\n{failures:?}");
    }
}

#[test]
fn a_check_of_another_segment_fails() {
    let swapped = check("buyers").replace("segments.buyers", "segments.prospects");
    assert_eq!(failures(&Answers::reading(corner_shop()), &swapped).len(), 2);
}
