//! Dates and instants that nobody means: year 1 and year 9999 stand for "not known", and a number in another unit than the
//! declared one gives the year 1970 or 57000.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use muster_catalog::Timestamp;

use super::days::DAY;
use super::{Typed, ValueFault, as_texts};
use crate::report::Reason;

/// 1800-01-01 and 2200-01-01, in days since 1970-01-01: nobody who gets a message was born before, and no offer ends
/// after.
const FIRST_DAY: i64 = -62_091;
const LAST_DAY: i64 = 84_006;
/// 1990-01-01: no shop has kept events for longer.
const FIRST_EVENT: i64 = 7_305 * DAY;
/// 2100-01-01, where nobody says what time it is.
const LAST_EVENT: i64 = 47_482 * DAY;

/// The bounds of dates and instants of a column, in microseconds; the end is not in them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plausible {
    from: i64,
    to: i64,
    hint: &'static str,
}

impl Default for Plausible {
    fn default() -> Self {
        let hint = "list it as `placeholder` if it stands for \"not known\"";
        Self { from: FIRST_DAY * DAY, to: LAST_DAY * DAY, hint }
    }
}

impl Plausible {
    /// The bounds of events that are counted in a unit: from 1990 to a day after `now`, or to 2100.
    pub fn event(now: Option<Timestamp>) -> Self {
        let to = now.map_or(LAST_EVENT, |now| now.micros() + DAY);
        Self { from: FIRST_EVENT, to, hint: "is the `unit` right?" }
    }

    /// Adds a fault for each value of `typed` out of bounds; `fields` are what it was read from.
    pub(super) fn check(&self, fields: &ArrayRef, typed: &mut Typed) -> Result<(), ArrowError> {
        let rows = self.rows_outside(&typed.array);
        if rows.is_empty() {
            return Ok(());
        }
        let texts = as_texts(fields)?;
        // A row that has a fault already keeps it: of several the first is told.
        for row in rows {
            let value = texts.is_valid(row).then(|| texts.value(row));
            typed.faults.push(ValueFault::of(row, value, self.reason()));
        }
        Ok(())
    }

    fn rows_outside(&self, array: &ArrayRef) -> Vec<usize> {
        let outside = |(row, micros): (usize, i64)| {
            (!(self.from..self.to).contains(&micros) && array.is_valid(row)).then_some(row)
        };
        match array.data_type() {
            DataType::Date32 => {
                let days = array.as_primitive::<Date32Type>().values().iter();
                days.map(|day| i64::from(*day) * DAY).enumerate().filter_map(outside).collect()
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().values().iter();
                micros.copied().enumerate().filter_map(outside).collect()
            }
            _ => Vec::new(),
        }
    }

    fn reason(&self) -> Reason {
        let (from, to) = (Timestamp::from_micros(self.from), Timestamp::from_micros(self.to - 1));
        Reason::Implausible { from, to, hint: self.hint }
    }
}

#[cfg(test)]
mod tests {
    use muster_catalog::{Column, ColumnType};

    use super::super::tests::check;

    #[test]
    fn years_that_stand_for_not_known_are_rejected() {
        let cases = [
            ("0001-01-01", "!implausible"),
            ("1799-12-31", "!implausible"),
            ("1800-01-01", "1800-01-01"),
            ("2199-12-31", "2199-12-31"),
            ("9999-12-31", "!implausible"),
        ];
        check(&Column::typed("day", ColumnType::Date), &cases);
        check(&Column::typed("at", ColumnType::Timestamp), &[("9999-12-31 00:00:00", "!implausible")]);
    }
}
