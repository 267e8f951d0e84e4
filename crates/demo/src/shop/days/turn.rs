//! A customer's turn on one day: what becomes of what they did, and what they do now.
//!
//! The day's chance depends on the seed, the day and the customer only, so no turn waits for another's.

use super::account::{Account, Kept};
use super::today::Today;
use crate::shop::World;
use crate::shop::calendar::LocalTime;
use crate::shop::chance::Chance;
use crate::shop::chapter::Chapter;
use crate::shop::life::Life;
use crate::shop::mail::Reach;

/// Of all customers on a day: who closes the account.
const CLOSES: f64 = 1.0 / 4_000.0;

pub(super) struct Turn<'a, 'w> {
    pub world: &'w World,
    pub today: Today,
    pub account: &'a mut Account<'w>,
    pub chance: Chance,
    /// What the customer adds today, numbered from 0.
    pub added: Chapter<'w>,
}

impl<'a, 'w> Turn<'a, 'w> {
    pub(super) fn of(world: &'w World, today: Today, account: &'a mut Account<'w>) -> Turn<'a, 'w> {
        let chance = Chance::of_day(world.seed, today.nth, account.customer.row.person.number);
        Turn { world, today, account, chance, added: Chapter::default() }
    }

    /// The customer's day. Who joined today, or has left for good, has none.
    pub(super) fn take(mut self) {
        if self.account.customer.row.deleted || self.account.customer.row.created_at >= self.today.from() {
            return;
        }
        if self.chance.happens(CLOSES) {
            return self.closes_the_account();
        }
        let reach_before = Reach::of(&self.account.customer.row.person);
        self.delivers();
        self.tidies_carts();
        self.goes_shopping();
        self.changes_details();
        self.gets_mail(reach_before);
        self.end();
    }

    /// Keeps what was added, and looks at the tier anew.
    pub(super) fn end(mut self) {
        self.account.take_in(std::mem::take(&mut self.added), self.today);
        self.looks_at_the_tier();
    }

    fn closes_the_account(mut self) {
        let updated_at = self.moment();
        let Kept { row, changed_on } = &mut self.account.customer;
        (row.deleted, row.updated_at, *changed_on) = (true, updated_at, self.today.nth);
    }

    /// A moment of today, of the customer's own.
    pub(super) fn moment(&mut self) -> LocalTime {
        self.today.moment(&mut self.chance)
    }

    /// The life that adds rows today; what happened before is in the files of an earlier day.
    pub(super) fn life(&mut self) -> Life<'_, 'w> {
        let Kept { row: customer, .. } = &self.account.customer;
        Life {
            world: self.world,
            person: &customer.person,
            since: customer.created_at.max(self.today.from()),
            taken_at: self.today.taken_at(),
            returns: self.account.habits.returns,
            chance: &mut self.chance,
            chapter: &mut self.added,
        }
    }
}
