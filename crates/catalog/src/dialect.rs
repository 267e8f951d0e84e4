//! How the text of a table's files is written, and what becomes of text that is not written so.

/// How text is written. Every setting has a default that refuses what it cannot be sure of.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialect {
    /// What stands around a field that holds delimiters or line ends; `None` where nothing does.
    pub quote: Option<char>,
    /// How characters become bytes; absent: as the byte order mark says, else UTF-8.
    pub encoding: Option<Encoding>,
    /// What becomes of bytes that stand for no character.
    pub damaged: Damaged,
    /// What becomes of a row with fewer fields than columns.
    pub short_rows: ShortRows,
    /// What becomes of a quote inside a field that does not begin with one.
    pub stray_quotes: StrayQuotes,
    /// What becomes of a column without a name.
    pub unnamed: Unnamed,
    /// What stands before the fraction of a number, where its column does not say; absent: `.`, and what could as well
    /// be the other is rejected.
    pub decimal: Option<char>,
    /// What stands between groups of three digits, where the column does not say; absent: nothing.
    pub thousands: Option<char>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            quote: Some('"'),
            encoding: None,
            damaged: Damaged::default(),
            short_rows: ShortRows::default(),
            stray_quotes: StrayQuotes::default(),
            unnamed: Unnamed::default(),
            decimal: None,
            thousands: None,
        }
    }
}

/// How characters become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a mark.
    Utf8,
    /// UTF-16, its byte order told by a mark.
    Utf16,
    /// UTF-16 with the lower byte first, with or without a mark.
    Utf16Le,
    /// UTF-16 with the higher byte first, with or without a mark.
    Utf16Be,
    /// Windows-1252, which holds ISO 8859-1.
    Windows1252,
}

impl Encoding {
    /// How `muster.toml` and messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// What becomes of bytes that stand for no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Damaged {
    /// Their row is rejected.
    #[default]
    Reject,
    /// They become U+FFFD, which is lost for good.
    Replace,
}

/// What becomes of a row with fewer fields than columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShortRows {
    /// It is rejected.
    #[default]
    Reject,
    /// The missing fields have no value.
    Pad,
}

/// What becomes of a quote inside a field that does not begin with one, and of text behind a closing quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StrayQuotes {
    /// Its row is rejected.
    #[default]
    Reject,
    /// It is a character like any other; the field is kept as it is written, quotes and all.
    Keep,
}

/// What becomes of a column without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unnamed {
    /// The file is refused.
    #[default]
    Refuse,
    /// It is called `column_n`, counted from one.
    Number,
}
