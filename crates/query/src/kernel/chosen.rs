//! `latest(…)` and `earliest(…)`: which rows of each group are the first or last ones.

use arrow_array::Array;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::error::Result;

use super::placed::Placed;
use super::plan::Chosen;
use super::reduce::Groups;
use super::tuples::Tuples;

/// The tuples in `among`, or of all, that are chosen.
pub(super) fn chosen(
    choice: &Chosen,
    tuples: &Tuples<'_>,
    among: Option<BooleanBuffer>,
    groups: &Groups<'_>,
) -> Result<BooleanBuffer> {
    let passing = tuples.passing(&choice.condition, among)?;
    let order = ordered(tuples, &choice.order)?;
    let mut chosen = BooleanBufferBuilder::new(tuples.count);
    chosen.append_n(tuples.count, false);
    for group in 0..groups.count() {
        let mut rows = groups.rows(group, passing.as_ref());
        sort(&mut rows, order.as_ref());
        let first = if choice.last { rows.len().saturating_sub(choice.count) } else { 0 };
        rows.iter().skip(first).take(choice.count).for_each(|row| chosen.set_bit(*row as usize, true));
    }
    Ok(chosen.finish())
}

/// What tuples are compared by; `None` where they stand in order.
pub(super) fn ordered(tuples: &Tuples<'_>, order: &[Placed]) -> Result<Option<Rows>> {
    if order.is_empty() {
        return Ok(None);
    }
    let columns = order.iter().map(|by| tuples.value(by)).collect::<Result<Vec<_>>>()?;
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    Ok(Some(RowConverter::new(fields)?.convert_columns(&columns)?))
}

/// Puts rows of one group into their order.
pub(super) fn sort(rows: &mut [u32], order: Option<&Rows>) {
    if let Some(order) = order {
        rows.sort_by(|one, other| order.row(*one as usize).cmp(&order.row(*other as usize)));
    }
}
