//! What one SELECT, or the inside of one history aggregate, can see while it is resolved.

use std::collections::BTreeMap;

use muster_catalog::ColumnType;
use sqlparser::ast::{Expr, Ident};
use sqlparser::tokenizer::Span;

use super::reach::Reach;
use super::tables::Tables;
use crate::calendar::Constant;

/// One open SELECT, or the inside of one open history aggregate.
pub(super) struct Scope<'a> {
    /// Where columns come from.
    pub(super) source: Source<'a>,
    /// The clause that is being resolved.
    pub(super) clause: Clause,
    /// Whether a group aggregate is around what is being resolved.
    pub(super) in_group_aggregate: bool,
    /// What becomes of the truth of what is resolved next.
    pub(super) position: Position,
    /// The names that the SELECT gives to its columns, with what they stand for.
    pub(super) items: Vec<(Ident, Expr)>,
    /// The resolved expressions that rows are grouped by.
    pub(super) keys: Vec<Expr>,
    /// The first group aggregate that was found.
    pub(super) group_aggregate: Option<Span>,
    /// What stands outside keys and group aggregates: wrong as soon as anything is grouped.
    pub(super) loose: Vec<Loose>,
    /// The history aggregates that have a value here, by how they are written.
    pub(super) computed: BTreeMap<String, Typed>,
}

/// Where the columns of a scope come from.
pub(super) enum Source<'a> {
    /// Rows of one table with everything above and beside them.
    Rows(Box<Reach<'a>>),
    /// The tables of a plain FROM.
    Tables(Tables),
}

/// The clauses, as far as what may stand in them differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    From,
    Where,
    GroupBy,
    Select,
    Having,
    Qualify,
    OrderBy,
    /// The argument or FILTER of a history aggregate.
    History,
}

impl Clause {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::From => "ON",
            Self::Where => "WHERE",
            Self::GroupBy => "GROUP BY",
            Self::Select => "SELECT",
            Self::Having => "HAVING",
            Self::Qualify => "QUALIFY",
            Self::OrderBy => "ORDER BY",
            Self::History => "a history aggregate",
        }
    }

    /// Whether the clause comes after grouping, so that its columns must be keys or aggregated.
    fn is_after_grouping(self) -> bool {
        matches!(self, Self::Select | Self::Having | Self::Qualify | Self::OrderBy)
    }

    /// Whether a name that the SELECT gives can be used.
    pub(super) fn sees_items(self) -> bool {
        matches!(self, Self::GroupBy | Self::Having | Self::Qualify | Self::OrderBy)
    }
}

/// What becomes of the truth of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Position {
    /// Anything: NULL and FALSE are two values.
    Value,
    /// It is one of several of which a filter asks whether any is TRUE: NULL is as good as FALSE.
    Truth,
    /// A filter asks for it to be TRUE.
    Conjunct,
}

/// A column or history aggregate outside keys and group aggregates.
pub(super) struct Loose {
    pub(super) span: Span,
    pub(super) text: String,
    pub(super) is_history: bool,
}

impl<'a> Scope<'a> {
    fn of(source: Source<'a>, clause: Clause) -> Self {
        Self {
            source,
            clause,
            in_group_aggregate: false,
            position: Position::Value,
            items: Vec::new(),
            keys: Vec::new(),
            group_aggregate: None,
            loose: Vec::new(),
            computed: BTreeMap::new(),
        }
    }

    pub(super) fn of_tables() -> Self {
        Self::of(Source::Tables(Tables::default()), Clause::From)
    }

    pub(super) fn of_rows(reach: Reach<'a>) -> Self {
        Self::of(Source::Rows(Box::new(reach)), Clause::Where)
    }

    pub(super) fn of_history(reach: Reach<'a>) -> Self {
        Self::of(Source::Rows(Box::new(reach)), Clause::History)
    }

    /// Whether the FROM gives this name to one of its tables.
    pub(super) fn gives(&self, name: &Ident) -> bool {
        match &self.source {
            Source::Rows(reach) => same_name(name, reach.called()),
            Source::Tables(tables) => tables.aliases().any(|alias| same_name(name, alias)),
        }
    }

    pub(super) fn is_history(&self) -> bool {
        self.clause == Clause::History
    }

    /// Notes something that grouping would leave without a value.
    pub(super) fn note_loose(&mut self, span: Span, text: String, is_history: bool) {
        if self.clause.is_after_grouping() && !self.in_group_aggregate {
            self.loose.push(Loose { span, text, is_history });
        }
    }
}

/// A resolved expression with what is known of it.
#[derive(Clone)]
pub(super) struct Typed {
    pub(super) sql: Expr,
    /// What it holds, where that is known without the engine.
    pub(super) holds: Option<ColumnType>,
    /// Its value, where that is known already.
    pub(super) constant: Option<Constant>,
    /// The text, if it is a text literal.
    pub(super) text: Option<String>,
    /// Of an age the day that it is counted from.
    pub(super) born: Option<Box<Expr>>,
}

impl Typed {
    pub(super) fn new(sql: Expr, holds: Option<ColumnType>) -> Self {
        Self { sql, holds, constant: None, text: None, born: None }
    }

    pub(super) fn unknown(sql: Expr) -> Self {
        Self::new(sql, None)
    }
}

/// Whether `ident` writes `name`: exactly if quoted, else capitals aside.
pub(super) fn same_name(ident: &Ident, name: &str) -> bool {
    if ident.quote_style.is_some() { ident.value == name } else { ident.value.eq_ignore_ascii_case(name) }
}
