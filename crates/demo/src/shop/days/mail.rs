//! What is written to a customer on a day, and what comes back on it or on what was written before.

use super::account::{Account, kept};
use super::turn::Turn;
use crate::shop::chance::Chance;
use crate::shop::mail::{LeftCart, Numbers, Reach, Recipient};
use crate::shop::records::Cart;

impl Turn<'_, '_> {
    /// Nobody is written to on a way that they close on the same day; who opens one is written to from the next day on.
    pub(super) fn gets_mail(&mut self, reach_before: Reach) {
        let customer = &self.account.customer.row;
        let number = customer.person.number;
        let first = self.today.first_number(number);
        let recipient = Recipient {
            person: &customer.person,
            since: customer.created_at,
            reach: reach_before.and(Reach::of(&customer.person)),
            bought_at: self.account.orders.iter().map(|order| order.row.placed_at).collect(),
            left_carts: left_carts(self.account),
        };
        let mail = self.account.habits.correspondence.go_on(
            self.world,
            &recipient,
            self.today.from()..self.today.taken_at(),
            Numbers { message: first, response: first },
            &mut Chance::of_mail(self.world.seed, self.today.nth, number),
        );
        self.account.messages.extend(kept(mail.messages, self.today));
        self.account.responses.extend(kept(mail.responses, self.today));
    }
}

/// The carts that may still be ordered.
fn left_carts(account: &Account<'_>) -> Vec<LeftCart> {
    let is_left = |cart: &&Cart| cart.status == "open" && !cart.deleted;
    let products = |cart: &Cart| {
        let lines = account.cart_lines.iter().filter(|line| line.row.cart == cart.number);
        lines.map(|line| line.row.item.product).collect()
    };
    let left = account.carts.iter().map(|cart| &cart.row).filter(is_left);
    left.map(|cart| LeftCart { touched_at: cart.updated_at, products: products(cart) }).collect()
}
