//! What a column can hold.

use std::fmt;
use std::str::FromStr;

use arrow_schema::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

/// The type of a column, as written in `muster.toml`: `id`, `text`, `int`, `decimal(p,s)`, `float`, `bool`, `date`,
/// `timestamp`, `set`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ColumnType {
    /// A key or a reference: text that is never a number, so that leading zeros stay.
    Id,
    /// Text; compares bytewise.
    Text,
    /// A whole number of 64 bits.
    Int,
    /// An exact number: `precision` digits (1 to 38), `scale` of them after the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: i8,
    },
    /// A double; never for money.
    Float,
    /// True or false.
    Bool,
    /// A calendar day.
    Date,
    /// An instant, in microseconds UTC.
    Timestamp,
    /// Several texts in one field: interests, tags.
    Set,
}

impl ColumnType {
    /// The Arrow type in which batches between rooms carry this column.
    ///
    /// Text travels as string views, sets as lists of them, instants as microseconds in UTC.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Id | Self::Text => DataType::Utf8View,
            Self::Int => DataType::Int64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            Self::Float => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Set => DataType::List(Field::new_list_field(DataType::Utf8View, false).into()),
        }
    }

    /// Whether values of this type are text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Id | Self::Text)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("id"),
            Self::Text => f.write_str("text"),
            Self::Int => f.write_str("int"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Float => f.write_str("float"),
            Self::Bool => f.write_str("bool"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Set => f.write_str("set"),
        }
    }
}

impl From<ColumnType> for String {
    fn from(column_type: ColumnType) -> Self {
        column_type.to_string()
    }
}

impl TryFrom<String> for ColumnType {
    type Error = UnknownType;

    fn try_from(text: String) -> Result<Self, UnknownType> {
        text.parse()
    }
}

/// A text that names no column type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown type `{0}`; expected id, text, int, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p, float, bool, date, \
     timestamp or set"
)]
pub struct UnknownType(pub String);

impl FromStr for ColumnType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        match text.trim() {
            "id" => Ok(Self::Id),
            "text" => Ok(Self::Text),
            "int" => Ok(Self::Int),
            "float" => Ok(Self::Float),
            "bool" => Ok(Self::Bool),
            "date" => Ok(Self::Date),
            "timestamp" => Ok(Self::Timestamp),
            "set" => Ok(Self::Set),
            other => decimal(other).ok_or_else(|| UnknownType(text.to_owned())),
        }
    }
}

fn decimal(text: &str) -> Option<ColumnType> {
    let digits = text.strip_prefix("decimal(")?.strip_suffix(')')?;
    let (precision, scale) = digits.split_once(',')?;
    let (precision, scale) = (precision.trim().parse::<u8>().ok()?, scale.trim().parse::<i8>().ok()?);
    let fits = (1..=38).contains(&precision) && scale >= 0 && scale.unsigned_abs() <= precision;
    fits.then_some(ColumnType::Decimal { precision, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_back_as_it_is_written() {
        for text in ["id", "text", "int", "decimal(12,2)", "float", "bool", "date", "timestamp", "set"] {
            assert_eq!(text.parse::<ColumnType>().map(|t| t.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_decimal_outside_its_range_is_no_type() {
        for text in ["decimal", "decimal(0,0)", "decimal(39,2)", "decimal(4,5)", "decimal(4,-1)", "money"] {
            assert!(text.parse::<ColumnType>().is_err(), "{text}");
        }
    }
}
