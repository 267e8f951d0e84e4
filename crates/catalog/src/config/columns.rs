//! `[tables.NAME.columns]`: what is said of single columns.

use super::numbers;
use super::section::{Keys, Section};
use super::workspace::zone;
use crate::{Class, Column, ColumnType, Owner, Pick, Role, Unit, nearest};

const KEYS: Keys = Keys {
    known: &[
        "from",
        "optional",
        "type",
        "format",
        "window",
        "zone",
        "unit",
        "null",
        "placeholder",
        "true",
        "false",
        "separator",
        "integral",
        "decimal",
        "thousands",
        "currency",
        "currency_from",
        "percent",
        "role",
        "class",
        "owner",
        "pick",
    ],
    later: &[],
};

/// What a source may say of a column: where it stands and how it is written, not what it means.
const SOURCE_KEYS: Keys = Keys {
    known: &[
        "from",
        "optional",
        "type",
        "format",
        "window",
        "zone",
        "unit",
        "null",
        "placeholder",
        "true",
        "false",
        "separator",
        "integral",
        "decimal",
        "thousands",
        "currency",
        "currency_from",
        "percent",
    ],
    later: &[],
};

const PICKS: [(&str, Pick); 5] =
    [("first", Pick::First), ("last", Pick::Last), ("min", Pick::Min), ("max", Pick::Max), ("sum", Pick::Sum)];

const UNITS: [(&str, Unit); 2] = [("s", Unit::Seconds), ("ms", Unit::Milliseconds)];

const CLASSES: [(&str, Class); 4] = [
    ("public", Class::Public),
    ("internal", Class::Internal),
    ("personal", Class::Personal),
    ("sensitive", Class::Sensitive),
];

const OWNERS: [(&str, Owner); 3] = [("source", Owner::Source), ("muster", Owner::Muster), ("latest", Owner::Latest)];

/// The columns of a table.
pub(super) fn read(section: &Section) -> Vec<Column> {
    let column = |section: &Section| {
        section.only(&KEYS);
        let column = Column {
            role: role(section),
            class: section.one_of("class", &CLASSES),
            owner: section.one_of("owner", &OWNERS).unwrap_or_default(),
            pick: section.one_of("pick", &PICKS),
            ..written(section, Column::plain(section.name()))
        };
        check_fitting(section, &column);
        check_role(section, &column);
        column
    };
    sections(section).iter().map(column).collect()
}

/// The columns as the files of one source have them, and the names of those that it declares itself; `above` are the
/// table's.
pub(super) fn read_of_source(section: &Section, above: &[Column]) -> (Vec<Column>, Vec<String>) {
    let sections = sections(section);
    let mut columns = above.to_vec();
    for section in &sections {
        section.only(&SOURCE_KEYS);
        let place = columns.iter().position(|column| column.name == section.name());
        let base = place.map_or_else(|| Column::plain(section.name()), |place| columns[place].clone());
        let column = written(section, base.clone());
        check_fitting(section, &column);
        check_same_type(section, &base, &column);
        match place {
            Some(place) => columns[place] = column,
            None => columns.push(column),
        }
    }
    (columns, sections.iter().map(|section| section.name().to_owned()).collect())
}

/// A column has one type, whatever source its values come from.
fn check_same_type(section: &Section, above: &Column, here: &Column) {
    if let (Some(above), Some(here)) = (above.column_type, here.column_type)
        && above != here
    {
        let message = format!("`type` in {} is \"{here}\", and the table declares \"{above}\"", section.title());
        section.problem_at("type", message, None);
    }
}

fn sections<'a>(section: &Section<'a>) -> Vec<Section<'a>> {
    let sections: Vec<Section> = section.keys().into_iter().filter_map(|name| section.section(name)).collect();
    for (place, column) in sections.iter().enumerate() {
        check_name(column, &sections[..place]);
    }
    sections
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

/// Where a column stands in a file and how its values are written: `base`, changed by what the section says.
fn written(section: &Section, base: Column) -> Column {
    let texts = |key: &str, base: Vec<String>| if section.has(key) { section.text_or_texts(key) } else { base };
    Column {
        from: section.word("from").unwrap_or(base.from),
        optional: section.switch("optional", base.optional),
        column_type: section.parsed::<ColumnType>("type").or(base.column_type),
        format: section.word("format").or(base.format),
        window: window(section).or(base.window),
        zone: zone(section, "zone").or(base.zone),
        unit: section.one_of("unit", &UNITS).or(base.unit),
        null: texts("null", base.null),
        placeholder: texts("placeholder", base.placeholder),
        truthy: texts("true", base.truthy),
        falsy: texts("false", base.falsy),
        separator: section.character("separator").unwrap_or(base.separator),
        integral: section.switch("integral", base.integral),
        decimal: numbers::decimal(section).or(base.decimal),
        thousands: numbers::thousands(section).or(base.thousands),
        currency: texts("currency", base.currency),
        currency_from: section.word("currency_from").or(base.currency_from),
        percent: section.switch("percent", base.percent),
        ..base
    }
}

fn window(section: &Section) -> Option<i32> {
    section.number("window", 1000..3001).and_then(|year| year.try_into().ok())
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

fn is_number(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Int | ColumnType::Decimal { .. } | ColumnType::Float)
}

const NUMBERS: &str = "\"int\", \"decimal(p,s)\" or \"float\"";

/// Which types read a setting.
const READ_BY: [(&str, &str, Fits); 13] = [
    ("format", "\"date\" or \"timestamp\"", |t| matches!(t, ColumnType::Date | ColumnType::Timestamp)),
    ("window", "\"date\" or \"timestamp\"", |t| matches!(t, ColumnType::Date | ColumnType::Timestamp)),
    ("zone", "\"timestamp\"", |t| t == ColumnType::Timestamp),
    ("unit", "\"timestamp\"", |t| t == ColumnType::Timestamp),
    ("true", "\"bool\"", |t| t == ColumnType::Bool),
    ("false", "\"bool\"", |t| t == ColumnType::Bool),
    ("separator", "\"set\"", |t| t == ColumnType::Set),
    ("integral", "\"id\"", |t| t == ColumnType::Id),
    ("decimal", NUMBERS, is_number),
    ("thousands", NUMBERS, is_number),
    ("currency", NUMBERS, is_number),
    ("currency_from", NUMBERS, is_number),
    ("percent", NUMBERS, is_number),
];

/// A setting that its column's type never reads would be ignored in silence.
fn check_fitting(section: &Section, column: &Column) {
    // A type that was there and could not be read is a problem of its own.
    let unreadable = section.has("type") && column.column_type.is_none();
    for (key, wanted, fits) in READ_BY {
        if section.has(key) && !unreadable && !column.column_type.is_some_and(fits) {
            section.problem_at(key, format!("`{key}` in {} needs type = {wanted}", section.title()), None);
        }
    }
    if column.pick == Some(Pick::Sum) && !unreadable && !column.column_type.is_some_and(is_number) {
        let message = format!("pick = \"sum\" in {} needs type = {NUMBERS}", section.title());
        section.problem_at("pick", message, None);
    }
    check_format(section, column);
    numbers::check_column(section, column);
}

/// A format and a unit exclude each other, and a year of two digits is in no century by itself.
fn check_format(section: &Section, column: &Column) {
    let title = section.title();
    if column.unit.is_some() && column.format.is_some() && (section.has("unit") || section.has("format")) {
        section.problem_at("unit", format!("`unit` and `format` in {title} exclude each other"), None);
    }
    let two_digits =
        column.format.as_ref().is_some_and(|format| ["%y", "%D", "%x"].iter().any(|year| format.contains(year)));
    if two_digits && column.window.is_none() && section.has("format") {
        let hint = "window = 1930 reads 30 to 99 as 1930 to 1999, and 00 to 29 as 2000 to 2029";
        let message = format!("a year of two digits in `format` of {title} needs `window`, its first year");
        section.problem_at("format", message, Some(hint.to_owned()));
    }
    if section.has("window") && !two_digits {
        section.problem_at("window", format!("`window` in {title} needs a `format` with %y"), None);
    }
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
