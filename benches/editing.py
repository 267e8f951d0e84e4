"""Do answers come while somebody edits a definition? At a million customers, each question with a text that was never asked before.

    benches/run editing [--customers 1000000] [--dir FOLDER] [--runs 21]

Data is that of `selections.py`; no peer is asked. Asked is: one condition, from its text to its count (Q05); a definition of ten
conditions, each alone and what remains after it (`PREVIEW`), where all ten are new, and where one of them is; which profiles each
two of 200 stored segments share (V3), and the regions of eight (V2); and whether single profiles are in a segment of those ten
conditions, each asked alone (`muster segment NAME --of KEY`). Columns are in memory: one round before is not counted.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import selections
from beside import answers, machine

TEN = """
    consent
    AND region IN ('R{region:02}', 'R05', 'R09')
    AND (income IS NULL OR income >= {small})
    AND birth_date < DATE '1990-01-01' + INTERVAL '{n} days'
    AND has(orders) FILTER (WHERE placed_at > now() - INTERVAL '{half} days')
    AND count(orders) >= {small}
    AND sum(orders.total) > {money}
    AND max(orders.placed_at) > now() - INTERVAL '{year} days'
    AND count(events) FILTER (WHERE type = 'open') >= {small}
    AND avg(orders.total) > {mean}"""
PROFILES = 2000
# Milliseconds.
GOALS = {
    "one condition, counted": 10,
    "ten conditions, all new": 100,
    "ten conditions, one of them new": None,
    "each two of 200 segments": 500,
    "the regions of eight segments": 20,
    "one profile": 0.1,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench-selections"))
    parser.add_argument("--runs", type=int, default=21)
    arguments = parser.parse_args()
    os.environ.update(selections.THREADS)
    crowd = selections.Crowd(arguments.dir / str(arguments.customers), arguments.customers, arguments.muster)
    crowd.prepare(["V2", "V3"], with_peers=False)
    print(machine.description(crowd.folder))
    print("| what | median ms | p95 ms | goal |\n|---|---|---|---|")
    rounds = range(1 + arguments.runs)
    missed = []
    for what, times in [
        ("one condition, counted", timed(crowd, [condition(n) for n in rounds])),
        ("ten conditions, all new", timed(crowd, [preview(n) for n in rounds])),
        ("ten conditions, one of them new", timed(crowd, [preview(0, n) for n in rounds])),
        ("each two of 200 segments", timed(crowd, [answers.text("muster", "V3", crowd.customers)] * len(rounds))),
        ("the regions of eight segments", timed(crowd, [answers.text("muster", "V2", crowd.customers)] * len(rounds))),
    ]:
        missed += told(what, statistics.median(times), percentile(times, 95))
    missed += told("one profile", *alone(crowd))
    if missed:
        sys.exit("missed: " + ", ".join(missed))


def condition(n: int) -> str:
    return f"SELECT count(*) AS profiles FROM profiles WHERE has(orders) FILTER (WHERE placed_at >= now() - INTERVAL '{90 + n} days')"


def ten(n: int, money: int) -> str:
    return TEN.format(n=n, region=1 + n % 4, small=2 + n % 3, half=180 + n, money=200 + money, year=365 + n, mean=40 + n)


def preview(n: int, money: int | None = None) -> str:
    return f"PREVIEW WHERE {ten(n, n if money is None else money)}"


def timed(crowd: selections.Crowd, statements: list[str]) -> list[float]:
    """Milliseconds of all but the first."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(";\n".join(statements))
        file.flush()
        ended = subprocess.run(crowd.command("sql", "--timing", "-f", file.name), capture_output=True, text=True, check=True)
    return [1000 * seconds for seconds in selections.told_times(ended.stderr)[1:]]


def alone(crowd: selections.Crowd) -> tuple[float, float]:
    """Milliseconds per profile: the median and the 95th of a hundred."""
    run = lambda *words: subprocess.run(crowd.command(*words), capture_output=True, text=True, check=True)
    run("sql", "-c", f"CREATE OR REPLACE SEGMENT typed AS WHERE {ten(0, 0)}")
    keys = run("sql", "--format", "csv", "-c", f"SELECT profile_id FROM profiles ORDER BY profile_id LIMIT {PROFILES}")
    said = run("segment", "typed", "--timing", "--of", *keys.stdout.split()[1:])
    run("sql", "-c", "DROP SEGMENT typed")
    members = sum(line.endswith("  in") for line in said.stdout.splitlines())
    if not 0 < members < PROFILES:
        sys.exit(f"{members} of {PROFILES} are in the segment: nothing is compared")
    return tuple(float(number) for number in re.search(r"median ([0-9.]+) ms, p95 ([0-9.]+) ms", said.stderr).groups())


def percentile(times: list[float], hundredth: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * hundredth // 100)]


def told(what: str, median: float, high: float) -> list[str]:
    goal = GOALS[what]
    print(f"| {what} | {median:.3g} | {high:.3g} | {goal if goal else '-'} |", flush=True)
    return [what] if goal and median > goal else []


if __name__ == "__main__":
    main()
