//! What depends on the as-of instant: `now()`, `today()`, and the helpers that count days from today.

use chrono::{Datelike, NaiveDate};
use muster_catalog::ColumnType;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{BinaryOperator, CaseWhen, DataType, Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::operator::whole_number;
use super::scope::{Clause, Typed};
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
            let number = |sql| Typed::new(sql, Some(ColumnType::Int));
            match (function, dates.as_slice()) {
                ("age", [date]) => Typed { born: Some(Box::new(date.clone())), ..number(age(date, today)) },
                ("days_to_anniversary", [date]) => number(days_to_anniversary(date, today)),
                (_, [from, to]) => {
                    number(sql::whole(sql::binary(epoch_days(to), BinaryOperator::Minus, epoch_days(from))))
                }
                (_, _) => number(sql::number(0)),
            }
        }))
    }

    /// An age compared with a whole number says between which days somebody was born: engines read a stored date as it is, and
    /// need not take it apart. `None` of any other comparison, and where groups must find the age as it is written.
    pub(super) fn born(&mut self, left: &Typed, op: &BinaryOperator, right: &Typed) -> Option<Expr> {
        use BinaryOperator as Op;
        if !matches!(self.scope().clause, Clause::Where | Clause::History) {
            return None;
        }
        let (born, op, years) = match (&left.born, &right.born) {
            (Some(born), None) => (born, op.clone(), whole_number(&right.sql)?),
            (None, Some(born)) => (born, mirrored(op), whole_number(&left.sql)?),
            _ => return None,
        };
        let today = self.today();
        let compared = |op: Op, years: i64| {
            let last = last_birthday(today, years)?;
            let day = sql::typed_text(DataType::Date, &last.format("%Y-%m-%d").to_string());
            Some(sql::binary(born.as_ref().clone(), op, day))
        };
        let (at_least, younger) = (|years| compared(Op::LtEq, years), |years| compared(Op::Gt, years));
        match op {
            Op::GtEq => at_least(years),
            Op::Lt => younger(years),
            Op::Gt => at_least(years.checked_add(1)?),
            Op::LtEq => younger(years.checked_add(1)?),
            Op::Eq => Some(sql::nested(sql::binary(at_least(years)?, Op::And, younger(years.checked_add(1)?)?))),
            _ => None,
        }
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

/// The last day on which somebody was born who is so many years old today; `None` outside the calendar.
fn last_birthday(today: NaiveDate, years: i64) -> Option<NaiveDate> {
    let year = i32::try_from(i64::from(today.year()).checked_sub(years)?).ok()?;
    let (month, day) = (reached(today) / 100, reached(today) % 100);
    let in_year = |day: i64| NaiveDate::from_ymd_opt(year, month as u32, day as u32);
    // There may be no 29 February.
    in_year(day).or_else(|| in_year(day - 1)).filter(|day| (1..=9999).contains(&day.year()))
}

/// The operator with its sides the other way round.
fn mirrored(op: &BinaryOperator) -> BinaryOperator {
    use BinaryOperator as Op;
    match op {
        Op::Lt => Op::Gt,
        Op::LtEq => Op::GtEq,
        Op::Gt => Op::Lt,
        Op::GtEq => Op::LtEq,
        other => other.clone(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Birthdays counted one by one, that of 29 February on the 28th where there is no 29th.
    fn full_years(born: NaiveDate, today: NaiveDate) -> i64 {
        let in_year = |year: i32| {
            let its = NaiveDate::from_ymd_opt(year, born.month(), born.day());
            its.or_else(|| NaiveDate::from_ymd_opt(year, born.month(), born.day() - 1)).unwrap_or(born)
        };
        let birthdays = (born.year() + 1..=today.year()).filter(|year| in_year(*year) <= today).count();
        if born <= today { birthdays as i64 } else { -1 }
    }

    #[test]
    fn the_last_birthday_is_the_last_day_that_makes_so_many_years() {
        for today in ["2025-02-28", "2024-02-28", "2024-02-29", "2024-03-01", "2025-06-30", "2025-12-31", "2025-01-01"]
        {
            let today: NaiveDate = today.parse().expect("a day");
            for years in 0..120 {
                let last = last_birthday(today, years).expect("a day of the calendar");
                let next = last.succ_opt().expect("a day");
                assert!(full_years(last, today) >= years, "born {last}, {years} years on {today}");
                assert!(full_years(next, today) < years, "born {next}, {years} years on {today}");
            }
        }
        assert_eq!(last_birthday("2025-06-30".parse().expect("a day"), 3000), None);
    }
}
