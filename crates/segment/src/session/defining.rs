//! Storing definitions: several at once, which may name each other in any order, all or none.

use std::collections::BTreeSet;

use muster_catalog::Timestamp;
use muster_language::{VariableDefinition, hidden};
use muster_state::Tx;

use super::{Count, Found, Outcome, Session, is_later};
use crate::{Audience, Definition, Definitions, Error, Evaluator, Item, NewDefinition, Variable};

impl<'a> Session<'a> {
    pub(super) fn define(&mut self, parsed: NewDefinition) -> Result<Outcome, Error> {
        let may_replace = match &parsed {
            NewDefinition::Segment(segment) => segment.or_replace,
            NewDefinition::Variable(variable) => variable.or_replace,
        };
        let mut outcomes = self.define_all(vec![parsed], may_replace)?;
        Ok(outcomes.remove(0))
    }

    /// Stores several definitions at once, which may name each other in any order, and evaluates them: all or none.
    ///
    /// # Errors
    /// If one is not in order, or its name is taken and may not be replaced.
    pub fn define_all(&mut self, parsed: Vec<NewDefinition>, may_replace: bool) -> Result<Vec<Outcome>, Error> {
        let (stored, counts) = self.bench.access.read(|tx| Ok((Definitions::all(tx)?, Audience::counts(tx)?)))?;
        let order: Vec<Item> = parsed.iter().map(NewDefinition::item).collect();
        if let Some(taken) = order.iter().find(|item| !may_replace && stored.has(item)) {
            return Err(Error::Exists { item: taken.clone() });
        }
        let new = New::of(parsed, self.bench.clock.now());
        let evaluator = self.evaluator_with(&stored, &new)?;
        let found = new.segments.iter().map(|definition| self.found(&evaluator, definition));
        let found = found.collect::<Result<Vec<_>, Error>>()?;
        let variables = evaluator.variables().filter(|variable| new.defines(variable)).cloned().collect();
        let made = Made { stored, counts, found, variables };
        self.bench.access.write(|tx| {
            new.segments.iter().try_for_each(|definition| definition.save(tx))?;
            made.keep(tx)
        })?;
        Ok(order.iter().filter_map(|item| made.outcome(item)).collect())
    }

    /// What is wrong with definitions that may name each other in any order, beside those that are stored.
    pub fn problems(&self, parsed: Vec<NewDefinition>) -> Vec<String> {
        let stored = match self.bench.access.read(Definitions::all) {
            Ok(stored) => stored,
            Err(error) => return vec![error.to_string()],
        };
        let new = New::of(parsed, self.as_of);
        let evaluator = match self.evaluator_with(&stored, &new) {
            Ok(evaluator) => evaluator,
            Err(error) => return vec![error.to_string()],
        };
        let problem = |definition: &Definition| {
            let error = evaluator.rows(&definition.name, self.as_of).err()?;
            Some(format!("segment {}: {error}", definition.name))
        };
        new.segments.iter().filter_map(problem).collect()
    }

    /// An evaluator of the stored definitions with new ones in the place of those that have their names.
    fn evaluator_with(&self, stored: &Definitions, new: &New) -> Result<Evaluator<'a>, Error> {
        new.refuse_twice()?;
        let staying = |old: &&Definition| new.segments.iter().all(|definition| definition.name != old.name);
        let segments = stored.segments.iter().filter(staying).chain(&new.segments).cloned().collect();
        let variables = stored.variables.iter().filter(|old| !new.defines(old)).cloned().collect();
        let mut definitions = Definitions { segments, variables };
        let mut pending: Vec<&VariableDefinition> = new.variables.iter().collect();
        // What a variable holds is known once all that it names is.
        while !pending.is_empty() {
            let evaluator = self.evaluator_of(definitions.clone());
            let (mut found, mut still, mut first_error) = (Vec::new(), Vec::new(), None);
            for definition in pending {
                match self.variable(&evaluator, definition, new.at) {
                    Ok(variable) => found.push(variable),
                    Err(error) => {
                        first_error.get_or_insert(error);
                        still.push(definition);
                    }
                }
            }
            if let Some(error) = first_error.filter(|_| found.is_empty()) {
                return Err(error);
            }
            definitions.variables.extend(found);
            pending = still;
        }
        Ok(self.evaluator_of(definitions))
    }

    /// A variable with what it holds.
    fn variable(
        &self,
        evaluator: &Evaluator<'_>,
        definition: &VariableDefinition,
        at: Timestamp,
    ) -> Result<Variable, Error> {
        refuse_taken(evaluator, &definition.name)?;
        let holds = evaluator.held_by(definition, self.as_of)?;
        Ok(Variable::new(definition.clone(), holds, at))
    }
}

/// What new definitions gave, beside what was stored before.
struct Made {
    stored: Definitions,
    /// The audiences that were kept before.
    counts: Vec<Count>,
    found: Vec<Found>,
    variables: Vec<Variable>,
}

impl Made {
    /// Keeps variables, and audiences but for those of a definition that was evaluated as of a later instant already.
    fn keep(&self, tx: &Tx<'_>) -> Result<(), Error> {
        self.variables.iter().try_for_each(|variable| variable.save(tx))?;
        let due = |found: &&Found| self.is_changed(&found.audience) || !is_later(&self.counts, &found.audience);
        self.found.iter().filter(due).try_for_each(|found| found.keep(tx))
    }

    fn is_changed(&self, audience: &Audience) -> bool {
        let before = self.stored.segments.iter().find(|old| old.name == audience.segment);
        before.is_none_or(|old| old.digest != audience.definition)
    }

    fn outcome(&self, item: &Item) -> Option<Outcome> {
        match item {
            Item::Segment(name) => {
                let audience = self.found.iter().map(|found| &found.audience).find(|found| found.segment == *name)?;
                let before =
                    self.counts.iter().find(|(segment, ..)| segment == name).map(|(_, profiles, ..)| *profiles);
                Some(Outcome::Defined { before, changed: self.is_changed(audience), audience: audience.clone() })
            }
            Item::Variable(name) => {
                let variable = self.variables.iter().find(|variable| variable.name() == name)?.clone();
                let before = self.stored.variables.iter().find(|old| old.name() == name);
                let changed = before.is_none_or(|old| old.digest != variable.digest);
                Some(Outcome::DefinedVariable { variable, changed })
            }
            // Nothing defines a score but muster.toml.
            Item::Score(_) => None,
        }
    }
}

/// Definitions that are to be stored.
struct New {
    at: Timestamp,
    segments: Vec<Definition>,
    variables: Vec<VariableDefinition>,
}

impl New {
    fn of(parsed: Vec<NewDefinition>, at: Timestamp) -> Self {
        let mut new = Self { at, segments: Vec::new(), variables: Vec::new() };
        for definition in parsed {
            match definition {
                NewDefinition::Segment(segment) => new.segments.push(Definition::new(segment, at)),
                NewDefinition::Variable(variable) => new.variables.push(variable),
            }
        }
        new
    }

    fn defines(&self, variable: &Variable) -> bool {
        self.variables.iter().any(|definition| definition.name == variable.name())
    }

    /// Two definitions of one name contradict each other.
    fn refuse_twice(&self) -> Result<(), Error> {
        let segments = self.segments.iter().map(|definition| Item::Segment(definition.name.clone()));
        let variables = self.variables.iter().map(|definition| Item::Variable(definition.name.clone()));
        let mut known = BTreeSet::new();
        match segments.chain(variables).find(|item| !known.insert(item.clone())) {
            Some(item) => Err(Error::Twice { item }),
            None => Ok(()),
        }
    }
}

/// A variable would hide a column of profiles, or be hidden by a table or a link of theirs.
fn refuse_taken(evaluator: &Evaluator<'_>, name: &str) -> Result<(), Error> {
    let names = evaluator.names();
    let column = names.root().and_then(|root| root.column(name)).map(|_| "a column of profiles");
    let table = names.table(name).map(|_| "a table");
    let links = names.tables.iter().flat_map(|table| &table.links);
    let link = links.into_iter().find(|(link, ..)| link.eq_ignore_ascii_case(name)).map(|_| "a link to a lookup");
    let own = name.starts_with(hidden::PREFIX).then_some("one of muster's own names");
    match column.or(table).or(link).or(own) {
        Some(taken) => Err(Error::NameTaken { name: name.to_owned(), taken: taken.to_owned() }),
        None => Ok(()),
    }
}
