//! Which of two equal rows comes first, where a LIMIT makes it matter; without ORDER BY all rows are equal.
//!
//! Never chance, and never an internal id: the profile's key, then the order of its rows by time, ancestors' keys, own key or content.

use muster_catalog::{ColumnType, Kind, TableNames};
use sqlparser::ast::{Expr, OrderByExpr, OrderByOptions};

use super::Resolver;
use super::reach::Reach;
use super::scope::Source;
use crate::resolved::{OutputColumn, hidden};
use crate::sql;

impl<'a> Resolver<'a> {
    /// Completes an order, so that it decides between any two rows that differ; `by_rows` where the result's rows are the
    /// grain's.
    pub(super) fn break_ties(&mut self, order: &mut Vec<OrderByExpr>, columns: &[OutputColumn], by_rows: bool) {
        match &mut self.scope().source {
            Source::Rows(reach) if by_rows => {
                // Keys and times are never NULL; of a row that has no key, no value stands first, as in its row order.
                for (alias, column) in row_order(reach) {
                    append(order, sql::column(&alias, &column), reach.base.key.is_none());
                }
            }
            Source::Rows(_) | Source::Tables(_) => by_columns(order, columns),
        }
    }
}

/// Completes an order by the columns of the result: rows that are still equal cannot be told apart.
pub(super) fn by_columns(order: &mut Vec<OrderByExpr>, columns: &[OutputColumn]) {
    for column in columns.iter().filter(|column| column.holds != Some(ColumnType::Set)) {
        append(order, Expr::Identifier(sql::name(&column.name)), false);
    }
}

fn append(order: &mut Vec<OrderByExpr>, expr: Expr, nulls_first: bool) {
    if order.iter().all(|known| known.expr != expr) {
        let options = OrderByOptions { asc: None, nulls_first: Some(nulls_first) };
        order.push(OrderByExpr { expr, options, with_fill: None });
    }
}

/// The columns that order the rows of a table, with the aliases that have them.
fn row_order(reach: &mut Reach<'_>) -> Vec<(String, String)> {
    let path: Vec<&TableNames> = reach.path().collect();
    let (own, ancestors) = path.split_first().expect("a path begins with the table itself");
    let is_history = matches!(own.kind, Kind::History { .. });
    let mut order = Vec::new();
    if let Some((root, between)) = ancestors.split_last() {
        order.extend(root.key.clone().map(|key| (reach.ancestor(root), key)));
        order.extend(is_history.then(|| (reach.alias().to_owned(), hidden::TIME.to_owned())));
        let keys = between.iter().rev().filter_map(|table| Some((*table, table.key.clone()?)));
        order.extend(keys.map(|(table, key)| (reach.ancestor(table), key)));
    }
    order.extend(own_order(own).into_iter().map(|column| (reach.alias().to_owned(), column)));
    for (alias, column) in &order {
        reach.use_column(alias, column);
    }
    order
}

/// The key, or every column of a table without one; sets have no order.
fn own_order(table: &TableNames) -> Vec<String> {
    let content = table.columns.iter().filter(|column| column.column_type != ColumnType::Set);
    match &table.key {
        Some(key) => vec![key.clone()],
        None => content.map(|column| column.name.clone()).collect(),
    }
}
