//! One row per key: a flat file at the grain of its lines gives rows at the grain of a key.

use muster_ingest::Error;

use crate::world::{World, assert_adds_up, column, types};

const LINES: &str = "invoice,customer,at,changed,status,amount,city\n\
                     b,7,2025-01-01,2025-01-03,new,1.50,Delft\n\
                     a,7,2025-01-02,2025-01-02,new,2.25,\n\
                     b,7,2025-01-01,2025-01-05,sent,,\n\
                     b,8,2025-01-09,2025-01-04,packed,-0.50,Utrecht\n\
                     a,7,2025-01-02,2025-01-02,back,1.00,Breda\n";

fn orders(picks: &str) -> World {
    let tables = format!(
        "[tables.orders]\nsource = \"lines.csv\"\nkey = \"invoice\"\nparent = \"profiles\"\non = \"customer\"\ntime = \"at\"\n\
         one_row_per_key = true\n{picks}"
    );
    World::new(&tables).file("lines.csv", LINES)
}

#[test]
fn only_the_columns_that_make_sense_at_the_key_are_kept_in_the_order_of_first_appearance() {
    let load = orders("").load("orders");
    assert_adds_up(&load);
    assert_eq!(types(&load), ["invoice id", "customer id", "at timestamp"]);
    assert_eq!(column(&load, "invoice"), ["b", "a"]);
    assert_eq!(column(&load, "customer"), ["7", "7"]);
    assert_eq!((load.report.read, load.report.rows, load.report.merged), (5, 2, 3));
}

#[track_caller]
fn check(settings: &str, expected: [&str; 2]) {
    let (table, column_settings) = settings.split_once('|').unwrap();
    let load = orders(&format!("{table}\n[tables.orders.columns]\n{column_settings}")).load("orders");
    let name = column_settings.split(' ').next().unwrap();
    assert_eq!(column(&load, name), expected, "{settings}");
}

#[test]
fn without_a_time_of_change_the_order_of_loading_decides_and_nulls_do_not_count() {
    check("|status = { pick = \"first\" }", ["new", "new"]);
    check("|status = { pick = \"last\" }", ["packed", "back"]);
    check("|city = { pick = \"first\" }", ["Delft", "Breda"]);
    check("|city = { pick = \"last\" }", ["Utrecht", "Breda"]);
}

#[test]
fn with_a_time_of_change_it_decides_and_of_equal_ones_the_smallest_value() {
    check("updated_at = \"changed\"|status = { pick = \"first\" }", ["new", "back"]);
    check("updated_at = \"changed\"|status = { pick = \"last\" }", ["sent", "back"]);
    check("updated_at = \"changed\"|city = { pick = \"last\" }", ["Utrecht", "Breda"]);
}

#[test]
fn smallest_largest_and_sum_are_exact() {
    check("|amount = { type = \"decimal(9,2)\", pick = \"sum\" }", ["1.00", "3.25"]);
    check("|amount = { type = \"decimal(9,2)\", pick = \"min\" }", ["-0.50", "1.00"]);
    check("|amount = { type = \"decimal(9,2)\", pick = \"max\" }", ["1.50", "2.25"]);
    check("|customer = { pick = \"max\" }", ["8", "7"]);
}

#[test]
fn a_sum_that_leaves_its_type_is_an_error() {
    let world = orders("[tables.orders.columns]\namount = { type = \"decimal(3,2)\", pick = \"sum\" }\n")
        .file("lines.csv", LINES.replace("1.00", "9.00"));
    let Err(error) = world.load_watched("orders").0 else { panic!("the load must fail") };
    assert!(matches!(error, Error::SumTooLarge { .. }));
    assert_eq!(error.to_string(), "column `amount` of orders: the sum for key `a` does not fit its type decimal(3,2)");
}
