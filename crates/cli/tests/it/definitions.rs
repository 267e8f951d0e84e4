//! Segments, row segments and variables from a folder of definitions to audiences, refreshes, files and exported tables.

use std::fs::{self, File};
use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::binary::{call, done, json, rows};
use crate::world::workspace_of;

const SHOP: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers.csv"
key = "id"

[tables.profiles.columns]
id = { type = "id" }

[tables.orders]
source = "files/orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"

[tables.orders.columns]
total = { type = "decimal(12,2)" }
"#;

const CUSTOMERS: &str = "id,name\n01,Ann\n2,Bob\n3,Cas\n";
const ORDERS: &str =
    "order_id,customer,placed_at,total\na,01,2025-01-02,5.00\nb,2,2025-06-03,40.00\nc,2,2025-06-04,2.50\n";

const DEFINITIONS: &str = "
CREATE SEGMENT big AS WHERE spent > 10;
CREATE VARIABLE spent COMMENT 'in euro' AS sum(orders.total);
CREATE SEGMENT large_orders WITH (refresh = '1 day') AS SELECT * FROM orders WHERE total > profiles.spent / 2;
";

fn shop() -> TempDir {
    let shop = workspace_of(&[
        ("muster.toml", SHOP),
        ("files/customers.csv", CUSTOMERS),
        ("files/orders.csv", ORDERS),
        ("queries/all.sql", DEFINITIONS),
    ]);
    done(shop.path(), &["load"]);
    shop
}

#[test]
fn a_folder_of_definitions_is_applied_whatever_their_order() {
    let shop = shop();
    assert_eq!(
        done(shop.path(), &["apply"]),
        "big: defined, 1 profiles\nspent: defined, a variable of type decimal(22,2)\nlarge_orders: defined, 2 profiles\n"
    );
    assert!(done(shop.path(), &["apply"]).starts_with("big: unchanged, 1 profiles, before 1\nspent: unchanged,"));
    assert_eq!(rows(shop.path(), "SELECT id, spent FROM profiles ORDER BY id"), ["01,5.00", "2,42.50", "3,"]);
    assert_eq!(call(shop.path(), ["check"]).ended_with(0).stderr, "");
}

#[test]
fn the_members_of_a_row_segment_are_rows_with_their_owners() {
    let shop = shop();
    done(shop.path(), &["apply"]);
    assert_eq!(done(shop.path(), &["segment", "large_orders", "--members"]), "order_id,profile\na,01\nb,2\n");
    assert_eq!(done(shop.path(), &["segment", "big", "--members"]), "2\n");
    let file = shop.path().join("large.csv");
    let manifest =
        json(shop.path(), &["export", "large_orders", "--to", file.to_str().unwrap(), "--columns", "order_id,total"]);
    assert_eq!(
        (manifest["rows"].as_u64(), fs::read_to_string(file).unwrap()),
        (Some(2), "order_id,total\na,5.00\nb,40.00\n".to_owned())
    );
}

#[test]
fn what_is_due_is_refreshed() {
    let shop = shop();
    done(shop.path(), &["apply"]);
    assert_eq!(done(shop.path(), &["refresh", "--due"]), "no segment is due\n");
    assert_eq!(
        done(shop.path(), &["--as-of", "2025-07-01", "refresh", "--due"]),
        "large_orders: 2 profiles as of 2025-07-01T00:00:00+02:00\n"
    );
    assert_eq!(
        done(shop.path(), &["--as-of", "2025-07-02", "refresh", "big"]),
        "big: 1 profiles as of 2025-07-02T00:00:00+02:00\n"
    );
    assert_eq!(done(shop.path(), &["--as-of", "2025-07-03", "refresh"]).lines().count(), 2);
    let said = call(shop.path(), ["refresh", "bigg"]).ended_with(1).stderr;
    assert!(said.contains("segment bigg: there is no segment `bigg`; did you mean `big`?"), "{said}");
}

fn columns(file: &Path) -> Vec<String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    reader.schema().fields().iter().map(|field| field.name().clone()).filter(|name| !is_stored(name)).collect()
}

fn is_stored(name: &str) -> bool {
    ["__row", "__parent", "__profile", "__time", "__block"].contains(&name)
        || SHOP.contains(name)
        || CUSTOMERS.contains(name)
        || ORDERS.contains(name)
}

#[test]
fn exported_tables_have_what_queries_name_and_printed_sql_says_what_it_asks_the_past() {
    let shop = shop();
    done(shop.path(), &["apply"]);
    let folder = tempfile::tempdir().unwrap();
    done(shop.path(), &["export", "--tables", folder.path().to_str().unwrap()]);
    assert_eq!(
        columns(&folder.path().join("profiles.parquet")),
        ["__segment_big", "__audience_big", "__audience_large_orders", "spent"]
    );
    assert_eq!(columns(&folder.path().join("orders.parquet")), ["__segment_large_orders"]);
    let query = "EXPLAIN SQL SELECT id FROM profiles WHERE was(segments.big, '2025-01-01')";
    let printed = done(shop.path(), &["sql", "-c", query]);
    let tables = "muster export --tables DIR --as-of 2025-01-01T00:00:00+01:00";
    let expected =
        format!("-- profiles.__was_1: whether a row is among these, of the tables of: {tables}\n--   SELECT");
    assert!(printed.starts_with(&expected), "{printed}");
}
