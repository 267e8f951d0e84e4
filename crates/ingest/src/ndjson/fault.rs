//! What can be wrong with a line of NDJSON as a whole.

use std::fmt;

/// What can be wrong with a line of NDJSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// The line breaks the grammar of RFC 8259.
    Expected(&'static str),
    /// The line is JSON, but no object.
    NoObject,
    /// Not UTF-8.
    Encoding,
    /// A key stands twice in one object, so that nobody knows which value is meant.
    DuplicateKey(String),
    /// Lists and objects in one another, deeper than any real line.
    TooDeep {
        /// How deep is accepted.
        limit: usize,
    },
    /// Half of a UTF-16 pair, which is no character.
    LoneSurrogate,
    /// The character U+0000, at which other programs end a text.
    Nul,
    /// More bytes than any real line has.
    TooLong {
        /// How many are accepted.
        limit: usize,
    },
}

impl JsonFault {
    /// The kind of fault in a few stable words, for counts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Expected(_) => "not JSON",
            Self::NoObject => "no object",
            Self::Encoding => "encoding",
            Self::DuplicateKey(_) => "duplicate key",
            Self::TooDeep { .. } => "nested too deep",
            Self::LoneSurrogate => "lone surrogate",
            Self::Nul => "NUL character",
            Self::TooLong { .. } => "line too long",
        }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(f, "is not JSON; expected {what}"),
            Self::NoObject => f.write_str("is no object; expected one a line, like {\"id\": 1},"),
            Self::Encoding => f.write_str("is not UTF-8"),
            Self::DuplicateKey(key) => write!(f, "has the key `{key}` twice, the second time"),
            Self::TooDeep { limit } => write!(f, "nests lists and objects more than {limit} deep"),
            Self::LoneSurrogate => f.write_str("has half of a surrogate pair, which is no character,"),
            Self::Nul => f.write_str("has a NUL character"),
            Self::TooLong { limit } => write!(f, "is longer than {limit} bytes, cut"),
        }
    }
}
