//! A column as `muster.toml` declares it: where it stands in the file, how its values are written, and what it means.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::ColumnType;

/// A declared column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in queries.
    pub name: String,
    /// Its name in the file.
    pub from: String,
    /// Whether a file may be without it; its rows then have no value there.
    pub optional: bool,
    /// What it holds; absent: inferred at the first load.
    pub column_type: Option<ColumnType>,
    /// How a date or instant is written (strftime); absent: ISO 8601.
    pub format: Option<String>,
    /// The first of the hundred years that a year of two digits (`%y`) means: 1930 for 1930 to 2029.
    pub window: Option<i32>,
    /// The zone of instants written without one; absent: the workspace's.
    pub zone: Option<Tz>,
    /// What the whole numbers of an instant count since 1970-01-01T00:00:00Z; absent: it is written as a text.
    pub unit: Option<Unit>,
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
    /// What stands before the fraction of a number, `.` or `,`; absent: the table's.
    pub decimal: Option<char>,
    /// What stands between groups of three digits; a blank means any kind of blank; absent: the table's.
    pub thousands: Option<char>,
    /// The signs of the workspace's currency that may stand before or behind a number; any other is rejected.
    pub currency: Vec<String>,
    /// The column of the file that holds the currency of the amount; rows in another one than the workspace's are
    /// rejected, because sums over several say nothing.
    pub currency_from: Option<String>,
    /// Whether a percent sign may stand behind a number; the number stays as it is written, `12.5 %` is 12.5.
    pub percent: bool,
    /// What the column means to muster.
    pub role: Option<Role>,
    /// Who may see it; absent: [`Class::Internal`], and of a column with a role that reaches a person
    /// [`Class::Personal`].
    pub class: Option<Class>,
    /// Who wins between loads and muster's own changes.
    pub owner: Owner,
    /// How a flat file's rows of one key give one value.
    pub pick: Option<Pick>,
}

impl Column {
    /// A column that is read as it comes.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            from: name.to_owned(),
            optional: false,
            column_type: None,
            format: None,
            window: None,
            zone: None,
            unit: None,
            null: Vec::new(),
            placeholder: Vec::new(),
            truthy: Vec::new(),
            falsy: Vec::new(),
            separator: ';',
            integral: false,
            decimal: None,
            thousands: None,
            currency: Vec::new(),
            currency_from: None,
            percent: false,
            role: None,
            class: None,
            owner: Owner::default(),
            pick: None,
        }
    }

    /// The same with a type.
    pub fn typed(name: &str, column_type: ColumnType) -> Self {
        Self { column_type: Some(column_type), ..Self::plain(name) }
    }

    /// Who may see it: as declared, else by what it means.
    pub fn class(&self) -> Class {
        let reaches_a_person = matches!(
            self.role,
            Some(Role::Email | Role::Mobile | Role::PushToken | Role::BirthDate | Role::Latitude | Role::Longitude)
        );
        self.class.unwrap_or(if reaches_a_person { Class::Personal } else { Class::Internal })
    }
}

/// What a number counts that stands for an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
}

/// Who may see the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Everybody.
    Public,
    /// Whoever works with the workspace.
    Internal,
    /// Whoever may see who a person is.
    Personal,
    /// Whoever may see what the law protects most: health, belief, origin.
    Sensitive,
}

/// Who wins between what a load brings and what muster itself changed, field by field of a table with a key.
///
/// A load is what files say. Muster's own changes are the rows that come through the write socket of `muster serve`: a
/// field is muster's from the instant at which such a row gave it another value than it had, or brought it in a row whose
/// key was not there, and until a load's value is taken. A load that says what stands there already changes nothing about
/// that. The instant of a change, and of what a file says, is the row's `updated_at` where it has one; else it is when the
/// row came. Of rows that came through the socket before any column of the table had another owner than its source, it is
/// known what they changed; what they brought in new rows may count as a load's.
///
/// Whatever the owner:
/// - A row that a file says is deleted, or that a load of all there is does not name, is deleted with all of its fields. One
///   that returns later is another row.
/// - A row that is older than the one that stands is older, and none of its values is taken.
/// - Rows through the socket change what they name.
///
/// In a column with a role `consent.CHANNEL` a load's *no* is always taken. So the owner decides there what becomes of a
/// load's *yes*, or its silence, where muster set the field: `source` takes it, `muster` does not, and `latest` does if it is
/// the later one, so that of a yes and a no of one instant the no stays. What goes into the ledger of consent is what the
/// field says then; and there a *no* of the person's, by a form or an unsubscribe link, outweighs any load's yes, whatever
/// the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owner {
    /// The load: its value is taken.
    #[default]
    Source,
    /// Muster: once it has set the field, loads never change it. Where it never did, the load's value is taken.
    Muster,
    /// Whoever changed it last; at the same instant, muster.
    Latest,
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
