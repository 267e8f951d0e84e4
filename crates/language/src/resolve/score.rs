//! Scores: `rfm.r` is a value of the row's profile, computed for all profiles before the query runs.

use muster_catalog::{ColumnType, Names, ScoreNames};
use sqlparser::ast::{Expr, Ident, Spanned};
use sqlparser::tokenizer::Span;

use super::scope::{Source, Typed, same_name};
use super::{Resolver, unknown};
use crate::error::ErrorKind;
use crate::resolved::hidden;
use crate::source::Fault;

/// The scores that come from purchases: without a table of those there are none.
const OF_PURCHASES: [&str; 5] = ["cadence", "reactivation", "rfm", "churn", "alive"];

/// The score of offers, and the function that asks it for one item.
const NEXT_OFFER: &str = "next_offer";
const OFFER_SCORE: &str = "offer_score";

/// The score of responses.
const ENGAGEMENT: &str = "engagement";

/// The column of `next_offer` under which it is kept how much everybody wants an item.
fn column_of_item(item: &str) -> String {
    format!("{OFFER_SCORE}({item})")
}

/// The item that a column of `next_offer` is about, where `offer_score` made it.
pub fn offered_item(column: &str) -> Option<String> {
    let item = column.strip_prefix(OFFER_SCORE)?.strip_prefix('(')?.strip_suffix(')')?;
    Some(item.to_owned())
}

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

    /// `offer_score('item')`: how much the row's profile wants an item; NULL where it is not to be offered.
    pub(super) fn offer_score(&mut self, name: &str, arguments: &[&Expr], span: Span) -> Option<Result<Typed, Fault>> {
        (name == OFFER_SCORE).then(|| self.offer_score_of(arguments, span))
    }

    fn offer_score_of(&mut self, arguments: &[&Expr], span: Span) -> Result<Typed, Fault> {
        let names = self.names;
        let [argument] = arguments else {
            let message = format!("`{OFFER_SCORE}` takes one item, found {} arguments", arguments.len());
            return Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(format!("{OFFER_SCORE}('an item')")));
        };
        if names.score(NEXT_OFFER).is_none() {
            let fault = missing(names, &Ident::with_span(span, NEXT_OFFER));
            return Err(fault.expect("a score without a name is missing"));
        }
        let Some(item) = self.expression(argument)?.text else {
            let message = format!("the item of `{OFFER_SCORE}` is a text that is written out, found `{argument}`");
            return Err(
                Fault::new(ErrorKind::Literal, argument.span(), message).hint(format!("{OFFER_SCORE}('an item')"))
            );
        };
        let root = names.root().expect("a score is of profiles");
        let column = column_of_item(&item);
        let hidden = hidden::score(NEXT_OFFER, &column);
        self.scores_used.insert((NEXT_OFFER.to_owned(), column));
        self.of_row(root, (&hidden, ColumnType::Float), (span, format!("{OFFER_SCORE}({argument})")))
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
    } else if is_one_of(&[NEXT_OFFER]) {
        let message = "`next_offer` is a score of the items that are bought, and nothing says what an item is";
        let fault = Fault::new(ErrorKind::UnknownName, name.span, message);
        Some(fault.hint("write [scores.next_offer] with `table` and `item` into muster.toml"))
    } else if is_one_of(&[ENGAGEMENT]) {
        let message = "`engagement` is a score of responses to messages, and no tables hold these";
        let fault = Fault::new(ErrorKind::UnknownName, name.span, message);
        Some(fault.hint("write [scores.engagement] with `messages` and `responses` into muster.toml"))
    } else {
        None
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
