//! What each profile wants next, and who wants a given item: from the items that everybody bought.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Float64Array, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use muster_catalog::{Expression, NextOffer, Timestamp};
use muster_query::Values;
use muster_score::affinity::pairs;
use muster_score::baskets::Baskets;
use muster_score::habits::{Habits, Purchases};
use muster_score::held_out::{self, best_sellers, item_to_item, own_most_frequent};
use muster_score::neighbours::{Likeness, Neighbours};
use muster_score::offers::{Because, Offer, Offers, Sellers, Shop, Terms, offers, scores_for_item};

use super::bought::{NOBODY, check, fault as faulty, numbers, places, question};
use super::lines::{ItemsOf, Lines};
use super::report::{Report, per_cent};
use super::{Column, NEXT_OFFER, Scored};
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// Days of which the sales say what is popular.
const POPULAR_DAYS: i32 = 28;

/// The last days, which offers are judged on.
const JUDGED_DAYS: i32 = 28;

/// Items that are kept as close to each item, and best sellers of each group.
const MOST: usize = 50;

/// The items of all purchases as of an instant, and what is learnt from them.
pub(crate) struct Shelf {
    /// The profiles that there are, by the numbers of their rows, ascending.
    profiles: Vec<u32>,
    /// Every item that was ever bought, bytewise sorted.
    items: Vec<String>,
    /// Of each item whether it may be offered.
    may: Vec<bool>,
    /// What the groups of profiles are called.
    groups: Vec<String>,
    habits: Habits,
    neighbours: Neighbours,
    popularity: Vec<f64>,
    sellers: Sellers,
    terms: Terms,
    only_new: bool,
    /// Lines of purchases, and those of them without an item.
    lines: usize,
    without_item: usize,
}

impl Shelf {
    fn key(&self, item: u32) -> &[u8] {
        self.items[item as usize].as_bytes()
    }

    fn shop(&self) -> Shop<'_> {
        let Self { habits, neighbours, popularity, sellers, terms, .. } = self;
        Shop { habits, neighbours, popularity, sellers, terms: *terms }
    }

    fn offers(&self) -> Result<Offers, muster_score::Error> {
        offers(&self.shop(), |profile, item| self.may_offer(profile, item), |item| self.key(item))
    }

    /// Whether an item may be offered to the profile at a place, but for what was bought lately.
    fn may_offer(&self, profile: usize, item: u32) -> bool {
        self.may[item as usize] && !(self.only_new && self.habits.habit(profile, item).is_some())
    }

    /// What leads to an offer: an item, which is the offer itself where it was bought before.
    fn because(&self, profile: usize, offer: &Offer) -> String {
        match offer.because {
            Because::Repeat => self.items[offer.item as usize].clone(),
            Because::Bought(item) => self.items[item as usize].clone(),
            Because::BestSeller => match self.groups.get(self.sellers.groups[profile] as usize) {
                Some(group) => format!("best seller of {group}"),
                None => "best seller".to_owned(),
            },
        }
    }
}

impl Evaluator<'_> {
    /// What everybody wants next as of an instant.
    pub(super) fn next_offer(&self, as_of: Timestamp, progress: &dyn Fn(&str)) -> Result<Scored, Error> {
        let path = &mut vec![Item::Score(NEXT_OFFER.to_owned())];
        progress("everybody's purchases, item by item");
        let shelf = self.shelf(as_of, path)?;
        progress("offers");
        let found = shelf.offers().map_err(fault)?;
        let mut report = Report::default();
        let count = |is: &dyn Fn(&Offer) -> bool| found.offers.iter().filter(|offer| is(offer)).count();
        report.fact("as of", as_of.rfc3339(self.names().zone));
        report.fact("profiles", shelf.profiles.len());
        report.fact("items", shelf.items.len());
        report.fact("of them may be offered", shelf.may.iter().filter(|may| **may).count());
        report.fact("lines of purchases", shelf.lines);
        report.fact("of them without an item", shelf.without_item);
        report.fact("offers", found.offers.len());
        report.fact("because it was bought before", count(&|offer| offer.because == Because::Repeat));
        report.fact("because of what was bought", count(&|offer| matches!(offer.because, Because::Bought(_))));
        report.fact("because it sells best", count(&|offer| offer.because == Because::BestSeller));
        let columns = columns(&shelf, &found);
        let most_offered = most_offered(&shelf, &found);
        let Shelf { profiles, only_new, terms, .. } = shelf;
        drop(found);
        progress("what the last days would have shown");
        match self.judge_offers(as_of, path, &mut report) {
            // What an expression names was not there yet.
            Err(error @ Error::NotScored { .. }) => report.remark(format!("Not judged: {error}.")),
            judged => judged?,
        }
        report.table("Offered first to most", ["item", "profiles"], most_offered);
        let Terms { quiet_days, half_life_days, liking, fashion, .. } = terms;
        let model = serde_json::json!({
            "score": NEXT_OFFER,
            "version": muster_score::model::VERSION,
            "as_of": as_of.rfc3339(self.names().zone),
            "likeness": "cosine",
            "quiet_days": quiet_days,
            "only_new": only_new,
            "half_life_days": half_life_days,
            "liking": liking,
            "fashion": fashion,
            "popular_days": POPULAR_DAYS,
        });
        let model = Some(serde_json::to_string_pretty(&model).expect("numbers have a text"));
        Ok(Scored { rows: profiles, columns, model, report })
    }

    /// What is wrong with its expressions, each by itself.
    pub(super) fn faults_of_offers(&self, as_of: Timestamp) -> Vec<Error> {
        let Some(settings) = &self.scoring().scores.next_offer else { return Vec::new() };
        let mut faults = self.faults_of_items(&items_of(settings), as_of);
        faults.extend(settings.group.as_ref().and_then(|group| {
            let text = format!("SELECT ({}) AS value FROM profiles", group.text);
            check(NEXT_OFFER, group).err().or_else(|| self.fault_of(NEXT_OFFER, group, &text, as_of))
        }));
        faults
    }

    /// How much each profile wants one item as of an instant; nothing where it is not to be offered.
    pub(super) fn offer_score(&self, item: &str, as_of: Timestamp) -> Result<Values, Error> {
        let shelf = self.known_shelf(as_of)?;
        let Ok(code) = shelf.items.binary_search_by(|known| known.as_str().cmp(item)) else {
            return Err(Error::UnknownItem { item: item.to_owned(), instant: as_of.rfc3339(self.names().zone) });
        };
        let shelf: &Shelf = &shelf;
        let may = |profile: usize, item: u32| shelf.may_offer(profile, item);
        let scores = scores_for_item(&shelf.shop(), code as u32, may).map_err(fault)?;
        Ok(Values::new(&shelf.profiles, Arc::new(scores.into_iter().collect::<Float64Array>())))
    }

    /// The shelf as of an instant.
    pub(super) fn shelf(&self, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Shelf, Error> {
        let settings = self.scoring().scores.next_offer.as_ref().expect("the score has a name where it is set");
        let bought = self.bought(as_of, path)?;
        let (groups, of_profile) = self.groups(settings, &bought.profiles, as_of, path)?;
        let lines = self.lines(&items_of(settings), &bought, as_of, path)?;
        let Lines { offsets, codes, days, items, may, without_item, .. } = lines;
        let purchases = Purchases { offsets: &offsets, items: &codes, days: &days, item_count: items.len() };
        let habits = Habits::of(&purchases).map_err(fault)?;
        // What somebody bought in all is one basket.
        let baskets = Baskets::new(&offsets, &codes, items.len()).map_err(fault)?;
        let key = |item: u32| items[item as usize].as_bytes();
        let neighbours = Neighbours::of(&pairs(&baskets, settings.least_baskets), Likeness::Cosine, MOST, key);
        let today = self.day(as_of);
        let since = today - POPULAR_DAYS;
        let sellers = Sellers::of(&habits, &of_profile, groups.len(), since, MOST, key).map_err(fault)?;
        let terms = Terms {
            today,
            quiet_days: i32::from(settings.quiet_days),
            half_life_days: settings.half_life_days,
            ..Terms::default()
        };
        Ok(Shelf {
            popularity: habits.popularity(since),
            profiles: bought.profiles,
            lines: codes.len() + without_item,
            items,
            may,
            groups,
            habits,
            neighbours,
            sellers,
            terms,
            only_new: settings.only_new,
            without_item,
        })
    }

    /// The names of groups, and the group of each profile; more than all of them where it has none.
    fn groups(
        &self,
        settings: &NextOffer,
        profiles: &[u32],
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<(Vec<String>, Vec<u32>), Error> {
        let Some(group) = &settings.group else { return Ok((Vec::new(), vec![u32::MAX; profiles.len()])) };
        let texts = self.texts_of_profiles(NEXT_OFFER, group, as_of, path)?;
        let names: Vec<String> =
            texts.values().cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let place = |name: &String| names.binary_search(name).map_or(u32::MAX, |place| place as u32);
        let of_profile = profiles.iter().map(|row| texts.get(row).map_or(u32::MAX, place)).collect();
        Ok((names, of_profile))
    }

    /// What an expression over a profile is as a text, by the numbers of rows; those without one are left out.
    pub(super) fn texts_of_profiles(
        &self,
        score: &str,
        expression: &Expression,
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<HashMap<u32, String>, Error> {
        check(score, expression)?;
        let fault = |error| faulty(score, expression, error);
        let asked = question(&format!("SELECT ({}) AS value FROM profiles", expression.text)).map_err(fault)?;
        let answer = self.rows_and_values(&asked, as_of, path, fault)?;
        let mut found = HashMap::new();
        for batch in &answer.batches {
            let texts = cast(batch.column(1), &DataType::Utf8View).map_err(muster_store::Error::from)?;
            let texts = texts.as_string_view().iter();
            found.extend(numbers(batch).zip(texts).filter_map(|(row, text)| Some((row, text?.to_owned()))));
        }
        Ok(found)
    }

    /// How many of the offers of some weeks ago were bought since, beside three simple ways.
    fn judge_offers(&self, as_of: Timestamp, path: &mut Vec<Item>, report: &mut Report) -> Result<(), Error> {
        let Some(then) = as_of.stepped(0, -JUDGED_DAYS, self.names().zone) else { return Ok(()) };
        let shelf = self.shelf(then, path)?;
        let settings = self.scoring().scores.next_offer.as_ref().expect("the score has a name where it is set");
        let later = self.lines(&items_of(settings), &self.bought(as_of, path)?, as_of, path)?;
        let (offsets, bought) = bought_since(&shelf, &later, &self.profiles_there(as_of, path)?, then);
        let may = |customer: usize, item: u32| {
            let last = shelf.habits.habit(customer, item).map(|habit| habit.last_day);
            let is_rested = last.is_none_or(|last| shelf.terms.today - last >= shelf.terms.quiet_days);
            is_rested && shelf.may_offer(customer, item)
        };
        let key = |item: u32| shelf.key(item);
        let count = shelf.terms.count;
        let ways = [
            ("next_offer", shelf.offers().map_err(fault)?),
            ("best sellers", best_sellers(&shelf.habits, count, may, key)),
            ("own most frequent", own_most_frequent(&shelf.habits, count, may, key)),
            ("item-item cosine", item_to_item(&shelf.habits, &shelf.neighbours, count, may, key)),
        ];
        let found = ways.map(|(name, offers)| (name, held_out::quality(&offers, &offsets, &bought, shelf.items.len())));
        if found[0].1.customers == 0 {
            report.remark(format!("Not judged: nobody who had bought before bought in the last {JUDGED_DAYS} days."));
            return Ok(());
        }
        let rows = found.iter().map(|(name, found)| {
            [
                (*name).to_owned(),
                found.customers.to_string(),
                format!("{:.4}", found.hit_rate_at_1),
                format!("{:.4}", found.hit_rate_at_3),
                format!("{:.4}", found.ndcg_at_3),
                per_cent(found.coverage),
            ]
        });
        report.table(
            &format!("Offers of {JUDGED_DAYS} days ago, and what was bought since"),
            ["", "profiles", "hit at 1", "hit at 3", "NDCG at 3", "items offered"],
            rows.collect(),
        );
        let [ours, others @ ..] = &found;
        for (name, theirs) in others {
            if theirs.ndcg_at_3 > ours.1.ndcg_at_3 {
                report.remark(format!("{name} did better than these offers: NDCG {:.4}.", theirs.ndcg_at_3));
            }
        }
        Ok(())
    }
}

fn items_of(settings: &NextOffer) -> ItemsOf<'_> {
    ItemsOf { score: NEXT_OFFER, table: &settings.table, item: &settings.item, when: settings.when.as_ref() }
}

fn fault(source: muster_score::Error) -> Error {
    Error::Score { score: NEXT_OFFER.to_owned(), source }
}

/// What those who had bought by an instant bought after it.
fn bought_since(shelf: &Shelf, later: &Lines, profiles: &[u32], then: Timestamp) -> (Vec<usize>, Vec<u32>) {
    let known: HashMap<&str, u32> = shelf.items.iter().map(String::as_str).zip(0..).collect();
    // An item that nobody had bought yet cannot be offered, but it was bought: it counts as one that is missed.
    let code = |later_code: u32| {
        let item = later.items[later_code as usize].as_str();
        known.get(item).copied().unwrap_or(shelf.items.len() as u32 + later_code)
    };
    let place_now = places(profiles);
    let (mut offsets, mut bought) = (vec![0], Vec::new());
    for (customer, row) in shelf.profiles.iter().enumerate() {
        let now = place_now.get(*row as usize).copied().filter(|place| *place != NOBODY);
        if let (Some(now), true) = (now, shelf.habits.of_customer(customer).len() > 0) {
            let lines = later.offsets[now as usize]..later.offsets[now as usize + 1];
            bought.extend(lines.filter(|line| later.at[*line] > then.micros()).map(|line| code(later.codes[line])));
        }
        offsets.push(bought.len());
    }
    (offsets, bought)
}

const NAMES: [[&str; 3]; 3] = [
    ["first", "first_score", "first_because"],
    ["second", "second_score", "second_because"],
    ["third", "third_score", "third_because"],
];

fn columns(shelf: &Shelf, found: &Offers) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (place, [item, score, because]) in NAMES.into_iter().enumerate() {
        let offers = || (0..found.len()).map(|profile| (profile, found.of(profile).get(place)));
        let items: StringArray =
            offers().map(|(_, offer)| offer.map(|offer| &shelf.items[offer.item as usize])).collect();
        let scores: Float64Array = offers().map(|(_, offer)| offer.map(|offer| offer.score)).collect();
        let reasons: StringArray =
            offers().map(|(profile, offer)| offer.map(|offer| shelf.because(profile, offer))).collect();
        columns.extend([
            (item, Arc::new(items) as ArrayRef),
            (score, Arc::new(scores) as ArrayRef),
            (because, Arc::new(reasons) as ArrayRef),
        ]);
    }
    columns
}

/// The items that most profiles are offered first, and to how many.
fn most_offered(shelf: &Shelf, found: &Offers) -> Vec<[String; 2]> {
    let mut counts = vec![0_u64; shelf.items.len()];
    let firsts = (0..found.len()).filter_map(|profile| found.of(profile).first());
    firsts.for_each(|offer| counts[offer.item as usize] += 1);
    let mut order: Vec<usize> = (0..counts.len()).filter(|item| counts[*item] > 0).collect();
    order.sort_by(|one, other| counts[*other].cmp(&counts[*one]).then(one.cmp(other)));
    order.into_iter().take(20).map(|item| [shelf.items[item].clone(), counts[item].to_string()]).collect()
}
