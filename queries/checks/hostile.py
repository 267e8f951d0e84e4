#!/usr/bin/env python3
"""Runs the statements of hostile.sql through `muster sql` and watches the process from outside.

    hostile.py MUSTER [--group NAME] [--jobs 2] [--timeout 2] [--every]

A workspace of three thousand customers is made, loaded and asked. Of every statement it is shown that

- the process opens no file outside the data of its workspace, muster.toml, and what every program opens to start (its
  libraries, the zone, /proc/self, /sys for memory), makes no socket and starts no program (`strace -f`);
- it takes no more memory than the pool and what is said for the rest of the process (the peak the kernel counts);
- it ends within a second of its time, but for the writing of rows that came in time;
- it ends as its record says, as far as the limits of `muster sql` are those that the record means.

A process that is traced is slower, so time and memory are measured in a second run without strace.
"""

import argparse
import concurrent.futures
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

# What `muster sql` may take: the pool, and a gibibyte for plans and batches on their way; what the system needs to
# notice that it is more.
MOST_MEMORY = (4 << 30) + (1 << 30) + (1 << 29)

DEFINITION = """
[workspace]
name = "hostile"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30T12:00:00"

[tables.profiles]
source = "customers.csv"
key = "id"
[tables.profiles.columns]
id = { type = "id" }
since = { type = "timestamp" }
country = { type = "text" }
born = { type = "date", class = "personal" }
income = { type = "decimal(12,2)", class = "sensitive" }
children = { type = "int" }
score = { type = "float" }

[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
[tables.orders.columns]
order_id = { type = "id" }
customer = { type = "id" }
placed_at = { type = "timestamp" }
total = { type = "decimal(18,2)" }

[tables.lines]
source = "lines.csv"
parent = "orders"
on = "order_id"
[tables.lines.columns]
order_id = { type = "id" }
sku = { type = "id" }
quantity = { type = "int" }
price = { type = "decimal(12,2)" }
"""

# Told of a statement, and how the records call it.
STOPS = [
    ("the query was stopped after", "time"),
    ("of memory; ask for less at once", "memory"),
    ("rows; add a LIMIT", "rows"),
    ("MiB; select fewer columns", "bytes"),
    ("the query cannot be answered", "engine"),
]

FREE = re.compile(
    r"^/(lib|lib64|usr/lib|usr/share/zoneinfo|proc/self|proc/\d+|sys/fs/cgroup|sys/devices/system|sys/kernel/mm)(/|$)"
    r"|^/etc/(ld\.so\.(cache|preload)|localtime)$|^/proc/(meminfo|cpuinfo|stat|sys/vm/overcommit_memory|filesystems)$"
    r"|^/dev/(null|urandom|tty)$"
)
OPENED = re.compile(r'\b(?:open|openat|openat2|creat)\((?:[^"]*)"([^"]*)"[^)]*\)\s*= (-?\d+)')
FORBIDDEN = re.compile(r"\b(socket|socketpair|connect|bind|execve|fork|vfork)\(")


def records():
    group = None
    for paragraph in (HERE / "hostile.sql").read_text().split("\n\n"):
        if paragraph.startswith("-- # "):
            group = paragraph[5:].strip()
        elif group:
            expected, _, text = paragraph.partition("\n")
            yield group, expected.removeprefix("-- "), written_out(text.rstrip())


def written_out(text):
    innermost = re.compile("⟨(\\d+)×([^⟨⟩]*)⟩")
    while found := innermost.search(text):
        times, repeated = int(found[1]), found[2]
        text = text[: found.start()] + "".join(repeated.replace("@", str(n)) for n in range(times)) + text[found.end() :]
    return text


def workspace(folder, muster):
    (folder / "muster.toml").write_text(DEFINITION)
    customers = [f"c{n:04},2024-01-01T00:00:00Z,NL,1961-07-13,31415.92,{n}," for n in range(3000)]
    orders = [f"o{n},c000{n},2025-01-01T10:00:00Z,{n}.50" for n in range(3)]
    lines = [f"o{n},sofa,{n},1.00" for n in range(3)]
    (folder / "customers.csv").write_text("id,since,country,born,income,children,score\n" + "\n".join(customers) + "\n")
    (folder / "orders.csv").write_text("order_id,customer,placed_at,total\n" + "\n".join(orders) + "\n")
    (folder / "lines.csv").write_text("order_id,sku,quantity,price\n" + "\n".join(lines) + "\n")
    subprocess.run([muster, "--dir", folder, "load"], check=True, capture_output=True)


def run(command):
    """Runs to the end: exit code, stdout, stderr, seconds, and the most memory it took in bytes."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with concurrent.futures.ThreadPoolExecutor(2) as readers:
        out = readers.submit(lambda: sum(len(part) for part in iter(lambda: process.stdout.read(1 << 20), b"")))
        err = readers.submit(lambda: process.stderr.read().decode(errors="replace"))
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, out.result(), err.result(), taken, usage.ru_maxrss << 10


def touched(trace, folder):
    """What a process touched that it should not."""
    data, own = str(folder / "data"), str(folder / "muster.toml")
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        if FORBIDDEN.search(line):
            found.append(line)
        opened = OPENED.search(line)
        if opened and int(opened[2]) >= 0:
            path = os.path.normpath(os.path.join(str(folder), opened[1]))
            if not (path == own or path == data or path.startswith(data + "/") or FREE.search(opened[1])):
                found.append(line)
    # The first execve is the shell's way to start it.
    return [line for line in found if "execve(" not in line or "muster" not in line]


def outcome(code, stderr):
    if code == 0:
        return "answers"
    for words, name in STOPS:
        if words in stderr:
            return name
    return "refused" if stderr.startswith("error: line ") or "error: " in stderr else f"ended with {code}"


def is_expected(found, expected, group):
    if group == "several statements" and expected == "not allowed":
        # `muster sql` runs the statements of a text one by one.
        return found in ("refused", "answers")
    stops = ["time", "memory", "rows", "bytes"]
    if expected in stops or expected == "stopped":
        # Where the pool, the rows or the bytes of `muster sql` leave more room, it may also be answered.
        return found in [*stops, "answers"]
    if expected in ("answers", "engine"):
        return found == expected
    return found == "refused"


def check(muster, folder, timeout, place, record):
    group, expected, text = record
    file = folder.parent / f"{place}.sql"
    file.write_text(text)
    asked = ["sql", "--grant", "public,internal", "--format", "csv", "--timeout", str(timeout), "-f", str(file)]
    command = [muster, "--dir", str(folder), *asked]
    code, size, stderr, taken, memory = run(command)
    trace = folder.parent / f"{place}.trace"
    calls = "trace=open,openat,openat2,creat,socket,socketpair,connect,bind,execve,fork,vfork"
    run(["strace", "-f", "-qq", "-s", "4096", "-e", calls, "-o", str(trace), *command])
    found = outcome(code, stderr)
    wrong = [] if is_expected(found, expected, group) else [f"expected {expected}, found {found}: {stderr[:200]}"]
    wrong += [line for line in touched(trace, folder) if str(file) not in line][:3]
    # What came in time is written to its end, however long that takes.
    wrong += [f"took {taken:.2f} s"] if taken > timeout + 1 and size == 0 else []
    wrong += [f"took {memory >> 20} MiB"] if memory > MOST_MEMORY else []
    if ("31415" in stderr and "31415" not in text) or "1961-07" in stderr and "1961" not in text:
        wrong.append(f"tells a masked value: {stderr[:200]}")
    trace.unlink()
    file.unlink()
    return group, expected, found, text, taken, memory, wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("muster", type=Path)
    arguments.add_argument("--group")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--timeout", type=int, default=2)
    arguments.add_argument("--every", action="store_true", help="also show what is in order")
    given = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    muster = str(given.muster.resolve())
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        folder = Path(os.path.realpath(scratch)) / "shop"
        folder.mkdir()
        workspace(folder, muster)
        wanted = [record for record in records() if given.group in (None, record[0])]
        results = list(pool.map(lambda pair: check(muster, folder, given.timeout, *pair), enumerate(wanted)))
    outcomes = {}
    for group, expected, found, text, taken, memory, wrong in results:
        outcomes[found] = outcomes.get(found, 0) + 1
        if wrong or given.every:
            print(f"{group}: {text[:100]!r}: {found}, {taken:.2f} s, {memory >> 20} MiB")
        for what in wrong:
            print(f"    {what}")
    bad = sum(1 for result in results if result[6])
    print(f"{len(results)} statements, {bad} not as they should be: {outcomes}")
    print(f"longest {max(r[4] for r in results):.2f} s with {given.timeout} s allowed, most memory {max(r[5] for r in results) >> 20} MiB")
    sys.exit(1 if bad else 0)


main()
