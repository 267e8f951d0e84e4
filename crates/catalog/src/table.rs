//! What a workspace consists of: tables in a tree with one root, lookups beside it, and the ways out.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{ColumnType, Condition, Timestamp};

/// Everything that `muster.toml` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    /// Name, zone, currency, as-of.
    pub workspace: Workspace,
    /// The tables in the order in which they were written; exactly one is the root, `profiles`.
    pub tables: Vec<Table>,
    /// The ways out, in the order in which they were written.
    pub channels: Vec<Channel>,
}

impl Catalog {
    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
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

    /// The tables with every parent before its children; lookups come first.
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
        /// The column that holds the parent's key.
        on: String,
    },
    /// One row per key, shared by many rows.
    Lookup,
}

/// One table of the workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name in queries.
    pub name: String,
    /// Root, history or lookup.
    pub kind: Kind,
    /// Path or glob of its files, relative to the workspace.
    pub source: String,
    /// The column that identifies a row; rows of a history without one are a multiset.
    pub key: Option<String>,
    /// The column with the instant of a row; a history without one has its parent's.
    pub time: Option<String>,
    /// The column with the instant at which a row last changed at its source.
    pub updated_at: Option<String>,
    /// The column before whose instant a profile does not exist.
    pub created_at: Option<String>,
    /// How the rows of a lookup are reached.
    pub lookup: Vec<Link>,
    /// Which rows stay; the parts of a conjunction, in order.
    pub conditions: Vec<Condition>,
    /// Whether a flat file gives one row per distinct key.
    pub one_row_per_key: bool,
    /// What becomes of a row whose parent is not known.
    pub missing_parent: MissingParent,
    /// The field separator; absent: found by looking.
    pub delimiter: Option<char>,
    /// Whether fields are separated by runs of blanks.
    pub blanks: bool,
    /// Whether the first line names the columns.
    pub header: bool,
    /// The names of the columns of a file without header.
    pub names: Vec<String>,
    /// Texts that mean "no value" in every column of this table, beside the empty field.
    pub null: Vec<String>,
    /// How many rejects a load bears; absent: one percent or 1,000, whichever is larger.
    pub error_budget: Option<u64>,
    /// The columns that were declared; the others are inferred at the first load.
    pub columns: Vec<Column>,
}

impl Table {
    /// The table above, of a history.
    pub fn parent(&self) -> Option<&str> {
        match &self.kind {
            Kind::History { parent, .. } => Some(parent),
            Kind::Root | Kind::Lookup => None,
        }
    }

    /// The column that holds the parent's key, of a history.
    pub fn on(&self) -> Option<&str> {
        match &self.kind {
            Kind::History { on, .. } => Some(on),
            Kind::Root | Kind::Lookup => None,
        }
    }

    /// The declaration of a column.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn is_child_of(&self, parent: &str) -> bool {
        self.parent() == Some(parent)
    }
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

/// A declared column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in queries.
    pub name: String,
    /// Its name in the file.
    pub from: String,
    /// What it holds; absent: inferred at the first load.
    pub column_type: Option<ColumnType>,
    /// How a date or instant is written (strftime); absent: ISO 8601.
    pub format: Option<String>,
    /// The zone of instants written without one; absent: the workspace's.
    pub zone: Option<Tz>,
    /// Texts that mean "no value", beside the table's.
    pub null: Vec<String>,
    /// Values that stand for "not known" and become no value, counted.
    pub placeholder: Vec<String>,
    /// Texts that mean true; with `falsy` both empty: true/false, t/f, yes/no, y/n, 1/0, capitals aside.
    pub truthy: Vec<String>,
    /// Texts that mean false; empty beside a `truthy`: whatever is not true.
    pub falsy: Vec<String>,
    /// What separates the members of a set.
    pub separator: char,
    /// Whether an id written as a whole float (`17850.0`) is that whole number's text.
    pub integral: bool,
    /// What the column means to muster.
    pub role: Option<Role>,
    /// How a flat file's rows of one key give one value.
    pub pick: Option<Pick>,
}

impl Column {
    /// A column that is read as it comes.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            from: name.to_owned(),
            column_type: None,
            format: None,
            zone: None,
            null: Vec::new(),
            placeholder: Vec::new(),
            truthy: Vec::new(),
            falsy: Vec::new(),
            separator: ';',
            integral: false,
            role: None,
            pick: None,
        }
    }

    /// The same with a type.
    pub fn typed(name: &str, column_type: ColumnType) -> Self {
        Self { column_type: Some(column_type), ..Self::plain(name) }
    }
}

/// What a column means to muster, whatever its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Role {
    /// An e-mail address.
    Email,
    /// A mobile number.
    Mobile,
    /// A token for push messages.
    PushToken,
    /// The language of a profile.
    Language,
    /// The zone of a profile.
    Zone,
    /// A day of birth.
    BirthDate,
    /// A postcode.
    Postcode,
    /// Degrees north.
    Latitude,
    /// Degrees east.
    Longitude,
    /// Whether marketing may use the named channel.
    Consent(String),
    /// Whether the profile is for tests only.
    Test,
}

const PLAIN_ROLES: [(&str, Role); 10] = [
    ("email", Role::Email),
    ("mobile", Role::Mobile),
    ("push_token", Role::PushToken),
    ("language", Role::Language),
    ("zone", Role::Zone),
    ("birth_date", Role::BirthDate),
    ("postcode", Role::Postcode),
    ("latitude", Role::Latitude),
    ("longitude", Role::Longitude),
    ("test", Role::Test),
];

impl Role {
    /// How the roles are written, for messages.
    pub fn spellings() -> impl Iterator<Item = &'static str> {
        PLAIN_ROLES.iter().map(|(text, _)| *text).chain(["consent.email", "consent.sms"])
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown role `{0}`")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        if let Some(channel) = text.strip_prefix("consent.").filter(|channel| !channel.is_empty()) {
            return Ok(Self::Consent(channel.to_owned()));
        }
        let known = PLAIN_ROLES.iter().find(|(spelling, _)| *spelling == text);
        known.map(|(_, role)| role.clone()).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consent(channel) => write!(f, "consent.{channel}"),
            plain => {
                let spelling = PLAIN_ROLES.iter().find(|(_, role)| role == plain);
                f.write_str(spelling.map_or("", |(text, _)| text))
            }
        }
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.to_string()
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownRole;

    fn try_from(text: String) -> Result<Self, UnknownRole> {
        text.parse()
    }
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

/// How the rows of one key in a flat file give one value; nulls do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The oldest by `updated_at` where given (ties: the smallest value), else the first that was read.
    First,
    /// The newest by `updated_at` where given (ties: the smallest value), else the last that was read.
    Last,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The sum.
    Sum,
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
