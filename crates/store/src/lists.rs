//! Which profiles are on a list: those whose key is among its keys.

use std::collections::HashSet;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use muster_catalog::{Kind, LISTS, RowSet};

use crate::{Error, Snapshot, SystemColumn, TableSchema};

impl Snapshot {
    /// The profiles on the list `name`, which is called `lists.name` among the tables; nobody where there is no such list.
    ///
    /// One pass over the keys of all profiles. Keys of the list that no profile has count for nothing here.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    pub fn profiles_on(&self, name: &str) -> Result<RowSet, Error> {
        let list = self.schema(&format!("{LISTS}.{name}")).filter(|table| table.kind == Kind::List);
        let root = self.schemas().find(|table| table.kind == Kind::Root);
        let (Some(list), Some(root)) = (list, root) else { return Ok(RowSet::empty()) };
        let columns = self.keys_of(list)?;
        let wanted: HashSet<&str> = columns.iter().flat_map(|keys| keys.as_string_view().iter().flatten()).collect();
        let mut found = Vec::new();
        for block in 0..self.block_count(&root.name) {
            let columns = self.scan(&root.name, block, &[SystemColumn::Row.name(), key_of(root)])?;
            let rows = columns[0].as_primitive::<Int64Type>().values().iter();
            let keyed = rows.zip(columns[1].as_string_view());
            found.extend(
                keyed.filter(|(_, key)| key.is_some_and(|key| wanted.contains(key))).map(|(row, _)| *row as u32),
            );
        }
        Ok(found.into_iter().collect())
    }

    fn keys_of(&self, table: &TableSchema) -> Result<Vec<ArrayRef>, Error> {
        let block = |block: usize| Ok(self.scan(&table.name, block, &[key_of(table)])?.remove(0));
        (0..self.block_count(&table.name)).map(block).collect()
    }
}

fn key_of(table: &TableSchema) -> &str {
    table.key.as_deref().expect("profiles and lists have a key")
}
