//! From raw rows of one file to the typed rows of its table.
//!
//! In this order: conditions leave rows out, columns are typed, and rows without a value where the table is built on
//! one, or with a value that does not fit, become faults. What remains is a batch.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringViewArray, new_null_array};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use arrow_select::filter::{filter, filter_record_batch};

use muster_catalog::{Column, ColumnType, Role};

use crate::Intake;
use crate::combined::combined;
use crate::error::Error;
use crate::feed::Part;
use crate::file::{Content, OpenFile};
use crate::ndjson::JsonShape;
use crate::plan::{Plan, PlannedColumn, declared_in, file_column};
use crate::raw::{Fault, Lines, RawRows};
use crate::report::{Origin, Reason};
use crate::sieve::{Sieve, SievePart};
use crate::text::TextShape;
use crate::typing::{BadFormat, ColumnReader, Plausible, Remarks, Typed, ValueFault, as_texts};
use crate::wording::{column_in, localized};

/// The columns of a table, ready to read.
pub(crate) struct TableShape<'a> {
    columns: Vec<ReadyColumn<'a>>,
    /// The columns of a history whose values below zero mean that something came back.
    amounts: Vec<usize>,
    /// The currency of the workspace.
    currency: String,
    pub schema: SchemaRef,
}

struct ReadyColumn<'a> {
    planned: &'a PlannedColumn,
    /// One for each of the table's sources.
    readers: Vec<ColumnReader>,
}

/// How the rows of one file become rows of the table.
pub(crate) struct FileShape<'a> {
    file: &'a OpenFile,
    /// The numbers of the file's columns that are read, ascending.
    wanted: Vec<usize>,
    text: Option<TextShape>,
    json: Option<JsonShape>,
    sieve: Sieve<'a>,
    /// Where each column of the table stands among the wanted ones; `None` where the file does not have it.
    fields: Vec<Option<usize>>,
    /// Where the currency of each column of the table stands among the wanted ones; `None` where it is no amount.
    currencies: Vec<Option<usize>>,
    /// What the file calls each column of the table.
    names: Vec<String>,
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
    /// What is odd about the values of each column.
    pub remarks: Vec<Remarks>,
    /// Rows in which something came back.
    pub returns: u64,
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
        let (amounts, currency) = (amounts(intake, plan), intake.catalog.workspace.currency.clone());
        Ok(Self { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), amounts, currency, columns })
    }

    /// Types raw rows of a file.
    pub fn shape(&self, file: &FileShape<'_>, raw: RawRows) -> Result<Shaped, ArrowError> {
        let sifted = file.sieve.sift(&raw)?;
        let RawRows { fields, count, lines, line_ends, mut faults } = raw;
        let read = count as u64 + faults.iter().map(|fault| fault.reason.rows()).sum::<u64>();
        let staying = Staying { stays: sifted.stays, count };
        let columns = self.typed(file, &staying.of(fields)?, staying.rows())?;
        let bad = self.bad_rows(file, &columns);
        let placeholders = columns.iter().map(|typed| typed.placeholders).collect();
        let remarks = columns.iter().map(|typed| typed.remarks).collect();
        let batch = self.batch_without(columns, &bad)?;
        let returns = self.returns(&batch);
        faults.extend(sifted.faults);
        faults.extend(staying.faults(bad, &lines));
        faults.sort_by_key(|fault| fault.line);
        Ok(Shaped { batch, read, filtered: sifted.filtered, placeholders, remarks, returns, faults, line_ends })
    }

    fn typed(&self, file: &FileShape<'_>, fields: &[ArrayRef], rows: usize) -> Result<Vec<Typed>, ArrowError> {
        let columns = self.columns.iter().zip(&file.fields).map(|(column, field)| match field {
            Some(field) => column.readers[file.file.wording.unwrap_or(0)].read(&fields[*field]),
            None => Ok(Typed::of(new_null_array(&column.planned.column_type.arrow(), rows))),
        });
        let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
        self.combine(&mut columns, rows);
        for (typed, currency) in columns.iter_mut().zip(&file.currencies) {
            if let Some(currency) = currency {
                reject_other_currencies(typed, &as_texts(&fields[*currency])?, &self.currency);
            }
        }
        Ok(columns)
    }

    /// Makes the keys of several columns.
    fn combine(&self, columns: &mut [Typed], rows: usize) {
        for (at, column) in self.columns.iter().enumerate().filter(|(_, column)| !column.planned.parts.is_empty()) {
            let parts: Vec<ArrayRef> =
                column.planned.parts.iter().map(|part| Arc::clone(&columns[*part].array)).collect();
            columns[at] = Typed::of(combined(&parts, rows));
        }
    }

    /// How many rows have a number below zero where that means that something came back.
    fn returns(&self, batch: &RecordBatch) -> u64 {
        let below = self.amounts.iter().filter_map(|column| below_zero(batch.column(*column)));
        match below.collect::<Vec<_>>().as_slice() {
            [] => 0,
            [only] => only.true_count() as u64,
            several => {
                let is_below = |row: &usize| several.iter().any(|below| below.is_valid(*row) && below.value(*row));
                (0..batch.num_rows()).filter(is_below).count() as u64
            }
        }
    }

    fn batch_without(&self, columns: Vec<Typed>, bad: &[BadRow<'_>]) -> Result<RecordBatch, ArrowError> {
        let arrays = columns.into_iter().map(|typed| detached(typed.array)).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays)?;
        if bad.is_empty() {
            return Ok(batch);
        }
        let mut good = vec![true; batch.num_rows()];
        bad.iter().for_each(|bad| good[bad.row] = false);
        filter_record_batch(&batch, &good.into())
    }

    /// The rows with something wrong in a column, each once: at its first such column.
    fn bad_rows<'s>(&'s self, file: &'s FileShape<'_>, columns: &[Typed]) -> Vec<BadRow<'s>> {
        let mut bad = Vec::new();
        for ((ReadyColumn { planned, .. }, typed), name) in self.columns.iter().zip(columns).zip(&file.names) {
            let bad_row = |row, value, reason| BadRow { row, name, planned, value, reason };
            let unfit = typed.faults.iter();
            bad.extend(unfit.map(|fault| bad_row(fault.row, fault.value.clone(), fault.reason.clone())));
            if let Some(structure) = planned.structure
                && typed.array.null_count() > 0
            {
                let gaps = (0..typed.array.len()).filter(|row| typed.array.is_null(*row));
                bad.extend(gaps.map(|row| bad_row(row, String::new(), Reason::NoValue(structure))));
            }
        }
        bad.sort_by_key(|bad| bad.row);
        bad.dedup_by_key(|bad| bad.row);
        bad
    }
}

fn ready<'a>(intake: &Intake<'_>, planned: &'a PlannedColumn) -> Result<ReadyColumn<'a>, Error> {
    let sources = intake.table.sources.len();
    let wordings: Vec<Option<usize>> = if sources == 0 { vec![None] } else { (0..sources).map(Some).collect() };
    let readers = wordings.into_iter().map(|wording| reader(intake, planned, wording));
    Ok(ReadyColumn { planned, readers: readers.collect::<Result<_, _>>()? })
}

/// The reader of a column in the files of one source.
fn reader(intake: &Intake<'_>, planned: &PlannedColumn, wording: Option<usize>) -> Result<ColumnReader, Error> {
    let (table, workspace) = (intake.table, &intake.catalog.workspace);
    let column = localized(table, &column_in(table, wording, &planned.column));
    let reader = ColumnReader::new(&column, planned.column_type, &table.null, workspace.time_zone);
    let reader = reader.map_err(|BadFormat(format)| Error::Format {
        table: table.name.clone(),
        column: planned.column.name.clone(),
        format,
    })?;
    let events = [&table.time, &table.updated_at, &table.created_at];
    let is_event = events.into_iter().flatten().any(|name| *name == column.name);
    let plausible =
        if is_event && column.unit.is_some() { Plausible::event(workspace.as_of) } else { Plausible::default() };
    Ok(reader.within(plausible))
}

/// Whole and exact numbers of a history, places on the map aside.
fn amounts(intake: &Intake<'_>, plan: &Plan) -> Vec<usize> {
    let is_amount = |planned: &PlannedColumn| {
        let is_place = matches!(planned.column.role, Some(Role::Latitude | Role::Longitude));
        matches!(planned.column_type, ColumnType::Int | ColumnType::Decimal { .. }) && !is_place
    };
    let is_history = intake.table.parent().is_some();
    (0..plan.columns.len()).filter(|column| is_history && is_amount(&plan.columns[*column])).collect()
}

/// Which rows have a number below zero; `None` where there are no numbers.
fn below_zero(column: &ArrayRef) -> Option<BooleanArray> {
    let decimals = || Some(BooleanArray::from_unary(column.as_primitive_opt::<Decimal128Type>()?, |number| number < 0));
    let integers = || Some(BooleanArray::from_unary(column.as_primitive_opt::<Int64Type>()?, |number| number < 0));
    decimals().or_else(integers)
}

/// Sums over several currencies say nothing: amounts in another one than the workspace's are rejected.
fn reject_other_currencies(amounts: &mut Typed, currencies: &StringViewArray, expected: &str) {
    for row in (0..amounts.array.len()).filter(|row| amounts.array.is_valid(*row)) {
        let found = if currencies.is_valid(row) { currencies.value(row).trim() } else { "" };
        if !found.eq_ignore_ascii_case(expected) {
            let reason = Reason::OtherCurrency { found: found.to_owned(), expected: expected.to_owned() };
            amounts.faults.push(ValueFault { row, value: text_at(&amounts.array, row), reason });
        }
    }
}

/// Short texts stand in their views: the pages that they were read from need not stay while the table is read on.
fn detached(column: ArrayRef) -> ArrayRef {
    match column.as_string_view_opt() {
        Some(texts) if !texts.data_buffers().is_empty() && texts.total_buffer_bytes_used() == 0 => Arc::new(texts.gc()),
        _ => column,
    }
}

fn text_at(array: &ArrayRef, row: usize) -> String {
    array_value_to_string(array, row).unwrap_or_default()
}

impl<'a> FileShape<'a> {
    pub fn new(intake: &Intake<'a>, plan: &Plan, file: &'a OpenFile) -> Result<Self, Error> {
        let place = |name: &str| file.names().iter().position(|found| found == name);
        let here = |planned: &PlannedColumn| column_in(intake.table, file.wording, &planned.column).into_owned();
        let written: Vec<Column> = plan.columns.iter().map(here).collect();
        let is_read = |at: &usize| plan.columns[*at].parts.is_empty();
        let read = |at: usize| Some(at).filter(is_read).and_then(|at| place(&written[at].from));
        let columns: Vec<Option<usize>> = (0..written.len()).map(read).collect();
        let currencies: Vec<Option<usize>> =
            written.iter().map(|column| place(column.currency_from.as_deref()?)).collect();
        let conditions =
            intake.table.conditions.iter().filter_map(|condition| place(file_column(intake, file, condition)));
        let mut wanted: Vec<usize> = columns.iter().chain(&currencies).copied().flatten().chain(conditions).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let text = match &file.content {
            Content::Text { layout, .. } => Some(TextShape::of(layout, &intake.table.dialect, &wanted)),
            Content::Json(_) => None,
            Content::Parquet(parquet) => {
                wanted.iter().try_for_each(|column| parquet.check_kind(&file.source, *column))?;
                None
            }
        };
        let among = |column: &Option<usize>| wanted.binary_search(&(*column)?).ok();
        let fields = columns.iter().map(among).collect();
        let currencies = currencies.iter().map(among).collect();
        let names = written.into_iter().map(|column| column.from).collect();
        let is_json = matches!(file.content, Content::Json(_));
        let json = is_json.then(|| JsonShape::new(file.names(), &wanted));
        Ok(Self { file, sieve: sieve(intake, file, &wanted), wanted, text, json, fields, currencies, names })
    }

    /// The raw rows of a part of the file.
    pub fn raw_rows(&self, part: &Part) -> Result<Vec<RawRows>, Error> {
        match (part, &self.text, &self.file.content) {
            (Part::Chunk(chunk), Some(text), _) => Ok(vec![text.rows(chunk)]),
            (Part::Overlong(overlong), Some(text), _) => Ok(vec![text.passed_over(overlong)]),
            (Part::Chunk(chunk), None, _) => Ok(self.json.iter().map(|json| json.rows(chunk)).collect()),
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
        let declared = declared_in(intake, file).iter().filter(|column| column.from == name);
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
    /// What the file calls the column.
    name: &'a str,
    planned: &'a PlannedColumn,
    value: String,
    reason: Reason,
}

impl BadRow<'_> {
    fn fault(self, line: u64) -> Fault {
        let unsure = !matches!(self.planned.origin, Origin::Declared) && !matches!(self.reason, Reason::NoValue(_));
        Fault {
            line,
            column: Some(self.name.to_owned()),
            value: self.value,
            reason: self.reason,
            inferred: unsure.then_some(self.planned.column_type),
        }
    }
}
