//! Who may see the values of which column.

use std::collections::BTreeMap;

use muster_catalog::{Catalog, Class, Column};
use muster_store::ColumnSchema;

/// What `muster.toml` says of the columns' classes. It is asked anew each time and not kept with the data, so that a
/// column that was declared personal is hidden from then on, without a load.
#[derive(Debug, Clone, Default)]
pub struct Classes(BTreeMap<(String, String), Class>);

impl Classes {
    /// The classes of the declared columns.
    pub fn declared(catalog: &Catalog) -> Self {
        let of_table = |table: &muster_catalog::Table| {
            let name = table.name.clone();
            let class = move |column: &Column| ((name.clone(), column.name.clone()), column.class());
            table.columns.iter().map(class).collect::<Vec<_>>()
        };
        Self(catalog.tables.iter().flat_map(of_table).collect())
    }

    /// Who may see `column` of `table`: as declared, else by what it means.
    pub fn of(&self, table: &str, column: &ColumnSchema) -> Class {
        let declared = self.0.get(&(table.to_owned(), column.name.clone()));
        declared.copied().unwrap_or_else(|| {
            let role = column.role.clone();
            Column { role, ..Column::plain(&column.name) }.class()
        })
    }
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
