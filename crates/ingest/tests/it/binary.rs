//! Compressed, columnar and other files: rows 46 to 57 of the list of bad inputs, each with what must not be refused.

use muster_ingest::Error;

use crate::world::{World, column, gzip};

fn source(name: &str) -> String {
    format!("[tables.profiles]\nsource = \"{name}\"\nkey = \"id\"\n")
}

fn world(name: &str, content: impl AsRef<[u8]>) -> World {
    World::new(&source(name)).file(name, content)
}

#[track_caller]
fn loads(name: &str, content: impl AsRef<[u8]>) {
    let load = world(name, content).load("profiles");
    assert_eq!(column(&load, "id"), ["1", "2"], "{name}");
    assert_eq!(column(&load, "name"), ["Ann", "Bob"], "{name}");
}

#[track_caller]
fn refused(name: &str, content: impl AsRef<[u8]>, message: &str) {
    let error = world(name, content).failure("profiles");
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert_eq!(error.to_string(), format!("{name}: {message}"));
}

#[track_caller]
fn damaged(name: &str, content: impl AsRef<[u8]>, message: &str) {
    let error = world(name, content).failure("profiles");
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert_eq!(error.to_string(), format!("{name}: {message}"));
}

const ROWS: &str = "id,name\n1,Ann\n2,Bob\n";

#[test]
fn row_46_a_gzip_bomb_is_stopped_and_nothing_of_it_is_kept() {
    let bomb = gzip(format!("{ROWS}{}", "3,Eve\n".repeat(1 << 20)).as_bytes());
    let error = world("c.csv.gz", &bomb).failure("profiles").to_string();
    assert!(error.starts_with("c.csv.gz: it unpacks to more than 100 times its size, as seen at byte "), "{error}");
}

#[test]
fn row_46_a_megabyte_swells_as_it_likes() {
    let blanks = " ".repeat(900_000);
    let content = format!("id,name,remark\n1,Ann,{blanks}\n2,Bob,\n");
    assert!(content.len() > 500 * gzip(content.as_bytes()).len());
    loads("c.csv.gz", gzip(content.as_bytes()));
}

#[test]
fn row_47_members_joined_are_one_text() {
    loads("c.csv.gz", [gzip(b"id,name\n1,A"), gzip(b""), gzip(b"nn\n2,Bob\n")].concat());
}

#[test]
fn row_47_a_truncated_gzip_stops_at_its_byte() {
    let whole = gzip(ROWS.as_bytes());
    for cut in [11, whole.len() - 9, whole.len() - 1] {
        let message = format!("the compressed data are cut off: they end at byte {cut} in the middle of a member");
        damaged("c.csv.gz", &whole[..cut], &message);
    }
}

#[test]
fn row_47_a_bad_checksum_is_told_at_its_byte() {
    let mut packed = gzip(ROWS.as_bytes());
    let length = packed.len();
    packed[length - 8] ^= 1;
    damaged("c.csv.gz", &packed, &format!("the compressed data are damaged at or before byte {length}"));
}

#[test]
fn row_47_garbage_behind_the_last_member_is_refused_at_its_byte() {
    for garbage in [&b"garbage"[..], b"\0\0\0\0", b"\x1f\x8c and so on, and so on"] {
        let whole = gzip(ROWS.as_bytes());
        let message =
            format!("what follows the compressed data from byte {} on does not belong to them", whole.len() + 1);
        damaged("c.csv.gz", [whole, garbage.to_vec()].concat(), &message);
    }
}

const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0../../etc/passwd";
const XLSX: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0[Content_Types].xml PK\x03\x04 xl/worksheets/sheet1.xml";
const XLS: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0";
const ODS: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK";
const ARROW: &[u8] = b"ARROW1\0\0\xff\xff\xff\xff";
const ARROW_STREAM: &[u8] = b"\xff\xff\xff\xff\x78\0\0\0\x10\0\0\0";
const PBF: &[u8] = b"\0\0\0\x0d\x0a\x09OSMHeader\x18\x7c";

const ZIP_HINT: &str = "hint: unpack it; single files may be compressed as .csv.gz";
const SHEET_HINT: &str = "hint: save the sheet as CSV (UTF-8)";
const RENAME_HINT: &str = "hint: give the file the extension of what it is";
const ARROW_HINT: &str = "hint: write it as Parquet";
const ROADS_HINT: &str = "hint: roads come in by `muster network import`";

#[test]
fn row_48_a_zip_archive_is_refused_whatever_its_name() {
    refused("c.zip", ZIP, &format!("a zip archive is no source\n  {ZIP_HINT}"));
    refused("c.dat", ZIP, &format!("a zip archive is no source\n  {ZIP_HINT}"));
    refused("c.csv", ZIP, &format!("named like text, but it begins like a zip archive\n  {ZIP_HINT}"));
    refused("c.csv.gz", ZIP, &format!("named like gzip, but it begins like a zip archive\n  {ZIP_HINT}"));
    refused(
        "c.csv.gz",
        gzip(ZIP),
        &format!("named like compressed text, but it begins like a zip archive\n  {ZIP_HINT}"),
    );
}

#[test]
fn row_48_letters_that_begin_an_archive_begin_a_header_too() {
    let load = World::new("[tables.profiles]\nsource = \"c.csv\"\nkey = \"PK\"\n")
        .file("c.csv", "PK,name\n1,Ann\n")
        .load("profiles");
    assert_eq!(column(&load, "PK"), ["1"]);
}

#[test]
fn row_49_a_name_that_contradicts_the_content_is_refused() {
    let gzipped = gzip(ROWS.as_bytes());
    refused("c.csv", &gzipped, &format!("named like text, but it begins like gzip\n  {RENAME_HINT}"));
    refused("c.csv", b"PAR1\x15\x04\x15", &format!("named like text, but it begins like Parquet\n  {RENAME_HINT}"));
    refused("c.csv", "{\"id\": 1}\n", &format!("named like text, but it begins like JSON\n  {RENAME_HINT}"));
    refused("c.csv", PBF, &format!("named like text, but it begins like a road network\n  {ROADS_HINT}"));
    refused("c.csv.gz", ROWS, &format!("named like gzip, but it begins like text\n  {RENAME_HINT}"));
    refused(
        "c.csv.gz",
        gzip(&gzipped),
        &format!("named like compressed text, but it begins like gzip\n  {RENAME_HINT}"),
    );
    refused("c.ndjson", &gzipped, &format!("named like NDJSON, but it begins like gzip\n  {RENAME_HINT}"));
    refused("c.parquet", ROWS, &format!("named like Parquet, but it begins like text\n  {RENAME_HINT}"));
    refused(
        "c.parquet",
        b"\0\x01\x02",
        &format!("named like Parquet, but it begins like something else\n  {RENAME_HINT}"),
    );
    refused("c.parquet", XLSX, &format!("named like Parquet, but it begins like a spreadsheet\n  {SHEET_HINT}"));
    refused(
        "c.dat",
        ROWS,
        "the extension says nothing about what it holds\n  hint: sources are .csv, .txt, .tsv, .ndjson and .jsonl, each also with .gz, and .parquet",
    );
}

#[test]
fn row_49_a_name_that_says_what_it_holds_is_read() {
    let json = "{\"id\":\"1\",\"name\":\"Ann\"}\n{\"id\":\"2\",\"name\":\"Bob\"}\n";
    loads("c.csv", ROWS);
    loads("c.csv.gz", gzip(ROWS.as_bytes()));
    loads("c.ndjson", json);
    loads("c.jsonl", json);
    loads("c.ndjson.gz", gzip(json.as_bytes()));
    loads("C.JSONL.GZ", gzip(json.as_bytes()));
}

#[test]
fn rows_53_and_54_arrow_is_refused_by_name() {
    refused("c.arrow", ARROW, &format!("an Arrow file is no source\n  {ARROW_HINT}"));
    refused("c.feather", "", &format!("an Arrow file is no source\n  {ARROW_HINT}"));
    refused("c.csv", ARROW, &format!("named like text, but it begins like an Arrow file\n  {ARROW_HINT}"));
    refused("c.csv", ARROW_STREAM, &format!("named like text, but it begins like an Arrow stream\n  {ARROW_HINT}"));
    refused("c.bin", ARROW_STREAM, &format!("an Arrow stream is no source\n  {ARROW_HINT}"));
}

#[test]
fn row_55_roads_are_refused_by_name() {
    refused("c.osm.pbf", PBF, &format!("a road network is no source\n  {ROADS_HINT}"));
    refused("c.osm", PBF, &format!("a road network is no source\n  {ROADS_HINT}"));
}

#[test]
fn row_56_a_spreadsheet_is_refused_with_the_way_out() {
    for (name, content) in [("c.xlsx", XLSX), ("c.xls", XLS), ("c.ods", ODS), ("c.xlsm", b""), ("c.sheet", XLSX)] {
        refused(name, content, &format!("a spreadsheet is no source\n  {SHEET_HINT}"));
    }
    for content in [XLSX, XLS, ODS] {
        refused("c.csv", content, &format!("named like text, but it begins like a spreadsheet\n  {SHEET_HINT}"));
    }
}
