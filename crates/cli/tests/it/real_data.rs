//! Real files, to the last line and the last cent, held against what other engines say of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use muster_testkit::real_data;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::binary::{done, json, rows};
use crate::world::{digests, project, workspace, workspace_of};

/// The dataset's own `muster.toml` over the real files; `None` where there are none.
fn dataset(name: &str) -> Option<TempDir> {
    let files = real_data(name)?;
    Some(workspace(&project().join("datasets").join(name).join("muster.toml"), &files))
}

fn table<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["tables"].as_array().unwrap().iter().find(|table| table["table"] == name).unwrap()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn online_retail_is_loaded_to_the_last_line() {
    let Some(folder) = dataset("online-retail") else { return };
    let dir = folder.path();
    let report = json(dir, &["load"]);
    every_row_is_accounted_for(&report);
    assert_eq!(rows(dir, "SELECT sum(quantity * price) FROM order_lines"), ["3332591.961"]);
    every_customer_is_as_duckdb_says(dir);
    loading_again_changes_nothing(dir);
}

fn every_row_is_accounted_for(report: &Value) {
    let filtered = json!([["CustomerID IS NOT NULL", 59_976], ["Quantity > 0", 3_590], ["UnitPrice > 0", 13]]);
    for (name, kept) in [("profiles", 2_718), ("orders", 7_409), ("order_lines", 145_450)] {
        let table = table(report, name);
        assert_eq!((&table["files"], &table["read"]), (&json!(141), &json!(209_029)), "{name}");
        assert_eq!((&table["filtered"], &table["rejected"]), (&filtered, &json!({})), "{name}");
        assert_eq!((&table["stored"]["new"], &table["stored"]["rows"]), (&json!(kept), &json!(kept)), "{name}");
        assert_eq!(table["merged"], json!(145_450 - kept), "{name}");
    }
}

/// The table of `datasets/online-retail/oracle.py`, whose digest is committed beside it.
fn every_customer_is_as_duckdb_says(dir: &Path) {
    let customers = rows(
        dir,
        "SELECT customer_id, count(orders), to_char(max(orders.invoiced_at), '%Y-%m-%d %H:%M:%S'),
                sum(order_lines.quantity * order_lines.price)
         FROM profiles ORDER BY customer_id",
    );
    assert_eq!(customers.len(), 2_718);
    let committed = fs::read_to_string(project().join("datasets/online-retail/customers.sha256")).unwrap();
    let table = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    assert_eq!(sha256(&table(&customers)), committed.trim());
    assert_ne!(sha256(&table(&customers[1..])), committed.trim());
}

fn loading_again_changes_nothing(dir: &Path) {
    let again = json(dir, &["load"]);
    assert_eq!(again["snapshot"], Value::Null);
    for table in again["tables"].as_array().unwrap() {
        assert_eq!((&table["files"], &table["known_files"]), (&json!(0), &json!(141)), "{}", table["table"]);
    }
}

/// Online Retail with these of its day files, and the names of the files in the order of the days.
fn days_of(place: impl Fn(usize) -> bool) -> Option<(TempDir, Vec<String>)> {
    let files = real_data("online-retail")?;
    let mut days: Vec<String> = fs::read_dir(&files)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".csv"))
        .collect();
    days.sort();
    let days: Vec<String> = days.into_iter().enumerate().filter(|(day, _)| place(*day)).map(|(_, name)| name).collect();
    let folder = workspace_of(&[]);
    fs::copy(project().join("datasets/online-retail/muster.toml"), folder.path().join("muster.toml")).unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    for day in &days {
        symlink(files.join(day), folder.path().join("files").join(day)).unwrap();
    }
    Some((folder, days))
}

fn load_day(dir: &Path, day: &str) -> Value {
    json(dir, &["load", "--file", dir.join("files").join(day).to_str().unwrap()])
}

/// Forgets everything that was loaded.
fn forget(dir: &Path) {
    fs::remove_dir_all(dir.join("data")).unwrap();
}

/// The numbers below `count` in an order that only `seed` decides.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let rank = |number: &usize| Sha256::digest(format!("{seed} {number}")).to_vec();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(rank);
    order
}

/// All days at once, one after the other, and in three other orders: the same rows.
fn every_order_of_days_gives_the_same(dir: &Path, days: &[String]) {
    json(dir, &["load"]);
    let at_once = digests(dir);
    assert_eq!(at_once.len(), 3);
    let in_turn = (0..days.len()).collect();
    for order in [in_turn, shuffled(days.len(), 1), shuffled(days.len(), 2), shuffled(days.len(), 3)] {
        forget(dir);
        order.iter().for_each(|day| drop(load_day(dir, &days[*day])));
        assert_eq!(digests(dir), at_once, "{order:?}");
    }
    for day in days {
        assert_eq!(load_day(dir, day)["snapshot"], Value::Null, "{day}");
    }
    forget(dir);
    load_day(dir, &days[0]);
    assert_ne!(digests(dir), at_once);
}

/// Every 14th day: eleven of them, 44 loads of one day each. In four of them somebody orders from two countries.
#[test]
fn in_whatever_order_days_of_online_retail_come_the_rows_are_the_same() {
    let Some((folder, days)) = days_of(|day| day % 14 == 0) else { return };
    assert_eq!(days.len(), 11);
    every_order_of_days_gives_the_same(folder.path(), &days);
}

#[test]
#[ignore = "takes minutes"]
fn in_whatever_order_all_days_of_online_retail_come_the_rows_are_the_same() {
    let Some((folder, days)) = days_of(|_| true) else { return };
    assert_eq!(days.len(), 141);
    every_order_of_days_gives_the_same(folder.path(), &days);
}

/// Ten days are little beside the hundred before them, so they stand beside the blocks of these.
#[test]
fn ten_days_of_online_retail_are_taken_back_one_after_the_other() {
    let Some((folder, days)) = days_of(|day| day < 110) else { return };
    let (dir, (before, last)) = (folder.path(), days.split_at(100));
    last.iter().for_each(|day| fs::rename(dir.join("files").join(day), dir.join(day)).unwrap());
    json(dir, &["load"]);
    let before_all = digests(dir);
    let mut halfway = before_all.clone();
    for (day, name) in last.iter().enumerate() {
        fs::rename(dir.join(name), dir.join("files").join(name)).unwrap();
        assert_eq!(json(dir, &["load"])["tables"][0]["known_files"], json!(before.len() + day), "{name}");
        if day == 4 {
            halfway = digests(dir);
        }
    }
    assert!(halfway != before_all && halfway != digests(dir));
    for (undone, expected) in [(5, halfway), (5, before_all)] {
        (0..undone).for_each(|_| drop(json(dir, &["load", "--undo"])));
        assert_eq!(digests(dir), expected);
    }
    assert_eq!(json(dir, &["load", "--dry-run"])["tables"][0]["files"], json!(10));
}

#[test]
fn cdnow_is_exact_to_the_cent_and_equal_rows_all_count() {
    let Some(folder) = dataset("cdnow") else { return };
    let dir = folder.path();
    let report = json(dir, &["load"]);
    for (name, kept) in [("profiles", 23_570), ("purchases", 69_659)] {
        let table = table(&report, name);
        assert_eq!((&table["read"], &table["stored"]["rows"]), (&json!(69_659), &json!(kept)), "{name}");
    }
    assert_eq!(
        rows(dir, "SELECT count(*), sum(dollar_value), sum(number_of_cds) FROM purchases"),
        ["69659,2500315.63,167881"]
    );
    // 255 purchases have a twin; a set of rows would have lost them.
    assert_eq!(
        rows(
            dir,
            "SELECT count(*) FROM (SELECT DISTINCT customer_id, bought_at, number_of_cds, dollar_value FROM purchases) d"
        ),
        [(69_659 - 255).to_string()]
    );
    assert_eq!(rows(dir, "SELECT min(customer_id), max(customer_id) FROM profiles"), ["00001,23570"]);
    let again = done(dir, &["load"]);
    assert_eq!(again, "profiles: 1 file known already\npurchases: 1 file known already\nnothing new\n");
}
