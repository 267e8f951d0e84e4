//! Who is about to leave: learnt from who left a window ago and one before that, told of everybody now.
//!
//! Features are as of T, and who left is whoever has no purchase in the window after T. The model learns at the start of the
//! window before the last one, is judged at the start of the last one on who left until now, and is then applied as of now:
//! nothing that it is told of lies behind the instant at which it was known.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Float64Array, StringArray};
use muster_catalog::{Churn, Expression, Learner, Place, Timestamp};
use muster_score::binning::Characteristic;
use muster_score::boosted;
use muster_score::calibration::platt;
use muster_score::model::{LearnerSettings, Model, Settings};
use sha2::{Digest, Sha256};

use super::characteristics::{Described, Facts};
use super::churn_report::{explain, judge, labels};
use super::report::Report;
use super::{CHURN, Column, Scored};
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// Reasons that are told of each profile.
const REASONS: usize = 3;

/// From the least to the greatest danger: a fifth of the base each.
const BANDS: [&str; 5] = ["very low", "low", "medium", "high", "very high"];

/// Parts that profiles are dealt into for calibration.
const PARTS: u8 = 4;

/// Of so many a single part calibrates well, and learning once is enough.
const MANY: usize = 100_000;

/// What is known of a profile where muster.toml says nothing.
const OF_THE_HOUSE: [(&str, &str); 7] = [
    ("purchases", "cadence.purchases"),
    ("days_since_last", "cadence.days_since_last"),
    ("mean_gap_days", "cadence.mean_gap_days"),
    ("silence_in_gaps", "cadence.days_since_last / nullif(cadence.mean_gap_days, 0)"),
    ("span_days", "cadence.span_days"),
    ("mean_value", "cadence.mean_value"),
    ("total", "cadence.total"),
];

/// How the score is made, with what the house fills in.
struct Plan {
    window_days: i32,
    learner: Learner,
    base: Expression,
    characteristics: Vec<(String, Expression)>,
}

impl Plan {
    fn of(settings: &Churn) -> Self {
        let window_days = i32::from(settings.window_days);
        let own = |text: String| Expression { text, place: Place::of("the definition of the house", "", 0) };
        let base = settings.base.clone();
        let base = base.unwrap_or_else(|| own(format!("cadence.days_since_last < {}", 2 * window_days)));
        let characteristics = match settings.characteristics.is_empty() {
            true => OF_THE_HOUSE.map(|(name, text)| (name.to_owned(), own(text.to_owned()))).to_vec(),
            false => settings.characteristics.clone(),
        };
        Self { window_days, learner: settings.learner, base, characteristics }
    }

    fn described(&self) -> Described<'_> {
        Described { score: CHURN, base: &self.base, characteristics: &self.characteristics }
    }

    fn settings(&self) -> Settings {
        let learner = match self.learner {
            Learner::Logistic => Settings::default().learner,
            Learner::Boosted => LearnerSettings::Boosted(boosted::Settings::default()),
        };
        Settings { learner, ..Settings::default() }
    }
}

/// The base as of an instant, and who of it left in the window that followed.
pub(super) struct Cohort {
    as_of: Timestamp,
    pub(super) facts: Facts,
    pub(super) left: Vec<bool>,
    /// How long everybody had been silent, for comparison.
    pub(super) silence: Vec<f64>,
}

impl Cohort {
    fn left_of(&self, places: &[usize]) -> Vec<bool> {
        places.iter().map(|place| self.left[*place]).collect()
    }

    fn leavers(&self) -> usize {
        self.left.iter().filter(|left| **left).count()
    }
}

impl Evaluator<'_> {
    /// The score of everybody who can leave, as of an instant.
    pub(super) fn churn(&self, as_of: Timestamp, progress: &dyn Fn(&str)) -> Result<Scored, Error> {
        let plan = Plan::of(&self.scoring().scores.churn);
        let zone = self.names().zone;
        let windows_ago = |count: i32| as_of.stepped(0, -count * plan.window_days, zone).ok_or(Error::NoData);
        let (learnt_at, judged_at) = (windows_ago(2)?, windows_ago(1)?);
        progress("who left in the window before the last");
        let earlier = self.cohort(&plan, learnt_at, judged_at)?;
        progress("learning");
        let model = self.learnt_from(&plan, &earlier)?;
        progress("who left in the last window");
        let later = self.cohort(&plan, judged_at, as_of)?;
        progress("everybody now");
        let now = self.facts(&plan.described(), as_of, &mut vec![Item::Score(CHURN.to_owned())])?;
        let mut report = Report::default();
        self.say_data(&plan, &mut report, as_of, [&earlier, &later], &now);
        judge(&model, &later, &mut report)?;
        explain(&model, &earlier, &mut report)?;
        let (rows, columns) = applied(&model, &now)?;
        let model = written(&plan, &model, [learnt_at, judged_at, as_of].map(|instant| instant.rfc3339(zone)))?;
        Ok(Scored { rows, columns, model: Some(model), report })
    }

    /// What is wrong with its expressions.
    pub(super) fn faults_of_churn(&self, as_of: Timestamp) -> Vec<Error> {
        self.faults_of(&Plan::of(&self.scoring().scores.churn).described(), as_of)
    }

    /// Asks what it is learnt from, and keeps nothing of it.
    pub(super) fn churn_facts(&self, as_of: Timestamp, path: &mut Vec<Item>) -> Result<(), Error> {
        self.purchases(as_of, path)?;
        self.facts(&Plan::of(&self.scoring().scores.churn).described(), as_of, path).map(drop)
    }

    /// Who could leave at `from`, what was known of them then, and who bought nothing until `until`.
    fn cohort(&self, plan: &Plan, from: Timestamp, until: Timestamp) -> Result<Cohort, Error> {
        let path = &mut vec![Item::Score(CHURN.to_owned())];
        let facts = self.facts(&plan.described(), from, path)?;
        let last = |as_of: Timestamp, path: &mut Vec<Item>| -> Result<HashMap<u32, i64>, Error> {
            let purchases = self.purchases(as_of, path)?;
            let at = purchases.last_at.as_primitive::<TimestampMicrosecondType>().iter();
            Ok(purchases.rows.iter().copied().zip(at).filter_map(|(row, at)| Some((row, at?))).collect())
        };
        let (before, after) = (last(from, path)?, last(until, path)?);
        let left = facts.rows.iter().map(|row| after.get(row).is_none_or(|last| *last <= from.micros())).collect();
        let silent = |row: &u32| before.get(row).map_or(f64::MAX, |last| (from.micros() - last) as f64);
        let silence = facts.rows.iter().map(silent).collect();
        Ok(Cohort { as_of: from, facts, left, silence })
    }

    /// A model of who left, calibrated on profiles that it did not learn from.
    fn learnt_from(&self, plan: &Plan, cohort: &Cohort) -> Result<Model, Error> {
        let keys = self.keys_of_rows()?;
        // By their keys, so that who they are does not depend on the order of loading.
        let part = |row: &u32| Sha256::digest(keys.of(*row))[0] % PARTS;
        let parts: Vec<u8> = cohort.facts.rows.iter().map(part).collect();
        let of_part =
            |part: u8| -> (Vec<usize>, Vec<usize>) { (0..parts.len()).partition(|place| parts[*place] == part) };
        if cohort.left.len() >= MANY {
            let (aside, learning) = of_part(0);
            let model = fitted(plan, cohort, &learning)?;
            return cohort
                .facts
                .of(&aside)
                .with(|facts| model.calibrated(facts, &cohort.left_of(&aside)))
                .map_err(fault);
        }
        // Of few, each part is told by what learnt from the other parts, and all of them are learnt from in the end.
        let mut told = vec![0.0; cohort.left.len()];
        for part in 0..PARTS {
            let (aside, others) = of_part(part);
            let leavers = others.iter().filter(|place| cohort.left[**place]).count();
            let everybody: Vec<usize> = (0..parts.len()).collect();
            // Where only leavers or only stayers are left there is nothing else to learn from.
            let others = if leavers == 0 || leavers == others.len() { everybody } else { others };
            let model = fitted(plan, cohort, &others)?;
            let of_part = cohort.facts.of(&aside).with(|facts| model.log_odds(facts, aside.len())).map_err(fault)?;
            aside.iter().zip(of_part).for_each(|(place, log_odds)| told[*place] = log_odds);
        }
        let everybody: Vec<usize> = (0..parts.len()).collect();
        let mut model = fitted(plan, cohort, &everybody)?;
        model.calibration = platt(&told, &cohort.left).map_err(fault)?;
        Ok(model)
    }

    fn say_data(&self, plan: &Plan, report: &mut Report, as_of: Timestamp, cohorts: [&Cohort; 2], now: &Facts) {
        let instant = |instant: Timestamp| instant.rfc3339(self.names().zone);
        let [earlier, later] = cohorts;
        let left = |cohort: &Cohort| format!("{} of {} left", cohort.leavers(), cohort.left.len());
        report.fact("as of", instant(as_of));
        report.fact("left means", format!("no purchase within {} days", plan.window_days));
        report.fact("base", &plan.base.text);
        report.fact("learner", plan.learner.word());
        report.fact("learnt at", format!("{}: {}", instant(earlier.as_of), left(earlier)));
        report.fact("judged at", format!("{}: {}", instant(later.as_of), left(later)));
        report.fact("scored now", now.rows.len());
    }
}

/// A model of some of the cohort, not calibrated yet.
fn fitted(plan: &Plan, cohort: &Cohort, places: &[usize]) -> Result<Model, Error> {
    let left = cohort.left_of(places);
    cohort.facts.of(places).with(|facts| Model::fit(facts, &left, plan.settings())).map_err(fault)
}

pub(super) fn fault(source: muster_score::Error) -> Error {
    Error::Score { score: CHURN.to_owned(), source }
}

/// Score, band and reasons of the base, by the numbers of rows.
fn applied(model: &Model, now: &Facts) -> Result<(Vec<u32>, Vec<Column>), Error> {
    let count = now.rows.len();
    let told = now.with(|facts| model.probabilities(facts, count)).map_err(fault)?;
    let reasons = now.with(|facts| reasons(model, facts, count))?;
    let bands = bands(&told);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_unstable_by_key(|place| now.rows[*place]);
    let scores: Float64Array = order.iter().map(|place| Some(told[*place])).collect();
    let bands: StringArray = order.iter().map(|place| Some(BANDS[bands[*place]])).collect();
    let reasons: StringArray = order.iter().map(|place| Some(&reasons[*place])).collect();
    let columns: Vec<Column> =
        vec![("score", Arc::new(scores)), ("band", Arc::new(bands)), ("reasons", Arc::new(reasons))];
    Ok((order.into_iter().map(|place| now.rows[place]).collect(), columns))
}

/// The fifth that each score is in; equal scores are in one, the lowest that any of them reaches.
fn bands(told: &[f64]) -> Vec<usize> {
    let mut sorted = told.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let below = |score: &f64| sorted.partition_point(|other| other < score);
    told.iter().map(|score| below(score) * BANDS.len() / told.len().max(1)).collect()
}

/// What sets each profile apart most: by how much a characteristic moves its log-odds away from the mean of the base, to the
/// side on which the profile stands.
fn reasons(model: &Model, facts: &[Characteristic<'_>], count: usize) -> Result<Vec<String>, Error> {
    let added = model.contributions(facts, count).map_err(fault)?;
    let means: Vec<f64> = added.columns.iter().map(|column| column.iter().sum::<f64>() / count.max(1) as f64).collect();
    let bins = model.characteristics.iter().zip(facts);
    let bins: Vec<(Vec<u32>, Vec<String>)> = bins
        .map(|(weighed, facts)| Ok((weighed.binning.codes(*facts).map_err(fault)?, labels(&weighed.binning))))
        .collect::<Result<_, Error>>()?;
    let of = |row: usize| {
        let mut moved: Vec<(usize, f64)> =
            added.columns.iter().zip(&means).map(|(column, mean)| column[row] - mean).enumerate().collect();
        let side = moved.iter().map(|(_, by)| by).sum::<f64>().signum();
        moved.sort_by(|one, other| (side * other.1).total_cmp(&(side * one.1)).then(one.0.cmp(&other.0)));
        let told = moved.iter().filter(|(_, by)| side * by >= 0.005).take(REASONS).map(|(place, by)| {
            let (codes, labels) = &bins[*place];
            format!("{} {}: {by:+.2}", model.characteristics[*place].name, labels[codes[row] as usize])
        });
        told.collect::<Vec<_>>().join("; ")
    };
    Ok((0..count).map(of).collect())
}

/// The model as a text that says what it is a model of.
fn written(plan: &Plan, model: &Model, instants: [String; 3]) -> Result<String, Error> {
    let [learnt_at, judged_at, applied_at] = instants;
    let parts: serde_json::Value =
        serde_json::from_str(&model.to_json().map_err(fault)?).expect("a model's text is JSON");
    let characteristics: Vec<serde_json::Value> = plan
        .characteristics
        .iter()
        .map(|(name, expression)| serde_json::json!({ "name": name, "expression": expression.text }))
        .collect();
    let whole = serde_json::json!({
        "score": CHURN,
        "window_days": plan.window_days,
        "base": plan.base.text,
        "learner": plan.learner.word(),
        "learnt_at": learnt_at,
        "judged_at": judged_at,
        "applied_at": applied_at,
        "expressions": characteristics,
        "model": parts,
    });
    Ok(serde_json::to_string_pretty(&whole).expect("what was JSON is JSON"))
}
