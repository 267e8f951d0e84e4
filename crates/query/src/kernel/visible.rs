//! Which rows of a block are there as of the query's instant.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use datafusion::error::{DataFusionError, Result};
use muster_language::Visible;
use muster_store::ColumnData;

use super::block::Block;
use super::vectors::{marked, marked_below};

/// The rows of a block of a table that are there as of the query's instant; `None`: all.
pub(super) fn there(block: &Block<'_>, table: &str, visible: &Visible) -> Result<Option<BooleanBuffer>> {
    match visible {
        Visible::Always => Ok(None),
        Visible::ByTime => not_later(block, table, false),
        Visible::ByTimeIfKnown => not_later(block, table, true),
        Visible::ByTimeAndProfile(root) => {
            let own = not_later(block, table, false)?;
            let above = not_later(block, root, true)?;
            both(own, above.map(|above| below(block, &above, root, table)).transpose()?)
        }
        Visible::ByTimeAndParent { parent, there: visible } => {
            let own = not_later(block, table, false)?;
            let above = there(block, parent, visible)?;
            both(own, above.map(|above| below(block, &above, parent, table)).transpose()?)
        }
    }
}

fn both(one: Option<BooleanBuffer>, other: Option<BooleanBuffer>) -> Result<Option<BooleanBuffer>> {
    Ok(match (one, other) {
        (Some(one), Some(other)) => Some(&one & &other),
        (one, other) => one.or(other),
    })
}

/// The marks of rows above, for each row of `table` below them.
fn below(block: &Block<'_>, marks: &BooleanBuffer, above: &str, table: &str) -> Result<BooleanBuffer> {
    let offsets = block.offsets(above, table)?;
    let mut below = BooleanBufferBuilder::new(offsets.last().map_or(0, |end| *end as usize));
    for (row, range) in offsets.windows(2).enumerate() {
        below.append_n((range[1] - range[0]) as usize, marks.value(row));
    }
    Ok(below.finish())
}

/// The rows of which the instant is not later than the query's; `None`: all of them.
fn not_later(block: &Block<'_>, table: &str, or_unknown: bool) -> Result<Option<BooleanBuffer>> {
    let (snapshot, as_of) = (block.snapshot(), block.as_of.micros());
    let Some(time) = snapshot.time_column(table) else {
        let parent = snapshot.schema(table).and_then(|schema| schema.parent());
        let Some(parent) = parent else {
            return Err(DataFusionError::Internal(format!("{table} has no time")));
        };
        let above = not_later(block, parent, or_unknown)?;
        return above.map(|above| below(block, &above, parent, table)).transpose();
    };
    let packed = block.standing(table, time)?;
    if let ColumnData::Time { first, tick, offsets, latest, nulls } = packed.as_ref() {
        let last = (as_of - first).div_euclid(*tick);
        let unknown = nulls.as_ref().filter(|nulls| nulls.null_count() > 0);
        if i64::from(*latest) <= last && (or_unknown || unknown.is_none()) {
            return Ok(None);
        }
        let early = marked(offsets, |offset| i64::from(offset) <= last);
        return Ok(Some(known_or(early, unknown.map(|nulls| nulls.inner()), or_unknown)));
    }
    let instants = packed.arrow()?;
    let instants = instants.as_primitive::<TimestampMicrosecondType>();
    let early = marked_below(instants.len(), |row| instants.value(row) <= as_of);
    Ok(Some(known_or(early, instants.nulls().map(|nulls| nulls.inner()), or_unknown)))
}

fn known_or(holds: BooleanBuffer, known: Option<&BooleanBuffer>, or_unknown: bool) -> BooleanBuffer {
    match known {
        None => holds,
        Some(known) if or_unknown => &holds | &!known,
        Some(known) => &holds & known,
    }
}
