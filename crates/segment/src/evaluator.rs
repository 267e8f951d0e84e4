//! Who is in a segment: evaluated on one snapshot, each segment and variable at most once per instant, by evaluators that share
//! what is [`Known`] all together.
//!
//! As of an instant a query sees the snapshot with its fields as they were then ([`Evaluator::snapshot_as_of`]); that later
//! rows are not there yet is in the printed SQL.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::DataType;
use chrono_tz::Tz;
use muster_catalog::{Names, RowSet, SegmentNames, Timestamp, nearest};
use muster_language::{Query, ResolvedQuery, ResolvedSegment, resolve, resolve_segment, resolve_variable};
use muster_query::{Answer, Engine, Masks, Running, Values};
use muster_state::Tx;
use muster_store::{Snapshot, SystemColumn};

use crate::definition::digest;
use crate::memberships::Moment;
use crate::past::Past;
use crate::scores::Shelf;
use crate::{Definition, Definitions, Error, Item, KeptInputs, Scoring, Variable, memberships};

/// Definitions over one snapshot.
pub struct Evaluator<'a> {
    engine: &'a Engine,
    past: Arc<Past>,
    defined: Rc<Defined>,
    kept: Rc<dyn Kept + 'a>,
    known: Rc<Known>,
    /// What its queries do not see.
    masks: Masks,
    /// What scores were counted from before, where somebody keeps it.
    inputs: Option<&'a KeptInputs>,
}

/// Definitions by name, and what a query may name beside them.
#[derive(Debug)]
pub(crate) struct Defined {
    names: Names,
    definitions: BTreeMap<String, Definition>,
    variables: BTreeMap<String, Variable>,
    scoring: Scoring,
    scoring_digest: String,
}

impl Defined {
    /// Definitions over a snapshot whose dates and times are those of `zone`.
    pub(crate) fn over(
        snapshot: &Snapshot,
        zone: Tz,
        Definitions { segments, variables }: Definitions,
        scoring: Scoring,
    ) -> Self {
        let mut names = snapshot.names(zone, Vec::new());
        let names_of = |definition: &Definition| SegmentNames {
            name: definition.name.clone(),
            grain: grain(&names, definition).to_owned(),
        };
        names.segments = segments.iter().map(names_of).collect();
        let mut names = variables.iter().map(Variable::column).fold(names, Names::with_variable);
        names.scores = scoring.names(scoring.worth(snapshot, &names), &names);
        names.affinities = scoring.affinities();
        let definitions = segments.into_iter().map(|definition| (definition.name.clone(), definition)).collect();
        let variables = variables.into_iter().map(|variable| (variable.name().to_owned(), variable)).collect();
        let scoring_digest = scoring.digest();
        Self { names, definitions, variables, scoring, scoring_digest }
    }

    /// What is defined, to stand over another snapshot.
    pub(crate) fn definitions(&self) -> Definitions {
        let (segments, variables) = (self.definitions.values(), self.variables.values());
        Definitions { segments: segments.cloned().collect(), variables: variables.cloned().collect() }
    }

    /// Whether over the same snapshot both mean the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.definitions == other.definitions && self.variables == other.variables && self.scoring == other.scoring
    }
}

/// What the state file keeps of earlier evaluations.
pub(crate) trait Kept {
    /// Who was in a segment by its last refresh that was not later than an instant; nobody if it had none by then.
    fn audience(&self, segment: &str, as_of: Timestamp) -> Result<Arc<RowSet>, Error>;

    /// The instant of the newest table of a score that is not of a later one.
    fn instant_of_score(&self, score: &str, as_of: Timestamp) -> Result<Option<Timestamp>, Error>;

    /// A column of the table of a score that is of exactly this instant: the numbers of the rows of profiles, and their values.
    fn score(&self, score: &str, as_of: Timestamp, column: &str) -> Result<(Vec<u32>, ArrayRef), Error>;
}

/// Nothing was evaluated earlier.
struct Nothing;

impl Kept for Nothing {
    fn audience(&self, _: &str, _: Timestamp) -> Result<Arc<RowSet>, Error> {
        Ok(Arc::default())
    }

    fn instant_of_score(&self, _: &str, _: Timestamp) -> Result<Option<Timestamp>, Error> {
        Ok(None)
    }

    fn score(&self, _: &str, _: Timestamp, _: &str) -> Result<(Vec<u32>, ArrayRef), Error> {
        Ok((Vec::new(), arrow_array::new_null_array(&DataType::Null, 0)))
    }
}

/// A name and the instant as of which it was asked for.
type Asked = (String, Timestamp);

/// What was evaluated of some definitions over a snapshot, so that the next evaluator of the same ones need not.
#[derive(Default)]
pub(crate) struct Known {
    segments: RefCell<BTreeMap<Asked, Arc<RowSet>>>,
    variables: RefCell<BTreeMap<Asked, Arc<Values>>>,
    /// The rows of definitions that are not stored, by their texts.
    unstored: RefCell<BTreeMap<Asked, Arc<RowSet>>>,
    /// Who is on each list that was asked for; as of every instant the same.
    lists: RefCell<BTreeMap<String, Arc<RowSet>>>,
    /// The audiences that were read, and which ones they are.
    audiences: RefCell<BTreeMap<Asked, (Moment, Arc<RowSet>)>>,
    /// What each evaluated segment and variable names.
    used: RefCell<BTreeMap<Item, BTreeSet<Item>>>,
    /// The items of everybody's purchases as of the last instant that was asked for.
    shelf: RefCell<Option<(Timestamp, Rc<Shelf>)>>,
}

/// As of more instants nothing is remembered: a variable takes as much as a column for each.
const MOST_INSTANTS: usize = 16;

/// More definitions that are not stored are not remembered: of a million profiles each takes up to 128 KiB.
const MOST_UNSTORED: usize = 256;

impl Known {
    pub(crate) fn is_full(&self) -> bool {
        if self.unstored.borrow().len() > MOST_UNSTORED {
            return true;
        }
        let (segments, variables) = (self.segments.borrow(), self.variables.borrow());
        let audiences = self.audiences.borrow();
        let instants = segments.keys().chain(variables.keys()).chain(audiences.keys()).map(|(_, instant)| instant);
        instants.collect::<BTreeSet<_>>().len() > MOST_INSTANTS
    }

    /// The audience of a segment as of an instant; it is read again where another one was kept since.
    pub(crate) fn audience(&self, tx: &Tx<'_>, segment: &str, as_of: Timestamp) -> Result<Arc<RowSet>, Error> {
        let Some(moment) = memberships::moment(tx, segment, as_of)? else { return Ok(Arc::default()) };
        let key = (segment.to_owned(), as_of);
        if let Some((_, rows)) = self.audiences.borrow().get(&key).filter(|(known, _)| *known == moment) {
            return Ok(Arc::clone(rows));
        }
        let rows = Arc::new(memberships::members_at(tx, segment, moment.number)?);
        self.audiences.borrow_mut().insert(key, (moment, Arc::clone(&rows)));
        Ok(rows)
    }
}

/// The root of every catalog.
pub(crate) const PROFILES: &str = "profiles";

impl<'a> Evaluator<'a> {
    /// An evaluator of `definitions` over `snapshot`, whose dates and times are those of `zone`; no segment has an audience, and
    /// there are no scores.
    pub fn new(engine: &'a Engine, snapshot: Arc<Snapshot>, zone: Tz, definitions: Definitions) -> Self {
        let defined = Rc::new(Defined::over(&snapshot, zone, definitions, Scoring::default()));
        Self::over(engine, Arc::new(Past::of(snapshot)), defined, Rc::new(Nothing))
    }

    /// The same over a snapshot of which some instants may be known already, and with audiences.
    pub(crate) fn over(engine: &'a Engine, past: Arc<Past>, defined: Rc<Defined>, kept: Rc<dyn Kept + 'a>) -> Self {
        let (known, masks) = (Rc::default(), Masks::default());
        Self { engine, past, defined, kept, known, masks, inputs: None }
    }

    /// The same with one more segment, which holds these rows as of this instant; its definition is never evaluated.
    pub(crate) fn with_known(&self, known: Definition, rows: RowSet, as_of: Timestamp) -> Self {
        let key = (known.name.clone(), as_of);
        let mut definitions = self.defined.definitions();
        definitions.segments.push(known);
        let (past, kept) = (Arc::clone(&self.past), Rc::clone(&self.kept));
        let defined = Rc::new(Defined::over(past.present(), self.names().zone, definitions, self.scoring().clone()));
        let more = Self { inputs: self.inputs, ..Self::over(self.engine, past, defined, kept) };
        let more = more.masked(self.masks.clone());
        more.known.segments.borrow_mut().insert(key, Arc::new(rows));
        more
    }

    /// The same for somebody who does not see some columns: they are NULL in queries, and a segment or variable that reads
    /// one is not evaluated at all, since who is in it would tell what the values are.
    pub(crate) fn masked(self, masks: Masks) -> Self {
        Self { masks, ..self }
    }

    /// The same, which need not evaluate what is known of these definitions over this snapshot.
    pub(crate) fn knowing(self, known: Rc<Known>) -> Self {
        Self { known, ..self }
    }

    /// The same, which keeps what it counts scores from for others over the same store.
    pub(crate) fn keeping(self, inputs: &'a KeptInputs) -> Self {
        Self { inputs: Some(inputs), ..self }
    }

    pub(crate) fn inputs(&self) -> Option<&'a KeptInputs> {
        self.inputs
    }

    pub(crate) fn scoring(&self) -> &Scoring {
        &self.defined.scoring
    }

    pub(crate) fn kept(&self) -> &dyn Kept {
        self.kept.as_ref()
    }

    pub(crate) fn shelf_known(&self, as_of: Timestamp) -> Option<Rc<Shelf>> {
        let known = self.known.shelf.borrow();
        known.as_ref().filter(|(instant, _)| *instant == as_of).map(|(_, shelf)| Rc::clone(shelf))
    }

    pub(crate) fn keep_shelf(&self, as_of: Timestamp, shelf: &Rc<Shelf>) {
        *self.known.shelf.borrow_mut() = Some((as_of, Rc::clone(shelf)));
    }

    pub(crate) fn masks(&self) -> &Masks {
        &self.masks
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        self.past.present()
    }

    /// The snapshot with its fields as they were at an instant, made once; itself where nothing changed later.
    ///
    /// # Errors
    /// If the store cannot read what changed.
    pub fn snapshot_as_of(&self, as_of: Timestamp) -> Result<Arc<Snapshot>, Error> {
        self.past.at(as_of)
    }

    /// What a query may name.
    pub fn names(&self) -> &Names {
        &self.defined.names
    }

    /// The definitions, by name.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.defined.definitions.values()
    }

    /// The variables, by name.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.defined.variables.values()
    }

    /// The table whose rows a definition selects.
    pub fn grain(&self, definition: &Definition) -> &str {
        grain(self.names(), definition)
    }

    pub(crate) fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// The definition `name`, capitals aside.
    ///
    /// # Errors
    /// [`Error::UnknownSegment`] with the nearest name.
    pub fn definition(&self, name: &str) -> Result<&Definition, Error> {
        let found = self.defined.definitions.values().find(|definition| definition.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::UnknownSegment {
            name: name.to_owned(),
            nearest: nearest(name, self.defined.definitions.keys().map(String::as_str)).map(str::to_owned),
        })
    }

    /// The variable `name`, capitals aside.
    ///
    /// # Errors
    /// [`Error::UnknownVariable`] with the nearest name.
    pub fn variable(&self, name: &str) -> Result<&Variable, Error> {
        let found = self.defined.variables.values().find(|variable| variable.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::UnknownVariable {
            name: name.to_owned(),
            nearest: nearest(name, self.defined.variables.keys().map(String::as_str)).map(str::to_owned),
        })
    }

    /// The segments and variables that `definition` names.
    ///
    /// # Errors
    /// If its query does not resolve against this snapshot.
    pub fn uses(&self, definition: &Definition, as_of: Timestamp) -> Result<BTreeSet<Item>, Error> {
        Ok(Item::named_by(&self.resolved(definition, as_of)?.query))
    }

    /// The segments and variables that `variable` names.
    ///
    /// # Errors
    /// If its expression does not resolve against this snapshot.
    pub fn uses_of_variable(&self, variable: &Variable, as_of: Timestamp) -> Result<BTreeSet<Item>, Error> {
        Ok(Item::named_by(&resolve_variable(&variable.definition, self.names(), as_of)?))
    }

    fn resolved(&self, definition: &Definition, as_of: Timestamp) -> Result<ResolvedSegment, Error> {
        Ok(resolve_segment(&definition.query, self.names(), as_of)?)
    }

    /// The rows of the segment `name` as of an instant: profiles, or rows of the history that it selects from.
    ///
    /// # Errors
    /// If there is no such segment, segments are defined by each other, or a query fails.
    pub fn rows(&self, name: &str, as_of: Timestamp) -> Result<Arc<RowSet>, Error> {
        self.rows_below(name, as_of, &mut Vec::new())
    }

    /// `path` holds the segments and variables that wait for this one.
    pub(crate) fn rows_below(&self, name: &str, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Arc<RowSet>, Error> {
        let definition = self.definition(name)?;
        let key = (definition.name.clone(), as_of);
        if let Some(known) = self.known.segments.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let item = Item::Segment(definition.name.clone());
        let rows = self.waiting(item.clone(), path, |path| {
            let resolved = self.resolved(definition, as_of)?;
            let evaluation = self.whole_evaluation(&resolved.query, path)?;
            self.note_uses(item, &resolved.query);
            Ok(Arc::new(self.engine.rows(&resolved, &evaluation)?))
        })?;
        self.known.segments.borrow_mut().insert(key, Arc::clone(&rows));
        Ok(rows)
    }

    /// Does `work` for `item`, which waits for it; what waits for itself is a cycle.
    pub(crate) fn waiting<T>(
        &self,
        item: Item,
        path: &mut Vec<Item>,
        work: impl FnOnce(&mut Vec<Item>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let waits_for_itself = path.iter().position(|waiting| *waiting == item);
        path.push(item);
        if let Some(start) = waits_for_itself {
            return Err(Error::Cycle { cycle: path.split_off(start).iter().map(ToString::to_string).collect() });
        }
        let done = work(path)?;
        path.pop();
        Ok(done)
    }

    pub(crate) fn note_uses(&self, item: Item, query: &ResolvedQuery) {
        self.known.used.borrow_mut().insert(item, Item::named_by(query));
    }

    pub(crate) fn known_values(&self, name: &str, as_of: Timestamp) -> Option<Arc<Values>> {
        self.known.variables.borrow().get(&(name.to_owned(), as_of)).cloned()
    }

    pub(crate) fn keep_values(&self, name: &str, as_of: Timestamp, values: Arc<Values>) -> Arc<Values> {
        self.known.variables.borrow_mut().insert((name.to_owned(), as_of), Arc::clone(&values));
        values
    }

    pub(crate) fn known_rows(&self, definition: &str, as_of: Timestamp) -> Option<Arc<RowSet>> {
        self.known.unstored.borrow().get(&(definition.to_owned(), as_of)).cloned()
    }

    pub(crate) fn keep_rows(&self, definition: String, as_of: Timestamp, rows: &Arc<RowSet>) {
        self.known.unstored.borrow_mut().insert((definition, as_of), Arc::clone(rows));
    }

    /// The segment and all segments that it is built on, which were evaluated with it, each after those that it names.
    pub(crate) fn built_on(&self, definition: &Definition) -> Vec<&Definition> {
        let items = self.items_below(definition).into_iter();
        items
            .filter_map(|item| if let Item::Segment(name) = item { self.defined.definitions.get(&name) } else { None })
            .collect()
    }

    /// The segment and all segments and variables that it is built on, each after those that it names.
    fn items_below(&self, definition: &Definition) -> Vec<Item> {
        let mut found = Vec::new();
        self.collect(&Item::Segment(definition.name.clone()), &mut found);
        found
    }

    fn collect(&self, item: &Item, found: &mut Vec<Item>) {
        if found.contains(item) {
            return;
        }
        let named = self.known.used.borrow().get(item).cloned().unwrap_or_default();
        named.iter().for_each(|below| self.collect(below, found));
        found.push(item.clone());
    }

    /// The digest of what an evaluated segment means: of its own definition and of all that it is built on.
    pub(crate) fn meaning(&self, definition: &Definition) -> String {
        let mut all = self.items_below(definition);
        if all.len() == 1 {
            return definition.digest.clone();
        }
        all.sort_by(|one, other| one.name().cmp(other.name()).then_with(|| one.cmp(other)));
        let text: String = all.iter().map(|item| format!("{} {item}\n", self.digest(item))).collect();
        digest(&text)
    }

    fn digest(&self, item: &Item) -> &str {
        match item {
            Item::Segment(name) => self.defined.definitions.get(name).map_or("", |definition| &definition.digest),
            Item::Variable(name) => self.defined.variables.get(name).map_or("", |variable| &variable.digest),
            Item::Score(_) => &self.defined.scoring_digest,
        }
    }

    /// The profiles on the list `name`.
    pub(crate) fn on_list(&self, name: &str) -> Result<Arc<RowSet>, Error> {
        if let Some(known) = self.known.lists.borrow().get(name) {
            return Ok(Arc::clone(known));
        }
        let rows = Arc::new(self.snapshot().profiles_on(name)?);
        self.known.lists.borrow_mut().insert(name.to_owned(), Arc::clone(&rows));
        Ok(rows)
    }

    /// The profiles of the audience of the segment `name` as of an instant; nobody before its first refresh.
    pub(crate) fn audience(&self, name: &str, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Arc<RowSet>, Error> {
        if !self.masks.is_empty() {
            // An audience tells as much as the segment does, which is refused where it reads a masked column.
            self.rows_below(name, as_of, path)?;
        }
        self.kept.audience(name, as_of)
    }

    /// The rows of a query as of an instant.
    ///
    /// # Errors
    /// If it does not resolve, or fails.
    pub fn answer(&self, query: &Query, as_of: Timestamp) -> Result<Answer, Error> {
        Ok(self.begin(query, as_of)?.collected()?)
    }

    /// Begins to answer a query as of an instant; its rows are given as they come.
    ///
    /// # Errors
    /// As [`Evaluator::answer`], as far as it shows before the first row.
    pub fn begin(&self, query: &Query, as_of: Timestamp) -> Result<Running, Error> {
        let resolved = resolve(query, self.names(), as_of)?;
        let evaluation = self.evaluation(&resolved, &mut Vec::new())?;
        Ok(self.engine.begin(&resolved, &evaluation)?)
    }

    /// A query as plain SQL, laid out for people; where fields changed later, it says which tables it is for, and where it runs
    /// as it is printed and not in the history kernel, why.
    ///
    /// # Errors
    /// If it does not resolve, or the store cannot be read.
    pub fn plain_sql(&self, query: &Query, as_of: Timestamp) -> Result<String, Error> {
        let resolved = resolve(query, self.names(), as_of)?;
        let mut text = String::new();
        if !Arc::ptr_eq(&self.snapshot_as_of(as_of)?, self.snapshot()) {
            text = format!("-- for the tables of: {}\n", self.export(as_of));
        }
        for past in &resolved.past {
            let ResolvedSegment { grain, query } = &past.rows;
            let tables = self.export(query.as_of);
            text +=
                &format!("-- {}.{}: whether a row is among these, of the tables of: {tables}\n", grain, past.column);
            text.extend(query.to_pretty_sql().lines().map(|line| format!("--   {line}\n")));
        }
        // What it names may fail or be refused; that is said when it is asked.
        if let Ok(evaluation) = self.evaluation(&resolved, &mut Vec::new())
            && let Some(why) = self.engine.refusal(&resolved, &evaluation)?
        {
            text += &format!("-- not in the history kernel: {}\n", why.lines().next().unwrap_or_default());
        }
        Ok(text + &resolved.to_pretty_sql())
    }

    /// The command that writes the tables as of an instant.
    fn export(&self, as_of: Timestamp) -> String {
        format!("muster export --tables DIR --as-of {}", as_of.rfc3339(self.names().zone))
    }

    /// The profiles of the segment `name` as of an instant: its rows, or the owners of its rows, each once.
    ///
    /// # Errors
    /// As [`Evaluator::rows`].
    pub fn profiles(&self, name: &str, as_of: Timestamp) -> Result<Arc<RowSet>, Error> {
        let rows = self.rows(name, as_of)?;
        let grain = self.grain(self.definition(name)?);
        if grain == PROFILES { Ok(rows) } else { Ok(Arc::new(self.owners(grain, &rows)?)) }
    }

    /// The profiles to which rows of a history belong.
    fn owners(&self, table: &str, rows: &RowSet) -> Result<RowSet, Error> {
        let mut owners = RowSet::empty();
        for block in 0..self.snapshot().block_count(table) {
            let columns =
                self.snapshot().scan(table, block, &[SystemColumn::Row.name(), SystemColumn::Profile.name()])?;
            let [numbers, profiles] = [0, 1].map(|column| columns[column].as_primitive::<Int64Type>().values().iter());
            let owned = numbers.zip(profiles).filter(|(row, _)| rows.contains(**row as u32));
            owners = owners.or(&owned.map(|(_, profile)| *profile as u32).collect());
        }
        Ok(owners)
    }

    /// Those of the profiles that are there: a deleted one is gone as of every instant.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn living(&self, profiles: &RowSet) -> Result<RowSet, Error> {
        let mut living = RowSet::empty();
        for block in 0..self.snapshot().block_count(PROFILES) {
            let members = profiles.block(block as u32);
            if !members.is_empty() {
                let rows = self.snapshot().scan(PROFILES, block, &[SystemColumn::Row.name()])?.remove(0);
                let there = rows.as_primitive::<Int64Type>().values().iter().map(|row| *row as u32);
                living = living.or(&members.and(&there.collect()));
            }
        }
        Ok(living)
    }

    /// The keys of profiles, in bytewise order.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn keys(&self, profiles: &RowSet) -> Result<Vec<String>, Error> {
        self.keys_of(PROFILES, profiles)
    }

    /// The keys of rows of a table that has one, in bytewise order.
    pub(crate) fn keys_of(&self, table: &str, wanted: &RowSet) -> Result<Vec<String>, Error> {
        let key =
            self.snapshot().schema(table).and_then(|schema| schema.key.clone()).expect("rows of a segment have a key");
        let mut keys = Vec::with_capacity(wanted.len() as usize);
        for block in 0..self.snapshot().block_count(table) {
            // Profiles of a block have its numbers, so that a block with none of them need not be read.
            if table != PROFILES || !wanted.block(block as u32).is_empty() {
                let columns = self.snapshot().scan(table, block, &[SystemColumn::Row.name(), &key])?;
                let rows = columns[0].as_primitive::<Int64Type>().values().iter();
                let named = rows.zip(columns[1].as_string_view()).filter(|(row, _)| wanted.contains(**row as u32));
                keys.extend(named.filter_map(|(_, key)| key.map(str::to_owned)));
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

/// The table that a definition selects from, as the catalog spells it.
fn grain<'n>(names: &'n Names, definition: &Definition) -> &'n str {
    let written = definition.query.from_table();
    let table = written.and_then(|table| names.table(&table));
    table.map_or(PROFILES, |table| table.name.as_str())
}
