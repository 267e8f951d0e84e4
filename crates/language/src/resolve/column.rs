//! The column that a name stands for: in which of the open SELECTs it is looked for, and in which order.

use muster_catalog::LISTS;
use sqlparser::ast::{Expr, Ident};
use sqlparser::tokenizer::Span;

use super::list::list_as_one;
use super::scope::{Scope, Source, Typed, same_name};
use super::score::missing;
use super::segment::{AUDIENCES, SEGMENTS};
use super::{Resolver, unknown};
use crate::error::ErrorKind;
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// The column that a name means: here, in a SELECT around this one, or behind a name that the SELECT gives.
    pub(super) fn column(&mut self, parts: &[Ident]) -> Result<Typed, Fault> {
        if let [head, name] = parts {
            match head {
                head if same_name(head, SEGMENTS) => return self.segment(name),
                head if same_name(head, AUDIENCES) => return self.audience(name),
                head if same_name(head, LISTS) => return self.list(name),
                _ => {}
            }
        }
        let joined = list_as_one(parts);
        let parts = joined.as_deref().unwrap_or(parts);
        // A name that a FROM gives is meant before a way that leads there: in a subquery over orders, `profiles.country` is
        // the outer row's where the outer query is FROM profiles, as in SQL.
        let named = self.scopes_in_sight().find(|index| parts.len() > 1 && self.names_row(*index, &parts[0]));
        if named.is_none()
            && let [head, name] = parts
            && let Some(score) = self.score_called(head)
        {
            return self.score(score, head, name);
        }
        let searched: Vec<usize> = named.map_or_else(|| self.scopes_in_sight().collect(), |index| vec![index]);
        for index in searched {
            if let Some(typed) = self.column_of_scope(index, parts)? {
                self.refuse_correlated(index, parts)?;
                self.outermost_used = self.outermost_used.min(index);
                if index + 1 == self.scopes.len() {
                    self.note_loose(parts);
                }
                return Ok(typed);
            }
        }
        match self.named_item(parts) {
            Some(item) => self.item(&item),
            None => Err(self.unknown_column(parts)),
        }
    }

    /// Whether a scope gives this name to its rows; a history aggregate around a query also to those around it.
    fn names_row(&self, index: usize, name: &Ident) -> bool {
        let scope = &self.scopes[index];
        let around = index + 1 < self.scopes.len() && scope.is_history();
        let is_around = matches!(&scope.source, Source::Rows(reach) if around && reach.row_named(name).is_some());
        is_around || scope.gives(name)
    }

    /// Refuses a name of a row that is reduced, in a query inside the aggregate: no engine runs that for each row.
    fn refuse_correlated(&self, index: usize, parts: &[Ident]) -> Result<(), Fault> {
        if index + 1 == self.scopes.len() || !self.scopes[index].is_history() {
            return Ok(());
        }
        let written: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        let message = format!("`{}` is of a row around this query", written.join("."));
        let fault = Fault::new(ErrorKind::NotAllowed, parts[0].span, message);
        Err(fault.hint("a query inside a history aggregate sees its own rows only; name its tables: FROM orders AS o"))
    }

    /// The scopes that a name may belong to, innermost first: from inside a history aggregate only that one.
    pub(super) fn scopes_in_sight(&self) -> impl Iterator<Item = usize> + use<> {
        let innermost = self.scopes.len().saturating_sub(1);
        let closed = self.scopes.iter().rposition(Scope::is_history).unwrap_or(0);
        (closed..=innermost).rev()
    }

    fn column_of_scope(&mut self, index: usize, parts: &[Ident]) -> Result<Option<Typed>, Fault> {
        let names = self.names;
        match &mut self.scopes[index].source {
            Source::Tables(tables) => tables.find(names, parts),
            Source::Rows(reach) => {
                let bound = reach.find(parts)?;
                let typed = bound.map(|bound| {
                    self.tables_used.extend(reach.table_behind(&bound.alias));
                    Typed::new(sql::column(&bound.alias, &bound.column), Some(bound.holds))
                });
                Ok(typed)
            }
        }
    }

    fn note_loose(&mut self, parts: &[Ident]) {
        let written: Vec<String> = parts.iter().map(|part| part.value.clone()).collect();
        let span = parts.first().map_or_else(Span::empty, |part| part.span);
        self.scope().note_loose(span, written.join("."), false);
    }

    fn named_item(&mut self, parts: &[Ident]) -> Option<Expr> {
        let scope = self.scope();
        let [name] = parts else { return None };
        let item =
            scope.items.iter().filter(|_| scope.clause.sees_items()).find(|(item, _)| same_name(name, &item.value));
        item.map(|(_, expr)| expr.clone())
    }

    /// What a name of the SELECT stands for; inside it such names are not seen, so it cannot mean itself.
    fn item(&mut self, item: &Expr) -> Result<Typed, Fault> {
        let items = std::mem::take(&mut self.scope().items);
        let resolved = self.expression(item);
        self.scope().items = items;
        resolved
    }

    fn unknown_column(&mut self, parts: &[Ident]) -> Fault {
        let names = self.names;
        let head = parts.first().filter(|_| parts.len() > 1);
        head.and_then(|head| missing(names, head)).unwrap_or_else(|| unknown::column(names, self.scope(), parts))
    }
}
