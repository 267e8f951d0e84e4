//! Which types columns get, and which columns a table has.

use muster_catalog::{ColumnNames, ColumnType};
use muster_ingest::{ColumnProblem, Error, Need, Origin};

use crate::world::{World, column, types};

const CUSTOMERS: &str = r#"
[tables.profiles]
source = "customers*.csv"
key = "customer_id"
created_at = "since"
[tables.profiles.columns]
postcode = { role = "postcode" }
born = { type = "date", format = "%d-%m-%Y", role = "birth_date", placeholder = ["01-01-1900"] }
mail = { from = "e-mail address", role = "email" }
tags = { type = "set" }
[tables.shops]
source = "shops.csv"
key = "shop"
lookup = { shops = "profiles.shop" }
"#;

const HEADER: &str = "customer_id,since,postcode,born,e-mail address,tags,shop,points,spent,note,vip,seen\n";
const ROW: &str = "0042,2020-01-01,1012,31-12-1980,a@b.example,b;a,7,12,1.5,007,true,2024-05-01T10:00:00Z\n";

#[test]
fn a_column_is_what_it_is_declared_or_used_or_looks_like() {
    let load = World::new(CUSTOMERS).file("customers.csv", format!("{HEADER}{ROW}")).load("profiles");
    assert_eq!(
        types(&load),
        [
            "customer_id id",
            "since timestamp",
            "postcode text",
            "born date",
            "mail text",
            "tags set",
            "shop id",
            "points int",
            "spent decimal(18,1)",
            "note text",
            "vip bool",
            "seen timestamp"
        ]
    );
    assert_eq!(column(&load, "customer_id"), ["0042"]);
    assert_eq!(column(&load, "tags"), ["[a, b]"]);
    assert_eq!(column(&load, "since"), ["2019-12-31T23:00:00Z"]);
    let origin = |name: &str| load.report.columns.iter().find(|column| column.name == name).unwrap().origin.clone();
    assert_eq!(origin("born"), Origin::Declared);
    assert_eq!(origin("customer_id"), Origin::Inferred("the key of the table".into()));
    assert_eq!(origin("shop"), Origin::Inferred("the key of shops".into()));
    assert_eq!(origin("postcode"), Origin::Inferred("its role".into()));
    assert_eq!(origin("points"), Origin::Inferred("whole numbers in the first 1 values".into()));
}

#[test]
fn row_27_placeholders_become_no_value_and_are_counted() {
    let unknown = ROW.replace("31-12-1980", "01-01-1900").replace("0042", "0043");
    let load = World::new(CUSTOMERS).file("customers.csv", format!("{HEADER}{ROW}{unknown}")).load("profiles");
    assert_eq!(column(&load, "born"), ["1980-12-31", ""]);
    let born = load.report.columns.iter().find(|column| column.name == "born").unwrap();
    assert_eq!((born.nulls, born.placeholders), (1, 1));
}

#[test]
fn what_an_earlier_load_inferred_stays() {
    let mut world = World::new(CUSTOMERS).file("customers.csv", format!("{HEADER}{ROW}"));
    world.known = vec![ColumnNames { name: "points".into(), column_type: ColumnType::Text, role: None }];
    let load = world.load("profiles");
    assert_eq!(types(&load)[..2], ["points text", "customer_id id"]);
    assert_eq!(load.report.columns[0].origin, Origin::Known);
}

#[test]
fn row_31_an_empty_field_is_no_value_and_a_quoted_empty_one_is_an_empty_text() {
    let world = World::new("").file("customers.csv", "customer_id,a,b\n1,,\"\"\n2,x,y\n");
    let load = world.load("profiles");
    assert_eq!(load.report.columns.iter().map(|column| column.nulls).collect::<Vec<_>>(), [0, 1, 0]);
}

#[test]
fn columns_may_come_in_any_order_and_new_ones_later() {
    let swapped = "b,customer_id,c\n2,z,3\n";
    let world = World::new("[tables.profiles]\nsource = \"customers*.csv\"\nkey = \"customer_id\"")
        .file("customers-1.csv", "customer_id,b\ny,1\n")
        .file("customers-2.csv", swapped);
    let load = world.load("profiles");
    assert_eq!(types(&load), ["customer_id id", "b int", "c int"]);
    assert_eq!(column(&load, "customer_id"), ["y", "z"]);
    assert_eq!(column(&load, "c"), ["", "3"]);
}

#[test]
fn row_41_a_column_that_vanishes_is_refused() {
    let world = World::new("[tables.profiles]\nsource = \"customers*.csv\"\nkey = \"customer_id\"")
        .file("customers-1.csv", "customer_id,city\ny,Delft\n")
        .file("customers-2.csv", "customer_id,town\nz,Delft\n");
    let message = world.failure("profiles").to_string();
    assert_eq!(
        message,
        "customers-2.csv: no column `city`, which was there before\n  hint: its columns: customer_id, town"
    );
}

#[test]
fn a_missing_column_is_named_with_the_nearest_there_is() {
    let world = World::new(CUSTOMERS).file("customers.csv", HEADER.replace("postcode", "post_code"));
    let message = world.failure("profiles").to_string();
    assert_eq!(message, "customers.csv: no column `postcode`, which is declared\n  hint: did you mean `post_code`?");
    let world = World::new("").file("customers.csv", "id,name\n");
    let missing = |needed| matches!(world.failure("profiles"), Error::Columns { problem: ColumnProblem::Missing { needed: found, .. }, .. } if found == needed);
    assert!(missing(Need::Structure));
}

#[test]
fn row_17_a_header_read_as_one_column_hints_at_the_delimiter() {
    let world = World::new("").file("customers.csv", "customer_id^name\n1^Ann\n");
    assert_eq!(
        world.failure("profiles").to_string(),
        "customers.csv: no column `customer_id`, which the table is built on\n  hint: the whole header was read as one column, `customer_id^name`; declare the `delimiter`"
    );
}

#[test]
fn row_10_11_names_that_differ_only_by_capitals_or_blanks_or_are_missing_are_refused() {
    let world = World::new("").file("customers.csv", "customer_id,E mail, email\n");
    assert_eq!(
        world.failure("profiles").to_string(),
        "customers.csv: columns of the same name (capitals and blanks aside): E mail, email\n  hint: rename the columns in the file"
    );
    let world = World::new("").file("customers.csv", "customer_id,,b\n");
    assert!(world.failure("profiles").to_string().starts_with("customers.csv: column 2 has no name"));
}

#[test]
fn a_format_that_is_none_is_refused() {
    let world = World::new(&CUSTOMERS.replace("%d-%m-%Y", "%d-%Q")).file("customers.csv", HEADER);
    assert!(world.failure("profiles").to_string().starts_with("column `born` of profiles: `%d-%Q` is no format"));
}
