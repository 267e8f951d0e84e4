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
pub(super) enum Named {
    /// Nothing was stored before.
    All,
    Listed(Vec<ArrayRef>),
}

impl Named {
    pub fn beside(before: Option<&Snapshot>) -> Self {
        if before.is_some() { Self::Listed(Vec::new()) } else { Self::All }
    }

    /// Notes those in the rows of profiles.
    pub fn add(&mut self, catalog: &Catalog, input: &TableInput) {
        let Self::Listed(listed) = self else { return };
        let root = catalog.root();
        let key = root.key.as_deref().filter(|_| input.table == root.name);
        let columns = input.batches.iter().filter_map(|batch| batch.rows.column_by_name(key?).cloned());
        listed.extend(columns);
    }

    /// What these profiles say in `snapshot`.
    ///
    /// # Errors
    /// As [`said_by`].
    pub fn consents(&self, snapshot: &Snapshot) -> Result<Vec<Consents>> {
        match self {
            Self::All => said_by(snapshot, &|_| true),
            Self::Listed(listed) if listed.is_empty() => Ok(Vec::new()),
            Self::Listed(listed) => {
                let keys = listed.iter().flat_map(|keys| keys.as_string_view().iter().flatten());
                let named: HashSet<&str> = keys.collect();
                said_by(snapshot, &|key| named.contains(key))
            }
        }
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
