//! Expressions: every kind that may stand in a query, by name; what is not named here is refused.

use muster_catalog::ColumnType;
use sqlparser::ast::{Array, BinaryOperator, CeilFloorKind, DateTimeField, Expr, Query, Spanned, UnaryOperator};

use super::aside::Sought;
use super::literal::literal;
use super::operator::truth;
use super::scope::{Position, Typed};
use super::{Resolver, pattern};
use crate::calendar::{self, Constant};
use crate::error::ErrorKind;
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// An expression with its names bound, its clock folded and its casts and divisions made total.
    pub(super) fn expression(&mut self, expr: &Expr) -> Result<Typed, Fault> {
        let position = std::mem::replace(&mut self.scope().position, Position::Value);
        let loose_before = self.scope().loose.len();
        let typed = self.unkeyed(expr, position)?;
        let scope = self.scope();
        if scope.keys.contains(&typed.sql) {
            // A key of GROUP BY has one value per group, whatever is inside it.
            scope.loose.truncate(loose_before);
        }
        Ok(typed)
    }

    /// The same, where something is known of what becomes of its truth.
    pub(super) fn standing(&mut self, expr: &Expr, position: Position) -> Result<Typed, Fault> {
        self.scope().position = position;
        self.expression(expr)
    }

    fn unkeyed(&mut self, expr: &Expr, position: Position) -> Result<Typed, Fault> {
        match expr {
            Expr::Identifier(name) => self.column(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(parts) => self.column(parts),
            Expr::CompoundFieldAccess { .. } => {
                Err(Fault::not_yet(expr.span(), "members of a value by index or field"))
            }
            Expr::Nested(inner) => {
                let inner = self.standing(inner, position)?;
                Ok(Typed { sql: sql::nested(inner.sql), ..inner })
            }
            Expr::Value(value) => literal(value),
            Expr::TypedString(typed) => self.typed_text(typed),
            Expr::Interval(interval) => {
                let span = expr.span();
                self.constant(Constant::Interval(calendar::interval_of(interval, span)?), span)
            }
            Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
                self.junction(left, op, right, position)
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, expr),
            Expr::UnaryOp { op, expr: inner } => match without_brackets(inner) {
                Expr::InSubquery { expr: needle, subquery, negated } if *op == UnaryOperator::Not => {
                    self.in_query(Sought { needle, query: subquery, negated: !negated, position }, expr.span())
                }
                _ => self.unary(*op, inner),
            },
            Expr::IsNull(_) | Expr::IsNotNull(_) | Expr::IsTrue(_) | Expr::IsNotTrue(_) => self.is(expr),
            Expr::IsFalse(_) | Expr::IsNotFalse(_) | Expr::IsUnknown(_) | Expr::IsNotUnknown(_) => self.is(expr),
            Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) if is_junction(right) => {
                let message = format!("`{expr}` can be read in two ways");
                Err(Fault::new(ErrorKind::NotAllowed, expr.span(), message)
                    .hint("put brackets around the comparison: (a IS DISTINCT FROM b) AND c"))
            }
            Expr::IsDistinctFrom(left, right) => {
                let (left, right) = self.pair(left, right)?;
                Ok(truth(Expr::IsDistinctFrom(Box::new(left.sql), Box::new(right.sql))))
            }
            Expr::IsNotDistinctFrom(left, right) => {
                let (left, right) = self.pair(left, right)?;
                Ok(truth(Expr::IsNotDistinctFrom(Box::new(left.sql), Box::new(right.sql))))
            }
            Expr::Between { expr, negated, low, high } => self.between(expr, *negated, low, high),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Expr::InSubquery { expr: needle, subquery, negated } => {
                self.in_query(Sought { needle, query: subquery, negated: *negated, position }, expr.span())
            }
            Expr::Exists { subquery, negated } => self.exists(subquery, *negated),
            Expr::Subquery(subquery) => {
                let (subquery, holds) = self.one_column(subquery)?;
                Ok(Typed::new(Expr::Subquery(Box::new(subquery)), holds))
            }
            Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } => self.like(expr),
            Expr::Case { .. } => self.case(expr),
            Expr::Cast { kind, expr: inner, data_type, array: false, format: None } => {
                self.cast(kind, inner, data_type)
            }
            Expr::Function(function) => self.function(function, expr),
            Expr::Array(array) => {
                let elem = array.elem.iter().map(|one| Ok(self.expression(one)?.sql)).collect::<Result<_, Fault>>()?;
                Ok(Typed::unknown(Expr::Array(Array { elem, named: true })))
            }
            other => self.spelled_out(other),
        }
    }

    /// The functions that SQL writes in a way of their own.
    pub(super) fn spelled_out(&mut self, expr: &Expr) -> Result<Typed, Fault> {
        let plain = CeilFloorKind::DateTimeField(DateTimeField::NoDateTime);
        let resolved = match expr {
            Expr::Extract { field, syntax, expr } => {
                let field = pattern::field(field, expr.span())?;
                Expr::Extract { field, syntax: syntax.clone(), expr: self.boxed(expr)? }
            }
            Expr::Ceil { expr, field } if *field == plain => {
                Expr::Ceil { expr: self.boxed(expr)?, field: field.clone() }
            }
            Expr::Floor { expr, field } if *field == plain => {
                Expr::Floor { expr: self.boxed(expr)?, field: field.clone() }
            }
            Expr::Position { expr, r#in } => Expr::Position { expr: self.boxed(expr)?, r#in: self.boxed(r#in)? },
            Expr::Substring { expr, substring_from, substring_for, special, shorthand } => Expr::Substring {
                expr: self.boxed(expr)?,
                substring_from: self.maybe_boxed(substring_from.as_deref())?,
                substring_for: self.maybe_boxed(substring_for.as_deref())?,
                special: *special,
                shorthand: *shorthand,
            },
            Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => Expr::Trim {
                trim_where: *trim_where,
                trim_what: self.maybe_boxed(trim_what.as_deref())?,
                expr: self.boxed(expr)?,
                trim_characters: None,
            },
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => Expr::Overlay {
                expr: self.boxed(expr)?,
                overlay_what: self.boxed(overlay_what)?,
                overlay_from: self.boxed(overlay_from)?,
                overlay_for: self.maybe_boxed(overlay_for.as_deref())?,
            },
            Expr::AtTimeZone { timestamp, time_zone } => {
                Expr::AtTimeZone { timestamp: self.boxed(timestamp)?, time_zone: self.boxed(time_zone)? }
            }
            other => {
                let message = format!("`{other}` is not part of the segment language");
                return Err(Fault::new(ErrorKind::NotAllowed, other.span(), message));
            }
        };
        Ok(Typed::unknown(resolved))
    }

    pub(super) fn boxed(&mut self, expr: &Expr) -> Result<Box<Expr>, Fault> {
        Ok(Box::new(self.expression(expr)?.sql))
    }

    pub(super) fn maybe_boxed(&mut self, expr: Option<&Expr>) -> Result<Option<Box<Expr>>, Fault> {
        expr.map(|expr| self.boxed(expr)).transpose()
    }

    pub(super) fn one_column(&mut self, query: &Query) -> Result<(Query, Option<ColumnType>), Fault> {
        let (lowered, columns) = self.lowered(query)?;
        match columns.as_slice() {
            [column] => Ok((lowered, column.holds)),
            several => {
                let message = format!("a query with one column is expected here; this one has {}", several.len());
                Err(Fault::new(ErrorKind::NotAllowed, query.span(), message))
            }
        }
    }
}

/// Whether it is AND or OR without brackets. SQL reads those after `IS DISTINCT FROM`, but the parser takes them for a part of
/// what stands behind it.
fn is_junction(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. })
}

fn without_brackets(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}
