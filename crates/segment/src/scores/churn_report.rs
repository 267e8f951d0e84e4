//! What the score of leavers says of itself: how good it was on a window that it knew nothing of, and what speaks in it.

use muster_score::binning::Binning;
use muster_score::evidence::{CategoryEvidence, Coded, counts, evidence};
use muster_score::model::{Model, Settings};
use muster_score::quality::{Interval, Quality, auc, quality};

use super::churn::{Cohort, fault};
use super::report::{Chart, Report, per_cent};
use crate::Error;

/// Characteristics of which the evidence is drawn.
const DRAWN: usize = 6;

/// How good the model was on the later window, beside silence alone.
pub(super) fn judge(model: &Model, later: &Cohort, report: &mut Report) -> Result<(), Error> {
    let told = later.facts.with(|facts| model.probabilities(facts, later.left.len())).map_err(fault)?;
    let found = match quality(&told, &later.left) {
        Ok(found) => found,
        Err(error) => {
            report.remark(format!("Not judged: in the last window there were {error}."));
            return Ok(());
        }
    };
    let silence = auc(&later.silence, &later.left).map_err(fault)?;
    let line = |name: &str, auc: Interval, more: [String; 3]| {
        let [log_loss, brier, calibration] = more;
        let interval = format!("{:.4} to {:.4}", auc.low, auc.high);
        [name.to_owned(), format!("{:.4}", auc.estimate), interval, log_loss, brier, calibration]
    };
    let Quality { log_loss, brier, calibration_error, .. } = found;
    let figures = [log_loss, brier, calibration_error].map(|figure| format!("{figure:.4}"));
    report.table(
        "Quality on the last window, of which the model knew nothing",
        ["", "AUC", "95 of 100", "log loss", "Brier", "calibration error"],
        vec![line("churn.score", found.auc, figures), line("days of silence alone", silence, Default::default())],
    );
    if found.auc.estimate <= silence.estimate {
        report.remark("Days of silence alone tell the leavers as well as this model does.");
    }
    deciles(&found, report);
    Ok(())
}

fn deciles(found: &Quality, report: &mut Report) {
    let rows = found.deciles.iter().enumerate().map(|(place, decile)| {
        let shares = [decile.mean_probability, decile.leaver_share].map(per_cent);
        let [told, left] = shares;
        [(place + 1).to_string(), decile.rows.to_string(), told, left, format!("{:.2}", decile.lift)]
    });
    report.table(
        "Tenths of the base, the most endangered first",
        ["", "profiles", "told", "left", "lift"],
        rows.collect(),
    );
    let (mut seen, mut reached) = (0, 0.0);
    let mut gains = vec![(0.0, 0.0)];
    for decile in &found.deciles {
        seen += decile.rows;
        reached += decile.leavers;
        gains.push((seen as f64 / found.rows as f64, reached / found.leavers as f64));
    }
    report.charts.push(Chart::Lines {
        title: "Who is reached".to_owned(),
        across: "share of the base, the most endangered first".to_owned(),
        up: "share of the leavers".to_owned(),
        lines: vec![("churn.score".to_owned(), gains), ("by chance".to_owned(), vec![(0.0, 0.0), (1.0, 1.0)])],
    });
    let mut told: Vec<(f64, f64)> =
        found.deciles.iter().map(|decile| (decile.mean_probability, decile.leaver_share)).collect();
    told.sort_by(|one, other| one.0.total_cmp(&other.0));
    report.charts.push(Chart::Lines {
        title: "Whether it can be taken at its word".to_owned(),
        across: "told".to_owned(),
        up: "left".to_owned(),
        lines: vec![("churn.score".to_owned(), told), ("exactly as told".to_owned(), vec![(0.0, 0.0), (1.0, 1.0)])],
    });
}

/// What each characteristic says of the leavers on its own, the most telling first.
pub(super) fn explain(model: &Model, cohort: &Cohort, report: &mut Report) -> Result<(), Error> {
    let smoothing = Settings::default().binning.smoothing;
    let weighed = model.characteristics.iter().enumerate().map(|(place, weighed)| {
        let codes = cohort.facts.with(|facts| weighed.binning.codes(facts[place])).map_err(fault)?;
        let coded = Coded { name: &weighed.name, codes: &codes, categories: weighed.binning.bins() };
        let counted = counts(&[coded], &cohort.left).map_err(fault)?;
        Ok((weighed, evidence(&counted[0], smoothing).map_err(fault)?))
    });
    let mut weighed = weighed.collect::<Result<Vec<_>, Error>>()?;
    weighed.sort_by(|one, other| other.1.information_value.total_cmp(&one.1.information_value));
    let mut rows = Vec::new();
    for (rank, (weighed, found)) in weighed.into_iter().enumerate() {
        let labels = labels(&weighed.binning);
        let seen = || found.categories.iter().zip(&labels).filter(|(bin, _)| bin.leavers + bin.stayers > 0);
        rows.extend(seen().map(|(bin, label)| evidence_line(&weighed.name, found.information_value, bin, label)));
        if rank < DRAWN {
            let bars = seen().map(|(bin, label)| (label.clone(), bin.woe.unwrap_or_default())).collect();
            report.charts.push(Chart::Bars { title: format!("Evidence of {}", weighed.name), bars });
        }
    }
    let header = ["characteristic", "information", "bin", "profiles", "left", "index", "evidence", "z"];
    report.table("What speaks for leaving, when it was learnt", header, rows);
    Ok(())
}

fn evidence_line(name: &str, information: f64, bin: &CategoryEvidence, label: &str) -> [String; 8] {
    let all = bin.leavers + bin.stayers;
    let optional =
        |figure: Option<f64>, digits: usize| figure.map_or_else(String::new, |figure| format!("{figure:.digits$}"));
    [
        name.to_owned(),
        format!("{information:.4}"),
        label.to_owned(),
        all.to_string(),
        per_cent(bin.leavers as f64 / all as f64),
        optional(bin.index, 0),
        optional(bin.woe, 4),
        optional(bin.z, 2),
    ]
}

/// How people call the bins of a characteristic.
pub(super) fn labels(binning: &Binning) -> Vec<String> {
    let known: Vec<String> = match binning {
        Binning::Numbers { up_to } => {
            let number = |number: &f64| {
                let rounded = format!("{number:.2}");
                rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
            };
            match up_to.as_slice() {
                [] => vec!["any".to_owned()],
                points => {
                    let first = format!("up to {}", number(&points[0]));
                    let between = points.windows(2).map(|ends| format!("{} to {}", number(&ends[0]), number(&ends[1])));
                    let last = format!("above {}", number(&points[points.len() - 1]));
                    std::iter::once(first).chain(between).chain([last]).collect()
                }
            }
        }
        Binning::Categories { kept } => kept.iter().cloned().chain(["another".to_owned()]).collect(),
    };
    known.into_iter().chain(["not known".to_owned()]).collect()
}
