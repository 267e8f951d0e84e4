//! What to say about a name that nobody knows: where it was looked for, and what was most likely meant.

use muster_catalog::{Kind, LISTS, Names, ScoreNames, TableNames, nearest};
use sqlparser::ast::Ident;
use sqlparser::tokenizer::Span;

use super::scope::{Scope, Source, same_name};
use super::ways::column_of;
use crate::error::ErrorKind;
use crate::functions;
use crate::source::Fault;

/// How many names a message lists.
const LISTED: usize = 12;

fn unknown(span: Span, message: String) -> Fault {
    Fault::new(ErrorKind::UnknownName, span, message)
}

/// A table's name in FROM.
pub(super) fn table<'n>(names: &'n Names, ctes: impl Iterator<Item = &'n str>, name: &Ident) -> Fault {
    let known: Vec<&str> = names.tables.iter().map(|table| table.name.as_str()).chain(ctes).collect();
    let hint = suggestion(&name.value, &known).unwrap_or_else(|| format!("tables: {}", listed(&known)));
    unknown(name.span, format!("unknown table `{}`", name.value)).near(&format!("'{}'", name.value)).hint(hint)
}

/// A column of a table that is known.
pub(super) fn column_of_table(table: &TableNames, name: &Ident) -> Fault {
    let known: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    column_among(&table.name, &known, name)
}

/// A column of something that has these.
pub(super) fn column_among(owner: &str, known: &[&str], name: &Ident) -> Fault {
    let hint = suggestion(&name.value, known).unwrap_or_else(|| format!("{owner} has: {}", listed(known)));
    unknown(name.span, format!("`{owner}` has no column `{}`", name.value)).hint(hint)
}

/// A way from one table to another that is not there.
pub(super) fn step(names: &Names, from: &TableNames, name: &Ident) -> Fault {
    let links = from.links.iter().map(|(link, _, _)| link.as_str());
    let known: Vec<&str> = links.chain(names.ancestors(from).map(|table| table.name.as_str())).collect();
    let hint = suggestion(&name.value, &known)
        .or_else(|| (!known.is_empty()).then(|| format!("from {} lead: {}", from.name, listed(&known))));
    unknown(name.span, format!("nothing called `{}` is reached from {}", name.value, from.name)).maybe_hint(hint)
}

/// A segment.
pub(super) fn segment(names: &Names, name: &Ident) -> Fault {
    let known: Vec<&str> = names.segments.iter().map(|segment| segment.name.as_str()).collect();
    let hint = suggestion(&name.value, &known)
        .or_else(|| (!known.is_empty()).then(|| format!("segments: {}", listed(&known))))
        .unwrap_or_else(|| "there are no segments yet; CREATE SEGMENT makes one".to_owned());
    unknown(name.span, format!("unknown segment `{}`", name.value)).hint(hint)
}

/// A list. One whose files were never read is not there: nobody would be on it.
pub(super) fn list(names: &Names, name: &Ident) -> Fault {
    let known: Vec<&str> = names.lists().filter_map(TableNames::list_name).collect();
    let hint = suggestion(&name.value, &known)
        .or_else(|| (!known.is_empty()).then(|| format!("lists: {}", listed(&known))))
        .unwrap_or_else(|| "no list is loaded; [lists.NAME] of muster.toml says where its files are".to_owned());
    unknown(name.span, format!("unknown list `{}`", name.value)).hint(hint)
}

/// A column of a score.
pub(super) fn column_of_score(score: &ScoreNames, name: &Ident) -> Fault {
    let known: Vec<&str> = score.columns.iter().map(|column| column.name.as_str()).collect();
    let all = format!("{} has: {}", score.name, known.join(", "));
    let hint = suggestion(&name.value, &known).map_or_else(|| all.clone(), |near| format!("{near} {all}"));
    unknown(name.span, format!("`{}` has no column `{}`", score.name, name.value)).hint(hint)
}

/// A score where one of its columns should stand.
fn score_itself(score: &ScoreNames, name: &Ident) -> Fault {
    let columns: Vec<String> = score.columns.iter().map(|column| format!("{}.{}", score.name, column.name)).collect();
    let message = format!("`{}` is a score, and no value: its columns are named one by one", score.name);
    unknown(name.span, message).hint(columns.join(", "))
}

fn score_named<'n>(names: &'n Names, name: &Ident) -> Option<&'n ScoreNames> {
    names.scores.iter().find(|score| same_name(name, &score.name))
}

/// A function.
pub(super) fn function(name: &Ident) -> Fault {
    let hint = functions::nearest(&name.value.to_lowercase()).map(|near| format!("did you mean `{near}`?"));
    unknown(name.span, format!("unknown function `{}`", name.value)).maybe_hint(hint)
}

/// A column's name, with or without a way, that no scope has.
pub(super) fn column(names: &Names, scope: &Scope<'_>, parts: &[Ident]) -> Fault {
    match parts {
        [name] => bare_column(names, scope, name),
        [head, ..] => way(names, scope, head, parts),
        [] => unknown(Span::empty(), "a name is missing".to_owned()),
    }
}

fn bare_column(names: &Names, scope: &Scope<'_>, name: &Ident) -> Fault {
    if let Some(score) = score_named(names, name) {
        return score_itself(score, name);
    }
    let known = columns_in_sight(names, scope);
    let tables = names.tables.iter().map(|table| table.name.as_str());
    let fault = unknown(name.span, format!("unknown column `{}`", name.value));
    if let Some(hint) = suggestion(&name.value, &known) {
        return fault.hint(hint);
    }
    let mut having: Vec<&TableNames> = names.tables.iter().filter(|table| column_of(table, name).is_some()).collect();
    having.sort_by_key(|table| !matches!(table.kind, Kind::History { .. }));
    match having.first() {
        None if nearest(&name.value, tables.clone()).is_some() => {
            fault.maybe_hint(suggestion(&name.value, &tables.collect::<Vec<_>>()))
        }
        Some(table) => {
            let hint = elsewhere(scope, table, &name.value);
            fault.hint(format!("`{}` is a column of {}; {hint}", name.value, table.name))
        }
        None if let Some(score) = score_with(names, name) => {
            fault.hint(format!("`{0}` is a column of {1}; write {1}.{0}", name.value, score.name))
        }
        None => fault.hint(format!("columns here: {}", listed(&known))),
    }
}

fn score_with<'n>(names: &'n Names, column: &Ident) -> Option<&'n ScoreNames> {
    names.scores.iter().find(|score| score.columns.iter().any(|known| same_name(column, &known.name)))
}

/// What to do about a column of a table that is not in sight.
fn elsewhere(scope: &Scope<'_>, table: &TableNames, column: &str) -> String {
    match (&scope.source, &table.kind) {
        (Source::Rows(_), Kind::History { .. }) if !scope.is_history() => {
            format!("reduce it to one value: max({}.{column})", table.name)
        }
        (Source::Rows(reach), _) => format!("it is not reached from {}", reach.base.name),
        (Source::Tables(_), _) => "add that table to FROM".to_owned(),
    }
}

fn way(names: &Names, scope: &Scope<'_>, head: &Ident, parts: &[Ident]) -> Fault {
    let written: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
    let written = written.join(".");
    let table = names.table(&head.value).filter(|table| same_name(head, &table.name));
    match (&scope.source, table) {
        (Source::Rows(reach), Some(table)) if reach.is_on_path(table) => {
            let message = format!("`{}` is called `{}` here", table.name, reach.called());
            unknown(head.span, message).hint(format!("write {}.{}", reach.called(), written_behind(parts)))
        }
        (Source::Rows(reach), Some(table)) if matches!(table.kind, Kind::History { .. }) && !scope.is_history() => {
            let message = format!("`{written}` has many values for one row of {}", reach.base.name);
            let hint = format!("reduce them to one: max({written}), or has({}) FILTER (WHERE …)", table.name);
            Fault::new(ErrorKind::Level, head.span, message).hint(hint)
        }
        (Source::Rows(reach), Some(table)) => {
            unknown(head.span, format!("`{}` is not reached from {}", table.name, reach.base.name))
        }
        (_, Some(table)) => unknown(head.span, format!("`{}` is not in FROM", table.name)).hint("add it to FROM"),
        (_, None) if let Some(score) = score_named(names, head) => score_itself(score, head),
        (_, None) => {
            let known = heads_in_sight(names, scope);
            let hint = suggestion(&head.value, &known).unwrap_or_else(|| format!("known here: {}", listed(&known)));
            unknown(head.span, format!("unknown name `{}`", head.value)).hint(hint)
        }
    }
}

fn written_behind(parts: &[Ident]) -> String {
    let behind: Vec<&str> = parts.iter().skip(1).map(|part| part.value.as_str()).collect();
    behind.join(".")
}

fn columns_in_sight<'n>(names: &'n Names, scope: &'n Scope<'_>) -> Vec<&'n str> {
    let sources: Vec<&str> = match &scope.source {
        Source::Rows(reach) => {
            let path: Vec<&TableNames> = reach.path().collect();
            let lookups = path.iter().flat_map(|table| &table.links).filter_map(|(_, _, lookup)| names.table(lookup));
            path.iter()
                .copied()
                .chain(lookups)
                .flat_map(|table| &table.columns)
                .map(|column| column.name.as_str())
                .collect()
        }
        Source::Tables(tables) => tables.column_names().collect(),
    };
    let items = scope.items.iter().filter(|_| scope.clause.sees_items()).map(|(name, _)| name.value.as_str());
    unique(sources.into_iter().chain(items))
}

fn unique<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut unique: Vec<&str> = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}

fn heads_in_sight<'n>(names: &'n Names, scope: &'n Scope<'_>) -> Vec<&'n str> {
    let here: Vec<&str> = match &scope.source {
        Source::Rows(reach) => {
            let links = reach.path().flat_map(|table| &table.links).map(|(link, _, _)| link.as_str());
            std::iter::once(reach.called()).chain(links).collect()
        }
        Source::Tables(tables) => tables.aliases().collect(),
    };
    let tables = names.tables.iter().filter(|table| table.kind != Kind::List).map(|table| table.name.as_str());
    let lists = names.lists().next().map(|_| LISTS);
    let scores = names.scores.iter().map(|score| score.name.as_str());
    unique(here.into_iter().chain(tables).chain(["segments"]).chain(lists).chain(scores))
}

/// What was most likely meant; two letters are too few to tell.
fn suggestion(name: &str, known: &[&str]) -> Option<String> {
    if name.chars().count() < 3 {
        return None;
    }
    nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
}

fn listed(known: &[&str]) -> String {
    let more = if known.len() > LISTED { ", …" } else { "" };
    format!("{}{more}", known.iter().take(LISTED).copied().collect::<Vec<_>>().join(", "))
}
