//! The rows around the inside of a history aggregate: which rows it ranges over for them, and how they are joined beside.

use muster_catalog::{Kind, TableNames};
use sqlparser::ast::Ident;

use super::reach::{Reach, by_itself, path, same_table, visible};
use super::scope::same_name;
use crate::resolved::{Reached, Relation, hidden};

/// An enclosing row, seen from inside a history aggregate.
pub(super) struct Frame<'a> {
    alias: String,
    /// What the query calls it.
    pub(super) called: String,
    pub(super) table: &'a TableNames,
    /// The frames of which this row has exactly one row: itself and what of them lies above it.
    lineage: Vec<usize>,
    /// What is reached from it where it is no ancestor of the level's rows, and whether anything is.
    pub(super) beside: Option<(Box<Reach<'a>>, bool)>,
}

/// A row as those inside an aggregate for it see it.
struct Line<'a> {
    alias: String,
    called: String,
    table: &'a TableNames,
    lineage: Vec<usize>,
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
    /// Alias and column of its own `__row`.
    pub(super) row: (String, String),
    /// What leads down to it from the row above both, itself, and what is reached from it.
    pub(super) relations: Vec<Relation>,
}

impl<'a> Reach<'a> {
    /// Rows of a history that are reduced for a row of `around`; `name` is what the query calls them.
    pub(super) fn of_level(base: &'a TableNames, name: Option<&str>, around: &Self, range: Range<'a>) -> Self {
        let names = around.names;
        let mut reach = Self::of(names, base, name.unwrap_or(&base.name), visible(names, base));
        reach.prefixed = name.is_some();
        let lineages = around.lineages();
        let above = &lineages[range.of].lineage;
        let is_above = |frame: usize, table: &TableNames| {
            above.contains(&frame) && path(names, range.shared).any(|shared| shared.name == table.name)
        };
        let frames = lineages.iter().enumerate().map(|(number, Line { alias, called, table, lineage })| {
            let beside = (!is_above(number, table)).then(|| (Box::new(reach.beside(table, alias)), false));
            Frame { alias: alias.clone(), called: called.clone(), table, lineage: lineage.clone(), beside }
        });
        reach.frames = frames.collect();
        reach
    }

    /// The enclosing rows and the row at hand.
    fn lineages(&self) -> Vec<Line<'a>> {
        let line = |Frame { alias, called, table, lineage, .. }: &Frame<'a>| {
            let (alias, called, lineage) = (alias.clone(), called.clone(), lineage.clone());
            Line { alias, called, table, lineage }
        };
        let above = (0..self.frames.len()).filter(|frame| self.frames[*frame].beside.is_none());
        let own = Line {
            alias: self.alias().to_owned(),
            called: self.called().to_owned(),
            table: self.base,
            lineage: above.chain([self.frames.len()]).collect(),
        };
        self.frames.iter().map(line).chain([own]).collect()
    }

    /// An enclosing row and what is reached from it, under aliases that nothing reached from the level's rows has.
    fn beside(&self, table: &'a TableNames, name: &str) -> Self {
        let taken = same_table(name, self.base) || self.path().any(|above| same_table(name, above));
        let alias = if taken { format!("{name}__around") } else { name.to_owned() };
        Self { prefixed: true, ..Self::of(self.names, table, &alias, by_itself(table)) }
    }

    /// Whether `table` is that of this row, of an enclosing one, or above one of them.
    pub(super) fn is_around(&self, table: &TableNames) -> bool {
        let frames = self.frames.iter().flat_map(|frame| path(self.names, frame.table));
        self.path().chain(frames).any(|on_path| on_path.name == table.name)
    }

    /// Whether rows of `level` lie below this one.
    pub(super) fn is_above(&self, level: &TableNames) -> bool {
        self.names.ancestors(level).any(|above| above.name == self.base.name)
    }

    /// The number and table of the row that has this name: this one, or an enclosing one.
    pub(super) fn row_named(&self, name: &Ident) -> Option<(usize, &'a TableNames)> {
        if self.is_called(name) {
            return Some((self.frames.len(), self.base));
        }
        let frame = self.frames.iter().rposition(|frame| same_name(name, &frame.called))?;
        Some((frame, self.frames[frame].table))
    }

    /// The rows of `level` that an aggregate ranges over where nothing more is said: below this row those of it, of a table
    /// around all of the profile, of any other those of the nearest row above both.
    pub(super) fn range_over(&self, level: &'a TableNames) -> Option<Range<'a>> {
        let of = self.frames.len();
        if self.is_around(level) && !self.is_above(level) {
            return path(self.names, level).last().map(|shared| Range { of, shared });
        }
        let is_above_level = |table: &&TableNames| path(self.names, level).any(|above| above.name == table.name);
        self.path().find(is_above_level).map(|shared| Range { of, shared })
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

    /// The enclosing rows that anything compared with and that are no ancestors, the outermost first, joined beside the
    /// rows of `range`.
    pub(super) fn take_besides(&mut self, range: Range<'a>) -> Vec<Beside<'a>> {
        let root = self.path().last().unwrap_or(self.base);
        let frames = std::mem::take(&mut self.frames).into_iter().enumerate();
        let used = frames.filter_map(|(number, Frame { table, beside, .. })| {
            let (mut reach, _) = beside.filter(|(_, used)| *used)?;
            let shared = if number == range.of { range.shared } else { root };
            let row = reach.key_of(table);
            let relations = reach.found_below(shared, self.key_of(shared));
            Some(Beside { frame: number, table, row, relations })
        });
        used.collect()
    }

    /// An enclosing row with what is reached from it, found from the row of `shared` above it, whose `__row` is in the
    /// column `key` of the level's relations: step by step down, so that no other row is met on the way.
    fn found_below(mut self, shared: &'a TableNames, key: (String, String)) -> Vec<Relation> {
        let own = self.alias().to_owned();
        if shared.kind == Kind::Root {
            self.use_column(&own, hidden::PROFILE);
            return self.entered(&[(own, hidden::PROFILE)], key);
        }
        let between: Vec<&TableNames> = self.path().take_while(|table| !same_table(&shared.name, table)).collect();
        let way: Vec<(String, &str)> =
            between.into_iter().rev().map(|table| (self.ancestor(table), hidden::PARENT)).collect();
        way.iter().for_each(|(alias, column)| self.use_column(alias, column));
        self.entered(&way, key)
    }

    /// The relations with those of `way` in front: each is found by its column, from the row before it.
    fn entered(self, way: &[(String, &str)], key: (String, String)) -> Vec<Relation> {
        let (mut entered, mut others) = (Vec::with_capacity(self.rows.relations.len()), self.rows.relations);
        let (mut from, mut by) = key;
        for (alias, its) in way {
            let place =
                others.iter().position(|relation| relation.alias == *alias).expect("the way is made of relations");
            let reached = Reached::Enclosing { from, by, its: (*its).to_owned() };
            entered.push(Relation { reached, ..others.remove(place) });
            (from, by) = (alias.clone(), hidden::ROW.to_owned());
        }
        entered.extend(others);
        entered
    }
}
