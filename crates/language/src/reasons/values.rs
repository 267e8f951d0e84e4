//! The values that go into a condition: both sides of a comparison, and the columns and history aggregates inside them.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Visit, Visitor};

use super::deciding::{counting, is_history_aggregate};
use super::{Columns, bare};

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
    let mut atoms = Atoms::default();
    // The visitor never breaks off.
    let _finished: ControlFlow<()> = expr.visit(&mut atoms);
    atoms.found
}

#[derive(Default)]
struct Atoms {
    found: Vec<Expr>,
    /// How many aggregates and queries are around.
    inside: usize,
}

impl Visitor for Atoms {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.inside += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.inside -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let is_aggregate = is_history_aggregate(expr);
        let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        if self.inside == 0 && (is_aggregate || is_column) {
            self.found.push(counted(expr));
        }
        self.inside += usize::from(is_aggregate);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.inside -= usize::from(is_history_aggregate(expr));
        ControlFlow::Continue(())
    }
}

/// `has` as the count of the rows that it asks for, any other expression as it is.
fn counted(expr: &Expr) -> Expr {
    match expr {
        Expr::Function(call) => counting(call).map_or_else(|| expr.clone(), Expr::Function),
        other => other.clone(),
    }
}
