"""Next offers on real purchases, judged on what was bought in the weeks that muster's report looks back: muster's own lines of
that report beside the same simple ways worked out here, and the item-item cosine of implicit.

What was bought comes out of muster by one query, as the definition of the score names it; everything else is done here again.
"""

import csv
import datetime
import io
import json
import pathlib
import subprocess
import tomllib
import zoneinfo
from collections.abc import Iterator

import numpy

PLACES = 3
GAINS = 1 / numpy.log2(numpy.arange(PLACES) + 2)
JUDGED_DAYS = 28
QUIET_DAYS = 7
SOME_REJECTED = 3


class Shop:
    """A workspace of real data, loaded, its offers learnt and its purchases read back."""

    def __init__(self, muster: str, dataset: pathlib.Path, files: pathlib.Path, folder: pathlib.Path) -> None:
        self.muster, self.folder = muster, folder
        self.config = tomllib.loads((dataset / "muster.toml").read_text())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "muster.toml").write_bytes((dataset / "muster.toml").read_bytes())
        link = folder / "files"
        if not link.is_symlink():
            link.symlink_to(files.resolve())
            self.run("load", may_reject=True)
        report = json.loads(self.run("--json", "score", "next_offer"))[0]["report"]
        lines = next(table["rows"] for table in report["tables"] if "what was bought since" in table["title"])
        self.told = {line[0]: [int(line[1])] + [float(number) for number in line[2:5]] for line in lines}
        self.read_purchases()

    def run(self, *words: str, may_reject: bool = False) -> str:
        done = subprocess.run([self.muster, *words], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0 and not (may_reject and done.returncode == SOME_REJECTED):
            raise RuntimeError(f"muster {' '.join(words)}: {done.stderr}")
        return done.stdout

    def read_purchases(self) -> None:
        """Customer, item and day of each line, in codes that ascend with the keys; what was bought before and since."""
        offer, workspace = self.config["scores"]["next_offer"], self.config["workspace"]
        orders = next(table for table in self.config["tables"].values() if "purchase" in table)
        key = self.config["tables"]["profiles"]["key"]
        may = f"CASE WHEN ({offer.get('when', 'TRUE')}) THEN 1 ELSE 0 END"
        asked = f"SELECT profiles.{key} AS customer, {offer['item']} AS item, orders.{orders['time']} AS at, {may} AS may FROM {offer['table']}"
        rows = list(csv.DictReader(io.StringIO(self.run("sql", "--format", "csv", "-c", asked))))
        rows = [row for row in rows if row["item"]]
        zone = zoneinfo.ZoneInfo(workspace["time_zone"])
        now = datetime.datetime.fromisoformat(workspace["as_of"]).replace(tzinfo=zone)
        then = now - datetime.timedelta(days=JUDGED_DAYS)
        instants = [datetime.datetime.fromisoformat(row["at"]).astimezone(zone) for row in rows]
        before = numpy.array([instant <= then for instant in instants])
        since = numpy.array([then < instant <= now for instant in instants])
        days = numpy.array([instant.toordinal() for instant in instants])
        customers = numpy.array([row["customer"] for row in rows])
        items = numpy.array([row["item"] for row in rows])
        self.keys = numpy.unique(items[before])
        buyers = numpy.unique(customers[before])
        # What nobody had bought before cannot be offered; it is missed.
        known = {item: code for code, item in enumerate(self.keys)}
        place = {customer: code for code, customer in enumerate(buyers)}
        self.bought: list[set[str]] = [set() for _ in buyers]
        for customer, item in zip(customers[since], items[since]):
            if customer in place:
                self.bought[place[customer]].add(item)
        self.customer = numpy.array([place[customer] for customer in customers[before]])
        self.item = numpy.array([known[item] for item in items[before]])
        self.day, self.today = days[before], then.toordinal()
        # What may not be offered was bought all the same.
        self.may = numpy.zeros(len(self.keys), dtype=bool)
        self.may[self.item[numpy.array([row["may"] == "1" for row in rows])[before]]] = True
        self.shape = (len(buyers), len(self.keys))

    def counted(self) -> numpy.ndarray:
        """On how many days each customer bought each item."""
        counts = numpy.zeros(self.shape)
        each = numpy.unique(numpy.stack([self.customer, self.item, self.day]), axis=1)
        numpy.add.at(counts, (each[0], each[1]), 1)
        return counts

    def barred(self) -> numpy.ndarray:
        """What each customer may not be offered: what nobody may, and what they bought too lately."""
        barred = numpy.broadcast_to(~self.may, self.shape).copy()
        lately = self.today - self.day < QUIET_DAYS
        barred[self.customer[lately], self.item[lately]] = True
        return barred

    def ways(self) -> Iterator[tuple[str, numpy.ndarray]]:
        """Each simple way as a score per customer and item; nothing is below 0 and offered."""
        counts = self.counted()
        popularity = (counts > 0).mean(axis=0)
        yield "best sellers", numpy.broadcast_to(popularity, self.shape)
        yield "own most frequent", numpy.where(counts > 0, counts + popularity / 2, -1.0)
        import warnings

        import scipy.sparse
        from implicit.nearest_neighbours import CosineRecommender

        # It turns its own matrices into others, and says so every time.
        warnings.filterwarnings("ignore", module="implicit")
        for what, matrix in (("bought or not", (counts > 0).astype(float)), ("days", counts)):
            for neighbours in (20, 100, self.shape[1]):
                model = CosineRecommender(K=min(neighbours, self.shape[1]), num_threads=2)
                bought = scipy.sparse.csr_matrix(matrix)
                model.fit(bought, show_progress=False)
                # An item is its own neighbour there, so what was bought comes first, as in a shop it does.
                yield f"implicit's cosine, {what}, {neighbours} neighbours", (bought @ model.similarity).toarray()

    def judged(self, scores: numpy.ndarray) -> list[float]:
        """Customers who bought since, hit at 1, hit at 3 and NDCG; ties by key."""
        allowed = numpy.where(self.barred(), -1.0, scores)
        order = numpy.argsort(-allowed, axis=1, kind="stable")[:, :PLACES]
        found, customers = numpy.zeros(3), 0
        for customer, bought in enumerate(self.bought):
            if not bought:
                continue
            customers += 1
            offered = [item for item in order[customer] if allowed[customer, item] > 0]
            hits = numpy.array([self.keys[item] in bought for item in offered], dtype=float)
            gain = float((hits * GAINS[:len(hits)]).sum() / GAINS[:min(len(bought), PLACES)].sum())
            found += [bool(len(hits)) and hits[0], hits.any(), gain]
        return [customers, *(found / max(customers, 1))]
