//! Operators, comparisons and CASE: sums on the local calendar, divisions that give NULL, texts beside instants.

use chrono::{Days, NaiveDate};
use muster_catalog::{ColumnType, local_midnight};
use sqlparser::ast::{BinaryOperator, CaseWhen, Expr, Spanned, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::scope::{Position, Typed};
use super::{Resolver, pattern, refuse};
use crate::calendar::{self, Constant};
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// `NOT`, `-`, `+`.
    pub(super) fn unary(&mut self, op: UnaryOperator, inner: &Expr) -> Result<Typed, Fault> {
        let inner_typed = self.expression(inner)?;
        let holds = match op {
            UnaryOperator::Not => Some(ColumnType::Bool),
            UnaryOperator::Plus | UnaryOperator::Minus => inner_typed.holds,
            other => return Err(refuse::modifier(inner.span(), &format!("the operator {other}"))),
        };
        let inner = if op == UnaryOperator::Minus { sql::behind_minus(inner_typed.sql) } else { inner_typed.sql };
        Ok(Typed::new(Expr::UnaryOp { op, expr: Box::new(inner) }, holds))
    }

    /// `IS NULL` and its like.
    pub(super) fn is(&mut self, expr: &Expr) -> Result<Typed, Fault> {
        let resolved = match expr {
            Expr::IsNull(inner) => Expr::IsNull(self.boxed(inner)?),
            Expr::IsNotNull(inner) => Expr::IsNotNull(self.boxed(inner)?),
            Expr::IsTrue(inner) => Expr::IsTrue(self.boxed(inner)?),
            Expr::IsNotTrue(inner) => Expr::IsNotTrue(self.boxed(inner)?),
            Expr::IsFalse(inner) => Expr::IsFalse(self.boxed(inner)?),
            Expr::IsNotFalse(inner) => Expr::IsNotFalse(self.boxed(inner)?),
            Expr::IsUnknown(inner) => Expr::IsUnknown(self.boxed(inner)?),
            Expr::IsNotUnknown(inner) => Expr::IsNotUnknown(self.boxed(inner)?),
            other => return self.spelled_out(other),
        };
        Ok(truth(resolved))
    }

    /// Conditions with AND or OR between them; `position` is where they stand together.
    pub(super) fn junction(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        position: Position,
    ) -> Result<Typed, Fault> {
        let position = if *op == BinaryOperator::And { position } else { position.min(Position::Truth) };
        let left = self.standing(left, position)?;
        let right = self.standing(right, position)?;
        Ok(truth(sql::binary(left.sql, op.clone(), right.sql)))
    }

    /// Two values with an operator between them.
    pub(super) fn binary(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        whole: &Expr,
    ) -> Result<Typed, Fault> {
        use BinaryOperator as Op;
        match op {
            Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
                let (left, right) = self.pair(left, right)?;
                let born = self.born(&left, op, &right);
                Ok(truth(born.unwrap_or_else(|| sql::binary(left.sql, op.clone(), right.sql))))
            }
            Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGRegexNotMatch | Op::PGRegexNotIMatch => {
                let (left, pattern) = (self.expression(left)?, self.regular_expression(right)?);
                Ok(truth(sql::binary(left.sql, op.clone(), pattern)))
            }
            Op::Plus => self.sum(left, 1, right, whole),
            Op::Minus => self.sum(left, -1, right, whole),
            Op::Divide | Op::Modulo => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                Ok(Typed::unknown(sql::binary(left.sql, op.clone(), never_zero(right.sql))))
            }
            Op::Multiply | Op::StringConcat | Op::BitwiseAnd | Op::BitwiseOr => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                Ok(Typed::unknown(sql::binary(left.sql, op.clone(), right.sql)))
            }
            other => Err(refuse::modifier(whole.span(), &format!("the operator {other}"))),
        }
    }

    /// `left + right` or `left - right`; what is known is added here, on the local calendar.
    fn sum(&mut self, left: &Expr, sign: i64, right: &Expr, whole: &Expr) -> Result<Typed, Fault> {
        let (left, right) = (self.expression(left)?, self.expression(right)?);
        if let Some(folded) = self.folded(&left, sign, &right, whole.span())? {
            return self.constant(folded, whole.span());
        }
        let holds = match (&left, &right) {
            (Typed { holds: Some(ColumnType::Timestamp), .. }, Typed { constant: Some(Constant::Interval(_)), .. }) => {
                Some(ColumnType::Timestamp)
            }
            (Typed { holds: Some(ColumnType::Int), .. }, Typed { holds: Some(ColumnType::Int), .. }) => {
                Some(ColumnType::Int)
            }
            _ => None,
        };
        let op = if sign < 0 { BinaryOperator::Minus } else { BinaryOperator::Plus };
        Ok(Typed::new(sql::binary(left.sql, op, right.sql), holds))
    }

    fn folded(&self, left: &Typed, sign: i64, right: &Typed, span: Span) -> Result<Option<Constant>, Fault> {
        let zone = self.names.zone;
        match (left.constant, right.constant) {
            (Some(Constant::Interval(interval)), Some(point)) if sign > 0 => point.plus(interval, 1, zone, span),
            (Some(point), Some(Constant::Interval(interval))) => point.plus(interval, sign, zone, span),
            (Some(Constant::Date(date)), None) => {
                Ok(whole_number(&right.sql).and_then(|days| moved(date, sign * days)).map(Constant::Date))
            }
            _ => Ok(None),
        }
    }

    /// Two values side by side in a comparison: a text or date beside an instant is one too.
    pub(super) fn pair(&mut self, left: &Expr, right: &Expr) -> Result<(Typed, Typed), Fault> {
        let (left_span, right_span) = (left.span(), right.span());
        let (left, right) = (self.expression(left)?, self.expression(right)?);
        let (left_holds, right_holds) = (left.holds, right.holds);
        let right = self.beside(left_holds, right, right_span)?;
        let left = self.beside(right_holds, left, left_span)?;
        Ok((left, right))
    }

    /// A value as it reads beside one that `holds` this.
    pub(super) fn beside(&mut self, holds: Option<ColumnType>, value: Typed, span: Span) -> Result<Typed, Fault> {
        let zone = self.names.zone;
        match (holds, &value) {
            (Some(ColumnType::Timestamp), Typed { text: Some(text), .. }) => {
                let instant = calendar::instant_of(text, zone, span)?;
                self.constant(Constant::Instant(instant), span)
            }
            (Some(ColumnType::Timestamp), Typed { constant: Some(Constant::Date(date)), .. }) => {
                self.constant(Constant::Instant(local_midnight(*date, zone)), span)
            }
            // Engines take the midnight of UTC for it, some of them.
            (Some(ColumnType::Timestamp), Typed { constant: None, holds: Some(ColumnType::Date), .. }) => {
                Ok(Typed::new(sql::local_midnight(value.sql), holds))
            }
            (Some(ColumnType::Date), Typed { text: Some(text), .. }) => {
                let date = calendar::date_of(text, span)?;
                self.constant(Constant::Date(date), span)
            }
            _ => Ok(value),
        }
    }

    /// `BETWEEN`.
    pub(super) fn between(&mut self, expr: &Expr, negated: bool, low: &Expr, high: &Expr) -> Result<Typed, Fault> {
        let value = self.expression(expr)?;
        let (low_typed, high_typed) = (self.expression(low)?, self.expression(high)?);
        let instants = [low_typed.holds, high_typed.holds].contains(&Some(ColumnType::Timestamp));
        let value = self.beside(instants.then_some(ColumnType::Timestamp), value, expr.span())?;
        let low = self.beside(value.holds, low_typed, low.span())?;
        let high = self.beside(value.holds, high_typed, high.span())?;
        let bounds = (self.born(&value, &BinaryOperator::GtEq, &low), self.born(&value, &BinaryOperator::LtEq, &high));
        if let (Some(from), Some(to)) = bounds {
            let within = sql::binary(from, BinaryOperator::And, to);
            return Ok(truth(if negated { sql::not(within) } else { sql::nested(within) }));
        }
        let (expr, low, high) = (Box::new(value.sql), Box::new(low.sql), Box::new(high.sql));
        Ok(truth(Expr::Between { expr, negated, low, high }))
    }

    /// `IN (…)`.
    pub(super) fn in_list(&mut self, expr: &Expr, list: &[Expr], negated: bool) -> Result<Typed, Fault> {
        let value = self.expression(expr)?;
        let list = list.iter().map(|one| {
            let typed = self.expression(one)?;
            Ok(self.beside(value.holds, typed, one.span())?.sql)
        });
        let list = list.collect::<Result<_, Fault>>()?;
        Ok(truth(Expr::InList { expr: Box::new(value.sql), list, negated }))
    }

    /// `LIKE` and its like.
    pub(super) fn like(&mut self, expr: &Expr) -> Result<Typed, Fault> {
        let resolved = match expr {
            Expr::Like { negated, any: false, expr, pattern, escape_char } => Expr::Like {
                negated: *negated,
                any: false,
                expr: self.boxed(expr)?,
                pattern: self.boxed(pattern)?,
                escape_char: pattern::escape_in(pattern, escape_char.as_ref())?,
            },
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => Expr::ILike {
                negated: *negated,
                any: false,
                expr: self.boxed(expr)?,
                pattern: self.boxed(pattern)?,
                escape_char: pattern::escape_in(pattern, escape_char.as_ref())?,
            },
            Expr::SimilarTo { negated, expr, pattern, escape_char } => Expr::SimilarTo {
                negated: *negated,
                expr: self.boxed(expr)?,
                pattern: Box::new(self.regular_expression(pattern)?),
                escape_char: pattern::escape(escape_char.as_ref())?,
            },
            other => return self.spelled_out(other),
        };
        Ok(truth(resolved))
    }

    /// `CASE`; of days and instants it is an instant.
    pub(super) fn case(&mut self, expr: &Expr) -> Result<Typed, Fault> {
        let Expr::Case { case_token, end_token, operand, conditions, else_result } = expr else {
            return self.spelled_out(expr);
        };
        let operand = operand.as_ref().map(|operand| self.expression(operand)).transpose()?;
        let holds = operand.as_ref().and_then(|operand| operand.holds);
        let (mut whens, mut results) = (Vec::new(), Vec::new());
        for CaseWhen { condition, result } in conditions {
            let typed = self.expression(condition)?;
            whens.push(self.beside(holds, typed, condition.span())?.sql);
            results.push((self.expression(result)?, result.span()));
        }
        if let Some(otherwise) = else_result {
            results.push((self.expression(otherwise)?, otherwise.span()));
        }
        let is_any = |holds: &ColumnType| results.iter().any(|(result, _)| result.holds == Some(*holds));
        let holds = [ColumnType::Timestamp, ColumnType::Date].into_iter().find(is_any);
        let alike = results.into_iter().map(|(result, span)| match result.holds {
            Some(ColumnType::Date) => Ok(self.beside(holds, result, span)?.sql),
            _ => Ok(result.sql),
        });
        let mut results = alike.collect::<Result<Vec<_>, Fault>>()?.into_iter();
        let conditions = whens.into_iter().zip(results.by_ref());
        let resolved = Expr::Case {
            case_token: case_token.clone(),
            end_token: end_token.clone(),
            operand: operand.map(|operand| Box::new(operand.sql)),
            conditions: conditions.map(|(condition, result)| CaseWhen { condition, result }).collect(),
            else_result: results.next().map(Box::new),
        };
        Ok(Typed::new(resolved, holds))
    }
}

/// A condition.
pub(super) fn truth(sql: Expr) -> Typed {
    Typed::new(sql, Some(ColumnType::Bool))
}

/// `divisor`, or NULL where it is zero.
fn never_zero(divisor: Expr) -> Expr {
    match whole_number(&divisor) {
        Some(number) if number != 0 => divisor,
        _ => sql::call("nullif", [divisor, sql::number(0)]),
    }
}

pub(super) fn whole_number(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn moved(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let count = Days::new(days.unsigned_abs());
    if days < 0 { date.checked_sub_days(count) } else { date.checked_add_days(count) }
}
