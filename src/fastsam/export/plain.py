"""Positional masks as plain ones inside the file: for programs that read YOLOv8-seg networks.

Enters: a float32 or quantised model. Leaves: the same with as many coefficients as prototypes, whose weighted sum is
the mask's logit. `masks/positional.py` has the rule, which here is computed for every candidate.
"""

import json
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from fastsam.export.masks import CELL, centres
from fastsam.export.nodes import Nodes
from fastsam.masks.positional import LEAST_SIDE, TERMS, shifted
from fastsam.runtimes.settings import Settings


class Term:
    """A result of a graph, to be calculated with: `shifted` takes terms as it takes arrays."""

    def __init__(self, nodes: Nodes, name: str) -> None:
        self.nodes, self.name = nodes, name

    def __add__(self, other: Any) -> "Term":
        return self._of("Add", other)

    def __sub__(self, other: Any) -> "Term":
        return self._of("Sub", other)

    def __mul__(self, other: Any) -> "Term":
        return self._of("Mul", other)

    def __rmul__(self, other: float) -> "Term":
        return self._of("Mul", other)

    def _of(self, kind: str, other: Any) -> "Term":
        name = other.name if isinstance(other, Term) else self.nodes.constant(float(other))
        return Term(self.nodes, self.nodes.op(kind, self.name, name))


def plain(model: ModelProto, settings: Settings) -> None:
    """Replaces the outputs, in place. A model without positional features stays as it is.

    candidates: (B, 4 + classes + K, anchors); prototypes: (B, K, h, w), with K = plain prototypes + 6 per feature
    """
    features = settings.positional
    if not features:
        return
    candidates, maps = renamed(model, "candidates"), renamed(model, "prototypes")
    g = Nodes(model)
    x, y, unit, (middle_x, middle_y) = places(g, maps)
    (p, q), (r, s) = (across(g, candidates, axis, unit, middle) for axis, middle in ((0, middle_x), (1, middle_y)))
    first = -TERMS * features
    moved: list[str] = []
    for start in range(first, 0, TERMS):
        terms = [Term(g, part(g, candidates, k, k + 1)) for k in range(start, start + TERMS)]
        moved += [term.name for term in shifted(terms, p, q, r, s)]
    one = g.op("Add", g.op("Mul", part(g, maps, 0, 1), g.constant(0.0)), g.constant(1.0))
    powers = g.op("Concat", *(g.op("Mul", one, power) for power in powers_of(g, x, y)), axis=1)
    weighed = [g.op("Mul", part(g, maps, k, k + 1), powers) for k in range(1 - features, 0)]
    rows = g.op("Concat", part(g, candidates, 0, first), *moved, axis=1)
    cells = g.op("Concat", part(g, maps, 0, 1 - features), powers, *weighed, axis=1)
    real, b = TensorProto.FLOAT, "batch"
    g.finish(
        {
            "candidates": (rows, real, [b, "values", "anchors"]),
            "prototypes": (cells, real, [b, "maps", "rows", "columns"]),
        }
    )
    stored = json.loads(next(p.value for p in model.metadata_props if p.key == "fastsam"))
    helper.set_model_props(model, {"fastsam": json.dumps({**stored, "placed": 0})})


def renamed(model: ModelProto, output: str) -> str:
    """Gives an output's result another name, and returns it: the new result gets the old name."""
    name = f"positional/{output}"
    for node in model.graph.node:
        for names in (node.input, node.output):
            for k, one in enumerate(names):
                names[k] = name if one == output else one
    return name


def part(g: Nodes, x: str, start: int, end: int) -> str:
    """Channels start to end of (B, C, ...). An end of 0 behind a negative start is the end of all."""
    last = np.iinfo(np.int64).max if end == 0 > start else end
    return g.op("Slice", x, *(g.constant([v], np.int64) for v in (start, last, 1)))


def places(g: Nodes, maps: str) -> tuple[str, str, str, tuple[str, str]]:
    """The cells' places from the middle of the input, x (1, 1, 1, w) and y (1, 1, h, 1), in units of its longer half;
    that unit and the middle, in input pixels."""
    size = g.op("Slice", g.op("Shape", maps), g.constant([2], np.int64), g.constant([4], np.int64))
    half = g.op("Mul", g.op("Cast", size, to=TensorProto.FLOAT), g.constant(CELL / 2))
    unit = g.op("ReduceMax", half, axes=[0], keepdims=1)
    y_middle, x_middle = (g.op("Gather", half, g.constant([k], np.int64)) for k in (0, 1))
    first = g.constant([0], np.int64)
    x, y = (
        g.op("Unsqueeze", g.op("Div", g.op("Sub", centres(g, size, axis), middle), unit), first)
        for axis, middle in ((0, x_middle), (1, y_middle))
    )
    return x, y, unit, (x_middle, y_middle)


def across(g: Nodes, candidates: str, axis: int, unit: str, middle: str) -> tuple[Term, Term]:
    """p and q of each candidate (B, 1, anchors): p place + q goes from -1 to 1 across its box along an axis."""
    side = g.op("Max", part(g, candidates, 2 + axis, 3 + axis), g.constant(LEAST_SIDE))
    slope = g.op("Div", g.op("Mul", unit, g.constant(2.0)), side)
    place = g.op("Div", g.op("Sub", middle, part(g, candidates, axis, axis + 1)), unit)
    return Term(g, slope), Term(g, g.op("Mul", slope, place))


def powers_of(g: Nodes, x: str, y: str) -> list[str]:
    """1, x, y, x^2, y^2 and x y."""
    return [g.constant(1.0), x, y, g.op("Mul", x, x), g.op("Mul", y, y), g.op("Mul", x, y)]
