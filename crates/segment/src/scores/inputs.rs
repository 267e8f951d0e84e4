//! What scores are counted from, kept from one statement to the next by a process that stays.
//!
//! From one snapshot to the next few profiles buy anything. Of those alone, and of whom an order becomes visible as time goes
//! on, the purchases are asked again, each profile by itself; all others stay as they were told. Ranks, and the gaps of
//! the base, are of everybody and counted anew each time. Where it cannot be told who is touched, everybody is asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use arrow_select::concat::concat;
use chrono_tz::Tz;
use muster_catalog::{ProfileId, RowSet, Timestamp};
use muster_language::ResolvedQuery;
use muster_store::Snapshot;

use super::Purchases;
use super::purchases::OfProfiles;
use crate::Error;
use crate::evaluator::Evaluator;

/// The purchases of all profiles of one snapshot and instant, for whoever asks for those of a later one. Held as long as the
/// store is, and shared by all sessions.
#[derive(Debug, Default)]
pub struct KeptInputs {
    newest: Mutex<Option<Arc<Told>>>,
    of_all: AtomicU64,
    of_each: AtomicU64,
}

/// What was asked so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// How many times everybody was asked.
    pub of_all: u64,
    /// How many profiles were asked by themselves.
    pub of_each: u64,
}

/// What was told as of an instant.
#[derive(Debug)]
struct Told {
    snapshot: Arc<Snapshot>,
    question: ResolvedQuery,
    zone: Tz,
    told: Arc<OfProfiles>,
    /// Profiles with rows of later than the instant, once they were looked for; others may be among them.
    later: OnceLock<RowSet>,
}

/// Of more profiles than this share of all, everybody is asked at once: by itself a profile takes some fifteen microseconds,
/// beside all others a small part of one.
const ONE_IN: u64 = 100;

/// So few are asked by themselves, whatever their share.
const FEW: u64 = 64;

impl KeptInputs {
    /// What was asked so far.
    pub fn asked(&self) -> Asked {
        Asked { of_all: self.of_all.load(Ordering::Relaxed), of_each: self.of_each.load(Ordering::Relaxed) }
    }

    fn newest(&self) -> Option<Arc<Told>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what is of no earlier snapshot than what is kept, and where the same is asked of no earlier instant: a look back must
    /// not cost the present what is known of it.
    fn keep(&self, told: Told) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_none_or(|kept| kept.is_overtaken_by(&told)) {
            *newest = Some(Arc::new(told));
        }
    }
}

impl Told {
    fn tables(&self) -> Vec<&str> {
        self.question.tables_used.iter().map(String::as_str).collect()
    }

    /// The profiles of which a row may become visible after the instant.
    fn later(&self) -> Result<&RowSet, Error> {
        if let Some(known) = self.later.get() {
            return Ok(known);
        }
        let later = self.snapshot.profiles_after(&self.tables(), self.question.as_of)?;
        Ok(self.later.get_or_init(|| later))
    }

    /// Whether the same is asked, of the same instant or a later one; `now()` in the question makes another one of it.
    fn answers(&self, question: &ResolvedQuery, zone: Tz) -> bool {
        self.question.as_of <= question.as_of && self.is_of(question, zone)
    }

    /// Whether the same is asked, whatever the instant.
    fn is_of(&self, question: &ResolvedQuery, zone: Tz) -> bool {
        self.zone == zone && self.question == ResolvedQuery { as_of: self.question.as_of, ..question.clone() }
    }

    fn is_overtaken_by(&self, other: &Self) -> bool {
        let is_earlier = self.question.as_of <= other.question.as_of;
        self.snapshot.number() <= other.snapshot.number() && (is_earlier || !self.is_of(&other.question, other.zone))
    }
}

/// Whether a question is about each profile's own rows, and lookups: nothing of it is evaluated of everybody before.
fn is_of_each_alone(question: &ResolvedQuery) -> bool {
    let ResolvedQuery { segments_used, audiences_used, variables_used, lists_used, affinities_used, .. } = question;
    let names = [segments_used, audiences_used, variables_used, lists_used, affinities_used];
    names.iter().all(|names| names.is_empty()) && question.scores_used.is_empty() && question.past.is_empty()
}

impl Evaluator<'_> {
    /// What a question says of all profiles: what is kept of it, mended where it is not what it was, else asked by `ask`.
    pub(super) fn kept_or_asked(
        &self,
        purchases: &Purchases,
        question: ResolvedQuery,
        ask: impl FnOnce(&ResolvedQuery) -> Result<OfProfiles, Error>,
    ) -> Result<Arc<OfProfiles>, Error> {
        let Some(inputs) = self.inputs() else { return ask(&question).map(Arc::new) };
        let (snapshot, zone) = (Arc::clone(self.snapshot()), self.names().zone);
        // As masks hide it, and as fields were before they changed, it is nobody else's.
        let is_plain = self.masks().is_empty() && is_of_each_alone(&question);
        if !is_plain || !Arc::ptr_eq(&self.snapshot_as_of(question.as_of)?, &snapshot) {
            inputs.of_all.fetch_add(1, Ordering::Relaxed);
            return ask(&question).map(Arc::new);
        }
        let kept = inputs.newest().filter(|known| known.answers(&question, zone));
        if let Some(known) = &kept
            && Arc::ptr_eq(&known.snapshot, &snapshot)
            && known.question.as_of == question.as_of
        {
            return Ok(Arc::clone(&known.told));
        }
        if let Some(known) = kept {
            match self.mended(&known, purchases, &question) {
                Ok(Some((mended, later, of_each))) => {
                    inputs.of_each.fetch_add(of_each, Ordering::Relaxed);
                    let told = Arc::new(mended);
                    inputs.keep(Told {
                        snapshot,
                        question,
                        zone,
                        told: Arc::clone(&told),
                        later: OnceLock::from(later),
                    });
                    return Ok(told);
                }
                // Who stopped it, or a limit, stops the whole question.
                Err(error) if error.is_of_patience() => return Err(error),
                // What cannot be mended is asked of everybody, and an error there is said then.
                Ok(None) | Err(_) => {}
            }
        }
        inputs.of_all.fetch_add(1, Ordering::Relaxed);
        let told = Arc::new(ask(&question)?);
        // A profile is found by its row.
        if told.rows.is_sorted_by(|one, next| one < next) {
            inputs.keep(Told { snapshot, question, zone, told: Arc::clone(&told), later: OnceLock::new() });
        }
        Ok(told)
    }

    /// What is known with the touched profiles asked again, those with rows of later than now, and how many were asked;
    /// `None` where everybody is to be asked.
    fn mended(
        &self,
        known: &Told,
        purchases: &Purchases,
        question: &ResolvedQuery,
    ) -> Result<Option<(OfProfiles, RowSet, u64)>, Error> {
        let until: Timestamp = question.as_of;
        let Some(touched) = self.snapshot().touched_since(&known.snapshot, &known.tables(), until)? else {
            return Ok(None);
        };
        let later = known.later()?;
        let has_moved_on = until > known.question.as_of;
        let again = if has_moved_on { touched.profiles.or(later) } else { touched.profiles };
        if again.len() > FEW.max(known.told.rows.len() as u64 / ONE_IN) {
            return Ok(None);
        }
        let each = self.each_resolved(question)?;
        let (mut shown, watch) = (Vec::new(), self.engine().stopper().watch());
        for profile in again.iter() {
            watch.check()?;
            shown.extend(each.shown(ProfileId(profile))?);
        }
        let fresh = match joined(&shown, &known.told.types)? {
            Some(columns) => OfProfiles::of(columns, purchases)?,
            None => return Ok(None),
        };
        let mended = known.told.with(&again, &fresh)?;
        Ok(Some((mended, later.or(&touched.later), again.len())))
    }
}

/// What was shown of each profile as columns of these types; `None` where they are others.
fn joined(shown: &[Vec<ArrayRef>], types: &[DataType]) -> Result<Option<Vec<ArrayRef>>, Error> {
    let has_types = |shown: &Vec<ArrayRef>| shown.iter().map(|value| value.data_type()).eq(types);
    if !shown.iter().all(has_types) {
        return Ok(None);
    }
    let column = |(place, holds): (usize, &DataType)| {
        let empty = arrow_array::new_empty_array(holds);
        let values = shown.iter().map(|shown| shown[place].as_ref());
        let values: Vec<&dyn Array> = std::iter::once(empty.as_ref()).chain(values).collect();
        Ok(concat(&values).map_err(muster_store::Error::from)?)
    };
    types.iter().enumerate().map(column).collect::<Result<_, Error>>().map(Some)
}
