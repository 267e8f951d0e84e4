"""The crowd in chDB, all in memory: tables of its engine Memory as the files have them, or MergeTree tables on a file system in
memory, uncompressed, ordered by profile and time, with lines that know their order.
"""

import pathlib
import tempfile

from chdb import session

from beside import answers, groups

THREADS = 2
COLUMNS = {
    "products": "product_id UInt32, category LowCardinality(String)",
    "profiles": """profile_id UInt32, birth_date Date32, gender LowCardinality(String), region LowCardinality(String),
        sector LowCardinality(String), income Nullable(UInt8), signup DateTime('UTC'), consent Bool,
        tier LowCardinality(String), source LowCardinality(String), minutes_to_site UInt8""",
    "orders": """order_id UInt32, profile_id UInt32, placed_at DateTime('UTC'), channel LowCardinality(String),
        store_id UInt16, total Decimal(12, 2)""",
    "order_lines": "order_id UInt32, product_id UInt32, quantity UInt16, price Decimal(12, 2)",
    "events": "profile_id UInt32, happened_at DateTime('UTC'), type LowCardinality(String), campaign UInt16",
}
LINES = """profile_id UInt32, placed_at DateTime('UTC'), channel LowCardinality(String), order_id UInt32, product_id UInt32,
    category LowCardinality(String), quantity UInt16, price Decimal(12, 2)"""
ORDER = {"products": "product_id", "profiles": "profile_id", "orders": "profile_id, placed_at",
         "events": "profile_id, happened_at", "order_lines": "order_id", "lines": "profile_id, placed_at",
         "memberships": "profile_id"}


class Engine:
    """A session with all tables."""

    def __init__(self, folder: pathlib.Path, design: str, customers: int) -> None:
        self.customers, self.design = customers, design
        self.home = tempfile.TemporaryDirectory(dir="/dev/shm", prefix="crowd-")
        self.session = session.Session(self.home.name)
        self.do("CREATE DATABASE crowd ENGINE = Atomic", "USE crowd",
                f"SET max_threads = {THREADS}, max_insert_threads = {THREADS}, join_use_nulls = 1, "
                "max_memory_usage = 0, use_query_condition_cache = 0, use_query_cache = 0")
        for table, columns in COLUMNS.items():
            names = ", ".join(part.split()[0] for part in columns.replace("(12, 2)", "").split(","))
            self.table(table, columns, f"SELECT {names} FROM file('{folder}/{table}.parquet', Parquet)")
        if design == "ordered":
            self.widen()
        else:
            self.do("CREATE VIEW lines AS SELECT * FROM order_lines JOIN orders USING (order_id)",
                    "CREATE VIEW lines_with_category AS SELECT * FROM lines JOIN products USING (product_id)")
        if (memberships := folder / "memberships.parquet").exists():
            self.load_memberships(memberships)

    def do(self, *statements: str) -> None:
        for statement in statements:
            self.session.query(statement)

    def table(self, name: str, columns: str, rows: str) -> None:
        kept = "Memory"
        if self.design == "ordered":
            kept = f"MergeTree ORDER BY ({ORDER[name]}) SETTINGS default_compression_codec = 'NONE'"
        self.do(f"CREATE TABLE {name} ({columns}) ENGINE = {kept}", f"INSERT INTO {name} {rows}")
        if self.design == "ordered":
            self.do(f"OPTIMIZE TABLE {name} FINAL")

    def widen(self) -> None:
        """Lines with all that questions ask of them, below their profile in time."""
        self.table("lines", LINES, """
            SELECT profile_id, placed_at, channel, order_id, product_id, category, quantity, price
            FROM order_lines JOIN orders USING (order_id) JOIN products USING (product_id)
        """)
        self.do("DROP TABLE order_lines", "CREATE VIEW lines_with_category AS SELECT * FROM lines")

    def load_memberships(self, file: pathlib.Path) -> None:
        """A column per segment, and for what compares each two of them a bitmap per segment."""
        names = [*groups.ASKED, *groups.simple()]
        columns = ", ".join(["profile_id UInt32", *(f"{name} Bool" for name in names)])
        self.table("memberships", columns, f"SELECT {', '.join(['profile_id', *names])} FROM file('{file}', Parquet)")
        of = ", ".join(f"('{name}', {name})" for name in groups.simple())
        self.do("CREATE TABLE bitmaps (segment String, members AggregateFunction(groupBitmap, UInt32)) ENGINE = Memory",
                f"""INSERT INTO bitmaps
                    SELECT member.1, groupBitmapState(profile_id)
                    FROM memberships ARRAY JOIN arrayFilter(one -> one.2, [{of}]) AS member
                    GROUP BY member.1""")

    def members(self, question: str):
        return self.session.query(answers.text("chdb", question, self.customers), "ArrowTable")

    def answer(self, question: str):
        text = answers.text("chdb", question, self.customers)
        if answers.is_selection(question):
            text = f"SELECT count(*) AS profiles\nFROM (\n{text}\n)"
        return self.session.query(text, "ArrowTable")
