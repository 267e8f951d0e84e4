//! The first two of three ways to answer random questions: what the interpreter says, and the plain SQL that is printed.
//!
//! `queries/checks/three_ways.py` runs it and asks the others. It writes to the folder or the stream it is told:
//!
//! ```text
//! three_ways shop   SEED PROFILES FOLDER     the files that make the shop, load by load, and the statements that name its segments and variables
//! three_ways tables SEED PROFILES FOLDER     its tables as of each instant, as another engine reads them
//! three_ways ask    SEED PROFILES FIRST LAST the questions of these numbers, a line of JSON each
//! three_ways print  SEED PROFILES            the same for those whose numbers and attempts are lines of the input, without answers
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead as _, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use muster_catalog::{Catalog, ColumnNames, ColumnType, Kind, Names, SegmentNames, TableNames, Timestamp};
use muster_language::{
    PastCondition, Statement, VariableDefinition, parse, resolve, resolve_segment, resolve_variable,
};
use muster_testkit::generator::{self, Question, Shop, files};
use muster_testkit::interpreter::Reader;
use muster_testkit::world::Value;

/// How often another question is drawn where the answer is empty, full, or the same for all.
const ATTEMPTS: u64 = 4;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["shop", seed, profiles, folder] => asked(seed, profiles).and_then(|asked| asked.shop(Path::new(folder))),
        ["tables", seed, profiles, folder] => asked(seed, profiles).and_then(|asked| asked.tables(Path::new(folder))),
        ["ask", seed, profiles, first, last] => asked(seed, profiles).and_then(|asked| {
            let (first, last) = (number(first)?, number(last)?);
            asked.ask(first..=last)
        }),
        ["print", seed, profiles] => asked(seed, profiles).and_then(|asked| asked.print()),
        _ => Err(io::Error::other("expected shop, tables, ask or print; the file's first lines say what follows")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("three_ways: {error}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> io::Result<u64> {
    text.parse().map_err(|_| io::Error::other(format!("\"{text}\" is no number")))
}

/// A shop, and what may be asked of it.
struct Asked {
    shop: Shop,
    seed: u64,
    names: Names,
    instants: Vec<Timestamp>,
}

fn asked(seed: &str, profiles: &str) -> io::Result<Asked> {
    let (seed, profiles) = (number(seed)?, usize::try_from(number(profiles)?).map_err(io::Error::other)?);
    let shop = generator::generated(seed, profiles);
    let (names, instants) = (names(&shop.world.catalog), generator::instants(&shop, seed));
    Ok(Asked { shop, seed, names, instants })
}

impl Asked {
    fn shop(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("muster.toml"), generator::catalog(self.seed))?;
        for (step, load) in self.shop.loads.iter().enumerate() {
            for (name, text) in files::of_load(&self.shop, load, step) {
                let path = folder.join(format!("load_{}", step + 1)).join(name);
                fs::create_dir_all(path.parent().unwrap_or(folder))?;
                fs::write(path, text)?;
            }
        }
        let segments = generator::segments().map(|(name, text)| format!("CREATE SEGMENT {name} AS {text};\n"));
        let variables = generator::variables().map(|(name, _, text)| format!("CREATE VARIABLE {name} AS {text};\n"));
        fs::write(folder.join("definitions.sql"), segments.chain(variables).collect::<String>())
    }

    /// A folder per instant, the present last; in each the tables and the SQL of the segments and the variables.
    fn tables(&self, folder: &Path) -> io::Result<()> {
        let mut listed = String::new();
        for (place, instant) in self.instants.iter().copied().chain([self.present()]).enumerate() {
            let there = folder.join(place.to_string());
            fs::create_dir_all(&there)?;
            for table in files::tables(&self.shop.world, instant) {
                fs::write(there.join(format!("{}.csv", table.name)), table.csv)?;
            }
            fs::write(there.join("segments.tsv"), self.segments(instant)?)?;
            fs::write(there.join("variables.tsv"), self.variables(instant)?)?;
            listed += &format!("{instant}\n");
        }
        fs::write(folder.join("instants"), listed)
    }

    /// Name and printed SQL, a line each.
    fn segments(&self, instant: Timestamp) -> io::Result<String> {
        let mut lines = String::new();
        for (name, text) in generator::segments() {
            let statement = parse(&format!("CREATE SEGMENT {name} AS {text}")).map_err(io::Error::other)?;
            let Statement::CreateSegment(definition) = statement else { continue };
            let resolved = resolve_segment(&definition.query, &self.names, instant).map_err(io::Error::other)?;
            lines += &format!("{name}\t{}\n", resolved.to_sql());
        }
        Ok(lines)
    }

    /// Name, type and printed SQL, a line each.
    fn variables(&self, instant: Timestamp) -> io::Result<String> {
        let mut lines = String::new();
        for (name, holds, text) in generator::variables() {
            let resolved = resolve_variable(&variable(name, text)?, &self.names, instant).map_err(io::Error::other)?;
            lines += &format!("{name}\t{}\t{}\n", files::type_name(holds), resolved.to_sql());
        }
        Ok(lines)
    }

    fn ask(&self, numbers: std::ops::RangeInclusive<u64>) -> io::Result<()> {
        let reader = Reader::of(&self.shop.world);
        let mut out = BufWriter::new(io::stdout().lock());
        for number in numbers {
            let mut attempt = 0;
            loop {
                let question = self.question(number, attempt);
                let answered = Answered::of(&reader, &question, self.present());
                let is_last = attempt + 1 == ATTEMPTS;
                if answered.says_something || is_last {
                    let sql = self.printed(&question);
                    writeln!(out, "{}", line(&[number, attempt], &question, &sql, Some(&answered)))?;
                    break;
                }
                attempt += 1;
            }
        }
        out.flush()
    }

    fn print(&self) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        for wanted in io::stdin().lock().lines() {
            let wanted = wanted?;
            let (number, attempt) = wanted.split_once(' ').ok_or_else(|| io::Error::other("two numbers a line"))?;
            let numbers = [self::number(number)?, self::number(attempt)?];
            let question = self.question(numbers[0], numbers[1]);
            let sql = self.printed(&question);
            writeln!(out, "{}", line(&numbers, &question, &sql, None))?;
        }
        out.flush()
    }

    fn present(&self) -> Timestamp {
        generator::present(self.seed)
    }

    fn question(&self, number: u64, attempt: u64) -> Question {
        generator::question(&self.shop.world, &self.instants, &[self.seed, number, attempt])
    }

    /// The plain SQL, or the error.
    fn printed(&self, question: &Question) -> Result<Printed, String> {
        let statement = parse(&question.text).map_err(|error| error.to_string())?;
        let Statement::Query { as_of, query } = statement else { return Err("this is no query".to_owned()) };
        let instant = as_of.map_or(Ok(self.present()), |own| own.instant(self.names.zone));
        let instant = instant.map_err(|error| error.to_string())?;
        let resolved = resolve(&query, &self.names, instant).map_err(|error| error.to_string())?;
        let past = resolved.past.iter().map(|past| self.past(past)).collect();
        Ok(Printed { sql: resolved.to_sql(), past })
    }

    fn past(&self, past: &PastCondition) -> Past {
        let query = &past.rows.query;
        let instants = self.instants.iter().copied().chain([self.present()]);
        let place = instants.into_iter().position(|instant| instant == query.as_of);
        Past { column: past.column.clone(), table: past.rows.grain.clone(), place, sql: query.to_sql() }
    }
}

/// A question in plain SQL.
struct Printed {
    sql: String,
    past: Vec<Past>,
}

/// A column that the SQL expects of a table: the rows for which something held at another instant.
struct Past {
    column: String,
    table: String,
    /// The instant's place among those as of which there are tables.
    place: Option<usize>,
    /// What finds the rows in the tables of that instant.
    sql: String,
}

/// What the interpreter says.
struct Answered {
    rows: Result<Vec<Vec<Value>>, String>,
    /// Whether the answer is neither empty nor full nor the same for all.
    says_something: bool,
}

impl Answered {
    fn of(reader: &Reader<'_>, question: &Question, present: Timestamp) -> Self {
        let rows = reader.answer(&question.text, present).map(|answer| answer.rows);
        let says_something = rows.as_ref().is_ok_and(|rows| says_something(reader, question, rows, present));
        Self { rows: rows.map_err(|error| error.to_string()), says_something }
    }
}

fn says_something(reader: &Reader<'_>, question: &Question, rows: &[Vec<Value>], present: Timestamp) -> bool {
    if question.mix.features.contains("members") {
        let all = question.text.split_once(" WHERE ").map(|(before, _)| before);
        let all = all.and_then(|all| reader.answer(all, present).ok());
        return !rows.is_empty() && all.is_some_and(|all| all.rows.len() != rows.len() || all.rows[0] != rows[0]);
    }
    let columns = 0..rows.first().map_or(0, Vec::len);
    let varies = |column: &usize| rows.iter().any(|row| row[*column].order(&rows[0][*column]).is_ne());
    columns.filter(varies).count() >= 2
}

fn variable(name: &str, expression: &str) -> io::Result<VariableDefinition> {
    match parse(&format!("CREATE VARIABLE {name} AS {expression}")).map_err(io::Error::other)? {
        Statement::CreateVariable(variable) => Ok(variable),
        _ => Err(io::Error::other(format!("{name} is no variable"))),
    }
}

/// The tables of a catalog as the language knows them, with the variables of the generated shops.
fn names(catalog: &Catalog) -> Names {
    let table = |table: &muster_catalog::Table| TableNames {
        name: table.name.clone(),
        kind: table.kind.clone(),
        key: table.key.clone(),
        time: table.time.clone(),
        created_at: table.created_at.clone(),
        columns: table.columns.iter().map(column).collect(),
        links: links(catalog, table),
    };
    let tables = catalog.parents_first().into_iter().map(table).collect();
    let segment = |(name, _): (&str, &str)| SegmentNames { name: name.to_owned(), grain: "profiles".to_owned() };
    let names = Names {
        zone: catalog.workspace.time_zone,
        tables,
        segments: generator::segments().map(segment).collect(),
        variables: BTreeSet::new(),
        scores: Vec::new(),
        affinities: Vec::new(),
    };
    let variables = generator::variables().map(|(name, column_type, _)| ColumnNames {
        name: name.to_owned(),
        column_type,
        role: None,
    });
    variables.fold(names, Names::with_variable)
}

fn column(column: &muster_catalog::Column) -> ColumnNames {
    let column_type = column.column_type.unwrap_or(ColumnType::Text);
    ColumnNames { name: column.name.clone(), column_type, role: column.role.clone() }
}

fn links(catalog: &Catalog, table: &muster_catalog::Table) -> Vec<(String, String, String)> {
    let is_list = table.kind == Kind::List;
    let links = catalog.links_from(&table.name).filter(|_| !is_list);
    links.map(|(link, lookup)| (link.name.clone(), link.from_column.clone(), lookup.name.clone())).collect()
}

/// A question as one line of JSON.
fn line(
    numbers: &[u64; 2],
    question: &Question,
    printed: &Result<Printed, String>,
    answered: Option<&Answered>,
) -> String {
    let mut fields = BTreeMap::new();
    fields.insert("number", numbers[0].to_string());
    fields.insert("attempt", numbers[1].to_string());
    fields.insert("text", quoted(&question.text));
    fields.insert("instant", question.instant.map_or("null".to_owned(), |place| place.to_string()));
    fields.insert("ordered", question.is_ordered.to_string());
    fields.insert("features", list(question.mix.features.iter().map(|feature| quoted(feature))));
    let functions = question.mix.functions.iter().map(|(name, count)| format!("{}:{count}", quoted(name)));
    fields.insert("functions", format!("{{{}}}", functions.collect::<Vec<_>>().join(",")));
    match printed {
        Ok(Printed { sql, past }) => {
            fields.insert("sql", quoted(sql));
            fields.insert("past", list(past.iter().map(past_column)));
        }
        Err(error) => {
            fields.insert("refused", quoted(error));
        }
    }
    if let Some(answered) = answered {
        fields.insert("says_something", answered.says_something.to_string());
        match &answered.rows {
            Ok(rows) => fields.insert("rows", list(rows.iter().map(|row| list(row.iter().map(value))))),
            Err(error) => fields.insert("unread", quoted(error)),
        };
    }
    let fields = fields.into_iter().map(|(name, value)| format!("{}:{value}", quoted(name)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// Column, table, the place of the instant or null, and the SQL of the rows.
fn past_column(past: &Past) -> String {
    let place = past.place.map_or("null".to_owned(), |place| place.to_string());
    list([quoted(&past.column), quoted(&past.table), place, quoted(&past.sql)].into_iter())
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// A value with a letter for what it is: exact numbers, doubles, text, days, instants in microseconds, sets.
fn value(value: &Value) -> String {
    let tagged = |letter: &str, text: String| format!("[{},{}]", quoted(letter), quoted(&text));
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(_) | Value::Decimal { .. } => tagged("n", value.to_string()),
        Value::Double(_) => tagged("d", value.to_string()),
        Value::Text(text) => tagged("t", text.clone()),
        Value::Date(_) => tagged("D", value.to_string()),
        Value::Instant(micros) => tagged("T", micros.to_string()),
        Value::Set(parts) => tagged("s", parts.join(";")),
        Value::Interval { .. } => tagged("i", value.to_string()),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => quoted += &format!("\\u{:04x}", u32::from(control)),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}
