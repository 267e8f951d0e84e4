//! That a query is an error, of which kind, and where.

use std::fmt;

use sqlparser::ast::{Ident, Spanned};

/// What kind of error a query is, so that two readings can be compared by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The text is no SQL.
    Syntax,
    /// A name that nothing has.
    UnknownName,
    /// A name that several things have.
    AmbiguousName,
    /// A row is mentioned that cannot be seen from there: neither an ancestor nor an enclosing row nor a lookup of one
    /// (rule 1), a table on the path without a name (rule 4), or a row segment off its grain.
    Level,
    /// The query has no grain where it needs one.
    Grain,
    /// An aggregate stands where none may (rule 5).
    Aggregate,
    /// A column that is neither grouped nor in an aggregate.
    Grouping,
    /// A function has other arguments than it takes.
    Arguments,
    /// A query that cannot be a segment's.
    Segment,
    /// Segments that need each other.
    Cycle,
    /// A sum left its 128 bits.
    Overflow,
    /// A function whose answer is none of its input.
    Forbidden,
    /// Values that do not go together.
    Type,
    /// The interpreter does not know it: no answer is better than a guess.
    Unsupported,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of error it is.
    pub kind: Kind,
    /// Which thing, and what was expected.
    pub message: String,
    /// Line and column from one in the text that holds it, where `WHERE …` stands in the second line of the query that it
    /// is short for; 0 where nobody knows.
    pub position: (u64, u64),
}

impl Error {
    /// An error of this kind at a place of the syntax tree.
    pub(super) fn at(kind: Kind, place: &impl Spanned, message: impl Into<String>) -> Self {
        let start = place.span().start;
        Self { kind, message: message.into(), position: (start.line, start.column) }
    }

    /// An error of this kind at a name.
    pub(super) fn named(kind: Kind, name: &Ident, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), position: (name.span.start.line, name.span.start.column) }
    }

    /// An error that shows only while rows are read.
    pub(super) fn nowhere(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), position: (0, 0) }
    }

    /// What the interpreter does not know.
    pub(super) fn unsupported(place: &impl Spanned, what: impl fmt::Display) -> Self {
        Self::at(Kind::Unsupported, place, format!("the interpreter does not know {what}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at line {}, column {}: {}", self.kind, self.position.0, self.position.1, self.message)
    }
}

impl std::error::Error for Error {}

/// An answer, or why there is none.
pub(super) type Result<T> = std::result::Result<T, Error>;
