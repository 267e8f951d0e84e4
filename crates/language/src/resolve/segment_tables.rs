//! `venn`, `overlap` and `compare`: tables that are counted from segments. Each stands for a query of the language itself,
//! which [`super::segment_counts`] writes; here is what may be called, with what.

use std::sync::Arc;

use muster_catalog::{ColumnType, Kind, SegmentNames, TableNames};
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, Query, Spanned, TableAlias, TableFactor, TableFunctionArgs,
    Value,
};
use sqlparser::tokenizer::Span;

use super::segment_counts::{Member, compare, memberships, overlap, venn};
use super::tables::{Table, quoted_alias, renamed, spelled};
use super::{Resolver, refuse, unknown};
use crate::error::ErrorKind;
use crate::functions::{self, SegmentTable};
use crate::resolved::{Body, OutputColumn, Overlap, Part};
use crate::source::Fault;
use crate::sql;

/// Circles that anybody can draw.
const MOST_SETS: usize = 8;

/// A matrix of 40,000 pairs.
const MOST_SEGMENTS: usize = 200;

impl<'a> Resolver<'a> {
    /// A call in FROM: its rows, under its own name or an alias.
    pub(super) fn segment_table(
        &mut self,
        name: &ObjectName,
        arguments: &TableFunctionArgs,
        alias: Option<&TableAlias>,
    ) -> Result<TableFactor, Fault> {
        let span = name.span();
        let function = match name.0.as_slice() {
            [part] => part.as_ident().and_then(|name| functions::segment_table(&spelled(name))),
            _ => None,
        };
        let Some(function) = function else {
            return Err(refuse::modifier(span, "a table function"));
        };
        if arguments.settings.is_some() {
            return Err(refuse::modifier(span, "SETTINGS"));
        }
        let values = values(&arguments.args, function, span)?;
        let (query, columns) = self.apart(&self.counting(function, &values, span)?)?;
        if function == SegmentTable::Overlap {
            self.note_overlap(&query, &values, span)?;
        }
        let alias = self.alias_of_call(function.name(), alias)?;
        self.placed(query, columns, &alias)
    }

    /// The name of a call in FROM: its own, or the one that is given.
    pub(super) fn alias_of_call(&self, function: &str, alias: Option<&TableAlias>) -> Result<TableAlias, Fault> {
        let own = Ident::with_quote('"', function);
        let alias = alias.cloned().unwrap_or_else(|| sql::alias(function));
        if alias.name != own {
            self.own_alias(&alias.name)?;
        }
        Ok(alias)
    }

    fn placed(&mut self, query: Query, columns: Vec<OutputColumn>, alias: &TableAlias) -> Result<TableFactor, Fault> {
        let quoted = quoted_alias(alias);
        let columns = renamed(columns, alias)?;
        let table = Table { alias: quoted.name.value.clone(), columns, relation: None };
        self.tables().add(table, &alias.name)?;
        Ok(sql::derived(query, quoted))
    }

    /// Remembers what the query of a call of `overlap` is.
    fn note_overlap(&mut self, plain: &Query, values: &[&Expr], span: Span) -> Result<(), Fault> {
        let members = self.members(SegmentTable::Overlap, values, MOST_SEGMENTS, span)?;
        let root = self.names.root().map_or("", |root| root.name.as_str());
        let written = memberships(root, &members);
        let (body, _) = self.alone(|alone| alone.query(&written))?;
        let Body::Grain(profiles) = body else { unreachable!("FROM is the root alone") };
        let segments = members.into_iter().map(|member| member.name).collect();
        self.parts.push(Part::Overlap(Arc::new(Overlap { plain: plain.clone(), segments, members: profiles })));
        Ok(())
    }

    /// The query that a call stands for.
    fn counting(&self, function: SegmentTable, values: &[&Expr], span: Span) -> Result<Query, Fault> {
        let root = self.names.tables.iter().find(|table| table.kind == Kind::Root);
        let root = root.ok_or_else(|| Fault::new(ErrorKind::UnknownName, span, "there are no profiles"))?;
        match function {
            SegmentTable::Venn => Ok(venn(&root.name, &self.members(function, values, MOST_SETS, span)?)),
            SegmentTable::Overlap => {
                let key = root.key.as_deref().unwrap_or_default();
                Ok(overlap(&root.name, key, &self.members(function, values, MOST_SEGMENTS, span)?))
            }
            SegmentTable::Compare => self.segments_compared(root, values, span),
        }
    }

    /// The segments that the arguments name, each once.
    fn members(&self, function: SegmentTable, values: &[&Expr], most: usize, span: Span) -> Result<Vec<Member>, Fault> {
        if values.is_empty() || values.len() > most {
            let message = format!("`{}` takes one to {most} segments; here are {}", function.name(), values.len());
            return Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(function.shape()));
        }
        let mut members: Vec<Member> = Vec::with_capacity(values.len());
        for value in values {
            let member = self.member(function, value)?;
            if members.iter().any(|known| known.name == member.name) {
                let message = format!("the segment `{}` a second time", member.name);
                return Err(Fault::new(ErrorKind::Ambiguous, value.span(), message));
            }
            if function == SegmentTable::Venn && member.name.eq_ignore_ascii_case("profiles") {
                let message = "`venn` has a column `profiles` already, so it cannot show a segment of that name";
                return Err(Fault::new(ErrorKind::Ambiguous, value.span(), message));
            }
            members.push(member);
        }
        Ok(members)
    }

    fn member(&self, function: SegmentTable, value: &Expr) -> Result<Member, Fault> {
        let segment = self.segment_written(function, value)?;
        let root = self.names.tables.iter().find(|table| table.kind == Kind::Root);
        let of_profiles = root.is_some_and(|root| root.name.eq_ignore_ascii_case(&segment.grain));
        let rows_of = (!of_profiles).then(|| segment.grain.clone());
        Ok(Member { name: segment.name.clone(), rows_of })
    }

    /// The segment that a text names, capitals aside.
    fn segment_written(&self, function: SegmentTable, value: &Expr) -> Result<&'a SegmentNames, Fault> {
        let span = value.span();
        let text = match value {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => Some(text),
                _ => None,
            },
            _ => None,
        };
        let Some(text) = text else {
            let message = format!("expected the name of a segment in single quotes, found `{value}`");
            return Err(Fault::new(ErrorKind::Syntax, span, message).hint(function.shape()));
        };
        let mut ident = Ident::new(text);
        ident.span = span;
        self.names.segment(text).ok_or_else(|| unknown::segment(self.names, &ident))
    }

    /// `compare('segment', 'base', column, …)`.
    fn segments_compared(&self, root: &TableNames, values: &[&Expr], span: Span) -> Result<Query, Fault> {
        let function = SegmentTable::Compare;
        let [segment, base, columns @ ..] = values else {
            let message = "`compare` takes a segment, a base, and what they are compared by";
            return Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(function.shape()));
        };
        if columns.is_empty() {
            let message = "`compare` needs a column to compare by";
            return Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(function.shape()));
        }
        let named = columns.iter().map(|column| Ok((shown_name(root, column)?, (*column).clone())));
        let columns = named.collect::<Result<Vec<_>, Fault>>()?;
        Ok(compare(&root.name, &self.member(function, segment)?, &self.member(function, base)?, columns))
    }
}

/// The arguments, which are values all of them.
fn values(arguments: &[FunctionArg], function: SegmentTable, span: Span) -> Result<Vec<&Expr>, Fault> {
    let value = |argument: &'_ FunctionArg| format!("`{}` cannot take `{argument}`", function.name());
    let values = arguments.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        other => Err(Fault::new(ErrorKind::Syntax, span, value(other)).hint(function.shape())),
    });
    values.collect()
}

/// What the column is called in the answer. A set is no category: it has many members.
fn shown_name(root: &TableNames, value: &Expr) -> Result<String, Fault> {
    let column = match value {
        Expr::Identifier(name) => root.column(&name.value),
        Expr::CompoundIdentifier(parts) if parts.len() == 2 && root.name.eq_ignore_ascii_case(&parts[0].value) => {
            root.column(&parts[1].value)
        }
        _ => None,
    };
    match column {
        Some(column) if column.column_type == ColumnType::Set => {
            let message = format!("`{}` is a set, and a row of `compare` is about one value", column.name);
            let hint = format!("name a member: array_has({}, '…')", column.name);
            Err(Fault::new(ErrorKind::NotAllowed, value.span(), message).hint(hint))
        }
        Some(column) => Ok(column.name.clone()),
        None => Ok(value.to_string()),
    }
}
