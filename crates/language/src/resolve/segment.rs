//! Segments: the column that says whether a row is in one, and the definitions that make them.

use std::sync::Arc;

use muster_catalog::{ColumnType, Kind, TableNames};
use sqlparser::ast::{self, Expr, GroupByExpr, Ident, OrderByKind, Select, SelectItem, SetExpr, Spanned};
use sqlparser::tokenizer::Span;

use super::scope::{Source, Typed, same_name};
use super::{Resolver, unknown};
use crate::error::ErrorKind;
use crate::resolved::{Body, GrainQuery, OutputColumn, ResolvedQuery, ResolvedSegment, hidden};
use crate::source::Fault;
use crate::sql;

impl<'a> Resolver<'a> {
    /// `segments.name`: whether the row's profile is in it.
    pub(super) fn segment(&mut self, name: &Ident) -> Result<Typed, Fault> {
        let names = self.names;
        let known = names.segments.iter().find(|segment| same_name(name, &segment.name));
        let Some(segment) = known else { return Err(unknown::segment(names, name)) };
        let root = names.tables.iter().find(|table| table.kind == Kind::Root);
        let Some(root) = root.filter(|root| root.name.eq_ignore_ascii_case(&segment.grain)) else {
            return Err(Fault::not_yet(name.span, "row segments in queries"));
        };
        self.segments_used.insert(segment.name.clone());
        self.of_profile(root, &hidden::segment(&segment.name), (name.span, format!("segments.{}", name.value)))
    }

    /// What the hidden column `column` of the row's profile says, which is TRUE or FALSE; `written` is what stands in the
    /// query, and where.
    pub(super) fn of_profile(
        &mut self,
        root: &'a TableNames,
        column: &str,
        (span, written): (Span, String),
    ) -> Result<Typed, Fault> {
        let alias = self.profile_alias(root, column, (span, &written))?;
        self.tables_used.insert(root.name.clone());
        self.scope().note_loose(span, written, false);
        Ok(Typed::new(sql::column(&alias, column), Some(ColumnType::Bool)))
    }

    /// The alias of the profile in the innermost scope, with `column` among those that are used.
    fn profile_alias(
        &mut self,
        root: &'a TableNames,
        column: &str,
        (span, written): (Span, &str),
    ) -> Result<String, Fault> {
        let names = self.names;
        match &mut self.scope().source {
            Source::Rows(reach) => {
                let alias = reach.ancestor(root);
                reach.use_column(&alias, column);
                Ok(alias)
            }
            Source::Tables(tables) => {
                let of_root = |table: &&mut super::tables::Table| {
                    table.relation.as_ref().is_some_and(|relation| relation.table == root.name)
                };
                let mut found: Vec<_> = tables.tables.iter_mut().filter(of_root).collect();
                match found.as_mut_slice() {
                    [profiles] => {
                        profiles.use_column(names, column);
                        Ok(profiles.alias.clone())
                    }
                    _ => {
                        let message = format!("{written} needs the one row of {} it is about", root.name);
                        let hint =
                            format!("use it FROM {} or a history, or with {} once in FROM", root.name, root.name);
                        Err(Fault::new(ErrorKind::Position, span, message).hint(hint))
                    }
                }
            }
        }
    }

    /// A definition: rows of one table, as ids.
    pub(super) fn segment_definition(self, query: &ast::Query) -> Result<ResolvedSegment, Fault> {
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
        let ids = ids_of(table, query.span())?;
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
