//! Which of a definition's conditions rows do not meet: the query that says it of all rows of a segment.

use std::sync::Arc;

use muster_catalog::Names;
use sqlparser::ast::{Expr, Ident, Query as Syntax, Select, SelectItem, SetExpr};

use crate::sql;
use crate::statement::Query;
use crate::waterfall;

/// What to ask about the rows of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmet {
    /// The conditions that are joined by AND, as they are written.
    pub conditions: Vec<String>,
    /// A row per row: its key, then of each condition whether it is not TRUE.
    pub asking: Query,
    /// What chooses among the rows that meet all of them, as it is written.
    pub choice: Option<String>,
}

impl Query {
    /// What to ask about the rows of the segment `among`, which are of the same table; `None` where the query does not
    /// select rows of one table with a key.
    pub fn unmet(&self, among: &str, names: &Names) -> Option<Unmet> {
        let SetExpr::Select(select) = self.syntax.body.as_ref() else { return None };
        let (alias, key) = sql::grain(select, names).and_then(|(table, alias)| Some((alias, table.key.clone()?)))?;
        let conditions = select.selection.as_ref().map(sql::conjuncts).unwrap_or_default();
        let unmet = conditions.iter().map(|condition| Expr::IsNotTrue(Box::new(sql::nested((*condition).clone()))));
        let columns = std::iter::once(sql::column(&alias, &key)).chain(unmet).enumerate();
        let columns: Vec<SelectItem> =
            columns.map(|(place, expr)| sql::aliased(expr, &format!("column_{place}"))).collect();
        let among = Expr::CompoundIdentifier(vec![Ident::new("segments"), sql::name(among)]);
        let asking = Select { projection: columns, selection: Some(among), qualify: None, ..select.as_ref().clone() };
        let asking = Syntax {
            body: Box::new(SetExpr::Select(Box::new(asking))),
            order_by: None,
            limit_clause: None,
            ..self.syntax.as_ref().clone()
        };
        Some(Unmet {
            conditions: conditions.iter().map(ToString::to_string).collect(),
            asking: Query { syntax: Arc::new(asking), source: self.source.clone() },
            choice: waterfall::choice(&self.syntax, select),
        })
    }
}
