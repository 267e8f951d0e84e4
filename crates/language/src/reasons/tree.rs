//! A condition as a tree of AND, OR and NOT over what is compared.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::deciding::{Deciding, deciding};
use super::values::{Input, inputs};
use super::{About, Columns, bare};
use crate::outside::is_history_aggregate;
use crate::sql;

/// A condition of a definition, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As it is written.
    pub text: String,
    /// How its parts make it.
    pub joined: Joined,
    /// Its parts, in their order; none where it stands for itself.
    pub parts: Vec<Condition>,
    /// The column of the question that says whether it is TRUE, FALSE or NULL.
    pub truth: usize,
    /// The values that go in, where it stands for itself.
    pub inputs: Vec<Input>,
    /// The rows that it hangs on, where it compares what one history aggregate gives.
    pub deciding: Option<Deciding>,
    /// The segment that it asks for, where it is nothing else.
    pub segment: Option<String>,
}

/// How parts make a condition, with SQL's three values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// It has no parts.
    Alone,
    /// AND: FALSE if any is, else NULL if any is, else TRUE.
    All,
    /// OR: TRUE if any is, else NULL if any is, else FALSE.
    Any,
    /// NOT: of one part; NULL stays NULL.
    Not,
}

/// The tree of a condition.
pub(super) fn condition(expr: &Expr, about: &About<'_>, columns: &mut Columns) -> Condition {
    let expr = bare(expr);
    let (joined, parts) = match expr {
        Expr::BinaryOp { op: BinaryOperator::And, .. } => (Joined::All, chain(expr, &BinaryOperator::And)),
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => (Joined::Any, chain(expr, &BinaryOperator::Or)),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => (Joined::Not, vec![expr.as_ref().clone()]),
        Expr::Between { expr, negated: false, low, high } if is_history_aggregate(expr) => {
            (Joined::All, bounds(expr, low, high))
        }
        alone => return self_standing(alone, about, columns),
    };
    let truth = columns.place(expr);
    let parts = parts.iter().map(|part| condition(part, about, columns)).collect();
    Condition { text: expr.to_string(), joined, parts, truth, inputs: Vec::new(), deciding: None, segment: None }
}

fn self_standing(expr: &Expr, about: &About<'_>, columns: &mut Columns) -> Condition {
    let truth = columns.place(expr);
    let deciding = deciding(expr, about, columns);
    let inputs = inputs(expr, columns);
    let segment = segment(expr);
    Condition { text: expr.to_string(), joined: Joined::Alone, parts: Vec::new(), truth, inputs, deciding, segment }
}

/// The parts of a chain of one operator; parentheses inside a chain change nothing.
fn chain(expr: &Expr, wanted: &BinaryOperator) -> Vec<Expr> {
    match bare(expr) {
        Expr::BinaryOp { left, op, right } if op == wanted => {
            let mut parts = chain(left, wanted);
            parts.extend(chain(right, wanted));
            parts
        }
        other => vec![other.clone()],
    }
}

/// `value BETWEEN low AND high` is two comparisons.
fn bounds(value: &Expr, low: &Expr, high: &Expr) -> Vec<Expr> {
    let compared = |op: BinaryOperator, bound: &Expr| sql::binary(value.clone(), op, bound.clone());
    vec![compared(BinaryOperator::GtEq, low), compared(BinaryOperator::LtEq, high)]
}

/// The name behind `segments.`; lower case unless quoted.
fn segment(expr: &Expr) -> Option<String> {
    match expr {
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [head, name] if head.value.eq_ignore_ascii_case("segments") => Some(name.value.clone()),
            _ => None,
        },
        _ => None,
    }
}
