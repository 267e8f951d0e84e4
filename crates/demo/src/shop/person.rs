//! Who a customer is: name, home, consent, and the oddities that real customer files have.
//!
//! A customer's identity depends on the seed and the customer's number only. Two oddities refer to
//! another customer (a second member of a household, a double by e-mail address), whose
//! identity is then drawn again instead of being kept: everyone can be made on their own.

use super::World;
use super::calendar::Day;
use super::chance::{Chance, Purpose};
use super::families::FAMILIES;
use super::money::Cents;
use super::names::{LAST, MEN, WOMEN, mailbox};
use super::places::{PLACES, Point};

/// What is true of a customer apart from what they did.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub number: u64,
    pub gender: Option<&'static str>,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub email: Option<String>,
    pub mobile: Option<String>,
    pub birth_date: Option<Day>,
    pub home: Home,
    pub email_consent: Option<&'static str>,
    pub sms_consent: Option<&'static str>,
    pub income: Option<Cents>,
    pub source: &'static str,
    /// The number of the customer whose household it is.
    pub household: u64,
    /// Families whose products they like, by position; one to three.
    pub favourites: Vec<usize>,
    /// The favourites that they told the shop.
    pub interests: Vec<usize>,
}

/// Where a customer lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    /// Position in `PLACES`.
    pub place: usize,
    pub postcode: u32,
    pub point: Point,
    pub store: u32,
}

/// How many of a thousand customers have which oddity.
const DOUBLES: f64 = 0.003;
const WITHOUT_EMAIL: f64 = 0.03;
const INVALID_EMAIL: f64 = 0.004;
const WITHOUT_MOBILE: f64 = 0.15;
const WITHOUT_BIRTH_DATE: f64 = 0.04;
const PLACEHOLDER_BIRTH_DATE: f64 = 0.02;
const WITHOUT_INCOME: f64 = 0.20;
/// Of the customers with an odd number: who lives with the customer before them.
const HOUSEMATES: f64 = 0.25;

/// Where customers came from, the usual ways first.
pub(super) const SOURCES: [&str; 20] = [
    "organic search",
    "paid search",
    "direct",
    "newsletter",
    "instagram",
    "facebook",
    "pinterest",
    "tiktok",
    "youtube",
    "store",
    "friend",
    "magazine",
    "television",
    "radio",
    "billboard",
    "price comparison",
    "affiliate",
    "influencer",
    "fair",
    "flyer",
];
/// Reserved names (RFC 2606): no message to them can reach anyone.
const PROVIDERS: [&str; 6] =
    ["post.example", "thuis.example", "mail.example", "zonnet.example", "brievenbus.example", "kabel.example"];

impl Person {
    /// The customer with that number.
    pub(super) fn of(world: &World, number: u64) -> Person {
        let (mut person, mut chance) = drawn(world, number);
        if number % 2 == 1 && chance.happens(HOUSEMATES) {
            person.moves_in_with(&drawn(world, number - 1).0);
        }
        if number > 0 && chance.happens(DOUBLES) {
            person.is_again(&drawn(world, chance.below(number)).0);
        }
        person
    }

    fn moves_in_with(&mut self, other: &Person) {
        self.household = other.household;
        self.last_name = other.last_name;
        self.home = other.home;
    }

    /// The same human who signed up twice: one name and one address, two customer numbers.
    fn is_again(&mut self, other: &Person) {
        self.gender = other.gender;
        self.first_name = other.first_name;
        self.last_name = other.last_name;
        self.email = other.email.clone();
    }
}

/// A person on their own, and the rest of their chance.
fn drawn(world: &World, number: u64) -> (Person, Chance) {
    let mut chance = Chance::of(world.seed, Purpose::Identity, number);
    let (gender, first_name) = named(&mut chance);
    let last_name = chance.one_of(LAST);
    let home = Home::drawn(world, &mut chance);
    let favourites = favourites(world, &mut chance);
    let person = Person {
        number,
        gender,
        first_name,
        last_name,
        email: email(number, first_name, last_name, &mut chance),
        mobile: mobile(PLACES[home.place].country, &mut chance),
        birth_date: birth_date(&mut chance),
        home,
        email_consent: consent(0.62, 0.28, &mut chance),
        sms_consent: consent(0.30, 0.50, &mut chance),
        income: income(&mut chance),
        source: SOURCES[world.by_source.pick(&mut chance)],
        household: number,
        interests: favourites.iter().copied().filter(|_| chance.happens(0.7)).collect(),
        favourites,
    };
    (person, chance)
}

fn named(chance: &mut Chance) -> (Option<&'static str>, &'static str) {
    match chance.below(100) {
        0..52 => (Some("F"), chance.one_of(WOMEN)),
        52..95 => (Some("M"), chance.one_of(MEN)),
        95..97 => (Some("X"), chance.one_of(WOMEN)),
        _ => (None, chance.one_of(MEN)),
    }
}

impl Home {
    /// A home anywhere, with the store that is nearest to it.
    pub(super) fn drawn(world: &World, chance: &mut Chance) -> Home {
        let place = world.by_inhabitants.pick(chance);
        let postcode = PLACES[place].any_postcode(chance);
        let point = PLACES[place].centre(postcode).nearby(chance);
        Home { place, postcode, point, store: world.nearest_store[place] }
    }
}

fn favourites(world: &World, chance: &mut Chance) -> Vec<usize> {
    let mut favourites: Vec<usize> = (0..chance.between(1, 3)).map(|_| world.assortment.family(chance)).collect();
    favourites.sort_unstable();
    favourites.dedup();
    favourites
}

/// An address of their own; a few have none, or one that is none.
pub(super) fn email(number: u64, first_name: &str, last_name: &str, chance: &mut Chance) -> Option<String> {
    let (first, last) = (mailbox(first_name), mailbox(last_name));
    // With the number, nobody has another's address by accident.
    let mailbox = format!("{first}.{last}{}", number + 1);
    let provider = chance.one_of(&PROVIDERS);
    let spoiled = chance.unit();
    match spoiled {
        _ if spoiled < WITHOUT_EMAIL => None,
        _ if spoiled < WITHOUT_EMAIL + INVALID_EMAIL => Some(invalid(&mailbox, provider, chance)),
        _ => Some(format!("{mailbox}@{provider}")),
    }
}

fn invalid(mailbox: &str, provider: &str, chance: &mut Chance) -> String {
    match chance.below(4) {
        0 => mailbox.to_owned(),
        1 => format!("{mailbox}@@{provider}"),
        2 => format!("{mailbox}@{provider}."),
        _ => format!("{mailbox} @{provider}"),
    }
}

/// Whether it is none of the addresses that anything can be sent to.
pub(super) fn is_invalid(email: &str) -> bool {
    email.matches('@').count() != 1 || email.contains(' ') || email.ends_with('.')
}

/// A number of that country, if they give it.
pub(super) fn mobile(country: &str, chance: &mut Chance) -> Option<String> {
    let subscriber = chance.between(10_000_000, 99_999_999);
    if chance.happens(WITHOUT_MOBILE) {
        return None;
    }
    Some(match country {
        "BE" => format!("+324{subscriber}"),
        "DE" => format!("+491{subscriber}0"),
        _ => format!("+316{subscriber}"),
    })
}

fn birth_date(chance: &mut Chance) -> Option<Day> {
    let age_days = chance.between(18 * 365, 60 * 365) + chance.between(0, 28 * 365);
    let odd = chance.unit();
    match odd {
        _ if odd < WITHOUT_BIRTH_DATE => None,
        _ if odd < WITHOUT_BIRTH_DATE + PLACEHOLDER_BIRTH_DATE => Some(Day::of(1900, 1, 1)),
        _ => Some(Day::of(2022, 1, 1).plus(-age_days)),
    }
}

fn consent(yes: f64, no: f64, chance: &mut Chance) -> Option<&'static str> {
    let answer = chance.unit();
    match answer {
        _ if answer < yes => Some("J"),
        _ if answer < yes + no => Some("N"),
        _ => None,
    }
}

/// Gross income of a year, in tens of euros.
pub(super) fn income(chance: &mut Chance) -> Option<Cents> {
    let tens = chance.log_normal(3_650.0, 0.42) as i64;
    (!chance.happens(WITHOUT_INCOME)).then_some(Cents(tens * 1000))
}

/// The interest that a family's name stands for, as customers tick it.
pub(super) fn interest(family: usize) -> String {
    FAMILIES[family].name.to_lowercase()
}
