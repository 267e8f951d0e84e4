//! What is wrong with a statement: the kind, the place, what was expected, and what to do.

use std::fmt;

/// A place in the text of a statement or a file of them; lines and columns count from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from one.
    pub line: usize,
    /// The column in characters, from one.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The kinds of errors, by what the writer of the text can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not SQL: mend it at the place.
    Syntax,
    /// The text is longer or deeper than a statement may be: split it.
    TooLarge,
    /// No table, column, link, segment or function has this name: correct the spelling.
    UnknownName,
    /// The name fits several things: write the way to the one that is meant.
    Ambiguous,
    /// A history aggregate whose rows do not fit together: name one level.
    Level,
    /// A history aggregate, or a group aggregate, where it cannot stand: move it.
    Position,
    /// A literal that is no instant, date or interval: correct it.
    Literal,
    /// SQL that is not part of the language, and will not be.
    NotAllowed,
    /// A part of the language that this version does not have.
    NotSupportedYet {
        /// What it is called.
        feature: &'static str,
    },
}

/// A statement that cannot be read or resolved.
///
/// Displayed over several lines: place and message, the source line, a caret below the place, and the hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// What could be done.
    pub kind: ErrorKind,
    /// Where it is.
    pub place: Place,
    /// The source line of the place.
    pub line: String,
    /// What is wrong, and what was expected.
    pub message: String,
    /// Advice, where there is more to say.
    pub hint: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.place, self.message)?;
        writeln!(f, "  {}", self.line.replace('\t', " "))?;
        write!(f, "  {}^", " ".repeat(self.place.column.saturating_sub(1)))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
