//! Aggregates: over a history, or over a group (rules 1 to 6).

use muster_catalog::Kind as TableKind;
use sqlparser::ast::{self, Ident};

use super::call::{Call, function_name};
use super::level::Level;
use super::names::Seen;
use super::{Mode, Resolver};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{Aggregate, Expr, Function, GroupAggregate, Pick, Range, Sequence};

impl Resolver<'_> {
    pub(super) fn aggregate(&mut self, call: &Call) -> Result<Expr> {
        match self.level(call)? {
            Level::Group => self.group_aggregate(call),
            Level::First => {
                self.check_place(call)?;
                let (range, node) = self.range(call.name, call.arguments[0])?;
                let rest = &call.arguments[1..];
                if call.name.is_none() && !rest.is_empty() {
                    return Err(call.wrong("a name beside an expression: x => …"));
                }
                self.history_aggregate(call, range, node, rest)
            }
            Level::Mentioned(table) => {
                self.check_place(call)?;
                if call.function == "has" {
                    return Err(call.wrong("a table, a name or latest(…)"));
                }
                let above = self.anchor(table, false, call.whole)?;
                let (range, node) = self.rows_below(table, above, None);
                self.history_aggregate(call, range, node, &call.arguments)
            }
        }
    }

    /// Beside grouping a history aggregate is a key or stands inside a group aggregate; it has no window of its own
    /// (rule 5).
    fn check_place(&self, call: &Call) -> Result<()> {
        if call.whole.over.is_some() {
            return Err(Error::at(Kind::Aggregate, call.whole, "an aggregate over history has no OVER"));
        }
        if matches!(self.mode, Mode::Group(_)) {
            let message = format!("over a group this needs an aggregate around it: sum({}(…))", call.function);
            return Err(Error::at(Kind::Aggregate, call.whole, message));
        }
        Ok(())
    }

    fn history_aggregate(&mut self, call: &Call, range: Range, node: usize, arguments: &[&ast::Expr]) -> Result<Expr> {
        let function = function_of(call, arguments)?;
        if call.is_star || (call.is_distinct && arguments.is_empty()) {
            return Err(call.wrong("rows, or an expression of them"));
        }
        let outside = std::mem::replace(&mut self.mode, Mode::Row);
        self.enter(node, call.name);
        let argument = arguments.first().map(|argument| self.expr(argument)).transpose()?;
        let filter = call.filter.map(|filter| self.expr(filter)).transpose()?;
        self.leave();
        self.mode = outside;
        Ok(Expr::Aggregate(Box::new(Aggregate { function, distinct: call.is_distinct, range, argument, filter })))
    }

    /// "An argument that mentions no such table makes a group aggregate"; it stands beside grouping only.
    fn group_aggregate(&mut self, call: &Call) -> Result<Expr> {
        let may_stand = matches!(self.mode, Mode::Group(_));
        let outside = std::mem::replace(&mut self.mode, Mode::Row);
        let arguments = call.arguments.iter().take(1).map(|argument| self.expr(argument));
        let mut arguments = arguments.collect::<Result<Vec<Expr>>>()?;
        let filter = call.filter.map(|filter| self.expr(filter)).transpose()?;
        self.mode = outside;
        if call.whole.over.is_some() {
            return Err(Error::unsupported(call.whole, "an aggregate over a window"));
        }
        if !may_stand {
            let message = format!("`{}` mentions no history, and there is no group here", call.function);
            return Err(Error::at(Kind::Aggregate, call.whole, message));
        }
        if call.is_star && (call.function != "count" || !arguments.is_empty()) {
            return Err(call.wrong("no *"));
        }
        let function = function_of(call, &call.arguments)?;
        if function == Function::Has || (arguments.is_empty() && !call.is_star) {
            return Err(call.wrong("an argument that is there"));
        }
        let argument = arguments.pop();
        Ok(Expr::Group(Box::new(GroupAggregate { function, distinct: call.is_distinct, argument, filter })))
    }

    /// The rows that a first argument stands for: a table, `latest(…)`, with a name also `row.table` (rules 2 and 4).
    fn range(&mut self, name: Option<&Ident>, written: &ast::Expr) -> Result<(Range, usize)> {
        match written {
            ast::Expr::Identifier(table) => {
                let table = self.history(table)?;
                let above = self.anchor(table, name.is_some(), written)?;
                Ok(self.rows_below(table, above, name))
            }
            ast::Expr::CompoundIdentifier(parts) => {
                let (table, path) = parts.split_last().expect("a compound name has parts");
                let Seen::Row(above) = self.row(path)? else {
                    return Err(Error::at(Kind::Level, written, "no history stands below a lookup"));
                };
                let table = self.history(table)?;
                if !self.world.is_below(table, self.nodes[above].table) {
                    return Err(Error::at(Kind::Level, written, "that table does not stand below that row"));
                }
                Ok(self.rows_below(table, above, name))
            }
            ast::Expr::Function(function) => self.picked(name, function),
            _ => Err(Error::at(Kind::Arguments, written, "expected a table, row.table or latest(…)")),
        }
    }

    /// A table of rows that somebody owns.
    fn history(&self, name: &Ident) -> Result<usize> {
        let near = || Error::named(Kind::UnknownName, name, format!("there is no table `{name}`"));
        let table = self.table(name).ok_or_else(near)?;
        match self.world.catalog.tables[table].kind {
            TableKind::Root | TableKind::History { .. } => Ok(table),
            TableKind::Lookup | TableKind::List => {
                Err(Error::named(Kind::Level, name, format!("`{name}` is no history: nobody owns its rows")))
            }
        }
    }

    /// `latest(rows, n, condition)`: "n a positive literal; a third argument selects before, the FILTER after".
    fn picked(&mut self, name: Option<&Ident>, function: &ast::Function) -> Result<(Range, usize)> {
        let call = Call::read(function)?;
        let latest = match function_name(function)?.as_str() {
            "latest" => true,
            "earliest" => false,
            _ => return Err(Error::at(Kind::Arguments, function, "expected a table, row.table or latest(…)")),
        };
        let (&rows, rest) = call.arguments.split_first().ok_or_else(|| call.wrong("a table and a number"))?;
        let count = rest.first().and_then(|count| whole_number(count)).and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count > 0).ok_or_else(|| call.wrong("a number of rows, at least 1"))?;
        if rest.len() > 2 || call.name.is_some() || call.filter.is_some() || matches!(rows, ast::Expr::Function(_)) {
            return Err(call.wrong("a table, a number and a condition"));
        }
        let (range, node) = self.range(name, rows)?;
        let outside = std::mem::replace(&mut self.mode, Mode::Row);
        self.enter(node, name);
        let condition = rest.get(1).map(|condition| self.expr(condition)).transpose()?;
        self.leave();
        self.mode = outside;
        Ok((Range { pick: Some(Pick { latest, count, condition }), ..range }, node))
    }

    /// The row below which an aggregate's rows stand (rule 4): of a table below the innermost row, that row; of a table on
    /// the path, the profile, and it must have a name; of any other, the nearest ancestor that both share.
    fn anchor(&self, table: usize, is_named: bool, written: &impl ast::Spanned) -> Result<usize> {
        let innermost = self.innermost();
        let chain = self.chain(innermost);
        let root = *chain.last().expect("a chain has its own row");
        if self.world.catalog.tables[self.nodes[root].table].kind != TableKind::Root {
            return Err(Error::at(Kind::Grain, written, "rows without an owner have no history"));
        }
        if self.world.is_below(table, self.nodes[innermost].table) {
            return Ok(innermost);
        }
        if self.path().into_iter().any(|node| self.nodes[node].table == table) {
            if !is_named {
                let name = self.table_name(table);
                return Err(Error::at(Kind::Level, written, format!("`{name}` is on the path: x => {name}")));
            }
            return Ok(root);
        }
        let shared = chain.into_iter().find(|node| self.world.is_below(table, self.nodes[*node].table));
        Ok(shared.unwrap_or(root))
    }

    fn rows_below(&mut self, table: usize, above: usize, name: Option<&Ident>) -> (Range, usize) {
        let below = self.place(above);
        // The profile itself, named on its own path, has nothing above it to stand below.
        let is_itself = self.nodes[above].table == table;
        let node = self.new_row(table, Some(above).filter(|_| !is_itself), name.is_some());
        (Range { table, below, pick: None }, node)
    }

    /// `has_sequence(rows, a, b, …, within => INTERVAL …)` (rule 4).
    pub(super) fn sequence(&mut self, call: &Call) -> Result<Expr> {
        self.check_place(call)?;
        let (&rows, conditions) = call.arguments.split_first().ok_or_else(|| call.wrong("a table and conditions"))?;
        if conditions.is_empty() || call.is_star || call.is_distinct {
            return Err(call.wrong("a table and conditions"));
        }
        let (range, node) = self.range(call.name, rows)?;
        let outside = std::mem::replace(&mut self.mode, Mode::Row);
        let within = call.within.map(|within| self.expr(within)).transpose()?;
        self.enter(node, call.name);
        let conditions = conditions.iter().map(|condition| self.expr(condition)).collect::<Result<_>>()?;
        let filter = call.filter.map(|filter| self.expr(filter)).transpose()?;
        self.leave();
        self.mode = outside;
        Ok(Expr::Sequence(Box::new(Sequence { range, conditions, within, filter })))
    }
}

/// The function, with the arguments that it takes beside the rows.
fn function_of(call: &Call, arguments: &[&ast::Expr]) -> Result<Function> {
    let plain = match call.function.as_str() {
        "count" if arguments.len() <= 1 => return Ok(Function::Count),
        "has" if arguments.is_empty() && !call.is_distinct => return Ok(Function::Has),
        "has" => return Err(call.wrong("a table, a name or latest(…)")),
        "nth" => {
            let place = arguments.get(1).and_then(|place| whole_number(place)).filter(|place| *place != 0);
            let place = place.filter(|_| arguments.len() == 2);
            return place.map(Function::Nth).ok_or_else(|| call.wrong("an expression and a place that is not 0"));
        }
        "sum" => Function::Sum,
        "avg" => Function::Avg,
        "min" => Function::Min,
        "max" => Function::Max,
        "median" => Function::Median,
        "stddev" => Function::Stddev,
        "every" => Function::Every,
        "mode" => Function::Mode,
        "first" => Function::First,
        "last" => Function::Last,
        _ => return Err(call.wrong("fewer arguments")),
    };
    if arguments.len() == 1 { Ok(plain) } else { Err(call.wrong("one expression")) }
}

/// A whole number as it is written.
pub(super) fn whole_number(written: &ast::Expr) -> Option<i64> {
    match written {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => whole_number(expr)?.checked_neg(),
        _ => None,
    }
}
