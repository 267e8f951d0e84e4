"""One peer answers questions: prints a line of JSON for each, with the digest of its answer and the seconds of each run.

    answering.py ENGINE DESIGN FOLDER CUSTOMERS RUNS QUESTION…

ENGINE is duckdb, polars or chdb, DESIGN one of the engine's; FOLDER has the files of `crowd.py`. Before the first question it
prints how long it loaded. A run is the statement, from its text to rows, after one that is not counted.
"""

import importlib
import json
import pathlib
import resource
import sys
import time


def main() -> None:
    name, design, folder, customers, runs, *questions = sys.argv[1:]
    started = time.perf_counter()
    engine = importlib.import_module(f"beside.{name}_crowd").Engine(pathlib.Path(folder), design, int(customers))
    say(loaded=time.perf_counter() - started)
    for question in questions:
        say(question=question, **asked(engine, question, int(runs)))
    say(memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def asked(engine, question: str, runs: int) -> dict:
    try:
        members = answers.digest(engine.members(question)) if answers.is_selection(question) else ""
        answer = answers.digest(engine.answer(question))
        return {"answer": f"{members} {answer}", "seconds": [timed(engine, question) for _ in range(runs)]}
    except Exception as error:
        return {"failed": str(error).splitlines()[0][:200]}


def timed(engine, question: str) -> float:
    started = time.perf_counter()
    engine.answer(question)
    return time.perf_counter() - started


def say(**line) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
    from beside import answers

    main()
