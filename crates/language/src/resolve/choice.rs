//! `latest(orders, 3, condition)` and `earliest(…)`: which of the level's rows an aggregate is taken over.

use sqlparser::ast::{Expr, Function as Call, FunctionArguments, Spanned};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::call::{argument_expressions, misplaced};
use super::history::enclosing_row;
use super::level::Level;
use super::reach::{Beside, Range, Reach, path};
use super::scope::{Scope, Source};
use crate::error::ErrorKind;
use crate::resolved::{Chosen, GroupKey, hidden};
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
        let Source::Rows(around) = &self.scope().source else {
            return Err(misplaced(span, "a history aggregate needs a grain"));
        };
        let within = Reach::of_level(level.table, level.name.as_deref(), around, level.range);
        self.scopes.push(Scope::of_history(within));
        let condition = choice.condition.as_ref().map(|condition| self.expression(condition)).transpose();
        let scope = self.scopes.pop();
        let Some(Source::Rows(mut within)) = scope.map(|scope| scope.source) else {
            unreachable!("the scope of the level was pushed above");
        };
        let order = within.row_order().iter().map(|(alias, column)| sql::column(alias, column)).collect();
        let Range { of, shared } = level.range;
        let shared_key = within.key_of(shared);
        within.key_of(level.table);
        reach.key_of(level.table);
        let (mut keys, mut enclosing, mut groups) = (Vec::new(), Vec::new(), vec![shared_key.clone()]);
        let root = path(self.names, level.table).last().unwrap_or(level.table);
        for Beside { frame, table, relations } in within.take_besides() {
            let inner = (relations[0].alias.clone(), hidden::ROW.to_owned());
            groups.push(inner.clone());
            keys.push(GroupKey { inner, outer: reach.key_of_frame(frame, table) });
            let (shared, key) = if frame == of { (shared, shared_key.clone()) } else { (root, within.key_of(root)) };
            enclosing.extend(enclosing_row(table, shared, relations, key, span)?);
        }
        let condition = condition?.map(|condition| condition.sql);
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
