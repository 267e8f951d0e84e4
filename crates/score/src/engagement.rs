//! How each profile responds to messages, and at which hour of the week they look.
//!
//! Programs respond too: mail services fetch pictures as soon as a message arrives, scanners follow every link in it.
//! Such responses are counted apart, and nothing else is made of them.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::cadence::Gathered;
use crate::checks::{self, first_row, is_positive, same_length};
use crate::error::{Error, Result};

/// Hours of a week; the first begins on Monday at midnight.
pub const HOURS: usize = 168;
/// Stands for the message of a response that belongs to none that is known.
pub const NO_MESSAGE: u32 = u32::MAX;

/// Profiles that are worked out as one piece.
const PROFILES_AT_ONCE: usize = 1024;
const MICROSECONDS: i64 = 1_000_000;

/// What was delivered, profile by profile, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'m> {
    /// Profile p got the messages from `offsets[p]` to `offsets[p + 1]`.
    pub offsets: &'m [usize],
    /// When each was delivered, in microseconds since 1970-01-01 UTC.
    pub delivered_at: &'m [i64],
    /// How many different links each has; 0: unknown.
    pub links: &'m [u32],
}

/// How a profile responded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Response {
    /// The message was shown: its pictures were fetched.
    Open,
    /// This link of it was followed.
    Click(u32),
}

/// What came back, profile by profile, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Responses<'r> {
    /// Profile p gave the responses from `offsets[p]` to `offsets[p + 1]`.
    pub offsets: &'r [usize],
    /// The place of each one's message in the list of messages, or [`NO_MESSAGE`].
    pub messages: &'r [u32],
    /// When each came, in microseconds since 1970-01-01 UTC.
    pub at: &'r [i64],
    /// The day of each in the workspace's zone, since 1970-01-01.
    pub days: &'r [i32],
    /// The hour of the week of each in the profile's own zone, 0 to 167.
    pub hours: &'r [u8],
    /// What each was.
    pub kinds: &'r [Response],
}

/// The rules and their thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// A response so soon after delivery, or before it, is a program's.
    pub prefetch_seconds: i64,
    /// Clicks on every link of a message within so many seconds are a program's.
    pub scan_seconds: i64,
    /// The rule of scans is for messages with so many links at least: whoever follows the only link is no program.
    pub scan_links: u32,
    /// A message so young is not yet counted as unanswered.
    pub patience_hours: i64,
    /// So many opens of the base's hours are added to a profile's own; above 0.
    pub shrink: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { prefetch_seconds: 10, scan_seconds: 5, scan_links: 2, patience_hours: 24, shrink: 10.0 }
    }
}

/// The moment as of which engagement is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// In microseconds since 1970-01-01 UTC.
    pub now: i64,
    /// Its day in the workspace's zone, since 1970-01-01.
    pub today: i32,
}

/// How one profile responds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Engagement {
    /// Messages that were delivered.
    pub messages: u32,
    /// Opens by the profile itself.
    pub opens: u32,
    /// Clicks by the profile itself.
    pub clicks: u32,
    /// Opens by programs.
    pub machine_opens: u32,
    /// Clicks by programs.
    pub machine_clicks: u32,
    /// How many of the latest messages in a row got no response by the profile itself.
    pub no_response_streak: u32,
    /// Days since the profile's own last response; `None` where there is none.
    pub days_since_sign: Option<i32>,
    /// The hour of the week with most opens, drawn towards the hours of the base, 0 to 167; the base's own for a profile
    /// without opens, `None` where nobody has any.
    pub best_hour: Option<u8>,
    /// How much of that is the profile's own, from 0 up to 1: opens / (opens + shrink).
    pub best_hour_confidence: f64,
}

/// How each profile responds, as of a moment. What came after it is for the caller to leave out.
///
/// # Errors
/// [`Error::Offsets`] and [`Error::Lengths`] where lists do not go together, [`Error::Code`] where an hour is none,
/// [`Error::ForeignMessage`] where a response names another profile's message, [`Error::Setting`] where `shrink` is not
/// above 0.
pub fn engagement(
    messages: &Messages<'_>,
    responses: &Responses<'_>,
    rules: &Rules,
    moment: Moment,
) -> Result<Vec<Engagement>> {
    check(messages, responses, rules)?;
    let profiles: Vec<usize> = (0..messages.offsets.len().saturating_sub(1)).collect();
    let pieces: Vec<(Vec<Engagement>, Vec<u32>)> = profiles
        .par_chunks(PROFILES_AT_ONCE)
        .map(|profiles| {
            let mut base = vec![0; HOURS];
            let of = |profile: &usize| Profile::of(messages, responses, *profile).counted(rules, moment, &mut base);
            (profiles.iter().map(of).collect(), base)
        })
        .collect();
    let mut base = [0; HOURS];
    for (_, hours) in &pieces {
        base.iter_mut().zip(hours).for_each(|(sum, count)| *sum += u64::from(*count));
    }
    let mut all: Vec<Engagement> = pieces.into_iter().flat_map(|(found, _)| found).collect();
    let shares = shares(&base);
    all.par_chunks_mut(PROFILES_AT_ONCE).zip(profiles.par_chunks(PROFILES_AT_ONCE)).for_each(|(found, profiles)| {
        for (engagement, profile) in found.iter_mut().zip(profiles) {
            let Some(shares) = &shares else { continue };
            let own = Profile::of(messages, responses, *profile).open_hours(rules);
            engagement.best_hour = Some(best_hour(&own, shares, rules.shrink));
            let opens = f64::from(engagement.opens);
            engagement.best_hour_confidence = opens / (opens + rules.shrink);
        }
    });
    Ok(all)
}

/// The clicks of each profile by itself, on the days on which they came: what [`engagement`] counts as `clicks`.
///
/// # Errors
/// As [`engagement`].
pub fn own_clicks(messages: &Messages<'_>, responses: &Responses<'_>, rules: &Rules) -> Result<Gathered> {
    check(messages, responses, rules)?;
    let mut gathered = Gathered::nothing(messages.offsets.len().saturating_sub(1));
    for place in 0..messages.offsets.len().saturating_sub(1) {
        let profile = Profile::of(messages, responses, place);
        let all = profile.own_responses.clone().zip(profile.by_machines(rules));
        for (response, _) in all.filter(|(_, is_machine)| !is_machine) {
            if let Response::Click(_) = responses.kinds[response] {
                gathered.add(place, 1, responses.days[response], responses.days[response]);
            }
        }
    }
    Ok(gathered)
}

fn check(messages: &Messages<'_>, responses: &Responses<'_>, rules: &Rules) -> Result<()> {
    checks::setting("the shrinkage of hours", is_positive(rules.shrink), "above 0", rules.shrink)?;
    checks::offsets("messages", messages.offsets, messages.delivered_at.len())?;
    checks::offsets("responses", responses.offsets, responses.at.len())?;
    same_length("links", messages.delivered_at.len(), messages.links.len())?;
    same_length("profiles of the responses", messages.offsets.len(), responses.offsets.len())?;
    let count = responses.at.len();
    same_length("messages of the responses", count, responses.messages.len())?;
    same_length("days", count, responses.days.len())?;
    same_length("hours", count, responses.hours.len())?;
    same_length("kinds", count, responses.kinds.len())?;
    if let Some(row) = first_row(count, |row| usize::from(responses.hours[row]) >= HOURS) {
        let (what, found) = ("hours".to_owned(), u32::from(responses.hours[row]));
        return Err(Error::Code { what, row, found, count: HOURS });
    }
    check_messages(messages, responses)
}

/// Every response names a message of its own profile, or none.
fn check_messages(messages: &Messages<'_>, responses: &Responses<'_>) -> Result<()> {
    for (own, given) in messages.offsets.windows(2).zip(responses.offsets.windows(2)) {
        let is_foreign = |code: &u32| *code != NO_MESSAGE && !(own[0]..own[1]).contains(&(*code as usize));
        if let Some(place) = responses.messages[given[0]..given[1]].iter().position(is_foreign) {
            let row = given[0] + place;
            return Err(Error::ForeignMessage { row, found: responses.messages[row] });
        }
    }
    Ok(())
}

/// The messages and responses of one profile.
struct Profile<'p> {
    messages: &'p Messages<'p>,
    responses: &'p Responses<'p>,
    own_messages: Range<usize>,
    own_responses: Range<usize>,
}

impl<'p> Profile<'p> {
    fn of(messages: &'p Messages<'p>, responses: &'p Responses<'p>, profile: usize) -> Self {
        Self {
            messages,
            responses,
            own_messages: messages.offsets[profile]..messages.offsets[profile + 1],
            own_responses: responses.offsets[profile]..responses.offsets[profile + 1],
        }
    }

    /// All but the best hour; adds the profile's opens to the hours of the base.
    fn counted(&self, rules: &Rules, moment: Moment, base: &mut [u32]) -> Engagement {
        let mut found = Engagement { messages: self.own_messages.len() as u32, ..Engagement::default() };
        let mut answered = vec![false; self.own_messages.len()];
        let mut last_sign = None;
        for (response, is_machine) in self.own_responses.clone().zip(self.by_machines(rules)) {
            let count = match (self.responses.kinds[response], is_machine) {
                (Response::Open, false) => &mut found.opens,
                (Response::Open, true) => &mut found.machine_opens,
                (Response::Click(_), false) => &mut found.clicks,
                (Response::Click(_), true) => &mut found.machine_clicks,
            };
            *count += 1;
            if is_machine {
                continue;
            }
            last_sign = last_sign.max(Some(self.responses.days[response]));
            if let Some(message) = self.message_of(response) {
                answered[message - self.own_messages.start] = true;
            }
            if self.responses.kinds[response] == Response::Open {
                base[usize::from(self.responses.hours[response])] += 1;
            }
        }
        found.days_since_sign = last_sign.map(|day| moment.today.saturating_sub(day));
        found.no_response_streak = self.streak(&answered, rules, moment);
        found
    }

    /// The profile's own opens in each hour of the week.
    fn open_hours(&self, rules: &Rules) -> Vec<(u8, u32)> {
        let mut hours: Vec<u8> = self
            .own_responses
            .clone()
            .zip(self.by_machines(rules))
            .filter(|(response, is_machine)| !is_machine && self.responses.kinds[*response] == Response::Open)
            .map(|(response, _)| self.responses.hours[response])
            .collect();
        hours.sort_unstable();
        hours.chunk_by(u8::eq).map(|same| (same[0], same.len() as u32)).collect()
    }

    fn message_of(&self, response: usize) -> Option<usize> {
        let message = self.responses.messages[response];
        (message != NO_MESSAGE).then_some(message as usize)
    }

    /// Whether each response is a program's.
    fn by_machines(&self, rules: &Rules) -> Vec<bool> {
        let is_prefetch = |response: usize| {
            let delivered_at = self.message_of(response).map(|message| self.messages.delivered_at[message]);
            let soon = rules.prefetch_seconds.saturating_mul(MICROSECONDS);
            delivered_at.is_some_and(|delivered_at| self.responses.at[response].saturating_sub(delivered_at) <= soon)
        };
        let mut machines: Vec<bool> = self.own_responses.clone().map(is_prefetch).collect();
        let mut clicks: Vec<(usize, i64, u32, usize)> = self
            .own_responses
            .clone()
            .filter_map(|response| match (self.message_of(response), self.responses.kinds[response]) {
                (Some(message), Response::Click(link)) => Some((message, self.responses.at[response], link, response)),
                _ => None,
            })
            .collect();
        clicks.sort_unstable();
        for clicks in clicks.chunk_by(|one, other| one.0 == other.0) {
            let links = self.messages.links[clicks[0].0];
            if links >= rules.scan_links.max(1) && clicks.len() >= links as usize {
                scans(clicks, links, rules, |response| machines[response - self.own_responses.start] = true);
            }
        }
        machines
    }

    /// How many of the latest messages in a row got no answer.
    fn streak(&self, answered: &[bool], rules: &Rules, moment: Moment) -> u32 {
        let patience = rules.patience_hours.saturating_mul(3600 * MICROSECONDS);
        let delivered_at = &self.messages.delivered_at[self.own_messages.clone()];
        let mut latest_first: Vec<usize> = (0..answered.len()).collect();
        latest_first.sort_unstable_by_key(|message| std::cmp::Reverse((delivered_at[*message], *message)));
        let unanswered = latest_first.iter().take_while(|message| !answered[**message]);
        unanswered.filter(|message| moment.now.saturating_sub(delivered_at[**message]) >= patience).count() as u32
    }
}

/// Calls `mark` for all clicks on one message that are in a span in which each of its links was followed.
fn scans(clicks: &[(usize, i64, u32, usize)], links: u32, rules: &Rules, mut mark: impl FnMut(usize)) {
    let span = rules.scan_seconds.saturating_mul(MICROSECONDS);
    let mut followed: HashMap<u32, u32> = HashMap::new();
    let (mut from, mut marked) = (0, 0);
    for (to, (_, at, link, _)) in clicks.iter().enumerate() {
        *followed.entry(*link).or_default() += 1;
        while at.saturating_sub(clicks[from].1) > span {
            let link = clicks[from].2;
            let times = followed.entry(link).or_default();
            *times -= 1;
            if *times == 0 {
                followed.remove(&link);
            }
            from += 1;
        }
        if followed.len() >= links as usize {
            clicks[from.max(marked)..=to].iter().for_each(|click| mark(click.3));
            marked = to + 1;
        }
    }
}

/// The part of all opens in each hour, or `None` without any.
fn shares(base: &[u64; HOURS]) -> Option<[f64; HOURS]> {
    let all: u64 = base.iter().sum();
    (all > 0).then(|| base.map(|count| count as f64 / all as f64))
}

/// The hour with the greatest sum of own opens and `shrink` times the base's share; the earliest of equals.
fn best_hour(own: &[(u8, u32)], shares: &[f64; HOURS], shrink: f64) -> u8 {
    let mut sums = shares.map(|share| share * shrink);
    own.iter().for_each(|(hour, opens)| sums[usize::from(*hour)] += f64::from(*opens));
    let best = (0..HOURS).fold(0, |best, hour| if sums[hour] > sums[best] { hour } else { best });
    best as u8
}
