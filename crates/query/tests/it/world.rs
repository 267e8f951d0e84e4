//! A shop small enough to count by hand, published to a temporary folder, and the way to ask it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch, StringViewArray};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use muster_catalog::{
    ColumnNames, ColumnType, Kind, ProfileId, RowSet, SegmentNames, TableNames, Timestamp, parse_local,
};
use muster_language::{ResolvedQuery, Statement, hidden, parse, resolve, resolve_segment};
use muster_query::{Answer, Back, Computed, Content, Engine, Error, Evaluation, Limits, Masks};
use muster_state::{Mode, State};
use muster_store::{Batch, ColumnSchema, MIGRATIONS, Snapshot, Store, TableInput};
use tempfile::TempDir;

const CATALOG: &str = r#"
[workspace]
name = "shop"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "customers.csv"
key = "id"
created_at = "since"

[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"

[tables.lines]
source = "lines.csv"
parent = "orders"
on = "order_id"

[tables.products]
source = "products.csv"
key = "sku"
lookup = { products = "lines.sku" }

[tables.parcels]
source = "parcels.csv"
key = "parcel_id"
parent = "orders"
on = "order_id"

[tables.items]
source = "items.csv"
key = "item_id"
parent = "parcels"
on = "parcel_id"

[tables.repairs]
source = "repairs.csv"
key = "repair_id"
parent = "items"
on = "item_id"
"#;

const CUSTOMERS: &[(&str, &str)] = &[
    ("id", "id"),
    ("since", "timestamp"),
    ("country", "text"),
    ("born", "date"),
    ("income", "decimal(12,2)"),
    ("children", "int"),
    ("score", "float"),
];
const ORDERS: &[(&str, &str)] =
    &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp"), ("total", "decimal(18,2)")];
const LINES: &[(&str, &str)] = &[("order_id", "id"), ("sku", "id"), ("quantity", "int"), ("price", "decimal(12,2)")];
const PRODUCTS: &[(&str, &str)] = &[("sku", "id"), ("category", "text")];
const PARCELS: &[(&str, &str)] = &[("parcel_id", "id"), ("order_id", "id")];
const ITEMS: &[(&str, &str)] = &[("item_id", "id"), ("parcel_id", "id"), ("sku", "id"), ("pieces", "int")];
const REPAIRS: &[(&str, &str)] = &[("repair_id", "id"), ("item_id", "id")];

/// Files of a shop: a row of each is a text with blanks between the fields, `-` for no value.
#[derive(Default)]
pub struct Files {
    pub customers: Vec<String>,
    pub orders: Vec<String>,
    pub lines: Vec<String>,
    pub products: Vec<String>,
    pub parcels: Vec<String>,
    pub items: Vec<String>,
    pub repairs: Vec<String>,
}

/// Texts of a shop's rows.
pub fn rows(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Checks what an expression says of each customer of the shop: Ann, Bob and Cas.
pub fn check_each(expression: &str, expected: [&str; 3]) {
    let [ann, bob, cas] = expected;
    let lines = [format!("ann {ann}"), format!("bob {bob}"), format!("cas {cas}")];
    let query = format!("SELECT id, {expression} AS x FROM profiles ORDER BY id");
    World::shop().check(&query, &lines.each_ref().map(String::as_str));
}

/// A published shop.
pub struct World {
    pub snapshot: Arc<Snapshot>,
    pub engine: Engine,
    /// The same without the kernel.
    plain: Engine,
    segments: BTreeMap<String, Arc<RowSet>>,
    lists: BTreeMap<String, Arc<RowSet>>,
    masks: Masks,
    _folder: TempDir,
}

/// What became of a text.
pub enum Ended {
    Unread(muster_language::Error),
    Failed(Error),
    Answered(Answer),
}

/// The first customer of the shop.
pub const ANN: &str = "ann 2024-01-01T00:00:00Z NL 1980-02-29 30000.00 2 0.1";

/// Noon in Amsterdam, after everything that happened in the shop.
pub const AS_OF: &str = "2025-06-30T12:00:00";

const ZONE: chrono_tz::Tz = chrono_tz::Europe::Amsterdam;

/// Limits that no test of another subject comes near.
pub fn limits() -> Limits {
    Limits { time: Duration::from_secs(30), memory: 1 << 30, rows: 100_000, bytes: 1 << 30, process: None, threads: 2 }
}

impl World {
    /// Three customers; the first bought three times, the second once, the third never.
    pub fn shop() -> Self {
        Self::of(&Self::shop_files_with(ANN))
    }

    /// The files of that shop, in which the first customer is this row.
    pub fn shop_files_with(ann: &str) -> Files {
        Files {
            customers: rows(&[
                ann,
                "bob 2025-01-01T00:00:00Z BE 1990-12-31 - 0 0.2",
                "cas 2025-06-01T00:00:00Z NL - 0.00 - -",
            ]),
            orders: rows(&[
                "o1 ann 2024-12-24T10:00:00Z 100.10",
                "o2 ann 2025-03-01T10:00:00Z 20.20",
                "o3 ann 2025-06-29T23:30:00Z 3.30",
                "o4 bob 2025-03-01T10:00:00Z 50.00",
            ]),
            lines: rows(&["o1 sofa 1 90.10", "o1 lamp 2 5.00", "o2 lamp 4 5.05", "o3 vase 1 3.30", "o4 sofa 1 50.00"]),
            products: rows(&["sofa Sofas", "lamp Lighting"]),
            ..Files::default()
        }
    }

    pub fn of(files: &Files) -> Self {
        Self::within(limits(), files)
    }

    /// A shop of these files, whose engine stays within `limits`.
    pub fn within(limits: Limits, files: &Files) -> Self {
        let folder = TempDir::new().unwrap();
        let catalog = muster_catalog::parse("muster.toml", CATALOG).unwrap();
        let state = State::open(folder.path(), MIGRATIONS, Mode::Create).unwrap();
        let store = state.read(|tx| Store::open(folder.path(), tx)).unwrap();
        let inputs = vec![
            input("profiles", CUSTOMERS, &files.customers),
            input("orders", ORDERS, &files.orders),
            input("lines", LINES, &files.lines),
            input("products", PRODUCTS, &files.products),
            input("parcels", PARCELS, &files.parcels),
            input("items", ITEMS, &files.items),
            input("repairs", REPAIRS, &files.repairs),
        ];
        let prepared = store.prepare(&catalog, inputs, Timestamp::from_micros(1)).unwrap();
        assert!(prepared.report().refusals.is_empty(), "{:?}", prepared.report().refusals);
        state.write(|tx| prepared.commit(tx, "{}", &[])).unwrap();
        let snapshot = store.adopt(prepared);
        Self {
            snapshot,
            engine: Engine::new(limits).unwrap(),
            plain: Engine::new(limits).unwrap().with_back(Back::PlainSql),
            segments: BTreeMap::new(),
            lists: BTreeMap::new(),
            masks: Masks::default(),
            _folder: folder,
        }
    }

    /// The same, where the segment `name` holds the profiles with these numbers.
    pub fn with_segment(mut self, name: &str, profiles: &[u32]) -> Self {
        self.segments.insert(name.to_owned(), Arc::new(profiles.iter().copied().collect()));
        self
    }

    /// The same, where the profiles with these numbers are on the list `name`.
    pub fn with_list(mut self, name: &str, profiles: &[u32]) -> Self {
        self.lists.insert(name.to_owned(), Arc::new(profiles.iter().copied().collect()));
        self
    }

    /// The same, where nobody may see these columns of profiles.
    pub fn masked(mut self, columns: &[(&str, &'static str)]) -> Self {
        let columns = columns.iter().map(|(column, class)| (("profiles".to_owned(), (*column).to_owned()), *class));
        self.masks = Masks::hiding(columns.collect());
        self
    }

    pub fn evaluation(&self) -> Evaluation {
        let of = |column: String, rows: &Arc<RowSet>| Computed {
            table: "profiles".to_owned(),
            column,
            content: Content::Members(Arc::clone(rows)),
        };
        let segments = self.segments.iter().map(|(name, rows)| of(hidden::segment(name), rows));
        let lists = self.lists.iter().map(|(name, rows)| of(hidden::list(name), rows));
        let computed = segments.chain(lists).collect();
        Evaluation {
            snapshot: Arc::clone(&self.snapshot),
            zone: ZONE,
            computed,
            tables: Vec::new(),
            masks: self.masks.fresh(),
        }
    }

    fn names(&self) -> muster_catalog::Names {
        let segment = |name: &String| SegmentNames { name: name.clone(), grain: "profiles".to_owned() };
        let mut names = self.snapshot.names(ZONE, self.segments.keys().map(segment).collect());
        names.tables.extend(self.lists.keys().map(|name| list(name)));
        names
    }

    pub fn resolved(&self, text: &str) -> ResolvedQuery {
        let Statement::Query { as_of, query } = parse(text).unwrap_or_else(|error| panic!("{error}")) else {
            panic!("{text} is no query")
        };
        let instant = as_of.map_or_else(|| parse_local(AS_OF, ZONE).unwrap(), |own| own.instant(ZONE).unwrap());
        resolve(&query, &self.names(), instant).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What becomes of a text, wherever it ends.
    pub fn ended(&self, text: &str) -> Ended {
        let instant = parse_local(AS_OF, ZONE).unwrap();
        let resolved = match parse(text) {
            Ok(Statement::Query { query, .. }) => resolve(&query, &self.names(), instant),
            Ok(other) => panic!("{other:?} is no query"),
            Err(error) => Err(error),
        };
        match resolved.map(|resolved| self.engine.answer(&resolved, &self.evaluation())) {
            Ok(Ok(answer)) => Ended::Answered(answer),
            Ok(Err(error)) => Ended::Failed(error),
            Err(error) => Ended::Unread(error),
        }
    }

    pub fn ask(&self, text: &str) -> Result<Answer, Error> {
        self.engine.answer(&self.resolved(text), &self.evaluation())
    }

    /// Why the kernel leaves a query to plain SQL; nothing where it does not.
    pub fn refusal(&self, text: &str) -> Option<String> {
        self.engine.refusal(&self.resolved(text), &self.evaluation()).unwrap()
    }

    /// How many aggregates over groups the kernel counts itself.
    pub fn cubes(&self, text: &str) -> usize {
        self.engine.cubes(&self.resolved(text), &self.evaluation()).unwrap()
    }

    /// The rows of an answer as texts, cells separated by blanks, no value as `-`.
    #[track_caller]
    pub fn answer(&self, text: &str) -> Vec<String> {
        self.answer_of(&self.engine, text)
    }

    #[track_caller]
    fn answer_of(&self, engine: &Engine, text: &str) -> Vec<String> {
        match engine.answer(&self.resolved(text), &self.evaluation()) {
            Ok(answer) => answer.batches.iter().flat_map(texts).collect(),
            Err(error) => panic!("{text}\n{error}\n{}", self.resolved(text).to_pretty_sql()),
        }
    }

    /// Both backs say the same.
    #[track_caller]
    pub fn check(&self, text: &str, expected: &[&str]) {
        assert_eq!(self.answer(text), expected, "{text}\n{}", self.resolved(text).to_pretty_sql());
        assert_eq!(self.answer_of(&self.plain, text), expected, "as plain SQL: {text}");
        self.check_profile_by_profile(text, expected);
    }

    /// What can be asked of one profile at a time says the same, in no order.
    #[track_caller]
    fn check_profile_by_profile(&self, text: &str, expected: &[&str]) {
        let Ok(each) = self.engine.each_profile(&self.resolved(text), &self.evaluation()) else { return };
        let mut found = Vec::new();
        for profile in 0..self.profile_count() {
            if let Some(shown) = each.shown(ProfileId(profile)).unwrap_or_else(|error| panic!("{text}\n{error}")) {
                let columns = shown.into_iter().enumerate().map(|(place, column)| (place.to_string(), column, true));
                found.extend(texts(&RecordBatch::try_from_iter_with_nullable(columns).unwrap()));
            }
        }
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "profile by profile: {text}");
    }

    /// How many profiles there may be: one more, so that somebody who is not there is asked for, too.
    fn profile_count(&self) -> u32 {
        self.snapshot.row_count("profiles") as u32 + 1
    }

    /// The numbers of the profiles for which `condition` is true.
    #[track_caller]
    pub fn members(&self, condition: &str) -> Vec<u32> {
        let text = format!("CREATE SEGMENT s AS WHERE {condition}");
        let Statement::CreateSegment(definition) = parse(&text).unwrap_or_else(|error| panic!("{error}")) else {
            panic!("{text} is no definition")
        };
        let instant = parse_local(AS_OF, ZONE).unwrap();
        let segment = resolve_segment(&definition.query, &self.names(), instant).unwrap();
        let rows = self.engine.rows(&segment, &self.evaluation()).unwrap();
        assert_eq!(self.plain.rows(&segment, &self.evaluation()).unwrap(), rows, "as plain SQL: {condition}");
        if let Ok(each) = self.engine.each_profile(&segment.query, &self.evaluation()) {
            let selected = (0..self.profile_count()).filter(|profile| each.selects(ProfileId(*profile)).unwrap());
            assert_eq!(selected.collect::<RowSet>(), rows, "profile by profile: {condition}");
        }
        rows.iter().collect()
    }

    /// The whole message of a query that has no answer.
    #[track_caller]
    pub fn error(&self, text: &str) -> String {
        match self.ask(text) {
            Ok(answer) => panic!("{text}\n{:?}", answer.batches),
            Err(error) => error.to_string(),
        }
    }
}

fn list(name: &str) -> TableNames {
    TableNames {
        name: format!("lists.{name}"),
        kind: Kind::List,
        key: Some("id".to_owned()),
        time: None,
        created_at: None,
        columns: vec![ColumnNames { name: "id".to_owned(), column_type: ColumnType::Id, role: None }],
        links: Vec::new(),
    }
}

fn texts(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let cells: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |row: usize| cells.iter().map(|cell| cell.value(row).to_string()).collect::<Vec<_>>().join(" ");
    (0..batch.num_rows()).map(row).collect()
}

fn input(table: &str, columns: &[(&str, &str)], rows: &[String]) -> TableInput {
    let columns: Vec<ColumnSchema> = columns
        .iter()
        .map(|(name, column_type)| ColumnSchema {
            name: (*name).to_owned(),
            column_type: column_type.parse().unwrap(),
            role: None,
        })
        .collect();
    let fields: Vec<Vec<&str>> = rows.iter().map(|row| row.split(' ').collect()).collect();
    let arrays = columns.iter().enumerate().map(|(place, column)| {
        let texts = fields.iter().map(|fields| Some(fields[place]).filter(|text| *text != "-"));
        let texts: ArrayRef = Arc::new(texts.collect::<StringViewArray>());
        (column.name.clone(), cast(&texts, &column.column_type.arrow()).unwrap(), true)
    });
    let rows = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
    TableInput { table: table.to_owned(), batches: vec![Batch { file: 0, rows }], columns }
}
