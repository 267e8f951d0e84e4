//! What changes about a customer: where they live, what they agreed to, how they are reached, and their tier.

use super::account::Kept;
use super::turn::Turn;
use crate::shop::World;
use crate::shop::calendar::LocalTime;
use crate::shop::chance::Chance;
use crate::shop::person::{Home, Person, email, income, mobile};
use crate::shop::places::PLACES;
use crate::shop::records::{Customer, tier, tier_counts_from};

/// Days between such changes of one customer, on average.
const EMAIL_CONSENT: f64 = 1_500.0;
const SMS_CONSENT: f64 = 3_000.0;
const INCOME: f64 = 2_000.0;
const MOVES: f64 = 2_500.0;
const MOBILE: f64 = 4_000.0;
const EMAIL: f64 = 5_000.0;

impl Turn<'_, '_> {
    /// Changes what the customer tells the shop today, which is mostly nothing.
    pub(super) fn changes_details(&mut self) {
        let (world, chance) = (self.world, &mut self.chance);
        let person = &mut self.account.customer.row.person;
        let mut changed = false;
        for (days, change) in CHANGES {
            if chance.happens(1.0 / days) {
                change(world, person, chance);
                changed = true;
            }
        }
        if changed {
            let moment = self.moment();
            self.customer_changes(moment, |_| ());
        }
    }

    /// The shop does so every day, just before it writes its files.
    pub(super) fn looks_at_the_tier(&mut self) {
        let since = tier_counts_from(self.today.day());
        let orders = self.account.orders.iter().map(|kept| &kept.row);
        let counting = orders.filter(|order| order.status == "delivered" && !order.deleted);
        let spent = counting.filter(|order| order.placed_at.day() >= since).map(|order| order.total).sum();
        if tier(spent) != self.account.customer.row.tier {
            let moment = LocalTime(self.today.taken_at().0 - 1);
            self.customer_changes(moment, |customer| customer.tier = tier(spent));
        }
    }

    fn customer_changes(&mut self, moment: LocalTime, change: impl FnOnce(&mut Customer)) {
        let Kept { row, changed_on } = &mut self.account.customer;
        change(row);
        row.updated_at = row.updated_at.max(moment);
        *changed_on = self.today.nth;
    }
}

type Change = fn(&World, &mut Person, &mut Chance);

const CHANGES: [(f64, Change); 6] = [
    (EMAIL_CONSENT, |_, person, chance| person.email_consent = other_answer(person.email_consent, chance)),
    (SMS_CONSENT, |_, person, chance| person.sms_consent = other_answer(person.sms_consent, chance)),
    (INCOME, |_, person, chance| person.income = income(chance)),
    (MOVES, moves),
    (MOBILE, |_, person, chance| person.mobile = mobile(PLACES[person.home.place].country, chance)),
    (EMAIL, |_, person, chance| person.email = email(person.number, person.first_name, person.last_name, chance)),
];

/// Whoever moves lives on their own.
fn moves(world: &World, person: &mut Person, chance: &mut Chance) {
    (person.home, person.household) = (Home::drawn(world, chance), person.number);
}

/// Who has not answered does now; who has thinks better of it.
fn other_answer(answer: Option<&'static str>, chance: &mut Chance) -> Option<&'static str> {
    match answer {
        Some("J") => Some("N"),
        Some(_) => Some("J"),
        None => Some(chance.one_of(&["J", "N"])),
    }
}
