//! Scores: `rfm.r` is a value of the row's profile, computed for all profiles before the query runs.

use muster_catalog::{Names, ScoreNames};
use sqlparser::ast::Ident;

use super::scope::{Source, Typed, same_name};
use super::{Resolver, unknown};
use crate::error::ErrorKind;
use crate::resolved::hidden;
use crate::source::Fault;

/// The scores that come from purchases: without a table of those there are none.
const OF_PURCHASES: [&str; 3] = ["cadence", "reactivation", "rfm"];

/// The scores that a later version has.
const LATER: [&str; 4] = ["churn", "alive", "next_offer", "engagement"];

impl<'a> Resolver<'a> {
    /// The score that a name before a point means; a table of that name, and a name that a FROM gives, is meant before it.
    pub(super) fn score_called(&self, head: &Ident) -> Option<&'a ScoreNames> {
        let names = self.names;
        let knows = |index: usize| matches!(&self.scopes[index].source, Source::Rows(reach) if reach.knows(head));
        let score = names.scores.iter().find(|score| same_name(head, &score.name))?;
        let is_something_else = names.table(&head.value).is_some() || self.scopes_in_sight().any(knows);
        (!is_something_else).then_some(score)
    }

    /// `rfm.r`: what the score says of the row's profile; NULL where that has none.
    pub(super) fn score(&mut self, score: &'a ScoreNames, head: &Ident, name: &Ident) -> Result<Typed, Fault> {
        let fault = || unknown::column_of_score(score, name);
        let column = score.columns.iter().find(|column| same_name(name, &column.name)).ok_or_else(fault)?;
        let root = self.names.root().ok_or_else(fault)?;
        self.scores_used.insert((score.name.clone(), column.name.clone()));
        let hidden = hidden::score(&score.name, &column.name);
        let written = format!("{}.{}", head.value, name.value);
        self.of_row(root, (&hidden, column.column_type), (head.span, written))
    }
}

/// What to say about a score that is none of the names: nothing is known to compute it from, or nothing computes it yet.
pub(super) fn missing(names: &Names, name: &Ident) -> Option<Fault> {
    let is_one_of = |scores: &[&str]| scores.iter().any(|score| same_name(name, score));
    if names.table(&name.value).is_some() || names.score(&name.value).is_some() {
        None
    } else if is_one_of(&OF_PURCHASES) {
        let message = format!("`{}` is a score of purchases, and no table says which rows are purchases", name.value);
        let fault = Fault::new(ErrorKind::UnknownName, name.span, message);
        Some(fault.hint("write `purchase = { value = \"…\" }` into that table of muster.toml"))
    } else {
        is_one_of(&LATER).then(|| Fault::not_yet(name.span, "scores"))
    }
}

/// What to say about a score as a table in FROM.
pub(super) fn no_table(names: &Names, name: &Ident) -> Option<Fault> {
    let Some(score) = names.scores.iter().find(|score| same_name(name, &score.name)) else {
        return missing(names, name);
    };
    let columns: Vec<String> =
        score.columns.iter().take(2).map(|column| format!("{}.{}", score.name, column.name)).collect();
    let message = format!("`{}` is a score: it has values of each profile, and is no table", score.name);
    let fault = Fault::new(ErrorKind::NotAllowed, name.span, message);
    Some(fault.hint(format!("select its columns FROM profiles: SELECT {} FROM profiles", columns.join(", "))))
}
