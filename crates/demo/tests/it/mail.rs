//! What was written to the customers, and what came back: whom it reaches, when it ends, and what can be learnt from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::NaiveDateTime;
use muster_demo::shop::{Format, Shop};

use crate::tables::{Table, Written, write};

static SHOP: LazyLock<Written> = LazyLock::new(|| write(Shop { customers: 6_000, seed: 9 }, Format::Csv));
static MAIL: LazyLock<Mail> = LazyLock::new(|| Mail::of(&SHOP));

/// A response so soon after its message is taken for a program's, and so are clicks on all links within so many seconds.
const PREFETCH_SECONDS: i64 = 10;
const SCAN_SECONDS: i64 = 5;

struct Message {
    customer: String,
    channel: String,
    campaign: String,
    sent_at: NaiveDateTime,
    links: usize,
    status: String,
    /// In the order of the file.
    responses: Vec<Response>,
}

struct Response {
    at: NaiveDateTime,
    kind: String,
    link: String,
    class: String,
    made_by: String,
}

impl Message {
    fn all<'m>(&'m self, kind: &'m str) -> impl Iterator<Item = &'m Response> {
        self.responses.iter().filter(move |response| response.kind == kind)
    }

    fn seconds_to(&self, response: &Response) -> i64 {
        (response.at - self.sent_at).num_seconds()
    }

    fn own_opens(&self) -> impl Iterator<Item = &Response> {
        self.all("open").filter(|open| self.seconds_to(open) > PREFETCH_SECONDS)
    }

    fn is_scanned(&self) -> bool {
        let links: BTreeSet<&str> = self.all("click").map(|click| click.link.as_str()).collect();
        let (first, last) = (self.all("click").map(|it| it.at).min(), self.all("click").map(|it| it.at).max());
        let at_once = first.zip(last).is_some_and(|(first, last)| (last - first).num_seconds() <= SCAN_SECONDS);
        self.links > 1 && links.len() == self.links && at_once
    }

    fn own_clicks(&self) -> usize {
        if self.is_scanned() { 0 } else { self.all("click").count() }
    }
}

/// The messages by their keys.
struct Mail {
    messages: BTreeMap<String, Message>,
}

impl Mail {
    fn of(shop: &Written) -> Mail {
        let mut messages = messages(&shop.table("messages"));
        let table = shop.table("responses");
        let [of, at, kind, link, class, made_by] =
            ["message_id", "responded_at", "kind", "link", "class", "made_by"].map(|name| table.column(name));
        for row in 0..table.len() {
            messages.get_mut(of[row]).expect("a message of the table").responses.push(Response {
                at: at[row].parse().unwrap(),
                kind: kind[row].to_owned(),
                link: link[row].to_owned(),
                class: class[row].to_owned(),
                made_by: made_by[row].to_owned(),
            });
        }
        Mail { messages }
    }

    /// Of the messages on that channel.
    fn on<'m>(&'m self, channel: &'m str) -> impl Iterator<Item = &'m Message> {
        self.messages.values().filter(move |message| message.channel == channel)
    }

    fn responses(&self) -> impl Iterator<Item = (&Message, &Response)> {
        self.messages.values().flat_map(|message| message.responses.iter().map(move |response| (message, response)))
    }

    /// What they have of each customer.
    fn by_customer<T>(&self, of: impl Fn(&Message) -> Vec<T>) -> BTreeMap<&str, Vec<T>> {
        let mut all: BTreeMap<&str, Vec<T>> = BTreeMap::new();
        for message in self.messages.values() {
            all.entry(&message.customer).or_default().extend(of(message));
        }
        all
    }
}

fn messages(table: &Table) -> BTreeMap<String, Message> {
    let [id, customer, channel, campaign, sent_at, links, status] =
        ["message_id", "customer_id", "channel", "campaign", "sent_at", "links", "status"]
            .map(|name| table.column(name));
    let message = |row: usize| Message {
        customer: customer[row].to_owned(),
        channel: channel[row].to_owned(),
        campaign: campaign[row].to_owned(),
        sent_at: sent_at[row].parse().unwrap(),
        links: links[row].parse().unwrap(),
        status: status[row].to_owned(),
        responses: Vec::new(),
    };
    (0..table.len()).map(|row| (id[row].to_owned(), message(row))).collect()
}

fn percent(part: usize, of: usize) -> f64 {
    part as f64 / of as f64 * 100.0
}

#[test]
fn only_those_who_agreed_and_said_where_are_written_to() {
    let customers = SHOP.table("customers");
    for (channel, consent, address) in [("email", "email_consent", "email"), ("sms", "sms_consent", "mobile")] {
        let agreed = customers.column(consent).into_iter().zip(customers.column(address));
        let reached: BTreeSet<&str> = customers
            .column("customer_id")
            .into_iter()
            .zip(agreed)
            .filter(|(_, (consent, address))| *consent == "J" && !address.is_empty())
            .map(|(customer, _)| customer)
            .collect();
        let written: BTreeSet<&str> = MAIL.on(channel).map(|message| message.customer.as_str()).collect();
        assert!(written.is_subset(&reached), "{channel}");
        assert!(percent(written.len(), reached.len()) > 85.0, "{channel}: {} of {}", written.len(), reached.len());
    }
}

#[test]
fn whoever_wants_no_more_of_it_gets_no_more_of_it() {
    let mut ended: BTreeMap<(&str, &str), NaiveDateTime> = BTreeMap::new();
    for (message, response) in MAIL.responses() {
        if ["unsubscribe", "spam_complaint"].contains(&response.kind.as_str()) || response.class == "hard" {
            let end = ended.entry((&message.customer, &message.channel)).or_insert(response.at);
            *end = response.at.min(*end);
        }
    }
    assert!(ended.len() > 100, "{} ended", ended.len());
    for message in MAIL.messages.values() {
        let end = ended.get(&(message.customer.as_str(), message.channel.as_str()));
        assert!(end.is_none_or(|end| message.sent_at <= *end), "{} got {}", message.customer, message.campaign);
    }
}

#[test]
fn a_message_that_bounced_says_why_and_nothing_else_came_back_on_it() {
    for (id, message) in &MAIL.messages {
        let kinds: Vec<&str> = message.responses.iter().map(|response| response.kind.as_str()).collect();
        match message.status.as_str() {
            "bounced" => assert_eq!(kinds, ["bounce"], "{id}"),
            "delivered" => assert!(!kinds.contains(&"bounce"), "{id}"),
            other => panic!("{id} is {other}"),
        }
    }
    let table = SHOP.table("responses");
    let [kind, link, code, class] = ["kind", "link", "code", "class"].map(|name| table.column(name));
    for row in 0..table.len() {
        assert_eq!(kind[row] == "click", !link[row].is_empty(), "row {row}");
        assert_eq!(kind[row] == "bounce", !code[row].is_empty() && !class[row].is_empty(), "row {row}");
    }
}

#[test]
fn a_newsletter_leaves_at_ten_for_everyone() {
    let newsletters: Vec<&Message> =
        MAIL.on("email").filter(|message| message.campaign.starts_with("newsletter_")).collect();
    let campaigns: BTreeSet<&str> = newsletters.iter().map(|message| message.campaign.as_str()).collect();
    assert_eq!(campaigns.len(), 24);
    let at_ten = |message: &&Message| message.sent_at.format("%a %H:%M").to_string();
    assert!(newsletters.iter().map(at_ten).all(|at| ("Tue 10:00".."Tue 10:20").contains(&at.as_str())));
    let twice = MAIL.by_customer(|message| vec![message.campaign.clone() + &message.channel]);
    let is_mailing = |campaign: &&String| campaign.starts_with("newsletter_") || campaign.starts_with("sale_");
    for (customer, campaigns) in twice {
        let mailings: Vec<&String> = campaigns.iter().filter(is_mailing).collect();
        assert_eq!(mailings.iter().collect::<BTreeSet<_>>().len(), mailings.len(), "{customer}");
    }
}

#[test]
fn a_reminder_is_of_a_cart_that_was_left_a_day_before() {
    let carts = SHOP.table("carts");
    let left = carts.column("customer_id").into_iter().zip(carts.column("updated_at")).zip(carts.column("order_id"));
    let left: BTreeSet<(&str, NaiveDateTime)> = left
        .filter(|(_, order)| order.is_empty())
        .map(|((customer, at), _)| (customer, at.parse::<NaiveDateTime>().unwrap() + chrono::TimeDelta::days(1)))
        .collect();
    let reminders: Vec<&Message> = MAIL.on("email").filter(|message| message.campaign == "cart_reminder").collect();
    assert!(reminders.len() > 500, "{}", reminders.len());
    assert!(reminders.iter().all(|message| left.contains(&(message.customer.as_str(), message.sent_at))));
}

#[test]
fn opens_clicks_programs_and_ends_are_as_common_as_promised() {
    let delivered: Vec<&Message> = MAIL.on("email").filter(|message| message.status == "delivered").collect();
    let of_messages = |is: &dyn Fn(&&&Message) -> bool| percent(delivered.iter().filter(is).count(), delivered.len());
    let readers: BTreeSet<&str> = delivered.iter().map(|message| message.customer.as_str()).collect();
    let of_readers = |is: &dyn Fn(&&&Message) -> bool| {
        let found: BTreeSet<&str> = delivered.iter().filter(is).map(|message| message.customer.as_str()).collect();
        percent(found.len(), readers.len())
    };
    let opened = of_messages(&|message| message.own_opens().next().is_some());
    let clicked = of_messages(&|message| message.own_clicks() > 0);
    let fetched = |message: &&&Message| message.all("open").any(|open| message.seconds_to(open) <= PREFETCH_SECONDS);
    let known: usize = MAIL.responses().filter(|(_, response)| !response.made_by.is_empty()).count();
    for (what, percent, low, high) in [
        ("opened by people", opened, 18.0, 25.0),
        ("clicked, of what people opened", clicked / opened * 100.0, 11.0, 19.0),
        ("with a fetching program", of_readers(&fetched), 5.5, 8.5),
        ("with a scanner", of_readers(&|message| message.is_scanned()), 0.5, 1.6),
        ("unsubscribed", of_readers(&|message| message.all("unsubscribe").next().is_some()), 1.0, 4.0),
        ("called it spam", of_readers(&|message| message.all("spam_complaint").next().is_some()), 0.2, 1.5),
        ("responses of which the sender knew who made them", percent(known, MAIL.responses().count()), 3.0, 12.0),
    ] {
        assert!((low..high).contains(&percent), "{what}: {percent} %");
    }
    let hard = |channel: &'static str| {
        let hit = MAIL.on(channel).filter(|message| message.all("bounce").any(|bounce| bounce.class == "hard")).count();
        percent(hit, MAIL.on(channel).map(|message| &message.customer).collect::<BTreeSet<_>>().len())
    };
    assert!((0.3..1.1).contains(&hard("email")) && hard("sms") < 1.0, "{} % and {} %", hard("email"), hard("sms"));
}

#[test]
fn the_planted_oddities_of_the_mail_are_there() {
    let count = |is: &dyn Fn(&&(&Message, &Response)) -> bool| MAIL.responses().filter(|both| is(&both)).count();
    let before = count(&|(message, response)| message.seconds_to(response) < 0);
    let too_early = count(&|(message, response)| message.seconds_to(response) < -4);
    assert!(before > 30 && too_early == 0, "{before} before their message, {too_early} by more than a slow clock");
    let clicked: Vec<&Message> = MAIL.on("email").filter(|message| message.own_clicks() > 0).collect();
    let unopened = clicked.iter().filter(|message| message.all("open").next().is_none()).count();
    assert!((3.0..12.0).contains(&percent(unopened, clicked.len())), "{unopened} of {} clicks", clicked.len());
    let twice = MAIL.messages.values().filter(|message| {
        let opens: Vec<NaiveDateTime> = message.all("open").map(|open| open.at).collect();
        opens.iter().collect::<BTreeSet<_>>().len() < opens.len()
    });
    assert!(twice.count() > 20);
    let on_new_years_day = MAIL.on("email").filter(|message| message.campaign == "birthday");
    let placeholders =
        on_new_years_day.filter(|message| message.sent_at.format("%m-%d").to_string() == "01-01").count();
    assert!(placeholders > 50, "{placeholders} congratulated on the placeholder");
}

/// The hour of the day at which someone opened most is learnt from the first of two years, and tried on the second.
#[test]
fn the_hour_at_which_someone_reads_can_be_learnt_from_what_they_opened() {
    let middle: NaiveDateTime = "2024-07-01T00:00:00".parse().unwrap();
    let hour = |at: NaiveDateTime| at.format("%H").to_string();
    let opens = MAIL.by_customer(|message| message.own_opens().map(|open| open.at).collect());
    let (mut own, mut common, mut tried, mut hours) = (0, 0, 0, BTreeSet::new());
    let everyones = most_frequent(opens.values().flatten().map(|at| hour(*at)));
    for opens in opens.values() {
        let (first, second): (Vec<NaiveDateTime>, Vec<NaiveDateTime>) = opens.iter().partition(|at| **at < middle);
        if first.len() < 5 {
            continue;
        }
        let best = most_frequent(first.into_iter().map(hour));
        own += second.iter().filter(|at| hour(**at) == best).count();
        common += second.iter().filter(|at| hour(**at) == everyones).count();
        tried += second.len();
        hours.insert(best);
    }
    assert!(tried > 2_000 && hours.len() > 12, "{tried} opens, {} best hours", hours.len());
    let (own, common) = (percent(own, tried), percent(common, tried));
    assert!(own > 45.0 && own > 3.0 * common, "{own} % at the own best hour, {common} % at everyone's");
}

fn most_frequent(hours: impl Iterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    hours.for_each(|hour| *counts.entry(hour).or_default() += 1);
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(hour, _)| hour).expect("somebody opened something")
}

#[test]
fn recent_buyers_open_more_and_those_who_were_not_answered_by_less() {
    let orders = SHOP.table("orders");
    let mut bought: BTreeMap<&str, Vec<NaiveDateTime>> = BTreeMap::new();
    for (customer, at) in orders.column("customer_id").into_iter().zip(orders.column("placed_at")) {
        bought.entry(customer).or_default().push(at.parse().unwrap());
    }
    let is_recent = |message: &Message| {
        let days = |at: &NaiveDateTime| (message.sent_at - *at).num_days();
        bought.get(message.customer.as_str()).is_some_and(|bought| bought.iter().any(|at| (0..60).contains(&days(at))))
    };
    let newsletters: Vec<&Message> =
        MAIL.on("email").filter(|message| message.campaign.starts_with("newsletter_")).collect();
    let (recent, others): (Vec<&Message>, Vec<&Message>) = newsletters.iter().partition(|message| is_recent(message));
    let opened = |messages: &[&Message]| {
        percent(messages.iter().filter(|message| message.own_opens().next().is_some()).count(), messages.len())
    };
    assert!(opened(&recent) > 1.25 * opened(&others), "{} % and {} %", opened(&recent), opened(&others));
    let in_year = |year: &str| -> Vec<&Message> {
        newsletters.iter().copied().filter(|message| message.campaign.contains(year)).collect()
    };
    assert!(opened(&in_year("2023")) > 1.05 * opened(&in_year("2025")));
}

#[test]
fn a_customer_who_never_agreed_leaves_no_trace_in_the_mail() {
    let customers = SHOP.table("customers");
    let written: BTreeSet<&str> = MAIL.messages.values().map(|message| message.customer.as_str()).collect();
    let consents = customers.column("email_consent").into_iter().zip(customers.column("sms_consent"));
    let silent = customers.column("customer_id").into_iter().zip(consents).filter(|(_, both)| *both == ("N", "N"));
    assert!(silent.into_iter().all(|(customer, _)| !written.contains(customer)));
}
