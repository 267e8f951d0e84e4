//! Tables that the query makes beside its rows, for what engines only know of a WHERE: `IN (SELECT …)` and `EXISTS`.

use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, LimitClause, Query, SelectItem, SetExpr, TableAlias, TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::operator::truth;
use super::scope::Typed;
use crate::resolved::{Aside, hidden};
use crate::source::Fault;
use crate::sql;

const VALUE: &str = "value";
const ROWS: &str = "rows";
const VALUES: &str = "values";

impl Resolver<'_> {
    /// `needle IN (query)` as a table of the values that is joined: TRUE where it is one of them, else NULL where it or one of
    /// them is NULL, else FALSE; of no values FALSE.
    pub(super) fn listed(&mut self, needle: Expr, query: Query, negated: bool, span: Span) -> Result<Typed, Fault> {
        let name = self.unique_name("listed");
        let (all, size) = (format!("{name}_all"), format!("{name}_size"));
        let alias = TableAlias { columns: vec![sql::column_name(VALUE)], ..sql::cte_name(&all) };
        let once = sql::select(vec![shown(VALUE)], whole(&all), None);
        let once = sql::select_query(sqlparser::ast::Select { distinct: Some(Distinct::Distinct), ..once });
        let counts =
            vec![sql::aliased(sql::count_rows(), ROWS), sql::aliased(sql::call("count", [bare(VALUE)]), VALUES)];
        let counts = sql::select_query(sql::select(counts, whole(&all), None));
        let found = sql::binary(needle.clone(), BinaryOperator::Eq, sql::column(&name, VALUE));
        let is_one = Expr::IsNotNull(Box::new(sql::column(&name, VALUE)));
        let is_none = is_none(&needle, &size);
        let ctes = vec![sql::cte_of(alias, query), sql::cte(&name, once)];
        self.add_aside(Aside { name, ctes, found: Some(found) }, span)?;
        self.add_aside(Aside { ctes: vec![sql::cte(&size, counts)], name: size, found: None }, span)?;
        let listed = sql::cases([(is_one, sql::truth()), (is_none, sql::falsehood())]);
        Ok(truth(if negated { sql::not(listed) } else { sql::nested(listed) }))
    }

    /// `EXISTS (query)` as a count, which is a value.
    pub(super) fn exists(&mut self, mut query: Query, negated: bool) -> Typed {
        // One row is as good as all of them.
        let one = LimitClause::LimitOffset { limit: Some(sql::number(1)), offset: None, limit_by: Vec::new() };
        query.limit_clause.get_or_insert(one);
        let name = self.unique_name("found");
        let rows = TableWithJoins { relation: sql::derived(query, sql::alias(&name)), joins: Vec::new() };
        let count = sql::select(vec![sql::aliased(sql::count_rows(), ROWS)], vec![rows], None);
        let count = Expr::Subquery(Box::new(sql::query(SetExpr::Select(Box::new(count)))));
        let op = if negated { BinaryOperator::Eq } else { BinaryOperator::Gt };
        truth(sql::nested(sql::binary(count, op, sql::number(0))))
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
