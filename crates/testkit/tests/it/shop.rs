//! A shop of four customers, in Amsterdam, at noon of 30 June 2025.
//!
//! Ann (NL) ordered o1, o6, o2 and o3, Bob (BE) o4 and o5 at one instant; Cas (NL) and Dee (no country) never did.

use muster_catalog::{Column, ColumnType, Kind as TableKind, Table, Timestamp, parse, parse_local};
use muster_testkit::interpreter::{Kind, answer, members};
use muster_testkit::world::World;

const CATALOG: &str = r#"
[workspace]
name = "shop"
time_zone = "Europe/Amsterdam"
[tables.profiles]
source = "profiles.csv"
key = "customer_id"
[tables.profiles.columns]
customer_id = { type = "id" }
country = { type = "text" }
email = { type = "text" }
birth_date = { type = "date" }
store_id = { type = "id" }
interests = { type = "set" }
points = { type = "int" }
weight = { type = "float" }
[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer_id"
time = "placed_at"
[tables.orders.columns]
order_id = { type = "id" }
customer_id = { type = "id" }
placed_at = { type = "timestamp" }
channel = { type = "text" }
total = { type = "decimal(12,2)" }
rate = { type = "decimal(6,2)" }
store_id = { type = "id" }
[tables.order_lines]
source = "lines.csv"
key = "line_id"
parent = "orders"
on = "order_id"
[tables.order_lines.columns]
line_id = { type = "id" }
order_id = { type = "id" }
product_id = { type = "id" }
quantity = { type = "int" }
price = { type = "decimal(12,2)" }
[tables.carts]
source = "carts.csv"
key = "cart_id"
parent = "profiles"
on = "customer_id"
time = "created_at"
[tables.carts.columns]
cart_id = { type = "id" }
customer_id = { type = "id" }
created_at = { type = "timestamp" }
updated_at = { type = "timestamp" }
status = { type = "text" }
[tables.cart_lines]
source = "cart_lines.csv"
parent = "carts"
on = "cart_id"
[tables.cart_lines.columns]
cart_id = { type = "id" }
product_id = { type = "id" }
quantity = { type = "int" }
[tables.products]
source = "products.csv"
key = "product_id"
lookup = { products = ["order_lines.product_id", "cart_lines.product_id"] }
[tables.products.columns]
product_id = { type = "id" }
category = { type = "text" }
cost = { type = "decimal(12,2)" }
[tables.stores]
source = "stores.csv"
key = "store_id"
lookup = { home_site = "profiles.store_id", site = "orders.store_id" }
[tables.stores.columns]
store_id = { type = "id" }
city = { type = "text" }
[lists.staff]
source = "staff.csv"
key = "customer_id"
"#;

/// Noon of 30 June 2025 in Amsterdam.
pub fn now() -> Timestamp {
    instant("2025-06-30T12:00:00")
}

/// An instant as somebody in Amsterdam writes it.
pub fn instant(text: &str) -> Timestamp {
    parse_local(text, chrono_tz::Europe::Amsterdam).unwrap()
}

/// The shop.
pub fn shop() -> World {
    let mut catalog = parse("muster.toml", CATALOG).unwrap();
    let messages = system_table(catalog.table("orders").unwrap(), "messages", "profiles", "customer_id");
    catalog.tables.push(with_columns(messages, &["id", "customer_id", "channel"]));
    let responses = system_table(catalog.table("orders").unwrap(), "responses", "messages", "message_id");
    catalog.tables.push(with_columns(responses, &["id", "message_id", "kind"]));
    let mut world = World::new(catalog);
    add_people(&mut world);
    add_orders(&mut world);
    add_messages(&mut world);
    world.segment("vip", "WHERE sum(orders.total) >= 300");
    world.segment("unsubscribed", "WHERE email = 'bob@x.be'");
    world.segment("open_carts", "SELECT * FROM carts WHERE status = 'open'");
    world.segment("top", "SELECT * FROM profiles ORDER BY points DESC LIMIT 2");
    world.variables.insert("spent".to_owned(), "coalesce(sum(orders.total), 0.00)".to_owned());
    world
}

/// Tables that muster writes have names which no `muster.toml` may use.
fn system_table(like: &Table, name: &str, parent: &str, on: &str) -> Table {
    Table {
        name: name.to_owned(),
        kind: TableKind::History { parent: parent.to_owned(), on: on.to_owned() },
        key: Some("id".to_owned()),
        key_parts: vec!["id".to_owned()],
        on_parts: vec![on.to_owned()],
        time: Some("at".to_owned()),
        ..like.clone()
    }
}

fn with_columns(table: Table, texts: &[&str]) -> Table {
    let texts = texts.iter().map(|name| Column::typed(name, ColumnType::Text));
    Table { columns: texts.chain([Column::typed("at", ColumnType::Timestamp)]).collect(), ..table }
}

fn add_people(world: &mut World) {
    world.add(
        "profiles",
        "ann | NL | ann@x.nl | 2000-02-29 | s1 | sofas;lamps | 10 | 0.5
         bob | BE | bob@x.be | 1990-06-30 | s2 | lamps       | -  | 0.25
         cas | NL | ann@x.nl | -          | -  | -           | 30 | -
         dee | -  | -        | 1985-12-31 | s9 | -           | 20 | 2",
    );
    world.add("stores", "s1 | Utrecht\n s2 | Gent");
    world.add("lists.staff", "cas");
    world.add(
        "carts",
        "k1 | ann | 2025-03-01 09:00 | 2025-03-20 09:00 | open
         k2 | bob | 2025-06-20 09:00 | 2025-06-20 10:00 | open
         k3 | cas | 2025-06-29 09:00 | 2025-06-29 09:30 | closed",
    );
    world.add("cart_lines", "k1 | A | 1\n k2 | B | 2");
}

fn add_orders(world: &mut World) {
    world.add(
        "orders",
        "o5 | bob | 2025-06-01 10:00 | app   | -      | 1.00 | s1
         o4 | bob | 2025-06-01 10:00 | web   | 300.00 | 2.00 | s1
         o3 | ann | 2025-03-25 10:00 | store | 80.00  | -    | -
         o2 | ann | 2025-03-10 10:00 | web   | 200.00 | 1.00 | s2
         o6 | ann | 2025-02-10 10:00 | web   | 150.00 | 1.00 | s1
         o1 | ann | 2025-01-10 10:00 | web   | 120.00 | 1.10 | s1",
    );
    world.add(
        "order_lines",
        "l1 | o1 | A | 2 | 50.00
         l2 | o1 | C | 1 | 20.00
         l7 | o6 | C | 1 | 150.00
         l3 | o2 | B | 1 | 200.00
         l4 | o3 | B | 4 | 20.00
         l5 | o4 | A | 1 | 300.00
         l6 | o5 | X | 3 | -",
    );
    world.add("products", "A | Sofas | 30.00\n B | Cushions | 5.00\n C | Sofas | 10.00");
}

fn add_messages(world: &mut World) {
    world.add(
        "messages",
        "m1 | ann | email | 2025-05-01
         m2 | ann | email | 2025-05-10
         m3 | ann | sms   | 2025-05-11
         m4 | ann | email | 2025-05-20
         m5 | ann | email | 2025-05-30
         m6 | bob | email | 2025-05-01",
    );
    world.add("responses", "r1 | m1 | open | 2025-05-02\n r2 | m3 | open | 2025-05-12\n r3 | m6 | open | 2025-05-02");
}

/// The rows of an answer as text: values with a blank between them, rows with a comma.
pub fn rows_in(world: &World, query: &str) -> String {
    let answer = answer(world, query, now()).unwrap_or_else(|error| panic!("{query}\n{error}"));
    let row =
        |row: &Vec<muster_testkit::world::Value>| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    answer.rows.iter().map(row).collect::<Vec<_>>().join(", ")
}

/// A query and its rows.
#[track_caller]
pub fn rows(query: &str, expected: &str) {
    assert_eq!(rows_in(&shop(), query), expected, "{query}");
}

/// An expression for Ann, Bob, Cas and Dee.
#[track_caller]
pub fn each(expression: &str, expected: &str) {
    rows(&format!("SELECT {expression} FROM profiles"), expected);
}

/// An expression that is the same for everybody.
#[track_caller]
pub fn constant(expression: &str, expected: &str) {
    rows(&format!("SELECT {expression} FROM profiles LIMIT 1"), expected);
}

/// The keys of those for whom a condition is TRUE, or of the rows of a segment's query.
pub fn who_in(world: &World, definition: &str, instant: Timestamp) -> String {
    let selects = definition.trim_start().starts_with("SELECT");
    let whole = if selects { definition.to_owned() } else { format!("WHERE {definition}") };
    let keys = members(world, &whole, instant).unwrap_or_else(|error| panic!("{definition}\n{error}"));
    keys.iter().map(|key| key[0].to_string()).collect::<Vec<_>>().join(" ")
}

/// A condition, or a segment's query, and whom it holds.
#[track_caller]
pub fn who(definition: &str, expected: &str) {
    assert_eq!(who_in(&shop(), definition, now()), expected, "{definition}");
}

/// A query that is an error of this kind; the message is handed back.
#[track_caller]
pub fn fails(query: &str, kind: Kind) -> String {
    match answer(&shop(), query, now()) {
        Ok(answer) => panic!("{query}\nis no error: {answer:?}"),
        Err(error) => {
            assert_eq!(error.kind, kind, "{query}\n{error}");
            error.message
        }
    }
}

/// A condition over profiles that is an error of this kind.
#[track_caller]
pub fn wrong(condition: &str, kind: Kind) -> String {
    fails(&format!("SELECT customer_id FROM profiles WHERE {condition}"), kind)
}
