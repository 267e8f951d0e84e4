//! How healthy the stored data are: empty cells, doubles, times that have not come, and how the tables grew.
//!
//! Everything that is stored is looked at, what lies in the future included; the instant only says what the future is.

use chrono_tz::Tz;
use muster_catalog::{ColumnType, Timestamp};
use muster_store::TableSchema;

use crate::cells::{Line, ask, counts, texts};
use crate::describe::{is_address, qualified, quoted};
use crate::{Classes, Depth, Error, Evaluator, TableDescription, Wanted};

/// The health of all tables.
#[derive(Debug, Clone)]
pub struct Health {
    /// What is later than this has not come yet.
    pub now: Timestamp,
    /// All tables, with nulls and ranges of all their columns.
    pub tables: Vec<TableDescription>,
    /// What could come twice, and whether it does.
    pub doubles: Vec<Double>,
    /// The columns with dates or instants that have not come yet.
    pub future: Vec<Future>,
    /// Of each table with a time of its own the rows of each month.
    pub months: Vec<(String, Vec<Month>)>,
}

/// Something that could come twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Double {
    /// The table.
    pub table: String,
    /// What is compared.
    pub what: Doubles,
    /// How many values, or rows, come more than once.
    pub groups: u64,
    /// How many rows have one of them.
    pub rows: u64,
}

/// What is compared when doubles are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubles {
    /// Whole rows, of a table without a key.
    Rows,
    /// The values of this column, which has the role of an address.
    Values(String),
}

/// A column with dates or instants that have not come yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Future {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// What it is for in its table, where it has a part; a plain column may well speak of the future.
    pub part: Option<String>,
    /// How many rows are later than now.
    pub rows: u64,
}

/// The rows of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// `2025-06`, on the workspace's calendar.
    pub month: String,
    /// Its rows.
    pub rows: u64,
}

/// The last instant as of which a query can look at the world: everything that is stored is there then.
const END_OF_TIME: Timestamp = Timestamp::from_micros(9_214_646_399_000_000);

impl Health {
    /// Looks at all tables.
    ///
    /// # Errors
    /// If a query passes a limit, or the store cannot be read.
    pub fn of(evaluator: &Evaluator<'_>, now: Timestamp, zone: Tz, classes: &Classes) -> Result<Self, Error> {
        let mut health = Self { now, tables: Vec::new(), doubles: Vec::new(), future: Vec::new(), months: Vec::new() };
        for table in evaluator.snapshot().schemas() {
            let wanted = Wanted { table: &table.name, column: None, as_of: END_OF_TIME, depth: Depth::Ranges, classes };
            health.tables.push(TableDescription::of(evaluator, &wanted)?);
            health.doubles.extend(doubles(evaluator, table)?);
            health.future.extend(future(evaluator, table, now, zone)?);
            health.months.extend(months(evaluator, table)?.map(|months| (table.name.clone(), months)));
        }
        Ok(health)
    }
}

fn doubles(evaluator: &Evaluator<'_>, table: &TableSchema) -> Result<Vec<Double>, Error> {
    let mut doubles = Vec::new();
    if table.key.is_none() {
        let columns: Vec<String> = table.columns.iter().map(|column| qualified(&table.name, &column.name)).collect();
        doubles.push(double(evaluator, table, Doubles::Rows, &columns.join(", "), "TRUE")?);
    }
    for column in table.columns.iter().filter(|column| is_address(column.role.as_ref())) {
        let (what, value) = (Doubles::Values(column.name.clone()), qualified(&table.name, &column.name));
        // Two empty cells are no doubles of each other.
        doubles.push(double(evaluator, table, what, &value, &format!("{value} IS NOT NULL"))?);
    }
    Ok(doubles)
}

fn double(
    evaluator: &Evaluator<'_>,
    table: &TableSchema,
    what: Doubles,
    compared: &str,
    condition: &str,
) -> Result<Double, Error> {
    let text = format!(
        "SELECT count(*) AS groups, sum(found.times) AS counted FROM (
             SELECT count(*) AS times FROM {} WHERE {condition} GROUP BY {compared} HAVING count(*) > 1) AS found",
        quoted(&table.name),
    );
    let mut line = Line::of(ask(evaluator, &text, END_OF_TIME)?);
    Ok(Double { table: table.name.clone(), what, groups: line.count()?, rows: line.count()? })
}

fn future(evaluator: &Evaluator<'_>, table: &TableSchema, now: Timestamp, zone: Tz) -> Result<Vec<Future>, Error> {
    let today = now.local(zone).date_naive();
    let later = |column_type: ColumnType| match column_type {
        ColumnType::Timestamp => Some(format!("TIMESTAMPTZ '{now}'")),
        ColumnType::Date => Some(format!("DATE '{today}'")),
        _ => None,
    };
    let dated: Vec<_> =
        table.columns.iter().filter_map(|column| Some((&column.name, later(column.column_type)?))).collect();
    if dated.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<String> = dated
        .iter()
        .map(|(column, now)| format!("count(*) FILTER (WHERE {} > {now})", qualified(&table.name, column)))
        .collect();
    let text = format!("SELECT {} FROM {}", asked.join(", "), quoted(&table.name));
    let mut line = Line::of(ask(evaluator, &text, END_OF_TIME)?);
    let mut found = Vec::new();
    for (column, _) in dated {
        let part = crate::part(table, column);
        found.push(Future { table: table.name.clone(), column: column.clone(), part, rows: line.count()? });
    }
    found.retain(|future| future.rows > 0);
    Ok(found)
}

fn months(evaluator: &Evaluator<'_>, table: &TableSchema) -> Result<Option<Vec<Month>>, Error> {
    let Some(time) = table.time.as_ref().or(table.created_at.as_ref()) else { return Ok(None) };
    let time = qualified(&table.name, time);
    let month = format!("date_trunc('month', {time})");
    let text = format!(
        "SELECT CAST({month} AS VARCHAR) AS month, count(*) AS counted FROM {} WHERE {time} IS NOT NULL
         GROUP BY {month} ORDER BY {month}",
        quoted(&table.name)
    );
    let answer = ask(evaluator, &text, END_OF_TIME)?;
    let months = texts(&answer, 0)?.into_iter().flatten().zip(counts(&answer, 1)?);
    let named = months.map(|(start, rows)| Month { month: start.chars().take(7).collect(), rows });
    Ok(Some(named.collect()))
}
