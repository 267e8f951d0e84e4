//! Commands that write: a running `muster serve` does them, else this process does, under the lock.
//!
//! Only the one that holds the lock of a data directory writes there. A `muster serve` holds it for as long as it runs
//! and takes requests on its socket, so `muster load` from cron works beside it and prints what it would have printed.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::os::unix::net::UnixStream;
use std::path::{self, Path, PathBuf};

use anyhow::{Context, Result, bail};
use muster_server::{Client, Report, VERSION, Wrong};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::arguments::{Apply, Arguments, Load, Refresh, RowFormat, Scores};
use crate::commands::{apply, campaign, load, refresh, score, sql};
use crate::exit::Exit;
use crate::workspace::{Opened, Workspace};
use crate::{holder, output};

/// A command that writes, with its arguments: what is handed over, as `{"load": {"tables": ["orders"]}}`. Paths in it
/// are absolute.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writing {
    /// `muster load`
    Load(Load),
    /// `muster apply`
    Apply(Apply),
    /// `muster refresh`
    Refresh(Refresh),
    /// `muster score`
    Score(Scores),
    /// `muster sql` with statements that write
    Sql(Statements),
    /// `muster campaign publish`
    CampaignPublish(Named),
    /// `muster campaign run-due`
    CampaignRunDue(Due),
    /// `muster campaign pause`
    CampaignPause(Named),
    /// `muster campaign resume`
    CampaignResume(Named),
    /// `muster campaign take-over`
    CampaignTakeOver(Nothing),
}

/// A command without arguments.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The name of a campaign.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The campaign.
    pub name: String,
}

/// One campaign, or all.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Due {
    /// Only this campaign.
    pub name: Option<String>,
}

/// Statements of the segment language.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statements {
    /// The statements.
    pub text: String,
    /// How rows are written.
    pub format: RowFormat,
    /// Seconds that a query may take.
    pub timeout: u64,
    /// The instant at which they look, where a prompt has another one than its workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// The classes of columns that they may see, where these are not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Vec<String>>,
}

impl Writing {
    /// The names under which they are handed over.
    pub const NAMES: &[&str] = &[
        "load",
        "apply",
        "refresh",
        "score",
        "sql",
        "campaign_publish",
        "campaign_run_due",
        "campaign_pause",
        "campaign_resume",
        "campaign_take_over",
    ];

    /// Does it, with the lock held; queries of a client that leaves are stopped.
    ///
    /// # Errors
    /// Whatever kept it from being done.
    pub fn perform(&self, workspace: &Workspace, opened: &Opened, json: bool, client: &Client) -> Result<Exit> {
        match self {
            Self::Load(wanted) => load::perform(workspace, opened, wanted, json),
            Self::Apply(wanted) => apply::perform(workspace, opened, wanted),
            Self::Refresh(wanted) => refresh::perform(workspace, opened, wanted),
            Self::Score(wanted) => score::perform(workspace, opened, wanted),
            Self::Sql(wanted) => sql::perform(workspace, opened, wanted, client),
            Self::CampaignPublish(Named { name }) => campaign::publish(workspace, opened, name),
            Self::CampaignRunDue(Due { name }) => campaign::due(workspace, opened, name.as_deref(), json),
            Self::CampaignPause(Named { name }) => campaign::pause(opened, name),
            Self::CampaignResume(Named { name }) => campaign::resume(opened, name),
            Self::CampaignTakeOver(Nothing {}) => campaign::take_over(workspace, opened),
        }
    }
}

/// What a command is called with beside its own arguments.
#[derive(Debug, Clone)]
pub struct Caller {
    as_of: Option<String>,
    json: bool,
}

impl Caller {
    /// What these arguments say.
    pub fn of(arguments: &Arguments) -> Self {
        Self { as_of: arguments.as_of.clone(), json: arguments.json }
    }
}

/// Has `wanted` done in the workspace that the arguments name.
///
/// # Errors
/// Whatever kept it from being done here; what kept a running serve from it is printed, and in the exit.
pub fn carry_out(arguments: &Arguments, wanted: &Writing) -> Result<Exit> {
    carry_out_in(&Workspace::find(arguments)?, &Caller::of(arguments), wanted)
}

/// Has `wanted` done in `workspace`.
///
/// # Errors
/// As [`carry_out`].
pub fn carry_out_in(workspace: &Workspace, caller: &Caller, wanted: &Writing) -> Result<Exit> {
    if let Some(exit) = carry_out_elsewhere(workspace, caller, wanted)? {
        return Ok(exit);
    }
    let opened = workspace.open().map_err(holder::named)?;
    wanted.perform(workspace, &opened, caller.json, &Client::default())
}

/// Has `wanted` done by a running serve; `None` where there is none.
///
/// # Errors
/// If it cannot be reached, or breaks off.
pub fn carry_out_elsewhere(workspace: &Workspace, caller: &Caller, wanted: &Writing) -> Result<Option<Exit>> {
    ask(&workspace.data(), caller, wanted)?.map(Answer::print).transpose()
}

/// A path that means the same to a process in another folder.
///
/// # Errors
/// If there is no current folder.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))
}

/// What a running serve answers.
#[derive(Deserialize)]
struct Answer {
    /// Under the name of what was asked.
    #[serde(default)]
    answer: Map<String, Value>,
    error: Option<Wrong>,
}

/// Asks the running serve, if there is one.
fn ask(data: &Path, caller: &Caller, wanted: &Writing) -> Result<Option<Answer>> {
    let connected = muster_server::connect(data);
    let Some(stream) = connected.with_context(|| format!("cannot reach the muster serve of {}", data.display()))?
    else {
        return Ok(None);
    };
    if std::io::stderr().is_terminal() {
        eprintln!("the running `muster serve` does it");
    }
    let request = json!({"muster": VERSION, "request": wanted, "as_of": caller.as_of, "json": caller.json});
    let line = converse(stream, &request)?;
    if line.is_empty() {
        bail!(
            "the running `muster serve` ended before it answered; see with `muster status` what was done, then try again"
        );
    }
    let answer =
        serde_json::from_str(&line).context("the running `muster serve` answers in a way this one cannot read")?;
    Ok(Some(answer))
}

/// One line there, one back; nothing came back where it is empty.
fn converse(mut stream: UnixStream, request: &Value) -> Result<String> {
    // A server that turns somebody away answers unasked and closes, so a failure to send is no reason not to listen.
    let sent = stream.write_all(format!("{request}\n").as_bytes());
    let mut line = String::new();
    let heard = BufReader::new(stream).read_line(&mut line);
    if line.is_empty() {
        sent.and(heard.map(drop)).context("the running `muster serve` broke off")?;
    }
    Ok(line)
}

impl Answer {
    /// Prints it as if it had been done here.
    fn print(self) -> Result<Exit> {
        if let Some(wrong) = self.error {
            eprint!("{}", told(&wrong));
            return Ok(Exit::Elsewhere(if wrong.kind == "failed" { 1 } else { 4 }));
        }
        let report = self.answer.into_iter().next().context("the running `muster serve` said nothing")?.1;
        let Report { exit, stdout, stderr } = serde_json::from_value(report)?;
        output::verbatim(&stdout)?;
        eprint!("{stderr}");
        Ok(Exit::Elsewhere(exit))
    }
}

fn told(Wrong { place, message, hint, .. }: &Wrong) -> String {
    let place = place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
    let hint = hint.as_ref().map(|hint| format!("  {hint}\n")).unwrap_or_default();
    format!("error: the running `muster serve` did not do it{place}: {message}\n{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_handed_over_under_one_of_the_names() {
        let all = [
            Writing::Load(Load::default()),
            Writing::Apply(Apply::default()),
            Writing::Refresh(Refresh::default()),
            Writing::Score(Scores::default()),
            Writing::Sql(Statements {
                text: String::new(),
                format: RowFormat::Csv,
                timeout: 1,
                as_of: None,
                grant: None,
            }),
            Writing::CampaignPublish(Named { name: "a".to_owned() }),
            Writing::CampaignRunDue(Due::default()),
            Writing::CampaignPause(Named { name: "a".to_owned() }),
            Writing::CampaignResume(Named { name: "a".to_owned() }),
            Writing::CampaignTakeOver(Nothing {}),
        ];
        let name =
            |writing: &Writing| serde_json::to_value(writing).unwrap().as_object().unwrap().keys().next().cloned();
        let names: Vec<String> = all.iter().filter_map(name).collect();
        assert_eq!(names, Writing::NAMES);
    }

    #[test]
    fn arguments_may_be_left_out_and_unknown_ones_are_refused() {
        let load = |text: &str| serde_json::from_str::<Writing>(text);
        assert!(matches!(load(r#"{"load":{}}"#), Ok(Writing::Load(Load { file: None, dry_run: false, .. }))));
        let error = load(r#"{"load":{"table":"orders"}}"#).unwrap_err().to_string();
        assert!(error.starts_with("unknown field `table`, expected one of `tables`, `file`, `dry_run`"), "{error}");
    }
}
