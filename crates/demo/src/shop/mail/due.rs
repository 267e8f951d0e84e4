//! What is due to one person: the mailings that go to everyone, and what has its own occasion.

use std::borrow::Cow;
use std::ops::Range;

use chrono::{Datelike, NaiveDate};

use super::super::World;
use super::super::calendar::{DAY_SECONDS, Day, LocalTime};
use super::mailings::{Channel, Link, Mailing};
use super::{LeftCart, Recipient};

/// A mailing to everyone takes so long to leave; everyone has a place in it.
const MAILING_SECONDS: u64 = 1_200;
/// The hour of the day at which birthdays are congratulated.
const BIRTHDAY_HOUR: i64 = 9;
/// After signing up someone is welcomed so much later.
const WELCOME_SECONDS: i64 = 300;
/// A cart shows so many of its products in the reminder.
const PRODUCTS_OF_A_CART: usize = 4;

/// A message that is to be sent.
#[derive(Debug)]
pub(super) struct Due<'w> {
    pub sent_at: LocalTime,
    pub channel: Channel,
    pub campaign: &'w str,
    pub template: &'static str,
    pub subject: Option<&'static str>,
    pub links: Cow<'w, [Link]>,
    /// Times the usual interest in a message.
    pub appeal: f64,
}

/// Everything that is due to the recipient within the window, in time; nothing before they signed up.
pub(super) fn due<'w>(world: &'w World, recipient: &Recipient<'_>, window: &Range<LocalTime>) -> Vec<Due<'w>> {
    let mut due: Vec<Due<'w>> = mailings(world, recipient, window).collect();
    if recipient.reach.email {
        due.push(welcome(world, recipient));
        due.extend(birthdays(world, recipient, window));
        due.extend(recipient.left_carts.iter().map(reminder));
    }
    due.retain(|due| window.contains(&due.sent_at) && due.sent_at > recipient.since);
    due.sort_by_key(|due| due.sent_at);
    due
}

fn mailings<'w>(
    world: &'w World,
    recipient: &Recipient<'_>,
    window: &Range<LocalTime>,
) -> impl Iterator<Item = Due<'w>> {
    let (from, until) = (window.start.max(recipient.since).0 - MAILING_SECONDS as i64, window.end);
    let (reach, place) = (recipient.reach, (recipient.person.number % MAILING_SECONDS) as i64);
    let first = world.mailings.partition_point(|mailing| mailing.begins_at.0 < from);
    let near = world.mailings[first..].iter().take_while(move |mailing| mailing.begins_at < until);
    near.filter(move |mailing| reach.by(mailing.channel)).map(move |mailing| to_everyone(mailing, place))
}

fn to_everyone(mailing: &Mailing, place: i64) -> Due<'_> {
    Due {
        sent_at: LocalTime(mailing.begins_at.0 + place),
        channel: mailing.channel,
        campaign: &mailing.campaign,
        template: mailing.template,
        subject: mailing.subject,
        links: Cow::Borrowed(&mailing.links),
        appeal: 1.0,
    }
}

fn welcome<'w>(world: &'w World, recipient: &Recipient<'_>) -> Due<'w> {
    Due {
        sent_at: LocalTime(recipient.since.0 + WELCOME_SECONDS).awake(),
        channel: Channel::Email,
        campaign: "welcome",
        template: "welcome",
        subject: Some("Welkom bij Woonhuis"),
        links: Cow::Owned(favourites(world, recipient)),
        appeal: 2.0,
    }
}

/// On each birthday that the shop believes in, placeholders too.
fn birthdays<'w>(world: &'w World, recipient: &Recipient<'_>, window: &Range<LocalTime>) -> Vec<Due<'w>> {
    let Some(born) = recipient.person.birth_date.map(Day::date) else { return Vec::new() };
    let years = window.start.day().date().year()..=window.end.day().date().year();
    let days = years.filter_map(|year| NaiveDate::from_ymd_opt(year, born.month(), born.day()));
    days.map(|date| birthday(world, recipient, Day::of_date(date))).collect()
}

fn birthday<'w>(world: &'w World, recipient: &Recipient<'_>, day: Day) -> Due<'w> {
    Due {
        sent_at: day.at(BIRTHDAY_HOUR * 3600 + (recipient.person.number % MAILING_SECONDS) as i64),
        channel: Channel::Email,
        campaign: "birthday",
        template: "birthday",
        subject: Some("Gefeliciteerd met je verjaardag!"),
        links: Cow::Owned(favourites(world, recipient)),
        appeal: 1.5,
    }
}

/// A day after the cart was left.
fn reminder<'w>(cart: &LeftCart) -> Due<'w> {
    let products = cart.products.iter().take(PRODUCTS_OF_A_CART);
    Due {
        sent_at: LocalTime(cart.touched_at.0 + DAY_SECONDS),
        channel: Channel::Email,
        campaign: "cart_reminder",
        template: "cart",
        subject: Some("Je winkelmandje staat nog klaar"),
        links: Cow::Owned(products.map(|product| Link::Product(*product)).collect()),
        appeal: 1.8,
    }
}

/// The categories of what sells best in the families that they like: one to three.
fn favourites(world: &World, recipient: &Recipient<'_>) -> Vec<Link> {
    let families = recipient.person.favourites.iter();
    families.map(|family| Link::CategoryOf(world.assortment.best_seller_of(*family))).collect()
}
