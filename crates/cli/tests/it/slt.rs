//! A small reader of sqllogictest files, enough for `queries/checks`.
//!
//! A file holds records with an empty line between them, and lines of comment that begin with `#`:
//!
//! ```text
//! query I
//! SELECT count(*) FROM profiles
//! ----
//! 2000
//!
//! statement ok
//! SHOW SEGMENTS
//! ```
//!
//! After `query` stands one letter per column; values stand in a line with blanks between them, and NULL and the empty
//! text both read `NULL`. All records of a file run in one process, with a query that prints a mark after each.

use std::path::Path;

use crate::binary::{muster_in, run};

/// One statement, and what is expected of it.
#[derive(Debug, PartialEq)]
struct Record {
    /// Where it begins, from 1.
    line: usize,
    sql: String,
    /// The rows of a query; `None` where it only has to succeed.
    rows: Option<Rows>,
}

#[derive(Debug, PartialEq)]
struct Rows {
    columns: usize,
    values: Vec<String>,
}

/// What is wrong in the workspace `dir` with the check `text`: nothing, if it holds.
pub fn failures(dir: &Path, text: &str) -> Vec<String> {
    match records(text) {
        Ok(records) => outcome(dir, &records),
        Err(problem) => vec![problem],
    }
}

fn records(text: &str) -> Result<Vec<Record>, String> {
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#')).collect();
    let groups = lines.split(|(_, line)| line.trim().is_empty()).filter(|group| !group.is_empty());
    let records = groups.map(record).collect::<Result<Vec<_>, _>>()?;
    if records.is_empty() { Err("there is no record in it".to_owned()) } else { Ok(records) }
}

fn record(lines: &[(usize, &str)]) -> Result<Record, String> {
    let (line, head) = lines[0];
    let body: Vec<&str> = lines[1..].iter().map(|(_, text)| *text).collect();
    let problem = |what: &str| format!("line {line}: {what}");
    match head.split_whitespace().collect::<Vec<_>>()[..] {
        ["statement", "ok"] => Ok(Record { line, sql: body.join("\n"), rows: None }),
        ["query", letters] => {
            let end = body.iter().position(|text| *text == "----").ok_or_else(|| problem("a query without ----"))?;
            let values = body[end + 1..].iter().map(|row| words(row)).collect();
            Ok(Record { line, sql: body[..end].join("\n"), rows: Some(Rows { columns: letters.len(), values }) })
        }
        _ => Err(problem(&format!(
            "\"{head}\" is no record; expected `query` with a letter per column, or `statement ok`"
        ))),
    }
}

fn words(row: &str) -> String {
    row.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn outcome(dir: &Path, records: &[Record]) -> Vec<String> {
    let marked = |record: &Record| {
        format!("{};\nSELECT 'of line {}' AS done;\n", record.sql.trim_end().trim_end_matches(';'), record.line)
    };
    let text: String = records.iter().map(marked).collect();
    let run = run(muster_in(dir).args(["sql", "--format", "csv", "-c", &text]));
    let (mut rest, mut failures) = (run.stdout.as_str(), Vec::new());
    for record in records {
        let Some((printed, after)) = rest.split_once(&format!("done\nof line {}\n", record.line)) else {
            failures.push(format!("line {}: {}", record.line, run.stderr.trim_end()));
            break;
        };
        failures.extend(difference(record, printed));
        rest = after;
    }
    failures
}

fn difference(record: &Record, printed: &str) -> Option<String> {
    let Rows { columns, values } = record.rows.as_ref()?;
    let found: Vec<Vec<String>> = printed.lines().map(fields).collect();
    let found_columns = found.first().map_or(0, Vec::len);
    if found_columns != *columns {
        return Some(format!("line {}: {columns} columns expected, {found_columns} found", record.line));
    }
    let found: Vec<String> = found[1..].iter().map(|row| words(&row.join(" "))).collect();
    (found != *values).then(|| format!("line {}: expected {values:?}, found {found:?}", record.line))
}

/// The fields of a line of CSV.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut().expect("there is a first field");
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => field.push(letter),
        }
    }
    let value = |field: String| if field.is_empty() { "NULL".to_owned() } else { field };
    fields.into_iter().map(value).collect()
}

#[test]
fn a_file_is_read_as_records_with_their_lines() {
    let text = "# why\nquery IT\nSELECT 1,\n  'a'\n----\n1   a\n2 NULL\n\n\nstatement ok\nSHOW SEGMENTS\n";
    let rows = Rows { columns: 2, values: vec!["1 a".to_owned(), "2 NULL".to_owned()] };
    let query = Record { line: 2, sql: "SELECT 1,\n  'a'".to_owned(), rows: Some(rows) };
    let statement = Record { line: 10, sql: "SHOW SEGMENTS".to_owned(), rows: None };
    assert_eq!(records(text), Ok(vec![query, statement]));
}

#[test]
fn what_is_no_record_is_refused_with_its_line() {
    for (text, problem) in [
        ("# only a comment\n", "there is no record in it"),
        ("query I\nSELECT 1\n", "line 1: a query without ----"),
        ("\nquery I rowsort\nSELECT 1\n----\n1\n", "line 2: \"query I rowsort\" is no record"),
        ("statement error\nSELECT\n", "line 1: \"statement error\" is no record"),
    ] {
        assert!(records(text).unwrap_err().starts_with(problem), "{text}: {:?}", records(text));
    }
}

#[test]
fn a_line_of_csv_is_taken_apart() {
    for (line, expected) in [("1,a", &["1", "a"][..]), ("\"a, \"\"b\"\"\",", &["a, \"b\"", "NULL"]), ("", &["NULL"])] {
        assert_eq!(fields(line), expected, "{line}");
    }
}
