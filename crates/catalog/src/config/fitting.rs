//! What is said of one table must fit together: its name, its text format, its keys, and the types of the columns that it
//! is built on.

use super::section::Section;
use crate::{Column, ColumnType, Kind, MissingParent, Mode, Owner, Table};

pub(super) fn check(section: &Section, table: &Table) {
    if let Some(fault) = name_fault(&table.name, "table") {
        section.problem(fault);
    }
    check_text_format(section, table);
    check_kind(section, table);
    check_key(section, table);
    check_history_only(section, table);
    check_deleted(section, table);
    check_mode(section, table);
    check_types(section, table);
    check_picks(section, table);
    check_roles(section, table);
    check_owners(section, table);
}

/// What is wrong with the name of a table or a link: they are used bare in queries, and must not look like muster's own.
pub(super) fn name_fault(name: &str, what: &str) -> Option<String> {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !plain || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Some(format!("\"{name}\" is no {what} name; expected small letters, digits and _, a letter first"));
    }
    RESERVED.contains(&name).then(|| format!("\"{name}\" is a name of muster's own; choose another"))
}

/// Not among them are `messages` and `responses`: they may come from files too, of whoever sent before muster.
const RESERVED: [&str; 17] = [
    "decisions",
    "journeys",
    "changes",
    "memberships",
    "submissions",
    "signals",
    "segments",
    "audiences",
    "lists",
    "cadence",
    "reactivation",
    "rfm",
    "churn",
    "alive",
    "next_offer",
    "engagement",
    "nearest_site",
];

/// What is said of how the files are written must go together.
pub(super) fn check_text_format(section: &Section, table: &Table) {
    let title = section.title();
    if !table.header && !section.has("names") {
        section.problem_at("header", format!("a file without header needs `names` in {title}"), None);
    }
    if table.header && section.has("names") {
        section.problem_at("names", format!("`names` in {title} needs header = false"), None);
    }
    if table.blanks && table.delimiter.is_some() {
        section.problem_at("blanks", format!("`blanks` and `delimiter` in {title} exclude each other"), None);
    }
    if table.delimiter.is_some_and(|delimiter| !delimiter.is_ascii() || "\"\r\n".contains(delimiter)) {
        let message = format!("`delimiter` in {title} must be an ASCII character, no quote and no line end");
        section.problem_at("delimiter", message, None);
    }
}

fn check_kind(section: &Section, table: &Table) {
    let title = section.title();
    match (&table.kind, table.name.as_str()) {
        (Kind::Root, "profiles") => {}
        (_, "profiles") => section.problem("[tables.profiles] is the root: it has neither `parent` nor `lookup`"),
        (Kind::Root, _) => section.problem(format!(
            "{title} has neither `parent` (a history table) nor `lookup` (a lookup); only [tables.profiles] is the root"
        )),
        (Kind::History { .. }, _) if section.has("lookup") => {
            let message = format!("{title} cannot be both a history (`parent`) and a lookup (`lookup`)");
            section.problem_at("lookup", message, None);
        }
        (Kind::History { .. } | Kind::Lookup | Kind::List, _) => {}
    }
}

fn check_key(section: &Section, table: &Table) {
    let history = matches!(table.kind, Kind::History { .. });
    if table.key.is_none() && (table.one_row_per_key || !history) {
        section.problem(format!("`key` is missing in {}", section.title()));
    } else if table.key.is_none() && table.updated_at.is_some() {
        let message = format!("`updated_at` in {} needs `key`: rows without one never change", section.title());
        section.problem_at("updated_at", message, None);
    }
}

fn check_history_only(section: &Section, table: &Table) {
    let title = section.title();
    if !matches!(table.kind, Kind::History { .. }) {
        for key in ["on", "time", "missing_parent"].into_iter().filter(|key| section.has(key)) {
            section.problem_at(key, format!("`{key}` in {title} needs `parent`: only a history table has it"), None);
        }
    }
    if table.missing_parent == MissingParent::Create && table.parent().is_some_and(|parent| parent != "profiles") {
        let message = format!("missing_parent = \"create\" in {title} is not supported yet; only below profiles");
        section.problem_at("missing_parent", message, None);
    }
    if table.created_at.is_some() && table.kind != Kind::Root {
        let message = format!("`created_at` in {title} is not supported yet; only in [tables.profiles]");
        section.problem_at("created_at", message, None);
    }
}

/// A row that says it is deleted says so of a key.
fn check_deleted(section: &Section, table: &Table) {
    if table.deleted.is_some() && table.key.is_none() {
        let message = format!("`deleted` in {} needs `key`: nothing else says which row is gone", section.title());
        section.problem_at("deleted", message, None);
    }
    if table.deleted.is_some() && table.one_row_per_key {
        let message = format!("`deleted` and one_row_per_key in {} exclude each other", section.title());
        section.problem_at("deleted", message, None);
    }
}

/// What replaces can be empty by mistake; what merges cannot, and has no parents to go by.
fn check_mode(section: &Section, table: &Table) {
    let title = section.title();
    if table.mode == Mode::ReplaceByParent && !matches!(table.kind, Kind::History { .. }) {
        let message = format!("replace = \"by_parent\" in {title} needs `parent`: only a history table has it");
        section.problem_at("replace", message, None);
    }
    if table.mode == Mode::Merge && table.allow_empty {
        section.problem_at("allow_empty", format!("`allow_empty` in {title} needs mode = \"replace\""), None);
    }
}

/// Rows are found by text and stand in time: a column that is declared otherwise could do neither.
fn check_types(section: &Section, table: &Table) {
    for (part, names) in [("key", &table.key_parts), ("on", &table.on_parts)] {
        for name in names {
            check_type(section, table, &format!("`{part}`"), Some(name), "\"id\" or \"text\"", ColumnType::is_text);
        }
    }
    let is_bool = |found| found == ColumnType::Bool;
    check_type(section, table, "`deleted`", table.deleted.as_deref(), "\"bool\"", is_bool);
    let parts = [("time", &table.time), ("updated_at", &table.updated_at), ("created_at", &table.created_at)];
    for (part, name) in parts {
        let instant = |found| found == ColumnType::Timestamp;
        check_type(section, table, &format!("`{part}`"), name.as_deref(), "\"timestamp\"", instant);
    }
}

/// Reports the column `name` if it is declared with a type that does not fit what it is for.
pub(super) fn check_type(
    section: &Section,
    table: &Table,
    part: &str,
    name: Option<&str>,
    wanted: &str,
    fits: impl Fn(ColumnType) -> bool,
) {
    let Some(name) = name else { return };
    let declared = table.column(name).into_iter().map(|column| (section.descendant(&["columns", name]), column));
    let sources = section.silent_sections("sources");
    let in_sources = sources
        .iter()
        .zip(&table.sources)
        .filter_map(|(place, source)| Some((place.descendant(&["columns", name]), source.column(name)?)));
    for (place, column) in declared.chain(in_sources) {
        let Some((place, found)) = place.zip(column.column_type.filter(|found| !fits(*found))) else { continue };
        let message = format!(
            "`{}` is the {part} of [tables.{}], which needs type = {wanted}, not \"{found}\"",
            column.name, table.name
        );
        place.problem_at("type", message, None);
    }
}

/// In a flat file a column without a pick is dropped, and a pick without one row per key does nothing.
fn check_picks(section: &Section, table: &Table) {
    for column in &table.columns {
        let Some(place) = section.descendant(&["columns", &column.name]) else { continue };
        let title = section.title();
        if column.pick.is_some() && !table.one_row_per_key {
            let message = format!("`pick` in {} needs one_row_per_key = true in {title}", place.title());
            place.problem_at("pick", message, None);
        }
        if table.one_row_per_key && !place.has("pick") && !is_structural(table, column) {
            let hint =
                "pick = \"first\", \"last\", \"min\", \"max\" or \"sum\" says which row of a key gives the value";
            let message = format!("{} has no `pick`, and one_row_per_key keeps no column without", place.title());
            place.problem_with(message, Some(hint.to_owned()));
        }
    }
}

/// Whether the table is built on this column.
fn is_structural(table: &Table, column: &Column) -> bool {
    let instants = [&table.time, &table.updated_at, &table.created_at].into_iter().flatten();
    table.key_parts.iter().chain(&table.on_parts).chain(instants).any(|name| *name == column.name)
}

/// Whoever acts on a role reads one column.
fn check_roles(section: &Section, table: &Table) {
    for (place, column) in table.columns.iter().enumerate().filter(|(_, column)| column.role.is_some()) {
        let Some(first) = table.columns[..place].iter().find(|other| other.role == column.role) else { continue };
        let Some(section) = section.descendant(&["columns", &column.name]) else { continue };
        let role = column.role.as_ref().map(ToString::to_string).unwrap_or_default();
        let message = format!("role = \"{role}\" in {} is the role of `{}` already", section.title(), first.name);
        section.problem_at("role", message, None);
    }
}

/// A field has an owner from row to row of its key; what tells rows apart, or which of them counts, is the source's.
fn check_owners(section: &Section, table: &Table) {
    for column in table.columns.iter().filter(|column| column.owner != Owner::Source) {
        let Some(place) = section.descendant(&["columns", &column.name]) else { continue };
        let why = match part_of(table, &column.name) {
            _ if table.key.is_none() => format!("needs `key` in {}: rows without one never change", section.title()),
            Some(part) => format!("cannot be: it is the `{part}` of {}, which only its source knows", section.title()),
            None => continue,
        };
        place.problem_at("owner", format!("`owner` in {} {why}", place.title()), None);
    }
}

/// What the table needs this column for before it can ask whose its fields are.
fn part_of(table: &Table, column: &str) -> Option<&'static str> {
    let is_among = |names: &[String]| names.iter().any(|name| name == column);
    let parts = [
        ("key", is_among(&table.key_parts)),
        ("on", is_among(&table.on_parts)),
        ("updated_at", table.updated_at.as_deref() == Some(column)),
        ("deleted", table.deleted.as_deref() == Some(column)),
    ];
    parts.into_iter().find(|(_, is_it)| *is_it).map(|(part, _)| part)
}
