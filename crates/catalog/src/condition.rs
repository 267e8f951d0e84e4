//! The simple conditions of `where`: which raw rows of a file stay.
//!
//! A conjunction of `column op literal`, `column IS [NOT] NULL`, `column [NOT] IN (…)` and `column [NOT] LIKE '…'`, read on
//! the text of the fields before anything is typed. Small on purpose: what needs more is a segment.

use std::cmp::Ordering;
use std::fmt;

/// One part of the conjunction.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The column of the file.
    pub column: String,
    /// What is asked of it.
    pub operator: Operator,
    /// The part as it was written, for reports.
    pub text: String,
}

/// What a condition asks of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// Compares with a literal; `true` for each of less, equal, greater that holds.
    Compare {
        /// Whether a smaller field holds.
        less: bool,
        /// Whether an equal field holds.
        equal: bool,
        /// Whether a larger field holds.
        greater: bool,
        /// What it is compared with.
        literal: Literal,
    },
    /// `IS NULL`, or negated `IS NOT NULL`.
    IsNull {
        /// `IS NOT NULL`.
        negated: bool,
    },
    /// `IN (…)`, or negated.
    In {
        /// `NOT IN`.
        negated: bool,
        /// The list.
        literals: Vec<Literal>,
    },
    /// `LIKE`, or negated: `%` any characters, `_` one.
    Like {
        /// `NOT LIKE`.
        negated: bool,
        /// The pattern.
        pattern: String,
    },
}

/// A literal of a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Compared as text, bytewise.
    Text(String),
    /// Compared as a number: `units · 10^-scale`, exactly.
    Number {
        /// All digits.
        units: i128,
        /// How many of them stand after the point.
        scale: u32,
    },
}

/// What a condition says of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The row stays.
    Holds,
    /// The row is filtered.
    Fails,
    /// A number was asked for and the field is none: the row is rejected, not filtered.
    Unreadable,
}

impl Condition {
    /// What this condition says of a field; `None` is a field without value, for which only `IS NULL` holds.
    pub fn verdict(&self, field: Option<&str>) -> Verdict {
        let Some(field) = field else {
            return Verdict::from(self.operator == Operator::IsNull { negated: false });
        };
        match &self.operator {
            Operator::IsNull { negated } => Verdict::from(*negated),
            Operator::Compare { less, equal, greater, literal } => match literal.compare(field) {
                Some(Ordering::Less) => Verdict::from(*less),
                Some(Ordering::Equal) => Verdict::from(*equal),
                Some(Ordering::Greater) => Verdict::from(*greater),
                None => Verdict::Unreadable,
            },
            Operator::In { negated, literals } => member(field, literals, *negated),
            Operator::Like { negated, pattern } => Verdict::from(like(field, pattern) != *negated),
        }
    }
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn member(field: &str, literals: &[Literal], negated: bool) -> Verdict {
    let mut compared = literals.iter().map(|literal| literal.compare(field));
    if compared.clone().any(|ordering| ordering == Some(Ordering::Equal)) {
        return Verdict::from(!negated);
    }
    if compared.any(|ordering| ordering.is_none()) { Verdict::Unreadable } else { Verdict::from(negated) }
}

impl Literal {
    /// How `field` stands to this literal; `None` if a number was asked for and the field is none.
    fn compare(&self, field: &str) -> Option<Ordering> {
        match self {
            Self::Text(text) => Some(field.as_bytes().cmp(text.as_bytes())),
            Self::Number { units, scale } => {
                let (field_units, field_scale) = decimal(field.trim())?;
                let common = field_scale.max(*scale);
                Some(shift(field_units, common - field_scale)?.cmp(&shift(*units, common - scale)?))
            }
        }
    }
}

fn shift(units: i128, places: u32) -> Option<i128> {
    units.checked_mul(10_i128.checked_pow(places)?)
}

/// Reads `[+-]digits[.digits]` exactly.
fn decimal(text: &str) -> Option<(i128, u32)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let units = format!("{whole}{fraction}").parse::<i128>().ok()?;
    Some((if negative { -units } else { units }, u32::try_from(fraction.len()).ok()?))
}

/// SQL's LIKE without an escape: `%` any run of characters, `_` one character.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '%' {
            retry = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '_' || pattern[p] == text[t]) {
            (t, p) = (t + 1, p + 1);
        } else if let Some((percent, start)) = retry {
            (t, p) = (start + 1, percent + 1);
            retry = Some((percent, start + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|character| *character == '%')
}

/// Reads the text of `where`.
///
/// # Errors
/// The byte offset in `text` at which it stops being a conjunction of simple conditions, and what was expected there.
pub fn parse_conditions(text: &str) -> Result<Vec<Condition>, (usize, String)> {
    let tokens = tokenize(text)?;
    let mut parser = Parser { text, tokens: &tokens, next: 0 };
    let mut conditions = vec![parser.condition()?];
    while parser.word("AND") {
        conditions.push(parser.condition()?);
    }
    match parser.peek() {
        None => Ok(conditions),
        Some(token) if token.is_word("OR") => Err((token.start, "only AND joins conditions, not OR".to_owned())),
        Some(_) => parser.expected("AND or the end"),
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Token {
    start: usize,
    end: usize,
    kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq)]
enum TokenKind {
    Word(String),
    Quoted(String),
    Text(String),
    Number(i128, u32),
    Sign(&'static str),
}

impl Token {
    fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
    }
}

const SIGNS: [&str; 11] = ["<>", "!=", "<=", ">=", "<", ">", "=", "(", ")", ",", ";"];

fn tokenize(text: &str) -> Result<Vec<Token>, (usize, String)> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        if first.is_whitespace() {
            start += first.len_utf8();
            continue;
        }
        let (kind, length) = token_at(&text[start..], first).map_err(|message| (start, message))?;
        tokens.push(Token { start, end: start + length, kind });
        start += length;
    }
    Ok(tokens)
}

fn token_at(rest: &str, first: char) -> Result<(TokenKind, usize), String> {
    if first == '\'' || first == '"' {
        let (content, length) = quoted(rest, first).ok_or_else(|| format!("no closing {first}"))?;
        return Ok((if first == '"' { TokenKind::Quoted(content) } else { TokenKind::Text(content) }, length));
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((TokenKind::Sign(sign), sign.len()));
    }
    let length = rest.find(|c: char| !(c.is_alphanumeric() || "_.+-".contains(c))).unwrap_or(rest.len());
    let word = &rest[..length];
    if first.is_ascii_digit() || "+-.".contains(first) {
        let (units, scale) =
            decimal(word).ok_or_else(|| format!("`{word}` is no number; expected digits, as -12 or 1.50"))?;
        return Ok((TokenKind::Number(units, scale), length));
    }
    if length == 0 { Err(format!("unexpected `{first}`")) } else { Ok((TokenKind::Word(word.to_owned()), length)) }
}

/// The content and length of a quoted text at the start of `rest`; a doubled quote stands for one.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            content.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Some((content, at + 1));
        }
    }
    None
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    next: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<&Token> {
        self.next += 1;
        self.tokens.get(self.next - 1)
    }

    fn here(&self) -> usize {
        self.peek().map_or(self.text.len(), |token| token.start)
    }

    fn expected<T>(&self, what: &str) -> Result<T, (usize, String)> {
        let found =
            self.peek().map_or("the end".to_owned(), |token| format!("`{}`", &self.text[token.start..token.end]));
        Err((self.here(), format!("expected {what}, found {found}")))
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_word(word));
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.peek().is_some_and(|token| matches!(token.kind, TokenKind::Sign(found) if found == sign));
        self.next += usize::from(found);
        found
    }

    fn condition(&mut self) -> Result<Condition, (usize, String)> {
        let start = self.here();
        let column = self.column()?;
        let operator = self.operator()?;
        let end = self.tokens[self.next - 1].end;
        Ok(Condition { column, operator, text: self.text[start..end].to_owned() })
    }

    fn column(&mut self) -> Result<String, (usize, String)> {
        match self.peek().map(|token| token.kind.clone()) {
            Some(TokenKind::Word(name) | TokenKind::Quoted(name)) => {
                self.next += 1;
                Ok(name)
            }
            _ => self.expected("a column"),
        }
    }

    fn operator(&mut self) -> Result<Operator, (usize, String)> {
        if self.word("IS") {
            let negated = self.word("NOT");
            return if self.word("NULL") { Ok(Operator::IsNull { negated }) } else { self.expected("NULL") };
        }
        let negated = self.word("NOT");
        if self.word("IN") {
            return Ok(Operator::In { negated, literals: self.literals()? });
        }
        if self.word("LIKE") {
            return Ok(Operator::Like { negated, pattern: self.pattern()? });
        }
        if negated { self.expected("IN or LIKE") } else { self.comparison() }
    }

    fn comparison(&mut self) -> Result<Operator, (usize, String)> {
        const COMPARISONS: [(&str, [bool; 3]); 7] = [
            ("=", [false, true, false]),
            ("<>", [true, false, true]),
            ("!=", [true, false, true]),
            ("<", [true, false, false]),
            ("<=", [true, true, false]),
            (">", [false, false, true]),
            (">=", [false, true, true]),
        ];
        let found = COMPARISONS.iter().find(|(sign, _)| self.sign(sign));
        let Some((_, [less, equal, greater])) = found else {
            return self.expected("=, <>, <, <=, >, >=, IS NULL, IN or LIKE");
        };
        Ok(Operator::Compare { less: *less, equal: *equal, greater: *greater, literal: self.literal()? })
    }

    fn literal(&mut self) -> Result<Literal, (usize, String)> {
        let literal = match self.peek().map(|token| &token.kind) {
            Some(TokenKind::Text(text)) => Literal::Text(text.clone()),
            Some(TokenKind::Number(units, scale)) => Literal::Number { units: *units, scale: *scale },
            _ => return self.expected("a number or a 'text'"),
        };
        self.next += 1;
        Ok(literal)
    }

    fn literals(&mut self) -> Result<Vec<Literal>, (usize, String)> {
        if !self.sign("(") {
            return self.expected("`(`");
        }
        let mut literals = vec![self.literal()?];
        while self.sign(",") {
            literals.push(self.literal()?);
        }
        if self.sign(")") { Ok(literals) } else { self.expected("`,` or `)`") }
    }

    fn pattern(&mut self) -> Result<String, (usize, String)> {
        match self.peek().map(|token| token.kind.clone()) {
            Some(TokenKind::Text(pattern)) => {
                self.take();
                Ok(pattern)
            }
            _ => self.expected("a 'pattern'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(condition: &str, field: Option<&str>, expected: Verdict) {
        let conditions = parse_conditions(condition).unwrap();
        assert_eq!(conditions[0].verdict(field), expected, "{condition} on {field:?}");
    }

    #[test]
    fn numbers_compare_as_numbers_and_exactly() {
        check("q > 0", Some("12"), Verdict::Holds);
        check("q > 0", Some("-1"), Verdict::Fails);
        check("q = 1.50", Some("1.5"), Verdict::Holds);
        check("q < 10", Some("9.999999999999999999"), Verdict::Holds);
        check("q > 0", Some("many"), Verdict::Unreadable);
    }

    #[test]
    fn no_value_satisfies_nothing_but_is_null() {
        check("q > 0", None, Verdict::Fails);
        check("q <> 'x'", None, Verdict::Fails);
        check("q NOT IN ('x')", None, Verdict::Fails);
        check("q IS NULL", None, Verdict::Holds);
        check("q IS NOT NULL", None, Verdict::Fails);
        check("q IS NOT NULL", Some(""), Verdict::Holds);
    }

    #[test]
    fn text_compares_bytewise_and_by_pattern() {
        check("s = 'O''Neill'", Some("O'Neill"), Verdict::Holds);
        check("s = 'a'", Some("A"), Verdict::Fails);
        check("s IN ('a', 'b')", Some("b"), Verdict::Holds);
        check("s NOT LIKE 'C%'", Some("C536379"), Verdict::Fails);
        check("s LIKE '%a_c%'", Some("xxabcxx"), Verdict::Holds);
        check("s LIKE 'a%a'", Some("a"), Verdict::Fails);
        check("\"odd name\" = 'x'", Some("x"), Verdict::Holds);
    }

    #[test]
    fn the_parts_keep_their_text() {
        let parts = parse_conditions("CustomerID IS NOT NULL AND Quantity>0  and UnitPrice <= 1.5").unwrap();
        let texts: Vec<_> = parts.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["CustomerID IS NOT NULL", "Quantity>0", "UnitPrice <= 1.5"]);
    }

    #[test]
    fn what_is_not_simple_is_refused_at_its_place() {
        for (text, place, message) in [
            ("a = 1 OR b = 2", 6, "only AND joins conditions, not OR"),
            ("a = b", 4, "expected a number or a 'text', found `b`"),
            ("a", 1, "expected =, <>, <, <=, >, >=, IS NULL, IN or LIKE, found the end"),
            ("a = 'x", 4, "no closing '"),
            ("= 1", 0, "expected a column, found `=`"),
            ("a IN (1", 7, "expected `,` or `)`, found the end"),
            ("a = 1e9", 4, "`1e9` is no number; expected digits, as -12 or 1.50"),
            ("", 0, "expected a column, found the end"),
        ] {
            assert_eq!(parse_conditions(text), Err((place, message.to_owned())), "{text}");
        }
    }
}
