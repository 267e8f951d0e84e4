//! `purchase`: which rows are purchases, and what each is worth.

use muster_catalog::Catalog;

use crate::world::{check, check_orders, completed, read};

const ORDERS: &str =
    "[tables.orders]\nsource = \"o.csv\"\nkey = \"id\"\nparent = \"profiles\"\non = \"customer\"\ntime = \"at\"\n";

fn catalog(lines: &str) -> Catalog {
    let text = completed(&format!("{ORDERS}{lines}"));
    read(&text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// The table, value and condition.
fn purchases(catalog: &Catalog) -> Option<(&str, &str, Option<&str>)> {
    let (table, purchase) = catalog.purchases()?;
    Some((&table.name, &purchase.value, purchase.when.as_deref()))
}

#[test]
fn a_table_says_which_rows_are_purchases_and_what_they_are_worth() {
    let both = catalog("purchase = { value = \"total\", when = \"status NOT IN ('cancelled')\" }\n");
    assert_eq!(purchases(&both), Some(("orders", "total", Some("status NOT IN ('cancelled')"))));
    let value = catalog("[tables.orders.purchase]\nvalue = \" sum(lines.price)\"\n");
    assert_eq!(purchases(&value), Some(("orders", " sum(lines.price)", None)), "as it is written");
    assert_eq!(purchases(&catalog("")), None);
}

#[test]
fn the_texts_know_where_they_begin() {
    let catalog = catalog("purchase = { value = \"total\", when = '''\na = 1''' }\n");
    let purchase = catalog.table("orders").unwrap().purchase.clone().unwrap();
    assert_eq!(purchase.value_place.to_string(), "muster.toml line 7, column 23");
    assert_eq!(purchase.when_place.unwrap().to_string(), "muster.toml line 8, column 1");
}

#[test]
fn rows_below_those_with_a_time_are_purchases_too() {
    let lines = "[tables.lines]\nsource = \"l.csv\"\nparent = \"orders\"\non = \"order\"\n";
    let catalog = catalog(&format!("{lines}purchase = {{ value = \"price\" }}\n"));
    assert_eq!(purchases(&catalog), Some(("lines", "price", None)));
}

#[test]
fn a_purchase_has_a_value_and_every_text_says_something() {
    check_orders(
        "time = \"at\"\npurchase = { when = \"paid\" }",
        "muster.toml line 6, column 1: `value` is missing in [tables.orders.purchase]",
    );
    check_orders(
        "time = \"at\"\npurchase = { value = \"total\", when = \" \" }",
        "muster.toml line 6, column 31: `when` in [tables.orders.purchase] must be a text in quotes that is not empty",
    );
    check_orders(
        "time = \"at\"\npurchase = { value = 1 }",
        "muster.toml line 6, column 14: `value` in [tables.orders.purchase] must be a text in quotes that is not empty",
    );
    check_orders(
        "time = \"at\"\npurchase = \"total\"",
        "muster.toml line 6, column 1: `purchase` in [tables.orders] must be a section: [tables.orders.purchase] or purchase = { … }",
    );
    check_orders(
        "time = \"at\"\npurchase = { value = \"total\", wen = \"paid\" }",
        "muster.toml line 6, column 31: unknown key `wen` in [tables.orders.purchase]
  hint: did you mean `when`?",
    );
}

#[test]
fn only_a_history_in_time_has_purchases() {
    let history = "needs `parent`: only a history table has it
  hint: the rows of orders below profiles can be purchases";
    check(
        "[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\"\npurchase = { value = \"1\" }",
        &format!("muster.toml line 4, column 1: `purchase` in [tables.profiles] {history}"),
    );
    check(
        "[tables.goods]\nsource = \"g.csv\"\nkey = \"id\"\nlookup = { goods = \"profiles.good\" }\npurchase = { value = \"1\" }",
        &format!("muster.toml line 5, column 1: `purchase` in [tables.goods] {history}"),
    );
    check_orders(
        "purchase = { value = \"total\" }",
        "muster.toml line 5, column 1: `purchase` in [tables.orders] needs to know when: neither it nor a table above has `time`
  hint: time = \"placed_at\" names the column with the instant of a row",
    );
}

#[test]
fn a_second_table_of_purchases_is_one_too_many() {
    check_orders(
        "time = \"at\"
purchase = { value = \"total\" }
[tables.carts]
source = \"carts.csv\"
parent = \"profiles\"
on = \"customer\"
time = \"at\"
purchase = { value = \"total\" }",
        "muster.toml line 12, column 1: `purchase` in [tables.carts] is the second one; [tables.orders] has it already
  hint: one table says which rows are purchases",
    );
}

#[test]
fn where_what_is_above_is_not_known_nothing_is_said_of_time() {
    check(
        "[tables.a]\nsource = \"x\"\nkey = \"k\"\nparent = \"b\"\non = \"p\"\npurchase = { value = \"1\" }
[tables.b]\nsource = \"x\"\nkey = \"k\"\nparent = \"a\"\non = \"p\"",
        "muster.toml line 4, column 1: [tables.a] is below itself: a → b → a",
    );
}
