//! A small reader of sqllogictest files, enough for `queries/checks`.
//!
//! A file holds records with an empty line between them, and lines of comment that begin with `#`:
//!
//! ```text
//! # of f-count
//! query I
//! SELECT count(*) FROM profiles
//! ----
//! 2000
//!
//! statement ok
//! SHOW SEGMENTS
//!
//! statement error unknown column `citty`
//! SELECT citty FROM profiles
//! ```
//!
//! After `query` stands one letter per column; values stand in a line with blanks between them, no value as `NULL` and the
//! empty text as `(empty)`. After `statement error` stands a part of the message. A comment that begins with `of` names what
//! of `queries/LANGUAGE.md` the record shows. Of several statements in one record the last is meant.

use crate::answers::{Answers, Printed};

/// One statement, and what is expected of it.
#[derive(Debug, PartialEq)]
pub struct Record {
    /// Where it begins, from 1.
    pub line: usize,
    /// What of the language's page it shows.
    pub shows: Vec<String>,
    pub sql: String,
    pub expected: Expected,
}

#[derive(Debug, PartialEq)]
pub enum Expected {
    /// That it succeeds.
    Done,
    /// So many columns, and these rows.
    Rows { columns: usize, values: Vec<String> },
    /// That it is refused, with this part of the message.
    Error(String),
}

/// What is wrong with the check `text`: nothing, if it holds.
pub fn failures(answers: &Answers, text: &str) -> Vec<String> {
    match records(text) {
        Ok(records) => records.iter().filter_map(|record| failure(answers, record)).collect(),
        Err(problem) => vec![problem],
    }
}

/// The records of a file.
pub fn records(text: &str) -> Result<Vec<Record>, String> {
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).collect();
    let groups = lines.split(|(_, line)| line.trim().is_empty());
    let groups = groups.filter(|group| group.iter().any(|(_, line)| !line.starts_with('#')));
    let records = groups.map(record).collect::<Result<Vec<_>, _>>()?;
    if records.is_empty() { Err("there is no record in it".to_owned()) } else { Ok(records) }
}

fn record(lines: &[(usize, &str)]) -> Result<Record, String> {
    let (comments, lines): (Vec<_>, Vec<_>) = lines.iter().partition(|(_, line)| line.starts_with('#'));
    let shown = comments.iter().filter_map(|(_, line)| line.strip_prefix("# of "));
    let shows = shown.flat_map(str::split_whitespace).map(str::to_owned).collect();
    let (line, head) = lines[0];
    let body: Vec<&str> = lines[1..].iter().map(|(_, text)| *text).collect();
    let problem = |what: &str| format!("line {line}: {what}");
    let record = |body: &[&str], expected| Ok(Record { line, shows, sql: body.join("\n"), expected });
    match head.split_whitespace().collect::<Vec<_>>()[..] {
        ["statement", "ok"] => record(&body, Expected::Done),
        ["statement", "error", _, ..] => record(&body, Expected::Error(words(&head["statement error".len()..]))),
        ["query", letters] => {
            let end = body.iter().position(|text| *text == "----").ok_or_else(|| problem("a query without ----"))?;
            let values = body[end + 1..].iter().map(|row| words(row)).collect();
            record(&body[..end], Expected::Rows { columns: letters.len(), values })
        }
        _ => Err(problem(&format!(
            "\"{head}\" is no record; expected `query` with a letter per column, `statement ok`, or `statement error` with a \
             part of the message"
        ))),
    }
}

fn words(row: &str) -> String {
    row.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong with the record, if anything is.
pub fn failure(answers: &Answers, record: &Record) -> Option<String> {
    let problem = match (&record.expected, answers.of_statements(&record.sql)) {
        (Expected::Error(part), Err(message)) if words(&message).contains(part) => return None,
        (Expected::Error(part), Err(message)) => format!("expected an error with \"{part}\", found {message}"),
        (Expected::Error(part), Ok(printed)) => {
            format!("expected an error with \"{part}\", found {:?}", printed.lines())
        }
        (_, Err(message)) => format!("error: {message}"),
        (Expected::Done, Ok(_)) => return None,
        (Expected::Rows { columns, values }, Ok(printed)) => difference(*columns, values, &printed)?,
    };
    Some(format!("line {}: {problem}", record.line))
}

fn difference(columns: usize, values: &[String], printed: &Printed) -> Option<String> {
    if printed.columns.len() != columns {
        return Some(format!("{columns} columns expected, {} found", printed.columns.len()));
    }
    let found: Vec<String> = printed.lines().iter().map(|line| words(line)).collect();
    (found != values).then(|| format!("expected {values:?}, found {found:?}"))
}

#[test]
fn a_file_is_read_as_records_with_their_lines() {
    let text = "# why\n# of f-a f-b\nquery IT\nSELECT 1,\n  'a'\n----\n1   a\n2 NULL\n\n# apart\n\nstatement ok\nSHOW SEGMENTS\n\nstatement error no  such\nSELECT x\n";
    let rows = Expected::Rows { columns: 2, values: vec!["1 a".to_owned(), "2 NULL".to_owned()] };
    let shows = vec!["f-a".to_owned(), "f-b".to_owned()];
    let query = Record { line: 3, shows, sql: "SELECT 1,\n  'a'".to_owned(), expected: rows };
    let plain = |line, sql: &str, expected| Record { line, shows: Vec::new(), sql: sql.to_owned(), expected };
    let statement = plain(12, "SHOW SEGMENTS", Expected::Done);
    let refused = plain(15, "SELECT x", Expected::Error("no such".to_owned()));
    assert_eq!(records(text), Ok(vec![query, statement, refused]));
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
