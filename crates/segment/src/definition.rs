//! A segment's definition: a name, a query, and what a person should know about it.

use muster_catalog::Timestamp;
use muster_language::{Every, Query, SegmentDefinition, Statement, parse};
use muster_state::{Tx, params};
use sha2::{Digest, Sha256};

use crate::scores::Edition;
use crate::variable::StoredVariable;
use crate::{Error, Item, Variable};

/// All that is defined.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    /// The segments, by name.
    pub segments: Vec<Definition>,
    /// The variables, by name.
    pub variables: Vec<Variable>,
}

impl Definitions {
    /// What is stored.
    ///
    /// # Errors
    /// If the state cannot be read, or holds a text of a newer language.
    pub fn all(tx: &Tx<'_>) -> Result<Self, Error> {
        Stored::read(tx)?.definitions()
    }

    /// Whether something of this kind and name is there.
    pub(crate) fn has(&self, item: &Item) -> bool {
        match item {
            Item::Segment(name) => self.segments.iter().any(|segment| segment.name == *name),
            Item::Variable(name) => self.variables.iter().any(|variable| variable.name() == name),
            Item::Score(_) => false,
        }
    }
}

/// What is stored, unread: most statements find what the one before found.
#[derive(Debug, PartialEq)]
pub(crate) struct Stored {
    segments: Vec<StoredSegment>,
    variables: Vec<StoredVariable>,
    /// Which tables of scores there are.
    scores: Vec<Edition>,
}

impl Stored {
    pub(crate) fn read(tx: &Tx<'_>) -> Result<Self, Error> {
        Ok(Self { segments: StoredSegment::all(tx)?, variables: StoredVariable::all(tx)?, scores: Edition::all(tx)? })
    }

    /// Whether the tables of scores are the same.
    pub(crate) fn has_scores_of(&self, other: &Self) -> bool {
        self.scores == other.scores
    }

    /// What it says.
    ///
    /// # Errors
    /// If a text is of a newer language.
    pub(crate) fn definitions(&self) -> Result<Definitions, Error> {
        let segments = self.segments.iter().map(StoredSegment::definition).collect::<Result<_, _>>()?;
        let variables = self.variables.iter().map(StoredVariable::variable).collect::<Result<_, _>>()?;
        Ok(Definitions { segments, variables })
    }
}

/// A definition as it is stored.
#[derive(Debug, PartialEq)]
struct StoredSegment {
    name: String,
    query: String,
    comment: Option<String>,
    digest: String,
    defined_at: i64,
    refresh: Option<String>,
}

impl StoredSegment {
    fn all(tx: &Tx<'_>) -> Result<Vec<Self>, Error> {
        let sql = "SELECT name, query, comment, digest, defined_at, refresh FROM segment_definitions ORDER BY name";
        let all = tx.all(sql, [], |row| {
            Ok(Self {
                name: row.get(0)?,
                query: row.get(1)?,
                comment: row.get(2)?,
                digest: row.get(3)?,
                defined_at: row.get(4)?,
                refresh: row.get(5)?,
            })
        });
        Ok(all?)
    }

    fn definition(&self) -> Result<Definition, Error> {
        Ok(Definition {
            name: self.name.clone(),
            query: read(&self.query)?,
            comment: self.comment.clone(),
            digest: self.digest.clone(),
            defined_at: Timestamp::from_micros(self.defined_at),
            refresh: self.refresh.as_deref().and_then(Every::of),
        })
    }
}

/// A stored definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Who is in it.
    pub query: Query,
    /// What a person should know about it.
    pub comment: Option<String>,
    /// SHA-256 of the query's canonical text, in hexadecimal: equal for every layout of the same query.
    pub digest: String,
    /// When it was stored.
    pub defined_at: Timestamp,
    /// How often it is to be evaluated again, where that is said.
    pub refresh: Option<Every>,
}

impl Definition {
    /// What is to be stored of a parsed definition.
    pub fn new(parsed: SegmentDefinition, defined_at: Timestamp) -> Self {
        let SegmentDefinition { name, comment, query, refresh, .. } = parsed;
        let digest = digest(&query.digest_text());
        Self { name, query, comment, digest, defined_at, refresh }
    }

    /// The same segment by another query.
    pub(crate) fn with_query(&self, query: Query) -> Self {
        Self { digest: digest(&query.digest_text()), query, ..self.clone() }
    }

    /// The query in its canonical text.
    pub fn text(&self) -> String {
        self.query.digest_text()
    }

    /// All definitions, by name.
    ///
    /// # Errors
    /// If the state cannot be read, or holds a text of a newer language.
    pub fn all(tx: &Tx<'_>) -> Result<Vec<Self>, Error> {
        StoredSegment::all(tx)?.iter().map(StoredSegment::definition).collect()
    }

    /// Stores it in the place of another of its name.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn save(&self, tx: &Tx<'_>) -> Result<(), Error> {
        tx.execute(
            "INSERT INTO segment_definitions (name, query, comment, digest, defined_at, refresh)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE SET query = ?2, comment = ?3, digest = ?4, defined_at = ?5, refresh = ?6",
            params![
                self.name,
                self.text(),
                self.comment,
                self.digest,
                self.defined_at.micros(),
                self.refresh.as_ref().map(Every::text)
            ],
        )?;
        Ok(())
    }

    /// Removes the definition `name`, and its audience with it.
    pub(crate) fn remove(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
        tx.execute("DELETE FROM segment_definitions WHERE name = ?1", [name])?;
        Ok(())
    }
}

pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A stored text is what [`Query::digest_text`] printed, which reads back as the same query.
fn read(text: &str) -> Result<Query, Error> {
    match parse(text)? {
        Statement::Query { query, .. } => Ok(query),
        _ => unreachable!("a stored definition is a query"),
    }
}
