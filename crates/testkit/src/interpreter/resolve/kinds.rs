//! The kinds of values that expressions give, as far as they decide what a value is: of `CASE WHEN x THEN 1 ELSE 2.5 END`
//! the 1 is a decimal too, so that a division of it is no integer division.

use muster_catalog::ColumnType;

use super::Resolver;
use super::expressions::widened;
use crate::interpreter::meaning::{Arithmetic, CastTo, Expr, Function};
use crate::world::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Int,
    Exact,
    Double,
    Date,
    Instant,
}

impl Resolver<'_> {
    /// Alternatives of one value, made alike: integers beside decimals are decimals, anything beside doubles is one, and a
    /// date beside an instant is its local midnight (section 3).
    pub(super) fn alike(&self, alternatives: Vec<Expr>) -> Vec<Expr> {
        let kinds: Vec<Option<Kind>> = alternatives.iter().map(|expr| self.kind(expr)).collect();
        let Some(widest) = kinds.iter().copied().flatten().max() else { return alternatives };
        let to = match widest {
            Kind::Int | Kind::Date => return alternatives,
            Kind::Exact => CastTo::Exact,
            Kind::Double => CastTo::Double,
            Kind::Instant => CastTo::Instant,
        };
        let widen = |(expr, kind): (Expr, Option<Kind>)| match kind {
            Some(kind) if kind < widest => widened(expr, to),
            _ => expr,
        };
        alternatives.into_iter().zip(kinds).map(widen).collect()
    }

    /// `None` where it does not matter or is not known.
    fn kind(&self, expr: &Expr) -> Option<Kind> {
        match expr {
            Expr::Literal(value) => kind_of_value(value),
            Expr::Column { place, column } => {
                self.world.rows(place.table()).columns.get(*column).and_then(|(_, column_type)| of_column(*column_type))
            }
            Expr::Negate(inner) | Expr::OfProfile(inner) => self.kind(inner),
            Expr::Arithmetic(Arithmetic::Concatenate, ..) => None,
            Expr::Arithmetic(_, left, right) => self.kind(left).max(self.kind(right)),
            Expr::Case { arms, otherwise } => {
                let arms = arms.iter().filter_map(|(_, result)| self.kind(result)).max();
                arms.max(self.kind(otherwise))
            }
            Expr::Cast(_, to) => of_cast(*to),
            Expr::Call { function, arguments } => self.kind_of_call(function, arguments),
            Expr::Aggregate(aggregate) => self.kind_of_aggregate(aggregate.function, aggregate.argument.as_ref()),
            Expr::Group(aggregate) => self.kind_of_aggregate(aggregate.function, aggregate.argument.as_ref()),
            Expr::Bucket { .. } | Expr::Window(_) => Some(Kind::Int),
            _ => None,
        }
    }

    fn kind_of_call(&self, function: &str, arguments: &[Expr]) -> Option<Kind> {
        match function {
            "now" => Some(Kind::Instant),
            "today" => Some(Kind::Date),
            "age" | "days_between" | "days_to_anniversary" | "length" | "strpos" | "date_part" => Some(Kind::Int),
            "abs" | "round" | "floor" | "ceil" | "nullif" | "coalesce" | "greatest" | "least" => {
                arguments.iter().filter_map(|argument| self.kind(argument)).max()
            }
            "date_trunc" => self.kind(arguments.get(1)?),
            _ => None,
        }
    }

    fn kind_of_aggregate(&self, function: Function, argument: Option<&Expr>) -> Option<Kind> {
        let inner = argument.and_then(|argument| self.kind(argument));
        match function {
            Function::Count => Some(Kind::Int),
            Function::Avg | Function::Stddev => Some(Kind::Double),
            Function::Median => inner.map(|kind| kind.max(Kind::Exact)),
            Function::Sum | Function::Min | Function::Max | Function::Mode => inner,
            Function::First | Function::Last | Function::Nth(_) => inner,
            Function::Has | Function::Every => None,
        }
    }
}

fn kind_of_value(value: &Value) -> Option<Kind> {
    match value {
        Value::Int(_) => Some(Kind::Int),
        Value::Decimal { .. } => Some(Kind::Exact),
        Value::Double(_) => Some(Kind::Double),
        Value::Date(_) => Some(Kind::Date),
        Value::Instant(_) => Some(Kind::Instant),
        _ => None,
    }
}

fn of_column(column_type: ColumnType) -> Option<Kind> {
    match column_type {
        ColumnType::Int => Some(Kind::Int),
        ColumnType::Decimal { .. } => Some(Kind::Exact),
        ColumnType::Float => Some(Kind::Double),
        ColumnType::Date => Some(Kind::Date),
        ColumnType::Timestamp => Some(Kind::Instant),
        ColumnType::Id | ColumnType::Text | ColumnType::Bool | ColumnType::Set => None,
    }
}

fn of_cast(to: CastTo) -> Option<Kind> {
    match to {
        CastTo::Int => Some(Kind::Int),
        CastTo::Decimal { .. } | CastTo::Exact => Some(Kind::Exact),
        CastTo::Double => Some(Kind::Double),
        CastTo::Date => Some(Kind::Date),
        CastTo::Instant => Some(Kind::Instant),
        CastTo::Bool | CastTo::Text => None,
    }
}
