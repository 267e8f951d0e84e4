//! Scores as columns of profiles: which there are, and what each says.
//!
//! What only counts and ranks purchases is computed for whoever asks, as of the snapshot and instant at hand
//! ([`of_purchases`]). What is learnt from everybody ([`churn`], [`alive`], [`next_offer`], [`engagement`], and what is bought
//! together, [`affinity`]) is computed now and then, kept as a table of its instant ([`kept`]) with its model and a report of how good it was ([`report`]), and read from
//! there. The mathematics is `muster-score`'s; here its slices are filled, by questions in the segment language, and its
//! answers become columns.

mod purchases;

mod inputs;
pub use inputs::{Asked, KeptInputs};

mod bought;

mod characteristics;

mod signs;

mod of_purchases;

mod rfm_report;

mod churn;

mod churn_report;

mod why;
pub use why::{Fact, Reason, Reasons};

mod alive;

mod lines;

mod next_offer;
pub(crate) use next_offer::Shelf;

mod engagement;

mod affinity;

mod kept;
pub(crate) use kept::{Edition, Scored, column, instant_of, take_back};
pub use kept::{ScoreFailure, ScoreTable};

mod report;
pub use report::{Chart, Report, ReportTable};

use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{ArrayRef, TimestampMicrosecondArray};
use muster_catalog::{
    Affinity, Catalog, ColumnNames, ColumnType, Expression, Names, Purchase, ScoreNames, Scores, TableNames, Timestamp,
};
use muster_language::{Every, hidden};
use muster_query::Values;

use crate::definition::digest;
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// How scores are computed: which rows are purchases, and what muster.toml says of ranks and of silence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scoring {
    purchases: Option<Purchases>,
    scores: Scores,
}

/// The rows that are purchases.
#[derive(Debug, Clone, PartialEq)]
struct Purchases {
    table: String,
    purchase: Purchase,
}

impl Scoring {
    /// As a workspace has it.
    ///
    /// # Errors
    /// [`Error::Span`] where `refresh` of a score is no span of time.
    pub fn of(catalog: &Catalog) -> Result<Self, Error> {
        let purchases = catalog.purchases();
        let purchases =
            purchases.map(|(table, purchase)| Purchases { table: table.name.clone(), purchase: purchase.clone() });
        let scoring = Self { purchases, scores: catalog.scores.clone() };
        scoring.all_learnt().try_for_each(|score| scoring.refresh(&score).map(drop))?;
        Ok(scoring)
    }

    /// Whatever can be learnt, named or not.
    fn all_learnt(&self) -> impl Iterator<Item = String> {
        let affinities = self.scores.affinities.iter().map(|affinity| name_of_affinity(&affinity.name));
        LEARNT.into_iter().map(str::to_owned).chain(affinities)
    }

    /// The scores that are learnt from everybody, of those that queries may name, in the order in which they are computed.
    pub(crate) fn learnt(&self, names: &Names) -> Vec<String> {
        let scores = LEARNT.into_iter().filter(|score| names.score(score).is_some()).map(str::to_owned);
        scores.chain(names.affinities.iter().map(|name| name_of_affinity(name))).collect()
    }

    /// Whether muster.toml says anything of a score, so that it is wanted.
    pub(crate) fn is_declared(&self, score: &str) -> bool {
        let section = score.split_once('.').map_or(score, |(section, _)| section);
        self.scores.declared.iter().any(|declared| declared == section)
    }

    /// The affinities that queries may name.
    pub(crate) fn affinities(&self) -> Vec<String> {
        let known = self.scores.affinities.iter().filter(|_| self.purchases.is_some());
        known.map(|affinity| affinity.name.clone()).collect()
    }

    fn affinity(&self, score: &str) -> Option<&Affinity> {
        let name = score.strip_prefix(AFFINITY)?.strip_prefix('.')?;
        self.scores.affinities.iter().find(|affinity| affinity.name == name)
    }

    /// Changes when anything does that the scores hang on; where it stands in the file does not count.
    pub(crate) fn digest(&self) -> String {
        let learnt: String = self.all_learnt().map(|score| self.definition(&score)).collect();
        digest(&format!("{:?} {:?} {learnt}", self.scores.rfm, self.scores.reactivation))
    }

    /// The digest of what muster.toml says of a score that is learnt.
    pub(crate) fn definition(&self, score: &str) -> String {
        let of = |purchases: &Purchases| {
            let Purchase { value, when, .. } = &purchases.purchase;
            format!("{:?}", (&purchases.table, value, when))
        };
        let text = |expression: &Option<Expression>| expression.as_ref().map(|expression| expression.text.clone());
        let Scores { churn, alive, next_offer, engagement, .. } = &self.scores;
        let own = match score {
            CHURN => {
                let characteristics: Vec<(&str, &str)> =
                    churn.characteristics.iter().map(|(name, its)| (name.as_str(), its.text.as_str())).collect();
                format!("{:?}", (churn.window_days, churn.learner, text(&churn.base), characteristics))
            }
            ALIVE => format!("{:?}", alive.horizon_days),
            NEXT_OFFER => format!(
                "{:?}",
                next_offer.as_ref().map(|offer| {
                    let terms = (offer.quiet_days, offer.half_life_days, offer.least_baskets, offer.only_new);
                    (&offer.table, &offer.item.text, text(&offer.when), text(&offer.group), terms)
                })
            ),
            _ if let Some(affinity) = self.affinity(score) => {
                let Affinity { table, item, when, basket, window_days, .. } = affinity;
                let terms = (affinity.least_baskets, affinity.longest, affinity.least_confidence);
                format!("{:?}", (table, &item.text, text(when), basket, window_days, terms))
            }
            _ => {
                let expressions =
                    [&engagement.when, &engagement.links, &engagement.kind, &engagement.link, &engagement.zone];
                format!("{:?}", (&engagement.messages, &engagement.responses, expressions.map(text)))
            }
        };
        digest(&format!("{score} {:?} {own}", self.purchases.as_ref().map(of)))
    }

    /// How often a score that is learnt is to be computed again, where that is said.
    pub(crate) fn refresh(&self, score: &str) -> Result<Option<Every>, Error> {
        let Scores { churn, alive, next_offer, engagement, .. } = &self.scores;
        let written = match score {
            CHURN => &churn.refresh,
            ALIVE => &alive.refresh,
            NEXT_OFFER => match next_offer {
                Some(offer) => &offer.refresh,
                None => &None,
            },
            _ => self.affinity(score).map_or(&engagement.refresh, |affinity| &affinity.refresh),
        };
        let read = |written: &Expression| {
            Every::of(&written.text).ok_or_else(|| Error::Span {
                place: format!("{} line {}", written.place.file, written.place.line),
                text: written.text.clone(),
            })
        };
        written.as_ref().map(read).transpose()
    }

    /// The scores that queries may name, where what a purchase is worth is of type `worth`.
    pub(crate) fn names(&self, worth: ColumnType, names: &Names) -> Vec<ScoreNames> {
        let score = |name: &str, columns: &[(&str, ColumnType)]| ScoreNames {
            name: name.to_owned(),
            columns: columns
                .iter()
                .map(|(name, column_type)| ColumnNames {
                    name: (*name).to_owned(),
                    column_type: *column_type,
                    role: None,
                })
                .collect(),
        };
        use ColumnType::{Float, Int, Text, Timestamp};
        let cadence = [
            ("purchases", Int),
            ("first_at", Timestamp),
            ("last_at", Timestamp),
            ("span_days", Int),
            ("mean_gap_days", Float),
            ("days_since_last", Int),
            ("total", worth),
            ("mean_value", worth),
        ];
        let rfm = [
            ("recency_days", Int),
            ("frequency", Int),
            ("monetary", worth),
            ("r", Int),
            ("f", Int),
            ("m", Int),
            ("cell", Text),
            ("label", Text),
        ];
        let churn = [("score", Float), ("band", Text), ("reasons", Text), (AS_OF, Timestamp)];
        let alive = [("p_alive", Float), ("expected_purchases", Float), ("expected_value", Float), (AS_OF, Timestamp)];
        let next_offer = [
            ("first", Text),
            ("first_score", Float),
            ("first_because", Text),
            ("second", Text),
            ("second_score", Float),
            ("second_because", Text),
            ("third", Text),
            ("third_score", Float),
            ("third_because", Text),
            (AS_OF, Timestamp),
        ];
        let engagement = [
            ("messages", Int),
            ("opens", Int),
            ("clicks", Int),
            ("no_response_streak", Int),
            ("days_since_sign", Int),
            ("best_hour", Int),
            ("best_hour_confidence", Float),
            (AS_OF, Timestamp),
        ];
        let mut scores = Vec::new();
        if self.purchases.is_some() {
            scores.extend([
                score(CADENCE, &cadence),
                score(REACTIVATION, &[("due_at", Timestamp)]),
                score(RFM, &rfm),
                score(CHURN, &churn),
                score(ALIVE, &alive),
            ]);
            scores.extend(self.scores.next_offer.iter().map(|_| score(NEXT_OFFER, &next_offer)));
        }
        scores.extend(self.hears_back(names).then(|| score(ENGAGEMENT, &engagement)));
        scores
    }
}

impl Scoring {
    /// Whether there are messages below profiles, and responses below these.
    fn hears_back(&self, names: &Names) -> bool {
        let settings = &self.scores.engagement;
        let responses = names.table(&settings.responses);
        let parent =
            |table: &TableNames| table.parent().and_then(|parent| names.table(parent)).map(|above| &above.name);
        responses.and_then(parent).is_some_and(|messages| messages.eq_ignore_ascii_case(&settings.messages))
    }
}

/// A column of a score by its name, with a value for each profile that has the score.
pub(crate) type Column = (&'static str, ArrayRef);

const CADENCE: &str = "cadence";
const REACTIVATION: &str = "reactivation";
const RFM: &str = "rfm";
pub(crate) const CHURN: &str = "churn";
const ALIVE: &str = "alive";
const NEXT_OFFER: &str = "next_offer";
const ENGAGEMENT: &str = "engagement";

const AFFINITY: &str = "affinity";

/// What an affinity is called among scores.
fn name_of_affinity(name: &str) -> String {
    format!("{AFFINITY}.{name}")
}

/// The column of every score that is learnt which says as of when it was.
const AS_OF: &str = "as_of";

/// The scores of profiles that are learnt from everybody and kept, in the order in which they are computed.
const LEARNT: [&str; 4] = [CHURN, ALIVE, NEXT_OFFER, ENGAGEMENT];

impl Evaluator<'_> {
    /// What a column of a score says of each profile as of an instant. All columns of a score are computed together.
    pub(crate) fn score_column(
        &self,
        (score, column): (&str, &str),
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Arc<Values>, Error> {
        if LEARNT.contains(&score) {
            return self.learnt_column((score, column), as_of);
        }
        let hidden = hidden::score(score, column);
        if let Some(known) = self.known_values(&hidden, as_of) {
            return Ok(known);
        }
        let columns = self.waiting(Item::Score(score.to_owned()), path, |path| {
            let purchases = self.purchases(as_of, path)?;
            self.of_purchases(score, &purchases, as_of, path)
        })?;
        let mut wanted = None;
        for (name, values) in columns {
            let values = self.keep_values(&hidden::score(score, name), as_of, Arc::new(values));
            wanted = wanted.or_else(|| (name == column).then_some(values));
        }
        Ok(wanted.expect("names are resolved to columns that a score has"))
    }

    /// What the newest table of a score says that is not of a later instant; how much an item is wanted is told as of that
    /// one, so that both agree.
    fn learnt_column(&self, (score, column): (&str, &str), as_of: Timestamp) -> Result<Arc<Values>, Error> {
        let not_scored = || {
            let instant = as_of.rfc3339(self.names().zone);
            Error::NotScored { score: score.to_owned(), instant }
        };
        let as_of = self.kept().instant_of_score(score, as_of)?.ok_or_else(not_scored)?;
        self.refuse_what_masks_hide(score, as_of)?;
        let hidden = hidden::score(score, column);
        if let Some(known) = self.known_values(&hidden, as_of) {
            return Ok(known);
        }
        let values = match muster_language::offered_item(column) {
            // Not kept: there are as many of these columns as items.
            Some(item) => return Ok(Arc::new(self.offer_score(&item, as_of)?)),
            None if column == AS_OF => {
                let names = self.names().score(score).expect("names are resolved to scores that there are");
                let (rows, _) = self.kept().score(score, as_of, &names.columns[0].name)?;
                let instants = TimestampMicrosecondArray::from(vec![as_of.micros(); rows.len()]).with_timezone("UTC");
                let values = arrow_cast::cast(&instants, &self.in_the_engine(ColumnType::Timestamp));
                Values::new(&rows, values.map_err(muster_store::Error::from)?)
            }
            None => {
                let names = self.names().score(score).expect("names are resolved to scores that there are");
                let holds = names.columns.iter().find(|known| known.name == column);
                let holds = holds.expect("names are resolved to columns that a score has").column_type;
                let (rows, values) = self.kept().score(score, as_of, column)?;
                let values =
                    arrow_cast::cast(&values, &self.in_the_engine(holds)).map_err(muster_store::Error::from)?;
                Values::new(&rows, values)
            }
        };
        Ok(self.keep_values(&hidden, as_of, Arc::new(values)))
    }

    /// Refuses a score that was learnt from what masks hide: it would tell of it. What it is made of is asked again, as whoever
    /// is here would see it.
    pub(super) fn refuse_what_masks_hide(&self, score: &str, as_of: Timestamp) -> Result<(), Error> {
        if self.masks().is_empty() {
            return Ok(());
        }
        let path = &mut vec![Item::Score(score.to_owned())];
        match score {
            CHURN => self.churn_facts(as_of, path),
            ALIVE => self.purchases(as_of, path).map(drop),
            NEXT_OFFER => self.shelf(as_of, path).map(drop),
            _ => match self.scoring().affinity(score) {
                Some(affinity) => self.affinity(affinity, as_of, &|_| ()).map(drop),
                None => self.engagement(as_of, &|_| ()).map(drop),
            },
        }
    }

    /// The items of everybody's purchases as of an instant, gathered once.
    fn known_shelf(&self, as_of: Timestamp) -> Result<Rc<Shelf>, Error> {
        if let Some(known) = self.shelf_known(as_of) {
            return Ok(known);
        }
        let shelf = Rc::new(self.shelf(as_of, &mut vec![Item::Score(NEXT_OFFER.to_owned())])?);
        self.keep_shelf(as_of, &shelf);
        Ok(shelf)
    }

    /// What is wrong with what muster.toml says of purchases and scores, as far as it shows without computing anything.
    pub(crate) fn score_faults(&self, as_of: Timestamp) -> Vec<Error> {
        let mut faults = self.faults_of_engagement(as_of);
        let Some(purchases) = &self.scoring().purchases else { return faults };
        let of_purchases = self.fault_of_purchases(purchases, as_of);
        // What is built on purchases that cannot be read says so once.
        match of_purchases {
            Some(fault) => faults.push(fault),
            None => {
                faults.extend(self.faults_of_churn(as_of));
                faults.extend(self.faults_of_offers(as_of));
                faults.extend(self.faults_of_affinities(as_of));
            }
        }
        faults
    }

    /// A score that is learnt, of everybody as of an instant.
    pub(crate) fn learnt(&self, score: &str, as_of: Timestamp, progress: &dyn Fn(&str)) -> Result<Scored, Error> {
        match score {
            CHURN => self.churn(as_of, progress),
            ALIVE => self.alive(as_of, progress),
            NEXT_OFFER => self.next_offer(as_of, progress),
            _ => match self.scoring().affinity(score) {
                Some(affinity) => self.affinity(affinity, as_of, progress),
                None => self.engagement(as_of, progress),
            },
        }
    }
}
