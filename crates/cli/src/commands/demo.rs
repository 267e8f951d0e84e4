//! `muster demo`: a whole shop from nothing, from its files to the e-mails that leave.

mod days;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use muster_campaign::Status;
use muster_demo::shop::{DaySummary, Format, Shop};
use muster_demo::workspace::Setting;
use muster_demo::{sink, workspace as demo_workspace};
use muster_language::Statement;
use muster_segment::{Outcome, Session};

use super::load::thousands;
use super::score::Wanted;
use crate::arguments::{Arguments, Demo, FileFormat, Load, RowFormat};
use crate::exit::Exit;
use crate::workspace::{Opened, PATIENT, Workspace, engine};
use crate::{loading, output, progress, queries};

/// The campaign that the demo sends.
const CAMPAIGN: &str = "winback";

/// Makes the shop and walks through it.
///
/// # Errors
/// If any part of it fails; and if the sink's journal is not what the ledger says was sent.
pub fn run(arguments: &Arguments, wanted: &Demo) -> Result<Exit> {
    let place = Place::of(wanted)?;
    let started = Instant::now();
    write_shop(wanted, &place.dir)?;
    if wanted.only_write {
        return Ok(Exit::Done);
    }
    let sink = SinkProcess::start(&place.dir)?;
    demo_workspace::write(&place.dir, Setting { mail_port: sink.port, ..setting(wanted, 0) })?;
    let workspace = Workspace::read(place.dir.clone(), arguments.as_of.as_deref())?;
    let opened = workspace.open()?;
    load(&workspace, &opened)?;
    score(&workspace, &opened)?;
    segment(&workspace, &opened)?;
    send(&workspace, &opened, &sink)?;
    drop(sink);
    // The demo's own mail server is gone; what stays names the usual port.
    demo_workspace::write(&place.dir, setting(wanted, 0))?;
    days::go_on(arguments, wanted, &place.dir, &opened)?;
    output::text(&format!("\ndone in {:.1} s", started.elapsed().as_secs_f64()))?;
    place.goodbye(wanted)?;
    Ok(Exit::Done)
}

fn format(files: FileFormat) -> Format {
    match files {
        FileFormat::Csv => Format::Csv,
        FileFormat::Parquet => Format::Parquet,
    }
}

/// What the workspace says after so many days, with the usual port for e-mail.
fn setting(wanted: &Demo, days: u32) -> Setting {
    Setting { format: format(wanted.files), mail_port: demo_workspace::MAIL_PORT, days }
}

fn heading(text: &str) -> Result<()> {
    output::text(&format!("\n{text}\n{}", "-".repeat(text.chars().count())))
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let started = Instant::now();
    let done = work()?;
    Ok((done, started.elapsed().as_secs_f64()))
}

/// The folder of the demo, and whether it goes when the demo ends.
struct Place {
    dir: PathBuf,
    temporary: bool,
}

impl Place {
    fn of(wanted: &Demo) -> Result<Self> {
        let temporary = wanted.into.is_none();
        let dir = wanted
            .into
            .clone()
            .unwrap_or_else(|| std::env::temp_dir().join(format!("muster-demo-{}", std::process::id())));
        if dir.join("data").exists() {
            bail!("{} holds a loaded workspace already; name another folder", dir.display());
        }
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(Self { dir, temporary })
    }

    fn goodbye(&self, wanted: &Demo) -> Result<()> {
        if self.temporary && !wanted.keep {
            return fs::remove_dir_all(&self.dir).with_context(|| format!("cannot remove {}", self.dir.display()));
        }
        output::text(&format!(
            "the workspace stays in {0}; try\n  muster --dir {0} sql -c \"SHOW SEGMENTS\"",
            self.dir.display()
        ))
    }
}

fn write_shop(wanted: &Demo, dir: &Path) -> Result<()> {
    let Demo { customers, seed, files, days, .. } = *wanted;
    heading(&format!("A furniture shop with {} customers (seed {seed})", thousands(customers)))?;
    let bar = progress::count("customers", customers);
    let shop = Shop { customers, seed };
    let write = || {
        let advance = |progress: muster_demo::shop::Progress| bar.set_position(progress.customers);
        let summary = shop.write(&dir.join(demo_workspace::FILES), format(files), &advance)?;
        Ok((summary, shop.write_days(days, &dir.join(demo_workspace::DAYS), format(files), &advance)?))
    };
    let ((summary, later), seconds) = timed(write)?;
    bar.finish_and_clear();
    for (table, rows) in summary.rows {
        output::text(&format!("  {table:<16} {:>12} rows", thousands(rows)))?;
    }
    for DaySummary { date, rows } in later {
        let rows = rows.iter().map(|(_, rows)| rows).sum();
        output::text(&format!("  {:<16} {:>12} rows", format!("{}/{date}", demo_workspace::DAYS), thousands(rows)))?;
    }
    demo_workspace::write(dir, setting(wanted, 0))?;
    output::text(&format!("written in {seconds:.1} s"))
}

fn load(workspace: &Workspace, opened: &Opened) -> Result<()> {
    heading("Load")?;
    let (report, seconds) = timed(|| loading::load(workspace, opened, &Load::default()))?;
    output::text(&super::load::text(&report))?;
    output::text(&format!("loaded in {seconds:.1} s"))
}

fn score(workspace: &Workspace, opened: &Opened) -> Result<()> {
    heading("Scores")?;
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    // Of a handful of customers not all can be learnt.
    let wanted = super::score::all(session.scores()?).into_iter().map(|score| Wanted { is_needed: false, ..score });
    let wanted: Vec<Wanted> = wanted.collect();
    let (_, seconds) = timed(|| super::score::compute(workspace, &session, &wanted, false))?;
    output::text(&format!("learnt in {seconds:.1} s; `muster score --kept --report` says how good they are"))
}

fn segment(workspace: &Workspace, opened: &Opened) -> Result<()> {
    heading("Audiences")?;
    let (clock, engine) = (workspace.clock(), engine(PATIENT)?);
    let mut session = Session::new(opened.workbench(workspace, &engine, clock.as_ref()), workspace.as_of)?;
    let definitions = queries::definitions(workspace, &[])?;
    let (outcomes, seconds) = timed(|| Ok(session.define_all(definitions, true)?))?;
    for outcome in &outcomes {
        if let Outcome::Defined { audience, .. } = outcome {
            let evaluator = session.evaluator()?;
            let (_, seconds) = timed(|| Ok(evaluator.rows(&audience.segment, session.as_of())?))?;
            let count = thousands(audience.rows.len());
            output::text(&format!("  {:<24} {count:>10} profiles {:>8.0} ms", audience.segment, seconds * 1000.0))?;
        }
    }
    output::text(&format!(
        "{} segments and variables defined in {seconds:.1} s; for example by tier:",
        outcomes.len()
    ))?;
    let question = "SELECT tier, count(*) AS profiles, avg(sum(orders.total)) AS average_spent, \
                    count(*) FILTER (WHERE segments.lapsed) AS lapsed FROM profiles GROUP BY tier ORDER BY profiles DESC";
    output::text(&format!("  {question}"))?;
    let statement: Statement = muster_language::parse(question)?;
    super::sql::print(&session.execute(statement)?, RowFormat::Table, workspace)
}

fn send(workspace: &Workspace, opened: &Opened, sink: &SinkProcess) -> Result<()> {
    heading("A campaign")?;
    super::campaign::publish(workspace, opened, CAMPAIGN)?;
    let (summaries, seconds) = timed(|| super::campaign::send(workspace, opened, Some(CAMPAIGN)))?;
    let summary = summaries.first().context("the campaign had nothing to do")?;
    output::text(&super::campaign::text(summary))?;
    output::text(&format!("sent in {seconds:.1} s"))?;
    let (sent, accepted) = (summary.count(Status::Sent), sink.accepted()?);
    if accepted.len() as u64 != sent {
        bail!("the ledger says {sent} were sent, the mail server accepted {}", accepted.len());
    }
    output::text(&format!("the mail server's journal holds exactly the {} that were sent", thousands(sent)))
}

/// The mail sink as a process of its own, ended with the demo.
struct SinkProcess {
    child: Child,
    journal: PathBuf,
    port: u16,
}

impl SinkProcess {
    fn start(dir: &Path) -> Result<Self> {
        let (journal, port_file) = (dir.join("sink.journal"), dir.join("sink.port"));
        let _ = fs::remove_file(&port_file);
        let binary = std::env::current_exe().context("the binary does not know its own path")?;
        let child = Command::new(binary)
            .args(["sink", "--journal"])
            .arg(&journal)
            .arg("--port-file")
            .arg(&port_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("the mail sink cannot be started")?;
        let mut sink = Self { child, journal, port: 0 };
        sink.port = sink::wait_for_port(&port_file, Duration::from_secs(10))?;
        Ok(sink)
    }

    fn accepted(&self) -> Result<Vec<sink::Entry>> {
        Ok(sink::read_journal(&self.journal)?)
    }
}

impl Drop for SinkProcess {
    fn drop(&mut self) {
        // It keeps nothing that is not in its journal already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
