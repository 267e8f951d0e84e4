//! Who is still a customer, how often they will buy and for how much: BG/NBD and Gamma-Gamma over everybody's purchases.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array};
use muster_catalog::Timestamp;
use muster_score::alive::{self, BgNbd, Histories, History};
use muster_score::spend::{self, GammaGamma, Spending};

use super::bought::Bought;
use super::report::{Chart, Report};
use super::{ALIVE, Column, Scored};
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// The unit of time of the models.
const DAYS_OF_A_WEEK: f64 = 7.0;

/// Shades of the drawing of who is alive: so many parts of repeats and of silence.
const SHADES: usize = 8;

/// The buyers as the models see them; purchases of one day are one.
struct Buyers {
    /// The rows of their profiles.
    rows: Vec<u32>,
    histories: Vec<History>,
    /// Of the purchases after the first.
    spendings: Vec<Spending>,
}

impl Buyers {
    /// Those who bought by a day, as they stand on that day.
    fn by(bought: &Bought, today: i32) -> Self {
        let mut buyers = Self { rows: Vec::new(), histories: Vec::new(), spendings: Vec::new() };
        let unit = 10_f64.powi(i32::from(bought.scale));
        for (profile, row) in bought.profiles.iter().enumerate() {
            let purchases = bought.of(profile);
            let days = &bought.days[purchases.clone()];
            let Some(first) = days.first() else { continue };
            let later = purchases.filter(|purchase| bought.days[*purchase] > *first);
            let spent: i128 = later.map(|purchase| bought.values[purchase]).sum();
            let repeats = days.windows(2).filter(|pair| pair[0] < pair[1]).count() as u32;
            let weeks = |day: i32| f64::from(day - first) / DAYS_OF_A_WEEK;
            let last = days[days.len() - 1];
            buyers.rows.push(*row);
            buyers.histories.push(History { repeats, last: weeks(last), age: weeks(today) });
            let mean = if repeats == 0 { 0.0 } else { spent as f64 / unit / f64::from(repeats) };
            buyers.spendings.push(Spending { purchases: repeats, mean });
        }
        buyers
    }
}

impl Evaluator<'_> {
    /// Who is alive as of an instant.
    pub(super) fn alive(&self, as_of: Timestamp, progress: &dyn Fn(&str)) -> Result<Scored, Error> {
        let horizon_days = self.scoring().scores.alive.horizon_days;
        let horizon = f64::from(horizon_days) / DAYS_OF_A_WEEK;
        let path = &mut vec![Item::Score(ALIVE.to_owned())];
        progress("everybody's purchases");
        let bought = self.bought(as_of, path)?;
        let today = self.day(as_of);
        let buyers = Buyers::by(&bought, today);
        progress("fitting");
        let histories = Histories::of(&buyers.histories).map_err(fault)?;
        let fit = alive::fit(&histories).map_err(fault)?;
        let spent = spend::fit(&buyers.spendings);
        let mut report = Report::default();
        report.fact("as of", as_of.rfc3339(self.names().zone));
        report.fact("buyers", buyers.rows.len());
        report.fact("who bought again", buyers.histories.iter().filter(|history| history.repeats > 0).count());
        report.fact("different histories", histories.distinct.len());
        let BgNbd { r, alpha, a, b } = fit.model;
        report.fact("BG/NBD", format!("r {r:.4}, alpha {alpha:.4}, a {a:.4}, b {b:.4}, in weeks"));
        report.fact("log-likelihood", format!("{:.4}", fit.log_likelihood));
        let worth = match &spent {
            Ok(spend::Fit { model, customers, .. }) => {
                let GammaGamma { p, q, v } = model;
                report.fact("Gamma-Gamma", format!("p {p:.4}, q {q:.4}, v {v:.4}, of {customers} profiles"));
                Some(model)
            }
            Err(error) => {
                report.remark(format!("expected_value is not known: {error}."));
                None
            }
        };
        match self.look_back(as_of, horizon_days, path, &mut report) {
            // What an expression names was not there yet.
            Err(error @ Error::NotScored { .. }) => report.remark(format!("Not judged: {error}.")),
            judged => judged?,
        }
        report.charts.push(shades(&fit.model, &buyers));
        let columns = columns(&fit.model, worth, &buyers, &histories, horizon);
        let model = serde_json::json!({
            "score": ALIVE,
            "version": muster_score::model::VERSION,
            "as_of": as_of.rfc3339(self.names().zone),
            "unit": "week",
            "horizon_days": horizon_days,
            "bg_nbd": { "r": r, "alpha": alpha, "a": a, "b": b, "log_likelihood": fit.log_likelihood },
            "gamma_gamma": worth.map(|GammaGamma { p, q, v }| serde_json::json!({ "p": p, "q": q, "v": v })),
        });
        let model = serde_json::to_string_pretty(&model).expect("numbers have a text");
        Ok(Scored { rows: buyers.rows, columns, model: Some(model), report })
    }

    /// How well the purchases of the last horizon would have been told at its start, beside everybody's own rate.
    fn look_back(
        &self,
        as_of: Timestamp,
        horizon_days: u16,
        path: &mut Vec<Item>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let days = i32::from(horizon_days);
        let Some(then) = as_of.stepped(0, -days, self.names().zone) else { return Ok(()) };
        let buyers = Buyers::by(&self.bought(then, path)?, self.day(then));
        let fitted = Histories::of(&buyers.histories).and_then(|histories| alive::fit(&histories));
        let Ok(fit) = fitted else {
            report.remark(format!("Not judged: {days} days before there were too few purchases for a model."));
            return Ok(());
        };
        let came = self.bought(as_of, path)?;
        let later = came.profiles.iter().enumerate().map(|(profile, row)| {
            let since = came.of(profile).filter(|purchase| came.at[*purchase] > then.micros());
            let mut days: Vec<i32> = since.map(|purchase| came.days[purchase]).collect();
            days.dedup();
            (*row, days.len() as f64)
        });
        let later: std::collections::HashMap<u32, f64> = later.collect();
        let horizon = f64::from(days) / DAYS_OF_A_WEEK;
        let told: Vec<f64> =
            buyers.histories.iter().map(|history| fit.model.expected_further(history, horizon)).collect();
        let own_rate = |history: &History| match history.age > 0.0 {
            true => f64::from(history.repeats) / history.age * horizon,
            false => 0.0,
        };
        let rates: Vec<f64> = buyers.histories.iter().map(own_rate).collect();
        let bought: Vec<f64> = buyers.rows.iter().map(|row| later.get(row).copied().unwrap_or_default()).collect();
        let line = |name: &str, told: &[f64]| {
            let off: f64 = told.iter().zip(&bought).map(|(told, bought)| (told - bought).abs()).sum();
            [
                name.to_owned(),
                format!("{:.1}", told.iter().sum::<f64>()),
                format!("{:.0}", bought.iter().sum::<f64>()),
                correlation(told, &bought).map_or_else(String::new, |correlation| format!("{correlation:.4}")),
                format!("{:.4}", off / bought.len().max(1) as f64),
            ]
        };
        report.table(
            &format!("Days with a purchase in the last {days} days, told before them"),
            ["", "told", "bought", "correlation", "mean error"],
            vec![line("alive.expected_purchases", &told), line("everybody's own rate", &rates)],
        );
        let error =
            |told: &[f64]| -> f64 { told.iter().zip(&bought).map(|(told, bought)| (told - bought).abs()).sum() };
        if error(&told) > error(&rates) {
            report.remark("Everybody's own rate told the last purchases better than this model did.");
        }
        Ok(())
    }
}

fn fault(source: muster_score::Error) -> Error {
    Error::Score { score: ALIVE.to_owned(), source }
}

fn columns(
    model: &BgNbd,
    worth: Option<&GammaGamma>,
    buyers: &Buyers,
    histories: &Histories,
    horizon: f64,
) -> Vec<Column> {
    let told = histories.each(|history| [model.p_alive(history), model.expected_further(history, horizon)]);
    let values = told.iter().zip(&buyers.spendings).map(|([_, purchases], spending)| {
        worth.and_then(|worth| worth.expected_value(spending)).map(|mean| purchases * mean)
    });
    let values: Float64Array = values.collect();
    let column =
        |place: usize| -> ArrayRef { Arc::new(told.iter().map(|told| Some(told[place])).collect::<Float64Array>()) };
    vec![("p_alive", column(0)), ("expected_purchases", column(1)), ("expected_value", Arc::new(values))]
}

/// Pearson's correlation; `None` where one of both does not vary.
fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let count = one.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (mean_one, mean_other) = (mean(one), mean(other));
    let (mut both, mut squares, mut other_squares) = (0.0, 0.0, 0.0);
    for (one, other) in one.iter().zip(other) {
        both += (one - mean_one) * (other - mean_other);
        squares += (one - mean_one).powi(2);
        other_squares += (other - mean_other).powi(2);
    }
    (squares > 0.0 && other_squares > 0.0).then(|| both / (squares * other_squares).sqrt())
}

/// How many profiles are probably alive, by how often they came back and how probable it is.
fn shades(model: &BgNbd, buyers: &Buyers) -> Chart {
    let mut cells = vec![vec![0; SHADES]; SHADES];
    for history in &buyers.histories {
        let shade = ((model.p_alive(history) * SHADES as f64) as usize).min(SHADES - 1);
        cells[(history.repeats as usize).min(SHADES - 1)][shade] += 1;
    }
    let part = |part: usize| format!("{:.0} %", part as f64 * 100.0 / SHADES as f64);
    let repeats = |count: usize| if count + 1 == SHADES { format!("{count} or more") } else { count.to_string() };
    Chart::Grid {
        title: "Profiles by how often they came back and whether they are alive".to_owned(),
        across: ("probably alive, from".to_owned(), (0..SHADES).map(part).collect()),
        down: ("came back".to_owned(), (0..SHADES).map(repeats).collect()),
        cells,
    }
}
