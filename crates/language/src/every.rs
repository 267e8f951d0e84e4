//! How often a definition is to be evaluated again: `WITH (refresh = '1 hour')`.

use chrono_tz::Tz;
use muster_catalog::Timestamp;

use crate::calendar::{CalendarSpan, span_of};

/// A span of time after which something is due again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Every {
    text: String,
    span: CalendarSpan,
}

impl Every {
    /// Reads `1 hour`, `90 minutes`, `1 day` or `P1D`; `None` for what is no span, or not longer than nothing.
    pub fn of(text: &str) -> Option<Self> {
        let span = span_of(text)?;
        let parts = [span.months, span.days, span.micros];
        let is_longer = parts.iter().all(|part| *part >= 0) && parts.iter().any(|part| *part > 0);
        is_longer.then(|| Self { text: text.trim().to_owned(), span })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The instant from which on what was done at `last` is due again, on the calendar of `zone`; `None` past the year 9999.
    pub fn after(&self, last: Timestamp, zone: Tz) -> Option<Timestamp> {
        self.span.after(last, zone)
    }
}
