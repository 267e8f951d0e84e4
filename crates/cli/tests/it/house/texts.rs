//! What every source begins with, and what none of them says.

use std::collections::BTreeSet;

use super::{File, files, nothing_found};

/// The lines of code before the tests at the end of a file, with their numbers; comments do not count.
fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(file.text.lines()).take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn is_source(file: &File) -> bool {
    file.path.ends_with(".rs") && file.path.contains("/src/")
}

/// Where the code of `file` says one of `words`.
fn says(file: &File, words: &[&str]) -> Vec<String> {
    let said = |(number, line): (usize, &str)| {
        let found = words.iter().find(|word| is_said(line, word))?;
        Some(format!("{} line {number} says {found}", file.path))
    };
    code(file).filter_map(said).collect()
}

/// Whether `word` stands in the line, not as a part of a longer name.
fn is_said(line: &str, word: &str) -> bool {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let starts = !word.starts_with(is_name) || !before.ends_with(is_name);
        let ends = !word.ends_with(is_name) || !after.starts_with(is_name);
        starts && ends
    })
}

/// Folders that are the beginning of an absolute path on somebody's machine; in pieces, so as not to name one here.
fn machine_paths(file: &File) -> Vec<String> {
    let folders = ["work", "root", "home", "Users"].map(|folder| format!("/{folder}"));
    let in_path = |letter: char| letter.is_alphanumeric() || "_-./}>~".contains(letter);
    let ends = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    let named = |line: &str| {
        folders.iter().any(|folder| {
            let mut found = line.match_indices(folder.as_str());
            found.any(|(at, _)| !line[..at].ends_with(in_path) && !line[at + folder.len()..].starts_with(ends))
        })
    };
    let lines = (1..).zip(file.text.lines()).filter(|(_, line)| named(line));
    lines.map(|(number, line)| format!("{} line {number}: {}", file.path, line.trim())).collect()
}

#[test]
fn every_source_begins_with_what_it_is_for() {
    let sources: Vec<File> = files("crates").into_iter().filter(|file| file.path.ends_with(".rs")).collect();
    assert!(sources.len() > 150, "{} sources", sources.len());
    let silent = sources.iter().filter(|file| !file.text.starts_with("//! "));
    nothing_found(&silent.map(|file| file.path.clone()).collect::<Vec<_>>());
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let found = files("crates")
        .iter()
        .filter(|file| is_source(file))
        .flat_map(|file| says(file, &[".unwrap()"]))
        .collect::<Vec<_>>();
    nothing_found(&found);
}

#[test]
fn the_only_clock_that_ticks_is_the_workspaces() {
    let clocks = ["SystemTime::now", "Utc::now", "Local::now"];
    let ticking: BTreeSet<String> = files("crates")
        .iter()
        .filter(|file| is_source(file) && !says(file, &clocks).is_empty())
        .map(|file| file.path.clone())
        .collect();
    assert_eq!(ticking, ["crates/cli/src/workspace.rs".to_owned()].into());
}

#[test]
fn campaigns_know_no_concrete_channel() {
    let channels = ["Smtp", "SmtpSettings", "Console", "Templates", "lettre", "minijinja"];
    let found = files("crates/campaign/src").iter().flat_map(|file| says(file, &channels)).collect::<Vec<_>>();
    nothing_found(&found);
}

#[test]
fn engines_are_named_behind_their_doors_only() {
    // The parser is no engine of one room: the interpreter of the tests reads the same texts on its own.
    let doors: [(&str, &[&str]); 4] = [
        ("polars", &["crates/ingest/"]),
        ("datafusion", &["crates/query/"]),
        ("rusqlite", &["crates/state/"]),
        // The engine hands the operators of its own parser to whoever plans them, and takes expressions in its words.
        (
            "sqlparser",
            &["crates/language/", "crates/testkit/", "crates/query/src/calendar.rs", "crates/query/src/kernel/"],
        ),
    ];
    for (engine, rooms) in doors {
        let words = [format!("{engine}::"), format!("use {engine}")];
        let words = [words[0].as_str(), words[1].as_str()];
        let sources: Vec<File> = files("crates").into_iter().filter(is_source).collect();
        let (inside, outside): (Vec<_>, Vec<_>) =
            sources.iter().partition(|file| rooms.iter().any(|door| file.path.starts_with(door)));
        nothing_found(&outside.into_iter().flat_map(|file| says(file, &words)).collect::<Vec<_>>());
        assert!(inside.into_iter().any(|file| !says(file, &words).is_empty()), "{engine} is not behind {rooms:?}");
    }
}

/// The queries that ship: in a folder for each use.
fn queries() -> Vec<File> {
    let is_query = |file: &File| file.path.ends_with(".sql") && !file.path.starts_with("queries/checks/");
    files("queries").into_iter().filter(is_query).collect()
}

#[test]
fn every_query_has_a_check() {
    let queries = queries();
    assert!(queries.len() >= 40, "{} queries", queries.len());
    let name = |file: &File| file.path.rsplit('/').next().unwrap().trim_end_matches(".sql").to_owned();
    let checks: BTreeSet<String> = files("queries/checks").into_iter().map(|file| file.path).collect();
    let unchecked = queries.iter().map(name).filter(|name| !checks.contains(&format!("queries/checks/{name}.slt")));
    nothing_found(&unchecked.collect::<Vec<_>>());
}

#[test]
fn every_query_says_what_it_answers_and_defines_what_its_name_says() {
    for File { path, text } in queries() {
        let name = path.rsplit('/').next().unwrap().trim_end_matches(".sql");
        let question = text.lines().next().unwrap();
        assert!(question.starts_with("-- ") && question.ends_with('?'), "{path}: {question}");
        let defines = |kind: &str| text.contains(&format!("\nCREATE OR REPLACE {kind} {name} COMMENT '"));
        assert!(defines("SEGMENT") != defines("VARIABLE"), "{path}");
        assert!(text.contains("\n-- Result: "), "{path}");
    }
}

#[test]
fn no_file_names_a_path_of_somebodys_machine() {
    let found = files("").iter().flat_map(machine_paths).collect::<Vec<_>>();
    nothing_found(&found);
}

#[test]
fn what_a_rule_forbids_is_found_and_what_it_allows_is_not() {
    let file = |text: &str| File { path: "a.rs".to_owned(), text: text.to_owned() };
    let unwrapped = |text: &str| says(&file(text), &[".unwrap()"]).len();
    assert_eq!(unwrapped("x.unwrap();\n// x.unwrap()\ny.unwrap_or(1).unwrap();\n"), 2);
    assert_eq!(unwrapped("fn x() {}\n\n#[cfg(test)]\nmod tests {\n    y.unwrap();\n}\n"), 0);
    assert_eq!(says(&file("use a::Smtp;\n"), &["Smtp"]), ["a.rs line 1 says Smtp"]);
    assert_eq!(says(&file("use a::SmtpLike; // no_Smtp\n"), &["Smtp"]), [""; 0]);
    for folder in ["work", "root", "home"] {
        for (text, count) in [("cd /F/x", 1), ("\"/F\"", 1), ("https://x.example/F/a", 0), ("/Fers", 0), ("a/F/b", 0)] {
            assert_eq!(machine_paths(&file(&text.replace('F', folder))).len(), count, "{text} with {folder}");
        }
    }
}
