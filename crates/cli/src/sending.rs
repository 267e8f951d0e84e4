//! The wiring of campaigns: channels from muster.toml, audiences from segments, profiles from the snapshot.

use std::sync::Arc;

use anyhow::Result;
use arrow_array::RecordBatch;
use arrow_json::writer::JsonArray;
use muster_campaign::{Audience, Audiences, GivenError, LinkRequest, Profiles as CampaignProfiles, Recipient};
use muster_catalog::{Channel as Configured, Clock, Role};
use muster_channel::{Channel, Console, Links, Mailbox, MessageId, Smtp, SmtpSettings, Templates, UnsubscribeLink};
use muster_query::Engine;
use muster_segment::{Profiles, Session};
use serde_json::{Map, Value};

use crate::workspace::{Opened, Workspace};

/// The workspace's templates.
///
/// # Errors
/// Every problem of their texts.
pub fn templates(workspace: &Workspace) -> Result<Arc<Templates>> {
    Ok(Arc::new(Templates::read(&workspace.dir.join("templates"))?.with_default_language("nl")))
}

/// The configured ways out.
///
/// # Errors
/// If a setting of one is not in order.
pub fn channels(workspace: &Workspace, templates: &Arc<Templates>) -> Result<Vec<Box<dyn Channel>>> {
    let channel = |configured: &Configured| -> Result<Box<dyn Channel>> {
        Ok(match configured {
            Configured::Console { name } => Box::new(Console::new(name, Arc::clone(templates))),
            Configured::Smtp(smtp) => Box::new(Smtp::new(&smtp.name, SmtpSettings::of(smtp)?, Arc::clone(templates))?),
        })
    };
    workspace.catalog.channels.iter().map(channel).collect()
}

/// Where a message's links lead: to the sender's mailbox, with what identifies the message in the subject.
pub fn links(workspace: &Workspace) -> impl Fn(&LinkRequest<'_>) -> Links + Sync + use<> {
    let from = workspace.catalog.channels.iter().find_map(|channel| match channel {
        Configured::Smtp(smtp) => Mailbox::parse(&smtp.from).ok(),
        Configured::Console { .. } => None,
    });
    move |request| {
        let link = from.as_ref().map(|Mailbox { address, .. }| {
            format!("mailto:{address}?subject=unsubscribe%20{}", id_of(request.message))
        });
        Links { unsubscribe: link.and_then(|link| UnsubscribeLink::new(&link).ok()) }
    }
}

/// The part of a message's id that names the message, without the domain.
fn id_of(message: &MessageId) -> &str {
    message.as_str().split('@').next().unwrap_or_default()
}

/// Segments as campaigns see them: refreshed when a campaign enters one.
pub struct SegmentAudiences<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// Where audiences are kept.
    pub opened: &'a Opened,
    /// What evaluates them.
    pub engine: &'a Engine,
    /// The present.
    pub clock: &'a dyn Clock,
}

impl Audiences for SegmentAudiences<'_> {
    fn audience(&self, segment: &str) -> Result<Audience, GivenError> {
        let bench = self.opened.workbench(self.workspace, self.engine, self.clock);
        let session = Session::new(bench, self.workspace.as_of)?;
        let audience = session.refresh(segment)?;
        let keys = session.evaluator()?.keys(&audience.rows)?;
        Ok(Audience { keys, snapshot: audience.snapshot, as_of: audience.as_of, definition: audience.definition })
    }
}

/// Profiles as templates see them: their columns, by name.
pub struct SnapshotProfiles(Profiles);

impl SnapshotProfiles {
    /// The profiles of the newest snapshot, as they were at the instant that stands for the present.
    ///
    /// # Errors
    /// If nothing was loaded yet, or the store cannot be read.
    pub fn of(workspace: &Workspace, opened: &Opened) -> Result<Self> {
        let newest = opened.store.snapshot().ok_or(muster_segment::Error::NoData)?;
        let snapshot = match workspace.as_of {
            Some(instant) => newest.as_of(instant)?,
            None => newest,
        };
        Ok(Self(Profiles::of(snapshot, workspace.catalog.workspace.time_zone)?))
    }

    fn text_of(&self, row: &Map<String, Value>, wanted: &Role) -> Option<String> {
        let column = self.0.columns().iter().find(|column| column.role.as_ref() == Some(wanted))?;
        row.get(&column.name)?.as_str().map(str::to_owned)
    }
}

impl CampaignProfiles for SnapshotProfiles {
    fn fetch(&self, role: &str, keys: &[&str]) -> Result<Vec<Option<Recipient>>, GivenError> {
        let role: Role = role.parse()?;
        let (places, batch) = self.0.fetch(keys)?;
        let mut rows = objects(&batch)?;
        let recipient = |place: Option<usize>| {
            let fields = std::mem::take(rows.get_mut(place?)?);
            let (address, language) = (self.text_of(&fields, &role), self.text_of(&fields, &Role::Language));
            Some(Recipient { address, language, fields })
        };
        Ok(places.into_iter().map(recipient).collect())
    }
}

/// Each row as a JSON object.
fn objects(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>, GivenError> {
    let mut json = Vec::new();
    let mut writer = arrow_json::WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(&mut json);
    writer.write(batch)?;
    writer.finish()?;
    Ok(if json.is_empty() { Vec::new() } else { serde_json::from_slice(&json)? })
}
