//! Tuples of a scope: values of expressions for each of them, and those that pass a filter.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, ScalarBuffer};
use datafusion::error::Result;
use datafusion::physical_expr::expressions::Column;

use super::block::{Block, Component, computed, truth};
use super::carried::gathered;
use super::placed::{Input, Placed};
use super::plan::{DomainId, Field, Filter, History, LEVEL, RowsOf, Scope, Source, Step, TUPLE};
use super::reducing::reduced_beside;

/// So many times fewer tuples are computed for alone: what is computed for all rows of a block is computed once.
const FEWER: usize = 4;

/// For so many times fewer rows histories are taken alone: to look rows up takes longer than to go through them.
const ALONE: usize = 16;

/// Tuples of a scope in one block.
pub(super) struct Tuples<'r> {
    pub(super) block: &'r Block<'r>,
    pub(super) scope: &'r Scope,
    pub(super) count: usize,
    pub(super) components: Vec<Component>,
    reduced: RefCell<HashMap<usize, Rc<[ArrayRef]>>>,
}

impl<'r> Tuples<'r> {
    pub(super) fn new(block: &'r Block<'r>, scope: &'r Scope, count: usize, components: Vec<Component>) -> Self {
        Self { block, scope, count, components, reduced: RefCell::default() }
    }

    /// One tuple for each row of the scope's table.
    pub(super) fn all(block: &'r Block<'r>, scope: &'r Scope) -> Result<Self> {
        let count = block.places_of(&scope.table)?.len();
        Ok(Self::new(block, scope, count, vec![Component::All]))
    }

    /// Some of them, by their place here.
    pub(super) fn some(&self, tuples: &[u32]) -> Self {
        let components = self.components.iter().map(|component| component.at(tuples)).collect();
        Self::new(self.block, self.scope, tuples.len(), components)
    }

    /// The values of an expression, one for each tuple.
    pub(super) fn value(&self, placed: &Placed) -> Result<ArrayRef> {
        if let Some(texts) = self.texts(placed)? {
            return Ok(texts);
        }
        if placed.domain != TUPLE && !self.are_fewer(placed)? {
            return self.risen(placed);
        }
        self.block.keep_patience()?;
        let inputs = placed.inputs.iter().map(|input| match input {
            Input::Carried(inner) => self.value(inner),
            Input::Field(field) => self.field(&self.scope.fields[*field]),
        });
        computed(placed, inputs.collect::<Result<_>>()?, self.count)
    }

    /// The texts of a coded column of this block, where that is all of the expression: they are looked up for the tuples alone.
    fn texts(&self, placed: &Placed) -> Result<Option<ArrayRef>> {
        let [Input::Field(field)] = placed.inputs.as_slice() else { return Ok(None) };
        let (field, is_bare) = (&self.scope.fields[*field], placed.expr.downcast_ref::<Column>().is_some());
        let coded = &self.scope.domains[field.domain];
        match (&field.source, &coded.step, &self.scope.domains[coded.from].rows) {
            (Source::Text, Step::Text { column }, RowsOf::Block(table)) if is_bare => {
                let places = self.places(coded.from)?;
                self.block.column_at(table, column, &field.data_type, places).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether the tuples are so much fewer than the rows of an expression's domain that it is computed for them alone.
    fn are_fewer(&self, placed: &Placed) -> Result<bool> {
        let (_, number) = self.scope.component_above(placed.domain);
        let is_all = matches!(self.components[number], Component::All);
        Ok(!(is_all || placed.is_everywhere || self.block.knows(placed)) && self.are_few(placed.domain)?)
    }

    /// The values of a field, one for each tuple.
    fn field(&self, field: &Field) -> Result<ArrayRef> {
        match (&field.source, &self.scope.domains[field.domain].rows) {
            (Source::Reduced { history, aggregate }, RowsOf::Tuples) => {
                Ok(Arc::clone(&self.reduced(&self.scope.histories[*history])?[*aggregate]))
            }
            (Source::Reduced { history, aggregate }, RowsOf::Block(_))
                if field.domain == LEVEL && self.are_alone(&self.scope.histories[*history])? =>
            {
                Ok(Arc::clone(&self.reduced(&self.scope.histories[*history])?[*aggregate]))
            }
            (Source::Column(column), RowsOf::Block(table)) => {
                self.block.column_at(table, column, &field.data_type, self.places(field.domain)?)
            }
            _ => self.carried(&self.block.field(self.scope, field)?, field.domain),
        }
    }

    /// The values of an expression that is about rows of the block.
    fn risen(&self, placed: &Placed) -> Result<ArrayRef> {
        let (component, number) = self.scope.component_above(placed.domain);
        match &self.components[number] {
            Component::All => self.block.risen(self.scope, placed, component),
            Component::At(places) if self.block.has_risen(placed) || !self.are_few(component)? => {
                gathered(&self.block.risen(self.scope, placed, component)?, places)
            }
            Component::At(_) => self.carried(&self.block.value(self.scope, placed)?, placed.domain),
        }
    }

    /// Values for the rows of a domain as values for the tuples.
    fn carried(&self, values: &ArrayRef, from: DomainId) -> Result<ArrayRef> {
        match self.places(from)? {
            Component::All => Ok(Arc::clone(values)),
            Component::At(places) => gathered(values, &places),
        }
    }

    /// Whether the tuples are rows, each once, and so few that a history is taken for them alone.
    fn are_alone(&self, history: &History) -> Result<bool> {
        let [Component::At(_)] = self.components.as_slice() else { return Ok(false) };
        let rows = self.block.row_count(&self.scope.domains[LEVEL].rows)?;
        Ok(self.count < rows / ALONE && !self.block.knows_history(history))
    }

    /// Whether the tuples are much fewer than the rows of a domain of the block.
    pub(super) fn are_few(&self, domain: DomainId) -> Result<bool> {
        Ok(self.count < self.block.row_count(&self.scope.domains[domain].rows)? / FEWER)
    }

    /// For each tuple the place of its row in a domain of the block.
    pub(super) fn places(&self, domain: DomainId) -> Result<Component> {
        let (component, number) = self.scope.component_above(domain);
        let mut way = Vec::new();
        let mut step = domain;
        while step != component {
            way.push(step);
            step = self.scope.domains[step].from;
        }
        let mut places = self.components[number].clone();
        for step in way.into_iter().rev() {
            let next = self.block.places(self.scope, step)?;
            places = Component::At(match places {
                Component::All => next,
                Component::At(places) => places.iter().map(|place| next[*place as usize]).collect(),
            });
        }
        Ok(places)
    }

    /// What a history is for each tuple.
    fn reduced(&self, history: &History) -> Result<Rc<[ArrayRef]>> {
        if let Some(known) = self.reduced.borrow().get(&history.number) {
            return Ok(Rc::clone(known));
        }
        let reduced: Rc<[ArrayRef]> = reduced_beside(self, history)?.into();
        self.reduced.borrow_mut().insert(history.number, Rc::clone(&reduced));
        Ok(reduced)
    }

    /// Those of the tuples in `among`, or of all, that meet the filter; `None` where that is all of them.
    ///
    /// Conditions stand from the cheapest on. Once few tuples are left only those are asked.
    pub(super) fn passing(&self, filter: &Filter, among: Option<BooleanBuffer>) -> Result<Option<BooleanBuffer>> {
        let mut passing = among;
        let mut conditions = filter.first.iter();
        while let Some(condition) = conditions.as_slice().first().filter(|next| !self.few_left(passing.as_ref(), next))
        {
            conditions.next();
            let holds = truth(&self.value(condition)?);
            passing = Some(passing.map_or_else(|| holds.clone(), |passing| &passing & &holds));
        }
        if conditions.as_slice().is_empty() && filter.then.is_empty() {
            return Ok(passing);
        }
        let mut left = positions(passing.as_ref(), self.count);
        for condition in conditions.chain(&filter.then) {
            let holds = truth(&self.some(&left).value(condition)?);
            left = holds.set_indices().map(|place| left[place]).collect();
        }
        Ok(Some(marks_of(&left, self.count)))
    }

    /// Whether so few tuples are left that an expression is better computed for them alone.
    fn few_left(&self, passing: Option<&BooleanBuffer>, next: &Placed) -> bool {
        let Some(passing) = passing.filter(|_| !next.is_cheap && !self.block.knows(next)) else { return false };
        passing.count_set_bits() < self.count / FEWER
    }
}

/// The tuples that are marked, or all.
pub(super) fn positions(marked: Option<&BooleanBuffer>, count: usize) -> ScalarBuffer<u32> {
    match marked {
        None => (0..count as u32).collect(),
        Some(marked) => marked.set_indices().map(|place| place as u32).collect(),
    }
}

/// A mark for each of these of `count` tuples.
pub(super) fn marks_of(tuples: &[u32], count: usize) -> BooleanBuffer {
    let mut marks = BooleanBufferBuilder::new(count);
    marks.append_n(count, false);
    tuples.iter().for_each(|tuple| marks.set_bit(*tuple as usize, true));
    marks.finish()
}
