//! What depends on the as-of instant: `now()`, `today()`, and the helpers that count days from today.

use chrono::{Datelike, NaiveDate};
use muster_catalog::ColumnType;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{BinaryOperator, CaseWhen, DataType, Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::scope::Typed;
use crate::calendar::Constant;
use crate::error::ErrorKind;
use crate::source::Fault;
use crate::sql;

const SECONDS_PER_DAY: i64 = 86_400;
/// The 28th and 29th of February as month · 100 + day.
const FEBRUARY_28: i64 = 228;
const FEBRUARY_29: i64 = 229;

impl Resolver<'_> {
    /// The as-of instant, if `function` is a name for it or for its day.
    pub(super) fn clock(&mut self, function: &str, arguments: &[&Expr], span: Span) -> Option<Result<Typed, Fault>> {
        let constant = match function {
            "now" | "current_timestamp" => Constant::Instant(self.as_of),
            "today" | "current_date" => Constant::Date(self.today()),
            _ => return None,
        };
        if arguments.is_empty() {
            Some(self.constant(constant, span))
        } else {
            let message = format!("`{function}` takes no argument");
            Some(Err(Fault::new(ErrorKind::NotAllowed, span, message)))
        }
    }

    fn today(&self) -> NaiveDate {
        self.as_of.local(self.names.zone).date_naive()
    }

    /// `age`, `days_between` and `days_to_anniversary`, as sums of parts of dates that every engine has.
    pub(super) fn day_helper(
        &mut self,
        function: &str,
        arguments: &[&Expr],
        span: Span,
    ) -> Option<Result<Typed, Fault>> {
        let arity = match function {
            "age" | "days_to_anniversary" => 1,
            "days_between" => 2,
            _ => return None,
        };
        if arguments.len() != arity {
            let message = format!("`{function}` takes {arity} dates, and {} are given", arguments.len());
            return Some(Err(Fault::new(ErrorKind::NotAllowed, span, message)));
        }
        let dates = arguments.iter().map(|argument| self.date(argument)).collect::<Result<Vec<_>, Fault>>();
        let today = self.today();
        Some(dates.map(|dates| {
            let days = match (function, dates.as_slice()) {
                ("age", [date]) => age(date, today),
                ("days_to_anniversary", [date]) => days_to_anniversary(date, today),
                (_, [from, to]) => sql::whole(sql::binary(epoch_days(to), BinaryOperator::Minus, epoch_days(from))),
                (_, _) => sql::number(0),
            };
            Typed::new(days, Some(ColumnType::Int))
        }))
    }

    /// An argument as a date: an instant is its local day.
    fn date(&mut self, argument: &Expr) -> Result<Expr, Fault> {
        let typed = self.expression(argument)?;
        let typed = self.beside(Some(ColumnType::Date), typed, argument.span())?;
        match typed.constant {
            Some(Constant::Instant(instant)) => {
                let date = instant.local(self.names.zone).date_naive();
                Ok(self.constant(Constant::Date(date), argument.span())?.sql)
            }
            _ if typed.holds == Some(ColumnType::Date) => Ok(typed.sql),
            _ => Ok(sql::cast(typed.sql, DataType::Date)),
        }
    }
}

fn part(field: &str, date: &Expr) -> Expr {
    sql::call("date_part", [sql::text(field), date.clone()])
}

/// Days since 1970: an exact double, since a date has no part of a day.
fn epoch_days(date: &Expr) -> Expr {
    sql::binary(part("epoch", date), BinaryOperator::Divide, sql::number(SECONDS_PER_DAY))
}

/// Month · 100 + day: orders the days of a year.
fn day_of_year(date: &Expr) -> Expr {
    let months = sql::binary(part("month", date), BinaryOperator::Multiply, sql::number(100));
    sql::binary(months, BinaryOperator::Plus, part("day", date))
}

/// The last day of the year of `today` that counts as reached; born on 29 February, one has the 28th in other years.
fn reached(today: NaiveDate) -> i64 {
    let day = i64::from(today.month() * 100 + today.day());
    if day == FEBRUARY_28 && !today.leap_year() { FEBRUARY_29 } else { day }
}

/// Years between two days of which the later is today; a year is full on the anniversary.
fn age(date: &Expr, today: NaiveDate) -> Expr {
    let years = sql::binary(sql::number(today.year().into()), BinaryOperator::Minus, part("year", date));
    let not_yet = sql::binary(day_of_year(date), BinaryOperator::Gt, sql::number(reached(today)));
    sql::whole(sql::binary(years, BinaryOperator::Minus, either(not_yet, sql::number(1), sql::number(0))))
}

/// Days from today to the next anniversary, 0 on the day. Of 29 February it is the 28th in other years, and on the 28th
/// the 29th compares as still to come, so that day needs no care of its own.
fn days_to_anniversary(date: &Expr, today: NaiveDate) -> Expr {
    let year = i64::from(today.year());
    let day = i64::from(today.month() * 100 + today.day());
    let still_to_come = sql::binary(day_of_year(date), BinaryOperator::GtEq, sql::number(day));
    let next = either(still_to_come, anniversary(date, year), anniversary(date, year + 1));
    let today_in_days = i64::from(today.num_days_from_ce() - UNIX_EPOCH_DAYS_FROM_CE);
    sql::whole(sql::binary(epoch_days(&next), BinaryOperator::Minus, sql::number(today_in_days)))
}

/// 1970-01-01, counted as chrono counts days.
const UNIX_EPOCH_DAYS_FROM_CE: i32 = 719_163;

/// The anniversary in `year`.
fn anniversary(date: &Expr, year: i64) -> Expr {
    let is_leap = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, 2, 29)).is_some();
    let leap_day = sql::binary(day_of_year(date), BinaryOperator::Eq, sql::number(FEBRUARY_29));
    let day = if is_leap { part("day", date) } else { either(leap_day, sql::number(28), part("day", date)) };
    sql::call("make_date", [sql::number(year), part("month", date), day])
}

/// `CASE WHEN condition THEN yes ELSE no END`.
fn either(condition: Expr, yes: Expr, no: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result: yes }],
        else_result: Some(Box::new(no)),
    }
}
