//! What customers do on a day: they buy at their pace, fill carts, and look around; and new ones come.

use super::account::Account;
use super::today::Today;
use super::turn::Turn;
use crate::shop::World;
use crate::shop::calendar::{LocalTime, sale};
use crate::shop::chance::Chance;
use crate::shop::life::{BETWEEN_LEFT_CARTS, BETWEEN_VISITS, Habits, returns};
use crate::shop::mail::{Correspondence, Reach};
use crate::shop::person::Person;
use crate::shop::records::Customer;
use crate::shop::rhythm::{PROSPECTS, mean_gap};

/// How likely someone who never bought does so on a day.
const FIRST_PURCHASE: f64 = 1.0 / 400.0;
/// How likely a purchase is the last.
const LEAVES: f64 = 0.03;
/// New customers on a day, as a share of all: more than half of them came in three years.
const NEW: f64 = 0.0005;

impl Turn<'_, '_> {
    /// Buys, fills a cart and looks around, each at most once.
    pub(super) fn goes_shopping(&mut self) {
        if !self.account.habits.interested {
            return;
        }
        if self.chance.happens(self.likely_buys()) {
            self.buys();
        }
        if self.open_cart_at().is_none() && self.chance.happens(1.0 / BETWEEN_LEFT_CARTS) {
            let moment = self.moment();
            self.life().leaves_cart(moment);
        }
        if self.chance.happens(1.0 / BETWEEN_VISITS) {
            let moment = self.moment();
            self.life().looks(moment);
        }
    }

    fn likely_buys(&self) -> f64 {
        let demand = sale(self.today.day().date()).demand;
        self.account.habits.mean_gap.map_or(FIRST_PURCHASE, |days| demand / days)
    }

    /// What is in the cart, where there is one.
    fn buys(&mut self) {
        let moment = self.moment();
        match self.open_cart_at() {
            Some(cart) => self.orders_cart(cart, moment),
            None => drop(self.life().buys(moment)),
        }
        self.account.habits.interested = !self.chance.happens(LEAVES);
    }
}

/// How many customers are new on that day.
pub(super) fn newcomers(world: &World, today: Today) -> u64 {
    let mut chance = Chance::of_day(world.seed, today.nth, u64::MAX);
    let expected = world.customers as f64 * NEW * (0.6 + 0.8 * chance.unit());
    (expected + chance.unit()) as u64
}

/// The account of a customer who comes on that day: most of them because they buy.
pub(super) fn newcomer(world: &World, number: u64, today: Today) -> Account<'_> {
    let mut chance = Chance::of_day(world.seed, today.nth, number);
    let created_at = today.moment(&mut chance);
    let mean_gap = (!chance.happens(PROSPECTS)).then(|| mean_gap(&mut chance));
    let (correspondence, _) = Correspondence::of(world.seed, number);
    let habits = Habits { interested: true, mean_gap, returns: returns(&mut chance), correspondence };
    let placed_at = LocalTime(created_at.0 + chance.between(60, 1_800)).min(LocalTime(today.taken_at().0 - 1)).awake();
    let person = Person::of(world, number);
    let reach = Reach::of(&person);
    let customer = Customer { person, created_at, tier: "none", updated_at: created_at, deleted: false };
    let mut account = Account::of(customer, habits, today.nth);
    let mut turn = Turn { world, today, account: &mut account, chance, added: Default::default() };
    if mean_gap.is_some() {
        turn.life().buys(placed_at);
    }
    turn.gets_mail(reach);
    turn.end();
    account
}
