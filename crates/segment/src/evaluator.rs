//! Who is in a segment: evaluated on one snapshot, each segment at most once per instant.
//!
//! As of an instant a query sees the snapshot with its fields as they were then ([`Evaluator::snapshot_as_of`]); that later
//! rows are not there yet is in the printed SQL.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use chrono_tz::Tz;
use muster_catalog::{Names, RowSet, SegmentNames, Timestamp, nearest};
use muster_language::{Query, ResolvedQuery, ResolvedSegment, resolve, resolve_segment};
use muster_query::{Answer, Engine, Evaluation, Masks, Running};
use muster_store::{Snapshot, SystemColumn};
use sha2::{Digest, Sha256};

use crate::past::Past;
use crate::{Definition, Error};

/// Definitions over one snapshot.
pub struct Evaluator<'a> {
    engine: &'a Engine,
    past: Arc<Past>,
    names: Names,
    definitions: BTreeMap<String, Definition>,
    known: RefCell<BTreeMap<(String, Timestamp), Arc<RowSet>>>,
    /// Who is on each list that was asked for; as of every instant the same.
    lists: RefCell<BTreeMap<String, Arc<RowSet>>>,
    /// The segments that each evaluated one names.
    used: RefCell<BTreeMap<String, Vec<String>>>,
    /// What its queries do not see.
    masks: Masks,
}

/// All segments are of profiles for now, so every definition has this grain.
const GRAIN: &str = "profiles";

impl<'a> Evaluator<'a> {
    /// An evaluator of `definitions` over `snapshot`, whose dates and times are those of `zone`.
    pub fn new(engine: &'a Engine, snapshot: Arc<Snapshot>, zone: Tz, definitions: Vec<Definition>) -> Self {
        Self::over(engine, Arc::new(Past::of(snapshot)), zone, definitions)
    }

    /// The same over a snapshot of which some instants may be known already.
    pub(crate) fn over(engine: &'a Engine, past: Arc<Past>, zone: Tz, definitions: Vec<Definition>) -> Self {
        let names_of =
            |definition: &Definition| SegmentNames { name: definition.name.clone(), grain: GRAIN.to_owned() };
        let names = past.present().names(zone, definitions.iter().map(names_of).collect());
        let definitions = definitions.into_iter().map(|definition| (definition.name.clone(), definition)).collect();
        let (known, lists, used) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { engine, past, names, definitions, known, lists, used, masks: Masks::default() }
    }

    /// The same for somebody who does not see some columns: they are NULL in queries, and a segment that reads one is not
    /// evaluated at all, since who is in it would tell what the values are.
    pub(crate) fn masked(self, masks: Masks) -> Self {
        Self { masks, ..self }
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
        &self.names
    }

    /// The definitions, by name.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.values()
    }

    /// The definition `name`, capitals aside.
    ///
    /// # Errors
    /// [`Error::UnknownSegment`] with the nearest name.
    pub fn definition(&self, name: &str) -> Result<&Definition, Error> {
        let found = self.definitions.values().find(|definition| definition.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::UnknownSegment {
            name: name.to_owned(),
            nearest: nearest(name, self.definitions.keys().map(String::as_str)).map(str::to_owned),
        })
    }

    /// The segments that `definition` names.
    ///
    /// # Errors
    /// If its query does not resolve against this snapshot, or selects from another table than profiles.
    pub fn uses(&self, definition: &Definition, as_of: Timestamp) -> Result<Vec<String>, Error> {
        Ok(self.resolved(definition, as_of)?.query.segments_used)
    }

    fn resolved(&self, definition: &Definition, as_of: Timestamp) -> Result<ResolvedSegment, Error> {
        let resolved = resolve_segment(&definition.query, &self.names, as_of)?;
        if resolved.grain == GRAIN { Ok(resolved) } else { Err(Error::RowSegment { grain: resolved.grain }) }
    }

    /// The profiles of the segment `name` as of an instant.
    ///
    /// # Errors
    /// If there is no such segment, segments are defined by each other, or a query fails.
    pub fn rows(&self, name: &str, as_of: Timestamp) -> Result<Arc<RowSet>, Error> {
        self.rows_below(name, as_of, &mut Vec::new())
    }

    /// `path` holds the segments that wait for this one.
    fn rows_below(&self, name: &str, as_of: Timestamp, path: &mut Vec<String>) -> Result<Arc<RowSet>, Error> {
        let definition = self.definition(name)?;
        let key = (definition.name.clone(), as_of);
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let waits_for_itself = path.iter().position(|waiting| *waiting == definition.name);
        path.push(definition.name.clone());
        if let Some(start) = waits_for_itself {
            return Err(Error::Cycle { cycle: path.split_off(start) });
        }
        let resolved = self.resolved(definition, as_of)?;
        let evaluation = Evaluation { masks: self.masks.refusing(), ..self.evaluation(&resolved.query, path)? };
        let rows = Arc::new(self.engine.rows(&resolved, &evaluation)?);
        path.pop();
        self.used.borrow_mut().insert(key.0.clone(), resolved.query.segments_used);
        self.known.borrow_mut().insert(key, Arc::clone(&rows));
        Ok(rows)
    }

    /// The segment and all that it is built on, which were evaluated with it, each after those that it names.
    pub(crate) fn built_on(&self, definition: &Definition) -> Vec<&Definition> {
        let mut found = Vec::new();
        self.collect(&definition.name, &mut found);
        found
    }

    fn collect<'b>(&'b self, name: &str, found: &mut Vec<&'b Definition>) {
        if found.iter().any(|known| known.name == name) {
            return;
        }
        let named = self.used.borrow().get(name).cloned().unwrap_or_default();
        named.iter().for_each(|below| self.collect(below, found));
        found.extend(self.definitions.get(name));
    }

    /// The digest of what an evaluated segment means: of its own definition and of all that it is built on.
    pub(crate) fn meaning(&self, definition: &Definition) -> String {
        let mut all = self.built_on(definition);
        if all.len() == 1 {
            return definition.digest.clone();
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let text: String = all.iter().map(|each| format!("{} {}\n", each.digest, each.name)).collect();
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The profiles on the list `name`.
    fn on_list(&self, name: &str) -> Result<Arc<RowSet>, Error> {
        if let Some(known) = self.lists.borrow().get(name) {
            return Ok(Arc::clone(known));
        }
        let rows = Arc::new(self.snapshot().profiles_on(name)?);
        self.lists.borrow_mut().insert(name.to_owned(), Arc::clone(&rows));
        Ok(rows)
    }

    /// What `query` runs over: the snapshot with the segments and the lists that it names.
    fn evaluation(&self, query: &ResolvedQuery, path: &mut Vec<String>) -> Result<Evaluation, Error> {
        let rows = |name: &String| Ok((name.clone(), self.rows_below(name, query.as_of, path)?));
        let segments = query.segments_used.iter().map(rows).collect::<Result<_, Error>>()?;
        let on_list = |name: &String| Ok((name.clone(), self.on_list(name)?));
        let lists = query.lists_used.iter().map(on_list).collect::<Result<_, Error>>()?;
        let snapshot = self.snapshot_as_of(query.as_of)?;
        Ok(Evaluation { snapshot, zone: self.names.zone, segments, lists, masks: self.masks.fresh() })
    }

    /// The rows of a query as of an instant.
    ///
    /// # Errors
    /// If it does not resolve, or fails.
    pub fn answer(&self, query: &Query, as_of: Timestamp) -> Result<Answer, Error> {
        Ok(self.begin(query, as_of)?.collected()?)
    }

    /// The rows of a query that would be wrong without a column that is masked.
    ///
    /// # Errors
    /// As [`Evaluator::answer`], and if it reads such a column.
    pub(crate) fn whole_answer(&self, query: &Query, as_of: Timestamp) -> Result<Answer, Error> {
        let resolved = resolve(query, &self.names, as_of)?;
        let masks = self.masks.refusing();
        let evaluation = Evaluation { masks, ..self.evaluation(&resolved, &mut Vec::new())? };
        Ok(self.engine.answer(&resolved, &evaluation)?)
    }

    /// Begins to answer a query as of an instant; its rows are given as they come.
    ///
    /// # Errors
    /// As [`Evaluator::answer`], as far as it shows before the first row.
    pub fn begin(&self, query: &Query, as_of: Timestamp) -> Result<Running, Error> {
        let resolved = resolve(query, &self.names, as_of)?;
        let evaluation = self.evaluation(&resolved, &mut Vec::new())?;
        Ok(self.engine.begin(&resolved, &evaluation)?)
    }

    /// A query as plain SQL, laid out for people; where fields changed later, it says which tables it is for.
    ///
    /// # Errors
    /// If it does not resolve, or the store cannot be read.
    pub fn plain_sql(&self, query: &Query, as_of: Timestamp) -> Result<String, Error> {
        let text = resolve(query, &self.names, as_of)?.to_pretty_sql();
        if Arc::ptr_eq(&self.snapshot_as_of(as_of)?, self.snapshot()) {
            return Ok(text);
        }
        let instant = as_of.rfc3339(self.names.zone);
        Ok(format!("-- for the tables of: muster export --tables DIR --as-of {instant}\n{text}"))
    }

    /// Those of the profiles that are there: a deleted one is gone as of every instant.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn living(&self, profiles: &RowSet) -> Result<RowSet, Error> {
        let mut living = RowSet::empty();
        for block in 0..self.snapshot().block_count(GRAIN) {
            let members = profiles.block(block as u32);
            if !members.is_empty() {
                let rows = self.snapshot().scan(GRAIN, block, &[SystemColumn::Row.name()])?.remove(0);
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
        let key = self.snapshot().schema(GRAIN).and_then(|root| root.key.clone()).expect("profiles have a key");
        let mut keys = Vec::with_capacity(profiles.len() as usize);
        for block in 0..self.snapshot().block_count(GRAIN) {
            let members = profiles.block(block as u32);
            if !members.is_empty() {
                let columns = self.snapshot().scan(GRAIN, block, &[SystemColumn::Row.name(), &key])?;
                let rows = columns[0].as_primitive::<Int64Type>().values().iter();
                let named = rows.zip(columns[1].as_string_view()).filter(|(row, _)| members.contains(**row as u32));
                keys.extend(named.filter_map(|(_, key)| key.map(str::to_owned)));
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }
}
