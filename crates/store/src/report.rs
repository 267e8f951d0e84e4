//! What a publish did: what became of every row that came in, and which keys were refused.

use std::collections::BTreeMap;

use crate::schema::TableSchema;

/// What became of the incoming rows of one table: new + changed + same + older + refused = incoming.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableCounts {
    /// Rows that came in.
    pub incoming: u64,
    /// Rows that were not there before.
    pub new: u64,
    /// Rows that replaced one with their key, or deleted it.
    pub changed: u64,
    /// Rows that were there already.
    pub same: u64,
    /// Rows whose key has a younger row.
    pub older: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// Fields that muster owns, and that kept their values against those of the rows.
    #[serde(default)]
    pub kept: u64,
    /// Rows that are gone: marked as deleted, below one that is, or not in a load that replaces.
    #[serde(default)]
    pub deleted: u64,
    /// Parents that were made because a row named them.
    pub created: u64,
    /// Rows that wait for their parent, from this load and before.
    pub orphans: u64,
    /// Rows that the table has now, without those that wait.
    pub rows: u64,
}

/// A key whose rows were refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refusal {
    /// The table.
    pub table: String,
    /// The key, or the key of the missing parent.
    pub key: String,
    /// Why.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn contradiction(schema: &TableSchema, key: &str) -> Self {
        let reason = "one file has different rows with this key; without `updated_at` none of them is newer".to_owned();
        Self { table: schema.name.clone(), key: key.to_owned(), reason }
    }

    pub(crate) fn missing_parent(schema: &TableSchema, key: &str) -> Self {
        let reason = format!("there is no row with this key in {}", schema.parent().unwrap_or_default());
        Self { table: schema.name.clone(), key: key.to_owned(), reason }
    }
}

/// What a publish did, table by table.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PublishReport {
    /// The tables that had rows coming in, or rows that went.
    pub tables: BTreeMap<String, TableCounts>,
    /// The keys whose rows were refused.
    pub refusals: Vec<Refusal>,
}
