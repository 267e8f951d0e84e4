//! The purchases of each profile, asked as one query in the segment language: the catalog says which rows they are, and what
//! each is worth, in expressions of that language.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::DataType;
use arrow_select::concat::concat;
use arrow_select::interleave::interleave;
use muster_catalog::{ColumnType, Names, RowSet, Timestamp};
use muster_language::{Statement, VariableDefinition, parse, parse_definition, resolve_variable};
use muster_store::Snapshot;

use super::{Purchases, Scoring};
use crate::describe::quoted;
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// The purchases of each profile, one entry per profile in every slice; what is not known of somebody without any is 0.
#[derive(Debug)]
pub(super) struct OfProfiles {
    /// The profiles, by the numbers of their rows.
    pub(super) rows: Vec<u32>,
    pub(super) counts: Vec<i64>,
    pub(super) first_days: Vec<i32>,
    pub(super) last_days: Vec<i32>,
    /// What they are worth, in units of `10^-scale`.
    pub(super) totals: Vec<i128>,
    pub(super) scale: i8,
    pub(super) first_at: ArrayRef,
    pub(super) last_at: ArrayRef,
    /// The types of the columns of the answer that said so.
    pub(super) types: Vec<DataType>,
}

impl Purchases {
    /// Count, first and last instant and day, and worth of each profile's purchases; of a table whose `time` is this column
    /// of its rows, or of those above.
    fn question(&self, time: &str) -> Result<VariableDefinition, Error> {
        let table = quoted(&self.table);
        let when = self.purchase.when.as_deref().map(|when| format!(" FILTER (WHERE {when})")).unwrap_or_default();
        let over = |function: &str, value: &str| format!("{function}(p => {table}, {value}){when}");
        let (first, last) = (over("min", &format!("p.{time}")), over("max", &format!("p.{time}")));
        let text = format!(
            "SELECT count({table}){when} AS purchases, {first} AS first_at, {last} AS last_at, \
             CAST({first} AS DATE) AS first_day, CAST({last} AS DATE) AS last_day, {} AS total FROM profiles",
            over("sum", &self.purchase.value)
        );
        self.check()?;
        match parse(&text) {
            Ok(Statement::Query { query, .. }) => {
                Ok(VariableDefinition { name: "purchases".to_owned(), or_replace: false, comment: None, query })
            }
            Ok(_) => unreachable!("a SELECT is a query"),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Each text is an expression of its own: nothing in it closes a bracket that it did not open.
    pub(super) fn check(&self) -> Result<(), Error> {
        let texts = [Some(&self.purchase.value), self.purchase.when.as_ref()];
        let read = |text: &String| parse_definition(&format!("WHERE {text}")).map(drop);
        texts.into_iter().flatten().try_for_each(read).map_err(|error| self.fault(error))
    }

    pub(super) fn fault(&self, source: muster_language::Error) -> Error {
        let place = &self.purchase.value_place;
        let place = format!("{} line {}", place.file, place.line);
        Error::Purchases { place, table: self.table.clone(), source: Box::new(source) }
    }
}

impl Scoring {
    /// What purchases are worth in all, as far as the names tell it; what is no exact number is refused when it is scored.
    pub(crate) fn worth(&self, snapshot: &Snapshot, names: &Names) -> ColumnType {
        let holds = || {
            let purchases = self.purchases.as_ref()?;
            let question = purchases.question(&time_of_rows(snapshot, &purchases.table)?).ok()?;
            let resolved = resolve_variable(&question, names, Timestamp::from_micros(0)).ok()?;
            resolved.columns.last()?.holds
        };
        match holds() {
            Some(ColumnType::Int) => ColumnType::Int,
            Some(ColumnType::Decimal { scale, .. }) => ColumnType::Decimal { precision: 38, scale },
            _ => ColumnType::Decimal { precision: 38, scale: 2 },
        }
    }
}

/// The way from a row of a history to its instant: a column of its own, or of a row above.
pub(super) fn time_of_rows(snapshot: &Snapshot, table: &str) -> Option<String> {
    let (mut above, mut way) = (snapshot.schema(table)?, String::new());
    loop {
        if let Some(time) = snapshot.time_column(&above.name) {
            return Some(way + &quoted(time));
        }
        above = snapshot.schema(above.parent()?)?;
        way = format!("{}.", quoted(&above.name));
    }
}

impl Evaluator<'_> {
    /// What is wrong with the expressions that say what a purchase is and what it is worth.
    pub(super) fn fault_of_purchases(&self, purchases: &Purchases, as_of: Timestamp) -> Option<Error> {
        // A table that nothing was loaded into has no columns yet.
        let time = time_of_rows(self.snapshot(), &purchases.table)?;
        let question = match purchases.question(&time) {
            Ok(question) => question,
            Err(error) => return Some(error),
        };
        resolve_variable(&question, self.names(), as_of).err().map(|error| purchases.fault(error))
    }

    /// The purchases of all profiles as of an instant.
    pub(super) fn purchases(&self, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Arc<OfProfiles>, Error> {
        let scoring = self.scoring();
        let purchases = scoring.purchases.as_ref().expect("scores have names where there are purchases");
        let time = time_of_rows(self.snapshot(), &purchases.table).ok_or(Error::NoData)?;
        let question = purchases.question(&time)?;
        let resolved = resolve_variable(&question, self.names(), as_of).map_err(|error| purchases.fault(error))?;
        self.kept_or_asked(purchases, resolved, |resolved| {
            let evaluation = self.whole_evaluation(resolved, path)?;
            let answer = self.engine().all(resolved, &evaluation)?;
            let column = |place: usize| -> Result<ArrayRef, Error> {
                let empty = arrow_array::new_empty_array(answer.schema.field(place).data_type());
                let parts = answer.batches.iter().map(|batch| batch.column(place).as_ref());
                let parts: Vec<&dyn Array> = std::iter::once(empty.as_ref()).chain(parts).collect();
                Ok(concat(&parts).map_err(muster_store::Error::from)?)
            };
            OfProfiles::of((0..answer.schema.fields().len()).map(column).collect::<Result<_, _>>()?, purchases)
        })
    }
}

impl OfProfiles {
    /// What the columns of an answer to the question say.
    pub(super) fn of(columns: Vec<ArrayRef>, purchases: &Purchases) -> Result<Self, Error> {
        let types = columns.iter().map(|column| column.data_type().clone()).collect();
        let (totals, scale) = exact(&columns[6], purchases)?;
        let days =
            |place: usize| columns[place].as_primitive::<Date32Type>().iter().map(Option::unwrap_or_default).collect();
        Ok(Self {
            rows: columns[0].as_primitive::<Int64Type>().values().iter().map(|row| *row as u32).collect(),
            counts: columns[1].as_primitive::<Int64Type>().values().to_vec(),
            first_at: Arc::clone(&columns[2]),
            last_at: Arc::clone(&columns[3]),
            first_days: days(4),
            last_days: days(5),
            totals,
            scale,
            types,
        })
    }

    /// The same with what is said of some profiles anew; of those that it says nothing of any more, nothing is said. Both
    /// stand in the order of their rows.
    pub(super) fn with(&self, again: &RowSet, fresh: &Self) -> Result<Self, Error> {
        let of_kept = (0..self.rows.len()).filter(|place| !again.contains(self.rows[*place]));
        let of_kept = of_kept.map(|place| (self.rows[place], (0, place)));
        let of_fresh = fresh.rows.iter().enumerate().map(|(place, row)| (*row, (1, place)));
        let mut all: Vec<(u32, (usize, usize))> = of_kept.chain(of_fresh).collect();
        all.sort_unstable_by_key(|(row, _)| *row);
        let places: Vec<(usize, usize)> = all.iter().map(|(_, place)| *place).collect();
        fn taken<T: Copy>(places: &[(usize, usize)], kept: &[T], fresh: &[T]) -> Vec<T> {
            places.iter().map(|(of, place)| if *of == 0 { kept[*place] } else { fresh[*place] }).collect()
        }
        let instants = |kept: &ArrayRef, fresh: &ArrayRef| {
            interleave(&[kept.as_ref(), fresh.as_ref()], &places).map_err(muster_store::Error::from)
        };
        Ok(Self {
            rows: all.iter().map(|(row, _)| *row).collect(),
            counts: taken(&places, &self.counts, &fresh.counts),
            first_days: taken(&places, &self.first_days, &fresh.first_days),
            last_days: taken(&places, &self.last_days, &fresh.last_days),
            totals: taken(&places, &self.totals, &fresh.totals),
            scale: self.scale,
            first_at: instants(&self.first_at, &fresh.first_at)?,
            last_at: instants(&self.last_at, &fresh.last_at)?,
            types: self.types.clone(),
        })
    }
}

/// Sums of whole numbers or decimals, in units of the smallest; nothing is 0.
pub(super) fn exact(totals: &ArrayRef, purchases: &Purchases) -> Result<(Vec<i128>, i8), Error> {
    let scale = match totals.data_type() {
        DataType::Decimal128(_, scale) => *scale,
        DataType::Int64 => 0,
        other => {
            let (place, found) = (&purchases.purchase.value_place, other.to_string());
            return Err(Error::Worth { place: format!("{} line {}", place.file, place.line), found });
        }
    };
    let totals = cast(totals, &DataType::Decimal128(38, scale)).map_err(muster_store::Error::from)?;
    Ok((totals.as_primitive::<Decimal128Type>().iter().map(Option::unwrap_or_default).collect(), scale))
}
