//! What a row of one table sees: its own columns, its ancestors, and the lookups on its path.
//!
//! Every use of a name adds the relation that it needs to [`Rows`], once, and the columns that it needs to that relation.

use muster_catalog::{ColumnNames, ColumnType, Kind, Names, TableNames};
use sqlparser::ast::Ident;

use super::scope::same_name;
use crate::error::ErrorKind;
use crate::resolved::{Reached, Relation, Rows, Visible, hidden};
use crate::source::Fault;

/// The rows of `base`, and everything that is reached from them so far.
pub(super) struct Reach<'a> {
    names: &'a Names,
    pub(super) base: &'a TableNames,
    pub(super) rows: Rows,
    /// Inside a history aggregate: the row of the grain for which it is taken.
    around: Option<Around<'a>>,
}

/// The row of the grain, seen from inside a history aggregate.
struct Around<'a> {
    alias: String,
    table: &'a TableNames,
    /// The columns of it that are used, where it is no ancestor.
    columns: Vec<String>,
}

/// A column that a name stands for.
pub(super) struct Bound {
    pub(super) alias: String,
    pub(super) column: String,
    pub(super) holds: ColumnType,
}

/// A row on the way that a name describes.
struct Spot<'a> {
    alias: String,
    table: &'a TableNames,
}

impl<'a> Reach<'a> {
    /// Rows of the grain.
    pub(super) fn of_grain(names: &'a Names, base: &'a TableNames, alias: &str) -> Self {
        Self::of(names, base, alias, visible_with_profile(names, base))
    }

    /// Rows of a history that are reduced for a row of `grain`.
    pub(super) fn of_level(names: &'a Names, base: &'a TableNames, grain: &Self) -> Self {
        let around = Around { alias: grain.alias().to_owned(), table: grain.base, columns: Vec::new() };
        Self { around: Some(around), ..Self::of(names, base, &base.name, visible(base)) }
    }

    fn of(names: &'a Names, base: &'a TableNames, alias: &str, visible: Visible) -> Self {
        let itself = Relation {
            alias: alias.to_owned(),
            table: base.name.clone(),
            columns: Vec::new(),
            visible,
            reached: Reached::Itself,
        };
        Self { names, base, rows: Rows { relations: vec![itself], histories: Vec::new() }, around: None }
    }

    /// The name of the rows themselves.
    pub(super) fn alias(&self) -> &str {
        &self.rows.relations[0].alias
    }

    /// The table itself, then its ancestors from the parent up.
    pub(super) fn path(&self) -> impl Iterator<Item = &'a TableNames> {
        path(self.names, self.base)
    }

    /// Whether `table` is the rows' own or an ancestor.
    pub(super) fn is_on_path(&self, table: &TableNames) -> bool {
        self.path().any(|on_path| on_path.name == table.name)
    }

    /// Whether `name` leads to a lookup of these rows, or names one of them.
    pub(super) fn knows(&self, name: &Ident) -> bool {
        let around = self.around.as_ref().is_some_and(|around| same_name(name, &around.alias));
        around || same_name(name, self.alias()) || self.above(name).is_some() || self.owners(name).next().is_some()
    }

    /// The column that a name stands for; `None` if nothing here has its first part, or, of a bare name, the column.
    pub(super) fn find(&mut self, parts: &[Ident]) -> Result<Option<Bound>, Fault> {
        match parts {
            [] => Ok(None),
            [bare] => self.find_bare(bare),
            [head, way @ .., last] => self.find_on_way(head, way, last),
        }
    }

    fn find_bare(&mut self, name: &Ident) -> Result<Option<Bound>, Fault> {
        if let Some(column) = column_of(self.base, name) {
            return Ok(Some(self.bound(self.alias().to_owned(), column)));
        }
        let mut candidates = self.candidates(name);
        if candidates.len() > 1 {
            let ways: Vec<String> = candidates.iter().map(|way| way.join(".")).collect();
            let message = format!("`{}` is ambiguous: {}", name.value, ways.join(", "));
            return Err(Fault::new(ErrorKind::Ambiguous, name.span, message).hint("write one of these"));
        }
        let Some(way) = candidates.pop() else { return Ok(None) };
        let parts: Vec<Ident> = way.iter().map(|part| Ident::with_quote_and_span('"', name.span, part)).collect();
        self.find(&parts)
    }

    /// The ways to the ancestors and lookups that have a column of this name.
    fn candidates(&self, name: &Ident) -> Vec<Vec<String>> {
        let ancestors = self.path().skip(1).filter_map(|table| {
            let column = column_of(table, name)?;
            Some(vec![table.name.clone(), column.name.clone()])
        });
        let links = self.path().flat_map(|owner| owner.links.iter().map(move |link| (owner, link)));
        let lookups = links.filter_map(|(owner, (link, _, lookup))| {
            let column = column_of(self.names.table(lookup)?, name)?;
            let unique = self.owners_of(link).count() == 1;
            let owner = (!unique).then(|| self.alias_of(owner));
            Some(owner.into_iter().chain([link.clone(), column.name.clone()]).collect())
        });
        ancestors.chain(lookups).collect()
    }

    fn find_on_way(&mut self, head: &Ident, way: &[Ident], last: &Ident) -> Result<Option<Bound>, Fault> {
        if let Some(bound) = self.find_around(head, way, last)? {
            return Ok(Some(bound));
        }
        let Some(mut spot) = self.head(head)? else { return Ok(None) };
        for step in way {
            spot = self.step(&spot, step)?;
        }
        match column_of(spot.table, last) {
            Some(column) => Ok(Some(self.bound(spot.alias, column))),
            None => Err(super::unknown::column_of_table(spot.table, last)),
        }
    }

    /// A column of the row of the grain, from inside a history aggregate that does not lie below it.
    fn find_around(&mut self, head: &Ident, way: &[Ident], last: &Ident) -> Result<Option<Bound>, Fault> {
        let base = self.base;
        let names = self.names;
        let Some(around) = self.around.as_mut().filter(|around| same_name(head, &around.alias)) else {
            return Ok(None);
        };
        if path(names, base).any(|above| above.name == around.table.name) {
            return Ok(None);
        }
        if let Some(step) = way.first() {
            return Err(Fault::not_yet(step.span, "ancestors and lookups of the enclosing row in a history aggregate"));
        }
        let Some(column) = column_of(around.table, last) else {
            return Err(super::unknown::column_of_table(around.table, last));
        };
        insert_column(&mut around.columns, around.table, &column.name);
        let alias = around.alias.clone();
        Ok(Some(Bound { alias, column: column.name.clone(), holds: column.column_type }))
    }

    /// The row that the first part of a name means.
    fn head(&mut self, head: &Ident) -> Result<Option<Spot<'a>>, Fault> {
        if same_name(head, self.alias()) {
            return Ok(Some(Spot { alias: self.alias().to_owned(), table: self.base }));
        }
        if let Some(table) = self.above(head) {
            return Ok(Some(Spot { alias: self.ancestor(table), table }));
        }
        let owners: Vec<&TableNames> = self.owners(head).collect();
        match owners.as_slice() {
            [] => Ok(None),
            [owner] => {
                let alias = self.ancestor(owner);
                self.step(&Spot { alias, table: owner }, head).map(Some)
            }
            several => {
                let ways: Vec<String> =
                    several.iter().map(|owner| format!("{}.{}", self.alias_of(owner), head.value)).collect();
                let message = format!("`{}` is ambiguous: {}", head.value, ways.join(", "));
                Err(Fault::new(ErrorKind::Ambiguous, head.span, message).hint("write the whole way"))
            }
        }
    }

    /// From one row to an ancestor or a lookup of it.
    fn step(&mut self, spot: &Spot<'a>, step: &Ident) -> Result<Spot<'a>, Fault> {
        if let Some(table) = path(self.names, spot.table).skip(1).find(|table| same_name(step, &table.name)) {
            return Ok(Spot { alias: self.ancestor(table), table });
        }
        if let Some(link) = spot.table.links.iter().find(|(link, _, _)| same_name(step, link)) {
            return self.lookup(spot, link);
        }
        let owner = path(self.names, spot.table).skip(1).find(|table| has_link(table, step));
        match owner {
            Some(owner) => {
                let alias = self.ancestor(owner);
                self.step(&Spot { alias, table: owner }, step)
            }
            None => Err(super::unknown::step(self.names, spot.table, step)),
        }
    }

    fn lookup(&mut self, spot: &Spot<'a>, link: &'a (String, String, String)) -> Result<Spot<'a>, Fault> {
        let (name, by, table) = link;
        let (Some(table), from) = (self.names.table(table), &spot.alias) else {
            return Err(super::unknown::step(self.names, spot.table, &Ident::new(name)));
        };
        let Some(key) = table.key.clone() else {
            return Err(super::unknown::step(self.names, spot.table, &Ident::new(name)));
        };
        let unique = self.owners_of(name).count() <= 1 && self.is_on_path(spot.table);
        let alias = if unique { name.clone() } else { format!("{from}__{name}") };
        self.use_column(from, by);
        let reached = Reached::Lookup { from: from.clone(), by: by.clone(), key: key.clone() };
        self.relate(&alias, table, reached);
        self.use_column(&alias, &key);
        Ok(Spot { alias, table })
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

    /// The row of the grain, if anything compared with it: its alias, table, and the columns that are used.
    pub(super) fn enclosing(&mut self) -> Option<(String, Vec<String>)> {
        let around = self.around.as_mut().filter(|around| !around.columns.is_empty())?;
        Some((around.alias.clone(), std::mem::take(&mut around.columns)))
    }

    /// All columns of a table on the path, for `*`.
    pub(super) fn all_columns(&mut self, name: Option<&Ident>) -> Result<Option<Vec<Bound>>, Fault> {
        let spot = match name {
            None => Some(Spot { alias: self.alias().to_owned(), table: self.base }),
            Some(name) => self.head(name)?,
        };
        let Some(Spot { alias, table }) = spot else { return Ok(None) };
        Ok(Some(table.columns.iter().map(|column| self.bound(alias.clone(), column)).collect()))
    }

    fn bound(&mut self, alias: String, column: &ColumnNames) -> Bound {
        self.use_column(&alias, &column.name);
        Bound { alias, column: column.name.clone(), holds: column.column_type }
    }

    fn relate(&mut self, alias: &str, table: &TableNames, reached: Reached) {
        if self.rows.relations.iter().all(|relation| relation.alias != alias) {
            self.rows.relations.push(Relation {
                alias: alias.to_owned(),
                table: table.name.clone(),
                columns: Vec::new(),
                visible: visible(table),
                reached,
            });
        }
    }

    /// The ancestor that a name means: by its table's name, or by the name it has as the grain.
    fn above(&self, name: &Ident) -> Option<&'a TableNames> {
        let around = self.around.as_ref().filter(|around| same_name(name, &around.alias)).map(|around| around.table);
        self.path().skip(1).find(|table| same_name(name, &table.name) || around.is_some_and(|it| it.name == table.name))
    }

    fn alias_of(&self, table: &TableNames) -> String {
        if table.name == self.base.name { self.alias().to_owned() } else { table.name.clone() }
    }

    /// The tables on the path that hold a key of the link.
    fn owners(&self, link: &Ident) -> impl Iterator<Item = &'a TableNames> {
        self.path().filter(move |table| has_link(table, link))
    }

    fn owners_of(&self, link: &str) -> impl Iterator<Item = &'a TableNames> {
        self.path().filter(move |table| table.links.iter().any(|(name, _, _)| name == link))
    }
}

fn has_link(table: &TableNames, link: &Ident) -> bool {
    table.links.iter().any(|(name, _, _)| same_name(link, name))
}

fn same_table(name: &str, table: &TableNames) -> bool {
    name.eq_ignore_ascii_case(&table.name)
}

/// `table` and its ancestors up to the root.
pub(super) fn path<'a>(names: &'a Names, table: &'a TableNames) -> impl Iterator<Item = &'a TableNames> {
    std::iter::once(table).chain(names.ancestors(table))
}

/// The column that a name means: spelled exactly so, else capitals aside.
pub(super) fn column_of<'a>(table: &'a TableNames, name: &Ident) -> Option<&'a ColumnNames> {
    let exact = table.columns.iter().find(|column| column.name == name.value);
    exact.or_else(|| table.columns.iter().find(|column| same_name(name, &column.name)))
}

/// Which rows of a table are there as of an instant, leaving aside whether their profile is.
fn visible(table: &TableNames) -> Visible {
    match (&table.kind, &table.created_at) {
        (Kind::History { .. }, _) => Visible::ByTime,
        (Kind::Root, Some(_)) => Visible::ByTimeIfKnown,
        (Kind::Root, None) | (Kind::Lookup | Kind::List, _) => Visible::Always,
    }
}

/// Which rows of a table are there as of an instant. A profile that does not exist yet takes its history with it; rows
/// that are reached from a visible one need not ask again.
pub(super) fn visible_with_profile(names: &Names, table: &TableNames) -> Visible {
    let root = names.tables.iter().find(|table| table.kind == Kind::Root && table.created_at.is_some());
    match (&table.kind, root) {
        (Kind::History { .. }, Some(root)) => Visible::ByTimeAndProfile(root.name.clone()),
        _ => visible(table),
    }
}

/// Puts a column in its place: hidden ones first, the others in catalog order.
pub(super) fn insert_column(columns: &mut Vec<String>, table: &TableNames, column: &str) {
    let place = |name: &str| (table.columns.iter().position(|known| known.name == name), name.to_owned());
    if let Err(at) = columns.binary_search_by_key(&place(column), |known| place(known)) {
        columns.insert(at, column.to_owned());
    }
}
