//! Rows 32 to 45: keys, repeated and similar ones, returns, currencies, columns over time, formulas.

use muster_catalog::{ColumnNames, ColumnType};
use muster_ingest::{Collision, Flag};

use super::{flagged, profiles, read, refusal};
use crate::world::{World, assert_adds_up, column, lines};

#[test]
fn row_32_keys_lose_what_nobody_sees_and_are_composed() {
    let (load, _) = read("", "id,name\n\u{a0}A1\u{200b},x\nB\u{ad}2,y\nJose\u{301},z\nplain,p\n");
    assert_eq!(column(&load, "id"), ["A1", "B2", "José", "plain"]);
    assert_eq!(flagged(&load, Flag::NormalizedKey), 3);
}

#[test]
fn row_32_other_texts_stay_as_they_are_and_control_characters_are_rejected() {
    let (load, rejects) =
        read("", "id,name\n1, Ann\u{a0}\u{202e}\n2,A\u{1b}[31m\n3,\u{7f}\nA\u{0}4,x\n".replace('\0', "\u{1}"));
    assert_eq!(column(&load, "name"), [" Ann\u{a0}\u{202e}"]);
    assert_eq!(rejects.len(), 3);
    assert_eq!(rejects[0], "c.csv line 3, name: \"2,A\u{1b}[31m\" holds a control character".replace("2,", ""));
    assert!(
        refusal("", "id,na\u{7}me\n").starts_with("c.csv: the column name \"na\\u{7}me\" holds a control character")
    );
}

#[test]
fn row_33_equal_rows_of_a_key_all_arrive_for_the_store_to_count() {
    let (load, _) = read("", "id,name\n1,Ann\n1,Ann\n");
    assert_eq!((load.report.rows, column(&load, "id")), (2, vec!["1".to_owned(), "1".to_owned()]));
}

#[test]
fn row_34_different_rows_of_a_key_arrive_in_their_order_with_their_time_of_change() {
    let settings = "updated_at = \"changed\"\n";
    let (load, _) = read(settings, "id,name,changed\n1,Bob,2025-02-01\n1,Ann,2025-01-01\n");
    assert_eq!(column(&load, "name"), ["Bob", "Ann"]);
    assert_eq!(column(&load, "changed"), ["2025-01-31T23:00:00Z", "2024-12-31T23:00:00Z"]);
}

#[test]
fn row_35_keys_that_differ_only_by_capitals_stay_apart_and_are_told() {
    let (load, _) = read("", "id,name\nann,a\nANN,b\nbob,c\nAnn,d\nann,e\n");
    assert_eq!(column(&load, "id"), ["ann", "ANN", "bob", "Ann", "ann"]);
    assert_eq!(flagged(&load, Flag::Collision), 2);
    let told = |second: &str| Collision { first: "ann".to_owned(), second: second.to_owned() };
    assert_eq!(load.report.collisions, [told("ANN"), told("Ann")]);
}

#[test]
fn row_35_equal_keys_and_numbers_are_no_collision() {
    let (load, _) = read("", "id,name\nann,a\nann,b\n1,c\n1,d\n");
    assert_eq!((load.report.collisions.len(), flagged(&load, Flag::Collision)), (0, 0));
}

const ORDERS: &str = "[tables.orders]\nsource = \"o.csv\"\nkey = \"order\"\nparent = \"profiles\"\non = \"customer\"\n\
                      [tables.orders.columns]\ntotal = { type = \"decimal(9,2)\" }\nquantity = { type = \"int\" }\n";

#[test]
fn row_37_returns_and_free_lines_are_rows_like_any_other_and_counted() {
    let content = "order,customer,quantity,total\no1,1,2,10.00\no2,1,-2,-10.00\no3,1,1,0\no4,1,1,-0.01\n";
    let load = World::new(ORDERS).file("o.csv", content).load("orders");
    assert_adds_up(&load);
    assert_eq!(column(&load, "total"), ["10.00", "-10.00", "0.00", "-0.01"]);
    assert_eq!(flagged(&load, Flag::Return), 2);
}

#[test]
fn row_37_a_balance_of_a_profile_is_no_return() {
    let settings = "[tables.profiles.columns]\nbalance = { type = \"decimal(9,2)\" }\n";
    let (load, _) = read(settings, "id,balance\n1,-5\n");
    assert_eq!((column(&load, "balance"), load.report.flags.len()), (vec!["-5.00".to_owned()], 0));
}

#[test]
fn row_38_a_return_before_its_sale_and_above_its_amount_is_accepted_as_it_is() {
    let tables = ORDERS.replace("key = ", "time = \"at\"\nkey = ");
    let content = "order,customer,quantity,total,at\nr1,1,-3,-30.00,2025-01-01\no1,1,1,10.00,2025-02-01\n";
    let load = World::new(&tables).file("o.csv", content).load("orders");
    assert_eq!((column(&load, "quantity"), flagged(&load, Flag::Return)), (vec!["-3".to_owned(), "1".to_owned()], 1));
}

#[test]
fn row_38_a_return_without_its_key_is_rejected_like_any_row() {
    let (load, rejects) =
        World::new(ORDERS).file("o.csv", "order,customer,quantity,total\n,1,-3,-30.00\n").load_watched("orders");
    assert_eq!((load.unwrap().report.flags.len(), rejects.len()), (0, 1));
}

#[test]
fn row_39_amounts_in_another_currency_or_in_none_are_rejected_never_summed() {
    let tables = ORDERS.replace("decimal(9,2)\" }", "decimal(9,2)\", currency_from = \"currency\" }");
    let content =
        "order,customer,quantity,total,currency\no1,1,1,10.00,EUR\no2,1,1,11.00,USD\no3,1,1,12.00,\no4,1,1,,USD\n";
    let (load, rejects) = World::new(&tables).file("o.csv", content).load_watched("orders");
    let load = load.unwrap();
    assert_adds_up(&load);
    assert_eq!(column(&load, "order"), ["o1", "o4"], "without an amount nothing is summed");
    assert_eq!(
        lines(&rejects),
        [
            "o.csv line 3, total: \"11.00\" is an amount in USD; expected EUR",
            "o.csv line 4, total: \"12.00\" is an amount without currency; expected EUR"
        ]
    );
    let world = World::new(&tables).file("o.csv", "order,customer,quantity,total\n");
    assert!(world.failure("orders").to_string().contains("no column `currency`, which `currency_from` names"));
}

#[test]
fn row_39_amounts_in_the_workspaces_currency_are_read() {
    let tables = ORDERS.replace("decimal(9,2)\" }", "decimal(9,2)\", currency_from = \"currency\" }");
    let content = "order,customer,quantity,total,currency\no1,1,1,10.00, eur \n";
    assert_eq!(column(&World::new(&tables).file("o.csv", content).load("orders"), "total"), ["10.00"]);
}

#[test]
fn row_40_a_value_that_no_longer_fits_is_rejected_with_how_to_declare_another_type() {
    let mut world = World::new(&profiles("")).file("c.csv", "id,points\n1,7\n2,7.5\n");
    world.known = vec![ColumnNames { name: "points".into(), column_type: ColumnType::Int, role: None }];
    let (load, rejects) = world.load_watched("profiles");
    assert_eq!(column(&load.unwrap(), "points"), ["7"]);
    assert_eq!(lines(&rejects).len(), 1);
    assert!(rejects[0].hint().unwrap().starts_with("`points` was taken for int at the first load"));
}

#[test]
fn row_40_a_known_type_stays_whatever_the_file_looks_like() {
    let mut world = World::new(&profiles("")).file("c.csv", "id,points\n1,7\n");
    world.known = vec![ColumnNames { name: "points".into(), column_type: ColumnType::Text, role: None }];
    assert_eq!(world.load("profiles").columns[0].column_type, ColumnType::Text);
}

#[test]
fn row_41_a_column_that_is_gone_is_refused() {
    let mut world = World::new(&profiles("")).file("c.csv", "id\n1\n");
    world.known = vec![ColumnNames { name: "city".into(), column_type: ColumnType::Text, role: None }];
    assert!(world.failure("profiles").to_string().starts_with("c.csv: no column `city`, which was there before"));
}

#[test]
fn row_41_a_column_that_may_be_gone_has_no_values() {
    let settings = "[tables.profiles.columns]\ncity = { type = \"text\", optional = true }\n";
    let mut world = World::new(&profiles(settings)).file("c.csv", "id\n1\n");
    world.known = vec![ColumnNames { name: "city".into(), column_type: ColumnType::Text, role: None }];
    assert_eq!(column(&world.load("profiles"), "city"), [""]);
}

#[test]
fn row_45_formulas_are_texts() {
    let (load, _) = read("", "id,name\n1,\"=HYPERLINK(\"\"http://x\"\")\"\n2,+1\n3,@SUM(A1)\n4,-cmd|' /C calc'!A0\n");
    assert_eq!(column(&load, "name"), ["=HYPERLINK(\"http://x\")", "+1", "@SUM(A1)", "-cmd|' /C calc'!A0"]);
}

#[test]
fn row_45_a_formula_in_a_column_of_numbers_is_rejected() {
    let settings = "[tables.profiles.columns]\nn = { type = \"int\" }\n";
    let (_, rejects) = read(settings, "id,n\n1,=1+1\n");
    assert_eq!(rejects, ["c.csv line 2, n: \"=1+1\" is not a whole number; expected digits with an optional sign"]);
}
