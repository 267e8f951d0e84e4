//! What is known of each profile as of an instant, in the expressions of muster.toml: the columns that a model learns from.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use arrow_select::concat::concat;
use muster_catalog::{Expression, Timestamp};
use muster_language::resolve_variable;
use muster_score::binning::{Characteristic, UNKNOWN, Values};

use super::bought::{check, fault, numbers, question};
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// Named expressions over a profile, and which profiles they are asked of.
pub(super) struct Described<'d> {
    /// The score that they are for.
    pub(super) score: &'d str,
    /// Who is looked at.
    pub(super) base: &'d Expression,
    /// What is asked of them.
    pub(super) characteristics: &'d [(String, Expression)],
}

/// What is known of each profile of the base, one entry per profile in every column.
pub(super) struct Facts {
    /// The profiles by the numbers of their rows, in the order of their keys: sums of doubles do not depend on the order of
    /// loading.
    pub(super) rows: Vec<u32>,
    columns: Vec<(String, Column)>,
}

enum Column {
    /// NaN is not known.
    Numbers(Vec<f64>),
    /// Codes of texts, bytewise sorted.
    Categories { codes: Vec<u32>, texts: Vec<String> },
}

impl Facts {
    /// The columns for somebody who learns from them.
    pub(super) fn with<T>(&self, learn: impl FnOnce(&[Characteristic<'_>]) -> T) -> T {
        let texts: Vec<Vec<&str>> = self.columns.iter().map(|(_, column)| column.texts()).collect();
        let columns = self.columns.iter().zip(&texts);
        let all = columns.map(|((name, column), texts)| Characteristic { name, values: values(column, texts) });
        learn(&all.collect::<Vec<_>>())
    }

    /// The same of some profiles, by their places.
    pub(super) fn of(&self, places: &[usize]) -> Self {
        let column = |(name, column): &(String, Column)| (name.clone(), column.of(places));
        Self {
            rows: places.iter().map(|place| self.rows[*place]).collect(),
            columns: self.columns.iter().map(column).collect(),
        }
    }
}

fn values<'c>(column: &'c Column, texts: &'c [&'c str]) -> Values<'c> {
    match column {
        Column::Numbers(values) => Values::Numbers(values),
        Column::Categories { codes, .. } => Values::Categories { codes, texts },
    }
}

impl Column {
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Numbers(_) => Vec::new(),
            Self::Categories { texts, .. } => texts.iter().map(String::as_str).collect(),
        }
    }

    fn of(&self, places: &[usize]) -> Self {
        match self {
            Self::Numbers(values) => Self::Numbers(places.iter().map(|place| values[*place]).collect()),
            Self::Categories { codes, texts } => {
                Self::Categories { codes: places.iter().map(|place| codes[*place]).collect(), texts: texts.clone() }
            }
        }
    }
}

impl Evaluator<'_> {
    /// What is known of the base as of an instant.
    ///
    /// Numbers stay numbers, dates and instants are days before the instant, so that they mean the same as of another one;
    /// yes is 1 and no is 0; texts are categories. What is of another kind is refused.
    pub(super) fn facts(
        &self,
        described: &Described<'_>,
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Facts, Error> {
        let all = || described.characteristics.iter().map(|(_, expression)| expression).chain([described.base]);
        all().try_for_each(|expression| check(described.score, expression))?;
        let columns = described.characteristics.iter().enumerate();
        let columns: Vec<String> =
            columns.map(|(place, (_, expression))| format!("({}) AS c{place}", expression.text)).collect();
        let text = format!("SELECT {} FROM profiles WHERE {}", columns.join(", "), described.base.text);
        let faulty = |error| self.faulty(described, as_of, error);
        let asked = question(&text).map_err(faulty)?;
        let answer = self.rows_and_values(&asked, as_of, path, faulty)?;
        let rows: Vec<u32> = answer.batches.iter().flat_map(numbers).collect();
        let keys = self.keys_of_rows()?;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_unstable_by_key(|place| keys.of(rows[*place]));
        let column = |(place, (name, expression)): (usize, &(String, Expression))| {
            let parts: Vec<&dyn Array> = answer.batches.iter().map(|batch| batch.column(place + 1).as_ref()).collect();
            let whole = match parts.is_empty() {
                true => arrow_array::new_empty_array(answer.schema.field(place + 1).data_type()),
                false => concat(&parts).map_err(muster_store::Error::from)?,
            };
            let column = column(&whole, as_of).map_err(|found| Error::Characteristic {
                place: format!("{} line {}", expression.place.file, expression.place.line),
                name: name.clone(),
                found,
            })?;
            Ok((name.clone(), column.of(&order)))
        };
        let columns = described.characteristics.iter().enumerate().map(column).collect::<Result<_, Error>>()?;
        Ok(Facts { rows: order.iter().map(|place| rows[*place]).collect(), columns })
    }

    /// The expression in which an error of all of them together lies, with its place.
    fn faulty(&self, described: &Described<'_>, as_of: Timestamp, error: muster_language::Error) -> Error {
        let mut faults = self.faults_of(described, as_of);
        if faults.is_empty() { Error::Language(error) } else { faults.remove(0) }
    }

    /// What is wrong with the expressions, each by itself.
    pub(super) fn faults_of(&self, described: &Described<'_>, as_of: Timestamp) -> Vec<Error> {
        let alone = |expression: &Expression, text: String| match check(described.score, expression) {
            Ok(()) => self.fault_of(described.score, expression, &text, as_of),
            Err(error) => Some(error),
        };
        let of_base = || alone(described.base, format!("SELECT 1 AS one FROM profiles WHERE {}", described.base.text));
        let characteristics = described.characteristics.iter().filter_map(|(_, expression)| {
            alone(expression, format!("SELECT ({}) AS value FROM profiles", expression.text))
        });
        characteristics.chain(std::iter::once_with(of_base).flatten()).collect()
    }

    /// What is wrong with an expression, in a question that asks for nothing else.
    pub(super) fn fault_of(&self, score: &str, expression: &Expression, text: &str, as_of: Timestamp) -> Option<Error> {
        let resolved = question(text).and_then(|asked| resolve_variable(&asked, self.names(), as_of).map(drop));
        resolved.err().map(|error| fault(score, expression, error))
    }
}

/// A column of an answer as a model reads it; the name of its type where no model does.
fn column(values: &ArrayRef, as_of: Timestamp) -> Result<Column, String> {
    let other = || Err(values.data_type().to_string());
    match values.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            let texts = cast(values, &DataType::Utf8View).map_err(|error| error.to_string())?;
            Ok(categories(texts.as_string_view()))
        }
        DataType::Date32 | DataType::Timestamp(..) => Ok(Column::Numbers(days_before(values, as_of)?)),
        kind if kind.is_numeric() || *kind == DataType::Boolean => {
            let numbers = cast(values, &DataType::Float64).map_err(|error| error.to_string())?;
            Ok(Column::Numbers(known(numbers.as_primitive::<Float64Type>().iter())))
        }
        _ => other(),
    }
}

fn known(values: impl Iterator<Item = Option<f64>>) -> Vec<f64> {
    values.map(|value| value.unwrap_or(f64::NAN)).collect()
}

/// Days from each instant or day until `as_of`.
fn days_before(values: &ArrayRef, as_of: Timestamp) -> Result<Vec<f64>, String> {
    const MICROS: f64 = 86_400_000_000.0;
    let now = as_of.micros() as f64 / MICROS;
    if let Some(dates) = values.as_primitive_opt::<Date32Type>() {
        return Ok(known(dates.iter().map(|day| day.map(|day| now.floor() - f64::from(day)))));
    }
    let instants =
        values.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| values.data_type().to_string())?;
    Ok(known(instants.iter().map(|instant| instant.map(|micros| now - micros as f64 / MICROS))))
}

/// Codes in the order of the texts, so that they do not depend on who comes first.
fn categories(values: &StringViewArray) -> Column {
    let mut texts: Vec<&str> = values.iter().flatten().collect::<std::collections::HashSet<_>>().into_iter().collect();
    texts.sort_unstable();
    let known: HashMap<&str, u32> = texts.iter().copied().zip(0..).collect();
    let codes = values.iter().map(|text| text.map_or(UNKNOWN, |text| known[text])).collect();
    Column::Categories { codes, texts: texts.into_iter().map(str::to_owned).collect() }
}
