//! What each condition of a definition leaves, and what it takes away by itself: the query that counts it.

use std::sync::Arc;

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, Query as Syntax, Select, SelectItem, SetExpr};

use crate::sql;
use crate::statement::Query;

/// A definition condition by condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// The conditions that are joined by AND, as they are written.
    pub conditions: Vec<String>,
    /// Counts in one row: all rows; then of each condition how many remain after it and those before, and for how many it
    /// alone is not TRUE.
    pub counting: Query,
    /// What chooses among the rows that meet all of them (QUALIFY, or ORDER BY with LIMIT), as it is written.
    pub choice: Option<String>,
}

impl Query {
    /// The query of a definition, condition by condition; `None` where it is not one SELECT.
    pub fn waterfall(&self) -> Option<Waterfall> {
        let SetExpr::Select(select) = self.syntax.body.as_ref() else { return None };
        let conditions = select.selection.as_ref().map(sql::conjuncts).unwrap_or_default();
        let counting = Arc::new(Syntax {
            body: Box::new(SetExpr::Select(Box::new(counting(select, &conditions)))),
            order_by: None,
            limit_clause: None,
            ..self.syntax.as_ref().clone()
        });
        Some(Waterfall {
            conditions: conditions.iter().map(|condition| sql::written(*condition)).collect(),
            counting: Query { syntax: counting, source: self.source.clone() },
            choice: choice(&self.syntax, select),
        })
    }
}

fn counting(select: &Select, conditions: &[&Expr]) -> Select {
    let mut projection = vec![count(None)];
    let mut before: Option<Expr> = None;
    for condition in conditions {
        let condition = sql::nested((*condition).clone());
        let so_far = sql::conjunction(before.take(), condition.clone());
        projection.push(count(Some(so_far.clone())));
        projection.push(count(Some(Expr::IsNotTrue(Box::new(condition)))));
        before = Some(so_far);
    }
    let named = projection.into_iter().enumerate();
    let projection =
        named.map(|(place, count)| sql::aliased(count, &format!("count_{place}"))).collect::<Vec<SelectItem>>();
    Select { projection, selection: None, qualify: None, ..select.clone() }
}

fn count(filter: Option<Expr>) -> Expr {
    let mut call = sql::bare_call("count", vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
    call.filter = filter.map(Box::new);
    Expr::Function(call)
}

/// What chooses among the rows that meet the condition, as it is written.
pub(crate) fn choice(query: &Syntax, select: &Select) -> Option<String> {
    let parts = [
        select.qualify.as_ref().map(|condition| format!("QUALIFY {}", sql::written(condition))),
        query.limit_clause.as_ref().and(query.order_by.as_ref()).map(sql::written),
        query.limit_clause.as_ref().map(|limit| limit.to_string().trim().to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
