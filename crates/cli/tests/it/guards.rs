//! Loads that look like a mistake: refused with the figure and the way to have them done all the same.

use std::fs::{self, File};
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::binary::{call, done, json, rows};
use crate::world::{digests, workspace_of};

const SHOP: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"
deleted = "gone"

[tables.stores]
source = "files/stores*.csv"
key = "store"
lookup = { home = "profiles.store" }
mode = "replace"
"#;

fn shop(stores: &str) -> TempDir {
    let customers = format!("id,store,phone,gone\n{}", lines(0..10, |id| format!("{id},s0,01{id},0")));
    workspace_of(&[("muster.toml", SHOP), ("files/customers.csv", &customers), ("files/stores.csv", stores)])
}

fn lines(numbers: std::ops::Range<u32>, line: impl Fn(u32) -> String) -> String {
    numbers.map(|number| line(number) + "\n").collect()
}

fn stores(numbers: std::ops::Range<u32>) -> String {
    format!("store,city\n{}", lines(numbers, |number| format!("s{number},Delft")))
}

/// Everything that a workspace holds, but for the log of openings.
fn everything(dir: &Path) -> (Vec<(String, String)>, Vec<String>) {
    let mut files: Vec<String> = fs::read_dir(dir.join("data/blocks"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    (digests(dir).into_iter().collect(), files)
}

/// Refused with 4, and nothing was changed.
#[track_caller]
fn refused(dir: &Path, arguments: &[&str], parts: &[&str]) {
    let before = everything(dir);
    let said = call(dir, arguments).ended_with(4).stderr;
    for part in parts {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(everything(dir), before);
    assert!(!dir.join("data/rejects").exists());
}

#[test]
fn a_full_file_replaces_the_table_and_what_it_does_not_have_goes() {
    let shop = shop(&stores(0..10));
    let dir = shop.path();
    done(dir, &["load"]);
    fs::write(dir.join("files/stores.csv"), stores(3..11)).unwrap();
    let said = done(dir, &["load"]);
    assert!(said.contains("1 new\n") && said.contains("3 deleted\n") && said.contains("8 rows now\n"), "{said}");
    assert_eq!(rows(dir, "SELECT count(*) FROM stores WHERE store = 's0'"), ["0"]);
}

#[test]
fn a_table_that_is_replaced_goes_back_to_a_file_that_was_there_before() {
    let shop = shop(&stores(0..10));
    let dir = shop.path();
    done(dir, &["load"]);
    fs::write(dir.join("files/stores.csv"), stores(0..9)).unwrap();
    done(dir, &["load"]);
    assert!(done(dir, &["load"]).ends_with("nothing new\n"));
    fs::write(dir.join("files/stores.csv"), stores(0..10)).unwrap();
    assert_eq!(json(dir, &["load"])["tables"][0]["stored"]["new"], 1);
    assert_eq!(rows(dir, "SELECT count(*) FROM stores"), ["10"]);
}

#[test]
fn a_table_that_is_replaced_is_what_all_its_files_say_also_if_one_is_known() {
    let shop = shop(&stores(0..5));
    let dir = shop.path();
    fs::write(dir.join("files/stores-2.csv"), stores(5..10)).unwrap();
    done(dir, &["load"]);
    fs::write(dir.join("files/stores-2.csv"), stores(5..11)).unwrap();
    let report = json(dir, &["load"]);
    assert_eq!((&report["tables"][0]["files"], &report["tables"][0]["stored"]["deleted"]), (&json!(2), &json!(0)));
    assert_eq!(rows(dir, "SELECT count(*) FROM stores"), ["11"]);
}

#[test]
fn row_42_a_full_file_with_more_than_thirty_percent_fewer_rows_is_held_up() {
    let shop = shop(&stores(0..10));
    let dir = shop.path();
    done(dir, &["load"]);
    fs::write(dir.join("files/stores.csv"), stores(0..6)).unwrap();
    let what =
        "error: stores: its files have 6 rows, 40 % fewer than the 10 of the last full load; nothing was changed";
    refused(dir, &["load"], &[what, "hint: is the file whole? if the rest is really gone, load with --accept loss"]);
    refused(dir, &["load", "--dry-run"], &[what]);
    done(dir, &["load", "--accept", "loss"]);
    assert_eq!(rows(dir, "SELECT count(*) FROM stores"), ["6"]);
    // What was accepted is what the next one is compared with.
    fs::write(dir.join("files/stores.csv"), stores(0..5)).unwrap();
    done(dir, &["load"]);
}

#[test]
fn a_load_that_is_held_up_says_where_its_rejects_are() {
    let shop = shop(&stores(0..10));
    let dir = shop.path();
    done(dir, &["load"]);
    fs::write(dir.join("files/stores.csv"), stores(0..6) + "s7,Delft,Delft\n").unwrap();
    let said = call(dir, ["load"]).ended_with(4).stderr;
    let first = "error: nothing was loaded; all rejects: ";
    assert!(
        said.starts_with(first) && said.contains("rejects-00001.csv\n  because: stores: its files have 6 rows"),
        "{said}"
    );
}

#[test]
fn other_keys_in_as_many_rows_are_held_up_too() {
    let shop = shop(&stores(0..10));
    let dir = shop.path();
    done(dir, &["load"]);
    fs::write(dir.join("files/stores.csv"), stores(100..110)).unwrap();
    refused(dir, &["load"], &["error: stores: 10 of 10 rows (100 %) would be deleted; nothing was changed"]);
}

#[test]
fn a_file_that_marks_more_than_thirty_percent_as_deleted_is_held_up() {
    let shop = shop(&stores(0..1));
    let dir = shop.path();
    done(dir, &["load"]);
    let gone = |count: u32| format!("id,store,phone,gone\n{}", lines(0..count, |id| format!("{id},s0,,1")));
    fs::write(dir.join("files/customers-2.csv"), gone(4)).unwrap();
    let what = "error: profiles: 4 of 10 rows (40 %) would be deleted; nothing was changed";
    refused(dir, &["load"], &[what, "hint: if the rest is really gone, load with --accept loss"]);
    fs::write(dir.join("files/customers-2.csv"), gone(3)).unwrap();
    let said = done(dir, &["load"]);
    assert!(said.contains("3 deleted\n") && said.contains("7 rows now\n"), "{said}");
}

#[test]
fn row_8_an_empty_file_replaces_nothing_unless_that_is_allowed() {
    let shop = shop(&stores(0..10));
    let dir = shop.path();
    done(dir, &["load"]);
    for empty in ["", "store,city\n"] {
        fs::write(dir.join("files/stores.csv"), empty).unwrap();
        let said = done(dir, &["load"]);
        let expected = "stores: 0 rows read from 1 file\n  it stays as it is: an empty file replaces it only with allow_empty = true\n";
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(rows(dir, "SELECT count(*) FROM stores"), ["10"]);
    }
    let definition = SHOP.replace("mode = \"replace\"", "mode = \"replace\"\nallow_empty = true");
    fs::write(dir.join("muster.toml"), definition).unwrap();
    assert!(done(dir, &["load"]).contains("10 deleted\n"));
    assert_eq!(rows(dir, "SELECT count(*) FROM stores"), ["0"]);
}

#[test]
fn row_8_a_file_without_a_good_row_is_no_empty_one() {
    let shop = shop(&stores(0..10));
    let dir = shop.path();
    done(dir, &["load"]);
    let definition =
        SHOP.replace("mode = \"replace\"", "mode = \"replace\"\nallow_empty = true\nwhere = \"city = 'Gouda'\"");
    fs::write(dir.join("muster.toml"), definition).unwrap();
    refused(dir, &["load"], &["stores: its files have 0 rows, 100 % fewer than the 10 of the last full load"]);
}

#[test]
fn row_41_a_column_that_is_gone_is_held_up_and_can_be_accepted() {
    let shop = shop(&stores(0..1));
    let dir = shop.path();
    done(dir, &["load"]);
    fs::write(dir.join("files/customers-2.csv"), "id,store,gone\n3,s0,0\n").unwrap();
    refused(
        dir,
        &["load"],
        &[
            "error: files/customers-2.csv: no column `phone`, which was there before",
            "nothing was changed\n  hint: rows loaded before have values in `phone`; --accept columns empties it in every row of the files",
        ],
    );
    let said = done(dir, &["load", "--accept", "columns"]);
    assert!(said.contains("phone is no longer in the files: it has no value in their rows\n"), "{said}");
    assert_eq!(rows(dir, "SELECT phone FROM profiles WHERE id IN ('3', '4') ORDER BY id"), ["\"\"", "014"]);
}

#[test]
fn row_41_a_declared_column_that_is_gone_asks_for_another_declaration() {
    let declared = SHOP.to_owned() + "\n[tables.profiles.columns]\nphone = { type = \"text\" }\n";
    let shop = shop(&stores(0..1));
    let dir = shop.path();
    fs::write(dir.join("muster.toml"), &declared).unwrap();
    done(dir, &["load"]);
    fs::write(dir.join("files/customers_2.csv"), "id,store,gone\n3,s0,0\n").unwrap();
    let hint = "if it is gone for good, say `optional = true` of it in [tables.profiles.columns]";
    refused(dir, &["load"], &["no column `phone`, which is declared", hint]);
    refused(dir, &["load", "--accept", "columns"], &[hint]);
    fs::write(dir.join("muster.toml"), declared.replace("type = \"text\"", "type = \"text\", optional = true"))
        .unwrap();
    done(dir, &["load"]);
    assert_eq!(rows(dir, "SELECT phone FROM profiles WHERE id IN ('3', '4') ORDER BY id"), ["\"\"", "014"]);
}

#[test]
fn a_file_that_no_memory_holds_is_refused_before_it_is_read() {
    let shop = shop(&stores(0..1));
    // Sparse: it takes no space.
    File::create(shop.path().join("files/customers-2.csv")).unwrap().set_len(1 << 42).unwrap();
    let said = call(shop.path(), ["load"]).ended_with(4).stderr;
    assert!(said.starts_with("error: this load may need 13194.1 GB of memory, and "), "{said}");
    assert!(said.contains(" are free; nothing was changed\n  hint: ") && said.contains("--accept memory"), "{said}");
    assert_eq!(done(shop.path(), &["status"]), "workspace few\nnothing is loaded yet\n");
}

#[test]
fn a_damaged_file_is_told_as_such_and_not_as_a_crash() {
    let definition =
        SHOP.replace("files/customers*.csv", "files/customers.parquet").replace("deleted = \"gone\"\n", "");
    let shop = workspace_of(&[("muster.toml", &definition), ("files/stores.csv", &stores(0..1))]);
    let path = shop.path().join("files/customers.parquet");
    // The ninetieth letter is the first that Arrow trips over.
    let is_told = letters_changed().into_iter().skip(84).any(|file| {
        fs::write(&path, file).unwrap();
        let said = call(shop.path(), ["load", "--dry-run"]).stderr;
        assert!(!said.contains("panicked"), "{said}");
        said.contains("its pages contradict themselves")
    });
    assert!(is_told, "if the reader does not panic any more, nothing here shows that it is silent");
}

/// A whole Parquet file, with one letter changed of what Arrow says of its types in the footer: some of these make the
/// reader panic.
fn letters_changed() -> Vec<Vec<u8>> {
    use std::sync::Arc;

    use arrow_array::{Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;

    let ids = RecordBatch::try_from_iter([("id", Arc::new(Int64Array::from_iter_values(0..40)) as _)]).unwrap();
    let mut whole = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut whole, ids.schema(), None).unwrap();
    writer.write(&ids).unwrap();
    writer.close().unwrap();
    let name = b"ARROW:schema";
    let words = whole.windows(name.len()).position(|window| window == name).unwrap() + name.len() + 4;
    let changed = |letter: usize| {
        let mut changed = whole.clone();
        changed[letter] = if changed[letter] == b'H' { b'A' } else { b'H' };
        changed
    };
    let letters = whole[words..].iter().take_while(|letter| letter.is_ascii_alphanumeric() || b"+/=".contains(letter));
    (words..words + letters.count()).map(changed).collect()
}
