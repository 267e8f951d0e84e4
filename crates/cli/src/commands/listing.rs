//! Columns of text as rows to print.

use std::sync::Arc;

use anyhow::Result;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use muster_query::Answer;

/// Rows of these columns, which are of one length.
///
/// # Errors
/// If they are not.
pub fn answer(columns: &[(&str, Vec<Option<String>>)]) -> Result<Answer> {
    let arrays =
        columns.iter().map(|(name, texts)| (*name, Arc::new(StringArray::from(texts.clone())) as ArrayRef, true));
    let batch = RecordBatch::try_from_iter_with_nullable(arrays)?;
    Ok(Answer { schema: batch.schema(), batches: vec![batch] })
}
