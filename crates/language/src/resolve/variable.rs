//! Variables: named expressions over a profile, which are columns of it from then on.

use std::sync::Arc;

use sqlparser::ast::{self, SetExpr, Spanned};

use super::Resolver;
use super::reach::insert_column;
use super::scope::Source;
use crate::error::ErrorKind;
use crate::resolved::{Body, OutputColumn, Relation, ResolvedQuery, hidden};
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// A definition: the ids of profiles and the value of each, from `SELECT expression AS name FROM profiles`.
    pub(super) fn variable_definition(self, query: &ast::Query) -> Result<ResolvedQuery, Fault> {
        let names = self.names;
        let mut resolved = self.whole(query)?;
        let Body::Grain(grain) = &mut resolved.body else {
            let message = "a variable is an expression over a profile";
            return Err(Fault::new(ErrorKind::NotAllowed, query.span(), message));
        };
        let grain = Arc::make_mut(grain);
        if grain.grouped {
            let message = "a variable has a value per profile, and this aggregates over all of them";
            let hint = "reduce a history of the profile: sum(orders.total)";
            return Err(Fault::new(ErrorKind::NotAllowed, query.span(), message).hint(hint));
        }
        let profiles = &mut grain.rows.relations[0];
        if let Some(table) = names.table(&profiles.table) {
            insert_column(&mut profiles.columns, table, hidden::ROW);
        }
        if let SetExpr::Select(select) = grain.rest.body.as_mut() {
            select.projection.insert(0, sql::aliased(sql::column(&profiles.alias, hidden::ROW), hidden::ROW));
        }
        resolved
            .columns
            .insert(0, OutputColumn { name: hidden::ROW.to_owned(), holds: Some(muster_catalog::ColumnType::Int) });
        Ok(resolved)
    }

    /// Keeps which variables the innermost SELECT reads.
    pub(super) fn note_variables(&mut self) {
        let (Some(root), variables) = (self.names.root(), &self.names.variables) else { return };
        let mut used = Vec::new();
        let mut note = |relation: &Relation| {
            let read =
                relation.columns.iter().filter(|column| relation.table == root.name && variables.contains(*column));
            used.extend(read.cloned());
        };
        match self.scopes.last().map(|scope| &scope.source) {
            Some(Source::Rows(reach)) => reach.rows.each_relation(&mut note),
            Some(Source::Tables(tables)) => {
                tables.tables.iter().filter_map(|table| table.relation.as_ref()).for_each(note)
            }
            None => {}
        }
        self.variables_used.extend(used);
    }
}
