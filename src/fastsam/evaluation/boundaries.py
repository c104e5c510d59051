"""The BSDS500 boundary benchmark (Martin, Fowlkes and Malik 2004; Arbelaez et al. 2011): ODS, OIS, AP and R50.

Enters: edge maps and the boundaries that annotators drew. Leaves: `Edges`.

At each threshold, a map is cut, thinned to one pixel and matched with each annotator's boundaries. Pixels are matched
one to one, as many as possible, with the minimum total distance, and up to 0.0075 of the photo's diagonal apart. Recall
counts matched drawn pixels over all annotators. Precision counts predicted pixels that match any annotator.
"""

import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from skimage.morphology import thin

from fastsam.errors import UsageError

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
REACH = 0.0075  # maximum distance of a match, as a share of the photo's diagonal
BROKEN = (OSError, EOFError, KeyError, ValueError, TypeError, IndexError, AttributeError, NotImplementedError)
DAMAGED = (*BROKEN, MatReadError, zipfile.BadZipFile, zlib.error)
STEPS = np.linspace(0, 1, 101)  # positions between two thresholds, where the curve is a straight line


@dataclass(frozen=True)
class Score:
    """A point of a curve. f is the harmonic mean of recall and precision."""

    threshold: float
    recall: float
    precision: float
    f: float


@dataclass(frozen=True)
class Edges:
    """The benchmark's figures, 0..1.

    ods: best F of all photos at one common threshold; ois: with the best threshold per photo; ap: mean precision over
    recalls; r50: recall at a precision of 0.5; images: each photo at its best threshold; thresholds: the curve
    """

    ods: float
    ois: float
    ap: float
    r50: float
    images: list[dict[str, Any]]
    thresholds: list[Score]


def grid(n: int) -> Float:
    """The n thresholds of the benchmark, evenly spaced between 0 and 1."""
    return np.arange(1, n + 1) / (n + 1)


def read_drawn(file: Path) -> list[Bool]:
    """The boundary maps (H, W) of a photo's annotators, from BSDS500's .mat, or .npz with packed `boundaries`, `shape`.

    Raises UsageError for any other file.
    """
    try:
        if file.suffix == ".mat":
            people = loadmat(file, squeeze_me=False)["groundTruth"].ravel()
            return [np.asarray(person[0, 0]["Boundaries"], bool) for person in people]
        with np.load(file, allow_pickle=False) as z:
            drawn = np.unpackbits(z["boundaries"], axis=-1)[..., : int(z["shape"][-1])].astype(bool)
            return [person for person in drawn if person.ndim == 2]
    except DAMAGED as error:
        raise UsageError(f"{file} has no boundaries in BSDS500's format: {' '.join(str(error).split())}") from None


def count(strength: npt.NDArray[Any], drawn: Sequence[Bool], thresholds: Float) -> npt.NDArray[np.int64]:
    """(T, 4) pixel counts of one photo per threshold: drawn and matched, drawn, predicted and matched, predicted.

    strength: edge map (H, W), 0..1; drawn: boundaries (H, W) per annotator
    """
    rows: list[tuple[int, int, int, int]] = []
    before = np.zeros(strength.shape, bool)
    total = sum(int(np.count_nonzero(d)) for d in drawn)
    for threshold in thresholds:
        cut = strength >= threshold
        if rows and np.array_equal(cut, before):
            rows.append(rows[-1])
            continue
        before = cut
        found = np.argwhere(thin(cut))  # type: ignore[no-untyped-call]
        matched = np.zeros(len(found), bool)
        hits = 0
        for boundaries in drawn:
            mine = match(found, boundaries)
            hits += int(mine.sum())
            matched |= mine
        rows.append((hits, total, int(matched.sum()), len(found)))
    return np.array(rows, np.int64).reshape(-1, 4)


def match(found: npt.NDArray[np.int64], drawn: Bool) -> Bool:
    """(K,) whether each pixel of `found` (K, 2), rows and columns, gets a partner of its own in `drawn` (H, W)."""
    radius = REACH * float(np.hypot(*drawn.shape))
    which, partner, distance = near(found, drawn, radius)
    matched = np.zeros(len(found), bool)
    if not len(which):
        return matched
    rows, row = np.unique(which, return_inverse=True)
    columns, column = np.unique(partner, return_inverse=True)
    own = np.arange(len(rows))  # each predicted pixel can stay unmatched, at a cost
    alone = (radius + 1) * (len(rows) + 1)  # higher than the cost of any rearrangement that matches one more pixel
    costs = np.concatenate((distance + 1e-3, np.full(len(rows), alone)))  # a cost of 0 would count as no edge
    places = np.concatenate((row, own)), np.concatenate((column, len(columns) + own))
    table = csr_matrix((costs, places), shape=(len(rows), len(columns) + len(rows)))
    left, right = min_weight_full_bipartite_matching(table)
    matched[rows[left[right < len(columns)]]] = True
    return matched


def near(
    found: npt.NDArray[np.int64], drawn: Bool, radius: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Float]:
    """All pairs up to `radius` pixels apart: index into `found`, number of the drawn pixel, distance."""
    k = int(radius)
    numbers = np.full((drawn.shape[0] + 2 * k, drawn.shape[1] + 2 * k), -1)
    inner = numbers[k : k + drawn.shape[0], k : k + drawn.shape[1]]
    inner[drawn] = np.arange(np.count_nonzero(drawn))
    down, across = np.mgrid[-k : k + 1, -k : k + 1]
    distance = np.hypot(down, across)
    disc = distance <= radius
    partners = numbers[found[:, :1] + down[disc] + k, found[:, 1:] + across[disc] + k]
    which, offset = np.nonzero(partners >= 0)
    return which, partners[which, offset], distance[disc][offset]


def summary(names: Sequence[str], counts: Iterable[npt.NDArray[np.int64]], thresholds: Float) -> Edges:
    """The figures of several photos. counts: one table (T, 4) per photo"""
    tables = np.stack(list(counts))
    recall, precision = curve(tables.sum(0))
    own = [best(*curve(table), thresholds) for table in tables]
    chosen = np.array([table[_last_of_largest(_f(*curve(table)))] for table in tables]).sum(0)
    steps = zip(thresholds.tolist(), recall.tolist(), precision.tolist(), _f(recall, precision).tolist(), strict=True)
    return Edges(
        ods=best(recall, precision, thresholds).f,
        ois=float(_f(*curve(chosen[None]))[0]),
        ap=average_precision(recall, precision),
        r50=recall_at_half(recall, precision),
        images=[
            {"image": name, "threshold": s.threshold, "recall": s.recall, "precision": s.precision, "f": s.f}
            for name, s in zip(names, own, strict=True)
        ],
        thresholds=[Score(*step) for step in steps],
    )


def curve(counts: npt.NDArray[np.int64]) -> tuple[Float, Float]:
    """Recall and precision (T,) from a table of counts (T, 4); 0 if nothing is drawn or predicted."""
    hits, drawn, matched, found = np.asarray(counts, np.float64).T
    return hits / np.maximum(drawn, 1), matched / np.maximum(found, 1)


def best(recall: Float, precision: Float, thresholds: Float) -> Score:
    """The point of a curve with the largest F, including points between thresholds."""
    points = [np.append((a[:-1, None] + (a[1:] - a[:-1])[:, None] * STEPS).ravel(), a[-1])
              for a in (thresholds, recall, precision)]  # fmt: skip
    f = _f(points[1], points[2])
    k = int(np.argmax(f))
    return Score(float(points[0][k]), float(points[1][k]), float(points[2][k]), float(f[k]))


def average_precision(recall: Float, precision: Float) -> float:
    """Sum of the precision interpolated at recalls 0, 0.01, ..., 1, times 0.01, as in the benchmark."""
    known, first = np.unique(recall, return_index=True)
    if len(known) < 2:
        return 0.0
    return float(np.interp(np.linspace(0, 1, 101), known, precision[first], left=0, right=0).sum() * 0.01)


def recall_at_half(recall: Float, precision: Float) -> float:
    """The largest recall with a precision of at least 0.5, including points between thresholds."""
    points = [(a[:-1, None] + (a[1:] - a[:-1])[:, None] * STEPS).ravel() for a in (recall, precision)]
    return float(np.max(np.append(points[0], recall)[np.append(points[1], precision) >= 0.5], initial=0.0))


def _last_of_largest(values: Float) -> int:
    return int(len(values) - 1 - np.argmax(values[::-1]))


def _f(recall: Float, precision: Float) -> Float:
    total = recall + precision
    return np.where(total > 0, 2 * recall * precision / np.where(total > 0, total, 1), 0.0)
