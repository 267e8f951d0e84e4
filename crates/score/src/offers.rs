//! What to offer each customer next, and why; and whom to offer an item.
//!
//! Offered is what a customer bought before and what is close to that, scored as
//!
//! `repeat + liking · Σ weight(bought) · closeness(bought, offered) + fashion · popularity(offered)`
//!
//! where `repeat` is the part of the customer's purchase days on which they bought it, fading with the days since, and
//! `weight` is the recency of what they bought, adding up to 1. Customers without history get what sells best in their
//! group. How good offers were is told by [`crate::held_out`].

use rayon::prelude::*;

use crate::checks::{self, is_positive, is_weight, same_length};
use crate::error::Result;
use crate::habits::{Habit, Habits};
use crate::neighbours::Neighbours;

/// Customers who get their offers as one piece of work.
const CUSTOMERS_AT_ONCE: usize = 512;

/// How offers are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// The day of the offer, since 1970-01-01.
    pub today: i32,
    /// What was bought less than so many days ago is not offered; 0: all may be.
    pub quiet_days: i32,
    /// Offers per customer at most.
    pub count: usize,
    /// Days after which a purchase tells half as much; above 0.
    pub half_life_days: f64,
    /// How much closeness to what was bought counts beside the customer's own repeats; not negative.
    pub liking: f64,
    /// How much popularity counts beside them; not negative.
    pub fashion: f64,
}

impl Default for Terms {
    /// Three offers, nothing of the last week, the weights that did best on the earlier weeks of Online Retail.
    fn default() -> Self {
        Self { today: 0, quiet_days: 7, count: 3, half_life_days: 480.0, liking: 0.1, fashion: 2.0 }
    }
}

/// What offers are made from.
#[derive(Debug, Clone, Copy)]
pub struct Shop<'s> {
    /// What each customer buys.
    pub habits: &'s Habits,
    /// What is close to each item.
    pub neighbours: &'s Neighbours,
    /// How popular each item is, 0 to 1 ([`Habits::popularity`] of the last weeks, for one).
    pub popularity: &'s [f64],
    /// What sells best in each group, and the group of each customer.
    pub sellers: &'s Sellers,
    /// How offers are made.
    pub terms: Terms,
}

/// Why an item is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Because {
    /// The customer buys it again and again.
    Repeat,
    /// The customer bought this item, which is close to it.
    Bought(u32),
    /// It sells best in the group of the customer, of whom nothing is known.
    BestSeller,
}

/// One offer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// The item.
    pub item: u32,
    /// The higher, the better; 0 or more.
    pub score: f64,
    /// The greatest part of the score that belongs to the customer.
    pub because: Because,
}

/// The offers of each customer, the best first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offers {
    /// Customer c has the offers from `offsets[c]` to `offsets[c + 1]`.
    pub offsets: Vec<usize>,
    /// All offers.
    pub offers: Vec<Offer>,
}

impl Offers {
    /// The offers of a customer, the best first.
    pub fn of(&self, customer: usize) -> &[Offer] {
        &self.offers[self.offsets[customer]..self.offsets[customer + 1]]
    }

    /// How many customers there are, with offers or without.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is no customer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The chosen offers of each customer from a list that `choose` fills, with `scratch` to work in.
    pub(crate) fn each<S>(
        customers: usize,
        scratch: impl Fn() -> S + Sync + Send,
        choose: impl Fn(usize, &mut S, &mut Vec<Offer>) + Sync + Send,
    ) -> Self {
        let customers: Vec<usize> = (0..customers).collect();
        let pieces: Vec<(Vec<usize>, Vec<Offer>)> = customers
            .par_chunks(CUSTOMERS_AT_ONCE)
            .map_init(scratch, |scratch, customers| {
                let (mut ends, mut offers) = (Vec::with_capacity(customers.len()), Vec::new());
                for customer in customers {
                    choose(*customer, scratch, &mut offers);
                    ends.push(offers.len());
                }
                (ends, offers)
            })
            .collect();
        let mut all = Self { offsets: vec![0], offers: Vec::new() };
        for (ends, offers) in pieces {
            let before = all.offers.len();
            all.offsets.extend(ends.iter().map(|end| before + end));
            all.offers.extend(offers);
        }
        all
    }
}

/// What sells best in each group of customers and, behind the groups, in the whole base.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sellers {
    /// The group of each customer; `u32::MAX` or a group where nothing was bought: the whole base.
    pub groups: Vec<u32>,
    /// Group g has the entries from `offsets[g]` to `offsets[g + 1]`.
    pub offsets: Vec<usize>,
    /// The items, the best first.
    pub items: Vec<u32>,
    /// The part of the group's buyers who bought each.
    pub scores: Vec<f64>,
}

impl Sellers {
    /// The `most` best sellers of each of `group_count` groups since a day; ties by key.
    ///
    /// # Errors
    /// [`crate::Error::Lengths`] where there is not one group for each customer.
    pub fn of<'k>(
        habits: &Habits,
        groups: &[u32],
        group_count: usize,
        since: i32,
        most: usize,
        key: impl Fn(u32) -> &'k [u8],
    ) -> Result<Self> {
        same_length("groups", habits.len(), groups.len())?;
        let mut members = vec![Vec::new(); group_count];
        for (customer, group) in groups.iter().enumerate().filter(|(_, group)| (**group as usize) < group_count) {
            members[*group as usize].push(customer);
        }
        members.push((0..habits.len()).collect());
        let mut sellers = Self { groups: groups.to_vec(), offsets: vec![0], ..Self::default() };
        let mut counts = vec![0_u32; habits.item_count];
        for members in &members {
            sellers.add(habits, members, since, most, &mut counts, &key);
        }
        Ok(sellers)
    }

    fn add<'k>(
        &mut self,
        habits: &Habits,
        members: &[usize],
        since: i32,
        most: usize,
        counts: &mut [u32],
        key: &impl Fn(u32) -> &'k [u8],
    ) {
        let (mut sold, mut buyers) = (Vec::new(), 0_u32);
        for customer in members {
            let mut lately = habits.of_customer(*customer).filter(|habit| habit.last_day >= since).peekable();
            buyers += u32::from(lately.peek().is_some());
            for habit in lately {
                let count = &mut counts[habit.item as usize];
                if *count == 0 {
                    sold.push(habit.item);
                }
                *count += 1;
            }
        }
        let mut sold: Vec<(u32, u32)> =
            sold.into_iter().map(|item| (item, std::mem::take(&mut counts[item as usize]))).collect();
        sold.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| key(one.0).cmp(key(other.0))));
        sold.truncate(most);
        self.items.extend(sold.iter().map(|(item, _)| *item));
        self.scores.extend(sold.iter().map(|(_, count)| f64::from(*count) / f64::from(buyers)));
        self.offsets.push(self.items.len());
    }

    /// What sells best in the group of a customer, the best first.
    pub fn of_customer(&self, customer: usize) -> impl Iterator<Item = (u32, f64)> {
        let base = self.offsets.len() - 2;
        let group = self.groups[customer] as usize;
        let group = if group < base && self.offsets[group] < self.offsets[group + 1] { group } else { base };
        let range = self.offsets[group]..self.offsets[group + 1];
        self.items[range.clone()].iter().copied().zip(self.scores[range].iter().copied())
    }
}

/// The best offers of each customer. `allowed(customer, item)` says what is in stock and excluded by no rule.
///
/// Ties by the items' keys. The same offers whatever the threads.
///
/// # Errors
/// [`crate::Error::Setting`], [`crate::Error::Number`] and [`crate::Error::Lengths`] where terms or lists are not as they
/// are described.
pub fn offers<'k>(
    shop: &Shop<'_>,
    allowed: impl Fn(usize, u32) -> bool + Sync,
    key: impl Fn(u32) -> &'k [u8] + Sync,
) -> Result<Offers> {
    shop.check()?;
    let scratch = || Scratch { liked: vec![0.0; shop.habits.item_count], touched: Vec::new(), weights: Vec::new() };
    Ok(Offers::each(shop.habits.len(), scratch, |customer, scratch, found| {
        let mut best = Best::of(shop.terms.count, found);
        if shop.habits.of_customer(customer).len() == 0 {
            for (item, score) in shop.sellers.of_customer(customer).filter(|(item, _)| allowed(customer, *item)) {
                best.add(item, score, &key, |_| true);
            }
            best.because(|_| Because::BestSeller);
            return;
        }
        scratch.like(shop, customer);
        for habit in shop.habits.of_customer(customer) {
            let liked = std::mem::take(&mut scratch.liked[habit.item as usize]);
            let score = shop.score(customer, Some(habit), habit.item, liked);
            best.add(habit.item, score, &key, |item| shop.is_rested(Some(habit)) && allowed(customer, item));
        }
        // What is left is new to the customer.
        for item in scratch.touched.drain(..) {
            let liked = std::mem::take(&mut scratch.liked[item as usize]);
            if liked > 0.0 {
                best.add(item, shop.score(customer, None, item, liked), &key, |item| allowed(customer, item));
            }
        }
        best.because(|item| shop.because(customer, item, &scratch.weights, &key));
    }))
}

/// The score of one item for each customer, or `None` where it is not to be offered: whom to offer it.
///
/// The very score that [`offers`] gives it.
///
/// # Errors
/// As [`offers`], and [`crate::Error::Code`] where there is no such item.
pub fn scores_for_item(
    shop: &Shop<'_>,
    item: u32,
    allowed: impl Fn(usize, u32) -> bool + Sync,
) -> Result<Vec<Option<f64>>> {
    shop.check()?;
    checks::codes("the item", &[item], shop.habits.item_count)?;
    let closeness: Vec<f64> =
        (0..shop.habits.item_count as u32).map(|other| shop.neighbours.weight(other, item)).collect();
    let score = |customer: usize| {
        if !allowed(customer, item) {
            return None;
        }
        if shop.habits.of_customer(customer).len() == 0 {
            return shop.sellers.of_customer(customer).find(|(other, _)| *other == item).map(|(_, score)| score);
        }
        let habit = shop.habits.habit(customer, item);
        let mut weights = Vec::new();
        shop.weights(customer, &mut weights);
        let parts = shop.habits.of_customer(customer).zip(&weights);
        let liked = parts.fold(0.0, |sum, (habit, weight)| sum + weight * closeness[habit.item as usize]);
        let is_candidate = habit.is_some() || liked > 0.0;
        (is_candidate && shop.is_rested(habit)).then(|| shop.score(customer, habit, item, liked))
    };
    Ok((0..shop.habits.len()).into_par_iter().map(score).collect())
}

impl Shop<'_> {
    fn check(&self) -> Result<()> {
        let Terms { half_life_days, liking, fashion, .. } = self.terms;
        checks::setting("the half-life", is_positive(half_life_days), "days above 0", half_life_days)?;
        checks::setting("the weight of liking", is_weight(liking), "0 or more", liking)?;
        checks::setting("the weight of fashion", is_weight(fashion), "0 or more", fashion)?;
        let items = self.habits.item_count;
        same_length("popularity", items, self.popularity.len())?;
        same_length("offsets of neighbours", items + 1, self.neighbours.offsets.len())?;
        same_length("groups", self.habits.len(), self.sellers.groups.len())?;
        checks::numbers("popularity", self.popularity, "0 or more", is_weight)
    }

    /// Whether the item was not bought too lately to be offered again.
    fn is_rested(&self, habit: Option<Habit>) -> bool {
        let days = |habit: Habit| i64::from(self.terms.today) - i64::from(habit.last_day);
        habit.is_none_or(|habit| days(habit) >= i64::from(self.terms.quiet_days))
    }

    /// What a purchase that long ago still tells, 0 to 1.
    fn freshness(&self, last_day: i32) -> f64 {
        let days = (i64::from(self.terms.today) - i64::from(last_day)).max(0);
        (-(days as f64) / self.terms.half_life_days).exp2()
    }

    /// How much each item that a customer bought tells of their liking, in the order of their habits; 1 in all.
    fn weights(&self, customer: usize, weights: &mut Vec<f64>) {
        weights.clear();
        weights.extend(self.habits.of_customer(customer).map(|habit| self.freshness(habit.last_day)));
        let sum: f64 = weights.iter().sum();
        // Where all is too long ago to be told from 0, all tells the same.
        let (sum, fill) = if sum > 0.0 { (sum, 0.0) } else { (weights.len() as f64, 1.0) };
        weights.iter_mut().for_each(|weight| *weight = (*weight + fill) / sum);
    }

    /// The customer's own rhythm: the part of their purchase days on which they bought it, fading.
    fn repeat(&self, customer: usize, habit: Option<Habit>) -> f64 {
        habit.map_or(0.0, |habit| {
            let part = f64::from(habit.times) / f64::from(self.habits.purchase_days[customer].max(1));
            part * self.freshness(habit.last_day)
        })
    }

    fn score(&self, customer: usize, habit: Option<Habit>, item: u32, liked: f64) -> f64 {
        let own = self.repeat(customer, habit) + self.terms.liking * liked;
        own + self.terms.fashion * self.popularity[item as usize]
    }

    fn because<'k>(&self, customer: usize, item: u32, weights: &[f64], key: impl Fn(u32) -> &'k [u8]) -> Because {
        let mut most = (self.repeat(customer, self.habits.habit(customer, item)), None::<u32>);
        for (habit, weight) in self.habits.of_customer(customer).zip(weights) {
            let part = self.terms.liking * (weight * self.neighbours.weight(habit.item, item));
            let wins_tie = || most.1.is_some_and(|before| key(habit.item) < key(before));
            if part > most.0 || part == most.0 && part > 0.0 && wins_tie() {
                most = (part, Some(habit.item));
            }
        }
        // Nothing but popularity may be left of what was bought long ago: then it is the item itself, or any that led to
        // it.
        let any = || {
            let near = |habit: &Habit| self.neighbours.weight(habit.item, item) > 0.0;
            self.habits.of_customer(customer).find(near).map(|habit| habit.item)
        };
        match most {
            (part, None) if part > 0.0 || self.habits.habit(customer, item).is_some() => Because::Repeat,
            (_, leading) => leading.or_else(any).map_or(Because::Repeat, Because::Bought),
        }
    }
}

/// One customer's likings, by item.
struct Scratch {
    liked: Vec<f64>,
    /// The items that are liked; after each customer there are none.
    touched: Vec<u32>,
    weights: Vec<f64>,
}

impl Scratch {
    /// Sums up, in the order of the habits, how close each item is to what the customer bought.
    fn like(&mut self, shop: &Shop<'_>, customer: usize) {
        shop.weights(customer, &mut self.weights);
        for (habit, weight) in shop.habits.of_customer(customer).zip(&self.weights) {
            for (item, closeness) in shop.neighbours.of_item(habit.item) {
                let liked = &mut self.liked[item as usize];
                let before = *liked;
                *liked += weight * closeness;
                if before == 0.0 && *liked > 0.0 {
                    self.touched.push(item);
                }
            }
        }
    }
}

/// The best of what it is shown, the best first, at the end of a list.
pub(crate) struct Best<'o> {
    count: usize,
    from: usize,
    offers: &'o mut Vec<Offer>,
}

impl<'o> Best<'o> {
    pub(crate) fn of(count: usize, offers: &'o mut Vec<Offer>) -> Self {
        Self { count, from: offers.len(), offers }
    }

    /// Takes an item in if it is better than the worst and `may` be offered; ties by key.
    pub(crate) fn add<'k>(&mut self, item: u32, score: f64, key: impl Fn(u32) -> &'k [u8], may: impl Fn(u32) -> bool) {
        let is_before = |other: &Offer| score > other.score || score == other.score && key(item) < key(other.item);
        let chosen = &self.offers[self.from..];
        let is_full = chosen.len() >= self.count;
        if is_full && !chosen.last().is_some_and(is_before) || !may(item) {
            return;
        }
        let place = self.from + chosen.partition_point(|other| !is_before(other));
        self.offers.insert(place, Offer { item, score, because: Because::BestSeller });
        self.offers.truncate(self.from + self.count);
    }

    pub(crate) fn because(self, because: impl Fn(u32) -> Because) {
        self.offers[self.from..].iter_mut().for_each(|offer| offer.because = because(offer.item));
    }
}
