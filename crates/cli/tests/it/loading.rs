//! From files into the store: a fresh workspace, rows that are refused, and loads that change nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{call, done, json, muster, rows, run};
use crate::world::{corner_shop, own_corner_shop, workspace_of, write_corner_shop};

const DEFINITION: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"
error_budget = 2

[tables.profiles.columns]
id = { type = "id" }
born = { type = "date" }
"#;

const TWO_REJECTS: &str = "id,born\n1,1980-01-01\n2,31/02/2026\n3,1990-02-30\n";

/// A workspace with one file of customers.
fn few(customers: &str) -> TempDir {
    workspace_of(&[("muster.toml", DEFINITION), ("files/customers.csv", customers)])
}

fn reject_files(dir: &Path) -> Vec<String> {
    let Ok(files) = fs::read_dir(dir.join("data/rejects")) else { return Vec::new() };
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_fresh_workspace_says_what_is_missing_until_its_first_load() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("my shop");
    let made = run(muster().arg("init").arg(&dir)).ended_with(0).stdout;
    assert!(made.contains("then run `muster load`"), "{made}");
    let missing = call(&dir, ["check"]).ended_with(1).stdout;
    assert!(missing.starts_with("[tables.profiles]: no file matches `files/customers*.csv` in "), "{missing}");
    assert_eq!(done(&dir, &["status"]), "workspace my-shop\nnothing is loaded yet\n");
    let empty = call(&dir, ["sql", "-c", "SELECT 1"]).ended_with(1).stderr;
    assert_eq!(empty, "error: there is no data yet; load some with `muster load`\n");
    fs::write(dir.join("files/customers.csv"), "customer_id,name,joined\n007,Ann,2024-02-29\n010,Bo,\n").unwrap();
    let checked = done(&dir, &["check"]);
    assert!(checked.starts_with("everything is in order\ndoubtful:\n"), "{checked}");
    assert!(checked.contains("profiles.joined: taken for date because of 1 values only"), "{checked}");
    let loaded = done(&dir, &["load"]);
    assert!(loaded.contains("joined is taken for date"), "{loaded}");
    assert_eq!(rows(&dir, "SELECT * FROM profiles ORDER BY name"), ["007,Ann,2024-02-29", "010,Bo,"]);
}

#[test]
fn a_workspace_is_begun_once() {
    let again = run(muster().arg("init").arg(corner_shop())).ended_with(1).stderr;
    assert!(again.ends_with("is a workspace already\n"), "{again}");
}

#[test]
fn rejected_rows_are_told_with_their_place_and_the_rest_is_loaded() {
    let workspace = few(TWO_REJECTS);
    let dir = workspace.path();
    let report = call(dir, ["--json", "load"]).ended_with(3).document();
    let table = &report["tables"][0];
    assert_eq!((&table["read"], &table["rejected"]), (&json!(3), &json!({"not a date": 2})));
    let kept = fs::read_to_string(report["reject_file"].as_str().unwrap()).unwrap();
    assert_eq!(
        kept,
        "file,line,column,value,reason,hint\n\
         files/customers.csv,3,born,31/02/2026,is not a date; expected YYYY-MM-DD,\n\
         files/customers.csv,4,born,1990-02-30,is not a date; expected YYYY-MM-DD,\n"
    );
    assert_eq!(rows(dir, "SELECT id FROM profiles"), ["1"]);
}

#[test]
fn more_rejects_than_the_budget_load_nothing_and_end_with_4() {
    let workspace = few(&format!("{TWO_REJECTS}4,never\n"));
    let dir = workspace.path();
    let refused = call(dir, ["load"]).ended_with(4);
    for part in [
        "profiles: 3 of 4 rows were rejected; the error budget is 2",
        "files/customers.csv line 3, born: \"31/02/2026\" is not a date; expected YYYY-MM-DD",
        "all rejects: ",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert_eq!(reject_files(dir), ["rejects-00001.csv"]);
    assert_eq!(done(dir, &["status"]), "workspace few\nnothing is loaded yet\n");
}

#[test]
fn a_file_is_loaded_once_and_a_new_one_beside_it_alone() {
    let workspace = few("id,born\n1,1980-01-01\n");
    let dir = workspace.path();
    done(dir, &["load"]);
    assert_eq!(done(dir, &["load"]), "profiles: 1 file known already\nnothing new\n");
    fs::write(dir.join("files/customers-2.csv"), "id,born\n1,1980-01-01\n2,1990-01-01\n").unwrap();
    let table = &json(dir, &["load"])["tables"][0];
    let counts = ["files", "known_files", "read"].map(|name| table[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 2]);
    assert_eq!((&table["stored"]["new"], &table["stored"]["same"]), (&json!(1), &json!(1)));
    assert_eq!(done(dir, &["load"]), "profiles: 2 files known already\nnothing new\n");
}

#[test]
fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let workspace = few("id,born\n1,1980-01-01\n");
    let dir = workspace.path();
    done(dir, &["load"]);
    let before = (json(dir, &["status"]), blocks(dir));
    fs::write(dir.join("files/customers.csv"), "id,born\n1,1981-01-01\n2,1990-01-01\n").unwrap();
    let report = json(dir, &["load", "--dry-run"]);
    let stored = &report["tables"][0]["stored"];
    assert_eq!((&stored["changed"], &stored["new"], &report["snapshot"]), (&json!(1), &json!(1), &Value::Null));
    assert_eq!((json(dir, &["status"]), blocks(dir)), before);
    assert_eq!(json(dir, &["load"])["snapshot"], json!(2));
}

#[test]
fn a_dry_run_in_a_fresh_workspace_leaves_nothing_behind_not_even_its_rejects() {
    let workspace = few(TWO_REJECTS);
    let dir = workspace.path();
    let report = call(dir, ["--json", "load", "--dry-run"]).ended_with(3).document();
    let table = &report["tables"][0];
    assert_eq!((&table["stored"]["new"], &table["rejected"]), (&json!(1), &json!({"not a date": 2})));
    assert_eq!((&report["reject_file"], &report["snapshot"]), (&Value::Null, &Value::Null));
    let mut left: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["files", "muster.toml"]);
}

#[test]
fn a_load_says_where_its_time_went() {
    let workspace = few("id,born\n1,1980-01-01\n");
    let seconds =
        |report: &Value| ["read", "merge", "write", "commit"].map(|part| report["seconds"][part].as_f64().unwrap());
    let first = seconds(&json(workspace.path(), &["load"]));
    assert!(first.iter().sum::<f64>() > 0.0 && first.iter().all(|part| *part < 60.0), "{first:?}");
    assert_eq!(seconds(&json(workspace.path(), &["load"])), [0.0; 4]);
}

#[test]
fn a_table_is_read_from_all_of_its_sources() {
    let definition = r#"
[workspace]
name = "two"
time_zone = "Europe/Amsterdam"
[tables.profiles]
key = "id"
[[tables.profiles.sources]]
source = "web/*.csv"
[[tables.profiles.sources]]
source = "crm/*.csv"
columns = { id = { from = "Kundennr" }, city = { from = "Ort" } }
"#;
    let workspace = workspace_of(&[
        ("muster.toml", definition),
        ("web/a.csv", "id,city\nw1,Delft\n"),
        ("crm/b.csv", "Kundennr;Ort\nc1;Kleve\n"),
    ]);
    let dir = workspace.path();
    assert_eq!(json(dir, &["load"])["tables"][0]["files"], json!(2));
    assert_eq!(rows(dir, "SELECT id, city FROM profiles ORDER BY id"), ["c1,Kleve", "w1,Delft"]);
    fs::write(dir.join("crm/c.csv"), "Kundennr;Ort\nc2;Goch\n").unwrap();
    let report = json(dir, &["load", "--file", dir.join("crm/c.csv").to_str().unwrap()]);
    assert_eq!(report["tables"][0]["stored"]["new"], json!(1));
}

/// The files of the store.
fn blocks(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir.join("data/blocks")).unwrap();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn one_file_is_loaded_into_the_tables_whose_source_it_is() {
    let shop = own_corner_shop();
    let dir = shop.path();
    let file = dir.join("files/stores.csv");
    let text = fs::read_to_string(&file).unwrap() + "S099,Terschelling,Terschelling,53.36,5.22,8881\n";
    fs::write(&file, text).unwrap();
    let report = json(dir, &["load", "--file", file.to_str().unwrap()]);
    let tables = report["tables"].as_array().unwrap();
    assert_eq!((tables.len(), &tables[0]["table"], &tables[0]["stored"]["new"]), (1, &json!("stores"), &json!(1)));
    let stranger = call(dir, ["load", "--file", dir.join("muster.toml").to_str().unwrap()]).ended_with(1).stderr;
    assert!(stranger.starts_with("error: no table's `source` matches "), "{stranger}");
}

#[test]
fn a_table_that_is_named_is_loaded_alone() {
    let folder = tempfile::tempdir().unwrap();
    write_corner_shop(folder.path());
    let report = json(folder.path(), &["load", "products", "stores"]);
    let names: Vec<&str> =
        report["tables"].as_array().unwrap().iter().map(|table| table["table"].as_str().unwrap()).collect();
    assert_eq!(names, ["products", "stores"]);
}

#[test]
fn a_definition_that_is_not_in_order_is_refused_with_every_problem_and_its_place() {
    let definition = DEFINITION.replace("error_budget", "error_budgett").replace("\"date\"", "\"dat\"");
    let workspace = workspace_of(&[("muster.toml", &definition)]);
    for command in ["load", "check", "status"] {
        let stderr = call(workspace.path(), [command]).ended_with(1).stderr;
        for part in [
            "muster.toml line 10, column 1: unknown key `error_budgett` in [tables.profiles]",
            "did you mean `error_budget`?",
            "muster.toml line 14, column ",
        ] {
            assert!(stderr.contains(part), "{command}: {part}: {stderr}");
        }
    }
}
