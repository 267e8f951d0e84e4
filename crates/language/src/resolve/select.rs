//! One SELECT with its ORDER BY: clause by clause, and whether grouping leaves a value for everything that is shown.

use muster_catalog::ColumnType;
use sqlparser::ast::{Distinct, Expr, GroupByExpr, NamedWindowDefinition, NamedWindowExpr, OrderBy, Select, Spanned};
use sqlparser::tokenizer::Span;

use super::order::{no_such_item, ordered, ordinal};
use super::projection::named_items;
use super::scope::{Clause, Loose, Position, Scope, Source};
use super::tables::spelled;
use super::{Resolver, refuse};
use crate::error::ErrorKind;
use crate::resolved::{OutputColumn, Rows, hidden};
use crate::source::Fault;
use crate::sql;

/// A SELECT whose names are bound.
pub(super) struct ResolvedSelect {
    /// The rows it ranges over; `None` if its FROM is in `select`.
    pub(super) rows: Option<Rows>,
    pub(super) grouped: bool,
    pub(super) select: Select,
    pub(super) order_by: Option<OrderBy>,
    pub(super) columns: Vec<OutputColumn>,
}

impl<'a> Resolver<'a> {
    /// Resolves a SELECT and the ORDER BY behind it; `limited` says whether the order decides which rows there are.
    pub(super) fn select(
        &mut self,
        select: &Select,
        order_by: Option<&OrderBy>,
        limited: bool,
    ) -> Result<ResolvedSelect, Fault> {
        refuse::select_modifiers(select)?;
        let scope = self.grain(&select.from)?.unwrap_or_else(Scope::of_tables);
        self.scopes.push(scope);
        let resolved = self.clauses(select, order_by, limited);
        self.note_variables();
        self.scopes.pop();
        resolved
    }

    fn clauses(&mut self, select: &Select, order_by: Option<&OrderBy>, limited: bool) -> Result<ResolvedSelect, Fault> {
        let mut from = match self.scope().source {
            Source::Rows(_) => Vec::new(),
            Source::Tables(_) => self.plain_from(&select.from)?,
        };
        self.scope().items = named_items(&select.projection);
        let selection = self.condition(Clause::Where, select.selection.as_ref())?;
        let group_by = self.group_by(&select.group_by)?;
        let projection = self.projection(&select.projection)?;
        let having = self.condition(Clause::Having, select.having.as_ref())?;
        let qualify = self.condition(Clause::Qualify, select.qualify.as_ref())?;
        let named_window = self.named_windows(&select.named_window)?;
        let distinct = self.distinct(select.distinct.as_ref())?;
        let mut order = self.order_by(order_by, &projection, distinct.is_some())?;
        let grouped = self.is_grouped(having.is_some());
        if grouped {
            self.refuse_loose()?;
        }
        if limited {
            self.break_ties(&mut order, &projection.columns, distinct.is_none() && !grouped);
        }
        self.fill_from(&mut from);
        let select = Select {
            distinct,
            group_by,
            having,
            qualify,
            named_window,
            ..sql::select(projection.items(), from, selection)
        };
        Ok(ResolvedSelect { rows: self.rows(), grouped, select, order_by: ordered(order), columns: projection.columns })
    }

    /// The innermost scope.
    pub(super) fn scope(&mut self) -> &mut Scope<'a> {
        self.scopes.last_mut().expect("an expression is always resolved inside a scope")
    }

    /// The rows of the innermost scope, if it has a grain.
    fn rows(&mut self) -> Option<Rows> {
        let Source::Rows(reach) = &mut self.scope().source else { return None };
        let itself = &mut reach.rows.relations[0];
        if itself.columns.is_empty() {
            itself.columns.push(hidden::ROW.to_owned());
        }
        Some(reach.rows.clone())
    }

    fn condition(&mut self, clause: Clause, condition: Option<&Expr>) -> Result<Option<Expr>, Fault> {
        self.scope().clause = clause;
        let Some(condition) = condition else { return Ok(None) };
        let typed = self.standing(condition, Position::Conjunct)?;
        match typed.holds.filter(|holds| *holds != ColumnType::Bool) {
            None => Ok(Some(typed.sql)),
            Some(holds) => {
                let message = format!("`{condition}` is {holds}, and a condition is true or false");
                Err(Fault::new(ErrorKind::NotAllowed, condition.span(), message)
                    .hint(format!("compare it with something: {condition} = …")))
            }
        }
    }

    fn group_by(&mut self, group_by: &GroupByExpr) -> Result<GroupByExpr, Fault> {
        self.scope().clause = Clause::GroupBy;
        let GroupByExpr::Expressions(expressions, _) = group_by else { return Ok(group_by.clone()) };
        let resolved = expressions.iter().map(|key| self.grouping(key)).collect::<Result<_, Fault>>()?;
        Ok(GroupByExpr::Expressions(resolved, Vec::new()))
    }

    fn grouping(&mut self, expr: &Expr) -> Result<Expr, Fault> {
        match expr {
            Expr::GroupingSets(sets) => Ok(Expr::GroupingSets(self.grouping_sets(sets)?)),
            Expr::Cube(sets) => Ok(Expr::Cube(self.grouping_sets(sets)?)),
            Expr::Rollup(sets) => Ok(Expr::Rollup(self.grouping_sets(sets)?)),
            key => self.key(key),
        }
    }

    fn grouping_sets(&mut self, sets: &[Vec<Expr>]) -> Result<Vec<Vec<Expr>>, Fault> {
        sets.iter().map(|set| set.iter().map(|key| self.key(key)).collect()).collect()
    }

    /// One key of GROUP BY; a whole number means that item of the list behind SELECT.
    fn key(&mut self, key: &Expr) -> Result<Expr, Fault> {
        let meant = match ordinal(key) {
            Some(number) => {
                let items = &self.scope().items;
                let item = number.checked_sub(1).and_then(|index| items.get(index)).map(|(_, item)| item.clone());
                item.ok_or_else(|| no_such_item(key, number))?
            }
            None => key.clone(),
        };
        let resolved = self.expression(&meant)?.sql;
        self.scope().keys.push(resolved.clone());
        Ok(resolved)
    }

    fn named_windows(&mut self, windows: &[NamedWindowDefinition]) -> Result<Vec<NamedWindowDefinition>, Fault> {
        let resolved = windows.iter().map(|NamedWindowDefinition(name, window)| {
            let window = match window {
                NamedWindowExpr::NamedWindow(other) => NamedWindowExpr::NamedWindow(sql::name(&spelled(other))),
                NamedWindowExpr::WindowSpec(spec) => NamedWindowExpr::WindowSpec(self.window_spec(spec)?),
            };
            Ok(NamedWindowDefinition(sql::name(&spelled(name)), window))
        });
        resolved.collect()
    }

    fn distinct(&mut self, distinct: Option<&Distinct>) -> Result<Option<Distinct>, Fault> {
        match distinct {
            None | Some(Distinct::All) => Ok(None),
            Some(Distinct::Distinct) => Ok(Some(Distinct::Distinct)),
            Some(Distinct::On(expressions)) => {
                let span = expressions.first().map_or_else(Span::empty, Spanned::span);
                Err(refuse::modifier(span, "DISTINCT ON").hint("write QUALIFY row_number() OVER (PARTITION BY …) = 1"))
            }
        }
    }

    fn is_grouped(&mut self, has_having: bool) -> bool {
        let scope = self.scope();
        has_having || !scope.keys.is_empty() || scope.group_aggregate.is_some()
    }

    /// Where anything is grouped, everything shown must be a key or reduced.
    fn refuse_loose(&mut self) -> Result<(), Fault> {
        match self.scope().loose.first() {
            None => Ok(()),
            Some(Loose { span, text, is_history: true }) => {
                let message = format!("`{text}` has a value per row, and here rows are grouped");
                let reduced = match text.get(..4) {
                    Some("has(" | "HAS(") => format!("count(*) FILTER (WHERE {text})"),
                    _ => format!("sum({text})"),
                };
                let hint = format!("reduce it over the group: {reduced}, or add it to GROUP BY");
                Err(Fault::new(ErrorKind::Position, *span, message).hint(hint))
            }
            Some(Loose { span, text, is_history: false }) => {
                let message = format!("`{text}` is neither grouped nor aggregated");
                let hint = format!("add it to GROUP BY, or reduce it: min({text})");
                Err(Fault::new(ErrorKind::Position, *span, message).hint(hint))
            }
        }
    }
}
