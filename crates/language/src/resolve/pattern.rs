//! Patterns: what LIKE, SIMILAR TO and the regular expressions compare with.
//!
//! A regular expression is a text of the query. One from a column would be compiled for each row, at a cost of megabytes
//! each that nobody who writes the query foresees.

use sqlparser::ast::{DateTimeField, Expr, Spanned, Value, ValueWithSpan};
use sqlparser::tokenizer::Span;

use super::scope::Typed;
use super::{Resolver, refuse};
use crate::error::ErrorKind;
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// A regular expression.
    pub(super) fn regular_expression(&mut self, pattern: &Expr) -> Result<Expr, Fault> {
        let typed = self.expression(pattern)?;
        refuse_moving(&typed, pattern.span())?;
        Ok(typed.sql)
    }
}

/// Refuses the second argument of a function of regular expressions where it is no text in quotes.
pub(super) fn refuse_moving_argument(function: &str, arguments: &[(Typed, Span)]) -> Result<(), Fault> {
    match arguments.get(1) {
        Some((pattern, span)) if function.starts_with("regexp_") => refuse_moving(pattern, *span),
        _ => Ok(()),
    }
}

fn refuse_moving(pattern: &Typed, span: Span) -> Result<(), Fault> {
    if pattern.text.is_some() {
        return Ok(());
    }
    let message = "a regular expression is a text in quotes; it cannot be computed";
    Err(Fault::new(ErrorKind::NotAllowed, span, message).hint("write LIKE for a pattern that comes from a column"))
}

/// The character that takes `%` and `_` their meaning: what ESCAPE says, else a backslash, as PostgreSQL has it. That is
/// written out where the pattern may have one, since to some engines it means nothing by itself.
pub(super) fn escape_in(pattern: &Expr, written: Option<&ValueWithSpan>) -> Result<Option<ValueWithSpan>, Fault> {
    let is_plain = match pattern {
        Expr::Value(value) => matches!(&value.value, Value::SingleQuotedString(text) if !text.contains('\\')),
        _ => false,
    };
    let backslash = || sql::text_value("\\").into();
    Ok(escape(written)?.or_else(|| (!is_plain).then(backslash)))
}

/// The character behind ESCAPE.
pub(super) fn escape(written: Option<&ValueWithSpan>) -> Result<Option<ValueWithSpan>, Fault> {
    let Some(written) = written else { return Ok(None) };
    match &written.value {
        Value::SingleQuotedString(text) if text.chars().count() == 1 => Ok(Some(sql::text_value(text).into())),
        _ => Err(Fault::new(ErrorKind::Literal, written.span, "ESCAPE takes one character in single quotes")),
    }
}

/// The field of EXTRACT, by its plain name.
pub(super) fn field(written: &DateTimeField, span: Span) -> Result<DateTimeField, Fault> {
    match written {
        DateTimeField::Custom(name)
            if !name.value.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') =>
        {
            Err(refuse::modifier(span, &format!("the field `{}`", name.value)))
        }
        _ => Ok(written.clone()),
    }
}
