//! Rows 6 to 19: lines, headers, ragged rows, quotes, delimiters, sizes.

use super::{read, refusal};
use crate::world::column;

const NONE: [&str; 0] = [];

#[test]
fn row_06_every_line_end_ends_a_row_outside_of_quotes() {
    for content in ["id,name\n1,A\n2,B\n", "id,name\r\n1,A\r\n2,B\r\n", "id,name\r1,A\r2,B\r", "id,name\r\n1,A\r2,B\n"]
    {
        let (load, rejects) = read("", content);
        assert_eq!((column(&load, "name"), rejects.len()), (vec!["A".to_owned(), "B".to_owned()], 0), "{content:?}");
    }
}

#[test]
fn row_06_line_ends_inside_of_quotes_are_kept() {
    let (load, _) = read("", "id,name\n1,\"a\nb\r\nc\rd\"\n");
    assert_eq!(column(&load, "name"), ["a\nb\r\nc\rd"]);
}

#[test]
fn row_07_the_last_row_needs_no_line_end() {
    assert_eq!(column(&read("", "id,name\n1,Ann\n2,Bob").0, "name"), ["Ann", "Bob"]);
}

#[test]
fn row_07_a_cut_last_row_is_rejected() {
    let (load, rejects) = read("", "id,name\n1,Ann\n2");
    assert_eq!(column(&load, "name"), ["Ann"]);
    assert_eq!(rejects, ["c.csv line 3, name: \"2\" has 1 fields; expected 2, one for each column"]);
}

#[test]
fn row_08_a_header_alone_must_still_be_the_tables() {
    assert_eq!(read("", "id,name\n").0.report.read, 0);
    assert!(refusal("", "number,name\n").starts_with("c.csv: no column `id`, which the table is built on"));
}

#[test]
fn row_09_a_first_line_that_looks_like_a_row_is_refused_with_what_it_holds() {
    assert_eq!(
        refusal("", "7,Ann,2020-01-31\n8,Bob,2021-01-31\n"),
        "c.csv: no column `id`, which the table is built on\n  hint: its first line looks like a row: 7, Ann, 2020-01-31; declare header = false and `names`"
    );
    assert_eq!(
        refusal("header = false\nnames = [\"id\", \"name\"]\n", "ID,Name\n1,Ann\n"),
        "c.csv: declared to have no header, but its first line has the declared names\n  hint: leave `header` and `names` out"
    );
}

#[test]
fn row_09_declared_names_stand_for_a_header() {
    let (load, _) = read("header = false\nnames = [\"id\", \"name\"]\n", "1,Ann\n2,name\n");
    assert_eq!(column(&load, "name"), ["Ann", "name"]);
}

#[test]
fn row_10_names_that_differ_only_by_capitals_or_blanks_are_refused_with_their_names() {
    assert_eq!(
        refusal("", "id,E mail,email,name\n"),
        "c.csv: columns of the same name (capitals and blanks aside): E mail, email\n  hint: rename the columns in the file"
    );
}

#[test]
fn row_10_names_that_differ_by_a_letter_are_two() {
    assert_eq!(read("", "id,mail,e-mail\n1,a,b\n").0.columns.len(), 3);
}

#[test]
fn row_11_a_blank_name_is_refused() {
    assert!(refusal("", "id,,c\n1,2,3\n").starts_with("c.csv: column 2 has no name"));
    assert!(refusal("", "id,\u{200b}\n").starts_with("c.csv: column 2 has no name"), "nobody sees it");
}

#[test]
fn row_11_a_blank_name_is_a_number_where_that_is_asked_for() {
    let (load, _) = read("unnamed = \"number\"\n", "id,,c\n1,2,3\n");
    assert_eq!(column(&load, "column_2"), ["2"]);
}

#[test]
fn row_12_a_short_row_is_rejected() {
    let (load, rejects) = read("", "id,a,b\n1,x\n2,y,z\n");
    assert_eq!(column(&load, "id"), ["2"]);
    assert_eq!(rejects, ["c.csv line 2, b: \"1,x\" has 2 fields; expected 3, one for each column"]);
}

#[test]
fn row_12_a_short_row_is_filled_with_no_values_where_that_is_asked_for() {
    let (load, rejects) = read("short_rows = \"pad\"\n", "id,a,b\n1,x\n2,y,z\n3\n");
    assert_eq!((column(&load, "a"), column(&load, "b")), (strings(["x", "y", ""]), strings(["", "z", ""])));
    assert_eq!(rejects, NONE);
}

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[test]
fn row_13_a_long_row_is_rejected_also_where_short_ones_are_filled() {
    for settings in ["", "short_rows = \"pad\"\n"] {
        let (load, rejects) = read(settings, "id,a\n1,x,y\n2,z\n");
        assert_eq!(column(&load, "id"), ["2"]);
        assert_eq!(
            rejects,
            ["c.csv line 2: \"1,x,y\" has 3 fields; expected 2; is a delimiter inside a field not quoted?"]
        );
    }
}

#[test]
fn row_13_a_quoted_delimiter_makes_no_row_longer() {
    assert_eq!(column(&read("", "id,a\n1,\"x,y\"\n").0, "a"), ["x,y"]);
}

#[test]
fn row_14_every_line_that_an_open_quote_swallows_counts_as_rejected() {
    let (load, rejects) = read("", "id,a\n1,x\n2,\"y\n3,z\n4,z\n");
    assert_eq!((load.report.read, load.report.rejected_rows()), (4, 3));
    assert!(rejects[0].ends_with("opens a quote that is never closed; the 3 lines up to the end of the file are lost"));
}

#[test]
fn row_14_a_quote_that_closes_swallows_nothing() {
    assert_eq!(column(&read("", "id,a\n1,x\n2,\"y\n3,z\"\n4,z\n").0, "id"), ["1", "2", "4"]);
}

#[test]
fn row_15_a_quote_inside_of_a_field_is_rejected() {
    let (load, rejects) = read("", "id,a\n1,5\" disk\n2,\"x\" y\n3,z\n");
    assert_eq!((column(&load, "id"), rejects.len()), (strings(["3"]), 2));
    assert!(rejects[0].contains("has a quote inside"));
}

#[test]
fn row_15_a_quote_inside_of_a_field_is_kept_where_that_is_asked_for() {
    let (load, rejects) = read("stray_quotes = \"keep\"\n", "id,a\n1,5\" disk\n2,\"x\" y\n3,\"a \"\"b\"\"\"\n");
    assert_eq!(column(&load, "a"), ["5\" disk", "\"x\" y", "a \"b\""]);
    assert_eq!(rejects, NONE);
    assert_eq!(column(&read("quote = \"\"\n", "id,a\n1,\"x\n").0, "a"), ["\"x"]);
    assert_eq!(column(&read("quote = \"'\"\n", "id,a\n1,'x,\"y'\n").0, "a"), ["x,\"y"]);
}

#[test]
fn row_16_line_ends_inside_of_quotes_are_one_field_wherever_the_file_is_cut() {
    let rows: String = (0..20_000).map(|row| format!("{row},\"a\n\"\"{row}\"\",\r\n{}\"\n", "x".repeat(500))).collect();
    let (load, rejects) = read("", format!("id,a\n{rows}"));
    assert_eq!((load.report.rows, rejects.len()), (20_000, 0), "eleven megabytes are more than one piece");
    assert_eq!(column(&load, "a")[19_999], format!("a\n\"19999\",\r\n{}", "x".repeat(500)));
}

#[test]
fn row_16_without_quotes_a_line_end_is_a_line_end() {
    assert_eq!(read("", "id,a\n1,a\nb\n").1, ["c.csv line 3, a: \"b\" has 1 fields; expected 2, one for each column"]);
}

#[test]
fn row_17_the_usual_delimiters_are_found_and_reported() {
    for delimiter in [',', ';', '\t', '|'] {
        let (load, _) = read("", format!("id{delimiter}a\n1{delimiter}x\n"));
        assert_eq!((column(&load, "a"), load.report.files[0].delimiter), (strings(["x"]), Some(delimiter)));
    }
}

#[test]
fn row_17_a_header_of_one_column_asks_for_the_delimiter() {
    assert_eq!(
        refusal("", "id^a\n1^x\n"),
        "c.csv: no column `id`, which the table is built on\n  hint: the whole header was read as one column, `id^a`; declare the `delimiter`"
    );
}

#[test]
fn row_18_a_field_of_more_than_a_megabyte_is_rejected() {
    let long = "x".repeat((1 << 20) + 1);
    let (load, rejects) = read("", format!("id,a\n1,{long}\n2,\"{long}\"\n3,y\n"));
    assert_eq!((column(&load, "id"), rejects.len()), (strings(["3"]), 2));
    assert!(rejects[1].ends_with("is longer than 1048576 bytes") && rejects[1].len() < 300);
}

#[test]
fn row_18_a_field_of_a_megabyte_is_read() {
    assert_eq!(column(&read("", format!("id,a\n1,{}\n", "x".repeat(1 << 20))).0, "a")[0].len(), 1 << 20);
}

fn header(columns: usize) -> String {
    "id".to_owned() + &(1..columns).map(|column| format!(",c{column}")).collect::<String>()
}

#[test]
fn row_19_a_file_of_too_many_columns_is_refused() {
    assert_eq!(refusal("", format!("{}\n", header(4_097))), "c.csv: 4097 columns; at most 4096 are read");
    let endless = refusal("", format!("{}\n", header(100_000)));
    assert!(endless.ends_with("columns; at most 4096 are read"), "{endless}");
}

#[test]
fn row_19_as_many_columns_as_are_allowed_are_read() {
    let content = format!("{}\n7{}\n", header(4_096), ",".repeat(4_095));
    assert_eq!(read("", content).0.columns.len(), 4_096);
}
