//! What comes back on one message: it bounces, programs read along, and the person opens, clicks, or wants no more of it.

use super::super::World;
use super::super::calendar::{DAY_SECONDS, LocalTime};
use super::super::chance::{Chance, Weights};
use super::super::person::is_invalid;
use super::super::records::Response;
use super::due::Due;
use super::mailings::{Channel, Link};
use super::reader::Program;
use super::{Correspondence, Recipient};

/// For so many days after a purchase someone opens so many times as much.
const AFTER_A_PURCHASE: (i64, f64) = (60, 1.6);
/// How much less someone opens for each e-mail in a row that they let lie, and for each year since they signed up.
const TIRED: f64 = 0.06;
const OLDER: f64 = 0.1;
/// How likely they open at most.
const MOST: f64 = 0.95;
/// Of what was opened: what is opened a second time.
const AGAIN: f64 = 0.15;
/// Of the own opens of those whose program has fetched the pictures already: which are seen nonetheless.
const SEEN_NONETHELESS: f64 = 0.5;
/// Of the opens: which the sender wrote down twice.
const TWICE: f64 = 0.005;
/// Of the opens of programs: those whose time is before that of the message, by a clock that is slow.
const SLOW_CLOCK: f64 = 0.02;
/// Of what was read: what is unsubscribed from; and of what was sent: what is called spam.
const UNSUBSCRIBES: f64 = 0.005;
const CALLS_IT_SPAM: f64 = 0.0003;
/// Of the clicks: those of somebody who had signed in, so that the sender knows that it was a person.
const SIGNED_IN: f64 = 0.05;
/// Of the clicks: after which the person follows another link of the same message.
const ANOTHER_LINK: f64 = 0.3;
/// A link to a family that they like is so many times as likely.
const FAVOURITE: u64 = 4;
/// Of the text messages: whose link is followed, which are not delivered, and which are answered by STOP.
const FOLLOWS_A_TEXT: f64 = 0.06;
const NO_SIGNAL: f64 = 0.01;
const STOPS_TEXTS: f64 = 0.003;

/// Where a message that bounces fails: the code, and whether it is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounce {
    code: &'static str,
    class: &'static str,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    Bounced(Bounce),
}

impl Fate {
    pub(super) fn status(self) -> &'static str {
        match self {
            Fate::Delivered => "delivered",
            Fate::Bounced(_) => "bounced",
        }
    }
}

const fn bounced(code: &'static str, class: &'static str) -> Fate {
    Fate::Bounced(Bounce { code, class })
}

/// The answers to one message.
pub(super) struct Answers<'a> {
    pub world: &'a World,
    pub recipient: &'a Recipient<'a>,
    /// The message's number.
    pub message: u64,
    /// What an earlier day's file would have to hold is said to come at this moment.
    pub not_before: LocalTime,
    pub correspondence: &'a mut Correspondence,
    pub chance: &'a mut Chance,
}

impl Answers<'_> {
    /// Makes all answers to `due`, whenever they come.
    pub(super) fn to(mut self, due: &Due<'_>) -> Fate {
        let fate = self.fate(due);
        match (fate, due.channel) {
            (Fate::Bounced(bounce), _) => self.bounces(due, bounce),
            (Fate::Delivered, Channel::Email) => self.email_arrives(due),
            (Fate::Delivered, Channel::Sms) => self.text_arrives(due),
        }
        fate
    }

    fn fate(&mut self, due: &Due<'_>) -> Fate {
        let reader = &self.correspondence.reader;
        let is_dead = |dies: Option<LocalTime>| dies.is_some_and(|dies| dies <= due.sent_at);
        let drawn = self.chance.unit();
        match due.channel {
            Channel::Email if self.recipient.person.email.as_deref().is_some_and(is_invalid) => bounced("553", "hard"),
            Channel::Email if is_dead(reader.address_dies) => bounced("550", "hard"),
            Channel::Email if drawn < reader.turned_away * 0.7 => bounced("452", "soft"),
            Channel::Email if drawn < reader.turned_away => bounced("421", "soft"),
            Channel::Sms if is_dead(reader.number_dies) => bounced("unknown_subscriber", "hard"),
            Channel::Sms if drawn < NO_SIGNAL => bounced("absent_subscriber", "soft"),
            _ => Fate::Delivered,
        }
    }

    /// The server says so while it is spoken to. Nobody writes to an address again that is none.
    fn bounces(&mut self, due: &Due<'_>, Bounce { code, class }: Bounce) {
        let at = LocalTime(due.sent_at.0 + self.chance.between(1, 9));
        if class == "hard" {
            self.no_more(due.channel, due.sent_at);
        }
        self.answers(Response { code: Some(code), class: Some(class), ..self.response(at, "bounce") });
    }

    fn email_arrives(&mut self, due: &Due<'_>) {
        self.programs_read_along(due);
        if self.chance.happens(self.likely_reads(due)) {
            self.correspondence.unanswered = 0;
            self.reads(due);
        } else {
            self.correspondence.unanswered += 1;
        }
        if self.chance.happens(CALLS_IT_SPAM) {
            let at = self.correspondence.reader.hours.reads_at(due.sent_at, self.chance);
            self.wants_no_more(due.channel, at, "spam_complaint");
        }
    }

    /// A link at most, minutes later; texts are always shown, and nobody hears of it.
    fn text_arrives(&mut self, due: &Due<'_>) {
        let minutes = self.chance.exponential(45.0);
        let at = LocalTime(due.sent_at.0 + 20 + (minutes * 60.0) as i64).awake();
        if self.chance.happens(FOLLOWS_A_TEXT) {
            self.clicks(due, at);
        }
        if self.chance.happens(STOPS_TEXTS) {
            self.wants_no_more(due.channel, at, "unsubscribe");
        }
    }

    fn likely_reads(&self, due: &Due<'_>) -> f64 {
        let years = (due.sent_at.0 - self.recipient.since.0) as f64 / (365 * DAY_SECONDS) as f64;
        let tired = 1.0 / (1.0 + TIRED * f64::from(self.correspondence.unanswered));
        let older = 1.0 / (1.0 + OLDER * years);
        (self.correspondence.reader.keenness * due.appeal * tired * older * self.after_a_purchase(due.sent_at))
            .min(MOST)
    }

    fn after_a_purchase(&self, sent_at: LocalTime) -> f64 {
        let (days, times) = AFTER_A_PURCHASE;
        let recently = LocalTime(sent_at.0 - days * DAY_SECONDS)..sent_at;
        if self.recipient.bought_at.iter().any(|at| recently.contains(at)) { times } else { 1.0 }
    }

    fn programs_read_along(&mut self, due: &Due<'_>) {
        match self.correspondence.reader.program {
            Program::None => {}
            Program::Prefetches { named } => self.is_prefetched(due.sent_at, named.then_some("machine")),
            Program::Scans => self.is_scanned(due),
        }
    }

    /// Within seconds; some clocks are slow, and then it is before the message left.
    fn is_prefetched(&mut self, sent_at: LocalTime, made_by: Option<&'static str>) {
        let slow = self.chance.happens(SLOW_CLOCK);
        let seconds = if slow { -self.chance.between(1, 4) } else { self.chance.between(1, 8) };
        self.answers(Response { made_by, ..self.response(LocalTime(sent_at.0 + seconds), "open") });
    }

    /// Every link within two seconds, once the scanner gets to it.
    fn is_scanned(&mut self, due: &Due<'_>) {
        let at = LocalTime(due.sent_at.0 + self.chance.between(2, 60));
        for link in due.links.iter() {
            let at = LocalTime(at.0 + self.chance.between(0, 2));
            self.answers(self.click(at, *link));
        }
    }

    fn reads(&mut self, due: &Due<'_>) {
        let at = self.correspondence.reader.hours.reads_at(due.sent_at, self.chance);
        if self.is_seen() {
            self.opens(at);
        }
        if self.chance.happens(self.correspondence.reader.curiosity * due.appeal) {
            self.clicks(due, at);
        }
        if self.chance.happens(UNSUBSCRIBES) {
            let at = LocalTime(at.0 + self.chance.between(15, 120)).awake();
            self.wants_no_more(due.channel, at, "unsubscribe");
        }
    }

    /// Whether the sender hears of an open.
    fn is_seen(&mut self) -> bool {
        let reader = &self.correspondence.reader;
        let was_fetched = matches!(reader.program, Program::Prefetches { .. });
        reader.shows_pictures && (!was_fetched || self.chance.happens(SEEN_NONETHELESS))
    }

    fn opens(&mut self, at: LocalTime) {
        self.answers(self.response(at, "open"));
        if self.chance.happens(TWICE) {
            self.answers(self.response(at, "open"));
        }
        if self.chance.happens(AGAIN) {
            let later = self.correspondence.reader.hours.reads_at(at, self.chance);
            self.answers(self.response(later, "open"));
        }
    }

    /// Follows one link and perhaps more, each once and some time after the other: nobody reads faster.
    fn clicks(&mut self, due: &Due<'_>, opened_at: LocalTime) {
        let signed_in = self.chance.happens(SIGNED_IN);
        let mut left: Vec<Link> = due.links.to_vec();
        let mut at = opened_at;
        while !left.is_empty() {
            at = LocalTime(at.0 + self.chance.between(8, 90));
            let link = left.swap_remove(self.preferred(&left));
            self.answers(Response { made_by: signed_in.then_some("human"), ..self.click(at, link) });
            if !self.chance.happens(ANOTHER_LINK) {
                return;
            }
        }
    }

    fn preferred(&mut self, links: &[Link]) -> usize {
        let favourites = &self.recipient.person.favourites;
        let likes = |link: &Link| favourites.contains(&self.world.assortment.family_of(link.product()));
        Weights::new(links.iter().map(|link| if likes(link) { FAVOURITE } else { 1 })).pick(self.chance)
    }

    fn wants_no_more(&mut self, channel: Channel, at: LocalTime, kind: &'static str) {
        self.no_more(channel, at);
        self.answers(self.response(at, kind));
    }

    fn no_more(&mut self, channel: Channel, from: LocalTime) {
        let no_more_from = match channel {
            Channel::Email => &mut self.correspondence.no_email_from,
            Channel::Sms => &mut self.correspondence.no_sms_from,
        };
        *no_more_from = Some(no_more_from.map_or(from, |known| known.min(from)));
    }

    fn click(&self, at: LocalTime, link: Link) -> Response {
        Response { link: Some(link.name(&self.world.assortment)), ..self.response(at, "click") }
    }

    fn response(&self, at: LocalTime, kind: &'static str) -> Response {
        Response {
            number: 0,
            message: self.message,
            responded_at: at,
            kind,
            link: None,
            code: None,
            class: None,
            made_by: None,
        }
    }

    /// Nobody is up at night, and no file of an earlier day is written again.
    fn answers(&mut self, response: Response) {
        let responded_at = response.responded_at.awake().max(self.not_before);
        self.correspondence.awaited.push(Response { responded_at, ..response });
    }
}
