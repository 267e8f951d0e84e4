//! What an expression says itself: outside the aggregates over history and the queries in it, whose insides are about other
//! rows.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Function, Query, Visit, Visitor};

use crate::functions;

/// Shows every expression in `expr` that stands outside aggregates and queries, outer ones first; an aggregate is shown, what
/// is in it is not.
pub(crate) fn each_outside(expr: &Expr, see: impl FnMut(&Expr)) {
    // The visitor never breaks off.
    let _finished: ControlFlow<()> = expr.visit(&mut Outside { see, inside: 0 });
}

/// Whether the expression reduces the rows of a history, where there are some.
pub(crate) fn is_history_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(call) if reduces_history(call))
}

fn reduces_history(call: &Function) -> bool {
    let name = call.name.to_string().to_lowercase();
    functions::is_history_aggregate(&name) || name == "has_sequence"
}

struct Outside<See> {
    see: See,
    /// How many aggregates and queries are around.
    inside: usize,
}

impl<See: FnMut(&Expr)> Visitor for Outside<See> {
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
        if self.inside == 0 {
            (self.see)(expr);
        }
        self.inside += usize::from(is_history_aggregate(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.inside -= usize::from(is_history_aggregate(expr));
        ControlFlow::Continue(())
    }
}
