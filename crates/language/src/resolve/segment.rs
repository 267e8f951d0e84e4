//! Segments: the columns that say whether a row is in one, or was at its last refresh, and the definitions that make them.

use std::sync::Arc;

use muster_catalog::{ColumnType, Kind, SegmentNames, TableNames};
use sqlparser::ast::{self, Expr, GroupByExpr, Ident, OrderByKind, Select, SelectItem, SetExpr, Spanned};
use sqlparser::tokenizer::Span;

use super::scope::{Source, Typed, same_name};
use super::tables::Table;
use super::{Resolver, unknown};
use crate::error::ErrorKind;
use crate::resolved::{Body, GrainQuery, OutputColumn, Relation, ResolvedQuery, ResolvedSegment, hidden};
use crate::source::Fault;
use crate::sql;

/// Under which segments are used: who is in them on the query's snapshot.
pub(super) const SEGMENTS: &str = "segments";

/// Under which stored audiences are used: who was in a segment at its last refresh.
pub(super) const AUDIENCES: &str = "audiences";

impl<'a> Resolver<'a> {
    /// `segments.name`: whether the row, the one above it that the segment is about, or its profile is in it.
    pub(super) fn segment(&mut self, name: &Ident) -> Result<Typed, Fault> {
        let segment = self.segment_called(name)?;
        let (column, written) = (hidden::segment(&segment.name), format!("{SEGMENTS}.{}", name.value));
        let Some(table) = self.names.table(&segment.grain) else { return Err(unknown::segment(self.names, name)) };
        self.segments_used.insert(segment.name.clone());
        self.of_row(table, (&column, ColumnType::Bool), (name.span, written))
    }

    /// `audiences.name`: whether the row's profile was in it at its last refresh; of a row segment, one of its rows.
    pub(super) fn audience(&mut self, name: &Ident) -> Result<Typed, Fault> {
        let segment = self.segment_called(name)?;
        let (column, written) = (hidden::audience(&segment.name), format!("{AUDIENCES}.{}", name.value));
        let Some(root) = self.names.root() else { return Err(unknown::segment(self.names, name)) };
        self.audiences_used.insert(segment.name.clone());
        self.of_row(root, (&column, ColumnType::Bool), (name.span, written))
    }

    fn segment_called(&self, name: &Ident) -> Result<&'a SegmentNames, Fault> {
        let names = self.names;
        let known = names.segments.iter().find(|segment| same_name(name, &segment.name));
        known.ok_or_else(|| unknown::segment(names, name))
    }

    /// What the hidden column `column` of the row of `table` at hand holds; `written` is what stands in the query, and where.
    pub(super) fn of_row(
        &mut self,
        table: &'a TableNames,
        (column, holds): (&str, ColumnType),
        (span, written): (Span, String),
    ) -> Result<Typed, Fault> {
        let alias = self.alias_of_row(table, column, (span, &written))?;
        self.tables_used.insert(table.name.clone());
        self.scope().note_loose(span, written, false);
        Ok(Typed::new(sql::column(&alias, column), Some(holds)))
    }

    /// The alias of the row of `table` in the innermost scope, with `column` among those that are used.
    fn alias_of_row(
        &mut self,
        table: &'a TableNames,
        column: &str,
        (span, written): (Span, &str),
    ) -> Result<String, Fault> {
        let names = self.names;
        match &mut self.scope().source {
            Source::Rows(reach) if reach.is_on_path(table) => {
                let alias = reach.ancestor(table);
                reach.use_column(&alias, column);
                Ok(alias)
            }
            Source::Rows(reach) => {
                let message =
                    format!("{written} is about rows of {}, and here is a row of {}", table.name, reach.base.name);
                let hint = format!("has({}) FILTER (WHERE {written})", table.name);
                Err(Fault::new(ErrorKind::Position, span, message).hint(hint))
            }
            Source::Tables(tables) => {
                let is_it = |relation: &Relation| relation.table == table.name;
                let has_it = |one: &&mut Table| one.relation.as_ref().is_some_and(is_it);
                let mut found: Vec<_> = tables.tables.iter_mut().filter(has_it).collect();
                let [only] = found.as_mut_slice() else {
                    let message = format!("{written} needs the one row of {} it is about", table.name);
                    let hint = format!("use it FROM {} or a history below, or with {0} once in FROM", table.name);
                    return Err(Fault::new(ErrorKind::Position, span, message).hint(hint));
                };
                only.use_column(names, column);
                Ok(only.alias.clone())
            }
        }
    }

    /// A definition: rows of one table, as ids.
    pub(super) fn segment_definition(self, query: &ast::Query) -> Result<ResolvedSegment, Fault> {
        self.definition_of(query, |table| ids_of(table, query.span()))
    }

    /// The rows that a query selects, as the columns that `ids` of their table names.
    pub(super) fn definition_of(
        self,
        query: &ast::Query,
        ids: impl FnOnce(&TableNames) -> Result<Vec<String>, Fault>,
    ) -> Result<ResolvedSegment, Fault> {
        let names = self.names;
        refuse_definition(query)?;
        let mut resolved = self.whole(&without_stars(query))?;
        let Body::Grain(grain) = &mut resolved.body else {
            let message = "a segment selects rows of profiles or of one history table";
            return Err(Fault::new(ErrorKind::NotAllowed, query.span(), message).hint("SELECT * FROM profiles WHERE …"));
        };
        let grain = Arc::make_mut(grain);
        if grain.grouped {
            return Err(no_part(query.span(), "aggregate over its rows"));
        }
        let table = names.table(&grain.rows.relations[0].table);
        let table = table.ok_or_else(|| Fault::new(ErrorKind::UnknownName, query.span(), "the table is gone"))?;
        let ids = ids(table)?;
        show_ids(grain, &resolved.columns, table, &ids);
        let columns = ids.into_iter().map(|id| id_column(table, id)).collect();
        Ok(ResolvedSegment { grain: table.name.clone(), query: ResolvedQuery { columns, ..resolved } })
    }
}

/// The query with nothing in the place of `*`: of a segment only the ids are shown, so its columns need not be read.
fn without_stars(query: &ast::Query) -> ast::Query {
    let mut query = query.clone();
    if let SetExpr::Select(select) = query.body.as_mut() {
        for item in &mut select.projection {
            if matches!(item, SelectItem::Wildcard(options) if *options == Default::default()) {
                *item = SelectItem::UnnamedExpr(sql::number(1));
            }
        }
    }
    query
}

/// What a segment's query may not have.
fn refuse_definition(query: &ast::Query) -> Result<(), Fault> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        let message = "a segment's query is one SELECT";
        return Err(Fault::new(ErrorKind::NotAllowed, query.span(), message));
    };
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let joined = select.from.len() > 1 || select.from.iter().any(|tables| !tables.joins.is_empty());
    let found =
        [(grouped || select.having.is_some(), "GROUP BY"), (select.distinct.is_some(), "DISTINCT"), (joined, "join")];
    match found.iter().find(|(is_there, _)| *is_there) {
        Some((_, what)) => Err(no_part(select.span(), what)),
        None => Ok(()),
    }
}

fn no_part(span: Span, what: &str) -> Fault {
    let fault = Fault::new(ErrorKind::NotAllowed, span, format!("a segment's query has no {what}"));
    fault.hint("it selects rows of one table: SELECT * FROM profiles WHERE …")
}

/// The columns that identify the rows of a segment.
fn ids_of(table: &TableNames, span: Span) -> Result<Vec<String>, Fault> {
    if table.kind == Kind::Root {
        return Ok(vec![hidden::ROW.to_owned()]);
    }
    let Some(key) = &table.key else {
        let message = format!("rows of {} have no key, so a segment cannot hold them", table.name);
        return Err(Fault::new(ErrorKind::NotAllowed, span, message).hint("declare `key` in muster.toml"));
    };
    Ok(vec![hidden::ROW.to_owned(), hidden::PROFILE.to_owned(), key.clone()])
}

/// Puts the ids in the place of what was selected; an order by something selected becomes one by its expression.
fn show_ids(grain: &mut GrainQuery, columns: &[OutputColumn], table: &TableNames, ids: &[String]) {
    let relation = &mut grain.rows.relations[0];
    for id in ids {
        super::reach::insert_column(&mut relation.columns, table, id);
    }
    let SetExpr::Select(select) = grain.rest.body.as_mut() else { return };
    if let Some(OrderByKind::Expressions(orders)) = grain.rest.order_by.as_mut().map(|order_by| &mut order_by.kind) {
        for order in orders {
            if let Some(meant) = selected(select, columns, &order.expr) {
                order.expr = meant;
            }
        }
    }
    select.projection = ids.iter().map(|id| sql::aliased(sql::column(&relation.alias, id), id)).collect();
}

/// The expression behind a column of the result.
fn selected(select: &Select, columns: &[OutputColumn], expr: &Expr) -> Option<Expr> {
    let Expr::Identifier(name) = expr else { return None };
    let index = columns.iter().position(|column| column.name == name.value)?;
    match select.projection.get(index)? {
        SelectItem::ExprWithAlias { expr, .. } => Some(expr.clone()),
        _ => None,
    }
}

fn id_column(table: &TableNames, id: String) -> OutputColumn {
    let holds = table.column(&id).map_or(Some(ColumnType::Int), |column| Some(column.column_type));
    OutputColumn { name: id, holds }
}
