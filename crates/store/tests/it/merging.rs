//! Which rows stay when files come again, changed, doubled, or contradicting themselves.

use muster_catalog::Timestamp;
use muster_store::{Error, TableCounts};

use crate::fixture::{Rows, SHOP, Shop, input};

const CUSTOMERS: &[(&str, &str)] = &[("id", "id"), ("name", "text"), ("spent", "decimal(12,2)")];
const ORDERS: &[(&str, &str)] =
    &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp"), ("total", "decimal(12,2)")];
const LINES: &[(&str, &str)] = &[("order_id", "id"), ("sku", "id"), ("quantity", "int")];

#[track_caller]
fn check(counts: &TableCounts, expected: &str) {
    let TableCounts { incoming, new, changed, same, older, refused, .. } = counts;
    assert_eq!(*incoming, new + changed + same + older + refused, "every incoming row is counted once: {counts:?}");
    let found = format!("{new} new, {changed} changed, {same} same, {older} older, {refused} refused");
    assert_eq!(found, expected);
}

#[test]
fn a_known_key_is_updated_and_an_equal_row_is_the_same() {
    let shop = Shop::open();
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann 10.00", "2 Bob 20.00"]))]);
    let report = shop.load(&[("profiles", Rows(CUSTOMERS, &["2 Bob 20.00", "1 Anna 10.00", "3 Cas -"]))]);
    check(&report.tables["profiles"], "1 new, 1 changed, 1 same, 0 older, 0 refused");
    assert_eq!(
        shop.rows("profiles", &["__row", "id", "name", "spent"]),
        ["0 1 Anna 10.00", "1 2 Bob 20.00", "2 3 Cas -"]
    );
}

#[test]
fn a_file_that_contradicts_itself_is_refused_for_that_key_and_the_stored_row_stays() {
    let shop = Shop::open();
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann 10.00"]))]);
    let contradicting = Rows(CUSTOMERS, &["1 Anna 10.00", "2 Bob 1.00", "2 Bob 2.00", "1 Anne 10.00", "2 Bob 3.00"]);
    let report = shop.load(&[("profiles", contradicting)]);
    check(&report.tables["profiles"], "0 new, 0 changed, 0 same, 0 older, 5 refused");
    assert_eq!(shop.rows("profiles", &["id", "name"]), ["1 Ann"]);
    let keys: Vec<&str> = report.refusals.iter().map(|refusal| refusal.key.as_str()).collect();
    assert_eq!(keys, ["2", "1"]);
}

#[test]
fn of_several_files_the_later_wins_as_if_loaded_after_it() {
    let days = [Rows(CUSTOMERS, &["1 Ann 1.00", "2 Bob 1.00"]), Rows(CUSTOMERS, &["1 Ann 2.00", "2 Bob 1.00"])];
    let at_once = Shop::open();
    let report = at_once.publish(vec![input("profiles", &[&days[0], &days[1]])]).unwrap();
    check(&report.tables["profiles"], "2 new, 1 changed, 1 same, 0 older, 0 refused");
    let day_by_day = Shop::open();
    days.into_iter().for_each(|day| drop(day_by_day.load(&[("profiles", day)])));
    assert_eq!(at_once.rows("profiles", &["id", "spent"]), ["1 2.00", "2 1.00"]);
    assert_eq!(day_by_day.rows("profiles", &["id", "spent"]), ["1 2.00", "2 1.00"]);
}

#[test]
fn with_updated_at_the_youngest_row_wins_whenever_it_comes() {
    let shop = Shop::with(&SHOP.replace("key = \"id\"", "key = \"id\"\nupdated_at = \"seen\""));
    let columns: &[(&str, &str)] = &[("id", "id"), ("seen", "timestamp"), ("name", "text")];
    shop.load(&[("profiles", Rows(columns, &["1 2025-01-02T00:00:00Z B", "1 2025-01-03T00:00:00Z C"]))]);
    let report = shop.load(&[("profiles", Rows(columns, &["1 2025-01-01T00:00:00Z A"]))]);
    check(&report.tables["profiles"], "0 new, 0 changed, 0 same, 1 older, 0 refused");
    assert_eq!(shop.rows("profiles", &["id", "name"]), ["1 C"]);
}

#[test]
fn rows_without_a_key_are_a_multiset_of_the_larger_count() {
    let shop = Shop::open();
    let two = Rows(LINES, &["o1 lamp 1", "o1 lamp 1", "o1 sofa 1"]);
    shop.load(&[
        ("profiles", Rows(CUSTOMERS, &["1 Ann -"])),
        ("orders", Rows(ORDERS, &["o1 1 2025-01-01T10:00:00Z 9.00"])),
        ("lines", two),
    ]);
    assert_eq!(shop.rows("lines", &["order_id", "sku"]), ["o1 lamp", "o1 lamp", "o1 sofa"]);
    let report = shop.load(&[("lines", Rows(LINES, &["o1 lamp 1", "o1 lamp 1", "o1 lamp 1"]))]);
    check(&report.tables["lines"], "1 new, 0 changed, 2 same, 0 older, 0 refused");
    assert_eq!(shop.rows("lines", &["sku", "quantity"]), ["lamp 1", "lamp 1", "lamp 1", "sofa 1"]);
}

#[test]
fn a_row_waits_for_its_parent_and_is_attached_in_the_same_publish() {
    let shop = Shop::open();
    let report = shop.load(&[
        ("orders", Rows(ORDERS, &["o1 1 2025-01-01T10:00:00Z 9.00"])),
        ("lines", Rows(LINES, &["o1 lamp 1", "o2 sofa 1"])),
    ]);
    assert_eq!((report.tables["orders"].orphans, report.tables["lines"].orphans), (1, 2));
    assert_eq!(shop.snapshot().row_count("orders"), 0);
    let shop = shop.reopened();
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann -"]))]);
    assert_eq!(shop.rows("orders", &["order_id", "customer"]), ["o1 1"]);
    assert_eq!(shop.rows("lines", &["order_id", "sku", "__profile"]), ["o1 lamp 0"]);
    assert_eq!(shop.snapshot().orphan_count("lines"), 1);
}

#[test]
fn missing_parents_are_made_or_their_rows_refused_where_that_is_said() {
    let orders = || Rows(ORDERS, &["o1 7 2025-01-01T10:00:00Z 9.00", "o2 1 2025-01-01T10:00:00Z 1.00"]);
    let creating = Shop::with(&SHOP.replace("on = \"customer\"", "on = \"customer\"\nmissing_parent = \"create\""));
    let report = creating.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann -"])), ("orders", orders())]);
    assert_eq!(report.tables["profiles"].created, 1);
    assert_eq!(creating.rows("profiles", &["id", "name"]), ["1 Ann", "7 -"]);
    assert_eq!(creating.rows("orders", &["order_id", "customer"]), ["o2 1", "o1 7"]);

    let rejecting = Shop::with(&SHOP.replace("on = \"customer\"", "on = \"customer\"\nmissing_parent = \"reject\""));
    let report = rejecting.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann -"])), ("orders", orders())]);
    check(&report.tables["orders"], "1 new, 0 changed, 0 same, 0 older, 1 refused");
    assert_eq!(report.refusals[0].reason, "there is no row with this key in profiles");
}

#[test]
fn a_column_may_come_but_not_go_or_change_its_type() {
    let shop = Shop::open();
    shop.load(&[("profiles", Rows(&[("id", "id"), ("age", "int")], &["1 41"]))]);
    let gone = shop.publish(vec![input("profiles", &[&Rows(&[("id", "id")], &["2"])])]).unwrap_err();
    assert!(matches!(gone, Error::ColumnVanished { .. }));
    assert_eq!(gone.to_string(), "column `age` of `profiles` is missing in the files; nothing was changed");
    let other =
        shop.publish(vec![input("profiles", &[&Rows(&[("id", "id"), ("age", "text")], &["2 x"])])]).unwrap_err();
    assert_eq!(other.to_string(), "column `age` of `profiles` is int in the store and text in the files");
    shop.load(&[("profiles", Rows(&[("id", "id"), ("age", "int"), ("city", "text")], &["2 30 Delft"]))]);
    assert_eq!(shop.rows("profiles", &["id", "age", "city"]), ["1 41 -", "2 30 Delft"]);
}

#[test]
fn rows_of_a_lookup_that_come_one_by_one_stand_as_if_a_file_had_brought_them() {
    const PRODUCTS: &[(&str, &str)] = &[("sku", "id"), ("name", "text")];
    let (singly, at_once) = (Shop::open(), Shop::open());
    let file = || Rows(PRODUCTS, &["bed old", "lamp old", "sofa old"]);
    let came = || Rows(PRODUCTS, &["chair new", "lamp new", "table new", "armchair new"]);
    let customers = || ("profiles", Rows(&[("id", "id")], &["1"]));
    singly.load(&[customers(), ("products", file())]);
    let prepared = singly
        .store
        .prepare_rows(&singly.catalog, &[input("products", &[&came()])], Timestamp::from_micros(2))
        .unwrap();
    check(&prepared.report().tables["products"], "3 new, 1 changed, 0 same, 0 older, 0 refused");
    singly.state.write(|tx| prepared.commit(tx)).unwrap();
    singly.store.adopt_rows(prepared);
    at_once.load(&[customers(), ("products", file())]);
    at_once.load(&[("products", came())]);
    for shop in [&singly, &at_once] {
        assert_eq!(
            shop.rows("products", &["__row", "sku", "name"]),
            ["0 armchair new", "1 bed old", "2 chair new", "3 lamp new", "4 sofa old", "5 table new"]
        );
        assert_eq!(shop.snapshot().orphan_count("products"), 0);
    }
    assert_eq!(singly.snapshot().digest("products").unwrap(), at_once.snapshot().digest("products").unwrap());
}

#[test]
fn rows_that_come_after_all_that_came_have_gone_again_are_not_taken_for_them() {
    const ORDERS: &[(&str, &str)] = &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp")];
    let shop = Shop::open();
    let first: Vec<String> = (10..60).map(|order| format!("o{order} ann 2025-01-01T00:00:00Z")).collect();
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    shop.load(&[("profiles", Rows(&[("id", "id")], &["ann"])), ("orders", Rows(ORDERS, &first))]);
    shop.load(&[("orders", Rows(ORDERS, &["o8 ann 2025-01-01T00:00:00Z"]))]);
    let gone = input("orders", &[&Rows(ORDERS, &["o8 nobody 2025-01-01T00:00:00Z"])]);
    let prepared = shop.store.prepare_rows(&shop.catalog, &[gone], Timestamp::from_micros(2)).unwrap();
    shop.state.write(|tx| prepared.commit(tx)).unwrap();
    shop.store.adopt_rows(prepared);
    shop.load(&[("orders", Rows(ORDERS, &["o9 ann 2025-01-01T00:00:00Z"]))]);
    let stands = |shop: &Shop| {
        let orders = shop.rows("orders", &["order_id"]);
        assert_eq!((orders.len(), shop.snapshot().orphan_count("orders")), (51, 1));
        assert!(orders.contains(&"o9".to_owned()) && !orders.contains(&"o8".to_owned()), "{orders:?}");
    };
    stands(&shop);
    stands(&shop.reopened());
}
