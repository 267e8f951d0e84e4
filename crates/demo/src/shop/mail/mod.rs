//! What the shop wrote to its customers, and what came back: the export of whoever sent its messages before muster.
//!
//! `mailings` is what goes to everyone, `due` what is due to one person, `reader` and `hours` how they take it, `answers`
//! what they and their programs send back. Everyone's mail has streams of chance of its own: whether somebody is
//! written to changes nothing of what they buy. What is not answered yet when the data are taken waits for the days after.

mod answers;
mod due;
mod hours;
mod mailings;
mod reader;

use std::ops::Range;

use super::World;
use super::calendar::{AS_OF, DAY_SECONDS, Day, LocalTime};
use super::chance::Chance;
use super::person::Person;
use super::records::{Message, Response};
use answers::{Answers, Fate};
use due::{Due, due};
pub(super) use mailings::{Channel, Mailing, mailings};
use reader::Reader;

/// The first day of the sender's export: two years before the last.
pub(super) const MAIL_FROM: Day = Day(365);
/// What the sender exported before the days.
pub(super) const HISTORY: Range<LocalTime> = LocalTime(MAIL_FROM.0 as i64 * DAY_SECONDS)..AS_OF;

/// On which ways someone may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub email: bool,
    pub sms: bool,
}

impl Reach {
    /// Who agreed, and said where.
    pub(super) fn of(person: &Person) -> Reach {
        Reach {
            email: person.email_consent == Some("J") && person.email.is_some(),
            sms: person.sms_consent == Some("J") && person.mobile.is_some(),
        }
    }

    /// The ways that are in both.
    pub(super) fn and(self, other: Reach) -> Reach {
        Reach { email: self.email && other.email, sms: self.sms && other.sms }
    }

    fn by(self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.email,
            Channel::Sms => self.sms,
        }
    }
}

/// What the sender knows of the one who is written to.
#[derive(Debug)]
pub(super) struct Recipient<'a> {
    pub person: &'a Person,
    /// When they signed up.
    pub since: LocalTime,
    pub reach: Reach,
    pub bought_at: Vec<LocalTime>,
    /// Carts that they left and did not order.
    pub left_carts: Vec<LeftCart>,
}

#[derive(Debug)]
pub(super) struct LeftCart {
    pub touched_at: LocalTime,
    pub products: Vec<u32>,
}

/// How it stands between the shop and one customer, message by message.
#[derive(Debug, Clone)]
pub(super) struct Correspondence {
    reader: Reader,
    /// E-mails in a row that they did not open.
    unanswered: u32,
    /// From when on they get no more e-mails, and no more text messages.
    no_email_from: Option<LocalTime>,
    no_sms_from: Option<LocalTime>,
    /// Responses to what was sent that are later than the data; without a number of their own.
    pub awaited: Vec<Response>,
}

/// The numbers that the first message and the first response get.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub message: u64,
    pub response: u64,
}

/// What was sent and what came back, each in time.
#[derive(Debug)]
pub(super) struct Mail<'w> {
    pub messages: Vec<Message<'w>>,
    pub responses: Vec<Response>,
}

impl Correspondence {
    /// Of the customer with that number, before the first message; and the chance that their history goes on with.
    pub(super) fn of(seed: u64, number: u64) -> (Correspondence, Chance) {
        let mut chance = Chance::of_mail(seed, 0, number);
        let reader = Reader::drawn(&mut chance);
        let correspondence =
            Correspondence { reader, unanswered: 0, no_email_from: None, no_sms_from: None, awaited: Vec::new() };
        (correspondence, chance)
    }

    /// Sends what is due within the window, and hands over what came back in it.
    pub(super) fn go_on<'w>(
        &mut self,
        world: &'w World,
        recipient: &Recipient<'_>,
        window: Range<LocalTime>,
        first: Numbers,
        chance: &mut Chance,
    ) -> Mail<'w> {
        let mut messages = Vec::new();
        for due in due(world, recipient, &window) {
            if self.may_get(&due) {
                let number = first.message + messages.len() as u64;
                let fate = self.answers(world, recipient, number, &window, chance).to(&due);
                messages.push(message(number, recipient.person.number, &due, fate));
            }
        }
        Mail { messages, responses: self.hand_over(window.end, first.response) }
    }

    fn may_get(&self, due: &Due<'_>) -> bool {
        let no_more_from = match due.channel {
            Channel::Email => self.no_email_from,
            Channel::Sms => self.no_sms_from,
        };
        no_more_from.is_none_or(|from| due.sent_at < from)
    }

    fn answers<'a>(
        &'a mut self,
        world: &'a World,
        recipient: &'a Recipient<'a>,
        message: u64,
        window: &Range<LocalTime>,
        chance: &'a mut Chance,
    ) -> Answers<'a> {
        Answers { world, recipient, message, not_before: window.start, correspondence: self, chance }
    }

    /// The responses up to `until`, in time and numbered.
    fn hand_over(&mut self, until: LocalTime, first: u64) -> Vec<Response> {
        self.awaited.sort_by_key(|response| response.responded_at);
        let count = self.awaited.partition_point(|response| response.responded_at < until);
        // What is still awaited gets a list of its own: few responses, kept for as long as the customer is.
        let later = self.awaited.split_off(count);
        let mut responses = std::mem::replace(&mut self.awaited, later);
        (first..).zip(&mut responses).for_each(|(number, response)| response.number = number);
        responses
    }
}

fn message<'w>(number: u64, customer: u64, due: &Due<'w>, fate: Fate) -> Message<'w> {
    Message {
        number,
        customer,
        sent_at: due.sent_at,
        campaign: due.campaign,
        channel: due.channel.name(),
        template: due.template,
        subject: due.subject,
        links: due.links.len() as i64,
        status: fate.status(),
    }
}
