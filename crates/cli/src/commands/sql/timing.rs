//! How long a statement took, in words.

use std::time::Duration;

use super::showing::Shown;
use crate::commands::load::thousands;

/// In brackets the rows, where there were any to be shown, and the time.
pub fn told(shown: Option<&Shown>, taken: Duration) -> String {
    let rows = match shown {
        Some(Shown::Rows(1)) => "1 row, ".to_owned(),
        Some(Shown::Rows(rows)) => format!("{} rows, ", thousands(*rows)),
        _ => String::new(),
    };
    format!("({rows}{})", time(taken))
}

/// To the microsecond below a second, since a script may compare such times.
pub fn time(taken: Duration) -> String {
    let seconds = taken.as_secs_f64();
    if seconds < 1.0 { format!("{:.3} ms", seconds * 1000.0) } else { format!("{seconds:.3} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_time_stand_in_brackets() {
        for (shown, micros, expected) in [
            (Some(Shown::Rows(1)), 12_345, "(1 row, 12.345 ms)"),
            (Some(Shown::Rows(0)), 999_999, "(0 rows, 999.999 ms)"),
            (Some(Shown::Rows(12_000)), 1_000_000, "(12,000 rows, 1.000 s)"),
            (None, 61_500_000, "(61.500 s)"),
        ] {
            assert_eq!(told(shown.as_ref(), Duration::from_micros(micros)), expected);
        }
    }
}
