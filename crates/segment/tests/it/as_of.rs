//! Fields as they were at an instant: by `updated_at` where a table has it, else by the instant of the load.

use std::sync::Arc;

use crate::world::{Shop, input, instant};

const CATALOG: &str = r#"
[workspace]
name = "shop"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "customers.csv"
key = "id"
updated_at = "changed"
deleted = "gone"

[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
updated_at = "changed"

[tables.carts]
source = "carts.csv"
key = "cart_id"
parent = "profiles"
on = "customer"
time = "opened_at"

[tables.stores]
source = "stores.csv"
key = "store_id"
lookup = { stores = "profiles.store" }
"#;

const CUSTOMERS: &[(&str, &str)] =
    &[("id", "id"), ("city", "text"), ("store", "id"), ("changed", "timestamp"), ("gone", "bool")];
const ORDERS: &[(&str, &str)] =
    &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp"), ("status", "text"), ("changed", "timestamp")];
const CARTS: &[(&str, &str)] =
    &[("cart_id", "id"), ("customer", "id"), ("opened_at", "timestamp"), ("expected", "date")];
const STORES: &[(&str, &str)] = &[("store_id", "id"), ("city", "text")];

/// Two loads, in January and in May. Ann moved in March, her order was sent in April, of her cart only the load knows when;
/// bob did nothing.
fn shop() -> Shop {
    let shop = Shop::empty();
    let january = vec![
        input(
            "profiles",
            CUSTOMERS,
            &["ann Delft s1 2025-01-01T00:00:00Z false", "bob Gent s1 2025-01-01T00:00:00Z false"],
        ),
        input("orders", ORDERS, &["o1 ann 2025-01-02T10:00:00Z open 2025-01-02T10:00:00Z"]),
        input("carts", CARTS, &["c1 ann 2025-01-03T10:00:00Z 2025-02-01"]),
        input("stores", STORES, &["s1 Utrecht"]),
    ];
    shop.load_at(CATALOG, january, instant("2025-01-10"));
    let may = vec![
        input("profiles", CUSTOMERS, &["ann Leuven s1 2025-03-01T00:00:00Z false"]),
        input("orders", ORDERS, &["o1 ann 2025-01-02T10:00:00Z sent 2025-04-01T00:00:00Z"]),
        input("carts", CARTS, &["c1 ann 2025-01-03T10:00:00Z 2025-07-01"]),
        input("stores", STORES, &["s1 Zwolle"]),
    ];
    shop.load_at(CATALOG, may, instant("2025-05-01"));
    shop
}

/// City, status and expected date as of an instant.
#[track_caller]
fn check(shop: &Shop, as_of: &str, expected: &str) {
    let text = "SELECT id, city, max(orders.status) AS status, max(carts.expected) AS expected
                FROM profiles WHERE id = 'ann'";
    assert_eq!(shop.rows(&format!("AS OF '{as_of}' {text}"))[1..], [format!("ann | {expected}")], "{as_of}");
    assert_eq!(shop.rows(&format!("SET as_of = '{as_of}'; {text}"))[1..], [format!("ann | {expected}")], "{as_of}");
}

#[test]
fn a_field_has_the_value_that_it_had() {
    let shop = shop();
    check(&shop, "2025-01-04", "Delft | open | 2025-02-01");
    check(&shop, "2025-03-02", "Leuven | open | 2025-02-01");
    check(&shop, "2025-04-02", "Leuven | sent | 2025-02-01");
    check(&shop, "2025-05-02", "Leuven | sent | 2025-07-01");
    check(&shop, "2030-01-01", "Leuven | sent | 2025-07-01");
}

#[test]
fn a_change_is_there_from_its_own_instant_on() {
    let shop = shop();
    check(&shop, "2025-02-28T23:59:59.999999Z", "Delft | open | 2025-02-01");
    check(&shop, "2025-03-01T00:00:00Z", "Leuven | open | 2025-02-01");
    check(&shop, "2025-04-30T23:59:59.999999", "Leuven | sent | 2025-02-01");
    check(&shop, "2025-05-01T00:00:00", "Leuven | sent | 2025-07-01");
}

#[test]
fn conditions_rows_of_histories_and_segments_see_the_same_fields() {
    let shop = shop();
    shop.define("CREATE SEGMENT southern AS WHERE city IN ('Leuven', 'Gent')");
    shop.define("CREATE SEGMENT waiting AS WHERE segments.southern AND has(orders) FILTER (WHERE status = 'open')");
    for (as_of, southern, waiting, sent) in
        [("2025-02-01", "1", "0", "0"), ("2025-03-15", "2", "1", "0"), ("2025-04-15", "2", "0", "1")]
    {
        let count = |text: &str| shop.rows(&format!("AS OF '{as_of}' SELECT count(*) AS n FROM {text}"))[1].clone();
        assert_eq!(count("profiles WHERE segments.southern"), southern, "{as_of}");
        assert_eq!(count("profiles WHERE segments.waiting"), waiting, "{as_of}");
        assert_eq!(count("orders WHERE status = 'sent' AND profiles.city = 'Leuven'"), sent, "{as_of}");
        let found = shop.session_as_of(as_of).refresh("southern").unwrap();
        assert_eq!(found.rows.len().to_string(), southern, "{as_of}");
    }
}

#[test]
fn a_deleted_profile_is_gone_as_of_every_instant() {
    let shop = shop();
    let count = "SELECT count(*) AS n FROM profiles WHERE city = 'Delft' OR has(orders)";
    assert_eq!(shop.rows(&format!("AS OF '2025-01-04' {count}")), ["n", "1"]);
    let june = vec![input("profiles", CUSTOMERS, &["ann Leuven s1 2025-06-01T00:00:00Z true"])];
    shop.load_at(CATALOG, june, instant("2025-06-02"));
    for as_of in ["2025-01-04", "2025-03-15", "2025-06-03"] {
        assert_eq!(shop.rows(&format!("AS OF '{as_of}' {count}")), ["n", "0"], "{as_of}");
        assert_eq!(
            shop.rows(&format!("AS OF '{as_of}' SELECT id, city FROM profiles"))[1..],
            ["bob | Gent"],
            "{as_of}"
        );
    }
}

/// In a workspace whose clock stands still a load changes fields at the very instant at which everybody looks.
#[test]
fn what_a_load_changes_at_the_instant_itself_is_there() {
    let shop = shop();
    let now = instant(crate::world::NOW);
    shop.load_at(CATALOG, vec![input("carts", CARTS, &["c1 ann 2025-01-03T10:00:00Z 2025-08-01"])], now);
    assert_eq!(shop.rows("SELECT expected FROM carts"), ["expected", "2025-08-01"]);
    check(&shop, "2025-06-30T11:59:59.999999", "Leuven | sent | 2025-07-01");
}

#[test]
fn where_nothing_changed_later_it_is_the_same_snapshot_and_else_it_is_made_once() {
    let shop = shop();
    let session = shop.session();
    let evaluator = session.evaluator().unwrap();
    for later in ["2025-05-01", "2025-06-30", "2031-01-01"] {
        let then = evaluator.snapshot_as_of(instant(later)).unwrap();
        assert!(Arc::ptr_eq(&then, evaluator.snapshot()), "{later}");
    }
    let before = evaluator.snapshot_as_of(instant("2025-02-01")).unwrap();
    assert!(!Arc::ptr_eq(&before, evaluator.snapshot()));
    assert!(Arc::ptr_eq(&before, &evaluator.snapshot_as_of(instant("2025-02-01")).unwrap()));
}

#[test]
fn lookups_are_those_of_today() {
    let shop = shop();
    let text = "SELECT stores.city FROM profiles WHERE id = 'bob'";
    for as_of in ["2025-01-11", "2025-06-01"] {
        assert_eq!(shop.rows(&format!("AS OF '{as_of}' {text}"))[1], "Zwolle", "{as_of}");
    }
}

#[test]
fn printed_sql_says_of_which_instant_its_tables_must_be() {
    let shop = shop();
    let printed = |as_of: &str| match shop.run(&format!("EXPLAIN SQL AS OF '{as_of}' SELECT city FROM profiles")) {
        Ok(muster_segment::Outcome::Text(text)) => text,
        other => panic!("{other:?}"),
    };
    let hint = "-- for the tables of: muster export --tables DIR --as-of 2025-02-01T00:00:00+01:00\n";
    assert!(printed("2025-02-01").starts_with(hint), "{}", printed("2025-02-01"));
    assert!(!printed("2025-06-01").contains("--"), "{}", printed("2025-06-01"));
}
