//! The prompt, as a person meets it: at a terminal of its own, key by key. `talk.py` holds the terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::done;
use crate::exporting::{parquet, row_count};
use crate::serve::Serve;
use crate::world::{corner_shop, own_corner_shop, workspace_of};

/// Keys that have no letter.
const ENTER: &str = "\r";
const TAB: &str = "\t";
const UP: &str = "\x1b[A";
const CTRL_C: &str = "\x03";

/// Hours of work, and the sign that they have begun.
const ENDLESS: &str = "SELECT count(DISTINCT a.line_id || b.line_id) FROM order_lines a CROSS JOIN order_lines b;";

/// A workspace of a few people.
const FEW: &str = "[workspace]\nname = \"few\"\n[tables.profiles]\nsource = \"p*.csv\"\nkey = \"id\"\n";

/// One step of a conversation.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// Keys are pressed.
    Type(&'a str),
    /// Something is shown, behind what was seen before.
    See(&'a str),
    /// Tab is pressed until something is shown: what is looked up may not be there at once.
    TabUntil(&'a str),
    /// Meanwhile somebody else does something in the workspace.
    Run(&'a str),
    /// Ctrl-D is pressed until the program ends.
    Leave,
}
use Step::{Leave, Run, See, TabUntil, Type};

/// A person's terminal, with the folder of what their programs remember.
struct Terminal {
    columns: u32,
    home: TempDir,
}

/// What a conversation came to.
struct Talk {
    shown: String,
    /// Seconds until each thing was seen.
    waited: Vec<f64>,
    code: i64,
}

impl Terminal {
    fn new() -> Self {
        Self { columns: 100, home: tempfile::tempdir().unwrap() }
    }

    fn history(&self) -> String {
        fs::read_to_string(self.home.path().join("muster/history")).unwrap()
    }

    /// A conversation with `muster sql` in the workspace `dir`.
    #[track_caller]
    fn talk(&self, dir: &Path, steps: &[Step<'_>]) -> Talk {
        self.talk_with(dir, &[env!("CARGO_BIN_EXE_muster"), "sql"], steps)
    }

    #[track_caller]
    fn talk_with(&self, dir: &Path, command: &[&str], steps: &[Step<'_>]) -> Talk {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/talk.py");
        let mut python = Command::new("python3");
        python.arg(script).arg(self.columns.to_string()).args(command);
        python.env("MUSTER", env!("CARGO_BIN_EXE_muster")).current_dir(dir);
        python.env("XDG_STATE_HOME", self.home.path()).env("TERM", "xterm").env_remove("MUSTER_LOG");
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 is needed");
        let step = |step: &Step<'_>| match step {
            Type(keys) => json!(["type", keys]),
            See(text) => json!(["see", text]),
            TabUntil(text) => json!(["tab until", text]),
            Run(command) => json!(["run", command]),
            Leave => json!(["leave", ""]),
        };
        let steps: Vec<Value> = steps.iter().map(step).collect();
        serde_json::to_writer(child.stdin.take().unwrap(), &steps).unwrap();
        let output = child.wait_with_output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let shown = told["shown"].as_str().unwrap().to_owned();
        assert!(told["missing"].is_null(), "{} was not shown:\n{shown}", told["missing"]);
        let waited = told["waited"].as_array().unwrap().iter().map(|seconds| seconds.as_f64().unwrap()).collect();
        Talk { shown, waited, code: told["code"].as_i64().unwrap_or(-1) }
    }

    /// The same, at whose end the person leaves with Ctrl-D and the process ends in order.
    #[track_caller]
    fn visit(&self, dir: &Path, steps: &[Step<'_>]) -> Talk {
        let steps: Vec<Step<'_>> = steps.iter().copied().chain([Leave]).collect();
        let talk = self.talk(dir, &steps);
        assert_eq!(talk.code, 0, "{}", talk.shown);
        talk
    }
}

#[test]
fn a_statement_goes_over_lines_until_its_semicolon_and_says_how_long_it_took() {
    let talk = Terminal::new().visit(
        corner_shop(),
        &[
            See("corner-shop: statements end with ;"),
            See("muster> "),
            Type("SELECT count(*) AS n, ';' AS mark"),
            Type(ENTER),
            See("… ; ends the statement"),
            Type("FROM orders -- ; is not here"),
            Type(ENTER),
            Type(";"),
            Type(ENTER),
            See("| 19377 | ;    |"),
            See("(1 row, "),
            See("s)"),
        ],
    );
    assert!(!talk.shown.contains("error"), "{}", talk.shown);
}

#[test]
fn tab_offers_tables_columns_with_types_segments_and_values() {
    let terminal = Terminal::new();
    terminal.visit(
        corner_shop(),
        &[
            See("muster> "),
            Type("SELECT total FROM ord"),
            Type(TAB),
            See("order_lines  table"),
            Type("s WHERE orders.chan"),
            Type(TAB),
            Type(" = 'sto"),
            TabUntil("'store'"),
            Type(" AND customer_id IN (SELECT customer_id FROM profiles WHERE segments.lapsed_"),
            Type(TAB),
            Type(") LIMIT 0;"),
            Type(ENTER),
            See("| total |"),
            See("(0 rows"),
            Type("SELECT orders."),
            Type(TAB),
            See("total        decimal(12,2)"),
            Type(CTRL_C),
        ],
    );
    let expected = "SELECT total FROM orders WHERE orders.channel = 'store' AND customer_id IN (SELECT customer_id FROM profiles WHERE segments.lapsed_vips) LIMIT 0;";
    assert!(terminal.history().contains(expected), "{}", terminal.history());
}

#[test]
fn values_of_personal_columns_are_not_offered() {
    let definition = format!("{FEW}[tables.profiles.columns]\nfaith = {{ type = \"text\", class = \"sensitive\" }}\n");
    let people = "id,faith,town\n1,pastafarian,delft\n2,pastafarian,delft\n";
    let shop = workspace_of(&[("muster.toml", &definition), ("p1.csv", people)]);
    done(shop.path(), &["load"]);
    let talk = Terminal::new().visit(
        shop.path(),
        &[
            See("muster> "),
            Type("SELECT count(*) AS n FROM profiles WHERE town = '"),
            TabUntil("'delft'"),
            Type(" AND faith = '"),
            Type(TAB),
            Type(TAB),
            Type(CTRL_C),
        ],
    );
    assert!(!talk.shown.contains("pastafarian"), "{}", talk.shown);
}

#[test]
fn the_caret_of_an_error_stands_below_its_place_on_its_line() {
    let shown = Terminal::new()
        .visit(
            corner_shop(),
            &[
                See("muster> "),
                Type("SELECT 1;"),
                Type(ENTER),
                See("muster> "),
                Type("SELECT customer_id,"),
                Type(ENTER),
                Type("'日本', emial FROM profiles;"),
                Type(ENTER),
                See("error: line 2, column 7"),
                See("hint: did you mean"),
                Type("SELEC 1;"),
                Type(ENTER),
                See("error: line 1, column 1"),
            ],
        )
        .shown;
    assert!(shown.contains("\n  '日本', emial FROM profiles\n          ^\n"), "{shown}");
}

#[test]
fn ctrl_c_stops_a_statement_and_the_next_one_runs() {
    let talk = Terminal::new().visit(
        corner_shop(),
        &[
            See("muster> "),
            Type(ENDLESS),
            Type(ENTER),
            See("1 s; Ctrl-C stops it"),
            Type(CTRL_C),
            See("error: the query was stopped"),
            See("muster> "),
            Type("SELECT 40 + 2 AS answer;"),
            Type(ENTER),
            See("| 42     |"),
            Type("half a statement"),
            Type(CTRL_C),
            See("muster> "),
            Type("SELECT 40 + 3 AS answer;"),
            Type(ENTER),
            See("| 43     |"),
        ],
    );
    assert!(talk.waited[2] < 1.0, "it was stopped after {} s", talk.waited[2]);
}

#[test]
fn a_statement_whose_time_is_over_is_stopped_and_the_conversation_goes_on() {
    let talk = Terminal::new().talk_with(
        corner_shop(),
        &[env!("CARGO_BIN_EXE_muster"), "sql", "--timeout", "1"],
        &[
            See("muster> "),
            Type(ENDLESS),
            Type(ENTER),
            See("error: the query was stopped after 1 s"),
            See("muster> "),
            Type("\\q"),
            Type(ENTER),
        ],
    );
    assert_eq!(talk.code, 0);
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    Terminal::new().visit(
        corner_shop(),
        &[
            See("muster> "),
            Type("SELECT 1 AS one;\rSELECT 2 AS two;\r\\timing off\r"),
            See("| 1   |"),
            See("| 2   |"),
            See("times are not said"),
            Type("SELECT count(DISTINCT line_id) AS lines FROM order_lines;\r"),
            Type("SELECT 3 AS three;\r"),
            See("| 58725 |"),
            See("| 3     |"),
        ],
    );
}

#[test]
fn what_was_typed_is_there_the_next_time_and_is_nobody_elses() {
    let terminal = Terminal::new();
    let first =
        [See("muster> "), Type("SELECT 41"), Type(ENTER), Type("+ 1 AS answer;"), Type(ENTER), See("| 42     |")];
    terminal.visit(corner_shop(), &first);
    terminal.visit(corner_shop(), &[See("muster> "), Type(UP), See("+ 1 AS answer;"), Type(ENTER), See("| 42     |")]);
    let file = terminal.home.path().join("muster/history");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
    assert!(terminal.history().contains("SELECT 41\\n+ 1 AS answer;"), "{}", terminal.history());
    terminal.visit(corner_shop(), &[See("muster> "), Type(" SELECT 'secret' AS s;"), Type(ENTER), See("| secret |")]);
    assert!(!terminal.history().contains("secret"), "{}", terminal.history());
}

#[test]
fn a_history_that_cannot_be_kept_is_told_once_and_ends_nothing() {
    let terminal = Terminal::new();
    fs::write(terminal.home.path().join("muster"), "a file where the folder would be").unwrap();
    let talk = terminal.visit(
        corner_shop(),
        &[
            See("muster> "),
            Type("SELECT 1 AS one;"),
            Type(ENTER),
            See("the history is not kept: "),
            See("| 1   |"),
            Type("SELECT 2 AS two;"),
            Type(ENTER),
            See("| 2   |"),
        ],
    );
    assert_eq!(talk.shown.matches("the history is not kept").count(), 1, "{}", talk.shown);
}

#[test]
fn shortcuts_show_explain_and_set() {
    let (folder, terminal) = (tempfile::tempdir().unwrap(), Terminal::new());
    let file = folder.path().join("orders.parquet");
    let into = format!("\\o {}", file.display());
    let shortcut = |text: &'static str| [See("> "), Type(text), Type(ENTER)];
    let steps = [
        vec![See("leaves")],
        shortcut("\\d").into(),
        vec![See("| orders      | history | profiles")],
        shortcut("\\d orders").into(),
        vec![See("| placed_at   | timestamp     | time")],
        shortcut("\\d ordres").into(),
        vec![See("error: there is no table `ordres`; did you mean `orders`?")],
        shortcut("\\d segments.lapsed").into(),
        vec![See("lapsed_vips")],
        shortcut("\\explain SELECT count(orders) AS n FROM profiles").into(),
        vec![See("GROUP BY"), See("\"orders\".\"__profile\"")],
        shortcut("\\timing off").into(),
        vec![See("times are not said")],
        shortcut("\\format csv").into(),
        vec![See("rows are written as csv")],
        shortcut("SELECT 1 AS one, NULL AS two;").into(),
        vec![See("one,two\n1,\n"), See("> "), Type(&into), Type(ENTER), See("the rows of the next query go into")],
        shortcut("SELECT order_id FROM orders;").into(),
        shortcut("\\as_of 2024-01-01").into(),
        vec![See("\nas of 2024-01-01T00:00:00+01:00\n")],
        shortcut("SELECT count(*) AS n FROM orders;").into(),
        vec![See("n\n9064\n")],
        shortcut("SET as_of = '2022-06-30';").into(),
        vec![See("\nas of 2022-06-30T00:00:00+02:00\n")],
        shortcut("SELECT count(*) AS n FROM orders;").into(),
        vec![See("n\n0\n")],
        shortcut("\\as_of").into(),
        vec![See("\nas of 2025-06-30T12:00:00+02:00")],
        shortcut("\\timng").into(),
        vec![See("error: there is no \\timng; did you mean \\timing?")],
        shortcut("\\format parquet").into(),
        shortcut("SELECT 1;").into(),
        vec![See("error: this format is not for a terminal")],
        shortcut("\\?").into(),
        vec![See("\\explain QUERY")],
    ];
    let steps: Vec<Step<'_>> = steps.into_iter().flatten().collect();
    let talk = terminal.visit(corner_shop(), &steps);
    assert!(talk.shown.contains("\nmuster as of 2022-06-30T00:00:00+02:00> "), "{}", talk.shown);
    let last_time = [" ms)", " s)"].into_iter().filter_map(|end| talk.shown.rfind(end)).max();
    assert!(last_time < talk.shown.find("times are not said"), "{}", talk.shown);
    assert_eq!(row_count(&parquet(&file)), 19_377);
}

#[test]
fn a_query_that_fails_leaves_no_file_and_the_next_one_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("n.json");
    let into = format!("\\o {}", file.display());
    Terminal::new().visit(
        corner_shop(),
        &[
            See("muster> "),
            Type(&into),
            Type(ENTER),
            See("go into"),
            Type("SELECT x FROM orders;"),
            Type(ENTER),
            See("error: line 1, column 8"),
            Type("SELECT count(*) AS n FROM orders;"),
            Type(ENTER),
            See("(1 row, "),
        ],
    );
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["n.json"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "[{\"n\":19377}]\n");
}

#[test]
fn only_rows_go_where_stdout_goes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let command = format!("exec \"$MUSTER\" sql --format csv > '{}'", file.display());
    let talk = Terminal::new().talk_with(
        corner_shop(),
        &["sh", "-c", &command],
        &[
            See("muster> "),
            Type("SELECT 40 + 2 AS answer;"),
            Type(ENTER),
            See("(1 row, "),
            See("muster> "),
            Type("exit"),
            Type(ENTER),
        ],
    );
    assert_eq!(talk.code, 0, "{}", talk.shown);
    assert_eq!(fs::read_to_string(&file).unwrap(), "answer\n42\n");
}

#[test]
fn a_table_fits_the_terminal() {
    let narrow = Terminal { columns: 50, ..Terminal::new() };
    let query = "SELECT customer_id, email, city, country, 'a long remark that goes on and on and on' AS remark FROM profiles ORDER BY customer_id LIMIT 2;";
    let talk = narrow.visit(corner_shop(), &[See("muster> "), Type(query), Type(ENTER), See("(2 rows, ")]);
    let table: Vec<&str> = talk.shown.lines().filter(|line| line.starts_with(['|', '+'])).collect();
    assert!(table.len() > 6 && table.iter().all(|line| line.chars().count() <= 50), "{}", table.join("\n"));
    assert!(talk.shown.contains('…') && talk.shown.contains("| country"), "{}", talk.shown);
}

#[test]
fn what_others_load_and_define_meanwhile_is_there() {
    let shop = workspace_of(&[("muster.toml", FEW), ("p1.csv", "id,town\n1,delft\n")]);
    done(shop.path(), &["load"]);
    let count = "SELECT count(*) AS people FROM profiles;";
    let dir = shop.path();
    Terminal::new().visit(
        dir,
        &[
            See("muster> "),
            Type(count),
            Type(ENTER),
            See("| 1      |"),
            Run("printf 'id,town\n2,gouda\n' > p2.csv && \"$MUSTER\" load"),
            Run("\"$MUSTER\" sql -c \"CREATE SEGMENT from_afar AS WHERE town = 'gouda'\""),
            Type(count),
            Type(ENTER),
            See("| 2      |"),
            Type("SELECT count(*) AS afar FROM profiles WHERE segments.from_"),
            Type(TAB),
            Type(";"),
            Type(ENTER),
            See("| 1    |"),
        ],
    );
}

#[test]
fn definitions_are_made_at_the_prompt_and_known_at_once() {
    let shop = own_corner_shop();
    let terminal = Terminal::new();
    let steps = [
        See("muster> "),
        Type("CREATE SEGMENT far_away AS WHERE country = 'BE';"),
        Type(ENTER),
        See("far_away: defined, "),
        Type("SELECT count(*) > 0 AS some FROM profiles WHERE segments.far_"),
        Type(TAB),
        Type(";"),
        Type(ENTER),
        See("| true |"),
        Type("DROP SEGMENT far_away;"),
        Type(ENTER),
        See("far_away: dropped"),
    ];
    terminal.visit(shop.path(), &steps);
    let _serve = Serve::start(shop.path());
    let beside = [See("muster> "), Type(UP), Type(ENTER), See("error: there is no segment `far_away`")];
    terminal.visit(shop.path(), &beside);
    let refresh = "\\format parquet\rREFRESH SEGMENT lapsed;\r";
    terminal.visit(shop.path(), &[See("muster> "), Type(refresh), See("lapsed: 436 profiles as of ")]);
    terminal.visit(shop.path(), &steps);
}

#[test]
fn before_the_first_load_the_prompt_says_so_and_stays() {
    let shop = workspace_of(&[("muster.toml", FEW)]);
    Terminal::new().visit(
        shop.path(),
        &[
            See("muster> "),
            Type("SEL"),
            Type(TAB),
            Type(" 1;"),
            Type(ENTER),
            See("error: there is no data yet; load some with `muster load`"),
        ],
    );
}
