//! Cuts a text into its statements; knows strings, quoted names and comments, and nothing else of SQL.

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// One statement of a text, without its semicolon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    pub(crate) whole: &'a str,
    /// The byte in the whole text at which it starts.
    pub offset: usize,
    /// Its text.
    pub text: &'a str,
    /// Whether a semicolon ends it: at a prompt, whether it is complete.
    pub ended: bool,
}

/// The statements of `text` in their order, from the first character that is neither blank nor comment to before the
/// semicolon; pieces of blanks and comments alone are left out.
///
/// A text that stops inside a string, a quoted name or a comment is one last piece that is not `ended`; reading it says
/// what is missing.
pub fn split_statements(text: &str) -> Vec<Piece<'_>> {
    let mut tokens = Vec::new();
    let readable = Tokenizer::new(&GenericDialect, text).tokenize_with_location_into_buf(&mut tokens).is_ok();
    let mut offsets = Offsets::of(text);
    let mut pieces = Vec::new();
    let mut start = None;
    for token in tokens.iter().filter(|token| !is_blank(&token.token)) {
        let at = offsets.byte(token.span.start);
        match (&token.token, start) {
            (Token::SemiColon, Some(first)) => {
                pieces.push(piece(text, first, at, true));
                start = None;
            }
            (Token::SemiColon, None) => {}
            (_, None) => start = Some(at),
            (_, Some(_)) => {}
        }
    }
    let rest = start.or_else(|| if readable { None } else { unreadable_rest(text, &tokens, &mut offsets) });
    pieces.extend(rest.map(|first| piece(text, first, text.len(), false)));
    pieces
}

fn piece(whole: &str, start: usize, end: usize, ended: bool) -> Piece<'_> {
    let text = whole[start..end].trim_end();
    Piece { whole, offset: start, text, ended }
}

/// Where the part begins that has no token: behind the last one that is no blank.
fn unreadable_rest(text: &str, tokens: &[TokenWithSpan], offsets: &mut Offsets<'_>) -> Option<usize> {
    let behind = tokens.iter().rfind(|token| !is_blank(&token.token)).map_or(0, |token| offsets.byte(token.span.end));
    let blanks = text[behind..].len() - text[behind..].trim_start().len();
    Some(behind + blanks).filter(|start| *start < text.len())
}

/// Blanks and comments.
fn is_blank(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

/// From the tokenizer's lines and columns to bytes, for places that come in their order: one walk over the text.
struct Offsets<'a> {
    rest: std::str::CharIndices<'a>,
    line: u64,
    column: u64,
    length: usize,
}

impl<'a> Offsets<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: text.char_indices(), line: 1, column: 1, length: text.len() }
    }

    /// The byte of a place that is not before the one asked for last.
    fn byte(&mut self, place: Location) -> usize {
        while (self.line, self.column) < (place.line, place.column) {
            match self.rest.next() {
                Some((_, '\n')) => (self.line, self.column) = (self.line + 1, 1),
                Some(_) => self.column += 1,
                None => return self.length,
            }
        }
        self.rest.offset()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(usize, &str, bool)]) {
        let pieces: Vec<_> =
            split_statements(text).iter().map(|piece| (piece.offset, piece.text, piece.ended)).collect();
        assert_eq!(pieces, expected, "{text}");
    }

    #[test]
    fn semicolons_in_strings_names_and_comments_do_not_end_a_statement() {
        check("SELECT ';'; SELECT \";\" -- ;\n; /* ; */", &[(0, "SELECT ';'", true), (12, "SELECT \";\" -- ;", true)]);
    }

    #[test]
    fn offsets_count_bytes_and_the_last_piece_needs_no_semicolon() {
        check("-- één\nSELECT 'é' ;\n\n SELECT 2", &[(9, "SELECT 'é'", true), (25, "SELECT 2", false)]);
    }

    #[test]
    fn an_open_string_is_one_last_piece() {
        check("SELECT 1; 'open", &[(0, "SELECT 1", true), (10, "'open", false)]);
        check("SELECT 1;\n SELECT 'open", &[(0, "SELECT 1", true), (11, "SELECT 'open", false)]);
    }

    #[test]
    fn blanks_and_comments_alone_are_no_statement() {
        check(" ;; -- nothing\n /* here */ ;", &[]);
    }
}
