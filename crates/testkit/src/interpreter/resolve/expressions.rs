//! Expressions of plain SQL: what each means is what SQL says of it (rule 8).

use sqlparser::ast::{self, BinaryOperator, CeilFloorKind, DateTimeField, UnaryOperator};

use super::{Mode, Resolver, literals};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{Arithmetic, CastTo, Comparison, Expr};
use crate::world::Value;

impl Resolver<'_> {
    /// An expression, where it stands.
    pub(super) fn expr(&mut self, written: &ast::Expr) -> Result<Expr> {
        match self.key_of_group(written)? {
            Some(key) => Ok(key),
            None => self.plain(written),
        }
    }

    /// Beside grouping a key is what it is, however much history it mentions (rule 5).
    fn key_of_group(&mut self, written: &ast::Expr) -> Result<Option<Expr>> {
        let Mode::Group(keys) = &self.mode else { return Ok(None) };
        if let Some(place) = keys.iter().position(|key| key == written) {
            return Ok(Some(Expr::Key(place)));
        }
        let keys = keys.clone();
        let (ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_)) = written else { return Ok(None) };
        let outside = std::mem::replace(&mut self.mode, Mode::Row);
        let column = format!("{:?}", self.plain(written)?);
        let keys = keys.iter().map(|key| self.expr(key).map(|key| format!("{key:?}"))).collect::<Result<Vec<_>>>()?;
        self.mode = outside;
        match keys.iter().position(|key| *key == column) {
            Some(place) => Ok(Some(Expr::Key(place))),
            None => Err(Error::at(Kind::Grouping, written, format!("`{written}` is neither grouped nor aggregated"))),
        }
    }

    fn plain(&mut self, written: &ast::Expr) -> Result<Expr> {
        use ast::Expr as Written;
        match written {
            Written::Identifier(name) => self.name(std::slice::from_ref(name)),
            Written::CompoundIdentifier(parts) => self.name(parts),
            Written::Value(value) => literals::value(value).map(Expr::Literal),
            Written::TypedString(typed) => literals::typed(typed, self.zone()).map(Expr::Literal),
            Written::Interval(interval) => literals::interval(interval).map(Expr::Literal),
            Written::Nested(inner) => self.expr(inner),
            Written::UnaryOp { op, expr } => self.unary(written, *op, expr),
            Written::BinaryOp { left, op, right } => self.binary(written, left, op, right),
            Written::IsNull(inner) => self.is(inner, Value::Null),
            Written::IsNotNull(inner) => self.is(inner, Value::Null).map(not),
            Written::IsUnknown(inner) => self.is(inner, Value::Null),
            Written::IsNotUnknown(inner) => self.is(inner, Value::Null).map(not),
            Written::IsTrue(inner) => self.is(inner, Value::Bool(true)),
            Written::IsNotTrue(inner) => self.is(inner, Value::Bool(true)).map(not),
            Written::IsFalse(inner) => self.is(inner, Value::Bool(false)),
            Written::IsNotFalse(inner) => self.is(inner, Value::Bool(false)).map(not),
            Written::IsDistinctFrom(a, b) => self.distinct(a, b),
            Written::IsNotDistinctFrom(a, b) => self.distinct(a, b).map(not),
            Written::InList { expr, list, negated } => {
                let list = list.iter().map(|item| self.expr(item)).collect::<Result<_>>()?;
                Ok(not_if(*negated, Expr::In(Box::new(self.expr(expr)?), list)))
            }
            Written::Between { expr, negated, low, high } => self.between(expr, *negated, low, high),
            Written::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, pattern, escape_char.as_ref(), false).map(|like| not_if(*negated, like))
            }
            Written::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, pattern, escape_char.as_ref(), true).map(|like| not_if(*negated, like))
            }
            Written::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Written::Cast { expr, data_type, array: false, format: None, .. } => {
                let to = literals::cast_to(written, data_type)?;
                Ok(Expr::Cast(Box::new(self.expr(expr)?), to))
            }
            Written::Extract { field, expr, .. } => {
                let field = Expr::Literal(Value::Text(field.to_string().to_lowercase()));
                Ok(call("date_part", vec![field, self.expr(expr)?]))
            }
            Written::Ceil { expr, field } => self.rounding(written, "ceil", expr, field),
            Written::Floor { expr, field } => self.rounding(written, "floor", expr, field),
            Written::Substring { expr, substring_from: Some(from), substring_for, special: _, .. } => {
                let mut arguments = vec![self.expr(expr)?, self.expr(from)?];
                arguments.extend(substring_for.iter().map(|length| self.expr(length)).collect::<Result<Vec<_>>>()?);
                Ok(call("substr", arguments))
            }
            Written::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let function = match trim_where {
                    Some(ast::TrimWhereField::Leading) => "ltrim",
                    Some(ast::TrimWhereField::Trailing) => "rtrim",
                    Some(ast::TrimWhereField::Both) | None => "btrim",
                };
                let mut arguments = vec![self.expr(expr)?];
                arguments.extend(trim_what.iter().map(|what| self.expr(what)).collect::<Result<Vec<_>>>()?);
                Ok(call(function, arguments))
            }
            Written::Function(function) => self.function(function),
            other => Err(Error::unsupported(other, format!("`{other}`"))),
        }
    }

    pub(super) fn zone(&self) -> chrono_tz::Tz {
        self.world.catalog.workspace.time_zone
    }

    fn boxed(&mut self, written: &ast::Expr) -> Result<Box<Expr>> {
        self.expr(written).map(Box::new)
    }

    fn is(&mut self, inner: &ast::Expr, value: Value) -> Result<Expr> {
        Ok(Expr::Is(self.boxed(inner)?, value))
    }

    fn distinct(&mut self, a: &ast::Expr, b: &ast::Expr) -> Result<Expr> {
        Ok(Expr::Distinct(self.boxed(a)?, self.boxed(b)?))
    }

    fn unary(&mut self, whole: &ast::Expr, operator: UnaryOperator, inner: &ast::Expr) -> Result<Expr> {
        let inner = self.expr(inner)?;
        match operator {
            UnaryOperator::Not => Ok(not(inner)),
            UnaryOperator::Minus => Ok(Expr::Negate(Box::new(inner))),
            UnaryOperator::Plus => Ok(inner),
            other => Err(Error::unsupported(whole, format!("the operator {other}"))),
        }
    }

    fn binary(
        &mut self,
        whole: &ast::Expr,
        left: &ast::Expr,
        operator: &BinaryOperator,
        right: &ast::Expr,
    ) -> Result<Expr> {
        let (left, right) = (self.boxed(left)?, self.boxed(right)?);
        Ok(match operator {
            BinaryOperator::And => Expr::And(left, right),
            BinaryOperator::Or => Expr::Or(left, right),
            BinaryOperator::Eq => Expr::Compare(Comparison::Equal, left, right),
            BinaryOperator::NotEq => Expr::Compare(Comparison::Unequal, left, right),
            BinaryOperator::Lt => Expr::Compare(Comparison::Less, left, right),
            BinaryOperator::LtEq => Expr::Compare(Comparison::LessOrEqual, left, right),
            BinaryOperator::Gt => Expr::Compare(Comparison::Greater, left, right),
            BinaryOperator::GtEq => Expr::Compare(Comparison::GreaterOrEqual, left, right),
            BinaryOperator::Plus => Expr::Arithmetic(Arithmetic::Plus, left, right),
            BinaryOperator::Minus => Expr::Arithmetic(Arithmetic::Minus, left, right),
            BinaryOperator::Multiply => Expr::Arithmetic(Arithmetic::Times, left, right),
            BinaryOperator::Divide => Expr::Arithmetic(Arithmetic::Divide, left, right),
            BinaryOperator::Modulo => Expr::Arithmetic(Arithmetic::Modulo, left, right),
            BinaryOperator::StringConcat => Expr::Arithmetic(Arithmetic::Concatenate, left, right),
            other => return Err(Error::unsupported(whole, format!("the operator {other}"))),
        })
    }

    /// `x BETWEEN a AND b` is `x >= a AND x <= b`.
    fn between(&mut self, inner: &ast::Expr, negated: bool, low: &ast::Expr, high: &ast::Expr) -> Result<Expr> {
        let low = Expr::Compare(Comparison::GreaterOrEqual, self.boxed(inner)?, self.boxed(low)?);
        let high = Expr::Compare(Comparison::LessOrEqual, self.boxed(inner)?, self.boxed(high)?);
        Ok(not_if(negated, Expr::And(Box::new(low), Box::new(high))))
    }

    fn like(
        &mut self,
        text: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::ValueWithSpan>,
        any_case: bool,
    ) -> Result<Expr> {
        let escape = escape.map_or(Some('\\'), |written| match &written.value {
            ast::Value::SingleQuotedString(text) if text.chars().count() == 1 => text.chars().next(),
            _ => None,
        });
        let escape = escape.ok_or_else(|| Error::at(Kind::Arguments, pattern, "ESCAPE takes one character"))?;
        Ok(Expr::Like { text: self.boxed(text)?, pattern: self.boxed(pattern)?, escape, any_case })
    }

    /// `CASE x WHEN a …` is `CASE WHEN x = a …`.
    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        arms: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for arm in arms {
            let condition = self.expr(&arm.condition)?;
            conditions.push(match operand {
                Some(operand) => Expr::Compare(Comparison::Equal, self.boxed(operand)?, Box::new(condition)),
                None => condition,
            });
            results.push(self.expr(&arm.result)?);
        }
        results.push(otherwise.map_or(Ok(Expr::Literal(Value::Null)), |otherwise| self.expr(otherwise))?);
        let mut results = self.alike(results);
        let otherwise = Box::new(results.pop().unwrap_or(Expr::Literal(Value::Null)));
        Ok(Expr::Case { arms: conditions.into_iter().zip(results).collect(), otherwise })
    }

    fn rounding(&mut self, whole: &ast::Expr, name: &str, inner: &ast::Expr, field: &CeilFloorKind) -> Result<Expr> {
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => Ok(call(name, vec![self.expr(inner)?])),
            _ => Err(Error::unsupported(whole, format!("`{whole}`"))),
        }
    }
}

pub(super) fn call(function: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Call { function: function.to_owned(), arguments }
}

fn not(inner: Expr) -> Expr {
    Expr::Not(Box::new(inner))
}

fn not_if(negated: bool, inner: Expr) -> Expr {
    if negated { not(inner) } else { inner }
}

/// Makes a value one of another kind without a change of what it says.
pub(super) fn widened(inner: Expr, to: CastTo) -> Expr {
    Expr::Cast(Box::new(inner), to)
}
