//! What was bought: the items of purchases, as the expressions of muster.toml call them.

use std::collections::{BTreeMap, HashMap};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_cast::cast;
use arrow_schema::DataType;
use muster_catalog::{Expression, Timestamp};
use muster_store::SystemColumn;

use super::bought::{Bought, NOBODY, check, fault, numbers, places, question};
use crate::describe::quoted;
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// What an item is, for a score.
pub(super) struct ItemsOf<'i> {
    pub(super) score: &'i str,
    /// The table whose rows are single items: that of the purchases, or one below it.
    pub(super) table: &'i str,
    pub(super) item: &'i Expression,
    /// What a row says of its item.
    pub(super) when: Option<&'i Expression>,
}

/// Lines of purchases in the order of profiles and time.
pub(super) struct Lines {
    /// The profile at place p bought the lines from `offsets[p]` to `offsets[p + 1]`.
    pub(super) offsets: Vec<usize>,
    /// The place of the purchase of each.
    pub(super) purchases: Vec<u32>,
    /// The item of each, by its place in `items`.
    pub(super) codes: Vec<u32>,
    pub(super) days: Vec<i32>,
    pub(super) at: Vec<i64>,
    /// Every item that there is, bytewise sorted.
    pub(super) items: Vec<String>,
    /// Of each item whether any of its lines met the condition.
    pub(super) may: Vec<bool>,
    /// Lines that are left out, since they have no item.
    pub(super) without_item: usize,
}

impl Evaluator<'_> {
    /// The items of purchases, profile by profile.
    pub(super) fn lines(
        &self,
        of: &ItemsOf<'_>,
        bought: &Bought,
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Lines, Error> {
        let of_purchases = &self.scoring().purchases.as_ref().expect("items are of purchases").table;
        if let Some(fault) = self.faults_of_items(of, as_of).into_iter().next() {
            return Err(fault);
        }
        let when = of.when.map_or("TRUE", |when| &when.text);
        let may = format!("CASE WHEN ({when}) THEN TRUE ELSE FALSE END");
        let text = format!("SELECT ({}) AS item, {may} AS may FROM {}", of.item.text, quoted(of.table));
        let faulty = |error| fault(of.score, of.item, error);
        let asked = question(&text).map_err(faulty)?;
        let answer = self.rows_and_values(&asked, as_of, path, faulty)?;
        let above = match of.table == *of_purchases {
            true => None,
            false => Some(self.owners_of_rows(of.table, SystemColumn::Parent)?),
        };
        let purchase_of = places(&bought.rows);
        let (mut known, mut may, mut found, mut without_item) = (HashMap::new(), Vec::new(), Vec::new(), 0);
        for batch in &answer.batches {
            let texts = cast(batch.column(1), &DataType::Utf8View).map_err(muster_store::Error::from)?;
            let (texts, allowed) = (texts.as_string_view(), batch.column(2).as_boolean());
            for (at, row) in numbers(batch).enumerate() {
                let row = above.as_ref().map_or(Some(row), |above| above.get(row as usize).copied());
                let purchase = row.and_then(|row| purchase_of.get(row as usize)).copied();
                let Some(purchase) = purchase.filter(|purchase| *purchase != NOBODY) else { continue };
                if texts.is_null(at) {
                    without_item += 1;
                    continue;
                }
                let text = texts.value(at);
                let code = match known.get(text) {
                    Some(code) => *code,
                    None => {
                        let next = known.len() as u32;
                        known.insert(text.to_owned(), next);
                        may.push(false);
                        next
                    }
                };
                may[code as usize] |= allowed.is_valid(at) && allowed.value(at);
                found.push((purchase, code));
            }
        }
        let (items, renumbered) = sorted(known);
        found.iter_mut().for_each(|(_, code)| *code = renumbered[*code as usize]);
        // Equal codes of one purchase in any order are the same.
        found.sort_unstable();
        let end_of = |purchases: &usize| found.partition_point(|(purchase, _)| (*purchase as usize) < *purchases);
        Ok(Lines {
            offsets: bought.offsets.iter().map(end_of).collect(),
            purchases: found.iter().map(|(purchase, _)| *purchase).collect(),
            codes: found.iter().map(|(_, code)| *code).collect(),
            days: found.iter().map(|(purchase, _)| bought.days[*purchase as usize]).collect(),
            at: found.iter().map(|(purchase, _)| bought.at[*purchase as usize]).collect(),
            may: in_order(&renumbered, &may),
            items,
            without_item,
        })
    }

    /// What is wrong with the expressions of items, each by itself.
    pub(super) fn faults_of_items(&self, of: &ItemsOf<'_>, as_of: Timestamp) -> Vec<Error> {
        let alone = |(expression, text): (&Expression, String)| {
            check(of.score, expression).err().or_else(|| self.fault_of(of.score, expression, &text, as_of))
        };
        let item = (of.item, format!("SELECT ({}) AS value FROM {}", of.item.text, quoted(of.table)));
        let condition = |when: &str| format!("SELECT 1 AS one FROM {} WHERE {when}", quoted(of.table));
        let when = of.when.map(|when| (when, condition(&when.text)));
        std::iter::once(item).chain(when).filter_map(alone).collect()
    }
}

/// The texts in bytewise order, and for each old code the new one.
fn sorted(known: HashMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let sorted: BTreeMap<String, u32> = known.into_iter().collect();
    let mut renumbered = vec![0; sorted.len()];
    sorted.values().zip(0..).for_each(|(old, new)| renumbered[*old as usize] = new);
    (sorted.into_keys().collect(), renumbered)
}

fn in_order(renumbered: &[u32], values: &[bool]) -> Vec<bool> {
    let mut moved = vec![false; values.len()];
    renumbered.iter().zip(values).for_each(|(new, value)| moved[*new as usize] = *value);
    moved
}
