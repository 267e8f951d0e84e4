//! Types of columns put into the text of a `muster.toml` that a person wrote: nothing else of it changes.

use muster_catalog::{ColumnType, parse};

use super::definition::{key_name, quoted};

/// A type that was found, to be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The table.
    pub table: String,
    /// The column, as queries name it.
    pub column: String,
    /// What it holds.
    pub column_type: ColumnType,
    /// Why.
    pub why: String,
}

/// The text with all these declared, and those for which no place was found.
pub fn declare(text: &str, declarations: &[Declaration]) -> (String, Vec<Declaration>) {
    let mut text = text.to_owned();
    let mut left = Vec::new();
    for declaration in declarations {
        let changed = declared(&text, declaration);
        if says(&changed, declaration) { text = changed } else { left.push(declaration.clone()) }
    }
    (text, left)
}

/// Whether the text is in order and says it. The catalog has the last word on what was written.
fn says(text: &str, declaration: &Declaration) -> bool {
    let Ok(catalog) = parse("muster.toml", text) else { return false };
    let column = catalog.table(&declaration.table).and_then(|table| table.column(&declaration.column));
    column.is_some_and(|column| column.column_type == Some(declaration.column_type))
}

fn declared(text: &str, declaration: &Declaration) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Declaration { table, column, column_type, why } = declaration;
    let why = why.replace(|letter: char| letter.is_control(), " ");
    let columns = ["tables", table, "columns"];
    let own = ["tables", table, "columns", column];
    let line = format!("{} = {{ type = \"{column_type}\" }} # {why}", key_name(column));
    if let Some(header) = section(&lines, &own) {
        lines.insert(header + 1, format!("type = \"{column_type}\" # {why}"));
    } else if let Some(header) = section(&lines, &columns) {
        let end = end_of(&lines, header);
        match (header + 1..end).find(|at| is_of(&lines[*at], column)) {
            Some(at) => lines[at] = lines[at].replacen('{', &format!("{{ type = \"{column_type}\","), 1),
            None => lines.insert(end, line),
        }
    } else if let Some(header) = section(&lines, &["tables", table]) {
        let end = end_of(&lines, header);
        lines.splice(end..end, [String::new(), format!("[tables.{table}.columns]"), line]);
    }
    lines.join("\n") + "\n"
}

/// The line with the header of this section.
fn section(lines: &[String], path: &[&str]) -> Option<usize> {
    let header = format!("[{}]", path.join("."));
    let quoted_header = format!("[{}]", path.iter().map(|part| key_name(part)).collect::<Vec<_>>().join("."));
    let found = |line: &String| {
        let line: String = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        line == header || line == quoted_header
    };
    lines.iter().position(found)
}

/// Behind the last line of a section that says something.
fn end_of(lines: &[String], header: usize) -> usize {
    let next = (header + 1..lines.len()).find(|at| lines[*at].trim_start().starts_with('[')).unwrap_or(lines.len());
    let said = |line: &String| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    (header..next).rev().find(|at| said(&lines[*at])).map_or(header + 1, |at| at + 1)
}

/// Whether a line declares the column.
fn is_of(line: &str, column: &str) -> bool {
    let Some((key, _)) = line.split_once('=') else { return false };
    key.trim() == column || key.trim() == quoted(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# my shop\n[workspace]\nname = \"x\"\ntime_zone = \"UTC\"\n\n";

    fn declaration(column: &str) -> Declaration {
        let (table, why) = ("profiles".to_owned(), "dates".to_owned());
        Declaration { table, column: column.to_owned(), column_type: ColumnType::Date, why }
    }

    #[track_caller]
    fn check(before: &str, column: &str, after: &str) {
        let (text, left) = declare(&format!("{HEAD}{before}"), &[declaration(column)]);
        assert_eq!((text, left), (format!("{HEAD}{after}"), Vec::new()));
    }

    #[test]
    fn a_type_goes_where_the_columns_are_and_comments_stay() {
        let table = "[tables.profiles] # people\nsource = \"x\"\nkey = \"id\" # theirs\n";
        let more = "\n# the end\n[channels.email]\nkind = \"console\"\n";
        check(
            &format!("{table}{more}"),
            "born",
            &format!("{table}\n[tables.profiles.columns]\nborn = {{ type = \"date\" }} # dates\n{more}"),
        );
        let columns = "[tables.profiles.columns]\nid = { type = \"id\" } # known\n";
        check(
            &format!("{table}{columns}{more}"),
            "born on",
            &format!("{table}{columns}\"born on\" = {{ type = \"date\" }} # dates\n{more}"),
        );
    }

    #[test]
    fn what_is_said_of_a_column_already_is_kept() {
        let table = "[tables.profiles]\nsource = \"x\"\nkey = \"id\"\n[tables.profiles.columns]\n";
        check(
            &format!("{table}born = {{ from = \"dob\" }} # odd\n"),
            "born",
            &format!("{table}born = {{ type = \"date\", from = \"dob\" }} # odd\n"),
        );
        let table = "[tables.profiles]\nsource = \"x\"\nkey = \"id\"\n[tables.profiles.columns.born]\nfrom = \"dob\"\n";
        let after = table.replace("born]\n", "born]\ntype = \"date\" # dates\n");
        check(table, "born", &after);
    }

    #[test]
    fn where_there_is_no_place_nothing_is_changed() {
        let text = format!("{HEAD}[tables]\nprofiles = {{ source = \"x\", key = \"id\" }}\n");
        assert_eq!(declare(&text, &[declaration("born")]), (text, vec![declaration("born")]));
    }
}
