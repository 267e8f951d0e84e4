//! Bad rows: each is told with its line, column, value and reason, and the others load.

use muster_ingest::{Error, RejectFile};

use crate::world::{World, assert_adds_up, column, lines};

const ORDERS: &str = r#"
[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer_id"
time = "placed_at"
[tables.orders.columns]
total = { type = "decimal(12,2)" }
"#;

#[track_caller]
fn check(content: &str, kept: &[&str], rejects: &[&str]) {
    let world = World::new(ORDERS).file("orders.csv", content);
    let (load, heard) = world.load_watched("orders");
    let load = load.unwrap();
    assert_adds_up(&load);
    assert_eq!(column(&load, "order_id"), kept);
    assert_eq!(lines(&heard), rejects);
}

#[test]
fn a_value_of_another_type_is_rejected_with_its_place() {
    check(
        "order_id,customer_id,placed_at,total\no1,c1,2025-01-01,1.50\no2,c1,31/02/2026,2\no3,c1,2025-01-03,1.505\n",
        &["o1"],
        &[
            "orders.csv line 3, placed_at: \"31/02/2026\" is not an instant; expected YYYY-MM-DD hh:mm:ss, seconds and offset optional",
            "orders.csv line 4, total: \"1.505\" has more than 2 digits after the point",
        ],
    );
}

#[test]
fn a_row_without_key_parent_or_time_is_rejected() {
    check(
        "order_id,customer_id,placed_at,total\n,c1,2025-01-01,1\no2,,2025-01-01,1\no3,c1,,1\no4,c1,2025-01-01,\n",
        &["o4"],
        &[
            "orders.csv line 2, order_id: \"\" is no key; every row needs one",
            "orders.csv line 3, customer_id: \"\" is no parent key; every row needs one",
            "orders.csv line 4, placed_at: \"\" is no time; every row needs one",
        ],
    );
}

#[test]
fn row_12_13_15_ragged_rows_and_odd_quotes_are_rejected_and_lines_stay_right() {
    check(
        "note,order_id,customer_id,placed_at,total\n\
         \"o\n1\",o1,c1,2025-01-01,1\n\
         x,o2,c1\n\
         x,o3,c1,2025-01-01,1,x\n\
         x,o4,c\"1,2025-01-01,1\n\
         \n\
         x,o5,c1,2025-01-01,x\n\
         x,o6,c1,2025-01-01,1\n",
        &["o1", "o6"],
        &[
            "orders.csv line 4, placed_at: \"x,o2,c1\" has 3 fields; expected 5, one for each column",
            "orders.csv line 5: \"x,o3,c1,2025-01-01,1,x\" has 6 fields; expected 5; is a delimiter inside a field not quoted?",
            "orders.csv line 6, customer_id: \"x,o4,c\"1,2025-01-01,1\" has a quote inside; expected the whole field in quotes and inner quotes doubled",
            "orders.csv line 8, total: \"x\" is not a decimal number; expected digits with an optional sign and point, like -1234.50",
        ],
    );
}

#[test]
fn row_14_an_unclosed_quote_is_rejected_from_its_line_on() {
    check(
        "order_id,customer_id,placed_at,total\no1,c1,2025-01-01,1\no2,\"c1,2025-01-01,1\no3,c1,2025-01-01,1\n",
        &["o1"],
        &[
            "orders.csv line 3, customer_id: \"o2,\"c1,2025-01-01,1\no3,c1,2025-01-01,1\n\" opens a quote that is never closed; the 2 lines up to the end of the file are lost",
        ],
    );
}

#[test]
fn row_04_bytes_that_are_no_utf_8_are_rejected_never_replaced() {
    let mut content = b"order_id,customer_id,placed_at,total\no1,c1,2025-01-01,1\no2,Ren".to_vec();
    content.extend(b"\xe9,2025-01-01,1\n");
    let world = World::new(ORDERS).file("orders.csv", content);
    let (load, heard) = world.load_watched("orders");
    assert_eq!(column(&load.unwrap(), "order_id"), ["o1"]);
    assert_eq!(
        heard[0].to_string(),
        "orders.csv line 3, customer_id: \"o2,Ren\u{fffd},2025-01-01,1\" is not UTF-8 at byte 4 of the field"
    );
}

#[test]
fn a_later_value_that_does_not_fit_an_inferred_type_says_how_to_declare_another() {
    let mut content = "order_id,customer_id,placed_at,total,weight\n".to_owned();
    for order in 0..10_000 {
        content += &format!("o{order},c1,2025-01-01,1,{order}\n");
    }
    let world = World::new(ORDERS).file("orders.csv", content + "last,c1,2025-01-01,1,heavy\n");
    let (load, heard) = world.load_watched("orders");
    assert_eq!(load.unwrap().report.rows, 10_000);
    assert_eq!(
        lines(&heard),
        ["orders.csv line 10002, weight: \"heavy\" is not a whole number; expected digits with an optional sign"]
    );
    assert_eq!(
        heard[0].hint().unwrap(),
        "`weight` was taken for int at the first load; to change that declare weight = { type = \"text\" }"
    );
}

#[test]
fn too_many_rejects_fail_the_load_and_all_are_told() {
    let rows: String = (0..1_001).map(|order| format!("o{order},c1,never,1\n")).collect();
    let content = format!("order_id,customer_id,placed_at,total\n{rows}good,c1,2025-01-01,1\n");
    let world = World::new(ORDERS).file("orders.csv", &content);
    let (load, heard) = world.load_watched("orders");
    assert_eq!(heard.len(), 1_001);
    let Err(Error::TooManyRejects(overrun)) = load else { panic!("the load must fail") };
    assert_eq!((overrun.read, overrun.rejected, overrun.budget), (1_002, 1_001, 1_000));
    let message = overrun.to_string();
    assert!(
        message.starts_with(
            "orders: 1001 of 1002 rows were rejected; the error budget is 1000\n  1001 × not an instant\n"
        ),
        "{message}"
    );

    let content = content.replacen("o0,c1,never", "o0,c1,2025-01-01", 1);
    assert_eq!(World::new(ORDERS).file("orders.csv", content).load("orders").report.rejected_rows(), 1_000);
}

#[test]
fn a_declared_budget_is_the_only_one() {
    let tables = ORDERS.replace("key = ", "error_budget = 0\nkey = ");
    let content = "order_id,customer_id,placed_at,total\no1,c1,never,1\no2,c1,2025-01-01,1\n";
    let world = World::new(&tables).file("orders.csv", content);
    assert!(matches!(world.failure("orders"), Error::TooManyRejects(overrun) if overrun.budget == 0));
}

#[test]
fn a_condition_on_a_number_rejects_what_is_none_and_counts_what_it_removes() {
    let tables = ORDERS.replace("key = ", "where = \"status <> 'test' AND total > 0\"\nkey = ");
    let content = "order_id,customer_id,placed_at,total,status\n\
                   o1,c1,2025-01-01,1,new\n\
                   o2,c1,2025-01-01,0,test\n\
                   o3,c1,2025-01-01,0,new\n\
                   o4,c1,2025-01-01,much,new\n\
                   o5,c1,2025-01-01,,new\n\
                   o6,c1,2025-01-01,5.00,new\n";
    let world = World::new(&tables).file("orders.csv", content);
    let (load, heard) = world.load_watched("orders");
    let load = load.unwrap();
    assert_adds_up(&load);
    assert_eq!(column(&load, "order_id"), ["o1", "o6"]);
    let filtered: Vec<_> = load.report.filtered.iter().map(|part| (part.condition.as_str(), part.rows)).collect();
    assert_eq!(filtered, [("status <> 'test'", 1), ("total > 0", 2)]);
    assert_eq!(lines(&heard), ["orders.csv line 5, total: \"much\" is no number, but `where` asks for total > 0"]);
}

#[test]
fn a_reject_file_is_csv_that_reads_back() {
    let world = World::new(ORDERS)
        .file("orders.csv", "order_id,customer_id,placed_at,total\no1,c1,\"1 \"\"May\"\", 2025\",1\n");
    let (_, heard) = world.load_watched("orders");
    let mut bytes = Vec::new();
    let mut file = RejectFile::new(&mut bytes).unwrap();
    file.write(&heard[0]).unwrap();
    file.finish().unwrap();
    let record = csv::Reader::from_reader(bytes.as_slice()).into_records().next().unwrap().unwrap();
    assert_eq!(record.iter().take(4).collect::<Vec<_>>(), ["orders.csv", "2", "placed_at", "1 \"May\", 2025"]);
}
