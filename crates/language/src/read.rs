//! Reads a statement, word by word.
//!
//! Queries are read by the stock parser with its generic dialect, the few statements around them here. What a query may
//! contain is decided later, when it is resolved.

use std::sync::Arc;

use muster_catalog::{LISTS, nearest};
use sqlparser::ast;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use crate::dialect::Ending;
use crate::error::{ErrorKind, Place};
use crate::every::Every;
use crate::source::{Fault, Source};
use crate::sql;
use crate::statement::{InstantText, Query, SegmentDefinition, Statement, VariableDefinition};
use crate::tokens::too_many_ways;

/// The tree is as deep as the caps on the tokens let it be, so the parser's own limit only gets in the way.
const PARSER_DEPTH: usize = 10_000;

const SEGMENT_PREFIX: &str = "segments";

/// The words of one statement, and how far they are read.
pub(crate) struct Reader<'a> {
    parser: Parser<'a>,
    source: &'a Source,
}

impl<'a> Reader<'a> {
    /// A reader of these words; `dialect` is theirs alone.
    pub(crate) fn new(tokens: Vec<TokenWithSpan>, dialect: &'a Ending, source: &'a Source) -> Self {
        let parser = Parser::new(dialect).with_recursion_limit(PARSER_DEPTH).with_tokens_with_locations(tokens);
        Self { parser, source }
    }

    /// The statement, and nothing behind it.
    pub(crate) fn whole_statement(mut self) -> Result<Statement, Fault> {
        let statement = self.statement()?;
        self.word_end()?;
        Ok(statement)
    }

    /// The query of a definition, and nothing behind it.
    pub(crate) fn whole_definition(mut self) -> Result<Query, Fault> {
        let query = self.definition()?;
        self.word_end()?;
        Ok(query)
    }

    fn statement(&mut self) -> Result<Statement, Fault> {
        let first = self.peek();
        match first.as_str() {
            "AS" | "SELECT" | "WITH" | "VALUES" | "(" => {
                let (as_of, query) = self.query_as_of()?;
                Ok(Statement::Query { as_of, query })
            }
            "CREATE" => self.create(),
            "REFRESH" => self.named("SEGMENT", |name| Statement::RefreshSegment { name }),
            "DROP" => self.drop(),
            "SHOW" => self.show(),
            "DESCRIBE" | "DESC" => self.describe(),
            "EXPLAIN" => self.explain(),
            "PREVIEW" => self.preview(),
            "SET" => self.set(),
            _ => Err(self.not_a_statement(&first)),
        }
    }

    fn query_as_of(&mut self) -> Result<(Option<InstantText>, Query), Fault> {
        Ok((self.own_instant()?, self.query()?))
    }

    /// `[AS OF 'instant']`.
    fn own_instant(&mut self) -> Result<Option<InstantText>, Fault> {
        if !self.take("AS") {
            return Ok(None);
        }
        self.expect("OF")?;
        self.instant_text().map(Some)
    }

    /// `PREVIEW [AS OF 'instant'] SELECT …`, or `… WHERE condition`.
    fn preview(&mut self) -> Result<Statement, Fault> {
        self.skip();
        Ok(Statement::Preview { as_of: self.own_instant()?, definition: self.definition()? })
    }

    fn query(&mut self) -> Result<Query, Fault> {
        let first = self.peek();
        if !["SELECT", "WITH", "VALUES", "("].contains(&first.as_str()) {
            return Err(self.expected("SELECT …"));
        }
        let syntax = self.parser.parse_query().map_err(|error| syntax_fault(error, self.source))?;
        Ok(Query { syntax: Arc::from(syntax), source: self.source.clone() })
    }

    fn create(&mut self) -> Result<Statement, Fault> {
        let span = self.skip();
        let or_replace = self.take("OR");
        if or_replace {
            self.expect("REPLACE")?;
        }
        let name = match self.peek().as_str() {
            "SEGMENT" => {
                self.skip();
                self.name()?
            }
            "VIEW" => self.segment_view(span)?,
            "VARIABLE" => return self.variable(or_replace),
            _ => {
                let hint =
                    "CREATE SEGMENT name AS SELECT …, or CREATE VARIABLE name AS expression, stores a definition";
                return Err(refused(span, "CREATE").hint(hint));
            }
        };
        let comment = if self.take("COMMENT") { Some(self.string()?.0) } else { None };
        let refresh = if self.take("WITH") { Some(self.refresh_option()?) } else { None };
        self.expect("AS")?;
        let query = self.definition()?;
        Ok(Statement::CreateSegment(SegmentDefinition { name, or_replace, comment, refresh, query }))
    }

    /// `(refresh = '1 hour')`, the one option that there is.
    fn refresh_option(&mut self) -> Result<Every, Fault> {
        self.expect("(")?;
        if !self.take("REFRESH") {
            return Err(self.expected("refresh = 'span'"));
        }
        self.expect("=")?;
        let (text, span) = self.string()?;
        self.expect(")")?;
        Every::of(&text).ok_or_else(|| {
            let message = format!("'{text}' is no span of time after which a segment is due again");
            Fault::new(ErrorKind::Literal, span, message).hint("write '1 hour', '90 minutes' or '1 day'")
        })
    }

    /// `VARIABLE name [COMMENT 'text'] AS expression`.
    fn variable(&mut self, or_replace: bool) -> Result<Statement, Fault> {
        self.skip();
        let name = self.name()?;
        let comment = if self.take("COMMENT") { Some(self.string()?.0) } else { None };
        self.expect("AS")?;
        let expression = self.parser.parse_expr().map_err(|error| syntax_fault(error, self.source))?;
        let query = self.query_of(vec![sql::aliased(expression, &name)], None);
        Ok(Statement::CreateVariable(VariableDefinition { name, or_replace, comment, query }))
    }

    /// `SELECT …`, or `WHERE condition`.
    fn definition(&mut self) -> Result<Query, Fault> {
        if self.peek() == "WHERE" { self.condition_query() } else { self.query() }
    }

    /// `VIEW segments.name`, for tools that speak only standard SQL.
    fn segment_view(&mut self, create: Span) -> Result<String, Fault> {
        self.skip();
        let schema = self.name()?;
        if schema != SEGMENT_PREFIX || !self.parser.consume_token(&Token::Period) {
            return Err(refused(create, "CREATE VIEW").hint("only views of the schema `segments` can be created"));
        }
        self.name()
    }

    fn condition_query(&mut self) -> Result<Query, Fault> {
        self.skip();
        let condition = self.parser.parse_expr().map_err(|error| syntax_fault(error, self.source))?;
        let everything = vec![ast::SelectItem::Wildcard(ast::WildcardAdditionalOptions::default())];
        Ok(self.query_of(everything, Some(condition)))
    }

    /// `SELECT … FROM profiles WHERE …`, which was written in short.
    fn query_of(&self, items: Vec<ast::SelectItem>, condition: Option<ast::Expr>) -> Query {
        let profiles = ast::TableWithJoins { relation: plain_table("profiles"), joins: Vec::new() };
        let select = sql::select(items, vec![profiles], condition);
        Query { syntax: Arc::new(sql::select_query(select)), source: self.source.clone() }
    }

    fn drop(&mut self) -> Result<Statement, Fault> {
        let span = self.skip();
        match self.peek().as_str() {
            "SEGMENT" => {
                self.skip();
                Ok(Statement::DropSegment { name: self.name()? })
            }
            "VARIABLE" => {
                self.skip();
                Ok(Statement::DropVariable { name: self.name()? })
            }
            _ => Err(refused(span, "DROP").hint("DROP SEGMENT name, or DROP VARIABLE name, removes a definition")),
        }
    }

    fn show(&mut self) -> Result<Statement, Fault> {
        self.skip();
        match self.peek().as_str() {
            "TABLES" => {
                self.skip();
                Ok(Statement::ShowTables)
            }
            "SEGMENTS" => {
                self.skip();
                Ok(Statement::ShowSegments)
            }
            "VARIABLES" => {
                self.skip();
                Ok(Statement::ShowVariables)
            }
            _ => Err(self.expected("TABLES, SEGMENTS or VARIABLES")),
        }
    }

    fn describe(&mut self) -> Result<Statement, Fault> {
        self.skip();
        let second_is_name = !matches!(self.parser.peek_nth_token(1).token, Token::EOF);
        if self.peek() == "SEGMENT" && second_is_name {
            self.skip();
            return Ok(Statement::DescribeSegment { name: self.name()? });
        }
        if self.peek() == "TABLE" && second_is_name {
            self.skip();
        }
        let name = self.table_name()?;
        let column = if self.parser.consume_token(&Token::Period) { Some(self.name()?) } else { None };
        Ok(Statement::DescribeTable { name, column })
    }

    /// The name of a table, which of a list has two parts.
    fn table_name(&mut self) -> Result<String, Fault> {
        let name = self.name()?;
        if name == LISTS && self.parser.consume_token(&Token::Period) {
            return Ok(format!("{name}.{}", self.name()?));
        }
        Ok(name)
    }

    fn explain(&mut self) -> Result<Statement, Fault> {
        let span = self.skip();
        match self.peek().as_str() {
            "SQL" => {
                self.skip();
                let (as_of, query) = self.query_as_of()?;
                Ok(Statement::ExplainSql { as_of, query })
            }
            "SEGMENT" => {
                self.skip();
                let name = self.name()?;
                if self.take("FOR") {
                    return Ok(Statement::ExplainSegmentFor { name, key: self.string()?.0 });
                }
                Ok(Statement::ExplainSegment { name })
            }
            _ => {
                let hint =
                    "EXPLAIN SQL SELECT … shows a query as plain SQL, EXPLAIN SEGMENT name its conditions one by one";
                Err(refused(span, "EXPLAIN").hint(hint))
            }
        }
    }

    fn set(&mut self) -> Result<Statement, Fault> {
        let span = self.skip();
        if !self.take("AS_OF") {
            return Err(refused(span, "SET").hint("only `SET as_of = 'instant'` can be set"));
        }
        if !self.parser.consume_token(&Token::Eq) {
            self.expect("TO")?;
        }
        Ok(Statement::SetAsOf(self.instant_text()?))
    }

    fn named(&mut self, noun: &'static str, statement: impl FnOnce(String) -> Statement) -> Result<Statement, Fault> {
        self.skip();
        self.expect(noun)?;
        self.name().map(statement)
    }

    fn name(&mut self) -> Result<String, Fault> {
        let token = self.parser.peek_token();
        let Token::Word(word) = token.token else { return Err(self.expected("a name")) };
        self.skip();
        Ok(if word.quote_style.is_some() { word.value } else { word.value.to_lowercase() })
    }

    fn instant_text(&mut self) -> Result<InstantText, Fault> {
        let (text, span) = self.string()?;
        Ok(InstantText { text, span, source: self.source.clone() })
    }

    fn string(&mut self) -> Result<(String, Span), Fault> {
        let token = self.parser.peek_token();
        let Token::SingleQuotedString(text) = token.token else { return Err(self.expected("a text in single quotes")) };
        self.skip();
        Ok((text, token.span))
    }

    /// The next word in capitals, or the next sign as it is; a quoted name is no word.
    fn peek(&self) -> String {
        match &self.parser.peek_token_ref().token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
            Token::Word(_) | Token::EOF => String::new(),
            sign => sign.to_string(),
        }
    }

    fn span(&self) -> Span {
        self.parser.peek_token_ref().span
    }

    fn skip(&mut self) -> Span {
        self.parser.next_token().span
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == word;
        if found {
            self.skip();
        }
        found
    }

    fn expect(&mut self, word: &'static str) -> Result<(), Fault> {
        if self.take(word) { Ok(()) } else { Err(self.expected(word)) }
    }

    fn word_end(&self) -> Result<(), Fault> {
        if self.parser.peek_token_ref().token == Token::EOF { Ok(()) } else { Err(self.expected("the end")) }
    }

    fn expected(&self, what: &str) -> Fault {
        let token = self.parser.peek_token_ref();
        let found = if token.token == Token::EOF { "the text ends".to_owned() } else { format!("found `{token}`") };
        let span = if token.token == Token::EOF { Span::empty() } else { token.span };
        Fault::new(ErrorKind::Syntax, span, format!("expected {what}; {found}"))
            .maybe_hint(typographic(self.source, span.start))
    }

    fn not_a_statement(&self, first: &str) -> Fault {
        if let Some(statement) = REFUSED.iter().find(|refused| **refused == first) {
            return refused(self.span(), statement);
        }
        let hint = nearest(first, STATEMENTS).map(|near| format!("did you mean {near}?"));
        self.expected("a statement").maybe_hint(hint)
    }
}

/// The first words of what the language has.
const STATEMENTS: [&str; 11] =
    ["SELECT", "WITH", "AS", "CREATE", "REFRESH", "DROP", "SHOW", "DESCRIBE", "EXPLAIN", "PREVIEW", "SET"];

/// The first words of SQL that it does not have.
const REFUSED: [&str; 36] = [
    "ALTER",
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "CACHE",
    "CALL",
    "COMMENT",
    "COMMIT",
    "COPY",
    "DEALLOCATE",
    "DELETE",
    "DETACH",
    "EXECUTE",
    "EXPORT",
    "FROM",
    "GRANT",
    "IMPORT",
    "INSERT",
    "INSTALL",
    "KILL",
    "LOAD",
    "LOCK",
    "MERGE",
    "PRAGMA",
    "PREPARE",
    "RENAME",
    "REPLACE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "START",
    "TABLE",
    "TRUNCATE",
    "UPDATE",
    "USE",
    "VACUUM",
];

fn refused(span: Span, statement: &str) -> Fault {
    Fault::new(ErrorKind::NotAllowed, span, format!("{statement} is not part of the segment language"))
}

fn plain_table(table: &str) -> ast::TableFactor {
    let mut factor = sql::table(table, None);
    if let ast::TableFactor::Table { name, .. } = &mut factor {
        *name = ast::ObjectName::from(ast::Ident::new(table));
    }
    factor
}

/// The parser puts the place at the end of its message; here it goes in front, with the line.
fn syntax_fault(error: ParserError, source: &Source) -> Fault {
    let message = match error {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
        ParserError::RecursionLimitExceeded => return too_many_ways(Span::empty()),
    };
    let (message, start) = match message.split_once(" at Line: ") {
        Some((message, place)) => (message.to_owned(), location(place)),
        None => (message, Span::empty().start),
    };
    let message = match message.strip_prefix("Expected: ") {
        Some(rest) => {
            format!("expected {}", rest.replace(", found: EOF", "; the text ends").replace(", found: ", "; found "))
        }
        None => message,
    };
    Fault::new(ErrorKind::Syntax, Span::new(start, start), message).maybe_hint(typographic(source, start))
}

fn location(place: &str) -> Location {
    let numbers = place.split_once(", Column: ").and_then(|(line, column)| {
        let column = column.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(Location::new(line.parse().ok()?, column.parse().ok()?))
    });
    numbers.unwrap_or_else(|| Span::empty().start)
}

/// Quotes that a word processor makes look right and that SQL does not know.
fn typographic(source: &Source, start: Location) -> Option<String> {
    let index = |count: u64| usize::try_from(count).ok();
    let place = Place { line: index(start.line)?, column: index(start.column)? };
    match source.character(place)? {
        found @ ('‘' | '’' | '‚' | '´') => Some(format!("`{found}` is no quote of SQL; write ' around text")),
        found @ ('“' | '”' | '„' | '«' | '»') => {
            Some(format!("`{found}` is no quote of SQL; write \" around names"))
        }
        _ => None,
    }
}
