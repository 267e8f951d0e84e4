//! `IN (SELECT …)` and `EXISTS`: as they are where engines read them right, else as values or a table that the query makes
//! beside its rows.
//!
//! The engine knows such queries of a filter only, and tells there whether a value was found, not whether that is unknown: where
//! NULL is as good as FALSE, that is all there is to tell.

use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, LimitClause, Query, SelectItem, SetExpr, TableAlias, TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::operator::truth;
use super::scope::{Clause, Position, Source, Typed};
use crate::error::ErrorKind;
use crate::resolved::{Aside, hidden};
use crate::source::Fault;
use crate::sql;

const VALUE: &str = "value";
const ROWS: &str = "rows";
const VALUES: &str = "values";

/// `needle IN (query)`, as it is written.
pub(super) struct Sought<'e> {
    pub(super) needle: &'e Expr,
    pub(super) query: &'e Query,
    pub(super) negated: bool,
    pub(super) position: Position,
}

impl Sought<'_> {
    /// Whether finding the value is all that is asked.
    fn is_found_enough(&self) -> bool {
        self.position == Position::Conjunct || (self.position == Position::Truth && !self.negated)
    }
}

impl Resolver<'_> {
    /// `needle IN (query)`: TRUE where it is one of the values, else NULL where it or one of them is NULL, else FALSE; of no
    /// values FALSE.
    pub(super) fn in_query(&mut self, sought: Sought<'_>, span: Span) -> Result<Typed, Fault> {
        let written = format!("{} IN ({})", sought.needle, sought.query);
        let needle = self.expression(sought.needle)?.sql;
        let (resolved, is_correlated) = self.watched(|inside| inside.one_column(sought.query));
        let (query, negated) = (resolved?.0, sought.negated);
        let scope = self.scope();
        if sought.is_found_enough() || scope.clause == Clause::From {
            let (expr, subquery) = (Box::new(needle), Box::new(query));
            return Ok(truth(Expr::InSubquery { expr, subquery, negated }));
        }
        let is_of_groups = matches!(scope.clause, Clause::Having | Clause::Qualify);
        if is_correlated || is_of_groups || matches!(scope.source, Source::Tables(_)) {
            let message = format!("`{written}` has to say here whether that is unknown");
            let hint = "join it to others by AND only, or write EXISTS (SELECT … WHERE …)";
            return Err(Fault::new(ErrorKind::Position, span, message).hint(hint));
        }
        scope.note_loose(span, written.clone(), false);
        let needle = sql::nested(needle);
        let name = self.listed(written, &needle, query, span)?;
        let is_one = Expr::IsNotNull(Box::new(sql::column(&name, VALUE)));
        let listed = sql::cases([(is_one, sql::truth()), (is_none(&needle, &size_of(&name)), sql::falsehood())]);
        Ok(truth(if negated { sql::not(listed) } else { sql::nested(listed) }))
    }

    /// The table of the values that a query lists, joined where one is the needle; made if these rows have none.
    fn listed(&mut self, written: String, needle: &Expr, query: Query, span: Span) -> Result<String, Fault> {
        if let Some(known) = self.rows_around(span)?.compared.get(&written) {
            return Ok(known.clone());
        }
        let name = self.unique_name("listed");
        let (all, size) = (format!("{name}_all"), size_of(&name));
        let alias = TableAlias { columns: vec![sql::column_name(VALUE)], ..sql::cte_name(&all) };
        let once = sql::select(vec![shown(VALUE)], whole(&all), None);
        let once = sql::select_query(sqlparser::ast::Select { distinct: Some(Distinct::Distinct), ..once });
        let counts =
            vec![sql::aliased(sql::count_rows(), ROWS), sql::aliased(sql::call("count", [bare(VALUE)]), VALUES)];
        let counts = sql::select_query(sql::select(counts, whole(&all), None));
        let found = sql::binary(needle.clone(), BinaryOperator::Eq, sql::column(&name, VALUE));
        let ctes = vec![sql::cte_of(alias, query), sql::cte(&name, once)];
        self.add_aside(Aside { name: name.clone(), ctes, found: Some(found) }, span)?;
        self.add_aside(Aside { ctes: vec![sql::cte(&size, counts)], name: size, found: None }, span)?;
        self.rows_around(span)?.compared.insert(written, name.clone());
        Ok(name)
    }

    /// `EXISTS (query)`; as a count, which is a value, where it is no filter.
    pub(super) fn exists(&mut self, query: &Query, negated: bool) -> Result<Typed, Fault> {
        let (resolved, is_correlated) = self.watched(|inside| inside.lowered(query));
        let mut query = resolved?.0;
        let is_value =
            matches!(self.scope().clause, Clause::Select | Clause::GroupBy | Clause::OrderBy | Clause::History);
        if is_correlated || !is_value {
            return Ok(truth(Expr::Exists { subquery: Box::new(query), negated }));
        }
        // One row is as good as all of them.
        let one = LimitClause::LimitOffset { limit: Some(sql::number(1)), offset: None, limit_by: Vec::new() };
        query.limit_clause.get_or_insert(one);
        let name = self.unique_name("found");
        let rows = TableWithJoins { relation: sql::derived(query, sql::alias(&name)), joins: Vec::new() };
        let count = sql::select(vec![sql::aliased(sql::count_rows(), ROWS)], vec![rows], None);
        let count = Expr::Subquery(Box::new(sql::query(SetExpr::Select(Box::new(count)))));
        let op = if negated { BinaryOperator::Eq } else { BinaryOperator::Gt };
        Ok(truth(sql::nested(sql::binary(count, op, sql::number(0)))))
    }

    /// Joins a table to the rows of the innermost scope.
    pub(super) fn add_aside(&mut self, aside: Aside, span: Span) -> Result<(), Fault> {
        self.rows_around(span)?.rows.asides.push(aside);
        Ok(())
    }

    /// A name for a CTE that no other has: names are unique in the whole statement, since engines let an inner WITH collide
    /// with an outer one.
    pub(super) fn unique_name(&mut self, of: &str) -> String {
        let count = self.ctes_named.entry(of.to_owned()).or_insert(0);
        *count += 1;
        let suffix = if *count == 1 { String::new() } else { format!("_{count}") };
        format!("{}{of}{suffix}", hidden::PREFIX)
    }
}

/// The table beside that counts what a query lists.
fn size_of(listed: &str) -> String {
    format!("{listed}_size")
}

/// Whether a value is certainly none of those that `size` counts, if it is not found among them.
fn is_none(needle: &Expr, size: &str) -> Expr {
    let (rows, values) = (sql::column(size, ROWS), sql::column(size, VALUES));
    let no_values = sql::binary(rows.clone(), BinaryOperator::Eq, sql::number(0));
    let all_known = sql::binary(rows, BinaryOperator::Eq, values);
    let known = Expr::IsNotNull(Box::new(needle.clone()));
    let certain = sql::nested(sql::binary(known, BinaryOperator::And, all_known));
    sql::binary(no_values, BinaryOperator::Or, certain)
}

fn bare(column: &str) -> Expr {
    Expr::Identifier(sql::name(column))
}

fn shown(column: &str) -> SelectItem {
    sql::aliased(bare(column), column)
}

fn whole(table: &str) -> Vec<TableWithJoins> {
    vec![TableWithJoins { relation: sql::table(table, None), joins: Vec::new() }]
}
