"""What a figure depends on beside the program: processors, memory, how fast both and the disk are.

    machine.py FOLDER
    machine.py --touch-memory

prints them as one line, or writes to most of the free memory once. That happens in a process of its own: the peak memory of a
process begins with that of the one which started it, so whoever measures others stays small.
"""

import ctypes
import mmap
import os
import pathlib
import statistics
import subprocess
import sys
import time


def description(folder: pathlib.Path) -> str:
    """One line; takes about a second and a half."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return (f"{os.cpu_count()} processors, {gib} GiB, reads {read_bandwidth():.1f} GB/s from memory (one thread), "
            f"fsync {fsync_milliseconds(folder):.1f} ms")


def read_bandwidth() -> float:
    """Gigabytes per second that one thread reads for a second, of a buffer larger than any cache."""
    buffer = b"\x01" * (256 << 20)
    started, read = time.perf_counter(), 0
    while time.perf_counter() - started < 1:
        buffer.find(b"\x00")
        read += len(buffer)
    return read / (time.perf_counter() - started) / 1e9


def fsync_milliseconds(folder: pathlib.Path) -> float:
    """Median of twenty: four kilobytes appended and synced."""
    path, times = folder / "fsync.probe", []
    with open(path, "wb") as file:
        for _ in range(20):
            started = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    path.unlink()
    return statistics.median(times) * 1000


def touch_memory() -> None:
    """Writes to every page of three quarters of the free memory, 9 GiB at most, and gives them back.

    A virtual machine's host takes pages back that lie free, and to give one again takes many times as long as to clear it.
    Who is measured after that pays for its own pages only, whoever ran before it and however long ago.
    """
    free = int(next(line for line in open("/proc/meminfo") if line.startswith("MemAvailable")).split()[1]) << 10
    size = min(free // 4 * 3, 9 << 30)
    with mmap.mmap(-1, size) as pages:
        start = ctypes.c_char.from_buffer(pages)
        ctypes.memset(ctypes.addressof(start), 1, size)
        del start


def measured_alike(command: list[str], **options) -> tuple[float, float, str]:
    """The same as measured(), with memory that was touched just before."""
    subprocess.run([sys.executable, __file__, "--touch-memory"], check=True)
    return measured(command, **options)


def measured(command: list[str], **options) -> tuple[float, float, str]:
    """Wall seconds of a whole process, its peak resident megabytes, and what it printed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(command[:5])} … failed")
    return seconds, usage.ru_maxrss / 1024, printed


if __name__ == "__main__":
    if sys.argv[1] == "--touch-memory":
        touch_memory()
    else:
        print(description(pathlib.Path(sys.argv[1])))
