//! Modifiers that an engine would ignore in silence, or read in its own way: each is an error here.

use sqlparser::ast::{
    Expr, Fetch, GroupByExpr, LimitClause, Offset, OffsetRows, OptimizerHint, Query, Select, SelectFlavor, Spanned,
    TableFactor, Value,
};
use sqlparser::tokenizer::Span;

use crate::error::ErrorKind;
use crate::source::Fault;

/// The fault of a modifier.
pub(super) fn modifier(span: Span, what: &str) -> Fault {
    Fault::new(ErrorKind::NotAllowed, span, format!("{what} is not part of the segment language"))
}

/// Refuses a query whose stored form would be another query.
pub(super) fn what_does_not_read_back(query: &crate::Query) -> Result<(), Fault> {
    if query.reads_back() {
        return Ok(());
    }
    let message = "a name in single quotes with quotes in it is not part of the segment language";
    Err(Fault::new(ErrorKind::NotAllowed, query.syntax.span(), message).hint("write names in double quotes"))
}

fn first_of(span: Span, found: &[(bool, &str)]) -> Result<(), Fault> {
    match found.iter().find(|(is_there, _)| *is_there) {
        Some((_, what)) => Err(modifier(span, what)),
        None => Ok(()),
    }
}

/// Everything around the body of a query that is not WITH, ORDER BY or LIMIT.
pub(super) fn query_modifiers(query: &Query) -> Result<(), Fault> {
    let found = [
        (!query.locks.is_empty(), "FOR UPDATE"),
        (query.for_clause.is_some(), "FOR XML or FOR JSON"),
        (query.settings.is_some(), "SETTINGS"),
        (query.format_clause.is_some(), "FORMAT"),
        (!query.pipe_operators.is_empty(), "a pipe operator"),
        (query.order_by.as_ref().is_some_and(|order_by| order_by.interpolate.is_some()), "INTERPOLATE"),
    ];
    first_of(query.span(), &found)
}

/// Everything in a SELECT that is not a clause of standard SQL, QUALIFY or WINDOW.
pub(super) fn select_modifiers(select: &Select) -> Result<(), Fault> {
    let with_modifiers = match &select.group_by {
        GroupByExpr::All(_) => {
            return Err(modifier(select.span(), "GROUP BY ALL").hint("name the expressions to group by"));
        }
        GroupByExpr::Expressions(_, modifiers) => !modifiers.is_empty(),
    };
    if select.top.is_some() {
        return Err(modifier(select.span(), "TOP").hint("write LIMIT at the end"));
    }
    let found = [
        (select.optimizer_hints.iter().any(is_hint), "an optimizer hint"),
        (select.select_modifiers.is_some(), "a modifier of SELECT"),
        (select.exclude.is_some(), "EXCLUDE behind the list"),
        (select.into.is_some(), "SELECT INTO"),
        (!select.lateral_views.is_empty(), "LATERAL VIEW"),
        (select.prewhere.is_some(), "PREWHERE"),
        (!select.connect_by.is_empty(), "CONNECT BY"),
        (with_modifiers, "WITH ROLLUP, CUBE or TOTALS behind GROUP BY"),
        (!select.cluster_by.is_empty(), "CLUSTER BY"),
        (!select.distribute_by.is_empty(), "DISTRIBUTE BY"),
        (!select.sort_by.is_empty(), "SORT BY"),
        (select.value_table_mode.is_some(), "AS STRUCT or AS VALUE"),
        (select.flavor != SelectFlavor::Standard, "FROM before SELECT"),
    ];
    first_of(select.span(), &found)
}

/// `/*+ … */`; a word before the plus sign makes it a comment that happens to stand there.
fn is_hint(hint: &OptimizerHint) -> bool {
    hint.prefix.is_empty()
}

/// Everything at a table's name that is not its alias.
pub(super) fn table_modifiers(factor: &TableFactor) -> Result<(), Fault> {
    let TableFactor::Table {
        args,
        with_hints,
        version,
        with_ordinality,
        partitions,
        json_path,
        sample,
        index_hints,
        ..
    } = factor
    else {
        return Ok(());
    };
    let found = [
        (args.is_some(), "a table function"),
        (!with_hints.is_empty(), "a table hint"),
        (version.is_some(), "a version of a table"),
        (*with_ordinality, "WITH ORDINALITY"),
        (!partitions.is_empty(), "PARTITION"),
        (json_path.is_some(), "a path behind a table"),
        (sample.is_some(), "TABLESAMPLE"),
        (!index_hints.is_empty(), "an index hint"),
    ];
    first_of(factor.span(), &found)
}

/// LIMIT, OFFSET and FETCH as one clause of whole numbers.
pub(super) fn limit(query: &Query) -> Result<Option<LimitClause>, Fault> {
    if let (Some(fetch), None) = (&query.fetch, &query.limit_clause) {
        return fetched(fetch, query.span()).map(Some);
    }
    match &query.limit_clause {
        None => Ok(None),
        Some(_) if query.fetch.is_some() => Err(modifier(query.span(), "FETCH beside LIMIT or OFFSET")),
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
            let limit = limit.as_ref().map(|limit| whole_number(limit, "LIMIT")).transpose()?;
            let offset = offset.as_ref().map(|offset| whole_number(&offset.value, "OFFSET")).transpose()?;
            Ok(Some(limit_offset(limit, offset)))
        }
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
            let (limit, offset) = (whole_number(limit, "LIMIT")?, whole_number(offset, "OFFSET")?);
            Ok(Some(limit_offset(Some(limit), Some(offset))))
        }
        Some(other) => Err(modifier(other.span(), "LIMIT BY")),
    }
}

fn fetched(fetch: &Fetch, span: Span) -> Result<LimitClause, Fault> {
    match &fetch.quantity {
        Some(quantity) if !fetch.percent && !fetch.with_ties => {
            Ok(limit_offset(Some(whole_number(quantity, "FETCH")?), None))
        }
        _ => Err(modifier(span, "FETCH with PERCENT, with TIES or without a number")),
    }
}

fn limit_offset(limit: Option<Expr>, offset: Option<Expr>) -> LimitClause {
    let offset = offset.map(|value| Offset { value, rows: OffsetRows::None });
    LimitClause::LimitOffset { limit, offset, limit_by: Vec::new() }
}

fn whole_number(expr: &Expr, clause: &str) -> Result<Expr, Fault> {
    let digits = match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<u32>().ok(),
            _ => None,
        },
        _ => None,
    };
    let message = || format!("{clause} takes a whole number of at most {}", u32::MAX);
    let number = digits.ok_or_else(|| Fault::new(ErrorKind::Literal, expr.span(), message()))?;
    Ok(crate::sql::number(number.into()))
}
