//! What a person should look at, of what was guessed.

use muster_catalog::{ColumnType, Timestamp};

use super::words::has_word;
use super::{ColumnGuess, Doubt, Guess, Parent, SURE_FROM, Said, TAKEN_FROM, TableGuess, TableKind};

/// Everything that is doubtful, table by table.
pub(crate) fn of(guess: &Guess, now: Timestamp) -> Vec<Doubt> {
    let mut doubts: Vec<Doubt> = Vec::new();
    for table in &guess.tables {
        doubts.extend(of_table(table));
        doubts.extend(table.columns.iter().flat_map(|column| of_column(table, column)));
        doubts.extend(split_times(table));
    }
    doubts.extend(old(guess, now));
    doubts
}

fn doubt(table: &TableGuess, column: Option<&str>, text: String) -> Doubt {
    Doubt { table: table.name.clone(), column: column.map(str::to_owned), text }
}

/// How a guess that is not sure is told.
fn unsure<T>(said: &Said<T>, what: &str) -> Option<String> {
    let standing = if said.sure < TAKEN_FROM { "perhaps" } else { "taken for" };
    (said.sure < SURE_FROM).then(|| format!("{standing} {what}: {}", said.why))
}

fn of_table(table: &TableGuess) -> Vec<Doubt> {
    let mut found = vec![standing(table), misshapen(table)];
    found.push(table.key.as_ref().and_then(|key| {
        let text = unsure(key, &format!("the key `{}`", key.value.join("`, `")))?;
        Some(doubt(table, None, text))
    }));
    found.extend(parent(table));
    for (said, what) in [(&table.time, "the time"), (&table.updated_at, "when a row last changed")] {
        found.push(said.as_ref().and_then(|said| Some(doubt(table, Some(&said.value), unsure(said, what)?))));
    }
    found.push(
        table
            .needs
            .as_ref()
            .map(|said| doubt(table, Some(&said.value), format!("rows without it are left out: {}", said.why))),
    );
    found.into_iter().flatten().collect()
}

fn standing(table: &TableGuess) -> Option<Doubt> {
    if table.kind.value == TableKind::Unplaced {
        let text = "left out: nothing leads from its rows to a profile, and nothing leads to it";
        return Some(doubt(table, None, text.to_owned()));
    }
    Some(doubt(table, None, unsure(&table.kind, &format!("the {}", table.kind.value.name()))?))
}

fn misshapen(table: &TableGuess) -> Option<Doubt> {
    let text = format!("{} records are no rows: quotes or columns do not fit", table.misshapen);
    (table.misshapen > 0).then(|| doubt(table, None, text))
}

fn parent(table: &TableGuess) -> [Option<Doubt>; 2] {
    let Some(parent) = &table.parent else { return [None, None] };
    let Parent { table: above, on, orphans } = &parent.value;
    let unsure = unsure(parent, &format!("the key of {above}"));
    let text = format!("{orphans} rows have a value that is no key of {above}: {}", parent.why);
    let orphaned = (*orphans > 0).then_some(text);
    [unsure, orphaned].map(|text| text.map(|text| doubt(table, Some(on), text)))
}

fn of_column(table: &TableGuess, column: &ColumnGuess) -> Vec<Doubt> {
    let mut texts = Vec::new();
    texts.extend(unsure(&column.column_type, &column.column_type.value.to_string()));
    if let Some((rows, values)) = &column.misfits {
        let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
        texts.push(format!(
            "{rows} rows will be rejected, because {} is not {}",
            values.join(", "),
            column.column_type.value
        ));
    }
    texts.extend(column.role.as_ref().and_then(|role| unsure(role, &format!("the role {}", role.value))));
    texts.extend(
        column.placeholder.iter().map(|value| format!("{value} is far too frequent, and taken for \"not known\"")),
    );
    if column.column_type.value == ColumnType::Int && has_word(&column.name, &["week", "day", "month", "period"]) {
        texts.push("a number of a week, day or month: muster takes dates, so this is no time".to_owned());
    }
    texts.into_iter().map(|text| doubt(table, Some(&column.name), text)).collect()
}

/// A date and a time of day in two columns: only the date can be the time.
fn split_times(table: &TableGuess) -> Option<Doubt> {
    let time = table.time.as_ref()?;
    let clock = table.columns.iter().find(|column| column.column_type.why.starts_with("times of day"))?;
    let text = format!("a time of day beside `{}`: muster takes the date alone, at its midnight", time.value);
    Some(doubt(table, Some(&clock.name), text))
}

/// Instants far from the present.
fn old(guess: &Guess, now: Timestamp) -> Option<Doubt> {
    const YEAR: i64 = 365 * 86_400 * 1_000_000;
    let last = guess.last?;
    let root = guess.tables.first()?;
    let day = last.utc().format("%Y-%m-%d");
    let text = if last.micros() > now.micros() + 86_400_000_000 {
        format!("the times reach to {day}, which has not come yet")
    } else if last.micros() < now.micros() - YEAR {
        format!("the times end on {day}; `as_of` in [workspace] makes now() mean that day")
    } else {
        return None;
    };
    Some(doubt(root, None, text))
}
