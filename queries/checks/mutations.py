"""Would the random questions show a mistake in resolving or printing?

    queries/checks/mutations.py --target ~/.cache/muster-light

Makes each change of mutations.toml to a copy of the sources, builds the example that prints, and runs what is printed differently
on DuckDB against what the interpreter says of the sources as they are. Of the 10,000 questions of the whole set those of a few
shops are asked first, and the others of what these do not catch. Prints a line per change: caught, by how many of the
questions, and the shortest of them. Exits with 1 where the table is not as mutations.toml says.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

from three_ways import Elsewhere, World, asked, call, compare, first_faults, has_tables

HERE = pathlib.Path(__file__).resolve().parent
ROOMS = ["catalog", "language", "testkit"]


def main() -> None:
    parser = argparse.ArgumentParser()
    target = "cargo's target directory, for the three rooms alone, and meanwhile for no other build"
    parser.add_argument("--target", required=True, type=pathlib.Path, help=target)
    parser.add_argument("--shops", type=int, default=40)
    parser.add_argument("--shops-together", type=int, default=8, help="asked before it is looked whether a change is caught")
    parser.add_argument("--profiles", type=int, default=150)
    parser.add_argument("--per-shop", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="a regular expression: the changes to be made")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sources = Sources(folder / "sources", wanted.target)
        asks = shutil.copy(sources.built(), folder / "three_ways")
        shops = Shops(asks, wanted, folder)
        mutations = tomllib.loads((HERE / "mutations.toml").read_text())["mutation"]
        mutations = [one for one in mutations if not wanted.only or re.search(wanted.only, one["says"])]
        surprises = [one for one in mutations if not is_as_said(one, sources, shops)]
    print(f"{len(mutations)} changes, {len(surprises)} not as expected")
    sys.exit(1 if surprises else 0)


class Sources:
    """A copy of the rooms that print."""

    def __init__(self, folder: pathlib.Path, target: pathlib.Path):
        self.folder, self.target = folder, target.resolve()
        project = HERE.parents[1]
        for room in ROOMS:
            shutil.copytree(project / "crates" / room, folder / "crates" / room, copy_function=shutil.copy)
        manifest = (project / "Cargo.toml").read_text().replace('default-members = ["crates/cli"]\n', "")
        (folder / "Cargo.toml").write_text(manifest)
        shutil.copy(project / "Cargo.lock", folder)

    def built(self) -> pathlib.Path:
        words = ["cargo", "build", "--quiet", "--offline", "-p", "muster-testkit", "--example", "three_ways"]
        environment = {**os.environ, "CARGO_TARGET_DIR": str(self.target), "RUSTFLAGS": os.environ.get("RUSTFLAGS", "")}
        done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return self.target / "debug/examples/three_ways"

    def changed(self, mutation: dict):
        """The file that has the text, as it is and as it becomes."""
        files = [(file, file.read_text()) for file in (self.folder / "crates/language/src").rglob("*.rs")]
        having = [(file, text) for file, text in files for _ in range(text.count(mutation["search"]))]
        if len(having) != 1:
            raise RuntimeError(f"the sources have {len(having)} times: {mutation['search']}")
        [(file, text)] = having
        return file, text, text.replace(mutation["search"], mutation["replace"])


class Shops:
    """All shops, some together; made when they are needed."""

    def __init__(self, asks, wanted: argparse.Namespace, folder: pathlib.Path):
        self.made = []
        self.make = lambda seed: Shop(asks, wanted, seed, folder)
        self.seeds = range(wanted.seed, wanted.seed + wanted.shops)
        self.together = wanted.shops_together

    def some(self):
        for start in range(0, len(self.seeds), self.together):
            seeds = self.seeds[start : start + self.together]
            self.made += map(self.make, seeds[max(0, len(self.made) - start) :])
            yield self.made[start : start + self.together]


class Shop:
    """One shop with its questions, what the interpreter says, and DuckDB over its tables."""

    def __init__(self, asks, wanted: argparse.Namespace, seed: int, folder: pathlib.Path):
        world = World(seed, wanted.profiles, 1, wanted.per_shop)
        tables = folder / f"tables_{seed}"
        call(asks, "tables", str(seed), str(wanted.profiles), str(tables))
        self.words = ["print", str(seed), str(wanted.profiles)]
        self.elsewhere = Elsewhere(tables, None)
        questions = filter(has_tables, asked(asks, world))
        self.questions = [question for question in questions if not self.faults(question)]

    def faults(self, question: dict, printed: dict | None = None) -> list[str]:
        question["faults"] = first_faults(question)
        if not question["faults"]:
            compare(question, "DuckDB", self.elsewhere.answer({**question, **(printed or {})}))
        return question["faults"]

    def printed(self, asks: pathlib.Path):
        """The questions with what this program prints of them, or its error."""
        numbers = "".join(f"{question['number']} {question['attempt']}\n" for question in self.questions)
        lines = map(json.loads, call(asks, *self.words, text=numbers).splitlines())
        return list(zip(self.questions, lines, strict=True))

    def caught_by(self, asks: pathlib.Path) -> tuple[int, list[dict]]:
        """How many questions print differently, and those whose answers differ for it."""
        different = [(question, line) for question, line in self.printed(asks) if is_other(question, line)]
        caught = [question for question, line in different if "refused" in line or self.faults(question, line)]
        return len(different), caught


def is_other(question: dict, line: dict) -> bool:
    return any(line.get(part) != question[part] for part in ("sql", "past"))


def is_as_said(mutation: dict, sources: Sources, shops: Shops) -> bool:
    try:
        file, before, after = sources.changed(mutation)
    except RuntimeError as error:
        print(f"no such text    {mutation['says']}\n{error}", flush=True)
        return False
    file.write_text(after)
    found = []
    try:
        asks = sources.built()
        for some in shops.some():
            found += [shop.caught_by(asks) for shop in some]
            if any(caught for _, caught in found):
                break
    except RuntimeError as error:
        print(f"does not build  {mutation['says']}\n{error}", flush=True)
        return False
    finally:
        file.write_text(before)
    printed, caught = sum(count for count, _ in found), [question for _, some in found for question in some]
    is_expected = bool(caught) == mutation.get("caught", True)
    word = "caught     " if caught else "not caught "
    print(f"{word} {len(caught):>5} of {printed:>5} printed otherwise{'' if is_expected else '  (NOT AS EXPECTED)'}: {mutation['says']}", flush=True)
    if caught:
        print(f"             {min((question['text'] for question in caught), key=len)[:200]}", flush=True)
    return is_expected


if __name__ == "__main__":
    main()
