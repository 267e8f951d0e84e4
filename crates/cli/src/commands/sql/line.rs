//! The line editor's part of the prompt: when a statement is complete, what Tab offers, what stands grey at the cursor.

use std::borrow::Cow;

use muster_language::split_statements;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Result};

use super::completion::known::Known;
use super::completion::samples::Samples;
use super::completion::{Candidate, Completion, Values, as_written, complete};
use super::shortcut;
use crate::width::width;

/// What the editor is to know.
#[derive(Default)]
pub struct Line {
    /// What can be named.
    pub known: Known,
    /// Where values of columns come from; without data nowhere.
    pub samples: Option<Samples>,
}

impl Values for Option<Samples> {
    fn of(&self, table: &str, column: &str) -> Vec<String> {
        self.as_ref().map(|samples| samples.of(table, column)).unwrap_or_default()
    }
}

/// Whether Enter ends the input: every statement has its semicolon, or it is no statement.
pub fn is_complete(text: &str) -> bool {
    // One that is wrong is complete as well, so that it is told.
    let is_shortcut = !matches!(shortcut::read(text), Ok(None));
    is_shortcut || split_statements(text).iter().all(|piece| piece.ended)
}

/// What could stand at the cursor, also behind a shortcut.
fn offered(text: &str, cursor: usize, known: &Known, values: &dyn Values) -> Completion {
    let blanks = text.len() - text.trim_start().len();
    let Some(rest) = text.trim_start().strip_prefix('\\').filter(|_| cursor > blanks) else {
        return complete(text, cursor, known, values);
    };
    let Some((name, _)) = rest.split_once(' ').filter(|(name, _)| cursor > blanks + 1 + name.len()) else {
        return chosen(text, blanks + 1, cursor, shortcut::names().filter(|name| *name != "?"));
    };
    let start = blanks + 1 + name.len() + 1;
    match name {
        "explain" => {
            let Completion { start: found, candidates } = complete(&text[start..], cursor - start, known, values);
            Completion { start: start + found, candidates }
        }
        "d" => {
            let names = known.tables().map(|table| as_written(&table.name));
            let segments = known.segments().map(|segment| format!("segments.{}", as_written(segment)));
            chosen(text, start, cursor, names.chain(segments))
        }
        "format" => chosen(text, start, cursor, shortcut::formats()),
        "timing" => chosen(text, start, cursor, ["on", "off"]),
        _ => Completion::default(),
    }
}

/// Those of `words` that begin with what stands before the cursor.
fn chosen<T: Into<String>>(text: &str, start: usize, cursor: usize, words: impl IntoIterator<Item = T>) -> Completion {
    let words = words.into_iter().map(Into::into).filter(|word| word.starts_with(&text[start..cursor]));
    Completion { start, candidates: words.map(|text| Candidate { text, what: String::new() }).collect() }
}

impl Completer for Line {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _ctx: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let Completion { start, candidates } = offered(line, pos, &self.known, &self.samples);
        Ok((start, pairs(candidates)))
    }
}

/// Names with what they are, in columns.
fn pairs(candidates: Vec<Candidate>) -> Vec<Pair> {
    let widest = candidates.iter().map(|candidate| width(&candidate.text)).max().unwrap_or(0);
    let pair = |Candidate { text, what }: Candidate| {
        let blanks = " ".repeat(widest - width(&text));
        let display = if what.is_empty() { text.clone() } else { format!("{text}{blanks}  {what}") };
        Pair { display, replacement: text }
    };
    candidates.into_iter().map(pair).collect()
}

impl Validator for Line {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        let is_complete = is_complete(ctx.input());
        Ok(if is_complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

/// What stands grey on a line that goes on: that the statement has not ended yet.
pub struct GoesOn;

impl Hint for GoesOn {
    fn display(&self) -> &str {
        "… ; ends the statement"
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Line {
    type Hint = GoesOn;

    fn hint(&self, line: &str, pos: usize, _ctx: &Context<'_>) -> Option<GoesOn> {
        (pos == line.len() && line.ends_with('\n')).then_some(GoesOn)
    }
}

impl Highlighter for Line {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
}

impl Helper for Line {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_with_a_semicolon_that_is_one() {
        for (text, expected) in [
            ("", true),
            ("  \n", true),
            ("-- a thought", true),
            ("SELECT 1;", true),
            ("SELECT 1; -- one", true),
            ("SELECT 1;\nSELECT\n2;", true),
            ("SELECT 1", false),
            ("SELECT 1 -- ;", false),
            ("SELECT ';", false),
            ("SELECT ';'", false),
            ("SELECT \";", false),
            ("SELECT 1; /* ;", false),
            ("/*", false),
            ("SELECT 1; SELECT 2", false),
            ("\\d", true),
            ("\\dance", true),
            ("\\explain SELECT 1", true),
            ("exit", true),
            ("help;", true),
            ("exits", false),
        ] {
            assert_eq!(is_complete(text), expected, "{text}");
        }
    }

    fn texts(text: &str) -> Vec<String> {
        let found = offered(text, text.len(), &Known::default(), &None);
        found.candidates.into_iter().map(|candidate| candidate.text).collect()
    }

    #[test]
    fn shortcuts_and_their_words_are_offered() {
        assert_eq!(texts("\\e"), ["explain"]);
        assert_eq!(texts(" \\as"), ["as_of"]);
        assert_eq!(texts("\\format p"), ["parquet"]);
        assert_eq!(texts("\\timing o"), ["on", "off"]);
        assert_eq!(texts("\\explain sel"), ["select"]);
        assert_eq!(texts("\\o fi"), [""; 0]);
    }

    #[test]
    fn what_is_offered_shows_what_it_is_in_a_column() {
        let candidate = |text: &str, what: &str| Candidate { text: text.to_owned(), what: what.to_owned() };
        let shown = pairs(vec![candidate("id", "id"), candidate("total", "float"), candidate("AND", "")]);
        let displays: Vec<&str> = shown.iter().map(|pair| pair.display.as_str()).collect();
        assert_eq!(displays, ["id     id", "total  float", "AND"]);
    }
}
