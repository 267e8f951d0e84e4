//! What the engine makes of expressions: types, coercions and constants are its own, so both backs mean the same.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use datafusion::common::DFSchema;
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{AggregateUDF, Expr, LogicalPlan};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use futures::FutureExt;
use muster_language::flat;

use crate::meaning;

/// The name of the flat table whose rows expressions are about.
pub(crate) const ROWS: &str = "__rows";

/// Plans expressions in one session.
pub(super) struct Planner<'s> {
    context: &'s SessionContext,
}

impl<'s> Planner<'s> {
    pub(super) fn new(context: &'s SessionContext) -> Self {
        Self { context }
    }

    /// What computes these expressions over batches of `schema`; they name its columns as those of [`ROWS`].
    ///
    /// # Errors
    /// If the engine refuses one.
    pub(super) fn plan(&self, schema: &SchemaRef, expressions: Vec<ast::Expr>) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        if expressions.is_empty() {
            return Ok(Vec::new());
        }
        self.context.deregister_table(ROWS)?;
        self.context.register_table(ROWS, Arc::new(EmptyTable::new(Arc::clone(schema))))?;
        // Read where it is: a copy has all functions in it again, and takes longer than to plan.
        let state = self.context.state_ref();
        let state = state.read();
        let plan = analyzed(&state, flat::selection(ROWS, expressions))?;
        let LogicalPlan::Projection(projection) = plan else {
            return Err(DataFusionError::Internal("a list of expressions is planned as a projection".to_owned()));
        };
        let input = projection.input.schema();
        projection.expr.into_iter().map(|expr| physical(&state, input, expr)).collect()
    }

    /// The function that reduces rows under this name.
    pub(super) fn aggregate(&self, name: &str) -> Result<Arc<AggregateUDF>> {
        let state = self.context.state_ref();
        let state = state.read();
        let missing = || DataFusionError::Internal(format!("the session has no function `{name}`"));
        state.aggregate_functions().get(name).cloned().ok_or_else(missing)
    }
}

/// A query as the engine takes it, without printing and reading it.
pub(crate) fn statement(query: ast::Query) -> Statement {
    Statement::Statement(Box::new(ast::Statement::Query(Box::new(query))))
}

/// The statement as every statement of a query is read, before anything is optimized.
fn analyzed(state: &SessionState, query: ast::Query) -> Result<LogicalPlan> {
    let planned =
        state.statement_to_plan(statement(query)).now_or_never().expect("tables in memory are not waited for");
    let plan = meaning::meant(planned?)?;
    state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})
}

/// What computes an expression over the columns of `schema`.
pub(super) fn physical(state: &SessionState, schema: &Arc<DFSchema>, expr: Expr) -> Result<Arc<dyn PhysicalExpr>> {
    let context = SimplifyContext::builder()
        .with_schema(Arc::clone(schema))
        .with_config_options(Arc::clone(state.config_options()))
        .with_query_execution_start_time(state.execution_props().query_execution_start_time)
        .build();
    let expr = ExprSimplifier::new(context).simplify(expr.unalias())?;
    create_physical_expr(&expr, schema, state.execution_props(), &Default::default())
}
