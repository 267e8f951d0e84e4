//! What stands on the page of the data's health.

use muster_segment::{ColumnDescription, Doubles, Health, TableDescription, class_word, part};

use super::Findings;
use super::chart::{Bar, bars};
use crate::commands::load::thousands;
use crate::commands::status::loads::{PastLoad, PastSource, PastTable};
use crate::commands::status::words::size;
use crate::page::markup::{Cell, Markup, document, element, paragraph, section, table, text};

/// The page.
pub(super) fn page(findings: &Findings) -> String {
    let title = format!("Data health of {}", findings.workspace);
    let body = match &findings.health {
        None => vec![head(findings), paragraph("Nothing is loaded yet.")],
        Some(health) => vec![
            head(findings),
            tables(health),
            nulls(health),
            doubles(health),
            future(health),
            orphans(health),
            growth(health, &findings.loads),
            loads(&findings.loads),
        ],
    };
    document(&title, body.into_iter().collect())
}

fn head(findings: &Findings) -> Markup {
    let title = element("h1", "", text(&format!("Data health of {}", findings.workspace)));
    let now = format!("As of {}. ", findings.now);
    let snapshot = findings.snapshot.as_ref();
    let snapshot = snapshot.map(|(number, at)| format!("Snapshot {number}, published {at}.")).unwrap_or_default();
    [title, paragraph(&format!("{now}{snapshot}"))].into_iter().collect()
}

fn tables(health: &Health) -> Markup {
    let row = |described: &TableDescription| {
        let schema = &described.schema;
        vec![
            Cell::words(&schema.name),
            Cell::words(schema.parent().unwrap_or_default()),
            Cell::words(schema.key.as_deref().unwrap_or("none")),
            Cell::number(described.rows),
            Cell::number(schema.columns.len() as u64),
            Cell::should_be_zero(described.waiting),
        ]
    };
    let headings = ["table", "below", "key", "rows", "columns", "without parent"];
    section("Tables", [table(&headings, health.tables.iter().map(row).collect(), "There are no tables.")])
}

fn nulls(health: &Health) -> Markup {
    let of_table = |described: &TableDescription| {
        let heading =
            element("h3", "", text(&format!("{} ({} rows)", described.schema.name, thousands(described.rows))));
        let rows = described.columns.iter().map(|column| null_row(described, column)).collect();
        let headings = ["column", "type", "part", "class", "empty", "share", "smallest", "largest"];
        [heading, table(&headings, rows, "It has no columns.")].into_iter().collect::<Markup>()
    };
    let note =
        paragraph("Smallest and largest values are left out of sets and where a column is personal or sensitive.");
    section("Empty cells and ranges", std::iter::once(note).chain(health.tables.iter().map(of_table)))
}

fn null_row(described: &TableDescription, column: &ColumnDescription) -> Vec<Cell> {
    let (smallest, largest) = column.range.as_ref().map_or(("", ""), |(smallest, largest)| (smallest, largest));
    vec![
        Cell::words(&column.schema.name),
        Cell::words(column.schema.column_type.to_string()),
        Cell::words(part(&described.schema, &column.schema.name).unwrap_or_default()),
        Cell::words(class_word(column.class)),
        Cell::number(column.nulls),
        Cell::Figure(percent(column.nulls, described.rows)),
        Cell::words(shortened(smallest)),
        Cell::words(shortened(largest)),
    ]
}

/// `12.5 %`, rounded down to a tenth; what is there at all is never 0.0 %.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let thousandths = u128::from(part) * 1000 / u128::from(whole);
    match thousandths {
        0 if part > 0 => "< 0.1 %".to_owned(),
        _ => format!("{}.{} %", thousandths / 10, thousandths % 10),
    }
}

/// A long text shows its beginning.
fn shortened(value: &str) -> String {
    const MOST: usize = 60;
    if value.chars().count() <= MOST {
        return value.to_owned();
    }
    value.chars().take(MOST - 1).chain(['…']).collect()
}

fn doubles(health: &Health) -> Markup {
    let row = |double: &muster_segment::Double| {
        let what = match &double.what {
            Doubles::Rows => "whole rows".to_owned(),
            Doubles::Values(column) => format!("values of {column}"),
        };
        vec![
            Cell::words(&double.table),
            Cell::words(what),
            Cell::should_be_zero(double.groups),
            Cell::should_be_zero(double.rows),
        ]
    };
    let note = "Whole rows are compared in tables without a key, values in columns with the role email or mobile, letter \
                by letter.";
    let rows = health.doubles.iter().map(row).collect();
    let headings = ["table", "compared", "come more than once", "rows with one of them"];
    section("Doubles", [paragraph(note), table(&headings, rows, "There is nothing to compare.")])
}

fn future(health: &Health) -> Markup {
    let row = |future: &muster_segment::Future| {
        let rows = match &future.part {
            Some(_) => Cell::should_be_zero(future.rows),
            None => Cell::number(future.rows),
        };
        let part = future.part.clone().unwrap_or_else(|| "may well speak of the future".to_owned());
        vec![Cell::words(&future.table), Cell::words(&future.column), Cell::words(part), rows]
    };
    let rows = health.future.iter().map(row).collect();
    let none = "No date and no instant is later than that.";
    section("Dates later than the instant above", [table(&["table", "column", "part", "rows"], rows, none)])
}

fn orphans(health: &Health) -> Markup {
    let row = |described: &TableDescription| {
        vec![
            Cell::words(&described.schema.name),
            Cell::words(described.schema.parent().unwrap_or_default()),
            Cell::should_be_zero(described.waiting),
            Cell::Figure(percent(described.waiting, described.waiting + described.rows)),
        ]
    };
    let rows = health.tables.iter().filter(|described| described.waiting > 0).map(row).collect();
    let headings = ["table", "parent", "rows that wait", "of all its rows"];
    section("Rows without their parent", [table(&headings, rows, "Every row has its parent.")])
}

fn growth(health: &Health, loads: &[PastLoad]) -> Markup {
    let per_load = loads.iter().rev().map(|load| Bar { label: load.at.clone(), rows: load.sum(|table| table.new) });
    let per_load: Vec<Bar> = per_load.collect();
    let mut charts = vec![element("h3", "", text("New rows per load, all tables")), bars(&per_load)];
    for (table, months) in &health.months {
        charts.push(element("h3", "", text(&format!("Rows of {table} per month"))));
        let bar = |month: &muster_segment::Month| Bar { label: month.month.clone(), rows: month.rows };
        charts.push(bars(&months.iter().map(bar).collect::<Vec<_>>()));
    }
    section("Growth", charts)
}

fn loads(loads: &[PastLoad]) -> Markup {
    let headings = [
        "load", "snapshot", "table", "read", "new", "changed", "same", "older", "merged", "filtered", "rejected",
        "refused", "wait",
    ];
    let tables = || loads.iter().flat_map(|load| tables_read(load).map(move |table| (load, table)));
    let counts = tables().map(|(load, table)| counts(load, table)).collect();
    let kinds = tables().flat_map(|(load, table)| kinds(load, table)).collect();
    let files = loads.iter().flat_map(|load| load.sources.iter().map(move |source| file(load, source))).collect();
    let below = [
        table(&headings, counts, "Nothing was loaded."),
        element("h3", "", text("Rejects by kind")),
        table(&["load", "table", "what", "why", "rows"], kinds, "Nothing was rejected or filtered."),
        element("h3", "", text("Files")),
        table(&["load", "table", "file", "size"], files, "No file was read."),
    ];
    section("Last loads", below)
}

fn tables_read(load: &PastLoad) -> impl Iterator<Item = &PastTable> {
    load.tables.iter().filter(|table| table.files > 0)
}

fn counts(load: &PastLoad, table: &PastTable) -> Vec<Cell> {
    let figures = [table.read, table.new, table.changed, table.same, table.older, table.merged, table.left_out()];
    let mut row = vec![Cell::words(&load.at), Cell::number(load.snapshot), Cell::words(&table.table)];
    row.extend(figures.map(Cell::number));
    row.extend([table.rejects(), table.refused, table.orphans].map(Cell::should_be_zero));
    row
}

/// Rejected rows by kind, and filtered ones by condition.
fn kinds(load: &PastLoad, table: &PastTable) -> Vec<Vec<Cell>> {
    let row = |what: &str, why: &str, rows: Cell| {
        vec![Cell::words(&load.at), Cell::words(&table.table), Cell::words(what), Cell::words(why), rows]
    };
    let rejected = table.rejected.iter().map(|(kind, rows)| row("rejected", kind, Cell::should_be_zero(*rows)));
    let filtered = table.filtered.iter().filter(|(_, rows)| **rows > 0);
    rejected.chain(filtered.map(|(part, rows)| row("filtered, not", part, Cell::number(*rows)))).collect()
}

fn file(load: &PastLoad, source: &PastSource) -> Vec<Cell> {
    let size = Cell::Figure(size(source.bytes));
    vec![Cell::words(&load.at), Cell::words(&source.table), Cell::words(&source.name), size]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_in_tenths_of_a_percent() {
        for (part, whole, expected) in
            [(0, 8, "0.0 %"), (1, 8, "12.5 %"), (8, 8, "100.0 %"), (1, 3, "33.3 %"), (1, 5_000, "< 0.1 %"), (0, 0, "")]
        {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn a_long_value_shows_its_beginning() {
        assert_eq!(shortened("é".repeat(60).as_str()), "é".repeat(60));
        assert_eq!(shortened("é".repeat(61).as_str()), format!("{}…", "é".repeat(59)));
    }
}
