//! Why a row is in a segment or not: the conditions of its definition as a tree, and the queries that say for one row how
//! true each is, from which values, and which rows of its histories decide it.
//!
//! Nothing is evaluated here a second time: every condition and every part of one is selected as it stands, over the one
//! row. [`tree`] takes conditions apart, [`values`] says what goes into one, [`deciding`] which rows it hangs on.

mod deciding;
mod tree;
mod values;

pub use deciding::{Comparison, Deciding, Reduced};
pub use tree::{Condition, Joined};
pub use values::Input;

use std::sync::Arc;

use muster_catalog::{ColumnType, Names, TableNames, Timestamp};
use sqlparser::ast::{BinaryOperator, DataType, Expr, Ident, Query as Syntax, Select, SelectItem, SetExpr, With};

use crate::source::Source;
use crate::sql;
use crate::statement::Query;
use crate::waterfall;

/// What is to be asked about one row of a segment's grain.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    /// The table of the row.
    pub grain: String,
    /// What must be TRUE; `None` where the definition has no WHERE.
    pub condition: Option<Condition>,
    /// One row if there is that row as of the instant, else none; conditions and inputs name its columns by place.
    pub question: Query,
    /// The column of the question that says whether the row is in the segment.
    pub member: usize,
    /// What chooses among the rows that meet the condition (QUALIFY, or ORDER BY with LIMIT), as it is written.
    pub choice: Option<String>,
}

impl Query {
    /// What is to be asked about the row with this key, if this is the definition of `segment`; `None` where the query
    /// does not select rows of one table with a key.
    pub fn reasons(&self, segment: &str, key: &str, names: &Names, as_of: Timestamp) -> Option<Reasons> {
        let SetExpr::Select(select) = self.syntax.body.as_ref() else { return None };
        let about = About::of(self, select, key, names, as_of)?;
        let mut columns = Columns::default();
        let condition = select.selection.as_ref().map(|condition| tree::condition(condition, &about, &mut columns));
        let member = columns.place(&Expr::CompoundIdentifier(vec![Ident::new("segments"), sql::name(segment)]));
        let question = about.select(columns.items());
        Some(Reasons {
            grain: about.grain.name.clone(),
            condition,
            question,
            member,
            choice: waterfall::choice(&self.syntax, select),
        })
    }
}

/// The row that is asked about.
pub(crate) struct About<'a> {
    names: &'a Names,
    as_of: Timestamp,
    select: &'a Select,
    /// What its WITH names, which conditions may ask.
    with: Option<&'a With>,
    source: &'a Source,
    grain: &'a TableNames,
    /// What the definition calls a row of it.
    alias: String,
    /// The literal that its key equals.
    key: Expr,
}

impl<'a> About<'a> {
    fn of(query: &'a Query, select: &'a Select, key: &str, names: &'a Names, as_of: Timestamp) -> Option<Self> {
        let (grain, alias) = sql::grain(select, names).filter(|(grain, _)| grain.key.is_some())?;
        let (with, source) = (query.syntax.with.as_ref(), &query.source);
        Some(Self { names, as_of, select, with, source, grain, alias, key: sql::unresolved_text(key) })
    }

    /// `SELECT items FROM grain WHERE key = 'key'`.
    fn select(&self, items: Vec<SelectItem>) -> Query {
        let selection = Some(is_key(&self.alias, self.grain, &self.key));
        self.query(sql::select(items, self.select.from.clone(), selection))
    }

    fn query(&self, select: Select) -> Query {
        self.asked(sql::select_query(select))
    }

    fn asked(&self, syntax: Syntax) -> Query {
        let syntax = Syntax { with: self.with.cloned(), ..syntax };
        Query { syntax: Arc::new(syntax), source: self.source.clone() }
    }
}

/// `alias.key = 'key'`.
fn is_key(alias: &str, table: &TableNames, key: &Expr) -> Expr {
    let name = table.key.as_deref().unwrap_or_default();
    let column = sql::column(alias, name);
    let is_text = table.column(name).is_none_or(|key| matches!(key.column_type, ColumnType::Id | ColumnType::Text));
    let column = if is_text { column } else { sql::cast(column, DataType::Varchar(None)) };
    sql::binary(column, BinaryOperator::Eq, key.clone())
}

/// The columns of the question.
#[derive(Default)]
pub(crate) struct Columns {
    expressions: Vec<Expr>,
}

impl Columns {
    /// The place of a column with this expression.
    fn place(&mut self, expr: &Expr) -> usize {
        let known = self.expressions.iter().position(|known| known == expr);
        known.unwrap_or_else(|| {
            self.expressions.push(expr.clone());
            self.expressions.len() - 1
        })
    }

    fn items(self) -> Vec<SelectItem> {
        let numbered = self.expressions.into_iter().enumerate();
        numbered.map(|(place, expr)| sql::aliased(expr, &format!("column_{place}"))).collect()
    }
}

/// An expression without the parentheses around it.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}
