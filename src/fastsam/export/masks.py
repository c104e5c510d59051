"""Suppression and masks inside the file: for programs that have a runtime and nothing else.

Enters: a float32 or quantised model. Leaves: the same for one photo, with outputs `boxes`, `scores`,
`classes` and `masks`.
"""

import json

import numpy as np
from onnx import ModelProto, TensorProto, helper

from fastsam.detections import MOST_DETECTIONS
from fastsam.export.nodes import Nodes
from fastsam.masks.positional import TERMS, coefficients_of
from fastsam.runtimes.settings import Settings

CELL = 4  # input pixels per cell of the masks
OUTSIDE = -20.0  # logit beyond a mask's window


def with_masks(model: ModelProto, settings: Settings) -> None:
    """Replaces the outputs, in place.

    boxes: (N, 4) float32 xyxy in input pixels; scores: (N,) float32; classes: (N,) int64; masks: (N, h, w) float32
    logits on cells of 4 input pixels, `OUTSIDE` beyond the windows: to be enlarged bilinearly, above 0 where the mask
    is. Best first; conf, iou, max_det and margin are those of `settings`, as is `soft`.
    """
    g = Nodes(model)
    rows = g.op("Squeeze", "candidates", g.constant([0], np.int64))
    cells = g.op("Squeeze", "prototypes", g.constant([0], np.int64))
    centred = g.op("Transpose", g.rows(rows, 0, 4), perm=[1, 0])
    shape = g.op("Shape", cells)
    maps = g.op("Slice", shape, g.constant([0], np.int64), g.constant([1], np.int64))
    last = g.op("Sub", g.constant([-coefficients_of(0, settings.positional)], np.int64), maps)
    every = g.rows(rows, 4, last)
    # A candidate counts for its best class alone.
    alone = g.op("Where", g.op("Equal", every, g.op("ReduceMax", every, axes=[0], keepdims=1)), every, g.constant(0.0))
    first = g.constant([0], np.int64)
    chosen = g.op(
        "NonMaxSuppression",
        g.op("Unsqueeze", centred, first),
        g.op("Unsqueeze", alone, first),
        g.constant([MOST_DETECTIONS if settings.soft else settings.max_det], np.int64),
        g.constant([settings.iou]),
        g.constant([settings.conf]),
        center_point_box=1,
    )
    kinds, indices = (g.op("Gather", chosen, g.constant(k, np.int64), axis=1) for k in (1, 2))
    scores = g.op("Gather", g.op("ReduceMax", every, axes=[0], keepdims=0), indices, axis=0)
    if settings.soft:
        scores, (indices, kinds) = ranked(g, scores, MOST_DETECTIONS, indices, kinds)
        scores = lowered(g, scores, g.op("Gather", centred, indices, axis=0), kinds, settings.soft)
        stays = g.op("Greater", scores, g.constant(settings.conf))
        scores, indices, kinds = (g.op("Compress", x, stays, axis=0) for x in (scores, indices, kinds))
    scores, (indices, kinds) = ranked(g, scores, settings.max_det, indices, kinds)
    picked = g.op("Gather", centred, indices, axis=0)
    centre, side = g.columns(picked, 0, 2), g.columns(picked, 2, 4)
    half = g.op("Div", side, g.constant(2.0))
    boxes = g.op("Concat", g.op("Sub", centre, half), g.op("Add", centre, half), axis=1)

    coefficients = g.op("Transpose", g.op("Gather", g.rows(rows, last, None), indices, axis=1), perm=[1, 0])
    size = g.op("Slice", shape, g.constant([1], np.int64), g.constant([3], np.int64))
    middles = [centres(g, size, axis) for axis in (0, 1)]
    logits = sums(g, coefficients, cells, size, settings.positional)
    if settings.positional:
        places = [g.op("Div", g.op("Sub", middles[k], g.deep(centre, k)), g.op("Div", g.deep(side, k), g.constant(2.0)))
                  for k in (0, 1)]  # fmt: skip
        logits = g.op("Add", logits, weighed(g, coefficients, cells, places, settings.positional))

    inputs = g.op("Cast", g.op("Mul", size, g.constant(CELL, np.int64)), to=TensorProto.FLOAT)
    area = g.op("ReduceProd", inputs, keepdims=1)
    share = g.op("Sqrt", g.op("Div", g.op("ReduceProd", side, axes=[1], keepdims=1), area))
    beyond = g.op("Mul", side, g.op("Mul", share, g.constant(settings.margin)))
    low = g.op("Sub", g.op("Sub", centre, half), beyond)
    high = g.op("Add", g.op("Add", centre, half), beyond)
    inside: str | None = None
    for axis in (0, 1):
        for limit, kind in ((low, "GreaterOrEqual"), (high, "Less")):
            test = g.op(kind, middles[axis], g.deep(limit, axis))
            inside = test if inside is None else g.op("And", inside, test)
    assert inside is not None
    masks = g.op("Where", inside, logits, g.constant(OUTSIDE))
    real, n = TensorProto.FLOAT, "masks"
    g.finish(
        {
            "boxes": (boxes, real, [n, 4]),
            "scores": (scores, real, [n]),
            "classes": (kinds, TensorProto.INT64, [n]),
            "masks": (masks, real, [n, "rows", "columns"]),
        }
    )
    stored = json.loads(next(p.value for p in model.metadata_props if p.key == "fastsam"))
    helper.set_model_props(model, {"fastsam": json.dumps({**stored, "masks": True})})


def ranked(g: Nodes, scores: str, most: int, *others: str) -> tuple[str, list[str]]:
    """The `most` best scores, best first, and the same entries of the others."""
    count = g.op("Min", g.op("Shape", scores), g.constant([most], np.int64))
    scores, order = g.ops("TopK", 2, scores, count)
    return scores, [g.op("Gather", other, order, axis=0) for other in others]


def lowered(g: Nodes, scores: str, centred: str, kinds: str, soft: float) -> str:
    """Scores (N,), best first, after soft suppression: `candidates.suppress_softly` as nodes."""
    half = g.op("Div", g.columns(centred, 2, 4), g.constant(2.0))
    corners = [g.op(kind, g.columns(centred, 0, 2), half) for kind in ("Sub", "Add")]
    first, last = (g.op("Unsqueeze", x, g.constant([1], np.int64)) for x in corners)  # (N, 1, 2)
    sides = g.op("Sub", g.op("Min", last, corners[1]), g.op("Max", first, corners[0]))
    shared = g.op("ReduceProd", g.op("Max", sides, g.constant(0.0)), axes=[2], keepdims=0)
    area = g.op("ReduceProd", g.columns(centred, 2, 4), axes=[1], keepdims=1)
    joint = g.op("Sub", g.op("Add", area, g.op("Transpose", area, perm=[1, 0])), shared)
    overlap = g.op("Div", shared, g.op("Max", joint, g.constant(1e-9)))
    alike = g.op("Equal", g.op("Unsqueeze", kinds, g.constant([1], np.int64)), kinds)
    counts = g.op("Where", alike, overlap, g.constant(0.0))
    better = g.op("Trilu", counts, g.constant(-1, np.int64), upper=0)
    none = g.op("Mul", area, g.constant(0.0))  # a column more: nothing can be reduced over no columns
    largest = g.op("ReduceMax", g.op("Concat", better, none, axis=1), axes=[1], keepdims=0)
    fall = g.op("Exp", g.op("Div", g.op("Mul", largest, largest), g.constant(-soft)))
    return g.op("Mul", scores, fall)


def centres(g: Nodes, size: str, axis: int) -> str:
    """(1, 1, w) or (1, h, 1): the cells' middles along an axis (0 for x), in input pixels."""
    length = g.op("Gather", size, g.constant(1 - axis, np.int64))
    steps = g.op("Range", g.constant(0, np.int64), length, g.constant(1, np.int64))
    steps = g.op("Cast", steps, to=TensorProto.FLOAT)
    middles = g.op("Mul", g.op("Add", steps, g.constant(0.5)), g.constant(float(CELL)))
    return g.op("Reshape", middles, g.constant([[1, 1, -1], [1, -1, 1]][axis], np.int64))


def sums(g: Nodes, coefficients: str, cells: str, size: str, positional: int) -> str:
    """(N, h, w) logits of the plain prototypes alone."""
    plain = g.columns(coefficients, 0, -TERMS * positional) if positional else coefficients
    maps = g.rows(cells, 0, 1 - positional) if positional > 1 else cells
    flat = g.op("Reshape", maps, g.constant([0, -1], np.int64))
    whole = g.op("Concat", g.constant([-1], np.int64), size, axis=0)
    return g.op("Reshape", g.op("MatMul", plain, flat), whole)


def weighed(g: Nodes, coefficients: str, cells: str, places: list[str], positional: int) -> str:
    """(N, h, w) logits of the features that a mask weighs by the place in its box, u (N, 1, w) and v (N, h, 1)."""
    u, v = places
    total: str | None = None
    for k in range(positional):
        first = TERMS * (k - positional)
        one, *factors = (g.deep(g.columns(coefficients, i, i + 1 or None), 0) for i in range(first, first + TERMS))
        powers = [u, v, g.op("Mul", u, u), g.op("Mul", v, v), g.op("Mul", u, v)]
        weight = one
        for factor, power in zip(factors, powers, strict=True):
            weight = g.op("Add", weight, g.op("Mul", factor, power))
        if k:
            weight = g.op("Mul", weight, g.rows(cells, k - positional, k - positional + 1 or None))
        total = weight if total is None else g.op("Add", total, weight)
    assert total is not None
    return total
