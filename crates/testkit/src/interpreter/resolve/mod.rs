//! From text to meaning: names, grain, levels and aggregates, by the rules of section 2 of the language's page.
//!
//! Nothing here looks at a row, so a query is an error whatever stands in the tables.

mod call;
mod expressions;
mod history;
mod kinds;
mod level;
mod literals;
mod names;
mod scalars;
mod select;

use sqlparser::ast::{self, Ident, Query};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::error::{Error, Kind, Result};
use super::meaning::{Place, Select};
use crate::world::World;

/// Reads a query.
pub(super) fn query(world: &World, text: &str) -> Result<Select> {
    Resolver::new(world, Vec::new()).query(&*parsed(text)?)
}

/// Reads the definition of a segment: a query with a grain, or `WHERE …` over profiles (section 4).
pub(super) fn segment(world: &World, text: &str) -> Result<Select> {
    Resolver::new(world, Vec::new()).segment_query(text)
}

fn parsed(text: &str) -> Result<Box<Query>> {
    let syntax = |error: sqlparser::parser::ParserError| Error::nowhere(Kind::Syntax, error.to_string());
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).map_err(syntax)?;
    let query = parser.parse_query().map_err(syntax)?;
    while parser.consume_token(&sqlparser::tokenizer::Token::SemiColon) {}
    match parser.peek_token().token {
        sqlparser::tokenizer::Token::EOF => Ok(query),
        other => Err(Error::nowhere(Kind::Syntax, format!("`{other}` stands after the end of the query"))),
    }
}

/// A row that an expression can see: the rows below which it stands are its `parent`s.
///
/// Rows are told apart by their node: two rows of one table on the path are two nodes, and the profile that all of them
/// share is one.
#[derive(Debug)]
struct Node {
    table: usize,
    parent: Option<usize>,
    /// The number of the row through which it is found when rows are read.
    scope: usize,
    /// A row with a name of its own is not seen by its table's (rule 4).
    is_named: bool,
}

/// The grain's row, or the current row of an aggregate; the last is the innermost.
#[derive(Debug)]
struct Scope {
    node: usize,
    name: Option<Ident>,
}

/// What an expression stands in.
#[derive(Debug, Clone)]
enum Mode {
    /// One row: WHERE, arguments, everything below an aggregate.
    Row,
    /// One row of an answer that is not grouped: windows may stand here.
    Answer,
    /// One group: the keys as they are written.
    Group(Vec<ast::Expr>),
}

/// Reads one query. Scopes are left as they are on an error: nobody reads on after one.
struct Resolver<'w> {
    world: &'w World,
    nodes: Vec<Node>,
    scopes: Vec<Scope>,
    mode: Mode,
    /// The segments whose definitions are being read, for cycles.
    open: Vec<String>,
}

impl<'w> Resolver<'w> {
    fn new(world: &'w World, open: Vec<String>) -> Self {
        Self { world, nodes: Vec::new(), scopes: Vec::new(), mode: Mode::Row, open }
    }

    /// The row of a node and its ancestors, from the bottom.
    fn chain(&self, node: usize) -> Vec<usize> {
        std::iter::successors(Some(node), |below| self.nodes[*below].parent).collect()
    }

    /// The innermost row.
    fn innermost(&self) -> usize {
        self.scopes.last().expect("a query's FROM opens the first scope").node
    }

    /// The current and enclosing rows and their ancestors, each once (rule 4).
    fn path(&self) -> Vec<usize> {
        let mut path: Vec<usize> = self.scopes.iter().flat_map(|scope| self.chain(scope.node)).collect();
        path.sort_unstable();
        path.dedup();
        path
    }

    fn place(&self, node: usize) -> Place {
        Place::Row { scope: self.nodes[node].scope, table: self.nodes[node].table }
    }

    /// A new row of `table` below the row `above` (`None`: a row with all of its ancestors), for the next scope.
    fn new_row(&mut self, table: usize, above: Option<usize>, is_named: bool) -> usize {
        let stop = above.map(|node| self.nodes[node].table);
        let tables: Vec<usize> = self.world.chain(table).into_iter().take_while(|table| Some(*table) != stop).collect();
        let mut parent = above;
        for (steps, &table) in tables.iter().enumerate().rev() {
            self.nodes.push(Node { table, parent, scope: self.scopes.len(), is_named: is_named && steps == 0 });
            parent = Some(self.nodes.len() - 1);
        }
        parent.expect("a chain of tables has a table")
    }

    fn enter(&mut self, node: usize, name: Option<&Ident>) {
        self.scopes.push(Scope { node, name: name.cloned() });
    }

    fn leave(&mut self) {
        self.scopes.pop();
    }

    fn table_name(&self, table: usize) -> &'w str {
        &self.world.catalog.tables[table].name
    }

    /// The table of this name.
    fn table(&self, name: &Ident) -> Option<usize> {
        self.world.catalog.tables.iter().position(|table| same_name(name, &table.name))
    }
}

/// Names are case-insensitive; in double quotes capitals matter (section 4).
fn same_name(written: &Ident, name: &str) -> bool {
    if written.quote_style.is_some() { written.value == name } else { written.value.eq_ignore_ascii_case(name) }
}
