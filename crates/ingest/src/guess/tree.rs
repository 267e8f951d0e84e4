//! Which table is the root, which stand below it, and which are lookups beside.

use std::cmp::Ordering;

use muster_catalog::{ColumnType, Role};

use super::pass::TableFacts;
use super::references::Reference;
use super::words::{PERSON, THING, has_word};
use super::{ColumnGuess, LinkGuess, Parent, Said, TAKEN_FROM, TableGuess, TableKind};

/// A reference that so many rows do not have leads to no parent.
const ABSENT: f64 = 0.02;
/// Below this nothing about a table is like a person's.
const LEAST_RATING: f64 = 1.5;

/// Says what the rows of each table are, gives the tables their names, and puts them in order. Also says in words what
/// the root was chosen from.
pub(crate) fn arrange(
    facts: &[TableFacts],
    references: &[Reference],
    mut tables: Vec<TableGuess>,
) -> (Vec<TableGuess>, String) {
    let links: Vec<Reference> = to_keys(references, &tables);
    let ratings = ratings(facts, &links, &tables);
    let told = told(&tables, &ratings);
    let best = ratings.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1));
    match best.filter(|(_, rating)| **rating >= LEAST_RATING) {
        Some((root, _)) => place(facts, &links, &mut tables, root, &ratings),
        None => without_root(facts, &mut tables, &links),
    }
    take_types(&links, &mut tables);
    rename(&mut tables);
    let rank = rank(&tables);
    tables.sort_by_key(rank);
    (tables, told)
}

/// References to single columns that are the keys of their tables, and are sure enough.
fn to_keys(references: &[Reference], tables: &[TableGuess]) -> Vec<Reference> {
    let is_key = |found: &&Reference| {
        let table = &tables[found.to.0];
        let key = table.key.as_ref().filter(|key| key.is_taken());
        key.is_some_and(|key| key.value == [table.columns[found.to.1].name.clone()])
    };
    let mut kept: Vec<Reference> = Vec::new();
    // The surest come first, and a column holds the key of one table.
    for found in references.iter().filter(is_key) {
        if found.sure >= TAKEN_FROM && kept.iter().all(|other| other.from != found.from) {
            kept.push(found.clone());
        }
    }
    kept
}

/// How much each table is like the one with the persons; a table without a key of one column never is.
fn ratings(facts: &[TableFacts], links: &[Reference], tables: &[TableGuess]) -> Vec<f64> {
    // Where one table alone has a key it is the persons', unless its rows name a person again and again.
    let sole = tables.iter().filter(|table| has_key(table)).count() == 1 && person_column(facts, tables).is_none();
    let rate = |(number, table): (usize, &TableGuess)| {
        if !has_key(table) {
            return f64::NEG_INFINITY;
        }
        let incoming = links.iter().filter(|link| link.to.0 == number && is_whole(facts, link));
        let events: f64 = incoming.map(|link| if has_time(&tables[link.from.0]) { 1.0 } else { 0.5 }).sum();
        let named = |list| has_word(&table.file, list) || key_of(table).is_some_and(|key| has_word(key, list));
        let points = |holds: bool, points: f64| if holds { points } else { 0.0 };
        // What need not be told apart from other tables is not judged by its name.
        let words = points(named(PERSON), 2.0) - points(named(THING) && !sole, 2.0);
        events + person_signs(table) + words + points(sole, LEAST_RATING)
    };
    tables.iter().enumerate().map(rate).collect()
}

fn has_key(table: &TableGuess) -> bool {
    key_of(table).is_some()
}

fn key_of(table: &TableGuess) -> Option<&str> {
    let key = table.key.as_ref().filter(|key| key.is_taken() && key.value.len() == 1)?;
    Some(&key.value[0])
}

fn is_whole(facts: &[TableFacts], link: &Reference) -> bool {
    facts[link.from.0].columns[link.from.1].absent_share() <= ABSENT
}

fn has_time(table: &TableGuess) -> bool {
    table.columns.iter().any(|column| matches!(column.column_type.value, ColumnType::Date | ColumnType::Timestamp))
}

/// Addresses and days of birth are people's.
fn person_signs(table: &TableGuess) -> f64 {
    let points = |column: &ColumnGuess| match column.role.as_ref().map(|role| &role.value) {
        Some(Role::Email) => 3.0,
        Some(Role::Mobile) => 2.0,
        Some(Role::BirthDate) => 1.5,
        _ => 0.0,
    };
    table.columns.iter().map(points).sum()
}

fn told(tables: &[TableGuess], ratings: &[f64]) -> String {
    let mut rated: Vec<(&str, f64)> =
        tables.iter().zip(ratings).map(|(table, rating)| (table.file.as_str(), *rating)).collect();
    rated.sort_by(|one, other| other.1.total_cmp(&one.1));
    let one = |(name, rating): &(&str, f64)| match rating.is_finite() {
        true => format!("{name} {rating}"),
        false => format!("{name} has no key of one column"),
    };
    format!(
        "points for tables of events that refer to it, for e-mail, telephone and birth, and for names: {}",
        rated.iter().map(one).collect::<Vec<_>>().join(", ")
    )
}

/// The root, what hangs below it, and what is looked up from there.
fn place(facts: &[TableFacts], links: &[Reference], tables: &mut [TableGuess], root: usize, ratings: &[f64]) {
    let next = ratings.iter().enumerate().filter(|(table, _)| *table != root).map(|(_, rating)| *rating);
    let margin = ratings[root] - next.fold(f64::NEG_INFINITY, f64::max);
    let bare = ratings[root] <= LEAST_RATING;
    let sure = if bare {
        0.65
    } else if margin >= 2.0 {
        0.95
    } else if margin >= 1.0 {
        0.85
    } else {
        0.65
    };
    let why = format!("{} points as the table of persons, {} more than the next", ratings[root], shown(margin));
    tables[root].kind = Said::new(TableKind::Root, sure, why);
    hang_below(facts, links, tables, root);
    look_up(links, tables);
}

fn shown(margin: f64) -> String {
    if margin.is_finite() { margin.to_string() } else { "many".to_owned() }
}

/// Every table that leads to the root becomes a history, each below the table that is farthest from the root: an order's
/// line belongs to the order, not to the customer whom it may also name.
fn hang_below(facts: &[TableFacts], links: &[Reference], tables: &mut [TableGuess], root: usize) {
    let usable: Vec<&Reference> = links.iter().filter(|link| link.from.0 != root && is_whole(facts, link)).collect();
    for child in 0..tables.len() {
        let ways = usable.iter().filter(|link| link.from.0 == child);
        let reaching = ways.filter_map(|link| Some((distance(&usable, link.to.0, root, &mut vec![child])?, link)));
        let best = reaching.max_by(|one, other| one.0.cmp(&other.0).then(by_sureness(one.1, other.1)));
        if let Some((_, link)) = best.filter(|_| child != root) {
            become_history(tables, link);
        }
    }
}

fn by_sureness(one: &Reference, other: &Reference) -> Ordering {
    // Of equally sure ones the first column wins.
    one.sure.total_cmp(&other.sure).then(other.from.1.cmp(&one.from.1))
}

/// How many steps it is from `table` to the root at most, not through `passed`.
fn distance(links: &[&Reference], table: usize, root: usize, passed: &mut Vec<usize>) -> Option<usize> {
    if table == root {
        return Some(0);
    }
    if passed.contains(&table) {
        return None;
    }
    passed.push(table);
    let ways = links.iter().filter(|link| link.from.0 == table).map(|link| link.to.0);
    let far = ways.filter_map(|next| distance(links, next, root, passed)).max().map(|steps| steps + 1);
    passed.pop();
    far
}

fn become_history(tables: &mut [TableGuess], link: &Reference) {
    let on = tables[link.from.0].columns[link.from.1].name.clone();
    let parent = Parent { table: tables[link.to.0].file.clone(), on: on.clone(), orphans: link.orphans };
    become_id(&mut tables[link.from.0].columns[link.from.1], 0.95, &format!("the key of {}", parent.table));
    let kind =
        Said::new(TableKind::History, link.sure, format!("every row has `{on}`, which leads to {}", parent.table));
    tables[link.from.0].kind = kind;
    tables[link.from.0].parent = Some(Said::new(parent, link.sure, link.why.clone()));
}

/// What is a key, or holds one, is an id whatever its values look like.
fn take_types(links: &[Reference], tables: &mut [TableGuess]) {
    for table in tables.iter_mut() {
        let Some(key) = key_of(table).map(str::to_owned) else { continue };
        if let Some(column) = table.columns.iter_mut().find(|column| column.name == key) {
            become_id(column, 0.95, "the key of the table");
        }
    }
    for link in links {
        let why = format!("its values are keys of {}: {}", tables[link.to.0].file, link.why);
        become_id(&mut tables[link.from.0].columns[link.from.1], link.sure, &why);
    }
}

fn become_id(column: &mut ColumnGuess, sure: f64, why: &str) {
    if column.column_type.value != ColumnType::Id {
        column.column_type = Said::new(ColumnType::Id, sure, why);
        (column.null, column.misfits) = (Vec::new(), None);
    }
}

/// Tables that are not placed and whose keys placed ones hold.
fn look_up(links: &[Reference], tables: &mut [TableGuess]) {
    let placed: Vec<bool> = tables.iter().map(|table| table.kind.value != TableKind::Unplaced).collect();
    for link in links.iter().filter(|link| placed[link.from.0] && !placed[link.to.0]) {
        let (from, column) = (tables[link.from.0].file.clone(), link.from.1);
        let from_column = tables[link.from.0].columns[column].name.clone();
        let lookup = &mut tables[link.to.0];
        let guess = LinkGuess { name: lookup.file.clone(), from_table: from, from_column };
        lookup.links.push(Said::new(guess, link.sure, link.why.clone()));
        let why = format!("{} refer to it, and it does not lead to a person", lookup.links.len());
        lookup.kind = Said::new(TableKind::Lookup, 0.85, why);
    }
}

/// No table has one row per person: the persons are made from the column that most tables with times know them by.
///
/// Where there is no such column either, all tables stay unplaced.
fn without_root(facts: &[TableFacts], tables: &mut Vec<TableGuess>, links: &[Reference]) {
    let Some((table, column)) = person_column(facts, tables) else { return };
    let key = tables[table].columns[column].name.clone();
    let mut root = bare_root(&tables[table], column);
    root.needs = needs(facts, table, column);
    let file = root.name.clone();
    for other in 0..tables.len() {
        let same = tables[other].columns.iter().position(|found| found.name.eq_ignore_ascii_case(&key));
        let Some(on) = same else { continue };
        let known = facts[other].columns[on].values.found_in(&facts[table].columns[column].values);
        become_history_of(tables, (other, on), &file, known.rows - known.rows_found);
        tables[other].needs = needs(facts, other, on);
    }
    look_up(links, tables);
    tables.push(root);
}

/// A column by which rows name a person, in a table with times: by its name first, then by how often each value returns.
fn person_column(facts: &[TableFacts], tables: &[TableGuess]) -> Option<(usize, usize)> {
    let mut best: Option<(f64, (usize, usize))> = None;
    for (table, guess) in tables.iter().enumerate().filter(|(_, guess)| has_time(guess)) {
        for (column, found) in guess.columns.iter().enumerate() {
            let facts = &facts[table].columns[column];
            let distinct = facts.values.distinct();
            let returns = distinct >= 10 && distinct * 10 <= facts.rows * 9 && facts.absent_share() <= 0.5;
            let id = found.column_type.value == ColumnType::Id;
            if !id || !returns || !has_word(&found.name, PERSON) {
                continue;
            }
            let tables_with_it = tables.iter().filter(|other| other.column(&found.name).is_some()).count();
            let rating = tables_with_it as f64 * 1e12 + distinct as f64;
            if best.is_none_or(|(most, _)| rating > most) {
                best = Some((rating, (table, column)));
            }
        }
    }
    best.map(|(_, place)| place)
}

/// Profiles of which only the key is known, read from a table of events.
fn bare_root(events: &TableGuess, column: usize) -> TableGuess {
    let key = events.columns[column].clone();
    let why = format!("no file has one row per person; these are the values of `{}` in {}", key.name, events.file);
    TableGuess {
        name: "profiles".to_owned(),
        kind: Said::new(TableKind::Root, 0.65, why),
        key: Some(Said::new(vec![key.name.clone()], 0.65, "one row is made for each of its values")),
        one_row_per_key: true,
        columns: vec![key],
        ..events.clone()
    }
}

fn become_history_of(tables: &mut [TableGuess], (table, column): (usize, usize), root: &str, orphans: u64) {
    let on = tables[table].columns[column].name.clone();
    become_id(&mut tables[table].columns[column], 0.9, "the key of profiles");
    tables[table].kind = Said::new(TableKind::History, 0.7, format!("its rows name a person by `{on}`"));
    let parent = Parent { table: root.to_owned(), on, orphans };
    tables[table].parent = Some(Said::new(parent, 0.7, "a profile is made of every value of one of the tables"));
}

fn needs(facts: &[TableFacts], table: usize, column: usize) -> Option<Said<String>> {
    let column = &facts[table].columns[column];
    let why = format!("{} of {} rows name nobody", column.absent, column.rows);
    (column.absent > 0).then(|| Said::new(column.name.clone(), 0.7, why))
}

/// Tables get the names that queries use.
fn rename(tables: &mut [TableGuess]) {
    let root = tables.iter().find(|table| table.kind.value == TableKind::Root).map(|table| table.file.clone());
    let mut taken: Vec<String> = vec!["profiles".to_owned()];
    for table in tables.iter_mut().filter(|table| table.kind.value != TableKind::Root) {
        table.name = super::definition::free_name(&table.file, &taken);
        taken.push(table.name.clone());
    }
    if let Some(table) = tables.iter_mut().find(|table| table.kind.value == TableKind::Root) {
        table.name = "profiles".to_owned();
    }
    let named: Vec<(String, String)> = tables
        .iter()
        .filter(|table| !table.one_row_per_key)
        .map(|table| (table.file.clone(), table.name.clone()))
        .collect();
    let name_of = |file: &str| named.iter().find(|(found, _)| found == file).map_or(file, |(_, name)| name).to_owned();
    let of_root = |file: &str| root.as_deref() == Some(file);
    for table in tables.iter_mut() {
        if let Some(parent) = &mut table.parent {
            let above = parent.value.table.clone();
            parent.value.table =
                if of_root(&above) || above == "profiles" { "profiles".to_owned() } else { name_of(&above) };
        }
        name_links(table, name_of);
    }
}

/// The first column of a table that leads to a lookup has the lookup's name; others have their own.
fn name_links(table: &mut TableGuess, name_of: impl Fn(&str) -> String) {
    let own = table.name.clone();
    for at in 0..table.links.len() {
        let (before, rest) = table.links.split_at_mut(at);
        let link = &mut rest[0].value;
        link.from_table = name_of(&link.from_table);
        let second = before.iter().any(|other| other.value.from_table == link.from_table);
        link.name = if second { super::definition::plain_name(&link.from_column) } else { own.clone() };
    }
}

/// The root first, then histories with parents before children, then lookups, then the rest; as found within each.
fn rank(tables: &[TableGuess]) -> impl Fn(&TableGuess) -> (u8, usize) + use<> {
    let parents: Vec<(String, String)> = tables
        .iter()
        .filter_map(|table| Some((table.name.clone(), table.parent.as_ref()?.value.table.clone())))
        .collect();
    move |table| {
        let above = |name: &String| parents.iter().find(|(child, _)| child == name).map(|(_, parent)| parent.clone());
        let depth = std::iter::successors(Some(table.name.clone()), above).take(parents.len() + 1).count();
        let kind = match table.kind.value {
            TableKind::Root => 0,
            TableKind::History => 1,
            TableKind::Lookup => 2,
            TableKind::Unplaced => 3,
        };
        (kind, depth)
    }
}
