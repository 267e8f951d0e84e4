//! What a table of the shop is: columns with a kind, and records that say their cells in order.
//!
//! A record is described once; whether its cells become CSV (`csv_file`) or Arrow columns
//! (`parquet_file`) is the business of whoever implements `Cells`.

use super::calendar::{Day, LocalTime};
use super::money::Cents;

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    /// Euros with two decimals.
    Money,
    Date,
    /// Local time without a zone, to the second.
    Time,
    /// Degrees with five decimals.
    Degrees,
}

#[derive(Debug)]
pub(super) struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// A column, short enough for a list of them.
pub(super) const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

/// One row of one table.
pub(super) trait Record: Sync {
    const COLUMNS: &'static [Column];

    /// Says one cell per column, in their order.
    fn cells<C: Cells>(&self, cells: &mut C);
}

/// Whoever takes a row, cell by cell.
pub(super) trait Cells {
    fn absent(&mut self);
    fn text(&mut self, text: &str);
    fn key(&mut self, key: Key);
    fn integer(&mut self, value: i64);
    fn money(&mut self, amount: Cents);
    fn date(&mut self, day: Day);
    fn time(&mut self, time: LocalTime);
    /// Hundred-thousandths of a degree.
    fn degrees(&mut self, value: i64);

    /// The value as `cell` says it, or an absent one.
    fn maybe<T>(&mut self, value: Option<T>, cell: impl FnOnce(&mut Self, T))
    where
        Self: Sized,
    {
        match value {
            Some(value) => cell(self, value),
            None => self.absent(),
        }
    }
}

/// A key as text: a letter, or none, and a number of at least so many digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    prefix: &'static str,
    digits: usize,
    number: u64,
}

impl Key {
    /// "C0000001" is the customer with number 0.
    pub(super) fn customer(number: u64) -> Key {
        Key { prefix: "C", digits: 7, number: number + 1 }
    }

    pub(super) fn household(number: u64) -> Key {
        Key { prefix: "H", digits: 7, number: number + 1 }
    }

    pub(super) fn product(number: u32) -> Key {
        Key { prefix: "P", digits: 5, number: u64::from(number) + 1 }
    }

    pub(super) fn store(number: u32) -> Key {
        Key { prefix: "S", digits: 3, number: u64::from(number) + 1 }
    }

    pub(super) fn order(number: u64) -> Key {
        Key { prefix: "", digits: 8, number: 10_000_001 + number }
    }

    pub(super) fn order_line(number: u64) -> Key {
        Key { prefix: "", digits: 9, number: 100_000_001 + number }
    }

    pub(super) fn cart(number: u64) -> Key {
        Key { prefix: "K", digits: 7, number: number + 1 }
    }

    pub(super) fn visit(number: u64) -> Key {
        Key { prefix: "V", digits: 8, number: number + 1 }
    }

    pub(super) fn message(number: u64) -> Key {
        Key { prefix: "M", digits: 8, number: number + 1 }
    }

    pub(super) fn response(number: u64) -> Key {
        Key { prefix: "R", digits: 8, number: number + 1 }
    }

    /// The key as text of its own.
    pub(super) fn text(self) -> String {
        let mut text = Vec::new();
        self.spell(&mut text);
        text.into_iter().map(char::from).collect()
    }

    /// Appends the key's text.
    pub(super) fn spell(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix.as_bytes());
        push_digits(out, self.number, self.digits);
    }
}

/// Appends `number` in decimal, with zeros before it up to `digits`.
pub(super) fn push_digits(out: &mut Vec<u8>, mut number: u64, digits: usize) {
    let start = out.len();
    while number > 0 || out.len() - start < digits {
        out.push(b'0' + (number % 10) as u8);
        number /= 10;
    }
    out[start..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_at_least_its_digits_and_keeps_all_of_a_larger_number() {
        assert_eq!(Key::customer(0).text(), "C0000001");
        assert_eq!(Key::customer(12_345_678).text(), "C12345679");
        assert_eq!(Key::order(41).text(), "10000042");
        assert_eq!(Key::store(99).text(), "S100");
    }
}
