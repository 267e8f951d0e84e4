//! The resolved query: the contract between the language and whoever executes it.
//!
//! Every column reference in the syntax held here is `"alias"."column"`, where the alias names a [`Relation`], a [`History`],
//! or a table of the plain FROM, and the column is spelled as in the catalog. There is no clock, no bare name and no
//! modifier left that an engine could read in its own way.

use std::sync::Arc;

use muster_catalog::{ColumnType, Timestamp};
use sqlparser::ast;

/// Names of the columns that tables have in the engine beside their own; a query cannot write them.
pub mod hidden {
    /// The number of a row, unique in its table (BIGINT).
    pub const ROW: &str = "__row";
    /// The `__row` of the parent, on histories (BIGINT).
    pub const PARENT: &str = "__parent";
    /// The `__row` of the profile, on histories (BIGINT).
    pub const PROFILE: &str = "__profile";
    /// The instant of a row, its own or inherited; on profiles the one of `created_at`, where declared.
    pub const TIME: &str = "__time";
    /// The function of muster's own session that gives the bucket of a text: the first 8 bytes of its SHA-256, the highest
    /// first, modulo a number (BIGINT). Printed SQL never calls it.
    pub const BUCKET: &str = "__bucket";
    /// Names that begin like this are muster's.
    pub const PREFIX: &str = "__";

    /// The column of a segment's table that says whether a row is in it (BOOLEAN, never NULL).
    pub fn segment(name: &str) -> String {
        format!("__segment_{name}")
    }

    /// The column of profiles that says whether a row was in a segment at its last refresh (BOOLEAN, never NULL).
    pub fn audience(name: &str) -> String {
        format!("__audience_{name}")
    }

    /// The column of a table that says whether the n-th condition of a query about the past held (BOOLEAN, never NULL).
    pub fn was(number: usize) -> String {
        format!("__was_{number}")
    }

    /// The column of profiles that says whether a row is on a list (BOOLEAN, never NULL).
    pub fn list(name: &str) -> String {
        format!("__list_{name}")
    }

    /// The table of what is bought together.
    pub fn affinity(name: &str) -> String {
        format!("__affinity_{name}")
    }

    /// The column of profiles that holds a column of a score, with that one's type; NULL for profiles without the score.
    pub fn score(score: &str, column: &str) -> String {
        format!("__score_{score}_{column}")
    }
}

/// A query whose every name is bound.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedQuery {
    /// What is to be computed.
    pub body: Body,
    /// The columns of the result, in order; no two have the same name.
    pub columns: Vec<OutputColumn>,
    /// The catalog tables that are read, by name, each once.
    pub tables_used: Vec<String>,
    /// The segments whose column is read, by name, each once.
    pub segments_used: Vec<String>,
    /// The segments whose stored audience is read, by name, each once.
    pub audiences_used: Vec<String>,
    /// The variables that are read, by name, each once.
    pub variables_used: Vec<String>,
    /// The lists whose column of profiles is read, by name without what all lists' begin with, each once.
    pub lists_used: Vec<String>,
    /// The columns of scores that are read, by score and column, each once.
    pub scores_used: Vec<(String, String)>,
    /// What is bought together that is read, by name, each once.
    pub affinities_used: Vec<String>,
    /// What the query asks about other instants, each its own column of a table.
    pub past: Vec<PastCondition>,
    /// What stands in it as plain SQL and is known as what it is.
    pub parts: Vec<Part>,
    /// The instant at which the query looks at the world.
    pub as_of: Timestamp,
}

/// A part of a query that was something else before it became plain SQL.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A SELECT over the rows of one table: in FROM, in a CTE, in an expression.
    Rows(Arc<GrainQuery>),
    /// A call of `overlap`.
    Overlap(Arc<Overlap>),
}

/// How many profiles each two of some segments share: a row per ordered pair, each segment with itself too.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    /// The same as plain SQL: the names of both segments, and how many profiles they share.
    pub plain: ast::Query,
    /// The names of the segments.
    pub segments: Vec<String>,
    /// The profiles, with a column for each segment: whether it is in there.
    pub members: Arc<GrainQuery>,
}

/// A condition as of another instant: `was(condition, instant)`.
#[derive(Debug, Clone, PartialEq)]
pub struct PastCondition {
    /// The column that says for each row of the table whether it held: [`hidden::was`].
    pub column: String,
    /// The rows for which it held; its query looks at the other instant.
    pub rows: ResolvedSegment,
}

/// A segment's query: a [`ResolvedQuery`] whose columns are the ids of the rows that are in it.
///
/// Of a profile segment the one column is `__row`; of a row segment they are `__row`, `__profile` and the key. Of a condition
/// of another instant it is `__row` alone, whatever the table.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedSegment {
    /// The table whose rows are in it.
    pub grain: String,
    /// Which ones.
    pub query: ResolvedQuery,
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// What it holds, where that is known without the engine.
    pub holds: Option<ColumnType>,
}

/// What is to be computed.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A SELECT from one root or history table, with whatever its rows see.
    Grain(Arc<GrainQuery>),
    /// Any other query, already plain SQL.
    Plain(Arc<ast::Query>),
}

/// A SELECT whose rows are those of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct GrainQuery {
    /// The rows, and everything that is reached from them.
    pub rows: Rows,
    /// Whether they are grouped: by keys, or all into one.
    pub grouped: bool,
    /// The rest of the statement: a SELECT without FROM, over the aliases of `rows`; CTEs that its subqueries use.
    pub rest: ast::Query,
}

/// The rows of a table, joined with what they see.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The table itself first; each other is reached from one before it, and never multiplies rows.
    pub relations: Vec<Relation>,
    /// The histories that are reduced for each row.
    pub histories: Vec<History>,
    /// Tables that the query makes beside them.
    pub asides: Vec<Aside>,
}

/// A table that the query makes beside its rows: at most one of its rows is found for each of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Aside {
    /// Its alias.
    pub name: String,
    /// What makes it; the last has its name.
    pub ctes: Vec<ast::Cte>,
    /// What finds a row of it; `None` where it has one row for all.
    pub found: Option<ast::Expr>,
}

impl Rows {
    /// Everything that is read: what is reached from the rows, and what their histories read.
    pub(crate) fn each_relation<'r>(&'r self, seen: &mut dyn FnMut(&'r Relation)) {
        self.relations.iter().for_each(&mut *seen);
        for history in &self.histories {
            history.rows.each_relation(seen);
            history.enclosing.iter().for_each(&mut *seen);
            if let Some(chosen) = &history.among {
                chosen.rows.each_relation(seen);
                chosen.enclosing.iter().for_each(&mut *seen);
            }
        }
    }
}

/// A table under an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name in expressions.
    pub alias: String,
    /// The table.
    pub table: String,
    /// The columns that are used, hidden ones first, the others in catalog order.
    pub columns: Vec<String>,
    /// Which of its rows are there as of the query's instant.
    pub visible: Visible,
    /// How a row of it is found.
    pub reached: Reached,
}

/// Which rows of a table are there as of an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visible {
    /// All of them: lookups, lists, and profiles that have always existed.
    Always,
    /// Those of which `__time` is not later.
    ByTime,
    /// Those of which `__time` is not later, and those without one: profiles with `created_at`.
    ByTimeIfKnown,
    /// Those of which `__time` is not later and whose profile, of the named table, is there too.
    ByTimeAndProfile(String),
    /// Those of which `__time` is not later and whose parent is there too.
    ByTimeAndParent {
        /// The parent's table.
        parent: String,
        /// Which rows of it are there.
        there: Box<Visible>,
    },
}

/// How a row of a relation is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// It is the row itself.
    Itself,
    /// An ancestor: its `__row` is in the column `by` of the relation `from`.
    Ancestor {
        /// The alias of the row below.
        from: String,
        /// `__parent` or `__profile`.
        by: String,
    },
    /// A lookup: its `key` is in the column `by` of the relation `from`; at most one row, or none.
    Lookup {
        /// The alias of the row that holds the key.
        from: String,
        /// The column that holds it.
        by: String,
        /// The key of the lookup.
        key: String,
    },
    /// An enclosing row, beside the level: one whose column `its` equals `by` of the relation `from`.
    Enclosing {
        /// The alias of the relation of the level's rows.
        from: String,
        /// The column there that tells the shared ancestor.
        by: String,
        /// The column of the enclosing row that tells it.
        its: String,
    },
}

/// The rows of one history table, reduced to one value per row that they are reduced for.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Its alias in expressions.
    pub name: String,
    /// The table that is reduced: the level.
    pub level: String,
    /// The table whose row the level's rows have in common: an ancestor of the level.
    pub shared: String,
    /// The level's rows, what they see, and the histories that are reduced for each of them.
    pub rows: Rows,
    /// The enclosing rows that an aggregate compares with and that are no ancestors of the level, with what is reached
    /// from them; each is joined after those before it.
    pub enclosing: Vec<Relation>,
    /// Where not all of the level's rows count: those that do.
    pub among: Option<Box<Chosen>>,
    /// What the level's rows are grouped by, and what finds the group again.
    pub keys: Vec<GroupKey>,
    /// What is computed for each group.
    pub aggregates: Vec<Aggregate>,
}

/// The first or last rows of each group of a history, in row order.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Its alias.
    pub name: String,
    /// The level's rows, what the condition sees of them, and the histories that it reduces.
    pub rows: Rows,
    /// The enclosing rows that the condition compares with, with what is reached from them.
    pub enclosing: Vec<Relation>,
    /// What a row is counted within. Among the rows that are reduced the row's own `__row` finds it, and of enclosing rows
    /// what `keys` say behind that.
    pub within: Vec<(String, String)>,
    /// The `__row` of each enclosing row here, and among the rows that are reduced.
    pub keys: Vec<GroupKey>,
    /// Which rows are counted: those for which it is TRUE.
    pub condition: Option<ast::Expr>,
    /// The order of the rows; each ascending, none of them NULL.
    pub order: Vec<ast::Expr>,
    /// Whether they are the last ones.
    pub last: bool,
    /// How many.
    pub count: u64,
}

/// One column that tells the group of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupKey {
    /// Alias and column among the history's own relations: a `__row`, `__parent` or `__profile`.
    pub inner: (String, String),
    /// Alias and column where the history is read.
    pub outer: (String, String),
}

impl GroupKey {
    /// The column of the reduced history that holds the key of this place.
    pub fn column(place: usize) -> String {
        if place == 0 { hidden::ROW.to_owned() } else { format!("{}_{}", hidden::ROW, place + 1) }
    }
}

/// One reduction of a history.
///
/// A group without rows has no row at all, so expressions read `count` and `has` through `coalesce`. An average is a
/// sum and a count here.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Its column.
    pub name: String,
    /// How rows become one value.
    pub function: Function,
    /// Whether equal values count once.
    pub distinct: bool,
    /// The value of each row; `None` counts rows.
    pub argument: Option<ast::Expr>,
    /// Which rows take part: those for which it is TRUE.
    pub filter: Option<ast::Expr>,
    /// The order of the rows, where the function depends on it; each ascending, none of them NULL.
    pub order: Vec<ast::Expr>,
}

/// How the rows of a history become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// How many rows, or values that are not NULL (BIGINT).
    Count,
    /// Their sum; NULL without values.
    Sum,
    /// The smallest; NULL without values.
    Min,
    /// The largest; NULL without values.
    Max,
    /// The most frequent, of several the smallest; NULL without values.
    Mode,
    /// Whether there is a row (BOOLEAN).
    Has,
    /// The one in the middle, or halfway between two; NULL without values. Of exact numbers at one more decimal.
    Median,
    /// The deviation of the sample (DOUBLE); NULL below two values.
    Stddev,
    /// The value of the n-th row in order, from one, or from the end below zero; NULL is a value, and past the end there
    /// is none.
    Nth(i64),
}

impl Function {
    /// As it is written in the language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mode => "mode",
            Self::Has => "has",
            Self::Median => "median",
            Self::Stddev => "stddev",
            Self::Nth(1) => "first",
            Self::Nth(-1) => "last",
            Self::Nth(_) => "nth",
        }
    }
}
