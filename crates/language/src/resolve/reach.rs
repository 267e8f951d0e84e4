//! What a row of one table sees: its own columns, its ancestors, and the lookups on its path.
//!
//! Every use of a name adds the relation that it needs to [`Rows`], once, and the columns that it needs to that relation.
//! Which names lead where is [`super::ways`]'s; the rows around a history aggregate are [`super::enclosing`]'s.

use std::collections::BTreeMap;

use muster_catalog::{Kind, Names, TableNames};
use sqlparser::ast::Ident;

use super::enclosing::Frame;
use super::scope::same_name;
use crate::resolved::{Reached, Relation, Rows, Visible, hidden};

/// The rows of `base`, and everything that is reached from them so far.
pub(super) struct Reach<'a> {
    pub(super) names: &'a Names,
    pub(super) base: &'a TableNames,
    pub(super) rows: Rows,
    /// What the query calls them; their alias may be another.
    pub(super) called: String,
    /// Whether what is reached takes the rows' own name into its alias: of rows that are not the only ones of their table.
    pub(super) prefixed: bool,
    /// Inside a history aggregate: the rows for which it is taken, the grain's first.
    pub(super) frames: Vec<Frame<'a>>,
    /// The tables that compare profiles for these rows, by the value as it is written.
    pub(super) compared: BTreeMap<String, String>,
}

impl<'a> Reach<'a> {
    /// Rows of the grain.
    pub(super) fn of_grain(names: &'a Names, base: &'a TableNames, alias: &str) -> Self {
        Self::of(names, base, alias, visible_with_profile(names, base))
    }

    pub(super) fn of(names: &'a Names, base: &'a TableNames, alias: &str, visible: Visible) -> Self {
        let itself = Relation {
            alias: alias.to_owned(),
            table: base.name.clone(),
            columns: Vec::new(),
            visible,
            reached: Reached::Itself,
        };
        let rows = Rows { relations: vec![itself], histories: Vec::new(), asides: Vec::new() };
        let called = alias.to_owned();
        Self { names, base, rows, called, prefixed: false, frames: Vec::new(), compared: BTreeMap::new() }
    }

    /// Rows of a sequence: their alias tells them from the others, but the query calls them as their table is.
    pub(super) fn call_by_table(&mut self) {
        self.called.clone_from(&self.base.name);
    }

    /// The alias of the rows themselves.
    pub(super) fn alias(&self) -> &str {
        &self.rows.relations[0].alias
    }

    /// The table itself, then its ancestors from the parent up.
    pub(super) fn path(&self) -> impl Iterator<Item = &'a TableNames> {
        path(self.names, self.base)
    }

    /// How many rows are around this one.
    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// What the query calls the rows.
    pub(super) fn called(&self) -> &str {
        &self.called
    }

    /// Whether the query calls the rows so.
    pub(super) fn is_called(&self, name: &Ident) -> bool {
        same_name(name, &self.called)
    }

    /// Whether `table` is the rows' own or an ancestor.
    pub(super) fn is_on_path(&self, table: &TableNames) -> bool {
        self.path().any(|on_path| on_path.name == table.name)
    }

    /// The alias of a table on the path, joined if it is not yet.
    pub(super) fn ancestor(&mut self, table: &'a TableNames) -> String {
        if table.name == self.base.name {
            return self.alias().to_owned();
        }
        let (from, by) = self.key_below(table);
        let alias = self.alias_of(table);
        self.relate(&alias, table, Reached::Ancestor { from: from.clone(), by: by.clone() });
        self.use_column(&from, &by);
        self.use_column(&alias, hidden::ROW);
        alias
    }

    /// The alias and column that hold the `__row` of a table on the path.
    pub(super) fn key_of(&mut self, table: &'a TableNames) -> (String, String) {
        let (alias, column) = if table.name == self.base.name {
            (self.alias().to_owned(), hidden::ROW.to_owned())
        } else {
            self.key_below(table)
        };
        self.use_column(&alias, &column);
        (alias, column)
    }

    /// The alias and column below an ancestor that hold its `__row`: the profile's is on every row.
    fn key_below(&mut self, ancestor: &'a TableNames) -> (String, String) {
        if ancestor.kind == Kind::Root {
            return (self.alias().to_owned(), hidden::PROFILE.to_owned());
        }
        let child = self.path().find(|table| table.parent().is_some_and(|parent| same_table(parent, ancestor)));
        let alias = self.ancestor(child.unwrap_or(self.base));
        (alias, hidden::PARENT.to_owned())
    }

    /// Notes that a column of a relation is used.
    pub(super) fn use_column(&mut self, alias: &str, column: &str) {
        let names = self.names;
        if let Some(relation) = self.rows.relations.iter_mut().find(|relation| relation.alias == alias)
            && let Some(table) = names.table(&relation.table)
        {
            insert_column(&mut relation.columns, table, column);
        }
    }

    /// What the rows stand in order by: their time, the keys of what is above them from the top, their own. Without a key
    /// the number of a row tells, which follows the content.
    pub(super) fn row_order(&mut self) -> Vec<(String, String)> {
        let mut order = vec![(self.alias().to_owned(), hidden::TIME.to_owned())];
        let mut above: Vec<&TableNames> = self.path().skip(1).filter(|table| table.kind != Kind::Root).collect();
        above.reverse();
        for table in above {
            let alias = self.ancestor(table);
            order.push((alias, table.key.clone().unwrap_or_else(|| hidden::ROW.to_owned())));
        }
        order.push((self.alias().to_owned(), self.base.key.clone().unwrap_or_else(|| hidden::ROW.to_owned())));
        order.iter().for_each(|(alias, column)| self.use_column(alias, column));
        order
    }

    /// The catalog table behind an alias, here or beside.
    pub(super) fn table_behind(&self, alias: &str) -> Option<String> {
        let besides = self.frames.iter().filter_map(|frame| frame.beside.as_ref());
        let beside = besides.flat_map(|(reach, _)| &reach.rows.relations);
        let mut relations = self.rows.relations.iter().chain(beside);
        relations.find(|relation| relation.alias == alias).map(|relation| relation.table.clone())
    }

    pub(super) fn relate(&mut self, alias: &str, table: &TableNames, reached: Reached) {
        if self.rows.relations.iter().all(|relation| relation.alias != alias) {
            self.rows.relations.push(Relation {
                alias: alias.to_owned(),
                table: table.name.clone(),
                columns: Vec::new(),
                visible: by_itself(table),
                reached,
            });
        }
    }

    pub(super) fn alias_of(&self, table: &TableNames) -> String {
        if table.name == self.base.name {
            self.alias().to_owned()
        } else if self.prefixed {
            format!("{}__{}", self.alias(), table.name)
        } else {
            table.name.clone()
        }
    }
}

pub(super) fn same_table(name: &str, table: &TableNames) -> bool {
    name.eq_ignore_ascii_case(&table.name)
}

/// `table` and its ancestors up to the root.
pub(crate) fn path<'a>(names: &'a Names, table: &'a TableNames) -> impl Iterator<Item = &'a TableNames> {
    std::iter::once(table).chain(names.ancestors(table))
}

/// Which rows of a table are there as of an instant, leaving aside whether those above them are.
pub(super) fn by_itself(table: &TableNames) -> Visible {
    match (&table.kind, &table.created_at) {
        (Kind::History { .. }, _) => Visible::ByTime,
        (Kind::Root, Some(_)) => Visible::ByTimeIfKnown,
        (Kind::Root, None) | (Kind::Lookup | Kind::List, _) => Visible::Always,
    }
}

/// Which rows of a table are there as of an instant, for a profile that is: a row that has an instant of its own may stand
/// below a later one, and is there only with it.
pub(super) fn visible(names: &Names, table: &TableNames) -> Visible {
    match later_parent(names, table) {
        Some(parent) => with_parent(parent, visible(names, parent)),
        None => by_itself(table),
    }
}

/// Which rows of a table are there as of an instant. A profile that does not exist yet takes its history with it; rows
/// that are reached from a visible one need not ask again.
pub(super) fn visible_with_profile(names: &Names, table: &TableNames) -> Visible {
    let root = names.tables.iter().find(|table| table.kind == Kind::Root && table.created_at.is_some());
    match (later_parent(names, table), &table.kind, root) {
        (Some(parent), ..) => with_parent(parent, visible_with_profile(names, parent)),
        (None, Kind::History { .. }, Some(root)) => Visible::ByTimeAndProfile(root.name.clone()),
        _ => by_itself(table),
    }
}

fn with_parent(parent: &TableNames, there: Visible) -> Visible {
    Visible::ByTimeAndParent { parent: parent.name.clone(), there: Box::new(there) }
}

/// The parent, where it or a row above it may come later than the row itself.
fn later_parent<'a>(names: &'a Names, table: &'a TableNames) -> Option<&'a TableNames> {
    let parent = names.table(table.parent()?).filter(|parent| matches!(parent.kind, Kind::History { .. }))?;
    let below_others = path(names, table).filter(|above| above.time.is_some());
    let mut comes_later = below_others.filter_map(|above| names.table(above.parent()?));
    comes_later.any(|above| matches!(above.kind, Kind::History { .. })).then_some(parent)
}

/// Puts a column in its place: hidden ones first, the others in catalog order.
pub(super) fn insert_column(columns: &mut Vec<String>, table: &TableNames, column: &str) {
    let place = |name: &str| (table.columns.iter().position(|known| known.name == name), name.to_owned());
    if let Err(at) = columns.binary_search_by_key(&place(column), |known| place(known)) {
        columns.insert(at, column.to_owned());
    }
}
