//! The first rows of files, for the types of columns that nobody declared.

use arrow_array::{Array, StringViewArray};
use arrow_select::filter::filter;

use muster_catalog::Column;

use crate::Intake;
use crate::error::Error;
use crate::feed::{Feed, Part, Sizes};
use crate::file::{Content, OpenFile};
use crate::infer::SAMPLED_ROWS;
use crate::ndjson::JsonShape;
use crate::shape::sieve;
use crate::text::TextShape;
use crate::typing::{as_texts, is_listed};
use crate::wording::column_in;

/// Text that is read for a sample.
const SIZES: Sizes = Sizes { chunk: 4 << 20, record: 32 << 20 };

/// The samples of the files of a load, each taken when it is first asked for.
pub(crate) struct Samples<'a> {
    pub intake: &'a Intake<'a>,
    files: &'a [OpenFile],
    taken: Vec<(usize, Sample)>,
}

/// A column of a file, both by number.
pub(crate) struct ColumnPlace {
    file: usize,
    pub column: usize,
}

impl<'a> Samples<'a> {
    pub fn new(intake: &'a Intake<'a>, files: &'a [OpenFile]) -> Self {
        Self { intake, files, taken: Vec::new() }
    }

    /// Where the first file that has a column has it.
    pub fn first_with(&self, column: &Column) -> Option<ColumnPlace> {
        self.files.iter().enumerate().find_map(|(file, opened)| {
            let here = column_in(self.intake.table, opened.wording, column);
            let column = opened.names().iter().position(|found| *found == here.from)?;
            Some(ColumnPlace { file, column })
        })
    }

    pub fn file(&self, place: &ColumnPlace) -> &'a OpenFile {
        &self.files[place.file]
    }

    /// The sample of a text file.
    pub fn of(&mut self, place: &ColumnPlace) -> Result<&Sample, Error> {
        let known = self.taken.iter().position(|(file, _)| *file == place.file);
        let at = match known {
            Some(at) => at,
            None => {
                self.taken.push((place.file, Sample::of(self.intake, self.file(place))?));
                self.taken.len() - 1
            }
        };
        Ok(&self.taken[at].1)
    }
}

/// The first rows of a file of text or NDJSON that its conditions let stay, all columns.
pub(crate) struct Sample {
    columns: Vec<StringViewArray>,
}

impl Sample {
    fn of(intake: &Intake<'_>, file: &OpenFile) -> Result<Self, Error> {
        let wanted: Vec<usize> = (0..file.names().len()).collect();
        let sieve = sieve(intake, file, &wanted);
        let raw = match &file.content {
            Content::Text { layout, .. } => {
                TextShape::of(layout, &intake.table.dialect, &wanted).rows(&first_chunk(file)?)
            }
            Content::Json(json) => JsonShape::new(&json.names, &wanted).rows(&first_chunk(file)?),
            Content::Parquet(_) => return Ok(Self { columns: Vec::new() }),
        };
        let staying = sieve.sift(&raw).and_then(|sifted| match sifted.stays {
            Some(stays) => raw.fields.iter().map(|field| filter(field, &stays)).collect(),
            None => Ok(raw.fields),
        });
        let inconsistent = |source| Error::Inconsistent { table: intake.table.name.clone(), source };
        let staying = staying.map_err(inconsistent)?;
        let sampled = staying.iter().map(|field| as_texts(&field.slice(0, field.len().min(SAMPLED_ROWS))));
        Ok(Self { columns: sampled.collect::<Result<_, _>>().map_err(inconsistent)? })
    }

    /// The values of a column, without the texts that mean "no value".
    pub fn values<'a>(&'a self, column: usize, no_values: &'a [String]) -> impl Iterator<Item = &'a str> + Clone {
        self.columns[column].iter().flatten().filter(|text| !is_listed(text, no_values))
    }
}

fn first_chunk(file: &OpenFile) -> Result<Vec<u8>, Error> {
    let pieces = Feed::new(std::slice::from_ref(file), SIZES).take(1)?;
    Ok(match pieces.into_iter().next().map(|piece| piece.part) {
        Some(Part::Chunk(chunk)) => chunk,
        _ => Vec::new(),
    })
}
