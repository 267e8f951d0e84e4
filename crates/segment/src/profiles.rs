//! Single profiles by key, with all their columns: what messages are written from.
//!
//! A query per handful of keys would read every profile each time; this keeps where each key stands, and the block that was
//! read last, so that keys in the order of an audience cost each block once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use chrono_tz::Tz;
use muster_catalog::ColumnType;
use muster_store::{ColumnSchema, Snapshot};

use crate::Error;

/// The profiles of one snapshot.
pub struct Profiles {
    snapshot: Arc<Snapshot>,
    columns: Vec<ColumnSchema>,
    schema: SchemaRef,
    rows: HashMap<Box<str>, Place>,
    latest: Mutex<Option<(u32, RecordBatch)>>,
}

/// Where a profile is found: a block, and a row of what is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    block: u32,
    row: u32,
}

const TABLE: &str = "profiles";

impl Profiles {
    /// The profiles of `snapshot`, instants shown in `zone`; reads all keys.
    ///
    /// # Errors
    /// [`Error::NoData`] if there are no profiles; [`Error::Store`] if they cannot be read.
    pub fn of(snapshot: Arc<Snapshot>, zone: Tz) -> Result<Self, Error> {
        let (columns, key) = match snapshot.schema(TABLE) {
            Some(schema) => (schema.columns.clone(), schema.key.clone().ok_or(Error::NoData)?),
            None => return Err(Error::NoData),
        };
        let mut rows = HashMap::with_capacity(snapshot.row_count(TABLE) as usize);
        for block in 0..snapshot.block_count(TABLE) {
            let keys = snapshot.scan(TABLE, block, &[&key])?.remove(0);
            let places = (0..).map(|row| Place { block: block as u32, row });
            rows.extend(keys.as_string_view().iter().flatten().map(Box::from).zip(places));
        }
        let schema = Arc::new(Schema::new(columns.iter().map(|column| field(column, zone)).collect::<Vec<_>>()));
        Ok(Self { snapshot, columns, schema, rows, latest: Mutex::new(None) })
    }

    /// The columns, in their order.
    pub fn columns(&self) -> &[ColumnSchema] {
        &self.columns
    }

    /// The profiles with these keys: for each key its row in the batch, or `None` where there is no such profile.
    ///
    /// # Errors
    /// [`Error::Store`] if a block cannot be read.
    pub fn fetch(&self, keys: &[&str]) -> Result<(Vec<Option<usize>>, RecordBatch), Error> {
        let mut found: Vec<(Place, usize)> =
            keys.iter().enumerate().filter_map(|(place, key)| Some((*self.rows.get(*key)?, place))).collect();
        found.sort_unstable();
        let mut places = vec![None; keys.len()];
        let mut parts = Vec::new();
        for (row, (_, place)) in found.iter().enumerate() {
            places[*place] = Some(row);
        }
        for together in found.chunk_by(|(a, _), (b, _)| a.block == b.block) {
            let block = self.block(together[0].0.block)?;
            let within: UInt32Array = together.iter().map(|(place, _)| Some(place.row)).collect();
            parts.push(take_record_batch(&block, &within).map_err(muster_store::Error::from)?);
        }
        let batch = concat_batches(&self.schema, &parts).map_err(muster_store::Error::from)?;
        Ok((places, batch))
    }

    /// All columns of a block; the one that was asked for last is still there.
    fn block(&self, number: u32) -> Result<RecordBatch, Error> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, batch)) = latest.as_ref()
            && *known == number
        {
            return Ok(batch.clone());
        }
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let mut arrays = self.snapshot.scan(TABLE, number as usize, &names)?;
        for (array, field) in arrays.iter_mut().zip(self.schema.fields()) {
            if array.data_type() != field.data_type() {
                *array = arrow_cast::cast(array, field.data_type()).map_err(muster_store::Error::from)?;
            }
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(muster_store::Error::from)?;
        *latest = Some((number, batch.clone()));
        Ok(batch)
    }
}

fn field(column: &ColumnSchema, zone: Tz) -> Field {
    let data_type = match column.column_type {
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(zone.name().into())),
        other => other.arrow(),
    };
    Field::new(&column.name, data_type, true)
}
