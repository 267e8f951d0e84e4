//! How each profile responds to messages, and in which hour of the week best: from the tables of messages and responses.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_cast::cast;
use arrow_schema::DataType;
use chrono::{Datelike, Timelike};
use chrono_tz::Tz;
use muster_catalog::{Engagement as Settings, Expression, Role, Timestamp};
use muster_score::cadence::Gathered;
use muster_score::engagement::{
    Engagement, Messages, Moment, NO_MESSAGE, Response, Responses, Rules, engagement, own_clicks,
};
use muster_store::SystemColumn;

use super::bought::{NOBODY, check, fault as faulty, numbers, offsets, places, question};
use super::of_purchases::days_since_1970;
use super::purchases::time_of_rows;
use super::report::{Chart, Report, per_cent};
use super::{Column, ENGAGEMENT, Scored};
use crate::describe::quoted;
use crate::evaluator::Evaluator;
use crate::{Error, Item};

/// The column of responses that says what each is, where muster.toml says nothing.
const KIND: &str = "kind";

/// What counts as a response of a profile, by the word for its kind.
const OPEN: &str = "open";
const CLICK: &str = "click";

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The messages that were handed over, profile by profile.
struct Sent {
    offsets: Vec<usize>,
    rows: Vec<u32>,
    at: Vec<i64>,
    links: Vec<u32>,
}

/// What came back, profile by profile.
struct Answered {
    offsets: Vec<usize>,
    messages: Vec<u32>,
    at: Vec<i64>,
    days: Vec<i32>,
    hours: Vec<u8>,
    kinds: Vec<Response>,
}

impl Sent {
    fn nothing(profiles: usize) -> Self {
        Self { offsets: vec![0; profiles + 1], rows: Vec::new(), at: Vec::new(), links: Vec::new() }
    }

    fn messages(&self) -> Messages<'_> {
        Messages { offsets: &self.offsets, delivered_at: &self.at, links: &self.links }
    }
}

impl Answered {
    fn responses(&self) -> Responses<'_> {
        Responses {
            offsets: &self.offsets,
            messages: &self.messages,
            at: &self.at,
            days: &self.days,
            hours: &self.hours,
            kinds: &self.kinds,
        }
    }
}

/// What came back, as it was found.
struct Heard {
    /// The place of the profile, the row, and what it was, in their order.
    responses: Vec<(u32, u32, Response)>,
    /// Where every row of responses stands, by its number.
    standing: Vec<Standing>,
}

/// Where a row of a history stands, and when it was.
struct Standing {
    profile: u32,
    above: u32,
    at: i64,
}

impl Evaluator<'_> {
    /// What is wrong with its expressions, each by itself; nothing where there are no such tables.
    pub(super) fn faults_of_engagement(&self, as_of: Timestamp) -> Vec<Error> {
        if self.names().score(ENGAGEMENT).is_none() {
            return Vec::new();
        }
        let settings = &self.scoring().scores.engagement;
        let (messages, responses) = (quoted(&settings.messages), quoted(&settings.responses));
        let profiles = "profiles".to_owned();
        let all = [
            (&settings.when, messages.clone()),
            (&settings.links, messages),
            (&settings.kind, responses.clone()),
            (&settings.link, responses),
            (&settings.zone, profiles),
        ];
        let alone = |(expression, from): (&Option<Expression>, String)| {
            let expression = expression.as_ref()?;
            let text = format!("SELECT ({}) AS value FROM {from}", expression.text);
            check(ENGAGEMENT, expression).err().or_else(|| self.fault_of(ENGAGEMENT, expression, &text, as_of))
        };
        all.into_iter().filter_map(alone).collect()
    }

    /// How everybody responds as of an instant.
    pub(super) fn engagement(&self, as_of: Timestamp, progress: &dyn Fn(&str)) -> Result<Scored, Error> {
        let path = &mut vec![Item::Score(ENGAGEMENT.to_owned())];
        let settings = &self.scoring().scores.engagement;
        progress("messages and responses");
        let profiles = self.profiles_there(as_of, path)?;
        let sent = self.sent(settings, &profiles, as_of, path)?;
        let heard = self.heard(settings, &profiles, "", as_of, path)?;
        let answered = self.answered(&profiles, heard, &sent, &self.zones(settings, as_of, path)?);
        progress("who responds when");
        let moment = Moment { now: as_of.micros(), today: self.day(as_of) };
        let rules = Rules::default();
        let found = engagement(&sent.messages(), &answered.responses(), &rules, moment)
            .map_err(|source| Error::Score { score: ENGAGEMENT.to_owned(), source })?;
        let report = self.reported(as_of, &found, &answered, &rules);
        let model = serde_json::json!({
            "score": ENGAGEMENT,
            "version": muster_score::model::VERSION,
            "as_of": as_of.rfc3339(self.names().zone),
            "prefetch_seconds": rules.prefetch_seconds,
            "scan_seconds": rules.scan_seconds,
            "scan_links": rules.scan_links,
            "patience_hours": rules.patience_hours,
            "shrink": rules.shrink,
        });
        let model = Some(serde_json::to_string_pretty(&model).expect("numbers have a text"));
        Ok(Scored { rows: profiles, columns: columns(&found), model, report })
    }

    /// The clicks of some profiles as of an instant that are their own, by the rules of the score; nothing where nothing says
    /// what a click is.
    pub(super) fn own_clicks(
        &self,
        profiles: &[u32],
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Option<Gathered>, Error> {
        let settings = &self.scoring().scores.engagement;
        if !self.knows_clicks(settings) {
            return Ok(None);
        }
        let kind = kind_of(settings);
        let heard = self.heard(settings, profiles, &format!(" WHERE ({kind}) = '{CLICK}'"), as_of, path)?;
        // The messages are asked where there is a click; what is wrong with them is said all the same.
        let sent = match heard.responses.is_empty() && self.masks().is_empty() {
            true => Sent::nothing(profiles.len()),
            false => self.sent(settings, profiles, as_of, path)?,
        };
        // The hours of clicks are not looked at.
        let answered = self.answered(profiles, heard, &sent, &HashMap::new());
        let found = own_clicks(&sent.messages(), &answered.responses(), &Rules::default());
        found.map(Some).map_err(|source| Error::Score { score: ENGAGEMENT.to_owned(), source })
    }

    /// Whether there are tables of messages and responses, and somebody or a column says what a response is.
    fn knows_clicks(&self, settings: &Settings) -> bool {
        let responses = self.names().table(&settings.responses);
        let says_kind = || responses.is_some_and(|table| table.column(KIND).is_some());
        let is_there = self.names().score(ENGAGEMENT).is_some();
        is_there && (self.scoring().is_declared(ENGAGEMENT) || says_kind())
    }

    fn sent(
        &self,
        settings: &Settings,
        profiles: &[u32],
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Sent, Error> {
        let links = settings.links.as_ref().map_or("0", |links| &links.text);
        let when = settings.when.as_ref().map(|when| format!(" WHERE {}", when.text)).unwrap_or_default();
        let (table, time) = (quoted(&settings.messages), self.time_where_masked(&settings.messages));
        let text = format!("SELECT CAST(({links}) AS BIGINT) AS links{time} FROM {table}{when}");
        let batches = self.asked(&text, [&settings.links, &settings.when], as_of, path)?;
        let (places_of, standing) = (places(profiles), self.standing_rows(&settings.messages, SystemColumn::Profile)?);
        let mut found = Vec::new();
        for batch in &batches {
            let links = batch.column(1).as_primitive::<Int64Type>();
            for (at, row) in numbers(batch).enumerate() {
                let Some(place) = standing.get(row as usize) else { continue };
                let owner = owner(&places_of, place.profile);
                let links = if links.is_null(at) { 0 } else { links.value(at).clamp(0, i64::from(u32::MAX)) as u32 };
                found.extend(owner.map(|owner| (owner, row, place.at, links)));
            }
        }
        found.sort_unstable_by_key(|(owner, row, ..)| (*owner, *row));
        Ok(Sent {
            offsets: offsets(profiles.len(), found.iter().map(|(owner, ..)| *owner)),
            rows: found.iter().map(|(_, row, ..)| *row).collect(),
            at: found.iter().map(|(.., at, _)| *at).collect(),
            links: found.iter().map(|(.., links)| *links).collect(),
        })
    }

    /// The responses of some profiles, as far as they are opens or clicks; `which` is a condition of the question.
    fn heard(
        &self,
        settings: &Settings,
        profiles: &[u32],
        which: &str,
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Heard, Error> {
        let link = settings.link.as_ref().map_or("''", |link| &link.text);
        let (kind, table) = (kind_of(settings), quoted(&settings.responses));
        let time = self.time_where_masked(&settings.responses);
        let text = format!("SELECT ({kind}) AS kind, ({link}) AS link{time} FROM {table}{which}");
        let batches = self.asked(&text, [&settings.kind, &settings.link], as_of, path)?;
        let standing = self.standing_rows(&settings.responses, SystemColumn::Parent)?;
        let places_of = places(profiles);
        let (mut responses, mut links) = (Vec::new(), HashMap::new());
        for batch in &batches {
            let texts =
                |column: usize| cast(batch.column(column), &DataType::Utf8View).map_err(muster_store::Error::from);
            let (kinds, of_links) = (texts(1)?, texts(2)?);
            let (kinds, of_links) = (kinds.as_string_view(), of_links.as_string_view());
            for (at, row) in numbers(batch).enumerate() {
                let Some(place) = standing.get(row as usize) else { continue };
                let Some(owner) = owner(&places_of, place.profile) else { continue };
                let kind = match if kinds.is_null(at) { "" } else { kinds.value(at) } {
                    OPEN => Response::Open,
                    CLICK => {
                        let text = if of_links.is_null(at) { "" } else { of_links.value(at) };
                        let next = links.len() as u32;
                        Response::Click(*links.entry(text.to_owned()).or_insert(next))
                    }
                    _ => continue,
                };
                responses.push((owner, row, kind));
            }
        }
        responses.sort_unstable_by_key(|(owner, row, _)| (*owner, *row));
        Ok(Heard { responses, standing })
    }

    /// What was heard, beside the messages that it answers; hours are those of a profile's zone.
    fn answered(&self, profiles: &[u32], heard: Heard, sent: &Sent, zones: &HashMap<u32, Tz>) -> Answered {
        let Heard { responses, standing } = heard;
        let house = self.names().zone;
        let local = |at: i64, zone: Tz| Timestamp::from_micros(at).local(zone);
        let hour = |place: &Standing| {
            let local = local(place.at, zones.get(&place.profile).copied().unwrap_or(house));
            (local.weekday().num_days_from_monday() * 24 + local.hour()) as u8
        };
        let message_of = places(&sent.rows);
        let message = |above: u32| message_of.get(above as usize).copied().filter(|place| *place != NOBODY);
        let standing = || responses.iter().map(|(_, row, _)| &standing[*row as usize]);
        Answered {
            offsets: offsets(profiles.len(), responses.iter().map(|(owner, ..)| *owner)),
            messages: standing().map(|place| message(place.above).unwrap_or(NO_MESSAGE)).collect(),
            at: standing().map(|place| place.at).collect(),
            days: standing().map(|place| days_since_1970(local(place.at, house).date_naive())).collect(),
            hours: standing().map(hour).collect(),
            kinds: responses.iter().map(|(.., kind)| *kind).collect(),
        }
    }

    /// The instant of a row as one more column, where something is masked: a question that reads a masked one is refused.
    fn time_where_masked(&self, table: &str) -> String {
        let time = time_of_rows(self.snapshot(), table).filter(|_| !self.masks().is_empty());
        time.map(|time| format!(", {time} AS at")).unwrap_or_default()
    }

    /// The answer to a question; an error points at the first of the expressions in which it lies.
    fn asked(
        &self,
        text: &str,
        expressions: [&Option<Expression>; 2],
        as_of: Timestamp,
        path: &mut Vec<Item>,
    ) -> Result<Vec<RecordBatch>, Error> {
        let written = || expressions.into_iter().flatten();
        written().try_for_each(|expression| check(ENGAGEMENT, expression))?;
        let fault = |error: muster_language::Error| match self.faults_of_engagement(as_of).into_iter().next() {
            Some(fault) => fault,
            None => written().next().map_or(Error::Language(error.clone()), |one| faulty(ENGAGEMENT, one, error)),
        };
        let asked = question(text).map_err(fault)?;
        Ok(self.rows_and_values(&asked, as_of, path, fault)?.batches)
    }

    /// Where each row of a history stands, by its number.
    fn standing_rows(&self, table: &str, above: SystemColumn) -> Result<Vec<Standing>, Error> {
        let mut standing = Vec::new();
        for block in 0..self.snapshot().block_count(table) {
            let wanted = [SystemColumn::Row, SystemColumn::Profile, above, SystemColumn::Time].map(SystemColumn::name);
            let columns = self.snapshot().scan(table, block, &wanted)?;
            let [rows, profiles, above] = [0, 1, 2].map(|column| columns[column].as_primitive::<Int64Type>().values());
            let at = columns[3].as_primitive::<TimestampMicrosecondType>().values();
            for (((row, profile), above), at) in rows.iter().zip(profiles).zip(above).zip(at) {
                let row = *row as usize;
                while standing.len() <= row {
                    standing.push(Standing { profile: NOBODY, above: NOBODY, at: 0 });
                }
                standing[row] = Standing { profile: *profile as u32, above: *above as u32, at: *at };
            }
        }
        Ok(standing)
    }

    /// The zone of each profile that has one of its own, by the number of its row.
    fn zones(&self, settings: &Settings, as_of: Timestamp, path: &mut Vec<Item>) -> Result<HashMap<u32, Tz>, Error> {
        let role = |column: &&muster_catalog::ColumnNames| column.role == Some(Role::Zone);
        let of_role = self.names().root().and_then(|root| root.columns.iter().find(role));
        let expression = settings.zone.clone().or_else(|| {
            let text = quoted(&of_role?.name);
            Some(Expression { text, place: muster_catalog::Place::of("the column with the role zone", "", 0) })
        });
        let Some(expression) = expression else { return Ok(HashMap::new()) };
        let texts = self.texts_of_profiles(ENGAGEMENT, &expression, as_of, path)?;
        // A text that names no zone is like none.
        Ok(texts.into_iter().filter_map(|(row, text)| Some((row, text.parse().ok()?))).collect())
    }

    fn reported(&self, as_of: Timestamp, found: &[Engagement], answered: &Answered, rules: &Rules) -> Report {
        let sum = |of: &dyn Fn(&Engagement) -> u32| found.iter().map(|one| u64::from(of(one))).sum::<u64>();
        let messages = sum(&|one| one.messages);
        let share = |count: u64| per_cent(count as f64 / messages.max(1) as f64);
        let mut report = Report::default();
        report.fact("as of", as_of.rfc3339(self.names().zone));
        report.fact("profiles", found.len());
        report.fact("messages", messages);
        let mut rows = Vec::new();
        for (name, count) in [
            ("opens", sum(&|one| one.opens)),
            ("clicks", sum(&|one| one.clicks)),
            ("opens by programs, not counted", sum(&|one| one.machine_opens)),
            ("clicks by programs, not counted", sum(&|one| one.machine_clicks)),
        ] {
            rows.push([name.to_owned(), count.to_string(), share(count)]);
        }
        report.table("Responses", ["", "count", "of messages"], rows);
        report.fact(
            "a program's",
            format!(
                "within {} s of the message, or every link within {} s",
                rules.prefetch_seconds, rules.scan_seconds
            ),
        );
        if answered.hours.is_empty() {
            report.remark("Nobody responded: no best hour is known.");
            return report;
        }
        let mut hours = vec![vec![0_u64; 24]; 7];
        for best in found.iter().filter(|one| one.opens > 0).filter_map(|one| one.best_hour) {
            hours[usize::from(best) / 24][usize::from(best) % 24] += 1;
        }
        report.charts.push(Chart::Grid {
            title: "The best hour of those who open".to_owned(),
            across: ("hour".to_owned(), (0..24).map(|hour| hour.to_string()).collect()),
            down: ("day".to_owned(), DAYS.map(str::to_owned).to_vec()),
            cells: hours.clone(),
        });
        let mut busiest: Vec<(usize, u64)> = hours.concat().into_iter().enumerate().collect();
        busiest.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
        let line =
            |(hour, profiles): (usize, u64)| [format!("{} {}:00", DAYS[hour / 24], hour % 24), profiles.to_string()];
        let busiest = busiest.into_iter().filter(|(_, profiles)| *profiles > 0).take(10).map(line);
        report.table("The best hour of most", ["", "profiles"], busiest.collect());
        report
    }
}

/// What a response is, as an expression over it.
fn kind_of(settings: &Settings) -> &str {
    settings.kind.as_ref().map_or(KIND, |kind| &kind.text)
}

fn owner(places: &[u32], profile: u32) -> Option<u32> {
    places.get(profile as usize).copied().filter(|place| *place != NOBODY)
}

fn columns(found: &[Engagement]) -> Vec<Column> {
    let whole = |of: &dyn Fn(&Engagement) -> Option<i64>| -> ArrayRef {
        Arc::new(found.iter().map(of).collect::<Int64Array>())
    };
    let confidence = found.iter().map(|one| one.best_hour.map(|_| one.best_hour_confidence));
    vec![
        ("messages", whole(&|one| Some(i64::from(one.messages)))),
        ("opens", whole(&|one| Some(i64::from(one.opens)))),
        ("clicks", whole(&|one| Some(i64::from(one.clicks)))),
        ("no_response_streak", whole(&|one| Some(i64::from(one.no_response_streak)))),
        ("days_since_sign", whole(&|one| one.days_since_sign.map(i64::from))),
        ("best_hour", whole(&|one| one.best_hour.map(i64::from))),
        ("best_hour_confidence", Arc::new(confidence.collect::<Float64Array>())),
    ]
}
