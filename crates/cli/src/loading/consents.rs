//! Who agreed to what, as the profiles of a snapshot say.

use std::collections::HashSet;

use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use muster_catalog::{Catalog, Role};
use muster_store::{Snapshot, TableInput};

/// What profiles say of one channel.
pub struct Consents {
    /// The channel.
    pub channel: String,
    /// Each profile that says something, by key, with whether it agrees.
    pub statements: Vec<(String, bool)>,
}

/// The profiles that the files of a load name. What the others agreed to is not said again: the load knows nothing of them.
#[derive(Default)]
pub(super) struct Named(Vec<ArrayRef>);

impl Named {
    /// Notes those in the rows of profiles.
    pub fn add(&mut self, catalog: &Catalog, input: &TableInput) {
        let root = catalog.root();
        let key = root.key.as_deref().filter(|_| input.table == root.name);
        let columns = input.batches.iter().filter_map(|batch| batch.rows.column_by_name(key?).cloned());
        self.0.extend(columns);
    }

    /// What these profiles say in `snapshot`.
    ///
    /// # Errors
    /// As [`said_by`].
    pub fn consents(&self, snapshot: &Snapshot) -> Result<Vec<Consents>> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let named: HashSet<&str> = self.0.iter().flat_map(|keys| keys.as_string_view().iter().flatten()).collect();
        said_by(snapshot, &|key| named.contains(key))
    }
}

/// What the columns with a role `consent.CHANNEL` say of the profiles that are `wanted`; one without a value said nothing.
///
/// # Errors
/// If the blocks cannot be read, or such a column is no bool.
pub(super) fn said_by(snapshot: &Snapshot, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Consents>> {
    let Some(profiles) = snapshot.schema("profiles") else { return Ok(Vec::new()) };
    let key = profiles.key.as_deref().context("profiles have a key")?;
    let mut consents = Vec::new();
    for column in &profiles.columns {
        let Some(Role::Consent(channel)) = &column.role else { continue };
        let mut statements = Vec::new();
        for block in 0..snapshot.block_count("profiles") {
            let columns = snapshot.scan("profiles", block, &[key, &column.name])?;
            let said = columns[1]
                .as_boolean_opt()
                .with_context(|| format!("`{}` has a consent role and is no bool", column.name))?;
            let keys = columns[0].as_string_view();
            let known = (0..said.len()).filter(|row| said.is_valid(*row) && wanted(keys.value(*row)));
            statements.extend(known.map(|row| (keys.value(row).to_owned(), said.value(row))));
        }
        consents.push(Consents { channel: channel.clone(), statements });
    }
    Ok(consents)
}
