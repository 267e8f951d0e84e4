//! An NDJSON file that was looked through: its keys, and what kinds of values they have.

use std::fs::File;
use std::io::Read;

use hashbrown::HashMap;
use muster_catalog::ColumnType;
use rayon::prelude::*;

use super::field::FieldKind;
use super::lines::LineChunks;
use super::number::written_out;
use super::rows::{object_of, whole_lines};
use crate::error::{ColumnProblem, Error, Refusal};
use crate::feed::{Part, Piece};
use crate::infer::infer;
use crate::layout::check_names;
use crate::source::{Format, SourceFile};
use crate::stream::unreadable;

/// Text of one piece of work.
const CHUNK: usize = 4 << 20;
/// Chunks that are looked through side by side.
const WAVE: usize = 8;

/// An NDJSON file of which all keys are known.
pub(crate) struct JsonFile {
    pub format: Format,
    /// The keys of all sound lines in the order in which they first appear.
    pub names: Vec<String>,
    /// The kinds of values of each key, as bits.
    kinds: Vec<u8>,
}

impl JsonFile {
    /// Reads all lines once for their keys: a key that comes up late is a column like any other.
    pub fn open(source: &SourceFile, format: Format) -> Result<Self, Error> {
        check_encoding(source)?;
        let mut chunks = LineChunks::open(source, format, CHUNK)?;
        let mut keys = Keys::default();
        let mut more = true;
        while more {
            let wave = wave(&mut chunks)?;
            more = wave.last().is_some_and(|piece| piece.ended.is_none());
            let found: Vec<Keys> = wave.par_iter().map(Keys::of).collect();
            found.into_iter().for_each(|found| keys.add(found));
            keys.check().map_err(|problem| Error::Columns { file: source.name.clone(), problem })?;
        }
        Ok(Self { format, names: keys.names, kinds: keys.kinds })
    }

    /// The type that a column looks like, from the kinds of all its values and the first of them as texts, and why;
    /// `Err` with the kind in words where no type takes it.
    pub fn column_type<'a>(
        &self,
        column: usize,
        values: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(ColumnType, String), String> {
        let is = |kinds: &[FieldKind]| self.kinds[column] == kinds.iter().fold(0, |bits, kind| bits | kind.bit());
        if is(&[FieldKind::Object]) {
            Err("objects".to_owned())
        } else if is(&[FieldKind::List]) {
            Ok((ColumnType::Set, "lists in all lines".to_owned()))
        } else if is(&[FieldKind::Bool]) {
            Ok((ColumnType::Bool, "true or false in all lines".to_owned()))
        } else if is(&[FieldKind::Number]) {
            Ok(number_type(values))
        } else if is(&[FieldKind::Text]) {
            Ok(text_type(values))
        } else if is(&[]) {
            Ok((ColumnType::Text, "no value in any line".to_owned()))
        } else {
            Ok((ColumnType::Text, "values of several kinds".to_owned()))
        }
    }
}

/// What is written in quotes is no number, whatever it looks like.
fn text_type<'a>(values: impl Iterator<Item = &'a str> + Clone) -> (ColumnType, String) {
    match infer(values) {
        dated @ (ColumnType::Date | ColumnType::Timestamp, _) => dated,
        (ColumnType::Text, why) => (ColumnType::Text, why),
        _ => (ColumnType::Text, "texts in all lines".to_owned()),
    }
}

/// Numbers are whole or exact if they can be, doubles if they lose nothing by it, and else the digits as text.
fn number_type<'a>(values: impl Iterator<Item = &'a str> + Clone) -> (ColumnType, String) {
    let plain: Vec<_> = values.map(written_out).collect();
    match infer(plain.iter().map(AsRef::as_ref)) {
        (ColumnType::Text, _)
            if plain.iter().any(|number| number.contains('.')) && plain.iter().all(|number| is_double(number)) =>
        {
            (ColumnType::Float, "numbers of more digits after the point than a decimal has".to_owned())
        }
        inferred => inferred,
    }
}

/// Whether a double, written out again, is the very same number.
fn is_double(number: &str) -> bool {
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    number.parse::<f64>().is_ok_and(|value| value.is_finite() && trimmed(&value.to_string()) == trimmed(number))
}

/// JSON is UTF-8; what is UTF-16 shows in its first bytes, with a mark or by the zeros between ASCII.
fn check_encoding(source: &SourceFile) -> Result<(), Error> {
    let mut head = Vec::new();
    let read = File::open(&source.path).and_then(|file| file.take(2).read_to_end(&mut head));
    read.map_err(|error| unreadable(&source.name, error))?;
    if matches!(head.as_slice(), b"\xff\xfe" | b"\xfe\xff" | [0, _] | [_, 0]) {
        let refusal = Refusal::Known { kind: "JSON in UTF-16", hint: "save the file as UTF-8" };
        return Err(Error::Refused { file: source.name.clone(), refusal });
    }
    Ok(())
}

fn wave(chunks: &mut LineChunks) -> Result<Vec<Piece>, Error> {
    let mut wave = Vec::with_capacity(WAVE);
    while wave.len() < WAVE && wave.last().is_none_or(|piece: &Piece| piece.ended.is_none()) {
        wave.push(chunks.next(0)?);
    }
    Ok(wave)
}

/// Keys in the order in which they first appear.
#[derive(Default)]
struct Keys {
    names: Vec<String>,
    kinds: Vec<u8>,
    places: HashMap<String, usize>,
}

impl Keys {
    /// Of the sound lines of a chunk; the others will be rejected, and their keys mean nothing.
    fn of(piece: &Piece) -> Self {
        let mut keys = Self::default();
        let Part::Chunk(chunk) = &piece.part else { return keys };
        for members in whole_lines(chunk).filter_map(|(_, line)| object_of(line).ok()) {
            members.iter().for_each(|(key, value)| keys.see(key, value.kind.map_or(0, FieldKind::bit)));
        }
        keys
    }

    fn see(&mut self, key: &str, kinds: u8) {
        match self.places.get(key) {
            Some(place) => self.kinds[*place] |= kinds,
            None => {
                self.places.insert(key.to_owned(), self.names.len());
                self.names.push(key.to_owned());
                self.kinds.push(kinds);
            }
        }
    }

    fn add(&mut self, later: Self) {
        later.names.iter().zip(&later.kinds).for_each(|(name, kinds)| self.see(name, *kinds));
    }

    fn check(&self) -> Result<(), ColumnProblem> {
        check_names(&self.names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(numbers: &[&str], expected: &str) {
        assert_eq!(number_type(numbers.iter().copied()).0.to_string(), expected, "{numbers:?}");
    }

    #[test]
    fn numbers_are_doubles_only_where_nothing_is_lost() {
        check(&["1", "-20"], "int");
        check(&["1.5", "2e1"], "decimal(18,1)");
        check(&["0.1", "0.30000000000000004"], "float");
        check(&["1.797693134862316e60", "0.5"], "float");
        check(&["0.123456789012345678901"], "text");
        check(&["12345678901234567890"], "text");
        check(&["1e400"], "text");
    }

    #[test]
    fn texts_that_look_like_numbers_are_texts() {
        let inferred = |texts: &[&str]| text_type(texts.iter().copied()).0.to_string();
        assert_eq!(inferred(&["1", "2"]), "text");
        assert_eq!(inferred(&["true"]), "text");
        assert_eq!(inferred(&["2025-06-30"]), "date");
        assert_eq!(inferred(&["2025-06-30T12:00:00Z"]), "timestamp");
    }
}
