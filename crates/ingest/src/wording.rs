//! Which of a table's sources a file belongs to, and how its files call and write the columns.

use std::borrow::Cow;
use std::path::Path;

use muster_catalog::{Column, Table};

use crate::error::{ColumnProblem, Error};
use crate::source::{SourceFile, expand_sources, source_matches};

/// The files of a table, of all of its sources, in the order of their names.
///
/// # Errors
/// [`Error::NoFiles`] of the first source if none of them has a file; [`Error::Unreadable`] if a folder on the way
/// cannot be listed.
pub fn source_files(folder: &Path, table: &Table) -> Result<Vec<SourceFile>, Error> {
    let mut files = Vec::new();
    let mut missing = None;
    for pattern in table.patterns() {
        match expand_sources(folder, pattern) {
            Ok(found) => files.extend(found),
            Err(error @ Error::NoFiles { .. }) => missing = missing.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    files.sort();
    files.dedup();
    missing.filter(|_| files.is_empty()).map_or(Ok(files), Err)
}

/// Whether a file of this name (relative to the workspace) belongs to one of a table's sources, as far as names tell.
pub fn belongs_to(table: &Table, name: &str) -> bool {
    table.patterns().into_iter().any(|pattern| source_matches(pattern, name))
}

/// The number of the source that a file with these columns belongs to; none where the table has but one.
///
/// The one of highest priority whose pattern has its name and whose `match` has its header, of equal ones the first. An
/// empty file has no header to go by.
pub(crate) fn source_of(table: &Table, file: &SourceFile, names: &[String]) -> Result<Option<usize>, Error> {
    if table.sources.is_empty() {
        return Ok(None);
    }
    let fits = |header: &[String]| names.is_empty() || header.iter().all(|name| names.contains(name));
    let sources = table.sources.iter().enumerate();
    let fitting = sources.filter(|(_, source)| source_matches(&source.source, &file.name) && fits(&source.header));
    // The last of several maxima wins, and the first source is to: hence the reversal.
    match fitting.rev().max_by_key(|(_, source)| source.priority) {
        Some((number, _)) => Ok(Some(number)),
        None => {
            let problem = ColumnProblem::NoSource { found: names.to_vec() };
            Err(Error::Columns { file: file.name.clone(), problem })
        }
    }
}

/// A column as the files of a source have it; `column` is how the table declares it, or as it comes.
pub(crate) fn column_in<'a>(table: &'a Table, source: Option<usize>, column: &'a Column) -> Cow<'a, Column> {
    let Some(source) = source.and_then(|number| table.sources.get(number)) else { return Cow::Borrowed(column) };
    match source.column(&column.name) {
        Some(declared) => Cow::Borrowed(declared),
        // What only another source declares is said of its files alone.
        None => Cow::Owned(Column { pick: column.pick, ..Column::plain(&column.name) }),
    }
}

/// The declaration of a column, by the table or by the first of its sources that says a type.
pub(crate) fn declared<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    let in_sources = || table.sources.iter().filter_map(|source| source.column(name));
    let typed = || in_sources().find(|column| column.column_type.is_some());
    table
        .column(name)
        .filter(|column| column.column_type.is_some() || table.sources.is_empty())
        .or_else(|| typed().or_else(|| table.column(name)).or_else(|| in_sources().next()))
}

/// The same column with the table's way of writing numbers where it has none of its own.
pub(crate) fn localized(table: &Table, column: &Column) -> Column {
    let (decimal, thousands) = (column.decimal.or(table.dialect.decimal), column.thousands.or(table.dialect.thousands));
    Column { decimal, thousands, ..column.clone() }
}
