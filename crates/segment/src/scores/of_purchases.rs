//! Cadence, reactivation and RFM as columns: always those of the snapshot and instant at hand.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringViewArray, TimestampMicrosecondArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use muster_catalog::{Rfm as RfmSettings, RfmMethod, Timestamp, local_midnight};
use muster_query::Values;
use muster_score::cadence::{Cadence, Occurrences, cadence, due_days, mean_values, median_gap_days};
use muster_score::groups::{GroupRule, default_groups, groups};
use muster_score::rfm::{Base, CutPoints, Method, Rfm, rfm};
use muster_store::SystemColumn;

use super::purchases::OfProfiles;
use super::{CADENCE, Column, REACTIVATION};
use crate::evaluator::{Evaluator, PROFILES};
use crate::{Error, Item};

impl Evaluator<'_> {
    /// The columns of a score.
    pub(super) fn of_purchases(
        &self,
        score: &str,
        purchases: &OfProfiles,
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Vec<(&'static str, Values)>, Error> {
        let fault = |source| Error::Score { score: score.to_owned(), source };
        let cadence = cadence(purchases.occurrences(), self.day(as_of)).map_err(fault)?;
        let columns = match score {
            CADENCE => cadence_columns(purchases, &cadence).map_err(fault)?,
            REACTIVATION => {
                let signs = self.signs(purchases, as_of, path)?;
                vec![("due_at", self.due_at(purchases, &cadence, signs.occurrences()).map_err(fault)?)]
            }
            _ => self.rfm_columns(purchases, &cadence)?,
        };
        let names = self.names().score(score).expect("names are resolved to scores that there are");
        let typed = |(name, values): Column| {
            let column = names.columns.iter().find(|column| column.name == name);
            let data_type = self.in_the_engine(column.expect("a score has the columns of its names").column_type);
            // Money keeps the places that it has, also where the names could not tell how many these are.
            let is_exact = matches!(data_type, DataType::Decimal128(..));
            let values =
                if is_exact { values } else { cast(&values, &data_type).map_err(muster_store::Error::from)? };
            Ok((name, Values::new(&purchases.rows, values)))
        };
        columns.into_iter().map(typed).collect()
    }

    /// The day of an instant in the workspace's zone, in days since 1970-01-01.
    pub(super) fn day(&self, instant: Timestamp) -> i32 {
        let local = DateTime::from_timestamp_micros(instant.micros()).unwrap_or_default();
        days_since_1970(local.with_timezone(&self.names().zone).date_naive())
    }

    /// The instant from which each profile is due to be won back: buyers by their purchases, others by their signs of life.
    fn due_at(
        &self,
        purchases: &OfProfiles,
        of_buyers: &Cadence,
        signs: Occurrences<'_>,
    ) -> Result<ArrayRef, muster_score::Error> {
        let multiple = self.scoring().scores.reactivation.multiple;
        let due = |occurrences: Occurrences<'_>, gaps: &[Option<f64>]| {
            due_days(occurrences, gaps, multiple, median_gap_days(gaps))
        };
        // Days of silence are not looked at, so any day will do.
        let of_others = cadence(signs, 0)?;
        let by_purchases = due(purchases.occurrences(), &of_buyers.mean_gap_days)?;
        let by_signs = due(signs, &of_others.mean_gap_days)?;
        let days = by_purchases.into_iter().zip(by_signs).map(|(by_purchases, by_sign)| by_purchases.or(by_sign));
        // Many profiles are due on one day.
        let (mut known, zone) = (std::collections::HashMap::new(), self.names().zone);
        let instant = |day: i32| {
            // A day past all calendars is none.
            let date = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(day)));
            date.map(|date| local_midnight(date, zone).micros())
        };
        let due = days.map(|day| *known.entry(day?).or_insert_with_key(|day| instant(*day)));
        Ok(Arc::new(due.collect::<TimestampMicrosecondArray>().with_timezone("UTC")))
    }

    /// Who never bought is not ranked.
    fn rfm_columns(&self, purchases: &OfProfiles, cadence: &Cadence) -> Result<Vec<Column>, Error> {
        let settings = &self.scoring().scores.rfm;
        let buyers: Vec<usize> = (0..purchases.rows.len()).filter(|place| purchases.counts[*place] > 0).collect();
        let recency: Vec<i64> =
            buyers.iter().map(|place| cadence.days_since_last[*place].unwrap_or_default()).collect();
        let frequency: Vec<i64> = buyers.iter().map(|place| purchases.counts[*place]).collect();
        let monetary: Vec<i128> = buyers.iter().map(|place| purchases.totals[*place]).collect();
        let keys = self.keys_of_rows()?;
        let key = |place: usize| keys.of(purchases.rows[buyers[place]]);
        let base = Base { recency_days: &recency, frequency: &frequency, monetary: &monetary };
        let points = Points::of(settings, purchases.scale);
        let fault = |source| Error::Score { score: super::RFM.to_owned(), source };
        let scores = rfm(base, points.method(settings), usize::from(settings.bins), key).map_err(fault)?;
        let rules = rules(settings);
        let labels: Vec<Option<usize>> = groups(&scores, &rules);
        let cells = scores.cells();
        let count = purchases.rows.len();
        let numbers = |values: &[u8]| -> ArrayRef {
            Arc::new(at::<i64, Int64Array>(&buyers, count, |place| Some(i64::from(values[place]))))
        };
        let Rfm { r, f, m } = &scores;
        Ok(vec![
            ("recency_days", Arc::new(at::<i64, Int64Array>(&buyers, count, |place| Some(recency[place])))),
            ("frequency", Arc::new(at::<i64, Int64Array>(&buyers, count, |place| Some(frequency[place])))),
            ("monetary", decimals(at(&buyers, count, |place| Some(monetary[place])), purchases.scale)),
            ("r", numbers(r)),
            ("f", numbers(f)),
            ("m", numbers(m)),
            (
                "cell",
                Arc::new(at::<String, StringViewArray>(&buyers, count, |place| Some(format!("{:03}", cells[place])))),
            ),
            (
                "label",
                Arc::new(at::<String, StringViewArray>(&buyers, count, |place| {
                    labels[place].map(|label| rules[label].label.clone())
                })),
            ),
        ])
    }

    /// The keys of profiles by the numbers of their rows.
    pub(super) fn keys_of_rows(&self) -> Result<Keys, Error> {
        let key = self.snapshot().schema(PROFILES).and_then(|schema| schema.key.clone()).ok_or(Error::NoData)?;
        let mut keys = Keys { blocks: Vec::new() };
        for block in 0..self.snapshot().block_count(PROFILES) {
            let columns = self.snapshot().scan(PROFILES, block, &[SystemColumn::Row.name(), &key])?;
            let rows = columns[0].as_primitive::<Int64Type>().values().iter().map(|row| *row as u32).collect();
            keys.blocks.push((rows, columns[1].as_string_view().clone()));
        }
        Ok(keys)
    }
}

/// Keys of profiles, block by block, in the order of their rows.
pub(super) struct Keys {
    blocks: Vec<(Vec<u32>, StringViewArray)>,
}

impl Keys {
    /// The key of a row; nothing of one that is not there.
    pub(super) fn of(&self, row: u32) -> &[u8] {
        let block = self.blocks.partition_point(|(rows, _)| rows.last().is_some_and(|last| *last < row));
        let Some((rows, keys)) = self.blocks.get(block) else { return &[] };
        rows.binary_search(&row).map_or(&[], |place| keys.value(place).as_bytes())
    }
}

impl OfProfiles {
    fn occurrences(&self) -> Occurrences<'_> {
        Occurrences { counts: &self.counts, first_days: &self.first_days, last_days: &self.last_days }
    }
}

fn cadence_columns(purchases: &OfProfiles, cadence: &Cadence) -> Result<Vec<Column>, muster_score::Error> {
    let means = mean_values(&purchases.totals, &purchases.counts)?;
    let totals = purchases.totals.iter().zip(&purchases.counts).map(|(total, count)| (*count > 0).then_some(*total));
    let Cadence { span_days, mean_gap_days, days_since_last } = cadence;
    Ok(vec![
        ("purchases", Arc::new(Int64Array::from(purchases.counts.clone()))),
        ("first_at", Arc::clone(&purchases.first_at)),
        ("last_at", Arc::clone(&purchases.last_at)),
        ("span_days", Arc::new(Int64Array::from(span_days.clone()))),
        ("mean_gap_days", Arc::new(Float64Array::from(mean_gap_days.clone()))),
        ("days_since_last", Arc::new(Int64Array::from(days_since_last.clone()))),
        ("total", decimals(totals.collect(), purchases.scale)),
        ("mean_value", decimals(means.into_iter().collect(), purchases.scale)),
    ])
}

/// One value for each of `count` profiles: what is said of those at `places`, and nothing of the others.
fn at<T, A: FromIterator<Option<T>>>(places: &[usize], count: usize, value: impl Fn(usize) -> Option<T>) -> A {
    let mut next = 0;
    let of_profile = |profile: usize| {
        let is_next = places.get(next) == Some(&profile);
        let value = if is_next { value(next) } else { None };
        next += usize::from(is_next);
        value
    };
    (0..count).map(of_profile).collect()
}

fn decimals(units: Decimal128Array, scale: i8) -> ArrayRef {
    Arc::new(units.with_precision_and_scale(38, scale).expect("a sum has 38 digits, and the scale is a sum's"))
}

pub(super) fn days_since_1970(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}

/// The cut points of money in the units of what is ranked.
struct Points {
    monetary: Vec<i128>,
}

impl Points {
    fn of(settings: &RfmSettings, scale: i8) -> Self {
        let RfmMethod::Fixed(points) = &settings.method else { return Self { monetary: Vec::new() } };
        Self { monetary: points.monetary.iter().map(|text| units(text, scale)).collect() }
    }

    fn method<'p>(&'p self, settings: &'p RfmSettings) -> Method<'p> {
        match &settings.method {
            RfmMethod::Ntile => Method::Ntile,
            RfmMethod::Quantile => Method::Quantile,
            RfmMethod::Fixed(points) => Method::Fixed(CutPoints {
                recency_days: &points.recency,
                frequency: &points.frequency,
                monetary: &self.monetary,
            }),
        }
    }
}

/// An amount in units of `10^-scale`, rounded up: whoever spent as much or more has at least so many units.
fn units(text: &str, scale: i8) -> i128 {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let places = usize::try_from(scale).unwrap_or_default();
    let (kept, beyond) = part.split_at(part.len().min(places));
    let units = format!("{whole}{kept:0<places$}").parse::<i128>().unwrap_or(i128::MAX);
    let is_more = beyond.bytes().any(|digit| digit != b'0');
    if is_negative { -units } else { units + i128::from(is_more) }
}

/// The named groups of the workspace; where it says none, those of the house, which are for five bins.
fn rules(settings: &RfmSettings) -> Vec<GroupRule> {
    let rule = |group: &muster_catalog::RfmGroup| GroupRule {
        label: group.name.clone(),
        r: group.r.clone(),
        f: group.f.clone(),
        m: group.m.clone(),
    };
    match &settings.groups {
        Some(groups) => groups.iter().map(rule).collect(),
        None if settings.bins == 5 => default_groups(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_between_two_units_is_reached_by_the_next() {
        for (text, scale, expected) in [
            ("99.95", 2, 9995),
            ("100", 2, 10_000),
            ("99.951", 2, 9996),
            ("-0.5", 0, 0),
            ("-1.5", 2, -150),
            ("7", 0, 7),
        ] {
            assert_eq!(units(text, scale), expected, "{text} at {scale}");
        }
    }
}
