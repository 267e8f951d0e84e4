"""How do rows come in one by one: a thousand events a second through the write socket, at a million profiles.

    benches/run appending [--customers 1000000] [--dir FOLDER] [--rate 1000] [--seconds 60]

A running `muster serve` gets visits of customers of all blocks, in batches of a tenth of a second. Asked is: how long an
acknowledgement takes; whether every visit that was acknowledged a second ago is counted by `muster sql`, another process, that
begins now; how many bytes are written to disk per byte of the events; how much memory the process has after a third of the
time, and at the end. There is no peer: the engines beside us take rows in bulk.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import subprocess
import sys
import time

from beside import machine

PER_BATCH_SECONDS = 0.1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench-loading"))
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    workspace = arguments.dir / f"parquet-{arguments.customers}"
    prepare(arguments.muster, workspace, arguments.customers)
    customers = answers(arguments.muster, workspace, "SELECT customer_id FROM profiles WHERE customer_id LIKE '%07'")
    before = int(answers(arguments.muster, workspace, "SELECT count(*) FROM web_visits")[0])
    print(machine.description(workspace))
    server = subprocess.Popen([arguments.muster, "--dir", str(workspace), "serve", "--listen", "127.0.0.1:0"],
                              stderr=subprocess.PIPE, text=True)
    try:
        run(arguments, workspace, server, customers, before)
    finally:
        server.send_signal(signal.SIGTERM)
        print(f"ended with {server.wait(60)}")


def prepare(muster: str, workspace: pathlib.Path, customers: int) -> None:
    if not (workspace / "muster.toml").exists():
        subprocess.run([muster, "demo", "--customers", str(customers), "--files", "parquet", "--into", str(workspace),
                        "--only-write"], check=True, stdout=subprocess.DEVNULL)
    if not (workspace / "data").exists():
        subprocess.run([muster, "--dir", str(workspace), "load"], check=True, stdout=subprocess.DEVNULL)


def answers(muster: str, workspace: pathlib.Path, query: str) -> list[str]:
    command = [muster, "--dir", str(workspace), "sql", "--format", "csv", "-c", query]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1:]


def run(arguments, workspace: pathlib.Path, server, customers: list[str], before: int) -> None:
    line = connect(workspace, server)
    chance, batch = random.Random(7), max(1, round(arguments.rate * PER_BATCH_SECONDS))
    written, acknowledged, sent_bytes, waits = disk_bytes(server.pid), [(time.monotonic(), 0)], 0, []
    reader, seen, late, memory = None, [], 0, []
    started = time.monotonic()
    for number in range(round(arguments.seconds / PER_BATCH_SECONDS)):
        time.sleep(max(0.0, started + number * PER_BATCH_SECONDS - time.monotonic()))
        rows = [visit(number * batch + place, chance.choice(customers)) for place in range(batch)]
        request = json.dumps({"muster": 1, "request": {"rows": {"table": "web_visits", "rows": rows}}}) + "\n"
        sent_bytes += sum(len(json.dumps(row)) for row in rows)
        asked = time.monotonic()
        line.write(request)
        line.flush()
        answer = json.loads(line.readline())
        waits.append(time.monotonic() - asked)
        if answer.get("answer", {}).get("rows", {}).get("committed") != batch:
            sys.exit(f"not all were kept: {answer}")
        acknowledged.append((time.monotonic(), acknowledged[-1][1] + batch))
        if reader is None or reader.poll() is not None:
            if reader is not None:
                seen.append((began, int(reader.stdout.read().split()[-1]) - before))
            began = time.monotonic()
            command = [arguments.muster, "--dir", str(workspace), "sql", "--format", "csv", "-c",
                       "SELECT count(*) FROM web_visits"]
            reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        memory.append(resident_megabytes(server.pid))
    took = time.monotonic() - started
    reader.wait()
    for at, count in seen:
        due = max(rows for then, rows in acknowledged if then <= at - 1)  if at - acknowledged[0][0] > 1 else 0
        late += count < due
    written = disk_bytes(server.pid) - written
    total = acknowledged[-1][1]
    print(f"{total:,} visits of {sent_bytes / total:.0f} bytes in {took:.1f} s, in batches of {batch}")
    print(f"acknowledged after {statistics.median(waits) * 1e3:.1f} ms (median), "
          f"{sorted(waits)[int(len(waits) * 0.99)] * 1e3:.0f} ms (p99), {max(waits) * 1e3:.0f} ms (longest)")
    print(f"{len(seen)} times another process counted; {late} times a visit of more than a second ago was missing")
    print(f"written to disk: {written / sent_bytes:.1f} bytes per byte of the events")
    print(f"memory: {memory[len(memory) // 3]:,.0f} MB after a third, {memory[-1]:,.0f} MB at the end, {max(memory):,.0f} MB at most")
    missing = before + total - int(answers(arguments.muster, workspace, "SELECT count(*) FROM web_visits")[0])
    print(f"missing at the end: {missing}")


def visit(number: int, customer: str) -> dict:
    return {"visit_id": f"N{os.getpid()}-{number}", "customer_id": customer, "visited_at": "2025-06-30T09:00:00Z",
            "page_type": "product", "category": "lamps", "source": "direct", "seconds": number % 300}


def connect(workspace: pathlib.Path, server) -> object:
    path = workspace / "data" / "serve.sock"
    for _ in range(600):
        if path.exists():
            conversation = socket.socket(socket.AF_UNIX)
            try:
                conversation.connect(str(path))
                return conversation.makefile("rw")
            except ConnectionRefusedError:
                pass
        if server.poll() is not None:
            sys.exit(server.stderr.read())
        time.sleep(0.1)
    sys.exit("the server does not answer")


def disk_bytes(process: int) -> int:
    lines = pathlib.Path(f"/proc/{process}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def resident_megabytes(process: int) -> float:
    return int(pathlib.Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
