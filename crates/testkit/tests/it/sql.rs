//! What else a query over one table may have.

use muster_catalog::{ColumnType, parse};
use muster_testkit::interpreter::{answer, members};
use muster_testkit::world::{Rows, Value, World};

use crate::shop::{now, rows, shop};

#[test]
fn a_star_is_the_columns_of_the_grain_in_their_order() {
    let answer = answer(&shop(), "SELECT *, 1 AS one FROM carts LIMIT 1", now()).unwrap();
    assert_eq!(answer.columns, ["cart_id", "customer_id", "created_at", "updated_at", "status", "one"]);
    assert_eq!(answer.rows[0][4..], [Value::text("open"), Value::Int(1)]);
    rows("SELECT s.* FROM stores AS s", "s1 Utrecht, s2 Gent");
}

#[test]
fn groups_keep_null_as_a_value() {
    rows("SELECT country, count(*), sum(points) FROM profiles GROUP BY country", "NL 2 40, BE 1 NULL, NULL 1 20");
    rows("SELECT upper(country) AS c, count(*) FROM profiles GROUP BY c HAVING count(*) > 1", "NL 2");
    rows(
        "SELECT country, count(*) AS n FROM profiles GROUP BY profiles.country ORDER BY n DESC, country LIMIT 2",
        "NL 2, BE 1",
    );
    rows("SELECT count(*) FROM profiles WHERE FALSE", "0");
    rows("SELECT country, count(*) FROM profiles WHERE FALSE GROUP BY country", "");
}

#[test]
fn distinct_rows_are_shown_once() {
    rows("SELECT DISTINCT country FROM profiles ORDER BY country", "BE, NL, NULL");
    rows("SELECT DISTINCT country FROM profiles LIMIT 1 OFFSET 2", "NULL");
}

/// Rows without a key and of one instant stand by their content, no value first.
#[test]
fn rows_without_a_key_stand_in_the_order_of_their_content() {
    let mut world = shop();
    world.add("cart_lines", "k1 | C | 2\n k1 | - | 1\n k1 | A | -\n k1 | A | 1\n k1 | B | 7");
    let answer = answer(&world, "SELECT product_id, quantity FROM cart_lines WHERE cart_id = 'k1'", now()).unwrap();
    let rows: Vec<String> = answer.rows.iter().map(|row| format!("{} {}", row[0], row[1])).collect();
    assert_eq!(rows, ["NULL 1", "A NULL", "A 1", "A 1", "B 7", "C 2"]);
}

/// A world may be filled from anywhere, and its columns are what it says they are.
#[test]
fn a_world_may_be_filled_from_anywhere() {
    let mut world = shop();
    let columns = vec![("store_id".to_owned(), ColumnType::Id), ("floor".to_owned(), ColumnType::Int)];
    world.tables.insert("stores".to_owned(), Rows { columns, rows: vec![vec![Value::text("s2"), Value::Int(3)]] });
    let answer = answer(&world, "SELECT customer_id FROM profiles WHERE home_site.floor = 3", now()).unwrap();
    assert_eq!(answer.rows, [[Value::text("bob")]]);
}

const TWO_PARTS: &str = r#"
[workspace]
name = "two"
[tables.profiles]
source = "p.csv"
key = ["shop", "number"]
[tables.profiles.columns]
shop = { type = "id" }
number = { type = "id" }
[tables.orders]
source = "o.csv"
key = "order_id"
parent = "profiles"
on = ["at_shop", "customer"]
[tables.orders.columns]
order_id = { type = "id" }
at_shop = { type = "id" }
customer = { type = "id" }
"#;

/// Number 1 of shop a and number 1 of shop b are two people; of number 3 nobody knows, so nobody has o4.
#[test]
fn a_key_may_have_several_parts() {
    let mut world = World::new(parse("muster.toml", TWO_PARTS).unwrap());
    world.add("profiles", "b | 1\n a | 2\n a | 1");
    world.add("orders", "o1 | a | 1\n o2 | b | 1\n o3 | a | 1\n o4 | a | 3");
    let answer = answer(&world, "SELECT shop, number, count(orders) FROM profiles", now()).unwrap();
    let rows: Vec<String> = answer.rows.iter().map(|row| format!("{} {} {}", row[0], row[1], row[2])).collect();
    assert_eq!(rows, ["a 1 2", "a 2 0", "b 1 1"]);
    let keys = members(&world, "WHERE NOT has(orders)", now()).unwrap();
    assert_eq!(keys, [[Value::text("a"), Value::text("2")]]);
    let keys = members(&world, "SELECT * FROM orders", now()).unwrap();
    assert_eq!(keys, [[Value::text("o1")], [Value::text("o3")], [Value::text("o2")]]);
}
