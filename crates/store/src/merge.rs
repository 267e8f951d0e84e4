//! Which rows a table has after a load: the stored ones, and what the files say of them.
//!
//! A row whose key is stored already replaces it or is the same; rows without a key are a multiset, of which the larger
//! count of the store's and each file's stays. Every incoming row is counted exactly once.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef};
use arrow_ord::ord::{DynComparator, make_comparator};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, SortOptions};
use arrow_select::concat::concat;
use arrow_select::take::take;

use crate::column::indices;
use crate::keys::KeyIndex;
use crate::publish::{Refusal, TableCounts};
use crate::schema::TableSchema;

/// Rows of one table, column by column in the order of its schema.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<ArrayRef>,
    pub(crate) count: usize,
}

impl Rows {
    /// The rows at these places, in this order.
    pub(crate) fn take(&self, places: impl ExactSizeIterator<Item = u32>) -> Result<Self, ArrowError> {
        let count = places.len();
        let places = indices(places);
        let columns = self.columns.iter().map(|column| take(column, &places, None)).collect::<Result<_, _>>()?;
        Ok(Self { columns, count })
    }

    /// The rows of all parts, one after the other.
    pub(crate) fn joined(mut parts: Vec<Self>) -> Result<Self, ArrowError> {
        // Of parts without rows one stays, for its columns.
        parts.sort_by_key(|part| part.count == 0);
        let filled = parts.iter().filter(|part| part.count > 0).count();
        parts.truncate(filled.max(1));
        if parts.len() <= 1 {
            return Ok(parts.pop().unwrap_or_default());
        }
        let count = parts.iter().map(|part| part.count).sum();
        let mut columns = Vec::with_capacity(parts[0].columns.len());
        // Column by column from the last, so that the parts of one are let go before the next is joined.
        while let Some(column) = parts.iter_mut().map(|part| part.columns.pop()).collect::<Option<Vec<_>>>() {
            columns.push(concat(&column.iter().map(AsRef::as_ref).collect::<Vec<_>>())?);
        }
        columns.reverse();
        Ok(Self { columns, count })
    }
}

/// What came out of a merge.
pub(crate) struct Merged {
    /// Stored rows first, in their order; then the new ones, in order of arrival.
    pub(crate) rows: Rows,
    pub(crate) counts: TableCounts,
    pub(crate) refusals: Vec<Refusal>,
}

/// The stored rows and, behind them, the incoming ones, of which each file has a run.
struct Contest<'a> {
    schema: &'a TableSchema,
    rows: Rows,
    stored: usize,
    /// For each file the row after its last one, counted over stored and incoming rows.
    file_ends: Vec<usize>,
}

/// Merges `incoming`, of which file `f` has the rows up to `file_ends[f]`, into `stored`.
pub(crate) fn merge(
    schema: &TableSchema,
    stored: Rows,
    incoming: Rows,
    file_ends: &[usize],
) -> Result<Merged, ArrowError> {
    let stored_count = stored.count;
    let file_ends = file_ends.iter().map(|end| end + stored_count).collect();
    let rows = Rows::joined(vec![stored, incoming])?;
    let contest = Contest { schema, rows, stored: stored_count, file_ends };
    match schema.key_position() {
        Some(key) => contest.by_key(key),
        None => contest.by_content(),
    }
}

/// How the row that stands for a key came to stand.
#[derive(Clone, Copy, PartialEq)]
enum Standing {
    Stored,
    New,
    Changed,
    Refused,
}

/// The row that stands for a key of which there were several.
#[derive(Clone, Copy)]
struct Champion {
    row: u32,
    standing: Standing,
    /// The file that refused, where it did.
    refused_in: usize,
}

impl Contest<'_> {
    fn by_key(self, key: usize) -> Result<Merged, ArrowError> {
        let keys = self.rows.columns[key].as_string_view();
        let content = comparators(&self.rows.columns)?;
        let updated = self.schema.updated_at.as_deref().and_then(|name| self.schema.position(name));
        let updated = updated.map(|column| self.rows.columns[column].as_primitive::<TimestampMicrosecondType>());
        let age = |row: u32| updated.and_then(|at| at.is_valid(row as usize).then(|| at.value(row as usize)));

        let mut index = KeyIndex::with_capacity(self.rows.count);
        let mut first_rows: Vec<u32> = Vec::with_capacity(self.rows.count);
        let mut champions: HashMap<u32, Champion> = HashMap::new();
        let mut counts = TableCounts::default();
        let mut refusals = Vec::new();
        for row in 0..self.rows.count as u32 {
            let Some(first) = index.enter(keys, row) else {
                first_rows.push(row);
                counts.new += u64::from(row as usize >= self.stored);
                continue;
            };
            let champion = champions.entry(first).or_insert_with(|| self.unchallenged(first));
            match self.challenge(champion, row, &content, age(champion.row), age(row)) {
                Outcome::Same => counts.same += 1,
                Outcome::Older => counts.older += 1,
                Outcome::Wins => {
                    counts.changed += 1;
                    let standing = if champion.standing == Standing::Refused && first as usize >= self.stored {
                        counts.changed -= 1;
                        counts.new += 1;
                        Standing::New
                    } else {
                        Standing::Changed
                    };
                    *champion = Champion { row, standing, refused_in: usize::MAX };
                }
                Outcome::Contradicts => {
                    let both = champion.standing != Standing::Refused;
                    counts.new -= u64::from(champion.standing == Standing::New);
                    counts.changed -= u64::from(champion.standing == Standing::Changed);
                    counts.refused += 1 + u64::from(both);
                    if both {
                        refusals.push(Refusal::contradiction(self.schema, keys.value(row as usize)));
                    }
                    *champion = Champion { row: first, standing: Standing::Refused, refused_in: self.file_of(row) };
                }
            }
        }
        let rows = self.standing_rows(&first_rows, &champions)?;
        Ok(Merged { rows, counts, refusals })
    }

    fn unchallenged(&self, first: u32) -> Champion {
        let standing = if (first as usize) < self.stored { Standing::Stored } else { Standing::New };
        Champion { row: first, standing, refused_in: usize::MAX }
    }

    /// What becomes of `row`, whose key `champion` holds; their ages are their `updated_at`, where the table has it.
    fn challenge(
        &self,
        champion: &Champion,
        row: u32,
        content: &[DynComparator],
        champions_age: Option<i64>,
        age: Option<i64>,
    ) -> Outcome {
        let file = self.file_of(row);
        if champion.standing == Standing::Refused {
            return if champion.refused_in == file { Outcome::Contradicts } else { Outcome::Wins };
        }
        if age < champions_age {
            return Outcome::Older;
        }
        if content.iter().all(|compare| compare(champion.row as usize, row as usize).is_eq()) {
            return Outcome::Same;
        }
        let of_one_file = champion.standing != Standing::Stored && self.file_of(champion.row) == file;
        if of_one_file && age <= champions_age { Outcome::Contradicts } else { Outcome::Wins }
    }

    /// The file of an incoming row.
    fn file_of(&self, row: u32) -> usize {
        self.file_ends.partition_point(|end| *end <= row as usize)
    }

    /// A refused key keeps its stored row, if it has one.
    fn standing_rows(&self, firsts: &[u32], champions: &HashMap<u32, Champion>) -> Result<Rows, ArrowError> {
        if champions.is_empty() {
            return Ok(self.rows.clone());
        }
        let standing = |first: &u32| match champions.get(first) {
            None => Some(*first),
            Some(Champion { standing: Standing::Refused, .. }) => {
                Some(*first).filter(|row| (*row as usize) < self.stored)
            }
            Some(champion) => Some(champion.row),
        };
        let rows: Vec<u32> = firsts.iter().filter_map(standing).collect();
        self.rows.take(rows.into_iter())
    }

    fn by_content(self) -> Result<Merged, ArrowError> {
        let mut counts = TableCounts::default();
        let one_source = self.stored == 0 && self.file_ends.len() == 1;
        let rows = if one_source { self.rows.clone() } else { self.larger_counts()? };
        counts.new = (rows.count - self.stored) as u64;
        counts.same = (self.rows.count - rows.count) as u64;
        Ok(Merged { rows, counts, refusals: Vec::new() })
    }

    /// Of equal rows as many as the source has that has most: the n-th of a source is kept if no source before had n.
    fn larger_counts(&self) -> Result<Rows, ArrowError> {
        let fields = self.rows.columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        let contents = RowConverter::new(fields)?.convert_columns(&self.rows.columns)?;
        let mut tallies: HashMap<&[u8], Tally> = HashMap::with_capacity(self.rows.count);
        let kept = (0..self.rows.count as u32).filter(|row| {
            let source = if (*row as usize) < self.stored { usize::MAX } else { self.file_of(*row) };
            let tally = tallies.entry(contents.row(*row as usize).data()).or_default();
            tally.count(source)
        });
        let kept: Vec<u32> = kept.collect();
        self.rows.take(kept.into_iter())
    }
}

enum Outcome {
    Same,
    Older,
    Wins,
    Contradicts,
}

/// How often a content was met: in the source that is being read, and at most in any.
#[derive(Default)]
struct Tally {
    source: usize,
    here: u32,
    kept: u32,
}

impl Tally {
    /// Counts one more in `source`; whether that is more than any source had.
    fn count(&mut self, source: usize) -> bool {
        if self.source != source {
            (self.source, self.here) = (source, 0);
        }
        self.here += 1;
        let more = self.here > self.kept;
        self.kept = self.kept.max(self.here);
        more
    }
}

/// For each column what compares two of its rows, values by value, no value first.
pub(crate) fn comparators(columns: &[ArrayRef]) -> Result<Vec<DynComparator>, ArrowError> {
    let options = SortOptions { descending: false, nulls_first: true };
    columns.iter().map(|column| make_comparator(column, column, options)).collect()
}
