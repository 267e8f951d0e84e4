//! What each customer buys, how often and when last: what offers are made of.

use rayon::prelude::*;

use crate::checks::{self, same_length};
use crate::error::Result;

/// Customers whose purchases are put together as one piece of work.
const CUSTOMERS_AT_ONCE: usize = 1024;

/// The lines that customers bought, customer by customer, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Purchases<'p> {
    /// Customer c bought the lines from `offsets[c]` to `offsets[c + 1]`.
    pub offsets: &'p [usize],
    /// The item of each line.
    pub items: &'p [u32],
    /// The day of each line, since 1970-01-01.
    pub days: &'p [i32],
    /// How many items there are.
    pub item_count: usize,
}

/// The different items of each customer, by code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Habits {
    /// Customer c has the entries from `offsets[c]` to `offsets[c + 1]`.
    pub offsets: Vec<usize>,
    /// The item of each entry; ascending for each customer.
    pub items: Vec<u32>,
    /// On how many days the customer bought it.
    pub times: Vec<u32>,
    /// The last of these days, since 1970-01-01.
    pub last_days: Vec<i32>,
    /// On how many days each customer bought anything.
    pub purchase_days: Vec<u32>,
    /// How many items there are.
    pub item_count: usize,
}

/// An item and its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habit {
    /// The item.
    pub item: u32,
    /// On how many days the customer bought it.
    pub times: u32,
    /// The last of these days, since 1970-01-01.
    pub last_day: i32,
}

impl Habits {
    /// The habits that purchases show.
    ///
    /// # Errors
    /// [`crate::Error::Offsets`], [`crate::Error::Code`] and [`crate::Error::Lengths`] where the lists do not go
    /// together.
    pub fn of(purchases: &Purchases<'_>) -> Result<Self> {
        let Purchases { offsets, items, days, item_count } = *purchases;
        checks::offsets("purchases", offsets, items.len())?;
        checks::codes("items of purchases", items, item_count)?;
        same_length("days", items.len(), days.len())?;
        let ends: Vec<&[usize]> = offsets.windows(2).collect();
        let pieces: Vec<Self> = ends
            .par_chunks(CUSTOMERS_AT_ONCE)
            .map(|ends| {
                let mut piece = Self::default();
                ends.iter().for_each(|ends| piece.add(&items[ends[0]..ends[1]], &days[ends[0]..ends[1]]));
                piece
            })
            .collect();
        let mut all = Self { offsets: vec![0], item_count, ..Self::default() };
        pieces.iter().for_each(|piece| all.append(piece));
        Ok(all)
    }

    /// Adds a customer.
    fn add(&mut self, items: &[u32], days: &[i32]) {
        let mut lines: Vec<(u32, i32)> = items.iter().copied().zip(days.iter().copied()).collect();
        lines.sort_unstable();
        lines.dedup();
        for same in lines.chunk_by(|one, other| one.0 == other.0) {
            self.items.push(same[0].0);
            self.times.push(same.len() as u32);
            self.last_days.push(same[same.len() - 1].1);
        }
        let mut days = days.to_vec();
        days.sort_unstable();
        days.dedup();
        self.purchase_days.push(days.len() as u32);
        self.offsets.push(self.items.len());
    }

    fn append(&mut self, piece: &Self) {
        let before = self.items.len();
        self.offsets.extend(piece.offsets.iter().map(|end| before + end));
        self.items.extend_from_slice(&piece.items);
        self.times.extend_from_slice(&piece.times);
        self.last_days.extend_from_slice(&piece.last_days);
        self.purchase_days.extend_from_slice(&piece.purchase_days);
    }

    /// How many customers there are.
    pub fn len(&self) -> usize {
        self.purchase_days.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.purchase_days.is_empty()
    }

    /// What a customer buys, by item.
    pub fn of_customer(&self, customer: usize) -> impl ExactSizeIterator<Item = Habit> + Clone {
        (self.offsets[customer]..self.offsets[customer + 1]).map(|entry| Habit {
            item: self.items[entry],
            times: self.times[entry],
            last_day: self.last_days[entry],
        })
    }

    /// What a customer does with one item, if they ever bought it.
    pub fn habit(&self, customer: usize, item: u32) -> Option<Habit> {
        let from = self.offsets[customer];
        let place = self.items[from..self.offsets[customer + 1]].binary_search(&item).ok()?;
        Some(Habit { item, times: self.times[from + place], last_day: self.last_days[from + place] })
    }

    /// The part of the customers who bought each item on or after a day, of those who bought anything then.
    pub fn popularity(&self, since: i32) -> Vec<f64> {
        let mut counts = vec![0_u32; self.item_count];
        let mut customers = 0_u32;
        for customer in 0..self.len() {
            let mut lately = self.of_customer(customer).filter(|habit| habit.last_day >= since).peekable();
            customers += u32::from(lately.peek().is_some());
            lately.for_each(|habit| counts[habit.item as usize] += 1);
        }
        let customers = f64::from(customers.max(1));
        counts.into_iter().map(|count| f64::from(count) / customers).collect()
    }
}
