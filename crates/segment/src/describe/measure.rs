//! Counts and ranges of all columns in one pass over the table.

use muster_catalog::ColumnType;
use muster_store::{ColumnSchema, TableSchema};

use super::{Depth, Distinct, Wanted, qualified, quoted};
use crate::cells::{Line, ask};
use crate::{Error, Evaluator};

/// The rows of a table and what was measured of its columns, in the order in which they were asked for.
pub(super) struct Counted {
    pub(super) rows: u64,
    pub(super) columns: Vec<Measured>,
}

/// What was measured of a column.
pub(super) struct Measured {
    pub(super) filled: u64,
    pub(super) nulls: u64,
    pub(super) distinct: Option<Distinct>,
    pub(super) range: Option<(String, String)>,
}

/// The text of a query has its limit, and so have the columns of one pass.
const COLUMNS_AT_ONCE: usize = 24;

pub(super) fn measure(
    evaluator: &Evaluator<'_>,
    table: &TableSchema,
    columns: &[&ColumnSchema],
    wanted: &Wanted<'_>,
) -> Result<Counted, Error> {
    let exact = match wanted.depth {
        Depth::Ranges => None,
        Depth::Values { exact_rows } => Some(evaluator.snapshot().row_count(&table.name) <= exact_rows),
    };
    let mut counted = Counted { rows: 0, columns: Vec::with_capacity(columns.len()) };
    for together in columns.chunks(COLUMNS_AT_ONCE) {
        let plans: Vec<Plan> = together.iter().map(|column| Plan::of(table, column, exact, wanted)).collect();
        let asked: String = plans.iter().flat_map(|plan| plan.asked(table)).map(|part| format!(", {part}")).collect();
        let text = format!("SELECT count(*) AS counted{asked} FROM {}", quoted(&table.name));
        let mut line = Line::of(ask(evaluator, &text, wanted.as_of)?);
        counted.rows = line.count()?;
        for plan in &plans {
            counted.columns.push(plan.read(counted.rows, &mut line)?);
        }
    }
    Ok(counted)
}

/// What is asked of one column; what comes back stands in the same order.
struct Plan<'a> {
    column: &'a ColumnSchema,
    distinct: HowDistinct,
    ranged: bool,
}

/// How its distinct values are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HowDistinct {
    /// Not here: nobody asked, or they are the members of a set.
    Not,
    /// As many as values: the store keeps one row per key.
    Key,
    Counted,
    Estimated,
}

impl<'a> Plan<'a> {
    fn of(table: &TableSchema, column: &'a ColumnSchema, exact: Option<bool>, wanted: &Wanted<'_>) -> Self {
        let is_set = column.column_type == ColumnType::Set;
        let distinct = match exact {
            _ if is_set => HowDistinct::Not,
            None => HowDistinct::Not,
            Some(_) if table.key.as_ref() == Some(&column.name) => HowDistinct::Key,
            Some(true) => HowDistinct::Counted,
            Some(false) => HowDistinct::Estimated,
        };
        let ranged = !is_set && wanted.classes.shows(&table.name, column);
        Self { column, distinct, ranged }
    }

    fn asked(&self, table: &TableSchema) -> Vec<String> {
        let column = qualified(&table.name, &self.column.name);
        let mut asked = vec![format!("count({column})")];
        match self.distinct {
            HowDistinct::Counted => asked.push(format!("count(DISTINCT {column})")),
            HowDistinct::Estimated => asked.push(format!("approx_distinct({column})")),
            HowDistinct::Not | HowDistinct::Key => {}
        }
        if self.ranged {
            asked.extend(["min", "max"].map(|end| format!("CAST({end}({column}) AS VARCHAR)")));
        }
        asked
    }

    fn read(&self, rows: u64, line: &mut Line) -> Result<Measured, Error> {
        let filled = line.count()?;
        let distinct = match self.distinct {
            HowDistinct::Not => None,
            HowDistinct::Key => Some(Distinct::Exact(filled)),
            HowDistinct::Counted => Some(Distinct::Exact(line.count()?)),
            HowDistinct::Estimated => Some(Distinct::Estimate(line.count()?)),
        };
        let range = if self.ranged { line.text()?.zip(line.text()?) } else { None };
        Ok(Measured { filled, nulls: rows - filled, distinct, range })
    }
}
