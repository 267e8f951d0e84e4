//! Resolved query to plain SQL, of the dialect that DataFusion and DuckDB both read.
//!
//! A relation is a derived table of the columns it needs and the rows that are visible; what is reached from the grain is
//! LEFT JOINed; each history is a CTE, grouped by what finds it again. Nothing printed is a correlated subquery of ours.

use muster_catalog::Timestamp;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, Cte, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Join,
    JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, With,
};

use crate::resolved::{
    Aggregate, Body, Function, GrainQuery, History, Reached, Relation, ResolvedQuery, ResolvedSegment, Rows, Visible,
    hidden,
};
use crate::sql;
use crate::stack::deep;

impl ResolvedQuery {
    /// The query as plain SQL, on one line. Tables need the hidden columns of [`hidden`]; the session needs the
    /// workspace's time zone.
    pub fn to_sql(&self) -> String {
        deep(|| self.lowered().to_string())
    }

    /// The same for people: over several lines where that cannot change a text inside it.
    pub fn to_pretty_sql(&self) -> String {
        deep(|| {
            let query = self.lowered();
            let plain = query.to_string();
            // The printer indents after every line break, also after one inside a literal.
            if plain.contains('\n') { plain } else { format!("{query:#}") }
        })
    }

    fn lowered(&self) -> Query {
        match &self.body {
            Body::Grain(grain) => grain.lowered(self.as_of),
            Body::Plain(query) => query.as_ref().clone(),
        }
    }
}

impl ResolvedSegment {
    /// The ids of the segment's rows as plain SQL.
    pub fn to_sql(&self) -> String {
        self.query.to_sql()
    }
}

impl GrainQuery {
    /// The query as syntax that any engine plans.
    pub(crate) fn lowered(&self, as_of: Timestamp) -> Query {
        let mut query = self.rest.clone();
        let histories = self.rows.histories.iter().map(|history| history.cte(as_of));
        let ctes: Vec<Cte> = histories.collect();
        if !ctes.is_empty() {
            query.with.get_or_insert_with(no_ctes).cte_tables.extend(ctes);
        }
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.from = vec![self.rows.from(as_of)];
        }
        query
    }
}

/// `WITH`, before its first CTE.
fn no_ctes() -> With {
    With { with_token: AttachedToken::empty(), recursive: false, cte_tables: Vec::new() }
}

impl Rows {
    fn from(&self, as_of: Timestamp) -> TableWithJoins {
        let (itself, reached) = self.relations.split_first().expect("rows always begin with their own table");
        let relations = reached.iter().filter_map(|relation| relation.joined(as_of));
        let histories = self.histories.iter().map(History::joined);
        TableWithJoins { relation: itself.factor(as_of), joins: relations.chain(histories).collect() }
    }
}

impl Relation {
    /// `(SELECT "columns" FROM "table" WHERE visible) AS "alias"`.
    pub(crate) fn factor(&self, as_of: Timestamp) -> TableFactor {
        let columns = self.columns.iter().map(|column| SelectItem::UnnamedExpr(bare(column)));
        let condition = self.visible.condition(as_of);
        let select = sql::select(columns.collect(), vec![whole(&self.table)], condition);
        sql::derived(sql::select_query(select), sql::alias(&self.alias))
    }

    /// The join that finds its row; `None` for the row itself.
    fn joined(&self, as_of: Timestamp) -> Option<Join> {
        let (from, by, own) = match &self.reached {
            Reached::Itself => return None,
            Reached::Ancestor { from, by } => (from, by, hidden::ROW),
            Reached::Lookup { from, by, key } => (from, by, key.as_str()),
            Reached::Enclosing { from, by, its } => (from, by, its.as_str()),
        };
        let found = sql::binary(sql::column(from, by), BinaryOperator::Eq, sql::column(&self.alias, own));
        let on = JoinConstraint::On(found);
        let join_operator = match &self.reached {
            Reached::Enclosing { .. } => JoinOperator::Join(on),
            Reached::Itself | Reached::Ancestor { .. } | Reached::Lookup { .. } => JoinOperator::Left(on),
        };
        Some(Join { relation: self.factor(as_of), global: false, join_operator })
    }
}

impl Visible {
    fn condition(&self, as_of: Timestamp) -> Option<Expr> {
        let not_later = |time: Expr| sql::binary(time, BinaryOperator::LtEq, sql::instant(as_of));
        match self {
            Self::Always => None,
            Self::ByTime => Some(not_later(bare(hidden::TIME))),
            Self::ByTimeIfKnown => {
                let unknown = Expr::IsNull(Box::new(bare(hidden::TIME)));
                Some(sql::binary(unknown, BinaryOperator::Or, not_later(bare(hidden::TIME))))
            }
            Self::ByTimeAndProfile(profiles) => {
                let there = Self::ByTimeIfKnown.condition(as_of);
                let rows = vec![SelectItem::UnnamedExpr(bare(hidden::ROW))];
                let subquery = Box::new(sql::select_query(sql::select(rows, vec![whole(profiles)], there)));
                let of_them = Expr::InSubquery { expr: Box::new(bare(hidden::PROFILE)), subquery, negated: false };
                Some(sql::binary(not_later(bare(hidden::TIME)), BinaryOperator::And, of_them))
            }
        }
    }
}

fn bare(column: &str) -> Expr {
    Expr::Identifier(sql::name(column))
}

fn whole(table: &str) -> TableWithJoins {
    TableWithJoins { relation: sql::table(table, None), joins: Vec::new() }
}

impl History {
    fn joined(&self) -> Join {
        let found = sql::binary(
            sql::column(&self.outer.0, &self.outer.1),
            BinaryOperator::Eq,
            sql::column(&self.name, hidden::ROW),
        );
        let join_operator = JoinOperator::Left(JoinConstraint::On(found));
        Join { relation: sql::table(&self.name, None), global: false, join_operator }
    }

    /// `"name" AS (SELECT group AS "__row", aggregates … GROUP BY group)`.
    fn cte(&self, as_of: Timestamp) -> Cte {
        let mut from = self.rows.from(as_of);
        from.joins.extend(self.enclosing.iter().filter_map(|row| row.joined(as_of)));
        let group = sql::column(&self.inner.0, &self.inner.1);
        let shared_filter = self.shared_filter();
        let aggregates = self.aggregates.iter().map(|aggregate| {
            let filter = aggregate.filter.clone().filter(|_| shared_filter.is_none());
            sql::aliased(aggregate.call(filter), &aggregate.name)
        });
        let projection = std::iter::once(sql::aliased(group.clone(), hidden::ROW)).chain(aggregates).collect();
        let select = Select {
            group_by: GroupByExpr::Expressions(vec![group], Vec::new()),
            ..sql::select(projection, vec![from], shared_filter)
        };
        Cte {
            alias: sql::cte_name(&self.name),
            query: Box::new(sql::select_query(select)),
            from: None,
            materialized: None,
            closing_paren_token: AttachedToken::empty(),
        }
    }

    /// The filter that all aggregates have in common. Before grouping it spares the engine the groups that it empties,
    /// and an absent group reads as an empty one anyway.
    fn shared_filter(&self) -> Option<Expr> {
        let (first, others) = self.aggregates.split_first()?;
        first.filter.clone().filter(|filter| others.iter().all(|other| other.filter.as_ref() == Some(filter)))
    }
}

impl Aggregate {
    fn call(&self, filter: Option<Expr>) -> Expr {
        let argument = match &self.argument {
            Some(argument) => FunctionArgExpr::Expr(argument.clone()),
            None => FunctionArgExpr::Wildcard,
        };
        let name = if self.function == Function::Has { "count" } else { self.function.name() };
        let mut call = sql::bare_call(name, vec![FunctionArg::Unnamed(argument)]);
        call.filter = filter.map(Box::new);
        if let (true, FunctionArguments::List(list)) = (self.distinct, &mut call.args) {
            list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
        }
        let call = Expr::Function(call);
        if self.function == Function::Has { sql::binary(call, BinaryOperator::Gt, sql::number(0)) } else { call }
    }
}
