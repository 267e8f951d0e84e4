#!/usr/bin/env python3
"""Talks to a program at a terminal of its own, as a person would, and tells what was seen.

    talk.py COLUMNS PROGRAM ARGUMENTS... < steps.json

The steps are a list of pairs: ["type", TEXT] sends keys, ["see", TEXT] waits until the text was shown behind what was
seen before (what moves the cursor and colours letters does not count), ["tab until", TEXT] presses Tab until then,
["run", COMMAND] has a shell do something meanwhile, ["leave", ""] presses Ctrl-D until the program ends. Prints one document: what was shown, how long each "see" took in seconds, and the exit code; a step that failed is
in "missing".
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 30.0
CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[=>]|\r")


class Talk:
    """A program at a terminal, and what it showed so far."""

    def __init__(self, columns, command):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            # The program starts when the terminal has its size.
            os.read(0, 1)
            os.execvp(command[0], command)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        os.write(self.terminal, b"\n")
        self.shown, self.seen = b"", 0

    def text(self):
        return CONTROL.sub("", self.shown.decode("utf-8", "replace"))

    def read(self, seconds):
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return True
        try:
            came = os.read(self.terminal, 65536)
        except OSError:
            return False
        self.shown += came
        return bool(came)

    def see(self, wanted, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while True:
            found = self.text().find(wanted, self.seen)
            if found >= 0:
                self.seen = found + len(wanted)
                return True
            if time.monotonic() > end or not self.read(0.05):
                return self.text().find(wanted, self.seen) >= 0

    def tab_until(self, wanted):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            os.write(self.terminal, b"\t")
            if self.see(wanted, 0.3):
                return True
        return False

    def leave(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            os.write(self.terminal, b"\x04")
            pause = time.monotonic() + 0.3
            while time.monotonic() < pause:
                if not self.read(0.05):
                    return True
        return False

    def end(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.read(0.2):
            pass
        done, status = os.waitpid(self.child, os.WNOHANG)
        while done == 0 and time.monotonic() < end:
            time.sleep(0.02)
            done, status = os.waitpid(self.child, os.WNOHANG)
        if done == 0:
            os.kill(self.child, 9)
            os.waitpid(self.child, 0)
            return None
        return os.waitstatus_to_exitcode(status)


def main():
    talk = Talk(int(sys.argv[1]), sys.argv[2:])
    missing, waited = None, []
    for kind, what in json.load(sys.stdin):
        start = time.monotonic()
        if kind == "type":
            os.write(talk.terminal, what.encode())
        elif kind == "run":
            subprocess.run(["sh", "-c", what], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        elif not {"see": talk.see, "tab until": talk.tab_until, "leave": lambda _: talk.leave()}[kind](what):
            missing = what
            os.write(talk.terminal, b"\x03\x04")
            break
        else:
            waited.append(time.monotonic() - start)
    code = talk.end()
    json.dump({"shown": talk.text(), "waited": waited, "missing": missing, "code": code}, sys.stdout)


if __name__ == "__main__":
    main()
