//! `[tables.NAME.columns]`: what is said of single columns.

use super::section::{Keys, Section};
use super::workspace::zone;
use crate::{Column, ColumnType, Pick, Role, nearest};

const KEYS: Keys = Keys {
    known: &[
        "from",
        "type",
        "format",
        "zone",
        "null",
        "placeholder",
        "true",
        "false",
        "separator",
        "integral",
        "role",
        "pick",
    ],
    later: &["class", "decimal", "thousands", "unit", "owner"],
};

const PICKS: [(&str, Pick); 5] =
    [("first", Pick::First), ("last", Pick::Last), ("min", Pick::Min), ("max", Pick::Max), ("sum", Pick::Sum)];

pub(super) fn read(section: &Section) -> Vec<Column> {
    let sections: Vec<Section> = section.keys().into_iter().filter_map(|name| section.section(name)).collect();
    for (place, column) in sections.iter().enumerate() {
        check_name(column, &sections[..place]);
    }
    sections.iter().map(one).collect()
}

/// Names are read without regard to capitals, and those that begin with two underscores are the engine's.
fn check_name(section: &Section, before: &[Section]) {
    let name = section.name();
    if name.is_empty() {
        section.problem(format!("{} is a column without a name", section.title()));
    }
    if name.starts_with("__") {
        section.problem(format!("\"{name}\" is no column name; names that begin with __ are muster's own"));
    }
    if let Some(other) = before.iter().map(Section::name).find(|other| other.to_lowercase() == name.to_lowercase()) {
        section.problem(format!("the columns `{other}` and `{name}` differ only by capitals, which no query sees"));
    }
}

fn one(section: &Section) -> Column {
    section.only(&KEYS);
    let column = Column {
        from: section.word("from").unwrap_or_else(|| section.name().to_owned()),
        column_type: section.parsed::<ColumnType>("type"),
        format: section.word("format"),
        zone: zone(section, "zone"),
        null: section.text_or_texts("null"),
        placeholder: section.text_or_texts("placeholder"),
        truthy: section.text_or_texts("true"),
        falsy: section.text_or_texts("false"),
        separator: section.character("separator").unwrap_or(';'),
        integral: section.switch("integral", false),
        role: role(section),
        pick: section.one_of("pick", &PICKS),
        ..Column::plain(section.name())
    };
    check_fitting(section, &column);
    column
}

fn role(section: &Section) -> Option<Role> {
    let text = section.text("role")?;
    let role = text.parse().ok();
    if role.is_none() {
        let hint = nearest(&text, Role::spellings()).map(|near| format!("did you mean \"{near}\"?"));
        let known: Vec<&str> = Role::spellings().collect();
        let message = format!("unknown role \"{text}\"; expected one of {}", known.join(", "));
        section.problem_at("role", message, hint);
    }
    role
}

/// What a setting asks of the type of its column.
type Fits = fn(ColumnType) -> bool;

/// A setting that its column's type never reads would be ignored in silence.
fn check_fitting(section: &Section, column: &Column) {
    let rules: [(&str, &str, Fits); 6] = [
        ("format", "\"date\" or \"timestamp\"", |t| matches!(t, ColumnType::Date | ColumnType::Timestamp)),
        ("zone", "\"timestamp\"", |t| t == ColumnType::Timestamp),
        ("true", "\"bool\"", |t| t == ColumnType::Bool),
        ("false", "\"bool\"", |t| t == ColumnType::Bool),
        ("separator", "\"set\"", |t| t == ColumnType::Set),
        ("integral", "\"id\"", |t| t == ColumnType::Id),
    ];
    // A type that was there and could not be read is a problem of its own.
    let unreadable = section.has("type") && column.column_type.is_none();
    for (key, wanted, fits) in rules {
        if section.has(key) && !unreadable && !column.column_type.is_some_and(fits) {
            section.problem_at(key, format!("`{key}` in {} needs type = {wanted}", section.title()), None);
        }
    }
    let sums = |t| matches!(t, ColumnType::Int | ColumnType::Decimal { .. } | ColumnType::Float);
    if column.pick == Some(Pick::Sum) && !unreadable && !column.column_type.is_some_and(sums) {
        let message =
            format!("pick = \"sum\" in {} needs type = \"int\", \"decimal(p,s)\" or \"float\"", section.title());
        section.problem_at("pick", message, None);
    }
    check_role(section, column);
}

/// Whoever acts on a role reads its column as one type.
fn check_role(section: &Section, column: &Column) {
    let (Some(role), Some(found)) = (&column.role, column.column_type) else { return };
    let (wanted, fits): (&str, Fits) = match role {
        Role::Email | Role::Mobile | Role::PushToken | Role::Language | Role::Zone | Role::Postcode => {
            ("\"text\" or \"id\"", ColumnType::is_text)
        }
        Role::BirthDate => ("\"date\"", |t| t == ColumnType::Date),
        Role::Latitude | Role::Longitude => {
            ("\"float\" or \"decimal(p,s)\"", |t| matches!(t, ColumnType::Float | ColumnType::Decimal { .. }))
        }
        Role::Consent(_) | Role::Test => ("\"bool\"", |t| t == ColumnType::Bool),
    };
    if !fits(found) {
        let message = format!("role = \"{role}\" in {} needs type = {wanted}, not \"{found}\"", section.title());
        section.problem_at("role", message, None);
    }
}
