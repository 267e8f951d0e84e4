//! Counts rows by groups: in each block in arrays with a place for every cell of the table that the keys span, then all blocks
//! together, in their order.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Int64Array, PrimitiveArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use arrow_select::take::take;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryReservation;
use hashbrown::HashMap;
use rayon::prelude::*;

use super::block::{Component, truth};
use super::codes::{Cells, Codes, coded};
use super::cube::{Counts, Cube, Key};
use super::plan::{DomainId, TUPLE};
use super::rows::passing;
use super::tuples::Tuples;
use crate::sum::narrow;

/// Blocks whose groups are there at the same time, for each thread.
const BLOCKS: usize = 2;

/// Bytes that a group takes beside its key.
const GROUP_BYTES: usize = 64;

/// The groups of all blocks, those of the first block first.
pub(super) fn counted(cube: &Cube, reservation: &MemoryReservation) -> Result<RecordBatch> {
    let blocks: Vec<usize> = (0..cube.rows.block_count()).collect();
    let mut all = Merged::of(cube)?;
    for some in blocks.chunks(BLOCKS * rayon::current_num_threads()) {
        let parts = some.par_iter().map(|number| cube.of_block(*number)).collect::<Result<Vec<_>>>()?;
        for part in &parts {
            all.add(part, reservation)?;
        }
    }
    all.finished(cube)
}

/// The groups of some rows.
struct Part {
    /// The value of each key, for each group.
    keys: Vec<ArrayRef>,
    /// What was counted of each group.
    counted: Vec<Counted>,
    groups: usize,
}

/// What was counted of each group.
enum Counted {
    Count(Vec<i64>),
    Sum(Vec<Option<i128>>),
    Least(Vec<Option<i128>>),
    Greatest(Vec<Option<i128>>),
}

impl Cube {
    fn of_block(&self, number: usize) -> Result<Part> {
        let block = self.rows.block(number);
        let scope = &self.rows.compiled.scope;
        let all = Tuples::all(&block, scope)?;
        let passing = passing(&self.rows.compiled, &all)?;
        let codes = self.keys.iter().map(|key| key.codes(&all)).collect::<Result<Vec<_>>>()?;
        let cells = codes.iter().fold(Cells::one(), |cells, key| cells.split(&key.codes, key.values.len()));
        let groups = Groups::of(&cells, passing, all.count);
        let mut counted = Vec::with_capacity(self.measures.len());
        for measure in &self.measures {
            let filter = measure.filter.as_ref().map(|filter| Ok::<_, DataFusionError>(truth(&all.value(filter)?)));
            let rows = groups.also(filter.transpose()?);
            counted.push(groups.measured(&measure.counts, &all, rows.as_ref())?.of_cells(&groups.cells_with_rows));
        }
        let keys = codes.iter().map(|key| key.of_rows(&groups.first_rows)).collect::<Result<_>>()?;
        Ok(Part { keys, counted, groups: groups.cells_with_rows.len() })
    }
}

impl Key {
    /// The codes of each tuple.
    fn codes(&self, all: &Tuples<'_>) -> Result<Codes> {
        let domain = self.value.domain;
        if domain == TUPLE {
            return coded(&all.value(&self.value)?);
        }
        let of_domain = match self.everywhere.get() {
            Some(known) => known.clone(),
            None => {
                let codes = coded(&all.block.value(all.scope, &self.value)?)?;
                if self.value.is_everywhere { self.everywhere.get_or_init(|| codes).clone() } else { codes }
            }
        };
        let codes = match all.places(domain)? {
            Component::All => of_domain.codes,
            Component::At(places) => places.iter().map(|place| of_domain.codes[*place as usize]).collect(),
        };
        Ok(Codes { codes, values: of_domain.values })
    }
}

impl Codes {
    /// The values of these rows.
    fn of_rows(&self, rows: &[u32]) -> Result<ArrayRef> {
        let codes: UInt32Array = rows.iter().map(|row| self.codes[*row as usize]).collect();
        Ok(take(&self.values, &codes, None)?)
    }
}

/// The rows of a block, by cell.
struct Groups<'c> {
    cells: &'c Cells,
    rows: usize,
    /// Those that are counted at all; `None`: all.
    passing: Option<BooleanBuffer>,
    /// The cells that have such a row, or the only one.
    cells_with_rows: Vec<u32>,
    /// The first row of each of them.
    first_rows: Vec<u32>,
}

impl<'c> Groups<'c> {
    fn of(cells: &'c Cells, passing: Option<BooleanBuffer>, rows: usize) -> Self {
        let Some(of_row) = &cells.of_row else {
            return Self { cells, rows, passing, cells_with_rows: vec![0], first_rows: vec![0] };
        };
        let mut firsts = vec![u32::MAX; cells.count];
        each(passing.as_ref(), rows, |row| {
            let first = &mut firsts[of_row[row] as usize];
            *first = (*first).min(row as u32);
        });
        let there = (0_u32..).zip(firsts).filter(|(_, first)| *first != u32::MAX);
        let (cells_with_rows, first_rows) = there.unzip();
        Self { cells, rows, passing, cells_with_rows, first_rows }
    }

    /// The rows that are counted and meet one more condition.
    fn also(&self, filter: Option<BooleanBuffer>) -> Option<BooleanBuffer> {
        match (&self.passing, filter) {
            (Some(passing), Some(filter)) => Some(passing & &filter),
            (passing, filter) => filter.or_else(|| passing.clone()),
        }
    }

    fn measured(&self, counts: &Counts, all: &Tuples<'_>, rows: Option<&BooleanBuffer>) -> Result<Counted> {
        Ok(match counts {
            Counts::Rows => Counted::Count(self.count(rows)),
            Counts::Values(value) => {
                let value = all.value(value)?;
                let known = value.logical_nulls().map(|nulls| nulls.inner().clone());
                Counted::Count(self.count(both(rows, known.as_ref()).as_ref()))
            }
            Counts::Different(domain) => Counted::Count(self.different(*domain, all, rows)?),
            Counts::Sum(value) => Counted::Sum(self.folded(&all.value(value)?, rows, i128::checked_add)?),
            Counts::Least(value) => {
                Counted::Least(self.folded(&all.value(value)?, rows, |least, value| Some(least.min(value)))?)
            }
            Counts::Greatest(value) => {
                Counted::Greatest(self.folded(&all.value(value)?, rows, |greatest, value| Some(greatest.max(value)))?)
            }
        })
    }

    fn count(&self, rows: Option<&BooleanBuffer>) -> Vec<i64> {
        let Some(of_row) = &self.cells.of_row else {
            return vec![rows.map_or(self.rows, BooleanBuffer::count_set_bits) as i64];
        };
        let mut counts = vec![0; self.cells.count];
        each(rows, self.rows, |row| counts[of_row[row] as usize] += 1);
        counts
    }

    /// Rows stand in the order of those above them, so one that comes again in a cell came last in it.
    fn different(&self, domain: DomainId, all: &Tuples<'_>, rows: Option<&BooleanBuffer>) -> Result<Vec<i64>> {
        let Component::At(above) = all.places(domain)? else { return Ok(self.count(rows)) };
        let (mut counts, mut last) = (vec![0; self.cells.count], vec![u32::MAX; self.cells.count]);
        each(rows, self.rows, |row| {
            let cell = self.cell(row);
            counts[cell] += i64::from(std::mem::replace(&mut last[cell], above[row]) != above[row]);
        });
        Ok(counts)
    }

    fn cell(&self, row: usize) -> usize {
        self.cells.of_row.as_ref().map_or(0, |of_row| of_row[row] as usize)
    }

    /// What comes of the values of each cell, one after the other, as whole numbers.
    fn folded(
        &self,
        values: &ArrayRef,
        rows: Option<&BooleanBuffer>,
        fold: impl Fn(i128, i128) -> Option<i128>,
    ) -> Result<Vec<Option<i128>>> {
        match values.data_type() {
            DataType::Int64 => self.folded_numbers(values.as_primitive::<Int64Type>(), rows, fold),
            DataType::Date32 => self.folded_numbers(values.as_primitive::<Date32Type>(), rows, fold),
            DataType::Decimal128(..) => self.folded_numbers(values.as_primitive::<Decimal128Type>(), rows, fold),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                self.folded_numbers(values.as_primitive::<TimestampMicrosecondType>(), rows, fold)
            }
            other => Err(DataFusionError::Internal(format!("values of the type {other} are no numbers"))),
        }
    }

    fn folded_numbers<T: ArrowPrimitiveType>(
        &self,
        values: &PrimitiveArray<T>,
        rows: Option<&BooleanBuffer>,
        fold: impl Fn(i128, i128) -> Option<i128>,
    ) -> Result<Vec<Option<i128>>>
    where
        i128: From<T::Native>,
    {
        let known = values.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.inner());
        let (rows, values) = (both(rows, known), values.values());
        let (mut folded, mut fits) = (vec![None; self.cells.count], true);
        each(rows.as_ref(), self.rows, |row| {
            let (cell, value) = (&mut folded[self.cell(row)], i128::from(values[row]));
            *cell = cell.map_or(Some(value), |before| fold(before, value));
            fits &= cell.is_some();
        });
        if fits { Ok(folded) } else { Err(too_large()) }
    }
}

fn both(one: Option<&BooleanBuffer>, other: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one & other),
        (one, other) => one.or(other).cloned(),
    }
}

/// Calls `visit` with each row that is marked, or with all.
fn each(marked: Option<&BooleanBuffer>, rows: usize, mut visit: impl FnMut(usize)) {
    match marked {
        None => (0..rows).for_each(visit),
        Some(marked) => marked.set_indices().for_each(&mut visit),
    }
}

impl Counted {
    fn of_cells(&self, cells: &[u32]) -> Self {
        fn some<T: Copy>(all: &[T], cells: &[u32]) -> Vec<T> {
            cells.iter().map(|cell| all[*cell as usize]).collect()
        }
        match self {
            Self::Count(counts) => Self::Count(some(counts, cells)),
            Self::Sum(sums) => Self::Sum(some(sums, cells)),
            Self::Least(least) => Self::Least(some(least, cells)),
            Self::Greatest(greatest) => Self::Greatest(some(greatest, cells)),
        }
    }
}

/// The groups of all blocks that came so far, in the order in which they came.
struct Merged {
    /// Makes bytes of keys; none where there are none.
    converter: Option<RowConverter>,
    places: HashMap<Vec<u8>, usize>,
    counted: Vec<Counted>,
}

impl Merged {
    fn of(cube: &Cube) -> Result<Self> {
        let fields = cube.keys.iter().map(|key| Ok(SortField::new(key.value.expr.data_type(&key.value.schema)?)));
        let fields = fields.collect::<Result<Vec<_>>>()?;
        let converter = if fields.is_empty() { None } else { Some(RowConverter::new(fields)?) };
        // Without keys there is a group also of no rows.
        let groups = usize::from(converter.is_none());
        let counted = cube.measures.iter().map(|measure| Counted::empty(&measure.counts, groups)).collect();
        Ok(Self { converter, places: HashMap::new(), counted })
    }

    fn add(&mut self, part: &Part, reservation: &MemoryReservation) -> Result<()> {
        let places = match &mut self.converter {
            None => vec![0],
            Some(converter) => {
                let (rows, mut bytes) = (converter.convert_columns(&part.keys)?, 0);
                let mut places = Vec::with_capacity(part.groups);
                for row in &rows {
                    let next = self.places.len();
                    let place = *self.places.entry_ref(row.as_ref()).or_insert_with(|| {
                        bytes += row.as_ref().len() + GROUP_BYTES * (1 + part.counted.len());
                        next
                    });
                    places.push(place);
                }
                reservation.try_grow(bytes)?;
                places
            }
        };
        let groups = self.places.len().max(usize::from(self.converter.is_none()));
        self.counted.iter_mut().zip(&part.counted).try_for_each(|(all, part)| all.add(part, &places, groups))
    }

    fn finished(self, cube: &Cube) -> Result<RecordBatch> {
        let Self { converter, places, counted } = self;
        let mut groups = usize::from(converter.is_none());
        let mut columns = Vec::with_capacity(cube.schema.fields().len());
        if let Some(converter) = converter {
            groups = places.len();
            let mut keys: Vec<(Vec<u8>, usize)> = places.into_iter().collect();
            keys.sort_unstable_by_key(|(_, place)| *place);
            let parser = converter.parser();
            columns = converter.convert_rows(keys.iter().map(|(bytes, _)| parser.parse(bytes)))?;
        }
        let types = cube.schema.fields().iter().map(|field| field.data_type());
        for (counted, data_type) in counted.into_iter().zip(types.clone().skip(cube.keys.len())) {
            columns.push(counted.into_array(data_type)?);
        }
        let columns = columns.into_iter().zip(types);
        let columns = columns.map(
            |(column, data_type)| {
                if column.data_type() == data_type { Ok(column) } else { cast(&column, data_type) }
            },
        );
        let options = RecordBatchOptions::new().with_row_count(Some(groups));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&cube.schema), columns, &options)?)
    }
}

impl Counted {
    fn empty(counts: &Counts, groups: usize) -> Self {
        match counts {
            Counts::Rows | Counts::Values(_) | Counts::Different(_) => Self::Count(vec![0; groups]),
            Counts::Sum(_) => Self::Sum(vec![None; groups]),
            Counts::Least(_) => Self::Least(vec![None; groups]),
            Counts::Greatest(_) => Self::Greatest(vec![None; groups]),
        }
    }

    /// Adds what was counted of other rows, at these places of so many groups.
    fn add(&mut self, part: &Self, places: &[usize], groups: usize) -> Result<()> {
        fn join<T: Copy>(
            all: &mut Vec<Option<T>>,
            part: &[Option<T>],
            places: &[usize],
            groups: usize,
            join: impl Fn(T, T) -> Option<T>,
        ) -> Result<()> {
            all.resize(groups, None);
            for (place, value) in places.iter().zip(part) {
                if let Some(value) = *value {
                    let joined = all[*place].map_or(Some(value), |before| join(before, value));
                    all[*place] = Some(joined.ok_or_else(too_large)?);
                }
            }
            Ok(())
        }
        match (self, part) {
            (Self::Count(all), Self::Count(part)) => {
                all.resize(groups, 0);
                places.iter().zip(part).for_each(|(place, count)| all[*place] += count);
                Ok(())
            }
            (Self::Sum(all), Self::Sum(part)) => join(all, part, places, groups, i128::checked_add),
            (Self::Least(all), Self::Least(part)) => join(all, part, places, groups, |one, other| Some(one.min(other))),
            (Self::Greatest(all), Self::Greatest(part)) => {
                join(all, part, places, groups, |one, other| Some(one.max(other)))
            }
            _ => unreachable!("a measure is counted in one way"),
        }
    }

    fn into_array(self, data_type: &DataType) -> Result<ArrayRef> {
        let values = match self {
            Self::Count(counts) => return Ok(Arc::new(Int64Array::from(counts))),
            Self::Sum(sums) if *data_type == DataType::Int64 => {
                let sums = sums.into_iter().map(|sum| sum.map(narrow).transpose());
                return Ok(Arc::new(Int64Array::from(sums.collect::<Result<Vec<_>>>()?)));
            }
            Self::Sum(values) | Self::Least(values) | Self::Greatest(values) => values,
        };
        match data_type {
            DataType::Int64 => typed::<Int64Type>(values, data_type),
            DataType::Date32 => typed::<Date32Type>(values, data_type),
            DataType::Decimal128(..) => typed::<Decimal128Type>(values, data_type),
            DataType::Timestamp(TimeUnit::Microsecond, _) => typed::<TimestampMicrosecondType>(values, data_type),
            other => Err(DataFusionError::Internal(format!("no whole number is a {other}"))),
        }
    }
}

fn typed<T: ArrowPrimitiveType>(values: Vec<Option<i128>>, data_type: &DataType) -> Result<ArrayRef>
where
    T::Native: TryFrom<i128>,
{
    // They were of this type before they were counted with.
    let values = values.into_iter().map(|value| value.and_then(|value| T::Native::try_from(value).ok()));
    Ok(Arc::new(values.collect::<PrimitiveArray<T>>().with_data_type(data_type.clone())))
}

fn too_large() -> DataFusionError {
    DataFusionError::Execution("a sum of decimals is more than 128 bits hold".to_owned())
}
