//! Executes statements: queries are answered, definitions stored ([`defining`]), audiences and scores kept ([`scoring`]).

mod defining;
mod scoring;
pub use scoring::{RANKS, ScoreStanding};

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::ArrayRef;
use muster_catalog::{Clock, RowSet, Timestamp};
use muster_language::{InstantText, Query, Statement};
use muster_query::{Answer, Engine, Masks, Running};
use muster_state::{Reader, State, Tx};
use muster_store::Store;

use crate::audience::Count;
use crate::definition::Stored;
use crate::evaluator::{Defined, Known};
use crate::past::Past;
use crate::{
    Audience, Classes, Definition, Definitions, Depth, Error, Evaluator, Explanation, Item, KeptInputs, NewDefinition,
    Preview, Refresh, Scoring, TableDescription, Variable, Wanted, evaluator, listing, memberships, scores,
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

    /// A number that changes with every commit; `None` where that is not told.
    fn change(&self) -> Result<Option<i64>, Error> {
        match self {
            Self::Read(reader) => Ok(Some(reader.change()?)),
            Self::Write(_) => Ok(None),
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
    /// How scores are computed.
    pub scoring: &'a Scoring,
    /// What they were counted from before: of the same store.
    pub inputs: &'a KeptInputs,
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
    /// A variable was stored.
    DefinedVariable {
        /// The variable.
        variable: Variable,
        /// Whether the definition is another one than before.
        changed: bool,
    },
    /// A segment was evaluated.
    Refreshed(Audience),
    /// A segment or variable was removed.
    Dropped(Item),
    /// Later statements look at the world as of this instant.
    AsOf(Timestamp),
}

/// Statements one after the other, over the newest snapshot at its start.
pub struct Session<'a> {
    bench: Workbench<'a>,
    past: Arc<Past>,
    as_of: Timestamp,
    classes: Classes,
    /// What is defined, as the last statement found it.
    kept: RefCell<Option<Kept>>,
}

/// Definitions that statements share as long as they stay the same, with what was evaluated of them.
struct Kept {
    /// As they are stored; none of those that are not.
    stored: Option<Stored>,
    /// The number of the commit that they were read after, where that is told.
    change: Option<i64>,
    defined: Rc<Defined>,
    known: Rc<Known>,
}

impl<'a> Session<'a> {
    /// A session whose `now()` is the present, or `as_of` where that is given.
    ///
    /// # Errors
    /// [`Error::NoData`] before the first load.
    pub fn new(bench: Workbench<'a>, as_of: Option<Timestamp>) -> Result<Self, Error> {
        let snapshot = bench.store.snapshot().ok_or(Error::NoData)?;
        let as_of = as_of.unwrap_or_else(|| bench.clock.now());
        let (past, classes) = (Arc::new(Past::of(snapshot)), Classes::default());
        Ok(Self { bench, past, as_of, classes, kept: RefCell::default() })
    }

    /// The same, which does not see the columns that `classes` do not grant, and in which DESCRIBE hides the values of those
    /// that `classes` keep from it; without, of those whose role reaches a person.
    pub fn with_classes(self, classes: Classes) -> Self {
        Self { classes, ..self }
    }

    /// Looks at the newest snapshot from now on, as of `as_of`. What is defined is not read again where it stayed the same.
    ///
    /// # Errors
    /// [`Error::NoData`] before the first load.
    pub fn look_anew(&mut self, as_of: Timestamp) -> Result<(), Error> {
        let snapshot = self.bench.store.snapshot().ok_or(Error::NoData)?;
        if !Arc::ptr_eq(&snapshot, self.past.present()) {
            self.past = Arc::new(Past::of(Arc::clone(&snapshot)));
            if let Some(Kept { stored, defined, .. }) = self.kept.take() {
                let defined = Rc::new(Defined::over(
                    &snapshot,
                    self.bench.zone,
                    defined.definitions(),
                    self.bench.scoring.clone(),
                ));
                self.kept = RefCell::new(Some(Kept { stored, change: None, defined, known: Rc::default() }));
            }
        }
        self.as_of = as_of;
        Ok(())
    }

    /// The number of the snapshot that statements look at.
    pub fn snapshot(&self) -> u64 {
        self.past.present().number()
    }

    /// Whether a statement changes anything that is kept.
    pub fn writes(statement: &Statement) -> bool {
        matches!(
            statement,
            Statement::CreateSegment(_)
                | Statement::CreateVariable(_)
                | Statement::RefreshSegment { .. }
                | Statement::DropSegment { .. }
                | Statement::DropVariable { .. }
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
        // Asked first: what is committed between the two is found again by the next statement.
        let change = self.bench.access.change()?;
        if change.is_some() && self.kept.borrow().as_ref().is_some_and(|kept| kept.change == change) {
            return Ok(self.evaluator_of_kept());
        }
        let stored = self.bench.access.read(Stored::read)?;
        let is_kept = self.kept.borrow().as_ref().is_some_and(|kept| kept.stored.as_ref() == Some(&stored));
        if !is_kept {
            let definitions = stored.definitions()?;
            self.keep(Some(stored), definitions);
        }
        if let Some(kept) = self.kept.borrow_mut().as_mut() {
            kept.change = change;
        }
        Ok(self.evaluator_of_kept())
    }

    /// The same with no masks, for what hides values by itself.
    fn seeing_evaluator(&self) -> Result<Evaluator<'a>, Error> {
        Ok(self.evaluator()?.masked(Masks::default()))
    }

    /// Definitions that are not stored, over the snapshot.
    pub(crate) fn evaluator_of(&self, definitions: Definitions) -> Evaluator<'a> {
        self.keep(None, definitions);
        self.evaluator_of_kept()
    }

    /// Keeps definitions in the place of others; if they are the same, what was evaluated of them stays known.
    fn keep(&self, stored: Option<Stored>, definitions: Definitions) {
        let defined =
            Rc::new(Defined::over(self.past.present(), self.bench.zone, definitions, self.bench.scoring.clone()));
        let mut kept = self.kept.borrow_mut();
        let has_same_scores = |before: &Kept| match (&before.stored, &stored) {
            (Some(before), Some(stored)) => before.has_scores_of(stored),
            _ => true,
        };
        let before = kept.take().filter(|before| before.defined.is_same(&defined) && has_same_scores(before));
        let known = before.map(|before| before.known).unwrap_or_default();
        *kept = Some(Kept { stored, change: None, defined, known });
    }

    fn evaluator_of_kept(&self) -> Evaluator<'a> {
        let mut kept = self.kept.borrow_mut();
        let kept = kept.as_mut().expect("definitions were kept just now");
        if kept.known.is_full() {
            kept.known = Rc::default();
        }
        let earlier = Earlier { access: self.bench.access, known: Rc::clone(&kept.known) };
        let (past, defined) = (Arc::clone(&self.past), Rc::clone(&kept.defined));
        let evaluator = Evaluator::over(self.bench.engine, past, defined, Rc::new(earlier)).keeping(self.bench.inputs);
        let masks = self.classes.masks(self.past.present());
        // What masks refuse must not be known from before.
        if masks.is_empty() { evaluator.knowing(Rc::clone(&kept.known)) } else { evaluator.masked(masks) }
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
            Statement::Preview { as_of, definition } => {
                listing::preview(&self.preview(&definition, self.instant(as_of)?)?).map(Outcome::Answer)
            }
            Statement::ExplainSegment { name } => self.explain_segment(&name).map(Outcome::Answer),
            Statement::ExplainSegmentFor { name, key } => {
                listing::explanation(&self.explanation(&name, &key)?).map(Outcome::Answer)
            }
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
            Statement::ShowVariables => self.variables().map(Outcome::Answer),
            Statement::CreateSegment(definition) => self.define(NewDefinition::Segment(definition)),
            Statement::CreateVariable(definition) => self.define(NewDefinition::Variable(definition)),
            Statement::RefreshSegment { name } => self.refresh(&name).map(Outcome::Refreshed),
            Statement::DropSegment { name } => self.drop_segment(&name),
            Statement::DropVariable { name } => self.drop_variable(&name),
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
        let evaluator = self.evaluator()?;
        let names = evaluator.names();
        if let (None, Some(score)) = (names.table(table), names.score(table)) {
            return listing::score(score, column);
        }
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

    fn variables(&self) -> Result<Answer, Error> {
        let evaluator = self.evaluator()?;
        let used_by = |variable: &Variable| Ok((variable.clone(), self.users(&evaluator, &variable.item())?));
        listing::variables(&evaluator.variables().map(used_by).collect::<Result<Vec<_>, Error>>()?)
    }

    fn describe_segment(&self, name: &str) -> Result<Answer, Error> {
        let evaluator = self.evaluator()?;
        let definition = evaluator.definition(name)?;
        let counts = self.bench.access.read(Audience::counts)?;
        let users = self.users(&evaluator, &Item::Segment(definition.name.clone()))?;
        listing::segment(definition, &counts, &users, self.bench.zone)
    }

    /// How many rows each condition of a definition leaves that need not be stored, as of an instant. What was counted in this
    /// session for the same instant is not counted again.
    ///
    /// # Errors
    /// As [`Evaluator::preview`].
    pub fn preview(&self, definition: &Query, as_of: Timestamp) -> Result<Preview, Error> {
        self.evaluator()?.preview(definition, as_of)
    }

    /// How many rows remain after each condition, and how many each takes away by itself.
    fn explain_segment(&self, name: &str) -> Result<Answer, Error> {
        let evaluator = self.evaluator()?;
        let definition = evaluator.definition(name)?;
        listing::waterfall(&evaluator.preview(&definition.query, self.as_of)?)
    }

    /// Why the row with this key is in the segment `name` or not.
    ///
    /// # Errors
    /// As [`Evaluator::explanation`].
    pub fn explanation(&self, name: &str, key: &str) -> Result<Explanation, Error> {
        self.evaluator()?.explanation(name, key, self.as_of)
    }

    /// The segments and variables that name `item`.
    fn users(&self, evaluator: &Evaluator<'_>, item: &Item) -> Result<Vec<String>, Error> {
        let mut users = Vec::new();
        let mut consider = |user: Item, uses: Result<BTreeSet<Item>, Error>, text: String| {
            let uses = match uses {
                Ok(used) => used.contains(item),
                // What no longer resolves, since a column is gone, must not stand in the way of what it never named.
                Err(Error::Language(_)) => text.to_lowercase().contains(&item.name().to_lowercase()),
                Err(error) => return Err(error),
            };
            users.extend(uses.then(|| user.to_string()));
            Ok(())
        };
        for segment in evaluator.definitions() {
            let user = Item::Segment(segment.name.clone());
            if user != *item {
                consider(user, evaluator.uses(segment, self.as_of), segment.text())?;
            }
        }
        for variable in evaluator.variables().filter(|variable| variable.item() != *item) {
            let uses = evaluator.uses_of_variable(variable, self.as_of);
            consider(variable.item(), uses, variable.definition.expression())?;
        }
        Ok(users)
    }

    fn found(&self, evaluator: &Evaluator<'_>, definition: &Definition) -> Result<Found, Error> {
        let rows = evaluator.profiles(&definition.name, self.as_of)?;
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

    /// The segments whose span since their last refresh is over, or that have no audience; those that say no span are never
    /// due. In the order of their names.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn due(&self) -> Result<Vec<String>, Error> {
        let (segments, kept) = self.bench.access.read(|tx| Ok((Definition::all(tx)?, Audience::counts(tx)?)))?;
        let is_due = |definition: &Definition| {
            let Some(every) = &definition.refresh else { return false };
            let last = kept.iter().find(|(name, ..)| *name == definition.name).map(|(_, _, as_of, _)| *as_of);
            let again = last.map(|last| every.after(last, self.bench.zone));
            again.is_none_or(|again| again.is_some_and(|again| again <= self.as_of))
        };
        Ok(segments.into_iter().filter(is_due).map(|definition| definition.name).collect())
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
        let item = Item::Segment(evaluator.definition(name)?.name.clone());
        self.refuse_in_use(&evaluator, &item)?;
        let nobody = self.audience_of(evaluator.definition(item.name())?, RowSet::empty());
        self.bench.access.write(|tx| {
            memberships::keep_dropped(tx, &nobody)?;
            Definition::remove(tx, item.name())
        })?;
        Ok(Outcome::Dropped(item))
    }

    fn drop_variable(&self, name: &str) -> Result<Outcome, Error> {
        let evaluator = self.evaluator()?;
        let item = evaluator.variable(name)?.item();
        self.refuse_in_use(&evaluator, &item)?;
        self.bench.access.write(|tx| Variable::remove(tx, item.name()))?;
        Ok(Outcome::Dropped(item))
    }

    fn refuse_in_use(&self, evaluator: &Evaluator<'_>, item: &Item) -> Result<(), Error> {
        let users = self.users(evaluator, item)?;
        if users.is_empty() { Ok(()) } else { Err(Error::InUse { name: item.name().to_owned(), users }) }
    }
}

/// What the state file keeps, read when it is asked for.
struct Earlier<'a> {
    access: Access<'a>,
    known: Rc<Known>,
}

impl evaluator::Kept for Earlier<'_> {
    fn audience(&self, segment: &str, as_of: Timestamp) -> Result<Arc<RowSet>, Error> {
        self.access.read(|tx| self.known.audience(tx, segment, as_of))
    }

    fn instant_of_score(&self, score: &str, as_of: Timestamp) -> Result<Option<Timestamp>, Error> {
        self.access.read(|tx| scores::instant_of(tx, score, as_of))
    }

    fn score(&self, score: &str, as_of: Timestamp, column: &str) -> Result<(Vec<u32>, ArrayRef), Error> {
        self.access.read(|tx| scores::column(tx, score, as_of, column))
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
fn is_later(kept: &[Count], audience: &Audience) -> bool {
    kept.iter().any(|(segment, _, as_of, _)| *segment == audience.segment && *as_of > audience.as_of)
}
