//! Who may see the values of which column.

use std::collections::{BTreeMap, BTreeSet};

use muster_catalog::{Catalog, Class, Column, Kind};
use muster_query::Masks;
use muster_store::{ColumnSchema, Snapshot, TableSchema};

/// What `muster.toml` says of the columns' classes. It is asked anew each time and not kept with the data, so that a
/// column that was declared personal is hidden from then on, without a load.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    declared: BTreeMap<(String, String), Class>,
    grants: Grants,
}

/// The classes whose values somebody may see; all of them where nothing else is said, and what is public always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants(BTreeSet<Class>);

/// The table of whose keys lists are.
const ROOT: &str = "profiles";

/// All classes, from the one that everybody may see.
const ALL: [Class; 4] = [Class::Public, Class::Internal, Class::Personal, Class::Sensitive];

impl Default for Grants {
    fn default() -> Self {
        Self(ALL.into())
    }
}

impl Grants {
    /// These classes, and what is public.
    pub fn of(classes: impl IntoIterator<Item = Class>) -> Self {
        Self(classes.into_iter().chain([Class::Public]).collect())
    }

    /// The classes that are granted, the one that everybody may see first.
    pub fn classes(&self) -> impl Iterator<Item = Class> + '_ {
        self.0.iter().copied()
    }
}

impl Classes {
    /// The classes of the declared columns.
    pub fn declared(catalog: &Catalog) -> Self {
        let of_table = |table: &muster_catalog::Table| {
            let name = table.name.clone();
            let class = move |column: &Column| ((name.clone(), column.name.clone()), column.class());
            table.columns.iter().map(class).collect::<Vec<_>>()
        };
        Self { declared: catalog.tables.iter().flat_map(of_table).collect(), grants: Grants::default() }
    }

    /// The same for somebody who may see these classes only.
    pub fn granted(self, grants: Grants) -> Self {
        Self { grants, ..self }
    }

    /// Whether `column` of `table` may be shown beside other columns' values, unasked for: to whoever works with the
    /// workspace, unless that was not granted.
    pub fn shows(&self, table: &str, column: &ColumnSchema) -> bool {
        let class = self.of(table, column);
        class <= Class::Internal && self.grants.0.contains(&class)
    }

    /// The columns of a snapshot that were not granted.
    ///
    /// What holds another table's key, a parent's, a lookup's or a list's, is as secret as that key.
    pub fn masks(&self, snapshot: &Snapshot) -> Masks {
        if self.grants == Grants::default() {
            return Masks::default();
        }
        let class = |table: &TableSchema, column: &ColumnSchema| {
            let own = self.of(&table.name, column);
            let keys = keys_in(table, &column.name).filter_map(|other| snapshot.schema(other));
            keys.filter_map(|other| self.of_key(other)).fold(own, Ord::max)
        };
        let columns = snapshot.schemas().flat_map(|table| {
            let classed =
                move |column: &ColumnSchema| ((table.name.clone(), column.name.clone()), class(table, column));
            table.columns.iter().map(classed).collect::<Vec<_>>()
        });
        let kept = columns.filter(|(_, class)| !self.grants.0.contains(class));
        Masks::hiding(kept.map(|(column, class)| (column, class_word(class))).collect())
    }

    fn of_key(&self, table: &TableSchema) -> Option<Class> {
        let key = table.key.as_ref()?;
        table.columns.iter().find(|column| column.name == *key).map(|column| self.of(&table.name, column))
    }

    /// Who may see `column` of `table`: as declared, else by what it means.
    pub fn of(&self, table: &str, column: &ColumnSchema) -> Class {
        let declared = self.declared.get(&(table.to_owned(), column.name.clone()));
        declared.copied().unwrap_or_else(|| {
            let role = column.role.clone();
            Column { role, ..Column::plain(&column.name) }.class()
        })
    }
}

/// The tables whose key stands in `column` of `table`.
fn keys_in<'t>(table: &'t TableSchema, column: &str) -> impl Iterator<Item = &'t str> {
    let parent = match &table.kind {
        Kind::History { parent, on } if on == column => Some(parent.as_str()),
        Kind::List => Some(ROOT),
        _ => None,
    };
    let links = table.links.iter().filter(|(_, from, _)| from == column).map(|(.., lookup)| lookup.as_str());
    parent.into_iter().chain(links.collect::<Vec<_>>())
}

/// The word for a class in `muster.toml`.
pub fn class_word(class: Class) -> &'static str {
    match class {
        Class::Public => "public",
        Class::Internal => "internal",
        Class::Personal => "personal",
        Class::Sensitive => "sensitive",
    }
}

/// The class of this word.
pub fn class_of(word: &str) -> Option<Class> {
    ALL.into_iter().find(|class| class_word(*class) == word)
}
