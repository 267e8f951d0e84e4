//! How a text file is laid out: its separator, its columns, and where its first row begins.

use muster_catalog::Table;

use crate::error::{ColumnProblem, Damage, Error, Refusal};
use crate::records::{Records, Separator};
use crate::source::{Format, SourceFile};
use crate::stream::{TextStream, damaged};

/// How much of a file is looked at; a header must fit in it.
const HEAD: usize = 256 << 10;
/// More columns than any real file has.
const MOST_COLUMNS: usize = 4096;
/// How many records say which delimiter a file uses.
const SNIFFED_RECORDS: usize = 20;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a text file is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub separator: Separator,
    /// The columns in the order of the file. Empty for an empty file.
    pub names: Vec<String>,
    /// Bytes of text before the first row: byte order mark and header.
    pub skip_bytes: usize,
    /// Lines before the first row.
    pub skip_lines: u64,
}

impl Layout {
    /// Looks at the head of a file.
    pub fn of(file: &SourceFile, format: Format, table: &Table) -> Result<Self, Error> {
        let mut stream = TextStream::open(file, format)?;
        let mut head = Vec::new();
        let ended = stream.fill(&mut head, HEAD)?;
        check_encoding(&head).map_err(|refusal| Error::Refused { file: file.name.clone(), refusal })?;
        let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let separator = separator(table, &head[mark..]);
        let first = first_record(&head[mark..], separator);
        if first.end + mark == head.len() && !ended {
            return Err(damaged(&file.name, Damage::EndlessRecord { line: 1, limit: HEAD }));
        }
        let (skip_bytes, skip_lines) = if table.header { (mark + first.end, first.lines) } else { (mark, 0) };
        let names = if table.header { first.names } else { declared_names(table, first.count) };
        let names = names.and_then(|names| check_names(&names).map(|()| names));
        let names = names.map_err(|problem| Error::Columns { file: file.name.clone(), problem })?;
        Ok(Self { separator, names, skip_bytes, skip_lines })
    }
}

fn check_encoding(head: &[u8]) -> Result<(), Refusal> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        Err(Refusal::Utf16)
    } else if head.contains(&0) {
        Err(Refusal::ZeroBytes)
    } else {
        Ok(())
    }
}

fn separator(table: &Table, head: &[u8]) -> Separator {
    match table.delimiter.map(u8::try_from) {
        _ if table.blanks => Separator::Blanks,
        Some(Ok(delimiter)) => Separator::Delimiter(delimiter),
        // The catalog lets only ASCII pass, so what is declared is never sniffed.
        Some(Err(_)) | None => Separator::Delimiter(sniffed(head)),
    }
}

/// The delimiter that cuts the first records into equally many fields, the more the better; where none does, the one
/// that cuts the first record into most.
fn sniffed(head: &[u8]) -> u8 {
    let counts = DELIMITERS.map(|delimiter| (delimiter, field_counts(head, delimiter)));
    let even = |counts: &[usize]| counts.iter().all(|count| count == &counts[0]);
    let first = |counts: &[usize]| counts.first().copied().unwrap_or(0);
    let rank = |counts: &[usize]| (first(counts) > 1 && even(counts), first(counts));
    // The last of several maxima wins, and a comma is the likeliest: hence the reversal.
    counts.iter().rev().max_by_key(|(_, counts)| rank(counts)).map_or(b',', |(delimiter, _)| *delimiter)
}

/// Fields of each of the first records; the last may be cut off by the end of the head and is not counted.
fn field_counts(head: &[u8], delimiter: u8) -> Vec<usize> {
    let mut records = Records::new(head, Separator::Delimiter(delimiter));
    let mut counts = Vec::new();
    while counts.len() < SNIFFED_RECORDS
        && let Some(record) = records.next()
    {
        if record.span.end < head.len() || counts.is_empty() {
            counts.push(records.fields().len());
        }
    }
    counts
}

struct First {
    names: Result<Vec<String>, ColumnProblem>,
    count: usize,
    end: usize,
    lines: u64,
}

fn first_record(head: &[u8], separator: Separator) -> First {
    let mut records = Records::new(head, separator);
    let names = match records.next() {
        None => Ok(Vec::new()),
        Some(record) if record.defect.is_some() => Err(ColumnProblem::Header),
        Some(_) => records
            .fields()
            .iter()
            .map(|field| match records.text(field) {
                Ok(text) => Ok(text.unwrap_or_default().trim().to_owned()),
                Err(_) => Err(ColumnProblem::Header),
            })
            .collect(),
    };
    First { names, count: records.fields().len(), end: records.position(), lines: records.lines() }
}

fn declared_names(table: &Table, found: usize) -> Result<Vec<String>, ColumnProblem> {
    if found == 0 || found == table.names.len() {
        return Ok(table.names.clone());
    }
    Err(ColumnProblem::Names { names: table.names.len(), found })
}

/// Every column has a name of its own, also for who does not see capitals and blanks.
pub(crate) fn check_names(names: &[String]) -> Result<(), ColumnProblem> {
    if names.len() > MOST_COLUMNS {
        return Err(ColumnProblem::TooMany { found: names.len(), limit: MOST_COLUMNS });
    }
    if let Some(position) = names.iter().position(|name| name.is_empty()) {
        return Err(ColumnProblem::Unnamed(position + 1));
    }
    let folded: Vec<String> = names.iter().map(|name| name.to_lowercase().split_whitespace().collect()).collect();
    let twice = |at: &usize| folded.iter().enumerate().any(|(other, name)| other != *at && *name == folded[*at]);
    let doubles: Vec<String> = (0..names.len()).filter(twice).map(|at| names[at].clone()).collect();
    if doubles.is_empty() { Ok(()) } else { Err(ColumnProblem::Duplicates(doubles)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, delimiter: u8) {
        assert_eq!(sniffed(head.as_bytes()) as char, delimiter as char, "{head}");
    }

    #[test]
    fn the_delimiter_is_the_one_that_cuts_evenly() {
        check("a;b;c\n1,5;2,5;x\n3;4,0;y\n", b';');
        check("a\tb\n1\t\"x\ty\"\n", b'\t');
        check("a|b|c\n1|2|3\n", b'|');
        check("name,remark\nx,a;b;c\ny,d\n", b',');
        check("only\n1\n2\n", b',');
        check("", b',');
    }
}
