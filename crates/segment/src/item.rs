//! Segments and variables by name: what a definition may name, and what names it.

use std::collections::BTreeSet;
use std::fmt;

use muster_language::{ResolvedQuery, SegmentDefinition, VariableDefinition};

/// Something with a name and a definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A segment.
    Segment(String),
    /// A variable.
    Variable(String),
    /// A score.
    Score(String),
}

impl Item {
    /// What `query` names, also where it asks about another instant.
    pub(crate) fn named_by(query: &ResolvedQuery) -> BTreeSet<Self> {
        let mut named: BTreeSet<Self> = query.segments_used.iter().cloned().map(Self::Segment).collect();
        named.extend(query.audiences_used.iter().cloned().map(Self::Segment));
        named.extend(query.variables_used.iter().cloned().map(Self::Variable));
        named.extend(query.scores_used.iter().map(|(score, _)| Self::Score(score.clone())));
        named.extend(query.affinities_used.iter().map(|name| Self::Score(format!("affinity.{name}"))));
        named.extend(query.past.iter().flat_map(|past| Self::named_by(&past.rows.query)));
        named
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Segment(name) | Self::Variable(name) | Self::Score(name) => name,
        }
    }
}

/// A segment by its name alone, a variable or a score as one.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(name) => f.write_str(name),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Score(name) => write!(f, "score {name}"),
        }
    }
}

/// A definition that is to be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum NewDefinition {
    /// Of a segment.
    Segment(SegmentDefinition),
    /// Of a variable.
    Variable(VariableDefinition),
}

impl NewDefinition {
    /// What it defines.
    pub fn item(&self) -> Item {
        match self {
            Self::Segment(definition) => Item::Segment(definition.name.clone()),
            Self::Variable(definition) => Item::Variable(definition.name.clone()),
        }
    }
}
