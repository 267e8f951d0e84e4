//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use muster_query::Back;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// Analytics, segments and campaigns over all customers and their whole history.
#[derive(Debug, Parser)]
#[command(name = "muster", version, about, max_term_width = 100)]
pub struct Arguments {
    /// The workspace; without it the nearest folder from here upwards that has a muster.toml
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The instant that now() means, instead of the present or the workspace's as_of
    #[arg(long, global = true, value_name = "INSTANT")]
    pub as_of: Option<String>,
    /// One JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// More messages on stderr; twice for even more
    #[arg(short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Messages go to stderr: results on stdout stay clean.
    pub fn start_log(&self) {
        let level = ["warn", "info", "debug"][usize::from(self.verbose.min(2))];
        let filter = EnvFilter::try_from_env("MUSTER_LOG").unwrap_or_else(|_| EnvFilter::new(level));
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a shop, load it, segment it, and send a campaign to a mail sink
    Demo(Demo),
    /// Begin a workspace
    Init(Init),
    /// Read everything, change nothing, and list every problem with its place
    Check(Check),
    /// Files into the store
    Load(Load),
    /// What is loaded, how old it is, and what is on its way
    Status(Status),
    /// Run statements of the segment language
    Sql(Sql),
    /// The segments with their counts and ages
    Segments,
    /// One segment
    Segment(Segment),
    /// Create or replace the segments and variables that queries/ defines
    Apply(Apply),
    /// Evaluate segments again, and keep who came and went
    Refresh(Refresh),
    /// Compute scores that are learnt from everybody, and say how good they are
    Score(Score),
    /// Campaigns: what is sent to whom
    #[command(subcommand)]
    Campaign(Campaign),
    /// A segment's profiles into a file
    Export(Export),
    /// Everything that muster keeps into one file, also while others write
    Backup(Backup),
    /// What a backup holds, into a workspace that has no data yet
    Restore(Restore),
    /// Check every byte that muster keeps
    Doctor(Doctor),
    /// Stay, and do what other commands and the write socket ask
    Serve(Serve),
    /// A mail server that keeps a journal and delivers nothing
    #[command(hide = true)]
    Sink(Sink),
}

/// `muster demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// How many customers the shop has
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub customers: u64,
    /// Which of all shops of that size
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Where the workspace goes, kept; without it a temporary folder
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
    /// Keep the temporary folder and say where it is
    #[arg(long)]
    pub keep: bool,
    /// Let the shop go on for so many days after its first files, and load each day's files by themselves
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=366))]
    pub days: u32,
    /// How the shop's files are written
    #[arg(long, value_enum, default_value_t = FileFormat::Parquet)]
    pub files: FileFormat,
    /// Write the workspace and stop: nothing is loaded or sent
    #[arg(long, requires = "into")]
    pub only_write: bool,
}

/// How the demo's files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// Comma-separated text
    Csv,
    /// Columns
    Parquet,
}

/// `muster init`
#[derive(Debug, Args)]
pub struct Init {
    /// The folder of the workspace; made where it is missing
    pub folder: PathBuf,
    /// Files, or folders of files, from which tables, types, keys, parents, times and roles are guessed
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub from: Vec<PathBuf>,
}

/// `muster check`
#[derive(Debug, Args)]
pub struct Check {
    /// Put the types that were inferred into muster.toml; nothing else of it changes
    #[arg(long)]
    pub write: bool,
}

/// `muster load`
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Load {
    /// Only these tables
    pub tables: Vec<String>,
    /// Only this file, into each table whose source matches it
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Read and merge everything, say what would happen, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Take back the latest load; again, the one before
    #[arg(long, conflicts_with_all = ["tables", "file", "accept"])]
    pub undo: bool,
    /// Do what would be refused for looking like a mistake
    #[arg(long, value_enum, value_name = "GUARD", value_delimiter = ',')]
    pub accept: Vec<Guard>,
}

/// What a load is refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guard {
    /// More than 30 % of a table's rows would go
    Loss,
    /// A stored column is no longer in the files, and would have no value in their rows
    Columns,
    /// It may need more memory than is free
    Memory,
}

/// `muster status`
#[derive(Debug, Args)]
pub struct Status {
    /// Only the load history: the newest N loads with their reports
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", conflicts_with = "html",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub loads: Option<u32>,
    /// The health of the data as one page, into this file: nulls, doubles, future dates, orphans, growth
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `muster sql`
#[derive(Debug, Args)]
pub struct Sql {
    /// The statements
    #[arg(short, value_name = "TEXT", conflicts_with = "file")]
    pub command: Option<String>,
    /// A file of statements
    #[arg(short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How rows are written
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub format: RowFormat,
    /// Seconds that a query may take
    #[arg(long, default_value_t = 30, value_name = "S")]
    pub timeout: u64,
    /// The classes of columns that may be seen, of public, internal, personal, sensitive; others are NULL (all)
    #[arg(long, value_name = "CLASSES", value_delimiter = ',', value_parser = class_word)]
    pub grant: Option<Vec<String>>,
    /// Leave the history kernel out: queries run as the plain SQL that EXPLAIN SQL shows
    #[arg(long)]
    pub plain_sql: bool,
    /// Say on stderr how long each statement took, from its text to its last row; where one of them writes, nothing is said
    #[arg(long)]
    pub timing: bool,
}

impl Sql {
    /// What computes the histories of its queries.
    pub fn back(&self) -> Back {
        if self.plain_sql { Back::PlainSql } else { Back::Kernel }
    }
}

/// The word for a class of columns.
fn class_word(word: &str) -> Result<String, String> {
    let known = muster_segment::class_of(word).map(|_| word.to_owned());
    known.ok_or_else(|| "expected public, internal, personal or sensitive".to_owned())
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowFormat {
    /// For people
    Table,
    /// Comma-separated text
    Csv,
    /// An array of objects
    Json,
    /// An Arrow IPC stream
    Arrow,
    /// A Parquet file
    Parquet,
}

/// `muster segment`
#[derive(Debug, Args)]
pub struct Segment {
    /// Its name
    pub name: String,
    /// The keys of its profiles, one a line
    #[arg(long, conflicts_with = "history")]
    pub members: bool,
    /// Its refreshes: how many came, how many went, and why; also of one that was dropped
    #[arg(long)]
    pub history: bool,
    /// How many remain after each condition, and how many each takes away by itself
    #[arg(long, conflicts_with_all = ["members", "history"])]
    pub explain: bool,
    /// Why the profile with this key is in it or not, condition by condition
    #[arg(long = "for", value_name = "KEY", conflicts_with_all = ["members", "history"])]
    pub for_key: Option<String>,
    /// Whether each of these profiles is in it, asked of them alone: nobody else is looked at
    #[arg(long, value_name = "KEY", num_args = 1.., conflicts_with_all = ["members", "history", "explain", "for_key"])]
    pub of: Vec<String>,
    /// Also how long that took; on stderr
    #[arg(long, requires = "of")]
    pub timing: bool,
    /// Who would come and go with this definition instead: SELECT … or WHERE …; with --members each by key
    #[arg(long = "with", value_name = "DEFINITION", conflicts_with_all = ["history", "explain", "for_key", "of"])]
    pub with_definition: Option<String>,
    /// Who came and went since this instant; with --members each by key
    #[arg(long, value_name = "INSTANT", conflicts_with_all = ["history", "explain", "for_key", "of", "with_definition"])]
    pub from: Option<String>,
    /// And until this one; without it, until the instant at which everything looks
    #[arg(long, value_name = "INSTANT", requires = "from")]
    pub to: Option<String>,
}

/// `muster refresh`
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refresh {
    /// Segments; without any all of them
    pub names: Vec<String>,
    /// Scores that are learnt, instead of segments
    #[arg(long)]
    pub scores: bool,
    /// Only those whose refresh says that it is time; without --scores segments and scores
    #[arg(long, conflicts_with = "names")]
    pub due: bool,
}

/// `muster score`
#[derive(Debug, Args)]
pub struct Score {
    /// The scores; without any all of them
    pub names: Vec<String>,
    /// What they say of themselves; also as a page into this file
    #[arg(long, value_name = "HTML", num_args = 0..=1)]
    pub report: Option<Option<PathBuf>>,
    /// The model of the score as readable JSON, into this file
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Compute nothing: show what is kept
    #[arg(long)]
    pub kept: bool,
    /// Of churn, as it is kept: what each characteristic of the profile with this key adds to its score
    #[arg(long, value_name = "KEY", conflicts_with_all = ["report", "model"])]
    pub why: Option<String>,
}

/// The scores that are to be computed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scores {
    /// Their names; without any all of them.
    pub names: Vec<String>,
    /// Whether nothing is said of those that were computed.
    pub is_quiet: bool,
}

/// `muster apply`
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Apply {
    /// Files or folders; without any the workspace's queries/
    pub paths: Vec<PathBuf>,
}

/// `muster campaign …`
#[derive(Debug, Subcommand)]
pub enum Campaign {
    /// The published campaigns, and the definitions that are not published yet
    List,
    /// Every problem of a definition and its templates
    Check {
        /// The campaign
        name: String,
    },
    /// Make the definition live, as a new version
    Publish {
        /// The campaign
        name: String,
    },
    /// Send what is due, and return
    RunDue {
        /// Only this campaign
        name: Option<String>,
    },
    /// Every decision to write to someone, or not to
    Ledger {
        /// The campaign
        name: String,
        /// How the rows are written
        #[arg(long, value_enum, default_value_t = RowFormat::Table)]
        format: RowFormat,
    },
    /// Send from this copy of a workspace from now on; the one it was copied from must not send any more
    TakeOver,
    /// Let nobody enter and send nothing, until it is resumed
    Pause {
        /// The campaign
        name: String,
    },
    /// Go on after a pause
    Resume {
        /// The campaign
        name: String,
    },
}

/// `muster export`
#[derive(Debug, Args)]
pub struct Export {
    /// The segment
    #[arg(required_unless_present = "tables")]
    pub segment: Option<String>,
    /// The file: .csv, .ndjson or .parquet
    #[arg(long, value_name = "FILE", required_unless_present = "tables")]
    pub to: Option<PathBuf>,
    /// The columns of profiles, in order, those of scores as churn.score; without it all of profiles
    #[arg(long, value_delimiter = ',')]
    pub columns: Vec<String>,
    /// All tables as Parquet, with the hidden columns that printed SQL needs
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["segment", "to", "columns"])]
    pub tables: Option<PathBuf>,
}

/// `muster backup`
#[derive(Debug, Args)]
pub struct Backup {
    /// The file, a tar archive; there must be none of this name yet
    pub file: PathBuf,
}

/// `muster restore`
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup
    pub file: PathBuf,
    /// The folder of the workspace; made where it is missing. Without it the workspace of --dir, or this folder
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
}

/// `muster doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// Say also what every table holds, as a digest of its rows
    #[arg(long)]
    pub digest: bool,
    /// Move files that are damaged out of the way, into data/quarantine
    #[arg(long)]
    pub quarantine: bool,
    /// Bring back the files that are damaged or missing from a backup
    #[arg(long, value_name = "BACKUP")]
    pub mend: Option<PathBuf>,
}

/// `muster serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Where livez and readyz answer over HTTP; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: std::net::SocketAddr,
}

/// `muster sink`
#[derive(Debug, Args)]
pub struct Sink {
    /// Where accepted messages are recorded before they are acknowledged
    #[arg(long)]
    pub journal: PathBuf,
    /// The address of loopback to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// A file that receives the port
    #[arg(long)]
    pub port_file: Option<PathBuf>,
}
