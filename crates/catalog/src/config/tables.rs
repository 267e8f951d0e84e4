//! `[tables.NAME]`: source, text format, keys and relations of one table.

use super::section::{Keys, Section};
use super::{columns, fitting};
use crate::{Condition, Kind, Link, MissingParent, Table, parse_conditions};

const KEYS: Keys = Keys {
    known: &[
        "source",
        "key",
        "parent",
        "on",
        "time",
        "updated_at",
        "created_at",
        "lookup",
        "where",
        "one_row_per_key",
        "missing_parent",
        "delimiter",
        "blanks",
        "header",
        "names",
        "null",
        "error_budget",
        "columns",
    ],
    later: &[
        "sources",
        "quote",
        "encoding",
        "decimal",
        "thousands",
        "deleted",
        "purchase",
        "mode",
        "replace",
        "allow_empty",
        "role",
        "retention",
    ],
};

const MISSING_PARENT: [(&str, MissingParent); 3] =
    [("hold", MissingParent::Hold), ("create", MissingParent::Create), ("reject", MissingParent::Reject)];

pub(super) fn read(section: &Section) -> Vec<Table> {
    section.keys().into_iter().filter_map(|name| section.section(name)).map(|table| one(&table)).collect()
}

fn one(section: &Section) -> Table {
    section.only(&KEYS);
    let columns = section.section("columns").map(|columns| columns::read(&columns)).unwrap_or_default();
    let table = Table {
        name: section.name().to_owned(),
        kind: kind(section),
        source: source(section),
        key: section.column("key"),
        time: section.column("time"),
        updated_at: section.column("updated_at"),
        created_at: section.column("created_at"),
        lookup: links(section),
        conditions: conditions(section),
        one_row_per_key: section.switch("one_row_per_key", false),
        missing_parent: section.one_of("missing_parent", &MISSING_PARENT).unwrap_or_default(),
        delimiter: section.character("delimiter"),
        blanks: section.switch("blanks", false),
        header: section.switch("header", true),
        names: section.texts("names"),
        null: section.text_or_texts("null"),
        error_budget: section.number("error_budget", 0..i64::MAX).and_then(|budget| budget.try_into().ok()),
        columns,
    };
    fitting::check(section, &table);
    table
}

/// `[[tables.NAME.sources]]`, which stands in the place of `source`, is refused as itself.
fn source(section: &Section) -> String {
    if section.has("sources") { section.word("source").unwrap_or_default() } else { section.required_word("source") }
}

fn kind(section: &Section) -> Kind {
    if section.has("parent") {
        Kind::History { parent: section.required_word("parent"), on: section.required_column("on") }
    } else if section.has("lookup") {
        Kind::Lookup
    } else {
        Kind::Root
    }
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
