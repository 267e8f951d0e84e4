//! The list behind SELECT: what each column is called, and what `*` stands for.

use sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, SelectItem, SelectItemQualifiedWildcardKind, Spanned, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Span;

use super::scope::{Clause, Source, Typed, same_name};
use super::tables::spelled;
use super::{Resolver, refuse, unknown};
use crate::error::ErrorKind;
use crate::resolved::{OutputColumn, hidden};
use crate::source::Fault;
use crate::sql;

/// The list behind SELECT, column by column.
#[derive(Default)]
pub(super) struct Projection {
    pub(super) expressions: Vec<Expr>,
    pub(super) columns: Vec<OutputColumn>,
}

impl Projection {
    /// The list as it is printed.
    pub(super) fn items(&self) -> Vec<SelectItem> {
        let named = self.expressions.iter().zip(&self.columns);
        named.map(|(expression, column)| sql::aliased(expression.clone(), &column.name)).collect()
    }

    fn add(&mut self, typed: Typed, name: String, span: Span) -> Result<(), Fault> {
        if self.columns.iter().any(|column| column.name == name) {
            let message = format!("a second column called `{name}`");
            return Err(Fault::new(ErrorKind::Ambiguous, span, message).hint("give it another name with AS"));
        }
        self.expressions.push(typed.sql);
        self.columns.push(OutputColumn { name, holds: typed.holds });
        Ok(())
    }
}

impl Resolver<'_> {
    /// Resolves the list.
    pub(super) fn projection(&mut self, items: &[SelectItem]) -> Result<Projection, Fault> {
        self.scope().clause = Clause::Select;
        let mut projection = Projection::default();
        for item in items {
            self.project(item, &mut projection)?;
        }
        Ok(projection)
    }

    fn project(&mut self, item: &SelectItem, projection: &mut Projection) -> Result<(), Fault> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let typed = self.expression(expr)?;
                let name = shown_name(expr, &typed.sql);
                projection.add(typed, name, expr.span())
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                if alias.value.starts_with(hidden::PREFIX) {
                    self.own_name(alias)?;
                }
                let typed = self.expression(expr)?;
                projection.add(typed, spelled(alias), alias.span)
            }
            SelectItem::Wildcard(options) => self.wildcard(None, options, item.span(), projection),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                match name.0.as_slice() {
                    [part] => self.wildcard(part.as_ident(), options, item.span(), projection),
                    _ => Err(refuse::modifier(item.span(), "`*` behind a way of several names")),
                }
            }
            other => Err(refuse::modifier(other.span(), "this kind of column")),
        }
    }

    /// `*` or `name.*`, written out: an engine would show the hidden columns too.
    fn wildcard(
        &mut self,
        of: Option<&Ident>,
        options: &WildcardAdditionalOptions,
        span: Span,
        projection: &mut Projection,
    ) -> Result<(), Fault> {
        let left_out = left_out(options, span)?;
        let columns = self.every_column(of, span)?;
        for (typed, name) in columns {
            if left_out.iter().any(|ident| same_name(ident, &name)) {
                continue;
            }
            self.scope().note_loose(span, name.clone(), false);
            projection.add(typed, name, span)?;
        }
        Ok(())
    }

    fn every_column(&mut self, of: Option<&Ident>, span: Span) -> Result<Vec<(Typed, String)>, Fault> {
        let names = self.names;
        let found = match &mut self.scope().source {
            Source::Rows(reach) => reach.all_columns(of)?.map(|columns| {
                let typed = columns.into_iter().map(|bound| {
                    (Typed::new(sql::column(&bound.alias, &bound.column), Some(bound.holds)), bound.column)
                });
                typed.collect()
            }),
            Source::Tables(tables) => {
                Some(tables.all_columns(names, of)?).filter(|columns: &Vec<_>| !columns.is_empty())
            }
        };
        match (found, of) {
            (Some(columns), _) => Ok(columns),
            (None, Some(name)) => Err(unknown::column(names, self.scope(), &[name.clone(), name.clone()])),
            (None, None) => Err(Fault::new(ErrorKind::NotAllowed, span, "`*` without FROM")),
        }
    }
}

/// The items of the list that have a name or a place, for GROUP BY, HAVING and ORDER BY.
pub(super) fn named_items(items: &[SelectItem]) -> Vec<(Ident, Expr)> {
    let named = items.iter().map(|item| match item {
        SelectItem::UnnamedExpr(expr) => (Ident::with_quote('"', expr.to_string()), expr.clone()),
        SelectItem::ExprWithAlias { expr, alias } => (alias.clone(), expr.clone()),
        other => (Ident::with_quote('"', other.to_string()), Expr::Identifier(Ident::with_quote('"', "*"))),
    });
    named.collect()
}

/// The name of a column that was not given one: its own, or the expression as it was written.
fn shown_name(written: &Expr, resolved: &Expr) -> String {
    match (written, resolved) {
        (Expr::Identifier(_) | Expr::CompoundIdentifier(_), Expr::CompoundIdentifier(parts)) => {
            let last = parts.last().map(|part| part.value.clone()).unwrap_or_default();
            match written {
                // A segment's hidden column is shown under the segment's name.
                Expr::CompoundIdentifier(way) if last.starts_with(hidden::PREFIX) => {
                    way.last().map(spelled).unwrap_or_default()
                }
                _ => last,
            }
        }
        (Expr::Identifier(name), Expr::Identifier(_)) => spelled(name),
        (written, _) => sql::written(written),
    }
}

/// The columns that EXCEPT or EXCLUDE leave out of `*`.
fn left_out(options: &WildcardAdditionalOptions, span: Span) -> Result<Vec<Ident>, Fault> {
    let others = options.opt_ilike.is_some() || options.opt_replace.is_some() || options.opt_rename.is_some();
    if others || options.opt_alias.is_some() {
        return Err(refuse::modifier(span, "ILIKE, REPLACE, RENAME or AS behind `*`"));
    }
    let excluded = match &options.opt_exclude {
        None => Vec::new(),
        Some(ExcludeSelectItem::Single(name)) => vec![name.clone()],
        Some(ExcludeSelectItem::Multiple(names)) => names.clone(),
    };
    let excluded = excluded.iter().filter_map(|name| name.0.last()?.as_ident().cloned());
    let excepted = options.opt_except.iter().flat_map(|except| {
        std::iter::once(except.first_element.clone()).chain(except.additional_elements.iter().cloned())
    });
    Ok(excluded.chain(excepted).collect())
}
