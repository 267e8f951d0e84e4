#!/usr/bin/env python3
"""Runs both fuzz targets in turns until together they made so many executions; what was made is kept in a file, so a
later call goes on.

    count.py [--executions 10000000] [--minutes 60] [--keep]

Needs a nightly toolchain and cargo-fuzz. The texts to begin with are in corpus/parse.json and corpus/resolve.json; --keep
writes there what covers all that was reached, as few texts as will do. A panic, or a text that hangs, ends the run and
is told: a text may take a second (targets/patience.rs), and on a busy machine it may try again.
"""

import argparse
import hashlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGETS = ["parse", "resolve"]
# Seconds of a turn.
TURN = 300
# Bytes of stack: where there are as many, no reading has to bring along its own.
STACK = 512 << 20
# Longer texts are not kept in the project.
LONGEST = 600
# Seconds by the clock on the wall after which nobody waits for a text any longer.
HANG = 60


def built():
    """The folder of the fresh binaries."""
    subprocess.run(["cargo", "+nightly", "fuzz", "build", "--fuzz-dir", str(HERE), "-s", "none"], check=True)
    host = re.search("host: (.*)", subprocess.check_output(["rustc", "-vV"], text=True)).group(1)
    return Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")) / host / "release"


def run(command):
    """Runs a target: its exit code and what it said."""
    stack = lambda: resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK))
    done = subprocess.run([str(part) for part in command], stderr=subprocess.PIPE, preexec_fn=stack)
    return done.returncode, done.stderr.decode(errors="replace")


def unpack(target, folder):
    """Lays the texts to begin with into a folder, one per file."""
    folder.mkdir(parents=True, exist_ok=True)
    for text in json.loads((HERE / "corpus" / f"{target}.json").read_text()):
        (folder / hashlib.sha1(text.encode()).hexdigest()).write_text(text)


def turn(binary, seconds, corpus):
    """Runs a target over what it found so far; how many executions that were."""
    limits = [f"-timeout={HANG}", f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=2048", "-print_final_stats=1"]
    words = [f"-dict={HERE / 'words.dict'}", f"-artifact_prefix={corpus}-found-"]
    code, said = run([binary, *limits, *words, corpus])
    made = re.search(r"number_of_executed_units: *(\d+)", said)
    if code != 0 or not made:
        sys.exit(said[-4000:])
    return int(made.group(1))


def keep(binary, corpus):
    """Writes the few texts that cover what the corpus covers."""
    with tempfile.TemporaryDirectory() as few:
        code, said = run([binary, "-set_cover_merge=1", f"-max_len={LONGEST}", few, corpus])
        if code != 0:
            sys.exit(said[-4000:])
        texts = {path.read_bytes().decode(errors="ignore") for path in Path(few).iterdir()}
    lines = ",\n".join(json.dumps(text, ensure_ascii=False) for text in sorted(texts))
    (HERE / "corpus" / f"{binary.name}.json").write_text(f"[\n{lines}\n]\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--executions", type=int, default=10_000_000)
    arguments.add_argument("--minutes", type=float, default=60)
    arguments.add_argument("--kept", type=Path, default=HERE / "target" / "executions.json")
    arguments.add_argument("--keep", action="store_true", help="write the corpus of the project anew at the end")
    arguments.add_argument("--binaries", type=Path, help="the folder of binaries that were built before")
    given = arguments.parse_args()
    binaries = given.binaries or built()
    made = json.loads(given.kept.read_text()) if given.kept.exists() else dict.fromkeys(TARGETS, 0)
    corpora = {target: given.kept.parent / "corpus" / target for target in TARGETS}
    for target, corpus in corpora.items():
        unpack(target, corpus)
    end = time.monotonic() + given.minutes * 60
    while sum(made.values()) < given.executions and time.monotonic() < end:
        target = min(TARGETS, key=made.get)
        made[target] += turn(binaries / target, TURN, corpora[target])
        given.kept.write_text(json.dumps(made))
        print(f"{sum(made.values()):,} of {given.executions:,} executions: {made}", flush=True)
    if given.keep:
        for target, corpus in corpora.items():
            keep(binaries / target, corpus)


main()
