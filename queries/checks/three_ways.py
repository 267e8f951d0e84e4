"""Do three readings of the language agree on random questions?

    queries/checks/three_ways.py --asks target/debug/examples/three_ways --muster target/debug/muster --queries 300 --profiles 2000
    queries/checks/three_ways.py --asks target/debug/examples/three_ways --queries 10000
    queries/checks/three_ways.py --asks target/debug/examples/three_ways --only 7:131

`three_ways` (an example of muster-testkit) makes seeded shops and questions, and says what the interpreter answers. The plain
SQL that is printed for each question runs on DuckDB. With `--muster` the shop is really loaded, DuckDB reads what
`muster export --tables` writes, and `muster sql` answers too; without, the tables are those that the example writes.

Equal means equal: numbers exactly, doubles to nine digits, instants but for which hour DuckDB takes where the clocks repeat
one, rows in their order where ORDER BY and LIMIT say it. Prints what was asked, and every difference with the words that
repeat it; exits with 1 where there is one.

Three things are not as they are printed. DuckDB's `date_trunc` to the hour takes the second of two hours also for the first, so it
is asked for what passed since the full hour instead. Where a sum of decimals, which has 38 digits there, meets a decimal with more
places, DuckDB drops those places: all its decimal columns get the places of the one that has most. And what a question wants to know with `was` is a column that DuckDB is
given as `EXPLAIN SQL` says, from the tables of the other instant; where there are none, DuckDB is not asked. How many questions
that are stands in what is printed.
"""

import argparse
import collections
import dataclasses
import datetime
import decimal
import json
import multiprocessing
import pathlib
import subprocess
import sys
import tempfile

import duckdb

# What a set of questions must have in it: shares of a hundred.
SHARES = {"nested": 20, "beside": 10, "again": 10, "as of": 10}
SAYS_SOMETHING = 60
CALLS_PER_TEN_THOUSAND = 50

# Seconds that muster may take for one; a busy machine is no difference.
TIMEOUT = 600

# What stands above plain SQL that the history kernel leaves as it is.
LEFT = "-- not in the history kernel: "
# So many of a hundred questions run in the kernel.
KERNEL = 95

# How many statements one process of muster is given; each parses them all before the first runs.
STATEMENTS = 100


@dataclasses.dataclass
class World:
    seed: int
    profiles: int
    first: int
    last: int


def main() -> None:
    wanted = arguments()
    with multiprocessing.Pool(wanted.jobs) as pool:
        found = pool.imap(answered, [(wanted, world) for world in worlds(wanted)])
        failures, asked = 0, []
        for questions in found:
            asked += questions
            for question in questions:
                if question["faults"]:
                    failures += 1
                    if failures <= wanted.show:
                        print(fault_of(question, wanted), flush=True)
    complaints = mix(asked, wanted)
    print(f"{len(asked)} questions, {failures} with a difference")
    sys.exit(1 if failures or complaints else 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--asks", required=True, type=pathlib.Path, help="the example `three_ways` of muster-testkit")
    parser.add_argument("--muster", type=pathlib.Path, help="the binary; without it only two readings are compared")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--profiles", type=int, default=150, help="of each shop")
    parser.add_argument("--per-shop", type=int, default=250, help="questions asked of one shop")
    parser.add_argument("--seed", type=int, default=1, help="of the first shop")
    parser.add_argument("--only", help="SEED:NUMBER of one question")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, default=10, help="how many differences are printed whole")
    wanted = parser.parse_args()
    wanted.asks = wanted.asks.resolve()
    wanted.muster = wanted.muster and wanted.muster.resolve()
    return wanted


def worlds(wanted: argparse.Namespace) -> list[World]:
    if wanted.only:
        seed, number = map(int, wanted.only.split(":"))
        return [World(seed, wanted.profiles, number, number)]
    shops = range(0, wanted.queries, wanted.per_shop)
    ends = [min(start + wanted.per_shop, wanted.queries) - start for start in shops]
    return [World(wanted.seed + place, wanted.profiles, 1, last) for place, last in enumerate(ends)]


def answered(job: tuple[argparse.Namespace, World]) -> list[dict]:
    """The questions of one shop, each with the faults that were found."""
    wanted, world = job
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        questions = asked(wanted.asks, world)
        call(wanted.asks, "tables", str(world.seed), str(world.profiles), str(folder / "tables"))
        shop = Shop(wanted, world, folder) if wanted.muster else None
        elsewhere = Elsewhere(folder / "tables", shop)
        for question in questions:
            question["seed"], question["profiles"] = world.seed, world.profiles
            question["faults"] = first_faults(question)
            question["not_elsewhere"] = not has_tables(question)
            if not question["faults"] and has_tables(question):
                compare(question, "DuckDB", elsewhere.answer(question))
        if shop:
            for question, rows in zip(questions, shop.answers(questions)):
                if "rows" in question and "sql" in question:
                    compare(question, "muster", rows)
            for question in questions:
                question["left"] = []
            questions[0]["left"] = shop.left(questions)
    return questions


def asked(asks: pathlib.Path, world: World) -> list[dict]:
    text = call(asks, "ask", *map(str, [world.seed, world.profiles, world.first, world.last]))
    return [json.loads(line) for line in text.splitlines()]


def call(program: pathlib.Path, *words: str, text: str | None = None) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, input=text)
    if done.returncode != 0:
        raise RuntimeError(f"{program.name} {' '.join(words)}\n{done.stderr}")
    return done.stdout


def first_faults(question: dict) -> list[str]:
    """Questions are valid, so neither reading may refuse one."""
    faults = [f"refused: {question['refused']}"] if "refused" in question else []
    return faults + ([f"the interpreter: {question['unread']}"] if "unread" in question else [])


def has_tables(question: dict) -> bool:
    """Whether there are tables of all instants that a question speaks of."""
    return all(instant is not None for _, _, instant, _ in question.get("past", []))


# The beginning of the hour by what passed since; the zone's offset is of whole hours.
BEGINNING = """
CREATE MACRO main.beginning(unit, instant) AS
CASE WHEN lower(unit) = 'hour' THEN make_timestamptz(epoch_us(instant) - epoch_us(instant) % 3600000000)
ELSE date_trunc(unit, instant) END
"""


class Elsewhere:
    """DuckDB, with the tables as of each instant in a schema of their own."""

    def __init__(self, folder: pathlib.Path, shop: "Shop | None"):
        self.engine = duckdb.connect()
        # The settings that the printed SQL needs: the workspace's zone, and the division of integers that SQL has.
        self.engine.execute("SET TimeZone = 'Europe/Amsterdam'; SET integer_division = true; SET threads = 1")
        self.engine.execute(BEGINNING)
        self.instants = (folder / "instants").read_text().split()
        for place, instant in enumerate(self.instants):
            self.engine.execute(f"CREATE SCHEMA at_{place}; USE at_{place}")
            if shop:
                tables = shop.exported(instant, place == len(self.instants) - 1)
                for table in tables.glob("*.parquet"):
                    self.engine.execute(f"CREATE TABLE \"{table.stem}\" AS SELECT * FROM '{table}'")
                self.even_places()
            else:
                for table in (folder / str(place)).glob("*.csv"):
                    self.load(table)
                self.even_places()
                for line in (folder / str(place) / "segments.tsv").read_text().splitlines():
                    self.segment(*line.split("\t"))
                for line in (folder / str(place) / "variables.tsv").read_text().splitlines():
                    self.variable(*line.split("\t"))

    def load(self, table: pathlib.Path) -> None:
        with table.open() as lines:
            columns = [column.split(":") for column in next(lines).strip().split("|")]
        names = ", ".join(f"'{name}': 'VARCHAR'" for name, _ in columns)
        values = ", ".join(typed(name, holds) for name, holds in columns)
        source = f"read_csv('{table}', header = false, skip = 1, columns = {{{names}}}, nullstr = '\\N', quote = '\"', escape = '\"')"
        self.engine.execute(f'CREATE TABLE "{table.stem}" AS SELECT {values} FROM {source}')

    def even_places(self) -> None:
        """Gives the decimals of this schema the places of the one that has most."""
        decimals = self.engine.execute("""
            SELECT table_name, column_name, numeric_precision - numeric_scale, max(numeric_scale) OVER () FROM duckdb_columns()
            WHERE schema_name = current_schema() AND data_type LIKE 'DECIMAL%'
        """).fetchall()
        for table, column, whole, places in decimals:
            self.engine.execute(f'ALTER TABLE "{table}" ALTER "{column}" TYPE DECIMAL({whole + places}, {places})')

    def segment(self, name: str, sql: str) -> None:
        """The column of profiles that says who is in a segment."""
        members = f'"__row" IN (SELECT "__row" FROM ({asked_here(sql)})) AS "__segment_{name}"'
        self.engine.execute(f"CREATE OR REPLACE TABLE profiles AS SELECT *, {members} FROM profiles")

    def variable(self, name: str, holds: str, sql: str) -> None:
        """The column of profiles that is a variable, of the type that it has for good."""
        values = f'LEFT JOIN (SELECT "__row", CAST("{name}" AS {holds}) AS "{name}" FROM ({asked_here(sql)})) USING ("__row")'
        self.engine.execute(f"CREATE OR REPLACE TABLE profiles AS SELECT * FROM profiles {values}")

    def answer(self, question: dict):
        place = question["instant"] if question["instant"] is not None else len(self.instants) - 1
        try:
            self.remember(place, question["past"])
            self.engine.execute(f"SET search_path = 'past,at_{place}'")
            relation = self.engine.sql(asked_here(question["sql"]))
            shown = [shown_as(name, holds) for name, holds in zip(relation.columns, relation.types)]
            return relation.project(", ".join(shown)).fetchall()
        except duckdb.Error as error:
            return str(error)


    def remember(self, place: int, past: list) -> None:
        """Puts tables with the columns of other instants before those that lack them."""
        self.engine.execute("DROP SCHEMA IF EXISTS past CASCADE; CREATE SCHEMA past")
        columns = collections.defaultdict(list)
        for column, table, instant, sql in past:
            self.engine.execute(f"USE at_{instant}; CREATE TABLE past.{column} AS {asked_here(sql)}")
            columns[table].append(f'"__row" IN (SELECT "__row" FROM past.{column}) AS "{column}"')
        for table, made in columns.items():
            self.engine.execute(f'CREATE TABLE past."{table}" AS SELECT *, {", ".join(made)} FROM at_{place}."{table}"')


def asked_here(sql: str) -> str:
    """What is printed, but for the function that DuckDB has otherwise."""
    return sql.replace("date_trunc('hour'", "main.beginning('hour'")


def shown_as(name: str, holds) -> str:
    """Instants as text: Python has none of its own without a library of zones."""
    is_instant = str(holds) == "TIMESTAMP WITH TIME ZONE"
    return f"'µs ' || epoch_us(\"{name}\")" if is_instant else f'"{name}"'


def typed(name: str, holds: str) -> str:
    value = f"string_split(\"{name}\", ';')" if holds.endswith("[]") else f'CAST("{name}" AS {holds})'
    return f'{value} AS "{name}"'


class Shop:
    """A workspace with the same shop, loaded step by step."""

    def __init__(self, wanted: argparse.Namespace, world: World, folder: pathlib.Path):
        self.muster, self.folder = wanted.muster, folder / "shop"
        call(wanted.asks, "shop", str(world.seed), str(world.profiles), str(self.folder))
        (self.folder / "files").mkdir()
        for load in sorted(self.folder.glob("load_*")):
            for file in (load / "files").iterdir():
                file.rename(self.folder / "files" / file.name)
            self.call("load")
        self.call("sql", "--timeout", str(TIMEOUT), "-f", str(self.folder / "definitions.sql"))

    def call(self, *words: str) -> str:
        return call(self.muster, "--dir", str(self.folder), *words)

    def exported(self, instant: str, is_present: bool) -> pathlib.Path:
        folder = self.folder / "exported" / instant.replace(":", "")
        self.call(*([] if is_present else ["--as-of", instant]), "export", "--tables", str(folder))
        return folder

    def answers(self, questions: list[dict]):
        for start in range(0, len(questions), STATEMENTS):
            yield from self.some_answers(questions[start : start + STATEMENTS])

    def some_answers(self, questions: list[dict]):
        """The rows of each, or an error. The first statement that fails ends a run; those behind it are asked again."""
        left = list(questions)
        while left:
            file = self.folder / "questions.sql"
            file.write_text("".join(question["text"] + ";\n" for question in left))
            words = ["sql", "--format", "json", "--timeout", str(TIMEOUT), "-f", file]
            done = subprocess.run([self.muster, "--dir", self.folder, *words], capture_output=True, text=True)
            rows = whole_lists(done.stdout)
            yield from rows
            left = left[len(rows) :]
            if left and done.returncode != 0:
                yield done.stderr
                left = left[1:]


    def left(self, questions: list[dict]) -> list[str]:
        """Why the history kernel leaves questions to plain SQL, a reason for each that it leaves."""
        reasons = []
        for start in range(0, len(questions), STATEMENTS):
            file = self.folder / "explained.sql"
            some = questions[start : start + STATEMENTS]
            file.write_text("".join(f"EXPLAIN SQL {question['text']};\n" for question in some))
            said = self.call("sql", "--timeout", str(TIMEOUT), "-f", str(file))
            reasons += [line.removeprefix(LEFT) for line in said.splitlines() if line.startswith(LEFT)]
        return reasons


def whole_lists(text: str) -> list:
    """The arrays of rows that stand one behind the other."""
    found, decoder, at = [], json.JSONDecoder(parse_float=decimal.Decimal), 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return found
        try:
            rows, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            return found
        found.append([list(row.values()) for row in rows])


def compare(question: dict, who: str, theirs) -> None:
    if isinstance(theirs, str):
        question["faults"].append(f"{who}: {theirs}")
        return
    ours = [[plain(value) for value in row] for row in question["rows"]]
    theirs = [[plain(value) for value in row] for row in theirs]
    if who == "DuckDB":
        ours, theirs = [[once(value) for value in row] for row in ours], [[once(value) for value in row] for row in theirs]
    theirs = [[alike(value, other) for value, other in zip(row, first_of(ours, row))] for row in theirs]
    if not question["ordered"]:
        ours, theirs = sorted(ours, key=place), sorted(theirs, key=place)
    different = [pair for pair in zip(ours, theirs) if not is_same(*pair)]
    if len(ours) != len(theirs) or different:
        lines = [f"{who} has {len(theirs)} rows, the interpreter {len(ours)}"]
        if len(ours) != len(theirs):
            lines += [f"  only one has {row}" for row in only_one(ours, theirs)[:3]]
        lines += [f"  the interpreter {ours}\n  {who:<15} {theirs}" for ours, theirs in different[:2]]
        question["faults"].append("\n".join(lines))


def only_one(ours: list, theirs: list) -> list:
    counted = collections.Counter(map(repr, ours))
    counted.subtract(collections.Counter(map(repr, theirs)))
    return [f"{'the interpreter' if count > 0 else 'the other'}: {row}" for row, count in counted.items() if count]


def first_of(rows: list, row: list) -> list:
    """A row that shows what kinds of values stand in each column."""
    if not rows:
        return [None] * len(row)
    return [next((other[place] for other in rows if other[place] is not None), None) for place in range(len(rows[0]))]


def plain(value):
    """A value as all three can be compared: numbers, instants in microseconds, days and text as text."""
    if isinstance(value, list) and len(value) == 2 and value[0] in "ndtDTs":
        letter, text = value
        readers = {"n": decimal.Decimal, "d": float, "T": lambda text: ("T", int(text)), "s": lambda text: text.split(";")}
        return readers.get(letter, str)(text)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str) and value.startswith("µs "):
        return ("T", int(value[3:]))
    if isinstance(value, int):
        return decimal.Decimal(value)
    if isinstance(value, datetime.datetime):
        return ("T", micros(value))
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def once(value):
    """Of an hour that the clocks repeat the first: DuckDB's calendar arithmetic gives the second one, muster's the first."""
    if not isinstance(value, tuple):
        return value
    instant = datetime.datetime.fromtimestamp(value[1] // 1_000_000, datetime.timezone.utc)
    is_again = (instant.month, instant.weekday(), instant.hour) == (10, 6, 1) and instant.day > 24
    return ("T", value[1] - 3_600_000_000) if is_again else value


def micros(instant: datetime.datetime) -> int:
    zoned = instant if instant.tzinfo else instant.replace(tzinfo=datetime.timezone.utc)
    since = zoned - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return since // datetime.timedelta(microseconds=1)


def alike(value, other):
    """JSON has fewer kinds than there are: text may be an instant, a number a double."""
    if isinstance(value, str) and isinstance(other, tuple):
        return ("T", micros(datetime.datetime.fromisoformat(value)))
    if isinstance(value, decimal.Decimal) and isinstance(other, float):
        return float(value)
    return value


def place(row: list) -> list:
    """Where a row stands among others; doubles as far as they surely agree, zeros of either sign alike."""
    return [f"{value + 0.0:.6g}" if isinstance(value, float) else repr(rounded(value)) for value in row]


def rounded(value):
    return value.normalize() + 0 if isinstance(value, decimal.Decimal) else value


def is_same(ours: list, theirs: list) -> bool:
    return len(ours) == len(theirs) and all(is_equal(*pair) for pair in zip(ours, theirs))


def is_equal(ours, theirs) -> bool:
    if isinstance(ours, float) and isinstance(theirs, (float, decimal.Decimal)):
        return abs(ours - float(theirs)) <= 1e-9 * max(1.0, abs(ours))
    return type(ours) is type(theirs) and ours == theirs


def fault_of(question: dict, wanted: argparse.Namespace) -> str:
    repeat = f"--only {question['seed']}:{question['number']} --profiles {question['profiles']}"
    sql = f"\n  {question['sql']}" if "sql" in question else ""
    faults = "\n".join(question["faults"])
    return f"DIFFERS {question['text']}\n{faults}{sql}\n  again: {' '.join(sys.argv[:1])} … {repeat}\n"


def sql_of(question: dict) -> str:
    return question.get("sql", "")


def mix(asked: list[dict], wanted: argparse.Namespace) -> int:
    """Prints what was asked; how much of what must be in it is missing."""
    features, functions = collections.Counter(), collections.Counter()
    for question in asked:
        features.update(question["features"])
        functions.update(question["functions"].keys())
    features["says something"] = sum(question.get("says_something", False) for question in asked)
    total = max(1, len(asked))
    others = "the interpreter and muster" if wanted.muster else "the interpreter alone"
    print(f"asked of {others}: {sum(question['not_elsewhere'] for question in asked)}")
    print(f"DuckDB asked for an hour's beginning: {sum(asked_here(sql) != sql for sql in map(sql_of, asked))}")
    print("questions with, in a hundred: " + ", ".join(f"{name} {100 * count / total:.0f}" for name, count in features.most_common()))
    print("questions with each function: " + ", ".join(f"{name} {count}" for name, count in sorted(functions.items())))
    kernel = kernel_share(asked) if wanted.muster else 100
    if len(asked) < 100:
        return 0
    least = {**SHARES, "says something": SAYS_SOMETHING}
    missing = [f"{name}: {features[name]} of {total}" for name, share in least.items() if features[name] * 100 < share * total]
    rare = [name for name, count in functions.items() if count * 10_000 < CALLS_PER_TEN_THOUSAND * total]
    missing += [f"{name}: {functions[name]} questions" for name in rare if total >= 5_000]
    missing += [f"an answer of the kernel: {kernel:.1f} of 100"] if kernel < KERNEL else []
    for line in missing:
        print(f"too few with {line}")
    return len(missing)


def kernel_share(asked: list[dict]) -> float:
    """Prints how many of a hundred questions ran in the kernel, and why the others did not."""
    reasons = collections.Counter(reason for question in asked for reason in question["left"])
    share = 100 - 100 * reasons.total() / max(1, len(asked))
    print(f"in the history kernel, in a hundred: {share:.1f}; as plain SQL: {100 - share:.1f}")
    for reason, count in reasons.most_common(10):
        print(f"  {count}: {reason}")
    return share


if __name__ == "__main__":
    main()
