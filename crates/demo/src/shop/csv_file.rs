//! Records as CSV: UTF-8, comma, LF, quotes where they are needed, absent values as nothing.

use chrono::Datelike;

use super::calendar::{Day, LocalTime};
use super::money::Cents;
use super::table::{Cells, Key, Record, push_digits};

/// The line with the names of the columns.
pub(super) fn header<R: Record>() -> Vec<u8> {
    let names: Vec<&str> = R::COLUMNS.iter().map(|column| column.name).collect();
    (names.join(",") + "\n").into_bytes()
}

/// One line per record.
pub(super) fn lines<R: Record>(records: &[R]) -> Vec<u8> {
    let mut line = Line { out: Vec::with_capacity(records.len() * R::COLUMNS.len() * 10) };
    for record in records {
        record.cells(&mut line);
        // The last cell's comma becomes the line's end.
        if let Some(end) = line.out.last_mut() {
            *end = b'\n';
        }
    }
    line.out
}

/// Cells with a comma after each.
struct Line {
    out: Vec<u8>,
}

impl Line {
    fn end(&mut self) {
        self.out.push(b',');
    }

    /// A signed number with a point before its last `decimals` digits.
    fn fixed(&mut self, value: i64, decimals: usize) {
        if value < 0 {
            self.out.push(b'-');
        }
        push_digits(&mut self.out, value.unsigned_abs(), decimals + 1);
        let point = self.out.len() - decimals;
        self.out.insert(point, b'.');
        self.end();
    }

    fn calendar_date(&mut self, day: Day) {
        let date = day.date();
        push_digits(&mut self.out, u64::from(date.year().unsigned_abs()), 4);
        self.out.push(b'-');
        push_digits(&mut self.out, u64::from(date.month()), 2);
        self.out.push(b'-');
        push_digits(&mut self.out, u64::from(date.day()), 2);
    }
}

impl Cells for Line {
    fn absent(&mut self) {
        self.end();
    }

    fn text(&mut self, text: &str) {
        if text.contains(['"', ',', '\n', '\r']) {
            self.out.push(b'"');
            self.out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            self.out.push(b'"');
        } else {
            self.out.extend_from_slice(text.as_bytes());
        }
        self.end();
    }

    fn key(&mut self, key: Key) {
        key.spell(&mut self.out);
        self.end();
    }

    fn integer(&mut self, value: i64) {
        if value < 0 {
            self.out.push(b'-');
        }
        push_digits(&mut self.out, value.unsigned_abs(), 1);
        self.end();
    }

    fn money(&mut self, amount: Cents) {
        self.fixed(amount.0, 2);
    }

    fn date(&mut self, day: Day) {
        self.calendar_date(day);
        self.end();
    }

    fn time(&mut self, time: LocalTime) {
        self.calendar_date(time.day());
        let seconds = u64::from(time.second_of_day());
        for (mark, value) in [(b'T', seconds / 3600), (b':', seconds / 60 % 60), (b':', seconds % 60)] {
            self.out.push(mark);
            push_digits(&mut self.out, value, 2);
        }
        self.end();
    }

    fn degrees(&mut self, value: i64) {
        self.fixed(value, 5);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::table::{Column, Kind, column};

    struct Sample;

    impl Record for Sample {
        const COLUMNS: &'static [Column] = &[column("a", Kind::Text), column("b", Kind::Text)];

        fn cells<C: Cells>(&self, cells: &mut C) {
            cells.text("180 cm, \"breed\"");
            cells.absent();
            cells.key(Key::product(7));
            cells.integer(-40);
            cells.money(Cents(5));
            cells.money(Cents(-123_456));
            cells.date(Day::of(1900, 1, 1));
            cells.time(Day::of(2024, 2, 29).at(3_661));
            cells.degrees(489_001);
        }
    }

    #[test]
    fn every_kind_of_cell_is_written_as_it_is_read() {
        let expected = "\"180 cm, \"\"breed\"\"\",,P00008,-40,0.05,-1234.56,1900-01-01,2024-02-29T01:01:01,4.89001\n";
        assert_eq!(String::from_utf8(lines(&[Sample])).unwrap(), expected);
        assert_eq!(header::<Sample>(), b"a,b\n");
    }
}
