//! Out of the store again: a segment's profiles with a manifest, all tables, and an answer in every format.

use std::fs::{self, File};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::binary::{call, done, json, muster_in, rows};
use crate::world::corner_shop;

pub fn parquet(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

pub fn row_count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

fn names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|field| field.name().clone()).collect()
}

#[test]
fn a_segment_becomes_a_file_with_a_manifest_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lapsed.csv");
    let to = file.to_str().unwrap();
    done(corner_shop(), &["export", "lapsed", "--to", to, "--columns", "customer_id,email"]);
    let text = fs::read_to_string(&file).unwrap();
    let members = done(corner_shop(), &["segment", "lapsed", "--members"]);
    let keys: String = text.lines().skip(1).map(|line| format!("{}\n", line.split(',').next().unwrap())).collect();
    assert_eq!((text.lines().next().unwrap(), keys), ("customer_id,email", members));
    let manifest = fs::read(folder.path().join("lapsed.csv.manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        manifest,
        json!({
            "segment": "lapsed",
            "definition": "SELECT * FROM profiles WHERE count(orders) >= 2 AND max(orders.placed_at) < now() - INTERVAL '180 days'",
            "snapshot": 1,
            "as_of": "2025-06-30T12:00:00+02:00",
            "rows": 436,
            "columns": ["customer_id", "email"],
            "sha256": digest,
        })
    );
}

#[test]
fn the_name_of_the_file_says_how_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["top.csv", "top.ndjson", "top.parquet"] {
        let manifest = json(corner_shop(), &["export", "top_hundred", "--to", at(name).to_str().unwrap()]);
        assert_eq!(manifest["rows"], 100, "{name}");
    }
    let lines = fs::read_to_string(at("top.ndjson")).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((lines.lines().count(), first["customer_id"].is_string()), (100, true));
    assert_eq!(fs::read_to_string(at("top.csv")).unwrap().lines().count(), 101);
    assert_eq!(row_count(&parquet(&at("top.parquet"))), 100);
}

#[test]
fn an_export_that_fails_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, column, part) in
        [("top.xls", "email", "must end in .csv, .ndjson or .parquet"), ("top.csv", "emial", "did you mean `email`?")]
    {
        let to = folder.path().join(name);
        let arguments = ["export", "top_hundred", "--to", to.to_str().unwrap(), "--columns", column];
        let stderr = call(corner_shop(), arguments).ended_with(1).stderr;
        assert!(stderr.contains(part), "{stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn all_tables_are_exported_with_what_printed_sql_needs() {
    let folder = tempfile::tempdir().unwrap();
    done(corner_shop(), &["export", "--tables", folder.path().to_str().unwrap()]);
    let loaded = json(corner_shop(), &["status"]);
    for table in loaded["snapshot"]["tables"].as_array().unwrap() {
        let name = table["table"].as_str().unwrap();
        let batches = parquet(&folder.path().join(format!("{name}.parquet")));
        assert_eq!(row_count(&batches) as u64, table["rows"].as_u64().unwrap(), "{name}");
        assert!(names(&batches[0]).contains(&"__row".to_owned()), "{name}: {:?}", names(&batches[0]));
    }
}

#[test]
fn every_format_holds_the_same_rows() {
    let query = "SELECT customer_id, sum(orders.total) AS spent FROM profiles ORDER BY customer_id LIMIT 500";
    let folder = tempfile::tempdir().unwrap();
    let into = |format: &str| {
        let path = folder.path().join(format);
        let mut command = muster_in(corner_shop());
        command.args(["sql", "--format", format, "-c", query]).stdout(File::create(&path).unwrap());
        assert!(command.status().unwrap().success(), "{format}");
        path
    };
    let arrow: Vec<RecordBatch> =
        StreamReader::try_new(File::open(into("arrow")).unwrap(), None).unwrap().map(Result::unwrap).collect();
    assert_eq!((row_count(&arrow), row_count(&parquet(&into("parquet")))), (500, 500));
    let documents: Value = serde_json::from_reader(File::open(into("json")).unwrap()).unwrap();
    let keys = |rows: &Value| rows.as_array().unwrap().iter().map(|row| row["customer_id"].clone()).collect::<Vec<_>>();
    let csv = rows(corner_shop(), query);
    let first = |line: &String| Value::from(line.split(',').next().unwrap());
    assert_eq!(keys(&documents), csv.iter().map(first).collect::<Vec<_>>());
    assert_eq!(names(&arrow[0]), ["customer_id", "spent"]);
}
