//! A query over one table: FROM, WHERE, GROUP BY, HAVING, SELECT, QUALIFY, ORDER BY, LIMIT.

use std::ops::ControlFlow;

use muster_catalog::{Kind as TableKind, LISTS};
use sqlparser::ast::{
    self, Distinct, GroupByExpr, Ident, LimitClause, ObjectName, OrderByExpr, OrderByKind, Query, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableFactor, WildcardAdditionalOptions,
};

use super::history::whole_number;
use super::names::Seen;
use super::{Mode, Resolver, parsed, same_name};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{Grouping, OrderKey, Select};

/// An item of SELECT: its name, whether it was given, and what it is.
struct Item {
    name: String,
    is_alias: bool,
    expr: ast::Expr,
}

impl Resolver<'_> {
    pub(super) fn query(&mut self, query: &Query) -> Result<Select> {
        let select = plain_select(query)?;
        let grain = self.grain(select)?;
        let condition = select.selection.as_ref().map(|condition| self.expr(condition)).transpose()?;
        let items = self.items(select, grain)?;
        let order = order_of(query)?;
        let keys = self.group_keys(select, &items)?;
        let is_grouped = !keys.is_empty()
            || select.having.is_some()
            || items
                .iter()
                .map(|item| &item.expr)
                .chain(order.iter().map(|key| &key.expr))
                .any(|expr| self.has_group_aggregate(expr));
        let grouping = self.grouping(select, is_grouped, &keys, &items)?;
        self.mode = if is_grouped { Mode::Group(keys) } else { Mode::Answer };
        let output = items.iter().map(|item| Ok((item.name.clone(), self.expr(&item.expr)?))).collect::<Result<_>>()?;
        let order = order.iter().map(|key| self.order_key(key, meant(&key.expr, &items))).collect::<Result<_>>()?;
        let qualify = select.qualify.as_ref().map(|qualify| self.expr(&with_aliases(qualify, &items))).transpose()?;
        let (limit, offset) = limits(query)?;
        let distinct = select.distinct.is_some();
        Ok(Select { grain, condition, grouping, output, distinct, order, qualify, limit, offset })
    }

    /// "A segment's query has no GROUP BY, DISTINCT or join"; its grain is `profiles` or a history table with a key.
    pub(super) fn segment_query(&mut self, text: &str) -> Result<Select> {
        let is_condition = text.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("where"));
        let root = &self.world.catalog.root().name;
        let whole = if is_condition { format!("SELECT * FROM {root}\n{text}") } else { text.to_owned() };
        let query = parsed(&whole)?;
        if let SetExpr::Select(select) = query.body.as_ref()
            && select.from.iter().any(|from| !from.joins.is_empty())
        {
            return Err(Error::at(Kind::Segment, &*query, "a segment's query has no join"));
        }
        let select = self.query(&query)?;
        if select.grouping.is_some() || select.distinct {
            return Err(Error::at(Kind::Segment, &*query, "a segment's query has no GROUP BY and no DISTINCT"));
        }
        let table = &self.world.catalog.tables[select.grain];
        if table.kind.is_beside_the_tree() || table.key_parts.is_empty() {
            let message = format!("`{}` cannot be the grain of a segment: it has no key, or no owner", table.name);
            return Err(Error::at(Kind::Grain, &*query, message));
        }
        Ok(select)
    }

    /// "A query's grain is the one catalog table in its FROM (alias allowed)".
    fn grain(&mut self, select: &ast::Select) -> Result<usize> {
        let [from] = select.from.as_slice() else {
            return Err(Error::unsupported(select, "a FROM of other than one table"));
        };
        if !from.joins.is_empty() {
            return Err(Error::unsupported(select, "joins"));
        }
        let TableFactor::Table {
            name,
            alias,
            args: None,
            with_hints,
            version,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample,
            index_hints,
        } = &from.relation
        else {
            return Err(Error::unsupported(&from.relation, format!("`{}` in FROM", from.relation)));
        };
        if !with_hints.is_empty()
            || version.is_some()
            || !partitions.is_empty()
            || sample.is_some()
            || !index_hints.is_empty()
            || !select.optimizer_hints.is_empty()
        {
            return Err(Error::at(Kind::Forbidden, &from.relation, "a modifier that would be ignored in silence"));
        }
        if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
            return Err(Error::unsupported(&from.relation, "names of columns in FROM"));
        }
        let table = self.table_in_from(name)?;
        let row = self.new_row(table, None, alias.is_some());
        self.enter(row, alias.as_ref().map(|alias| &alias.name));
        Ok(table)
    }

    fn table_in_from(&self, name: &ObjectName) -> Result<usize> {
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let found = match parts.as_slice() {
            [table] => self.table(table),
            [lists, list] if same_name(lists, LISTS) => self.world.catalog.tables.iter().position(|table| {
                let plain = table.name.strip_prefix(LISTS).and_then(|name| name.strip_prefix('.'));
                table.kind == TableKind::List && plain.is_some_and(|plain| same_name(list, plain))
            }),
            _ => None,
        };
        found.ok_or_else(|| Error::at(Kind::UnknownName, name, format!("there is no table `{name}`")))
    }

    fn items(&self, select: &ast::Select, grain: usize) -> Result<Vec<Item>> {
        let columns = || {
            self.world.rows(grain).columns.iter().map(|(name, _)| {
                let column = Ident::with_quote('"', name.clone());
                Item { name: name.clone(), is_alias: false, expr: ast::Expr::Identifier(column) }
            })
        };
        let plain = WildcardAdditionalOptions::default();
        let mut items = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::Wildcard(options) if *options == plain => items.extend(columns()),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(row), options)
                    if *options == plain && self.is_row_of_grain(row) =>
                {
                    items.extend(columns());
                }
                SelectItem::UnnamedExpr(expr) => {
                    items.push(Item { name: expr.to_string(), is_alias: false, expr: expr.clone() });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    items.push(Item { name: alias.value.clone(), is_alias: true, expr: expr.clone() });
                }
                other => return Err(Error::unsupported(other, format!("`{other}`"))),
            }
        }
        Ok(items)
    }

    /// Whether `row.*` is all of the grain's row.
    fn is_row_of_grain(&self, row: &ObjectName) -> bool {
        let path: Option<Vec<Ident>> = row.0.iter().map(|part| part.as_ident().cloned()).collect();
        path.and_then(|path| self.row(&path).ok()) == Some(Seen::Row(self.innermost()))
    }

    /// The keys of GROUP BY; a number is the item of SELECT at that place, and so is a name that no column has.
    fn group_keys(&mut self, select: &ast::Select, items: &[Item]) -> Result<Vec<ast::Expr>> {
        let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else {
            return Err(Error::unsupported(select, "GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(Error::unsupported(select, "modifiers of GROUP BY"));
        }
        let key = |key: &ast::Expr| match key {
            ast::Expr::Identifier(_) if self.expr(key).is_ok() => key.clone(),
            _ => meant(key, items).clone(),
        };
        Ok(keys.iter().map(key).collect())
    }

    fn grouping(
        &mut self,
        select: &ast::Select,
        is_grouped: bool,
        keys: &[ast::Expr],
        items: &[Item],
    ) -> Result<Option<Grouping>> {
        if !is_grouped {
            return Ok(None);
        }
        let resolved = keys.iter().map(|key| self.expr(key)).collect::<Result<_>>()?;
        self.mode = Mode::Group(keys.to_vec());
        let having = select.having.as_ref().map(|having| self.expr(&with_aliases(having, items))).transpose()?;
        Ok(Some(Grouping { keys: resolved, having }))
    }

    /// "ORDER BY puts NULLs last unless written otherwise".
    pub(super) fn order_key(&mut self, key: &OrderByExpr, by: &ast::Expr) -> Result<OrderKey> {
        let descending = key.options.asc == Some(false);
        let nulls_first = key.options.nulls_first == Some(true);
        Ok(OrderKey { by: self.expr(by)?, descending, nulls_first })
    }
}

fn plain_select(query: &Query) -> Result<&ast::Select> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return Err(Error::unsupported(query, "other than one SELECT"));
    };
    let is_plain = query.with.is_none()
        && query.fetch.is_none()
        && query.locks.is_empty()
        && query.for_clause.is_none()
        && query.settings.is_none()
        && query.format_clause.is_none()
        && query.pipe_operators.is_empty()
        && select.top.is_none()
        && select.exclude.is_none()
        && select.select_modifiers.is_none()
        && select.value_table_mode.is_none()
        && select.into.is_none()
        && select.lateral_views.is_empty()
        && select.prewhere.is_none()
        && select.connect_by.is_empty()
        && select.cluster_by.is_empty()
        && select.distribute_by.is_empty()
        && select.sort_by.is_empty()
        && select.named_window.is_empty()
        && !matches!(select.distinct, Some(Distinct::On(_)));
    if is_plain { Ok(select) } else { Err(Error::unsupported(query, "a clause of this query")) }
}

fn order_of(query: &Query) -> Result<&[OrderByExpr]> {
    match query.order_by.as_ref().map(|order| &order.kind) {
        None => Ok(&[]),
        Some(OrderByKind::Expressions(keys)) if keys.iter().all(|key| key.with_fill.is_none()) => Ok(keys),
        Some(_) => Err(Error::unsupported(query, "this ORDER BY")),
    }
}

/// The item of SELECT that a number or a given name stands for, else the expression itself.
fn meant<'a>(expr: &'a ast::Expr, items: &'a [Item]) -> &'a ast::Expr {
    let item = match expr {
        ast::Expr::Identifier(name) => items.iter().find(|item| item.is_alias && same_name(name, &item.name)),
        _ => whole_number(expr).and_then(|place| items.get(usize::try_from(place).ok()?.checked_sub(1)?)),
    };
    item.map_or(expr, |item| &item.expr)
}

/// HAVING and QUALIFY may speak of what SELECT gave a name.
fn with_aliases(expr: &ast::Expr, items: &[Item]) -> ast::Expr {
    let mut expr = expr.clone();
    let _ = ast::visit_expressions_mut(&mut expr, |inner| {
        if let ast::Expr::Identifier(_) = inner {
            *inner = meant(inner, items).clone();
        }
        ControlFlow::<()>::Continue(())
    });
    expr
}

fn limits(query: &Query) -> Result<(Option<usize>, usize)> {
    let number = |expr: &ast::Expr| {
        let number = whole_number(expr).and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| Error::at(Kind::Arguments, expr, "expected a whole number, 0 or more"))
    };
    match &query.limit_clause {
        None => Ok((None, 0)),
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
            let limit = limit.as_ref().map(number).transpose()?;
            let offset = offset.as_ref().map(|offset| number(&offset.value)).transpose()?;
            Ok((limit, offset.unwrap_or(0)))
        }
        Some(_) => Err(Error::unsupported(query, "this LIMIT")),
    }
}
