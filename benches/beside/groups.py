"""The segments that questions are asked of: eight that are questions themselves, and two hundred simple ones.

Their conditions are written so that muster and DuckDB read them alike; the other engines get what DuckDB says, as columns.
"""

import random

from beside import answers

# Segments that are questions.
ASKED = {"s1": "Q01", "s2": "Q05", "s3": "Q08", "s4": "Q02", "s5": "Q09", "s6": "Q04", "s7": "Q06", "s8": "Q07"}


def simple(count: int = 200) -> dict[str, str]:
    """Segments of one or two conditions on a profile's own columns, from a half of all profiles to one in a thousand."""
    chance = random.Random(42)
    return {f"g{number:03}": " AND ".join(conditions(chance)) for number in range(1, count + 1)}


def conditions(chance: random.Random) -> list[str]:
    regions = ", ".join(f"'R{number:02}'" for number in chance.sample(range(1, 13), chance.randint(1, 5)))
    sources = ", ".join(f"'source {number:02}'" for number in chance.sample(range(20), chance.randint(2, 8)))
    year, band, minutes = chance.randint(1940, 1995), chance.randint(2, 9), chance.randint(10, 40)
    all_of_them = [
        f"region IN ({regions})",
        f"source IN ({sources})",
        f"birth_date >= DATE '{year}-01-01' AND birth_date < DATE '{year + 10}-01-01'",
        f"income >= {band}",
        f"minutes_to_site <= {minutes}",
        chance.choice(["consent", "NOT consent"]),
        f"gender = '{chance.choice('fmx')}'",
        f"tier = '{chance.choice(['none', 'bronze', 'silver', 'gold', 'platinum'])}'",
    ]
    return chance.sample(all_of_them, chance.randint(1, 2))


def definitions(customers: int) -> str:
    """The statements that make muster's segments."""
    of_questions = {name: answers.text("muster", question, customers).split("WHERE ", 1)[1] for name, question in ASKED.items()}
    each = (of_questions | simple()).items()
    return "".join(f"CREATE OR REPLACE SEGMENT {name} AS WHERE {condition};\n" for name, condition in each)


def memberships(customers: int) -> str:
    """DuckDB's statement for a row per profile with a boolean per segment."""
    of_questions = {name: f"profile_id IN ({answers.text('duckdb', question, customers)}\n)" for name, question in ASKED.items()}
    each = (of_questions | simple()).items()
    columns = ",\n".join(f"coalesce({condition}, false) AS {name}" for name, condition in each)
    return f"SELECT profile_id,\n{columns}\nFROM profiles\nORDER BY profile_id"
