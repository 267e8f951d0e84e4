//! `[[tables.NAME.sources]]`: several sources of one table, each with its own words for the columns.

use super::columns;
use super::section::{Keys, Section};
use crate::{Column, Source};

const KEYS: Keys = Keys { known: &["source", "match", "priority", "columns"], later: &[] };

/// The sources of a table; none where `source` says it all. `above` are the columns of the table.
pub(super) fn read(table: &Section, above: &[Column]) -> Vec<Source> {
    if table.has("sources") && table.has("source") {
        let message = format!("`source` and `sources` in {} exclude each other", table.title());
        table.problem_at("source", message, None);
    }
    let sections = table.sections("sources");
    let sources: Vec<Source> = sections.iter().map(|section| one(section, above)).collect();
    for (place, section) in sections.iter().enumerate() {
        check_types(section, &sources[place], &sources[..place]);
    }
    sources
}

fn one(section: &Section, above: &[Column]) -> Source {
    section.only(&KEYS);
    let (columns, own) = section
        .section("columns")
        .map_or_else(|| (above.to_vec(), Vec::new()), |columns| columns::read_of_source(&columns, above));
    Source {
        source: section.required_word("source"),
        header: section.text_or_texts("match"),
        priority: section.integer("priority").unwrap_or(0),
        columns,
        own,
    }
}

/// A column has one type, whichever source declares it.
fn check_types(section: &Section, source: &Source, before: &[Source]) {
    for column in source.own.iter().filter_map(|name| source.column(name)) {
        let declared = before.iter().filter_map(|other| other.column(&column.name)?.column_type).next();
        let Some(place) = section.descendant(&["columns", &column.name]) else { continue };
        if let (Some(here), Some(declared)) = (column.column_type, declared)
            && place.has("type")
            && here != declared
        {
            let message =
                format!("`type` in {} is \"{here}\", and another source declares \"{declared}\"", place.title());
            place.problem_at("type", message, None);
        }
    }
}
