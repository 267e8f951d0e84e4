"""Disks that are full, out of inodes, read-only or cannot sync: what `muster load` says, and what is left afterwards.

    sudo python3 crates/cli/tests/sick_disks.py --muster target/release/muster

For each of these, a workspace that has data gets a load that must fail with exit code 1 and a message that names the cause.
Then the tables and every byte are what they were, a reader still answers, and, once the disk is well again, the same load
works. Only where the sync of its own commit failed may the load have been kept: whole, or not at all. Needs root, for mounting, and strace, for the syncs.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROWS = 40_000
# The sync of the load's own commit fails: its rows may be on disk or not, and the next process finds out.
COMMIT_UNKNOWN = "no sync of the log at the commit"
DEFINITION = """
[workspace]
name = "sick"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "files/customers*.csv"
key = "id"

[tables.profiles.columns]
id = { type = "id" }
name = { type = "text" }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--muster", required=True, type=pathlib.Path)
    muster = parser.parse_args().muster.resolve()
    with tempfile.TemporaryDirectory(prefix="sick") as folder:
        failed = [name for name, sickness in SICKNESSES.items() if not Case(muster, pathlib.Path(folder), name).holds(sickness)]
    print(f"{len(SICKNESSES) - len(failed)} of {len(SICKNESSES)} sick disks did no harm")
    sys.exit(1 if failed else 0)


class Case:
    def __init__(self, muster: pathlib.Path, folder: pathlib.Path, name: str) -> None:
        self.muster, self.name = muster, name
        self.dir, self.line = folder / name.replace(" ", "-"), [str(muster)]
        self.dir.mkdir()

    @property
    def data(self) -> pathlib.Path:
        return self.dir / "data"

    def holds(self, sickness) -> bool:
        with mounted(self.data):
            self.write_workspace()
            before = self.digests()
            self.write_file("customers2.csv", range(ROWS, 2 * ROWS))
            with sickness(self):
                ended = self.call("load")
                answered = self.call("sql", "-c", "SELECT count(*) FROM profiles")
            self.line = [str(self.muster)]
            complaints = [] if ended.returncode == 1 else [f"the load ended with {ended.returncode}: {ended.stdout}"]
            counts = [ROWS, 2 * ROWS] if self.name == COMMIT_UNKNOWN else [ROWS]
            complaints += [] if any(f" {count} " in answered.stdout for count in counts) else [f"a reader got: {answered.stdout}{answered.stderr}"]
            kept = self.digests() != before
            complaints += ["the tables are not what they were"] if kept and len(counts) == 1 else []
            again, after = self.call("load"), self.digests()
            complaints += [] if again.returncode == 0 else [f"the same load failed later: {again.stderr}"]
            complaints += ["the same load brought nothing later"] if after == before and not kept else []
            complaints += [f"afterwards: {after['problems']}"] if "problems" in after else []
        print(f"{self.name}: {' / '.join(ended.stderr.strip().splitlines())}")
        print("".join(f"  WRONG: {complaint}\n" for complaint in complaints), end="")
        return not complaints

    def write_workspace(self) -> None:
        (self.dir / "files").mkdir()
        (self.dir / "muster.toml").write_text(DEFINITION)
        self.write_file("customers.csv", range(ROWS))
        assert self.call("load").returncode == 0

    def write_file(self, name: str, numbers: range) -> None:
        lines = "".join(f"c{number},name {number * 7919 % 1_000_003} {number}\n" for number in numbers)
        (self.dir / "files" / name).write_text("id,name\n" + lines)

    def call(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([*self.line, "--dir", str(self.dir), *arguments], capture_output=True, text=True)

    def digests(self) -> dict:
        document = json.loads(self.call("--json", "doctor", "--digest").stdout)
        bad = [problem for problem in document["problems"] if problem["kind"] != "disk"]
        return {"problems": bad} if bad else document["digests"]


@contextlib.contextmanager
def mounted(dir: pathlib.Path):
    dir.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,nr_inodes=200", "tmpfs", dir], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", dir], check=True)


@contextlib.contextmanager
def full(case: Case):
    filling = case.data / "filling"
    with open(filling, "wb") as file:
        free = shutil.disk_usage(case.data).free
        # Room for the log of the state, and for a part of a block.
        file.write(b"x" * (free - 300_000))
    try:
        yield
    finally:
        filling.unlink()


@contextlib.contextmanager
def out_of_inodes(case: Case):
    folder = case.data / "filling"
    folder.mkdir()
    with contextlib.suppress(OSError):
        for number in range(1_000):
            (folder / str(number)).touch()
    # The log of the state and its index get theirs.
    for number in range(2):
        (folder / str(number)).unlink()
    try:
        yield
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def read_only(case: Case):
    subprocess.run(["mount", "-o", "remount,ro", case.data], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", case.data], check=True)


def failing_sync(calls: str, first: int, *paths: str):
    """Syncs fail from the `first` on: a disk that fails once is not believed again."""

    @contextlib.contextmanager
    def sickness(case: Case):
        named = [word for path in paths for word in ("-P", str(case.data / path))]
        inject = ["-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when={first}+"]
        case.line = ["strace", "-f", "-qq", "-o", "/dev/null", *named, *inject, str(case.muster)]
        yield

    return sickness


SICKNESSES = {
    "full": full,
    "out of inodes": out_of_inodes,
    "read-only": read_only,
    "no sync of the log": failing_sync("fdatasync,fsync", 1, "state.db-wal"),
    COMMIT_UNKNOWN: failing_sync("fdatasync,fsync", 3, "state.db-wal"),
    "no sync of the folder of blocks": failing_sync("fsync", 1, "blocks"),
}


if __name__ == "__main__":
    main()
