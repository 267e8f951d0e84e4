//! What becomes of carts: filled further, ordered, given up after a week, and thrown away after two months.

use super::account::Kept;
use super::turn::Turn;
use crate::shop::basket::{Item, basket};
use crate::shop::calendar::LocalTime;
use crate::shop::life::{CART_DAYS, OPEN_CART_DAYS};
use crate::shop::records::{Cart, CartLine, Order};

/// Of the open carts on a day: which get one product more, and which are ordered.
const FILLED: f64 = 0.06;
const ORDERED: f64 = 0.04;

impl Turn<'_, '_> {
    /// Looks at every cart that the shop still keeps.
    pub(super) fn tidies_carts(&mut self) {
        for at in 0..self.account.carts.len() {
            let cart = &self.account.carts[at].row;
            let days = self.today.day().0 - cart.updated_at.day().0;
            match cart.status {
                _ if cart.deleted => {}
                _ if days > CART_DAYS => self.cart_changes(at, |cart| cart.deleted = true),
                "open" if days > OPEN_CART_DAYS => self.cart_changes(at, |cart| cart.status = "abandoned"),
                "open" => self.open_cart(at),
                _ => {}
            }
        }
    }

    /// The first cart that may still be ordered.
    pub(super) fn open_cart_at(&self) -> Option<usize> {
        self.account.carts.iter().position(|cart| cart.row.status == "open" && !cart.row.deleted)
    }

    fn open_cart(&mut self, at: usize) {
        if self.chance.happens(ORDERED) {
            let moment = self.moment();
            self.orders_cart(at, moment);
        } else if self.chance.happens(FILLED) {
            self.fills_cart(at);
        }
    }

    /// Orders what is in the cart, on the web.
    pub(super) fn orders_cart(&mut self, at: usize, placed_at: LocalTime) {
        let placed_at = placed_at.max(self.account.carts[at].row.updated_at);
        let items = self.items_of(at);
        let order = Order { channel: "web", store: None, ..self.life().order(placed_at, &items) };
        let number = self.today.first_number(order.customer) + order.number;
        self.added.add_order(order, &items);
        self.cart_changes_at(at, placed_at, |cart| (cart.status, cart.order) = ("ordered", Some(number)));
    }

    fn items_of(&self, at: usize) -> Vec<Item> {
        let cart = self.account.carts[at].row.number;
        self.account.cart_lines.iter().filter(|line| line.row.cart == cart).map(|line| line.row.item).collect()
    }

    fn fills_cart(&mut self, at: usize) {
        let (cart, there) = (self.account.carts[at].row.number, self.items_of(at));
        let person = &self.account.customer.row.person;
        let wanted = basket(self.world, person, self.today.day(), &mut self.chance);
        let Some(item) = wanted.into_iter().find(|item| there.iter().all(|known| known.product != item.product)) else {
            return;
        };
        self.account.cart_lines.push(Kept { row: CartLine { cart, item }, changed_on: self.today.nth });
        self.cart_changes(at, |_| ());
    }

    fn cart_changes(&mut self, at: usize, change: impl FnOnce(&mut Cart)) {
        let moment = self.moment();
        self.cart_changes_at(at, moment, change);
    }

    fn cart_changes_at(&mut self, at: usize, moment: LocalTime, change: impl FnOnce(&mut Cart)) {
        let Kept { row, changed_on } = &mut self.account.carts[at];
        change(row);
        row.updated_at = row.updated_at.max(moment);
        *changed_on = self.today.nth;
    }
}
