//! A shop of four customers, its state file, and sessions that read and write it.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringViewArray};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, Field};
use muster_catalog::{ColumnType, FixedClock, ProfileId, RowSet, Timestamp, parse_local};
use muster_language::{Statement, parse, parse_piece, split_statements};
use muster_query::{Answer, Engine, Limits};
use muster_segment::{Access, Audience, Error, KeptInputs, NewDefinition, Outcome, Scoring, Session, Workbench};
use muster_state::{Migration, Mode, State, Tx};
use muster_store::{Batch, ColumnSchema, Store, TableInput};
use tempfile::TempDir;

/// The definition of the workspace.
pub const CATALOG: &str = r#"
[workspace]
name = "shop"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "customers.csv"
key = "id"

[tables.profiles.columns]
email = { role = "email" }

[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"

[tables.stores]
source = "stores.csv"
key = "store_id"
lookup = { stores = "profiles.store" }
"#;

/// The columns of its customers.
pub const CUSTOMERS: &[(&str, &str)] =
    &[("id", "id"), ("email", "text"), ("country", "text"), ("income", "decimal(12,2)"), ("store", "id")];
/// The columns of its orders.
pub const ORDERS: &[(&str, &str)] =
    &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp"), ("total", "decimal(12,2)")];
/// The columns of its stores.
pub const STORES: &[(&str, &str)] = &[("store_id", "id"), ("city", "text")];

const ZONE: chrono_tz::Tz = chrono_tz::Europe::Amsterdam;

/// What the clock of the shop says.
pub const NOW: &str = "2025-06-30T12:00:00";

/// A shop in a temporary folder.
pub struct Shop {
    pub folder: TempDir,
    pub state: State,
    pub store: Store,
    pub engine: Engine,
    pub clock: FixedClock,
    pub scoring: Scoring,
    pub inputs: KeptInputs,
}

fn migrations() -> Vec<Migration> {
    [muster_store::MIGRATIONS, muster_segment::MIGRATIONS].concat()
}

fn engine() -> Engine {
    Engine::new(Limits { threads: 2, ..Limits::default() }).unwrap()
}

/// The instant of a text in the shop's zone.
pub fn instant(text: &str) -> Timestamp {
    parse_local(text, ZONE).unwrap()
}

impl Shop {
    /// A shop before its first load.
    pub fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        let state = State::open(folder.path(), &migrations(), Mode::Create).unwrap();
        let store = state.read(|tx| Store::open(folder.path(), tx)).unwrap();
        Self {
            folder,
            state,
            store,
            engine: engine(),
            clock: FixedClock(instant(NOW)),
            scoring: Scoring::default(),
            inputs: KeptInputs::default(),
        }
    }

    /// Four customers: the first bought twice, the second and third once, the last never.
    pub fn open() -> Self {
        let shop = Self::empty();
        shop.load(vec![
            input(
                "profiles",
                CUSTOMERS,
                &[
                    "bob b@x.example BE 20.00 s1",
                    "ann a@x.example NL 10.00 s1",
                    "cas - NL - -",
                    "dan d@x.example - 0.00 s2",
                ],
            ),
            input(
                "orders",
                ORDERS,
                &[
                    "o1 ann 2025-01-01T10:00:00Z 5.00",
                    "o2 ann 2025-06-01T10:00:00Z 15.00",
                    "o3 bob 2025-03-01T10:00:00Z 50.00",
                    "o4 cas 2025-06-29T10:00:00Z 1.00",
                ],
            ),
            input("stores", STORES, &["s1 Delft", "s2 Gent"]),
        ]);
        shop
    }

    fn load(&self, inputs: Vec<TableInput>) {
        self.load_as(CATALOG, inputs);
    }

    /// Loads into a workspace of this definition.
    pub fn load_as(&self, catalog: &str, inputs: Vec<TableInput>) {
        self.load_at(catalog, inputs, Timestamp::from_micros(1));
    }

    /// The same at this instant.
    pub fn load_at(&self, catalog: &str, inputs: Vec<TableInput>, at: Timestamp) {
        let catalog = muster_catalog::parse("muster.toml", catalog).unwrap();
        let prepared = self.store.prepare(&catalog, inputs, at).unwrap();
        self.state.write(|tx| prepared.commit(tx, "{}", &[])).unwrap();
        self.store.adopt(prepared);
    }

    /// Rows as they come through the socket: true in the log, and in memory.
    pub fn append_as(&self, catalog: &str, inputs: &[TableInput], at: Timestamp) {
        let catalog = muster_catalog::parse("muster.toml", catalog).unwrap();
        let prepared = self.store.prepare_rows(&catalog, inputs, at).unwrap();
        self.state.write(|tx| prepared.commit(tx)).unwrap();
        self.store.adopt_rows(prepared);
    }

    /// Moves the rows of the log into files.
    pub fn make_files_as(&self, catalog: &str, at: Timestamp) {
        let catalog = muster_catalog::parse("muster.toml", catalog).unwrap();
        let prepared = self.store.prepare(&catalog, Vec::new(), at).unwrap();
        self.state.write(|tx| self.store.commit_files(tx, &prepared)).unwrap();
        self.store.adopt(prepared);
    }

    /// Takes the newest load back, and with it what memberships say of it.
    pub fn undo(&self) {
        let (catalog, now) = (muster_catalog::parse("muster.toml", CATALOG).unwrap(), Timestamp::from_micros(1));
        let (load, prepared) = self.state.read(|tx| self.store.prepare_undo(&catalog, tx, now)).unwrap();
        let take_back = |tx: &Tx<'_>| -> Result<(), Error> {
            self.store.commit_undo(tx, &load, &prepared)?;
            muster_segment::take_back(tx, &load)
        };
        self.state.write(take_back).unwrap();
        self.store.adopt(prepared);
    }

    /// One more customer from the Netherlands.
    pub fn with_one_more(&self) {
        self.load(vec![input("profiles", CUSTOMERS, &["eva e@x.example NL 1.00 s1"])]);
    }

    /// Closes everything and opens it again, as the next process does.
    pub fn reopened(self) -> Self {
        let Self { folder, state, store, engine, clock, scoring, .. } = self;
        drop((state, store));
        let state = State::open(folder.path(), &migrations(), Mode::Existing).unwrap();
        let store = state.read(|tx| Store::open(folder.path(), tx)).unwrap();
        Self { folder, state, store, engine, clock, scoring, inputs: KeptInputs::default() }
    }

    pub fn bench(&self) -> Workbench<'_> {
        Workbench {
            store: &self.store,
            access: Access::Write(&self.state),
            engine: &self.engine,
            clock: &self.clock,
            zone: ZONE,
            scoring: &self.scoring,
            inputs: &self.inputs,
        }
    }

    pub fn session(&self) -> Session<'_> {
        Session::new(self.bench(), None).unwrap()
    }

    /// A session as of another instant than now.
    pub fn session_as_of(&self, text: &str) -> Session<'_> {
        Session::new(self.bench(), Some(instant(text))).unwrap()
    }

    /// Executes all statements of a text in one session; what became of the last.
    pub fn run(&self, text: &str) -> Result<Outcome, Error> {
        run(&mut self.session(), text)
    }

    /// The audience of a definition that is in order.
    #[track_caller]
    pub fn define(&self, text: &str) -> Audience {
        match self.run(text) {
            Ok(Outcome::Defined { audience, .. }) => {
                self.check_profile_by_profile(&audience);
                audience
            }
            other => panic!("{text}\n{other:?}"),
        }
    }

    /// Asked of one profile at a time the segment says the same, where it can be asked so.
    #[track_caller]
    fn check_profile_by_profile(&self, audience: &Audience) {
        let session = self.session();
        let evaluator = session.evaluator().unwrap();
        let definition = evaluator.definition(&audience.segment).unwrap();
        let Ok(each) = evaluator.each_profile(&definition.query, audience.as_of) else { return };
        let profiles = 0..self.store.snapshot().unwrap().row_count("profiles") as u32 + 1;
        let selected = profiles.filter(|profile| each.selects(ProfileId(*profile)).unwrap());
        assert_eq!(selected.collect::<RowSet>(), audience.rows, "profile by profile: {}", definition.text());
    }

    /// The whole message of a statement that is refused.
    #[track_caller]
    pub fn error(&self, text: &str) -> String {
        match self.run(text) {
            Ok(outcome) => panic!("{text}\n{outcome:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// The rows of an answer as texts, cells separated by ` | `, no value as `-`.
    #[track_caller]
    pub fn rows(&self, text: &str) -> Vec<String> {
        match self.run(text) {
            Ok(Outcome::Answer(answer)) => rows(&answer),
            other => panic!("{text}\n{other:?}"),
        }
    }

    /// The kept audience of a segment, as keys.
    pub fn kept(&self, segment: &str) -> Option<Vec<String>> {
        let audience = self.state.read(|tx| Audience::newest(tx, segment)).unwrap()?;
        Some(self.keys(&audience))
    }

    /// The keys of an audience's profiles.
    pub fn keys(&self, audience: &Audience) -> Vec<String> {
        self.session().evaluator().unwrap().keys(&audience.rows).unwrap()
    }
}

/// Segments in twenty steps, each of which names both segments of the step before: `a20` and `b20` are the last.
pub fn twenty_steps() -> Vec<String> {
    let mut texts =
        vec!["CREATE SEGMENT a0 AS WHERE income > 0".to_owned(), "CREATE SEGMENT b0 AS WHERE income = 0".to_owned()];
    for step in 1..=20 {
        let below = step - 1;
        texts.push(format!("CREATE SEGMENT a{step} AS WHERE segments.a{below} AND NOT segments.b{below}"));
        texts.push(format!("CREATE SEGMENT b{step} AS WHERE segments.b{below} OR NOT segments.a{below}"));
    }
    texts
}

/// Executes all statements of a text; what became of the last.
pub fn run(session: &mut Session<'_>, text: &str) -> Result<Outcome, Error> {
    let mut last = None;
    for piece in split_statements(text) {
        last = Some(session.execute(parse_piece(&piece)?)?);
    }
    Ok(last.unwrap())
}

/// Definitions of a text, in its order.
pub fn definitions(texts: &[&str]) -> Vec<NewDefinition> {
    let definition = |text: &&str| match parse(text).unwrap() {
        Statement::CreateSegment(definition) => NewDefinition::Segment(definition),
        Statement::CreateVariable(definition) => NewDefinition::Variable(definition),
        other => panic!("{other:?} is no definition"),
    };
    texts.iter().map(definition).collect()
}

/// The rows of an answer as texts, the names of its columns first.
pub fn rows(answer: &Answer) -> Vec<String> {
    let header = answer.schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(" | ");
    std::iter::once(header).chain(answer.batches.iter().flat_map(texts)).collect()
}

fn texts(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let cells: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |row: usize| cells.iter().map(|cell| cell.value(row).to_string()).collect::<Vec<_>>().join(" | ");
    (0..batch.num_rows()).map(row).collect()
}

/// Rows of a table: cells separated by blanks, `-` is no value, `;` stands between the members of a set.
pub fn input(table: &str, columns: &[(&str, &str)], rows: &[&str]) -> TableInput {
    let columns: Vec<ColumnSchema> = columns
        .iter()
        .map(|(name, column_type)| ColumnSchema {
            name: (*name).to_owned(),
            column_type: column_type.parse().unwrap(),
            role: name.parse().ok(),
        })
        .collect();
    let fields: Vec<Vec<&str>> = rows.iter().map(|row| row.split(' ').collect()).collect();
    let arrays = columns.iter().enumerate().map(|(place, column)| {
        let texts = fields.iter().map(|fields| Some(fields[place]).filter(|text| *text != "-"));
        let array = match column.column_type {
            ColumnType::Set => sets(texts),
            typed => {
                let texts: ArrayRef = Arc::new(texts.collect::<StringViewArray>());
                cast(&texts, &typed.arrow()).unwrap()
            }
        };
        (column.name.clone(), array, true)
    });
    let rows = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
    TableInput { table: table.to_owned(), batches: vec![Batch { file: 0, rows }], columns }
}

fn sets<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut sets =
        ListBuilder::new(StringViewBuilder::new()).with_field(Field::new_list_field(DataType::Utf8View, false));
    texts.for_each(|text| sets.append_option(text.map(|text| text.split(';').map(Some))));
    Arc::new(sets.finish())
}
