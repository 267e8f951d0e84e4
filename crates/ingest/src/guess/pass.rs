//! Files read from end to end, for what their columns hold. Memory holds a few chunks of text and the notes of each
//! column, however large the files are.

use arrow_array::{Array, StringViewArray};
use muster_catalog::{Catalog, parse};
use rayon::prelude::*;

use super::candidates::Candidate;
use super::looks::Looks;
use super::sketch::{Sight, Sketch, hash, hash_of_row};
use crate::Intake;
use crate::error::Error;
use crate::feed::{Feed, Sizes};
use crate::file::OpenFile;
use crate::plan::Plan;
use crate::shape::FileShape;
use crate::typing::as_texts;

const SIZES: Sizes = Sizes { chunk: 4 << 20, record: 32 << 20 };

/// Ways to write nothing that are kept, at most.
const BLANKS: usize = 4;

/// What was seen of one table.
#[derive(Debug, Clone)]
pub(crate) struct TableFacts {
    pub candidate: Candidate,
    pub rows: u64,
    /// Records that are no rows.
    pub misshapen: u64,
    pub columns: Vec<ColumnFacts>,
}

/// What was seen of one column.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnFacts {
    pub name: String,
    pub rows: u64,
    /// Rows without a value; blanks are none.
    pub absent: u64,
    /// The blanks that stand where there is no value, as they are: empty where fields are simply empty.
    pub blanks: Vec<String>,
    pub values: Sketch,
    pub looks: Looks,
}

impl ColumnFacts {
    /// Whether every row has a value, and every value one row.
    pub fn is_unique(&self) -> bool {
        self.rows > 0 && self.absent == 0 && self.values.repeated() == 0
    }

    /// The share of rows without a value, 0 to 1.
    pub fn absent_share(&self) -> f64 {
        if self.rows == 0 { 1.0 } else { self.absent as f64 / self.rows as f64 }
    }

    fn note_absent(&mut self, text: &str) {
        self.absent += 1;
        if !text.is_empty() && self.blanks.len() < BLANKS && self.blanks.iter().all(|blanks| blanks != text) {
            self.blanks.push(text.to_owned());
        }
    }

    fn note(&mut self, texts: &StringViewArray) {
        for text in texts {
            self.rows += 1;
            match text.map(trimmed).filter(|text| !text.is_empty()) {
                None => self.note_absent(text.unwrap_or_default()),
                Some(text) => {
                    if self.values.add(hash(text)) == Sight::First {
                        self.looks.note(text);
                    }
                }
            }
        }
    }
}

/// Without the blanks around it; most values have none, and that is seen from two bytes.
fn trimmed(text: &str) -> &str {
    let bare = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if bare(bytes.first()) && bare(bytes.last()) { text } else { text.trim() }
}

/// Reads all files of a table.
pub(crate) fn facts(candidate: &Candidate) -> Result<TableFacts, Error> {
    let columns = candidate.columns.iter().map(|name| ColumnFacts { name: name.clone(), ..ColumnFacts::default() });
    let mut facts = TableFacts { candidate: candidate.clone(), rows: 0, misshapen: 0, columns: columns.collect() };
    read(candidate, |texts, misshapen| {
        facts.misshapen += misshapen;
        facts.rows += texts.first().map_or(0, |texts| texts.len()) as u64;
        facts.columns.par_iter_mut().zip(texts).for_each(|(column, texts)| column.note(texts));
        true
    })?;
    Ok(facts)
}

/// Which of these sets of columns tell all rows apart. Stops early when none does.
pub(crate) fn unique_sets(candidate: &Candidate, sets: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, Error> {
    let mut open: Vec<(Vec<usize>, Sketch)> = sets.iter().map(|set| (set.clone(), Sketch::default())).collect();
    read(candidate, |texts, _| {
        let all_new = |set: &[usize], seen: &mut Sketch| {
            let rows = texts.first().map_or(0, |texts| texts.len());
            let value = |column: &usize, row: usize| texts[*column].is_valid(row).then(|| texts[*column].value(row));
            (0..rows).all(|row| seen.add(hash_of_row(set.iter().map(|column| value(column, row)))) != Sight::Again)
        };
        open.retain_mut(|(set, seen)| all_new(set, seen));
        !open.is_empty()
    })?;
    Ok(open.into_iter().map(|(set, _)| set).collect())
}

/// Hands out the columns of one chunk after the other as texts, with the number of records that are no rows, until
/// `note` has seen enough.
fn read(candidate: &Candidate, mut note: impl FnMut(&[StringViewArray], u64) -> bool) -> Result<(), Error> {
    let catalog = plain(&candidate.columns, candidate.blanks);
    let intake = Intake { catalog: &catalog, table: catalog.root(), known: &[] };
    let opened = candidate.files.iter().map(|file| OpenFile::look_at(file, intake.table));
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    let plan = Plan::of(&intake, &opened)?;
    let shapes = opened.iter().map(|file| FileShape::new(&intake, &plan, file)).collect::<Result<Vec<_>, _>>()?;
    let mut feed = Feed::new(&opened, SIZES);
    while let Some(piece) = feed.take(1)?.pop() {
        for raw in shapes[piece.file].raw_rows(&piece.part)? {
            let texts = raw.fields.iter().map(as_texts).collect::<Result<Vec<_>, _>>();
            let texts = texts.map_err(|source| Error::Inconsistent { table: candidate.pattern.clone(), source })?;
            if !note(&texts, raw.faults.len() as u64) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A workspace whose only table has these columns, all of them text.
pub(super) fn plain(columns: &[String], blanks: bool) -> Catalog {
    let mut text = "[workspace]\nname = \"guess\"\ntime_zone = \"UTC\"\n".to_owned();
    text += "[tables.profiles]\nsource = \"*\"\nkey = \"c0\"\n";
    text += &format!("blanks = {blanks}\n[tables.profiles.columns]\n");
    for (number, name) in columns.iter().enumerate() {
        text += &format!("c{number} = {{ from = {}, type = \"text\" }}\n", super::definition::quoted(name));
    }
    parse("guess.toml", &text).expect("numbered columns of text are in order, whatever they come from")
}
