//! What a query means once its names are resolved: a tree that can be evaluated row by row, without any name left.

use std::rc::Rc;

use crate::world::Value;

/// A query over one table.
#[derive(Debug)]
pub(super) struct Select {
    /// The table in FROM.
    pub grain: usize,
    /// WHERE.
    pub condition: Option<Expr>,
    /// How rows are grouped; `None` where each stands for itself.
    pub grouping: Option<Grouping>,
    /// The columns of the answer.
    pub output: Vec<(String, Expr)>,
    /// DISTINCT.
    pub distinct: bool,
    /// ORDER BY.
    pub order: Vec<OrderKey>,
    /// QUALIFY.
    pub qualify: Option<Expr>,
    /// LIMIT.
    pub limit: Option<usize>,
    /// OFFSET.
    pub offset: usize,
}

/// GROUP BY and HAVING.
#[derive(Debug)]
pub(super) struct Grouping {
    /// The keys; none: all rows are one group.
    pub keys: Vec<Expr>,
    /// HAVING.
    pub having: Option<Expr>,
}

/// One key of ORDER BY.
#[derive(Debug)]
pub(super) struct OrderKey {
    pub by: Expr,
    pub descending: bool,
    pub nulls_first: bool,
}

/// Where a row stands, seen from the current and enclosing rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The row of `table` that is the row number `scope` (0 is the grain's) or an ancestor of it.
    Row { scope: usize, table: usize },
    /// The row of the lookup `table` whose key stands in a column of another row.
    Lookup { from: Box<Place>, column: usize, table: usize },
}

impl Place {
    /// The table whose row it is.
    pub fn table(&self) -> usize {
        match self {
            Self::Row { table, .. } | Self::Lookup { table, .. } => *table,
        }
    }
}

/// An expression over the current and enclosing rows.
#[derive(Debug)]
pub(super) enum Expr {
    Literal(Value),
    Column {
        place: Place,
        column: usize,
    },
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `IS [NOT] DISTINCT FROM`: TRUE where they are distinct.
    Distinct(Box<Expr>, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `IS NULL`, `IS TRUE`, `IS FALSE`: whether the value is exactly that one.
    Is(Box<Expr>, Value),
    In(Box<Expr>, Vec<Expr>),
    Like {
        text: Box<Expr>,
        pattern: Box<Expr>,
        escape: char,
        any_case: bool,
    },
    /// The first arm whose condition is TRUE.
    Case {
        arms: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
    /// A cast that fails is NULL.
    Cast(Box<Expr>, CastTo),
    Call {
        function: String,
        arguments: Vec<Expr>,
    },
    Aggregate(Box<Aggregate>),
    Sequence(Box<Sequence>),
    /// `segments.x`: whether the row at `place` is one of the segment's.
    Segment {
        definition: Rc<Select>,
        name: String,
        place: Place,
    },
    /// `lists.x`: whether the profile's key is on the list.
    Listed {
        list: usize,
    },
    /// A variable, and `is_double(x)`'s x: an expression over a profile alone.
    OfProfile(Box<Expr>),
    IsDouble(Box<Expr>),
    IsFirstOf(Box<Expr>),
    Was {
        condition: Box<Expr>,
        instant: Box<Expr>,
    },
    /// The hash of `sample` and `bucket`, over the unit or the profile's key.
    Sample {
        fraction: Value,
        seed: String,
        unit: Option<Box<Expr>>,
    },
    Bucket {
        count: u64,
        seed: String,
        unit: Option<Box<Expr>>,
    },
    /// The key of the group, by its place in GROUP BY.
    Key(usize),
    /// An aggregate over the rows of the group.
    Group(Box<GroupAggregate>),
    /// A window function over the rows of the answer.
    Window(Box<Window>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
    Concatenate,
}

/// What CAST can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CastTo {
    Bool,
    Int,
    Decimal {
        scale: u32,
        precision: u32,
    },
    /// An exact number keeps its digits: what CASE and COALESCE do where integers and decimals meet.
    Exact,
    Double,
    Text,
    Date,
    Instant,
}

/// The functions over many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Median,
    Stddev,
    Has,
    Every,
    Mode,
    First,
    Last,
    Nth(i64),
}

/// A history aggregate: a function over the rows of one table that belong to the current row.
#[derive(Debug)]
pub(super) struct Aggregate {
    pub function: Function,
    pub distinct: bool,
    pub range: Range,
    /// What is taken of each row; `None` counts rows.
    pub argument: Option<Expr>,
    pub filter: Option<Expr>,
}

/// Which rows a history aggregate ranges over, before its FILTER.
#[derive(Debug)]
pub(super) struct Range {
    /// Their table.
    pub table: usize,
    /// The row that they stand below.
    pub below: Place,
    /// `latest` or `earliest`.
    pub pick: Option<Pick>,
}

/// The first or last rows in row order, of those that meet a condition.
#[derive(Debug)]
pub(super) struct Pick {
    pub latest: bool,
    pub count: usize,
    pub condition: Option<Expr>,
}

/// `has_sequence`: rows that meet the conditions, each strictly later than the one before and at most `within` later.
#[derive(Debug)]
pub(super) struct Sequence {
    pub range: Range,
    pub conditions: Vec<Expr>,
    pub within: Option<Expr>,
    pub filter: Option<Expr>,
}

/// An aggregate over the rows of a group.
#[derive(Debug)]
pub(super) struct GroupAggregate {
    pub function: Function,
    pub distinct: bool,
    /// `None` for `count(*)`.
    pub argument: Option<Expr>,
    pub filter: Option<Expr>,
}

/// A window function over rows that are not grouped.
#[derive(Debug)]
pub(super) struct Window {
    pub rank: Ranking,
    pub partition: Vec<Expr>,
    pub order: Vec<OrderKey>,
}

/// The window functions that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ranking {
    /// The number of the row; ties by profile key, then row order.
    RowNumber,
    /// One more than the number of rows before its peers.
    Rank,
    /// One more than the number of groups of peers before.
    Dense,
}
