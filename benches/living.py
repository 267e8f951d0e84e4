"""Do answers keep coming while rows do: a definition of ten conditions is counted in a loop, and a thousand events a second come in.

    benches/run living [--customers 1000000] [--dir FOLDER] [--rate 1000] [--seconds 60] [--idle 15]

Workspace and events are those of `appending.py`. One connection of a running `muster serve` sends visits in batches of a tenth of
a second; another has a definition counted, with constants that were never asked before, one request after the other, first for a
while without any events. Asked is: how long a preview takes, alone and beside the events; whether every visit that was acknowledged
a second ago is counted by a preview that begins now; and whether an answer mixes snapshots: of a condition and of its opposite
(`IS NOT TRUE`), asked one after the other in the same preview, the counts add up to all rows, whatever came in between. There is
no peer.
"""

import argparse
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

import appending
from beside import machine

# Of the demo shop, each with a constant that changes; the last two are a condition and its opposite.
CONDITIONS = """
    email_consent
    AND country IN ('NL', 'BE')
    AND (income IS NULL OR income >= {money})
    AND birth_date < DATE '1990-01-01' + INTERVAL '{n} days'
    AND has(orders) FILTER (WHERE placed_at > now() - INTERVAL '{half} days')
    AND count(orders) >= {small}
    AND sum(orders.total) > {money}
    AND max(orders.placed_at) > now() - INTERVAL '{year} days'
    AND count(web_visits) FILTER (WHERE seconds > {small}) >= {small}
    AND (count(web_visits) FILTER (WHERE seconds > {small}) >= {small}) IS NOT TRUE"""
TIMES_IDLE = 3.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench-loading"))
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--idle", type=int, default=15)
    arguments = parser.parse_args()
    workspace = arguments.dir / f"parquet-{arguments.customers}"
    appending.prepare(arguments.muster, workspace, arguments.customers)
    customers = appending.answers(arguments.muster, workspace, "SELECT customer_id FROM profiles WHERE customer_id LIKE '%07'")
    print(machine.description(workspace))
    server = subprocess.Popen([arguments.muster, "--dir", str(workspace), "serve", "--listen", "127.0.0.1:0"],
                              stderr=subprocess.PIPE, text=True)
    try:
        faults = run(arguments, workspace, server, customers)
    finally:
        server.send_signal(signal.SIGTERM)
        print(f"ended with {server.wait(60)}")
    if faults:
        sys.exit("; ".join(faults))


class Previews(threading.Thread):
    """Has the definition counted until it is told to stop."""

    def __init__(self, workspace: pathlib.Path, server) -> None:
        super().__init__(daemon=True)
        self.line, self.stopped = appending.connect(workspace, server), threading.Event()
        self.times: list[tuple[float, float]] = []
        self.visits: list[tuple[float, int]] = []
        self.mixed, self.snapshots = [], []

    def run(self) -> None:
        number = 0
        while not self.stopped.is_set():
            number += 1
            began = time.monotonic()
            counted = self.ask("ten", "WHERE " + CONDITIONS.format(
                n=number % 3000, money=number % 500, half=90 + number % 300, small=1 + number % 7, year=300 + number % 200))
            self.times.append((began, time.monotonic() - began))
            *_, one, opposite = (condition["alone"] for condition in counted["conditions"])
            if one + opposite != counted["rows"] or counted["selected"] != 0:
                self.mixed.append(counted)
            self.snapshots.append(counted["snapshot"])
            began = time.monotonic()
            self.visits.append((began, self.ask("visits", "SELECT * FROM web_visits")["rows"]))

    def ask(self, editor: str, definition: str) -> dict:
        self.line.write(json.dumps({"muster": 1, "request": {"preview": {"editor": editor, "definition": definition}}}) + "\n")
        self.line.flush()
        answer = json.loads(self.line.readline())
        if "answer" not in answer:
            sys.exit(f"not counted: {answer}")
        return answer["answer"]["preview"]


def run(arguments, workspace: pathlib.Path, server, customers: list[str]) -> list[str]:
    previews = Previews(workspace, server)
    previews.start()
    time.sleep(arguments.idle)
    events = time.monotonic()
    acknowledged = send(arguments, workspace, server, customers)
    ended = time.monotonic()
    previews.stopped.set()
    previews.join()
    before = previews.visits[0][1]
    # The first reads columns from disk.
    idle = [took for began, took in previews.times[1:] if began + took < events]
    beside = [took for began, took in previews.times if events <= began < ended]
    late = sum(count - before < due(acknowledged, at) for at, count in previews.visits)
    print(f"{acknowledged[-1][1]:,} events in {ended - events:.1f} s")
    for what, times in [("alone", idle), ("beside the events", beside)]:
        print(f"preview {what}: {len(times)} times, median {statistics.median(times) * 1e3:.0f} ms, p99 {p99(times) * 1e3:.0f} ms")
    times_idle = p99(beside) / p99(idle)
    print(f"p99 beside the events is {times_idle:.1f} × that alone; {len(set(previews.snapshots))} snapshots were counted")
    print(f"{late} of {len(previews.visits)} previews missed an event that was acknowledged a second before")
    print(f"{len(previews.mixed)} answers in which a condition and its opposite do not add up")
    faults = [f"p99 is more than {TIMES_IDLE} × that alone"] if times_idle > TIMES_IDLE else []
    faults += ["events were missed"] if late else []
    return faults + (["answers mix snapshots"] if previews.mixed else [])


def send(arguments, workspace: pathlib.Path, server, customers: list[str]) -> list[tuple[float, int]]:
    """Sends the events; when how many were acknowledged."""
    line = appending.connect(workspace, server)
    batch = max(1, round(arguments.rate * appending.PER_BATCH_SECONDS))
    acknowledged, started = [(time.monotonic(), 0)], time.monotonic()
    for number in range(round(arguments.seconds / appending.PER_BATCH_SECONDS)):
        time.sleep(max(0.0, started + number * appending.PER_BATCH_SECONDS - time.monotonic()))
        rows = [appending.visit(number * batch + place, customers[(number * batch + place) * 7919 % len(customers)]) for place in range(batch)]
        line.write(json.dumps({"muster": 1, "request": {"rows": {"table": "web_visits", "rows": rows}}}) + "\n")
        line.flush()
        answer = json.loads(line.readline())
        if answer.get("answer", {}).get("rows", {}).get("committed") != batch:
            sys.exit(f"not all were kept: {answer}")
        acknowledged.append((time.monotonic(), acknowledged[-1][1] + batch))
    return acknowledged


def due(acknowledged: list[tuple[float, int]], at: float) -> int:
    """The events that were acknowledged a second before a preview that began then, at the latest."""
    return max((rows for then, rows in acknowledged if then <= at - 1), default=0)


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


if __name__ == "__main__":
    main()
