//! Engagement beside counting by hand, and beside a plain reading of its rules.

use muster_score::Error;
use muster_score::engagement::{Engagement, Messages, Moment, NO_MESSAGE, Response, Responses, Rules, engagement};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
const MOMENT: Moment = Moment { now: 100 * DAY, today: 100 };

/// A message of a profile: when it came, how many links it has.
type Sent = (i64, u32);
/// A response of a profile: to which of its messages, when, what.
type Back = (Option<usize>, i64, Response);

fn of(profiles: &[(Vec<Sent>, Vec<Back>)], rules: &Rules) -> Vec<Engagement> {
    let (mut message_offsets, mut response_offsets) = (vec![0], vec![0]);
    let (mut delivered_at, mut links) = (Vec::new(), Vec::new());
    let (mut messages, mut at, mut days, mut hours, mut kinds) = (vec![], vec![], vec![], vec![], vec![]);
    for (sent, back) in profiles {
        let first = delivered_at.len();
        for (when, count) in sent {
            delivered_at.push(*when);
            links.push(*count);
        }
        for (message, when, kind) in back {
            messages.push(message.map_or(NO_MESSAGE, |message| (first + message) as u32));
            at.push(*when);
            days.push(when.div_euclid(DAY) as i32);
            hours.push(hour_of(*when));
            kinds.push(*kind);
        }
        message_offsets.push(delivered_at.len());
        response_offsets.push(at.len());
    }
    let sent = Messages { offsets: &message_offsets, delivered_at: &delivered_at, links: &links };
    let back = Responses {
        offsets: &response_offsets,
        messages: &messages,
        at: &at,
        days: &days,
        hours: &hours,
        kinds: &kinds,
    };
    engagement(&sent, &back, rules, MOMENT).expect("the lists go together")
}

/// Day 0 counts as a Monday here.
fn hour_of(at: i64) -> u8 {
    (at.div_euclid(3600 * SECOND)).rem_euclid(168) as u8
}

#[test]
fn silence_is_counted_from_the_last_answer_on() {
    // Five messages on days 90 to 94; the second was opened after an hour, the fourth fetched at once by a program.
    let sent: Vec<Sent> = (90..95).map(|day| (day * DAY, 0)).collect();
    let back =
        vec![(Some(1), 91 * DAY + 3600 * SECOND, Response::Open), (Some(3), 93 * DAY + 2 * SECOND, Response::Open)];
    let found = of(&[(sent, back)], &Rules::default())[0];
    assert_eq!((found.messages, found.opens, found.machine_opens), (5, 1, 1));
    assert_eq!((found.no_response_streak, found.days_since_sign), (3, Some(9)));
}

#[test]
fn a_message_of_today_is_not_yet_unanswered() {
    let sent = vec![(98 * DAY, 0), (100 * DAY - 3600 * SECOND, 0)];
    assert_eq!(of(&[(sent, vec![])], &Rules::default())[0].no_response_streak, 1);
}

#[test]
fn whoever_follows_every_link_at_once_is_a_program() {
    let at = |second: i64| 50 * DAY + 3600 * SECOND + second * SECOND;
    let click = |link, second| (Some(0), at(second), Response::Click(link));
    let scanned = vec![click(0, 0), click(1, 1), click(2, 4), click(0, 600)];
    let read = vec![click(0, 0), click(1, 30), click(2, 70)];
    let only_link = vec![click(0, 0)];
    let profiles = [(vec![(50 * DAY, 3)], scanned), (vec![(50 * DAY, 3)], read), (vec![(50 * DAY, 1)], only_link)];
    let found: Vec<(u32, u32)> =
        of(&profiles, &Rules::default()).iter().map(|found| (found.clicks, found.machine_clicks)).collect();
    assert_eq!(found, [(1, 3), (3, 0), (1, 0)]);
}

#[test]
fn the_best_hour_is_the_own_one_where_there_is_enough_of_it() {
    let opens = |hour: i64, count: i64| -> (Vec<Sent>, Vec<Back>) {
        let open = |week: i64| (None, week * 7 * DAY + hour * 3600 * SECOND, Response::Open);
        (vec![], (0..count).map(open).collect())
    };
    // The base opens at hour 20; one profile has eleven opens at hour 9, one a single one, one has none.
    let mut profiles = vec![opens(9, 11), opens(9, 1), opens(0, 0)];
    profiles.extend((0..50).map(|_| opens(20, 10)));
    let found = of(&profiles, &Rules::default());
    let hours: Vec<Option<u8>> = found[..3].iter().map(|found| found.best_hour).collect();
    assert_eq!(hours, [Some(9), Some(20), Some(20)]);
    let confidence: Vec<f64> = found[..3].iter().map(|found| found.best_hour_confidence).collect();
    assert_eq!(confidence, [11.0 / 21.0, 1.0 / 11.0, 0.0]);
    assert_eq!(of(&[(vec![], vec![])], &Rules::default())[0], Engagement::default());
}

/// The rules read one by one, for each response anew.
fn plainly(sent: &[Sent], back: &[Back], rules: &Rules) -> (u32, u32, u32, u32) {
    let is_machine = |(message, at, kind): &Back| {
        let Some(message) = *message else { return false };
        let (delivered, links) = sent[message];
        let of_message = |from: i64| {
            let mut followed: Vec<u32> = back
                .iter()
                .filter(|other| {
                    other.0 == Some(message) && (from..=from + rules.scan_seconds * SECOND).contains(&other.1)
                })
                .filter_map(|other| if let Response::Click(link) = other.2 { Some(link) } else { None })
                .collect();
            followed.sort_unstable();
            followed.dedup();
            followed.len() as u32 >= links
        };
        let starts = || back.iter().filter(|other| other.1 <= *at && *at <= other.1 + rules.scan_seconds * SECOND);
        let is_scan = matches!(kind, Response::Click(_))
            && links >= rules.scan_links
            && starts().any(|other| of_message(other.1));
        at - delivered <= rules.prefetch_seconds * SECOND || is_scan
    };
    let count = |open: bool, machine: bool| {
        let is_open = |kind: Response| kind == Response::Open;
        back.iter().filter(|response| is_open(response.2) == open && is_machine(response) == machine).count() as u32
    };
    (count(true, false), count(false, false), count(true, true), count(false, true))
}

fn profile() -> impl Strategy<Value = (Vec<Sent>, Vec<Back>)> {
    let sent = proptest::collection::vec((0_i64..30, 0_u32..4), 1..4);
    let back = proptest::collection::vec((0_usize..5, 0_i64..60, 0_u32..5), 0..25);
    (sent, back).prop_map(|(sent, back)| {
        let count = sent.len();
        let back = back.into_iter().map(|(message, second, kind)| {
            let kind = if kind == 4 { Response::Open } else { Response::Click(kind) };
            ((message < count).then_some(message), second * SECOND, kind)
        });
        (sent.into_iter().map(|(second, links)| (second * SECOND, links)).collect(), back.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn responses_are_told_apart_as_the_rules_read(profiles in proptest::collection::vec(profile(), 1..5)) {
        let rules = Rules::default();
        for (found, (sent, back)) in of(&profiles, &rules).iter().zip(&profiles) {
            let told = (found.opens, found.clicks, found.machine_opens, found.machine_clicks);
            prop_assert_eq!(told, plainly(sent, back, &rules));
            prop_assert!((0.0..1.0).contains(&found.best_hour_confidence));
        }
    }
}

#[test]
fn lists_that_do_not_go_together_are_named() {
    let sent = Messages { offsets: &[0, 1, 2], delivered_at: &[0, 0], links: &[0, 0] };
    let back = |messages: &'static [u32], hours: &'static [u8]| Responses {
        offsets: &[0, 1, 1],
        messages,
        at: &[5],
        days: &[0],
        hours,
        kinds: &[Response::Open],
    };
    let refused = |back: Responses<'_>, rules: Rules| engagement(&sent, &back, &rules, MOMENT).expect_err("refused");
    assert!(matches!(refused(back(&[1], &[0]), Rules::default()), Error::ForeignMessage { row: 0, found: 1 }));
    assert!(matches!(
        refused(back(&[0], &[168]), Rules::default()),
        Error::Code { row: 0, found: 168, count: 168, .. }
    ));
    assert!(matches!(refused(back(&[0], &[]), Rules::default()), Error::Lengths { what: "hours", .. }));
    let shrink = Rules { shrink: f64::NAN, ..Rules::default() };
    assert!(matches!(refused(back(&[0], &[0]), shrink), Error::Setting { what: "the shrinkage of hours", .. }));
}
