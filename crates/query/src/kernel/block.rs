//! One block at hand: the values of expressions for the rows of its domains, each computed once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray, UInt32Array,
    new_null_array,
};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef};
use arrow_select::concat::concat;
use datafusion::arrow::compute::not;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, NotExpr};
use muster_catalog::Timestamp;
use muster_store::{ColumnData, Snapshot};

use super::carried::{gathered, truths_of_codes};
use super::each::Alone;
use super::packed::{decided, is_of_comparisons, junction, stays_packed};
use super::placed::{Input, Placed};
use super::plan::{Domain, DomainId, Field, History, RowsOf, Scope, Source, Step};
use super::reducing::reduced_below;
use super::tuples::marks_of;
use crate::evaluation::{Content, Evaluation};
use crate::interrupt::TimeIsOver;
use crate::patience::Patience;
use crate::table::external;

/// Two names: the tables of rows above and of those below them, or a table and a column.
type Pair = (String, String);

/// What is known of one block, or of one profile in it, while a query runs over it.
pub(super) struct Block<'q> {
    pub(super) evaluation: &'q Evaluation,
    pub(super) patience: &'q Patience,
    pub(super) as_of: Timestamp,
    pub(super) number: usize,
    /// Where only one profile is looked at: which.
    profile: Option<Alone<'q>>,
    values: RefCell<HashMap<usize, ArrayRef>>,
    /// The same, carried to the rows of the component above.
    risen: RefCell<HashMap<usize, ArrayRef>>,
    codes: RefCell<HashMap<Pair, ScalarBuffer<u32>>>,
    /// The same of the text of one row of a history: by the history, and its aggregate.
    one_texts: RefCell<HashMap<(usize, usize), ScalarBuffer<u32>>>,
    /// What was asked of the texts of a column, and what that says of its rows.
    by_text: RefCell<HashMap<Pair, Vec<(BooleanArray, BooleanArray)>>>,
    reduced: RefCell<HashMap<usize, Rc<[Arc<ColumnData>]>>>,
    offsets: RefCell<HashMap<Pair, Arc<[u32]>>>,
}

impl<'q> Block<'q> {
    pub(super) fn new(evaluation: &'q Evaluation, patience: &'q Patience, as_of: Timestamp, number: usize) -> Self {
        let (values, risen, reduced, offsets) = Default::default();
        let (codes, one_texts, by_text) = Default::default();
        let profile = None;
        Self {
            evaluation,
            patience,
            as_of,
            number,
            profile,
            values,
            risen,
            codes,
            one_texts,
            by_text,
            reduced,
            offsets,
        }
    }

    /// One profile with all its history, as if nothing else were in its block.
    pub(super) fn of_profile(evaluation: &'q Evaluation, as_of: Timestamp, profile: Alone<'q>) -> Self {
        let number = profile.id.block() as usize;
        Self { profile: Some(profile), ..Self::new(evaluation, profile.patience, as_of, number) }
    }

    pub(super) fn snapshot(&self) -> &'q Snapshot {
        &self.evaluation.snapshot
    }

    /// Fails when nobody waits any more.
    pub(super) fn keep_patience(&self) -> Result<()> {
        if self.patience.is_over() { Err(DataFusionError::External(Box::new(TimeIsOver))) } else { Ok(()) }
    }

    /// The values of an expression for each row of its domain, which is no set of tuples.
    pub(super) fn value(&self, scope: &Scope, placed: &Placed) -> Result<ArrayRef> {
        if let Some(known) = placed.everywhere.get() {
            return Ok(Arc::clone(known));
        }
        if let Some(known) = self.values.borrow().get(&placed.number) {
            return Ok(Arc::clone(known));
        }
        self.keep_patience()?;
        let truths =
            self.counted(scope, placed)?.map_or_else(|| self.compared(scope, placed), |truths| Ok(Some(truths)))?;
        let values = match truths {
            Some(truths) => Arc::new(truths),
            None => self.by_day(scope, placed)?.map_or_else(|| self.of_inputs(scope, placed), Ok)?,
        };
        if placed.is_everywhere {
            return Ok(Arc::clone(placed.everywhere.get_or_init(|| values)));
        }
        self.values.borrow_mut().insert(placed.number, Arc::clone(&values));
        Ok(values)
    }

    /// Whether an expression was computed already.
    pub(super) fn knows(&self, placed: &Placed) -> bool {
        self.values.borrow().contains_key(&placed.number) || self.has_risen(placed)
    }

    /// Whether a history was taken for every row.
    pub(super) fn knows_history(&self, history: &History) -> bool {
        self.reduced.borrow().contains_key(&history.number)
    }

    /// Whether its values are there for each row of the component.
    pub(super) fn has_risen(&self, placed: &Placed) -> bool {
        self.risen.borrow().contains_key(&placed.number)
    }

    /// The expression where it compares a packed column with constants.
    fn compared(&self, scope: &Scope, placed: &Placed) -> Result<Option<BooleanArray>> {
        if !is_of_comparisons(placed.expr.as_ref()) {
            return Ok(None);
        }
        Ok(self.packed_input(scope, placed)?.and_then(|column| decided(&column, placed.expr.as_ref())))
    }

    /// The one input of an expression, where that is a column of this block, or what its histories are.
    pub(super) fn packed_input(&self, scope: &Scope, placed: &Placed) -> Result<Option<Arc<ColumnData>>> {
        let [Input::Field(field)] = placed.inputs.as_slice() else { return Ok(None) };
        let Field { domain, source, data_type } = &scope.fields[*field];
        match (source, &scope.domains[*domain].rows) {
            (Source::Column(column), RowsOf::Block(table)) if stays_packed(data_type) => {
                self.standing(table, column).map(Some)
            }
            (Source::Reduced { history, aggregate }, RowsOf::Block(_)) if stays_packed(data_type) => {
                Ok(Some(Arc::clone(&self.reduced(&scope.histories[*history])?[*aggregate])))
            }
            _ => Ok(None),
        }
    }

    fn of_inputs(&self, scope: &Scope, placed: &Placed) -> Result<ArrayRef> {
        let rows = &scope.domains[placed.domain].rows;
        let inputs = placed.inputs.iter().map(|input| match input {
            Input::Field(field) => self.field(scope, &scope.fields[*field]),
            Input::Carried(inner) => self.carried(scope, &self.value(scope, inner)?, inner.domain, placed.domain),
        });
        computed(placed, inputs.collect::<Result<_>>()?, self.row_count(rows)?)
    }

    /// The values of an expression for each row of the component from which its domain is reached.
    pub(super) fn risen(&self, scope: &Scope, placed: &Placed, component: DomainId) -> Result<ArrayRef> {
        if let Some(known) = self.risen.borrow().get(&placed.number) {
            return Ok(Arc::clone(known));
        }
        let risen = self.carried(scope, &self.value(scope, placed)?, placed.domain, component)?;
        self.risen.borrow_mut().insert(placed.number, Arc::clone(&risen));
        Ok(risen)
    }

    /// Values for the rows of one domain as values for those of another that is nearer to the tuple.
    pub(super) fn carried(
        &self,
        scope: &Scope,
        values: &ArrayRef,
        mut from: DomainId,
        to: DomainId,
    ) -> Result<ArrayRef> {
        let mut carried = Arc::clone(values);
        while from != to {
            carried = match self.by_codes(scope, from, &carried)? {
                Some(truths) => Arc::new(truths),
                None => gathered(&carried, &self.places(scope, from)?)?,
            };
            from = scope.domains[from].from;
        }
        Ok(carried)
    }

    /// Truths about texts as truths about the rows of a block that have them, by codes as they stand in memory; `None` of all else.
    fn by_codes(&self, scope: &Scope, texts: DomainId, values: &ArrayRef) -> Result<Option<BooleanArray>> {
        let Domain { from, step, .. } = &scope.domains[texts];
        let (Some(truths), Step::Text { column }) = (values.as_boolean_opt(), step) else { return Ok(None) };
        let rows = &scope.domains[*from].rows;
        if rows.may_be_missing() {
            return Ok(None);
        }
        let Some(column_data) = self.column_of(rows, column)? else { return Ok(None) };
        let ColumnData::Codes { codes, .. } = column_data.as_ref() else { return Ok(None) };
        let key = (table_of(rows).to_owned(), column.clone());
        let mut by_text = self.by_text.borrow_mut();
        let known = by_text.entry(key).or_default();
        // Two levels of a query may ask the same of the same column.
        if let Some((_, of_rows)) = known.iter().find(|(of_texts, _)| of_texts == truths) {
            return Ok(Some(of_rows.clone()));
        }
        let of_rows = truths_of_codes(truths, codes);
        known.push((truths.clone(), of_rows.clone()));
        Ok(Some(of_rows))
    }

    /// How many rows a domain has, that of NULLs included.
    pub(super) fn row_count(&self, rows: &RowsOf) -> Result<usize> {
        Ok(match rows {
            RowsOf::Tuples => unreachable!("tuples are counted by who makes them"),
            RowsOf::Block(table) => self.places_of(table)?.len(),
            RowsOf::Lookup { table, .. } => lookup_rows(self.snapshot(), table) + 1,
            RowsOf::Texts { table, column } => self.texts(table, column)?.len() + 1,
        })
    }

    pub(super) fn texts(&self, table: &str, column: &str) -> Result<Arc<StringViewArray>> {
        let texts = self.snapshot().texts(table, column).map_err(external)?;
        texts.ok_or_else(|| DataFusionError::Internal(format!("{table}.{column} has no codes")))
    }

    /// For each row of the domain from which `domain` is reached the place of its row there.
    pub(super) fn places(&self, scope: &Scope, domain: DomainId) -> Result<ScalarBuffer<u32>> {
        let reached = &scope.domains[domain];
        if let Some(known) = reached.places.get() {
            return Ok(known.clone());
        }
        let from = &scope.domains[reached.from].rows;
        let places = match &reached.step {
            Step::Tuple | Step::Component(_) => unreachable!("components are found by who makes the tuples"),
            Step::Parent => {
                let RowsOf::Block(table) = from else { unreachable!("only histories have parents") };
                self.parent_places(table)?
            }
            Step::Text { column } => self.codes(from, column)?,
            Step::OneText { history, aggregate } => self.one_text(scope, (*history, *aggregate), &reached.rows)?,
            Step::Lookup { by } => {
                let keys = self.field(scope, &scope.fields[*by])?;
                self.lookup_places(&reached.rows, &keys)?
            }
        };
        if from.are_everywhere() {
            return Ok(reached.places.get_or_init(|| places).clone());
        }
        Ok(places)
    }

    /// For each row the code of the text that an aggregate of a history takes of one row, that of none behind the last.
    fn one_text(
        &self,
        scope: &Scope,
        (history, aggregate): (usize, usize),
        texts: &RowsOf,
    ) -> Result<ScalarBuffer<u32>> {
        let history = &scope.histories[history];
        let key = (history.number, aggregate);
        if let Some(known) = self.one_texts.borrow().get(&key) {
            return Ok(known.clone());
        }
        let codes = self.nth_codes(history, aggregate, texts)?;
        self.one_texts.borrow_mut().insert(key, codes.clone());
        Ok(codes)
    }

    /// The code of each row, that of none behind the last.
    fn codes(&self, rows: &RowsOf, column: &str) -> Result<ScalarBuffer<u32>> {
        let table = table_of(rows);
        let key = (table.to_owned(), column.to_owned());
        if let Some(known) = self.codes.borrow().get(&key) {
            return Ok(known.clone());
        }
        let texts = self.texts(table, column)?;
        let none = texts.len() as u32;
        let mut codes = match self.column_of(rows, column)? {
            None => ScalarBuffer::from(Vec::new()),
            Some(column) => codes_of(&column, &texts)?,
        };
        if rows.may_be_missing() {
            codes = codes.iter().copied().chain([none]).collect();
        }
        self.codes.borrow_mut().insert(key, codes.clone());
        Ok(codes)
    }

    /// A column of the rows of a domain; `None` where the table has no blocks.
    fn column_of(&self, rows: &RowsOf, column: &str) -> Result<Option<Arc<ColumnData>>> {
        match rows {
            _ if self.snapshot().block_count(table_of(rows)) == 0 => Ok(None),
            RowsOf::Block(table) => self.standing(table, column).map(Some),
            _ => self.packed(table_of(rows), 0, column).map(Some),
        }
    }

    /// A column of this block.
    pub(super) fn standing(&self, table: &str, column: &str) -> Result<Arc<ColumnData>> {
        let packed = self.packed(table, self.number, column)?;
        if self.profile.is_none() {
            return Ok(packed);
        }
        let places = self.places_of(table)?;
        Ok(Arc::new(packed.part(places.start, places.len())))
    }

    /// A column of any block.
    pub(super) fn packed(&self, table: &str, block: usize, column: &str) -> Result<Arc<ColumnData>> {
        let packed = self.snapshot().packed(table, block, column).map_err(external)?;
        self.patience.bring(table, block, column, packed.bytes());
        Ok(packed)
    }

    /// The places of a table that are looked at: all of the block, or those of the one profile.
    pub(super) fn places_of(&self, table: &str) -> Result<Range<usize>> {
        let snapshot = self.snapshot();
        let Some(Alone { id: profile, .. }) = self.profile else {
            return Ok(0..snapshot.place_count(table, self.number));
        };
        let Some(parent) = snapshot.schema(table).and_then(|schema| schema.parent()) else {
            let place = profile.within_block() as usize;
            return Ok(place..place + 1);
        };
        let (above, offsets) = (self.places_of(parent)?, snapshot.offsets(table, self.number).map_err(external)?);
        Ok(offsets[above.start] as usize..offsets[above.end] as usize)
    }

    /// For each row of a history the place of its parent's.
    fn parent_places(&self, table: &str) -> Result<ScalarBuffer<u32>> {
        let places = self.snapshot().parent_places(table, self.number).map_err(external)?.values().clone();
        if self.profile.is_none() {
            return Ok(places);
        }
        let parent = self.snapshot().schema(table).and_then(|schema| schema.parent());
        let first = parent.map_or(Ok(0), |parent| self.places_of(parent).map(|places| places.start as u32))?;
        Ok(places[self.places_of(table)?].iter().map(|place| place - first).collect())
    }

    /// The places of the rows of the scope's own table that there are; `None`: all.
    pub(super) fn living(&self, table: &str) -> Result<Option<BooleanBuffer>> {
        let snapshot = self.snapshot();
        if let Some(Alone { id: profile, .. }) = self.profile {
            let has_profile = |place| snapshot.is_living(table, self.number, place).map_err(external);
            let is_root = snapshot.schema(table).is_some_and(|schema| schema.parent().is_none());
            let is_gone = is_root && !has_profile(profile.within_block() as usize)?;
            return Ok(is_gone.then(|| BooleanBuffer::new_unset(1)));
        }
        let living = snapshot.living_places(table, self.number).map_err(external)?;
        Ok(living.map(|living| marks_of(living.values(), snapshot.place_count(table, self.number))))
    }

    /// Where the rows of the lookup with these keys stand, that of none behind the last.
    fn lookup_places(&self, rows: &RowsOf, keys: &ArrayRef) -> Result<ScalarBuffer<u32>> {
        let RowsOf::Lookup { table, key } = rows else { unreachable!("only lookups are looked up") };
        let mut by_key = HashMap::new();
        let its_keys = if self.snapshot().block_count(table) == 0 {
            new_null_array(&DataType::Utf8View, 0)
        } else {
            self.packed(table, 0, key)?.arrow()?
        };
        let its_keys = text_of(&its_keys)?;
        for (place, key) in its_keys.iter().enumerate() {
            key.map(|key| by_key.insert(key, place as u32));
        }
        let none = its_keys.len() as u32;
        let keys = text_of(keys)?;
        Ok(keys.iter().map(|key| key.and_then(|key| by_key.get(key).copied()).unwrap_or(none)).collect())
    }

    /// The values of a field for each row of its domain.
    pub(super) fn field(&self, scope: &Scope, field: &Field) -> Result<ArrayRef> {
        let rows = &scope.domains[field.domain].rows;
        let values = match &field.source {
            Source::Text => {
                let RowsOf::Texts { table, column } = rows else { unreachable!("texts are a domain") };
                self.texts(table, column)? as ArrayRef
            }
            Source::Column(column) => self.column(rows, column, &field.data_type)?,
            Source::Row => self.row_numbers(rows)?,
            Source::Computed(place) => self.computed_column(rows, &self.evaluation.computed[*place].content)?,
            Source::Masked => new_null_array(&field.data_type, self.row_count(rows)?),
            Source::Reduced { history, aggregate } => self.reduced(&scope.histories[*history])?[*aggregate].arrow()?,
        };
        if values.len() < self.row_count(rows)? {
            return Ok(concat(&[values.as_ref(), new_null_array(values.data_type(), 1).as_ref()])?);
        }
        Ok(values)
    }

    fn computed_column(&self, rows: &RowsOf, content: &Content) -> Result<ArrayRef> {
        if let (Content::Each(each), Some(profile)) = (content, self.profile) {
            return profile.asked.column(each, profile);
        }
        let (first, count) = self.numbers(rows)?;
        Ok(content.of_block(first, count)?)
    }

    fn column(&self, rows: &RowsOf, column: &str, data_type: &DataType) -> Result<ArrayRef> {
        let Some(column) = self.column_of(rows, column)? else { return Ok(new_null_array(data_type, 0)) };
        let values = column.arrow()?;
        if values.data_type() == data_type { Ok(values) } else { Ok(cast(&values, data_type)?) }
    }

    /// The values of a column of this block at these places.
    pub(super) fn column_at(
        &self,
        table: &str,
        column: &str,
        data_type: &DataType,
        places: Component,
    ) -> Result<ArrayRef> {
        let packed = self.standing(table, column)?;
        let values = match places {
            Component::All => packed.arrow()?,
            Component::At(places) => packed.taken(&UInt32Array::new(places, None))?,
        };
        if values.data_type() == data_type { Ok(values) } else { Ok(cast(&values, data_type)?) }
    }

    fn row_numbers(&self, rows: &RowsOf) -> Result<ArrayRef> {
        let (first, count) = self.numbers(rows)?;
        Ok(Arc::new((first..).take(count).collect::<Int64Array>()))
    }

    /// The number of the first row and how many follow.
    fn numbers(&self, rows: &RowsOf) -> Result<(i64, usize)> {
        let (table, snapshot) = (table_of(rows), self.snapshot());
        match rows {
            _ if snapshot.block_count(table) == 0 => Ok((0, 0)),
            RowsOf::Block(table) => {
                let places = self.places_of(table)?;
                Ok((snapshot.first_row(table, self.number) + places.start as i64, places.len()))
            }
            _ => Ok((snapshot.first_row(table, 0), snapshot.place_count(table, 0))),
        }
    }

    /// What a history that hangs on nothing else is for each row whose history it is.
    fn reduced(&self, history: &History) -> Result<Rc<[Arc<ColumnData>]>> {
        if let Some(known) = self.reduced.borrow().get(&history.number) {
            return Ok(Rc::clone(known));
        }
        let reduced: Rc<[Arc<ColumnData>]> = reduced_below(self, history)?.into_iter().map(Arc::new).collect();
        self.reduced.borrow_mut().insert(history.number, Rc::clone(&reduced));
        Ok(reduced)
    }

    /// For each row of `above` where the rows of `table` below it begin, and one more for the end.
    pub(super) fn offsets(&self, above: &str, table: &str) -> Result<Arc<[u32]>> {
        let key = (above.to_owned(), table.to_owned());
        if let Some(known) = self.offsets.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let parent = self.snapshot().schema(table).and_then(|schema| schema.parent());
        let parent = parent.ok_or_else(|| DataFusionError::Internal(format!("{table} is not below {above}")))?;
        let own = self.own_offsets(table, parent)?;
        let offsets = if parent == above {
            own
        } else {
            self.offsets(above, parent)?.iter().map(|place| own[*place as usize]).collect()
        };
        self.offsets.borrow_mut().insert(key, Arc::clone(&offsets));
        Ok(offsets)
    }

    fn own_offsets(&self, table: &str, parent: &str) -> Result<Arc<[u32]>> {
        let offsets = self.snapshot().offsets(table, self.number).map_err(external)?;
        if self.profile.is_none() {
            return Ok(offsets);
        }
        let above = self.places_of(parent)?;
        let its = &offsets[above.start..=above.end];
        Ok(its.iter().map(|place| place - its[0]).collect())
    }
}

/// The table of a domain's rows.
fn table_of(rows: &RowsOf) -> &str {
    match rows {
        RowsOf::Block(table) | RowsOf::Lookup { table, .. } | RowsOf::Texts { table, .. } => table,
        RowsOf::Tuples => unreachable!("tuples have no table"),
    }
}

/// How many rows a lookup has.
fn lookup_rows(snapshot: &Snapshot, table: &str) -> usize {
    if snapshot.block_count(table) == 0 { 0 } else { snapshot.place_count(table, 0) }
}

fn text_of(values: &ArrayRef) -> Result<&StringViewArray> {
    values.as_string_view_opt().ok_or_else(|| DataFusionError::Internal("a key that is no text".to_owned()))
}

/// The codes of a column, NULL behind the last; of one that is not coded in this block they are looked for.
pub(super) fn codes_of(packed: &ColumnData, texts: &StringViewArray) -> Result<ScalarBuffer<u32>> {
    let none = texts.len() as u32;
    if let ColumnData::Codes { codes, .. } = packed {
        let wide = codes.wide();
        return Ok(match wide.nulls() {
            None => wide.values().clone(),
            Some(nulls) => wide.values().iter().zip(nulls).map(|(code, is)| if is { *code } else { none }).collect(),
        });
    }
    let values = packed.arrow()?;
    let known: HashMap<&str, u32> = texts.iter().flatten().zip(0..).collect();
    let code = |text: Option<&str>| match text {
        None => Ok(none),
        Some(text) => known.get(text).copied().ok_or_else(|| DataFusionError::Internal(format!("{text} has no code"))),
    };
    text_of(&values)?.iter().map(code).collect()
}

/// What an expression makes of its inputs, `rows` of each.
pub(super) fn computed(placed: &Placed, inputs: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef> {
    if let (Some(column), true) = (placed.expr.downcast_ref::<Column>(), inputs.len() == 1) {
        debug_assert_eq!(column.index(), 0);
        return Ok(inputs.into_iter().next().expect("there is one"));
    }
    if let Some(truths) = logical(placed.expr.as_ref(), &inputs) {
        return Ok(Arc::new(truths?));
    }
    evaluated(&placed.expr, &placed.schema, inputs, rows)
}

/// AND, OR and NOT of truths that are there already, as whole words; `None` of any other expression.
fn logical(expr: &dyn PhysicalExpr, inputs: &[ArrayRef]) -> Option<Result<BooleanArray>> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return inputs.get(column.index())?.as_boolean_opt().cloned().map(Ok);
    }
    if let Some(negated) = expr.downcast_ref::<NotExpr>() {
        return Some(logical(negated.arg().as_ref(), inputs)?.and_then(|truths| Ok(not(&truths)?)));
    }
    let (both, left, right) = junction(expr)?;
    let (one, other) = (logical(left, inputs)?, logical(right, inputs)?);
    Some(one.and_then(|one| Ok(both(&one, &other?)?)))
}

pub(super) fn evaluated(
    expr: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
    inputs: Vec<ArrayRef>,
    rows: usize,
) -> Result<ArrayRef> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(schema), inputs, &options)?;
    expr.evaluate(&batch)?.into_array(rows)
}

/// The rows for which a condition is TRUE; none of one that is always unknown.
pub(super) fn truth(condition: &ArrayRef) -> BooleanBuffer {
    match condition.as_boolean_opt() {
        None => BooleanBuffer::new_unset(condition.len()),
        Some(condition) => match condition.nulls() {
            None => condition.values().clone(),
            Some(nulls) => condition.values() & nulls.inner(),
        },
    }
}

/// Places of a domain that tuples have as a component.
#[derive(Debug, Clone)]
pub(super) enum Component {
    /// Each place of the domain, in order.
    All,
    /// These.
    At(ScalarBuffer<u32>),
}

impl Component {
    /// Those of these tuples.
    pub(super) fn at(&self, tuples: &[u32]) -> Self {
        Self::At(match self {
            Self::All => tuples.to_vec().into(),
            Self::At(places) => tuples.iter().map(|tuple| places[*tuple as usize]).collect(),
        })
    }
}
