//! How good offers were, measured on what was bought afterwards, and the simple ways they have to beat.

use crate::habits::Habits;
use crate::neighbours::Neighbours;
use crate::offers::{Because, Best, Offers};

/// The places of a customer's list that count.
const PLACES: usize = 3;

/// How good offers were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Customers that were measured: those who bought something afterwards.
    pub customers: usize,
    /// The part of them whose first offer was bought.
    pub hit_rate_at_1: f64,
    /// The part of them who bought one of the first three.
    pub hit_rate_at_3: f64,
    /// Mean gain of the first three, discounted by their place, against the best possible list; 0 to 1.
    pub ndcg_at_3: f64,
    /// The part of all items that were among the first three of anybody measured.
    pub coverage: f64,
}

/// Measures offers on what each customer bought afterwards; all 0 where nobody bought.
///
/// Customer c bought `items[offsets[c]..offsets[c + 1]]`, in any order.
pub fn quality(offers: &Offers, offsets: &[usize], items: &[u32], item_count: usize) -> Quality {
    let gains: [f64; PLACES] = std::array::from_fn(|place| 1.0 / (place as f64 + 2.0).log2());
    let (mut customers, mut first, mut any, mut gained) = (0_u32, 0_u32, 0_u32, 0.0);
    let mut offered = vec![false; item_count];
    for (customer, ends) in offsets.windows(2).enumerate().filter(|(_, ends)| ends[0] < ends[1]) {
        let mut bought = items[ends[0]..ends[1]].to_vec();
        bought.sort_unstable();
        bought.dedup();
        let list = &offers.of(customer)[..offers.of(customer).len().min(PLACES)];
        let hits: Vec<bool> = list.iter().map(|offer| bought.binary_search(&offer.item).is_ok()).collect();
        list.iter().for_each(|offer| offered[offer.item as usize] = true);
        customers += 1;
        first += u32::from(hits.first().is_some_and(|hit| *hit));
        any += u32::from(hits.contains(&true));
        let gain: f64 = hits.iter().zip(gains).filter(|(hit, _)| **hit).map(|(_, gain)| gain).sum();
        gained += gain / gains[..bought.len().min(PLACES)].iter().sum::<f64>();
    }
    let part = |count: f64| count / f64::from(customers.max(1));
    Quality {
        customers: customers as usize,
        hit_rate_at_1: part(f64::from(first)),
        hit_rate_at_3: part(f64::from(any)),
        ndcg_at_3: part(gained),
        coverage: offered.iter().filter(|offered| **offered).count() as f64 / item_count.max(1) as f64,
    }
}

/// The first simple way: what most customers bought, the same for everyone but for what they may not be offered.
pub fn best_sellers<'k>(
    habits: &Habits,
    count: usize,
    may: impl Fn(usize, u32) -> bool + Sync,
    key: impl Fn(u32) -> &'k [u8] + Sync,
) -> Offers {
    let popularity = habits.popularity(i32::MIN);
    let mut order: Vec<u32> = (0..habits.item_count as u32).collect();
    order.sort_unstable_by(|one, other| {
        popularity[*other as usize].total_cmp(&popularity[*one as usize]).then_with(|| key(*one).cmp(key(*other)))
    });
    Offers::each(
        habits.len(),
        || (),
        |customer, (), found| {
            let mut best = Best::of(count, found);
            for item in order.iter().filter(|item| may(customer, **item)).take(count) {
                best.add(*item, popularity[*item as usize], &key, |_| true);
            }
            best.because(|_| Because::BestSeller);
        },
    )
}

/// The second: what the customer bought on most days, ties by how many customers bought it.
pub fn own_most_frequent<'k>(
    habits: &Habits,
    count: usize,
    may: impl Fn(usize, u32) -> bool + Sync,
    key: impl Fn(u32) -> &'k [u8] + Sync,
) -> Offers {
    let popularity = habits.popularity(i32::MIN);
    Offers::each(
        habits.len(),
        || (),
        |customer, (), found| {
            let mut best = Best::of(count, found);
            for habit in habits.of_customer(customer) {
                // Popularity is a part, so halved it never outweighs a day.
                let score = f64::from(habit.times) + popularity[habit.item as usize] / 2.0;
                best.add(habit.item, score, &key, |item| may(customer, item));
            }
            best.because(|_| Because::Repeat);
        },
    )
}

/// The third: the sum of the closeness to all that the customer bought, what they bought included.
pub fn item_to_item<'k>(
    habits: &Habits,
    neighbours: &Neighbours,
    count: usize,
    may: impl Fn(usize, u32) -> bool + Sync,
    key: impl Fn(u32) -> &'k [u8] + Sync,
) -> Offers {
    let scratch = || vec![0.0; habits.item_count];
    Offers::each(habits.len(), scratch, |customer, sums: &mut Vec<f64>, found| {
        let mut best = Best::of(count, found);
        let near = || habits.of_customer(customer).flat_map(|habit| neighbours.of_item(habit.item));
        near().for_each(|(item, weight)| sums[item as usize] += weight);
        for (item, _) in near() {
            let sum = std::mem::take(&mut sums[item as usize]);
            if sum > 0.0 {
                best.add(item, sum, &key, |item| may(customer, item));
            }
        }
        let leading = |item: u32| {
            let close = habits.of_customer(customer).map(|habit| (habit.item, neighbours.weight(habit.item, item)));
            close.fold((item, 0.0), |most, next| if next.1 > most.1 { next } else { most }).0
        };
        best.because(|item| Because::Bought(leading(item)));
    })
}
