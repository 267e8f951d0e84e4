//! What is odd about rows that were taken, counted over a whole load.

use crate::plan::Plan;
use crate::report::{Flag, FlagCount};
use crate::shape::Shaped;
use crate::typing::Remarks;

/// Counts of what is odd.
pub(crate) struct Flags {
    /// By column.
    remarks: Vec<Remarks>,
    returns: u64,
}

impl Flags {
    pub fn of(plan: &Plan) -> Self {
        Self { remarks: vec![Remarks::default(); plan.columns.len()], returns: 0 }
    }

    pub fn add(&mut self, shaped: &Shaped) {
        self.returns += shaped.returns;
        for (total, remarks) in self.remarks.iter_mut().zip(&shaped.remarks) {
            total.shifts.gaps += remarks.shifts.gaps;
            total.shifts.folds += remarks.shifts.folds;
            total.normalized += remarks.normalized;
        }
    }

    /// The counts that are not zero; `collisions` are those of the table's keys.
    pub fn counts(&self, plan: &Plan, collisions: u64) -> Vec<FlagCount> {
        let of_rows = [(Flag::Return, self.returns), (Flag::Collision, collisions)];
        let of_rows = of_rows.into_iter().map(|(flag, rows)| FlagCount { flag, column: None, rows });
        let of_columns = plan.columns.iter().zip(&self.remarks).flat_map(|(planned, remarks)| {
            let counts = [
                (Flag::Gap, remarks.shifts.gaps),
                (Flag::Fold, remarks.shifts.folds),
                (Flag::NormalizedKey, remarks.normalized),
            ];
            let column = planned.column.name.clone();
            counts.map(|(flag, rows)| FlagCount { flag, column: Some(column.clone()), rows })
        });
        of_rows.chain(of_columns).filter(|count| count.rows > 0).collect()
    }
}
