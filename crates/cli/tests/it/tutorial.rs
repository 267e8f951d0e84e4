//! The tutorial `queries/README.md`: every example runs on the little shop, and answers what stands below it.
//!
//! Below a block of SQL stands `→ ann, bob` (the members of the segment that it creates, or the first column of its rows),
//! a table, or a block of text: the error.

use std::fs;

use muster_language::{Statement, parse};

use crate::answers::{Answers, Printed};
use crate::world::{little_shop, project};

/// An example and what is said to come of it.
#[derive(Debug, PartialEq)]
struct Example {
    /// Where its SQL begins, from 1.
    line: usize,
    sql: String,
    answer: Answer,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Keys(Vec<String>),
    Table(Vec<Vec<String>>),
    Error(String),
}

fn examples(page: &str) -> Result<Vec<Example>, String> {
    let lines: Vec<&str> = page.lines().collect();
    let begins = (0..lines.len()).filter(|at| lines[*at] == "```sql");
    begins.map(|at| example(&lines, at + 1)).collect()
}

/// The example whose SQL begins at the index `at`.
fn example(lines: &[&str], at: usize) -> Result<Example, String> {
    let block = |from: usize| lines[from..].iter().copied().take_while(|line| *line != "```").collect::<Vec<_>>();
    let sql = block(at);
    let below = at + sql.len() + 1;
    let below = (below..lines.len()).find(|at| !lines[*at].trim().is_empty()).unwrap_or(below);
    let answer = match lines.get(below) {
        Some(&"```text") => Answer::Error(block(below + 1).join("\n")),
        Some(line) if line.starts_with("→ ") => Answer::Keys(keys(lines[below])),
        Some(line) if line.starts_with('|') => {
            let rows = lines[below..].iter().take_while(|line| line.starts_with('|'));
            Answer::Table(rows.filter(|line| !line.starts_with("|-")).map(|line| cells(line)).collect())
        }
        _ => return Err(format!("line {}: an example without an answer", at + 1)),
    };
    Ok(Example { line: at + 1, sql: sql.join("\n"), answer })
}

fn keys(line: &str) -> Vec<String> {
    let keys = line["→ ".len()..].split(", ").map(str::to_owned);
    keys.filter(|key| key != "nobody").collect()
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// What is wrong with the example, if anything is.
fn failure(shop: &Answers, example: &Example) -> Option<String> {
    let found = match answer(shop, example) {
        Ok(found) if found == example.answer => return None,
        Ok(found) => format!("{found:?}"),
        Err(message) => message,
    };
    Some(format!("line {}: expected {:?}, found {found}", example.line, example.answer))
}

fn answer(shop: &Answers, example: &Example) -> Result<Answer, String> {
    let printed = shop.of_statements(&example.sql);
    match (&example.answer, printed) {
        (Answer::Error(_), Err(message)) => Ok(Answer::Error(message)),
        (_, Err(message)) => Err(message),
        (Answer::Table(_), Ok(printed)) => Ok(Answer::Table(with_header(printed))),
        (_, Ok(printed)) => Ok(Answer::Keys(first_column(members(shop, &example.sql)?.unwrap_or(printed)))),
    }
}

/// Who is in the segment that the statement created, if it did.
fn members(shop: &Answers, sql: &str) -> Result<Option<Printed>, String> {
    match parse(sql) {
        Ok(Statement::CreateSegment(definition)) => {
            let name = definition.name;
            shop.of_statements(&format!("SELECT customer FROM profiles WHERE segments.{name} ORDER BY customer"))
                .map(Some)
        }
        _ => Ok(None),
    }
}

fn first_column(printed: Printed) -> Vec<String> {
    printed.rows.into_iter().map(|row| row[0].clone()).collect()
}

/// The table as a page can show it, whose cells neither begin nor end with a blank.
fn with_header(Printed { columns, rows }: Printed) -> Vec<Vec<String>> {
    let trimmed = |row: Vec<String>| row.iter().map(|cell| cell.trim().to_owned()).collect();
    std::iter::once(columns).chain(rows).map(trimmed).collect()
}

#[test]
fn every_example_of_the_tutorial_answers_what_stands_below_it() {
    let page = fs::read_to_string(project().join("queries/README.md")).unwrap();
    let examples = examples(&page).unwrap();
    assert!(examples.len() >= 30, "{} examples", examples.len());
    let folder = little_shop();
    let shop = Answers::writing(folder.path());
    let failures: Vec<String> = examples.iter().filter_map(|example| failure(&shop, example)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_example_that_says_something_else_fails() {
    let folder = little_shop();
    let shop = Answers::writing(folder.path());
    let right = "```sql\nCREATE SEGMENT gold AS WHERE tier = 'gold'\n```\n\n→ ann, eva, gus\n";
    for (page, fails) in [
        (right.to_owned(), false),
        (right.replace("CREATE", "CREATE OR REPLACE").replace(", gus", ""), true),
        (
            right.replace("CREATE", "CREATE OR REPLACE").replace("'gold'", "'tin'").replace("ann, eva, gus", "nobody"),
            false,
        ),
        (
            "```sql\nSELECT tier FROM profiles WHERE customer = 'ann'\n```\n| tier |\n|---|\n| gold |\n".to_owned(),
            false,
        ),
        ("```sql\nSELECT tier FROM profiles WHERE customer = 'ann'\n```\n| tier |\n|---|\n| none |\n".to_owned(), true),
        ("```sql\nSELECT tier FROM profiles WHERE customer = 'ann'\n```\n```text\nno\n```\n".to_owned(), true),
        ("```sql\nSELECT x\n```\n→ ann\n".to_owned(), true),
    ] {
        let examples = examples(&page).unwrap();
        assert_eq!(examples.iter().any(|example| failure(&shop, example).is_some()), fails, "{page}");
    }
    assert!(examples("```sql\nSELECT 1\n```\nNothing.\n").is_err());
}
