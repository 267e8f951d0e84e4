"""How long do twenty-six questions take of a crowd of customers with their orders and events; beside DuckDB, Polars and chDB.

    benches/run selections [--customers 1000000] [--dir FOLDER] [--runs 7] [--questions Q05,Q06] [--peers duckdb,polars,chdb]
                           [--kept-peers] [--json]

Data: `beside/crowd.py`, seed 42, ten orders, thirty lines and twenty events per customer. The questions stand in `questions/`, in
the words of each engine (Polars: `beside/polars_crowd.py`). All is in memory, two threads each. Before an engine's time is taken its
answer is; of a selection, whose number is what is timed, also the profiles. A question with more than one answer has no ratio, and
the run fails. A time is that of the statement from its text to its rows, the median of the runs after one that is not
counted; each peer is asked in several physical designs, and per question the best of all counts. No results are kept on any
side; muster's stored segments are bitmaps, the peers' are columns and, for the overlap, bitmaps.

With --kept-peers the times of peers are those of the last run in the folder, which is said.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable

from beside import answers, groups, machine

SEED = 42
# The designs in which each peer is asked, the plain one first.
DESIGNS = {"duckdb": ["plain", "ordered"], "polars": ["plain", "ordered", "streaming"], "chdb": ["plain", "ordered"]}
THREADS = {"RAYON_NUM_THREADS": "2", "POLARS_MAX_THREADS": "2"}
HISTORY = [f"Q{number:02}" for number in range(5, 15)] + ["Q20"]
OF_SEGMENTS = ["Q17", "V1", "V2", "V3"]
HISTORY_GOAL, GOAL, WORST_GOAL = 20.0, 3.0, 1.0
# What takes longer in muster has failed.
PATIENCE, LOAD_SECONDS = 60, 3600


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench-selections"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--questions", type=one_of(answers.names()), default=answers.names())
    parser.add_argument("--peers", type=one_of(list(DESIGNS)), default=list(DESIGNS))
    parser.add_argument("--kept-peers", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(given)
    os.environ.update(THREADS)
    crowd = Crowd(arguments.dir / str(arguments.customers), arguments.customers, arguments.muster)
    crowd.prepare(arguments.questions, with_peers=not arguments.kept_peers)
    report = Report(crowd, arguments)
    print(json.dumps(report.document(), indent=2) if arguments.json else report.text())
    if report.differing:
        sys.exit("the answers differ: " + ", ".join(report.differing))


def one_of(known: list[str]) -> Callable[[str], list[str]]:
    """Reads names with commas between them."""
    def read(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: expected some of {','.join(known)}")
        return text.split(",")
    return read


class Crowd:
    """The data in a folder: the files that all read, and muster's workspace around them."""

    def __init__(self, folder: pathlib.Path, customers: int, muster: str) -> None:
        self.folder, self.customers, self.muster = folder, customers, muster
        self.files = folder / "files"

    def prepare(self, questions: list[str], with_peers: bool) -> None:
        """Makes what is not there yet; muster's store and segments anew for every binary."""
        if not (self.files / "events.parquet").exists():
            say(f"making {self.customers:,} customers")
            program("crowd", str(self.customers), str(SEED), str(self.files))
        if with_peers and not (self.files / "memberships.parquet").exists():
            program("duckdb_crowd", str(self.files), str(self.customers))
        self.once("loaded", self.load)
        if any(question in OF_SEGMENTS for question in questions):
            self.once("defined", self.define_segments)

    def once(self, what: str, work: Callable[[], None]) -> None:
        """Does it unless it is done with this binary and this definition."""
        mark = self.folder / what
        done = f"{self.definition()}\n{pathlib.Path(self.muster).stat().st_mtime_ns}"
        if not mark.exists() or mark.read_text() != done:
            work()
            mark.write_text(done)

    def definition(self) -> str:
        return (answers.QUESTIONS / "muster.toml").read_text()

    def load(self) -> None:
        say(f"loading {self.customers:,} customers into muster")
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        (self.folder / "muster.toml").write_text(self.definition())
        subprocess.run(self.command("load"), stdout=subprocess.DEVNULL, check=True)

    def define_segments(self) -> None:
        say("defining its segments")
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(groups.definitions(self.customers))
            file.flush()
            command = self.command("sql", "--timeout", str(LOAD_SECONDS), "-f", file.name)
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    def command(self, *arguments: str) -> list[str]:
        return [self.muster, "--dir", str(self.folder), *arguments]


def ask_muster(crowd: Crowd, question: str, runs: int) -> dict:
    """One process for each question, so that one that fails ends nothing else."""
    text = answers.text("muster", question, crowd.customers)
    is_selection = answers.is_selection(question)
    asked = answers.SELECTION.sub("SELECT count(*) AS profiles", text) if is_selection else text
    statements = ([text] if is_selection else []) + [asked] * (runs + 1)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(";\n".join(statements))
        file.flush()
        command = crowd.command("sql", "--timing", "--timeout", str(PATIENCE), "--format", "arrow", "-f", file.name)
        ended = subprocess.run(command, capture_output=True)
    if ended.returncode:
        return {"failed": ended.stderr.decode().strip().splitlines()[-1]}
    tables = streams(ended.stdout, len(statements))
    digests = [answers.digest(table) for table in tables[: len(statements) - runs]]
    return {"answer": " ".join(digests if is_selection else ["", *digests]), "seconds": told_times(ended.stderr.decode())[-runs:]}


def streams(printed: bytes, count: int) -> list:
    """The Arrow streams that stand behind each other."""
    import pyarrow

    source = pyarrow.BufferReader(printed)
    return [pyarrow.ipc.open_stream(source).read_all() for _ in range(count)]


def told_times(said: str) -> list[float]:
    times = re.findall(r"([0-9.]+) (ms|s)\)$", said, re.MULTILINE)
    return [float(number) / (1000 if unit == "ms" else 1) for number, unit in times]


def ask_peer(crowd: Crowd, peer: str, design: str, questions: list[str], runs: int) -> dict[str, dict]:
    """What a peer says in one of its designs, by question; beside it how long it loaded and its memory."""
    say(f"asking {peer}, {design}")
    command = [sys.executable, str(path("answering")), peer, design, str(crowd.files), str(crowd.customers), str(runs), *questions]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    said = {line.pop("question"): line for line in lines if "question" in line}
    for question in questions:
        said.setdefault(question, {"failed": f"the process ended with {ended.returncode}"})
    return said


class Report:
    """All answers and times, and what comes of them."""

    def __init__(self, crowd: Crowd, arguments: argparse.Namespace) -> None:
        self.crowd, self.questions, self.runs = crowd, arguments.questions, arguments.runs
        self.machine = machine.description(crowd.folder)
        self.is_kept = arguments.kept_peers
        self.peers = self.kept() if self.is_kept else self.asked(arguments.peers)
        say("asking muster")
        self.muster = {question: ask_muster(crowd, question, self.runs) for question in self.questions}
        self.differing = [question for question in self.questions if len(self.answers(question)) > 1]

    def asked(self, peers: list[str]) -> dict[str, dict]:
        found = {f"{peer} {design}": ask_peer(self.crowd, peer, design, self.questions, self.runs)
                 for peer in peers for design in DESIGNS[peer]}
        (self.crowd.folder / "peers.json").write_text(json.dumps(found))
        return found

    def kept(self) -> dict[str, dict]:
        return json.loads((self.crowd.folder / "peers.json").read_text())

    def answers(self, question: str) -> dict[str, str]:
        """Who gave which answer; more than one is an error of somebody."""
        given: dict[str, str] = {}
        for name, said in [("muster", self.muster), *self.peers.items()]:
            if answer := said.get(question, {}).get("answer"):
                given[answer] = f"{given[answer]}, {name}" if answer in given else name
        return {names: answer for answer, names in given.items()}

    def line(self, question: str) -> dict:
        """Milliseconds of all, and the ratio to the best of the peers."""
        ours = milliseconds(self.muster[question])
        theirs = {name: time for name, said in self.peers.items() if (time := milliseconds(said.get(question, {})))}
        best = min(theirs, key=theirs.get, default=None)
        line = {"question": question, "what": answers.what(question), "muster_ms": ours, "peers_ms": theirs, "best_peer": best,
                "muster_p95_ms": percentile(self.muster[question], 0.95), "ratio": theirs[best] / ours if best and ours else None}
        if question in self.differing:
            line["answers"] = self.answers(question)
            line["ratio"] = None
        failures = {name: said[question]["failed"] for name, said in [("muster", self.muster), *self.peers.items()]
                    if "failed" in said.get(question, {})}
        return line | ({"failed": failures} if failures else {})

    def document(self) -> dict:
        lines = [self.line(question) for question in self.questions]
        ratios = {line["question"]: line["ratio"] for line in lines if line["ratio"]}
        worst, best = (choose(ratios, key=ratios.get, default=None) for choose in (min, max))
        return {"machine": self.machine, "versions": versions(self.crowd), "customers": self.crowd.customers, "seed": SEED,
                "runs": self.runs, "kept_peers": self.is_kept, "questions": lines,
                "geometric_mean_history": mean([ratios[name] for name in HISTORY if name in ratios]),
                "geometric_mean": mean(list(ratios.values())),
                "worst": worst and [worst, ratios[worst]], "best": best and [best, ratios[best]],
                "below_one": [name for name, ratio in ratios.items() if ratio < WORST_GOAL]}

    def text(self) -> str:
        found = self.document()
        rows = ["| question | what | muster ms | best peer | ms | ratio |", "|---|---|---|---|---|---|"]
        rows += [as_row(line) for line in found["questions"]]
        notes = [f"{line['question']}: {name} failed: {reason}" for line in found["questions"]
                 for name, reason in line.get("failed", {}).items()]
        notes += [f"{line['question']}: {names} said {answer}" for line in found["questions"]
                  for names, answer in line.get("answers", {}).items()]
        kept = "; the peers' times are those of an earlier run" if self.is_kept else ""
        head = [found["machine"], f"{found['versions']}, {found['customers']:,} customers, seed {SEED}, two threads each, "
                                  f"median of {self.runs}{kept}"]
        return "\n".join([*head, "", *rows, "", *goals(found), *notes])


def milliseconds(said: dict) -> float | None:
    return statistics.median(said["seconds"]) * 1000 if "seconds" in said else None


def percentile(said: dict, share: float) -> float | None:
    times = sorted(said.get("seconds", []))
    return times[min(int(len(times) * share), len(times) - 1)] * 1000 if times else None


def mean(ratios: list[float]) -> float | None:
    return statistics.geometric_mean(ratios) if ratios else None


def as_row(line: dict) -> str:
    best = line["best_peer"]
    cells = [line["question"], line["what"], figure(line["muster_ms"]), best or "–", figure(line["peers_ms"].get(best)), figure(line["ratio"])]
    return f"| {' | '.join(cells)} |"


def figure(value: float | None) -> str:
    """Three digits."""
    return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def goals(found: dict) -> list[str]:
    lines = []
    for name, key, goal in (("Q05–Q14 and Q20", "geometric_mean_history", HISTORY_GOAL), ("all", "geometric_mean", GOAL)):
        if found[key]:
            lines.append(f"geometric mean over {name}: {figure(found[key])} ×; {verdict(found[key] >= goal)}: ≥ {goal:g}")
    if found["worst"]:
        (worst, low), (best, high) = found["worst"], found["best"]
        lines.append(f"worst {worst} {figure(low)} ×, best {best} {figure(high)} ×")
        below = ", ".join(found["below_one"])
        lines.append(f"below 1 ×: {below or 'none'}; {verdict(not below)}: none")
    return lines


def verdict(kept: bool) -> str:
    return "the goal is kept" if kept else "the goal is missed"


def versions(crowd: Crowd) -> str:
    own = subprocess.check_output([crowd.muster, "--version"], text=True).strip()
    return ", ".join([own, *(f"{peer} {importlib.metadata.version(peer)}" for peer in DESIGNS)])


def path(name: str) -> pathlib.Path:
    return pathlib.Path(__file__).parent / "beside" / f"{name}.py"


def program(name: str, *arguments: str) -> None:
    subprocess.run([sys.executable, str(path(name)), *arguments], check=True)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
