"""The crowd in Polars: frames as the files have them; or ordered by profile and time, with texts as categories, money in cents and
lines that know their order, asked of its engine in memory ("ordered") and of its streaming engine ("streaming").

Questions are lazy expressions, one method each, collected anew for every run.
"""

import hashlib
import pathlib
import re
from datetime import date, datetime, timedelta

import polars
from polars import col

from beside import answers, groups

NOW = datetime(2025, 6, 30, 12)
ORDER = {"profiles": ["profile_id"], "orders": ["profile_id", "placed_at"], "events": ["profile_id", "happened_at"]}


class Engine:
    """All frames, and a method for each question."""

    def __init__(self, folder: pathlib.Path, design: str, customers: int) -> None:
        self.customers, self.is_ordered = customers, design != "plain"
        self.collector = "streaming" if design == "streaming" else "in-memory"
        self.frames = {file.stem: self.frame(file) for file in folder.glob("*.parquet")}
        if self.is_ordered:
            self.widen()
        self.money = 100 if self.is_ordered else 1

    def frame(self, file: pathlib.Path) -> polars.DataFrame:
        frame = polars.read_parquet(file).with_columns(polars.selectors.datetime().dt.replace_time_zone(None))
        if not self.is_ordered:
            return frame.with_columns(polars.selectors.categorical().cast(polars.String))
        frame = frame.with_columns(
            (polars.selectors.decimal() * 100).cast(polars.Int64),
            *(col(name).cast(polars.Enum(frame[name].unique().sort().cast(polars.String)))
              for name, kind in frame.schema.items() if kind in (polars.String, polars.Categorical)))
        return self.sorted(frame, ORDER[file.stem]) if file.stem in ORDER else frame

    def sorted(self, frame: polars.DataFrame, by: list[str]) -> polars.DataFrame:
        return frame.sort(by).with_columns(col(by[0]).set_sorted())

    def widen(self) -> None:
        """Lines with all that questions ask of them, below their profile in time."""
        orders = self.frames["orders"].select("order_id", "profile_id", "placed_at", "channel")
        lines = self.frames.pop("order_lines").join(orders, on="order_id").join(self.frames["products"], on="product_id")
        self.frames["lines"] = self.sorted(lines, ["profile_id", "placed_at"])

    def __getattr__(self, name: str) -> polars.LazyFrame:
        """A table."""
        return self.frames[name].lazy()

    def bought(self) -> polars.LazyFrame:
        """Lines with their order."""
        return self.lines if self.is_ordered else self.order_lines.join(self.orders, on="order_id")

    def bought_of_categories(self) -> polars.LazyFrame:
        """The same with their category."""
        return self.lines if self.is_ordered else self.bought().join(self.products, on="product_id")

    def in_order(self, rows: polars.LazyFrame, *by: str) -> polars.LazyFrame:
        return rows if self.is_ordered else rows.sort(by)

    def decimal(self, amount: polars.Expr) -> polars.Expr:
        return amount.cast(polars.Decimal(20, 2)) / self.money if self.is_ordered else amount

    def members(self, question: str):
        return getattr(self, question)().select("profile_id").collect(engine=self.collector).to_arrow()

    def answer(self, question: str):
        rows = getattr(self, question)()
        if answers.is_selection(question):
            rows = rows.select(polars.len())
        return rows.collect(engine=self.collector).to_arrow()

    def Q01(self):
        return self.profiles.filter(col("consent"), col("region").is_in(["R03", "R07"]))

    def Q02(self):
        return self.profiles.filter(
            col("birth_date") > date(1990, 6, 30), col("birth_date") <= date(2000, 6, 30), col("gender") == "f",
            col("region").is_in(["R01", "R05", "R09"]), col("tier").is_in(["silver", "gold", "platinum"]))

    def Q03(self):
        return self.profiles.filter(col("sector").is_in(listed("Q03", r"'(S\d+)'")))

    def Q04(self):
        return self.profiles.filter(col("income").is_null() | (col("income") >= 8), col("gender") != "x")

    def Q05(self):
        return self.orders.filter(col("placed_at") >= NOW - timedelta(days=90)).select("profile_id").unique()

    def per_profile(self, rows: polars.LazyFrame, *aggregates) -> polars.LazyFrame:
        return rows.group_by("profile_id", maintain_order=False).agg(*aggregates)

    def of_a_year(self) -> polars.LazyFrame:
        return self.orders.filter(col("placed_at") >= NOW - timedelta(days=365))

    def Q06(self):
        return self.per_profile(self.of_a_year(), polars.len()).filter(col("len") >= 3)

    def Q07(self):
        spent = self.per_profile(self.of_a_year(), col("total").sum())
        return spent.filter(col("total").is_between(200 * self.money, 1000 * self.money))

    def Q08(self, orders: polars.LazyFrame | None = None):
        latest = self.per_profile(self.orders if orders is None else orders, polars.len(), col("placed_at").max())
        return latest.filter(col("len") >= 2, col("placed_at") < NOW - timedelta(days=180))

    def Q09(self):
        spent = self.per_profile(self.orders, polars.len(), col("total").sum())
        return spent.filter(col("len") >= 4, col("total") > 80 * self.money * col("len"))

    def Q10(self):
        channel = col("channel") if self.is_ordered else col("channel").sort_by("placed_at")
        both = self.per_profile(self.orders, channel.first().alias("first"), channel.last().alias("last"))
        return both.filter(col("first") == "store", col("last") == "web")

    def Q11(self):
        rows = self.bought().filter(col("product_id").is_in([17219, 27625]))
        return self.per_profile(rows, (col("product_id") == 17219).all().alias("only")).filter(col("only"))

    def Q12(self):
        rows = self.bought().filter(col("product_id").is_in([int(key) for key in listed("Q12", r"\d{5}")]))
        rows = self.in_order(rows.select("profile_id", "placed_at"), "profile_id", "placed_at")
        # One row of each instant, so that the next one is strictly later.
        rows = rows.filter((col("profile_id").shift(1) != col("profile_id")).fill_null(True) | (col("placed_at").shift(1) != col("placed_at")))
        soon = (col("profile_id").shift(-1) == col("profile_id")) & (
            col("placed_at").shift(-1) <= col("placed_at") + timedelta(days=30))
        return rows.filter(soon).select("profile_id").unique()

    def Q13(self, events: polars.LazyFrame | None = None):
        events = self.events if events is None else events
        of = {kind: events.filter(col("type") == kind).select("profile_id", "campaign", "happened_at") for kind in ("send", "open", "click")}
        sends = self.in_order(of["send"], "profile_id", "happened_at")
        # Of the last five the fifth one after it is somebody else's.
        sends = sends.filter((col("profile_id").shift(-5) != col("profile_id")).fill_null(True))
        answered = {kind: sends.join(of[kind], on=["profile_id", "campaign"], how="semi") for kind in ("open", "click")}
        opened = self.per_profile(answered["open"], polars.len()).filter(col("len") >= 2)
        return opened.join(answered["click"], on="profile_id", how="anti")

    def Q14(self):
        late = NOW - timedelta(days=14)
        visits = self.events.filter(col("type") == "visit", col("happened_at") >= late)
        orders = self.orders.filter(col("placed_at") >= late)
        both = self.per_profile(visits, col("happened_at").max()).join(
            self.per_profile(orders, col("placed_at").max()), on="profile_id", how="left")
        return both.filter(col("placed_at").is_null() | (col("placed_at") <= col("happened_at")))

    def Q15(self):
        spent = self.per_profile(self.of_a_year(), col("total").sum())
        top = spent.sort("total", "profile_id", descending=[True, False]).head(-(-self.customers // 10))
        return top.select(polars.len(), self.decimal(col("total").min()).alias("least"), self.decimal(col("total").sum()))

    def Q16(self):
        """Polars has no SHA-256; Python computes it."""
        drawn = self.profiles.select("profile_id", "region", col("profile_id").map_batches(draws, return_dtype=polars.UInt64).alias("draw"))
        chosen = drawn.sort("draw", "profile_id").filter(
            polars.int_range(polars.len()).over("region") < ((polars.len() + 19) // 20).over("region"))
        return chosen.group_by("region").agg(polars.len(), col("draw").sum())

    def Q17(self):
        return self.memberships.filter(col("s1") & col("s2") & ~(col("s3") | col("s4")))

    def Q18(self):
        candidates = self.Q02().select("profile_id")
        orders, events = (rows.join(candidates, on="profile_id", how="semi") for rows in (self.orders, self.events))
        late = orders.filter(col("placed_at") >= NOW - timedelta(days=90)).select("profile_id")
        either = polars.concat([late, self.Q13(events).select("profile_id")]).unique()
        return either.join(self.Q08(orders), on="profile_id", how="anti")

    def Q19(self):
        near = self.profiles.filter(col("minutes_to_site") <= 20).select("profile_id")
        spent = self.per_profile(self.orders.join(near, on="profile_id", how="semi"), col("total").sum())
        return spent.filter(col("total") > 100 * self.money)

    def Q20(self):
        rows = self.bought_of_categories().filter(col("category") == "C019", col("quantity") * col("price") > 50 * self.money)
        return rows.group_by("profile_id", "order_id").len().filter(col("len") >= 3).select("profile_id").unique()

    def C1(self):
        born = col("birth_date")
        day = born.dt.year() * 10_000 + born.dt.month().cast(polars.Int32) * 100 + born.dt.day()
        spent = self.per_profile(self.orders, col("total").sum())
        rows = self.profiles.select("profile_id", "region", "tier", ((20250630 - day) // 100_000).alias("tens"))
        cells = rows.join(spent, on="profile_id", how="left").group_by("region", "tens", "tier")
        spending = polars.when(col("total").count() > 0).then(col("total").sum())
        return cells.agg(polars.len(), spending.alias("total")).select("region", "tens", "tier", "len", self.decimal(col("total")))

    def C2(self):
        rows = self.bought_of_categories().with_columns(col("placed_at").dt.truncate("1mo"), (col("quantity") * col("price")).alias("amount"))
        cells = rows.group_by("placed_at", "channel", "category")
        return cells.agg(col("amount").sum(), col("profile_id").n_unique()).select(
            "placed_at", "channel", "category", self.decimal(col("amount")), "profile_id")

    def C3(self):
        return self.events.group_by("campaign", "type").agg(col("profile_id").n_unique())

    def venn(self, count: int):
        """Who is in which of them is a number, a bit each."""
        names = [f"s{number}" for number in range(1, count + 1)]
        bits = [col(name).cast(polars.UInt8) * (1 << place) for place, name in enumerate(names)]
        regions = self.memberships.select(polars.sum_horizontal(bits).cast(polars.UInt8).alias("region")).group_by("region").len()
        flags = [((col("region") // (1 << place)) % 2 == 1).alias(name) for place, name in enumerate(names)]
        return regions.filter(col("region") > 0).select(*flags, "len")

    def V1(self):
        return self.venn(5)

    def V2(self):
        return self.venn(8)

    def V3(self):
        names = list(groups.simple())
        pairs = [(one, other) for place, one in enumerate(names) for other in names[place:]]
        shared = self.frames["memberships"].select((col(one) & col(other)).sum().alias(f"{one} {other}") for one, other in pairs).row(0)
        both = [(*pair, count) for pair, count in zip(pairs, shared)]
        both += [(other, one, count) for one, other, count in both if one != other]
        return polars.LazyFrame(both, schema=["segment_a", "segment_b", "profiles"], orient="row")


def listed(question: str, pattern: str) -> list[str]:
    """The values of a question's list, each once."""
    return sorted(set(re.findall(pattern, answers.text("duckdb", question, 0))))


def draws(profiles: polars.Series) -> polars.Series:
    digests = (hashlib.sha256(b"panel\0%d" % profile).digest() for profile in profiles)
    return polars.Series([int.from_bytes(digest[:8], "big") % 1_000_000_000 for digest in digests], dtype=polars.UInt64)
