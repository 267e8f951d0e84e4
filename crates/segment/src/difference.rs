//! Who is in a segment by one definition or at one instant and not by the other, and by which of its conditions.
//!
//! Whoever went does not meet a condition of the later side; whoever came did not meet one of the earlier side.

use std::collections::BTreeMap;

use muster_catalog::{RowSet, Timestamp};
use muster_language::Query;
use muster_query::Answer;

use crate::cells::{shown, truths};
use crate::{Definition, Definitions, Error, Evaluator, Session, listing};

/// How the members of a segment differ between two sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How many are in it by the earlier side.
    pub before: u64,
    /// How many are in it by the later side.
    pub after: u64,
    /// Those who are in it by one side alone: who came, then who went, each in bytewise order of keys.
    pub moves: Vec<Move>,
}

/// Somebody who is in it by one side alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The key.
    pub key: String,
    /// Which side.
    pub moved: Moved,
    /// The conditions that are not TRUE on the other side, as they are written there; none where there was no such row.
    pub by: Vec<String>,
}

/// Whether somebody is in it later alone, or earlier alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moved {
    /// Later and not earlier.
    Came,
    /// Earlier and not later.
    Went,
}

impl Moved {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Came => "came",
            Self::Went => "went",
        }
    }
}

impl Difference {
    /// How many moved by each condition; whoever does not meet several counts for each. Without a condition: those who
    /// were not there.
    pub fn by_condition(&self) -> BTreeMap<(Moved, Option<&str>), u64> {
        let mut counts = BTreeMap::new();
        for Move { moved, by, .. } in &self.moves {
            let absent = by.is_empty().then_some(None);
            for condition in by.iter().map(|condition| Some(condition.as_str())).chain(absent) {
                *counts.entry((*moved, condition)).or_insert(0) += 1;
            }
        }
        counts
    }
}

impl Difference {
    /// Who moved, as rows.
    ///
    /// # Errors
    /// None that is known: an answer's columns are of one length.
    pub fn listed(&self) -> Result<Answer, Error> {
        listing::moves(&self.moves)
    }

    /// How many moved by which condition, as rows.
    ///
    /// # Errors
    /// As [`Difference::listed`].
    pub fn counted(&self) -> Result<Answer, Error> {
        listing::moves_by_condition(&self.by_condition())
    }
}

impl Session<'_> {
    /// How the members of the segment `name` would differ with another definition, as of the session's instant.
    ///
    /// # Errors
    /// If there is no such segment, or one of both definitions cannot be evaluated.
    pub fn difference_with(&self, name: &str, definition: Query) -> Result<Difference, Error> {
        let stored = self.evaluator()?;
        let other = stored.definition(name)?.with_query(definition);
        let others = stored.definitions().filter(|known| known.name != other.name).cloned();
        let segments = others.chain([other.clone()]).collect();
        let proposed = self.evaluator_of(Definitions { segments, variables: stored.variables().cloned().collect() });
        let side = |evaluator| Side { evaluator, segment: &other.name, as_of: self.as_of() };
        difference(&side(&stored), &side(&proposed))
    }

    /// How the members of the segment `name` differ between two instants, by its stored definition.
    ///
    /// # Errors
    /// If there is no such segment, or it cannot be evaluated.
    pub fn difference_between(&self, name: &str, from: Timestamp, to: Timestamp) -> Result<Difference, Error> {
        let evaluator = self.evaluator()?;
        let segment = evaluator.definition(name)?.name.as_str();
        let side = |as_of| Side { evaluator: &evaluator, segment, as_of };
        difference(&side(from), &side(to))
    }
}

/// A segment by one definition, as of one instant.
struct Side<'a> {
    evaluator: &'a Evaluator<'a>,
    segment: &'a str,
    as_of: Timestamp,
}

fn difference(earlier: &Side<'_>, later: &Side<'_>) -> Result<Difference, Error> {
    let before = earlier.evaluator.rows(earlier.segment, earlier.as_of)?;
    let after = later.evaluator.rows(later.segment, later.as_of)?;
    let mut moves = earlier.not_met_by(after.minus(&before), Moved::Came)?;
    moves.extend(later.not_met_by(before.minus(&after), Moved::Went)?);
    Ok(Difference { before: before.len(), after: after.len(), moves })
}

/// A name that no statement can give to a segment.
const AMONG: &str = "?moved";

impl Side<'_> {
    /// Those profiles, which are not in the segment by this side, with the conditions that they do not meet.
    fn not_met_by(&self, rows: RowSet, moved: Moved) -> Result<Vec<Move>, Error> {
        let mut unmet = self.unmet(&rows)?;
        let grain = self.evaluator.grain(self.evaluator.definition(self.segment)?);
        let keys = self.evaluator.keys_of(grain, &rows)?;
        let who = keys.into_iter().map(|key| Move { by: unmet.remove(&key).unwrap_or_default(), key, moved });
        Ok(who.collect())
    }

    /// Of each of those who are there the conditions that they do not meet.
    fn unmet(&self, rows: &RowSet) -> Result<BTreeMap<String, Vec<String>>, Error> {
        let definition = self.evaluator.definition(self.segment)?;
        let known = Definition { name: AMONG.to_owned(), ..definition.clone() };
        let evaluator = self.evaluator.with_known(known, rows.clone(), self.as_of);
        let unmet = definition.query.unmet(AMONG, evaluator.names()).expect("a definition selects rows with a key");
        let answer = evaluator.answer(&unmet.asking, self.as_of)?;
        let mut found: BTreeMap<String, Vec<String>> =
            shown(&answer, 0)?.into_iter().flatten().map(|key| (key, Vec::new())).collect();
        for (place, condition) in unmet.conditions.iter().enumerate() {
            for (key, is_unmet) in shown(&answer, 0)?.into_iter().zip(truths(&answer, place + 1)?) {
                let by = key.filter(|_| is_unmet == Some(true)).and_then(|key| found.get_mut(&key));
                by.into_iter().for_each(|by| by.push(condition.clone()));
            }
        }
        // Whoever meets all conditions was not chosen.
        let choice = unmet.choice.unwrap_or_default();
        found.values_mut().filter(|by| by.is_empty()).for_each(|by| by.push(choice.clone()));
        Ok(found)
    }
}
