//! `round(x, n)` of decimals: the engine says a type with n places when it plans, and another when it computes, if it has to
//! make n a number of 32 bits first. So n is one from the beginning.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;

/// The plan with places of 32 bits wherever they are written out.
pub(crate) fn with_places(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(expr.transform_up(rounded)?.update_data(|expr| name.restore(expr)))
        })
    });
    Ok(plan?.data)
}

fn rounded(expr: Expr) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(ScalarFunction { func, mut args }) = expr else { return Ok(Transformed::no(expr)) };
    let is_round = func.name() == "round";
    let places = args.get_mut(1).filter(|_| is_round).and_then(|places| narrowed(places));
    let is_new = places.is_some();
    if let (Some(narrow), Some(places)) = (places, args.get_mut(1)) {
        *places = narrow;
    }
    let call = Expr::ScalarFunction(ScalarFunction { func, args });
    Ok(if is_new { Transformed::yes(call) } else { Transformed::no(call) })
}

/// A whole number of 64 bits that is written out, or one below zero, in 32.
fn narrowed(places: &Expr) -> Option<Expr> {
    let (number, metadata) = match places {
        Expr::Literal(ScalarValue::Int64(Some(number)), metadata) => (*number, metadata.clone()),
        Expr::Negative(inner) => match inner.as_ref() {
            Expr::Literal(ScalarValue::Int64(Some(number)), metadata) => (number.checked_neg()?, metadata.clone()),
            _ => return None,
        },
        _ => return None,
    };
    Some(Expr::Literal(ScalarValue::Int32(Some(i32::try_from(number).ok()?)), metadata))
}
