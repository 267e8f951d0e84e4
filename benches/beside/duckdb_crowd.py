"""The crowd in DuckDB, all in memory: as the files have it, or ordered by profile and time with lines that know their order.

    duckdb_crowd.py FOLDER CUSTOMERS

writes what all peers know of the segments. Files are in the order of time, so that the plain tables let DuckDB pass over rows
of other times.
"""

import pathlib
import sys

import duckdb

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from beside import answers, groups

THREADS = 2
# Texts of a few values are codes.
WORDS = {"profiles": ["gender", "region", "sector", "tier", "source"], "orders": ["channel"], "events": ["type"],
         "products": ["category"]}
INSTANTS = {"profiles": ["signup"], "orders": ["placed_at"], "events": ["happened_at"]}
ORDER = {"profiles": "profile_id", "orders": "profile_id, placed_at", "events": "profile_id, happened_at"}


class Engine:
    """A connection with all tables."""

    def __init__(self, folder: pathlib.Path, design: str, customers: int) -> None:
        self.customers = customers
        self.connection = duckdb.connect(config={"threads": THREADS, "preserve_insertion_order": True})
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET enable_progress_bar = false")
        if design == "ordered":
            # Grouping by up to so many bits of profile and order needs no hashing.
            self.connection.execute("SET perfect_ht_threshold = 24")
        for table in ("products", "profiles", "orders", "events"):
            self.load(folder, table, f" ORDER BY {ORDER[table]}" if design == "ordered" and table in ORDER else "")
        self.load(folder, "order_lines", "")
        if design == "ordered":
            self.widen()
        else:
            self.connection.execute("CREATE VIEW lines AS FROM order_lines JOIN orders USING (order_id)")
            self.connection.execute("CREATE VIEW lines_with_category AS FROM lines JOIN products USING (product_id)")
        if (memberships := folder / "memberships.parquet").exists():
            self.load_memberships(memberships)

    def load(self, folder: pathlib.Path, table: str, order: str) -> None:
        file = f"'{folder}/{table}.parquet'"
        changed = [f"CAST({column} AS TIMESTAMP) AS {column}" for column in INSTANTS.get(table, [])]
        for column in WORDS.get(table, []):
            self.connection.execute(f"CREATE TYPE {column}_word AS ENUM (SELECT DISTINCT {column} FROM {file} ORDER BY 1)")
            changed.append(f"CAST({column} AS {column}_word) AS {column}")
        columns = f"* REPLACE ({', '.join(changed)})" if changed else "*"
        self.connection.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM {file}{order}")

    def widen(self) -> None:
        """Lines with all that questions ask of them, below their profile in time."""
        self.connection.execute("""
            CREATE TABLE lines AS
            SELECT profile_id, placed_at, channel, order_id, product_id, category, quantity, price
            FROM order_lines JOIN orders USING (order_id) JOIN products USING (product_id)
            ORDER BY profile_id, placed_at;
            CREATE VIEW lines_with_category AS FROM lines;
            DROP TABLE order_lines;
        """)

    def load_memberships(self, file: pathlib.Path) -> None:
        """A column per segment, and for what compares each two of them a string of bits per segment."""
        self.connection.execute(f"CREATE TABLE memberships AS FROM '{file}'")
        low, high = self.connection.execute("SELECT min(profile_id), max(profile_id) FROM memberships").fetchone()
        columns = ", ".join(f"bitstring_agg(profile_id, {low}, {high}) FILTER (WHERE {name}) AS {name}"
                            for name in groups.simple())
        self.connection.execute(f"""
            CREATE TABLE bitmaps AS
            UNPIVOT (SELECT {columns} FROM memberships) ON COLUMNS(*) INTO NAME segment VALUE members""")

    def members(self, question: str):
        return self.connection.sql(answers.text("duckdb", question, self.customers)).to_arrow_table()

    def answer(self, question: str):
        text = answers.text("duckdb", question, self.customers)
        if answers.is_selection(question):
            text = f"SELECT count(*) AS profiles\nFROM (\n{text}\n)"
        return self.connection.sql(text).to_arrow_table()


def write_memberships(folder: pathlib.Path, customers: int) -> None:
    """What all peers know of the segments."""
    engine = Engine(folder, "plain", customers)
    engine.connection.execute(f"COPY ({groups.memberships(customers)}) TO '{folder}/memberships.parquet' (FORMAT parquet)")


if __name__ == "__main__":
    write_memberships(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
