"""How long does it take from files to a durable, queryable store, and how much memory; beside DuckDB and Polars.

    benches/run loading [--customers 1000000] [--dir FOLDER] [--runs 1] [--days 6]

Data: the demo shop (seed 42) as Parquet and as CSV, and the days after it. Two threads each. Four lines:

- files to typed, checked columns in memory: muster's phase `read` of `muster load`, as its report has it, beside DuckDB's
  load into memory and Polars'; without the start of any process;
- everything: `muster load` (checks, layout, durable files) with the start of its process, beside DuckDB's load into a
  database file ordered by customer and time, and Polars' load and sort, which is not durable, without the start of Python;
- peak resident memory of these processes, beside the bytes of the snapshot;
- the files of the first days that make up 1 % of the rows (new orders, other statuses, changed profiles, carts that are
  ordered or thrown away), loaded into that store.

Before any time is printed the engines must hold the same rows: for every column rows, nulls, sum, min, max and a hash.
After that, on the reopened store with the shipped segments: `muster segments`, and a count over the orders.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from beside import machine, oracle

PEERS = ("duckdb", "polars")
THREADS = {"RAYON_NUM_THREADS": "2", "POLARS_MAX_THREADS": "2"}
QUESTIONS_AFTER = {
    "muster segments": ["segments"],
    "count over orders": ["sql", "-c", "SELECT count(*) FROM orders WHERE total > 100"],
}
# What is asked of a load.
READ_GOAL, WHOLE_GOAL, MEMORY_GOAL, DELTA_SHARE, DELTA_GOAL = 1.0, 2.0, 2.5, 0.01, 0.05


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench-loading"))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--days", type=int, default=6)
    parser.add_argument("--kinds", nargs="+", choices=["parquet", "csv"], default=["parquet", "csv"])
    arguments = parser.parse_args()
    os.environ.update(THREADS)
    arguments.dir.mkdir(parents=True, exist_ok=True)
    print(beside("machine", arguments.dir), end="")
    versions = ", ".join(f"{peer} {importlib.metadata.version(peer)}" for peer in PEERS)
    print(f"{versions}, {arguments.customers:,} customers, seed 42, median of {arguments.runs} run(s)")
    for kind in arguments.kinds:
        Comparison(arguments, kind).run()


class Comparison:
    """One kind of file: muster's workspace, and what was measured of whom."""

    def __init__(self, arguments: argparse.Namespace, kind: str) -> None:
        self.muster, self.kind, self.runs = arguments.muster, kind, arguments.runs
        self.workspace = arguments.dir / f"{kind}-{arguments.customers}"
        self.files = self.workspace / "files"
        if not (self.workspace / "muster.toml").exists():
            self.generate(arguments.customers, arguments.days)

    def run(self) -> None:
        self.take_days_back()
        subprocess.run(f"cat {self.files}/* > /dev/null", shell=True, check=True)
        loads = [self.load() for _ in range(self.runs)]
        rows = self.compare_answers()
        read = {"muster, typed and checked": [report.get("seconds", {}).get("read") for _, _, report in loads]}
        whole = {"muster, everything": [figures[:2] for figures in loads]}
        for engine in PEERS:
            read[f"{engine}, in memory"] = [self.peer(engine, "plain")[0] for _ in range(self.runs)]
            whole[f"{engine}, ordered"] = [self.peer(engine, "ordered") for _ in range(self.runs)]
        megabytes = sum(file.stat().st_size for file in self.files.iterdir()) / 1e6
        print(f"\n{self.kind}, {megabytes:,.0f} MB, {rows:,} rows; the answers are equal")
        self.print_read(read)
        self.print_whole(whole)
        self.print_reopened()
        self.print_delta(rows, statistics.median(seconds for seconds, *_ in loads))

    def generate(self, customers: int, days: int) -> None:
        command = [self.muster, "demo", "--customers", str(customers), "--files", self.kind, "--days", str(days),
                   "--into", str(self.workspace), "--only-write"]
        seconds, memory, _ = machine.measured(command)
        print(f"{self.kind}: generated in {seconds:.1f} s, {memory:,.0f} MB")

    def command(self, *arguments: str) -> list[str]:
        return [self.muster, "--dir", str(self.workspace), *arguments]

    def load(self) -> tuple[float, float, dict]:
        """Whole seconds, peak megabytes, and the report of a load into nothing."""
        shutil.rmtree(self.workspace / "data", ignore_errors=True)
        seconds, memory, printed = machine.measured_alike(self.command("--json", "load"))
        return seconds, memory, json.loads(printed)

    def peer(self, engine: str, order: str, to: pathlib.Path | None = None) -> tuple[float, float]:
        """Seconds as the engine took them, and peak megabytes of its process."""
        database = self.workspace / "peer.duckdb"
        database.unlink(missing_ok=True)
        command = [*program("peers"), engine, order, str(self.files), self.kind, str(to or database)]
        _, memory, printed = machine.measured_alike(command)
        database.unlink(missing_ok=True)
        return json.loads(printed)["seconds"], memory

    def compare_answers(self) -> int:
        """Ends the run if a peer holds other rows; the number of rows comes back."""
        with tempfile.TemporaryDirectory(dir=self.workspace) as folder:
            folder = pathlib.Path(folder)
            subprocess.run(self.command("export", "--tables", str(folder / "muster")), stdout=subprocess.DEVNULL, check=True)
            ours = json.loads(beside("oracle", "fingerprint", folder / "muster", "muster"))
            for engine in PEERS:
                (folder / engine).mkdir()
                self.peer(engine, "plain", folder / engine)
                theirs = json.loads(beside("oracle", "fingerprint", folder / engine, engine))
                differing = oracle.differences(ours, theirs, engine)
                if differing:
                    sys.exit(f"{self.kind}: the answers differ\n" + "\n".join(differing))
        return sum(next(iter(columns.values()))[0] for columns in ours.values())

    def print_read(self, read: dict[str, list[float | None]]) -> None:
        print("  files to typed columns in memory")
        seconds = {name: statistics.median(figures) for name, figures in read.items() if None not in figures}
        for name, figure in seconds.items():
            print(f"    {name:<28} {figure:8.2f} s")
        if (ours := next(iter(read))) in seconds:
            print_ratio(seconds, ours, READ_GOAL)
        else:
            print("    muster's load report of this build does not say how long it read")

    def print_whole(self, whole: dict[str, list[tuple[float, float]]]) -> None:
        status = json.loads(subprocess.check_output(self.command("--json", "status"), text=True))
        snapshot = status["snapshot"]["bytes"] / 1e6
        print("  files to an ordered store (muster, DuckDB: durable)")
        seconds = {}
        for name, figures in whole.items():
            seconds[name], memory = (statistics.median(column) for column in zip(*figures))
            print(f"    {name:<28} {seconds[name]:8.2f} s {memory:8,.0f} MB")
        ours = next(iter(whole))
        print_ratio(seconds, ours, WHOLE_GOAL)
        ratio = statistics.median(memory for _, memory in whole[ours]) / snapshot
        print(f"    peak memory is {ratio:.2f} × the snapshot's {snapshot:,.0f} MB; {verdict(ratio <= MEMORY_GOAL)}: ≤ {MEMORY_GOAL}")

    def print_reopened(self) -> None:
        subprocess.run(self.command("apply"), stdout=subprocess.DEVNULL, check=True)
        print("  the store, reopened")
        for name, question in QUESTIONS_AFTER.items():
            figures = [machine.measured(self.command(*question))[:2] for _ in range(self.runs)]
            seconds, memory = (statistics.median(column) for column in zip(*figures))
            print(f"    {name:<28} {seconds:8.2f} s {memory:8,.0f} MB")

    def print_delta(self, rows: int, full: float) -> None:
        before = self.tally()
        brought = self.bring_days(rows)
        seconds, memory, printed = machine.measured_alike(self.command("--as-of", f"{brought[-1]}T12:00:00", "--json", "load"))
        tables = json.loads(printed)["tables"]
        read = sum(table["read"] for table in tables)
        parts = {part: sum(table["stored"].get(part) or 0 for table in tables)
                 for part in ("new", "changed", "same", "older", "deleted", "refused", "orphans")}
        print(f"  {read:,} rows of {len(brought)} day(s), {read / rows:.2%} of the rows, into that store")
        print("    " + ", ".join(f"{count:,} {part}" for part, count in parts.items() if count))
        print(f"    {'muster':<28} {seconds:8.2f} s {memory:8,.0f} MB")
        share = seconds / full
        print(f"    {share:.1%} of the full load's time; {verdict(share <= DELTA_GOAL)}: ≤ {DELTA_GOAL:.0%}")
        if self.tally() == before:
            sys.exit(f"{self.kind}: the days were loaded and changed nothing")

    def tally(self) -> str:
        question = "SELECT count(*), sum(total), count(*) FILTER (WHERE status = 'delivered') FROM orders"
        return subprocess.check_output(self.command("sql", "--format", "csv", "-c", question), text=True)

    def bring_days(self, rows: int) -> list[str]:
        """Puts the files of so many days beside the first that they are 1 % of the rows; the days come back."""
        brought, read = [], 0
        for day in sorted((self.workspace / "days").iterdir()):
            if read >= rows * DELTA_SHARE:
                return brought
            read += int(beside("oracle", "rows", *day.iterdir()))
            for file in day.iterdir():
                os.link(file, self.files / file.name)
            brought.append(day.name)
        if read < rows * DELTA_SHARE:
            sys.exit(f"{len(brought)} days are {read / rows:.2%} of the rows; generate more of them with --days")
        return brought

    def take_days_back(self) -> None:
        for file in self.files.glob("*_????-??-??.*"):
            file.unlink()


def program(name: str) -> list[str]:
    return [sys.executable, str(pathlib.Path(__file__).parent / "beside" / f"{name}.py")]


def beside(name: str, *arguments) -> str:
    """What that program prints. This process opens no tables itself: a child's peak memory begins with its parent's."""
    return subprocess.check_output([*program(name), *map(str, arguments)], text=True)


def print_ratio(seconds: dict[str, float], ours: str, goal: float) -> None:
    """How many times as fast as the best peer muster is."""
    best = min((name for name in seconds if name != ours), key=seconds.get)
    ratio = seconds[best] / seconds[ours]
    print(f"    {ratio:.2f} × as fast as {best}, the best; {verdict(ratio >= goal)}: ≥ {goal:g}")


def verdict(kept: bool) -> str:
    return "the goal is kept" if kept else "the goal is missed"


if __name__ == "__main__":
    main()
