//! A chapter: everything about a range of customers, made at once and written in order.
//!
//! Chapters are independent, so threads make them side by side; their rows get the shop's numbers
//! only when the chapter's turn comes.

use std::ops::Range;

use super::World;
use super::basket::Item;
use super::life::{Habits, live};
use super::mail::Numbers;
use super::records::{Cart, CartLine, Customer, Message, Order, OrderLine, Response, WebVisit};

/// The rows of a range of customers, in the order of the customers.
#[derive(Debug, Default)]
pub(super) struct Chapter<'w> {
    pub customers: Vec<Customer>,
    pub orders: Vec<Order>,
    pub order_lines: Vec<OrderLine>,
    pub carts: Vec<Cart>,
    pub cart_lines: Vec<CartLine>,
    pub web_visits: Vec<WebVisit<'w>>,
    pub messages: Vec<Message<'w>>,
    pub responses: Vec<Response>,
    /// What each of the customers will go on doing.
    pub habits: Vec<Habits>,
}

/// The numbers that the next chapter begins with.
#[derive(Debug, Default)]
pub(super) struct Next {
    order: u64,
    order_line: u64,
    cart: u64,
    visit: u64,
    message: u64,
    response: u64,
}

impl<'w> Chapter<'w> {
    /// The lives of the customers with these numbers.
    pub(super) fn of(world: &'w World, customers: Range<u64>) -> Chapter<'w> {
        let mut chapter = Chapter::default();
        for number in customers {
            live(world, number, &mut chapter);
        }
        chapter
    }

    /// Appends an order and a line for each of its items.
    pub(super) fn add_order(&mut self, order: Order, items: &[Item]) {
        let first = self.order_lines.len() as u64;
        let line = |(number, item): (u64, &Item)| OrderLine { number, order: order.number, item: *item };
        self.order_lines.extend((first..).zip(items).map(line));
        self.orders.push(order);
    }

    /// Numbers the rows on from where the chapter before ended.
    pub(super) fn number_from(&mut self, next: &mut Next) {
        self.orders.iter_mut().for_each(|order| order.number += next.order);
        for line in &mut self.order_lines {
            line.number += next.order_line;
            line.order += next.order;
        }
        for cart in &mut self.carts {
            cart.number += next.cart;
            cart.order = cart.order.map(|order| order + next.order);
        }
        self.cart_lines.iter_mut().for_each(|line| line.cart += next.cart);
        self.web_visits.iter_mut().for_each(|visit| visit.number += next.visit);
        self.number_mail_from(next);
        next.pass(self);
    }

    /// What is still awaited belongs to one of the messages already, and has no number of its own yet.
    fn number_mail_from(&mut self, next: &Next) {
        self.messages.iter_mut().for_each(|message| message.number += next.message);
        for response in &mut self.responses {
            response.number += next.response;
            response.message += next.message;
        }
        let awaited = self.habits.iter_mut().flat_map(|habits| &mut habits.correspondence.awaited);
        awaited.for_each(|response| response.message += next.message);
    }

    /// The numbers, within the chapter, of the next message and the next response.
    pub(super) fn next_mail(&self) -> Numbers {
        Numbers { message: self.messages.len() as u64, response: self.responses.len() as u64 }
    }
}

impl Next {
    /// All numbers from this one on.
    pub(super) fn from(number: u64) -> Next {
        Next { order: number, order_line: number, cart: number, visit: number, message: number, response: number }
    }

    fn pass(&mut self, chapter: &Chapter<'_>) {
        self.order += chapter.orders.len() as u64;
        self.order_line += chapter.order_lines.len() as u64;
        self.cart += chapter.carts.len() as u64;
        self.visit += chapter.web_visits.len() as u64;
        self.message += chapter.messages.len() as u64;
        self.response += chapter.responses.len() as u64;
    }
}
