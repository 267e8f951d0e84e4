//! The tables of a plain FROM: catalog tables, CTEs and derived tables side by side, as SQL has them.

use muster_catalog::Names;
use sqlparser::ast::{Expr, Ident, TableAlias};

use super::reach::insert_column;
use super::scope::{Typed, same_name};
use crate::error::ErrorKind;
use crate::resolved::{OutputColumn, Relation};
use crate::source::Fault;
use crate::sql;

/// The tables of one FROM, in order.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) tables: Vec<Table>,
    /// The columns that USING or NATURAL made one of two.
    pub(super) merged: Vec<OutputColumn>,
}

/// One table in a FROM.
pub(super) struct Table {
    /// Its name in expressions.
    pub(super) alias: String,
    /// Its columns.
    pub(super) columns: Vec<OutputColumn>,
    /// For a catalog table: what is needed of it.
    pub(super) relation: Option<Relation>,
}

impl Tables {
    pub(super) fn aliases(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.alias.as_str())
    }

    pub(super) fn column_names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().flat_map(|table| &table.columns).map(|column| column.name.as_str())
    }

    /// Adds a table.
    ///
    /// # Errors
    /// [`ErrorKind::Ambiguous`] if another one has its alias.
    pub(super) fn add(&mut self, table: Table, name: &Ident) -> Result<(), Fault> {
        if self.aliases().any(|alias| alias.eq_ignore_ascii_case(&table.alias)) {
            let message = format!("a second table called `{}`", table.alias);
            return Err(Fault::new(ErrorKind::Ambiguous, name.span, message).hint("give it another name with AS"));
        }
        self.tables.push(table);
        Ok(())
    }

    /// The column that a name stands for; `None` if no table here has it.
    pub(super) fn find(&mut self, names: &Names, parts: &[Ident]) -> Result<Option<Typed>, Fault> {
        match parts {
            [name] => self.find_bare(names, name),
            [head, name] => match self.tables.iter().position(|table| same_name(head, &table.alias)) {
                Some(index) => self.tables[index].column(names, name).map(Some),
                None => Ok(None),
            },
            [] | [_, _, ..] => Ok(None),
        }
    }

    fn find_bare(&mut self, names: &Names, name: &Ident) -> Result<Option<Typed>, Fault> {
        if let Some(merged) = self.merged.iter().find(|column| same_name(name, &column.name)) {
            let (column, holds) = (merged.name.clone(), merged.holds);
            self.use_everywhere(names, name);
            return Ok(Some(Typed::new(Expr::Identifier(sql::name(&column)), holds)));
        }
        let having: Vec<usize> = (0..self.tables.len()).filter(|index| self.tables[*index].has(name)).collect();
        match having.as_slice() {
            [] => Ok(None),
            [index] => self.tables[*index].column(names, name).map(Some),
            several => {
                let ways = several.iter().map(|index| format!("{}.{}", self.tables[*index].alias, name.value));
                let message = format!("`{}` is ambiguous: {}", name.value, ways.collect::<Vec<_>>().join(", "));
                Err(Fault::new(ErrorKind::Ambiguous, name.span, message).hint("write one of these"))
            }
        }
    }

    /// All columns, for `*`: merged ones once and in front; or those of one table.
    pub(super) fn all_columns(&mut self, names: &Names, of: Option<&Ident>) -> Result<Vec<(Typed, String)>, Fault> {
        let mut all = Vec::new();
        if of.is_none() {
            for merged in self.merged.clone() {
                self.use_everywhere(names, &Ident::with_quote('"', &merged.name));
                all.push((Typed::new(Expr::Identifier(sql::name(&merged.name)), merged.holds), merged.name));
            }
        }
        let merged = if of.is_none() { self.merged.clone() } else { Vec::new() };
        for table in self.tables.iter_mut().filter(|table| of.is_none_or(|of| same_name(of, &table.alias))) {
            for column in table.columns.clone().iter().filter(|column| merged.iter().all(|one| one.name != column.name))
            {
                let name = Ident::with_quote('"', &column.name);
                all.push((table.column(names, &name)?, column.name.clone()));
            }
        }
        Ok(all)
    }

    /// Notes that every table that has this column needs it: a column that USING merged.
    pub(super) fn use_everywhere(&mut self, names: &Names, name: &Ident) {
        for table in &mut self.tables {
            // A table without the column has nothing to note.
            let _absent = table.column(names, name);
        }
    }
}

impl Table {
    pub(super) fn has(&self, name: &Ident) -> bool {
        self.columns.iter().any(|column| same_name(name, &column.name))
    }

    /// One column of this table.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownName`] if it has none of this name.
    pub(super) fn column(&mut self, names: &Names, name: &Ident) -> Result<Typed, Fault> {
        let exact = self.columns.iter().find(|column| column.name == name.value);
        let found = exact.or_else(|| self.columns.iter().find(|column| same_name(name, &column.name)));
        let Some(column) = found.cloned() else {
            let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            return Err(super::unknown::column_among(&self.alias, &known, name));
        };
        self.use_column(names, &column.name);
        Ok(Typed::new(sql::column(&self.alias, &column.name), column.holds))
    }

    /// Notes that a column of a catalog table is used.
    pub(super) fn use_column(&mut self, names: &Names, column: &str) {
        if let Some(relation) = &mut self.relation
            && let Some(table) = names.table(&relation.table)
        {
            insert_column(&mut relation.columns, table, column);
        }
    }
}

/// The columns of a CTE or derived table under the names that its alias gives them.
pub(super) fn renamed(columns: Vec<OutputColumn>, alias: &TableAlias) -> Result<Vec<OutputColumn>, Fault> {
    if alias.columns.is_empty() {
        return Ok(columns);
    }
    if alias.columns.len() != columns.len() {
        let message = format!(
            "`{}` has {} columns, and {} names are given",
            alias.name.value,
            columns.len(),
            alias.columns.len()
        );
        return Err(Fault::new(ErrorKind::NotAllowed, alias.name.span, message));
    }
    let renamed = columns.into_iter().zip(&alias.columns);
    Ok(renamed.map(|(column, name)| OutputColumn { name: spelled(&name.name), ..column }).collect())
}

/// An alias with its columns, quoted, in the spelling that unquoted use means.
pub(super) fn quoted_alias(alias: &TableAlias) -> TableAlias {
    let mut quoted = sql::alias(&spelled(&alias.name));
    quoted.columns = alias.columns.clone();
    for column in &mut quoted.columns {
        column.name = sql::name(&spelled(&column.name));
    }
    quoted
}

/// The name that an identifier gives: as quoted, else in lower case.
pub(super) fn spelled(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}
