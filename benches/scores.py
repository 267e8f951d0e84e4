"""How long do scores take, and how good is a score of leavers; beside the tools that are used for them.

    benches/run scores [--parts ranks,alive,weights,pairs,sets,offers,wanted,leavers] [--profiles 1000000] [--baskets 3000000]
                       [--dir FOLDER] [--data FOLDER] [--room FOLDER] [--runs 5]

Each part makes its numbers once (`beside/scored.py`, seed 42) or reads the public ones (--data), hands the same arrays to
muster and to the peers, compares what all answer and then prints the times: medians of the runs after one that is not
counted; what takes longer than twenty seconds is run once. Two threads each, where a peer has threads. A part whose
answers differ has no ratio, and the run fails. A peer that is not installed is said, and its line has no ratio.

The muster side is `crates/score/examples/speed.rs`: the functions themselves, on arrays in memory, as the peers' are. Only
`wanted`, which has no times, asks the binary: its own report of real purchases is judged.
"""

import argparse
import importlib.metadata
import importlib.util
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

THREADS = {"RAYON_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
os.environ.update(THREADS)

from beside import leavers, machine, scored, wanted  # noqa: E402  (numpy reads the number of threads when it is loaded)

PEERS = ["duckdb", "lifetimes", "pyfim", "mlxtend", "implicit", "scikit-learn", "lightgbm"]
MODULES = {"pyfim": "fim", "scikit-learn": "sklearn"}
PATIENCE = 60.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", help="the binary, which `wanted` asks")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS))
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--baskets", type=int, default=3_000_000)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench-scores"))
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("MUSTER_TEST_DATA"))
    # With `-p`, cargo chooses other features of the shared dependencies than for the whole workspace; in the shared folder it
    # would build both engines again, and again for whoever comes next.
    parser.add_argument("--room", type=pathlib.Path, default=pathlib.Path("target/score-room"))
    parser.add_argument("--runs", type=int, default=5)
    bench = Bench(parser.parse_args())
    print(machine.description(bench.folder))
    print(f"load {os.getloadavg()[0]:.1f} before; {versions()}; {bench.profiles:,} profiles, {bench.baskets:,} baskets, seed {scored.SEED}")
    for part in bench.parts:
        print(f"\n{part}", flush=True)
        PARTS[part](bench)
    print(f"\nload {os.getloadavg()[0]:.1f} after")
    if bench.missed:
        print("goals missed: " + "; ".join(bench.missed))
    if bench.differing:
        sys.exit("the answers differ: " + "; ".join(bench.differing))


class Bench:
    """Where everything is, and what was found."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.folder, self.room, self.runs = arguments.dir, arguments.room, arguments.runs
        self.parts, self.profiles, self.baskets = arguments.parts, arguments.profiles, arguments.baskets
        self.data = arguments.data and pathlib.Path(arguments.data)
        self.binary = arguments.muster and os.path.abspath(arguments.muster)
        self.missed: list[str] = []
        self.differing: list[str] = []
        self.folder.mkdir(parents=True, exist_ok=True)
        build = ["cargo", "build", "--release", "--quiet", "-p", "muster-score", "--example", "speed", "--target-dir", str(self.room)]
        subprocess.run(build, check=True)

    def made(self, name: str, make: Callable[[pathlib.Path], None]) -> pathlib.Path:
        """The folder of that name, with what `make` puts there once."""
        folder = self.folder / name
        if not (folder / "made").exists():
            folder.mkdir(parents=True, exist_ok=True)
            make(folder)
            (folder / "made").touch()
        return folder

    def muster(self, part: str, folder: pathlib.Path, *numbers: object) -> dict[str, float]:
        """What the example prints, by name."""
        command = [str(self.room / "release/examples/speed"), part, str(folder), *map(str, numbers)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return {name: float(number) for name, number in (line.rsplit(": ", 1) for line in printed.splitlines())}

    def timed(self, run: Callable[[], object]) -> tuple[float, object]:
        """Median seconds, and what the last run returned."""
        times: list[float] = []
        first, answer = once(run)
        while len(times) < self.runs and first * (len(times) + 2) <= PATIENCE:
            del answer
            seconds, answer = once(run)
            times.append(seconds)
        return statistics.median(times or [first]), answer

    def compare(self, what: str, is_equal: bool, how: str = "") -> bool:
        print(f"  answers {'equal' if is_equal else 'DIFFER'}: {what}{how and ', ' + how}")
        if not is_equal:
            self.differing.append(what)
        return is_equal

    def line(self, what: str, ours: float, peer: str, theirs: float, goal: float, is_equal: bool = True) -> None:
        ratio = theirs / ours
        verdict = "no ratio" if not is_equal else f"{ratio:.3g} ×, goal ≥ {goal:g} × {'kept' if ratio >= goal else 'missed'}"
        print(f"  {what}: muster {seconds(ours)}, {peer} {seconds(theirs)}: {verdict}", flush=True)
        if is_equal and ratio < goal:
            self.missed.append(f"{what} beside {peer} {ratio:.3g} × of {goal:g} ×")


def once(run: Callable[[], object]) -> tuple[float, object]:
    started = time.perf_counter()
    answer = run()
    return time.perf_counter() - started, answer


def seconds(value: float) -> str:
    return f"{value * 1000:,.3g} ms" if value < 1 else f"{value:,.3g} s"


def versions() -> str:
    return ", ".join(f"{peer} {version(peer) or 'not installed'}" for peer in PEERS)


def version(peer: str) -> str | None:
    try:
        return importlib.metadata.version(peer)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_there(peer: str) -> bool:
    is_found = importlib.util.find_spec(MODULES.get(peer, peer)) is not None
    if not is_found:
        print(f"  {peer} is not installed: no line beside it", flush=True)
    return is_found


def ranks(bench: Bench) -> None:
    """Cadence and RFM: the orders of each profile gathered, its gaps, and three columns ranked."""
    folder = bench.made(f"orders-{bench.profiles}", lambda folder: scored.make_orders(folder, bench.profiles))
    found = bench.muster("ranks", folder, scored.TODAY)
    ours = sum(found[name] for name in ("gather", "cadence", "rfm"))
    print("  of that: " + ", ".join(f"{name} {seconds(found[name])}" for name in ("gather", "cadence", "rfm")))
    if is_there("duckdb"):
        theirs, differing = scored.rank_by_duckdb(folder, bench.timed)
        is_equal = bench.compare("cadence and RFM", not differing, f"{differing} of {bench.profiles:,} profiles differ")
        bench.line("cadence and RFM", ours, "duckdb", theirs, 10, is_equal)


def alive(bench: Bench) -> None:
    """BG/NBD: lifetimes as it is called, and told how many customers have each history."""
    makers = {f"simulated-{bench.profiles}": lambda folder: scored.make_histories(folder, bench.profiles)}
    if bench.data:
        makers = {"cdnow": lambda folder: scored.read_cdnow(folder, bench.data / "cdnow/CDNOW_master.txt")} | makers
    for name, make in makers.items():
        folder = bench.made(name, make)
        found = bench.muster("alive", folder)
        ours = found["together"] + found["fit"]
        print(f"  {name}: {found['histories']:,.0f} histories, put together in {seconds(found['together'])}")
        if is_there("lifetimes"):
            for way, goal in (("weighted", 2), ("plain", 50)):
                theirs, model = scored.fit_by_lifetimes(folder, way, bench.timed)
                likelihoods = [scored.log_likelihood(folder, parameters)
                               for parameters in ([found[name] for name in ("r", "alpha", "a", "b")], model)]
                gap = (likelihoods[0] - likelihoods[1]) / scored.count(folder)
                # The likelier model is never wrong; a peer that stops early is, by what its likelihood lacks.
                is_equal = bench.compare(f"BG/NBD of {name}", abs(gap) < 1e-5, f"log-likelihood {likelihoods[0]:.4f} and {likelihoods[1]:.4f}")
                bench.line(f"BG/NBD of {name}", ours, f"lifetimes {way}", theirs, goal, is_equal)


def weights(bench: Bench) -> None:
    """Evidence of twenty columns."""
    folder = bench.made(f"columns-{bench.profiles}", lambda folder: scored.make_columns(folder, bench.profiles))
    ours = bench.muster("weights", folder, scored.COLUMNS)["evidence"]
    if is_there("duckdb"):
        theirs, way, gap = scored.weigh_by_duckdb(folder, bench.timed)
        is_equal = bench.compare("information values", gap < 1e-9, f"at most {gap:.1e} apart")
        bench.line("evidence of 20 columns", ours, f"duckdb ({way})", theirs, 5, is_equal)


def pairs(bench: Bench) -> None:
    """Pairs of items in five baskets or more."""
    folder = bench.made(f"baskets-{bench.baskets}", lambda folder: scored.make_baskets(folder, bench.baskets))
    ours = bench.muster("pairs", folder, scored.LEAST)["pairs"]
    if is_there("duckdb"):
        theirs, told, expected = scored.pair_by_duckdb(folder, bench.timed)
        is_equal = bench.compare("pairs", told == expected, f"{told[0]:,} pairs and {expected[0]:,}, with the same sums")
        bench.line("pair affinities", ours, "duckdb", theirs, 10, is_equal)


def sets(bench: Bench) -> None:
    """Itemsets of the public sets at three thresholds each."""
    if not bench.data:
        print("  no public data: --data names their folder")
        return
    ratios: dict[str, list[float]] = {}
    for name, supports in scored.SETS.items():
        folder = bench.made(name, lambda folder: scored.read_baskets(folder, bench.data / "baskets" / name))
        for support in supports:
            least = scored.least_count(folder, support)
            ours = bench.muster("sets", folder, least)["sets"]
            expected = scored.sets_of_muster(folder)
            told = [f"{name} at {support:g}: {len(expected):,} sets, muster {seconds(ours)}"]
            for peer in scored.MINERS:
                if importlib.util.find_spec(peer.module) is None:
                    continue
                run, as_sets = peer.prepared(folder, least)
                theirs, answer = bench.timed(run)
                if as_sets(answer) != expected:
                    bench.compare(f"{name} at {support:g} by {peer.name}", False)
                    continue
                ratios.setdefault(peer.name, []).append(theirs / ours)
                told.append(f"{peer.name} {seconds(theirs)} ({theirs / ours:.3g} ×)")
            print("  " + ", ".join(told), flush=True)
    for package in ("pyfim", "mlxtend"):
        is_there(package)
    if ratios:
        print("  answers equal where a ratio stands: every set with its count")
    for name, all_of_them in ratios.items():
        mean, goal = statistics.geometric_mean(all_of_them), 100 if name.startswith("mlxtend") else 1
        verdict = "kept" if mean >= goal else "missed"
        print(f"  {name}: geometric mean {mean:.3g} ×, worst {min(all_of_them):.3g} ×; goal ≥ {goal} × {verdict}")
        if mean < goal:
            bench.missed.append(f"itemsets beside {name} {mean:.3g} × of {goal} ×")


def offers(bench: Bench) -> None:
    """Offers for everyone, from purchases to three items each."""
    folder = bench.made(f"bought-{bench.profiles}", lambda folder: scored.make_purchases(folder, bench.profiles))
    found = bench.muster("offers", folder, scored.NEIGHBOURS)
    steps = ("habits", "pairs", "neighbours", "best sellers", "popularity", "cosine alone", "offers")
    print("  of that: " + ", ".join(f"{name} {seconds(found[name])}" for name in steps))
    if is_there("implicit"):
        fitting, offering, equal = scored.offer_by_implicit(folder, bench.timed)
        print(f"  implicit: similarities {seconds(fitting)}, offers {seconds(offering)}")
        is_equal = bench.compare("item-item cosine", equal > 0.999, f"{equal:.4%} of the customers have the same three scores")
        learning = sum(found[name] for name in ("habits", "pairs", "neighbours"))
        selling = found["best sellers"] + found["popularity"]
        bench.line("the same cosine, from purchases to offers", learning + found["cosine alone"], "implicit", fitting + offering, 3, is_equal)
        bench.line("the same cosine, offers alone", found["cosine alone"], "implicit", offering, 3, is_equal)
        bench.line("offers with repeats and reasons, from purchases", learning + selling + found["offers"], "implicit", fitting + offering, 3, is_equal)
        bench.line("offers with repeats and reasons, alone", found["offers"], "implicit", offering, 3, is_equal)


def tell_wanted(bench: Bench) -> None:
    """What was offered four weeks before the end of real purchases, and what was bought since."""
    if not bench.data or not bench.binary or not is_there("implicit"):
        print("  needs public data (--data names their folder), the binary and implicit")
        return
    for name, has_goal in (("online-retail", True), ("complete-journey", False)):
        shop = wanted.Shop(bench.binary, pathlib.Path("datasets") / name, bench.data / name, bench.folder / f"wanted-{name}")
        print(f"  {name}: {len(shop.keys):,} items; profiles, hit at 1, hit at 3, NDCG at 3")
        judged = {way: shop.judged(scores) for way, scores in shop.ways()}
        for way, told in shop.told.items():
            print(f"    muster's report, {way}: " + " ".join(f"{number:.4g}" for number in told))
            if way in judged:
                bench.compare(f"{way} of {name}", all(abs(one - other) < 6e-5 for one, other in zip(told, judged[way])),
                              " ".join(f"{number:.4g}" for number in judged[way]))
        for way, found in judged.items():
            if way not in shop.told:
                print(f"    {way}: " + " ".join(f"{number:.4g}" for number in found))
        best = [max(found[figure] for found in judged.values()) for figure in (1, 2, 3)]
        ours = shop.told["next_offer"][1:]
        is_best = all(one >= other - 6e-5 for one, other in zip(ours, best))
        print(f"    beside the best of each figure, {' '.join(f'{number:.4g}' for number in best)}: "
              + ("at least as good" if is_best else "not as good") + ("" if has_goal else "; no goal: a sample of lines"))
        if has_goal and not is_best:
            bench.missed.append(f"offers of {name} beside the best simple way")


def tell_leavers(bench: Bench) -> None:
    """Who leaves a telephone company: five folds, dealt five times, the same for all."""
    if not bench.data:
        print("  no public data: --data names their folder")
        return
    customers = leavers.Customers(bench.data / "churn/Telco-Customer-Churn.csv")
    folder = bench.folder / "leavers"
    customers.hand_over(folder)
    bench.muster("leavers", folder, customers.column_count)
    judged = {f"muster {name}": customers.judged(scores) for name, scores in customers.scores_of_muster(folder).items()}
    if is_there("scikit-learn"):
        judged |= {name: customers.judged(scores) for name, scores in customers.scores_of_peers(with_trees=is_there("lightgbm"))}
    for name, found in judged.items():
        print(f"  {name}: " + ", ".join(f"{what} {number:.4f}" for what, number in found.items()))
    theirs = [found["AUC"] for name, found in judged.items() if not name.startswith("muster")]
    for name, found in judged.items():
        if theirs and name.startswith("muster"):
            short = max(theirs) - found["AUC"]
            print(f"  {name}: {short:.4f} below the better peer; goal ≤ 0.003 {'kept' if short <= 0.003 else 'missed'}")
            if short > 0.003:
                bench.missed.append(f"AUC of {name} {short:.4f} below the better peer")


PARTS = {"ranks": ranks, "alive": alive, "weights": weights, "pairs": pairs, "sets": sets, "offers": offers, "wanted": tell_wanted,
         "leavers": tell_leavers}


if __name__ == "__main__":
    main()
