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
    /// Whether what is reached takes the rows' own name into its alias: of rows that are not the only ones of their table.
    prefixed: bool,
    /// Inside a history aggregate: the rows for which it is taken, the grain's first.
    frames: Vec<Frame<'a>>,
}

/// An enclosing row, seen from inside a history aggregate.
struct Frame<'a> {
    name: String,
    table: &'a TableNames,
    /// The frames of which this row has exactly one row: itself and what of them lies above it.
    lineage: Vec<usize>,
    /// What is reached from it where it is no ancestor of the level's rows, and whether anything is.
    beside: Option<(Box<Reach<'a>>, bool)>,
}

/// Which rows of a level an aggregate ranges over: those that have one row above them in common.
#[derive(Clone, Copy)]
pub(super) struct Range<'a> {
    /// The row, or one below it: the number of an enclosing row, outermost first; the row at hand is the last.
    pub(super) of: usize,
    /// The table of the row that they have in common.
    pub(super) shared: &'a TableNames,
}

/// An enclosing row that is joined beside the level's rows.
pub(super) struct Beside<'a> {
    /// Its number, outermost first.
    pub(super) frame: usize,
    pub(super) table: &'a TableNames,
    /// Itself first, then what is reached from it.
    pub(super) relations: Vec<Relation>,
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

    /// Rows of a history that are reduced for a row of `around`; `name` is what the query calls them.
    pub(super) fn of_level(base: &'a TableNames, name: Option<&str>, around: &Self, range: Range<'a>) -> Self {
        let names = around.names;
        let mut reach = Self::of(names, base, name.unwrap_or(&base.name), visible(base));
        reach.prefixed = name.is_some();
        let lineages: Vec<(String, &TableNames, Vec<usize>)> = around.lineages();
        let above = &lineages[range.of].2;
        let is_above = |frame: usize, table: &TableNames| {
            above.contains(&frame) && path(names, range.shared).any(|shared| shared.name == table.name)
        };
        let frames = lineages.iter().enumerate().map(|(number, (name, table, lineage))| {
            let beside = (!is_above(number, table)).then(|| (Box::new(reach.beside(table, name)), false));
            Frame { name: name.clone(), table, lineage: lineage.clone(), beside }
        });
        reach.frames = frames.collect();
        reach
    }

    fn of(names: &'a Names, base: &'a TableNames, alias: &str, visible: Visible) -> Self {
        let itself = Relation {
            alias: alias.to_owned(),
            table: base.name.clone(),
            columns: Vec::new(),
            visible,
            reached: Reached::Itself,
        };
        let rows = Rows { relations: vec![itself], histories: Vec::new() };
        Self { names, base, rows, prefixed: false, frames: Vec::new() }
    }

    /// Name, table and lineage of the enclosing rows and of the row at hand.
    fn lineages(&self) -> Vec<(String, &'a TableNames, Vec<usize>)> {
        let mut lineages: Vec<_> =
            self.frames.iter().map(|frame| (frame.name.clone(), frame.table, frame.lineage.clone())).collect();
        let above = (0..self.frames.len()).filter(|frame| self.frames[*frame].beside.is_none());
        lineages.push((self.alias().to_owned(), self.base, above.chain([self.frames.len()]).collect()));
        lineages
    }

    /// An enclosing row and what is reached from it, under aliases that nothing reached from the level's rows has.
    fn beside(&self, table: &'a TableNames, name: &str) -> Self {
        let taken = same_table(name, self.base) || self.path().any(|above| same_table(name, above));
        let alias = if taken { format!("{name}__around") } else { name.to_owned() };
        Self { prefixed: true, ..Self::of(self.names, table, &alias, visible(table)) }
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

    /// Whether `table` is that of this row, of an enclosing one, or above one of them.
    pub(super) fn is_around(&self, table: &TableNames) -> bool {
        let frames = self.frames.iter().flat_map(|frame| path(self.names, frame.table));
        self.path().chain(frames).any(|on_path| on_path.name == table.name)
    }

    /// Whether `name` leads to a lookup of these rows, or names one of them.
    pub(super) fn knows(&self, name: &Ident) -> bool {
        let around = self.frames.iter().any(|frame| same_name(name, &frame.name));
        around || same_name(name, self.alias()) || self.above(name).is_some() || self.owners(name).next().is_some()
    }

    /// The number and table of the row that has this name: this one, or an enclosing one.
    pub(super) fn row_named(&self, name: &Ident) -> Option<(usize, &'a TableNames)> {
        if same_name(name, self.alias()) {
            return Some((self.frames.len(), self.base));
        }
        let frame = self.frames.iter().rposition(|frame| same_name(name, &frame.name))?;
        Some((frame, self.frames[frame].table))
    }

    /// The rows of `level` that an aggregate ranges over where nothing more is said: below this row those of it, of a table
    /// around all of the profile, of any other those of the nearest row above both.
    pub(super) fn range_over(&self, level: &'a TableNames) -> Option<Range<'a>> {
        let of = self.frames.len();
        if self.is_around(level) {
            return path(self.names, level).last().map(|shared| Range { of, shared });
        }
        let is_above_level = |table: &&TableNames| path(self.names, level).any(|above| above.name == table.name);
        self.path().find(is_above_level).map(|shared| Range { of, shared })
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
        match parts.as_slice() {
            [head, way @ .., last] => self.find_above(head, way, last),
            _ => Ok(None),
        }
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
        if let Some(frame) = self.frame_beside(head)? {
            return self.find_beside(frame, way, last).map(Some);
        }
        self.find_above(head, way, last)
    }

    /// A column of this row, of one above it, or of a lookup of these.
    fn find_above(&mut self, head: &Ident, way: &[Ident], last: &Ident) -> Result<Option<Bound>, Fault> {
        let Some(mut spot) = self.head(head)? else { return Ok(None) };
        for step in way {
            spot = self.step(&spot, step)?;
        }
        match column_of(spot.table, last) {
            Some(column) => Ok(Some(self.bound(spot.alias, column))),
            None => Err(super::unknown::column_of_table(spot.table, last)),
        }
    }

    /// The enclosing row of this name, where it is no ancestor of these rows.
    fn frame_beside(&self, head: &Ident) -> Result<Option<usize>, Fault> {
        if same_name(head, self.alias()) {
            return Ok(None);
        }
        let Some(frame) = self.frames.iter().rposition(|frame| same_name(head, &frame.name)) else { return Ok(None) };
        if self.frames[frame].beside.is_none() {
            return Ok(None);
        }
        if !self.prefixed && self.path().skip(1).any(|above| same_name(head, &above.name)) {
            let message = format!("`{}` is both an enclosing row and above {}", head.value, self.alias());
            return Err(Fault::new(ErrorKind::Ambiguous, head.span, message).hint("give one of them a name: x => …"));
        }
        Ok(Some(frame))
    }

    /// A column of an enclosing row, or of what is reached from it.
    fn find_beside(&mut self, frame: usize, way: &[Ident], last: &Ident) -> Result<Bound, Fault> {
        let (reach, used) = self.frames[frame].beside.as_mut().expect("only rows beside the level are asked");
        *used = true;
        let mut spot = Spot { alias: reach.alias().to_owned(), table: reach.base };
        for step in way {
            spot = reach.step(&spot, step)?;
        }
        match column_of(spot.table, last) {
            Some(column) => Ok(reach.bound(spot.alias, column)),
            None => Err(super::unknown::column_of_table(spot.table, last)),
        }
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
        let unique = !self.prefixed && self.owners_of(name).count() <= 1 && self.is_on_path(spot.table);
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

    /// The alias and column that hold the `__row` of `table`, which is that of an enclosing row or above it.
    pub(super) fn key_of_frame(&mut self, frame: usize, table: &'a TableNames) -> (String, String) {
        match self.frames.get_mut(frame).and_then(|frame| frame.beside.as_mut()) {
            Some((reach, used)) => {
                *used = true;
                reach.key_of(table)
            }
            None => self.key_of(table),
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

    /// The times of this row of a sequence and of the one before it, which is the row right around it.
    pub(super) fn times_of_steps(&mut self) -> [(String, String); 2] {
        let time = |alias: &str| (alias.to_owned(), hidden::TIME.to_owned());
        let alias = self.alias().to_owned();
        self.use_column(&alias, hidden::TIME);
        let before = self.frames.last_mut().and_then(|frame| frame.beside.as_mut());
        let (before, used) = before.expect("a row of a sequence is beside the one before it");
        *used = true;
        let its = before.alias().to_owned();
        before.use_column(&its, hidden::TIME);
        [time(&alias), time(&its)]
    }

    /// The enclosing rows that anything compared with and that are no ancestors, the outermost first.
    pub(super) fn take_besides(&mut self) -> Vec<Beside<'a>> {
        let frames = std::mem::take(&mut self.frames).into_iter().enumerate();
        let used = frames.filter_map(|(number, Frame { table, beside, .. })| {
            let (mut reach, _) = beside.filter(|(_, used)| *used)?;
            reach.key_of(table);
            Some(Beside { frame: number, table, relations: reach.rows.relations })
        });
        used.collect()
    }

    /// The catalog table behind an alias, here or beside.
    pub(super) fn table_behind(&self, alias: &str) -> Option<String> {
        let besides = self.frames.iter().filter_map(|frame| frame.beside.as_ref());
        let beside = besides.flat_map(|(reach, _)| &reach.rows.relations);
        let mut relations = self.rows.relations.iter().chain(beside);
        relations.find(|relation| relation.alias == alias).map(|relation| relation.table.clone())
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

    /// The ancestor that a name means: by its table's name, or by the name that it has as an enclosing row.
    fn above(&self, name: &Ident) -> Option<&'a TableNames> {
        let framed = self.frames.iter().find(|frame| frame.beside.is_none() && same_name(name, &frame.name));
        let framed = framed.map(|frame| frame.table);
        self.path().skip(1).find(|table| same_name(name, &table.name) || framed.is_some_and(|it| it.name == table.name))
    }

    fn alias_of(&self, table: &TableNames) -> String {
        if table.name == self.base.name {
            self.alias().to_owned()
        } else if self.prefixed {
            format!("{}__{}", self.alias(), table.name)
        } else {
            table.name.clone()
        }
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
pub(crate) fn path<'a>(names: &'a Names, table: &'a TableNames) -> impl Iterator<Item = &'a TableNames> {
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
