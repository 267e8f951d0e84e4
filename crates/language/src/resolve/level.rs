//! The level of a history aggregate: whose rows it reduces, and whether everything inside it can be seen from one of them.

use muster_catalog::{Kind, TableNames, nearest};
use sqlparser::ast::{
    Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Ident, Spanned,
};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::call::{argument_expressions, misplaced};
use super::choice::{Choice, choosing, chosen};
use super::enclosing::Range;
use super::reach::path;
use super::scope::{Source, same_name};
use super::tables::spelled;
use super::ways::column_of;
use crate::error::ErrorKind;
use crate::functions;
use crate::outside::each_outside;
use crate::source::Fault;
use crate::sql::conjuncts;

/// What a history aggregate is taken over.
pub(super) struct Level<'a> {
    pub(super) table: &'a TableNames,
    /// Which of its rows.
    pub(super) range: Range<'a>,
    /// Whether the argument is the table itself, so that rows are counted.
    pub(super) rows: bool,
    /// What the query calls a row of it, where it gives it a name.
    pub(super) name: Option<String>,
    /// Where not all of them count: `latest(…)` or `earliest(…)`.
    pub(super) choice: Option<Choice>,
}

impl<'a> Resolver<'a> {
    /// The table whose rows are reduced.
    pub(super) fn level(&mut self, call: &Call, name: &str) -> Result<Option<Level<'a>>, Fault> {
        if let Some((row_name, table)) = named_rows(call) {
            return self.named_level(row_name, table, call).map(Some);
        }
        let first = argument_expressions(call).next();
        if let Some(Expr::Identifier(ident)) = first
            && let Some(table) = self.level_of_table(ident, name)?
        {
            return self.unnamed_level(table, true, ident.span).map(Some);
        }
        if let Some((inner, last)) = first.and_then(choosing) {
            let (table, choice) = chosen(inner, last)?;
            let Expr::Identifier(ident) = table else {
                let message = format!("`{}` chooses among the rows of a history table", inner.name);
                return Err(Fault::new(ErrorKind::Level, table.span(), message));
            };
            let level = self.history_table(ident)?;
            let level = self.unnamed_level(level, true, ident.span)?;
            return Ok(Some(Level { choice: Some(choice), ..level }));
        }
        let Some((table, span)) = self.level_of_value(call)? else { return Ok(None) };
        self.unnamed_level(table, false, span).map(Some)
    }

    /// Rows that the query gives a name: `x => orders`, `x => a.order_lines`.
    fn named_level(&mut self, row_name: &Ident, table: &Expr, call: &Call) -> Result<Level<'a>, Fault> {
        self.own_row_name(row_name)?;
        let (table, choice) = match choosing(table) {
            Some((inner, last)) => chosen(inner, last).map(|(table, choice)| (table, Some(choice)))?,
            None => (table, None),
        };
        let (row, table_name) = match table {
            Expr::Identifier(table) => (None, table),
            Expr::CompoundIdentifier(parts) if parts.len() == 2 => (Some(&parts[0]), &parts[1]),
            other => {
                let message = format!("expected a history table after `{row_name} =>`, found `{other}`");
                return Err(Fault::new(ErrorKind::Level, other.span(), message));
            }
        };
        let level = self.history_table(table_name)?;
        let range = match row {
            Some(row) => self.range_below(row, level)?,
            None => self.range_over(level, table_name.span)?,
        };
        let rows = argument_expressions(call).next().is_none();
        Ok(Level { table: level, range, rows, name: Some(spelled(row_name)), choice })
    }

    /// Refuses a name for rows that another row in sight has, or that means something else.
    fn own_row_name(&self, name: &Ident) -> Result<(), Fault> {
        self.own_alias(name)?;
        let Some(Source::Rows(reach)) = self.scopes.last().map(|scope| &scope.source) else { return Ok(()) };
        if reach.row_named(name).is_none() {
            return Ok(());
        }
        let message = format!("`{}` is the name of a row around this one", name.value);
        Err(Fault::new(ErrorKind::NotAllowed, name.span, message).hint("choose another name"))
    }

    pub(super) fn history_table(&mut self, name: &Ident) -> Result<&'a TableNames, Fault> {
        let names = self.names;
        let Some(table) = names.table(&name.value).filter(|table| same_name(name, &table.name)) else {
            return Err(super::unknown::table(names, std::iter::empty(), name));
        };
        if matches!(table.kind, Kind::History { .. }) {
            return Ok(table);
        }
        let message = format!("`{}` is no history: it has one row for many", table.name);
        Err(Fault::new(ErrorKind::Level, name.span, message).hint("name a history table"))
    }

    /// The rows of `level` below a row that has a name.
    fn range_below(&mut self, row: &Ident, level: &'a TableNames) -> Result<Range<'a>, Fault> {
        let names = self.names;
        let Source::Rows(reach) = &self.scope().source else {
            return Err(misplaced(row.span, "a history aggregate needs a grain"));
        };
        let Some((of, shared)) = reach.row_named(row) else {
            let message = format!("`{}` is no row around this aggregate", row.value);
            return Err(Fault::new(ErrorKind::UnknownName, row.span, message));
        };
        if path(names, level).skip(1).any(|above| above.name == shared.name) {
            return Ok(Range { of, shared });
        }
        let message = format!("{} does not lie below {}", level.name, shared.name);
        Err(Fault::new(ErrorKind::Level, row.span, message))
    }

    fn range_over(&mut self, level: &'a TableNames, span: Span) -> Result<Range<'a>, Fault> {
        let Source::Rows(reach) = &self.scope().source else {
            self.require_grain(level, span)?;
            return Err(misplaced(span, "a history aggregate needs a grain"));
        };
        reach.range_over(level).ok_or_else(|| Fault::new(ErrorKind::Level, span, "the tables share no ancestor"))
    }

    /// Rows without a name of their own: their table may not be around them already.
    pub(super) fn unnamed_level(&mut self, table: &'a TableNames, rows: bool, span: Span) -> Result<Level<'a>, Fault> {
        let range = self.range_over(table, span)?;
        if let Source::Rows(reach) = &self.scope().source
            && reach.is_around(table)
        {
            let message = format!("`{}` names a row around this aggregate already", table.name);
            let which = if reach.is_above(table) { "those below this row" } else { "all of the profile's" };
            let hint = format!("to range over {which}, give them a name: x => {}", table.name);
            return Err(Fault::new(ErrorKind::Level, span, message).hint(hint));
        }
        Ok(Level { table, range, rows, name: None, choice: None })
    }

    /// The deepest history table that an argument mentions, and where.
    fn level_of_value(&mut self, call: &Call) -> Result<Option<(&'a TableNames, Span)>, Fault> {
        let (mut mentioned, mut shared) = (Vec::new(), Vec::new());
        for argument in argument_expressions(call) {
            for head in mentions(argument) {
                match self.histories_of(&head)?.as_slice() {
                    [] => {}
                    [table] => mentioned.push((*table, head.span)),
                    several => shared.push((head, several.to_vec())),
                }
            }
        }
        let deepest = mentioned.iter().max_by_key(|(table, _)| path(self.names, table).count());
        let (deepest, deepest_span) = (deepest.map(|(table, _)| *table), deepest.map(|(_, span)| *span));
        // A lookup that several histories reach is the one of the level that the rest of the argument says.
        let settled = |owners: &[&TableNames]| deepest.is_some_and(|level| self.sees_one_of(level, owners));
        if let Some((head, owners)) = shared.iter().find(|(_, owners)| !settled(owners)) {
            return Err(ambiguous(head, owners));
        }
        let Some(deepest) = deepest else { return Ok(None) };
        match mentioned.iter().find(|(table, _)| !self.sees_one_of(deepest, &[*table])) {
            Some((other, span)) => Err(two_branches(deepest, other, *span)),
            None => Ok(deepest_span.map(|span| (deepest, span))),
        }
    }

    /// Whether a row of `level` has exactly one row of one of these tables: itself or above it.
    fn sees_one_of(&self, level: &TableNames, tables: &[&TableNames]) -> bool {
        path(self.names, level).any(|above| tables.iter().any(|table| table.name == above.name))
    }

    /// The level of an aggregate whose argument is a bare name: a table, unless a column has that name.
    fn level_of_table(&mut self, ident: &Ident, name: &str) -> Result<Option<&'a TableNames>, Fault> {
        let table = self.names.table(&ident.value).filter(|table| same_name(ident, &table.name));
        let table = table.or_else(|| match &self.scope().source {
            Source::Rows(reach) => Some(reach.base).filter(|_| reach.is_called(ident)),
            Source::Tables(_) => None,
        });
        let Some(table) = table else { return Ok(None) };
        match &self.scope().source {
            Source::Rows(reach) => {
                if reach.path().any(|on_path| column_of(on_path, ident).is_some()) {
                    return Ok(None);
                }
                if reach.is_on_path(table) {
                    return Err(own_rows(reach.base, table, ident, name));
                }
            }
            Source::Tables(tables) if tables.tables.iter().any(|one| one.has(ident)) => return Ok(None),
            Source::Tables(_) => {}
        }
        match table.kind {
            Kind::History { .. } => {
                self.require_grain(table, ident.span)?;
                Ok(Some(table))
            }
            Kind::Root | Kind::Lookup | Kind::List => {
                let message = format!("`{}` is no history: it has one row for many", table.name);
                Err(Fault::new(ErrorKind::Level, ident.span, message).hint(format!("{name} takes a history table")))
            }
        }
    }

    /// The history tables that the first part of a name can mention: one itself, or those whose rows reach that lookup.
    fn histories_of(&mut self, head: &Ident) -> Result<Vec<&'a TableNames>, Fault> {
        let names = self.names;
        if self.scopes_in_sight().any(|index| self.scopes[index].gives(head)) {
            return Ok(Vec::new());
        }
        let table = names.table(&head.value).filter(|table| same_name(head, &table.name));
        if let Source::Rows(reach) = &self.scope().source
            && (reach.knows(head) || table.is_some_and(|table| reach.is_on_path(table)))
        {
            return Ok(Vec::new());
        }
        let is_history = |table: &&TableNames| matches!(table.kind, Kind::History { .. });
        let found = match table.filter(is_history) {
            Some(table) => vec![table],
            None => {
                let reaches = |table: &&TableNames| table.links.iter().any(|(link, _, _)| same_name(head, link));
                names.tables.iter().filter(is_history).filter(reaches).collect()
            }
        };
        if let Some(table) = found.first() {
            self.require_grain(table, head.span)?;
        }
        Ok(found)
    }

    /// A history aggregate needs rows that it can be taken for.
    fn require_grain(&mut self, table: &TableNames, span: Span) -> Result<(), Fault> {
        let Source::Tables(tables) = &self.scope().source else { return Ok(()) };
        let (message, hint) = match tables.aliases().count() {
            0 => (
                format!("`{}` needs rows to be taken for, and there is no FROM", table.name),
                "FROM profiles".to_owned(),
            ),
            1 => (
                format!("`{}` is a history, and the table in FROM has none", table.name),
                "a history aggregate needs FROM profiles or FROM a history table, alone".to_owned(),
            ),
            _ => (
                format!("`{}` is a history, and a FROM with joins has no grain", table.name),
                format!(
                    "compute it first: WITH x AS (SELECT …, count({}) AS n FROM profiles) SELECT … FROM x JOIN …",
                    table.name
                ),
            ),
        };
        Err(misplaced(span, message).hint(hint))
    }

    /// The fault of `has` without a history table.
    pub(super) fn has_without_table(&mut self, call: &Call) -> Fault {
        if let Some(Expr::Function(inner)) = argument_expressions(call).next()
            && let Some(feature) = functions::not_yet(&inner.name.to_string().to_lowercase())
        {
            return Fault::not_yet(inner.name.span(), feature);
        }
        let fault = Fault::new(ErrorKind::Level, call.name.span(), "`has` takes a history table");
        let histories = self.names.tables.iter().filter(|table| matches!(table.kind, Kind::History { .. }));
        let histories: Vec<&str> = histories.map(|table| table.name.as_str()).collect();
        let written = argument_expressions(call).find_map(|argument| match argument {
            Expr::Identifier(name) => Some(name.clone()),
            other => mentions(other).into_iter().next(),
        });
        let near = written.and_then(|head| nearest(&head.value, histories.iter().copied()));
        fault.hint(
            near.map_or_else(|| format!("one of {}", histories.join(", ")), |near| format!("did you mean `{near}`?")),
        )
    }

    /// Everything in the FILTER must be seen from a row of the level; a mention of rows below it would count a row of the
    /// level once for each of them.
    pub(super) fn refuse_other_levels(&mut self, call: &Call, level: &Level<'a>) -> Result<(), Fault> {
        let Some(filter) = &call.filter else { return Ok(()) };
        for condition in conjuncts(filter) {
            for head in mentions(condition) {
                let owners = self.histories_of(&head)?;
                if owners.is_empty() || self.sees_one_of(level.table, &owners) {
                    continue;
                }
                let below = owners.iter().copied().filter(|owner| self.sees_one_of(owner, &[level.table]));
                return Err(match (owners.as_slice(), below.collect::<Vec<_>>().as_slice()) {
                    ([other], _) | (_, [other]) => self.other_level(call, level, condition, other, head.span),
                    _ => ambiguous(&head, &owners),
                });
            }
        }
        Ok(())
    }

    fn other_level(&self, call: &Call, level: &Level<'a>, condition: &Expr, other: &TableNames, span: Span) -> Fault {
        if path(self.names, other).all(|above| above.name != level.table.name) {
            return two_branches(level.table, other, span);
        }
        let message = format!(
            "the aggregate is over {}, and this condition is about {} below: a row would count once for each of them",
            level.table.name, other.name
        );
        let wrapped = format!("has({}) FILTER (WHERE {condition})", other.name);
        let conditions = call.filter.as_deref().map(conjuncts).unwrap_or_default();
        let conditions =
            conditions.into_iter().map(|one| if one == condition { wrapped.clone() } else { one.to_string() });
        let bare = Call { filter: None, ..call.clone() };
        let hint = format!(
            "{bare} FILTER (WHERE {}), or an aggregate over {}",
            conditions.collect::<Vec<_>>().join(" AND "),
            other.name
        );
        Fault::new(ErrorKind::Level, span, message).hint(hint)
    }
}

fn own_rows(base: &TableNames, table: &TableNames, ident: &Ident, name: &str) -> Fault {
    let (message, hint) = if base.name == table.name {
        (format!("`{}` is the grain: each row is one of them", table.name), "count(*) counts the rows".to_owned())
    } else {
        let message = format!("`{}` is above {}: each row has exactly one", table.name, base.name);
        (message, format!("to {name} rows of {}, select FROM {}", table.name, table.name))
    };
    Fault::new(ErrorKind::Level, ident.span, message).hint(hint)
}

fn ambiguous(head: &Ident, owners: &[&TableNames]) -> Fault {
    let ways: Vec<String> = owners.iter().map(|owner| format!("{}.{}", owner.name, head.value)).collect();
    let message = format!("`{}` is ambiguous: {}", head.value, ways.join(", "));
    Fault::new(ErrorKind::Ambiguous, head.span, message).hint("write the whole way")
}

fn two_branches(one: &TableNames, other: &TableNames, span: Span) -> Fault {
    let message =
        format!("{} and {} are two branches: no row of one belongs to a row of the other", one.name, other.name);
    Fault::new(ErrorKind::Level, span, message)
        .hint(format!("take one aggregate over {} and one over {}", one.name, other.name))
}

/// The name that a call gives to rows, and the table that it says they are of.
pub(super) fn named_rows(call: &Call) -> Option<(&Ident, &Expr)> {
    let FunctionArguments::List(list) = &call.args else { return None };
    match list.args.first() {
        Some(FunctionArg::Named {
            name,
            arg: FunctionArgExpr::Expr(table),
            operator: FunctionArgOperator::RightArrow,
        }) => Some((name, table)),
        _ => None,
    }
}

/// The first parts of the names with a way that an expression mentions, outside nested aggregates and queries.
fn mentions(expr: &Expr) -> Vec<Ident> {
    let mut heads = Vec::new();
    each_outside(expr, |mentioned| {
        if let Expr::CompoundIdentifier(parts) = mentioned {
            heads.extend(parts.first().cloned());
        }
    });
    heads
}
