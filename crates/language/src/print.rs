//! Resolved query to plain SQL, of the dialect that DataFusion and DuckDB both read.
//!
//! A relation is a derived table of the columns it needs and the rows that are visible; what is reached from the grain is
//! LEFT JOINed; each history is a CTE, grouped by what finds it again. Nothing printed is a correlated subquery of ours.

use muster_catalog::Timestamp;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, Cte, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, GroupByExpr, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr,
    TableFactor, TableWithJoins, With,
};

use crate::remainder::spell_out;
use crate::resolved::{
    Aggregate, Aside, Body, Chosen, Function, GrainQuery, GroupKey, History, Reached, Relation, ResolvedQuery,
    ResolvedSegment, Rows, Visible, hidden,
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
        let mut query = match &self.body {
            Body::Grain(grain) => grain.lowered(self.as_of),
            Body::Plain(query) => query.as_ref().clone(),
        };
        spell_out(&mut query);
        query
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
        let ctes = self.rows.ctes(as_of);
        if !ctes.is_empty() {
            query.with.get_or_insert_with(no_ctes).cte_tables.extend(ctes);
        }
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.from = vec![self.rows.from(&[], None, as_of)];
        }
        query
    }
}

/// `WITH`, before its first CTE.
pub(crate) fn no_ctes() -> With {
    With { with_token: AttachedToken::empty(), recursive: false, cte_tables: Vec::new() }
}

impl Rows {
    fn from(&self, enclosing: &[Relation], among: Option<&Chosen>, as_of: Timestamp) -> TableWithJoins {
        let (itself, reached) = self.relations.split_first().expect("rows always begin with their own table");
        let relations = reached.iter().chain(enclosing).filter_map(|relation| relation.joined(as_of));
        let among = among.map(|chosen| chosen.joined(&itself.alias));
        let histories = self.histories.iter().map(History::joined);
        let asides = self.asides.iter().map(Aside::joined);
        let joins = relations.chain(among).chain(histories).chain(asides).collect();
        TableWithJoins { relation: itself.factor(as_of), joins }
    }

    /// What makes the histories that are reduced for the rows, and the tables beside them.
    fn ctes(&self, as_of: Timestamp) -> Vec<Cte> {
        let histories = self.histories.iter().flat_map(|history| history.ctes(as_of));
        histories.chain(self.asides.iter().flat_map(|aside| aside.ctes.clone())).collect()
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

impl Aside {
    pub(crate) fn joined(&self) -> Join {
        let join_operator = match &self.found {
            Some(found) => JoinOperator::Left(JoinConstraint::On(found.clone())),
            None => JoinOperator::CrossJoin(JoinConstraint::None),
        };
        Join { relation: sql::table(&self.name, None), global: false, join_operator }
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
                Some(sql::conjunction(Some(not_later(bare(hidden::TIME))), among(hidden::PROFILE, profiles, there)))
            }
            Self::ByTimeAndParent { parent, there } => {
                let there = there.condition(as_of);
                Some(sql::conjunction(Some(not_later(bare(hidden::TIME))), among(hidden::PARENT, parent, there)))
            }
        }
    }
}

/// `"key" IN (SELECT "__row" FROM "table" WHERE there)`.
fn among(key: &str, table: &str, there: Option<Expr>) -> Expr {
    let rows = vec![SelectItem::UnnamedExpr(bare(hidden::ROW))];
    let subquery = Box::new(sql::select_query(sql::select(rows, vec![whole(table)], there)));
    Expr::InSubquery { expr: Box::new(bare(key)), subquery, negated: false }
}

fn bare(column: &str) -> Expr {
    Expr::Identifier(sql::name(column))
}

fn whole(table: &str) -> TableWithJoins {
    TableWithJoins { relation: sql::table(table, None), joins: Vec::new() }
}

impl History {
    fn joined(&self) -> Join {
        let outer = self.keys.iter().map(|key| &key.outer);
        let join_operator = JoinOperator::Left(JoinConstraint::On(found_by(&self.name, outer)));
        Join { relation: sql::table(&self.name, None), global: false, join_operator }
    }

    /// Those of the histories that are reduced for its rows and of the rows that are chosen, then its own.
    fn ctes(&self, as_of: Timestamp) -> Vec<Cte> {
        let mut ctes: Vec<Cte> = self.among.iter().flat_map(|chosen| chosen.ctes(as_of)).collect();
        ctes.extend(self.rows.ctes(as_of));
        ctes.push(self.cte(as_of));
        ctes
    }

    /// `"name" AS (SELECT group AS "__row", aggregates … GROUP BY group)`.
    fn cte(&self, as_of: Timestamp) -> Cte {
        let from = self.rows.from(&self.enclosing, self.among.as_deref(), as_of);
        let group: Vec<Expr> =
            self.keys.iter().map(|GroupKey { inner: (alias, key), .. }| sql::column(alias, key)).collect();
        let keys = group.iter().enumerate().map(|(place, key)| sql::aliased(key.clone(), &GroupKey::column(place)));
        let shared_filter = self.shared_filter();
        let aggregates = self.aggregates.iter().map(|aggregate| {
            let filter = aggregate.filter.clone().filter(|_| shared_filter.is_none());
            sql::aliased(aggregate.call(filter), &aggregate.name)
        });
        let select = Select {
            projection: keys.chain(aggregates).collect(),
            group_by: GroupByExpr::Expressions(group.clone(), Vec::new()),
            ..sql::select(Vec::new(), vec![from], shared_filter)
        };
        sql::cte(&self.name, sql::select_query(select))
    }

    /// The filter that all aggregates have in common. Before grouping it spares the engine the groups that it empties,
    /// and an absent group reads as an empty one anyway.
    fn shared_filter(&self) -> Option<Expr> {
        let (first, others) = self.aggregates.split_first()?;
        first.filter.clone().filter(|filter| others.iter().all(|other| other.filter.as_ref() == Some(filter)))
    }
}

/// Each of these columns equals the key of its place in a CTE.
fn found_by<'k>(cte: &str, columns: impl Iterator<Item = &'k (String, String)>) -> Expr {
    let found = columns.enumerate().map(|(place, (alias, column))| {
        let its = sql::column(cte, &GroupKey::column(place));
        sql::binary(sql::column(alias, column), BinaryOperator::Eq, its)
    });
    found.reduce(|all, one| sql::binary(all, BinaryOperator::And, one)).expect("there is always one key")
}

impl Chosen {
    /// The rows of `alias` that are chosen.
    fn joined(&self, alias: &str) -> Join {
        let row = (alias.to_owned(), hidden::ROW.to_owned());
        let columns = std::iter::once(&row).chain(self.keys.iter().map(|key| &key.outer));
        let join_operator = JoinOperator::Join(JoinConstraint::On(found_by(&self.name, columns)));
        Join { relation: sql::table(&self.name, None), global: false, join_operator }
    }

    fn ctes(&self, as_of: Timestamp) -> Vec<Cte> {
        let mut ctes = self.rows.ctes(as_of);
        ctes.push(self.cte(as_of));
        ctes
    }

    /// `"name" AS (SELECT rows FROM … WHERE condition QUALIFY row_number() OVER (… order) <= count)`.
    fn cte(&self, as_of: Timestamp) -> Cte {
        let row = (self.rows.relations[0].alias.clone(), hidden::ROW.to_owned());
        let rows = std::iter::once(&row).chain(self.keys.iter().map(|key| &key.inner)).enumerate();
        let projection =
            rows.map(|(place, (alias, column))| sql::aliased(sql::column(alias, column), &GroupKey::column(place)));
        let from = self.rows.from(&self.enclosing, None, as_of);
        let within = self.within.iter().map(|(alias, column)| sql::column(alias, column));
        let place = sql::row_number(within.collect(), self.order.clone(), self.last);
        let count = sql::number(self.count.try_into().unwrap_or(i64::MAX));
        let select = Select {
            qualify: Some(sql::binary(place, BinaryOperator::LtEq, count)),
            ..sql::select(projection.collect(), vec![from], self.condition.clone())
        };
        sql::cte(&self.name, sql::select_query(select))
    }
}

impl Aggregate {
    fn call(&self, filter: Option<Expr>) -> Expr {
        match self.function {
            Function::Count | Function::Sum | Function::Min | Function::Max => self.plain(self.function.name(), filter),
            // Engines take the one of several that comes first.
            Function::Mode => {
                Self { order: self.argument.iter().cloned().collect(), ..self.clone() }.plain("mode", filter)
            }
            Function::Has => sql::binary(self.plain("count", filter), BinaryOperator::Gt, sql::number(0)),
            Function::Median => self.plain("median", filter),
            Function::Stddev => self.plain("stddev_samp", filter),
            Function::Nth(place) => sql::member(sql::nested(self.plain("array_agg", filter)), place),
        }
    }

    fn plain(&self, name: &str, filter: Option<Expr>) -> Expr {
        let argument = self.value().map_or(FunctionArgExpr::Wildcard, FunctionArgExpr::Expr);
        let mut call = sql::bare_call(name, vec![FunctionArg::Unnamed(argument)]);
        call.filter = filter.map(Box::new);
        if let FunctionArguments::List(list) = &mut call.args {
            list.duplicate_treatment = self.distinct.then_some(DuplicateTreatment::Distinct);
            let order = self.order.iter().map(|key| sql::ascending(key.clone()));
            list.clauses.extend((!self.order.is_empty()).then(|| FunctionArgumentClause::OrderBy(order.collect())));
        }
        Expr::Function(call)
    }
}

impl Function {
    /// The value of a row as it goes into the function.
    pub(crate) fn prepared(self, argument: Expr) -> Expr {
        match self {
            // At one more decimal the middle of two is exact.
            Self::Median => sql::nested(sql::times_one(argument)),
            Self::Stddev => sql::double(argument),
            _ => argument,
        }
    }
}
