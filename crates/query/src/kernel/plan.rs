//! What the kernel computes: scopes of rows, the domains that their columns are about, and the histories that are reduced
//! for them. Made once per query by [`super::compile`], read by every block.

use std::sync::{Arc, OnceLock};

use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, SchemaRef};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use muster_language::{Function, Visible};

use super::placed::Placed;

/// The number of a domain in its scope.
pub(super) type DomainId = usize;

/// What a tuple of the scope is: one row of each of its components.
pub(super) const TUPLE: DomainId = 0;

/// The rows of the scope's own table, which are the first component of its tuples.
pub(super) const LEVEL: DomainId = 1;

/// The rows that a SELECT or a history aggregate ranges over, with everything that is seen from them.
///
/// Its rows are *tuples*: a row of its table, and beside it one row of each enclosing row that is compared with.
#[derive(Debug)]
pub(super) struct Scope {
    /// The table that is ranged over.
    pub(super) table: String,
    /// Which of its rows are there.
    pub(super) visible: Visible,
    /// What its columns are about, those nearer to the tuple first.
    pub(super) domains: Vec<Domain>,
    /// Its columns.
    pub(super) fields: Vec<Field>,
    /// The same, in Arrow's words.
    pub(super) schema: SchemaRef,
    /// What is reduced for its rows.
    pub(super) histories: Vec<History>,
}

impl Scope {
    /// The component of the tuples from which a domain is reached: its own domain, and its number.
    pub(super) fn component_above(&self, mut domain: DomainId) -> (DomainId, usize) {
        loop {
            match self.domains[domain].step {
                Step::Component(number) => return (domain, number),
                Step::Tuple => unreachable!("every domain but the tuples' is reached from a component"),
                _ => domain = self.domains[domain].from,
            }
        }
    }
}

/// A set of rows, one of which each tuple of the scope has, or none.
#[derive(Debug)]
pub(super) struct Domain {
    /// The domain from whose rows it is reached.
    pub(super) from: DomainId,
    /// How.
    pub(super) step: Step,
    /// What its rows are.
    pub(super) rows: RowsOf,
    /// For each row that it is reached from its own, where both are the same in every block.
    pub(super) places: OnceLock<ScalarBuffer<u32>>,
}

/// How a row of a domain is reached from one that is nearer to the tuple.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The tuple itself.
    Tuple,
    /// The n-th component of the tuple.
    Component(usize),
    /// The parent's row.
    Parent,
    /// The row of a lookup whose key the field holds; or none.
    Lookup {
        /// What holds the key.
        by: usize,
    },
    /// The text that an aggregate of the domain's histories takes of one row; or none.
    OneText {
        /// The history of the scope.
        history: usize,
        /// Its aggregate.
        aggregate: usize,
    },
    /// The text that the code in a column means; or none.
    Text {
        /// The column.
        column: String,
    },
}

/// What the rows of a domain are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum RowsOf {
    /// Tuples of the scope.
    Tuples,
    /// The places of this table in the block at hand.
    Block(String),
    /// The rows of this lookup, which has no blocks.
    Lookup {
        /// The table.
        table: String,
        /// Its key.
        key: String,
    },
    /// The texts of this column, which are the same in all blocks.
    Texts {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
}

impl RowsOf {
    /// Whether there may be none for a row that it is reached from. Such a domain has one row more, of NULLs.
    pub(super) fn may_be_missing(&self) -> bool {
        matches!(self, Self::Lookup { .. } | Self::Texts { .. })
    }

    /// Whether they are the same rows in every block.
    pub(super) fn are_everywhere(&self) -> bool {
        self.may_be_missing()
    }
}

/// A column of a scope.
#[derive(Debug)]
pub(super) struct Field {
    /// Whose value it is.
    pub(super) domain: DomainId,
    /// What it holds.
    pub(super) source: Source,
    /// As expressions see it.
    pub(super) data_type: DataType,
}

/// Where the values of a field come from.
#[derive(Debug)]
pub(super) enum Source {
    /// A column of the domain's table.
    Column(String),
    /// The texts of the domain themselves.
    Text,
    /// The number of the domain's row in its table.
    Row,
    /// What is computed for the query, by its place there.
    Computed(usize),
    /// Nothing that the query may see.
    Masked,
    /// A history's aggregate.
    Reduced {
        /// The history of the scope.
        history: usize,
        /// Its aggregate.
        aggregate: usize,
    },
}

/// The rows of a table, reduced to one value per row of a domain of the scope around.
#[derive(Debug)]
pub(super) struct History {
    /// Its number in the query.
    pub(super) number: usize,
    /// The rows that are reduced.
    pub(super) scope: Scope,
    /// Which of them: those below this table's row.
    pub(super) shared: String,
    /// Whose they are: the domain of the scope around in which that row is found.
    pub(super) of: DomainId,
    /// The domains of the scope around with the rows that stand beside those of the level; none where an aggregate depends
    /// on nothing but the row whose history it is.
    pub(super) beside: Vec<DomainId>,
    /// Where not all of them count: which.
    pub(super) chosen: Option<Chosen>,
    /// What is computed.
    pub(super) aggregates: Vec<Aggregate>,
}

impl History {
    /// Whether it is taken for each tuple of the scope around, not for the row alone whose history it is.
    pub(super) fn is_correlated(&self) -> bool {
        !self.beside.is_empty()
    }
}

/// The first or last rows that meet a condition.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The same rows as those of the history, with what the condition sees; its components beside are the first ones of those
    /// of the history, by number.
    pub(super) scope: Scope,
    /// The components of the history's tuples that stand beside the rows here.
    pub(super) beside: Vec<usize>,
    /// Which rows are counted.
    pub(super) condition: Filter,
    /// What they are counted by, where they do not stand in that order.
    pub(super) order: Vec<Placed>,
    /// Whether they are the last ones.
    pub(super) last: bool,
    /// How many.
    pub(super) count: usize,
}

/// Conditions that all must be TRUE: first those that need no other history than that of one row.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Conditions that need no other history than that of one row, the cheapest first.
    pub(super) first: Vec<Placed>,
    /// Conditions that only those are asked that met all of `first`.
    pub(super) then: Vec<Placed>,
}

/// One reduction.
#[derive(Debug)]
pub(super) struct Aggregate {
    /// How.
    pub(super) reduction: Reduction,
    /// What.
    pub(super) argument: Option<Placed>,
    /// Which rows take part.
    pub(super) filter: Filter,
    /// What rows are ordered by, where the order matters and they do not stand in it.
    pub(super) order: Vec<Placed>,
    /// What comes of it.
    pub(super) data_type: DataType,
}

/// How the values of a group become one.
#[derive(Debug)]
pub(super) enum Reduction {
    /// How many rows, or values that are not NULL.
    Count,
    /// Whether there is a row.
    Has,
    /// The value of the n-th row.
    Nth(i64),
    /// A function of the engine's.
    Engine {
        /// Which of the language's functions that is.
        function: Function,
        /// The function over the one argument.
        engines: Arc<AggregateFunctionExpr>,
    },
}
