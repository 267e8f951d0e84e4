//! What the profiles that arrived say of their consent, as they stand after all.

use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, StringViewArray};
use muster_catalog::Role;
use muster_store::{Snapshot, TableInput, TableSchema};

use crate::loading::Consents;

/// What the profiles that `inputs` name say in `snapshot`; only they are looked up.
///
/// # Errors
/// If they cannot be read, or a column with a consent role is no bool.
pub fn consents(inputs: &[TableInput], snapshot: &Snapshot) -> Result<Vec<Consents>> {
    let Some(profiles) = snapshot.schemas().find(|schema| schema.parent().is_none() && inputs_of(inputs, schema))
    else {
        return Ok(Vec::new());
    };
    let channels = profiles.columns.iter().enumerate().filter_map(|(place, column)| match &column.role {
        Some(Role::Consent(channel)) => Some((place, channel)),
        _ => None,
    });
    let channels: Vec<(usize, &String)> = channels.collect();
    if channels.is_empty() {
        return Ok(Vec::new());
    }
    let key = profiles.key.as_deref().context("profiles have a key")?;
    let columns = snapshot.rows_with_keys(&profiles.name, &keys(inputs, &profiles.name, key))?;
    let keys = profiles.position(key).map(|place| columns[place].as_string_view()).context("profiles have a key")?;
    let consents = channels.into_iter().map(|(place, channel)| {
        let said = columns[place].as_boolean_opt().context("a column with a consent role is no bool")?;
        let known = (0..said.len()).filter(|row| said.is_valid(*row));
        let statements = known.map(|row| (keys.value(row).to_owned(), said.value(row))).collect();
        Ok(Consents { channel: channel.clone(), statements })
    });
    consents.collect()
}

fn inputs_of(inputs: &[TableInput], schema: &TableSchema) -> bool {
    schema.kind == muster_catalog::Kind::Root && inputs.iter().any(|input| input.table == schema.name)
}

fn keys(inputs: &[TableInput], table: &str, key: &str) -> StringViewArray {
    let batches = inputs.iter().filter(|input| input.table == table).flat_map(|input| &input.batches);
    let columns = batches.filter_map(|batch| batch.rows.column_by_name(key));
    columns.flat_map(|keys| keys.as_string_view().iter().map(|key| key.map(str::to_owned))).collect()
}
