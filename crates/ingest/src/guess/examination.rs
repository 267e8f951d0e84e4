//! What is doubtful in tables that are declared and read: keys that repeat, parents that are missing, times that have not
//! come yet, types that rest on few values.

use std::collections::BTreeMap;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use muster_catalog::{Catalog, Kind, Table, Timestamp};

use super::Doubt;
use super::sketch::{Sketch, hash};
use crate::load::TableLoad;
use crate::report::{ColumnReport, Origin};

/// A type that was inferred from fewer values is doubtful.
const FEW_VALUES: u64 = 20;
/// An instant may be a day ahead: zones, and clocks that are wrong.
const AHEAD_MICROS: i64 = 86_400_000_000;

/// Notes on the tables of a workspace, taken while they are read one after the other.
///
/// Keys are compared by hash: all of them up to 131,072 of a table, beyond that as many, drawn by hash.
#[derive(Debug, Default)]
pub struct Examination {
    keys: BTreeMap<String, Sketch>,
    /// The table, the column and the table above, with the values of the column.
    references: Vec<(String, String, String, Sketch)>,
    doubts: Vec<Doubt>,
}

impl Examination {
    /// Takes note of a table as it was read; `now` is the present.
    pub fn note(&mut self, catalog: &Catalog, table: &Table, load: &TableLoad, now: Timestamp) {
        if let Some(key) = table.key.as_deref() {
            let keys = values(load, key);
            self.repeated(table, key, &keys);
            self.keys.insert(table.name.clone(), keys);
        }
        if let (Some(parent), Some(on)) = (table.parent(), table.on()) {
            self.references.push((table.name.clone(), on.to_owned(), parent.to_owned(), values(load, on)));
        }
        if let (Kind::List, Some(key)) = (&table.kind, table.key.as_deref()) {
            let of = catalog.root().name.clone();
            self.references.push((table.name.clone(), key.to_owned(), of, values(load, key)));
        }
        for (link, lookup) in catalog.links_from(&table.name) {
            let values = values(load, &link.from_column);
            self.references.push((table.name.clone(), link.from_column.clone(), lookup.name.clone(), values));
        }
        self.ahead(table, load, now);
        self.rests_on_few(table, load);
    }

    /// Everything that is doubtful, once all tables were noted.
    pub fn doubts(mut self) -> Vec<Doubt> {
        for (table, column, above, values) in &self.references {
            let Some(keys) = self.keys.get(above) else { continue };
            let share = values.found_in(keys);
            if share.values_found < share.values {
                let text = format!(
                    "{} of {} distinct values are no key of {above}, in {} rows",
                    share.values - share.values_found,
                    share.values,
                    share.rows - share.rows_found
                );
                self.doubts.push(Doubt { table: table.clone(), column: Some(column.clone()), text });
            }
        }
        self.doubts
    }

    fn repeated(&mut self, table: &Table, key: &str, keys: &Sketch) {
        if keys.repeated() > 0 {
            let drawn = if keys.is_exact() { "" } else { " drawn" };
            let text = format!(
                "{} of {}{drawn} keys occur more than once, and rows of one key become one",
                keys.repeated(),
                keys.kept()
            );
            self.doubts.push(Doubt { table: table.name.clone(), column: Some(key.to_owned()), text });
        }
    }

    fn ahead(&mut self, table: &Table, load: &TableLoad, now: Timestamp) {
        for name in [&table.time, &table.created_at, &table.updated_at].into_iter().flatten() {
            let limit = now.micros().saturating_add(AHEAD_MICROS);
            let (rows, last) = columns(load, name).fold((0, i64::MIN), |(rows, last), column| {
                let instants = column.as_primitive::<TimestampMicrosecondType>().iter().flatten();
                let later = instants.filter(|instant| *instant > limit);
                later.fold((rows, last), |(rows, last), instant| (rows + 1, last.max(instant)))
            });
            if rows > 0 {
                let text = format!("{rows} rows lie after the present, the last at {}", Timestamp::from_micros(last));
                self.doubts.push(Doubt { table: table.name.clone(), column: Some(name.clone()), text });
            }
        }
    }

    fn rests_on_few(&mut self, table: &Table, load: &TableLoad) {
        let unsure = |column: &&ColumnReport| matches!(column.origin, Origin::Inferred(_));
        for column in load.report.columns.iter().filter(unsure) {
            let values = load.report.rows.saturating_sub(column.nulls);
            if values < FEW_VALUES {
                let text = format!("taken for {} because of {values} values only", column.column_type);
                self.doubts.push(Doubt { table: table.name.clone(), column: Some(column.name.clone()), text });
            }
        }
    }
}

fn columns<'a>(load: &'a TableLoad, name: &str) -> impl Iterator<Item = &'a ArrayRef> + use<'a> {
    let place = load.schema.index_of(name).ok();
    load.batches.iter().filter_map(move |batch| Some(batch.column(place?)))
}

/// The values of a column of keys.
fn values(load: &TableLoad, name: &str) -> Sketch {
    let mut sketch = Sketch::default();
    for texts in columns(load, name).filter_map(|column| column.as_string_view_opt()) {
        texts.iter().flatten().for_each(|text| {
            sketch.add(hash(text));
        });
    }
    sketch
}
