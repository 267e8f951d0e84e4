//! ORDER BY: by columns of the result where it can be, with NULLs last unless written otherwise.

use sqlparser::ast::{Expr, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Spanned, Value};

use super::projection::Projection;
use super::scope::{Clause, same_name};
use super::{Resolver, refuse, ties};
use crate::error::ErrorKind;
use crate::resolved::OutputColumn;
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// The ORDER BY of a SELECT.
    pub(super) fn order_by(
        &mut self,
        order_by: Option<&OrderBy>,
        projection: &Projection,
        distinct: bool,
    ) -> Result<Vec<OrderByExpr>, Fault> {
        self.scope().clause = Clause::OrderBy;
        let resolved = order_expressions(order_by)?.iter().map(|order| {
            let expr = self.ordered_by(&order.expr, projection)?;
            if distinct && !matches!(expr, Expr::Identifier(_)) {
                let message = "with DISTINCT, only what is selected can order the result";
                return Err(Fault::new(ErrorKind::Position, order.expr.span(), message));
            }
            Ok(OrderByExpr { expr, options: nulls_last(order.options), with_fill: None })
        });
        resolved.collect()
    }

    /// What ORDER BY orders by: a column of the result by its number, its name or its expression, else an expression.
    fn ordered_by(&mut self, expr: &Expr, projection: &Projection) -> Result<Expr, Fault> {
        if let Some(column) = output_column(expr, &projection.columns)? {
            return Ok(column);
        }
        let resolved = self.expression(expr)?.sql;
        let shown = projection.expressions.iter().position(|shown| *shown == resolved);
        Ok(shown.map_or(resolved, |index| Expr::Identifier(sql::name(&projection.columns[index].name))))
    }

    /// The ORDER BY of a set operation, which sees nothing but the columns of the result.
    pub(super) fn order_of_output(
        &mut self,
        order_by: Option<&OrderBy>,
        columns: &[OutputColumn],
        limited: bool,
    ) -> Result<Option<OrderBy>, Fault> {
        let resolved = order_expressions(order_by)?.iter().map(|order| {
            let message = "only columns of the result can order it, by name or number";
            let column = output_column(&order.expr, columns)?;
            let expr = column.ok_or_else(|| Fault::new(ErrorKind::Position, order.expr.span(), message))?;
            Ok(OrderByExpr { expr, options: nulls_last(order.options), with_fill: None })
        });
        let mut resolved = resolved.collect::<Result<Vec<_>, Fault>>()?;
        if limited {
            ties::by_columns(&mut resolved, columns);
        }
        Ok(ordered(resolved))
    }
}

fn order_expressions(order_by: Option<&OrderBy>) -> Result<&[OrderByExpr], Fault> {
    let Some(order_by) = order_by else { return Ok(&[]) };
    match &order_by.kind {
        OrderByKind::Expressions(expressions) => match expressions.iter().find(|order| order.with_fill.is_some()) {
            Some(filled) => Err(refuse::modifier(filled.span(), "WITH FILL")),
            None => Ok(expressions),
        },
        OrderByKind::All(_) => Err(refuse::modifier(order_by.span(), "ORDER BY ALL")),
    }
}

/// NULLs last unless written otherwise.
pub(super) fn nulls_last(options: OrderByOptions) -> OrderByOptions {
    OrderByOptions { nulls_first: Some(options.nulls_first.unwrap_or(false)), ..options }
}

/// The clause, if there is anything in it.
pub(super) fn ordered(expressions: Vec<OrderByExpr>) -> Option<OrderBy> {
    let kind = OrderByKind::Expressions(expressions);
    matches!(&kind, OrderByKind::Expressions(some) if !some.is_empty()).then_some(OrderBy { kind, interpolate: None })
}

/// The column of the result that a number or a bare name means.
fn output_column(expr: &Expr, columns: &[OutputColumn]) -> Result<Option<Expr>, Fault> {
    if let Some(number) = ordinal(expr) {
        let column = number.checked_sub(1).and_then(|index| columns.get(index));
        let column = column.ok_or_else(|| no_such_item(expr, number))?;
        return Ok(Some(Expr::Identifier(sql::name(&column.name))));
    }
    let Expr::Identifier(name) = expr else { return Ok(None) };
    let column = columns.iter().find(|column| same_name(name, &column.name));
    Ok(column.map(|column| Expr::Identifier(sql::name(&column.name))))
}

/// The number, if the expression is nothing else.
pub(super) fn ordinal(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The fault of a number that the list behind SELECT does not reach.
pub(super) fn no_such_item(expr: &Expr, number: usize) -> Fault {
    Fault::new(ErrorKind::UnknownName, expr.span(), format!("the SELECT has no column {number}"))
}
