//! Real files, to the last line and the last cent, held against what other engines say of them.

use std::fs;
use std::path::Path;

use muster_testkit::real_data;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::binary::{done, json, rows};
use crate::world::{project, workspace};

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
