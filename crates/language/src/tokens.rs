//! Text to tokens, with the caps that hold before anything is parsed.
//!
//! The parser and everything behind it recurse over the tree, so a text that would make it too deep is refused here.

use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use crate::error::ErrorKind;
use crate::source::Fault;
use crate::split::Piece;
use crate::sql;

/// The most bytes of one statement.
pub(crate) const MAX_TEXT_BYTES: usize = 64 * 1024;
/// The most parentheses, brackets, CASEs and set operations inside one another.
pub(crate) const MAX_NESTING: usize = 200;
/// The ways in which parentheses around tables may be read: a query of its own, or tables that are joined. On an error in the
/// innermost the parser goes through all of them.
const MAX_WAYS: usize = 256;
/// The most operators between two commas, clauses or brackets: each one is a level of the tree.
pub(crate) const MAX_CHAIN: usize = 1_000;

/// The tokens of a piece, placed in the whole text.
///
/// # Errors
/// [`ErrorKind::TooLarge`] beyond the caps, [`ErrorKind::Syntax`] for a text that stops inside a token.
pub(crate) fn tokenize(piece: &Piece<'_>) -> Result<Vec<TokenWithSpan>, Fault> {
    let start = start_of(piece);
    if piece.text.len() > MAX_TEXT_BYTES {
        let message = format!("the statement has {} bytes; at most {MAX_TEXT_BYTES} are read", piece.text.len());
        return Err(Fault::new(ErrorKind::TooLarge, Span::new(start, start), message));
    }
    let tokens = Tokenizer::new(&GenericDialect, piece.text).tokenize_with_location().map_err(|error| {
        let at = shift(error.location, start);
        Fault::new(ErrorKind::Syntax, Span::new(at, at), error.message)
    })?;
    let placed = tokens.into_iter().map(|token| TokenWithSpan {
        token: token.token,
        span: Span::new(shift(token.span.start, start), shift(token.span.end, start)),
    });
    let placed: Vec<TokenWithSpan> = placed.collect();
    refuse_depth(&placed)?;
    refuse_names(&placed)?;
    Ok(placed)
}

/// Names of which the stock printer would make others; no table has such a name.
fn refuse_names(tokens: &[TokenWithSpan]) -> Result<(), Fault> {
    let misprinted = |token: &&TokenWithSpan| match &token.token {
        Token::Word(word) => word.quote_style.is_some_and(|quote| sql::is_misprinted(&word.value, quote)),
        _ => false,
    };
    match tokens.iter().find(misprinted) {
        Some(token) => {
            let message = "a name with two quotes in a row, or a quote behind a backslash, is not part of the language";
            Err(Fault::new(ErrorKind::NotAllowed, token.span, message).hint("choose another name"))
        }
        None => Ok(()),
    }
}

fn start_of(piece: &Piece<'_>) -> Location {
    let before = &piece.whole[..piece.offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    let column = before[line_start..].chars().count() + 1;
    Location::new(line as u64, column as u64)
}

fn shift(location: Location, start: Location) -> Location {
    let column = if location.line == 1 { location.column + start.column - 1 } else { location.column };
    Location::new(location.line + start.line - 1, column)
}

fn refuse_depth(tokens: &[TokenWithSpan]) -> Result<(), Fault> {
    let mut depth = Depth { levels: vec![Level::default()] };
    let mut before = None;
    for token in tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))) {
        depth.count(&token.token, before);
        before = Some(&token.token);
        if depth.ways() > MAX_WAYS {
            return Err(too_many_ways(token.span));
        }
        if depth.nesting() > MAX_NESTING {
            let message = format!("more than {MAX_NESTING} parentheses or set operations inside one another");
            return Err(Fault::new(ErrorKind::TooLarge, token.span, message));
        }
        if depth.operators() > MAX_CHAIN {
            let message = format!("more than {MAX_CHAIN} operators in one expression");
            let hint = "write `column IN (…)` for a long list";
            return Err(Fault::new(ErrorKind::TooLarge, token.span, message).hint(hint));
        }
    }
    Ok(())
}

/// What is said of a text that the parser would read again and again.
pub(crate) fn too_many_ways(span: Span) -> Fault {
    Fault::new(ErrorKind::TooLarge, span, "the statement could be read in too many ways")
        .hint("look for a bracket that is not closed")
}

/// How deep the tree is at one token, at most: the open brackets, and in each the operators that chain.
struct Depth {
    levels: Vec<Level>,
}

#[derive(Default)]
struct Level {
    operators: usize,
    set_operators: usize,
    /// Whether tables are listed here: behind FROM, and before the next clause.
    lists_tables: bool,
    /// Whether it is a pair of parentheses around tables.
    is_table: bool,
    /// Whether it begins where the one around it does.
    is_doubled: bool,
}

impl Depth {
    fn operators(&self) -> usize {
        self.levels.iter().map(|level| level.operators).sum()
    }

    fn nesting(&self) -> usize {
        self.levels.iter().map(|level| 1 + level.set_operators).sum()
    }

    /// Of parentheses around tables that begin together each may be the one that holds a query.
    fn ways(&self) -> usize {
        let (mut ways, mut together) = (1_usize, 1);
        for level in &self.levels {
            match level.is_doubled {
                true => together += 1,
                false => ways = ways.saturating_mul(std::mem::replace(&mut together, 1)),
            }
        }
        ways.saturating_mul(together)
    }

    fn parenthesis(&mut self, before: Option<&Token>) {
        let around = self.top();
        let is_doubled = around.is_table && before == Some(&Token::LParen);
        let is_listed = around.lists_tables && before == Some(&Token::Comma);
        let is_table = is_doubled || is_listed || before.is_some_and(is_before_table);
        self.levels.push(Level { is_table, is_doubled, ..Level::default() });
    }

    fn count(&mut self, token: &Token, before: Option<&Token>) {
        match token {
            Token::Word(word) if starts_clause(word.keyword) => {
                self.top().operators = 0;
                self.top().lists_tables = word.keyword == Keyword::FROM;
            }
            Token::LParen => self.parenthesis(before),
            Token::LBracket | Token::LBrace => self.levels.push(Level::default()),
            Token::RParen | Token::RBracket | Token::RBrace => self.close(),
            Token::Comma => self.top().operators = 0,
            Token::Lt if before.is_some_and(is_nested_type) => self.levels.push(Level::default()),
            Token::Word(word) if word.keyword == Keyword::CASE => self.levels.push(Level::default()),
            Token::Word(word) if word.keyword == Keyword::END => self.close(),
            Token::Word(word) if joins_queries(word.keyword) => self.top().set_operators += 1,
            token if is_operator(token) => self.top().operators += 1,
            _ => {}
        }
    }

    fn top(&mut self) -> &mut Level {
        self.levels.last_mut().expect("closing never removes the outermost level")
    }

    fn close(&mut self) {
        if self.levels.len() > 1 {
            self.levels.pop();
        }
    }
}

/// `ARRAY<ARRAY<…`: its end may be written `>>`, so it is never closed here; nobody writes two hundred of them.
fn is_nested_type(token: &Token) -> bool {
    matches!(token, Token::Word(word) if [Keyword::ARRAY, Keyword::STRUCT, Keyword::MAP].contains(&word.keyword))
}

/// Also in statements that are not part of the language: they are read before they are refused.
fn is_before_table(token: &Token) -> bool {
    use Keyword::{APPLY, DELETE, FROM, INTO, JOIN, LATERAL, MERGE, ONLY, STRAIGHT_JOIN, UPDATE, USING};
    let before_table = [APPLY, DELETE, FROM, INTO, JOIN, LATERAL, MERGE, ONLY, STRAIGHT_JOIN, UPDATE, USING];
    matches!(token, Token::Word(word) if before_table.contains(&word.keyword))
}

fn joins_queries(keyword: Keyword) -> bool {
    [Keyword::UNION, Keyword::EXCEPT, Keyword::INTERSECT, Keyword::MINUS].contains(&keyword)
}

fn starts_clause(keyword: Keyword) -> bool {
    use Keyword::{FROM, GROUP, HAVING, ORDER, QUALIFY, SELECT, THEN, WHEN, WHERE};
    [SELECT, FROM, WHERE, GROUP, HAVING, QUALIFY, ORDER, WHEN, THEN].contains(&keyword)
}

/// Whether a token may add a level to the tree: every sign, and the words that join conditions or tables.
fn is_operator(token: &Token) -> bool {
    use Keyword::{AND, BETWEEN, ILIKE, IN, IS, JOIN, LIKE, NOT, OR, XOR};
    match token {
        Token::Word(word) => [AND, OR, XOR, NOT, IS, LIKE, ILIKE, IN, BETWEEN, JOIN].contains(&word.keyword),
        Token::Whitespace(_) | Token::Number(..) | Token::SingleQuotedString(_) | Token::Period | Token::EOF => false,
        _ => true,
    }
}
