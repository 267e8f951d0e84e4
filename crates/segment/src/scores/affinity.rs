//! What is bought together: pairs of items, or longer rules, from baskets or from what profiles bought in a window.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use muster_catalog::{Affinity, Basket, Timestamp};
use muster_language::{AFFINITY_COLUMNS, hidden};
use muster_score::affinity::pairs;
use muster_score::baskets::Baskets;
use muster_score::itemsets::{Wanted, itemsets};
use muster_score::rules::{Measures, rules};

use super::lines::{ItemsOf, Lines};
use super::report::Report;
use super::{Column, Scored, name_of_affinity};
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// More rules are nothing that anybody reads: those in fewest baskets are left out, and that is said.
const MOST_RULES: usize = 5_000_000;

/// Between the items of a rule's left side.
const AND: &str = " + ";

/// What leads to what, and how sure that is.
struct Rule {
    item: String,
    other: String,
    measures: Measures,
}

struct Rules {
    found: Vec<Rule>,
    is_truncated: bool,
}

impl Evaluator<'_> {
    /// What is bought together as of an instant.
    pub(super) fn affinity(
        &self,
        settings: &Affinity,
        as_of: Timestamp,
        progress: &dyn Fn(&str),
    ) -> Result<Scored, Error> {
        let score = name_of_affinity(&settings.name);
        let path = &mut vec![Item::Score(score.clone())];
        progress("everybody's purchases, item by item");
        let bought = self.bought(as_of, path)?;
        let lines = self.lines(&items_of(settings, &score), &bought, as_of, path)?;
        let since = settings.window_days.and_then(|days| as_of.stepped(0, -i32::from(days), self.names().zone));
        let (offsets, codes) = baskets(&lines, settings.basket, since);
        progress("what is bought together");
        let fault = |source| Error::Score { score: score.clone(), source };
        let held = Baskets::new(&offsets, &codes, lines.items.len()).map_err(fault)?;
        let mut rules =
            if settings.longest == 2 { by_pairs(settings, &held, &lines) } else { by_sets(settings, &held, &lines) };
        if rules.found.len() > MOST_RULES {
            rules.found.sort_by_key(|rule| Reverse(rule.measures.count));
            rules.found.truncate(MOST_RULES);
            rules.is_truncated = true;
        }
        // By what leads to it, the most telling first.
        rules.found.sort_by(|one, other| {
            let by_lift = || other.measures.lift.total_cmp(&one.measures.lift);
            one.item.cmp(&other.item).then_with(by_lift).then_with(|| one.other.cmp(&other.other))
        });
        let report = self.affinities_reported(settings, as_of, &held, &lines, &rules);
        let rows = (0..rules.found.len() as u32).collect();
        Ok(Scored { rows, columns: columns(&rules.found), model: None, report })
    }

    /// What is wrong with the expressions of what is bought together.
    pub(super) fn faults_of_affinities(&self, as_of: Timestamp) -> Vec<Error> {
        let affinities = self.scoring().scores.affinities.iter();
        let faults =
            |settings: &Affinity| self.faults_of_items(&items_of(settings, &name_of_affinity(&settings.name)), as_of);
        affinities.flat_map(faults).collect()
    }

    /// The tables of what is bought together that were computed by an instant, under the names that printed SQL gives them.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn affinity_tables(&self, as_of: Timestamp) -> Result<Vec<(String, RecordBatch)>, Error> {
        let mut tables = Vec::new();
        for name in &self.names().affinities {
            match self.affinity_rows(name, as_of) {
                Ok(rows) => tables.push((hidden::affinity(name), rows)),
                Err(Error::NotScored { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(tables)
    }

    /// The newest table that is not of a later instant.
    pub(crate) fn affinity_rows(&self, name: &str, as_of: Timestamp) -> Result<RecordBatch, Error> {
        let score = name_of_affinity(name);
        let instant = || as_of.rfc3339(self.names().zone);
        let not_scored = || Error::NotScored { score: score.clone(), instant: instant() };
        let as_of = self.kept().instant_of_score(&score, as_of)?.ok_or_else(not_scored)?;
        self.refuse_what_masks_hide(&score, as_of)?;
        let column = |(name, column_type): (&str, muster_catalog::ColumnType)| {
            let (_, values) = self.kept().score(&score, as_of, name)?;
            let values = arrow_cast::cast(&values, &column_type.arrow()).map_err(muster_store::Error::from)?;
            Ok((Field::new(name, column_type.arrow(), false), values))
        };
        let columns = AFFINITY_COLUMNS.into_iter().map(column).collect::<Result<Vec<_>, Error>>()?;
        let (fields, values): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), values).map_err(muster_store::Error::from)?)
    }

    fn affinities_reported(
        &self,
        settings: &Affinity,
        as_of: Timestamp,
        baskets: &Baskets<'_>,
        lines: &Lines,
        rules: &Rules,
    ) -> Report {
        let mut report = Report::default();
        report.fact("as of", as_of.rfc3339(self.names().zone));
        let basket = match settings.basket {
            Basket::Purchase => "a purchase",
            Basket::Profile => "what a profile bought",
        };
        let window = settings.window_days.map(|days| format!(" in the last {days} days")).unwrap_or_default();
        report.fact("a basket is", format!("{basket}{window}"));
        report.fact("baskets", baskets.len());
        report.fact("items", lines.items.len());
        report.fact("lines without an item", lines.without_item);
        report.fact("together in at least", format!("{} baskets", settings.least_baskets));
        report.fact("items of a rule at most", settings.longest);
        report.fact("rules", rules.found.len());
        if rules.is_truncated {
            report.remark("Truncated: there are more rules; ask for more baskets, or for shorter rules.");
        }
        let mut telling: Vec<&Rule> = rules.found.iter().collect();
        telling.sort_by(|one, other| {
            let by_names = || (&one.item, &one.other).cmp(&(&other.item, &other.other));
            other.measures.leverage.total_cmp(&one.measures.leverage).then_with(by_names)
        });
        let rows = telling.into_iter().take(20).map(|Rule { item, other, measures }| {
            let Measures { count, support, confidence, lift, leverage } = measures;
            [
                item.clone(),
                other.clone(),
                count.to_string(),
                format!("{support:.4}"),
                format!("{confidence:.4}"),
                format!("{lift:.2}"),
                format!("{leverage:.5}"),
            ]
        });
        let header = ["item", "other", "count", "support", "confidence", "lift", "leverage"];
        report.table("Farthest beyond chance", header, rows.collect());
        report
    }
}

fn items_of<'i>(settings: &'i Affinity, score: &'i str) -> ItemsOf<'i> {
    ItemsOf { score, table: &settings.table, item: &settings.item, when: settings.when.as_ref() }
}

/// The items of each basket, of lines since an instant whose item may be in one.
fn baskets(lines: &Lines, basket: Basket, since: Option<Timestamp>) -> (Vec<usize>, Vec<u32>) {
    let since = since.map_or(i64::MIN, Timestamp::micros);
    let (mut offsets, mut codes, mut last) = (vec![0], Vec::new(), None);
    for (profile, ends) in lines.offsets.windows(2).enumerate() {
        for line in (ends[0]..ends[1]).filter(|line| lines.at[*line] > since) {
            let code = lines.codes[line];
            if !lines.may[code as usize] {
                continue;
            }
            let own = match basket {
                Basket::Purchase => lines.purchases[line] as usize,
                Basket::Profile => profile,
            };
            if last.is_some_and(|last| last != own) {
                offsets.push(codes.len());
            }
            last = Some(own);
            codes.push(code);
        }
    }
    if last.is_some() {
        offsets.push(codes.len());
    }
    (offsets, codes)
}

fn by_pairs(settings: &Affinity, baskets: &Baskets<'_>, lines: &Lines) -> Rules {
    let text = |item: u32| lines.items[item as usize].clone();
    let found = pairs(baskets, settings.least_baskets);
    let sure = found.ordered().filter(|affinity| affinity.measures.confidence >= settings.least_confidence);
    let rule = |found: muster_score::affinity::Affinity| Rule {
        item: text(found.item),
        other: text(found.other),
        measures: found.measures,
    };
    Rules { found: sure.map(rule).collect(), is_truncated: false }
}

fn by_sets(settings: &Affinity, baskets: &Baskets<'_>, lines: &Lines) -> Rules {
    let text = |item: &u32| lines.items[*item as usize].as_str();
    let wanted =
        Wanted { least_count: settings.least_baskets, longest: usize::from(settings.longest), most: MOST_RULES };
    let sets = itemsets(baskets, &wanted);
    let found = rules(&sets, settings.least_confidence).into_iter().map(|rule| {
        let left: Vec<&str> = rule.left.iter().map(text).collect();
        Rule { item: left.join(AND), other: text(&rule.right).to_owned(), measures: rule.measures }
    });
    Rules { found: found.collect(), is_truncated: sets.truncated }
}

fn columns(rules: &[Rule]) -> Vec<Column> {
    let text = |of: &dyn Fn(&Rule) -> &str| -> ArrayRef {
        Arc::new(rules.iter().map(|rule| Some(of(rule))).collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Measures) -> f64| -> ArrayRef {
        Arc::new(rules.iter().map(|rule| Some(of(&rule.measures))).collect::<Float64Array>())
    };
    let count: Int64Array = rules.iter().map(|rule| Some(i64::from(rule.measures.count))).collect();
    vec![
        ("item", text(&|rule| &rule.item)),
        ("other", text(&|rule| &rule.other)),
        ("count", Arc::new(count)),
        ("support", number(&|measures| measures.support)),
        ("confidence", number(&|measures| measures.confidence)),
        ("lift", number(&|measures| measures.lift)),
        ("leverage", number(&|measures| measures.leverage)),
    ]
}
