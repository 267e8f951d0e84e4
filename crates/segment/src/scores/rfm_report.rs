//! What the ranks of purchases look like: who stands where, and what each group is worth.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use muster_catalog::Timestamp;
use muster_language::{Statement, parse};

use super::RFM;
use super::report::{Chart, Report, per_cent};
use crate::Error;
use crate::evaluator::Evaluator;

impl Evaluator<'_> {
    /// The ranks as of an instant, and how many profiles have some; `None` where there are no purchases to rank by.
    pub(crate) fn ranks_reported(&self, as_of: Timestamp) -> Result<Option<(u64, Report)>, Error> {
        if self.names().score(RFM).is_none() {
            return Ok(None);
        }
        let settings = &self.scoring().scores.rfm;
        let mut report = Report::default();
        report.fact("as of", as_of.rfc3339(self.names().zone));
        report.fact("bins", settings.bins);
        report.fact("cut", settings.method.word());
        let bins = usize::from(settings.bins);
        let mut cells = vec![vec![0_u64; bins]; bins];
        let counted = "SELECT rfm.r AS r, rfm.f AS f, count(*) AS n FROM profiles WHERE rfm.r IS NOT NULL
                       GROUP BY rfm.r, rfm.f";
        for batch in self.asked_as_of(counted, as_of)? {
            let [r, f, n] = [0, 1, 2].map(|column| batch.column(column).as_primitive::<Int64Type>().values());
            for ((r, f), n) in r.iter().zip(f).zip(n) {
                // The best stand at the top.
                cells[bins - *r as usize][*f as usize - 1] = n.cast_unsigned();
            }
        }
        let profiles: u64 = cells.iter().flatten().sum();
        report.fact("ranked", profiles);
        let names = |numbers: &mut dyn Iterator<Item = usize>| numbers.map(|bin| bin.to_string()).collect();
        report.charts.push(Chart::Grid {
            title: "Profiles by how lately and how often they bought".to_owned(),
            across: ("how often".to_owned(), names(&mut (1..=bins))),
            down: ("how lately".to_owned(), names(&mut (1..=bins).rev())),
            cells,
        });
        self.groups_reported(as_of, profiles, &mut report)?;
        Ok(Some((profiles, report)))
    }

    fn groups_reported(&self, as_of: Timestamp, profiles: u64, report: &mut Report) -> Result<(), Error> {
        let groups = "SELECT coalesce(rfm.label, 'none') AS label, count(*) AS n, sum(rfm.monetary) AS spent,
                             round(avg(rfm.recency_days), 0) AS days, round(avg(rfm.frequency), 1) AS times
                      FROM profiles WHERE rfm.r IS NOT NULL GROUP BY coalesce(rfm.label, 'none') ORDER BY n DESC, label";
        let mut rows = Vec::new();
        for batch in self.asked_as_of(groups, as_of)? {
            let texts = texts(&batch)?;
            let counts = batch.column(1).as_primitive::<Int64Type>();
            for (row, texts) in texts.into_iter().enumerate() {
                let [label, count, spent, days, times] = texts;
                let share = per_cent(counts.value(row) as f64 / profiles.max(1) as f64);
                rows.push([label, count, share, spent, days, times]);
            }
        }
        report.table("Groups", ["", "profiles", "share", "spent", "days since", "purchases"], rows);
        Ok(())
    }

    fn asked_as_of(&self, text: &str, as_of: Timestamp) -> Result<Vec<RecordBatch>, Error> {
        let Statement::Query { query, .. } = parse(text)? else { unreachable!("a SELECT is a query") };
        Ok(self.answer(&query, as_of)?.batches)
    }
}

/// The cells of a batch as texts, row by row.
fn texts<const N: usize>(batch: &RecordBatch) -> Result<Vec<[String; N]>, Error> {
    let options = FormatOptions::default();
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<_, _>>()
        .map_err(muster_store::Error::from)?;
    let row = |row: usize| std::array::from_fn(|column| columns[column].value(row).to_string());
    Ok((0..batch.num_rows()).map(row).collect())
}
