//! `[tables.NAME]`: source, text format, keys and relations of one table.

use super::section::{Keys, Section};
use super::{columns, dialect, fitting, purchase, sources};
use crate::{Condition, Kind, Link, MissingParent, Mode, Table, parse_conditions};

const KEYS: Keys = Keys {
    known: &[
        "source",
        "sources",
        "key",
        "parent",
        "on",
        "time",
        "updated_at",
        "created_at",
        "deleted",
        "lookup",
        "purchase",
        "where",
        "one_row_per_key",
        "missing_parent",
        "mode",
        "replace",
        "allow_empty",
        "delimiter",
        "blanks",
        "header",
        "names",
        "quote",
        "encoding",
        "damaged",
        "short_rows",
        "stray_quotes",
        "unnamed",
        "decimal",
        "thousands",
        "null",
        "error_budget",
        "columns",
    ],
    later: &["role", "retention"],
};

const MISSING_PARENT: [(&str, MissingParent); 3] =
    [("hold", MissingParent::Hold), ("create", MissingParent::Create), ("reject", MissingParent::Reject)];

const MODES: [(&str, Mode); 2] = [("merge", Mode::Merge), ("replace", Mode::Replace)];

const REPLACES: [(&str, Mode); 1] = [("by_parent", Mode::ReplaceByParent)];

pub(super) fn read(section: &Section) -> Vec<Table> {
    section.keys().into_iter().filter_map(|name| section.section(name)).map(|table| one(&table)).collect()
}

fn one(section: &Section) -> Table {
    section.only(&KEYS);
    let columns = section.section("columns").map(|columns| columns::read(&columns)).unwrap_or_default();
    let (key_parts, on_parts) = (section.columns("key"), on_parts(section));
    let sources = sources::read(section, &columns);
    let kind = kind(section, &on_parts);
    let table = Table {
        source: sources.first().map_or_else(|| source(section), |first| first.source.clone()),
        sources,
        key: combined(&key_parts),
        key_parts,
        time: section.word("time"),
        updated_at: section.word("updated_at"),
        created_at: section.word("created_at"),
        deleted: section.word("deleted"),
        lookup: links(section),
        purchase: section.section("purchase").map(|purchase| purchase::read(&purchase)),
        conditions: conditions(section),
        one_row_per_key: section.switch("one_row_per_key", false),
        missing_parent: section.one_of("missing_parent", &MISSING_PARENT).unwrap_or_default(),
        mode: mode(section),
        columns,
        on_parts,
        ..written(section, section.name(), kind)
    };
    fitting::check(section, &table);
    table
}

/// A table of which the section says how its files are written, and nothing yet of what stands in them.
pub(super) fn written(section: &Section, name: &str, kind: Kind) -> Table {
    Table {
        name: name.to_owned(),
        kind,
        source: String::new(),
        sources: Vec::new(),
        key: None,
        key_parts: Vec::new(),
        on_parts: Vec::new(),
        time: None,
        updated_at: None,
        created_at: None,
        deleted: None,
        lookup: Vec::new(),
        purchase: None,
        conditions: Vec::new(),
        one_row_per_key: false,
        missing_parent: MissingParent::default(),
        mode: Mode::default(),
        allow_empty: section.switch("allow_empty", false),
        delimiter: section.character("delimiter"),
        blanks: section.switch("blanks", false),
        header: section.switch("header", true),
        names: section.texts("names"),
        dialect: dialect::read(section),
        null: section.text_or_texts("null"),
        error_budget: section.number("error_budget", 0..i64::MAX).and_then(|budget| budget.try_into().ok()),
        columns: Vec::new(),
    }
}

fn source(section: &Section) -> String {
    if section.has("sources") { String::new() } else { section.required_word("source") }
}

/// The name of the column that several make together: `country+number`.
pub(super) fn combined(parts: &[String]) -> Option<String> {
    (!parts.is_empty()).then(|| parts.join("+"))
}

fn on_parts(section: &Section) -> Vec<String> {
    if section.has("parent") { section.required_columns("on") } else { Vec::new() }
}

fn kind(section: &Section, on_parts: &[String]) -> Kind {
    if section.has("parent") {
        let on = combined(on_parts).unwrap_or_default();
        Kind::History { parent: section.required_word("parent"), on }
    } else if section.has("lookup") {
        Kind::Lookup
    } else {
        Kind::Root
    }
}

/// `replace = "by_parent"` replaces; beside `mode = "merge"` it would be two things at once.
fn mode(section: &Section) -> Mode {
    let mode = section.one_of("mode", &MODES);
    let replace = section.one_of("replace", &REPLACES);
    if replace.is_some() && mode == Some(Mode::Merge) {
        let message = format!("`replace` and mode = \"merge\" in {} exclude each other", section.title());
        section.problem_at("replace", message, None);
    }
    replace.or(mode).unwrap_or_default()
}

/// `lookup = { products = "order_lines.product_id", home_site = ["profiles.store_id", "orders.store_id"] }`
fn links(section: &Section) -> Vec<Link> {
    let Some(lookup) = section.section("lookup") else {
        return Vec::new();
    };
    let names = lookup.keys();
    if names.is_empty() {
        lookup.problem(format!("{} names no link; expected {{ name = \"table.column\" }}", lookup.title()));
    }
    let links = names.iter().flat_map(|name| {
        let paths = lookup.text_or_texts(name);
        if lookup.is_empty_list(name) {
            lookup.problem_at(name, format!("the link `{name}` leads from nowhere; expected \"table.column\""), None);
        }
        paths.into_iter().filter_map(|path| link(&lookup, name, &path)).collect::<Vec<_>>()
    });
    links.collect()
}

fn link(lookup: &Section, name: &str, path: &str) -> Option<Link> {
    let Some((table, column)) = path.split_once('.').filter(|(table, column)| !table.is_empty() && !column.is_empty())
    else {
        lookup.problem_at(name, format!("the link `{name}` leads from \"{path}\"; expected \"table.column\""), None);
        return None;
    };
    Some(Link { name: name.to_owned(), from_table: table.to_owned(), from_column: column.to_owned() })
}

fn conditions(section: &Section) -> Vec<Condition> {
    let Some(text) = section.text("where") else {
        return Vec::new();
    };
    parse_conditions(&text).unwrap_or_else(|(place, message)| {
        section.problem_inside("where", place, format!("in `where` of {}: {message}", section.title()));
        Vec::new()
    })
}
