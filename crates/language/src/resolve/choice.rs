//! `latest(orders, 3, condition)` and `earliest(…)`: which of the level's rows an aggregate is taken over.

use sqlparser::ast::{Expr, Function as Call, FunctionArguments, Spanned};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::call::argument_expressions;
use super::inside::{Joined, joined};
use super::level::Level;
use super::reach::Reach;
use crate::error::ErrorKind;
use crate::resolved::Chosen;
use crate::source::Fault;
use crate::sql;

/// The first or last rows that meet a condition.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) last: bool,
    pub(super) count: u64,
    pub(super) condition: Option<Expr>,
}

impl<'a> Resolver<'a> {
    /// The rows that `latest` or `earliest` chooses; `reach` is what the aggregate itself reaches from them.
    pub(super) fn among(
        &mut self,
        level: &Level<'a>,
        choice: &Choice,
        reach: &mut Reach<'a>,
        span: Span,
    ) -> Result<Chosen, Fault> {
        let (condition, mut within) = self.inside(level, span, |inside| {
            choice.condition.as_ref().map(|condition| inside.expression(condition)).transpose()
        })?;
        let order = within.row_order().iter().map(|(alias, column)| sql::column(alias, column)).collect();
        let shared_key = within.key_of(level.range.shared);
        within.key_of(level.table);
        reach.key_of(level.table);
        let Joined { relations: enclosing, keys, .. } = joined(&mut within, level.range, reach);
        let groups = std::iter::once(shared_key).chain(keys.iter().map(|key| key.inner.clone())).collect();
        let condition = condition.map(|condition| condition.sql);
        let (rows, last, count) = (within.rows, choice.last, choice.count);
        Ok(Chosen { name: String::new(), rows, enclosing, within: groups, keys, condition, order, last, count })
    }
}

/// The call of `latest` or `earliest`, and whether it is `latest`.
pub(super) fn choosing(expr: &Expr) -> Option<(&Call, bool)> {
    let Expr::Function(call) = expr else { return None };
    match call.name.to_string().to_lowercase().as_str() {
        "latest" => Some((call, true)),
        "earliest" => Some((call, false)),
        _ => None,
    }
}

/// The table that `latest` or `earliest` chooses from, and how.
pub(super) fn chosen(call: &Call, last: bool) -> Result<(&Expr, Choice), Fault> {
    let span = call.name.span();
    let fault = |message: String| {
        Err(Fault::new(ErrorKind::Level, span, message)
            .hint("latest(orders, 3), or latest(orders, 3, orders.total > 100)"))
    };
    let arguments: Vec<&Expr> = argument_expressions(call).collect();
    if !has_only_arguments(call, arguments.len()) {
        return fault(format!("`{}` takes its condition as third argument, and nothing else beside", call.name));
    }
    let (table, count, condition) = match arguments.as_slice() {
        [table, count] => (*table, *count, None),
        [table, count, condition] => (*table, *count, Some((*condition).clone())),
        _ => return fault(format!("`{}` takes a table, how many rows, and perhaps a condition", call.name)),
    };
    match count.to_string().parse::<u64>() {
        Ok(count) if count > 0 => Ok((table, Choice { last, count, condition })),
        _ => fault(format!("`{}` takes a number of rows that is written out, from 1 on", call.name)),
    }
}

/// Whether nothing stands in or behind the parentheses but so many plain arguments: the rest would be read over.
fn has_only_arguments(call: &Call, count: usize) -> bool {
    let FunctionArguments::List(list) = &call.args else { return false };
    let bare = call.filter.is_none() && call.over.is_none() && call.null_treatment.is_none();
    let plain = list.duplicate_treatment.is_none() && list.clauses.is_empty() && list.args.len() == count;
    bare && plain && call.within_group.is_empty()
}
