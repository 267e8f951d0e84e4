//! The rows that a comparison with one history aggregate hangs on: which there are, in row order, and on which side of the
//! bound each lies.
//!
//! They are asked for FROM their own table, where names mean what they mean inside the aggregate. What can only be said
//! inside it (`latest`, a comparison with a row beside) has no deciding rows.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use muster_catalog::TableNames;
use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function as Call, FunctionArguments, Ident, LimitClause, ObjectName,
    Query as Syntax, SelectItem, TableWithJoins, visit_expressions_mut,
};

use super::values::atoms;
use super::{About, Columns, bare, is_key};
use crate::outside::is_history_aggregate;
use crate::resolve::{argument_expressions, path, resolve};
use crate::resolved::{Body, History};
use crate::sql;
use crate::statement::Query;

/// The rows that a comparison hangs on.
#[derive(Debug, Clone, PartialEq)]
pub struct Deciding {
    /// Their table.
    pub table: String,
    /// What is compared of them; `has` is a count above 0.
    pub reduced: Reduced,
    /// How it is compared.
    pub comparison: Comparison,
    /// What is taken of each row, as it is written; of a count of rows nothing.
    pub value: Option<String>,
    /// What it is compared with, as it is written.
    pub bound: String,
    /// The column of the question with that.
    pub bound_column: usize,
    /// What each of the rows meets, as it is written.
    pub filter: Option<String>,
    /// The rows that take part, in row order: key, time, whether the value is NULL, on which side of the bound it lies (-1
    /// below, 0 equal, 1 above, NULL neither), and `shown`. Key and time are NULL where the table has none.
    pub rows: Query,
    /// The columns of the rows that the comparison is about.
    pub shown: Vec<String>,
}

/// What is compared of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduced {
    /// How many there are, or values that are not NULL.
    Count,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The value of the first row; NULL is one.
    First,
    /// The value of the last row; NULL is one.
    Last,
}

impl Reduced {
    /// The same of the times by which rows stand in order, none of which is NULL.
    fn of_times(self) -> Self {
        match self {
            Self::First => Self::Min,
            Self::Last => Self::Max,
            other => other,
        }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The one that is TRUE where this is FALSE.
    pub fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    fn of(op: &BinaryOperator) -> Option<Self> {
        Some(match op {
            BinaryOperator::Eq => Self::Equal,
            BinaryOperator::NotEq => Self::Unequal,
            BinaryOperator::Lt => Self::Less,
            BinaryOperator::LtEq => Self::LessOrEqual,
            BinaryOperator::Gt => Self::Greater,
            BinaryOperator::GtEq => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// Whether a value on this side of the bound meets it.
    pub fn holds(self, side: Ordering) -> bool {
        match self {
            Self::Equal => side.is_eq(),
            Self::Unequal => side.is_ne(),
            Self::Less => side.is_lt(),
            Self::LessOrEqual => side.is_le(),
            Self::Greater => side.is_gt(),
            Self::GreaterOrEqual => side.is_ge(),
        }
    }

    /// The same with its sides exchanged.
    pub fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            even => even,
        }
    }
}

/// The deciding rows of a condition, if it is a comparison that has them.
pub(super) fn deciding(condition: &Expr, about: &About<'_>, columns: &mut Columns) -> Option<Deciding> {
    let Compared { call, reduced, comparison, bound } = Compared::of(condition)?;
    let history = about.history(call)?;
    let value = history.aggregates[0].argument.as_ref().and(argument_expressions(call).next());
    let inside = Inside { about, history: &history, filter: call.filter.as_deref(), value };
    let reduced = if inside.is_time(value) { reduced.of_times() } else { reduced };
    let (rows, shown) = inside.rows(reduced, &bound)?;
    Some(Deciding {
        table: history.level.clone(),
        reduced,
        comparison,
        value: value.map(ToString::to_string),
        bound: bound.to_string(),
        bound_column: columns.place(&bound),
        filter: call.filter.as_ref().map(ToString::to_string),
        rows,
        shown,
    })
}

/// A comparison of what a call gives.
struct Compared<'e> {
    call: &'e Call,
    reduced: Reduced,
    comparison: Comparison,
    bound: Expr,
}

impl<'e> Compared<'e> {
    fn of(condition: &'e Expr) -> Option<Self> {
        if let Expr::Function(call) = condition {
            let is_has = counting(call).is_some();
            let (reduced, comparison, bound) = (Reduced::Count, Comparison::Greater, sql::number(0));
            return is_has.then_some(Self { call, reduced, comparison, bound });
        }
        let Expr::BinaryOp { left, op, right } = condition else { return None };
        let comparison = Comparison::of(op)?;
        let (call, comparison, bound) = match (bare(left), bare(right)) {
            (Expr::Function(call), bound) if is_history_aggregate(bare(left)) => (call, comparison, bound),
            (bound, Expr::Function(call)) if is_history_aggregate(bare(right)) => (call, comparison.turned(), bound),
            _ => return None,
        };
        let reduced = match name_of(call).as_str() {
            "count" if !is_distinct(call) => Reduced::Count,
            "min" => Reduced::Min,
            "max" => Reduced::Max,
            "first" => Reduced::First,
            "last" => Reduced::Last,
            _ => return None,
        };
        let stays = atoms(bound).iter().all(|atom| !is_history_aggregate(atom));
        stays.then(|| Self { call, reduced, comparison, bound: bound.clone() })
    }
}

impl About<'_> {
    /// What the call reduces, where rows alone tell which those are.
    fn history(&self, call: &Call) -> Option<History> {
        let value = sql::aliased(Expr::Function(call.clone()), "value");
        let asked = self.query(sql::select(vec![value], self.select.from.clone(), None));
        let Body::Grain(grain) = resolve(&asked, self.names, self.as_of).ok()?.body else { return None };
        let [history] = grain.rows.histories.as_slice() else { return None };
        let plain = history.among.is_none() && history.enclosing.is_empty() && history.keys.len() == 1;
        (plain && history.aggregates.len() == 1).then(|| history.clone())
    }

    /// The key of the row of `table` that the row which is asked about is or lies below.
    fn key_in(&self, table: &TableNames) -> Option<Expr> {
        if table.name == self.grain.name {
            return Some(self.key.clone());
        }
        let key = SelectItem::UnnamedExpr(sql::column(&table.name, table.key.as_deref()?));
        let row = is_key(&self.alias, self.grain, &self.key);
        let asked = sql::select(vec![key], self.select.from.clone(), Some(row));
        Some(Expr::Subquery(Box::new(sql::select_query(asked))))
    }

    /// The expression as it reads FROM another table: what the definition calls its rows by a name of its own is called by
    /// the table's.
    fn seen_below(&self, expr: &Expr) -> Expr {
        let mut expr = expr.clone();
        // Nothing breaks off.
        let _finished: ControlFlow<()> = visit_expressions_mut(&mut expr, |part| {
            if let Expr::CompoundIdentifier(parts) = part
                && parts[0].value.eq_ignore_ascii_case(&self.alias)
            {
                parts[0] = sql::name(&self.grain.name);
            }
            ControlFlow::Continue(())
        });
        expr
    }

    /// A bound as it reads FROM another table; `None` where a bare name in it could mean something else there.
    fn bound_below(&self, bound: &Expr) -> Option<Expr> {
        let mut bound = self.seen_below(bound);
        let flow = visit_expressions_mut(&mut bound, |part| {
            let Expr::Identifier(name) = part else { return ControlFlow::Continue(()) };
            let Some(column) = self.grain.column(&name.value) else { return ControlFlow::Break(()) };
            *part = sql::column(&self.grain.name, &column.name);
            ControlFlow::Continue(())
        });
        flow.is_continue().then_some(bound)
    }
}

/// The inside of a history aggregate.
struct Inside<'a> {
    about: &'a About<'a>,
    history: &'a History,
    filter: Option<&'a Expr>,
    value: Option<&'a Expr>,
}

impl Inside<'_> {
    /// The rows that take part, and the columns of theirs that are shown; `None` where they cannot be asked for alone.
    fn rows(&self, reduced: Reduced, bound: &Expr) -> Option<(Query, Vec<String>)> {
        let about = self.about;
        let (level, shared) = (about.names.table(&self.history.level)?, about.names.table(&self.history.shared)?);
        shared.key.as_ref()?;
        let owned = is_key(&shared.name, shared, &about.key_in(shared)?);
        let filter = self.filter.map(|filter| sql::nested(about.seen_below(filter)));
        let condition = match filter {
            Some(filter) => sql::binary(owned, BinaryOperator::And, filter),
            None => owned,
        };
        let shown = self.shown(level);
        let shown_columns = shown.iter().map(|expr| about.seen_below(expr));
        let items = self.identity(level).into_iter().chain(self.sides(reduced, bound)?).chain(shown_columns);
        let items = items.enumerate().map(|(place, expr)| sql::aliased(expr, &format!("column_{place}")));
        let select = sql::select(items.collect(), vec![self.from(level)], Some(condition));
        // A limit brings the rows into row order.
        let limit_clause =
            LimitClause::LimitOffset { limit: Some(sql::number(u32::MAX.into())), offset: None, limit_by: Vec::new() };
        let query = about.asked(Syntax { limit_clause: Some(limit_clause), ..sql::select_query(select) });
        resolve(&query, about.names, about.as_of).ok()?;
        Some((query, shown.iter().map(ToString::to_string).collect()))
    }

    fn from(&self, level: &TableNames) -> TableWithJoins {
        let alias = Some(self.alias()).filter(|alias| *alias != level.name);
        TableWithJoins { relation: sql::table(&level.name, alias.map(sql::alias)), joins: Vec::new() }
    }

    fn alias(&self) -> &str {
        &self.history.rows.relations[0].alias
    }

    /// Key and time of a row.
    fn identity(&self, level: &TableNames) -> [Expr; 2] {
        let key = level.key.as_ref().map(|key| sql::column(self.alias(), key));
        let timed = path(self.about.names, level).find(|table| table.time.is_some());
        let time = timed.and_then(|table| {
            let alias = if table.name == level.name { self.alias() } else { table.name.as_str() };
            Some(sql::column(alias, table.time.as_deref()?))
        });
        [key, time].map(|column| column.unwrap_or_else(sql::null))
    }

    /// Whether what is taken of each row is its own time.
    fn is_time(&self, value: Option<&Expr>) -> bool {
        let time = self.about.names.table(&self.history.level).and_then(|level| level.time.as_deref());
        let column = value.map(bare).and_then(|value| own_column(value, self.alias()));
        column.zip(time).is_some_and(|(column, time)| is_named(column, time))
    }

    /// Whether the value is NULL, and on which side of the bound it lies.
    fn sides(&self, reduced: Reduced, bound: &Expr) -> Option<[Expr; 2]> {
        let Some(value) = self.value else { return Some([sql::falsehood(), sql::number(0)]) };
        let value = sql::nested(self.about.seen_below(value));
        let is_null = Expr::IsNull(Box::new(value.clone()));
        if reduced == Reduced::Count {
            return Some([is_null, sql::number(0)]);
        }
        let bound = sql::nested(self.about.bound_below(bound)?);
        let side = |op: BinaryOperator, side: i64| (sql::binary(value.clone(), op, bound.clone()), sql::number(side));
        let sides = [side(BinaryOperator::Lt, -1), side(BinaryOperator::Eq, 0), side(BinaryOperator::Gt, 1)];
        Some([is_null, sql::cases(sides)])
    }

    /// The columns that filter and value mention, but for key and time.
    fn shown(&self, level: &TableNames) -> Vec<Expr> {
        let mentioned = self.filter.into_iter().chain(self.value).flat_map(atoms);
        let mut shown: Vec<Expr> = Vec::new();
        for expr in mentioned {
            let is_identity = own_column(&expr, self.alias())
                .is_some_and(|name| [&level.key, &level.time].into_iter().flatten().any(|known| is_named(name, known)));
            if !is_history_aggregate(&expr) && !is_identity && !shown.contains(&expr) {
                shown.push(expr);
            }
        }
        shown
    }
}

/// The name of a column that can only be one of the row itself.
fn own_column<'e>(expr: &'e Expr, alias: &str) -> Option<&'e Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [head, name] if is_named(head, alias) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn is_named(ident: &Ident, name: &str) -> bool {
    ident.value.eq_ignore_ascii_case(name)
}

/// `has(…)` as the count of the rows that it asks for.
pub(super) fn counting(call: &Call) -> Option<Call> {
    let count = || ObjectName::from(Ident::new("count"));
    (name_of(call) == "has").then(|| Call { name: count(), ..call.clone() })
}

pub(super) fn name_of(call: &Call) -> String {
    call.name.to_string().to_lowercase()
}

fn is_distinct(call: &Call) -> bool {
    matches!(&call.args, FunctionArguments::List(list) if list.duplicate_treatment == Some(DuplicateTreatment::Distinct))
}
