//! What goes to everyone who agreed: a newsletter each month, and word of each sale.

use super::super::assortment::Assortment;
use super::super::calendar::{Day, LocalTime};
use super::super::chance::Chance;
use super::super::table::Key;

/// The years whose mailings are planned: those of the sender's export, and of more days after it than anyone lets pass.
const YEARS: std::ops::RangeInclusive<i32> = 2023..=2035;
/// Hours of the day at which mailings begin, local time.
const NEWSLETTER_HOUR: i64 = 10;
const SALE_HOUR: i64 = 9;
const TEXT_HOUR: i64 = 17;
/// The first day of each sale, as month and day, and whether it is also told by text message.
const SALES: [(u32, u32, Text); 3] = [(1, 2, Text::Yes), (7, 5, Text::No), (11, 22, Text::Yes)];

/// What each month's newsletter is about, from January.
const NEWS: [&str; 12] = [
    "Een fris begin: orde in huis",
    "Slaap beter in februari",
    "De tuin wordt wakker",
    "Buiten eten, en \"lekker lui\" liggen",
    "Terras, balkon en tuin",
    "Zomer in huis",
    "Lichte kleuren, lange avonden",
    "Terug van vakantie",
    "Nieuwe banken zijn binnen",
    "Warm licht voor de herfst",
    "Samen aan tafel",
    "De mooiste cadeaus voor in huis",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Yes,
    No,
}

/// The way on which a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shop) enum Channel {
    Email,
    Sms,
}

impl Channel {
    pub(in crate::shop) fn name(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "sms",
        }
    }
}

/// Where a link of a message leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shop) enum Link {
    /// To the category of this product.
    CategoryOf(u32),
    Product(u32),
}

impl Link {
    /// The product that it shows first.
    pub(super) fn product(self) -> u32 {
        match self {
            Link::CategoryOf(product) | Link::Product(product) => product,
        }
    }

    /// How the sender's export calls it: a category's name, or a product's key.
    pub(super) fn name(self, assortment: &Assortment) -> String {
        match self {
            Link::CategoryOf(product) => assortment.category_of(product).to_owned(),
            Link::Product(product) => Key::product(product).text(),
        }
    }
}

/// One thing that goes to everyone.
#[derive(Debug)]
pub(in crate::shop) struct Mailing {
    /// When the first of its messages leaves.
    pub begins_at: LocalTime,
    pub channel: Channel,
    pub campaign: String,
    pub template: &'static str,
    /// A text message has none.
    pub subject: Option<&'static str>,
    /// All different.
    pub links: Vec<Link>,
}

/// All mailings, in time.
pub(in crate::shop) fn mailings(assortment: &Assortment, seed: u64) -> Vec<Mailing> {
    let mut chance = Chance::of_mailings(seed);
    let mut mailings: Vec<Mailing> = YEARS.flat_map(|year| of_year(year, assortment, &mut chance)).collect();
    mailings.sort_by_key(|mailing| mailing.begins_at);
    mailings
}

fn of_year(year: i32, assortment: &Assortment, chance: &mut Chance) -> Vec<Mailing> {
    let mut mailings: Vec<Mailing> = (1..=12).map(|month| newsletter(year, month, assortment, chance)).collect();
    for (month, day, text) in SALES {
        let day = Day::of(year, month, day);
        mailings.push(sale(day, assortment, chance));
        if text == Text::Yes {
            mailings.push(sale_by_text(day, assortment, chance));
        }
    }
    mailings
}

/// On the second Tuesday of the month: three categories of the season and some products.
fn newsletter(year: i32, month: u32, assortment: &Assortment, chance: &mut Chance) -> Mailing {
    let day = second_tuesday(year, month);
    let products = chance.between(2, 5) as usize;
    Mailing {
        begins_at: day.at(NEWSLETTER_HOUR * 3600),
        channel: Channel::Email,
        campaign: format!("newsletter_{year}-{month:02}"),
        template: "newsletter",
        subject: Some(NEWS[day.month0()]),
        links: links(day, 3, products, assortment, chance),
    }
}

fn sale(day: Day, assortment: &Assortment, chance: &mut Chance) -> Mailing {
    Mailing {
        begins_at: day.at(SALE_HOUR * 3600),
        channel: Channel::Email,
        campaign: sale_name(day),
        template: "sale",
        subject: Some("De sale is begonnen: tot 30 % korting"),
        links: links(day, 4, 0, assortment, chance),
    }
}

fn sale_by_text(day: Day, assortment: &Assortment, chance: &mut Chance) -> Mailing {
    Mailing {
        begins_at: day.at(TEXT_HOUR * 3600),
        channel: Channel::Sms,
        campaign: sale_name(day),
        template: "sale_text",
        subject: None,
        links: links(day, 1, 0, assortment, chance),
    }
}

fn sale_name(day: Day) -> String {
    format!("sale_{}", day.date().format("%Y-%m"))
}

fn second_tuesday(year: i32, month: u32) -> Day {
    let first = Day::of(year, month, 1);
    first.plus((1 - i64::from(first.weekday())).rem_euclid(7) + 7)
}

/// So many categories and then so many products of the day's season, all different.
fn links(day: Day, categories: usize, products: usize, assortment: &Assortment, chance: &mut Chance) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::with_capacity(categories + products);
    while links.len() < categories + products {
        let product = assortment.product_of(assortment.family_in(day.month0(), chance), chance);
        let link = if links.len() < categories { Link::CategoryOf(product) } else { Link::Product(product) };
        if links.iter().all(|known| known.name(assortment) != link.name(assortment)) {
            links.push(link);
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_newsletter_leaves_on_the_second_tuesday() {
        for (year, month, expected) in
            [(2025, 6, "2025-06-10"), (2025, 7, "2025-07-08"), (2024, 10, "2024-10-08"), (2023, 8, "2023-08-08")]
        {
            assert_eq!(second_tuesday(year, month).date().to_string(), expected);
        }
    }

    #[test]
    fn mailings_come_in_time_and_their_links_differ() {
        let assortment = Assortment::new(400, 42);
        let mailings = mailings(&assortment, 42);
        assert!(mailings.is_sorted_by_key(|mailing| mailing.begins_at));
        assert_eq!(mailings.len(), 13 * (12 + 5));
        for mailing in &mailings {
            let names: BTreeSet<String> = mailing.links.iter().map(|link| link.name(&assortment)).collect();
            assert_eq!(names.len(), mailing.links.len(), "{}", mailing.campaign);
        }
        let november: Vec<&str> =
            mailings.iter().map(|mailing| mailing.campaign.as_str()).filter(|name| name.ends_with("2024-11")).collect();
        assert_eq!(november, ["newsletter_2024-11", "sale_2024-11", "sale_2024-11"]);
    }
}
