//! A decimal beside a double is a double, as in other engines and in arithmetic here.
//!
//! The engine would compare them, and choose between them, as decimals of fifteen places: 503.85 was not the double of
//! 503.85 then, and a double from a quadrillion on was an error. So decimals become doubles where the two meet, before the
//! engine brings types together.

use std::sync::Arc;

use arrow_schema::{DataType, FieldRef, Fields};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ExprSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Case, Cast, InList, InSubquery, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, Union,
};

/// The functions whose arguments become one type, or lists of it.
const UNIFYING: [&str; 18] = [
    "array_append",
    "array_concat",
    "array_except",
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_intersect",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_remove",
    "array_remove_all",
    "array_union",
    "coalesce",
    "greatest",
    "least",
    "make_array",
    "nullif",
];

/// The plan in which no decimal meets a double.
pub(crate) fn among_doubles(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(unified_node(plan)?.data)
}

fn unified_node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    // Rows that are written out have the types that were found for them already.
    if matches!(node, LogicalPlan::Values(_)) {
        return Ok(Transformed::no(node));
    }
    // Inputs first, and subqueries before what compares with them: what an expression became is what others are told.
    let node = node.map_children(unified_node)?;
    let schema = merge_schema(&node.data.inputs());
    let names = NamePreserver::new(&node.data);
    let node = node
        .transform_data(|node| {
            node.map_subqueries(|subquery| told_of_outer(subquery, &schema)?.transform_data(unified_node))
        })?
        .transform_data(|node| {
            node.map_expressions(|expr| {
                let name = names.save(&expr);
                let expr = expr.transform_up(|expr| unified(expr, &schema))?;
                Ok(expr.update_data(|expr| name.restore(expr)))
            })
        })?
        .transform_data(|node| match node {
            LogicalPlan::Union(union) => unified_rows(union),
            LogicalPlan::Join(mut join) => {
                let mut is_new = false;
                for (left, right) in &mut join.on {
                    is_new |= make_alike(&mut [left, right], &schema)?;
                }
                Ok(transformed_if(is_new, LogicalPlan::Join(join)))
            }
            node => Ok(Transformed::no(node)),
        })?;
    if node.transformed { node.map_data(LogicalPlan::recompute_schema) } else { Ok(node) }
}

/// A subquery keeps what it was told of the columns around it, which may have become doubles meanwhile.
fn told_of_outer(subquery: LogicalPlan, outer: &DFSchema) -> Result<Transformed<LogicalPlan>> {
    subquery.transform_down_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|expr| {
                let Expr::OuterReferenceColumn(before, column) = expr else { return Ok(Transformed::no(expr)) };
                let now = outer.field_from_column(&column).map_or_else(|_| Arc::clone(&before), Arc::clone);
                let is_new = now != before;
                Ok(transformed_if(is_new, Expr::OuterReferenceColumn(now, column)))
            })
        })
    })
}

fn unified(mut expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_new = match &mut expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(*op) => make_alike(&mut [left, right], schema)?,
        Expr::Between(Between { expr, low, high, .. }) => make_alike(&mut [expr, low, high], schema)?,
        Expr::InList(InList { expr, list, .. }) => {
            let mut alike: Vec<&mut Expr> = list.iter_mut().collect();
            alike.push(expr);
            make_alike(&mut alike, schema)?
        }
        Expr::Case(Case { expr, when_then_expr, else_expr }) => {
            let mut compared: Vec<&mut Expr> = Vec::new();
            let mut chosen: Vec<&mut Expr> = Vec::new();
            for (when, then) in when_then_expr {
                compared.push(when);
                chosen.push(then);
            }
            chosen.extend(else_expr.as_deref_mut());
            let is_chosen = make_alike(&mut chosen, schema)?;
            match expr.as_deref_mut() {
                Some(expr) => {
                    compared.push(expr);
                    make_alike(&mut compared, schema)? || is_chosen
                }
                None => is_chosen,
            }
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if UNIFYING.contains(&func.name()) => {
            // Of the others only where to begin is another kind of number.
            let alike = if func.name() == "array_position" { 2 } else { args.len() };
            make_alike(&mut args.iter_mut().take(alike).collect::<Vec<_>>(), schema)?
        }
        Expr::InSubquery(InSubquery { expr, subquery, .. }) => unified_membership(expr, subquery, schema)?,
        _ => false,
    };
    Ok(transformed_if(is_new, expr))
}

fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

fn transformed_if<T>(is_new: bool, data: T) -> Transformed<T> {
    if is_new { Transformed::yes(data) } else { Transformed::no(data) }
}

/// All numbers among these become doubles if one is a double; whether any became one. Of whole numbers the engine would do
/// the same, but it says the type of a choice by its first branch.
fn make_alike(exprs: &mut [&mut Expr], schema: &DFSchema) -> Result<bool> {
    let types = exprs.iter().map(|expr| expr.get_type(schema)).collect::<Result<Vec<_>>>()?;
    if !types.iter().any(is_double) {
        return Ok(false);
    }
    let mut is_new = false;
    for (expr, data_type) in exprs.iter_mut().zip(&types) {
        if let Some(double) = as_double(data_type) {
            let decimal = std::mem::take(&mut **expr);
            **expr = Expr::Cast(Cast::new(Box::new(decimal), double));
            is_new = true;
        }
    }
    Ok(is_new)
}

fn unified_membership(expr: &mut Expr, subquery: &mut Subquery, schema: &DFSchema) -> Result<bool> {
    let member = expr.get_type(schema)?;
    let [column] = subquery.subquery.schema().fields().iter().as_slice() else { return Ok(false) };
    match (as_double(&member), as_double(column.data_type())) {
        (Some(double), None) if is_double(column.data_type()) => {
            *expr = Expr::Cast(Cast::new(Box::new(std::mem::take(expr)), double));
            Ok(true)
        }
        (None, Some(_)) if is_double(&member) => {
            subquery.subquery = Arc::new(with_doubles(&subquery.subquery, &[true])?);
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn unified_rows(union: Union) -> Result<Transformed<LogicalPlan>> {
    let fields: Vec<&Fields> = union.inputs.iter().map(|input| input.schema().fields()).collect();
    let has = |column: usize, is: fn(&DataType) -> bool| fields.iter().any(|fields| is(fields[column].data_type()));
    let columns = fields.first().map_or(0, |fields| fields.len());
    let doubles: Vec<bool> = (0..columns).map(|column| has(column, is_double)).collect();
    // Also where the inputs became doubles themselves: it says still what they were.
    let is_stale = |column: usize| doubles[column] && !is_double(union.schema.field(column).data_type());
    let is_mixed = |column: usize| doubles[column] && has(column, |data_type| as_double(data_type).is_some());
    if !(0..columns).any(|column| is_stale(column) || is_mixed(column)) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let inputs = union.inputs.iter().map(|input| with_doubles(input, &doubles).map(Arc::new));
    let inputs = inputs.collect::<Result<_>>()?;
    Ok(Transformed::yes(LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?)))
}

/// The rows of `plan` with doubles for the numbers of these columns.
fn with_doubles(plan: &LogicalPlan, which: &[bool]) -> Result<LogicalPlan> {
    let becomes = |(field, is_asked): (&FieldRef, &bool)| *is_asked && as_double(field.data_type()).is_some();
    if !plan.schema().fields().iter().zip(which).any(becomes) {
        return Ok(plan.clone());
    }
    let columns = plan.schema().columns().into_iter().zip(plan.schema().fields()).zip(which);
    let columns = columns.map(|((column, field), is_asked)| match as_double(field.data_type()) {
        Some(double) if *is_asked => {
            let (relation, name) = (column.relation.clone(), column.name.clone());
            Expr::Cast(Cast::new(Box::new(Expr::Column(column)), double)).alias_qualified(relation, name)
        }
        _ => Expr::Column(column),
    });
    LogicalPlanBuilder::from(plan.clone()).project(columns.collect::<Vec<_>>())?.build()
}

/// Whether it is a double, or a list of doubles.
fn is_double(data_type: &DataType) -> bool {
    match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => true,
        DataType::List(item) => is_double(item.data_type()),
        _ => false,
    }
}

/// The double that stands for such a number, or the list of doubles for such a list; none where it is one.
fn as_double(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::List(item) => {
            let double = as_double(item.data_type())?;
            Some(DataType::List(Arc::new(item.as_ref().clone().with_data_type(double))))
        }
        other => (other.is_decimal() || other.is_integer()).then_some(DataType::Float64),
    }
}
