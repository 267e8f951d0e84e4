//! The segment language: text to resolved query, resolved query to plain SQL.
//!
//! ```text
//! text ──parse──▶ Statement ──resolve──▶ ResolvedQuery ──to_sql──▶ plain SQL, which any engine runs
//! ```
//!
//! [`parse`] reads exactly one [`Statement`] and refuses everything that is not part of the language;
//! [`split_statements`] cuts a file into pieces that are read one by one. [`resolve`] binds every name to the catalog
//! (given as [`muster_catalog::Names`]), finds the grain and the level of each history aggregate, folds the clock to
//! literals, and returns a [`ResolvedQuery`]: the contract with whoever executes it. [`ResolvedQuery::to_sql`] prints it.
//!
//! This room links no engine and opens no file. What a scalar function computes, and whether its arguments have the
//! right types, is the engine's to say; which functions there are at all is said here.

mod error;
pub use error::{Error, ErrorKind, Place};

mod split;
pub use split::{Piece, split_statements};

mod statement;
pub use statement::{
    InstantText, Query, SegmentDefinition, Statement, VariableDefinition, parse, parse_definition, parse_piece,
};

mod resolved;
pub use resolved::{
    Aggregate, Aside, Body, Chosen, Function, GrainQuery, GroupKey, History, OutputColumn, Overlap, Part,
    PastCondition, Reached, Relation, ResolvedQuery, ResolvedSegment, Rows, Visible, hidden,
};

mod resolve;
pub use resolve::{AFFINITY_COLUMNS, offered_item, resolve, resolve_segment, resolve_variable};

mod every;
pub use every::Every;

mod waterfall;
pub use waterfall::{Conjunct, Waterfall};

mod reasons;
pub use reasons::{Comparison, Condition, Deciding, Input, Joined, Reasons, Reduced};

mod unmet;
pub use unmet::Unmet;

mod functions;
pub use functions::{Use, functions};

mod calendar;
mod dialect;
pub mod flat;
mod outside;
mod print;

mod read;
mod remainder;
mod source;
mod sql;
mod stack;
pub use stack::STACK_BYTES;
mod tokens;
