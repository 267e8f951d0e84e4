//! What becomes of orders: they are shipped, delivered and returned; or they change, are cancelled or taken back.

use super::account::Kept;
use super::turn::Turn;
use crate::shop::calendar::{DAY_SECONDS, LocalTime};
use crate::shop::life::SHIPPED_DAYS;
use crate::shop::records::Order;

/// For so many days after it came an order may be sent back.
const RETURN_DAYS: i64 = 14;
/// Of the shipped orders that are due on a day: which are a day late.
const LATE: f64 = 0.08;
/// What happens to open orders: so many of a thousand on a day, and what it is.
const EVENTS: [(u64, Event); 4] =
    [(3, Event::TakenBack), (6, Event::Cancelled), (40, Event::Postponed), (10, Event::OneMore)];

#[derive(Debug, Clone, Copy)]
enum Event {
    /// It was a mistake: the shop takes it out of its books.
    TakenBack,
    Cancelled,
    /// Some days later than was said.
    Postponed,
    /// One piece more of the last product.
    OneMore,
}

impl Turn<'_, '_> {
    /// Moves every order on that is under way, or may still be sent back.
    pub(super) fn delivers(&mut self) {
        for at in 0..self.account.orders.len() {
            let order = &self.account.orders[at].row;
            match order.status {
                _ if order.deleted => {}
                "open" => self.open_order(at),
                "shipped" => self.shipped_order(at),
                "delivered" if self.may_still_be_returned(order) => self.delivered_order(at),
                _ => {}
            }
        }
    }

    fn may_still_be_returned(&self, order: &Order) -> bool {
        order.updated_at.0 > self.today.from().0 - RETURN_DAYS * DAY_SECONDS
    }

    fn open_order(&mut self, at: usize) {
        match self.event() {
            Some(Event::TakenBack) => return self.order_changes(at, |order| order.deleted = true),
            Some(Event::Cancelled) => return self.order_changes(at, |order| order.status = "cancelled"),
            Some(Event::Postponed) => {
                let seconds = self.chance.between(1, 5) * DAY_SECONDS;
                self.order_changes(at, |order| order.expected_at.0 += seconds);
            }
            Some(Event::OneMore) => self.one_more(at),
            None => {}
        }
        let leaves_at = self.account.orders[at].row.expected_at.0 - SHIPPED_DAYS * DAY_SECONDS;
        if leaves_at < self.today.taken_at().0 {
            self.order_changes(at, |order| order.status = "shipped");
        }
    }

    fn event(&mut self) -> Option<Event> {
        let mut drawn = self.chance.below(1_000);
        for (share, event) in EVENTS {
            if drawn < share {
                return Some(event);
            }
            drawn -= share;
        }
        None
    }

    /// Lines have no time of their own: that one changed is only known when it is loaded.
    fn one_more(&mut self, at: usize) {
        let order = self.account.orders[at].row.number;
        let Some(line) = self.account.order_lines.iter_mut().rfind(|line| line.row.order == order) else { return };
        line.row.item.quantity += 1;
        line.changed_on = self.today.nth;
        let price = line.row.item.price;
        self.order_changes(at, |order| order.total = order.total + price);
    }

    fn shipped_order(&mut self, at: usize) {
        let expected_at = self.account.orders[at].row.expected_at;
        if expected_at >= self.today.taken_at() {
            return;
        }
        if self.chance.happens(LATE) {
            return self.order_changes(at, |order| order.expected_at.0 += DAY_SECONDS);
        }
        // One that was to come before today, when it was not even shipped, comes at any moment.
        let comes_at = if expected_at >= self.today.from() { expected_at } else { self.moment() };
        self.order_changes_at(at, comes_at, |order| order.status = "delivered");
    }

    fn delivered_order(&mut self, at: usize) {
        if self.chance.happens(self.account.habits.returns / RETURN_DAYS as f64) {
            self.order_changes(at, |order| order.status = "returned");
        }
    }

    fn order_changes(&mut self, at: usize, change: impl FnOnce(&mut Order)) {
        let moment = self.moment();
        self.order_changes_at(at, moment, change);
    }

    fn order_changes_at(&mut self, at: usize, moment: LocalTime, change: impl FnOnce(&mut Order)) {
        let Kept { row, changed_on } = &mut self.account.orders[at];
        change(row);
        row.updated_at = row.updated_at.max(moment);
        *changed_on = self.today.nth;
    }
}
