//! What a table holds: rows, and of each column its nulls, distinct values, range and most frequent values.
//!
//! Measured by the engine, as of an instant like any query, over the asked table's columns alone: one pass for the counts
//! and ranges of all columns (`measure`), then for each column its most frequent values (`top`). The values of a column
//! whose class keeps them from whoever works with the workspace are not even asked for.

use muster_catalog::{Class, Kind, Role, Timestamp, nearest};
use muster_store::{ColumnSchema, TableSchema};

use crate::{Error, Evaluator};

mod classes;
pub use classes::{Classes, Grants, class_of, class_word};

mod measure;

mod top;

/// What is asked of a table.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The table, capitals aside.
    pub table: &'a str,
    /// Its only column that is asked for, capitals aside; without it all of them.
    pub column: Option<&'a str>,
    /// What became known later does not count.
    pub as_of: Timestamp,
    /// How much is measured.
    pub depth: Depth,
    /// Which columns' values stay hidden.
    pub classes: &'a Classes,
}

/// How much of a column is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Nulls and ranges: one pass, next to no memory.
    Ranges,
    /// Distinct and most frequent values as well.
    Values {
        /// With more rows than this the distinct values are estimated, not counted.
        exact_rows: u64,
    },
}

impl Depth {
    /// What DESCRIBE measures. A set of twenty million distinct texts is about what one query may hold in memory.
    pub const DESCRIBE: Self = Self::Values { exact_rows: 20_000_000 };
}

/// How many of the most frequent values a description has.
pub const MOST_FREQUENT: usize = 5;

/// Of a column with more estimated distinct values than this no most frequent ones are looked for: there each is rare.
const MOST_GROUPS: u64 = 1_000_000;

/// A table, as of an instant.
#[derive(Debug, Clone)]
pub struct TableDescription {
    /// What it consists of.
    pub schema: TableSchema,
    /// Rows that are there as of the instant.
    pub rows: u64,
    /// Rows that are stored and not there yet: their time is later, or their profile's is.
    pub later: u64,
    /// Rows that wait for their parent.
    pub waiting: u64,
    /// The columns that were asked for, in their order.
    pub columns: Vec<ColumnDescription>,
}

/// A column, over the rows that are there.
#[derive(Debug, Clone)]
pub struct ColumnDescription {
    /// Its name, type and role.
    pub schema: ColumnSchema,
    /// Who may see its values.
    pub class: Class,
    shown: bool,
    /// Rows without a value.
    pub nulls: u64,
    /// Distinct values, where they were asked for; of a set its members'.
    pub distinct: Option<Distinct>,
    /// The smallest and the largest value; none without values, of sets, and where they are hidden.
    pub range: Option<(String, String)>,
    /// The most frequent values with the rows that have them, equally frequent ones in their order; of a set its
    /// members.
    pub top: Vec<(String, u64)>,
}

/// How many distinct values a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distinct {
    /// Counted.
    Exact(u64),
    /// By HyperLogLog: within two percent, most of the time.
    Estimate(u64),
}

impl Distinct {
    /// The number, however it was found.
    pub fn number(self) -> u64 {
        match self {
            Self::Exact(number) | Self::Estimate(number) => number,
        }
    }
}

impl TableDescription {
    /// Measures what is wanted.
    ///
    /// # Errors
    /// [`Error::UnknownTable`] or [`Error::UnknownColumn`] with the nearest name; [`Error::Query`] past a limit.
    pub fn of(evaluator: &Evaluator<'_>, wanted: &Wanted<'_>) -> Result<Self, Error> {
        let snapshot = evaluator.snapshot();
        let schema = find(snapshot.schemas(), wanted.table, |table| &table.name).map_err(|nearest| {
            let name = wanted.table.to_owned();
            Error::UnknownTable { name, nearest }
        })?;
        let columns = match wanted.column {
            Some(name) => vec![column_of(schema, name)?],
            None => schema.columns.iter().collect(),
        };
        let measured = measure::measure(evaluator, schema, &columns, wanted)?;
        let mut described = Vec::with_capacity(columns.len());
        for (column, measured) in columns.into_iter().zip(measured.columns) {
            described.push(describe(evaluator, schema, column, measured, wanted)?);
        }
        Ok(Self {
            schema: schema.clone(),
            rows: measured.rows,
            later: snapshot.row_count(&schema.name).saturating_sub(measured.rows),
            waiting: snapshot.orphan_count(&schema.name),
            columns: described,
        })
    }
}

fn column_of<'a>(schema: &'a TableSchema, name: &str) -> Result<&'a ColumnSchema, Error> {
    find(schema.columns.iter(), name, |column| &column.name).map_err(|nearest| Error::UnknownColumn {
        table: schema.name.clone(),
        name: name.to_owned(),
        nearest,
    })
}

/// The thing of this name, as it is written or else capitals aside; where there is none, the nearest name.
fn find<'a, T>(
    things: impl Iterator<Item = &'a T>,
    name: &str,
    name_of: impl Fn(&'a T) -> &'a str,
) -> Result<&'a T, Option<String>> {
    let things: Vec<&T> = things.collect();
    let exactly = things.iter().find(|thing| name_of(thing) == name);
    let found = exactly.or_else(|| things.iter().find(|thing| name_of(thing).eq_ignore_ascii_case(name)));
    found.copied().ok_or_else(|| nearest(name, things.iter().map(|thing| name_of(thing))).map(str::to_owned))
}

fn describe(
    evaluator: &Evaluator<'_>,
    table: &TableSchema,
    column: &ColumnSchema,
    measured: measure::Measured,
    wanted: &Wanted<'_>,
) -> Result<ColumnDescription, Error> {
    let class = wanted.classes.of(&table.name, column);
    let mut described = ColumnDescription {
        schema: column.clone(),
        class,
        shown: wanted.classes.shows(&table.name, column),
        nulls: measured.nulls,
        distinct: measured.distinct,
        range: measured.range,
        top: Vec::new(),
    };
    if wanted.depth != Depth::Ranges {
        top::add(evaluator, table, &mut described, measured.filled, wanted.as_of)?;
    }
    Ok(described)
}

impl ColumnDescription {
    /// Whether its values may be shown to whoever asked.
    pub fn is_shown(&self) -> bool {
        self.shown
    }
}

/// What a column is for in its table: key, time, a link.
pub fn part(table: &TableSchema, column: &str) -> Option<String> {
    let parts = [
        (&table.key, "key"),
        (&table.time, "time"),
        (&table.updated_at, "updated_at"),
        (&table.created_at, "created_at"),
    ];
    let part = parts.into_iter().find(|(name, _)| name.as_deref() == Some(column)).map(|(_, part)| part.to_owned());
    let on = matches!(&table.kind, Kind::History { on, .. } if on == column).then(|| "parent's key".to_owned());
    let link = table.links.iter().find(|(_, from, _)| from == column).map(|(link, ..)| format!("link {link}"));
    part.or(on).or(link)
}

/// Whether equal values in this role are doubles: two profiles with one address are mostly one person.
pub(crate) fn is_address(role: Option<&Role>) -> bool {
    matches!(role, Some(Role::Email | Role::Mobile))
}

/// `"orders"."total"`.
pub(crate) fn qualified(table: &str, column: &str) -> String {
    format!("{}.{}", quoted(table), quoted(column))
}

/// A name as SQL text, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
