//! A table that fits a terminal: long values are cut, and columns that do not fit beside the others come below them.

use std::io::Write;
use std::sync::Arc;

use anyhow::Result;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_cast::pretty::pretty_format_batches;
use arrow_schema::{DataType, Field, Schema};
use muster_query::Answer;

use crate::width::{cut, width};

/// No column is made narrower than this to fit.
const NARROW: usize = 12;

/// Blank, border, blank beside each column.
const BORDER: usize = 3;

/// Writes rows as a table for a terminal of so many columns.
///
/// # Errors
/// If a value cannot be shown, or `target` cannot be written.
pub fn write(answer: &Answer, terminal: usize, mut target: impl Write) -> Result<()> {
    let columns = columns(answer)?;
    let widths = fitted(columns.iter().map(Column::width).collect(), terminal);
    for group in groups(&widths, terminal) {
        let shown = group.map(|place| columns[place].cut_to(widths[place])).collect();
        writeln!(target, "{}", pretty_format_batches(&[batch(shown)?])?)?;
    }
    Ok(())
}

/// A column as it is shown.
struct Column {
    name: String,
    cells: Vec<String>,
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|cell| width(cell)).max().unwrap_or(0).max(width(&self.name))
    }

    fn cut_to(&self, columns: usize) -> Self {
        Self { name: cut(&self.name, columns), cells: self.cells.iter().map(|cell| cut(cell, columns)).collect() }
    }
}

fn columns(answer: &Answer) -> Result<Vec<Column>> {
    let options = FormatOptions::default().with_null("NULL");
    let mut columns: Vec<Column> =
        answer.schema.fields().iter().map(|field| Column { name: shown(field.name()), cells: Vec::new() }).collect();
    for batch in &answer.batches {
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            let formatter = ArrayFormatter::try_new(array, &options)?;
            for row in 0..batch.num_rows() {
                column.cells.push(shown(&formatter.value(row).try_to_string()?));
            }
        }
    }
    Ok(columns)
}

/// Text without what a terminal would obey: a value from a file moves no cursor and breaks no line.
fn shown(text: &str) -> String {
    let letter =
        |letter: char| if letter.is_control() { letter.escape_default().collect() } else { letter.to_string() };
    if text.contains(char::is_control) { text.chars().map(letter).collect() } else { text.to_owned() }
}

/// The widths of columns after the widest were made narrower, as far as it helps.
fn fitted(mut widths: Vec<usize>, terminal: usize) -> Vec<usize> {
    let room = terminal.saturating_sub(1 + BORDER * widths.len());
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter().copied().max().filter(|widest| *widest > NARROW) else { break };
        let next = widths.iter().copied().filter(|width| *width < widest).max().unwrap_or(0).max(NARROW);
        let wide = widths.iter().filter(|width| **width == widest).count();
        let surplus = widths.iter().sum::<usize>() - room;
        let narrower = widest.saturating_sub(surplus.div_ceil(wide)).max(next);
        widths.iter_mut().filter(|width| **width == widest).for_each(|width| *width = narrower);
    }
    widths
}

/// The columns that stand beside each other, so many as fit, at least one.
fn groups(widths: &[usize], terminal: usize) -> Vec<std::ops::Range<usize>> {
    let (mut groups, mut start, mut taken) = (Vec::new(), 0, 1);
    for (place, width) in widths.iter().enumerate() {
        if place > start && taken + width + BORDER > terminal {
            groups.push(start..place);
            (start, taken) = (place, 1);
        }
        taken += width + BORDER;
    }
    groups.push(start..widths.len());
    groups
}

fn batch(columns: Vec<Column>) -> Result<RecordBatch> {
    let field = |column: &Column| Field::new(&column.name, DataType::Utf8, false);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|column| Arc::new(StringArray::from(column.cells)) as ArrayRef).collect();
    Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, &[Option<&str>])], terminal: usize) -> String {
        let array = |cells: &[Option<&str>]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
        let named = columns.iter().map(|(name, cells)| (*name, array(cells), true));
        let batch = RecordBatch::try_from_iter_with_nullable(named).unwrap();
        let mut written = Vec::new();
        write(&Answer { schema: batch.schema(), batches: vec![batch] }, terminal, &mut written).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_table_that_fits_shows_everything_and_nulls_too() {
        let text = table(&[("id", &[Some("1"), None]), ("名前", &[Some("日本"), Some("e\u{301}")])], 80);
        let expected = "\
+------+------+
| id   | 名前 |
+------+------+
| 1    | 日本 |
| NULL | e\u{301}    |
+------+------+
";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_widest_column_is_cut_first_until_the_table_fits() {
        let long = "x".repeat(60);
        let text = table(&[("id", &[Some("1")]), ("note", &[Some(long.as_str())])], 40);
        assert!(text.lines().all(|line| width(line) == 40), "{text}");
        assert!(text.contains("| 1  | xxx") && text.contains("x… |"), "{text}");
    }

    #[test]
    fn columns_that_do_not_fit_beside_the_others_come_below_them() {
        let names: Vec<String> = (0..6).map(|number| format!("column_{number}")).collect();
        let columns: Vec<(&str, &[Option<&str>])> =
            names.iter().map(|name| (name.as_str(), &[Some("value")] as &[_])).collect();
        let text = table(&columns, 40);
        assert!(text.lines().all(|line| width(line) <= 40), "{text}");
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
        assert_eq!(text.matches("| value").count(), 6);
    }

    #[test]
    fn a_value_does_not_command_the_terminal() {
        let text = table(&[("note", &[Some("\u{1b}[2J\nsecond\tline")])], 80);
        assert!(text.contains("| \\u{1b}[2J\\nsecond\\tline |"), "{text}");
    }

    #[test]
    fn no_rows_and_no_columns_are_tables_too() {
        assert_eq!(table(&[("id", &[])], 80), "+----+\n| id |\n+----+\n+----+\n");
        assert!(table(&[("a", &[Some("日本語")])], 3).contains("日本語"));
    }

    #[test]
    fn whatever_the_widths_the_fitted_ones_fit_or_are_narrow() {
        for widths in [vec![5, 5], vec![100, 3, 50], vec![30; 10], vec![12, 13, 14], vec![200], vec![]] {
            for terminal in [10, 40, 80, 120] {
                let fitted = fitted(widths.clone(), terminal);
                let fits = fitted.iter().sum::<usize>() + BORDER * fitted.len() < terminal;
                let is_narrow = fitted.iter().all(|width| *width <= NARROW);
                assert!(fits || is_narrow, "{widths:?} on {terminal}: {fitted:?}");
                assert!(fitted.iter().zip(&widths).all(|(fitted, width)| fitted <= width));
            }
        }
    }
}
