//! A shop as others read it: the files of each load, and its tables as of an instant with the columns that engines need.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use muster_catalog::{ColumnType, Kind, LISTS, Timestamp};

use super::rows::{Shop, Tables};
use crate::world::{Value, World};

/// A table in CSV, as DuckDB can be told to read it: names with types in the first line, `\N` for no value.
#[derive(Debug)]
pub struct TypedTable {
    /// Its name.
    pub name: String,
    /// Its text.
    pub csv: String,
}

/// The files of a load, by name, below the folder that `muster.toml` names.
pub fn of_load(shop: &Shop, load: &Tables, step: usize) -> Vec<(String, String)> {
    let rows = load.iter().filter(|(_, rows)| !rows.is_empty());
    let file = |(table, rows): (&String, &Vec<Vec<Value>>)| {
        let columns = &shop.world.tables[table].columns;
        let head: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let lines = rows.iter().map(|row| line(row, ""));
        let text = std::iter::once(head.join(",")).chain(lines).collect::<Vec<_>>().join("\n");
        let short = table.strip_prefix(LISTS).map_or(table.as_str(), |name| &name[1..]);
        (format!("files/{short}_{}.csv", step + 1), text + "\n")
    };
    rows.map(file).collect()
}

fn line(row: &[Value], null: &str) -> String {
    row.iter().map(|value| field(value, null)).collect::<Vec<_>>().join(",")
}

fn field(value: &Value, null: &str) -> String {
    match value {
        Value::Null => null.to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Set(parts) => parts.join(";"),
        Value::Text(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        other => other.to_string(),
    }
}

/// The tables as of an instant: fields as they were then, and what ties rows together. Which rows were not there yet is for
/// the query to say.
pub fn tables(world: &World, instant: Timestamp) -> Vec<TypedTable> {
    let mut exported = Exported { world, then: fields_then(world, instant), numbers: BTreeMap::new() };
    let mut tables: Vec<TypedTable> = Vec::new();
    // Parents come before what stands below them.
    for table in &world.catalog.tables {
        exported.number(&table.name);
        tables.extend((table.kind != Kind::List).then(|| exported.table(&table.name)));
    }
    tables
}

/// The rows of each table with the fields that they had.
fn fields_then(world: &World, instant: Timestamp) -> Tables {
    let mut oldest: BTreeMap<(&str, String, &str), (Timestamp, &Value)> = BTreeMap::new();
    for change in world.changes.iter().filter(|change| change.at > instant) {
        let field = (change.table.as_str(), change.key[0].to_string(), change.field.as_str());
        let known = oldest.entry(field).or_insert((change.at, &change.old));
        if change.at < known.0 {
            *known = (change.at, &change.old);
        }
    }
    let then = |(name, rows): (&String, &crate::world::Rows)| {
        let of_row = |row: &Vec<Value>| {
            let value = |(column, today): (&(String, ColumnType), &Value)| {
                let before = oldest.get(&(name.as_str(), row[0].to_string(), column.0.as_str()));
                before.map_or(today, |(_, old)| old).clone()
            };
            rows.columns.iter().zip(row).map(value).collect()
        };
        (name.clone(), rows.rows.iter().map(of_row).collect())
    };
    world.tables.iter().map(then).collect()
}

/// The tables with a number for every row.
struct Exported<'w> {
    world: &'w World,
    then: Tables,
    /// The numbers of a table's rows, by key; of those without one in the order of their content.
    numbers: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Exported<'_> {
    /// Numbers follow the content: of rows without a key that is their order; of others it says nothing.
    fn number(&mut self, table: &str) {
        let rows = self.then.get_mut(table).expect("every table has its rows");
        rows.sort_by(|a, b| {
            let order = |(a, b): (&Value, &Value)| b.is_null().cmp(&a.is_null()).then_with(|| a.order(b));
            let unequal = a.iter().zip(b).map(order).find(|order| order.is_ne());
            unequal.unwrap_or(std::cmp::Ordering::Equal)
        });
        let has_key = self.world.catalog.table(table).is_some_and(|table| table.key.is_some());
        if has_key {
            // The reverse of the keys' order, so that an order by numbers shows.
            rows.reverse();
            let numbers = rows.iter().enumerate().map(|(number, row)| (row[0].to_string(), number));
            self.numbers.insert(table.to_owned(), numbers.collect());
        }
    }

    fn table(&self, name: &str) -> TypedTable {
        let columns = &self.world.tables[name].columns;
        let mut head: Vec<String> =
            columns.iter().map(|(name, holds)| format!("{name}:{}", type_name(*holds))).collect();
        head.extend(self.hidden_names(name));
        let mut csv = head.join("|") + "\n";
        for (number, row) in self.then[name].iter().enumerate() {
            let all: Vec<Value> = row.iter().cloned().chain(self.hidden(name, number, row)).collect();
            let _ = writeln!(csv, "{}", line(&all, "\\N"));
        }
        TypedTable { name: name.to_owned(), csv }
    }

    fn hidden_names(&self, name: &str) -> Vec<String> {
        let own = ["__row:BIGINT", "__time:TIMESTAMPTZ"].map(str::to_owned);
        match self.world.catalog.table(name).map(|table| &table.kind) {
            Some(Kind::Root) => {
                own.into_iter().chain(self.lists().map(|list| format!("__list_{list}:BOOLEAN"))).collect()
            }
            Some(Kind::History { .. }) => {
                own.into_iter().chain(["__parent:BIGINT", "__profile:BIGINT"].map(str::to_owned)).collect()
            }
            _ => own.into_iter().take(1).collect(),
        }
    }

    fn hidden(&self, name: &str, number: usize, row: &[Value]) -> Vec<Value> {
        let own = Value::Int(number.try_into().unwrap_or(i64::MAX));
        match self.world.catalog.table(name).map(|table| &table.kind) {
            Some(Kind::Root) => {
                let on_list = |list: &str| self.then[&format!("{LISTS}.{list}")].iter().any(|entry| entry[0] == row[0]);
                let lists = self.lists().map(|list| Value::Bool(on_list(list)));
                [own, self.time(name, row)].into_iter().chain(lists).collect()
            }
            Some(Kind::History { .. }) => {
                let (parent, above) = self.above(name, row);
                vec![own, self.time(name, row), self.number_of(parent, above), self.profile(name, row)]
            }
            _ => vec![own],
        }
    }

    fn lists(&self) -> impl Iterator<Item = &str> {
        let names = self.world.catalog.tables.iter().filter(|table| table.kind == Kind::List);
        names.filter_map(|table| table.name.strip_prefix(LISTS)?.strip_prefix('.'))
    }

    /// The table above, and the row there that this one names.
    fn above(&self, name: &str, row: &[Value]) -> (&str, &[Value]) {
        let table = self.world.catalog.table(name).expect("a table of the catalog");
        let (parent, on) = (table.parent().expect("a history"), &table.on_parts[0]);
        let column = self.world.tables[name].columns.iter().position(|(column, _)| column == on);
        let key = row[column.expect("a column of the table")].to_string();
        let number = self.numbers[parent][&key];
        (parent, &self.then[parent][number])
    }

    fn number_of(&self, table: &str, row: &[Value]) -> Value {
        let number = self.numbers[table][&row[0].to_string()];
        Value::Int(number.try_into().unwrap_or(i64::MAX))
    }

    fn profile(&self, name: &str, row: &[Value]) -> Value {
        let (parent, above) = self.above(name, row);
        let is_root = self.world.catalog.root().name == parent;
        if is_root { self.number_of(parent, above) } else { self.profile(parent, above) }
    }

    /// Its own instant, or the one of the row above.
    fn time(&self, name: &str, row: &[Value]) -> Value {
        let table = self.world.catalog.table(name).expect("a table of the catalog");
        let own = table.time.as_ref().or(table.created_at.as_ref());
        match own.and_then(|own| self.world.tables[name].columns.iter().position(|(column, _)| column == own)) {
            Some(column) => row[column].clone(),
            None => {
                let (parent, above) = self.above(name, row);
                self.time(parent, above)
            }
        }
    }
}

/// What another engine calls a type.
pub fn type_name(holds: ColumnType) -> String {
    match holds {
        ColumnType::Id | ColumnType::Text => "VARCHAR".to_owned(),
        ColumnType::Int => "BIGINT".to_owned(),
        ColumnType::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        ColumnType::Float => "DOUBLE".to_owned(),
        ColumnType::Bool => "BOOLEAN".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Timestamp => "TIMESTAMPTZ".to_owned(),
        ColumnType::Set => "VARCHAR[]".to_owned(),
    }
}
