//! Histories stand below their parents, in time, over several blocks; every column comes back as it went in.

use muster_store::SystemColumn;

use crate::fixture::{Rows, SHOP, Shop};

#[test]
fn rows_stand_below_their_parent_in_time_and_then_by_key() {
    let shop = Shop::open();
    shop.load(&[
        ("profiles", Rows(&[("id", "id")], &["b", "a"])),
        (
            "orders",
            Rows(
                &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp")],
                &[
                    "3 a 2025-01-01T00:00:00Z",
                    "2 b 2025-03-01T00:00:00Z",
                    "9 b 2025-02-01T00:00:00Z",
                    "1 b 2025-03-01T00:00:00Z",
                ],
            ),
        ),
        ("lines", Rows(&[("order_id", "id"), ("sku", "id")], &["2 z", "3 y", "2 a", "9 m"])),
    ]);
    assert_eq!(
        shop.rows("orders", &["order_id", "customer", "__row", "__parent", "__profile"]),
        ["9 b 0 0 0", "1 b 1 0 0", "2 b 2 0 0", "3 a 3 1 1"]
    );
    assert_eq!(
        shop.rows("lines", &["sku", "order_id", "__parent", "__profile", "__time"]),
        [
            "m 9 0 0 2025-02-01T00:00:00Z",
            "a 2 2 0 2025-03-01T00:00:00Z",
            "z 2 2 0 2025-03-01T00:00:00Z",
            "y 3 3 1 2025-01-01T00:00:00Z"
        ]
    );
}

#[test]
fn every_type_comes_back_as_it_went_in() {
    let shop = Shop::open();
    let columns: &[(&str, &str)] = &[
        ("id", "id"),
        ("name", "text"),
        ("n", "int"),
        ("small", "decimal(18,4)"),
        ("large", "decimal(38,4)"),
        ("x", "float"),
        ("yes", "bool"),
        ("day", "date"),
        ("at", "timestamp"),
    ];
    let rows = [
        "007 Ann -9223372036854775808 99999999999999.9999 -9999999999999999999999999999999999.9999 0.1 true 2024-02-29 2025-06-30T10:00:00.123456Z",
        "008 - - - - - - - -",
    ];
    shop.load(&[("profiles", Rows(columns, &rows))]);
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    assert_eq!(shop.rows("profiles", &names), rows);
    let shop = shop.reopened();
    assert_eq!(shop.rows("profiles", &names), rows);
}

/// Past 65,536 profiles there is a second block; rows of a profile lie in its profile's block.
#[test]
fn history_lies_in_the_block_of_its_profile() {
    let shop = Shop::open();
    let ids: Vec<String> = (0..70_000).map(|number| format!("c{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let orders = ["o1 c69999 2025-01-01T00:00:00Z", "o2 c0 2025-01-01T00:00:00Z", "o3 c65536 2025-01-01T00:00:00Z"];
    let columns: &[(&str, &str)] = &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp")];
    shop.load(&[("profiles", Rows(&[("id", "id")], &ids)), ("orders", Rows(columns, &orders))]);
    let snapshot = shop.snapshot();
    assert_eq!((snapshot.block_count("profiles"), snapshot.row_count("profiles")), (2, 70_000));
    assert_eq!((snapshot.block_rows("orders", 0), snapshot.block_rows("orders", 1)), (1, 2));
    assert_eq!(
        shop.rows("orders", &["order_id", "__row", "__profile", "customer"]),
        ["o2 0 0 c0", "o3 1 65536 c65536", "o1 2 69999 c69999"]
    );
}

#[test]
fn new_profiles_in_a_new_block_leave_the_histories_as_they_are() {
    let shop = Shop::open();
    let columns: &[(&str, &str)] = &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp")];
    let ids: Vec<String> = (0..65_536).map(|number| format!("c{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    shop.load(&[("profiles", Rows(&[("id", "id")], &ids)), ("orders", Rows(columns, &["o1 c5 2025-01-01T00:00:00Z"]))]);
    let report = shop.load(&[("profiles", Rows(&[("id", "id")], &["later"]))]);
    assert!(!report.tables.contains_key("orders"), "nothing came in for orders: {report:?}");
    assert_eq!(shop.snapshot().block_count("profiles"), 2);
    assert_eq!(shop.rows("orders", &["order_id", "customer"]), ["o1 c5"]);
}

#[test]
fn a_table_has_the_system_columns_of_its_kind() {
    let shop = Shop::with(&SHOP.replace("key = \"id\"", "key = \"id\"\ncreated_at = \"since\""));
    shop.load(&[
        ("profiles", Rows(&[("id", "id"), ("since", "timestamp")], &["1 2025-01-01T00:00:00Z"])),
        ("products", Rows(&[("sku", "id")], &["z", "a"])),
    ]);
    let snapshot = shop.snapshot();
    use SystemColumn::{Parent, Profile, Row, Time};
    assert_eq!(snapshot.system_columns("profiles"), [Row, Time]);
    assert_eq!(snapshot.system_columns("lines"), [Row, Parent, Profile, Time]);
    assert_eq!(snapshot.system_columns("products"), [Row]);
    assert_eq!(shop.rows("products", &["sku"]), ["a", "z"], "a lookup stands by its key");
}
