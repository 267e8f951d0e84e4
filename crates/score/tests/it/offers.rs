//! Offers beside scoring every item for every customer, and what each offer says of itself.

use muster_score::Error;
use muster_score::affinity::pairs;
use muster_score::baskets::Baskets;
use muster_score::habits::{Habits, Purchases};
use muster_score::held_out::{best_sellers, item_to_item, own_most_frequent, quality};
use muster_score::neighbours::{Likeness, Neighbours};
use muster_score::offers::{Because, Offer, Offers, Sellers, Shop, Terms, offers, scores_for_item};
use proptest::prelude::*;

const ITEMS: usize = 12;
const KEYS: [&[u8]; ITEMS] = [b"l", b"k", b"j", b"i", b"h", b"g", b"f", b"e", b"d", b"c", b"b", b"a"];

fn key(item: u32) -> &'static [u8] {
    KEYS[item as usize]
}

/// A small shop, from the items and days of each customer.
struct Small {
    habits: Habits,
    neighbours: Neighbours,
    popularity: Vec<f64>,
    sellers: Sellers,
    terms: Terms,
}

impl Small {
    fn of(customers: &[Vec<(u32, i32)>], terms: Terms) -> Self {
        let mut offsets = vec![0];
        customers.iter().for_each(|lines| offsets.push(offsets[offsets.len() - 1] + lines.len()));
        let (items, days): (Vec<u32>, Vec<i32>) = customers.iter().flatten().copied().unzip();
        let purchases = Purchases { offsets: &offsets, items: &items, days: &days, item_count: ITEMS };
        let habits = Habits::of(&purchases).expect("the purchases go together");
        let baskets = Baskets::new(&offsets, &items, ITEMS).expect("the baskets are right");
        let neighbours = Neighbours::of(&pairs(&baskets, 1), Likeness::Cosine, 4, key);
        let groups: Vec<u32> = (0..customers.len() as u32).map(|customer| customer % 3).collect();
        let sellers = Sellers::of(&habits, &groups, 2, i32::MIN, 5, key).expect("a group for each");
        Self { popularity: habits.popularity(i32::MIN), habits, neighbours, sellers, terms }
    }

    fn shop(&self) -> Shop<'_> {
        Shop {
            habits: &self.habits,
            neighbours: &self.neighbours,
            popularity: &self.popularity,
            sellers: &self.sellers,
            terms: self.terms,
        }
    }
}

fn terms() -> Terms {
    Terms { today: 100, quiet_days: 10, half_life_days: 30.0, ..Terms::default() }
}

fn in_stock(customer: usize, item: u32) -> bool {
    !(customer as u32 + item).is_multiple_of(5)
}

fn customers() -> impl Strategy<Value = Vec<Vec<(u32, i32)>>> {
    proptest::collection::vec(proptest::collection::vec((0..ITEMS as u32, 0..100_i32), 0..8), 1..30)
}

/// The parts of a score, written down once more: the own repeat, and what each bought item adds.
fn parts(small: &Small, customer: usize, item: u32) -> (f64, Vec<(u32, f64)>) {
    let Small { habits, neighbours, terms, .. } = small;
    let fresh = |last_day: i32| 0.5_f64.powf(f64::from(terms.today - last_day) / terms.half_life_days);
    let all: f64 = habits.of_customer(customer).map(|habit| fresh(habit.last_day)).sum();
    let repeat = habits.of_customer(customer).find(|habit| habit.item == item).map_or(0.0, |habit| {
        f64::from(habit.times) / f64::from(habits.purchase_days[customer]) * fresh(habit.last_day)
    });
    let of = |bought: u32, last_day: i32| {
        let closeness = neighbours.of_item(bought).find(|(other, _)| *other == item).map_or(0.0, |(_, weight)| weight);
        (bought, terms.liking * fresh(last_day) / all * closeness)
    };
    (repeat, habits.of_customer(customer).map(|habit| of(habit.item, habit.last_day)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn offers_are_the_best_of_scoring_every_item_for_every_customer(customers in customers()) {
        let small = Small::of(&customers, terms());
        let found = offers(&small.shop(), in_stock, key).expect("offers");
        let of_item: Vec<Vec<Option<f64>>> = (0..ITEMS as u32)
            .map(|item| scores_for_item(&small.shop(), item, in_stock).expect("scores"))
            .collect();
        let best = |customer: usize| {
            let scored = of_item.iter().zip(0_u32..).filter_map(|(scores, item)| Some((item, scores[customer]?)));
            let mut every: Vec<(u32, f64)> = scored.collect();
            every.sort_by(|one, other| other.1.total_cmp(&one.1).then(key(one.0).cmp(key(other.0))));
            every.truncate(3);
            every
        };
        for customer in 0..small.habits.len() {
            let own: Vec<(u32, f64)> = found.of(customer).iter().map(|offer| (offer.item, offer.score)).collect();
            prop_assert_eq!(own, best(customer));
        }
    }

    #[test]
    fn each_reason_reproduces_its_offer(customers in customers()) {
        let small = Small::of(&customers, terms());
        let found = offers(&small.shop(), in_stock, key).expect("offers");
        for (customer, lines) in customers.iter().enumerate() {
            for Offer { item, score, because } in found.of(customer) {
                if lines.is_empty() {
                    prop_assert_eq!(*because, Because::BestSeller);
                    prop_assert!(small.sellers.of_customer(customer).any(|seller| seller == (*item, *score)));
                    continue;
                }
                let (repeat, bought) = parts(&small, customer, *item);
                let liked: f64 = bought.iter().map(|(_, part)| part).sum();
                let again = repeat + liked + small.terms.fashion * small.popularity[*item as usize];
                prop_assert!((score - again).abs() < 1e-12, "{} {}", score, again);
                let most = bought.iter().map(|(_, part)| *part).fold(repeat, f64::max);
                let leading = match because {
                    Because::Repeat => repeat,
                    Because::Bought(by) => bought.iter().find(|(item, _)| item == by).expect("it was bought").1,
                    Because::BestSeller => -1.0,
                };
                prop_assert!(leading > 0.0 && (leading - most).abs() < 1e-12, "{:?}", because);
            }
        }
    }

    #[test]
    fn nothing_is_offered_that_was_bought_lately_or_is_not_allowed(customers in customers()) {
        let small = Small::of(&customers, terms());
        let found = offers(&small.shop(), in_stock, key).expect("offers");
        for (customer, lines) in customers.iter().enumerate() {
            for offer in found.of(customer) {
                prop_assert!(in_stock(customer, offer.item));
                prop_assert!(lines.iter().all(|(item, day)| *item != offer.item || 100 - day >= 10));
            }
        }
        // The control: without these rules such offers are made.
        let free = Terms { quiet_days: 0, count: ITEMS, ..terms() };
        let all = offers(&Small::of(&customers, free).shop(), |_, _| true, key).expect("offers");
        for (customer, lines) in customers.iter().enumerate() {
            prop_assert!(lines.iter().all(|(item, _)| all.of(customer).iter().any(|offer| offer.item == *item)));
        }
    }

    #[test]
    fn habits_are_those_of_counting_days(customers in customers()) {
        let habits = Small::of(&customers, terms()).habits;
        for (customer, lines) in customers.iter().enumerate() {
            let days = |of: &dyn Fn(u32) -> bool| {
                let days = lines.iter().filter(|(item, _)| of(*item)).map(|(_, day)| *day);
                days.collect::<std::collections::BTreeSet<i32>>()
            };
            prop_assert_eq!(habits.purchase_days[customer] as usize, days(&|_| true).len());
            for item in 0..ITEMS as u32 {
                let own = days(&|other| other == item);
                let habit = habits.habit(customer, item).map(|habit| (habit.times as usize, habit.last_day));
                prop_assert_eq!(habit, own.last().map(|last| (own.len(), *last)));
            }
        }
    }
}

#[test]
fn offers_are_the_same_with_one_thread_and_with_many() {
    let customers: Vec<Vec<(u32, i32)>> = (0..3000_u32)
        .map(|customer| (0..customer % 7).map(|line| ((customer * line) % 12, (customer % 97) as i32)).collect())
        .collect();
    let small = Small::of(&customers, terms());
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| offers(&small.shop(), in_stock, key).expect("offers"))
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn a_customer_without_history_gets_what_sells_best_in_their_group() {
    // Customers 0 and 3 are of group 0 and buy item 5; all others buy item 7; customers 6, 7 and 8 buy nothing.
    let buys = |item: u32| vec![(item, 50)];
    let customers = [buys(5), buys(7), buys(7), buys(5), buys(7), buys(7), vec![], vec![], vec![]];
    let small = Small::of(&customers, Terms { count: 1, ..terms() });
    let found = offers(&small.shop(), |_, _| true, key).expect("offers");
    let best = |item, score| [Offer { item, score, because: Because::BestSeller }];
    assert_eq!(found.of(6), best(5, 1.0));
    assert_eq!(found.of(7), best(7, 1.0));
    // Group 2 is none of the two that are known, so the whole base counts: 4 of 6.
    assert_eq!(found.of(8), best(7, 4.0 / 6.0));
}

#[test]
fn shrinking_draws_a_lift_from_few_baskets_below_one_from_many() {
    // Items 0 and 1 are together once and never apart; 2 and 3 are together ten times and never apart.
    let mut items = vec![0, 1];
    items.extend([2, 3].repeat(10));
    let offsets: Vec<usize> = (0..=11).map(|basket| 2 * basket).collect();
    let found = pairs(&Baskets::new(&offsets, &items, 4).expect("baskets"), 1);
    let at = |likeness: Likeness| {
        let neighbours = Neighbours::of(&found, likeness, 3, key);
        (neighbours.weight(0, 1), neighbours.weight(2, 3))
    };
    assert_eq!(at(Likeness::Cosine), (1.0, 1.0));
    assert_eq!(at(Likeness::ShrunkLift { shrink: 0.0 }), (11.0, 1.1));
    assert_eq!(at(Likeness::ShrunkLift { shrink: 50.0 }), (11.0 / 51.0, 1.1 * (10.0 / 60.0)));
}

#[test]
fn quality_counts_hits_and_their_places() {
    let offer = |item| Offer { item, score: 1.0, because: Because::Repeat };
    // One hits at once, one with the third, one never; the last one buys nothing and is not counted.
    let lists = Offers { offsets: vec![0, 3, 6, 7, 9], offers: [0, 1, 2, 3, 4, 5, 6, 7, 8].map(offer).to_vec() };
    let found = quality(&lists, &[0, 1, 2, 4, 4], &[0, 5, 9, 9], 14);
    assert_eq!((found.customers, found.hit_rate_at_1, found.hit_rate_at_3), (3, 1.0 / 3.0, 2.0 / 3.0));
    assert!((found.ndcg_at_3 - (1.0 + 0.5) / 3.0).abs() < 1e-15);
    assert_eq!(found.coverage, 0.5);
    assert_eq!(quality(&Offers::default(), &[], &[], 0).customers, 0);
}

#[test]
fn the_simple_ways_do_what_they_are_called() {
    let customers = [vec![(3, 1), (3, 2), (4, 3)], vec![(4, 1), (5, 1)], vec![(4, 2)], vec![]];
    let small = Small::of(&customers, terms());
    let items =
        |offers: &Offers, customer: usize| offers.of(customer).iter().map(|offer| offer.item).collect::<Vec<_>>();
    let all = |_: usize, _: u32| true;
    let sellers = best_sellers(&small.habits, 2, all, key);
    // Item 5 and item 3 were bought by one customer each; the key of 5 comes first.
    assert_eq!((items(&sellers, 0), items(&sellers, 3)), (vec![4, 5], vec![4, 5]));
    let own = own_most_frequent(&small.habits, 3, all, key);
    assert_eq!((items(&own, 0), items(&own, 1), items(&own, 3)), (vec![3, 4], vec![4, 5], vec![]));
    let near = item_to_item(&small.habits, &small.neighbours, 3, all, key);
    assert_eq!(items(&near, 2), vec![5, 3]);
}

#[test]
fn terms_and_lists_that_are_none_are_named() {
    let customers = [vec![(1, 5)], vec![]];
    let refused = |terms: Terms| offers(&Small::of(&customers, terms).shop(), |_, _| true, key).expect_err("refused");
    for half_life_days in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(refused(Terms { half_life_days, ..terms() }), Error::Setting { what: "the half-life", .. }));
    }
    assert!(matches!(
        refused(Terms { liking: f64::NAN, ..terms() }),
        Error::Setting { what: "the weight of liking", .. }
    ));
    let mut small = Small::of(&customers, terms());
    small.popularity.pop();
    let error = offers(&small.shop(), |_, _| true, key).expect_err("refused");
    assert!(matches!(error, Error::Lengths { what: "popularity", .. }));
    let small = Small::of(&customers, terms());
    assert!(matches!(scores_for_item(&small.shop(), 12, |_, _| true), Err(Error::Code { found: 12, count: 12, .. })));
    let wrong = Purchases { offsets: &[0, 1], items: &[0], days: &[], item_count: 1 };
    assert!(matches!(Habits::of(&wrong), Err(Error::Lengths { what: "days", .. })));
}

#[test]
fn purchases_of_long_ago_and_of_nobody_have_offers_without_nan() {
    let customers = [vec![(1, i32::MIN), (2, i32::MIN)], vec![(1, i32::MIN)]];
    let terms = Terms { today: i32::MAX, half_life_days: 1.0, ..terms() };
    let found = offers(&Small::of(&customers, terms).shop(), |_, _| true, key).expect("offers");
    assert_eq!(found.of(1).len(), 2);
    assert!(found.offers.iter().all(|offer| offer.score.is_finite()));
    assert!(offers(&Small::of(&[], terms).shop(), |_, _| true, key).expect("offers").is_empty());
    let nobody_bought = offers(&Small::of(&[vec![], vec![]], terms).shop(), |_, _| true, key).expect("offers");
    assert!(nobody_bought.offers.is_empty());
}
