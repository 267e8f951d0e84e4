//! What a workspace consists of: tables in a tree with one root, lookups beside it, and the ways out.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{Column, Condition, Dialect, Place, Scores, Timestamp};

/// Everything that `muster.toml` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    /// Name, zone, currency, as-of.
    pub workspace: Workspace,
    /// The tables in the order in which they were written; exactly one is the root, `profiles`. Behind them the lists of
    /// profile keys: `[lists.staff]` is the table `lists.staff`, a name that no other table can have.
    pub tables: Vec<Table>,
    /// The ways out, in the order in which they were written.
    pub channels: Vec<Channel>,
    /// How the scores are computed.
    pub scores: Scores,
}

impl Catalog {
    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// The table whose rows are purchases, and which of them; at most one says so.
    pub fn purchases(&self) -> Option<(&Table, &Purchase)> {
        self.tables.iter().find_map(|table| Some((table, table.purchase.as_ref()?)))
    }

    /// The root, `profiles`.
    ///
    /// # Panics
    /// Never for a catalog that [`crate::parse`] made: it refuses a workspace without root.
    pub fn root(&self) -> &Table {
        self.tables.iter().find(|table| table.kind == Kind::Root).expect("a parsed catalog has a root")
    }

    /// The links that lead from rows of `table` to lookups.
    pub fn links_from<'a>(&'a self, table: &'a str) -> impl Iterator<Item = (&'a Link, &'a Table)> {
        self.tables.iter().flat_map(move |lookup| {
            lookup.lookup.iter().filter(move |link| link.from_table == table).map(move |link| (link, lookup))
        })
    }

    /// The tables with every parent before its children; lookups come first, lists last.
    pub fn parents_first(&self) -> Vec<&Table> {
        let mut ordered: Vec<&Table> = self.tables.iter().filter(|table| table.kind == Kind::Lookup).collect();
        let mut level: Vec<&Table> = vec![self.root()];
        while !level.is_empty() {
            let children =
                self.tables.iter().filter(|table| level.iter().any(|parent| table.is_child_of(&parent.name)));
            let children: Vec<&Table> = children.collect();
            ordered.append(&mut level);
            level = children;
        }
        ordered.extend(self.tables.iter().filter(|table| table.kind == Kind::List));
        ordered
    }
}

/// The head of a workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// Its name.
    pub name: String,
    /// The zone of `now()`, of dates, and of instants without one.
    pub time_zone: Tz,
    /// ISO 4217 code of all amounts.
    pub currency: String,
    /// For data of the past: what `now()` means here. Absent: the clock.
    pub as_of: Option<Timestamp>,
}

/// What the rows of a table are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One row per profile.
    Root,
    /// Many rows per row of `parent`, in time.
    History {
        /// The table above.
        parent: String,
        /// The column that holds the parent's key; of several the combined one, see [`Table::on_parts`].
        on: String,
    },
    /// One row per key, shared by many rows.
    Lookup,
    /// Keys of profiles, each once, and nothing else.
    List,
}

impl Kind {
    /// Whether the table stands beside the tree: nothing is above it, and no profile owns its rows. Its past is not kept,
    /// so it is that of today as of every instant.
    pub fn is_beside_the_tree(&self) -> bool {
        matches!(self, Self::Lookup | Self::List)
    }
}

/// What the names of lists begin with, before a point: `lists.staff`.
pub const LISTS: &str = "lists";

/// One table of the workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name in queries.
    pub name: String,
    /// Root, history, lookup or list.
    pub kind: Kind,
    /// Path or glob of its files, relative to the workspace; with several sources that of the first.
    pub source: String,
    /// The sources of `[[tables.NAME.sources]]`; empty where `source` says it all.
    pub sources: Vec<Source>,
    /// The column that identifies a row; rows of a history without one are a multiset. Of a key of several columns
    /// the combined one, see [`Table::key_parts`].
    pub key: Option<String>,
    /// The columns of the key in their order; one for a plain key.
    pub key_parts: Vec<String>,
    /// The columns that hold the parts of the parent's key, in the order of the parent's.
    pub on_parts: Vec<String>,
    /// The column with the instant of a row; a history without one has its parent's.
    pub time: Option<String>,
    /// The column with the instant at which a row last changed at its source.
    pub updated_at: Option<String>,
    /// The column before whose instant a profile does not exist.
    pub created_at: Option<String>,
    /// The column that is true in rows that are deleted at their source.
    pub deleted: Option<String>,
    /// How the rows of a lookup are reached.
    pub lookup: Vec<Link>,
    /// Which of its rows are purchases and what each is worth; of a history in time, and of one table at most.
    pub purchase: Option<Purchase>,
    /// Which rows stay; the parts of a conjunction, in order.
    pub conditions: Vec<Condition>,
    /// Whether a flat file gives one row per distinct key.
    pub one_row_per_key: bool,
    /// What becomes of a row whose parent is not known.
    pub missing_parent: MissingParent,
    /// What a load means for the rows that are there.
    pub mode: Mode,
    /// Whether a load without rows may empty the table where `mode` replaces.
    pub allow_empty: bool,
    /// The field separator; absent: found by looking.
    pub delimiter: Option<char>,
    /// Whether fields are separated by runs of blanks.
    pub blanks: bool,
    /// Whether the first line names the columns.
    pub header: bool,
    /// The names of the columns of a file without header.
    pub names: Vec<String>,
    /// How its text is written otherwise.
    pub dialect: Dialect,
    /// Texts that mean "no value" in every column of this table, beside the empty field.
    pub null: Vec<String>,
    /// How many rejects a load bears; absent: one percent or 1,000, whichever is larger.
    pub error_budget: Option<u64>,
    /// The columns that were declared; the others are inferred at the first load.
    pub columns: Vec<Column>,
}

impl Table {
    /// Its section in `muster.toml`, as messages call it: `[tables.orders]`, `[lists.staff]`.
    pub fn title(&self) -> String {
        if self.kind == Kind::List { format!("[{}]", self.name) } else { format!("[tables.{}]", self.name) }
    }

    /// The table above, of a history.
    pub fn parent(&self) -> Option<&str> {
        match &self.kind {
            Kind::History { parent, .. } => Some(parent),
            Kind::Root | Kind::Lookup | Kind::List => None,
        }
    }

    /// The column that holds the parent's key, of a history.
    pub fn on(&self) -> Option<&str> {
        match &self.kind {
            Kind::History { on, .. } => Some(on),
            Kind::Root | Kind::Lookup | Kind::List => None,
        }
    }

    /// The paths and globs of all of its files.
    pub fn patterns(&self) -> Vec<&str> {
        if self.sources.is_empty() {
            return vec![&self.source];
        }
        self.sources.iter().map(|source| source.source.as_str()).collect()
    }

    /// The columns that are made of several: the key and the parent's key, with their parts in order.
    pub fn combined(&self) -> Vec<(&str, &[String])> {
        let key = self.key.as_deref().map(|key| (key, self.key_parts.as_slice()));
        let on = self.on().map(|on| (on, self.on_parts.as_slice())).filter(|on| Some(*on) != key);
        key.into_iter().chain(on).filter(|(_, parts)| parts.len() > 1).collect()
    }

    /// The declaration of a column.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn is_child_of(&self, parent: &str) -> bool {
        self.parent() == Some(parent)
    }
}

/// One of several sources of a table. A file belongs to the source of highest priority whose pattern it fits and whose
/// `header` it has, of equal ones to the first; a file that fits none is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Path or glob of its files, relative to the workspace.
    pub source: String,
    /// Columns that the header of a file must have (`match`).
    pub header: Vec<String>,
    /// The higher goes first.
    pub priority: i64,
    /// The declared columns as the files of this source have them: those of the table, changed by the source's own.
    pub columns: Vec<Column>,
    /// The names of those that this source declares itself.
    pub own: Vec<String>,
}

impl Source {
    /// The declaration of a column for the files of this source.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// What a load means for the rows that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Known keys are updated, new ones come in, the others stay.
    #[default]
    Merge,
    /// The table is what the load says, and nothing else.
    Replace,
    /// The rows below each parent that the load names are what the load says; other parents keep theirs
    /// (`replace = "by_parent"`).
    ReplaceByParent,
}

/// A name under which rows of one table reach a lookup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The name in queries: `products`, `home_site`.
    pub name: String,
    /// The table whose rows hold the key.
    pub from_table: String,
    /// The column that holds it.
    pub from_column: String,
}

/// Which rows of a table are purchases, and what each is worth: texts of the segment language about one of these rows, as
/// they are written. What they mean is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// What a purchase is worth, never empty: `total`, `sum(order_lines.quantity * order_lines.price)`.
    pub value: String,
    /// Where that text begins.
    pub value_place: Place,
    /// Which rows are purchases, never empty: those for which it is TRUE; absent: all of them.
    pub when: Option<String>,
    /// Where that text begins.
    pub when_place: Option<Place>,
}

/// What becomes of a history row whose parent is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingParent {
    /// Kept aside, and attached in the same publish as its parent.
    #[default]
    Hold,
    /// A bare parent with only its key is made.
    Create,
    /// Refused.
    Reject,
}

/// A configured way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// Prints to the terminal.
    Console {
        /// Its name in campaigns.
        name: String,
    },
    /// E-mail over SMTP.
    Smtp(SmtpChannel),
}

impl Channel {
    /// Its name in campaigns.
    pub fn name(&self) -> &str {
        match self {
            Self::Console { name } => name,
            Self::Smtp(smtp) => &smtp.name,
        }
    }
}

/// E-mail over SMTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpChannel {
    /// Its name in campaigns.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `Shop <news@shop.example>`.
    pub from: String,
    /// How the conversation is kept private.
    pub tls: Tls,
    /// Who signs in.
    pub user: Option<String>,
    /// The environment variable that holds the password.
    pub password_env: Option<String>,
    /// How many conversations may be open at once.
    pub connections: u16,
}

/// How an SMTP conversation is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all; for servers on this machine.
    None,
    /// In plain first, then STARTTLS; refused where the server does not offer it.
    StartTls,
    /// From the first byte.
    Always,
}
