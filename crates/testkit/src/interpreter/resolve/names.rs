//! What a name means where it stands (rules 4 and 7, "Navigation" in section 1).

use std::rc::Rc;

use muster_catalog::{Kind as TableKind, LISTS, nearest};
use sqlparser::ast::Ident;

use super::{Mode, Resolver, parsed, same_name};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{Expr, Place, Select};

/// A row that a name leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    /// A current or enclosing row, or an ancestor of one.
    Row(usize),
    /// The row of a lookup.
    Lookup(Place),
}

/// Names of the page for which a small world has nothing.
const SCORES: [&str; 9] =
    ["audiences", "cadence", "reactivation", "rfm", "churn", "alive", "next_offer", "engagement", "nearest_site"];

impl Resolver<'_> {
    /// A column, a segment, a list, as it is written.
    pub(super) fn name(&mut self, parts: &[Ident]) -> Result<Expr> {
        match parts {
            [column] => self.bare(column),
            [head, name] if same_name(head, "segments") => self.segment(name),
            [head, name] if same_name(head, LISTS) => self.list(name),
            [head, ..] if SCORES.iter().any(|score| same_name(head, score)) && self.table(head).is_none() => {
                Err(Error::named(Kind::Unsupported, head, format!("the interpreter does not know `{head}`")))
            }
            [path @ .., column] => {
                let row = self.row(path)?;
                self.member(&row, column)?.ok_or_else(|| self.no_column(&row, column))
            }
            [] => Err(Error::nowhere(Kind::Syntax, "a name without parts")),
        }
    }

    /// "A bare column belongs to the current rows, else to the one ancestor or lookup on their path that has it"
    /// (rule 7), and never to enclosing rows beside them (rule 4).
    fn bare(&mut self, column: &Ident) -> Result<Expr> {
        let innermost = self.innermost();
        if let Some(found) = self.member(&Seen::Row(innermost), column)? {
            return Ok(found);
        }
        let mut found = Vec::new();
        for seen in self.around(innermost) {
            found.extend(self.member(&seen, column)?.map(|expr| (seen, expr)));
        }
        match found.len() {
            0 => Err(self.unknown_column(column)),
            1 => Ok(found.remove(0).1),
            _ => {
                let holders: Vec<&str> = found.iter().map(|(seen, _)| self.table_name(self.table_of(seen))).collect();
                let message = format!("`{column}` is ambiguous: {} have it", holders.join(" and "));
                Err(Error::named(Kind::AmbiguousName, column, message))
            }
        }
    }

    /// The ancestors of a row, and the lookups of it and of them.
    fn around(&self, node: usize) -> Vec<Seen> {
        let chain = self.chain(node);
        let ancestors = chain.iter().skip(1).map(|node| Seen::Row(*node));
        let lookups = chain.iter().flat_map(|node| self.lookups(*node)).map(|(_, place)| Seen::Lookup(place));
        ancestors.chain(lookups).collect()
    }

    /// The lookups that a row reaches itself, with the names of their links.
    fn lookups(&self, node: usize) -> Vec<(String, Place)> {
        self.lookups_from(&self.place(node))
    }

    fn lookups_from(&self, from: &Place) -> Vec<(String, Place)> {
        let catalog = &self.world.catalog;
        let place_of = |name: &str| catalog.tables.iter().position(|table| table.name == name);
        let lookup = |(link, to): (&muster_catalog::Link, &muster_catalog::Table)| {
            let column = self.world.column(from.table(), &link.from_column)?;
            let place = Place::Lookup { from: Box::new(from.clone()), column, table: place_of(&to.name)? };
            Some((link.name.clone(), place))
        };
        catalog.links_from(self.table_name(from.table())).filter_map(lookup).collect()
    }

    /// The column of a row: one of its table, or a variable, which is a column of profiles (section 1).
    fn member(&mut self, seen: &Seen, column: &Ident) -> Result<Option<Expr>> {
        let table = self.table_of(seen);
        let columns = &self.world.rows(table).columns;
        if let Some(column) = columns.iter().position(|(name, _)| same_name(column, name)) {
            return Ok(Some(Expr::Column { place: self.place_of(seen), column }));
        }
        if self.world.catalog.tables[table].kind != TableKind::Root {
            return Ok(None);
        }
        let variable = self.world.variables.iter().find(|(name, _)| same_name(column, name));
        variable.map(|(name, text)| self.variable(name, text)).transpose()
    }

    /// The expression of a variable, read over a profile alone.
    fn variable(&mut self, name: &str, text: &str) -> Result<Expr> {
        let open = self.opened(name)?;
        let mut resolver = Resolver::new(self.world, open);
        let query = parsed(&format!("SELECT {text}\nFROM {}", self.world.catalog.root().name))?;
        let mut select = resolver.query(&query)?;
        match (select.grouping, select.output.len()) {
            (None, 1) => Ok(Expr::OfProfile(Box::new(select.output.remove(0).1))),
            _ => Err(Error::nowhere(Kind::Aggregate, format!("the variable `{name}` is no expression of a profile"))),
        }
    }

    /// The definitions that are being read, with one more.
    fn opened(&self, name: &str) -> Result<Vec<String>> {
        if self.open.iter().any(|open| open == name) {
            let cycle = [self.open.join(" → "), name.to_owned()].join(" → ");
            return Err(Error::nowhere(Kind::Cycle, format!("definitions need each other: {cycle}")));
        }
        Ok(self.open.iter().cloned().chain([name.to_owned()]).collect())
    }

    fn place_of(&self, seen: &Seen) -> Place {
        match seen {
            Seen::Row(node) => self.place(*node),
            Seen::Lookup(place) => place.clone(),
        }
    }

    fn table_of(&self, seen: &Seen) -> usize {
        match seen {
            Seen::Row(node) => self.nodes[*node].table,
            Seen::Lookup(place) => place.table(),
        }
    }

    /// The row that a path of names leads to.
    pub(super) fn row(&self, path: &[Ident]) -> Result<Seen> {
        let (head, rest) = path.split_first().ok_or_else(|| Error::nowhere(Kind::Syntax, "a path without names"))?;
        rest.iter().try_fold(self.head(head)?, |row, hop| self.hop(&row, hop))
    }

    /// "The current and enclosing rows are seen by their table name, or by their name where they have one" (rule 4); a
    /// name that fits two is an error.
    fn head(&self, head: &Ident) -> Result<Seen> {
        let named =
            self.scopes.iter().filter(|scope| scope.name.as_ref().is_some_and(|name| same_name(head, &name.value)));
        let named: Vec<Seen> = named.map(|scope| Seen::Row(scope.node)).collect();
        let path = self.path();
        let by_table = path.iter().filter(|node| {
            let node = &self.nodes[**node];
            !node.is_named && same_name(head, self.table_name(node.table))
        });
        let by_table: Vec<Seen> = by_table.map(|node| Seen::Row(*node)).collect();
        let links = path.iter().flat_map(|node| self.lookups(*node)).filter(|(name, _)| same_name(head, name));
        let links: Vec<Seen> = links.map(|(_, place)| Seen::Lookup(place)).collect();
        for found in [named, by_table, links] {
            match found.len() {
                0 => {}
                1 => return Ok(found[0].clone()),
                _ => return Err(Error::named(Kind::AmbiguousName, head, format!("`{head}` fits two rows here"))),
            }
        }
        Err(self.out_of_sight(head))
    }

    /// One step up to an ancestor, or over a link on the way.
    fn hop(&self, row: &Seen, hop: &Ident) -> Result<Seen> {
        let found: Vec<Seen> = match row {
            Seen::Row(node) => {
                let above = self.chain(*node).into_iter().skip(1);
                let above: Vec<Seen> = above
                    .filter(|node| same_name(hop, self.table_name(self.nodes[*node].table)))
                    .map(Seen::Row)
                    .collect();
                let links = self.chain(*node).into_iter().flat_map(|node| self.lookups(node));
                let links = links.filter(|(name, _)| same_name(hop, name)).map(|(_, place)| Seen::Lookup(place));
                if above.is_empty() { links.collect() } else { above }
            }
            Seen::Lookup(place) => {
                let links = self.lookups_from(place).into_iter().filter(|(name, _)| same_name(hop, name));
                links.map(|(_, place)| Seen::Lookup(place)).collect()
            }
        };
        match found.len() {
            0 => Err(self.out_of_sight(hop)),
            1 => Ok(found[0].clone()),
            _ => Err(Error::named(Kind::AmbiguousName, hop, format!("`{hop}` is reached over two ways"))),
        }
    }

    /// A name that exists and cannot be seen from here is another error than one that does not exist.
    fn out_of_sight(&self, name: &Ident) -> Error {
        let exists = self.table(name).is_some() || self.links(name).next().is_some();
        if exists {
            let message = format!("`{name}` is no ancestor, no enclosing row and no lookup of one here");
            return Error::named(Kind::Level, name, message);
        }
        let tables = self.world.catalog.tables.iter().map(|table| table.name.as_str());
        let near = nearest(&name.value, tables).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Error::named(Kind::UnknownName, name, format!("there is no `{name}`{near}"))
    }

    /// The links of this name, wherever they lead from.
    pub(super) fn links(&self, name: &Ident) -> impl Iterator<Item = &muster_catalog::Link> {
        let links = self.world.catalog.tables.iter().flat_map(|table| &table.lookup);
        links.filter(move |link| same_name(name, &link.name))
    }

    fn no_column(&self, row: &Seen, column: &Ident) -> Error {
        let table = self.table_of(row);
        let columns = self.world.rows(table).columns.iter().map(|(name, _)| name.as_str());
        let near = nearest(&column.value, columns).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let message = format!("`{}` has no column `{column}`{near}", self.table_name(table));
        Error::named(Kind::UnknownName, column, message)
    }

    fn unknown_column(&self, column: &Ident) -> Error {
        if self.table(column).is_some() {
            return Error::named(Kind::Level, column, format!("`{column}` is a table, and no value"));
        }
        self.no_column(&Seen::Row(self.innermost()), column)
    }

    /// "`segments.<name>` is TRUE or FALSE for each row"; a row segment may be used at its grain and below (section 1).
    fn segment(&mut self, name: &Ident) -> Result<Expr> {
        let known = self.world.segments.iter().find(|(segment, _)| same_name(name, segment));
        let (segment, text) =
            known.ok_or_else(|| Error::named(Kind::UnknownName, name, format!("there is no segment `{name}`")))?;
        let open = self.opened(segment)?;
        let definition: Rc<Select> = Rc::new(Resolver::new(self.world, open).segment_query(text)?);
        let chain = self.chain(self.innermost());
        let at = chain.into_iter().find(|node| self.nodes[*node].table == definition.grain).ok_or_else(|| {
            let grain = self.table_name(definition.grain);
            let message =
                format!("`segments.{name}` holds rows of `{grain}`; has({grain}) FILTER (WHERE segments.{name})");
            Error::named(Kind::Level, name, message)
        })?;
        Ok(Expr::Segment { definition, name: segment.clone(), place: self.place(at) })
    }

    /// A list of profile keys.
    fn list(&self, name: &Ident) -> Result<Expr> {
        let is_it = |table: &muster_catalog::Table| {
            let plain = table.name.strip_prefix(LISTS).and_then(|name| name.strip_prefix('.'));
            table.kind == TableKind::List && plain.is_some_and(|plain| same_name(name, plain))
        };
        match self.world.catalog.tables.iter().position(is_it) {
            Some(list) => Ok(Expr::Listed { list }),
            None => Err(Error::named(Kind::UnknownName, name, format!("there is no list `{name}`"))),
        }
    }

    /// Reads something over a profile alone, as `is_double(x)` reads its x: bare columns and the profile's own name.
    pub(super) fn of_profile<T>(&mut self, read: impl FnOnce(&mut Resolver) -> Result<T>) -> Result<T> {
        let root = self.world.chain(self.nodes[self.innermost()].table).pop().expect("a chain ends at the root");
        let name = self.scopes.iter().find(|scope| self.nodes[scope.node].table == root);
        let name = name.and_then(|scope| scope.name.clone());
        let mut resolver = Resolver::new(self.world, self.open.clone());
        resolver.mode = Mode::Row;
        let row = resolver.new_row(root, None, name.is_some());
        resolver.enter(row, name.as_ref());
        read(&mut resolver)
    }
}
