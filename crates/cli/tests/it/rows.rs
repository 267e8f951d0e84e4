//! Rows that are odd, twice there, early or gone, as the list of bad inputs counts them: what a load makes of each, and says.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Run, call, done, json, rows};
use crate::world::{digests, workspace_of};

const SHOP: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "files/customers*"
key = "id"

[tables.profiles.columns]
city = { type = "text" }

[tables.orders]
source = "files/orders*.csv"
key = "order_id"
parent = "profiles"
on = "id"
time = "placed_at"

[tables.orders.columns]
total = { type = "decimal(12,2)" }
"#;

fn shop(customers: &str, orders: &str) -> TempDir {
    workspace_of(&[("muster.toml", SHOP), ("files/customers.csv", customers), ("files/orders.csv", orders)])
}

fn add(dir: &Path, file: &str, text: &str) {
    fs::write(dir.join("files").join(file), text).unwrap();
}

fn table(report: &Value, name: &str) -> Value {
    report["tables"].as_array().unwrap().iter().find(|table| table["table"] == name).unwrap().clone()
}

/// What the report says of one table, by these names of `stored`.
#[track_caller]
fn stored<const N: usize>(report: &Value, name: &str, counts: [&str; N]) -> [u64; N] {
    let table = table(report, name);
    counts.map(|count| table["stored"][count].as_u64().unwrap())
}

const NO_ORDERS: &str = "order_id,id,placed_at,total\n";
const TWO: &str = "id,city\n1,Delft\n2,Gouda\n";

#[test]
fn row_33_the_same_row_twice_is_the_same() {
    let shop = shop("id,city\n1,Delft\n1,Delft\n2,Gouda\n", NO_ORDERS);
    let report = json(shop.path(), &["load"]);
    assert_eq!(stored(&report, "profiles", ["incoming", "new", "same", "refused"]), [3, 2, 1, 0]);
}

#[test]
fn row_34_two_rows_of_a_key_that_differ_are_both_refused_and_named() {
    let shop = shop("id,city\n1,Delft\n1,Gouda\n2,Gouda\n", NO_ORDERS);
    let Run { stdout, .. } = call(shop.path(), ["load"]).ended_with(3);
    assert!(stdout.contains("refused: profiles 1: one file has different rows with this key"), "{stdout}");
    assert_eq!(rows(shop.path(), "SELECT id, city FROM profiles"), ["2,Gouda"]);
}

#[test]
fn row_34_of_two_rows_with_an_age_the_younger_stands() {
    let dated = SHOP.replacen("key = \"id\"\n", "key = \"id\"\nupdated_at = \"seen\"\n", 1);
    let text = "id,city,seen\n1,Gouda,2025-02-01\n1,Delft,2025-01-01\n";
    let shop = workspace_of(&[("muster.toml", &dated), ("files/customers.csv", text), ("files/orders.csv", NO_ORDERS)]);
    let report = json(shop.path(), &["load"]);
    assert_eq!(stored(&report, "profiles", ["new", "older", "refused"]), [1, 1, 0]);
    assert_eq!(rows(shop.path(), "SELECT city FROM profiles"), ["Gouda"]);
}

#[test]
fn row_35_keys_that_differ_by_capitals_are_two_and_told() {
    let shop = shop("id,city\nann@a.example,Delft\nAnn@A.example,Gouda\n", NO_ORDERS);
    let report = json(shop.path(), &["load", "--dry-run"]);
    let profiles = table(&report, "profiles");
    assert_eq!(profiles["collisions"], json!([["ann@a.example", "Ann@A.example"]]));
    assert_eq!(profiles["flags"], json!([{"flag": "key collision", "column": null, "rows": 1}]));
    let said = done(shop.path(), &["load"]);
    assert!(said.contains("1 taken, and odd: key collision\n"), "{said}");
    assert!(said.contains("ann@a.example and Ann@A.example may be one\n"), "{said}");
    assert_eq!(rows(shop.path(), "SELECT count(*) FROM profiles"), ["2"]);
}

#[test]
fn row_36_an_order_waits_for_its_customer_and_comes_in_with_them() {
    let shop = shop(TWO, "order_id,id,placed_at,total\na,1,2025-01-01,10\nb,3,2025-01-02,20\n");
    let dir = shop.path();
    let said = done(dir, &["load"]);
    assert!(said.contains("1 wait for their parent\n"), "{said}");
    assert_eq!(rows(dir, "SELECT order_id FROM orders"), ["a"]);
    add(dir, "customers-2.csv", "id,city\n3,Breda\n");
    let report = json(dir, &["load"]);
    assert_eq!(stored(&report, "profiles", ["new"]), [1]);
    assert_eq!(rows(dir, "SELECT order_id FROM orders ORDER BY order_id"), ["a", "b"]);
    assert_eq!(rows(dir, "SELECT sum(orders.total) FROM profiles WHERE id = '3'"), ["20.00"]);
}

#[test]
fn rows_37_and_38_returns_are_taken_as_they_are_and_counted() {
    // A return before its sale, and a refund over the amount.
    let orders =
        "order_id,id,placed_at,total\na,1,2025-01-01,-10\nb,1,2025-01-02,10\nc,2,2025-01-03,5\nd,2,2025-01-04,-7\n";
    let shop = shop(TWO, orders);
    let report = json(shop.path(), &["load", "--dry-run"]);
    assert_eq!(table(&report, "orders")["flags"], json!([{"flag": "return", "column": null, "rows": 2}]));
    let said = done(shop.path(), &["load"]);
    assert!(said.contains("2 taken, and odd: return\n"), "{said}");
    assert_eq!(rows(shop.path(), "SELECT id, sum(orders.total) FROM profiles ORDER BY id"), ["1,0.00", "2,-2.00"]);
}

#[test]
fn row_30_an_event_in_the_future_of_the_clock_is_rejected() {
    let counted = SHOP
        .replace("name = \"few\"", "name = \"few\"\nas_of = \"2025-06-30\"")
        .replace("total =", "placed_at = { type = \"timestamp\", unit = \"s\" }\ntotal =");
    let unfixed = counted.replace("as_of = \"2025-06-30\"\n", "");
    // 2025-06-29, and 2097: plausible only where nobody says what time it is.
    let orders = "order_id,id,placed_at,total\na,1,1751155200,1\nb,1,4010000000,1\n";
    for definition in [counted, unfixed] {
        let files = [("muster.toml", definition.as_str()), ("files/customers.csv", TWO), ("files/orders.csv", orders)];
        let report = call(workspace_of(&files).path(), ["--json", "load"]).ended_with(3).document();
        assert_eq!(stored(&report, "orders", ["new"]), [1]);
        assert_eq!(table(&report, "orders")["rejected"].as_object().unwrap().len(), 1, "{report}");
    }
}

#[test]
fn row_40_another_type_is_refused_with_the_way_out_and_the_stored_values_stay() {
    let shop = shop(TWO, "order_id,id,placed_at,total\na,1,2025-01-01,10\n");
    let dir = shop.path();
    done(dir, &["load"]);
    let before = digests(dir);
    for wanted in ["decimal(14,2)", "int", "text"] {
        fs::write(dir.join("muster.toml"), SHOP.replace("decimal(12,2)", wanted)).unwrap();
        add(dir, "orders-2.csv", "order_id,id,placed_at,total\nb,1,2025-01-02,20\n");
        let said = call(dir, ["load"]).ended_with(4).stderr;
        let what = format!(
            "error: column `total` of `orders` is decimal(12,2) in the store and {wanted} in the files; nothing was changed\n"
        );
        assert!(said.starts_with(&what), "{said}");
        assert!(said.contains(&format!("total_2 = {{ from = \"total\", type = \"{wanted}\" }}")), "{said}");
        assert_eq!(digests(dir), before);
    }
    // The way out: the old column stays, the new one stands beside it.
    let both = "total = { type = \"decimal(12,2)\" }\ntotal_2 = { from = \"total\", type = \"decimal(14,2)\" }";
    fs::write(dir.join("muster.toml"), SHOP.replace("total = { type = \"decimal(12,2)\" }", both)).unwrap();
    done(dir, &["load"]);
    let found = rows(dir, "SELECT order_id, total, total_2 FROM orders ORDER BY order_id");
    assert_eq!(found, ["a,10.00,10.00", "b,20.00,20.00"]);
}

#[test]
fn row_43_a_file_that_was_loaded_is_passed_over_whatever_its_name() {
    let shop = shop(TWO, NO_ORDERS);
    let dir = shop.path();
    done(dir, &["load"]);
    add(dir, "customers-again.csv", TWO);
    let said = done(dir, &["load"]);
    assert_eq!(said, "profiles: 2 files known already\norders: 1 file known already\nnothing new\n");
}

#[test]
fn row_44_a_file_that_is_being_written_is_left_and_named_and_the_next_load_takes_it() {
    let shop = shop(TWO, NO_ORDERS);
    let dir = shop.path();
    add(dir, "customers-2.csv.part", "id,city\n3,");
    let is_read = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut growing = File::create(dir.join("files/customers-3.csv")).unwrap();
            growing.write_all(b"id,city\n").unwrap();
            for id in 4.. {
                writeln!(growing, "{id},Breda").unwrap();
                thread::sleep(Duration::from_millis(10));
                if is_read.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        thread::sleep(Duration::from_millis(50));
        let said = done(dir, &["load"]);
        is_read.store(true, Ordering::Relaxed);
        for part in [
            "files/customers-2.csv.part is left for the next load: its name ends with .part: it is still being written\n",
            "files/customers-3.csv is left for the next load: it is still being written: ",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    });
    assert_eq!(rows(dir, "SELECT count(*) FROM profiles"), ["2"]);
    let report = json(dir, &["load"]);
    assert!(stored(&report, "profiles", ["new"])[0] >= 5, "{report}");
    assert_eq!(table(&report, "profiles")["unfinished"].as_array().unwrap().len(), 1);
}
