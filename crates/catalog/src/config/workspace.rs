//! `[workspace]`: name, zone, currency, as-of.

use chrono_tz::Tz;

use super::section::{Keys, Section};
use crate::{Timestamp, Workspace, nearest, parse_local};

const KEYS: Keys = Keys { known: &["name", "time_zone", "currency", "as_of"], later: &["languages", "address"] };

pub(super) fn read(section: &Section) -> Workspace {
    section.only(&KEYS);
    let time_zone = zone(section, "time_zone").unwrap_or(Tz::UTC);
    Workspace {
        name: section.required_word("name"),
        time_zone,
        currency: currency(section),
        as_of: as_of(section, time_zone),
    }
}

/// The IANA zone under `key`.
pub(super) fn zone(section: &Section, key: &str) -> Option<Tz> {
    let text = section.text(key)?;
    let zone = text.parse().ok();
    if zone.is_none() {
        let hint = nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let hint = hint.map(|near| format!("did you mean \"{near}\"?"));
        let message = format!("\"{text}\" is no IANA time zone; expected a name as Europe/Amsterdam");
        section.problem_at(key, message, hint);
    }
    zone
}

fn currency(section: &Section) -> String {
    let currency = section.text("currency").unwrap_or_else(|| "EUR".to_owned());
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        section.problem_at("currency", format!("\"{currency}\" is no currency; expected three capitals, as EUR"), None);
    }
    currency
}

fn as_of(section: &Section, zone: Tz) -> Option<Timestamp> {
    let text = section.text("as_of")?;
    parse_local(&text, zone).map_err(|error| section.problem_at("as_of", format!("\"{text}\" is {error}"), None)).ok()
}
