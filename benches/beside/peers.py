"""The peers' loads. Each runs in a process of its own, so that its memory is its own.

    peers.py ENGINE ORDERED FILES KIND TO

ENGINE is duckdb or polars; ORDERED is plain (into memory) or ordered (by customer and time; DuckDB into the database file TO,
Polars into memory). Prints the seconds from closed files to loaded tables, without the start of Python. When TO is
a folder, the loaded tables are handed over as Parquet files in it, after the time was taken.
"""

import json
import pathlib
import sys
import time

import shop

THREADS = 2


def main() -> None:
    engine, order, files, kind, to = sys.argv[1:]
    load = {"duckdb": load_duckdb, "polars": load_polars}[engine]
    seconds = load(pathlib.Path(files), kind, order == "ordered", pathlib.Path(to))
    print(json.dumps({"seconds": seconds}))


def load_duckdb(files: pathlib.Path, kind: str, ordered: bool, to: pathlib.Path) -> float:
    import duckdb

    database = str(to) if ordered and not to.is_dir() else ":memory:"
    started = time.perf_counter()
    connection = duckdb.connect(database, config={"threads": THREADS})
    for table, types in shop.TYPES.items():
        rows = f"'{files}/{table}.parquet'"
        if kind == "csv":
            names = pathlib.Path(files / f"{table}.csv").open().readline().strip().split(",")
            typed = ", ".join(f"'{name}': '{types.get(name, 'VARCHAR')}'" for name in names)
            rows = f"read_csv('{files}/{table}.csv', header = true, columns = {{{typed}}})"
        order = f" ORDER BY {', '.join(shop.ORDER[table])}" if ordered and table in shop.ORDER else ""
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM {rows}{order}")
    if database != ":memory:":
        connection.execute("CHECKPOINT")
    seconds = time.perf_counter() - started
    if to.is_dir():
        for table in shop.TYPES:
            connection.execute(f"COPY {table} TO '{to}/{table}.parquet' (FORMAT parquet)")
    return seconds


def load_polars(files: pathlib.Path, kind: str, ordered: bool, to: pathlib.Path) -> float:
    import polars

    types = {"TIMESTAMP": polars.Datetime("us"), "DATE": polars.Date, "DECIMAL(12,2)": polars.Decimal(12, 2),
             "DOUBLE": polars.Float64, "BIGINT": polars.Int64}
    started, tables = time.perf_counter(), {}
    for table, columns in shop.TYPES.items():
        if kind == "csv":
            path = files / f"{table}.csv"
            names = path.open().readline().strip().split(",")
            schema = {name: types[columns[name]] if name in columns else polars.String for name in names}
            frame = polars.read_csv(path, schema=schema)
        else:
            frame = polars.read_parquet(files / f"{table}.parquet")
        tables[table] = frame.sort(shop.ORDER[table]) if ordered and table in shop.ORDER else frame
    seconds = time.perf_counter() - started
    if to.is_dir():
        for table, frame in tables.items():
            frame.write_parquet(to / f"{table}.parquet")
    return seconds


if __name__ == "__main__":
    main()
