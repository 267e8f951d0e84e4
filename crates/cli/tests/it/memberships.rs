//! What was: fields as of an instant, in answers and in exported tables, and who came into a segment and who went.

use std::fs::{self, File};
use std::path::Path;

use arrow_array::cast::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::binary::{call, done, json, rows};
use crate::world::workspace_of;

const DEFINITION: &str = r#"
[workspace]
name = "moving"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30T12:00:00"

[tables.profiles]
source = "files/customers*.csv"
key = "id"
updated_at = "changed"
deleted = "gone"

[tables.profiles.columns]
id = { type = "id" }
city = { type = "text" }
changed = { type = "timestamp" }
gone = { type = "bool" }

[tables.orders]
source = "files/orders*.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
updated_at = "changed"

[tables.orders.columns]
order_id = { type = "id" }
customer = { type = "id" }
placed_at = { type = "timestamp" }
status = { type = "text" }
changed = { type = "timestamp" }

[tables.carts]
source = "files/carts*.csv"
key = "cart_id"
parent = "profiles"
on = "customer"
time = "opened_at"

[tables.carts.columns]
cart_id = { type = "id" }
customer = { type = "id" }
opened_at = { type = "timestamp" }
expected = { type = "date" }
"#;

const SOUTHERN: &str = "CREATE SEGMENT southern AS WHERE city IN ('Leuven', 'Gent');\n";

const JANUARY: [(&str, &str); 3] = [
    (
        "files/customers-1.csv",
        "id,city,changed,gone\nann,Delft,2025-01-01T00:00:00Z,false\nbob,Gent,2025-01-01T00:00:00Z,false\n\
         cas,Namur,2025-01-01T00:00:00Z,false\ndan,Namur,2025-01-01T00:00:00Z,false\n",
    ),
    (
        "files/orders-1.csv",
        "order_id,customer,placed_at,status,changed\no1,ann,2025-01-02T10:00:00Z,open,2025-01-02T10:00:00Z\n",
    ),
    ("files/carts-1.csv", "cart_id,customer,opened_at,expected\nc1,ann,2025-01-03T10:00:00Z,2025-02-01\n"),
];

const MAY: [(&str, &str); 3] = [
    ("files/customers-2.csv", "id,city,changed,gone\nann,Leuven,2025-03-01T00:00:00Z,false\n"),
    (
        "files/orders-2.csv",
        "order_id,customer,placed_at,status,changed\no1,ann,2025-01-02T10:00:00Z,sent,2025-04-01T00:00:00Z\n",
    ),
    ("files/carts-2.csv", "cart_id,customer,opened_at,expected\nc1,ann,2025-01-03T10:00:00Z,2025-07-01\n"),
];

/// Loaded in January and, with what had changed, in May: ann moved in March, her order was sent in April.
fn shop() -> TempDir {
    let folder = workspace_of(&[("muster.toml", DEFINITION), ("queries/southern.sql", SOUTHERN)]);
    write(folder.path(), &JANUARY);
    done(folder.path(), &["load", "--as-of", "2025-01-10"]);
    done(folder.path(), &["apply", "--as-of", "2025-01-11"]);
    write(folder.path(), &MAY);
    done(folder.path(), &["load", "--as-of", "2025-05-01"]);
    folder
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
        fs::write(dir.join(path), text).unwrap();
    }
}

const FIELDS: &str = "SELECT city, max(orders.status) AS status, max(carts.expected) AS expected,
                             segments.southern AS southern FROM profiles WHERE id = 'ann'";

#[test]
fn a_field_changed_by_a_second_load_is_what_it_was_before_between_and_after() {
    let shop = shop();
    for (as_of, expected) in [
        ("2025-02-01", "Delft,open,2025-02-01,false"),
        ("2025-03-15", "Leuven,open,2025-02-01,true"),
        ("2025-04-15", "Leuven,sent,2025-02-01,true"),
        ("2025-05-02", "Leuven,sent,2025-07-01,true"),
        ("2031-01-01", "Leuven,sent,2025-07-01,true"),
    ] {
        assert_eq!(rows(shop.path(), &format!("AS OF '{as_of}' {FIELDS}")), [expected], "{as_of}");
        let argument = done(shop.path(), &["--as-of", as_of, "sql", "--format", "csv", "-c", FIELDS]);
        assert_eq!(argument.lines().nth(1), Some(expected), "--as-of {as_of}");
    }
    assert_eq!(rows(shop.path(), FIELDS), ["Leuven,sent,2025-07-01,true"]);
}

/// The clock of this workspace stands still, so a load without an instant of its own changes fields at that instant.
#[test]
fn what_is_loaded_at_the_fixed_instant_is_seen_as_of_it() {
    let shop = shop();
    write(
        shop.path(),
        &[("files/carts-3.csv", "cart_id,customer,opened_at,expected\nc1,ann,2025-01-03T10:00:00Z,2025-08-01\n")],
    );
    done(shop.path(), &["load"]);
    assert_eq!(rows(shop.path(), "SELECT expected FROM carts"), ["2025-08-01"]);
    assert_eq!(rows(shop.path(), "AS OF '2025-06-30T11:59:59' SELECT expected FROM carts"), ["2025-07-01"]);
}

#[test]
fn a_deleted_profile_is_gone_as_of_every_instant() {
    let shop = shop();
    write(shop.path(), &[("files/customers-3.csv", "id,city,changed,gone\nann,Leuven,2025-06-01T00:00:00Z,true\n")]);
    done(shop.path(), &["load", "--accept", "loss"]);
    for as_of in ["2025-02-01", "2025-04-15", "2025-06-30"] {
        let left =
            rows(shop.path(), &format!("AS OF '{as_of}' SELECT id, count(orders) AS n FROM profiles ORDER BY id"));
        assert_eq!(left, ["bob,0", "cas,0", "dan,0"], "{as_of}");
    }
}

/// A column of an exported table, as texts.
fn exported(shop: &Path, as_of: &str, table: &str, column: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    done(shop, &["--as-of", as_of, "export", "--tables", folder.path().to_str().unwrap()]);
    let file = File::open(folder.path().join(format!("{table}.parquet"))).unwrap();
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let texts = |batch: arrow_array::RecordBatch| {
        let column = arrow_cast::cast(batch.column_by_name(column).unwrap(), &arrow_schema::DataType::Utf8).unwrap();
        column.as_string::<i32>().iter().map(|text| text.unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    batches.flat_map(|batch| texts(batch.unwrap())).collect()
}

#[test]
fn tables_are_exported_as_of_the_instant() {
    let shop = shop();
    for (as_of, city, status, expected) in [
        ("2025-02-01", "Delft", "open", "2025-02-01"),
        ("2025-04-15", "Leuven", "sent", "2025-02-01"),
        ("2025-06-01", "Leuven", "sent", "2025-07-01"),
    ] {
        assert_eq!(exported(shop.path(), as_of, "profiles", "city"), [city, "Gent", "Namur", "Namur"], "{as_of}");
        assert_eq!(exported(shop.path(), as_of, "orders", "status"), [status], "{as_of}");
        assert_eq!(exported(shop.path(), as_of, "carts", "expected"), [expected], "{as_of}");
    }
}

#[test]
fn the_history_of_a_segment_says_who_came_who_went_and_why() {
    let shop = shop();
    done(shop.path(), &["sql", "-c", "REFRESH SEGMENT southern"]);
    done(shop.path(), &["sql", "-c", "REFRESH SEGMENT southern"]);
    done(shop.path(), &["sql", "--as-of", "2025-04-01", "-c", "REFRESH SEGMENT southern"]);
    done(shop.path(), &["sql", "-c", "CREATE OR REPLACE SEGMENT southern AS WHERE city = 'Leuven'"]);
    let history = json(shop.path(), &["segment", "southern", "--history"]);
    let told = |row: &serde_json::Value| {
        let text = |column: &str| row[column].to_string().replace('"', "");
        let columns = ["number", "as_of", "refreshes", "profiles", "came", "went", "cause", "snapshot"];
        columns.map(text).join(" ")
    };
    assert_eq!(
        history.as_array().unwrap().iter().map(told).collect::<Vec<_>>(),
        [
            "1 2025-01-11T00:00:00+01:00 1 1 1 0 first 1",
            "2 2025-06-30T12:00:00+02:00 2 2 1 0 data 2",
            "3 2025-06-30T12:00:00+02:00 1 1 0 1 definition 2",
        ]
    );
    let table = done(shop.path(), &["segment", "SOUTHERN", "--history"]);
    assert!(table.contains("last_as_of") && table.contains("definition"), "{table}");
}

#[test]
fn the_history_of_a_dropped_segment_is_still_told() {
    let shop = shop();
    done(shop.path(), &["sql", "-c", "DROP SEGMENT southern"]);
    let history = json(shop.path(), &["segment", "southern", "--history"]);
    assert_eq!((history[1]["cause"].as_str(), history[1]["went"].as_u64()), (Some("dropped"), Some(1)));
    call(shop.path(), ["segment", "southern"]).ended_with(1);
    let unknown = call(shop.path(), ["segment", "suthern", "--history"]).ended_with(1).stderr;
    assert!(unknown.contains("there is no segment `suthern`"), "{unknown}");
    call(shop.path(), ["segment", "southern", "--history", "--members"]).ended_with(2);
}

#[test]
fn why_somebody_is_in_a_segment_is_told_as_a_table_and_as_one_document() {
    let shop = shop();
    done(shop.path(), &["sql", "-c", "CREATE SEGMENT waiting AS WHERE segments.southern AND count(orders) >= 2"]);
    let why = json(shop.path(), &["segment", "waiting", "--explain", "--for", "ann"]);
    assert_eq!((why["member"].as_bool(), why["key"].as_str()), (Some(false), Some("ann")));
    assert_eq!(why["as_of"].as_str(), Some("2025-06-30T12:00:00+02:00"));
    let condition = &why["condition"];
    assert_eq!((condition["joined"].as_str(), condition["truth"].as_bool()), (Some("AND"), Some(false)));
    let (southern, orders) = (&condition["parts"][0], &condition["parts"][1]);
    assert_eq!(southern["definition"]["condition"]["values"][0]["value"].as_str(), Some("Leuven"));
    assert_eq!(orders["turned_by"]["missing"]["text"].as_str(), Some("1 more row of orders"));
    assert_eq!(orders["values"][0]["value"].as_str(), Some("1"));
    let bob = json(shop.path(), &["segment", "waiting", "--for", "bob", "--as-of", "2025-02-01"]);
    assert_eq!(bob["condition"]["parts"][0]["truth"].as_bool(), Some(true), "{bob}");
    let table = done(shop.path(), &["segment", "waiting", "--for", "ann"]);
    assert!(table.contains("count(orders) >= 2") && table.contains("1 more row of orders"), "{table}");
    let unknown = call(shop.path(), ["segment", "waiting", "--for", "zoe"]).ended_with(1).stderr;
    assert!(unknown.contains("there is no row of `profiles` with the key `zoe`"), "{unknown}");
}

#[test]
fn a_segment_differs_by_another_definition_and_between_two_instants() {
    let shop = shop();
    let with = json(shop.path(), &["segment", "southern", "--with", "WHERE city = 'Namur' OR has(orders)"]);
    assert_eq!((with["before"].as_u64(), with["after"].as_u64()), (Some(2), Some(3)));
    assert_eq!(with["went"][0]["by"][0].as_str(), Some("city = 'Namur' OR has(orders)"));
    assert_eq!(with["came"].as_array().map(Vec::len), Some(2));
    let between = json(shop.path(), &["segment", "southern", "--from", "2025-02-01", "--to", "2025-04-01"]);
    assert_eq!(between["came"][0]["key"].as_str(), Some("ann"), "{between}");
    assert_eq!(between["came"][0]["by"][0].as_str(), Some("city IN ('Leuven', 'Gent')"));
    let since = done(shop.path(), &["segment", "southern", "--from", "2025-02-01", "--members"]);
    assert!(since.contains("ann") && since.contains("came"), "{since}");
    let counts = done(shop.path(), &["segment", "southern", "--from", "2025-02-01"]);
    assert!(counts.contains("profiles") && !counts.contains("ann"), "{counts}");
    call(shop.path(), ["segment", "southern", "--with", "WHERE TRUE", "--history"]).ended_with(2);
    call(shop.path(), ["segment", "southern", "--to", "2025-02-01"]).ended_with(2);
    call(shop.path(), ["segment", "southern", "--from", "soon"]).ended_with(1);
}
