"""How long does it take from files to a durable, queryable store, and how much memory; beside DuckDB's load.

    benches/run loading [--customers 1000000] [--dir FOLDER] [--runs 1]

Data: the demo shop (seed 42), as Parquet and as CSV. muster: `muster load`, everything included (checks, layout, durable
files). DuckDB: CREATE TABLE AS SELECT into a database file with the same column types, in load order, and once more ordered
by customer and time, which is what muster's layout gives. Two threads each. Answers are compared before anything is printed.
After that, on the reopened store with the twelve shipped segments: `muster segments`, and a count over the orders. Every figure is of a whole process: wall
seconds, and peak resident memory of that process.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

TYPES = {
    "customers": {"customer_id": "VARCHAR", "created_at": "TIMESTAMP", "birth_date": "DATE", "income": "DECIMAL(12,2)",
                  "postcode": "VARCHAR", "latitude": "DOUBLE", "longitude": "DOUBLE"},
    "products": {"product_id": "VARCHAR", "price": "DECIMAL(12,2)", "cost": "DECIMAL(12,2)", "in_stock": "BIGINT"},
    "stores": {"store_id": "VARCHAR", "latitude": "DOUBLE", "longitude": "DOUBLE", "postcode": "VARCHAR"},
    "orders": {"order_id": "VARCHAR", "customer_id": "VARCHAR", "placed_at": "TIMESTAMP", "expected_at": "TIMESTAMP",
               "total": "DECIMAL(12,2)", "discount": "DECIMAL(12,2)"},
    "order_lines": {"line_id": "VARCHAR", "order_id": "VARCHAR", "product_id": "VARCHAR", "quantity": "BIGINT",
                    "price": "DECIMAL(12,2)"},
    "carts": {"cart_id": "VARCHAR", "customer_id": "VARCHAR", "created_at": "TIMESTAMP", "updated_at": "TIMESTAMP",
              "order_id": "VARCHAR"},
    "cart_lines": {"cart_id": "VARCHAR", "product_id": "VARCHAR", "quantity": "BIGINT", "price": "DECIMAL(12,2)"},
    "web_visits": {"visit_id": "VARCHAR", "customer_id": "VARCHAR", "visited_at": "TIMESTAMP", "seconds": "BIGINT"},
}
ORDER = {
    "orders": "customer_id, placed_at, order_id",
    "carts": "customer_id, created_at, cart_id",
    "web_visits": "customer_id, visited_at, visit_id",
    "order_lines": "order_id, line_id",
    "cart_lines": "cart_id, product_id",
}
QUESTION = "SELECT count(*), sum(total), max(order_id) FROM orders"
QUESTIONS_AFTER = {
    "muster segments": ["segments"],
    "count over orders": ["sql", "-c", "SELECT count(*) FROM orders WHERE total > 100"],
}
LINES = "SELECT count(*), sum(quantity * price) FROM order_lines"


def measured(command: list[str], **options) -> tuple[float, float, str]:
    """Wall seconds, peak resident megabytes, and what the command printed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(command[:4])} … failed")
    return seconds, usage.ru_maxrss / 1024, printed


def duckdb_load(files: pathlib.Path, kind: str, ordered: bool, database: str) -> None:
    """Runs in a process of its own, so that its memory is its own."""
    import duckdb

    connection = duckdb.connect(database, config={"threads": 2})
    for table, types in TYPES.items():
        if kind == "csv":
            typed = ", ".join(f"'{name}': '{sql}'" for name, sql in types.items())
            rows = f"read_csv('{files}/{table}.csv', header = true, types = {{{typed}}})"
        else:
            rows = f"'{files}/{table}.parquet'"
        order = f" ORDER BY {ORDER[table]}" if ordered and table in ORDER else ""
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM {rows}{order}")
    answers = [[str(value) for value in connection.execute(question).fetchone()] for question in (QUESTION, LINES)]
    connection.close()
    print(json.dumps(answers))


def muster_answers(muster: str, workspace: pathlib.Path) -> list[list[str]]:
    answers = []
    for question in (QUESTION, LINES):
        printed = subprocess.check_output([muster, "--dir", str(workspace), "sql", "--format", "csv", "-c", question], text=True)
        answers.append(printed.splitlines()[1].split(","))
    return answers


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench-loading"))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--duckdb-load", nargs=4, metavar=("FILES", "KIND", "ORDERED", "DATABASE"))
    arguments = parser.parse_args()
    if arguments.duckdb_load:
        files, kind, ordered, database = arguments.duckdb_load
        return duckdb_load(pathlib.Path(files), kind, ordered == "ordered", database)

    import duckdb

    print(f"{os.cpu_count()} processors, {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') >> 30} GiB, "
          f"duckdb {duckdb.__version__}, {arguments.customers:,} customers, seed 42, {arguments.runs} run(s)")
    for kind in ("parquet", "csv"):
        compare(arguments, kind)


def compare(arguments: argparse.Namespace, kind: str) -> None:
    workspace = arguments.dir / f"{kind}-{arguments.customers}"
    if not (workspace / "muster.toml").exists():
        seconds, memory, _ = measured([arguments.muster, "demo", "--customers", str(arguments.customers), "--files", kind,
                                       "--into", str(workspace), "--only-write"])
        print(f"{kind}: generated in {seconds:.1f} s, {memory:,.0f} MB")
    files = workspace / "files"
    subprocess.run(f"cat {files}/* > /dev/null", shell=True, check=True)
    rows = {"muster": [], "duckdb, as it comes": [], "duckdb, ordered": []}
    answers = {}
    reopened = {"muster segments": [], "count over orders": []}
    for _ in range(arguments.runs):
        shutil.rmtree(workspace / "data", ignore_errors=True)
        rows["muster"].append(measured([arguments.muster, "--dir", str(workspace), "load"])[:2])
        subprocess.run([arguments.muster, "--dir", str(workspace), "apply"], stdout=subprocess.DEVNULL, check=True)
        for name, question in QUESTIONS_AFTER.items():
            reopened[name].append(measured([arguments.muster, "--dir", str(workspace), *question])[:2])
        answers["muster"] = muster_answers(arguments.muster, workspace)
        for name, ordered in (("duckdb, as it comes", "plain"), ("duckdb, ordered", "ordered")):
            database = workspace / "peer.duckdb"
            database.unlink(missing_ok=True)
            command = [sys.executable, __file__, "--muster", arguments.muster, "--duckdb-load", str(files), kind, ordered,
                       str(database)]
            seconds, memory, printed = measured(command)
            rows[name].append((seconds, memory))
            answers[name] = json.loads(printed)
            database.unlink()
    distinct = {json.dumps(normal(answer)) for answer in answers.values()}
    if len(distinct) != 1:
        sys.exit(f"{kind}: the answers differ: {answers}")
    print(f"{kind}: files to a durable store; answers equal: {answers['muster']}")
    for name, figures in rows.items():
        seconds, memory = (statistics.median(column) for column in zip(*figures))
        print(f"  {name:<22} {seconds:8.1f} s {memory:10,.0f} MB")
    stored = sum(file.stat().st_size for file in (workspace / "data").rglob("*") if file.is_file())
    read = sum(file.stat().st_size for file in files.iterdir())
    print(f"  {read / 1e6:,.0f} MB of files became {stored / 1e6:,.0f} MB on disk")
    for name, figures in reopened.items():
        seconds, memory = (statistics.median(column) for column in zip(*figures))
        print(f"  reopened: {name:<20} {seconds:6.2f} s {memory:8,.0f} MB")


def normal(answers: list[list[str]]) -> list[list[str]]:
    """`12.50` and `12.5` are one number."""
    return [[value.rstrip("0").rstrip(".") if "." in value else value for value in row] for row in answers]


if __name__ == "__main__":
    main()
