"""The customers of a telephone company, who of them left, and who tells it beforehand: the same folds for everybody."""

import csv
import pathlib
from collections.abc import Iterator

import numpy

from beside import scored

FOLDS, REPEATS = 5, 5
# What muster grows its trees with, for a peer that is asked in both ways.
OUR_TREES = {"n_estimators": 150, "learning_rate": 0.05, "max_depth": 3, "num_leaves": 8, "min_child_weight": 5.0, "reg_lambda": 1.0}


class Customers:
    """Columns as numbers where all of their values are, else as codes; blanks are not known."""

    def __init__(self, path: pathlib.Path) -> None:
        names, *rows = csv.reader(path.open())
        columns = list(zip(*rows))
        self.is_leaver = numpy.array([value == "Yes" for value in columns[-1]])
        self.columns = [column_of(values) for values in columns[1:-1]]
        self.column_count = len(self.columns)
        chance = numpy.random.default_rng(scored.SEED)
        self.folds = numpy.array([dealt(self.is_leaver, chance) for _ in range(REPEATS)], dtype=numpy.uint8)

    def hand_over(self, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        scored.dump(folder, "is_leaver.u8", self.is_leaver)
        scored.dump(folder, "folds.u8", self.folds)
        for place, values in enumerate(self.columns):
            scored.dump(folder, f"{place:02}.{'f64' if is_number(values) else 'u32'}", values)

    def scores_of_muster(self, folder: pathlib.Path) -> dict[str, numpy.ndarray]:
        names = ["logistic", "logistic calibrated", "boosted", "boosted calibrated"]
        return {name: scored.load(folder, f"{name}.f64").reshape(self.folds.shape) for name in names}

    def scores_of_peers(self, with_trees: bool) -> Iterator[tuple[str, numpy.ndarray]]:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        yield "scikit-learn logistic", self.out_of_fold(
            lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), self.indicators())
        if with_trees:
            import lightgbm

            codes = numpy.column_stack([values.astype(float) for values in self.columns])
            categories = [place for place, values in enumerate(self.columns) if not is_number(values)]
            for name, settings in (("lightgbm", {}), ("lightgbm with muster's settings", OUR_TREES)):
                yield name, self.out_of_fold(
                    lambda: lightgbm.LGBMClassifier(n_jobs=2, verbose=-1, **settings), codes, categorical_feature=categories)

    def indicators(self) -> numpy.ndarray:
        """Numbers as they are, what is not known as 0, and a column of 0 and 1 for each category."""
        columns = []
        for values in self.columns:
            if is_number(values):
                columns.append(numpy.nan_to_num(values))
            else:
                columns += [(values == code).astype(float) for code in range(values.max() + 1)]
        return numpy.column_stack(columns)

    def out_of_fold(self, model, table: numpy.ndarray, **options) -> numpy.ndarray:
        scores = numpy.zeros(self.folds.shape)
        for repeat, folds in enumerate(self.folds):
            for fold in range(FOLDS):
                test = folds == fold
                fitted = model().fit(table[~test], self.is_leaver[~test], **options)
                scores[repeat, test] = fitted.predict_proba(table[test])[:, 1]
        return scores

    def judged(self, scores: numpy.ndarray) -> dict[str, float]:
        """Means over all folds; of the calibration, over the ways to deal, for which a fold is small."""
        parts = [(repeat, folds == fold) for repeat, folds in enumerate(self.folds) for fold in range(FOLDS)]
        aucs = [auc(scores[repeat, test], self.is_leaver[test]) for repeat, test in parts]
        losses = [log_loss(scores[repeat, test], self.is_leaver[test]) for repeat, test in parts]
        errors = [calibration_error(row, self.is_leaver) for row in scores]
        return {"AUC": numpy.mean(aucs), "least AUC of a fold": min(aucs), "most": max(aucs), "log loss": numpy.mean(losses),
                "calibration error": numpy.mean(errors)}


def column_of(values: tuple[str, ...]) -> numpy.ndarray:
    try:
        return numpy.array([float(value) if value.strip() else numpy.nan for value in values])
    except ValueError:
        return numpy.unique(values, return_inverse=True)[1].astype(numpy.uint32)


def is_number(values: numpy.ndarray) -> bool:
    return values.dtype.kind == "f"


def dealt(is_leaver: numpy.ndarray, chance: numpy.random.Generator) -> numpy.ndarray:
    """The fold of each row: leavers and stayers are dealt out apart, so that each fold has its share of both."""
    folds = numpy.zeros(len(is_leaver), dtype=numpy.uint8)
    for kind in (True, False):
        rows = chance.permutation(numpy.flatnonzero(is_leaver == kind))
        folds[rows] = numpy.arange(len(rows)) % FOLDS
    return folds


def auc(scores: numpy.ndarray, is_leaver: numpy.ndarray) -> float:
    """The share of pairs of a leaver and a stayer that are in order, ties half."""
    _, places, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    ranks = (numpy.cumsum(counts) - (counts - 1) / 2)[places]
    leavers = is_leaver.sum()
    return (ranks[is_leaver].sum() - leavers * (leavers + 1) / 2) / (leavers * (len(scores) - leavers))


def log_loss(scores: numpy.ndarray, is_leaver: numpy.ndarray) -> float:
    return -numpy.log(numpy.clip(numpy.where(is_leaver, scores, 1 - scores), 1e-15, 1)).mean()


def calibration_error(scores: numpy.ndarray, is_leaver: numpy.ndarray) -> float:
    """The mean distance between probability and share over tenths of the rows."""
    tenths = numpy.array_split(numpy.argsort(-scores, kind="stable"), 10)
    return sum(len(rows) * abs(scores[rows].mean() - is_leaver[rows].mean()) for rows in tenths) / len(scores)
