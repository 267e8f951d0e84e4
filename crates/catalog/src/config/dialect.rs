//! How the text of a table's files is written, beside its delimiter and header.

use super::numbers;
use super::section::Section;
use crate::{Damaged, Dialect, Encoding, ShortRows, StrayQuotes, Unnamed};

const ENCODINGS: [(&str, Encoding); 5] = [
    ("utf-8", Encoding::Utf8),
    ("utf-16", Encoding::Utf16),
    ("utf-16le", Encoding::Utf16Le),
    ("utf-16be", Encoding::Utf16Be),
    ("windows-1252", Encoding::Windows1252),
];

const DAMAGED: [(&str, Damaged); 2] = [("reject", Damaged::Reject), ("replace", Damaged::Replace)];

const SHORT_ROWS: [(&str, ShortRows); 2] = [("reject", ShortRows::Reject), ("pad", ShortRows::Pad)];

const STRAY_QUOTES: [(&str, StrayQuotes); 2] = [("reject", StrayQuotes::Reject), ("keep", StrayQuotes::Keep)];

const UNNAMED: [(&str, Unnamed); 2] = [("refuse", Unnamed::Refuse), ("number", Unnamed::Number)];

pub(super) fn read(section: &Section) -> Dialect {
    let dialect = Dialect {
        quote: quote(section),
        encoding: section.one_of("encoding", &ENCODINGS),
        damaged: section.one_of("damaged", &DAMAGED).unwrap_or_default(),
        short_rows: section.one_of("short_rows", &SHORT_ROWS).unwrap_or_default(),
        stray_quotes: section.one_of("stray_quotes", &STRAY_QUOTES).unwrap_or_default(),
        unnamed: section.one_of("unnamed", &UNNAMED).unwrap_or_default(),
        decimal: numbers::decimal(section),
        thousands: numbers::thousands(section),
    };
    numbers::check_differ(section, dialect.decimal, dialect.thousands);
    dialect
}

/// The quote; an empty text says that there is none.
fn quote(section: &Section) -> Option<char> {
    let Some(text) = section.text("quote") else { return Dialect::default().quote };
    let mut characters = text.chars();
    let quote = characters.next();
    let fits = |quote: char| quote.is_ascii_punctuation() && !section.says("delimiter", &text);
    if characters.next().is_some() || !quote.is_none_or(fits) {
        let message =
            format!("`quote` in {} must be an ASCII sign other than the delimiter, or \"\" for none", section.title());
        section.problem_at("quote", message, None);
    }
    quote
}
