//! Over which table an aggregate ranges, by what its argument mentions (rule 1).

use std::ops::ControlFlow;

use muster_catalog::{Kind as TableKind, LISTS};
use sqlparser::ast::{self, Ident, Visit, Visitor};

use super::call::{Call, function_name};
use super::{Resolver, same_name};
use crate::interpreter::error::{Error, Kind, Result};

/// The functions over many rows.
const AGGREGATES: [&str; 13] =
    ["count", "sum", "avg", "min", "max", "median", "stddev", "has", "every", "mode", "first", "last", "nth"];

pub(super) fn is_aggregate(function: &ast::Function) -> bool {
    function_name(function).is_ok_and(|name| AGGREGATES.contains(&name.as_str()))
}

/// How an aggregate says what it ranges over.
pub(super) enum Level {
    /// Its first argument is a table, a name or `latest(…)`.
    First,
    /// The deepest history table that its argument mentions.
    Mentioned(usize),
    /// None: a group aggregate.
    Group,
}

impl Resolver<'_> {
    pub(super) fn level(&self, call: &Call) -> Result<Level> {
        let Some(first) = call.arguments.first() else { return Ok(Level::Group) };
        if call.name.is_some() || self.is_range(first) {
            return Ok(Level::First);
        }
        Ok(self.deepest(first)?.map_or(Level::Group, Level::Mentioned))
    }

    /// A table, or `latest(…)` and `earliest(…)` of one.
    fn is_range(&self, argument: &ast::Expr) -> bool {
        match argument {
            ast::Expr::Identifier(name) => self.table(name).is_some() && !self.has_column(name),
            ast::Expr::Function(function) => {
                function_name(function).is_ok_and(|name| ["latest", "earliest"].contains(&name.as_str()))
            }
            _ => false,
        }
    }

    /// A column named like a history table is refused elsewhere; one named like a lookup is a column.
    fn has_column(&self, name: &Ident) -> bool {
        let tables = self.chain(self.innermost()).into_iter().map(|node| self.nodes[node].table);
        tables.into_iter().any(|table| self.world.rows(table).columns.iter().any(|(column, _)| same_name(name, column)))
    }

    /// "The deepest history table that the argument mentions outside nested aggregates, not counting the grain, enclosing
    /// rows and their ancestors"; two branches are an error.
    fn deepest(&self, argument: &ast::Expr) -> Result<Option<usize>> {
        let mut mentions = Mentions { heads: Vec::new(), depth: 0 };
        let _ = argument.visit(&mut mentions);
        let mut deepest: Option<usize> = None;
        for head in &mentions.heads {
            if let Some(table) = self.history_off_the_path(head) {
                deepest = Some(self.deeper(deepest, table, head)?);
            }
        }
        for head in &mentions.heads {
            if let Some(table) = self.table_of_lookup(head, deepest)? {
                deepest = Some(self.deeper(deepest, table, head)?);
            }
        }
        Ok(deepest)
    }

    fn deeper(&self, deepest: Option<usize>, table: usize, head: &Ident) -> Result<usize> {
        match deepest {
            None => Ok(table),
            Some(other) if other == table || self.world.is_below(other, table) => Ok(other),
            Some(other) if self.world.is_below(table, other) => Ok(table),
            Some(other) => {
                let (other, table) = (self.table_name(other), self.table_name(table));
                let message = format!("`{other}` and `{table}` are two branches, and an aggregate ranges over one");
                Err(Error::named(Kind::Level, head, message))
            }
        }
    }

    fn is_own_name(&self, head: &Ident) -> bool {
        let names = self.scopes.iter().filter_map(|scope| scope.name.as_ref());
        names.into_iter().any(|name| same_name(head, &name.value))
            || same_name(head, "segments")
            || same_name(head, LISTS)
    }

    fn history_off_the_path(&self, head: &Ident) -> Option<usize> {
        let table = self.table(head).filter(|_| !self.is_own_name(head))?;
        let is_on_path = self.path().into_iter().any(|node| self.nodes[node].table == table);
        let is_history = matches!(self.world.catalog.tables[table].kind, TableKind::History { .. });
        (is_history && !is_on_path).then_some(table)
    }

    /// "A lookup stands for the one history table on whose path it is; several: an error". One that is on the path
    /// already, or on that of a table which the argument names, stands for nothing new.
    fn table_of_lookup(&self, head: &Ident, named: Option<usize>) -> Result<Option<usize>> {
        if self.is_own_name(head) || self.history_off_the_path(head).is_some() {
            return Ok(None);
        }
        let on_path: Vec<usize> = self.path().into_iter().map(|node| self.nodes[node].table).collect();
        let seen = named.map(|table| self.world.chain(table)).unwrap_or_default();
        let from = self
            .links(head)
            .filter_map(|link| self.world.catalog.tables.iter().position(|table| table.name == link.from_table));
        let from: Vec<usize> = from.collect();
        if from.iter().any(|table| on_path.contains(table) || seen.contains(table)) {
            return Ok(None);
        }
        let is_history = |table: &usize| matches!(self.world.catalog.tables[*table].kind, TableKind::History { .. });
        let histories: Vec<usize> = from.into_iter().filter(is_history).collect();
        match histories.as_slice() {
            [] => Ok(None),
            [table] => Ok(Some(*table)),
            [one, other, ..] => {
                let (one, other) = (self.table_name(*one), self.table_name(*other));
                let message = format!("`{head}` is reached from `{one}` and from `{other}`; say which");
                Err(Error::named(Kind::AmbiguousName, head, message))
            }
        }
    }

    /// Whether an expression of SELECT, HAVING or ORDER BY holds an aggregate over groups, which makes the query grouped.
    pub(super) fn has_group_aggregate(&self, expr: &ast::Expr) -> bool {
        let found = ast::visit_expressions(expr, |inner| match inner {
            ast::Expr::Function(function) if is_aggregate(function) && function.over.is_none() => {
                match Call::read(function).and_then(|call| self.level(&call)) {
                    Ok(Level::Group) => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            }
            _ => ControlFlow::Continue(()),
        });
        found.is_break()
    }
}

/// The first parts of the qualified names outside nested aggregates.
struct Mentions {
    heads: Vec<Ident>,
    depth: usize,
}

fn opens_rows(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::Function(function) => {
            is_aggregate(function) || function_name(function).is_ok_and(|name| name == "has_sequence")
        }
        _ => false,
    }
}

impl Visitor for Mentions {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        match expr {
            ast::Expr::CompoundIdentifier(parts) if self.depth == 0 => self.heads.extend(parts.first().cloned()),
            expr if opens_rows(expr) => self.depth += 1,
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        if opens_rows(expr) {
            self.depth -= 1;
        }
        ControlFlow::Continue(())
    }
}
