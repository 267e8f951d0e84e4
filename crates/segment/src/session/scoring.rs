//! Scores that are learnt: computed now and then, kept with what they say of themselves.

use muster_catalog::{Timestamp, nearest};

use super::Session;
use crate::scores::{CHURN, Reasons, ScoreTable, Scored};
use crate::{Error, ScoreFailure};

/// What the ranks of purchases are called.
pub const RANKS: &str = "rfm";

/// How it stands with a score that is learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreStanding {
    /// The score.
    pub score: String,
    /// Its newest table that is not of a later instant than the session's.
    pub newest: Option<ScoreTable>,
    /// Why it could not be computed when that was last tried.
    pub failure: Option<ScoreFailure>,
    /// Whether muster.toml says something else of it than when it was computed.
    pub is_redefined: bool,
    /// Whether the span since it was computed is over; never where muster.toml says none.
    pub is_due: bool,
    /// Whether muster.toml says anything of it: of one that is there by itself it is no fault if it cannot be computed.
    pub is_declared: bool,
}

impl Session<'_> {
    /// The scores that are learnt and that this workspace has, in the order in which they are computed.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn scores(&self) -> Result<Vec<ScoreStanding>, Error> {
        let known = self.bench.scoring.learnt(self.evaluator()?.names());
        known.iter().map(|score| self.standing(score)).collect()
    }

    /// The ranks of purchases as of the session's instant, told like a score that was learnt just now; `None` without purchases.
    ///
    /// # Errors
    /// If they cannot be computed.
    pub fn ranks(&self) -> Result<Option<ScoreStanding>, Error> {
        let told = self.evaluator()?.ranks_reported(self.as_of)?;
        Ok(told.map(|(profiles, report)| ScoreStanding {
            score: RANKS.to_owned(),
            newest: Some(ScoreTable {
                score: RANKS.to_owned(),
                as_of: self.as_of,
                snapshot: self.snapshot(),
                definition: self.bench.scoring.digest(),
                computed_at: self.bench.clock.now(),
                profiles,
                model: None,
                report,
            }),
            failure: None,
            is_redefined: false,
            is_due: false,
            is_declared: true,
        }))
    }

    fn standing(&self, score: &str) -> Result<ScoreStanding, Error> {
        let (newest, failure) = self
            .bench
            .access
            .read(|tx| Ok((ScoreTable::newest(tx, score, self.as_of)?, ScoreFailure::of(tx, score)?)))?;
        let definition = self.bench.scoring.definition(score);
        let every = self.bench.scoring.refresh(score)?;
        let is_over = |table: &ScoreTable| {
            let again = every.as_ref().and_then(|every| every.after(table.as_of, self.bench.zone));
            again.is_some_and(|again| again <= self.as_of)
        };
        Ok(ScoreStanding {
            score: score.to_owned(),
            is_redefined: newest.as_ref().is_some_and(|table| table.definition != definition),
            is_due: every.is_some() && newest.as_ref().is_none_or(is_over),
            is_declared: self.bench.scoring.is_declared(score),
            newest,
            failure,
        })
    }

    /// What is wrong with what muster.toml says of purchases and scores, as far as it shows without computing anything.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn score_faults(&self) -> Result<Vec<Error>, Error> {
        Ok(self.evaluator()?.score_faults(self.as_of))
    }

    /// Computes a score as of the session's instant, and keeps it; where that fails, the last good one stays, and why it
    /// failed is kept. What it does meanwhile it tells `progress`.
    ///
    /// # Errors
    /// [`Error::UnknownScore`], [`Error::ReadOnly`], and whatever keeps it from being computed.
    pub fn score(&self, name: &str, progress: &dyn Fn(&str)) -> Result<ScoreTable, Error> {
        let evaluator = self.evaluator()?;
        let known = self.bench.scoring.learnt(evaluator.names());
        let Some(score) = known.iter().find(|score| score.eq_ignore_ascii_case(name)) else {
            let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
            return Err(Error::UnknownScore { name: name.to_owned(), nearest });
        };
        // Before the work, not after it.
        self.bench.access.write(|_| Ok(()))?;
        match evaluator.learnt(score, self.as_of, progress) {
            Ok(scored) => self.keep_score(score, scored),
            Err(error) => {
                let message = with_causes(&error);
                let failure = ScoreFailure { score: score.to_owned(), failed_at: self.bench.clock.now(), message };
                self.bench.access.write(|tx| failure.keep(tx))?;
                Err(error)
            }
        }
    }

    fn keep_score(&self, score: &str, scored: Scored) -> Result<ScoreTable, Error> {
        let Scored { rows, columns, model, report } = scored;
        let table = ScoreTable {
            score: score.to_owned(),
            as_of: self.as_of,
            snapshot: self.snapshot(),
            definition: self.bench.scoring.definition(score),
            computed_at: self.bench.clock.now(),
            profiles: rows.len() as u64,
            model,
            report,
        };
        self.bench.access.write(|tx| table.keep(tx, &rows, &columns))?;
        Ok(table)
    }

    /// The newest table of a score that is not of a later instant than the session's.
    ///
    /// # Errors
    /// [`Error::NotScored`] where there is none.
    pub fn score_table(&self, score: &str) -> Result<ScoreTable, Error> {
        let found = self.bench.access.read(|tx| ScoreTable::newest(tx, score, self.as_of))?;
        found.ok_or_else(|| Error::NotScored { score: score.to_owned(), instant: self.instant_text(self.as_of) })
    }

    /// Why the profile with this key has its churn.score, by the newest table that is not of a later instant than the session's.
    ///
    /// # Errors
    /// [`Error::UnknownScore`] without purchases, [`Error::NotScored`], [`Error::UnknownProfile`], [`Error::OutsideBase`], and
    /// what masks hide.
    pub fn churn_reasons(&self, key: &str) -> Result<Reasons, Error> {
        let evaluator = self.evaluator()?;
        if evaluator.names().score(CHURN).is_none() {
            return Err(Error::UnknownScore { name: CHURN.to_owned(), nearest: None });
        }
        evaluator.reasons_of_churn(&self.score_table(CHURN)?, key)
    }

    fn instant_text(&self, instant: Timestamp) -> String {
        instant.rfc3339(self.bench.zone)
    }
}

fn with_causes(error: &Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
