//! Which columns a table gets from its files, of which type, and why.
//!
//! A column's type is, in this order: what `muster.toml` declares, what an earlier load found, what the column is for
//! (a key is an id, a time an instant), what a Parquet file says, or what its first values look like.

use muster_catalog::{Column, ColumnNames, ColumnType, Condition, Pick, Role, Table, nearest};

use crate::Intake;
use crate::error::{ColumnProblem, Error, Need};
use crate::file::{Content, OpenFile};
use crate::infer::infer;
use crate::report::{Origin, Structure};
use crate::sample::Samples;
use crate::typing::NumberForm;
use crate::wording::{column_in, declared, localized};

/// The columns of a table in one load.
pub(crate) struct Plan {
    pub columns: Vec<PlannedColumn>,
    /// Columns of the files that are not loaded though nobody said so, and why.
    pub ignored: Vec<(String, String)>,
}

/// One column.
pub(crate) struct PlannedColumn {
    /// As declared, or as it comes.
    pub column: Column,
    pub column_type: ColumnType,
    pub origin: Origin,
    /// What the table is built on: every row has a value there.
    pub structure: Option<Structure>,
    /// The columns that it is made of, by their numbers; none for a column that files have.
    pub parts: Vec<usize>,
    pub pick: Pick,
}

impl Plan {
    /// Looks at what the files have and at what the table needs.
    pub fn of(intake: &Intake<'_>, files: &[OpenFile]) -> Result<Self, Error> {
        let (columns, mut ignored) = columns(intake, files);
        check_present(intake, files, &columns)?;
        let mut samples = Samples::new(intake, files);
        let mut planned = Vec::with_capacity(columns.len());
        for column in columns {
            match typed(&mut samples, &column)? {
                Type::Found(column_type, origin) => {
                    planned.push(PlannedColumn::new(intake, column, column_type, origin));
                }
                Type::Unsupported { file, kind } if need_of(intake, file, &column).is_some() => {
                    let problem = ColumnProblem::Unsupported { column: column.from, kind };
                    return Err(Error::Columns { file: file.source.name.clone(), problem });
                }
                Type::Unsupported { kind, .. } => ignored.push((column.from, format!("it holds {kind}"))),
            }
        }
        place_parts(intake.table, &mut planned);
        Ok(Self { columns: planned, ignored })
    }

    /// The columns for whoever takes the batches.
    pub fn names(&self) -> Vec<ColumnNames> {
        let names = self.columns.iter().map(|planned| ColumnNames {
            name: planned.column.name.clone(),
            column_type: planned.column_type,
            role: planned.column.role.clone(),
        });
        names.collect()
    }
}

impl PlannedColumn {
    fn new(intake: &Intake<'_>, column: Column, column_type: ColumnType, origin: Origin) -> Self {
        let table = intake.table;
        let is = |name: Option<&str>| name == Some(column.name.as_str());
        let part_of = |parts: &[String]| parts.contains(&column.name);
        let structure = if is(table.key.as_deref()) || part_of(&table.key_parts) {
            Some(Structure::Key)
        } else if is(table.on()) || part_of(&table.on_parts) {
            Some(Structure::ParentKey)
        } else if is(table.time.as_deref()) {
            Some(Structure::Time)
        } else {
            None
        };
        // What the table is built on comes from the first row of a key, except for when it last changed.
        let by_use = if is(table.updated_at.as_deref()) { Pick::Max } else { Pick::First };
        let pick = column.pick.unwrap_or(by_use);
        Self { column, column_type, origin, structure, parts: Vec::new(), pick }
    }
}

/// Says of which columns the combined ones are made.
fn place_parts(table: &Table, planned: &mut [PlannedColumn]) {
    let names: Vec<String> = planned.iter().map(|planned| planned.column.name.clone()).collect();
    for (combined, parts) in table.combined() {
        let place = |name: &str| names.iter().position(|found| found == name);
        if let Some(at) = place(combined) {
            planned[at].parts = parts.iter().filter_map(|part| place(part)).collect();
        }
    }
}

/// The columns of the table: those of an earlier load first, then as the files have them; and those that stay out.
fn columns(intake: &Intake<'_>, files: &[OpenFile]) -> (Vec<Column>, Vec<(String, String)>) {
    let mut columns: Vec<Column> = Vec::new();
    let mut ignored: Vec<(String, String)> = Vec::new();
    let known = intake.known.iter().map(|known| declared_or_plain(intake, &known.name));
    let found = files.iter().flat_map(|file| file.names().iter().map(move |name| (file, name)));
    let found: Vec<Column> = found.flat_map(|(file, name)| columns_from(intake, file, name, &mut ignored)).collect();
    let in_sources = intake.table.sources.iter().flat_map(|source| &source.own);
    let declared = intake.table.columns.iter().map(|column| &column.name).chain(in_sources);
    let declared = declared.map(|name| declared_or_plain(intake, name));
    let needed = structural(intake).map(|name| declared_or_plain(intake, name));
    for column in known.chain(found).chain(declared).chain(needed) {
        if is_kept(intake, &column) && columns.iter().all(|other| other.name != column.name) {
            columns.push(column);
        }
    }
    (columns, ignored)
}

fn declared_or_plain(intake: &Intake<'_>, name: &str) -> Column {
    declared(intake.table, name).cloned().unwrap_or_else(|| Column::plain(name))
}

/// What becomes of a column of a file: the columns that are declared to come from it, else itself.
fn columns_from(intake: &Intake<'_>, file: &OpenFile, name: &str, ignored: &mut Vec<(String, String)>) -> Vec<Column> {
    let columns = declared_in(intake, file);
    let from: Vec<Column> = columns
        .iter()
        .filter(|column| column.from == name)
        .map(|column| declared_or_plain(intake, &column.name))
        .collect();
    let other = columns.iter().find(|column| column.name == name).map(|other| other.from.as_str());
    let combined = is_combined(intake.table, name).then(|| intake.table.key_parts.join(" and "));
    match other.or(combined.as_deref()) {
        _ if !from.is_empty() => from,
        None => vec![declared_or_plain(intake, name)],
        Some(other) => {
            let why = format!("the column `{name}` is declared to come from `{other}`");
            if !ignored.iter().any(|(ignored, _)| ignored == name) {
                ignored.push((name.to_owned(), why));
            }
            Vec::new()
        }
    }
}

/// What is declared of the columns of a file.
pub(crate) fn declared_in<'a>(intake: &Intake<'a>, file: &OpenFile) -> &'a [Column] {
    let source = file.wording.and_then(|number| intake.table.sources.get(number));
    source.map_or(&intake.table.columns, |source| &source.columns)
}

fn is_combined(table: &Table, name: &str) -> bool {
    table.combined().iter().any(|(combined, _)| *combined == name)
}

/// The columns that the table is built on, the parts of a combined one before itself.
fn structural<'a>(intake: &Intake<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let table = intake.table;
    let parts = table.key_parts.iter().chain(&table.on_parts).map(String::as_str);
    let instants = [&table.time, &table.updated_at, &table.created_at, &table.deleted];
    parts.chain(table.key.as_deref()).chain(table.on()).chain(instants.into_iter().filter_map(|name| name.as_deref()))
}

/// A flat file has columns at several grains; only those that are asked for make sense at the key's.
fn is_kept(intake: &Intake<'_>, column: &Column) -> bool {
    !intake.table.one_row_per_key || column.pick.is_some() || structural(intake).any(|name| name == column.name)
}

/// Every file has what is declared, what the table is built on, what conditions ask for, and what was there before; a
/// column that comes up in a later file has no values in the earlier ones.
fn check_present(intake: &Intake<'_>, files: &[OpenFile], columns: &[Column]) -> Result<(), Error> {
    let mut seen: Vec<&str> = Vec::new();
    for file in files.iter().filter(|file| !file.is_blank()) {
        for column in columns {
            let here = column_in(intake.table, file.wording, column);
            let before = intake.table.sources.is_empty() && seen.contains(&here.from.as_str());
            let need = need_of(intake, file, column).or(before.then_some(Need::Before));
            require(file, &here.from, need.filter(|_| !here.optional))?;
            if let Some(currency) = &here.currency_from {
                require(file, currency, Some(Need::Currency))?;
            }
        }
        for condition in &intake.table.conditions {
            require(file, file_column(intake, file, condition), Some(Need::Condition))?;
        }
        seen.extend(file.names().iter().map(String::as_str));
    }
    Ok(())
}

/// Why a file must have a column. What only one source declares is needed in its files alone; what an earlier load had
/// without a declaration may have come from any source.
fn need_of(intake: &Intake<'_>, file: &OpenFile, column: &Column) -> Option<Need> {
    let table = intake.table;
    if is_combined(table, &column.name) {
        None
    } else if declared_in(intake, file).iter().any(|declared| declared.name == column.name) {
        Some(Need::Declared)
    } else if structural(intake).any(|name| name == column.name) {
        Some(Need::Structure)
    } else {
        let known = intake.known.iter().any(|known| known.name == column.name);
        (known && table.sources.is_empty()).then_some(Need::Before)
    }
}

fn require(file: &OpenFile, column: &str, need: Option<Need>) -> Result<(), Error> {
    let Some(needed) = need.filter(|_| file.names().iter().all(|name| name != column)) else { return Ok(()) };
    let problem = ColumnProblem::Missing {
        column: column.to_owned(),
        needed,
        nearest: nearest(column, file.names().iter().map(String::as_str)).map(str::to_owned),
        found: file.names().to_vec(),
    };
    Err(Error::Columns { file: file.source.name.clone(), problem })
}

/// Conditions speak of the columns of the file; the name that a column has in queries is understood too.
pub(crate) fn file_column<'a>(intake: &Intake<'a>, file: &OpenFile, condition: &'a Condition) -> &'a str {
    let in_file = file.names().contains(&condition.column);
    let declared = declared_in(intake, file).iter().find(|column| column.name == condition.column && !in_file);
    declared.map_or(&condition.column, |column| &column.from)
}

/// What is known of a column's type.
enum Type<'a> {
    Found(ColumnType, Origin),
    /// The file says that it holds something that no type takes.
    Unsupported {
        file: &'a OpenFile,
        kind: String,
    },
}

fn typed<'a>(samples: &mut Samples<'a>, column: &Column) -> Result<Type<'a>, Error> {
    let intake = samples.intake;
    if let Some(column_type) = column.column_type {
        return Ok(Type::Found(column_type, Origin::Declared));
    }
    if let Some(known) = intake.known.iter().find(|known| known.name == column.name) {
        return Ok(Type::Found(known.column_type, Origin::Known));
    }
    match by_use(intake, column) {
        Some((column_type, why)) => Ok(Type::Found(column_type, Origin::Inferred(why))),
        None => by_content(samples, column),
    }
}

/// What the first file that has the column says, or shows.
fn by_content<'a>(samples: &mut Samples<'a>, column: &Column) -> Result<Type<'a>, Error> {
    let table = samples.intake.table;
    let Some(place) = samples.first_with(column) else {
        return Ok(Type::Found(ColumnType::Text, Origin::Inferred("no file has it".to_owned())));
    };
    let file = samples.file(&place);
    let column = column_in(table, file.wording, column);
    let no_values = no_values(samples.intake, &column);
    match &file.content {
        Content::Parquet(parquet) => Ok(match parquet.column_type(place.column) {
            Ok(column_type) => Type::Found(column_type, Origin::Inferred(format!("the type in {}", file.source.name))),
            Err(kind) => Type::Unsupported { file, kind },
        }),
        Content::Json(json) => {
            Ok(match json.column_type(place.column, samples.of(&place)?.values(place.column, &no_values)) {
                Ok((column_type, why)) => Type::Found(column_type, Origin::Inferred(why)),
                Err(kind) => Type::Unsupported { file, kind },
            })
        }
        Content::Text { .. } => {
            let form = NumberForm::of(&localized(table, &column));
            let values = samples.of(&place)?.values(place.column, &no_values);
            let values: Vec<_> = values.map(|value| form.plain_or_same(value)).collect();
            let (column_type, why) = infer(values.iter().map(AsRef::as_ref));
            Ok(Type::Found(column_type, Origin::Inferred(why)))
        }
    }
}

/// The texts of a column that are not looked at for its type.
fn no_values(intake: &Intake<'_>, column: &Column) -> Vec<String> {
    intake.table.null.iter().chain(&column.null).chain(&column.placeholder).cloned().collect()
}

/// What a column is for decides more surely than what it looks like: a postcode of digits is no number.
fn by_use(intake: &Intake<'_>, column: &Column) -> Option<(ColumnType, String)> {
    let table = intake.table;
    let is = |name: Option<&str>| name == Some(column.name.as_str());
    let link = intake.catalog.links_from(&table.name).find(|(link, _)| link.from_column == column.name);
    let named = |column_type, what: &str| Some((column_type, what.to_owned()));
    match &column.role {
        _ if is(table.key.as_deref()) => named(ColumnType::Id, "the key of the table"),
        _ if table.key_parts.contains(&column.name) => named(ColumnType::Id, "a part of the key of the table"),
        _ if is(table.deleted.as_deref()) => named(ColumnType::Bool, "whether a row is deleted"),
        _ if is(table.on()) || table.on_parts.contains(&column.name) => {
            Some((ColumnType::Id, format!("the key of {}", table.parent().unwrap_or_default())))
        }
        _ if is(table.time.as_deref()) => named(ColumnType::Timestamp, "the time of the table"),
        _ if is(table.updated_at.as_deref()) || is(table.created_at.as_deref()) => {
            named(ColumnType::Timestamp, "when a row was made or changed")
        }
        _ if link.is_some() => link.map(|(_, lookup)| (ColumnType::Id, format!("the key of {}", lookup.name))),
        Some(role) => Some((type_of_role(role), "its role".to_owned())),
        None => None,
    }
}

fn type_of_role(role: &Role) -> ColumnType {
    match role {
        Role::Email | Role::Mobile | Role::PushToken | Role::Language | Role::Zone | Role::Postcode => ColumnType::Text,
        Role::BirthDate => ColumnType::Date,
        Role::Latitude | Role::Longitude => ColumnType::Float,
        Role::Consent(_) | Role::Test => ColumnType::Bool,
    }
}
