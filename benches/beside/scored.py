"""What scores are made of, and how the peers make them: arrays in files, read by all.

A file holds numbers of the type that it is called by, one behind the other. Everything is drawn from one seed.
"""

import dataclasses
import math
import pathlib
from collections.abc import Callable, Iterator

import numpy

SEED = 42
# Days since 1970-01-01 on which orders end.
TODAY = 20_000
COLUMNS = 20
ITEMS = 20_000
# Baskets that a pair is in at least.
LEAST = 5
NEIGHBOURS = 20
THREADS = 2
SETS = {"groceries.csv": (0.01, 0.005, 0.001), "T10I4D100K.dat": (0.01, 0.005, 0.002), "mushroom.dat": (0.5, 0.4, 0.3)}
TYPES = {"u8": "<u1", "u32": "<u4", "u64": "<u8", "i32": "<i4", "i64": "<i8", "f64": "<f8"}

Timed = Callable[[Callable[[], object]], tuple[float, object]]
Sets = dict[frozenset, int]


def dump(folder: pathlib.Path, name: str, numbers: numpy.ndarray) -> None:
    numpy.ascontiguousarray(numbers, dtype=TYPES[name.rsplit(".", 1)[1]]).tofile(folder / name)


def load(folder: pathlib.Path, name: str) -> numpy.ndarray:
    return numpy.fromfile(folder / name, dtype=TYPES[name.rsplit(".", 1)[1]])


def connected(folder: pathlib.Path):
    import duckdb

    return duckdb.connect(config={"threads": THREADS, "memory_limit": "14GB", "temp_directory": str(folder / "spilled")})


def table(connection, name: str, columns: dict[str, numpy.ndarray]) -> None:
    """A table of DuckDB in the order of the arrays."""
    import pyarrow

    arrays = pyarrow.table(columns)
    connection.register("arrays", arrays)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM arrays")
    connection.unregister("arrays")


# Cadence and RFM.

def make_orders(folder: pathlib.Path, profiles: int) -> None:
    """Twenty orders of each profile on average, in five years, in the order of profiles."""
    chance = numpy.random.default_rng(SEED)
    counts = chance.geometric(1 / 20, profiles)
    offsets = numpy.concatenate([[0], numpy.cumsum(counts)])
    dump(folder, "offsets.u64", offsets)
    dump(folder, "days.i32", TODAY - chance.integers(0, 5 * 365, offsets[-1]))
    dump(folder, "cents.i64", chance.lognormal(8, 1, offsets[-1]).astype(numpy.int64))


def rank_by_duckdb(folder: pathlib.Path, timed: Timed) -> tuple[float, int]:
    """Seconds, and how many profiles have another answer than muster's."""
    connection, offsets = connected(folder), load(folder, "offsets.u64")
    profiles = numpy.repeat(numpy.arange(len(offsets) - 1, dtype=numpy.int32), numpy.diff(offsets.astype(numpy.int64)))
    table(connection, "orders", {"profile": profiles, "day": load(folder, "days.i32"), "cents": load(folder, "cents.i64")})
    taken, found = timed(lambda: connection.execute(f"""
        WITH rhythm AS (
            SELECT profile, count(*) AS frequency, CAST(sum(cents) AS BIGINT) AS monetary, {TODAY} - max(day) AS recency,
                   CASE WHEN count(*) > 1 THEN CAST(max(day) - min(day) AS DOUBLE) / (count(*) - 1) ELSE -1 END AS gap
            FROM orders GROUP BY profile
        )
        SELECT profile, gap,
               ntile(5) OVER (ORDER BY recency DESC, profile) AS r,
               ntile(5) OVER (ORDER BY frequency, profile) AS f,
               ntile(5) OVER (ORDER BY monetary, profile) AS m
        FROM rhythm""").fetchnumpy())
    order = numpy.argsort(found["profile"])
    differs = load(folder, "gaps.f64") != found["gap"][order]
    for score in "rfm":
        differs |= load(folder, f"{score}.u8") != found[score][order]
    return taken, int(differs.sum())


# Who is still a customer.

def make_histories(folder: pathlib.Path, customers: int) -> None:
    """Customers of the model itself, by days of two years, in weeks."""
    chance = numpy.random.default_rng(SEED)
    rates, leaving = chance.gamma(0.8, 1 / 10, customers), chance.beta(1, 4, customers)
    ages = numpy.floor(1 + chance.random(customers) * 728) / 7
    repeats, last, at = numpy.zeros(customers, dtype=numpy.uint32), numpy.zeros(customers), numpy.zeros(customers)
    alive = numpy.arange(customers)
    while len(alive):
        at[alive] += chance.exponential(1, len(alive)) / rates[alive]
        alive = alive[at[alive] <= ages[alive]]
        repeats[alive] += 1
        last[alive] = numpy.floor(at[alive] * 7) / 7
        alive = alive[chance.random(len(alive)) >= leaving[alive]]
    dump_histories(folder, repeats, last, ages)


def read_cdnow(folder: pathlib.Path, path: pathlib.Path) -> None:
    """All customers up to 1997-09-30, purchases of one day counted once."""
    end, days = numpy.datetime64("1997-09-30"), {}
    for line in path.read_text().splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[1].isdigit():
            day = numpy.datetime64(f"{fields[1][:4]}-{fields[1][4:6]}-{fields[1][6:]}")
            if day <= end:
                days.setdefault(fields[0], set()).add(day)
    weeks = lambda first, then: (then - first) / numpy.timedelta64(1, "D") / 7
    rows = [(len(own) - 1, weeks(min(own), max(own)), weeks(min(own), end)) for own in days.values()]
    dump_histories(folder, *(numpy.array(column) for column in zip(*rows)))


def dump_histories(folder: pathlib.Path, repeats: numpy.ndarray, last: numpy.ndarray, ages: numpy.ndarray) -> None:
    for name, numbers in (("repeats.u32", repeats), ("last.f64", last), ("age.f64", ages)):
        dump(folder, name, numbers)


def histories(folder: pathlib.Path) -> list[numpy.ndarray]:
    return [load(folder, name).astype(float) for name in ("repeats.u32", "last.f64", "age.f64")]


def count(folder: pathlib.Path) -> int:
    return len(load(folder, "age.f64"))


def fit_by_lifetimes(folder: pathlib.Path, way: str, timed: Timed) -> tuple[float, list[float]]:
    """Seconds, and r, alpha, a and b; `weighted` puts like histories together first, which is in the time, as in muster's."""
    import warnings

    import pandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoFitter

    frame = pandas.DataFrame(dict(zip(("repeats", "last", "age"), histories(folder))))

    def fit() -> object:
        if way == "plain":
            return BetaGeoFitter().fit(frame["repeats"], frame["last"], frame["age"])
        together = frame.value_counts(sort=False).reset_index()
        return BetaGeoFitter().fit(together["repeats"], together["last"], together["age"], weights=together["count"])

    taken, fitted = timed(fit)
    return taken, [float(fitted.params_[name]) for name in ("r", "alpha", "a", "b")]


def log_likelihood(folder: pathlib.Path, parameters: list[float]) -> float:
    """As it is written, after Fader, Hardie and Lee (2005)."""
    from scipy.special import gammaln

    (x, last, age), (r, alpha, a, b) = histories(folder), parameters
    counted = gammaln(r + x) - gammaln(r) + r * math.log(alpha) + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    alive = -(r + x) * numpy.log(alpha + age)
    left = numpy.where(x > 0, math.log(a) - numpy.log(numpy.maximum(b + x - 1, 1e-300)) - (r + x) * numpy.log(alpha + last), -numpy.inf)
    return float((counted + numpy.logaddexp(alive, left)).sum())


# Evidence.

def make_columns(folder: pathlib.Path, profiles: int) -> None:
    """Columns of 3 to 22 categories, of which the first few tell something of who left."""
    chance, odds = numpy.random.default_rng(SEED), numpy.full(profiles, -1.5)
    for column in range(COLUMNS):
        codes = chance.integers(0, 3 + column, profiles)
        odds += (codes == 0) * (0.8 if column < 5 else 0.0)
        dump(folder, f"{column:02}.u32", codes)
    dump(folder, "is_leaver.u8", chance.random(profiles) < 1 / (1 + numpy.exp(-odds)))


def weigh_by_duckdb(folder: pathlib.Path, timed: Timed) -> tuple[float, str, float]:
    """Seconds of the quicker way, its name, and how far the information values are from muster's at most."""
    connection, places = connected(folder), range(COLUMNS)
    columns = {f"c{place}": load(folder, f"{place:02}.u32").astype(numpy.uint8) for place in places}
    table(connection, "profiles", columns | {"is_leaver": load(folder, "is_leaver.u8").astype(bool)})
    counts = "count_if(is_leaver) AS a, count(*) AS b"
    one_by_one = " UNION ALL ".join(f"SELECT {place} AS place, c{place} AS code, {counts} FROM profiles GROUP BY c{place}" for place in places)
    which = " ".join(f"WHEN c{place} IS NOT NULL THEN {place}" for place in places)
    together = (f"SELECT CASE {which} END AS place, coalesce({', '.join(f'c{place}' for place in places)}) AS code, {counts} "
                f"FROM profiles GROUP BY GROUPING SETS ({', '.join(f'(c{place})' for place in places)})")
    found = {}
    for way, counted in (("a group-by each", one_by_one), ("grouping sets", together)):
        found[way] = timed(lambda: connection.execute(f"""
            WITH counted AS ({counted}),
            beside AS (
                SELECT place, a, b - a AS n, sum(a) OVER all_of_them AS leavers, sum(b - a) OVER all_of_them AS stayers,
                       count(*) OVER all_of_them AS k
                FROM counted WINDOW all_of_them AS (PARTITION BY place)
            )
            SELECT place, sum((a / leavers - n / stayers)
                              * ln(((a + 0.5) / (leavers + 0.5 * k)) / ((n + 0.5) / (stayers + 0.5 * k)))) AS information
            FROM beside GROUP BY place ORDER BY place""").fetchnumpy())
    gap = max(float(abs(answer["information"] - load(folder, "information.f64")).max()) for _, answer in found.values())
    way = min(found, key=lambda way: found[way][0])
    return found[way][0], way, gap


# What is bought together.

def popular(chance: numpy.random.Generator, count: int) -> numpy.ndarray:
    """Items whose chance falls as one over their rank and ten; codes are not in the order of frequency."""
    sums = numpy.cumsum(1 / (numpy.arange(ITEMS) + 10))
    return numpy.searchsorted(sums, chance.random(count) * sums[-1]) * 7919 % ITEMS


def make_baskets(folder: pathlib.Path, baskets: int) -> None:
    """Ten different items in a basket on average."""
    chance = numpy.random.default_rng(SEED)
    sizes = 1 + chance.exponential(10, baskets).astype(numpy.int64)
    lines = numpy.repeat(numpy.arange(baskets), sizes) * ITEMS + popular(chance, sizes.sum())
    lines = numpy.unique(lines)
    dump(folder, "items.u32", lines % ITEMS)
    dump(folder, "offsets.u64", numpy.searchsorted(lines // ITEMS, numpy.arange(baskets + 1)))


def basket_of_line(folder: pathlib.Path) -> numpy.ndarray:
    offsets = load(folder, "offsets.u64").astype(numpy.int64)
    return numpy.repeat(numpy.arange(len(offsets) - 1, dtype=numpy.int32), numpy.diff(offsets))


def pair_by_duckdb(folder: pathlib.Path, timed: Timed) -> tuple[float, tuple, tuple]:
    """Seconds, and what muster and DuckDB found: how many pairs, how often, and a sum that depends on all of them."""
    connection = connected(folder)
    items = load(folder, "items.u32").astype(numpy.uint16)
    print(f"  {len(items):,} lines", flush=True)
    table(connection, "lines", {"basket": basket_of_line(folder), "item": items})
    taken, found = timed(lambda: connection.execute(f"""
        SELECT one.item AS one, other.item AS other, count(*) AS baskets
        FROM lines AS one JOIN lines AS other ON one.basket = other.basket AND one.item < other.item
        GROUP BY one.item, other.item HAVING count(*) >= {LEAST}""").fetchnumpy())
    theirs = summary(found["one"], found["other"], found["baskets"])
    return taken, summary(*(load(folder, f"{name}.u32") for name in ("rarer", "commoner", "counts"))), theirs


def summary(one: numpy.ndarray, other: numpy.ndarray, counts: numpy.ndarray) -> tuple[int, int, int]:
    one, other, counts = (numbers.astype(numpy.uint64) for numbers in (one, other, counts))
    pairs = numpy.minimum(one, other) * numpy.uint64(1_000_003) + numpy.maximum(one, other)
    return len(counts), int(counts.sum()), int((pairs * pairs * counts).sum())


def read_baskets(folder: pathlib.Path, path: pathlib.Path) -> None:
    separator = "," if path.suffix == ".csv" else " "
    baskets = [line.strip().split(separator) for line in path.read_text().splitlines()]
    codes = {name: code for code, name in enumerate(sorted({name for basket in baskets for name in basket}))}
    dump(folder, "offsets.u64", numpy.cumsum([0, *map(len, baskets)]))
    dump(folder, "items.u32", numpy.array([codes[name] for basket in baskets for name in basket]))


def split(items: numpy.ndarray, offsets: numpy.ndarray) -> Iterator[list[int]]:
    ends, all_of_them = offsets.tolist(), items.tolist()
    return (all_of_them[start:end] for start, end in zip(ends, ends[1:]))


def baskets(folder: pathlib.Path) -> list[list[int]]:
    return list(split(load(folder, "items.u32"), load(folder, "offsets.u64")))


def least_count(folder: pathlib.Path, support: float) -> int:
    return math.ceil(round(support * (len(load(folder, "offsets.u64")) - 1), 6))


def sets_of_muster(folder: pathlib.Path) -> Sets:
    found = split(load(folder, "set_items.u32"), load(folder, "sets.u64"))
    return dict(zip(map(frozenset, found), load(folder, "counts.u32").tolist()))


@dataclasses.dataclass
class Miner:
    """Somebody who finds sets: what is to be timed, with baskets as they like them, and what its answer means."""
    name: str
    module: str
    prepared: Callable[[pathlib.Path, int], tuple[Callable[[], object], Callable[[object], Sets]]]


def by_pyfim(way: str):
    """An item that is in every basket is not told on its own there; mushrooms have one, which is added to the answer."""
    def prepared(folder: pathlib.Path, least: int):
        import fim

        given = baskets(folder)
        return (lambda: getattr(fim, way)(given, target="s", supp=-least, zmin=1, report="a"),
                lambda found: {frozenset(items): count for items, count in found}
                | {frozenset([item]): len(given) for item in set(given[0]).intersection(*given)})
    return prepared


def by_mlxtend(folder: pathlib.Path, least: int):
    import pandas
    from mlxtend.frequent_patterns import fpgrowth

    items = load(folder, "items.u32")
    offsets = load(folder, "offsets.u64")
    is_in = numpy.zeros((len(offsets) - 1, int(items.max()) + 1), dtype=bool)
    is_in[basket_of_line(folder), items] = True
    frame = pandas.DataFrame(is_in)
    rows = len(frame)
    return (lambda: fpgrowth(frame, min_support=(least - 0.5) / rows),
            lambda found: {frozenset(items): round(part * rows) for items, part in zip(found["itemsets"], found["support"])})


MINERS = [Miner("pyfim eclat", "fim", by_pyfim("eclat")), Miner("pyfim fpgrowth", "fim", by_pyfim("fpgrowth")),
          Miner("mlxtend fpgrowth", "mlxtend", by_mlxtend)]


# What each customer wants next.

def make_purchases(folder: pathlib.Path, customers: int) -> None:
    """Thirty lines of each customer, in a year."""
    chance = numpy.random.default_rng(SEED)
    dump(folder, "offsets.u64", numpy.arange(customers + 1) * 30)
    dump(folder, "items.u32", popular(chance, customers * 30))
    dump(folder, "days.i32", TODAY - chance.integers(1, 365, customers * 30))


def offer_by_implicit(folder: pathlib.Path, timed: Timed) -> tuple[float, float, float]:
    """Seconds for the similarities and for the offers, and the share of customers with the same three scores as muster's.

    The matrix of who bought what is made before. An item is its own neighbour there, so there is one more.
    """
    import warnings

    import scipy.sparse
    from implicit.nearest_neighbours import CosineRecommender

    # It turns its own matrices into others, and says so every time.
    warnings.filterwarnings("ignore", module="implicit")

    items = load(folder, "items.u32").astype(numpy.int32)
    customers = len(load(folder, "offsets.u64")) - 1
    bought = scipy.sparse.csr_matrix((numpy.ones(len(items)), (basket_of_line(folder), items)), shape=(customers, ITEMS))
    bought.data[:] = 1

    def fitted() -> CosineRecommender:
        model = CosineRecommender(K=NEIGHBOURS + 1, num_threads=THREADS)
        model.fit(bought, show_progress=False)
        return model

    fitting, model = timed(fitted)
    everyone = numpy.arange(customers)
    offering, (_, scores) = timed(lambda: model.recommend(everyone, bought, N=3, filter_already_liked_items=True))
    ours = load(folder, "offered.f64").reshape(customers, 3)
    theirs = numpy.where(numpy.isfinite(scores) & (scores > 0), scores, -1.0)
    return fitting, offering, float((abs(ours - theirs) < 1e-6).all(axis=1).mean())
