//! What is asked of one profile at a time: the same compiled conditions, over that profile's history alone.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, new_null_array};
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::error::Result;
use muster_catalog::{ProfileId, Timestamp};

use super::block::Block;
use super::compile::CompiledRows;
use super::rows::passing;
use super::tuples::{Tuples, positions};
use crate::evaluation::Evaluation;
use crate::patience::{Patience, Stopper};
use crate::{Error, Limits};

/// A definition or a variable, compiled once to be asked of one profile at a time: what a rule asks when something happens
/// to somebody.
#[derive(Debug)]
pub struct EachProfile {
    compiled: CompiledRows,
    evaluation: Evaluation,
    as_of: Timestamp,
    stopper: Stopper,
    limits: Limits,
    /// Of a variable what it holds; of a segment nothing: its column is a truth.
    value: Option<DataType>,
}

impl EachProfile {
    pub(crate) fn of(
        compiled: CompiledRows,
        evaluation: Evaluation,
        as_of: Timestamp,
        stopper: Stopper,
        limits: Limits,
    ) -> Self {
        Self { compiled, evaluation, as_of, stopper, limits, value: None }
    }

    /// The same as a variable, of which other definitions see the last column as this type; what does not fit is NULL.
    pub fn as_variable(self, data_type: DataType) -> Self {
        Self { value: Some(data_type), ..self }
    }

    /// What other definitions see of it.
    pub(crate) fn data_type(&self) -> DataType {
        self.value.clone().unwrap_or(DataType::Boolean)
    }

    /// Whether a definition selects the profile; of one that selects rows of a history, whether it selects any of theirs.
    ///
    /// # Errors
    /// If it takes longer than a query may, or the engine refuses it.
    pub fn selects(&self, profile: ProfileId) -> Result<bool, Error> {
        self.alone(profile, |profile| {
            let selected = self.block(profile).map(|block| self.selected(&block)).transpose()?;
            Ok(selected.is_some_and(|selected| selected.count_set_bits() > 0))
        })
    }

    /// What is shown of the profile, one value per column; `None` where it is not selected.
    ///
    /// # Errors
    /// As [`EachProfile::selects`].
    pub fn shown(&self, profile: ProfileId) -> Result<Option<Vec<ArrayRef>>, Error> {
        self.alone(profile, |profile| Ok(self.block(profile).map(|block| self.shown_of(&block)).transpose()?.flatten()))
    }

    fn alone<T>(&self, id: ProfileId, ask: impl FnOnce(Alone<'_>) -> Result<T>) -> Result<T, Error> {
        let (patience, asked) = (self.stopper.patience(self.limits.time), Asked::default());
        ask(Alone { id, patience: &patience, asked: &asked }).map_err(|error| Error::from_engine(error, &self.limits))
    }

    /// The same as a column of another definition: for each row of its table that the profile has.
    fn column(&self, profile: Alone<'_>) -> Result<ArrayRef> {
        let block = self.block(profile);
        let Some(data_type) = &self.value else {
            let selected = block.map(|block| self.selected(&block)).transpose()?;
            return Ok(Arc::new(BooleanArray::new(selected.unwrap_or_else(|| BooleanBuffer::new_unset(0)), None)));
        };
        match block.map(|block| self.shown_of(&block)).transpose()?.flatten() {
            Some(values) => Ok(cast(values.last().expect("a variable shows its value"), data_type)?),
            None => Ok(new_null_array(data_type, 1)),
        }
    }

    /// The profile's part of its block; `None` where there is no such profile.
    fn block<'p>(&'p self, profile: Alone<'p>) -> Option<Block<'p>> {
        let (snapshot, block, root) =
            (&self.evaluation.snapshot, profile.id.block() as usize, self.compiled.root.as_str());
        let is_there = block < snapshot.block_count(root)
            && (profile.id.within_block() as usize) < snapshot.place_count(root, block);
        is_there.then(|| Block::of_profile(&self.evaluation, self.as_of, profile))
    }

    /// Which rows of its table that the profile has are selected.
    fn selected(&self, block: &Block<'_>) -> Result<BooleanBuffer> {
        let all = Tuples::all(block, &self.compiled.scope)?;
        Ok(passing(&self.compiled, &all)?.unwrap_or_else(|| BooleanBuffer::new_set(all.count)))
    }

    fn shown_of(&self, block: &Block<'_>) -> Result<Option<Vec<ArrayRef>>> {
        let selected = self.selected(block)?;
        if selected.count_set_bits() == 0 {
            return Ok(None);
        }
        let all = Tuples::all(block, &self.compiled.scope)?;
        let some = all.some(&positions(Some(&selected), all.count));
        self.compiled.outputs.iter().map(|output| some.value(output)).collect::<Result<_>>().map(Some)
    }
}

/// One profile that something is asked of.
#[derive(Clone, Copy)]
pub(super) struct Alone<'p> {
    pub(super) id: ProfileId,
    pub(super) patience: &'p Patience,
    /// What it was asked already.
    pub(super) asked: &'p Asked,
}

/// What definitions said of one profile that others name: many may name the same.
#[derive(Default)]
pub(super) struct Asked(RefCell<HashMap<*const EachProfile, ArrayRef>>);

impl Asked {
    /// What `each` says of the profile, asked once.
    pub(super) fn column(&self, each: &Arc<EachProfile>, profile: Alone<'_>) -> Result<ArrayRef> {
        let itself = Arc::as_ptr(each);
        if let Some(known) = self.0.borrow().get(&itself) {
            return Ok(Arc::clone(known));
        }
        let column = each.column(profile)?;
        self.0.borrow_mut().insert(itself, Arc::clone(&column));
        Ok(column)
    }
}
