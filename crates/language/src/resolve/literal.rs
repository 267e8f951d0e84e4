//! Literals and casts: what is known of a value while the query is resolved.

use muster_catalog::{ColumnType, local_midnight};
use sqlparser::ast::{CastKind, DataType, Expr, Spanned, TypedString, Value, ValueWithSpan};
use sqlparser::tokenizer::Span;

use super::operator::truth;
use super::scope::Typed;
use super::{Resolver, refuse};
use crate::calendar::{self, Constant};
use crate::error::ErrorKind;
use crate::source::Fault;
use crate::sql;

impl Resolver<'_> {
    /// A value that is known already, as its literal.
    pub(super) fn constant(&mut self, constant: Constant, span: Span) -> Result<Typed, Fault> {
        let holds = match constant {
            Constant::Instant(_) => Some(ColumnType::Timestamp),
            Constant::Date(_) => Some(ColumnType::Date),
            Constant::Interval(_) => None,
        };
        Ok(Typed { constant: Some(constant), ..Typed::new(constant.literal(span)?, holds) })
    }

    /// `DATE '…'`, `TIMESTAMP '…'`, `TIMESTAMPTZ '…'`.
    pub(super) fn typed_text(&mut self, typed: &TypedString) -> Result<Typed, Fault> {
        let span = typed.value.span;
        let Value::SingleQuotedString(text) = &typed.value.value else {
            return Err(refuse::modifier(span, "this kind of text"));
        };
        match &typed.data_type {
            DataType::Date => self.constant(Constant::Date(calendar::date_of(text, span)?), span),
            DataType::Timestamp(..) | DataType::Datetime(_) | DataType::TimestampNtz(_) => {
                let instant = calendar::instant_of(text, self.names.zone, span)?;
                self.constant(Constant::Instant(instant), span)
            }
            other => Err(refuse::modifier(span, &format!("a literal of type {other}"))),
        }
    }

    /// A cast that fails gives NULL; one of a value that is known happens here.
    pub(super) fn cast(&mut self, kind: &CastKind, inner: &Expr, data_type: &DataType) -> Result<Typed, Fault> {
        if *kind == CastKind::SafeCast {
            return Err(refuse::modifier(inner.span(), "SAFE_CAST").hint("CAST gives NULL where it fails"));
        }
        let typed = self.expression(inner)?;
        let holds = cast_type(data_type).ok_or_else(|| {
            let message = format!("a cast to {data_type} is not part of the segment language");
            Fault::new(ErrorKind::NotAllowed, inner.span(), message)
        })?;
        if let Some(known) = self.cast_constant(&typed, holds) {
            return self.constant(known, inner.span());
        }
        if typed.holds == Some(ColumnType::Timestamp) && holds == Some(ColumnType::Timestamp) {
            return Ok(typed);
        }
        let expr = Box::new(typed.sql);
        let cast =
            Expr::Cast { kind: CastKind::TryCast, expr, data_type: data_type.clone(), array: false, format: None };
        Ok(Typed::new(cast, holds.filter(|holds| *holds != ColumnType::Timestamp)))
    }

    fn cast_constant(&self, typed: &Typed, to: Option<ColumnType>) -> Option<Constant> {
        let zone = self.names.zone;
        match (to?, typed.constant, &typed.text) {
            (ColumnType::Date, Some(Constant::Instant(instant)), _) => {
                Some(Constant::Date(instant.local(zone).date_naive()))
            }
            (ColumnType::Timestamp, Some(Constant::Date(date)), _) => {
                Some(Constant::Instant(local_midnight(date, zone)))
            }
            (ColumnType::Date, Some(date @ Constant::Date(_)), _) => Some(date),
            (ColumnType::Timestamp, Some(instant @ Constant::Instant(_)), _) => Some(instant),
            (ColumnType::Date, None, Some(text)) => calendar::date_of(text, Span::empty()).ok().map(Constant::Date),
            (ColumnType::Timestamp, None, Some(text)) => {
                calendar::instant_of(text, zone, Span::empty()).ok().map(Constant::Instant)
            }
            _ => None,
        }
    }
}

/// A literal of the parser.
pub(super) fn literal(value: &ValueWithSpan) -> Result<Typed, Fault> {
    let plain = || Expr::value(value.value.clone());
    match &value.value {
        Value::Number(digits, _) => {
            let holds = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(ColumnType::Int);
            Ok(Typed::new(Expr::value(Value::Number(digits.clone(), false)), holds))
        }
        Value::SingleQuotedString(text) => {
            Ok(Typed { text: Some(text.clone()), ..Typed::new(sql::text(text), Some(ColumnType::Text)) })
        }
        Value::Boolean(_) => Ok(truth(plain())),
        Value::Null => Ok(Typed::unknown(plain())),
        Value::Placeholder(name) => Err(refuse::modifier(value.span, &format!("the placeholder {name}"))),
        other => {
            let fault = refuse::modifier(value.span, &format!("the literal {other}"));
            Err(fault.hint("text stands in single quotes: 'text'"))
        }
    }
}

/// What a cast to this type gives, if one may be written: `Some(None)` is a type that needs no treatment here.
fn cast_type(data_type: &DataType) -> Option<Option<ColumnType>> {
    use DataType as T;
    match data_type {
        T::Date => Some(Some(ColumnType::Date)),
        T::Timestamp(..) | T::TimestampNtz(_) | T::Datetime(_) => Some(Some(ColumnType::Timestamp)),
        T::Text | T::Varchar(_) | T::String(_) | T::Char(_) | T::CharVarying(_) => Some(Some(ColumnType::Text)),
        T::BigInt(_) | T::Int8(_) | T::Int64 => Some(Some(ColumnType::Int)),
        T::Bool | T::Boolean => Some(Some(ColumnType::Bool)),
        T::Double(_) | T::DoublePrecision | T::Float8 | T::Float64 => Some(Some(ColumnType::Float)),
        T::Int(_) | T::Integer(_) | T::SmallInt(_) | T::TinyInt(_) | T::Int2(_) | T::Int4(_) => Some(None),
        T::Float(_) | T::Real | T::Float4 | T::Decimal(_) | T::Numeric(_) | T::Dec(_) => Some(None),
        _ => None,
    }
}
