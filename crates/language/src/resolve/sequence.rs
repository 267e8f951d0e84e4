//! `has_sequence(table, condition, condition, …, within => span)`: rows one after the other.
//!
//! It is `has` in `has`: a row that meets the first condition and has a later one that meets the second, and so on.

use sqlparser::ast::{
    BinaryOperator, Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments,
    Spanned,
};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::call::misplaced;
use super::history::{Inside, Reduction};
use super::level::Level;
use super::scope::{Source, Typed, same_name};
use crate::calendar::Constant;
use crate::error::ErrorKind;
use crate::resolved::hidden;
use crate::source::Fault;
use crate::sql;

/// What the call says.
struct Sequence<'c> {
    table: &'c Expr,
    conditions: Vec<&'c Expr>,
    within: Option<&'c Expr>,
    /// What every row must meet beside.
    filter: Option<&'c Expr>,
}

/// A sequence whose rows are known.
struct Steps<'c, 'a> {
    written: &'c Sequence<'c>,
    level: &'c Level<'a>,
    /// The span between a row and the next.
    within: Option<Expr>,
    span: Span,
}

impl<'a> Resolver<'a> {
    /// Whether there are such rows.
    pub(super) fn has_sequence(&mut self, call: &Call, whole: &Expr) -> Result<Typed, Fault> {
        let span = whole.span();
        if call.over.is_some() {
            return Err(misplaced(span, "`has_sequence` has a value per row of the grain, so it takes no OVER"));
        }
        let written = written(call)?;
        let Expr::Identifier(table) = written.table else {
            let message = format!("`has_sequence` takes a history table first, found `{}`", written.table);
            return Err(Fault::new(ErrorKind::Level, written.table.span(), message).hint(SHAPE));
        };
        let level = self.history_table(table)?;
        let level = self.unnamed_level(level, true, table.span)?;
        let within = written.within.map(|within| self.span_between(within)).transpose()?;
        self.step(&Steps { written: &written, level: &level, within, span }, 0)
    }

    fn span_between(&mut self, within: &Expr) -> Result<Expr, Fault> {
        let typed = self.expression(within)?;
        match typed.constant {
            Some(Constant::Interval(_)) => Ok(typed.sql),
            _ => {
                let message = format!("`within` is an interval that is written out, found `{within}`");
                Err(Fault::new(ErrorKind::NotAllowed, within.span(), message).hint("within => INTERVAL '30 days'"))
            }
        }
    }

    /// A row that meets the condition of this number, and has the others behind it.
    fn step(&mut self, steps: &Steps<'_, 'a>, number: usize) -> Result<Typed, Fault> {
        // A sequence may stand in a step of another: each row on the way has another alias.
        let alias = format!("{}step_{}", hidden::PREFIX, self.rows_around(steps.span)?.depth() + 1);
        let level = Level { name: Some(alias), choice: None, ..*steps.level };
        let (filter, reach) = self.inside(&level, steps.span, |inside| {
            inside.rows_around(steps.span)?.call_by_table();
            inside.conditions_of_step(steps, number)
        })?;
        let inside = Inside { reach, argument: None, filter: Some(filter), order: Vec::new() };
        self.reduced(&Reduction { name: "has", distinct: false, place: None }, &level, inside, steps.span)
    }

    fn conditions_of_step(&mut self, steps: &Steps<'_, 'a>, number: usize) -> Result<Expr, Fault> {
        let mut all = sql::nested(self.expression(steps.written.conditions[number])?.sql);
        let mut and = |condition: Expr| all = sql::binary(all.clone(), BinaryOperator::And, condition);
        if let Some(filter) = steps.written.filter {
            and(sql::nested(self.expression(filter)?.sql));
        }
        if number > 0 {
            self.later(steps).into_iter().for_each(&mut and);
        }
        if number + 1 < steps.written.conditions.len() {
            and(self.step(steps, number + 1)?.sql);
        }
        Ok(all)
    }

    /// Strictly later than the row before, and at most the span.
    fn later(&mut self, steps: &Steps<'_, 'a>) -> Vec<Expr> {
        let Source::Rows(reach) = &mut self.scope().source else { return Vec::new() };
        let [time, before] = reach.times_of_steps().map(|(alias, column)| sql::column(&alias, &column));
        let is_later = sql::binary(time.clone(), BinaryOperator::Gt, before.clone());
        let in_time = steps.within.clone().map(|span| {
            let end = sql::binary(before, BinaryOperator::Plus, span);
            sql::binary(time, BinaryOperator::LtEq, end)
        });
        std::iter::once(is_later).chain(in_time).collect()
    }
}

const SHAPE: &str = "has_sequence(order_lines, product_id = 'A', product_id = 'B', within => INTERVAL '30 days')";

fn written(call: &Call) -> Result<Sequence<'_>, Fault> {
    let fault = |span: Span, message: &str| Err(Fault::new(ErrorKind::Level, span, message).hint(SHAPE));
    let span = call.name.span();
    let FunctionArguments::List(list) = &call.args else { return fault(span, "`has_sequence` needs parentheses") };
    let (mut values, mut within) = (Vec::new(), None);
    for argument in &list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => values.push(value),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(value),
                operator: FunctionArgOperator::RightArrow,
            } if same_name(name, "within") && within.is_none() => {
                within = Some(value);
            }
            other => return fault(span, &format!("`has_sequence` cannot take `{other}`")),
        }
    }
    let odd = list.duplicate_treatment.is_some() || call.null_treatment.is_some() || !call.within_group.is_empty();
    if odd || !list.clauses.is_empty() || values.len() < 2 {
        return fault(span, "`has_sequence` takes a history table and at least one condition");
    }
    let table = values.remove(0);
    Ok(Sequence { table, conditions: values, within, filter: call.filter.as_deref() })
}
