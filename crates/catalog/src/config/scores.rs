//! `[scores.NAME]`: how the scores are computed.

use std::ops::RangeInclusive;

use toml_edit::Value;

use super::purchase::is_without_time;
use super::section::{Keys, Section};
use crate::{
    Affinity, Alive, Basket, Churn, CutPoints, Engagement, Expression, Kind, Learner, NextOffer, Reactivation, Rfm,
    RfmGroup, RfmMethod, Scores, Table, nearest,
};

const KEYS: Keys =
    Keys { known: &["rfm", "reactivation", "churn", "alive", "next_offer", "engagement", "affinity"], later: &[] };

const RFM: Keys = Keys { known: &["bins", "method", "recency", "frequency", "monetary", "groups"], later: &[] };

const GROUP: Keys = Keys { known: &["name", "r", "f", "m"], later: &[] };

const REACTIVATION: Keys = Keys { known: &["multiple", "visits"], later: &[] };

const CHURN: Keys = Keys { known: &["window_days", "base", "learner", "characteristics", "refresh"], later: &[] };

const ALIVE: Keys = Keys { known: &["horizon_days", "refresh"], later: &[] };

const NEXT_OFFER: Keys = Keys {
    known: &["table", "item", "when", "group", "quiet_days", "only_new", "half_life_days", "least_baskets", "refresh"],
    later: &[],
};

const ENGAGEMENT: Keys =
    Keys { known: &["messages", "responses", "when", "links", "kind", "link", "zone", "refresh"], later: &[] };

const AFFINITY: Keys = Keys {
    known: &[
        "table",
        "item",
        "when",
        "basket",
        "window_days",
        "least_baskets",
        "longest",
        "least_confidence",
        "refresh",
    ],
    later: &[],
};

const BASKETS: [(&str, Basket); 2] = [("purchase", Basket::Purchase), ("profile", Basket::Profile)];

const LEARNERS: [(&str, Learner); 2] = [("logistic", Learner::Logistic), ("boosted", Learner::Boosted)];

/// Ten years: no score looks farther.
const DAYS: std::ops::Range<i64> = 1..3661;

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Ntile,
    Quantile,
    Fixed,
}

const METHODS: [(&str, Method); 3] =
    [("ntile", Method::Ntile), ("quantile", Method::Quantile), ("fixed", Method::Fixed)];

const CUT_POINTS: [&str; 3] = ["recency", "frequency", "monetary"];

pub(super) fn read(section: &Section) -> Scores {
    section.only(&KEYS);
    Scores {
        rfm: section.section("rfm").map(|rfm| self::rfm(&rfm)).unwrap_or_default(),
        reactivation: section.section("reactivation").map(|section| reactivation(&section)).unwrap_or_default(),
        churn: section.section("churn").map(|section| churn(&section)).unwrap_or_default(),
        alive: section.section("alive").map(|section| alive(&section)).unwrap_or_default(),
        next_offer: section.section("next_offer").map(|section| next_offer(&section)),
        engagement: section.section("engagement").map(|section| engagement(&section)).unwrap_or_default(),
        declared: section.keys().into_iter().map(str::to_owned).collect(),
        affinities: section.section("affinity").map(|section| affinities(&section)).unwrap_or_default(),
    }
}

/// Items are rows of purchases, or of what is right below them; visits are rows right below profiles.
pub(super) fn check(top: &Section, tables: &[Table], scores: &Scores) {
    if let Some(section) = top.descendant(&["scores", "reactivation"]) {
        scores.reactivation.visits.iter().for_each(|table| check_visits(&section, table, tables));
    }
    let offer = scores.next_offer.as_ref().map(|offer| (vec!["scores", "next_offer"], offer.table.as_str()));
    let affinities = scores.affinities.iter();
    let affinities = affinities.map(|one| (vec!["scores", "affinity", one.name.as_str()], one.table.as_str()));
    for (path, table) in offer.into_iter().chain(affinities) {
        if let Some(section) = top.descendant(&path) {
            check_items(&section, table, tables);
        }
    }
}

fn check_visits(section: &Section, table: &str, tables: &[Table]) {
    let is_history = |table: &&Table| matches!(table.kind, Kind::History { .. });
    let is_below = |table: &&Table| table.parent() == Some("profiles");
    let fits = |table: &&Table| is_history(table) && is_below(table) && !is_without_time(tables, table);
    let fault = match tables.iter().find(|known| known.name == table) {
        None => "and there is no such table",
        Some(found) if fits(&found) => return,
        Some(found) if is_history(&found) && is_below(&found) => "which does not say when: it has no `time`",
        Some(_) => "which is no history right below profiles",
    };
    let fitting = || tables.iter().filter(fits).map(|table| table.name.as_str());
    let hint = match nearest(table, fitting()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("histories right below profiles with a time: {}", fitting().collect::<Vec<_>>().join(", ")),
    };
    let hint = fitting().next().map(|_| hint);
    section.problem_at("visits", format!("`visits` in {} names `{table}`, {fault}", section.title()), hint);
}

fn check_items(section: &Section, table: &str, tables: &[Table]) {
    let title = section.title();
    let Some(purchases) = tables.iter().find(|table| table.purchase.is_some()) else {
        let hint = "write `purchase = { value = \"…\" }` into the table of orders".to_owned();
        section.problem_with(format!("{title} needs purchases, and no table says which rows are"), Some(hint));
        return;
    };
    let is_below = |table: &&Table| table.parent() == Some(purchases.name.as_str());
    let fits = |table: &Table| table.name == purchases.name || is_below(&table);
    if !table.is_empty() && !tables.iter().any(|known| known.name == table && fits(known)) {
        let below = tables.iter().find(is_below).unwrap_or(purchases);
        let message = format!(
            "`table` in {title} names `{table}`, which holds no items of purchases; expected {} or a table below it",
            purchases.name
        );
        section.problem_at("table", message, Some(format!("table = \"{}\"", below.name)));
    }
}

fn rfm(section: &Section) -> Rfm {
    section.only(&RFM);
    let bins = section.number("bins", 2..10).and_then(|bins| bins.try_into().ok()).unwrap_or(Rfm::default().bins);
    Rfm { bins, method: method(section, bins), groups: groups(section, bins) }
}

fn method(section: &Section, bins: u8) -> RfmMethod {
    let method = section.one_of("method", &METHODS).unwrap_or(Method::Ntile);
    if method == Method::Fixed {
        return RfmMethod::Fixed(cut_points(section, bins));
    }
    for key in CUT_POINTS.into_iter().filter(|key| section.has(key)) {
        let message = format!("`{key}` in {} needs method = \"fixed\"", section.title());
        section.problem_at(key, message, None);
    }
    if method == Method::Quantile { RfmMethod::Quantile } else { RfmMethod::Ntile }
}

fn cut_points(section: &Section, bins: u8) -> CutPoints {
    for key in CUT_POINTS.into_iter().filter(|key| !section.has(key)) {
        section.problem(format!("`{key}` is missing in {}: method = \"fixed\" cuts at points given", section.title()));
    }
    let count = usize::from(bins) - 1;
    let whole = |key: &str| {
        let expected = format!("a list of {count} whole numbers, each above the one before");
        let fits = |points: &[i64]| points.len() == count && points.is_sorted_by(|one, next| one < next);
        section.list(key, &expected, |value, _| value.as_integer(), fits).unwrap_or_default()
    };
    CutPoints { recency: whole("recency"), frequency: whole("frequency"), monetary: monetary(section, count) }
}

fn monetary(section: &Section, count: usize) -> Vec<String> {
    let expected = format!("a list of {count} amounts as 100, 99.95 or \"99.95\", each above the one before");
    let fits = |points: &[(i128, String)]| points.len() == count && points.is_sorted_by(|one, next| one.0 < next.0);
    let points = section.list("monetary", &expected, amount, fits).unwrap_or_default();
    points.into_iter().map(|(_, text)| text).collect()
}

/// An amount as the number of its smallest units, and as it is written without signs that say nothing.
fn amount(value: &Value, written: &str) -> Option<(i128, String)> {
    let text = match value {
        Value::String(text) => text.value().trim().to_owned(),
        Value::Integer(whole) => whole.value().to_string(),
        // A double would be another number: what counts is what stands in the file.
        Value::Float(_) => written.replace('_', "").trim_start_matches('+').to_owned(),
        _ => return None,
    };
    Some((units(&text)?, text))
}

/// How many digits an amount may have after the point; so many units it is counted in, with 20 digits before.
const SCALE: usize = 18;

/// `-99.95` in units of 10⁻¹⁸.
fn units(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let fits = whole.len() <= 20 && fraction.len() <= SCALE && is_number(whole) && is_number(fraction);
    let units = fits.then(|| format!("{whole}{fraction:0<SCALE$}").parse::<i128>().ok()).flatten()?;
    Some(sign * units)
}

fn groups(section: &Section, bins: u8) -> Option<Vec<RfmGroup>> {
    section.has("groups").then(|| section.sections("groups").iter().map(|section| group(section, bins)).collect())
}

fn group(section: &Section, bins: u8) -> RfmGroup {
    section.only(&GROUP);
    let name = section.required_word("name");
    let [r, f, m] = ["r", "f", "m"].map(|key| span(section, key, bins));
    RfmGroup { name, r, f, m }
}

/// `r = [4, 5]`; any bin where nothing is said.
fn span(section: &Section, key: &str, bins: u8) -> RangeInclusive<u8> {
    let expected = format!("the lowest and the highest bin, as [1, {bins}]");
    let bin = |value: &Value, _: &str| value.as_integer().and_then(|bin| u8::try_from(bin).ok());
    let fits = |bounds: &[u8]| matches!(bounds, [low, high] if 1 <= *low && low <= high && *high <= bins);
    let bounds = section.list(key, &expected, bin, fits);
    bounds.map_or(1..=bins, |bounds| bounds[0]..=bounds[1])
}

fn reactivation(section: &Section) -> Reactivation {
    section.only(&REACTIVATION);
    let multiple = section.positive("multiple").unwrap_or(Reactivation::default().multiple);
    Reactivation { multiple, visits: section.names("visits") }
}

fn churn(section: &Section) -> Churn {
    section.only(&CHURN);
    let house = Churn::default();
    let characteristics = section.section("characteristics");
    let characteristics = characteristics.map(|section| expressions(&section)).unwrap_or_default();
    Churn {
        window_days: days(section, "window_days", DAYS).unwrap_or(house.window_days),
        base: expression(section, "base"),
        learner: section.one_of("learner", &LEARNERS).unwrap_or_default(),
        characteristics,
        refresh: expression(section, "refresh"),
    }
}

fn alive(section: &Section) -> Alive {
    section.only(&ALIVE);
    let horizon_days = days(section, "horizon_days", DAYS).unwrap_or(Alive::default().horizon_days);
    Alive { horizon_days, refresh: expression(section, "refresh") }
}

fn next_offer(section: &Section) -> NextOffer {
    section.only(&NEXT_OFFER);
    let least_baskets = section.number("least_baskets", 1..i64::from(u32::MAX));
    NextOffer {
        table: section.required_word("table"),
        item: Expression { text: section.required_word("item"), place: section.place_inside("item") },
        when: expression(section, "when"),
        group: expression(section, "group"),
        quiet_days: days(section, "quiet_days", 0..DAYS.end).unwrap_or(7),
        only_new: section.switch("only_new", false),
        half_life_days: section.positive("half_life_days").unwrap_or(480.0),
        least_baskets: least_baskets.and_then(|least| least.try_into().ok()).unwrap_or(2),
        refresh: expression(section, "refresh"),
    }
}

fn engagement(section: &Section) -> Engagement {
    section.only(&ENGAGEMENT);
    let house = Engagement::default();
    Engagement {
        messages: section.word("messages").unwrap_or(house.messages),
        responses: section.word("responses").unwrap_or(house.responses),
        when: expression(section, "when"),
        links: expression(section, "links"),
        kind: expression(section, "kind"),
        link: expression(section, "link"),
        zone: expression(section, "zone"),
        refresh: expression(section, "refresh"),
    }
}

/// `[scores.affinity.NAME]`
fn affinities(section: &Section) -> Vec<Affinity> {
    section.keys().into_iter().filter_map(|name| section.section(name)).map(|section| affinity(&section)).collect()
}

fn affinity(section: &Section) -> Affinity {
    section.only(&AFFINITY);
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    if section.name().is_empty() || !section.name().chars().all(is_plain) {
        section.problem(format!("\"{}\" is no name of an affinity; expected letters, digits and _", section.name()));
    }
    let least_baskets = section.number("least_baskets", 1..i64::from(u32::MAX));
    let longest = section.number("longest", 2..7).and_then(|longest| longest.try_into().ok());
    Affinity {
        name: section.name().to_owned(),
        table: section.required_word("table"),
        item: Expression { text: section.required_word("item"), place: section.place_inside("item") },
        when: expression(section, "when"),
        basket: section.one_of("basket", &BASKETS).unwrap_or_default(),
        window_days: days(section, "window_days", DAYS),
        least_baskets: least_baskets.and_then(|least| least.try_into().ok()).unwrap_or(5),
        longest: longest.unwrap_or(2),
        least_confidence: section.share("least_confidence").unwrap_or(0.0),
        refresh: expression(section, "refresh"),
    }
}

fn days(section: &Section, key: &str, range: std::ops::Range<i64>) -> Option<u16> {
    section.number(key, range).and_then(|days| days.try_into().ok())
}

fn expression(section: &Section, key: &str) -> Option<Expression> {
    section.word(key).map(|text| Expression { text, place: section.place_inside(key) })
}

/// Every key with its expression, in the order of the file.
fn expressions(section: &Section) -> Vec<(String, Expression)> {
    let read = |key: &str| expression(section, key).map(|expression| (key.to_owned(), expression));
    section.keys().into_iter().filter_map(read).collect()
}
