//! What an expression can see where it stands, and how each row is called there (rules 4 and 7 of the language's page).

use muster_catalog::{Catalog, ColumnType, Kind as TableKind, Table};

use super::VARIABLES;

/// The kinds of values that an expression can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// TRUE, FALSE or NULL.
    Bool,
    /// A whole number.
    Int,
    /// An exact number.
    Decimal,
    /// A double.
    Double,
    /// Text.
    Text,
    /// A calendar day.
    Date,
    /// A point in time.
    Instant,
    /// Several texts.
    Set,
}

impl Kind {
    /// The kind of a column.
    pub fn of(holds: ColumnType) -> Self {
        match holds {
            ColumnType::Id | ColumnType::Text => Self::Text,
            ColumnType::Int => Self::Int,
            ColumnType::Decimal { .. } => Self::Decimal,
            ColumnType::Float => Self::Double,
            ColumnType::Bool => Self::Bool,
            ColumnType::Date => Self::Date,
            ColumnType::Timestamp => Self::Instant,
            ColumnType::Set => Self::Set,
        }
    }
}

/// A row on the path: the profile that all rows share is one, two rows of one table are two.
#[derive(Debug, Clone)]
struct Node<'c> {
    table: &'c Table,
    above: Option<usize>,
}

/// The grain's row, or the current row of an aggregate.
#[derive(Debug, Clone)]
struct Frame {
    node: usize,
    name: Option<String>,
}

/// A column that can be mentioned.
#[derive(Debug, Clone)]
pub struct Mention {
    /// As it is written.
    pub text: String,
    /// The table that has it.
    pub table: String,
    /// Its name there.
    pub column: String,
    /// What it holds.
    pub kind: Kind,
    /// How its row is found.
    pub of: Whose,
}

/// Whose column it is, seen from the innermost row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The innermost row's.
    Own,
    /// That of a row above it.
    Above,
    /// That of a lookup of these.
    Lookup,
    /// An enclosing row's, or one's above it.
    Around,
}

/// Over which rows an aggregate can be taken.
#[derive(Debug, Clone)]
pub struct Range {
    /// Their table.
    pub table: String,
    /// As it is written: the table's name, or `row.table`.
    pub text: String,
    /// Whether the rows must have a name.
    pub must_be_named: bool,
    /// Whether rows of the table are on the path already.
    pub is_again: bool,
    /// Whether they stand beside the innermost row, not below it.
    pub is_beside: bool,
    below: usize,
}

/// The rows in sight.
#[derive(Debug, Clone)]
pub struct Sight<'c> {
    catalog: &'c Catalog,
    nodes: Vec<Node<'c>>,
    frames: Vec<Frame>,
}

impl<'c> Sight<'c> {
    /// A query's grain, under a name of its own or its table's.
    pub fn of_grain(catalog: &'c Catalog, grain: &str, name: Option<&str>) -> Self {
        let mut sight = Self { catalog, nodes: Vec::new(), frames: Vec::new() };
        sight.enter(grain, None, name);
        sight
    }

    /// How many rows are around the innermost one.
    pub fn depth(&self) -> usize {
        self.frames.len() - 1
    }

    /// Whether a row in sight has this name.
    pub fn has_name(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.name.as_deref() == Some(name))
    }

    /// The table of the innermost row.
    pub fn table(&self) -> &'c Table {
        self.nodes[self.innermost()].table
    }

    /// The tables of the rows above the innermost one, but for the profile's.
    pub fn above(&self) -> Vec<String> {
        let above = self.chain(self.innermost()).skip(1).map(|node| self.nodes[node].table);
        above.filter(|table| table.kind != TableKind::Root).map(|table| table.name.clone()).collect()
    }

    /// What is seen from the innermost row alone, as if it were a query's grain.
    pub fn of_innermost(&self) -> Self {
        let name = self.frames.last().and_then(|frame| frame.name.clone());
        Self::of_grain(self.catalog, &self.table().name, name.as_deref())
    }

    /// What is seen from a row of a range.
    pub fn inside(&self, range: &Range, name: Option<&str>) -> Self {
        let mut inside = self.clone();
        inside.enter(&range.table, Some(range.below), name);
        inside
    }

    fn enter(&mut self, table: &str, below: Option<usize>, name: Option<&str>) {
        let stop = below.map(|node| self.nodes[node].table.name.clone());
        let own = self.catalog.table(table).expect("a table of the catalog");
        let new: Vec<&Table> =
            chain(self.catalog, own).take_while(|table| Some(&table.name) != stop.as_ref()).collect();
        let mut above = below;
        for table in new.into_iter().rev() {
            self.nodes.push(Node { table, above });
            above = Some(self.nodes.len() - 1);
        }
        self.frames.push(Frame { node: self.nodes.len() - 1, name: name.map(str::to_owned) });
    }

    fn innermost(&self) -> usize {
        self.frames.last().expect("a query has a grain").node
    }

    fn chain(&self, node: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(node), |node| self.nodes[*node].above)
    }

    /// The rows on the path, each once.
    fn path(&self) -> Vec<usize> {
        let mut path: Vec<usize> = self.frames.iter().flat_map(|frame| self.chain(frame.node)).collect();
        path.sort_unstable();
        path.dedup();
        path
    }

    /// What a row is called here; `None` where no single name means it. The innermost row's ancestors have their tables'
    /// names, those of a row around it are reached through it (rule 4).
    fn name_of(&self, node: usize) -> Option<String> {
        if let Some(frame) = self.frames.iter().find(|frame| frame.node == node) {
            return frame.name.clone().or_else(|| self.name_of_table(node));
        }
        let is_above = self.chain(self.innermost()).any(|own| own == node);
        if let Some(name) = self.name_of_table(node).filter(|_| is_above) {
            return Some(name);
        }
        let below = self.frames.iter().rev().find(|frame| self.chain(frame.node).any(|above| above == node))?;
        Some(format!("{}.{}", self.name_of(below.node)?, self.nodes[node].table.name))
    }

    /// The name of its table, where no other row on the path has that: a name that fits two is an error.
    fn name_of_table(&self, node: usize) -> Option<String> {
        let table = &self.nodes[node].table.name;
        // What lies above the innermost row is called by its table there, whatever its name is as a row around it.
        let is_above = |node: usize| self.chain(self.innermost()).skip(1).any(|above| above == node);
        let has_name = |node: usize| self.frames.iter().any(|frame| frame.node == node && frame.name.is_some());
        let is_named = |node: usize| has_name(node) && !is_above(node);
        let mut others = self.path().into_iter().filter(|other| *other != node && !is_named(*other));
        (!others.any(|other| self.nodes[other].table.name == *table)).then(|| table.clone())
    }

    /// What the profile is called here, where that is a name and no way.
    pub fn profile(&self) -> Option<String> {
        let root = self.chain(self.innermost()).last()?;
        self.name_of(root).filter(|name| !name.contains('.'))
    }

    /// Every column that can be mentioned; those of the innermost row also bare where `bare`.
    pub fn mentions(&self, bare: bool) -> Vec<Mention> {
        let own: Vec<usize> = self.chain(self.innermost()).collect();
        let mut mentions = Vec::new();
        for node in self.path() {
            let Some(name) = self.name_of(node) else { continue };
            let of = match own.iter().position(|it| *it == node) {
                Some(0) => Whose::Own,
                Some(_) => Whose::Above,
                None => Whose::Around,
            };
            let table = self.nodes[node].table;
            columns(&mut mentions, table, &name, of);
            for link in self.catalog.links_from(&table.name) {
                let of = if of == Whose::Around { Whose::Around } else { Whose::Lookup };
                columns(&mut mentions, link.1, &format!("{name}.{}", link.0.name), of);
            }
        }
        if bare {
            let own = self.table();
            mentions.extend(mentioned(own, Whose::Own, str::to_owned));
            let lookups = self.catalog.links_from(&own.name).filter(|(link, _)| self.is_only_way(&link.name));
            lookups.for_each(|(link, table)| columns(&mut mentions, table, &link.name, Whose::Lookup));
        }
        mentions
    }

    /// Whether only one row on the path has a link of this name.
    fn is_only_way(&self, link: &str) -> bool {
        let path = self.path();
        let has =
            |node: &&usize| self.catalog.links_from(&self.nodes[**node].table.name).any(|(one, _)| one.name == link);
        path.iter().filter(has).count() == 1
    }

    /// Everything that an aggregate here can be taken over (rule 4).
    pub fn ranges(&self) -> Vec<Range> {
        let histories = self.catalog.tables.iter().filter(|table| matches!(table.kind, TableKind::History { .. }));
        let mut ranges: Vec<Range> = histories.map(|table| self.range(table)).collect();
        for frame in &self.frames {
            let Some(name) = frame.name.clone().or_else(|| self.name_of(frame.node)) else { continue };
            let below = self.catalog.tables.iter().filter(|table| self.is_below(table, self.nodes[frame.node].table));
            ranges.extend(below.map(|table| Range {
                text: format!("{name}.{}", table.name),
                below: frame.node,
                must_be_named: true,
                ..self.range(table)
            }));
        }
        ranges
    }

    fn range(&self, table: &'c Table) -> Range {
        let is_again = self.path().iter().any(|node| self.nodes[*node].table.name == table.name);
        let chain: Vec<usize> = self.chain(self.innermost()).collect();
        let shared = chain.iter().find(|node| self.is_below(table, self.nodes[**node].table));
        let root = *chain.last().expect("a path has a root");
        let is_below = self.is_below(table, self.table());
        let below = if is_again && !is_below { root } else { *shared.unwrap_or(&root) };
        Range {
            table: table.name.clone(),
            text: table.name.clone(),
            must_be_named: is_again,
            is_again,
            is_beside: below != self.innermost(),
            below,
        }
    }

    fn is_below(&self, table: &'c Table, above: &Table) -> bool {
        chain(self.catalog, table).skip(1).any(|ancestor| ancestor.name == above.name)
    }
}

fn chain<'c>(catalog: &'c Catalog, table: &'c Table) -> impl Iterator<Item = &'c Table> {
    std::iter::successors(Some(table), |table| catalog.table(table.parent()?))
}

fn columns(mentions: &mut Vec<Mention>, table: &Table, row: &str, of: Whose) {
    mentions.extend(mentioned(table, of, |column| format!("{row}.{column}")));
}

/// The columns of a table as they are written; the variables are columns of profiles.
fn mentioned(table: &Table, of: Whose, written: impl Fn(&str) -> String) -> impl Iterator<Item = Mention> {
    let own = table.columns.iter().filter_map(|column| Some((column.name.as_str(), Kind::of(column.column_type?))));
    let of_profiles = VARIABLES.iter().filter(|_| table.kind == TableKind::Root);
    let variables = of_profiles.map(|(name, holds, _)| (*name, Kind::of(*holds)));
    own.chain(variables).map(move |(column, kind)| Mention {
        text: written(column),
        table: table.name.clone(),
        column: column.to_owned(),
        kind,
        of,
    })
}

/// Whether a column is a variable.
pub fn is_variable(mention: &Mention) -> bool {
    VARIABLES.iter().any(|(name, ..)| mention.column == *name)
}
