//! Signs of life of who never bought: visits, and clicks on messages. Whoever shows some, and then none for long, is to be won
//! like a buyer who stays away.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use muster_catalog::Timestamp;
use muster_score::cadence::Gathered;

use super::bought::{NOBODY, numbers, places, question};
use super::purchases::{OfProfiles, time_of_rows};
use crate::describe::quoted;
use crate::evaluator::Evaluator;
use crate::{Error, Item};

impl Evaluator<'_> {
    /// What is known as of an instant of those without a purchase, at the places that they have among all; nothing of buyers.
    pub(super) fn signs(
        &self,
        purchases: &OfProfiles,
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Gathered, Error> {
        let prospects: Vec<usize> = (0..purchases.rows.len()).filter(|place| purchases.counts[*place] == 0).collect();
        let rows: Vec<u32> = prospects.iter().map(|place| purchases.rows[*place]).collect();
        let mut signs = Gathered::nothing(purchases.rows.len());
        for table in &self.scoring().scores.reactivation.visits {
            self.add_visits(&mut signs, (&rows, &prospects), table, as_of, path)?;
        }
        if let Some(clicks) = self.own_clicks(&rows, as_of, path)? {
            let clicks = clicks.occurrences();
            for (of_prospect, place) in prospects.iter().enumerate() {
                let days = (clicks.first_days[of_prospect], clicks.last_days[of_prospect]);
                signs.add(*place, clicks.counts[of_prospect], days.0, days.1);
            }
        }
        Ok(signs)
    }

    /// Adds the rows of a history to the signs of prospects, given by the numbers of their rows and their places.
    fn add_visits(
        &self,
        signs: &mut Gathered,
        (rows, prospects): (&[u32], &[usize]),
        table: &str,
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<(), Error> {
        // Nothing was loaded into it yet.
        let Some(time) = time_of_rows(self.snapshot(), table) else { return Ok(()) };
        let table = quoted(table);
        let day = |function: &str| format!("CAST({function}(v => {table}, v.{time}) AS DATE)");
        let text = format!(
            "SELECT count({table}) AS visits, {} AS first_day, {} AS last_day FROM profiles",
            day("min"),
            day("max")
        );
        let answer = self.rows_and_values(&question(&text)?, as_of, path, Error::from)?;
        let of_row = places(rows);
        for batch in &answer.batches {
            let visits = batch.column(1).as_primitive::<Int64Type>();
            let [first, last] = [2, 3].map(|column| batch.column(column).as_primitive::<Date32Type>());
            for (at, row) in numbers(batch).enumerate() {
                let prospect = of_row.get(row as usize).copied().filter(|prospect| *prospect != NOBODY);
                if let Some(prospect) = prospect.filter(|_| first.is_valid(at)) {
                    signs.add(prospects[prospect as usize], visits.value(at), first.value(at), last.value(at));
                }
            }
        }
        Ok(())
    }
}
