//! How a text file is laid out: its separator, its columns, and where its first row begins.

use hashbrown::HashMap;
use muster_catalog::{Dialect, Encoding, Table, Unnamed};

use crate::error::{ColumnProblem, Damage, Error, Refusal};
use crate::invisible::{has_control, shown};
use crate::records::{Marks, Records, Separator};
use crate::source::{Format, SourceFile};
use crate::stream::{TextStream, damaged};

/// How much of a file is looked at; a header must fit in it.
const HEAD: usize = 256 << 10;
/// More columns than any real file has.
const MOST_COLUMNS: usize = 4096;
/// How many records say which delimiter a file uses.
const SNIFFED_RECORDS: usize = 20;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// The byte order mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How a text file is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// As declared, or as its mark says; the rest of this is about the text that it gives.
    pub encoding: Encoding,
    pub marks: Marks,
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
        let encoding = encoding_of(file, format, table)?;
        let mut stream = TextStream::open(file, format)?.decoded(encoding);
        let mut head = Vec::new();
        let ended = stream.fill(&mut head, HEAD)?;
        check_zeros(&head, encoding).map_err(|refusal| Error::Refused { file: file.name.clone(), refusal })?;
        let mark = if head.starts_with(MARK) { MARK.len() } else { 0 };
        let marks = marks(table, &head[mark..]);
        let first = first_record(&head[mark..], marks);
        let problem = |problem| Error::Columns { file: file.name.clone(), problem };
        check_count(first.count).map_err(problem)?;
        if first.end + mark == head.len() && !ended {
            return Err(damaged(&file.name, Damage::EndlessRecord { line: 1, limit: HEAD }));
        }
        let (skip_bytes, skip_lines) = if table.header { (mark + first.end, first.lines) } else { (mark, 0) };
        let names = if table.header { header_names(&table.dialect, first) } else { declared_names(table, first) };
        let names = names.and_then(|names| check_names(&names).map(|()| names)).map_err(problem)?;
        Ok(Self { encoding, marks, names, skip_bytes, skip_lines })
    }
}

/// How the characters of a file are written: as declared or as its mark says, and the two must agree.
fn encoding_of(file: &SourceFile, format: Format, table: &Table) -> Result<Encoding, Error> {
    let mut start = Vec::new();
    TextStream::open(file, format)?.fill(&mut start, MARK.len())?;
    let marked = match start.as_slice() {
        [0xef, 0xbb, 0xbf] => Some(Encoding::Utf8),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16Be),
        _ => None,
    };
    agreed(table.dialect.encoding, marked, start.is_empty())
        .map_err(|refusal| Error::Refused { file: file.name.clone(), refusal })
}

fn agreed(declared: Option<Encoding>, marked: Option<Encoding>, is_empty: bool) -> Result<Encoding, Refusal> {
    let is_16 = |encoding| matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be);
    match (declared, marked) {
        (Some(Encoding::Utf16), None) if !is_empty => Err(Refusal::Unmarked),
        (Some(Encoding::Utf16), Some(marked)) if is_16(marked) => Ok(marked),
        (Some(declared), Some(marked)) if declared != marked => Err(Refusal::Contradicted { declared, marked }),
        (declared, marked) => Ok(declared.or(marked).unwrap_or(Encoding::Utf8)),
    }
}

/// Text has no zero bytes; UTF-16 that nobody declared has little else.
fn check_zeros(head: &[u8], encoding: Encoding) -> Result<(), Refusal> {
    if !head.contains(&0) {
        return Ok(());
    }
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let likely = match head.len() / 4 {
        _ if encoding != Encoding::Utf8 => None,
        quarter if odd > quarter && even * 4 < odd => Some(Encoding::Utf16Le),
        quarter if even > quarter && odd * 4 < even => Some(Encoding::Utf16Be),
        _ => None,
    };
    Err(Refusal::ZeroBytes { likely })
}

/// The catalog lets only ASCII pass as delimiter and quote, so what is declared is never sniffed.
fn marks(table: &Table, head: &[u8]) -> Marks {
    let quote = table.dialect.quote.and_then(|quote| u8::try_from(quote).ok());
    match table.delimiter.map(u8::try_from) {
        _ if table.blanks => Marks { separator: Separator::Blanks, quote: None },
        Some(Ok(delimiter)) => Marks { separator: Separator::Delimiter(delimiter), quote },
        Some(Err(_)) | None => Marks { separator: Separator::Delimiter(sniffed(head, quote)), quote },
    }
}

/// The delimiter that cuts the first records into equally many fields, the more the better; where none does, the one
/// that cuts the first record into most.
fn sniffed(head: &[u8], quote: Option<u8>) -> u8 {
    let counts = DELIMITERS.map(|delimiter| (delimiter, field_counts(head, delimiter, quote)));
    let even = |counts: &[usize]| counts.iter().all(|count| count == &counts[0]);
    let first = |counts: &[usize]| counts.first().copied().unwrap_or(0);
    let rank = |counts: &[usize]| (first(counts) > 1 && even(counts), first(counts));
    // The last of several maxima wins, and a comma is the likeliest: hence the reversal.
    counts.iter().rev().max_by_key(|(_, counts)| rank(counts)).map_or(b',', |(delimiter, _)| *delimiter)
}

/// Fields of each of the first records; the last may be cut off by the end of the head and is not counted.
fn field_counts(head: &[u8], delimiter: u8, quote: Option<u8>) -> Vec<usize> {
    let mut records = Records::new(head, Marks { separator: Separator::Delimiter(delimiter), quote });
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
    fields: Result<Vec<String>, ColumnProblem>,
    count: usize,
    end: usize,
    lines: u64,
}

fn first_record(head: &[u8], marks: Marks) -> First {
    let mut records = Records::new(head, marks);
    let fields = match records.next() {
        None => Ok(Vec::new()),
        Some(record) if record.defect.is_some() => Err(ColumnProblem::Header),
        Some(_) => records
            .fields()
            .iter()
            .map(|field| match records.text(field) {
                Ok(text) => Ok(shown(&text.unwrap_or_default()).into_owned()),
                Err(_) => Err(ColumnProblem::Header),
            })
            .collect(),
    };
    First { fields, count: records.fields().len(), end: records.position(), lines: records.lines() }
}

fn check_count(found: usize) -> Result<(), ColumnProblem> {
    if found > MOST_COLUMNS { Err(ColumnProblem::TooMany { found, limit: MOST_COLUMNS }) } else { Ok(()) }
}

fn header_names(dialect: &Dialect, first: First) -> Result<Vec<String>, ColumnProblem> {
    let name = |(place, name): (usize, String)| match dialect.unnamed {
        Unnamed::Number if name.is_empty() => format!("column_{}", place + 1),
        Unnamed::Number | Unnamed::Refuse => name,
    };
    Ok(first.fields?.into_iter().enumerate().map(name).collect())
}

/// The declared names, if the first row has as many fields and is not a header after all.
fn declared_names(table: &Table, first: First) -> Result<Vec<String>, ColumnProblem> {
    if first.count > 0 && first.count != table.names.len() {
        return Err(ColumnProblem::Names { names: table.names.len(), found: first.count });
    }
    let same = |fields: &Vec<String>| {
        fields.iter().zip(&table.names).all(|(field, name)| field.to_lowercase() == name.to_lowercase())
    };
    if first.fields.is_ok_and(|fields| !fields.is_empty() && same(&fields)) {
        return Err(ColumnProblem::HeaderAfterAll);
    }
    Ok(table.names.clone())
}

/// Every column has a name of its own, also for who does not see capitals and blanks.
pub(crate) fn check_names(names: &[String]) -> Result<(), ColumnProblem> {
    check_count(names.len())?;
    if let Some(name) = names.iter().find(|name| has_control(name)) {
        return Err(ColumnProblem::Control(name.escape_debug().to_string()));
    }
    if let Some(position) = names.iter().position(|name| name.is_empty()) {
        return Err(ColumnProblem::Unnamed(position + 1));
    }
    let folded: Vec<String> = names.iter().map(|name| name.to_lowercase().split_whitespace().collect()).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    folded.iter().for_each(|name| *counts.entry(name).or_default() += 1);
    let twice = |(_, name): &(&String, &String)| counts[name.as_str()] > 1;
    let doubles: Vec<String> = names.iter().zip(&folded).filter(twice).map(|(name, _)| name.clone()).collect();
    if doubles.is_empty() { Ok(()) } else { Err(ColumnProblem::Duplicates(doubles)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, delimiter: u8) {
        assert_eq!(sniffed(head.as_bytes(), Some(b'"')) as char, delimiter as char, "{head}");
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
