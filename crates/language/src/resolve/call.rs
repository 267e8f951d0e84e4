//! Calls: which kind of function it is, and what may stand around it.

use muster_catalog::ColumnType;
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, Ident, OrderByExpr, Spanned, WindowFrame, WindowFrameBound, WindowSpec, WindowType,
};
use sqlparser::tokenizer::Span;

use super::order::nulls_last;
use super::scope::{Clause, Typed};
use super::tables::spelled;
use super::{Resolver, pattern, refuse, unknown};
use crate::error::ErrorKind;
use crate::functions::{self, Use};
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// A call of any function.
    pub(super) fn function(&mut self, function: &Function, whole: &Expr) -> Result<Typed, Fault> {
        let ident = plain_name(function)?;
        let name = spelled(&ident);
        refuse_forms(function, ident.span)?;
        if functions::is_impure(&name) {
            let message = format!("`{name}` gives another value each time, so a query cannot use it");
            return Err(Fault::new(ErrorKind::NotAllowed, ident.span, message).maybe_hint(steady_instead(&name)));
        }
        if let Some(feature) = functions::not_yet(&name) {
            return Err(Fault::not_yet(ident.span, feature));
        }
        if let Some(table) = functions::segment_table(&name) {
            let message = format!("`{name}` gives rows, so it stands in FROM");
            return Err(misplaced(ident.span, message).hint(format!("SELECT * {}", table.shape())));
        }
        if name == functions::AFFINITY {
            let message = format!("`{name}` gives rows, so it stands in FROM");
            return Err(misplaced(ident.span, message).hint("SELECT * FROM affinity('product')"));
        }
        if name == "has_sequence" {
            let found = self.computed_once(whole, |inside| inside.has_sequence(function, whole).map(Some))?;
            return Ok(found.expect("a sequence is always of history"));
        }
        if functions::is_history_aggregate(&name)
            && let Some(typed) = self.history_aggregate(function, &name, whole)?
        {
            return Ok(typed);
        }
        if ["latest", "earliest"].contains(&name.as_str()) {
            let message = format!("`{name}` stands for rows, not for a value");
            return Err(misplaced(ident.span, message)
                .hint("it is the first argument of a history aggregate: has(latest(orders, 3)) FILTER (WHERE …)"));
        }
        if let Some(row_name) = named_argument(function) {
            let message = format!("`{name}` reduces no history, so it cannot name its rows");
            return Err(misplaced(row_name, message).hint("`x => table` is the first argument of a history aggregate"));
        }
        if let Some(typed) = self.own_function(function, &name, whole) {
            return typed;
        }
        match (functions::used_as(&name), &function.over) {
            (Some(Use::Scalar), None) => self.scalar(function, &name, ident.span),
            (Some(Use::Scalar), Some(_)) => Err(misplaced(ident.span, format!("`{name}` cannot have OVER"))),
            (Some(Use::Aggregate), None) => self.group_aggregate(function, &name, ident.span),
            (Some(Use::Aggregate | Use::Window), Some(over)) => self.window(function, over, &name, ident.span),
            (Some(Use::Window), None) => Err(misplaced(ident.span, format!("`{name}` needs OVER (…)"))),
            (None, _) if functions::is_history_aggregate(&name) => {
                let message = format!("`{name}` reduces a history, and nothing in it mentions one");
                Err(misplaced(ident.span, message).hint(format!("{name}(orders.…), or {name}(o => orders, …)")))
            }
            (None | Some(Use::Table), _) => Err(unknown::function(&ident)),
        }
    }

    /// The clock and the helpers of the language.
    fn own_function(&mut self, function: &Function, name: &str, whole: &Expr) -> Option<Result<Typed, Fault>> {
        let span = function.name.span();
        let arguments: Vec<&Expr> = argument_expressions(function).collect();
        if name == "was" {
            return Some(plain_arguments(function, name, span).and_then(|_| self.was(&arguments, whole)));
        }
        let typed = self
            .clock(name, &arguments, span)
            .or_else(|| self.day_helper(name, &arguments, span))
            .or_else(|| self.email(name, &arguments, span))
            .or_else(|| self.chance(name, &arguments, span))
            .or_else(|| self.alike(name, &arguments, span))
            .or_else(|| self.offer_score(name, &arguments, span))?;
        Some(typed.and_then(|typed| refuse_beside(function, name, arguments.len(), span).map(|()| typed)))
    }

    fn scalar(&mut self, function: &Function, name: &str, span: Span) -> Result<Typed, Fault> {
        let list = plain_arguments(function, name, span)?;
        let arguments = list.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok((self.expression(expr)?, expr.span())),
            other => Err(misplaced(span, format!("`{name}` cannot take `{other}`"))),
        });
        let arguments = arguments.collect::<Result<Vec<_>, Fault>>()?;
        pattern::refuse_moving_argument(name, &arguments)?;
        let first = arguments.iter().find_map(|(typed, _)| typed.holds.filter(|holds| *holds != ColumnType::Text));
        let (arguments, holds) = match name {
            "coalesce" | "greatest" | "ifnull" | "least" | "nullif" | "nvl" => {
                let alike = arguments.into_iter().map(|(typed, span)| Ok(self.beside(first, typed, span)?.sql));
                (alike.collect::<Result<Vec<_>, Fault>>()?, first)
            }
            "date_trunc" | "datetrunc" => {
                let holds = arguments.get(1).and_then(|(typed, _)| typed.holds);
                let holds = holds.filter(|holds| *holds == ColumnType::Timestamp);
                (arguments.into_iter().map(|(typed, _)| typed.sql).collect(), holds)
            }
            _ => (arguments.into_iter().map(|(typed, _)| typed.sql).collect(), None),
        };
        let call = sql::call(name, arguments);
        Ok(if COUNTS.contains(&name) { counted(call) } else { Typed::new(call, holds) })
    }

    /// An aggregate over the rows of a group.
    fn group_aggregate(&mut self, function: &Function, name: &str, span: Span) -> Result<Typed, Fault> {
        let clause = self.scope().clause;
        if self.scope().in_group_aggregate {
            let message = format!("`{name}` inside another aggregate of the same rows");
            return Err(misplaced(span, message).hint("compute the inner one in a CTE"));
        }
        if let Clause::From | Clause::Where | Clause::GroupBy | Clause::History = clause {
            let message = format!("`{name}` over the grouped rows cannot stand in {}", clause.name());
            let hint = if clause == Clause::Where { Some("write HAVING …".to_owned()) } else { None };
            return Err(misplaced(span, message).maybe_hint(hint));
        }
        let scope = self.scope();
        scope.group_aggregate = scope.group_aggregate.or(Some(span));
        scope.in_group_aggregate = true;
        let call = self.aggregate_call(function, name, span);
        self.scope().in_group_aggregate = false;
        let (call, holds) = call?;
        let call = if name == "mode" { smallest_of_ties(call, span)? } else { call };
        Ok(averaged(call, name, holds))
    }

    /// A function with OVER: computed after grouping, one value per row.
    fn window(&mut self, function: &Function, over: &WindowType, name: &str, span: Span) -> Result<Typed, Fault> {
        let clause = self.scope().clause;
        if !matches!(clause, Clause::Select | Clause::Qualify | Clause::OrderBy) || self.scope().in_group_aggregate {
            let message = format!("`{name}` with OVER cannot stand in {}", clause.name());
            return Err(misplaced(span, message).hint("write QUALIFY …, or compute it in a CTE"));
        }
        if name == "mode" {
            return Err(misplaced(span, "`mode` cannot have OVER").hint("compute it in a CTE with GROUP BY"));
        }
        if ["array_agg", "string_agg"].contains(&name) {
            let message = format!("`{name}` collects all of its rows, so it cannot have OVER");
            return Err(misplaced(span, message).hint("collect them with GROUP BY in a CTE"));
        }
        let (mut call, holds) = self.aggregate_call(function, name, span)?;
        call.over = Some(match over {
            WindowType::WindowSpec(spec) => WindowType::WindowSpec(self.window_spec(spec)?),
            WindowType::NamedWindow(window) => WindowType::NamedWindow(sql::name(&spelled(window))),
        });
        Ok(averaged(call, name, holds))
    }

    /// The call with its arguments resolved; what its first argument holds.
    fn aggregate_call(
        &mut self,
        function: &Function,
        name: &str,
        span: Span,
    ) -> Result<(Function, Option<ColumnType>), Fault> {
        let FunctionArguments::List(list) = &function.args else {
            return Err(misplaced(span, format!("`{name}` needs parentheses")));
        };
        let mut holds = None;
        let mut args = Vec::with_capacity(list.args.len());
        for argument in &list.args {
            args.push(match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
                    let typed = self.expression(expr)?;
                    holds = holds.or(typed.holds);
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(typed.sql))
                }
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" => argument.clone(),
                other => return Err(misplaced(span, format!("`{name}` cannot take `{other}`"))),
            });
        }
        let clauses = list.clauses.iter().map(|clause| self.argument_clause(clause, span));
        let clauses = clauses.collect::<Result<_, Fault>>()?;
        let filter = function.filter.as_deref().map(|filter| Ok(Box::new(self.expression(filter)?.sql)));
        let filter = filter.transpose()?;
        let args = FunctionArgumentList { duplicate_treatment: list.duplicate_treatment, args, clauses };
        let call = Function {
            args: FunctionArguments::List(args),
            filter,
            null_treatment: function.null_treatment,
            within_group: self.orders(&function.within_group)?,
            ..sql::bare_call(name, Vec::new())
        };
        Ok((call, holds))
    }

    fn argument_clause(
        &mut self,
        clause: &FunctionArgumentClause,
        span: Span,
    ) -> Result<FunctionArgumentClause, Fault> {
        match clause {
            FunctionArgumentClause::OrderBy(order) => Ok(FunctionArgumentClause::OrderBy(self.orders(order)?)),
            FunctionArgumentClause::IgnoreOrRespectNulls(_) => Ok(clause.clone()),
            other => Err(refuse::modifier(span, &format!("`{other}` inside a call"))),
        }
    }

    fn orders(&mut self, orders: &[OrderByExpr]) -> Result<Vec<OrderByExpr>, Fault> {
        let resolved = orders.iter().map(|order| {
            let expr = self.expression(&order.expr)?.sql;
            Ok(OrderByExpr { expr, options: nulls_last(order.options), with_fill: None })
        });
        resolved.collect()
    }

    /// `PARTITION BY … ORDER BY …` and a frame.
    pub(super) fn window_spec(&mut self, spec: &WindowSpec) -> Result<WindowSpec, Fault> {
        let partition_by = spec.partition_by.iter().map(|key| Ok(self.expression(key)?.sql));
        Ok(WindowSpec {
            window_name: spec.window_name.as_ref().map(|window| sql::name(&spelled(window))),
            partition_by: partition_by.collect::<Result<_, Fault>>()?,
            order_by: self.orders(&spec.order_by)?,
            window_frame: spec.window_frame.as_ref().map(|frame| self.frame(frame)).transpose()?,
        })
    }

    fn frame(&mut self, frame: &WindowFrame) -> Result<WindowFrame, Fault> {
        Ok(WindowFrame {
            units: frame.units,
            start_bound: self.frame_bound(&frame.start_bound)?,
            end_bound: frame.end_bound.as_ref().map(|bound| self.frame_bound(bound)).transpose()?,
        })
    }

    fn frame_bound(&mut self, bound: &WindowFrameBound) -> Result<WindowFrameBound, Fault> {
        let mut resolved = |bound: &Option<Box<Expr>>| {
            bound.as_deref().map(|expr| Ok(Box::new(self.expression(expr)?.sql))).transpose()
        };
        match bound {
            WindowFrameBound::CurrentRow => Ok(WindowFrameBound::CurrentRow),
            WindowFrameBound::Preceding(rows) => Ok(WindowFrameBound::Preceding(resolved(rows)?)),
            WindowFrameBound::Following(rows) => Ok(WindowFrameBound::Following(resolved(rows)?)),
        }
    }
}

/// `mode(x ORDER BY x)`: of several values that are the most frequent, engines take the one that comes first.
fn smallest_of_ties(mut call: Function, span: Span) -> Result<Function, Fault> {
    let plain = call.null_treatment.is_none() && call.within_group.is_empty();
    let argument = argument_expressions(&call).next().cloned();
    let FunctionArguments::List(list) = &mut call.args else { return Ok(call) };
    let plain = plain && list.duplicate_treatment.is_none() && list.clauses.is_empty() && list.args.len() == 1;
    match argument.filter(|_| plain) {
        Some(argument) => {
            list.clauses.push(FunctionArgumentClause::OrderBy(vec![sql::ascending(argument)]));
            Ok(call)
        }
        None => Err(misplaced(span, "`mode` takes one value, and FILTER only")),
    }
}

/// The fault of something that stands where it cannot.
pub(super) fn misplaced(span: Span, message: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::Position, span, message)
}

/// The expressions among the arguments.
pub(crate) fn argument_expressions(function: &Function) -> impl Iterator<Item = &Expr> {
    let list = match &function.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => &[],
    };
    list.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    })
}

fn plain_name(function: &Function) -> Result<Ident, Fault> {
    match function.name.0.as_slice() {
        [part] if part.as_ident().is_some() => Ok(part.as_ident().cloned().unwrap_or_else(|| Ident::new(""))),
        _ => {
            let message = format!("unknown function `{}`", function.name);
            Err(Fault::new(ErrorKind::UnknownName, function.name.span(), message).hint("functions have one name"))
        }
    }
}

/// Forms of a call that no engine here gives a meaning.
fn refuse_forms(function: &Function, span: Span) -> Result<(), Fault> {
    if function.uses_odbc_syntax {
        return Err(refuse::modifier(span, "{fn …}"));
    }
    if !matches!(function.parameters, FunctionArguments::None) {
        return Err(refuse::modifier(span, "a second list of parameters"));
    }
    match function.args {
        FunctionArguments::Subquery(_) => Err(refuse::modifier(span, "a query as the list of arguments")),
        FunctionArguments::None | FunctionArguments::List(_) => Ok(()),
    }
}

fn named_argument(function: &Function) -> Option<Span> {
    let FunctionArguments::List(list) = &function.args else { return None };
    list.args.iter().find_map(|argument| match argument {
        FunctionArg::Named { name, .. } => Some(name.span),
        FunctionArg::ExprNamed { name, .. } => Some(name.span()),
        FunctionArg::Unnamed(_) => None,
    })
}

fn steady_instead(name: &str) -> Option<String> {
    let clock = name.contains("time") || name.contains("date");
    clock.then(|| "now() and today() mean the as-of instant of the query".to_owned())
}

/// The arguments of a function that takes nothing but values.
fn plain_arguments<'f>(function: &'f Function, name: &str, span: Span) -> Result<&'f [FunctionArg], Fault> {
    let FunctionArguments::List(list) = &function.args else {
        return Err(misplaced(span, format!("`{name}` needs parentheses")));
    };
    let plain = function.filter.is_none() && function.null_treatment.is_none() && function.within_group.is_empty();
    if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return Err(misplaced(
            span,
            format!("`{name}` is no aggregate: DISTINCT, ORDER BY and FILTER mean nothing here"),
        ));
    }
    Ok(&list.args)
}

/// Refuses what stands in or behind the parentheses of a function of the language beside its arguments.
fn refuse_beside(function: &Function, name: &str, arguments: usize, span: Span) -> Result<(), Fault> {
    if function.over.is_some() {
        return Err(misplaced(span, format!("`{name}` cannot have OVER")));
    }
    let given = match function.args {
        FunctionArguments::List(_) => plain_arguments(function, name, span)?.len(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => 0,
    };
    if given == arguments { Ok(()) } else { Err(misplaced(span, format!("`{name}` takes values only"))) }
}

/// Functions whose whole numbers engines keep without a sign, so that 1 less than 0 is the largest there is, or an error.
const COUNTS: [&str; 8] =
    ["approx_distinct", "array_length", "array_position", "cardinality", "dense_rank", "ntile", "rank", "row_number"];

/// Such a call as a whole number like all others.
fn counted(call: Expr) -> Typed {
    Typed::new(sql::whole(call), Some(ColumnType::Int))
}

/// An average as an exact sum over a count; any other aggregate as it is.
fn averaged(call: Function, name: &str, holds: Option<ColumnType>) -> Typed {
    match name {
        "avg" | "mean" => {
            let named = |name: &str| Function { name: sql::bare_call(name, Vec::new()).name, ..call.clone() };
            Typed::new(average(Expr::Function(named("sum")), Expr::Function(named("count"))), Some(ColumnType::Float))
        }
        "count" => Typed::new(Expr::Function(call), Some(ColumnType::Int)),
        _ if COUNTS.contains(&name) => counted(Expr::Function(call)),
        "min" | "max" | "mode" | "first_value" | "last_value" | "lag" | "lead" | "any_value" | "nth_value" => {
            Typed::new(Expr::Function(call), holds)
        }
        _ => Typed::unknown(Expr::Function(call)),
    }
}

/// `(CAST(sum AS DOUBLE) / nullif(count, 0))`.
pub(super) fn average(sum: Expr, count: Expr) -> Expr {
    let count = sql::call("nullif", [count, sql::number(0)]);
    sql::nested(sql::binary(sql::double(sum), BinaryOperator::Divide, count))
}
