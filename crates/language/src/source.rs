//! The text that is being read, and how a place in it is shown.

use sqlparser::tokenizer::{Location, Span};

use crate::error::{Error, ErrorKind, Place};

/// A statement's text with the start of its first line, so that places count in the whole file it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    lines: Vec<String>,
    first_line: usize,
}

impl Source {
    /// The text of `whole[start..end]`; lines are counted in `whole`.
    pub(crate) fn of(whole: &str, start: usize, end: usize) -> Self {
        let line_start = whole[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let first_line = whole[..line_start].matches('\n').count() + 1;
        Self { lines: whole[line_start..end].lines().map(str::to_owned).collect(), first_line }
    }

    /// Whether `text` stands in a line of it.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.lines.iter().any(|line| line.contains(text))
    }

    /// The place just behind the last character.
    fn end(&self) -> Place {
        let last = self.lines.last().map_or("", String::as_str);
        let line = self.first_line + self.lines.len().saturating_sub(1);
        Place { line, column: last.trim_end().chars().count() + 1 }
    }

    fn find(&self, text: &str) -> Option<Place> {
        let found = self.lines.iter().enumerate().find_map(|(index, line)| Some((index, line.find(text)?, line)));
        found.map(|(index, at, line)| Place { line: self.first_line + index, column: line[..at].chars().count() + 1 })
    }

    fn line(&self, line: usize) -> String {
        self.lines.get(line.wrapping_sub(self.first_line)).cloned().unwrap_or_default()
    }

    /// The character at `place`, if there is one.
    pub(crate) fn character(&self, place: Place) -> Option<char> {
        self.lines.get(place.line.wrapping_sub(self.first_line))?.chars().nth(place.column.checked_sub(1)?)
    }
}

/// Something that is wrong, before the text is at hand in which it is shown.
#[derive(Debug)]
pub(crate) struct Fault(Box<FaultParts>);

#[derive(Debug)]
struct FaultParts {
    kind: ErrorKind,
    start: Location,
    message: String,
    hint: Option<String>,
    near: Option<String>,
}

impl Fault {
    /// What can be done about it.
    pub(crate) fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Something wrong at the start of `span`; an empty span means the end of the text.
    pub(crate) fn new(kind: ErrorKind, span: Span, message: impl Into<String>) -> Self {
        Self(Box::new(FaultParts { kind, start: span.start, message: message.into(), hint: None, near: None }))
    }

    /// The same with advice.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    /// The same with advice, if there is any.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.0.hint = hint;
        self
    }

    /// The text at which it is, for names that the parser gives without a place.
    pub(crate) fn near(mut self, text: &str) -> Self {
        self.0.near = Some(text.to_owned());
        self
    }

    /// A feature of the language's page that this version does not have.
    pub(crate) fn not_yet(span: Span, feature: &'static str) -> Self {
        let message = format!("{feature}: not supported yet");
        Self::new(ErrorKind::NotSupportedYet { feature }, span, message)
    }

    /// The error as it is shown, with its place in `source`.
    pub(crate) fn at(self, source: &Source) -> Error {
        let Self(parts) = self;
        let place = match parts.start {
            Location { line: 0, .. } => parts.near.and_then(|text| source.find(&text)).unwrap_or_else(|| source.end()),
            Location { line, column } => Place { line: narrow(line), column: narrow(column) },
        };
        Error { kind: parts.kind, place, line: source.line(place.line), message: parts.message, hint: parts.hint }
    }
}

fn narrow(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
