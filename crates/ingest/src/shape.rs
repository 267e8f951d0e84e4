//! From raw rows of one file to the typed rows of its table.
//!
//! In this order: conditions leave rows out, columns are typed, and rows without a value where the table is built on
//! one, or with a value that does not fit, become faults. What remains is a batch.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use arrow_select::filter::{filter, filter_record_batch};

use crate::Intake;
use crate::error::Error;
use crate::feed::Part;
use crate::file::{Content, OpenFile};
use crate::plan::{Plan, PlannedColumn, file_column};
use crate::raw::{Fault, Lines, RawRows};
use crate::report::{Origin, Reason};
use crate::sieve::{Sieve, SievePart};
use crate::text::TextShape;
use crate::typing::{BadFormat, ColumnReader, Typed};

/// The columns of a table, ready to read.
pub(crate) struct TableShape<'a> {
    columns: Vec<ReadyColumn<'a>>,
    pub schema: SchemaRef,
}

struct ReadyColumn<'a> {
    planned: &'a PlannedColumn,
    reader: ColumnReader,
}

/// How the rows of one file become rows of the table.
pub(crate) struct FileShape<'a> {
    file: &'a OpenFile,
    /// The numbers of the file's columns that are read, ascending.
    wanted: Vec<usize>,
    text: Option<TextShape>,
    sieve: Sieve<'a>,
    /// Where each column of the table stands among the wanted ones; `None` where the file does not have it.
    fields: Vec<Option<usize>>,
}

/// Typed rows, and what became of the others.
pub(crate) struct Shaped {
    pub batch: RecordBatch,
    /// Rows that were read, whatever became of them.
    pub read: u64,
    /// Rows that each condition left out.
    pub filtered: Vec<u64>,
    /// Values of each column that stood for "not known".
    pub placeholders: Vec<u64>,
    /// In the order of their lines.
    pub faults: Vec<Fault>,
    /// Lines that these rows and all between them took.
    pub line_ends: u64,
}

impl<'a> TableShape<'a> {
    pub fn new(intake: &Intake<'_>, plan: &'a Plan) -> Result<Self, Error> {
        let columns = plan.columns.iter().map(|planned| ready(intake, planned)).collect::<Result<Vec<_>, _>>()?;
        let fields =
            plan.columns.iter().map(|planned| Field::new(&planned.column.name, planned.column_type.arrow(), true));
        Ok(Self { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns })
    }

    /// Types raw rows of a file.
    pub fn shape(&self, file: &FileShape<'_>, raw: RawRows) -> Result<Shaped, ArrowError> {
        let sifted = file.sieve.sift(&raw)?;
        let RawRows { fields, count, lines, line_ends, mut faults } = raw;
        let read = (count + faults.len()) as u64;
        let staying = Staying { stays: sifted.stays, count };
        let columns = self.typed(file, &staying.of(fields)?, staying.rows())?;
        let bad = self.bad_rows(&columns);
        let placeholders = columns.iter().map(|typed| typed.placeholders).collect();
        let batch = self.batch_without(columns, &bad)?;
        faults.extend(sifted.faults);
        faults.extend(staying.faults(bad, &lines));
        faults.sort_by_key(|fault| fault.line);
        Ok(Shaped { batch, read, filtered: sifted.filtered, placeholders, faults, line_ends })
    }

    fn typed(&self, file: &FileShape<'_>, fields: &[ArrayRef], rows: usize) -> Result<Vec<Typed>, ArrowError> {
        let columns = self.columns.iter().zip(&file.fields).map(|(column, field)| match field {
            Some(field) => column.reader.read(&fields[*field]),
            None => {
                let array = new_null_array(&column.planned.column_type.arrow(), rows);
                Ok(Typed { array, faults: Vec::new(), placeholders: 0 })
            }
        });
        columns.collect()
    }

    fn batch_without(&self, columns: Vec<Typed>, bad: &[BadRow<'_>]) -> Result<RecordBatch, ArrowError> {
        let arrays = columns.into_iter().map(|typed| typed.array).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays)?;
        if bad.is_empty() {
            return Ok(batch);
        }
        let mut good = vec![true; batch.num_rows()];
        bad.iter().for_each(|bad| good[bad.row] = false);
        filter_record_batch(&batch, &good.into())
    }

    /// The rows with something wrong in a column, each once: at its first such column.
    fn bad_rows<'s>(&'s self, columns: &[Typed]) -> Vec<BadRow<'s>> {
        let mut bad = Vec::new();
        for (ReadyColumn { planned, .. }, typed) in self.columns.iter().zip(columns) {
            let unfit = typed.faults.iter();
            bad.extend(unfit.map(|fault| BadRow::new(fault.row, planned, fault.value.clone(), fault.reason.clone())));
            if let Some(structure) = planned.structure
                && typed.array.null_count() > 0
            {
                let gaps = (0..typed.array.len()).filter(|row| typed.array.is_null(*row));
                bad.extend(gaps.map(|row| BadRow::new(row, planned, String::new(), Reason::NoValue(structure))));
            }
        }
        bad.sort_by_key(|bad| bad.row);
        bad.dedup_by_key(|bad| bad.row);
        bad
    }
}

fn ready<'a>(intake: &Intake<'_>, planned: &'a PlannedColumn) -> Result<ReadyColumn<'a>, Error> {
    let (table, zone) = (intake.table, intake.catalog.workspace.time_zone);
    let reader = ColumnReader::new(&planned.column, planned.column_type, &table.null, zone);
    let reader = reader.map_err(|BadFormat(format)| Error::Format {
        table: table.name.clone(),
        column: planned.column.name.clone(),
        format,
    })?;
    Ok(ReadyColumn { planned, reader })
}

impl<'a> FileShape<'a> {
    pub fn new(intake: &Intake<'a>, plan: &Plan, file: &'a OpenFile) -> Result<Self, Error> {
        let place = |name: &str| file.names().iter().position(|found| found == name);
        let columns: Vec<Option<usize>> = plan.columns.iter().map(|planned| place(&planned.column.from)).collect();
        let conditions =
            intake.table.conditions.iter().filter_map(|condition| place(file_column(intake, file, condition)));
        let mut wanted: Vec<usize> = columns.iter().copied().flatten().chain(conditions).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let text = match &file.content {
            Content::Text { layout, .. } => {
                Some(TextShape { separator: layout.separator, names: layout.names.clone(), wanted: wanted.clone() })
            }
            Content::Parquet(parquet) => {
                wanted.iter().try_for_each(|column| parquet.check_kind(&file.source, *column))?;
                None
            }
        };
        let fields = columns.iter().map(|column| wanted.binary_search(&(*column)?).ok()).collect();
        Ok(Self { file, sieve: sieve(intake, file, &wanted), wanted, text, fields })
    }

    /// The raw rows of a part of the file.
    pub fn raw_rows(&self, part: &Part) -> Result<Vec<RawRows>, Error> {
        match (part, &self.text, &self.file.content) {
            (Part::Chunk(chunk), Some(text), _) => Ok(vec![text.rows(chunk)]),
            (Part::RowGroup(group), _, Content::Parquet(parquet)) => {
                parquet.rows(&self.file.source, *group, &self.wanted)
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// The conditions of a table over the wanted columns of a file. A file without columns has no rows to judge.
pub(crate) fn sieve<'a>(intake: &Intake<'a>, file: &OpenFile, wanted: &[usize]) -> Sieve<'a> {
    let parts = intake.table.conditions.iter().filter_map(|condition| {
        let name = file_column(intake, file, condition);
        let column = file.names().iter().position(|found| found == name)?;
        let declared = intake.table.columns.iter().filter(|column| column.from == name);
        Some(SievePart {
            condition,
            field: wanted.binary_search(&column).ok()?,
            name: name.to_owned(),
            nulls: intake.table.null.iter().chain(declared.flat_map(|column| &column.null)).cloned().collect(),
        })
    });
    Sieve { parts: parts.collect() }
}

/// The rows that the conditions let stay.
struct Staying {
    stays: Option<BooleanArray>,
    count: usize,
}

impl Staying {
    fn of(&self, fields: Vec<ArrayRef>) -> Result<Vec<ArrayRef>, ArrowError> {
        match &self.stays {
            Some(stays) => fields.iter().map(|field| filter(field, stays)).collect(),
            None => Ok(fields),
        }
    }

    fn rows(&self) -> usize {
        self.stays.as_ref().map_or(self.count, BooleanArray::true_count)
    }

    fn faults(&self, bad: Vec<BadRow<'_>>, lines: &Lines) -> Vec<Fault> {
        if bad.is_empty() {
            return Vec::new();
        }
        let numbers = self.numbers();
        let fault = |bad: BadRow<'_>| {
            let line = lines.of(numbers[bad.row]);
            bad.fault(line)
        };
        bad.into_iter().map(fault).collect()
    }

    /// Their numbers among all rows.
    fn numbers(&self) -> Vec<usize> {
        match &self.stays {
            Some(stays) => stays.values().set_indices().collect(),
            None => (0..self.count).collect(),
        }
    }
}

struct BadRow<'a> {
    row: usize,
    planned: &'a PlannedColumn,
    value: String,
    reason: Reason,
}

impl<'a> BadRow<'a> {
    fn new(row: usize, planned: &'a PlannedColumn, value: String, reason: Reason) -> Self {
        Self { row, planned, value, reason }
    }

    fn fault(self, line: u64) -> Fault {
        let unsure = !matches!(self.planned.origin, Origin::Declared) && !matches!(self.reason, Reason::NoValue(_));
        Fault {
            line,
            column: Some(self.planned.column.from.clone()),
            value: self.value,
            reason: self.reason,
            inferred: unsure.then_some(self.planned.column_type),
        }
    }
}
