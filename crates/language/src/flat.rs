//! A resolved query over one flat table: for who computes histories by itself and leaves the rest to an engine.
//!
//! The table has a column for each column of each relation and for each aggregate of each history, called
//! `alias.column` ([`column`]). What remains of the statement reads nothing else of the rows.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use muster_catalog::Timestamp;
use sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, Visit, VisitMut, Visitor,
    VisitorMut,
};

use crate::resolved::{Aggregate, GrainQuery, Overlap, Part, ResolvedQuery, Rows};
use crate::sql;

/// The name of a relation's or a history's column in the flat table.
pub fn column(alias: &str, column: &str) -> String {
    format!("{alias}.{column}")
}

/// The statement `SELECT "0", "1", … FROM table` of these expressions, for an engine to read.
pub fn selection(table: &str, expressions: impl IntoIterator<Item = Expr>) -> Query {
    let items = expressions.into_iter().enumerate().map(|(place, expr)| sql::aliased(expr, &place.to_string()));
    sql::select_query(sql::select(items.collect(), vec![whole(table)], None))
}

impl ResolvedQuery {
    /// Puts what `instead` makes of them in the place of the parts that stand in `statement`, which is this query or what is
    /// left of it.
    pub fn replace_parts(&self, statement: &mut Query, instead: &mut dyn FnMut(&Part) -> Option<Query>) {
        let parts = self.parts.iter().map(|part| (part.lowered(self.as_of), part)).collect();
        // The visitor never breaks off.
        let _finished: ControlFlow<()> = statement.visit(&mut Replacing { parts, instead });
    }
}

struct Replacing<'r> {
    /// Each as plain SQL, and as what it is.
    parts: Vec<(Query, &'r Part)>,
    instead: &'r mut dyn FnMut(&Part) -> Option<Query>,
}

impl VisitorMut for Replacing<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let part = self.parts.iter().find(|(lowered, _)| lowered == query);
        if let Some(instead) = part.and_then(|(_, part)| (self.instead)(part)) {
            *query = instead;
        }
        ControlFlow::Continue(())
    }
}

impl Part {
    /// It as plain SQL.
    fn lowered(&self, as_of: Timestamp) -> Query {
        match self {
            Self::Rows(grain) => grain.lowered(as_of),
            Self::Overlap(overlap) => overlap.plain.clone(),
        }
    }
}

impl Overlap {
    /// The query that reads the same from a table that has its rows.
    pub fn over(&self, table: &str) -> Query {
        let columns = Self::COLUMNS.iter().map(|column| sql::aliased(sql::column(table, column), column));
        sql::select_query(sql::select(columns.collect(), vec![whole(table)], None))
    }

    /// What its columns are called.
    pub const COLUMNS: [&str; 3] = ["segment_a", "segment_b", "profiles"];
}

impl GrainQuery {
    /// What each row is shown as, one value after the other.
    pub fn shown(&self) -> Vec<&Expr> {
        let SetExpr::Select(select) = self.rest.body.as_ref() else { return Vec::new() };
        let shown = select.projection.iter().filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        });
        shown.collect()
    }

    /// What a row must meet, one condition after the other: all of them.
    pub fn conditions(&self) -> Vec<&Expr> {
        match self.rest.body.as_ref() {
            SetExpr::Select(select) => select.selection.as_ref().map(sql::conjuncts).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Whether every row that meets the conditions is a row of the answer, once.
    pub fn answers_each_row(&self) -> bool {
        let Query { limit_clause, fetch, .. } = &self.rest;
        let SetExpr::Select(select) = self.rest.body.as_ref() else { return false };
        let is_cut = limit_clause.is_some() || fetch.is_some() || select.distinct.is_some() || select.qualify.is_some();
        !(is_cut || self.grouped)
    }

    /// The column of a statement that says how many rows meet the conditions, and nothing else.
    pub fn counts_rows(&self) -> Option<&str> {
        let Query { with: None, order_by: None, limit_clause: None, fetch: None, body, .. } = &self.rest else {
            return None;
        };
        let SetExpr::Select(select) = body.as_ref() else { return None };
        let Select { distinct: None, having: None, qualify: None, group_by, projection, .. } = select.as_ref() else {
            return None;
        };
        let is_one_group = matches!(group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        match projection.as_slice() {
            [SelectItem::ExprWithAlias { expr, alias }] if is_one_group && expr == &sql::count_rows() => {
                Some(&alias.value)
            }
            _ => None,
        }
    }

    /// The statement over the flat table, whose rows must meet only these conditions, which are not flattened yet.
    pub fn over(&self, table: &str, conditions: impl IntoIterator<Item = Expr>) -> Query {
        let mut query = self.rest.clone();
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.selection = conditions.into_iter().fold(None, |all, one| Some(sql::conjunction(all, one)));
        }
        let asides = self.rows.asides.iter();
        let ctes: Vec<_> = asides.clone().flat_map(|aside| aside.ctes.clone()).collect();
        if !ctes.is_empty() {
            query.with.get_or_insert_with(crate::print::no_ctes).cte_tables.extend(ctes);
        }
        // The names of the rows mean them as long as nothing else of that name is in a FROM.
        let known = names_known(&self.rows);
        flatten(&mut query, &known, table);
        let joins = asides.map(|aside| {
            let mut joined = aside.joined();
            flatten(&mut joined, &known, table);
            joined
        });
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.from = vec![TableWithJoins { joins: joins.collect(), ..whole(table) }];
        }
        query
    }
}

/// An expression about rows that are known by these names, in terms of the flat table.
pub fn flattened(expr: &Expr, known: &BTreeSet<&str>, table: &str) -> Expr {
    let mut flat = expr.clone();
    flatten(&mut flat, known, table);
    flat
}

/// The conditions that an AND is made of, one after the other.
pub fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    sql::conjuncts(condition)
}

/// Whether an expression reads more than the row at hand: another query, a window, or a table of one of these names.
pub fn reaches_beyond(expr: &Expr, names: &BTreeSet<&str>) -> bool {
    let mut beyond = Beyond { names };
    expr.visit(&mut beyond).is_break()
}

/// The names under which rows and what is reached from them stand.
fn names_known(rows: &Rows) -> BTreeSet<&str> {
    let relations = rows.relations.iter().map(|relation| relation.alias.as_str());
    relations.chain(rows.histories.iter().map(|history| history.name.as_str())).collect()
}

fn flatten(syntax: &mut impl VisitMut, known: &BTreeSet<&str>, table: &str) {
    // The visitor never breaks off.
    let _finished: ControlFlow<()> = syntax.visit(&mut Flattening { known, table, hidden: Vec::new() });
}

struct Beyond<'n> {
    names: &'n BTreeSet<&'n str>,
}

impl Visitor for Beyond<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::CompoundIdentifier(parts)
                if parts.first().is_some_and(|alias| self.names.contains(alias.value.as_str())) =>
            {
                ControlFlow::Break(())
            }
            Expr::Function(call) if call.over.is_some() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Aggregate {
    /// The value of a row as it goes into the function that reduces it.
    pub fn value(&self) -> Option<Expr> {
        self.argument.clone().map(|argument| self.function.prepared(argument))
    }
}

fn whole(table: &str) -> TableWithJoins {
    TableWithJoins { relation: sql::table(table, None), joins: Vec::new() }
}

/// Gives the names of rows the names that they have in the flat table.
struct Flattening<'r> {
    known: &'r BTreeSet<&'r str>,
    table: &'r str,
    /// The names that mean something else in the queries around, innermost last.
    hidden: Vec<BTreeSet<String>>,
}

impl VisitorMut for Flattening<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let mut names = BTreeSet::new();
        names_of(&query.body, &mut names);
        self.hidden.push(names);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.hidden.pop();
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [alias, name] = parts.as_slice()
            && self.known.contains(alias.value.as_str())
            && !self.hidden.iter().any(|names| names.contains(&alias.value))
        {
            *expr = sql::column(self.table, &column(&alias.value, &name.value));
        }
        ControlFlow::Continue(())
    }
}

/// What the FROM of a query calls its tables.
fn names_of(body: &SetExpr, names: &mut BTreeSet<String>) {
    match body {
        SetExpr::Select(select) => select.from.iter().for_each(|from| {
            let factors = std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
            names.extend(factors.filter_map(name_of));
        }),
        SetExpr::SetOperation { left, right, .. } => {
            names_of(left, names);
            names_of(right, names);
        }
        _ => {}
    }
}

fn name_of(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.name.value.clone())
        }
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().map(|name| name.value.clone()),
        _ => None,
    }
}
