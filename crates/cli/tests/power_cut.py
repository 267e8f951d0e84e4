"""Cuts the power of a running `muster serve`, again and again, and looks for what it had acknowledged.

    sudo python3 crates/cli/tests/power_cut.py --muster target/release/muster --cuts 60
    sudo python3 crates/cli/tests/power_cut.py --muster target/release/muster --cuts 60 --without-syncs

The workspace lies in an ext4 image that writes its journal every 300 seconds unless somebody syncs, so what nobody synced
is lost when the image is copied as it is: that is the cut. While rows arrive at the write socket and `muster load` brings
files, the serve is stopped, the image copied, and the serve goes on. The copy is mounted, as after a cut, and asked for
every row and file that was acknowledged before.

With `--without-syncs` the control: `strace` answers the syncs of the write-ahead log as if they had been done, which is
what SQLite's `synchronous=NORMAL` comes to. muster itself has no switch for that. A run that loses nothing then proves
nothing, so the control fails unless something is lost.

Needs root, for mounting; the control needs strace.
"""

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SENDERS = 3
DEFINITION = """
[workspace]
name = "cuts"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "files/customers*.csv"
key = "id"

[tables.profiles.columns]
id = { type = "id" }
name = { type = "text" }

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
total = { type = "decimal(12,2)" }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--muster", required=True, type=pathlib.Path)
    parser.add_argument("--cuts", type=int, default=60)
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--megabytes", type=int, default=512, help="size of the image")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--without-syncs", action="store_true", help="the control: the log is never synced")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cut") as folder:
        sys.exit(Cuts(arguments, pathlib.Path(folder)).run())


class Image:
    """An ext4 image and where it is mounted."""

    def __init__(self, file: pathlib.Path, mountpoint: pathlib.Path) -> None:
        self.file, self.dir = file, mountpoint
        mountpoint.mkdir(exist_ok=True)

    def make(self, megabytes: int) -> None:
        with open(self.file, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.file], check=True)

    @contextlib.contextmanager
    def mounted(self):
        subprocess.run(["mount", "-o", "loop,commit=300", self.file, self.dir], check=True)
        try:
            yield self.dir
        finally:
            unmount(self.dir)

    def cut_to(self, other: "Image") -> None:
        """As it is on the disk now; what only the kernel's memory of the mounted files has stays behind."""
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", self.file, other.file], check=True)


def unmount(dir: pathlib.Path) -> None:
    for _ in range(50):
        if subprocess.run(["umount", dir], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    raise SystemExit(f"{dir} cannot be unmounted")


class Cuts:
    def __init__(self, arguments: argparse.Namespace, folder: pathlib.Path) -> None:
        self.arguments, self.folder = arguments, folder
        self.muster = arguments.muster.resolve()
        self.chance = random.Random(arguments.seed)
        self.acknowledged: set[str] = set()
        self.is_over = threading.Event()
        self.complaints: list[str] = []

    def run(self) -> int:
        live = Image(self.folder / "live.img", self.folder / "live")
        live.make(self.arguments.megabytes)
        with live.mounted() as dir:
            self.write_workspace(dir)
            with self.serving(dir) as process:
                workers = [threading.Thread(target=self.send, args=(dir, number)) for number in range(SENDERS)]
                workers.append(threading.Thread(target=self.load_files, args=(dir,)))
                [worker.start() for worker in workers]
                lost = [self.cut(live, process, number) for number in range(self.arguments.cuts)]
                self.is_over.set()
                [worker.join() for worker in workers]
        return self.verdict(lost)

    def verdict(self, lost: list[int]) -> int:
        with_loss = sum(1 for count in lost if count)
        print(f"{len(lost)} cuts, {len(self.acknowledged)} rows acknowledged in all; {with_loss} cuts lost {sum(lost)} rows")
        if self.arguments.without_syncs:
            print("the control discriminates" if with_loss else "the control lost nothing, so it proves nothing")
            return 0 if with_loss else 1
        print("\n".join(self.complaints) or "nothing that was acknowledged was lost, and every byte was what was written")
        return 1 if with_loss or self.complaints else 0

    def write_workspace(self, dir: pathlib.Path) -> None:
        (dir / "files").mkdir()
        (dir / "muster.toml").write_text(DEFINITION)
        customers = "".join(f"c{number},name {number}\n" for number in range(self.arguments.customers))
        (dir / "files/customers.csv").write_text("id,name\n" + customers)
        subprocess.run([self.muster, "--dir", dir, "load", "profiles"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["sync", "-f", dir], check=True)

    @contextlib.contextmanager
    def serving(self, dir: pathlib.Path):
        """A running serve; its process."""
        line = [self.muster, "--dir", dir, "--json", "serve", "--listen", "127.0.0.1:0"]
        if self.arguments.without_syncs:
            log = dir / "data/state.db-wal"
            swallowed = ["-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:retval=0"]
            line = ["strace", "-f", "-qq", "-o", self.folder / "strace", "-P", log, *swallowed, *line]
        child = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        text = "".join(iter(child.stdout.readline, "}\n")) + "}"
        process = json.loads(text)["process"]
        try:
            yield process
        finally:
            signal_to(process, signal.SIGKILL)
            child.wait()

    # What is acknowledged.

    def send(self, dir: pathlib.Path, sender: int) -> None:
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(dir / "data/serve.sock"))
        answers = stream.makefile()
        for number in itertools.count():
            if self.is_over.is_set():
                return
            keys = [f"s{sender}-{number}-{row}" for row in range(3)]
            rows = [{"order": key, "customer": f"c{number % self.arguments.customers}", "at": "2025-02-01 10:00:00", "total": 1} for key in keys]
            request = {"muster": 1, "request": {"rows": {"table": "orders", "rows": rows}}}
            stream.sendall((json.dumps(request) + "\n").encode())
            answer = json.loads(answers.readline() or "{}")
            if "answer" not in answer:
                self.complaints.append(f"rows were not kept: {answer}")
                return
            self.acknowledged.update(keys)

    def load_files(self, dir: pathlib.Path) -> None:
        for number in itertools.count():
            if self.is_over.is_set():
                return
            keys = [f"f{number}-{row}" for row in range(50)]
            file = dir / f"files/orders{number}.csv"
            lines = "".join(f"{key},c{row},2025-03-01 10:00:00,2\n" for row, key in enumerate(keys))
            file.write_text("order,customer,at,total\n" + lines)
            ended = subprocess.run([self.muster, "--dir", dir, "load", "--file", file], capture_output=True, text=True)
            if ended.returncode != 0:
                self.complaints.append(f"a file was not loaded: {ended.stdout}{ended.stderr}")
                return
            self.acknowledged.update(keys)
            time.sleep(0.2)

    # The cut.

    def cut(self, live: Image, process: int, number: int) -> int:
        """How many acknowledged rows a cut loses now."""
        time.sleep(self.chance.uniform(0.1, 1.0))
        after = Image(self.folder / "cut.img", self.folder / "cut")
        signal_to(process, signal.SIGSTOP)
        expected = set(self.acknowledged)
        live.cut_to(after)
        signal_to(process, signal.SIGCONT)
        with after.mounted() as dir:
            lost = expected - self.found(dir, number)
        if lost and not self.arguments.without_syncs:
            self.complaints.append(f"cut {number} lost {len(lost)} of {len(expected)}: {sorted(lost)[:3]}")
        return len(lost)

    def found(self, dir: pathlib.Path, number: int) -> set[str]:
        # A serve that was cut leaves its socket, at which nobody listens.
        ended = subprocess.run([self.muster, "--dir", dir, "--json", "doctor"], capture_output=True, text=True)
        problems = json.loads(ended.stdout)["problems"] if ended.stdout else [{"kind": "open", "what": ended.stderr}]
        self.complaints.extend(f"cut {number}: {problem}" for problem in problems if problem["kind"] != "disk")
        query = ["sql", "--format", "csv", "-c", 'SELECT "order" FROM orders']
        ended = subprocess.run([self.muster, "--dir", dir, *query], capture_output=True, text=True)
        if ended.returncode != 0 and "orders" not in ended.stderr:
            self.complaints.append(f"cut {number}: {ended.stderr}")
        return set(ended.stdout.split()[1:])


def signal_to(process: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, which)


if __name__ == "__main__":
    main()
