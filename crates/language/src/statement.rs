//! The statements of the language, and the two ways to read exactly one: a whole text, or a piece of a file.

use std::sync::Arc;

use chrono_tz::Tz;
use muster_catalog::{Timestamp, parse_local};
use sqlparser::ast;
use sqlparser::tokenizer::Span;

use crate::calendar;
use crate::dialect::Ending;
use crate::error::{Error, ErrorKind};
use crate::every::Every;
use crate::read::Reader;
use crate::source::{Fault, Source};
use crate::split::{Piece, split_statements};
use crate::sql;
use crate::stack::deep;
use crate::tokens::tokenize;

/// One statement of the language.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `[AS OF 'instant'] SELECT …`.
    Query {
        /// The instant of its own, if it has one.
        as_of: Option<InstantText>,
        /// The query.
        query: Query,
    },
    /// `EXPLAIN SQL [AS OF 'instant'] SELECT …`: the same query as plain SQL.
    ExplainSql {
        /// The instant of its own, if it has one.
        as_of: Option<InstantText>,
        /// The query.
        query: Query,
    },
    /// `PREVIEW [AS OF 'instant'] SELECT …`, or `… WHERE condition`: how many rows each condition of a definition leaves that
    /// is not stored.
    Preview {
        /// The instant of its own, if it has one.
        as_of: Option<InstantText>,
        /// The definition. `WHERE condition` has become `SELECT * FROM profiles WHERE condition`.
        definition: Query,
    },
    /// `EXPLAIN SEGMENT name`: how many rows each of its conditions leaves.
    ExplainSegment {
        /// The segment; lower case unless quoted.
        name: String,
    },
    /// `EXPLAIN SEGMENT name FOR 'key'`: why a profile, or a row of the segment's table, is in it or not.
    ExplainSegmentFor {
        /// The segment; lower case unless quoted.
        name: String,
        /// The key of the row.
        key: String,
    },
    /// `CREATE [OR REPLACE] SEGMENT name [COMMENT 'text'] [WITH (refresh = '1 hour')] AS …`, or the same as a view of the schema `segments`.
    CreateSegment(SegmentDefinition),
    /// `CREATE [OR REPLACE] VARIABLE name [COMMENT 'text'] AS expression`.
    CreateVariable(VariableDefinition),
    /// `REFRESH SEGMENT name`.
    RefreshSegment {
        /// The segment; lower case unless quoted.
        name: String,
    },
    /// `DROP SEGMENT name`.
    DropSegment {
        /// The segment; lower case unless quoted.
        name: String,
    },
    /// `DROP VARIABLE name`.
    DropVariable {
        /// The variable; lower case unless quoted.
        name: String,
    },
    /// `SHOW TABLES`.
    ShowTables,
    /// `SHOW SEGMENTS`.
    ShowSegments,
    /// `SHOW VARIABLES`.
    ShowVariables,
    /// `DESCRIBE table`, or `DESCRIBE table.column`.
    DescribeTable {
        /// The table; lower case unless quoted.
        name: String,
        /// Its only column that is asked for, where it is not all of them; lower case unless quoted.
        column: Option<String>,
    },
    /// `DESCRIBE SEGMENT name`.
    DescribeSegment {
        /// The segment; lower case unless quoted.
        name: String,
    },
    /// `SET as_of = 'instant'`.
    SetAsOf(InstantText),
}

/// A definition to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentDefinition {
    /// Its name; lower case unless quoted.
    pub name: String,
    /// Whether it may take the place of another of the same name.
    pub or_replace: bool,
    /// What a person should know about it.
    pub comment: Option<String>,
    /// How often it is to be evaluated again, where that is said.
    pub refresh: Option<Every>,
    /// Who is in it. `AS WHERE condition` has become `SELECT * FROM profiles WHERE condition`.
    pub query: Query,
}

/// A variable to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableDefinition {
    /// Its name; lower case unless quoted.
    pub name: String,
    /// Whether it may take the place of another of the same name.
    pub or_replace: bool,
    /// What a person should know about it.
    pub comment: Option<String>,
    /// What it says of a profile, as `SELECT expression AS name FROM profiles`.
    pub query: Query,
}

impl VariableDefinition {
    /// The expression in its canonical form, as [`Query::digest_text`].
    pub fn expression(&self) -> String {
        self.query.only_expression().map(|expression| deep(|| sql::written(expression))).unwrap_or_default()
    }
}

/// A query that has been parsed and not resolved.
#[derive(Debug, Clone)]
pub struct Query {
    pub(crate) syntax: Arc<ast::Query>,
    pub(crate) source: Source,
}

/// Two queries are equal when they read the same; where they stood does not count.
impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.syntax == other.syntax
    }
}

impl Query {
    /// The query in its canonical form, on one line: keywords in capitals, single blanks, no comments. The same for every
    /// layout of the same text, so a digest of it tells whether a definition changed; it reads back as the same query.
    pub fn digest_text(&self) -> String {
        deep(|| sql::written(self.syntax.as_ref()))
    }

    /// The table that a definition selects from, as it is written there; `None` where it is not one table.
    pub fn from_table(&self) -> Option<String> {
        let ast::SetExpr::Select(select) = self.syntax.body.as_ref() else { return None };
        let [ast::TableWithJoins { relation: ast::TableFactor::Table { name, .. }, .. }] = select.from.as_slice()
        else {
            return None;
        };
        let [part] = name.0.as_slice() else { return None };
        part.as_ident().map(|name| name.value.clone())
    }

    fn only_expression(&self) -> Option<&ast::Expr> {
        let ast::SetExpr::Select(select) = self.syntax.body.as_ref() else { return None };
        match select.projection.as_slice() {
            [ast::SelectItem::ExprWithAlias { expr, .. }] => Some(expr),
            _ => None,
        }
    }

    /// Whether [`Query::digest_text`] reads back as this query. The printer makes another name of one in single quotes that
    /// has two of them in a row or one behind a backslash; every other text is known to come out right.
    pub(crate) fn reads_back(&self) -> bool {
        let is_safe = !["''''", "\\'"].into_iter().any(|risk| self.source.says(risk));
        is_safe || matches!(parse(&self.digest_text()), Ok(Statement::Query { query, .. }) if query == *self)
    }
}

/// An instant as it was written.
#[derive(Debug, Clone)]
pub struct InstantText {
    pub(crate) text: String,
    pub(crate) span: Span,
    pub(crate) source: Source,
}

impl PartialEq for InstantText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl InstantText {
    /// What was written between the quotes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The instant; without an offset of its own it is read in `zone`, and a date is its midnight there.
    ///
    /// # Errors
    /// [`ErrorKind::Literal`] if the text is no instant.
    pub fn instant(&self, zone: Tz) -> Result<Timestamp, Error> {
        let read =
            parse_local(&self.text, zone).map_err(|problem| calendar::unreadable(&self.text, &problem, self.span));
        read.map_err(|fault| fault.at(&self.source))
    }
}

/// Reads one statement; a semicolon at its end is fine.
///
/// # Errors
/// [`ErrorKind::Syntax`] where the text stops being a statement, [`ErrorKind::TooLarge`] beyond 64 KiB, 200 nested
/// parentheses or 1,000 chained operators, [`ErrorKind::NotAllowed`] for SQL that is not part of the language and for a
/// second statement, [`ErrorKind::NotSupportedYet`] for statements of a later version.
pub fn parse(text: &str) -> Result<Statement, Error> {
    let pieces = split_statements(text);
    let whole = Source::of(text, 0, text.len());
    match pieces.as_slice() {
        [] => {
            Err(Fault::new(ErrorKind::Syntax, Span::empty(), "no statement; expected SELECT … or another").at(&whole))
        }
        [piece] => parse_piece(piece),
        [_, second, ..] => {
            let tokens = tokenize(second).unwrap_or_default();
            let span = tokens.first().map_or_else(Span::empty, |token| token.span);
            let message = "a second statement; expected the end of the text";
            Err(Fault::new(ErrorKind::NotAllowed, span, message).hint("run them one by one").at(&whole))
        }
    }
}

/// Reads the query of a definition: `SELECT …`, or `WHERE condition` over profiles.
///
/// # Errors
/// As [`parse`].
pub fn parse_definition(text: &str) -> Result<Query, Error> {
    let source = Source::of(text, 0, text.len());
    let piece = Piece { whole: text, offset: 0, text, ended: false };
    read(&piece, &source, |reader| reader.whole_definition())
}

/// Reads one piece of a text; places count in the whole text.
///
/// # Errors
/// As [`parse`].
pub fn parse_piece(piece: &Piece<'_>) -> Result<Statement, Error> {
    let source = Source::of(piece.whole, piece.offset, piece.offset + piece.text.len());
    read(piece, &source, |reader| reader.whole_statement())
}

fn read<T>(piece: &Piece<'_>, source: &Source, whole: fn(Reader<'_>) -> Result<T, Fault>) -> Result<T, Error> {
    let read = deep(|| {
        let tokens = tokenize(piece)?;
        let dialect = Ending::of(tokens.len());
        whole(Reader::new(tokens, &dialect, source))
    });
    read.map_err(|fault| fault.at(source))
}
