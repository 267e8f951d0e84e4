//! Offers on real purchases: tuned on earlier weeks, measured on the last four, beside three simple ways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;
use muster_score::affinity::pairs;
use muster_score::baskets::Baskets;
use muster_score::habits::{Habits, Purchases};
use muster_score::held_out::{Quality, best_sellers, item_to_item, own_most_frequent, quality};
use muster_score::neighbours::{Likeness, Neighbours};
use muster_score::offers::{Because, Offers, Sellers, Shop, Terms, offers, scores_for_item};
use muster_testkit::real_data;

/// The lines of known customers that are sales of products: customer, item, day.
struct Retail {
    lines: Vec<(u32, u32, i32)>,
    customer_count: usize,
    keys: Vec<String>,
}

impl Retail {
    fn read(folder: &Path) -> Self {
        let mut texts = Vec::new();
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let mut reader = csv::Reader::from_path(entry.expect("a file").path()).expect("the file can be read");
            for record in reader.records() {
                let record = record.expect("a line");
                let (invoice, code, customer) = (&record[0], record[1].to_uppercase(), record[6].to_owned());
                let quantity: i64 = record[3].parse().expect("a quantity");
                if !invoice.starts_with('C') && quantity > 0 && !customer.is_empty() && is_product(&code) {
                    texts.push((customer, code, day(&record[4][..10])));
                }
            }
        }
        let customers: BTreeSet<&String> = texts.iter().map(|line| &line.0).collect();
        let keys: BTreeSet<&String> = texts.iter().map(|line| &line.1).collect();
        let place = |names: &BTreeSet<&String>| -> BTreeMap<String, u32> {
            names.iter().zip(0..).map(|(name, place)| ((*name).clone(), place)).collect()
        };
        let (customers, items) = (place(&customers), place(&keys));
        let lines = texts.iter().map(|(customer, item, day)| (customers[customer], items[item], *day));
        Self { lines: lines.collect(), customer_count: customers.len(), keys: items.into_keys().collect() }
    }

    fn key(&self, item: u32) -> &[u8] {
        self.keys[item as usize].as_bytes()
    }

    /// Items and days of each customer from one day on and before another.
    fn between(&self, from: i32, to: i32) -> (Vec<usize>, Vec<u32>, Vec<i32>) {
        let mut lines: Vec<_> = self.lines.iter().copied().filter(|line| (from..to).contains(&line.2)).collect();
        lines.sort_unstable();
        let offsets = (0..=self.customer_count as u32).map(|customer| lines.partition_point(|line| line.0 < customer));
        let offsets = offsets.collect();
        (offsets, lines.iter().map(|line| line.1).collect(), lines.iter().map(|line| line.2).collect())
    }
}

/// Five digits with or without letters; postage, manual entries and bank charges have other codes.
fn is_product(code: &str) -> bool {
    let letters = code.trim_start_matches(|sign: char| sign.is_ascii_digit());
    code.len() - letters.len() == 5 && letters.bytes().all(|sign| sign.is_ascii_uppercase())
}

fn day(text: &str) -> i32 {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").expect("a day");
    (day - NaiveDate::default()).num_days() as i32
}

const QUIET_DAYS: i32 = 7;
const WEEKS_4: i32 = 28;

/// What is known on a day, and what returning customers bought in the four weeks from then on.
struct Window<'r> {
    retail: &'r Retail,
    today: i32,
    habits: Habits,
    neighbours: Neighbours,
    popularity: Vec<f64>,
    sellers: Sellers,
    bought: (Vec<usize>, Vec<u32>),
}

impl<'r> Window<'r> {
    fn of(retail: &'r Retail, today: i32) -> Self {
        let item_count = retail.keys.len();
        let (offsets, items, days) = retail.between(i32::MIN, today);
        let purchases = Purchases { offsets: &offsets, items: &items, days: &days, item_count };
        let habits = Habits::of(&purchases).expect("the purchases go together");
        // A customer's history is one basket.
        let found = pairs(&Baskets::new(&offsets, &items, item_count).expect("baskets"), 2);
        let key = |item| retail.key(item);
        let sellers = Sellers::of(&habits, &vec![0; habits.len()], 1, today - WEEKS_4, 50, key).expect("groups");
        let neighbours = Neighbours::of(&found, Likeness::Cosine, 50, key);
        let popularity = habits.popularity(today - WEEKS_4);
        let bought = known_only(&habits, retail.between(today, today + WEEKS_4));
        Self { retail, today, habits, neighbours, popularity, sellers, bought }
    }

    fn shop(&self, terms: Terms) -> Shop<'_> {
        Shop {
            habits: &self.habits,
            neighbours: &self.neighbours,
            popularity: &self.popularity,
            sellers: &self.sellers,
            terms: Terms { today: self.today, quiet_days: QUIET_DAYS, ..terms },
        }
    }

    fn offers(&self, terms: Terms) -> Offers {
        offers(&self.shop(terms), |_, _| true, |item| self.retail.key(item)).expect("offers")
    }

    fn quality(&self, offers: &Offers) -> Quality {
        quality(offers, &self.bought.0, &self.bought.1, self.retail.keys.len())
    }

    /// The simple ways, under the same rule of what is not offered.
    fn simple_ways(&self) -> [(&'static str, Offers); 3] {
        let may = |customer: usize, item: u32| {
            self.habits.habit(customer, item).is_none_or(|habit| self.today - habit.last_day >= QUIET_DAYS)
        };
        let key = |item| self.retail.key(item);
        [
            ("best sellers", best_sellers(&self.habits, 3, may, key)),
            ("own most frequent", own_most_frequent(&self.habits, 3, may, key)),
            ("item-item cosine", item_to_item(&self.habits, &self.neighbours, 3, may, key)),
        ]
    }
}

/// Only customers with a history are measured: the simple ways but one have nothing to say of the others.
fn known_only(habits: &Habits, bought: (Vec<usize>, Vec<u32>, Vec<i32>)) -> (Vec<usize>, Vec<u32>) {
    let (mut offsets, mut items) = (vec![0], Vec::new());
    for customer in 0..habits.len() {
        if habits.of_customer(customer).len() > 0 {
            items.extend_from_slice(&bought.1[bought.0[customer]..bought.0[customer + 1]]);
        }
        offsets.push(items.len());
    }
    (offsets, items)
}

/// The terms with the best sum of hit rates and gains in the windows.
///
/// A liking of 0 and longer half-lives do as well or a little better here, where customers are shops that buy the same
/// again; but nothing new would ever be preferred then, and nothing ever forgotten.
fn tuned(windows: &[Window<'_>]) -> Terms {
    let mut best = (f64::MIN, Terms::default());
    for half_life_days in [60.0, 120.0, 240.0, 480.0] {
        for liking in [0.1, 0.3, 1.0] {
            for fashion in [0.5, 1.0, 2.0, 3.0] {
                let terms = Terms { half_life_days, liking, fashion, ..Terms::default() };
                let of = |window: &Window<'_>| {
                    let found = window.quality(&window.offers(terms));
                    found.hit_rate_at_1 + found.hit_rate_at_3 + found.ndcg_at_3
                };
                let sum = windows.iter().map(of).sum();
                if sum > best.0 {
                    best = (sum, terms);
                }
            }
        }
    }
    best.1
}

fn print_row(name: &str, found: &Quality) {
    let Quality { customers, hit_rate_at_1, hit_rate_at_3, ndcg_at_3, coverage } = found;
    println!("{name:<20} {customers:>5} {hit_rate_at_1:>8.4} {hit_rate_at_3:>8.4} {ndcg_at_3:>8.4} {coverage:>8.4}");
}

#[test]
fn offers_of_online_retail_are_at_least_as_good_as_the_best_simple_way() {
    let Some(folder) = real_data("online-retail") else { return };
    let retail = Retail::read(&folder);
    assert_eq!((retail.customer_count, retail.keys.len(), retail.lines.len()), (2716, 3108, 144_873));
    let last = day("2011-05-31") + 1 - WEEKS_4;
    let earlier = [Window::of(&retail, last - 2 * WEEKS_4), Window::of(&retail, last - WEEKS_4)];
    let terms = tuned(&earlier);
    assert_eq!(terms, Terms::default(), "the defaults are said to be the best of the earlier weeks");
    println!("tuned on the eight weeks before: {terms:?}");
    let window = Window::of(&retail, last);
    let found = window.offers(terms);
    let ours = window.quality(&found);
    println!("{:<20} {:>5} {:>8} {:>8} {:>8} {:>8}", "", "who", "hit@1", "hit@3", "ndcg@3", "covers");
    print_row("offers", &ours);
    print_row("offers, liking 0", &window.quality(&window.offers(Terms { liking: 0.0, ..terms })));
    for (name, offers) in window.simple_ways() {
        let theirs = window.quality(&offers);
        print_row(name, &theirs);
        assert!(ours.hit_rate_at_1 >= theirs.hit_rate_at_1, "{name} is better");
        assert!(ours.hit_rate_at_3 >= theirs.hit_rate_at_3, "{name} is better");
        assert!(ours.ndcg_at_3 >= theirs.ndcg_at_3, "{name} is better");
    }
    nothing_bought_lately_is_offered(&window, &found);
    reasons_lead_to_their_offers(&window, &found, terms);
    forward_and_backward_agree(&window, &found, terms);
}

fn nothing_bought_lately_is_offered(window: &Window<'_>, found: &Offers) {
    let lately: BTreeSet<(u32, u32)> = (window.retail.lines.iter())
        .filter(|line| line.2 > window.today - QUIET_DAYS && line.2 < window.today)
        .map(|line| (line.0, line.1))
        .collect();
    assert!(lately.len() > 1000);
    for customer in 0..found.len() {
        assert!(found.of(customer).iter().all(|offer| !lately.contains(&(customer as u32, offer.item))));
    }
}

fn reasons_lead_to_their_offers(window: &Window<'_>, found: &Offers, terms: Terms) {
    let mut kinds = [0; 3];
    for customer in 0..found.len() {
        let has_history = window.habits.of_customer(customer).len() > 0;
        for offer in found.of(customer) {
            let place = match offer.because {
                Because::Repeat => {
                    assert!(window.habits.habit(customer, offer.item).is_some());
                    0
                }
                Because::Bought(item) => {
                    assert!(window.habits.habit(customer, item).is_some() && terms.liking >= 0.0);
                    assert!(window.neighbours.weight(item, offer.item) > 0.0);
                    1
                }
                Because::BestSeller => {
                    assert!(!has_history);
                    2
                }
            };
            kinds[place] += 1;
        }
    }
    println!("because: {} repeats, {} bought, {} best sellers", kinds[0], kinds[1], kinds[2]);
}

fn forward_and_backward_agree(window: &Window<'_>, found: &Offers, terms: Terms) {
    for item in (0..window.retail.keys.len() as u32).step_by(50) {
        let scores = scores_for_item(&window.shop(terms), item, |_, _| true).expect("scores");
        for (customer, score) in scores.iter().enumerate() {
            let offered = found.of(customer).iter().find(|offer| offer.item == item);
            assert!(offered.is_none_or(|offer| Some(offer.score) == *score));
        }
    }
}
