"""A seeded crowd: profiles with a past of orders, their lines, and events, as Parquet files that all engines read.

    crowd.py CUSTOMERS SEED FOLDER

Ten orders and twenty events per profile on average, three lines per order. Rows are made 250,000 profiles at a time and stand in
the files in the order of time within each of these parts, as a shop writes them down. The same seed gives the same rows,
whatever the machine. Every row says its values in plain integers, decimals, instants (whole seconds, UTC) and texts.
"""

import pathlib
import sys

import numpy
import pyarrow
import pyarrow.parquet

PART = 250_000
# The instant at which every question looks.
NOW = numpy.datetime64("2025-06-30T12:00:00", "s").astype(int)
DAY = 86_400
YEARS = 5
FIRST = {"profile_id": 10_000_000, "order_id": 100_000_000, "product_id": 10_000, "campaign": 1_000, "store_id": 100}
CATEGORIES, PRODUCTS, CAMPAIGNS, STORES, SECTORS, SOURCES, REGIONS = 200, 20_000, 2_000, 500, 10_000, 20, 12
CHANNELS = {"web": 0.5, "app": 0.2, "store": 0.25, "phone": 0.05}
GENDERS = {"f": 0.48, "m": 0.47, "x": 0.05}
TIERS = {"none": 0.4, "bronze": 0.25, "silver": 0.2, "gold": 0.1, "platinum": 0.05}
# Sends first: opens and clicks answer them, the others stand for themselves.
TYPES = ["send", "open", "click", "visit", "basket", "search", "survey", "call"]
ORDERS_EACH, LINES_EACH, EVENTS_EACH, SENT_EACH = 10, 3, 20, 7
OPENED, CLICKED = 0.36, 0.3
OTHERS = {"visit": 0.62, "basket": 0.18, "search": 0.15, "survey": 0.03, "call": 0.02}


def main() -> None:
    customers, seed, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    Crowd(customers, seed).write(folder)


class Crowd:
    """What is the same for all parts: products and when campaigns went out."""

    def __init__(self, customers: int, seed: int) -> None:
        self.customers, self.seed = customers, seed
        chance = numpy.random.default_rng([seed, 0])
        self.category = numpy.sort(falling(chance, CATEGORIES, PRODUCTS))
        self.price = (chance.lognormal(3.2, 0.9, PRODUCTS) * 100).astype(numpy.int64).clip(99, 99_900)
        # How often a product is bought falls as one over its rank; summed up over the categories.
        rank = chance.permutation(PRODUCTS)
        self.bought_up_to = numpy.cumsum(1 / (rank + 1))
        self.bought_up_to /= self.bought_up_to[-1]
        ends = numpy.searchsorted(self.category, numpy.arange(CATEGORIES + 1))
        self.category_bounds = numpy.concatenate([[0.0], self.bought_up_to])[ends]
        self.sent_at = numpy.sort(chance.integers(NOW - YEARS * 365 * DAY, NOW - DAY, CAMPAIGNS))

    def write(self, folder: pathlib.Path) -> None:
        pyarrow.parquet.write_table(self.products(), folder / "products.parquet")
        writers: dict[str, pyarrow.parquet.ParquetWriter] = {}
        for number, start in enumerate(range(0, self.customers, PART)):
            part = Part(self, number, start, min(PART, self.customers - start))
            for name, table in part.tables():
                if name not in writers:
                    writers[name] = pyarrow.parquet.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
                writers[name].write_table(table)
        for writer in writers.values():
            writer.close()

    def bought(self, chance: numpy.ndarray) -> numpy.ndarray:
        """The products that numbers below one stand for."""
        return numpy.searchsorted(self.bought_up_to, chance).clip(0, PRODUCTS - 1)

    def products(self) -> pyarrow.Table:
        names = [f"C{number:03}" for number in range(CATEGORIES)]
        return pyarrow.table({"product_id": integers(FIRST["product_id"] + numpy.arange(PRODUCTS)),
                              "category": texts(self.category, names)})


class Part:
    """Some profiles with all that is theirs."""

    def __init__(self, crowd: Crowd, number: int, start: int, count: int) -> None:
        self.crowd, self.start, self.count = crowd, start, count
        self.chance = numpy.random.default_rng([crowd.seed, 1 + number])
        self.signup = self.chance.integers(NOW - YEARS * 365 * DAY, NOW - DAY, count)
        # Some have lost interest at some time.
        share = numpy.where(self.chance.random(count) < 0.45, self.chance.random(count), 1.0)
        self.active_for = ((NOW - 60 - self.signup) * share).astype(numpy.int64)
        self.activity = self.chance.gamma(0.9, 1.0, count)

    def tables(self):
        yield "profiles", self.profiles()
        owner, placed_at = self.in_time(self.owners(ORDERS_EACH))
        line_of, product, quantity, cents = self.lines(len(owner))
        total = numpy.bincount(line_of, quantity * cents, len(owner)).astype(numpy.int64)
        yield "orders", self.orders(owner, placed_at, total)
        yield "order_lines", pyarrow.table({
            "order_id": integers(self.first_order() + line_of),
            "product_id": integers(FIRST["product_id"] + product),
            "quantity": pyarrow.array(quantity.astype(numpy.int32)),
            "price": money(cents),
        })
        yield "events", self.events()

    def profiles(self) -> pyarrow.Table:
        chance, count = self.chance, self.count
        born = NOW // DAY - chance.integers(18 * 365, 90 * 365, count)
        income = chance.integers(1, 11, count).astype(numpy.int32)
        return pyarrow.table({
            "profile_id": integers(FIRST["profile_id"] + self.start + numpy.arange(count)),
            "birth_date": pyarrow.array(born.astype("datetime64[D]")),
            "gender": chosen(chance, GENDERS, count),
            "region": texts(falling(chance, REGIONS, count, 0.5), [f"R{number:02}" for number in range(1, REGIONS + 1)]),
            "sector": texts(falling(chance, SECTORS, count, 0.4), [f"S{number:05}" for number in range(SECTORS)]),
            "income": pyarrow.array(income, mask=chance.random(count) < 0.2),
            "signup": instants(self.signup),
            "consent": pyarrow.array(chance.random(count) < 0.6),
            "tier": chosen(chance, TIERS, count),
            "source": texts(falling(chance, SOURCES, count, 0.8), [f"source {number:02}" for number in range(SOURCES)]),
            "minutes_to_site": pyarrow.array(chance.gamma(2.0, 15.0, count).astype(numpy.int32).clip(0, 240)),
        })

    def owners(self, each: int) -> numpy.ndarray:
        """Whose row is which, `each` per profile on average: the more active, the more."""
        counts = self.chance.multinomial(each * self.count, self.activity / self.activity.sum())
        return numpy.repeat(numpy.arange(self.count), counts)

    def while_active(self, owner: numpy.ndarray) -> numpy.ndarray:
        return self.signup[owner] + (self.active_for[owner] * self.chance.random(len(owner))).astype(numpy.int64)

    def in_time(self, owner: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Owners and instants of rows in the order of time; no owner has two at one instant."""
        at = self.while_active(owner)
        by_owner, at = apart(owner, at)
        owner = owner[by_owner]
        by_time = numpy.argsort(at, kind="stable")
        return owner[by_time], at[by_time]

    def first_order(self) -> int:
        return FIRST["order_id"] + self.start * ORDERS_EACH

    def lines(self, orders: int) -> tuple[numpy.ndarray, ...]:
        """Order, product, quantity and price in cents; half of an order's lines are of the category that it is about."""
        chance, crowd = self.chance, self.crowd
        order = numpy.repeat(numpy.arange(orders), 1 + chance.poisson(LINES_EACH - 1, orders))
        about = crowd.category[crowd.bought(chance.random(orders))][order]
        is_about = chance.random(len(order)) < 0.5
        low = numpy.where(is_about, crowd.category_bounds[about], 0.0)
        high = numpy.where(is_about, crowd.category_bounds[about + 1], 1.0)
        product = crowd.bought(low + (high - low) * chance.random(len(order)))
        cents = (crowd.price[product] * chance.uniform(0.8, 1.0, len(order))).astype(numpy.int64)
        return order, product, chance.geometric(0.7, len(order)), cents

    def orders(self, owner: numpy.ndarray, placed_at: numpy.ndarray, total: numpy.ndarray) -> pyarrow.Table:
        return pyarrow.table({
            "order_id": integers(self.first_order() + numpy.arange(len(owner))),
            "profile_id": integers(FIRST["profile_id"] + self.start + owner),
            "placed_at": instants(placed_at),
            "channel": chosen(self.chance, CHANNELS, len(owner)),
            "store_id": integers(FIRST["store_id"] + falling(self.chance, STORES, len(owner), 0.5)),
            "total": money(total),
        })

    def events(self) -> pyarrow.Table:
        kinds = list(self.answers())
        others = EVENTS_EACH * self.count - sum(len(owner) for owner, *_ in kinds)
        owner = self.chance.choice(self.count, others, p=self.activity / self.activity.sum())
        kind = self.chance.choice([TYPES.index(name) for name in OTHERS], others, p=list(OTHERS.values()))
        kinds.append((owner, self.while_active(owner), kind, self.chance.integers(0, CAMPAIGNS, others)))
        owner, at, kind, campaign = (numpy.concatenate(column) for column in zip(*kinds))
        by_owner, at = apart(owner, at)
        by_time = numpy.argsort(at, kind="stable")
        rows = by_owner[by_time]
        return pyarrow.table({
            "profile_id": integers(FIRST["profile_id"] + self.start + owner[rows]),
            "happened_at": instants(at[by_time]),
            "type": texts(kind[rows], TYPES),
            "campaign": integers(FIRST["campaign"] + campaign[rows]),
        })

    def answers(self):
        """Owner, instant, type and campaign of what was sent, of the opens, and of the clicks, each of some of those before."""
        chance, sent_at = self.chance, self.crowd.sent_at
        owner = chance.integers(0, self.count, SENT_EACH * self.count)
        first = numpy.searchsorted(sent_at, self.signup[owner]).clip(0, CAMPAIGNS - 1)
        campaign = first + ((CAMPAIGNS - first) * chance.random(len(owner))).astype(numpy.int64)
        at = sent_at[campaign] + chance.integers(0, 3600, len(owner))
        for kind, share in enumerate([1.0, OPENED, CLICKED]):
            some = chance.random(len(owner)) < share
            owner, campaign = owner[some], campaign[some]
            at = (at[some] + (chance.exponential(DAY / 2, len(owner)) * (kind > 0)).astype(numpy.int64)).clip(None, NOW - 60)
            yield owner, at, numpy.full(len(owner), kind), campaign


def falling(chance: numpy.random.Generator, kinds: int, count: int, exponent: float = 1.0) -> numpy.ndarray:
    """So many numbers below `kinds`, the first the most often."""
    weights = 1 / numpy.arange(1, kinds + 1) ** exponent
    return numpy.searchsorted(numpy.cumsum(weights) / weights.sum(), chance.random(count)).clip(0, kinds - 1)


def apart(owner: numpy.ndarray, at: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The places of the rows by owner and instant, and their instants, of which two of one owner are moved a second apart."""
    order = numpy.lexsort((at, owner))
    owner, at = owner[order], at[order]
    while (same := (owner[1:] == owner[:-1]) & (at[1:] <= at[:-1])).any():
        at[1:][same] = at[:-1][same] + 1
    return order, at


def integers(values: numpy.ndarray) -> pyarrow.Array:
    return pyarrow.array(values.astype(numpy.int32))


def instants(seconds: numpy.ndarray) -> pyarrow.Array:
    return pyarrow.array(seconds * 1_000_000, pyarrow.timestamp("us", tz="UTC"))


def money(cents: numpy.ndarray) -> pyarrow.Array:
    """A decimal's value stands in sixteen bytes, the least first."""
    halves = numpy.zeros((len(cents), 2), numpy.int64)
    halves[:, 0] = cents
    return pyarrow.Array.from_buffers(pyarrow.decimal128(12, 2), len(cents), [None, pyarrow.py_buffer(halves)])


def texts(codes: numpy.ndarray, words: list[str]) -> pyarrow.Array:
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array(codes.astype(numpy.int32)), pyarrow.array(words))


def chosen(chance: numpy.random.Generator, shares: dict[str, float], count: int) -> pyarrow.Array:
    return texts(chance.choice(len(shares), count, p=list(shares.values())), list(shares))


if __name__ == "__main__":
    main()
