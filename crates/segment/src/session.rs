//! Executes statements: queries are answered, definitions stored, audiences kept.

use std::sync::Arc;

use muster_catalog::{Clock, Timestamp};
use muster_language::{Query, SegmentDefinition, Statement};
use muster_query::{Answer, Engine};
use muster_state::{Reader, State, Tx};
use muster_store::{Snapshot, Store};

use crate::{Audience, Classes, Definition, Depth, Error, Evaluator, TableDescription, Wanted, listing};

/// How the state file may be used.
#[derive(Clone, Copy)]
pub enum Access<'a> {
    /// Beside whoever writes.
    Read(&'a Reader),
    /// As the one that writes.
    Write(&'a State),
}

impl Access<'_> {
    /// Reads the state.
    ///
    /// # Errors
    /// Those of `work`, and of the state.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Read(reader) => reader.read(work),
            Self::Write(state) => state.read(work),
        }
    }

    fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Read(_) => Err(Error::ReadOnly),
            Self::Write(state) => state.write(work),
        }
    }
}

/// What a session works with.
#[derive(Clone, Copy)]
pub struct Workbench<'a> {
    /// The snapshots.
    pub store: &'a Store,
    /// The state file.
    pub access: Access<'a>,
    /// What runs queries.
    pub engine: &'a Engine,
    /// The present.
    pub clock: &'a dyn Clock,
    /// The workspace's zone.
    pub zone: chrono_tz::Tz,
}

/// What became of a statement.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Rows.
    Answer(Answer),
    /// Text for people: a definition, plain SQL.
    Text(String),
    /// A segment was stored and evaluated.
    Defined {
        /// What it selects now.
        audience: Audience,
        /// How many it selected before, where there was one.
        before: Option<u64>,
        /// Whether the definition is another one than before.
        changed: bool,
    },
    /// A segment was evaluated.
    Refreshed(Audience),
    /// A segment was removed.
    Dropped(String),
    /// Later statements look at the world as of this instant.
    AsOf(Timestamp),
}

/// Statements one after the other, over the newest snapshot at its start.
pub struct Session<'a> {
    bench: Workbench<'a>,
    snapshot: Arc<Snapshot>,
    as_of: Timestamp,
    classes: Classes,
}

impl<'a> Session<'a> {
    /// A session whose `now()` is the present, or `as_of` where that is given.
    ///
    /// # Errors
    /// [`Error::NoData`] before the first load.
    pub fn new(bench: Workbench<'a>, as_of: Option<Timestamp>) -> Result<Self, Error> {
        let snapshot = bench.store.snapshot().ok_or(Error::NoData)?;
        let as_of = as_of.unwrap_or_else(|| bench.clock.now());
        Ok(Self { bench, snapshot, as_of, classes: Classes::default() })
    }

    /// The same, in which DESCRIBE hides the values of the columns that `classes` keeps from it; without, of those whose
    /// role reaches a person.
    pub fn with_classes(self, classes: Classes) -> Self {
        Self { classes, ..self }
    }

    /// Whether a statement changes anything that is kept.
    pub fn writes(statement: &Statement) -> bool {
        matches!(
            statement,
            Statement::CreateSegment(_) | Statement::RefreshSegment { .. } | Statement::DropSegment { .. }
        )
    }

    /// The instant at which statements without one of their own look at the world.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The stored definitions over the snapshot.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn evaluator(&self) -> Result<Evaluator<'a>, Error> {
        Ok(self.evaluator_of(self.bench.access.read(Definition::all)?))
    }

    fn evaluator_of(&self, definitions: Vec<Definition>) -> Evaluator<'a> {
        Evaluator::new(self.bench.engine, Arc::clone(&self.snapshot), self.bench.zone, definitions)
    }

    /// Executes one statement.
    ///
    /// # Errors
    /// If it is not in order or fails; nothing was changed then.
    pub fn execute(&mut self, statement: Statement) -> Result<Outcome, Error> {
        match statement {
            Statement::Query { as_of, query } => {
                let as_of = self.instant(as_of)?;
                self.answer(&query, as_of).map(Outcome::Answer)
            }
            Statement::ExplainSql { as_of, query } => {
                let as_of = self.instant(as_of)?;
                self.evaluator()?.plain_sql(&query, as_of).map(Outcome::Text)
            }
            Statement::SetAsOf(text) => {
                self.as_of = text.instant(self.bench.zone)?;
                Ok(Outcome::AsOf(self.as_of))
            }
            Statement::ShowTables => listing::tables(&self.snapshot).map(Outcome::Answer),
            Statement::DescribeTable { name, column } => {
                self.describe_table(&name, column.as_deref()).map(Outcome::Answer)
            }
            Statement::ShowSegments => self.segments().map(Outcome::Answer),
            Statement::DescribeSegment { name } => self.describe_segment(&name).map(Outcome::Answer),
            Statement::CreateSegment(definition) => self.define(definition),
            Statement::RefreshSegment { name } => self.refresh(&name).map(Outcome::Refreshed),
            Statement::DropSegment { name } => self.drop_segment(&name),
        }
    }

    fn instant(&self, own: Option<muster_language::InstantText>) -> Result<Timestamp, Error> {
        own.map_or(Ok(self.as_of), |own| Ok(own.instant(self.bench.zone)?))
    }

    fn answer(&self, query: &Query, as_of: Timestamp) -> Result<Answer, Error> {
        self.evaluator()?.answer(query, as_of)
    }

    fn describe_table(&self, table: &str, column: Option<&str>) -> Result<Answer, Error> {
        let wanted = Wanted { table, column, as_of: self.as_of, depth: Depth::DESCRIBE, classes: &self.classes };
        let description = TableDescription::of(&self.evaluator()?, &wanted)?;
        match column {
            Some(_) => listing::columns(&description),
            None => listing::table(&description, self.as_of.rfc3339(self.bench.zone)),
        }
    }

    fn segments(&self) -> Result<Answer, Error> {
        let (definitions, counts) = self.bench.access.read(|tx| Ok((Definition::all(tx)?, Audience::counts(tx)?)))?;
        listing::segments(&definitions, &counts, self.bench.zone)
    }

    fn describe_segment(&self, name: &str) -> Result<Answer, Error> {
        let evaluator = self.evaluator()?;
        let definition = evaluator.definition(name)?;
        let counts = self.bench.access.read(Audience::counts)?;
        let users = self.users(&evaluator, &definition.name)?;
        listing::segment(definition, &counts, &users, self.bench.zone)
    }

    /// The segments that name `name`.
    fn users(&self, evaluator: &Evaluator<'_>, name: &str) -> Result<Vec<String>, Error> {
        let mut users = Vec::new();
        for definition in evaluator.definitions().filter(|definition| definition.name != name) {
            let uses = match evaluator.uses(definition, self.as_of) {
                Ok(used) => used.iter().any(|used| used == name),
                // What no longer resolves, since a column is gone, must not stand in the way of what it never named.
                Err(Error::Language(_)) => definition.text().to_lowercase().contains(&name.to_lowercase()),
                Err(error) => return Err(error),
            };
            if uses {
                users.push(definition.name.clone());
            }
        }
        Ok(users)
    }

    fn define(&mut self, parsed: SegmentDefinition) -> Result<Outcome, Error> {
        let may_replace = parsed.or_replace;
        let mut outcomes = self.define_all(vec![parsed], may_replace)?;
        Ok(outcomes.remove(0))
    }

    /// Stores several definitions at once, which may name each other in any order, and evaluates them: all or none.
    ///
    /// # Errors
    /// If one is not in order, or its name is taken and may not be replaced.
    pub fn define_all(&mut self, parsed: Vec<SegmentDefinition>, may_replace: bool) -> Result<Vec<Outcome>, Error> {
        let (stored, counts) = self.bench.access.read(|tx| Ok((Definition::all(tx)?, Audience::counts(tx)?)))?;
        let now = self.bench.clock.now();
        let new: Vec<Definition> = parsed.into_iter().map(|parsed| Definition::new(parsed, now)).collect();
        if let Some(name) = defined_twice(&new) {
            return Err(Error::Twice { name: name.to_owned() });
        }
        let before = |name: &str| stored.iter().find(|definition| definition.name == name);
        if let Some(taken) = new.iter().find(|definition| !may_replace && before(&definition.name).is_some()) {
            return Err(Error::Exists { name: taken.name.clone() });
        }
        let others = stored.iter().filter(|old| !new.iter().any(|definition| definition.name == old.name));
        let evaluator = self.evaluator_of(others.chain(&new).cloned().collect());
        let audiences =
            new.iter().map(|definition| self.audience(&evaluator, definition)).collect::<Result<Vec<_>, _>>()?;
        self.bench.access.write(|tx| {
            new.iter().try_for_each(|definition| definition.save(tx))?;
            audiences.iter().try_for_each(|audience| audience.save(tx))
        })?;
        let outcome = |audience: Audience| Outcome::Defined {
            before: counts.iter().find(|(name, ..)| *name == audience.segment).map(|(_, profiles, ..)| *profiles),
            changed: before(&audience.segment).is_none_or(|old| old.digest != audience.definition),
            audience,
        };
        Ok(audiences.into_iter().map(outcome).collect())
    }

    /// What is wrong with definitions that may name each other in any order, beside those that are stored.
    pub fn problems(&self, parsed: Vec<SegmentDefinition>) -> Vec<String> {
        let new: Vec<Definition> = parsed.into_iter().map(|parsed| Definition::new(parsed, self.as_of)).collect();
        let stored = match self.bench.access.read(Definition::all) {
            Ok(stored) => stored,
            Err(error) => return vec![error.to_string()],
        };
        if let Some(name) = defined_twice(&new) {
            return vec![Error::Twice { name: name.to_owned() }.to_string()];
        }
        let others = stored.into_iter().filter(|old| !new.iter().any(|definition| definition.name == old.name));
        let evaluator = self.evaluator_of(others.chain(new.iter().cloned()).collect());
        let problem = |definition: &Definition| {
            let error = evaluator.rows(&definition.name, self.as_of).err()?;
            Some(format!("segment {}: {error}", definition.name))
        };
        new.iter().filter_map(problem).collect()
    }

    fn audience(&self, evaluator: &Evaluator<'_>, definition: &Definition) -> Result<Audience, Error> {
        let rows = evaluator.rows(&definition.name, self.as_of)?;
        Ok(Audience {
            segment: definition.name.clone(),
            definition: definition.digest.clone(),
            snapshot: self.snapshot.number(),
            as_of: self.as_of,
            evaluated_at: self.bench.clock.now(),
            rows: rows.as_ref().clone(),
        })
    }

    /// Evaluates a segment and keeps its audience, unless it was evaluated as of a later instant already.
    ///
    /// # Errors
    /// If there is no such segment, or its query fails.
    pub fn refresh(&self, name: &str) -> Result<Audience, Error> {
        let evaluator = self.evaluator()?;
        let audience = self.audience(&evaluator, evaluator.definition(name)?)?;
        let newest = self.bench.access.read(|tx| Audience::newest(tx, &audience.segment))?;
        if newest.is_none_or(|newest| newest.as_of <= audience.as_of) {
            self.bench.access.write(|tx| audience.save(tx))?;
        }
        Ok(audience)
    }

    fn drop_segment(&self, name: &str) -> Result<Outcome, Error> {
        let evaluator = self.evaluator()?;
        let name = evaluator.definition(name)?.name.clone();
        let users = self.users(&evaluator, &name)?;
        if !users.is_empty() {
            return Err(Error::InUse { name, users });
        }
        self.bench.access.write(|tx| Definition::remove(tx, &name))?;
        Ok(Outcome::Dropped(name))
    }
}

/// The name that two definitions share.
fn defined_twice(definitions: &[Definition]) -> Option<&str> {
    let taken = |(place, definition): &(usize, &Definition)| {
        definitions[..*place].iter().any(|earlier| earlier.name == definition.name)
    };
    definitions.iter().enumerate().find(taken).map(|(_, definition)| definition.name.as_str())
}
