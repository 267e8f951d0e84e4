//! `affinity('product')`: what is bought together, a table that is learnt from all purchases before the query runs.

use muster_catalog::{ColumnType, nearest};
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, ObjectName, Spanned, TableAlias, TableFactor, TableFunctionArgs,
};
use sqlparser::tokenizer::Span;

use super::tables::{Table, quoted_alias, renamed};
use super::{Resolver, refuse};
use crate::error::ErrorKind;
use crate::functions::AFFINITY;
use crate::resolved::{OutputColumn, hidden};
use crate::source::Fault;
use crate::sql;

/// Its columns: of whoever has `item` in a basket, how many have `other` in it too.
pub const AFFINITY_COLUMNS: [(&str, ColumnType); 7] = [
    ("item", ColumnType::Text),
    ("other", ColumnType::Text),
    ("count", ColumnType::Int),
    ("support", ColumnType::Float),
    ("confidence", ColumnType::Float),
    ("lift", ColumnType::Float),
    ("leverage", ColumnType::Float),
];

impl Resolver<'_> {
    /// Its rows, under its own name or an alias.
    pub(super) fn affinity(
        &mut self,
        name: &ObjectName,
        arguments: &TableFunctionArgs,
        alias: Option<&TableAlias>,
    ) -> Result<TableFactor, Fault> {
        let span = name.span();
        if arguments.settings.is_some() {
            return Err(refuse::modifier(span, "SETTINGS"));
        }
        let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = &arguments.args[..] else {
            let message = format!("`{AFFINITY}` takes the name of one affinity");
            return Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(self.known_affinities()));
        };
        let known = self.affinity_called(argument, span)?;
        let alias = self.alias_of_call(AFFINITY, alias)?;
        let columns = AFFINITY_COLUMNS
            .map(|(name, column_type)| OutputColumn { name: name.to_owned(), holds: Some(column_type) })
            .to_vec();
        let quoted = quoted_alias(&alias);
        let columns = renamed(columns, &alias)?;
        let table = Table { alias: quoted.name.value.clone(), columns, relation: None };
        self.tables().add(table, &alias.name)?;
        let hidden = hidden::affinity(&known);
        self.affinities_used.insert(known);
        Ok(sql::table(&hidden, Some(quoted)))
    }

    fn affinity_called(&mut self, argument: &Expr, span: Span) -> Result<String, Fault> {
        let Some(written) = self.expression(argument)?.text else {
            let message = format!("the name of an affinity is a text that is written out, found `{argument}`");
            return Err(Fault::new(ErrorKind::Literal, argument.span(), message).hint(self.known_affinities()));
        };
        let known = &self.names.affinities;
        if let Some(found) = known.iter().find(|known| known.eq_ignore_ascii_case(&written)) {
            return Ok(found.clone());
        }
        let fault = Fault::new(ErrorKind::UnknownName, span, format!("there is no affinity `{written}`"));
        Err(fault.hint(match nearest(&written, known.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean '{nearest}'?"),
            None => self.known_affinities(),
        }))
    }

    fn known_affinities(&self) -> String {
        match &self.names.affinities[..] {
            [] => "write [scores.affinity.product] with `table` and `item` into muster.toml".to_owned(),
            known => {
                let calls: Vec<String> = known.iter().map(|name| format!("FROM {AFFINITY}('{name}')")).collect();
                calls.join(", ")
            }
        }
    }
}
