//! The first rows of files, for the types of columns that nobody declared.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_select::filter::filter;

use crate::Intake;
use crate::error::Error;
use crate::feed::{Feed, Part, Sizes};
use crate::file::{Content, OpenFile};
use crate::infer::SAMPLED_ROWS;
use crate::shape::sieve;
use crate::text::TextShape;
use crate::typing::is_listed;

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
    pub fn first_with(&self, name: &str) -> Option<ColumnPlace> {
        self.files.iter().enumerate().find_map(|(file, opened)| {
            let column = opened.names().iter().position(|found| found == name)?;
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

/// The first rows of a text file that its conditions let stay, all columns.
pub(crate) struct Sample {
    columns: Vec<ArrayRef>,
}

impl Sample {
    fn of(intake: &Intake<'_>, file: &OpenFile) -> Result<Self, Error> {
        let Content::Text { layout, .. } = &file.content else { return Ok(Self { columns: Vec::new() }) };
        let wanted: Vec<usize> = (0..layout.names.len()).collect();
        let sieve = sieve(intake, file, &wanted);
        let text = TextShape { separator: layout.separator, names: layout.names.clone(), wanted };
        let raw = text.rows(&first_chunk(file)?);
        let staying = sieve.sift(&raw).and_then(|sifted| match sifted.stays {
            Some(stays) => raw.fields.iter().map(|field| filter(field, &stays)).collect(),
            None => Ok(raw.fields),
        });
        let staying = staying.map_err(|source| Error::Inconsistent { table: intake.table.name.clone(), source })?;
        Ok(Self { columns: staying.iter().map(|field| field.slice(0, field.len().min(SAMPLED_ROWS))).collect() })
    }

    /// The values of a column, without the texts that mean "no value".
    pub fn values<'a>(&'a self, column: usize, no_values: &'a [String]) -> impl Iterator<Item = &'a str> + Clone {
        let texts = self.columns[column].as_string_view();
        texts.iter().flatten().filter(|text| !is_listed(text, no_values))
    }
}

fn first_chunk(file: &OpenFile) -> Result<Vec<u8>, Error> {
    let pieces = Feed::new(std::slice::from_ref(file), SIZES).take(1)?;
    Ok(match pieces.into_iter().next().map(|piece| piece.part) {
        Some(Part::Chunk(chunk)) => chunk,
        _ => Vec::new(),
    })
}
