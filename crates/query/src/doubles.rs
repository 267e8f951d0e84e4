//! A decimal beside a double is a double, as in other engines and in arithmetic here.
//!
//! The engine would compare them, and choose between them, as decimals of fifteen places: 503.85 was not the double of
//! 503.85 then, and a double from a quadrillion on was an error. So decimals become doubles where the two meet, before the
//! engine brings types together.

use std::sync::Arc;

use arrow_schema::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DFSchemaRef};
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
    Ok(plan.transform_up_with_subqueries(unified_node)?.data)
}

fn unified_node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    let names = NamePreserver::new(&node);
    let node = node.map_expressions(|expr| {
        let name = names.save(&expr);
        let expr = expr.transform_up(|expr| unified(expr, &schema))?;
        Ok(expr.update_data(|expr| name.restore(expr)))
    })?;
    let node = node.transform_data(|node| match node {
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
    // What an expression becomes is what those above are told.
    node.map_data(|node| if node.inputs().is_empty() { Ok(node) } else { node.recompute_schema() })
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
            make_alike(&mut args.iter_mut().collect::<Vec<_>>(), schema)?
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

/// Decimals among these become doubles if there is a double; whether one did.
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
    let schemas: Vec<DFSchemaRef> = union.inputs.iter().map(|input| Arc::clone(input.schema())).collect();
    let columns = schemas.first().map_or(0, |schema| schema.fields().len());
    let any =
        |column: usize, is: fn(&DataType) -> bool| schemas.iter().any(|schema| is(schema.field(column).data_type()));
    let meets: Vec<bool> =
        (0..columns).map(|column| any(column, is_double) && any(column, |its| as_double(its).is_some())).collect();
    if !meets.contains(&true) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let inputs =
        union.inputs.iter().map(|input| with_doubles(input, &meets).map(Arc::new)).collect::<Result<Vec<_>>>()?;
    Ok(Transformed::yes(LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?)))
}

/// The rows of `plan` with doubles for the decimals of these columns.
fn with_doubles(plan: &LogicalPlan, which: &[bool]) -> Result<LogicalPlan> {
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

/// The double that stands for such a decimal, or the list of doubles for such a list.
fn as_double(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::List(item) => {
            let double = as_double(item.data_type())?;
            Some(DataType::List(Arc::new(item.as_ref().clone().with_data_type(double))))
        }
        other => other.is_decimal().then_some(DataType::Float64),
    }
}
