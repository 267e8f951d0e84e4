"""Do the queries of elsewhere.sql answer the same on another engine, as the plain SQL that muster prints of them?

    queries/checks/elsewhere.py --muster target/debug/muster

Loads the corner shop and its segments into a temporary folder, exports its typed tables, and runs every query twice: `muster sql`, and
`EXPLAIN SQL` of it on DuckDB over the export. Values are equal exactly, doubles to nine digits. Exits with 1 where one differs.
"""

import argparse
import datetime
import decimal
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import duckdb

HERE = pathlib.Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True, type=pathlib.Path)
    muster = parser.parse_args().muster.resolve()
    with tempfile.TemporaryDirectory() as folder:
        shop = pathlib.Path(folder) / "shop"
        shutil.copytree(HERE.parents[1] / "datasets/corner-shop", shop, ignore=shutil.ignore_patterns("data"))
        call(muster, shop, "load")
        call(muster, shop, "apply")
        call(muster, shop, "export", "--tables", str(shop / "tables"))
        engine = elsewhere(shop / "tables")
        differing = [query for query in queries() if not agrees(query, muster, shop, engine)]
    sys.exit(1 if differing else 0)


def queries() -> list[str]:
    lines = (HERE / "elsewhere.sql").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return [" ".join(query.split()) for query in text.split(";") if query.strip()]


def elsewhere(tables: pathlib.Path) -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()
    engine.execute("SET TimeZone = 'Europe/Amsterdam'")
    for table in tables.glob("*.parquet"):
        engine.execute(f"CREATE VIEW \"{table.stem}\" AS SELECT * FROM '{table}'")
    return engine


def call(muster: pathlib.Path, shop: pathlib.Path, *arguments: str) -> str:
    done = subprocess.run([muster, "--dir", shop, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"muster {' '.join(arguments)}\n{done.stderr}")
    return done.stdout


def agrees(query: str, muster: pathlib.Path, shop: pathlib.Path, engine: duckdb.DuckDBPyConnection) -> bool:
    ours = [[plain(value) for value in row.values()] for row in json.loads(call(muster, shop, "sql", "--format", "json", "-c", query))]
    printed = call(muster, shop, "sql", "-c", f"EXPLAIN SQL {query}")
    theirs = [[plain(value) for value in row] for row in engine.execute(printed).fetchall()]
    different = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
    is_equal = len(ours) == len(theirs) and not different
    values = len({tuple(row[1:]) for row in ours})
    print(f"{'equal  ' if is_equal else 'DIFFERS'} {len(ours):>6} rows, {values:>6} different answers: {query[:90]}")
    for pair in different[:3]:
        print("  here, elsewhere:", *pair)
    return is_equal


def plain(value):
    """A value as both sides can be compared: numbers to nine digits, everything else as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float, decimal.Decimal)):
        return float(f"{float(value):.9g}")
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    try:
        return float(f"{float(value):.9g}")
    except ValueError:
        return str(value)


if __name__ == "__main__":
    main()
