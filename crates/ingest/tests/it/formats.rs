//! Kinds of files: delimiters, line ends, marks, compression, Parquet, and what is no source.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use muster_ingest::{digest, expand_sources};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use crate::world::{World, assert_adds_up, column, gzip, lines, types};

fn source(name: &str) -> String {
    format!("[tables.profiles]\nsource = \"{name}\"\nkey = \"id\"\n")
}

#[track_caller]
fn check(tables: &str, name: &str, content: impl AsRef<[u8]>) {
    let load = World::new(tables).file(name, content).load("profiles");
    assert_eq!(column(&load, "id"), ["1", "2"]);
    assert_eq!(column(&load, "name"), ["Ann", "Bob"]);
}

#[test]
fn row_01_06_07_17_delimiters_line_ends_and_marks_are_found_by_looking() {
    for content in [
        "id,name\n1,Ann\n2,Bob\n",
        "id;name\r\n1;Ann\r\n2;Bob",
        "id\tname\r1\tAnn\r2\tBob\r",
        " id | name \n1|Ann\n\n2|Bob\n",
        "\u{feff}id,name\n1,Ann\n2,Bob\n",
        "\u{feff}\"id\",\"name\"\n1,\"Ann\"\n2,Bob\n",
    ] {
        check(&source("c.csv"), "c.csv", content);
    }
}

#[test]
fn a_declared_delimiter_is_not_sniffed() {
    check(&(source("c.csv") + "delimiter = \"^\"\n"), "c.csv", "id^name\n1^Ann\n2^Bob\n");
}

#[test]
fn a_file_without_header_takes_its_names_from_the_table() {
    let tables = source("c.csv") + "header = false\nnames = [\"id\", \"name\"]\n";
    check(&tables, "c.csv", "1,Ann\n2,Bob\n");
    let message = World::new(&tables).file("c.csv", "1,Ann,x\n").failure("profiles").to_string();
    assert!(message.starts_with("c.csv: 3 columns, but `names` has 2"), "{message}");
}

#[test]
fn runs_of_blanks_separate_where_they_are_declared_to() {
    check(&(source("c.txt") + "blanks = true\n"), "c.txt", "  id   name\r\n  1 Ann\r\n\t2\t Bob  \r\n   \r\n");
}

#[test]
fn row_08_an_empty_file_and_a_bare_header_have_no_rows() {
    for content in ["", "id,name\n", "id,name"] {
        let load = World::new(&source("c.csv")).file("c.csv", content).load("profiles");
        assert_eq!((load.report.read, load.batches.len()), (0, 0), "{content:?}");
        assert_eq!(types(&load)[0], "id id");
    }
}

#[test]
fn a_pattern_that_names_nothing_is_an_error_with_the_nearest_name() {
    let world = World::new(&source("data/custmers.csv")).file("data/customers.csv", "id\n");
    let message = world.failure("profiles").to_string();
    assert!(message.starts_with("no file matches `data/custmers.csv` in "), "{message}");
    assert!(message.ends_with("\n  hint: did you mean `data/customers.csv`?"), "{message}");
}

#[test]
fn files_come_in_the_order_of_their_names_and_with_their_digests() {
    let world = World::new(&source("days/*.csv"))
        .file("days/02.csv", "id,name\n2,Bob\n")
        .file("days/01.csv", "id,name\n1,Ann\n")
        .file("days/.hidden.csv", "id,name\n3,Eve\n")
        .file("days/more/03.csv", "id,name\n3,Eve\n");
    let load = world.load("profiles");
    assert_eq!(column(&load, "id"), ["1", "2"]);
    let files: Vec<_> = load.report.files.iter().map(|file| (file.name.as_str(), file.bytes, file.read)).collect();
    assert_eq!(files, [("days/01.csv", 14, 1), ("days/02.csv", 14, 1)]);
    assert_eq!(
        load.report.files[0].digest.to_string(),
        "989c49555a5d16a53fb4326345ad882810fdff232405e0803c8fd5f1df2b1dfc",
    );
}

#[test]
fn the_digest_is_of_the_bytes_on_disk() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("c.csv.gz"), gzip(b"id\n1\n")).unwrap();
    let files = expand_sources(folder.path(), "c.csv.gz").unwrap();
    let world = World::new(&source("c.csv.gz"));
    let (load, _) = world.load_from("profiles", folder.path());
    assert_eq!(load.unwrap().report.files[0].digest, digest(&files[0]).unwrap());
}

fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

const PARQUET_ORDERS: &str = r#"
[tables.orders]
source = "orders.parquet"
key = "id"
parent = "profiles"
on = "customer"
time = "placed"
where = "status <> 'test' AND amount > 0"
[tables.orders.columns]
customer = { type = "id", integral = true }
amount = { type = "decimal(9,2)" }
"#;

#[test]
fn parquet_is_typed_filtered_and_rejected_like_text() {
    let folder = TempDir::new().unwrap();
    let noon = 1_751_284_800_000;
    write_parquet(
        &folder.path().join("orders.parquet"),
        vec![
            ("id", Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3), None, Some(5)]))),
            ("customer", Arc::new(Float64Array::from(vec![17850.0, 17850.0, 12.5, 7.0, 8.0]))),
            ("placed", Arc::new(TimestampMillisecondArray::from(vec![noon; 5]))),
            ("amount", Arc::new(Float64Array::from(vec![2.55, -1.0, 1.0, 1.0, 0.125]))),
            ("status", Arc::new(StringArray::from(vec!["new", "new", "new", "new", "new"]))),
        ],
    );
    let world = World::new(PARQUET_ORDERS);
    let (load, heard) = world.load_from("orders", folder.path());
    let load = load.unwrap();
    assert_adds_up(&load);
    assert_eq!(types(&load), ["id id", "customer id", "placed timestamp", "amount decimal(9,2)", "status text"]);
    assert_eq!(column(&load, "customer"), ["17850"]);
    assert_eq!(column(&load, "placed"), ["2025-06-30T10:00:00Z"]);
    assert_eq!(load.report.filtered.iter().map(|part| part.rows).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(
        lines(&heard),
        [
            "orders.parquet line 3, customer: \"12.5\" is not an id; expected a whole number",
            "orders.parquet line 4, id: \"\" is no key; every row needs one",
            "orders.parquet line 5, amount: \"0.125\" has more than 2 digits after the point",
        ]
    );
}
