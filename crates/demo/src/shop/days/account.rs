//! A customer's rows as they stand, each with the day on which it last changed.

use super::today::Today;
use crate::shop::chapter::{Chapter, Next};
use crate::shop::life::Habits;
use crate::shop::records::{Cart, CartLine, Customer, Message, Order, OrderLine, Response, WebVisit};

/// A row, and the day that last changed it; 0 is before the first.
#[derive(Debug)]
pub(super) struct Kept<R> {
    pub row: R,
    pub changed_on: u32,
}

/// Everything that the shop knows of one customer.
#[derive(Debug)]
pub(super) struct Account<'w> {
    pub customer: Kept<Customer>,
    pub habits: Habits,
    pub orders: Vec<Kept<Order>>,
    pub order_lines: Vec<Kept<OrderLine>>,
    pub carts: Vec<Kept<Cart>>,
    pub cart_lines: Vec<Kept<CartLine>>,
    pub web_visits: Vec<Kept<WebVisit<'w>>>,
    pub messages: Vec<Kept<Message<'w>>>,
    pub responses: Vec<Kept<Response>>,
}

impl<R: Clone> Kept<R> {
    /// The row, where `today` changed it.
    fn changed(&self, today: Today) -> Option<R> {
        (self.changed_on == today.nth).then(|| self.row.clone())
    }
}

impl<'w> Account<'w> {
    /// An account without any rows beside the customer's own.
    pub(super) fn of(customer: Customer, habits: Habits, changed_on: u32) -> Account<'w> {
        Account {
            customer: Kept { row: customer, changed_on },
            habits,
            orders: Vec::new(),
            order_lines: Vec::new(),
            carts: Vec::new(),
            cart_lines: Vec::new(),
            web_visits: Vec::new(),
            messages: Vec::new(),
            responses: Vec::new(),
        }
    }

    /// The accounts of a numbered chapter, in its order.
    pub(super) fn all_of(chapter: Chapter<'w>) -> Vec<Account<'w>> {
        let Chapter { customers, orders, order_lines, carts, cart_lines, web_visits, messages, responses, habits } =
            chapter;
        let (mut orders, mut lines) = (orders.into_iter().peekable(), order_lines.into_iter().peekable());
        let (mut carts, mut cart_lines) = (carts.into_iter().peekable(), cart_lines.into_iter().peekable());
        let mut visits = web_visits.into_iter().peekable();
        let (mut messages, mut responses) = (messages.into_iter().peekable(), responses.into_iter().peekable());
        let account = |(customer, habits): (Customer, Habits)| {
            let number = customer.person.number;
            let mut account = Account::of(customer, habits, 0);
            while let Some(row) = orders.next_if(|order| order.customer == number) {
                account
                    .order_lines
                    .extend(as_before(std::iter::from_fn(|| lines.next_if(|it| it.order == row.number))));
                account.orders.push(Kept { row, changed_on: 0 });
            }
            while let Some(row) = carts.next_if(|cart| cart.customer == number) {
                let of_cart = std::iter::from_fn(|| cart_lines.next_if(|line| line.cart == row.number));
                account.cart_lines.extend(as_before(of_cart));
                account.carts.push(Kept { row, changed_on: 0 });
            }
            account.web_visits =
                as_before(std::iter::from_fn(|| visits.next_if(|visit| visit.customer == number))).collect();
            account.messages =
                as_before(std::iter::from_fn(|| messages.next_if(|message| message.customer == number))).collect();
            // Messages are numbered in the order of the customers, so what is not above the last one is theirs.
            if let Some(last) = account.messages.last().map(|message| message.row.number) {
                account.responses =
                    as_before(std::iter::from_fn(|| responses.next_if(|response| response.message <= last))).collect();
            }
            account
        };
        customers.into_iter().zip(habits).map(account).collect()
    }

    /// Takes in what the customer added today, and numbers it.
    pub(super) fn take_in(&mut self, mut added: Chapter<'w>, today: Today) {
        added.number_from(&mut Next::from(today.first_number(self.customer.row.person.number)));
        self.orders.extend(kept(added.orders, today));
        self.order_lines.extend(kept(added.order_lines, today));
        self.carts.extend(kept(added.carts, today));
        self.cart_lines.extend(kept(added.cart_lines, today));
        self.web_visits.extend(kept(added.web_visits, today));
    }

    /// Appends the rows that are new or other since the day before.
    pub(super) fn changed(&self, today: Today, into: &mut Chapter<'w>) {
        into.customers.extend(self.customer.changed(today));
        into.orders.extend(self.orders.iter().filter_map(|row| row.changed(today)));
        into.order_lines.extend(self.order_lines.iter().filter_map(|row| row.changed(today)));
        into.carts.extend(self.carts.iter().filter_map(|row| row.changed(today)));
        into.cart_lines.extend(self.cart_lines.iter().filter_map(|row| row.changed(today)));
        into.web_visits.extend(self.web_visits.iter().filter_map(|row| row.changed(today)));
        into.messages.extend(self.messages.iter().filter_map(|row| row.changed(today)));
        into.responses.extend(self.responses.iter().filter_map(|row| row.changed(today)));
    }

    /// Appends the rows that are there: with a deleted row goes what is below it.
    pub(super) fn standing(self, into: &mut Chapter<'w>) {
        if self.customer.row.deleted {
            return;
        }
        let orders: Vec<Order> = self.orders.into_iter().map(|kept| kept.row).filter(|row| !row.deleted).collect();
        let carts: Vec<Cart> = self.carts.into_iter().map(|kept| kept.row).filter(|row| !row.deleted).collect();
        let lines = self.order_lines.into_iter().map(|kept| kept.row);
        let cart_lines = self.cart_lines.into_iter().map(|kept| kept.row);
        into.order_lines.extend(lines.filter(|line| orders.iter().any(|order| order.number == line.order)));
        into.cart_lines.extend(cart_lines.filter(|line| carts.iter().any(|cart| cart.number == line.cart)));
        into.orders.extend(orders);
        into.carts.extend(carts);
        into.web_visits.extend(self.web_visits.into_iter().map(|kept| kept.row));
        into.messages.extend(self.messages.into_iter().map(|kept| kept.row));
        into.responses.extend(self.responses.into_iter().map(|kept| kept.row));
        into.customers.push(self.customer.row);
    }
}

fn as_before<R>(rows: impl Iterator<Item = R>) -> impl Iterator<Item = Kept<R>> {
    rows.map(|row| Kept { row, changed_on: 0 })
}

pub(super) fn kept<R>(rows: Vec<R>, today: Today) -> impl Iterator<Item = Kept<R>> {
    rows.into_iter().map(move |row| Kept { row, changed_on: today.nth })
}
