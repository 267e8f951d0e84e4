//! The values that go into a condition: both sides of a comparison, and the columns and history aggregates inside them.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Visit, Visitor,
};

use super::deciding::{counting, name_of};
use super::{Columns, bare};
use crate::outside::{each_outside, is_history_aggregate};
use crate::resolve::argument_expressions;
use crate::sql;

/// A part of a condition whose value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As it is written.
    pub text: String,
    /// The column of the question that has its value.
    pub column: usize,
}

/// What goes into a condition that stands for itself.
pub(super) fn inputs(condition: &Expr, columns: &mut Columns) -> Vec<Input> {
    let mut shown: Vec<Expr> = Vec::new();
    for operand in operands(condition) {
        let operand = bare(operand);
        let has_value = !is_written_out(operand) && !has_query(operand);
        shown.extend(has_value.then(|| counted(operand)));
        shown.extend(atoms(operand));
    }
    shown.extend(counts_within(condition));
    let mut inputs: Vec<Input> = Vec::new();
    for expr in shown.iter().filter(|shown| *shown != condition) {
        let input = Input { text: expr.to_string(), column: columns.place(expr) };
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    }
    inputs
}

/// What a condition compares, or itself.
fn operands(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => vec![left, right],
        Expr::Between { expr, low, high, .. } => vec![expr, low, high],
        Expr::InList { expr, .. } | Expr::InSubquery { expr, .. } => vec![expr],
        Expr::Like { expr, .. } | Expr::ILike { expr, .. } | Expr::SimilarTo { expr, .. } => vec![expr],
        Expr::IsNull(expr) | Expr::IsNotNull(expr) | Expr::IsTrue(expr) | Expr::IsNotTrue(expr) => vec![expr],
        Expr::IsFalse(expr) | Expr::IsNotFalse(expr) | Expr::IsUnknown(expr) | Expr::IsNotUnknown(expr) => vec![expr],
        other => vec![other],
    }
}

/// Whether the text of an expression says its value.
fn is_written_out(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_) | Expr::Tuple(_) => true,
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_written_out(expr),
        _ => false,
    }
}

fn has_query(expr: &Expr) -> bool {
    struct Queries;
    impl Visitor for Queries {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    expr.visit(&mut Queries).is_break()
}

/// The columns and history aggregates in an expression, outermost ones; nothing of queries inside it.
pub(super) fn atoms(expr: &Expr) -> Vec<Expr> {
    let mut found = Vec::new();
    each_outside(expr, |part| {
        if is_history_aggregate(part) || matches!(part, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            found.push(counted(part));
        }
    });
    found
}

/// What an aggregate that is a condition by itself hangs on: how many rows meet each condition of `has_sequence`, and how many
/// do not meet that of `every`.
fn counts_within(condition: &Expr) -> Vec<Expr> {
    let Expr::Function(call) = condition else { return Vec::new() };
    let values: Vec<&Expr> = argument_expressions(call).collect();
    match (name_of(call).as_str(), values.as_slice()) {
        ("has_sequence", [table, conditions @ ..]) => {
            let rows = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr((*table).clone()))];
            let of =
                |condition: &&Expr| count_where(&sql::bare_call("count", rows.clone()), call, (*condition).clone());
            conditions.iter().map(of).collect()
        }
        ("every", [condition]) => vec![count_where(call, call, sql::not((*condition).clone()))],
        _ => Vec::new(),
    }
}

/// `count` of the arguments of `counted`, of the rows that `call` ranges over and `condition` is TRUE for.
fn count_where(counted: &Function, call: &Function, condition: Expr) -> Expr {
    let filter = match call.filter.as_deref() {
        Some(filter) => sql::binary(sql::nested(filter.clone()), BinaryOperator::And, sql::nested(condition)),
        None => condition,
    };
    let args = FunctionArguments::clone(&counted.args);
    Expr::Function(Function { args, filter: Some(Box::new(filter)), ..sql::bare_call("count", Vec::new()) })
}

/// `has` as the count of the rows that it asks for, any other expression as it is.
fn counted(expr: &Expr) -> Expr {
    match expr {
        Expr::Function(call) => counting(call).map_or_else(|| expr.clone(), Expr::Function),
        other => other.clone(),
    }
}
