//! Executes statements: queries are answered, definitions stored, audiences kept.

use std::sync::Arc;

use muster_catalog::{Clock, RowSet, Timestamp};
use muster_language::{InstantText, Query, SegmentDefinition, Statement};
use muster_query::{Answer, Engine, Masks, Running};
use muster_state::{Reader, State, Tx};
use muster_store::Store;

use crate::cells::Line;
use crate::listing::Step;
use crate::past::Past;
use crate::{
    Audience, Classes, Definition, Depth, Error, Evaluator, Refresh, TableDescription, Wanted, listing, memberships,
};

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
    past: Arc<Past>,
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
        Ok(Self { bench, past: Arc::new(Past::of(snapshot)), as_of, classes: Classes::default() })
    }

    /// The same, which does not see the columns that `classes` do not grant, and in which DESCRIBE hides the values of those
    /// that `classes` keep from it; without, of those whose role reaches a person.
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

    /// The same with no masks, for what hides values by itself.
    fn seeing_evaluator(&self) -> Result<Evaluator<'a>, Error> {
        Ok(self.evaluator()?.masked(Masks::default()))
    }

    fn evaluator_of(&self, definitions: Vec<Definition>) -> Evaluator<'a> {
        let evaluator = Evaluator::over(self.bench.engine, Arc::clone(&self.past), self.bench.zone, definitions);
        evaluator.masked(self.classes.masks(self.past.present()))
    }

    /// Executes one statement.
    ///
    /// # Errors
    /// If it is not in order or fails; nothing was changed then.
    pub fn execute(&mut self, statement: Statement) -> Result<Outcome, Error> {
        match statement {
            Statement::Query { as_of, query } => Ok(Outcome::Answer(self.begin(as_of, &query)?.collected()?)),
            Statement::ExplainSql { as_of, query } => {
                let as_of = self.instant(as_of)?;
                self.evaluator()?.plain_sql(&query, as_of).map(Outcome::Text)
            }
            Statement::ExplainSegment { name } => self.explain_segment(&name).map(Outcome::Answer),
            Statement::SetAsOf(text) => {
                self.as_of = text.instant(self.bench.zone)?;
                Ok(Outcome::AsOf(self.as_of))
            }
            Statement::ShowTables => listing::tables(self.past.present()).map(Outcome::Answer),
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

    /// Begins to answer a query, as of its own instant if it has one; its rows are given as they come.
    ///
    /// # Errors
    /// If it is not in order, or fails before its first row.
    pub fn begin(&self, as_of: Option<InstantText>, query: &Query) -> Result<Running, Error> {
        let as_of = self.instant(as_of)?;
        self.evaluator()?.begin(query, as_of)
    }

    fn instant(&self, own: Option<InstantText>) -> Result<Timestamp, Error> {
        own.map_or(Ok(self.as_of), |own| Ok(own.instant(self.bench.zone)?))
    }

    fn describe_table(&self, table: &str, column: Option<&str>) -> Result<Answer, Error> {
        let wanted = Wanted { table, column, as_of: self.as_of, depth: Depth::DESCRIBE, classes: &self.classes };
        let description = TableDescription::of(&self.seeing_evaluator()?, &wanted)?;
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

    /// How many rows remain after each condition, and how many each takes away by itself.
    fn explain_segment(&self, name: &str) -> Result<Answer, Error> {
        let evaluator = self.evaluator()?;
        let definition = evaluator.definition(name)?;
        let waterfall = definition.query.waterfall().expect("a definition is one SELECT");
        let mut counts = Line::of(evaluator.whole_answer(&waterfall.counting, self.as_of)?);
        let mut steps = vec![Step { condition: None, remain: counts.count()?, removes: None }];
        for condition in waterfall.conditions {
            steps.push(Step { condition: Some(condition), remain: counts.count()?, removes: Some(counts.count()?) });
        }
        if waterfall.choice.is_some() {
            let remain = evaluator.rows(name, self.as_of)?.len();
            steps.push(Step { condition: waterfall.choice, remain, removes: None });
        }
        listing::waterfall(&steps)
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
        let found = new.iter().map(|definition| self.found(&evaluator, definition)).collect::<Result<Vec<_>, _>>()?;
        let changed =
            |audience: &Audience| before(&audience.segment).is_none_or(|old| old.digest != audience.definition);
        self.bench.access.write(|tx| {
            new.iter().try_for_each(|definition| definition.save(tx))?;
            let due = |found: &&Found| changed(&found.audience) || !is_later(&counts, &found.audience);
            found.iter().filter(due).try_for_each(|found| found.keep(tx))
        })?;
        let outcome = |audience: Audience| Outcome::Defined {
            before: counts.iter().find(|(name, ..)| *name == audience.segment).map(|(_, profiles, ..)| *profiles),
            changed: changed(&audience),
            audience,
        };
        Ok(found.into_iter().map(|found| outcome(found.audience)).collect())
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

    fn found(&self, evaluator: &Evaluator<'_>, definition: &Definition) -> Result<Found, Error> {
        let rows = evaluator.rows(&definition.name, self.as_of)?;
        let audience = self.audience_of(definition, rows.as_ref().clone());
        Ok(Found { audience, meaning: evaluator.meaning(definition) })
    }

    fn audience_of(&self, definition: &Definition, rows: RowSet) -> Audience {
        Audience {
            segment: definition.name.clone(),
            definition: definition.digest.clone(),
            snapshot: self.past.present().number(),
            as_of: self.as_of,
            evaluated_at: self.bench.clock.now(),
            rows,
        }
    }

    /// Evaluates a segment and all that it is built on, and keeps their audiences and who came and went, but for those that
    /// were evaluated as of a later instant already.
    ///
    /// # Errors
    /// If there is no such segment, or its query fails.
    pub fn refresh(&self, name: &str) -> Result<Audience, Error> {
        let evaluator = self.evaluator()?;
        let definition = evaluator.definition(name)?;
        let audience = self.found(&evaluator, definition)?.audience;
        let all = evaluator.built_on(definition).into_iter();
        let mut due = all.map(|each| self.found(&evaluator, each)).collect::<Result<Vec<_>, _>>()?;
        let kept = self.bench.access.read(Audience::counts)?;
        due.retain(|found| !is_later(&kept, &found.audience));
        if !due.is_empty() {
            self.bench.access.write(|tx| due.iter().try_for_each(|found| found.keep(tx)))?;
        }
        Ok(audience)
    }

    /// The refreshes of a segment that found something new, oldest first; also of one that was dropped.
    ///
    /// # Errors
    /// [`Error::UnknownSegment`] of a name that never was a segment's.
    pub fn history(&self, name: &str) -> Result<Vec<Refresh>, Error> {
        let name = self.name_in_history(name)?;
        self.bench.access.read(|tx| Refresh::all(tx, &name))
    }

    /// The same as rows.
    ///
    /// # Errors
    /// As [`Session::history`].
    pub fn history_rows(&self, name: &str) -> Result<Answer, Error> {
        listing::refreshes(&self.history(name)?, self.bench.zone)
    }

    /// Who was in a segment by its last refresh that was not later than `instant`, without those who were deleted since;
    /// `None` where it had none by then.
    ///
    /// What the definition says of that instant today is [`Evaluator::rows`].
    ///
    /// # Errors
    /// [`Error::UnknownSegment`] of a name that never was a segment's.
    pub fn members_as_of(&self, name: &str, instant: Timestamp) -> Result<Option<RowSet>, Error> {
        let name = self.name_in_history(name)?;
        let members = self.bench.access.read(|tx| memberships::members_as_of(tx, &name, instant))?;
        members.map(|members| self.evaluator()?.living(&members)).transpose()
    }

    /// The name of a segment that is or was, capitals aside.
    fn name_in_history(&self, name: &str) -> Result<String, Error> {
        match self.bench.access.read(|tx| memberships::name(tx, name))? {
            Some(known) => Ok(known),
            None => Ok(self.evaluator()?.definition(name)?.name.clone()),
        }
    }

    fn drop_segment(&self, name: &str) -> Result<Outcome, Error> {
        let evaluator = self.evaluator()?;
        let name = evaluator.definition(name)?.name.clone();
        let users = self.users(&evaluator, &name)?;
        if !users.is_empty() {
            return Err(Error::InUse { name, users });
        }
        let nobody = self.audience_of(evaluator.definition(&name)?, RowSet::empty());
        self.bench.access.write(|tx| {
            memberships::keep_dropped(tx, &nobody)?;
            Definition::remove(tx, &name)
        })?;
        Ok(Outcome::Dropped(name))
    }
}

/// What an evaluation found, and the digest of all definitions that it comes from.
struct Found {
    audience: Audience,
    meaning: String,
}

impl Found {
    fn keep(&self, tx: &Tx<'_>) -> Result<(), Error> {
        memberships::keep(tx, &self.audience, &self.meaning)
    }
}

/// Whether the kept audience of the segment looked at a later instant.
fn is_later(kept: &[(String, u64, Timestamp, Timestamp)], audience: &Audience) -> bool {
    kept.iter().any(|(segment, _, as_of, _)| *segment == audience.segment && *as_of > audience.as_of)
}

/// The name that two definitions share.
fn defined_twice(definitions: &[Definition]) -> Option<&str> {
    let taken = |(place, definition): &(usize, &Definition)| {
        definitions[..*place].iter().any(|earlier| earlier.name == definition.name)
    };
    definitions.iter().enumerate().find(taken).map(|(_, definition)| definition.name.as_str())
}
