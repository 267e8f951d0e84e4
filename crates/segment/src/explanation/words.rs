//! How a person reads what decides a condition.

use std::fmt;

use super::{DecidingRow, Missing, MissingPlace};

/// `o2 at 2025-06-01T12:00:00+02:00, total 15.00`.
impl fmt::Display for DecidingRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = match (&self.key, &self.time) {
            (Some(key), Some(time)) => vec![format!("{key} at {time}")],
            (key, time) => key.iter().chain(time).cloned().collect(),
        };
        let values = self.values.iter().map(|(name, value)| format!("{name} {}", value.as_deref().unwrap_or("NULL")));
        f.write_str(&identity.into_iter().chain(values).collect::<Vec<_>>().join(", "))
    }
}

/// `1 more row of orders with total > 100 AND channel = 'web'`.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.rows == 1 { "row" } else { "rows" };
        write!(f, "{} more {noun} of {}", self.rows, self.table)?;
        match self.conditions.as_slice() {
            [] => {}
            [one] => write!(f, " with {one}")?,
            several => write!(f, " with {}", several.iter().map(|one| bound(one)).collect::<Vec<_>>().join(" AND "))?,
        }
        match self.place {
            None => Ok(()),
            Some(MissingPlace::First) => f.write_str(", before all others"),
            Some(MissingPlace::Last) => f.write_str(", after all others"),
        }
    }
}

/// A condition as it stands beside AND.
fn bound(condition: &str) -> String {
    if condition.contains(" OR ") { format!("({condition})") } else { condition.to_owned() }
}
