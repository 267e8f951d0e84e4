//! Binds a parsed query to the catalog: names, grain, levels, the clock.
//!
//! A query is taken apart here into its SELECTs ([`select`] reads one, [`from`] its tables, [`expression`] and [`call`]
//! what stands in its clauses). A SELECT from one root or history table sees rows with everything above and beside them
//! ([`reach`], [`ways`]) and may reduce histories ([`history`], [`level`], [`inside`]); any other sees tables
//! ([`tables`]). Only syntax that is named in these files gets through: what is not known is refused.

// What a SELECT sees.
mod enclosing;
mod from;
mod reach;
mod scope;
mod tables;
mod ways;

// Its clauses.
mod order;
mod projection;
mod select;
mod ties;

// What stands in them.
mod affinity;
pub use affinity::AFFINITY_COLUMNS;
mod alike;
mod aside;
mod call;
mod chance;
mod clock;
mod column;
mod email;
mod expression;
mod literal;
mod operator;
mod pattern;

// What the language adds to SQL.
mod choice;
mod history;
mod inside;
mod level;
mod list;
mod past;
mod score;
pub use score::offered_item;
mod segment;
mod segment_counts;
mod segment_tables;
mod sequence;
mod variable;

// What is wrong.
mod refuse;
mod unknown;

pub(crate) use call::argument_expressions;
pub(crate) use reach::path;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_catalog::{LISTS, Names, Timestamp};
use sqlparser::ast::{self, SetExpr, SetQuantifier, Spanned, With};

use crate::error::{Error, ErrorKind};
use crate::resolved::{Body, GrainQuery, OutputColumn, Part, PastCondition, ResolvedQuery, ResolvedSegment, hidden};
use crate::source::Fault;
use crate::stack::deep;
use crate::statement::{Query, VariableDefinition};
use crate::{calendar, sql};
use scope::Scope;
use segment::{AUDIENCES, SEGMENTS};

/// Binds `query` to `names`, as of the instant `as_of`, which is also what `now()` means.
///
/// The same text, names and instant give the same result, always.
///
/// # Errors
/// The first thing that is wrong, with its place in the text that was parsed; [`ErrorKind`] says what can be done.
pub fn resolve(query: &Query, names: &Names, as_of: Timestamp) -> Result<ResolvedQuery, Error> {
    let resolved = deep(|| {
        refuse::what_does_not_read_back(query)?;
        Resolver::new(names, as_of).whole(&query.syntax)
    });
    resolved.map_err(|fault| fault.at(&query.source))
}

/// Binds the definition of a segment; the result's columns are the ids of the rows that are in it.
///
/// # Errors
/// As [`resolve`], and [`ErrorKind::NotAllowed`] for a query that does not select rows of one table.
pub fn resolve_segment(query: &Query, names: &Names, as_of: Timestamp) -> Result<ResolvedSegment, Error> {
    let resolved = deep(|| {
        refuse::what_does_not_read_back(query)?;
        Resolver::new(names, as_of).segment_definition(&query.syntax)
    });
    resolved.map_err(|fault| fault.at(&query.source))
}

/// Binds a variable's expression; the result's columns are the ids of the profiles and its value for each.
///
/// # Errors
/// As [`resolve`], and [`ErrorKind::NotAllowed`] for an expression that has no value per profile.
pub fn resolve_variable(
    variable: &VariableDefinition,
    names: &Names,
    as_of: Timestamp,
) -> Result<ResolvedQuery, Error> {
    let query = &variable.query;
    let resolved = deep(|| {
        refuse::what_does_not_read_back(query)?;
        Resolver::new(names, as_of).variable_definition(&query.syntax)
    });
    resolved.map_err(|fault| fault.at(&query.source))
}

/// What is known while one statement is resolved.
struct Resolver<'a> {
    names: &'a Names,
    as_of: Timestamp,
    /// The SELECTs that are open, the innermost last.
    scopes: Vec<Scope<'a>>,
    /// The outermost of them that a name was found in.
    outermost_used: usize,
    /// The CTEs in sight, the innermost last.
    ctes: Vec<CommonTable>,
    /// How many CTEs of each name there are already.
    ctes_named: BTreeMap<String, usize>,
    tables_used: BTreeSet<String>,
    segments_used: BTreeSet<String>,
    audiences_used: BTreeSet<String>,
    variables_used: BTreeSet<String>,
    lists_used: BTreeSet<String>,
    scores_used: BTreeSet<(String, String)>,
    affinities_used: BTreeSet<String>,
    past: Vec<PastCondition>,
    /// What became plain SQL as part of another query.
    parts: Vec<Part>,
}

/// A table of a WITH clause.
struct CommonTable {
    name: ast::Ident,
    columns: Vec<OutputColumn>,
}

impl<'a> Resolver<'a> {
    fn new(names: &'a Names, as_of: Timestamp) -> Self {
        Self {
            names,
            as_of,
            scopes: Vec::new(),
            outermost_used: usize::MAX,
            ctes: Vec::new(),
            ctes_named: BTreeMap::new(),
            tables_used: BTreeSet::new(),
            segments_used: BTreeSet::new(),
            audiences_used: BTreeSet::new(),
            variables_used: BTreeSet::new(),
            lists_used: BTreeSet::new(),
            scores_used: BTreeSet::new(),
            affinities_used: BTreeSet::new(),
            past: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn whole(mut self, query: &ast::Query) -> Result<ResolvedQuery, Fault> {
        calendar::Constant::Instant(self.as_of).literal(query.span())?;
        let (body, columns) = self.query(query)?;
        Ok(ResolvedQuery {
            body,
            columns,
            tables_used: self.tables_used.into_iter().collect(),
            segments_used: self.segments_used.into_iter().collect(),
            audiences_used: self.audiences_used.into_iter().collect(),
            variables_used: self.variables_used.into_iter().collect(),
            past: self.past,
            parts: self.parts,
            lists_used: self.lists_used.into_iter().collect(),
            scores_used: self.scores_used.into_iter().collect(),
            affinities_used: self.affinities_used.into_iter().collect(),
            as_of: self.as_of,
        })
    }

    /// One query with its CTEs, which are out of sight again afterwards.
    fn query(&mut self, query: &ast::Query) -> Result<(Body, Vec<OutputColumn>), Fault> {
        refuse::query_modifiers(query)?;
        let outside = self.ctes.len();
        let with = query.with.as_ref().map(|with| self.with(with)).transpose()?;
        let resolved = self.query_body(query, with);
        self.ctes.truncate(outside);
        resolved
    }

    fn query_body(&mut self, query: &ast::Query, with: Option<With>) -> Result<(Body, Vec<OutputColumn>), Fault> {
        let limit_clause = refuse::limit(query)?;
        if let SetExpr::Select(select) = query.body.as_ref() {
            let order_by = query.order_by.as_ref();
            let resolved = self.select(select, order_by, limit_clause.is_some())?;
            let body = SetExpr::Select(Box::new(resolved.select));
            let rest = ast::Query { with, order_by: resolved.order_by, limit_clause, ..sql::query(body) };
            let body = match resolved.rows {
                Some(rows) => Body::Grain(Arc::new(GrainQuery { rows, grouped: resolved.grouped, rest })),
                None => Body::Plain(Arc::new(rest)),
            };
            return Ok((body, resolved.columns));
        }
        let (body, columns) = self.set_expression(&query.body)?;
        let order_by = self.order_of_output(query.order_by.as_ref(), &columns, limit_clause.is_some())?;
        let plain = ast::Query { with, order_by, limit_clause, ..sql::query(body) };
        Ok((Body::Plain(Arc::new(plain)), columns))
    }

    /// A query as plain SQL, for the places where it is part of another.
    fn lowered(&mut self, query: &ast::Query) -> Result<(ast::Query, Vec<OutputColumn>), Fault> {
        let (body, columns) = self.query(query)?;
        let lowered = match body {
            Body::Grain(grain) => self.part(grain),
            Body::Plain(plain) => Arc::unwrap_or_clone(plain),
        };
        Ok((lowered, columns))
    }

    /// A SELECT over the rows of one table as plain SQL, remembered as what it is.
    fn part(&mut self, grain: Arc<GrainQuery>) -> ast::Query {
        let lowered = grain.lowered(self.as_of);
        self.parts.push(Part::Rows(grain));
        lowered
    }

    /// A query that cannot see the SELECT it stands in: a CTE or a derived table.
    fn apart(&mut self, query: &ast::Query) -> Result<(ast::Query, Vec<OutputColumn>), Fault> {
        self.alone(|apart| apart.lowered(query))
    }

    /// What `work` makes where no SELECT around can be seen.
    fn alone<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let (around, outermost) = (std::mem::take(&mut self.scopes), self.outermost_used);
        let made = work(self);
        (self.scopes, self.outermost_used) = (around, outermost);
        made
    }

    /// What `work` makes, and whether a name in it was one of the SELECTs that are open now.
    fn watched<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, bool) {
        let before = std::mem::replace(&mut self.outermost_used, usize::MAX);
        let made = work(self);
        let is_correlated = self.outermost_used < self.scopes.len();
        self.outermost_used = self.outermost_used.min(before);
        (made, is_correlated)
    }

    fn with(&mut self, with: &With) -> Result<With, Fault> {
        if with.recursive {
            let message = "WITH RECURSIVE is not part of the segment language";
            return Err(Fault::new(ErrorKind::NotAllowed, with.span(), message));
        }
        let cte_tables = with.cte_tables.iter().map(|cte| self.cte(cte)).collect::<Result<_, Fault>>()?;
        Ok(With { cte_tables, ..with.clone() })
    }

    fn cte(&mut self, cte: &ast::Cte) -> Result<ast::Cte, Fault> {
        let name = &cte.alias.name;
        self.own_name(name)?;
        if self.ctes.iter().any(|known| scope::same_name(name, &known.name.value)) {
            return Err(Fault::new(ErrorKind::NotAllowed, name.span, format!("a second CTE called `{}`", name.value)));
        }
        if cte.from.is_some() || cte.materialized.is_some() {
            return Err(refuse::modifier(name.span, "a modifier of a CTE"));
        }
        let (query, columns) = self.apart(&cte.query)?;
        let columns = tables::renamed(columns, &cte.alias)?;
        let alias = ast::TableAlias { explicit: false, ..tables::quoted_alias(&cte.alias) };
        self.ctes.push(CommonTable { name: alias.name.clone(), columns });
        Ok(ast::Cte { alias, query: Box::new(query), ..cte.clone() })
    }

    /// Refuses a name for a CTE or an alias that would hide a table or one of muster's own names.
    fn own_name(&self, name: &ast::Ident) -> Result<(), Fault> {
        if name.value.starts_with(hidden::PREFIX) {
            let message = format!("`{}` begins like muster's own names", name.value);
            return Err(
                Fault::new(ErrorKind::NotAllowed, name.span, message).hint("choose a name without `__` in front")
            );
        }
        if let Some(own) = [SEGMENTS, AUDIENCES, LISTS].into_iter().find(|own| name.value.eq_ignore_ascii_case(own)) {
            let message = format!("`{own}` is the name under which {own} are used");
            return Err(Fault::new(ErrorKind::NotAllowed, name.span, message).hint("choose another name"));
        }
        match self.names.table(&name.value) {
            Some(table) => {
                let message = format!("`{}` is the name of a table", table.name);
                Err(Fault::new(ErrorKind::NotAllowed, name.span, message).hint("choose another name"))
            }
            None => Ok(()),
        }
    }

    fn set_expression(&mut self, body: &SetExpr) -> Result<(SetExpr, Vec<OutputColumn>), Fault> {
        match body {
            SetExpr::Select(_) => {
                let (query, columns) = self.lowered(&sql::query(body.clone()))?;
                Ok((side(query), columns))
            }
            SetExpr::Query(query) => {
                let (query, columns) = self.lowered(query)?;
                Ok((SetExpr::Query(Box::new(query)), columns))
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                self.set_operation((left, right), *op, *set_quantifier)
            }
            SetExpr::Values(values) => self.values(values),
            other => Err(Fault::new(ErrorKind::NotAllowed, other.span(), "expected SELECT")),
        }
    }

    fn set_operation(
        &mut self,
        (left, right): (&SetExpr, &SetExpr),
        op: ast::SetOperator,
        set_quantifier: SetQuantifier,
    ) -> Result<(SetExpr, Vec<OutputColumn>), Fault> {
        use SetQuantifier::{AllByName, ByName, DistinctByName};
        if matches!(set_quantifier, ByName | AllByName | DistinctByName) {
            return Err(refuse::modifier(right.span(), "BY NAME"));
        }
        let (left, columns) = self.set_expression(left)?;
        let (right_side, others) = self.set_expression(right)?;
        if columns.len() != others.len() {
            let message = format!("{op} of {} columns with {}", columns.len(), others.len());
            return Err(Fault::new(ErrorKind::NotAllowed, right.span(), message));
        }
        let columns = columns.into_iter().zip(&others).map(|(left, right)| OutputColumn {
            holds: left.holds.filter(|holds| right.holds == Some(*holds)),
            ..left
        });
        let columns = columns.collect();
        let operation = SetExpr::SetOperation { left: Box::new(left), op, set_quantifier, right: Box::new(right_side) };
        Ok((operation, columns))
    }

    fn values(&mut self, values: &ast::Values) -> Result<(SetExpr, Vec<OutputColumn>), Fault> {
        self.scopes.push(Scope::of_tables());
        let rows = values.rows.iter().map(|row| {
            let content =
                row.content.iter().map(|expr| Ok(self.expression(expr)?.sql)).collect::<Result<_, Fault>>()?;
            Ok(ast::Parens { content, ..row.clone() })
        });
        let rows = rows.collect::<Result<Vec<_>, Fault>>();
        self.scopes.pop();
        let rows = rows?;
        let width = rows.first().map_or(0, |row| row.content.len());
        let columns = (1..=width).map(|index| OutputColumn { name: format!("column{index}"), holds: None });
        let values = ast::Values { explicit_row: false, value_keyword: false, rows };
        Ok((SetExpr::Values(values), columns.collect()))
    }
}

/// A query as one side of a set operation: its body alone where there is nothing around it.
fn side(query: ast::Query) -> SetExpr {
    let bare = query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none();
    if bare { *query.body } else { SetExpr::Query(Box::new(query)) }
}
