//! Which rows a table has after a load: the stored ones, and what the files say of them.
//!
//! A row whose key is stored already replaces it or is the same; rows without a key are a multiset, of which the larger
//! count of the store's and each file's stays. Every incoming row is counted exactly once.

use std::collections::{HashMap, HashSet};

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, BooleanArray, StringViewArray, TimestampMicrosecondArray};
use arrow_ord::ord::{DynComparator, make_comparator};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, SortOptions};
use arrow_select::take::take;

use crate::column::{absent, indices};
use crate::joined::joined;
use crate::partitions::{Repeat, repeats};
use crate::report::{Refusal, TableCounts};
use crate::schema::TableSchema;

/// Rows of one table, column by column in the order of its schema.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<ArrayRef>,
    pub(crate) count: usize,
}

impl Rows {
    /// No rows of a table.
    pub(crate) fn none(schema: &TableSchema) -> Self {
        Self { columns: schema.columns.iter().map(|column| absent(column.column_type, 0)).collect(), count: 0 }
    }

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
            columns.push(joined(column)?);
        }
        columns.reverse();
        Ok(Self { columns, count })
    }
}

/// What came out of a merge.
pub(crate) struct Merged {
    /// The stored rows, and behind them the incoming ones.
    pub(crate) rows: Rows,
    /// How many of them were stored.
    pub(crate) stored: usize,
    pub(crate) standing: Standing,
    /// Stored rows that no longer stand, and that nothing replaces.
    pub(crate) deleted: Vec<u32>,
    /// Rows that stood for a while, or would have: for each key with several, all of them in no order.
    pub(crate) versions: Vec<Versions>,
    pub(crate) counts: TableCounts,
    pub(crate) refusals: Vec<Refusal>,
}

/// The rows that stand: stored ones first, in their order; then the new ones, in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Their numbers among stored and incoming rows.
    rows: Vec<u32>,
    /// The stored row that each of the first of them replaces or is.
    stored: Vec<u32>,
}

impl Standing {
    fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), stored: Vec::new() }
    }

    /// One more; none with a stored row follows one without.
    pub(crate) fn push(&mut self, row: u32, stored: Option<u32>) {
        debug_assert!(stored.is_none() || self.stored.len() == self.rows.len());
        self.rows.push(row);
        self.stored.extend(stored);
    }

    /// Each with the stored row that it replaces or is.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Option<u32>)> {
        let stored = self.stored.iter().copied().map(Some).chain(std::iter::repeat(None));
        self.rows.iter().copied().zip(stored)
    }

    /// Whether all of so many rows stand where they are numbered.
    fn is_all_of(&self, count: usize) -> bool {
        self.rows.len() == count && self.rows.iter().copied().eq(0..count as u32)
    }
}

/// The different rows that one key had, the one that stands now and the stored one among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versions {
    /// The stored row, if the key was stored.
    pub(crate) stored: Option<u32>,
    /// The row that stands.
    pub(crate) current: u32,
    /// The incoming ones, in order of arrival.
    pub(crate) came: Vec<u32>,
}

impl Merged {
    /// The rows that stand, copied together.
    pub(crate) fn into_rows(self) -> Result<Rows, ArrowError> {
        if self.standing.is_all_of(self.rows.count) {
            return Ok(self.rows);
        }
        self.rows.take(self.standing.rows.into_iter())
    }
}

/// How incoming rows meet stored ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// What the files do not name stays.
    Merge,
    /// What the files do not name goes.
    Replace,
    /// Below a parent that the files name, what they do not name goes.
    ReplaceByParent,
}

/// The stored rows and, behind them, the incoming ones, of which each file has a run.
struct Contest<'a> {
    schema: &'a TableSchema,
    rows: Rows,
    stored: usize,
    /// For each file the row after its last one, counted over stored and incoming rows.
    file_ends: Vec<usize>,
    /// For each stored row whether it goes when no file names it; empty where none does.
    replaced: Vec<bool>,
    /// Of a table whose rows say when they are deleted: what they say.
    deleted: Option<BooleanArray>,
}

/// Merges `incoming`, of which file `f` has the rows up to `file_ends[f]`, into `stored`.
pub(crate) fn merge(
    schema: &TableSchema,
    stored: Rows,
    incoming: Rows,
    file_ends: &[usize],
    meeting: Meeting,
) -> Result<Merged, ArrowError> {
    let stored_count = stored.count;
    let file_ends = file_ends.iter().map(|end| end + stored_count).collect();
    let replaced = replaced(schema, &stored, &incoming, meeting);
    let rows = Rows::joined(vec![stored, incoming])?;
    let deleted = schema.deleted_position().map(|place| rows.columns[place].as_boolean().clone());
    let contest = Contest { schema, rows, stored: stored_count, file_ends, replaced, deleted };
    match schema.key_position() {
        Some(key) => contest.by_key(key),
        None => contest.by_content(),
    }
}

fn replaced(schema: &TableSchema, stored: &Rows, incoming: &Rows, meeting: Meeting) -> Vec<bool> {
    match (meeting, schema.on_position()) {
        (Meeting::Merge, _) => Vec::new(),
        (Meeting::ReplaceByParent, Some(on)) => {
            let named: HashSet<&str> = incoming.columns[on].as_string_view().iter().flatten().collect();
            let parents = stored.columns[on].as_string_view();
            parents.iter().map(|parent| parent.is_some_and(|parent| named.contains(parent))).collect()
        }
        _ => vec![true; stored.count],
    }
}

/// How the row that stands for a key came to stand.
#[derive(Clone, Copy, PartialEq)]
enum Rank {
    Stored,
    New,
    Changed,
    Refused,
}

/// The row that stands for a key of which there were several.
struct Champion {
    row: u32,
    rank: Rank,
    /// The file that refused, where it did.
    refused_in: usize,
    /// The other rows of the key that were met, those of a file that contradicted itself left out.
    came: Vec<u32>,
    /// Whether an incoming row was met that stands, or is the same.
    named: bool,
}

/// A contest of keys, while it runs.
struct KeyContest<'a> {
    contest: &'a Contest<'a>,
    keys: &'a StringViewArray,
    updated: Option<&'a TimestampMicrosecondArray>,
    content: Vec<DynComparator>,
    /// The first row of each key, in order; tombstones, which have no key, stand for themselves.
    firsts: Vec<u32>,
    /// Of the keys of which there is something to say, by their first row.
    champions: Vec<(u32, Champion)>,
    /// For each stored row that may be replaced whether a file names it.
    named: Vec<bool>,
    counts: TableCounts,
    /// With the row that contradicted.
    refusals: Vec<(u32, Refusal)>,
}

impl Contest<'_> {
    fn by_key(self, key: usize) -> Result<Merged, ArrowError> {
        let updated = self.schema.updated_at.as_deref().and_then(|name| self.schema.position(name));
        let mut contest = KeyContest {
            contest: &self,
            keys: self.rows.columns[key].as_string_view(),
            updated: updated.map(|column| self.rows.columns[column].as_primitive::<TimestampMicrosecondType>()),
            content: comparators(&self.rows.columns)?,
            firsts: Vec::with_capacity(self.rows.count),
            champions: Vec::new(),
            named: vec![false; self.replaced.len()],
            counts: TableCounts::default(),
            refusals: Vec::new(),
        };
        contest.run();
        let (standing, deleted, versions) = contest.outcome();
        let KeyContest { mut counts, refusals, .. } = contest;
        let refusals = refusals.into_iter().map(|(_, refusal)| refusal).collect();
        counts.deleted = deleted.len() as u64;
        Ok(Merged { standing, deleted, versions, counts, refusals, stored: self.stored, rows: self.rows })
    }

    /// The file of an incoming row.
    fn file_of(&self, row: u32) -> usize {
        self.file_ends.partition_point(|end| *end <= row as usize)
    }

    fn is_replaced(&self, row: u32) -> bool {
        self.replaced.get(row as usize) == Some(&true)
    }

    fn is_deletion(&self, row: u32) -> bool {
        self.deleted.as_ref().is_some_and(|deleted| deleted.is_valid(row as usize) && deleted.value(row as usize))
    }

    /// Of equal rows as many as the source has that has most: the n-th of a source is kept if no source before had n.
    fn by_content(self) -> Result<Merged, ArrowError> {
        let mut counts = TableCounts::default();
        let one_source = self.stored == 0 && self.file_ends.len() == 1;
        let (kept, met) = match one_source {
            true => ((0..self.rows.count as u32).collect(), Vec::new()),
            false => self.larger_counts()?,
        };
        let keep = |row: &u32| !self.is_replaced(*row) || met.get(*row as usize) == Some(&true);
        let stored = |row: u32| Some(row).filter(|row| (*row as usize) < self.stored);
        let mut standing = Standing::with_capacity(kept.len());
        kept.iter().filter(|row| keep(row)).for_each(|row| standing.push(*row, stored(*row)));
        let deleted: Vec<u32> = kept.iter().filter(|row| !keep(row)).copied().collect();
        let new = kept.iter().filter(|row| **row as usize >= self.stored).count();
        counts.new = new as u64;
        counts.same = (self.rows.count - self.stored - new) as u64;
        counts.deleted = deleted.len() as u64;
        let (versions, refusals) = (Vec::new(), Vec::new());
        Ok(Merged { stored: self.stored, rows: self.rows, standing, deleted, versions, counts, refusals })
    }

    /// The rows that are kept, and for each stored row whether a file has it, too.
    fn larger_counts(&self) -> Result<(Vec<u32>, Vec<bool>), ArrowError> {
        let fields = self.rows.columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        let contents = RowConverter::new(fields)?.convert_columns(&self.rows.columns)?;
        let mut tallies: HashMap<&[u8], Tally> = HashMap::with_capacity(self.rows.count);
        let mut met = vec![false; self.stored];
        let mut kept = Vec::with_capacity(self.rows.count);
        for row in 0..self.rows.count as u32 {
            let stored = (row as usize) < self.stored;
            let source = if stored { usize::MAX } else { self.file_of(row) };
            let tally = tallies.entry(contents.row(row as usize).data()).or_default();
            let more = tally.count(source);
            if stored {
                tally.stored.push(row);
            } else if let Some(same) = tally.stored.get(tally.here as usize - 1) {
                met[*same as usize] = true;
            }
            if more {
                kept.push(row);
            }
        }
        Ok((kept, met))
    }
}

impl KeyContest<'_> {
    fn run(&mut self) {
        let repeats = repeats(self.keys);
        self.count_firsts(&repeats);
        for met in repeats.chunk_by(|a, b| a.first == b.first) {
            let mut champion = self.unchallenged(met[0].first);
            met.iter().for_each(|Repeat { first, row }| self.meet(&mut champion, *first, *row));
            self.settle(champion, met[0].first);
        }
        self.refusals.sort_by_key(|(row, _)| *row);
    }

    fn count_firsts(&mut self, repeats: &[Repeat]) {
        let (rows, stored) = (self.contest.rows.count, self.contest.stored);
        let mut is_first = vec![true; rows];
        repeats.iter().for_each(|repeat| is_first[repeat.row as usize] = false);
        self.firsts.extend((0..rows as u32).filter(|row| is_first[*row as usize]));
        let new = (stored..rows).filter(|row| is_first[*row] && self.keys.is_valid(*row));
        self.counts.new = new.count() as u64;
    }

    /// Keeps what is to be said of a key; of most rows that come again there is nothing.
    fn settle(&mut self, champion: Champion, first: u32) {
        let stands_alone = champion.row == first && champion.came.is_empty();
        if let Some(named) = self.named.get_mut(first as usize) {
            *named |= champion.named;
        }
        if champion.rank == Rank::Refused || !stands_alone {
            self.champions.push((first, champion));
        }
    }

    /// The first row of a key, before another was met.
    fn unchallenged(&self, first: u32) -> Champion {
        let stored = (first as usize) < self.contest.stored;
        let rank = if stored { Rank::Stored } else { Rank::New };
        Champion { row: first, rank, refused_in: usize::MAX, came: Vec::new(), named: !stored }
    }

    fn meet(&mut self, champion: &mut Champion, first: u32, row: u32) {
        match self.challenge(champion, row) {
            Outcome::Same => {
                self.counts.same += 1;
                champion.named = true;
            }
            Outcome::Older => {
                self.counts.older += 1;
                champion.named = true;
                champion.came.push(row);
            }
            Outcome::Wins => self.win(champion, first, row),
            Outcome::Contradicts => self.contradict(champion, first, row),
        }
    }

    fn win(&mut self, champion: &mut Champion, first: u32, row: u32) {
        let newly = champion.rank == Rank::Refused && first as usize >= self.contest.stored;
        if newly {
            self.counts.new += 1;
        } else {
            self.counts.changed += 1;
        }
        if champion.rank != Rank::Refused && champion.row as usize >= self.contest.stored {
            champion.came.push(champion.row);
        }
        champion.row = row;
        champion.rank = if newly { Rank::New } else { Rank::Changed };
        champion.refused_in = usize::MAX;
        champion.named = true;
    }

    fn contradict(&mut self, champion: &mut Champion, first: u32, row: u32) {
        let both = champion.rank != Rank::Refused;
        self.counts.new -= u64::from(champion.rank == Rank::New);
        self.counts.changed -= u64::from(champion.rank == Rank::Changed);
        self.counts.refused += 1 + u64::from(both);
        if both {
            let refusal = Refusal::contradiction(self.contest.schema, self.keys.value(row as usize));
            self.refusals.push((row, refusal));
        }
        let refused_in = self.contest.file_of(row);
        *champion = Champion { row: first, rank: Rank::Refused, refused_in, came: Vec::new(), named: true };
    }

    /// What becomes of `row`, whose key `champion` holds; their ages are their `updated_at`, where the table has it.
    fn challenge(&self, champion: &Champion, row: u32) -> Outcome {
        let file = self.contest.file_of(row);
        if champion.rank == Rank::Refused {
            return if champion.refused_in == file { Outcome::Contradicts } else { Outcome::Wins };
        }
        let (champions_age, age) = (self.age(champion.row), self.age(row));
        if age < champions_age {
            return Outcome::Older;
        }
        if self.content.iter().all(|compare| compare(champion.row as usize, row as usize).is_eq()) {
            return Outcome::Same;
        }
        let of_one_file = champion.rank != Rank::Stored && self.contest.file_of(champion.row) == file;
        if of_one_file && age <= champions_age { Outcome::Contradicts } else { Outcome::Wins }
    }

    fn age(&self, row: u32) -> Option<i64> {
        self.updated.and_then(|at| at.is_valid(row as usize).then(|| at.value(row as usize)))
    }

    /// The rows that stand, the stored ones that went, and the versions of keys that had several. A refused key keeps its
    /// stored row, if it has one.
    fn outcome(&mut self) -> (Standing, Vec<u32>, Vec<Versions>) {
        let stored_count = self.contest.stored;
        let mut standing = Standing::with_capacity(self.firsts.len());
        let (mut deleted, mut versions) = (Vec::new(), Vec::new());
        let mut champions = std::mem::take(&mut self.champions).into_iter().peekable();
        for first in std::mem::take(&mut self.firsts) {
            let stored = Some(first).filter(|row| (*row as usize) < stored_count);
            let tombstone = stored.is_some() && self.keys.is_null(first as usize);
            let champion = champions.next_if(|(of, _)| *of == first).map(|(_, champion)| champion);
            let named = tombstone || self.named.get(first as usize) == Some(&true);
            let row = match &champion {
                None => Some(first),
                Some(champion) if champion.rank == Rank::Refused => stored,
                Some(champion) => Some(champion.row),
            };
            let goes = stored.is_some_and(|stored| self.contest.is_replaced(stored)) && !named;
            let row = row.filter(|row| !goes && (tombstone || !self.contest.is_deletion(*row)));
            let Some(row) = row else {
                deleted.extend(stored);
                // To delete what is not there changes nothing.
                let unknown =
                    stored.is_none() && champion.as_ref().is_none_or(|champion| champion.rank != Rank::Refused);
                self.counts.new -= u64::from(unknown);
                self.counts.same += u64::from(unknown);
                continue;
            };
            standing.push(row, stored);
            if let Some(champion) = champion
                && (stored.is_some_and(|stored| stored != row) || !champion.came.is_empty())
                && champion.rank != Rank::Refused
            {
                let came = champion.came.iter().copied().filter(|row| !self.contest.is_deletion(*row)).collect();
                versions.push(Versions { stored, current: row, came });
            }
        }
        (standing, deleted, versions)
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
    /// The stored rows of this content.
    stored: Vec<u32>,
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
