//! The rows that customers leave behind: their columns, and their cells in order.
//!
//! Numbers count from 0 within a chapter until `Chapter::number_from` makes them the shop's.

use super::basket::Item;
use super::calendar::{Day, LocalTime};
use super::money::Cents;
use super::person::{Person, interest};
use super::places::PLACES;
use super::table::{Cells, Column, Key, Kind, Record, column};

/// A customer as the shop's file has it.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub person: Person,
    pub created_at: LocalTime,
    pub tier: &'static str,
    /// When the row last changed.
    pub updated_at: LocalTime,
    /// Whether the account was closed.
    pub deleted: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub number: u64,
    pub customer: u64,
    pub placed_at: LocalTime,
    pub channel: &'static str,
    /// Where the channel is a store.
    pub store: Option<u32>,
    pub status: &'static str,
    pub expected_at: LocalTime,
    /// What the lines cost together, less the discount.
    pub total: Cents,
    pub discount: Cents,
    /// When the row last changed.
    pub updated_at: LocalTime,
    /// Whether the shop took it out of its books.
    pub deleted: bool,
}

#[derive(Debug, Clone)]
pub(super) struct OrderLine {
    pub number: u64,
    pub order: u64,
    pub item: Item,
}

#[derive(Debug, Clone)]
pub(super) struct Cart {
    pub number: u64,
    pub customer: u64,
    pub created_at: LocalTime,
    pub updated_at: LocalTime,
    pub status: &'static str,
    /// What became of it, when it was ordered.
    pub order: Option<u64>,
    /// Whether it was kept long enough.
    pub deleted: bool,
}

#[derive(Debug, Clone)]
pub(super) struct CartLine {
    pub cart: u64,
    pub item: Item,
}

/// A page that someone looked at.
#[derive(Debug, Clone)]
pub(super) struct WebVisit<'w> {
    pub number: u64,
    pub customer: u64,
    pub visited_at: LocalTime,
    pub page_type: &'static str,
    /// What the page showed, where it showed products.
    pub category: Option<&'w str>,
    pub source: &'static str,
    /// How long they looked.
    pub seconds: i64,
}

/// Something that was written to a customer.
#[derive(Debug, Clone)]
pub(super) struct Message<'w> {
    pub number: u64,
    pub customer: u64,
    pub sent_at: LocalTime,
    /// What it belongs to: the same name for everyone who got it.
    pub campaign: &'w str,
    pub channel: &'static str,
    pub template: &'static str,
    /// Of an e-mail.
    pub subject: Option<&'static str>,
    /// How many different links it has.
    pub links: i64,
    pub status: &'static str,
}

/// What came back on a message.
#[derive(Debug, Clone)]
pub(super) struct Response {
    pub number: u64,
    pub message: u64,
    pub responded_at: LocalTime,
    pub kind: &'static str,
    /// Which link, of a click.
    pub link: Option<String>,
    /// Why, of a bounce; and whether it is for good.
    pub code: Option<&'static str>,
    pub class: Option<&'static str>,
    /// A person or a program, where the sender could tell.
    pub made_by: Option<&'static str>,
}

impl Record for Customer {
    const COLUMNS: &'static [Column] = &[
        column("customer_id", Kind::Text),
        column("created_at", Kind::Time),
        column("gender", Kind::Text),
        column("first_name", Kind::Text),
        column("last_name", Kind::Text),
        column("email", Kind::Text),
        column("mobile", Kind::Text),
        column("birth_date", Kind::Date),
        column("country", Kind::Text),
        column("province", Kind::Text),
        column("city", Kind::Text),
        column("postcode", Kind::Text),
        column("latitude", Kind::Degrees),
        column("longitude", Kind::Degrees),
        column("home_store", Kind::Text),
        column("email_consent", Kind::Text),
        column("sms_consent", Kind::Text),
        column("tier", Kind::Text),
        column("interests", Kind::Text),
        column("income", Kind::Money),
        column("source", Kind::Text),
        column("household_id", Kind::Text),
        column("updated_at", Kind::Time),
        column("deleted", Kind::Text),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        let Person { home, .. } = &self.person;
        let place = &PLACES[home.place];
        cells.key(Key::customer(self.person.number));
        cells.time(self.created_at);
        cells.maybe(self.person.gender, C::text);
        cells.text(self.person.first_name);
        cells.text(self.person.last_name);
        cells.maybe(self.person.email.as_deref(), C::text);
        cells.maybe(self.person.mobile.as_deref(), C::text);
        cells.maybe(self.person.birth_date, C::date);
        cells.text(place.country);
        cells.text(place.province);
        cells.text(place.city);
        cells.text(&home.postcode.to_string());
        cells.degrees(home.point.latitude);
        cells.degrees(home.point.longitude);
        cells.key(Key::store(home.store));
        cells.maybe(self.person.email_consent, C::text);
        cells.maybe(self.person.sms_consent, C::text);
        cells.text(self.tier);
        cells.maybe(interests(&self.person).as_deref(), C::text);
        cells.maybe(self.person.income, C::money);
        cells.text(self.person.source);
        cells.key(Key::household(self.person.household));
        cells.time(self.updated_at);
        cells.text(answer(self.deleted));
    }
}

/// "J" or "N", as the shop writes what is true and what is not.
fn answer(yes: bool) -> &'static str {
    if yes { "J" } else { "N" }
}

fn interests(person: &Person) -> Option<String> {
    let names: Vec<String> = person.interests.iter().map(|family| interest(*family)).collect();
    (!names.is_empty()).then(|| names.join(";"))
}

impl Record for Order {
    const COLUMNS: &'static [Column] = &[
        column("order_id", Kind::Text),
        column("customer_id", Kind::Text),
        column("placed_at", Kind::Time),
        column("channel", Kind::Text),
        column("store_id", Kind::Text),
        column("status", Kind::Text),
        column("expected_at", Kind::Time),
        column("total", Kind::Money),
        column("discount", Kind::Money),
        column("updated_at", Kind::Time),
        column("deleted", Kind::Text),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::order(self.number));
        cells.key(Key::customer(self.customer));
        cells.time(self.placed_at);
        cells.text(self.channel);
        cells.maybe(self.store.map(Key::store), C::key);
        cells.text(self.status);
        cells.time(self.expected_at);
        cells.money(self.total);
        cells.money(self.discount);
        cells.time(self.updated_at);
        cells.text(answer(self.deleted));
    }
}

impl Record for OrderLine {
    const COLUMNS: &'static [Column] = &[
        column("line_id", Kind::Text),
        column("order_id", Kind::Text),
        column("product_id", Kind::Text),
        column("quantity", Kind::Integer),
        column("price", Kind::Money),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::order_line(self.number));
        cells.key(Key::order(self.order));
        cells.key(Key::product(self.item.product));
        cells.integer(self.item.quantity);
        cells.money(self.item.price);
    }
}

impl Record for Cart {
    const COLUMNS: &'static [Column] = &[
        column("cart_id", Kind::Text),
        column("customer_id", Kind::Text),
        column("created_at", Kind::Time),
        column("updated_at", Kind::Time),
        column("status", Kind::Text),
        column("order_id", Kind::Text),
        column("deleted", Kind::Text),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::cart(self.number));
        cells.key(Key::customer(self.customer));
        cells.time(self.created_at);
        cells.time(self.updated_at);
        cells.text(self.status);
        cells.maybe(self.order.map(Key::order), C::key);
        cells.text(answer(self.deleted));
    }
}

impl Record for CartLine {
    const COLUMNS: &'static [Column] = &[
        column("cart_id", Kind::Text),
        column("product_id", Kind::Text),
        column("quantity", Kind::Integer),
        column("price", Kind::Money),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::cart(self.cart));
        cells.key(Key::product(self.item.product));
        cells.integer(self.item.quantity);
        cells.money(self.item.price);
    }
}

impl Record for WebVisit<'_> {
    const COLUMNS: &'static [Column] = &[
        column("visit_id", Kind::Text),
        column("customer_id", Kind::Text),
        column("visited_at", Kind::Time),
        column("page_type", Kind::Text),
        column("category", Kind::Text),
        column("source", Kind::Text),
        column("seconds", Kind::Integer),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::visit(self.number));
        cells.key(Key::customer(self.customer));
        cells.time(self.visited_at);
        cells.text(self.page_type);
        cells.maybe(self.category, C::text);
        cells.text(self.source);
        cells.integer(self.seconds);
    }
}

impl Record for Message<'_> {
    const COLUMNS: &'static [Column] = &[
        column("message_id", Kind::Text),
        column("customer_id", Kind::Text),
        column("sent_at", Kind::Time),
        column("campaign", Kind::Text),
        column("channel", Kind::Text),
        column("template", Kind::Text),
        column("subject", Kind::Text),
        column("links", Kind::Integer),
        column("status", Kind::Text),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::message(self.number));
        cells.key(Key::customer(self.customer));
        cells.time(self.sent_at);
        cells.text(self.campaign);
        cells.text(self.channel);
        cells.text(self.template);
        cells.maybe(self.subject, C::text);
        cells.integer(self.links);
        cells.text(self.status);
    }
}

impl Record for Response {
    const COLUMNS: &'static [Column] = &[
        column("response_id", Kind::Text),
        column("message_id", Kind::Text),
        column("responded_at", Kind::Time),
        column("kind", Kind::Text),
        column("link", Kind::Text),
        column("code", Kind::Text),
        column("class", Kind::Text),
        column("made_by", Kind::Text),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::response(self.number));
        cells.key(Key::message(self.message));
        cells.time(self.responded_at);
        cells.text(self.kind);
        cells.maybe(self.link.as_deref(), C::text);
        cells.maybe(self.code, C::text);
        cells.maybe(self.class, C::text);
        cells.maybe(self.made_by, C::text);
    }
}

/// Tiers by what was spent in the last two years, returns and cancellations apart.
pub(super) fn tier(spent: Cents) -> &'static str {
    match spent.0 / 100 {
        ..300 => "none",
        300..2_000 => "bronze",
        2_000..5_000 => "silver",
        5_000..10_000 => "gold",
        _ => "platinum",
    }
}

/// The day from which purchases count for the tier on `day`: two years before it.
pub(super) fn tier_counts_from(day: Day) -> Day {
    day.plus(-730)
}
