"""Do muster's answers take as long per customer when there are more of them, and how much larger than its columns is a snapshot?

    benches/run growth [--customers 100000 1000000 5000000] [--dir FOLDER] [--runs 5] [--questions Q05,Q06]

Data and questions are those of `selections.py`; no peer is asked, and its answers are not compared here. For each size: microseconds per
thousand customers, and how the last size compares with the first. Beside it what the columns take in Arrow (eight bytes for
instants and decimals, texts as codes with a dictionary), the snapshot's bytes on disk, and the memory of a process in
which every column was read.
"""

import argparse
import json
import os
import pathlib
import statistics

import selections
from beside import answers, machine

# So much more per customer at the largest size is noise.
NOISE, SIZE_GOAL = 1.1, 1.3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000])
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench-selections"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--questions", type=selections.one_of(answers.names()), default=selections.HISTORY)
    arguments = parser.parse_args()
    os.environ.update(selections.THREADS)
    crowds = [selections.Crowd(arguments.dir / str(size), size, arguments.muster) for size in arguments.customers]
    for crowd in crowds:
        crowd.prepare(arguments.questions, with_peers=False)
    print(machine.description(crowds[0].folder))
    print_times(crowds, arguments.questions, arguments.runs)
    for crowd in crowds:
        print_size(crowd)


def print_times(crowds: list[selections.Crowd], questions: list[str], runs: int) -> None:
    print(f"microseconds per thousand customers, median of {runs}")
    print("| question | " + " | ".join(f"{crowd.customers:,}" for crowd in crowds) + " | last / first |")
    print("|---" * (len(crowds) + 2) + "|")
    growths = []
    for question in questions:
        times = [per_thousand(crowd, question, runs) for crowd in crowds]
        growth = times[-1] / times[0] if times[0] and times[-1] else None
        growths += [growth] if growth else []
        print(f"| {question} | " + " | ".join(selections.figure(time) for time in [*times, growth]) + " |")
    if growths:
        print(f"at most {max(growths):.2f} × per customer; {selections.verdict(max(growths) <= NOISE)}: ≤ {NOISE}")


def per_thousand(crowd: selections.Crowd, question: str, runs: int) -> float | None:
    said = selections.ask_muster(crowd, question, runs)
    if "failed" in said:
        selections.say(f"{question} at {crowd.customers:,}: {said['failed']}")
        return None
    return statistics.median(said["seconds"]) * 1e9 / crowd.customers


def print_size(crowd: selections.Crowd) -> None:
    arrow = sum(arrow_bytes(file) for file in crowd.files.glob("*.parquet") if file.stem != "memberships")
    _, _, printed = machine.measured(crowd.command("--json", "status"))
    stored = json.loads(printed)["snapshot"]["bytes"]
    _, memory, _ = machine.measured(crowd.command("sql", "--timeout", "600", "-c", every_column(crowd)))
    ratio = memory * 2**20 / arrow
    print(f"{crowd.customers:,} customers: columns in Arrow {arrow / 1e6:,.0f} MB, snapshot on disk {stored / 1e6:,.0f} MB, "
          f"{stored / arrow:.2f} ×; a process with all of them {memory * 2**20 / 1e6:,.0f} MB, {ratio:.2f} ×; "
          f"{selections.verdict(ratio <= SIZE_GOAL)}: ≤ {SIZE_GOAL}")


def every_column(crowd: selections.Crowd) -> str:
    """Counts the values of all columns, table by table."""
    import pyarrow.parquet

    columns = {file.stem: pyarrow.parquet.read_schema(file).names for file in crowd.files.glob("*.parquet")}
    columns.pop("memberships", None)
    return ";\n".join(f"SELECT {', '.join(f'count(t.{name})' for name in names)} FROM {table} AS t"
                      for table, names in columns.items())


def arrow_bytes(file: pathlib.Path) -> int:
    """What the columns of a file take; the codes of a dictionary four bytes each, and keys are texts."""
    import pyarrow
    import pyarrow.parquet

    reader, size = pyarrow.parquet.ParquetFile(file), 0
    rows = reader.metadata.num_rows
    for field in reader.schema_arrow:
        if pyarrow.types.is_boolean(field.type):
            size += rows // 8
        elif field.name.endswith("_id") or field.name == "campaign" or pyarrow.types.is_dictionary(field.type):
            values = reader.read([field.name]).column(0).unique().cast(pyarrow.string())
            size += rows * 4 + values.nbytes
        else:
            size += rows * (4 if field.type.bit_width == 32 else 8)
    return size


if __name__ == "__main__":
    main()
