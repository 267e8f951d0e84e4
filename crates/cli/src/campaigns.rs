//! The campaigns that a workspace's folder campaigns/ defines, and what is wrong with them.

use std::fs;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use muster_campaign::definition::{KnownChannel, Step, Surroundings};
use muster_campaign::{Definition, Purpose};
use muster_catalog::{Channel, ColumnNames, Role, nearest};
use muster_channel::Templates;
use muster_segment::{Definition as SegmentDefinition, Item};

use crate::queries;
use crate::workspace::Workspace;

/// Their names, in order.
pub fn names(workspace: &Workspace) -> Vec<String> {
    let Ok(entries) = fs::read_dir(workspace.dir.join("campaigns")) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let toml = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let mut names: Vec<String> = toml.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// The definition of a campaign in campaigns/.
///
/// # Errors
/// If there is none, or it is not in order.
pub fn read(workspace: &Workspace, name: &str) -> Result<(String, Definition)> {
    let file = format!("campaigns/{name}.toml");
    let path = workspace.dir.join(&file);
    if !path.is_file() {
        let known = names(workspace);
        let near = nearest(name, known.iter().map(String::as_str));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        bail!("there is no campaign `{name}` in campaigns/{hint}");
    }
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
    let definition = Definition::parse(&file, name, &text).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Ok((text, definition))
}

/// Every problem of a definition and of what it names: segment, channels, templates.
pub fn problems(workspace: &Workspace, templates: &Arc<Templates>, name: &str) -> Vec<String> {
    let definition = match read(workspace, name) {
        Ok((_, definition)) => definition,
        Err(error) => return vec![format!("{error:#}")],
    };
    let segments = segment_names(workspace);
    let surroundings = Surroundings {
        segments: segments.iter().map(String::as_str).collect(),
        channels: workspace.catalog.channels.iter().map(|channel| known_channel(workspace, channel)).collect(),
        templates: templates.names().collect(),
    };
    let named = definition.check(&surroundings);
    let mut problems: Vec<String> = named.iter().map(ToString::to_string).collect();
    if problems.is_empty() {
        problems.extend(
            definition.steps.iter().flat_map(|step| template_problems(workspace, templates, &definition, step)),
        );
    }
    problems
}

/// A template is tried on a profile with every field empty; marketing must offer the way out.
fn template_problems(
    workspace: &Workspace,
    templates: &Templates,
    definition: &Definition,
    step: &Step,
) -> Vec<String> {
    let (template, fields) = (&step.send.template.name, profile_fields(workspace));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let mut problems = match templates.check(template, &fields) {
        Ok(check) => check.problems.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("templates/{template}: {error}")],
    };
    let marketing = definition.purpose == Purpose::Marketing;
    if marketing && templates.can_unsubscribe(template).is_ok_and(|can| !can) {
        problems.push(format!("templates/{template}: marketing needs {{{{ links.unsubscribe }}}} in every part"));
    }
    problems
}

fn known_channel<'a>(workspace: &Workspace, channel: &'a Channel) -> KnownChannel<'a> {
    // Both kinds of channel that there are carry e-mail.
    let role = Role::Email;
    let consent = Role::Consent(role.to_string());
    let has_consent = workspace.catalog.root().columns.iter().any(|column| column.role.as_ref() == Some(&consent));
    KnownChannel { name: channel.name(), role: "email", has_consent }
}

/// The segments that are stored, and those that queries/ defines.
fn segment_names(workspace: &Workspace) -> Vec<String> {
    let defined = queries::definitions(workspace, &[]).unwrap_or_default();
    let stored = workspace.open_reading().ok().and_then(|opened| opened.reader.read(SegmentDefinition::all).ok());
    let stored = stored.unwrap_or_default().into_iter().map(|definition| definition.name);
    let defined = defined.iter().filter_map(|definition| match definition.item() {
        Item::Segment(name) => Some(name),
        Item::Variable(_) | Item::Score(_) => None,
    });
    defined.chain(stored).collect()
}

/// The columns of profiles: those that are loaded, else those that are declared.
fn profile_fields(workspace: &Workspace) -> Vec<String> {
    let names = |columns: Vec<ColumnNames>| columns.into_iter().map(|column| column.name).collect();
    let loaded = workspace.open_reading().ok().and_then(|opened| opened.store.snapshot());
    let loaded = loaded.and_then(|snapshot| Some(names(snapshot.schema("profiles")?.names().columns)));
    loaded.unwrap_or_else(|| workspace.catalog.root().columns.iter().map(|column| column.name.clone()).collect())
}
