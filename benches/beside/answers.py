"""Whether engines gave one answer: their rows as texts, in one order, and what a question's answers have to agree in.

A question is a selection, whose text begins its last SELECT with `profile_id`, or any other statement. Selections are timed as
a count; that all engines count the same profiles is asked once, before.
"""

import datetime
import decimal
import hashlib
import pathlib
import re

QUESTIONS = pathlib.Path(__file__).parent.parent / "questions"
SELECTION = re.compile(r"^SELECT (DISTINCT )?profile_id$", re.MULTILINE)


def names() -> list[str]:
    """All questions, in the order in which they are printed: selections, cubes, segments beside each other."""
    found = [path.stem for path in (QUESTIONS / "muster").glob("*.sql")]
    return sorted(found, key=lambda name: ("QCV".index(name[0]), name))


def text(engine: str, question: str, customers: int) -> str:
    """The statement of a question in an engine's words."""
    written = (QUESTIONS / engine / f"{question}.sql").read_text()
    return written.replace("{tenth}", str(-(-customers // 10))).strip()


def what(question: str) -> str:
    """What a question asks, for people."""
    return text("muster", question, 0).splitlines()[0].removeprefix("-- ").rstrip(".")


def is_selection(question: str) -> bool:
    return bool(SELECTION.search(text("muster", question, 0)))


def digest(table) -> str:
    """How many rows an Arrow table has, and the hash of them as texts, in whatever order they stand."""
    columns = [[as_text(value) for value in column.to_pylist()] for column in table.columns]
    rows = sorted(zip(*columns))
    return f"{len(rows)} rows, {hashlib.sha256(repr(rows).encode()).hexdigest()[:16]}"


def as_text(value) -> str:
    """A value as all engines mean it, whichever type each has for it."""
    match value:
        case bool():
            return str(int(value))
        case datetime.datetime():
            return value.replace(tzinfo=None).isoformat()
        case datetime.date():
            return datetime.datetime.combine(value, datetime.time()).isoformat()
        case decimal.Decimal() | int():
            return format(decimal.Decimal(value).normalize(), "f")
        case float():
            return repr(value)
        case bytes():
            return value.decode()
    return str(value)
