//! What a name means to a row: a column of it, of what lies above or beside it, or of a row around it; and the way there.

use muster_catalog::{ColumnNames, ColumnType, TableNames};
use sqlparser::ast::Ident;

use super::reach::{Reach, path};
use super::scope::same_name;
use crate::error::ErrorKind;
use crate::resolved::Reached;
use crate::source::Fault;

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
        if self.is_called(head) {
            return Ok(None);
        }
        let Some(frame) = self.frames.iter().rposition(|frame| same_name(head, &frame.called)) else { return Ok(None) };
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
        if self.is_called(head) {
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

    /// Whether `name` leads to a lookup of these rows, or names one of them.
    pub(super) fn knows(&self, name: &Ident) -> bool {
        let around = self.frames.iter().any(|frame| same_name(name, &frame.called));
        around || self.is_called(name) || self.above(name).is_some() || self.owners(name).next().is_some()
    }

    /// The ancestor that a name means: by its table's name, or by the name that it has as an enclosing row.
    fn above(&self, name: &Ident) -> Option<&'a TableNames> {
        let framed = self.frames.iter().find(|frame| frame.beside.is_none() && same_name(name, &frame.called));
        let framed = framed.map(|frame| frame.table);
        self.path().skip(1).find(|table| same_name(name, &table.name) || framed.is_some_and(|it| it.name == table.name))
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

/// The column that a name means: spelled exactly so, else capitals aside.
pub(super) fn column_of<'a>(table: &'a TableNames, name: &Ident) -> Option<&'a ColumnNames> {
    let exact = table.columns.iter().find(|column| column.name == name.value);
    exact.or_else(|| table.columns.iter().find(|column| same_name(name, &column.name)))
}
