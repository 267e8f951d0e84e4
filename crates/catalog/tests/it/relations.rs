//! What is checked over all tables: parents, circles, links.

use crate::world::{check, check_link, check_whole};

#[test]
fn a_parent_is_a_table_with_a_key() {
    check(
        r#"[tables.orders]
source = "orders.csv"
parent = "profile"
on = "customer"
"#,
        r#"muster.toml line 3, column 1: `parent` of [tables.orders] is "profile", and there is no such table
  hint: did you mean "profiles"?"#,
    );
    check(
        r#"[tables.orders]
source = "orders.csv"
parent = "customers"
on = "customer"
"#,
        r#"muster.toml line 3, column 1: `parent` of [tables.orders] is "customers", and there is no such table
  hint: tables: orders, profiles"#,
    );
    check(
        r#"[tables.orders]
source = "orders.csv"
parent = "profiles"
on = "customer"
[tables.lines]
source = "l.csv"
parent = "orders"
on = "order_id"
"#,
        r#"muster.toml line 7, column 1: `parent` of [tables.lines] is "orders", which has no `key` to refer to"#,
    );
    check_link(
        r#"{ products = "profiles.sku" }
[tables.orders]
source = "orders.csv"
parent = "products"
on = "customer""#,
        r#"muster.toml line 7, column 1: `parent` of [tables.orders] is "products", which is a lookup; history stands below profiles or other history"#,
    );
}

#[test]
fn a_circle_of_parents_is_printed_once_and_what_hangs_below_is_not_blamed() {
    check(
        r#"[tables.visits]
source = "x.csv"
key = "k"
parent = "carts"
on = "p"
[tables.carts]
source = "x.csv"
key = "k"
parent = "orders"
on = "p"
[tables.orders]
source = "x.csv"
key = "k"
parent = "carts"
on = "p"
"#,
        "muster.toml line 9, column 1: [tables.carts] is below itself: carts → orders → carts",
    );
    check(
        r#"[tables.orders]
source = "x.csv"
key = "k"
parent = "orders"
on = "p"
"#,
        "muster.toml line 4, column 1: [tables.orders] is below itself: orders → orders",
    );
}

#[test]
fn a_link_leads_from_a_column_of_a_table() {
    check_link(
        r#"{ products = "sku" }"#,
        r#"muster.toml line 4, column 12: the link `products` leads from "sku"; expected "table.column""#,
    );
    check_link(
        r#"{ products = "profiles." }"#,
        r#"muster.toml line 4, column 12: the link `products` leads from "profiles."; expected "table.column""#,
    );
    check_link(
        "{ products = 3 }",
        "muster.toml line 4, column 12: `products` in [tables.products.lookup] must be a text or a list of texts",
    );
    check_link(
        r#"{ products = "profile.sku" }"#,
        r#"muster.toml line 4, column 12: the link `products` leads from "profile", and there is no such table
  hint: did you mean "profiles"?"#,
    );
    check_link(
        r#"{ products = ["profiles.sku", "lines.sku"] }"#,
        r#"muster.toml line 4, column 12: the link `products` leads from "lines", and there is no such table
  hint: tables: products, profiles"#,
    );
    check_link(
        r#""profiles.sku""#,
        "muster.toml line 4, column 1: `lookup` in [tables.products] must be a section: [tables.products.lookup] or lookup = { … }",
    );
    check_link(
        "{}",
        r#"muster.toml line 4, column 1: [tables.products.lookup] names no link; expected { name = "table.column" }"#,
    );
    check_link(
        "{ products = [] }",
        r#"muster.toml line 4, column 12: the link `products` leads from nowhere; expected "table.column""#,
    );
}

#[test]
fn a_link_has_a_name_of_its_own() {
    check(
        r#"[tables.orders]
source = "orders.csv"
parent = "profiles"
on = "customer"
[tables.products]
source = "products.csv"
key = "sku"
lookup = { orders = "profiles.sku" }
"#,
        "muster.toml line 8, column 12: the link `orders` has the name of another table",
    );
    check_link(
        r#"{ products = ["profiles.bought", "profiles.wanted"] }"#,
        "muster.toml line 4, column 12: the link `products` leads twice from `profiles`; give each a name",
    );
    check_link(
        r#"{ item = "profiles.sku" }
[tables.stores]
source = "s.csv"
key = "id"
lookup = { item = "profiles.store" }"#,
        "muster.toml line 8, column 12: the link `item` leads to `products` already",
    );
    check_link(
        r#"{ Item = ["profiles.a", "profiles.b"] }"#,
        r#"muster.toml line 4, column 12: "Item" is no link name; expected small letters, digits and _, a letter first
muster.toml line 4, column 12: the link `Item` leads twice from `profiles`; give each a name"#,
    );
    check_link(
        r#"{ segments = "profiles.sku" }"#,
        r#"muster.toml line 4, column 12: "segments" is a name of muster's own; choose another"#,
    );
}

#[test]
fn a_workspace_has_a_root() {
    check_whole(
        r#"[workspace]
name = "shop"
[tables.customers]
source = "c.csv"
key = "id"
"#,
        r#"muster.toml line 1, column 1: [tables.profiles] is missing; the root of a workspace is always called profiles
muster.toml line 3, column 9: [tables.customers] has neither `parent` (a history table) nor `lookup` (a lookup); only [tables.profiles] is the root"#,
    );
}
