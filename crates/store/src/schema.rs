//! What a published table consists of: its columns with their types, and how they are kept.

use muster_catalog::{Catalog, ColumnNames, ColumnType, Kind, Role, Table, TableNames};
use serde::{Deserialize, Serialize};

/// A column of a published table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnSchema {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub column_type: ColumnType,
    /// What it means to muster.
    pub role: Option<Role>,
}

/// A published table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSchema {
    /// Its name.
    pub name: String,
    /// Root, history, lookup or list.
    pub kind: Kind,
    /// The column that identifies a row.
    pub key: Option<String>,
    /// The column with the instant of a row.
    pub time: Option<String>,
    /// The column with the instant at which a row last changed.
    pub updated_at: Option<String>,
    /// The column before whose instant a profile does not exist.
    pub created_at: Option<String>,
    /// The column that is true in rows that are deleted at their source.
    #[serde(default)]
    pub deleted: Option<String>,
    /// The lookups that its rows reach: link name, the column with the key, the lookup.
    pub links: Vec<(String, String, String)>,
    /// Its columns in their order.
    pub columns: Vec<ColumnSchema>,
}

impl TableSchema {
    /// The schema of `table` with these `columns`.
    pub fn new(catalog: &Catalog, table: &Table, columns: Vec<ColumnSchema>) -> Self {
        let links = catalog.links_from(&table.name);
        Self {
            name: table.name.clone(),
            kind: table.kind.clone(),
            key: table.key.clone(),
            time: table.time.clone(),
            updated_at: table.updated_at.clone(),
            created_at: table.created_at.clone(),
            deleted: table.deleted.clone(),
            links: links.map(|(link, to)| (link.name.clone(), link.from_column.clone(), to.name.clone())).collect(),
            columns,
        }
    }

    /// The table above, of a history.
    pub fn parent(&self) -> Option<&str> {
        match &self.kind {
            Kind::History { parent, .. } => Some(parent),
            Kind::Root | Kind::Lookup | Kind::List => None,
        }
    }

    /// The column with the parent's key, of a history.
    pub fn parent_key(&self) -> Option<&str> {
        match &self.kind {
            Kind::History { on, .. } => Some(on),
            Kind::Root | Kind::Lookup | Kind::List => None,
        }
    }

    /// The place of the column `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    pub(crate) fn key_position(&self) -> Option<usize> {
        self.key.as_deref().and_then(|key| self.position(key))
    }

    /// The place of the column with the parent's key. Its values stand in the parent already, so blocks do not keep it.
    pub(crate) fn on_position(&self) -> Option<usize> {
        self.parent_key().and_then(|on| self.position(on))
    }

    pub(crate) fn updated_position(&self) -> Option<usize> {
        self.updated_at.as_deref().and_then(|name| self.position(name))
    }

    /// The place of the column that marks deletions.
    pub(crate) fn deleted_position(&self) -> Option<usize> {
        let place = self.deleted.as_deref().and_then(|name| self.position(name));
        place.filter(|place| self.columns[*place].column_type == ColumnType::Bool)
    }

    pub(crate) fn time_position(&self) -> Option<usize> {
        self.time.as_deref().and_then(|time| self.position(time))
    }

    /// What a query may say of it.
    pub fn names(&self) -> TableNames {
        let name = |column: &ColumnSchema| ColumnNames {
            name: column.name.clone(),
            column_type: column.column_type,
            role: column.role.clone(),
        };
        TableNames {
            name: self.name.clone(),
            kind: self.kind.clone(),
            key: self.key.clone(),
            time: self.time.clone(),
            created_at: self.created_at.clone(),
            columns: self.columns.iter().map(name).collect(),
            links: self.links.clone(),
        }
    }
}
