//! The words of a statement that is being typed, up to the cursor and behind it.
//!
//! A statement that is not finished has no syntax tree, so completion looks at words. Whether a statement *is* finished
//! is the language's to say, not this file's.

/// One word or sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word<'a> {
    /// A name or a keyword, as it is written.
    Bare(&'a str),
    /// A name in double quotes, without them.
    Quoted(&'a str),
    /// A text in single quotes.
    Text,
    /// A number.
    Number,
    /// Anything else, one character.
    Sign(char),
}

impl<'a> Word<'a> {
    /// The name that it is, if it is one.
    pub fn name(self) -> Option<&'a str> {
        match self {
            Self::Bare(name) | Self::Quoted(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it is this keyword.
    pub fn is(self, keyword: &str) -> bool {
        matches!(self, Self::Bare(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// What stands open where a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Nothing: behind a blank or a sign.
    Nothing,
    /// A bare word, which starts at this byte.
    Word(usize),
    /// A name in double quotes, which start at this byte.
    Name(usize),
    /// A text in single quotes, which start at this byte.
    Text(usize),
    /// A comment.
    Comment,
}

/// The words of the statement in which a text ends, without what stands open.
#[derive(Debug, PartialEq, Eq)]
pub struct Words<'a> {
    /// In their order.
    pub words: Vec<Word<'a>>,
    /// What stands open behind them.
    pub open: Open,
}

/// The words of the last statement of `text`.
pub fn last_statement(text: &str) -> Words<'_> {
    let mut read = read(text);
    if let Some(end) = read.words.iter().rposition(|word| *word == Word::Sign(';')) {
        read.words.drain(..=end);
    }
    read
}

/// The words from the beginning of `text` to the end of its first statement.
pub fn rest_of_statement(text: &str) -> Vec<Word<'_>> {
    let Words { mut words, open } = read(text);
    if let Open::Word(start) = open {
        words.push(Word::Bare(&text[start..]));
    }
    words.into_iter().take_while(|word| *word != Word::Sign(';')).collect()
}

fn read(text: &str) -> Words<'_> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let next = match first {
            '-' if rest.starts_with("--") => rest.find('\n').map(|end| (None, end + 1)).ok_or(Open::Comment),
            '/' if rest.starts_with("/*") => rest.find("*/").map(|end| (None, end + 2)).ok_or(Open::Comment),
            '\'' => closed(rest, '\'').map(|end| (Some(Word::Text), end)).ok_or(Open::Text(at)),
            '"' => closed(rest, '"').map(|end| (Some(Word::Quoted(&rest[1..end - 1])), end)).ok_or(Open::Name(at)),
            _ if first.is_whitespace() => Ok((None, first.len_utf8())),
            _ if is_name_part(first) => word(rest).ok_or(Open::Word(at)),
            _ => Ok((Some(Word::Sign(first)), first.len_utf8())),
        };
        match next {
            Ok((word, length)) => {
                words.extend(word);
                at += length;
            }
            Err(open) => return Words { words, open },
        }
    }
    Words { words, open: Open::Nothing }
}

/// Behind the quote that closes the one at the start of `text`; a doubled one stands for itself.
fn closed(text: &str, quote: char) -> Option<usize> {
    let mut rest = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = rest.next() {
        let is_doubled = letter == quote && rest.next_if(|(_, next)| *next == quote).is_some();
        if letter == quote && !is_doubled {
            return Some(at + quote.len_utf8());
        }
    }
    None
}

/// The bare word at the start of `text`; one that reaches to its end is still being typed.
fn word(text: &str) -> Option<(Option<Word<'_>>, usize)> {
    let end = text.find(|letter| !is_name_part(letter))?;
    let word = &text[..end];
    let is_number = word.starts_with(|letter: char| letter.is_ascii_digit());
    Some((Some(if is_number { Word::Number } else { Word::Bare(word) }), end))
}

/// Whether a bare name may have this letter.
pub fn is_name_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, words: &[Word<'_>], open: Open) {
        assert_eq!(last_statement(text), Words { words: words.to_vec(), open }, "{text}");
    }

    #[test]
    fn the_words_of_the_last_statement_are_read_up_to_what_stands_open() {
        use Word::{Bare, Number, Quoted, Sign, Text};
        check("SELECT cit", &[Bare("SELECT")], Open::Word(7));
        check("SELECT ", &[Bare("SELECT")], Open::Nothing);
        check("SELECT 1; SHOW ", &[Bare("SHOW")], Open::Nothing);
        check(
            "a.b >= 10 AND 'it''s;' ",
            &[Bare("a"), Sign('.'), Bare("b"), Sign('>'), Sign('='), Number, Bare("AND"), Text],
            Open::Nothing,
        );
        check("\"Order \"\"date\" \"x", &[Quoted("Order \"\"date")], Open::Name(15));
        check("é = 'é", &[Bare("é"), Sign('=')], Open::Text(5));
        check("SELECT -- ; FROM", &[Bare("SELECT")], Open::Comment);
        check("SELECT /* ; */ x /* ", &[Bare("SELECT"), Bare("x")], Open::Comment);
        check("", &[], Open::Nothing);
        check(";", &[], Open::Nothing);
    }

    #[test]
    fn what_follows_the_cursor_ends_with_its_statement() {
        let orders = [Word::Bare("FROM"), Word::Bare("orders")];
        assert_eq!(rest_of_statement(" FROM orders ; SELECT 1 "), orders);
        assert_eq!(rest_of_statement(" FROM orders"), orders);
    }
}
