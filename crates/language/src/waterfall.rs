//! A definition condition by condition: what selects the rows that meet each of them.

use std::sync::Arc;

use sqlparser::ast::{Expr, Query as Syntax, Select, SetExpr};

use crate::sql;
use crate::statement::Query;

/// A definition condition by condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// Selects the rows that the conditions choose among.
    pub all: Query,
    /// The conditions that are joined by AND, in their order.
    pub conditions: Vec<Conjunct>,
    /// What chooses among the rows that meet all of them (QUALIFY, or ORDER BY with LIMIT), as it is written.
    pub choice: Option<String>,
}

/// One of the conditions that are joined by AND.
#[derive(Debug, Clone, PartialEq)]
pub struct Conjunct {
    /// As it is written.
    pub text: String,
    /// Selects the rows for which it is TRUE, whatever the others say.
    pub rows: Query,
}

impl Query {
    /// The query of a definition, condition by condition; `None` where it is not one SELECT.
    pub fn waterfall(&self) -> Option<Waterfall> {
        let SetExpr::Select(select) = self.syntax.body.as_ref() else { return None };
        let conditions = select.selection.as_ref().map(sql::conjuncts).unwrap_or_default();
        let conjunct = |condition: &&Expr| Conjunct {
            text: sql::written(*condition),
            rows: self.with_only(select, Some((*condition).clone())),
        };
        Some(Waterfall {
            all: self.with_only(select, None),
            conditions: conditions.iter().map(conjunct).collect(),
            choice: choice(&self.syntax, select),
        })
    }

    /// The same query with this condition alone, and no choice.
    fn with_only(&self, select: &Select, condition: Option<Expr>) -> Self {
        let select = Select { selection: condition, qualify: None, ..select.clone() };
        let body = Box::new(SetExpr::Select(Box::new(select)));
        let syntax = Syntax { body, order_by: None, limit_clause: None, ..self.syntax.as_ref().clone() };
        Self { syntax: Arc::new(syntax), source: self.source.clone() }
    }
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
