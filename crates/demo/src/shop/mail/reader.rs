//! How someone takes what is written to them: how keen they are, which programs read along, and how their address fares.

use super::super::calendar::{DAY_SECONDS, Day, LocalTime};
use super::super::chance::Chance;
use super::MAIL_FROM;
use super::hours::Hours;

/// Of the people: whose mail program fetches the pictures as soon as a message is there, and whether it says who it is.
const PREFETCHES: f64 = 0.07;
const SAYS_SO: f64 = 0.35;
/// Of the people: whose company has every link followed before a message is handed on.
const SCANS: f64 = 0.01;
/// Of the people: who lets no program show pictures, so that nobody hears of their opens.
const WITHOUT_PICTURES: f64 = 0.06;
/// Of the addresses and the numbers: which stop working during the three years from the beginning of the export on.
const ADDRESS_DIES: f64 = 0.003;
const NUMBER_DIES: f64 = 0.005;
const DAYS_OF_DYING: i64 = 1_096;
/// How likely a message finds the mailbox full or the server busy; and of the mailboxes that are hardly ever emptied.
const BUSY: f64 = 0.006;
const FULL: f64 = 0.3;
const HARDLY_EMPTIED: f64 = 0.005;

/// A program that reads along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    None,
    /// Fetches the pictures; a named one says that it is a program.
    Prefetches {
        named: bool,
    },
    /// Follows all links.
    Scans,
}

/// One person as a reader.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// How likely they open a message of a shop that is new to them.
    pub keenness: f64,
    /// How likely they follow a link of what they read.
    pub curiosity: f64,
    pub hours: Hours,
    pub program: Program,
    pub shows_pictures: bool,
    /// How likely a message to them bounces though the address is good.
    pub turned_away: f64,
    /// The moment from which on there is nobody at their e-mail address, and at their number.
    pub address_dies: Option<LocalTime>,
    pub number_dies: Option<LocalTime>,
}

impl Reader {
    pub(super) fn drawn(chance: &mut Chance) -> Reader {
        Reader {
            keenness: 0.03 + 0.92 * chance.unit() * chance.unit(),
            curiosity: 0.26 * chance.unit(),
            hours: Hours::drawn(chance),
            program: program(chance),
            shows_pictures: !chance.happens(WITHOUT_PICTURES),
            turned_away: if chance.happens(HARDLY_EMPTIED) { FULL } else { BUSY },
            address_dies: dies(ADDRESS_DIES, chance),
            number_dies: dies(NUMBER_DIES, chance),
        }
    }
}

fn program(chance: &mut Chance) -> Program {
    match chance.unit() {
        drawn if drawn < PREFETCHES => Program::Prefetches { named: drawn < PREFETCHES * SAYS_SO },
        drawn if drawn < PREFETCHES + SCANS => Program::Scans,
        _ => Program::None,
    }
}

fn dies(share: f64, chance: &mut Chance) -> Option<LocalTime> {
    let Day(first) = MAIL_FROM;
    let at = LocalTime(i64::from(first) * DAY_SECONDS + chance.between(0, DAYS_OF_DYING * DAY_SECONDS));
    chance.happens(share).then_some(at)
}
