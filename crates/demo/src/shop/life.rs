//! What a customer does: orders, carts and visits in their time.
//!
//! `rhythm` says when they buy and `basket` what; here it becomes rows. The shop keeps carts for
//! 60 days and visits for a year, as shops do. `days` lets the same lives go on.

use super::World;
use super::basket::{Item, basket, value};
use super::calendar::{AS_OF, DAY_SECONDS, Day, LAST_DAY, LocalTime};
use super::chance::{Chance, Purpose};
use super::chapter::Chapter;
use super::families::FAMILIES;
use super::mail::{Correspondence, HISTORY, LeftCart, Reach, Recipient};
use super::money::Cents;
use super::person::Person;
use super::records::{Cart, CartLine, Customer, Order, WebVisit, tier, tier_counts_from};
use super::rhythm::Rhythm;

/// For how many days a cart is kept after it was last touched.
pub(super) const CART_DAYS: i32 = 60;
/// For how many days a cart that was touched may still be ordered.
pub(super) const OPEN_CART_DAYS: i32 = 7;
/// The first day whose carts are kept.
const CARTS_FROM: Day = Day(LAST_DAY.0 - CART_DAYS);
/// The first day whose visits are kept.
const VISITS_FROM: Day = Day(LAST_DAY.0 - 365);
/// A cart that was touched on this day or later may still be ordered.
const OPEN_FROM: Day = Day(LAST_DAY.0 - OPEN_CART_DAYS);
/// So many days before it is expected an order leaves the warehouse.
pub(super) const SHIPPED_DAYS: i64 = 2;
/// Of the customers: who sends back much, and how likely they and the others do.
const SENDS_BACK_MUCH: f64 = 0.04;
const RETURNS: (f64, f64) = (0.42, 0.045);
/// Mean days between carts that someone fills and leaves.
pub(super) const BETWEEN_LEFT_CARTS: f64 = 120.0;
/// Mean days between visits of someone who just looks around.
pub(super) const BETWEEN_VISITS: f64 = 57.0;

/// What someone will go on doing.
#[derive(Debug, Clone)]
pub(super) struct Habits {
    /// Whether they still look at what the shop has.
    pub interested: bool,
    /// Days between purchases on average, of those who buy.
    pub mean_gap: Option<f64>,
    /// How likely they send an order back.
    pub returns: f64,
    /// How it stands with what is written to them.
    pub correspondence: Correspondence,
}

/// Appends everything about the customer with that number.
pub(super) fn live<'w>(world: &'w World, number: u64, chapter: &mut Chapter<'w>) {
    let person = Person::of(world, number);
    let mut chance = Chance::of(world.seed, Purpose::Life, number);
    let rhythm = Rhythm::drawn(&world.demand, &mut chance);
    let returns = returns(&mut chance);
    let (first_order, first_cart) = (chapter.orders.len(), chapter.carts.len());
    let mut life =
        Life { world, person: &person, since: LocalTime(0), taken_at: AS_OF, returns, chance: &mut chance, chapter };
    let purchases = life.moments(&rhythm);
    life.since = life.signs_up(&rhythm, purchases.first().copied());
    let updated_at = purchases.last().copied().unwrap_or(life.since);
    let spent = purchases.into_iter().map(|moment| life.buys(moment)).sum();
    life.leaves_carts(&rhythm);
    life.looks_around(&rhythm);
    let created_at = life.since;
    let recipient = Recipient {
        person: &person,
        since: created_at,
        reach: Reach::of(&person),
        bought_at: chapter.orders[first_order..].iter().map(|order| order.placed_at).collect(),
        left_carts: left_carts(chapter, first_cart),
    };
    let correspondence = is_written_to(world, &recipient, chapter);
    chapter.customers.push(Customer { person, created_at, tier: tier(spent), updated_at, deleted: false });
    let (interested, mean_gap) = (rhythm.until == LAST_DAY, rhythm.mean_gap);
    chapter.habits.push(Habits { interested, mean_gap, returns, correspondence });
}

/// Appends what was written to them and what came back, and says how it stands since.
fn is_written_to<'w>(world: &'w World, recipient: &Recipient<'_>, chapter: &mut Chapter<'w>) -> Correspondence {
    let (mut correspondence, mut chance) = Correspondence::of(world.seed, recipient.person.number);
    let mail = correspondence.go_on(world, recipient, HISTORY, chapter.next_mail(), &mut chance);
    chapter.messages.extend(mail.messages);
    chapter.responses.extend(mail.responses);
    correspondence
}

/// The carts from `first` on that were not ordered.
fn left_carts(chapter: &Chapter<'_>, first: usize) -> Vec<LeftCart> {
    let left = chapter.carts[first..].iter().filter(|cart| cart.order.is_none());
    let products = |cart: &Cart| {
        let lines = chapter.cart_lines.iter().rev().take_while(|line| line.cart >= cart.number);
        lines.filter(|line| line.cart == cart.number).map(|line| line.item.product).collect()
    };
    left.map(|cart| LeftCart { touched_at: cart.updated_at, products: products(cart) }).collect()
}

/// Someone's time with the shop, and where its rows go.
pub(super) struct Life<'a, 'w> {
    pub world: &'w World,
    pub person: &'a Person,
    /// When they signed up; the shop knows nothing of them from before.
    pub since: LocalTime,
    /// When the data are taken.
    pub taken_at: LocalTime,
    /// How likely they send an order back.
    pub returns: f64,
    pub chance: &'a mut Chance,
    pub chapter: &'a mut Chapter<'w>,
}

impl<'w> Life<'_, 'w> {
    /// The moments of the purchases, in order.
    fn moments(&mut self, rhythm: &Rhythm) -> Vec<LocalTime> {
        let mut moments: Vec<LocalTime> = rhythm.purchases.iter().map(|day| day.moment(self.chance)).collect();
        moments.sort_unstable();
        moments
    }

    /// Before the first purchase: minutes for those who came to buy, else on their day.
    fn signs_up(&mut self, rhythm: &Rhythm, first: Option<LocalTime>) -> LocalTime {
        match first {
            Some(first) if first.day() == rhythm.since => LocalTime(first.0 - self.chance.between(60, 1_800)).awake(),
            _ => rhythm.since.moment(self.chance),
        }
    }

    /// Places an order; what it is worth for the tier comes back.
    pub(super) fn buys(&mut self, placed_at: LocalTime) -> Cents {
        let items = basket(self.world, self.person, placed_at.day(), self.chance);
        let order = self.order(placed_at, &items);
        let counts = order.status == "delivered" && placed_at.day() >= tier_counts_from(self.taken_at.day());
        let worth = if counts { order.total } else { Cents(0) };
        if order.store.is_none() {
            self.looked_before(placed_at, &items);
            self.had_cart(&order, &items);
        }
        self.chapter.add_order(order, &items);
        worth
    }

    /// An order of these items, which is not in the chapter yet.
    pub(super) fn order(&mut self, placed_at: LocalTime, items: &[Item]) -> Order {
        let value = value(items);
        let discount = discount(value, self.chance);
        let (channel, store) = self.channel(placed_at);
        let expected_at = self.expected(placed_at, items);
        let status = self.status(expected_at);
        Order {
            number: self.chapter.orders.len() as u64,
            customer: self.person.number,
            placed_at,
            channel,
            store,
            status,
            expected_at,
            total: value - discount,
            discount,
            updated_at: self.updated_at(status, placed_at, expected_at),
            deleted: false,
        }
    }

    /// When an order of that status got it.
    fn updated_at(&self, status: &str, placed_at: LocalTime, expected_at: LocalTime) -> LocalTime {
        let at = match status {
            "delivered" => expected_at,
            "returned" => LocalTime(expected_at.0 + 9 * DAY_SECONDS),
            "cancelled" => LocalTime(placed_at.0 + 3 * 3600).awake(),
            "shipped" => LocalTime(expected_at.0 - SHIPPED_DAYS * DAY_SECONDS).max(placed_at),
            _ => placed_at,
        };
        at.min(self.taken_at)
    }

    /// One in five likes to come by; the stores are open from nine to six.
    fn channel(&mut self, placed_at: LocalTime) -> (&'static str, Option<u32>) {
        let habit = if self.person.number.is_multiple_of(5) { 70 } else { 25 };
        let is_open = (9..18).contains(&(placed_at.second_of_day() / 3600));
        match self.chance.below(100) {
            drawn if drawn < habit && is_open => ("store", Some(self.store())),
            97.. => ("phone", None),
            drawn if drawn % 4 == 0 => ("app", None),
            _ => ("web", None),
        }
    }

    fn store(&mut self) -> u32 {
        if self.chance.happens(0.85) {
            return self.person.home.store;
        }
        self.chance.below(self.world.stores.len() as u64) as u32
    }

    /// When the slowest of the items is to be delivered: on the hour, by day.
    fn expected(&mut self, placed_at: LocalTime, items: &[Item]) -> LocalTime {
        let lead = |item: &Item| FAMILIES[self.world.assortment.family_of(item.product)].lead_days;
        let (least, most) = items.iter().map(lead).max().unwrap_or((1, 3));
        placed_at.day().plus(self.chance.between(least, most)).at(self.chance.between(8, 18) * 3600)
    }

    /// One order in fifty is cancelled; one in seventeen is returned after it came.
    fn status(&mut self, expected_at: LocalTime) -> &'static str {
        match self.chance.unit() {
            drawn if drawn < 0.02 => "cancelled",
            _ if expected_at.0 > self.taken_at.0 + SHIPPED_DAYS * DAY_SECONDS => "open",
            _ if expected_at > self.taken_at => "shipped",
            drawn if drawn < 0.02 + self.returns => "returned",
            _ => "delivered",
        }
    }

    fn looked_before(&mut self, placed_at: LocalTime, items: &[Item]) {
        if placed_at.day() < VISITS_FROM {
            return;
        }
        for _ in 0..self.chance.between(1, 2) {
            let looked_at = self.shortly_before(placed_at, 5 * 86_400);
            let category = self.world.assortment.category_of(self.chance.one_of(items).product);
            self.visit(looked_at, Some(category));
        }
    }

    fn had_cart(&mut self, order: &Order, items: &[Item]) {
        if order.placed_at.day() < CARTS_FROM || order.channel == "phone" {
            return;
        }
        let updated_at = self.shortly_before(order.placed_at, 3_600);
        let created_at = self.shortly_before(updated_at, 2 * 86_400);
        self.cart(created_at, updated_at, "ordered", Some(order.number), items);
    }

    fn leaves_carts(&mut self, rhythm: &Rhythm) {
        for day in self.days_between(CARTS_FROM, rhythm.until, BETWEEN_LEFT_CARTS) {
            let moment = day.moment(self.chance);
            self.leaves_cart(moment);
        }
    }

    /// Fills a cart, touches it last at `updated_at`, and leaves it.
    pub(super) fn leaves_cart(&mut self, updated_at: LocalTime) {
        let created_at = self.shortly_before(updated_at, 86_400);
        if created_at < self.since {
            return;
        }
        let items = basket(self.world, self.person, updated_at.day(), self.chance);
        let status = if updated_at.day() >= OPEN_FROM { "open" } else { "abandoned" };
        self.cart(created_at, updated_at, status, None, &items);
    }

    fn looks_around(&mut self, rhythm: &Rhythm) {
        for day in self.days_between(VISITS_FROM, rhythm.until, BETWEEN_VISITS) {
            let moment = day.moment(self.chance);
            self.looks(moment);
        }
    }

    /// Looks at a page at that moment.
    pub(super) fn looks(&mut self, visited_at: LocalTime) {
        let category = self.chance.happens(0.7).then(|| self.any_category(visited_at.day()));
        self.visit(visited_at, category);
    }

    fn any_category(&mut self, day: Day) -> &'w str {
        let family = match self.chance.happens(0.6) {
            true => self.chance.one_of(&self.person.favourites),
            false => self.world.assortment.family_in(day.month0(), self.chance),
        };
        self.world.assortment.category_of(self.world.assortment.product_of(family, self.chance))
    }

    /// Days at random, so many apart on average, from `first` to `last`.
    fn days_between(&mut self, first: Day, last: Day, mean_gap: f64) -> Vec<Day> {
        let mut days = Vec::new();
        let mut at = self.chance.exponential(mean_gap);
        while first.plus(at as i64) <= last {
            days.push(first.plus(at as i64));
            at += self.chance.exponential(mean_gap);
        }
        days
    }

    fn shortly_before(&mut self, moment: LocalTime, within_seconds: i64) -> LocalTime {
        let before = LocalTime(moment.0 - self.chance.between(60, within_seconds)).awake();
        before.max(self.since).min(moment)
    }

    fn visit(&mut self, visited_at: LocalTime, category: Option<&'w str>) {
        if visited_at < self.since || visited_at.day() < VISITS_FROM {
            return;
        }
        let page_type = match category {
            Some(_) => self.chance.one_of(&["category", "product", "product", "product"]),
            None => self.chance.one_of(&["home", "home", "search", "account", "stores"]),
        };
        self.chapter.web_visits.push(WebVisit {
            number: self.chapter.web_visits.len() as u64,
            customer: self.person.number,
            visited_at,
            page_type,
            category,
            source: self.chance.one_of(&VISIT_SOURCES),
            seconds: 5 + self.chance.exponential(95.0) as i64,
        });
    }

    fn cart(
        &mut self,
        created_at: LocalTime,
        updated_at: LocalTime,
        status: &'static str,
        order: Option<u64>,
        items: &[Item],
    ) {
        let number = self.chapter.carts.len() as u64;
        let customer = self.person.number;
        let cart = Cart { number, customer, created_at, updated_at, status, order, deleted: false };
        self.chapter.carts.push(cart);
        self.chapter.cart_lines.extend(items.iter().map(|item| CartLine { cart: number, item: *item }));
    }
}

/// How likely someone sends an order back.
pub(super) fn returns(chance: &mut Chance) -> f64 {
    if chance.happens(SENDS_BACK_MUCH) { RETURNS.0 } else { RETURNS.1 }
}

const VISIT_SOURCES: [&str; 8] =
    ["direct", "direct", "organic search", "organic search", "newsletter", "paid search", "social", "price comparison"];

/// A tenth off for one order in twelve, ten euros off for one in twenty-five, else nothing.
fn discount(value: Cents, chance: &mut Chance) -> Cents {
    match chance.below(100) {
        0..8 => value.percent(10),
        8..12 if value >= Cents(5_000) => Cents(1_000),
        _ => Cents(0),
    }
}
