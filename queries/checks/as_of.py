"""Is every segment and variable of queries/, AS OF an instant, what it was in a store that knew no more than that instant?

    queries/checks/as_of.py --muster target/debug/muster                     200 instants of a year
    queries/checks/as_of.py --muster target/debug/muster --instants 8 --days 40

A demo shop lives for so many days and loads each by itself. For instants drawn from a seed the world of that instant is
written anew from the shop's files, with nothing but Python: rows up to it, each with the fields that it had by then (and what they
were before, for those who ask with `was`), without what is deleted by now. A fresh workspace loads only these files; all
segments and variables of all profiles, and all rows of the tables that change, must be the same in both. Exits with 1 where one
differs.

A control looks at the same instant and forgets the past: with the fields of today answers must differ somewhere, or else
nothing was shown. Exits with 1 then too.
"""

import argparse
import csv
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import datetime, timedelta

HERE = pathlib.Path(__file__).resolve().parent
QUERIES = sorted(path for path in HERE.parent.iterdir() if path.is_dir() and path != HERE)
FIRST = datetime(2025, 6, 30, 12)  # the shop's first files are taken and loaded at this instant

# Table → its key, its time, and the column of the parent's key with the parent; without a key rows are only added.
TABLES = {
    "customers": ("customer_id", "created_at", None, None),
    "orders": ("order_id", "placed_at", "customer_id", "customers"),
    "order_lines": ("line_id", None, "order_id", "orders"),
    "carts": ("cart_id", "created_at", "customer_id", "customers"),
    "cart_lines": (None, None, "cart_id", "carts"),
    "web_visits": ("visit_id", "visited_at", "customer_id", "customers"),
    "messages": ("message_id", "sent_at", "customer_id", "customers"),
    "responses": ("response_id", "responded_at", "message_id", "messages"),
}
LOOKUPS = ["products", "stores"]
MARK = "the next answer"
COMPARED = {"profiles": "customer_id", "orders": "order_id", "order_lines": "line_id", "carts": "cart_id"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True, type=pathlib.Path)
    parser.add_argument("--instants", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--customers", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shop", type=pathlib.Path, help="keep the shop here, or use the one that is here")
    wanted = parser.parse_args()
    muster = Muster(wanted.muster.resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        lived = wanted.shop or folder / "lived"
        if not lived.exists():
            muster.call(None, "demo", "--customers", wanted.customers, "--days", wanted.days, "--files", "csv", "--into", lived)
        muster.call(lived, "apply", *QUERIES)
        sys.exit(Comparison(muster, lived, folder, wanted).run())


class Muster:
    def __init__(self, binary):
        self.binary = binary

    def call(self, shop, *arguments):
        place = [] if shop is None else ["--dir", shop]
        done = subprocess.run([self.binary, *place, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode not in (0, 3):
            sys.exit(f"muster {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        return done.stdout

    def rows(self, shop, *queries):
        """The lines of each query's answer, the header first; all in one process."""
        text = f"; SELECT '{MARK}' AS mark; ".join(queries)
        return [answer.splitlines() for answer in self.call(shop, "sql", "--format", "csv", "-c", text).split(f"mark\n{MARK}\n")]


class Files:
    """All versions of all rows, in the order in which they came, each with the instant from which it was known."""

    def __init__(self, folder):
        self.header, self.versions = {}, {}
        for table, (key, *_rest) in TABLES.items():
            self.versions[table] = versions = defaultdict(list)
            for path in sorted(folder.glob(f"{table}.csv")) + sorted(folder.glob(f"{table}_20*.csv")):
                loaded_at = loaded(path)
                with path.open(newline="") as file:
                    for number, row in enumerate(reader := csv.DictReader(file)):
                        name = row[key] if key else (path.name, number)
                        known = row["updated_at"] if "updated_at" in row else loaded_at.isoformat()
                        versions[name].append((datetime.fromisoformat(known), row))
                    self.header[table] = reader.fieldnames

    def world(self, instant, fields_as_of):
        """Table → rows up to `instant`, each as its versions up to `fields_as_of`; nothing that is deleted by now, or below that."""
        world, there = {}, {}
        for table, (key, time, on, parent) in TABLES.items():
            world[table], there[table] = [], set()
            for versions in self.versions[table].values():
                known = known_by(versions, fields_as_of)
                row = known[-1]
                is_gone = versions[-1][1].get("deleted") == "J"
                is_late = time is not None and datetime.fromisoformat(row[time]) > instant
                has_parent = parent is None or row[on] in there[parent]
                if has_parent and not is_gone and not is_late:
                    world[table].append(known)
                    there[table].add(row[key] if key else None)
        return world


def loaded(path):
    """A day's files are loaded at its noon, the first ones when they are taken."""
    date = re.search(r"_(\d{4}-\d{2}-\d{2})\.csv$", path.name)
    return datetime.fromisoformat(f"{date.group(1)}T12:00:00") if date else FIRST


def known_by(versions, instant):
    """The versions known at the instant, the newest last; before the first, the oldest that is known at all."""
    return [row for since, row in versions if since <= instant] or [versions[0][1]]


class Comparison:
    def __init__(self, muster, lived, folder, wanted):
        self.muster, self.lived, self.folder, self.wanted = muster, lived, folder, wanted
        self.files = Files(lived / "files")
        self.last = max(loaded(path) for path in (lived / "files").glob("orders*.csv"))
        segments, variables = muster.rows(lived, "SHOW SEGMENTS", "SHOW VARIABLES")
        self.questions = {row["segment"]: f"segments.{row['segment']}" for row in csv.DictReader(segments)}
        self.questions |= {row["variable"]: row["variable"] for row in csv.DictReader(variables)}
        self.differing, self.forgetting = Counter(), Counter()
        self.answered = self.mixed = 0

    def run(self):
        chance = random.Random(self.wanted.seed)
        seconds = int((self.last - FIRST).total_seconds())
        instants = sorted(FIRST + timedelta(seconds=chance.randrange(seconds)) for _ in range(self.wanted.instants))
        for number, instant in enumerate(instants):
            self.compare(instant)
            if number % 10 == 0:
                self.control(instant)
        asked = f"{len(instants)} instants from {instants[0]} to {instants[-1]}, {len(self.questions)} segments and variables"
        print(f"{asked}: {self.answered} answers, {self.mixed} of them not the same for all profiles")
        print(f"differing: {dict(self.differing) or 'none'}")
        print(f"with the fields of today {sum(self.forgetting.values())} would differ: {dict(self.forgetting)}")
        return int(bool(self.differing) or not self.forgetting)

    def compare(self, instant):
        fresh = self.workspace(instant, instant)
        (ours, *our_tables), (theirs, *their_tables) = self.answers(self.lived, instant), self.answers(fresh, None)
        for name in self.questions:
            self.answered += 1
            self.mixed += len(set(theirs[name].values())) > 1
            self.note(name, instant, ours[name], theirs[name])
        for table, our_rows, their_rows in zip(COMPARED, our_tables, their_tables, strict=True):
            self.note(table, instant, dict(enumerate(our_rows)), dict(enumerate(their_rows)))
        shutil.rmtree(fresh)

    def control(self, instant):
        forgetful = self.workspace(instant, self.last, forgets=True)
        ours, theirs = self.answers(self.lived, instant)[0], self.answers(forgetful, None)[0]
        self.forgetting.update(name for name in self.questions if ours[name] != theirs[name])
        shutil.rmtree(forgetful)

    def answers(self, shop, instant):
        """Segment or variable → key → what it says, and the lines of the tables that change."""
        as_of = f"AS OF '{instant.isoformat()}' " if instant else ""
        names = ", ".join(f"{value} AS {name}" for name, value in self.questions.items())
        queries = [f"{as_of}SELECT customer_id, {names} FROM profiles"]
        for table, key in COMPARED.items():
            columns = ", ".join(["profiles.customer_id", *self.fields(table)])
            queries.append(f"{as_of}SELECT {columns} FROM {table} ORDER BY {key}")
        said, *tables = self.muster.rows(shop, *queries)
        rows = list(csv.DictReader(said))
        return [{name: {row["customer_id"]: row[name] for row in rows} for name in self.questions}, *tables]

    def fields(self, table):
        table = "customers" if table == "profiles" else table
        return [f'"{name}"' for name in self.files.header[table] if name not in ("deleted", "customer_id")]

    def workspace(self, instant, fields_as_of, forgets=False):
        """A fresh workspace with the world of the instant, loaded, and with the same segments; one that forgets knows of
        each row its newest version alone."""
        shop = self.folder / "fresh"
        (shop / "files").mkdir(parents=True)
        definition = (self.lived / "muster.toml").read_text()
        (shop / "muster.toml").write_text(re.sub(r'(?m)^as_of = "[^"]*"', f'as_of = "{instant.isoformat()}"', definition))
        for table in LOOKUPS:
            shutil.copy(self.lived / "files" / f"{table}.csv", shop / "files")
        for table, rows in self.files.world(instant, fields_as_of).items():
            rows = [versions[-1:] for versions in rows] if forgets else rows
            # A file for the first versions of all rows, one for the second ones, and so on: the later file wins.
            for number in range(max(map(len, rows), default=1)):
                with (shop / "files" / f"{table}{f'_{number:03}' if number else ''}.csv").open("w", newline="") as file:
                    writer = csv.DictWriter(file, self.files.header[table])
                    writer.writeheader()
                    writer.writerows(versions[number] for versions in rows if len(versions) > number)
        self.muster.call(shop, "load")
        self.muster.call(shop, "apply", *QUERIES)
        return shop

    def note(self, what, instant, ours, theirs):
        if ours == theirs:
            return
        self.differing[what] += 1
        keys = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
        for key in sorted(keys)[:3]:
            print(f"DIFFERS {what} as of {instant}: {key}\n  as of  {ours.get(key)}\n  fresh  {theirs.get(key)}")


if __name__ == "__main__":
    main()
