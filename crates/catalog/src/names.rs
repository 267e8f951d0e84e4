//! The names that a query may use: what the language needs to know of a snapshot, and no more.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use crate::{ColumnType, Kind, LISTS, Role};

/// The names of one snapshot: tables with their columns and relations, the segments and the variables.
#[derive(Debug, Clone)]
pub struct Names {
    /// The zone in which dates, `today()` and instants without one are read.
    pub zone: Tz,
    /// The tables, parents before children.
    pub tables: Vec<TableNames>,
    /// The stored segments, by name.
    pub segments: Vec<SegmentNames>,
    /// Which columns of the root are variables: computed for each query that names them, and stored nowhere.
    pub variables: BTreeSet<String>,
    /// The scores that a query may name: tables with one row per profile, computed for the query or by a model.
    pub scores: Vec<ScoreNames>,
    /// What `affinity` may name.
    pub affinities: Vec<String>,
}

impl Names {
    /// The same with `variable` as a column of the root.
    #[must_use]
    pub fn with_variable(mut self, variable: ColumnNames) -> Self {
        if let Some(root) = self.tables.iter_mut().find(|table| table.kind == Kind::Root) {
            self.variables.insert(variable.name.clone());
            root.columns.push(variable);
        }
        self
    }

    /// The table above all others.
    pub fn root(&self) -> Option<&TableNames> {
        self.tables.iter().find(|table| table.kind == Kind::Root)
    }

    /// The table of this name, capitals aside.
    pub fn table(&self, name: &str) -> Option<&TableNames> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// The segment of this name, capitals aside.
    pub fn segment(&self, name: &str) -> Option<&SegmentNames> {
        self.segments.iter().find(|segment| segment.name.eq_ignore_ascii_case(name))
    }

    /// The score of this name, capitals aside.
    pub fn score(&self, name: &str) -> Option<&ScoreNames> {
        self.scores.iter().find(|score| score.name.eq_ignore_ascii_case(name))
    }

    /// The lists of profile keys.
    pub fn lists(&self) -> impl Iterator<Item = &TableNames> {
        self.tables.iter().filter(|table| table.kind == Kind::List)
    }

    /// The ancestors of `table`, from its parent up to the root.
    pub fn ancestors<'a>(&'a self, table: &'a TableNames) -> impl Iterator<Item = &'a TableNames> {
        std::iter::successors(Some(table), |below| below.parent().and_then(|parent| self.table(parent))).skip(1)
    }
}

/// One table.
#[derive(Debug, Clone)]
pub struct TableNames {
    /// Its name.
    pub name: String,
    /// Root, history, lookup or list.
    pub kind: Kind,
    /// Its key.
    pub key: Option<String>,
    /// The column with the instant of a row, where the table has its own.
    pub time: Option<String>,
    /// The column before whose instant a row does not exist.
    pub created_at: Option<String>,
    /// Its columns in their order.
    pub columns: Vec<ColumnNames>,
    /// The lookups that its rows reach: link name, the column with the key, the lookup table.
    pub links: Vec<(String, String, String)>,
}

impl TableNames {
    /// The column of this name, capitals aside.
    pub fn column(&self, name: &str) -> Option<&ColumnNames> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The name of a list without what all lists' begin with: `staff` of `lists.staff`.
    pub fn list_name(&self) -> Option<&str> {
        self.name.strip_prefix(LISTS)?.strip_prefix('.').filter(|_| self.kind == Kind::List)
    }

    /// The table above, of a history.
    pub fn parent(&self) -> Option<&str> {
        match &self.kind {
            Kind::History { parent, .. } => Some(parent),
            Kind::Root | Kind::Lookup | Kind::List => None,
        }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnNames {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub column_type: ColumnType,
    /// What it means to muster.
    pub role: Option<Role>,
}

/// One stored segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentNames {
    /// Its name.
    pub name: String,
    /// The table whose rows it selects.
    pub grain: String,
}

/// One score: values of each profile.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreNames {
    /// Its name: `rfm`.
    pub name: String,
    /// Its columns in their order.
    pub columns: Vec<ColumnNames>,
}
