//! The world as of an instant (section 3): which rows are there, and what their fields said.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use chrono_tz::Tz;
use muster_catalog::{Kind as TableKind, Timestamp};

use crate::world::{Change, Value, World};

/// A row: the table's place in the catalog, and the row's in the table as it is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    pub table: usize,
    pub index: usize,
}

/// The world as of an instant.
pub(super) struct Past<'w> {
    world: &'w World,
    /// The as-of instant, which is also what `now()` says.
    pub micros: i64,
    /// Per table and row of today: its values then, and whether it was there.
    tables: Vec<Vec<Entry>>,
    /// Per table the rows that are there, by profile key, then in row order.
    ordered: Vec<Vec<Row>>,
    /// Where the row with a key stands, per table: looked up for every row, so walking all of them takes too long.
    by_key: Vec<HashMap<String, usize>>,
    /// The rows of a table below a row, in row order; for the same reason.
    below: HashMap<(usize, Row), Vec<Row>>,
}

struct Entry {
    values: Vec<Value>,
    /// The row above, by the key that this one names.
    parent: Option<Row>,
    is_visible: bool,
}

impl<'w> Past<'w> {
    /// As of T: fields as the changes say they were; then no row with a later time, nor what stands below one.
    pub fn new(world: &'w World, micros: i64) -> Self {
        let table_count = world.catalog.tables.len();
        let later = later_changes(world, micros);
        let tables = (0..table_count).map(|table| {
            let rows = (0..world.rows(table).rows.len()).map(|index| Row { table, index });
            rows.map(|row| Entry { values: fields(world, row, &later), parent: None, is_visible: true }).collect()
        });
        let (tables, ordered, by_key) = (tables.collect(), Vec::new(), Vec::new());
        let mut past = Self { world, micros, tables, ordered, by_key, below: HashMap::new() };
        past.by_key = (0..table_count).map(|table| past.places_by_key(table)).collect();
        past.find_parents();
        past.hide();
        past.ordered = (0..table_count).map(|table| past.in_order(table)).collect();
        past.below = past.rows_below();
        past
    }

    fn places_by_key(&self, table: usize) -> HashMap<String, usize> {
        let rows = (0..self.tables[table].len()).rev();
        rows.map(|index| (spelled(&self.key(Row { table, index })), index)).collect()
    }

    fn rows_below(&self) -> HashMap<(usize, Row), Vec<Row>> {
        let mut below: HashMap<(usize, Row), Vec<Row>> = HashMap::new();
        for row in self.ordered.iter().flatten() {
            let above = std::iter::successors(self.parent(*row), |row| self.parent(*row));
            above.for_each(|above| below.entry((row.table, above)).or_default().push(*row));
        }
        below
    }

    fn find_parents(&mut self) {
        for row in self.all_rows() {
            self.tables[row.table][row.index].parent = self.named_parent(row);
        }
    }

    fn hide(&mut self) {
        let hidden: Vec<Row> = self.all_rows().into_iter().filter(|row| !self.was_there(*row)).collect();
        for row in hidden {
            self.tables[row.table][row.index].is_visible = false;
        }
    }

    fn all_rows(&self) -> Vec<Row> {
        let tables = self.tables.iter().enumerate();
        tables.flat_map(|(table, rows)| (0..rows.len()).map(move |index| Row { table, index })).collect()
    }

    /// Whether the row and all those above it were there.
    fn was_there(&self, row: Row) -> bool {
        match self.world.catalog.tables[row.table].kind {
            TableKind::Lookup | TableKind::List => true,
            TableKind::Root => self.has_come(row),
            TableKind::History { .. } => {
                let parent = self.parent(row);
                self.has_come(row) && parent.is_some_and(|parent| self.was_there(parent))
            }
        }
    }

    /// No row is there before its own time, no profile before its `created_at`; "a deleted row is gone as of every
    /// instant".
    fn has_come(&self, row: Row) -> bool {
        let table = &self.world.catalog.tables[row.table];
        let instant = |name: &Option<String>| {
            let column = self.world.column(row.table, name.as_ref()?)?;
            calendar_instant(self.field(row, column), self.zone())
        };
        let today = &self.world.rows(row.table).rows[row.index];
        let deleted = table.deleted.as_ref().and_then(|name| self.world.column(row.table, name));
        let is_deleted = deleted.is_some_and(|column| today[column] == Value::Bool(true));
        let comes = instant(&table.time).max(instant(&table.created_at));
        !is_deleted && comes.is_none_or(|comes| comes <= self.micros)
    }

    pub fn zone(&self) -> Tz {
        self.world.catalog.workspace.time_zone
    }

    /// The root's place in the catalog.
    pub fn root(&self) -> usize {
        let tables = &self.world.catalog.tables;
        tables.iter().position(|table| table.kind == TableKind::Root).expect("a catalog has a root")
    }

    pub fn is_visible(&self, row: Row) -> bool {
        self.tables[row.table][row.index].is_visible
    }

    pub fn field(&self, row: Row, column: usize) -> &Value {
        &self.tables[row.table][row.index].values[column]
    }

    /// The values of the columns that make a row's key.
    pub fn key(&self, row: Row) -> Vec<Value> {
        self.fields_named(row, &self.world.catalog.tables[row.table].key_parts)
    }

    fn fields_named(&self, row: Row, names: &[String]) -> Vec<Value> {
        let column = |name: &String| self.world.column(row.table, name);
        names.iter().filter_map(column).map(|column| self.field(row, column).clone()).collect()
    }

    /// The row of a table with this key; NULL is nobody's key.
    pub fn row_of_key(&self, table: usize, key: &[Value]) -> Option<Row> {
        let row = Row { table, index: *self.by_key[table].get(&spelled(key))? };
        Some(row).filter(|row| self.is_visible(*row) && !key.is_empty() && !key.iter().any(Value::is_null))
    }

    fn named_parent(&self, row: Row) -> Option<Row> {
        let named = self.fields_named(row, &self.world.catalog.tables[row.table].on_parts);
        self.row_of_key(self.world.parent(row.table)?, &named)
    }

    /// The row that it stands below.
    fn parent(&self, row: Row) -> Option<Row> {
        self.tables[row.table][row.index].parent
    }

    /// The row itself, or the one of `table` above it.
    pub fn ancestor(&self, row: Row, table: usize) -> Option<Row> {
        if row.table == table { Some(row) } else { self.ancestor(self.parent(row)?, table) }
    }

    /// The profile to which a row belongs.
    pub fn profile(&self, row: Row) -> Option<Row> {
        self.ancestor(row, self.root())
    }

    /// The rows of a table that are there, by profile key, then in row order.
    pub fn rows(&self, table: usize) -> Vec<Row> {
        self.ordered[table].clone()
    }

    /// The rows of a table that stand below a row, in row order; of its own table the row itself.
    pub fn below(&self, table: usize, above: Row) -> Vec<Row> {
        if table == above.table {
            return vec![above];
        }
        self.below.get(&(table, above)).cloned().unwrap_or_default()
    }

    fn in_order(&self, table: usize) -> Vec<Row> {
        let rows = (0..self.tables[table].len()).map(|index| Row { table, index });
        let mut rows: Vec<(Vec<Value>, Row)> =
            rows.filter(|row| self.is_visible(*row)).map(|row| (self.in_row_order(row), row)).collect();
        rows.sort_by(|(a, _), (b, _)| row_order(a, b));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// What a row is put in order by: the profile's key, and then "by time (own or inherited), then the ancestors' keys
    /// from the top, then the own key, then the row's content column by column in catalog order".
    fn in_row_order(&self, row: Row) -> Vec<Value> {
        let mut by = self.profile(row).map(|profile| self.key(profile)).unwrap_or_default();
        by.push(self.time(row));
        by.extend(self.keys_from_the_top(row));
        by.extend_from_slice(&self.tables[row.table][row.index].values);
        by
    }

    fn keys_from_the_top(&self, row: Row) -> Vec<Value> {
        let above = self.parent(row).map(|parent| self.keys_from_the_top(parent));
        above.unwrap_or_default().into_iter().chain(self.key(row)).collect()
    }

    /// The instant of a row: its own, or that of the nearest row above with a time; a date is its midnight.
    pub fn time(&self, row: Row) -> Value {
        let own = self.world.catalog.tables[row.table].time.as_ref();
        match own.and_then(|name| self.world.column(row.table, name)) {
            Some(column) => calendar_instant(self.field(row, column), self.zone()).map_or(Value::Null, Value::Instant),
            None => self.parent(row).map_or(Value::Null, |parent| self.time(parent)),
        }
    }
}

/// The order of rows: value by value, no value before all others.
fn row_order(a: &[Value], b: &[Value]) -> Ordering {
    let order = |(a, b): (&Value, &Value)| b.is_null().cmp(&a.is_null()).then_with(|| a.order(b));
    let unequal = a.iter().zip(b).map(order).find(|order| order.is_ne());
    unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// The microseconds of an instant, or of a date's local midnight.
pub(super) fn calendar_instant(value: &Value, zone: Tz) -> Option<i64> {
    match value {
        Value::Instant(micros) => Some(*micros),
        Value::Date(days) => Some(muster_catalog::local_midnight(Value::calendar(*days)?, zone).micros()),
        _ => None,
    }
}

/// "A field of a profile or of any keyed row has the value that `changes` says it had": the old value of its first change
/// after T, else today's. Lookups are not versioned.
fn fields(world: &World, row: Row, later: &Later) -> Vec<Value> {
    let table = &world.catalog.tables[row.table];
    let rows = world.rows(row.table);
    let today = &rows.rows[row.index];
    if table.kind.is_beside_the_tree() || table.key_parts.is_empty() {
        return today.clone();
    }
    let part = |name: &String| world.column(row.table, name).map(|column| today[column].clone());
    let key = spelled(&table.key_parts.iter().filter_map(part).collect::<Vec<Value>>());
    let Some(changes) = later.get(&(table.name.as_str(), key)) else { return today.clone() };
    let then = |((name, _), now): (&(String, muster_catalog::ColumnType), &Value)| {
        let of_field = changes.iter().filter(|change| change.field == *name);
        of_field.min_by_key(|change| change.at).map_or(now.clone(), |change| change.old.clone())
    };
    rows.columns.iter().zip(today).map(then).collect()
}

/// The changes after an instant, by table and key.
type Later<'w> = BTreeMap<(&'w str, String), Vec<&'w Change>>;

fn later_changes(world: &World, micros: i64) -> Later<'_> {
    let mut later = Later::new();
    for change in world.changes.iter().filter(|change| change.at > Timestamp::from_micros(micros)) {
        later.entry((change.table.as_str(), spelled(&change.key))).or_default().push(change);
    }
    later
}

/// A key as one text: two keys are equal if theirs are.
fn spelled(key: &[Value]) -> String {
    format!("{key:?}")
}
