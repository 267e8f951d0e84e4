//! The text of `muster.toml` becomes a [`Catalog`], strictly: a key that nobody knows is an error with its place and the
//! nearest spelling, a key of the design that nothing acts on yet is refused as such, and every problem is reported at
//! once.

mod section;

mod written;

mod workspace;

mod channels;

mod columns;

mod numbers;

mod dialect;

mod sources;

mod lists;

mod tables;

mod purchase;

mod fitting;

mod relations;

mod scores;

use toml_edit::Document;

use crate::{Catalog, Kind, Place, Problem, Problems};
use section::{Keys, Section, Source};

const TOP: Keys = Keys {
    known: &["workspace", "tables", "lists", "channels", "scores"],
    later: &["test", "offers", "sites", "limits"],
};

/// Reads the text of a `muster.toml`; `file` is how messages name it.
///
/// # Errors
/// Every problem of the text, in the order of their places.
pub fn parse(file: &str, text: &str) -> Result<Catalog, Problems> {
    let document = Document::parse(text).map_err(|error| Problems(vec![syntax(file, text, &error)]))?;
    let source = Source::new(file, text);
    let top = Section::top(&source, document.as_table());
    let catalog = catalog(&top);
    let problems = source.into_problems();
    if problems.is_empty() { Ok(catalog) } else { Err(Problems(problems)) }
}

fn syntax(file: &str, text: &str, error: &toml_edit::TomlError) -> Problem {
    let offset = error.span().map_or(0, |span| span.start);
    Problem { place: Place::of(file, text, offset), message: error.message().replace('\n', "; "), hint: None }
}

fn catalog(top: &Section) -> Catalog {
    top.only(&TOP);
    let workspace = workspace::read(&top.required_section("workspace"));
    let mut tables = top.section("tables").map(|tables| tables::read(&tables)).unwrap_or_default();
    relations::check(top, &tables);
    purchase::check(top, &tables);
    let root = tables.iter().find(|table| table.kind == Kind::Root);
    let lists = top.section("lists").map(|lists| lists::read(&lists, root)).unwrap_or_default();
    tables.extend(lists);
    let channels = top.section("channels").map(|channels| channels::read(&channels)).unwrap_or_default();
    let scores = top.section("scores").map(|scores| scores::read(&scores)).unwrap_or_default();
    scores::check(top, &tables, &scores);
    Catalog { workspace, tables, channels, scores }
}
