//! `was(condition, instant)`: whether a condition held for the row at hand as of another instant.
//!
//! The condition is a query of its own over the rows of the same table, resolved as of the other instant; what it found is a
//! column of the table for this query. A row that was not there yet is not among what it found, so it says FALSE.

use muster_catalog::{ColumnType, Timestamp, local_midnight};
use sqlparser::ast::{Expr, Query, SelectItem, Spanned, TableWithJoins};

use super::Resolver;
use super::call::misplaced;
use super::scope::{Scope, Source, Typed};
use crate::calendar::{self, Constant};
use crate::error::ErrorKind;
use crate::resolved::{PastCondition, hidden};
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// A call with these arguments.
    pub(super) fn was(&mut self, arguments: &[&Expr], whole: &Expr) -> Result<Typed, Fault> {
        let span = whole.span();
        let [condition, instant] = arguments else {
            let message =
                format!("`was` takes a condition and an instant, and {} arguments are given", arguments.len());
            return Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(EXAMPLE));
        };
        let instant = self.constant_instant(instant)?;
        let Source::Rows(reach) = &self.scope().source else {
            return Err(
                misplaced(span, "`was` needs the row that it is about").hint("use it FROM profiles or a history")
            );
        };
        let (table, called) = (reach.base, reach.called().to_owned());
        let rows = Self::new(self.names, instant)
            .definition_of(&rows_where(&table.name, &called, condition), |_| Ok(vec![hidden::ROW.to_owned()]))?;
        let known = self.past.iter().find(|past| past.rows == rows).map(|past| past.column.clone());
        let column = known.unwrap_or_else(|| {
            let column = hidden::was(self.past.len() + 1);
            self.past.push(PastCondition { column: column.clone(), rows });
            column
        });
        self.of_row(table, (&column, ColumnType::Bool), (span, whole.to_string()))
    }

    /// An instant that is the same for the whole query: a literal, or reckoned from `now()`.
    fn constant_instant(&mut self, written: &Expr) -> Result<Timestamp, Fault> {
        let span = written.span();
        let mut nothing_in_sight = Self::new(self.names, self.as_of);
        nothing_in_sight.scopes.push(Scope::of_tables());
        let known = match nothing_in_sight.expression(written) {
            Ok(typed) => (typed.constant, typed.text),
            Err(fault) if *fault.kind() == ErrorKind::UnknownName => (None, None),
            Err(fault) => return Err(fault),
        };
        match known {
            (Some(Constant::Instant(instant)), _) => Ok(instant),
            (Some(Constant::Date(date)), _) => Ok(local_midnight(date, self.names.zone)),
            (None, Some(text)) => calendar::instant_of(&text, self.names.zone, span),
            _ => {
                let message = format!("`was` needs an instant that is the same for every row, and `{written}` is none");
                Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(EXAMPLE))
            }
        }
    }
}

const EXAMPLE: &str = "was(segments.vip, now() - INTERVAL '1 year')";

/// `SELECT 1 FROM table AS called WHERE condition`.
fn rows_where(table: &str, called: &str, condition: &Expr) -> Query {
    let alias = (called != table).then(|| sql::alias(called));
    let from = TableWithJoins { relation: sql::table(table, alias), joins: Vec::new() };
    let anything = vec![SelectItem::UnnamedExpr(sql::number(1))];
    sql::select_query(sql::select(anything, vec![from], Some(condition.clone())))
}
