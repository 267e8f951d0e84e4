"""Kills `muster load` at random moments of every phase, and looks at what is left.

    python3 crates/cli/tests/kill_loads.py --muster target/release/muster --kills 200 --profiles 100000

A load tells its phases on stderr (`-v`): reading, staging, folding, renaming, syncing, committing, collecting. Each kill
waits for the line of one phase and then for a random part of the time that the phase took when nobody killed it. Four
kinds of loads take turns: the first load of everything, small changes, which stand beside the blocks, changes so many that
blocks are folded, and a load that finds what a killed one left behind. After each kill:

- the next process opens within two seconds and answers,
- every byte of every file is what was written (`muster doctor`),
- the tables are those of before the load or of after it, by their digests, and nothing in between,
- the same load, run again, ends with the tables of after it.

In the end a file is taken away, which must be found. Counts by phase are printed; the exit code is 1 if anything of this does not hold.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PHASES = ("reading", "staging", "folding", "renaming", "syncing", "committing", "collecting")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
PHASE = re.compile(r'phase="(\w+)"')
LONGEST_REOPENING = 2.0

DEFINITION = """
[workspace]
name = "kills"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"

[tables.profiles.columns]
id = { type = "id" }
name = { type = "text" }
city = { type = "text" }
agreed = { type = "bool", role = "consent.email" }

[tables.orders]
source = "files/orders*.csv"
key = "order"
parent = "profiles"
on = "customer"
time = "at"

[tables.orders.columns]
order = { type = "id" }
customer = { type = "id" }
at = { type = "timestamp" }
status = { type = "text" }
total = { type = "decimal(12,2)" }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--muster", required=True, type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--profiles", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--reopening", type=float, default=LONGEST_REOPENING, help="seconds that reopening may take")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        complaints = Run(arguments, pathlib.Path(folder)).run()
    print("\n".join(complaints) or "nothing was lost, and nothing was half there")
    sys.exit(1 if complaints else 0)


class Scene:
    """A workspace before a load, what it holds then and afterwards, and how long the load's phases take."""

    def __init__(self, run: "Run", name: str, dir: pathlib.Path) -> None:
        self.run, self.name, self.dir = run, name, dir
        self.before = run.digests(dir)
        done = run.copy(dir, f"{name}-done")
        self.moments = run.load_timed(done)
        self.after = run.digests(done)
        shutil.rmtree(done)
        assert self.before != self.after, f"the load of {name} changes nothing"

    def phases(self) -> list[str]:
        return [phase for phase, _ in self.moments]


class Run:
    def __init__(self, arguments: argparse.Namespace, folder: pathlib.Path) -> None:
        self.muster, self.kills, self.limit = arguments.muster.resolve(), arguments.kills, arguments.reopening
        self.profiles, self.chance, self.folder = arguments.profiles, random.Random(arguments.seed), folder
        self.complaints: list[str] = []
        self.counts: dict[str, collections.Counter] = {phase: collections.Counter() for phase in PHASES}
        self.reopenings: list[float] = []

    def run(self) -> list[str]:
        scenes = self.scenes()
        for scene in scenes:
            told = ", ".join(f"{phase} {seconds * 1000:.0f} ms" for phase, seconds in scene.moments)
            print(f"{scene.name}: {told}", flush=True)
        made, tried = 0, 0
        while made < self.kills and tried < 4 * self.kills + 20:
            phase = PHASES[tried % len(PHASES)]
            fitting = [scene for scene in scenes if phase in scene.phases()]
            tried += 1
            if fitting and self.kill(self.chance.choice(fitting), phase):
                made += 1
        self.control(scenes)
        self.report(made)
        if made < self.kills:
            self.complaints.append(f"only {made} of {self.kills} kills met a load that was still running")
        return self.complaints

    def control(self, scenes: list[Scene]) -> None:
        """What looks for damage must find it: a file that is lost, and another answer."""
        scene = next(scene for scene in scenes if scene.before)
        dir = self.copy(scene.dir, "spoiled")
        self.chance.choice(sorted((dir / "data/blocks").glob("*.parquet"))).unlink()
        heard = len(self.complaints)
        self.digests(dir, "control")
        if len(self.complaints) == heard or scene.before == scene.after:
            self.complaints.append("the control: a lost file was not found")
        else:
            del self.complaints[heard:]
        shutil.rmtree(dir)

    def report(self, made: int) -> None:
        print(f"{made} kills at {self.profiles} profiles; what the next process found, by the phase that was cut:")
        for phase, counts in self.counts.items():
            print(f"  {phase:<11} {sum(counts.values()):>4} kills: {counts['before']} before, {counts['after']} after")
        if self.reopenings:
            middle = sorted(self.reopenings)[len(self.reopenings) // 2]
            print(f"reopening (muster status): median {middle:.3f} s, longest {max(self.reopenings):.3f} s")

    # The scenes: a workspace without data, one with them and a small file, one with them and a larger one.

    def scenes(self) -> list[Scene]:
        first = self.folder / "first"
        (first / "files").mkdir(parents=True)
        (first / "muster.toml").write_text(DEFINITION)
        self.write_files(first, "", range(self.profiles), range(3 * self.profiles), "open")
        loaded = self.copy(first, "loaded")
        self.call(loaded, "load")
        few, many = self.copy(loaded, "few"), self.copy(loaded, "many")
        self.write_files(few, "_2", range(0, self.profiles, 100), range(0, 3 * self.profiles, 90), "sent")
        # More than an eighth of the rows of a block come or go: it is folded.
        self.write_files(many, "_2", range(0, self.profiles, 9), range(0, 3 * self.profiles, 9), "sent")
        left = self.copy(few, "left")
        for number in range(200):
            (left / f"data/blocks/orders.{number:05}.9.parquet.tmp").write_bytes(b"half a block")
        after_a_kill = Scene(self, "small change after a kill", left)
        return [after_a_kill, Scene(self, "first load", first), Scene(self, "small change", few), Scene(self, "larger change", many)]

    def write_files(self, dir: pathlib.Path, suffix: str, customers: range, orders: range, status: str) -> None:
        with open(dir / f"files/customers{suffix}.csv", "w") as file:
            file.write("id,name,city,agreed\n")
            file.writelines(f"c{n},{status} {n},city {n % 300},{'true' if n % 3 else 'false'}\n" for n in customers)
        with open(dir / f"files/orders{suffix}.csv", "w") as file:
            file.write("order,customer,at,status,total\n")
            file.writelines(
                f"o{n},c{n % self.profiles},2025-0{n % 6 + 1}-{n % 28 + 1:02} 10:00:00,{status},{n % 1000}.50\n"
                for n in orders
            )

    # One kill.

    def kill(self, scene: Scene, phase: str) -> bool:
        """Whether the load was still running when the kill came."""
        lines = [seconds for name, seconds in scene.moments if name == phase]
        line = self.chance.randrange(len(lines))
        seconds = lines[line]
        # A little beyond the end, so that the borders between phases are met, too.
        wait = self.chance.uniform(0, 1.1 * seconds + 0.001)
        dir = self.copy(scene.dir, "killed")
        try:
            if not self.load_killed(dir, phase, line, wait):
                return False
            found = self.look(scene, dir, f"{scene.name}, {wait * 1000:.1f} ms into {phase}")
            self.counts[phase][found] += 1
            return True
        finally:
            shutil.rmtree(dir)

    def load_killed(self, dir: pathlib.Path, phase: str, which: int, wait: float) -> bool:
        child = subprocess.Popen(self.line(dir, "-v", "load"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in child.stderr:
            if phase_in(line) == phase and (which := which - 1) < 0:
                time.sleep(wait)
                break
        child.kill()
        child.stderr.close()
        return child.wait() == -signal.SIGKILL

    def look(self, scene: Scene, dir: pathlib.Path, moment: str) -> str:
        """What the next process finds: before, after, or something that should not be."""
        # No data at all are what a first load leaves that was cut before there was a state.
        if not (dir / "data/state.db").exists():
            found = scene.before
        else:
            self.reopen(dir, moment)
            found = self.digests(dir, moment)
        self.call(dir, "load")
        if (again := self.digests(dir, moment)) != scene.after:
            self.complaints.append(f"{moment}: loading again ends with {again}")
        if found == scene.before:
            return "before"
        if found == scene.after:
            return "after"
        self.complaints.append(f"{moment}: neither before nor after: {found}")
        return "neither"

    def reopen(self, dir: pathlib.Path, moment: str) -> None:
        start = time.monotonic()
        self.call(dir, "status")
        seconds = time.monotonic() - start
        self.reopenings.append(seconds)
        if seconds > self.limit:
            self.complaints.append(f"{moment}: reopening took {seconds:.2f} s")

    # Muster.

    def line(self, dir: pathlib.Path, *arguments: str) -> list[str]:
        return [str(self.muster), "--dir", str(dir), *arguments]

    def call(self, dir: pathlib.Path, *arguments: str) -> str:
        ended = subprocess.run(self.line(dir, *arguments), capture_output=True, text=True)
        if ended.returncode != 0:
            raise SystemExit(f"muster {' '.join(arguments)} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        return ended.stdout

    def digests(self, dir: pathlib.Path, moment: str = "") -> dict[str, str]:
        """What the tables hold, after every byte was looked at; nothing where nothing was loaded."""
        if not (dir / "data/state.db").exists():
            return {}
        ended = subprocess.run(self.line(dir, "--json", "doctor", "--digest"), capture_output=True, text=True)
        if ended.returncode not in (0, 1):
            raise SystemExit(f"{moment}: muster doctor ended with {ended.returncode}: {ended.stderr}")
        document = json.loads(ended.stdout) if ended.stdout else {"problems": [ended.stderr]}
        bad = [problem for problem in document["problems"] if not isinstance(problem, dict) or problem["kind"] != "disk"]
        self.complaints.extend(f"{moment}: {problem}" for problem in bad)
        return document.get("digests") or {}

    def load_timed(self, dir: pathlib.Path) -> list[tuple[str, float]]:
        """The phases of a load in the order of their lines, each with the seconds until the next line."""
        child = subprocess.Popen(self.line(dir, "-v", "load"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        drain = threading.Thread(target=child.stdout.read)
        drain.start()
        lines = [(phase, time.monotonic()) for line in child.stderr if (phase := phase_in(line))]
        child.wait()
        end = time.monotonic()
        drain.join()
        assert child.returncode == 0 and lines, f"a load of {dir.name} ended with {child.returncode}"
        ends = [moment for _, moment in lines[1:]] + [end]
        return [(phase, until - start) for (phase, start), until in zip(lines, ends)]

    def copy(self, dir: pathlib.Path, name: str) -> pathlib.Path:
        """Another workspace of the same files; those of blocks are linked, for they never change."""
        target = self.folder / name
        shutil.copytree(dir, target, copy_function=link_or_copy)
        return target


def link_or_copy(source: str, target: str) -> str:
    if source.endswith((".parquet", ".csv")):
        pathlib.Path(target).hardlink_to(source)
        return target
    return shutil.copy2(source, target)


def phase_in(line: str) -> str | None:
    found = PHASE.search(COLOURS.sub("", line))
    return found.group(1) if found else None


if __name__ == "__main__":
    main()
