"""Masks that weigh features differently across their own box, as plain coefficients and prototypes.

Enters: a network's coefficients and maps, and the boxes. Leaves: the same masks for `prototyped`. Called by `model`.

A mask is a weighted sum of plain prototypes, and of a few features (the first is 1 everywhere) that it weighs by a
polynomial of second degree in the place within its box: 1, u, v, u^2, v^2, u v, with u and v from -1 to 1 across the
box. So it knows its own middle. A polynomial in the place within a box is one in the place within the input too, of
other coefficients: these, for each feature times each power of the place, are what comes out.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
TERMS = 6
LEAST = 4.0  # input pixels: shorter sides of a box count as this


def coefficients_of(maps: int, placed: int) -> int:
    """How many coefficients a mask of a network has that gives so many maps."""
    return maps + (TERMS - 1) * placed + 1 if placed else maps


def place(coefficients: Float, maps: Float, boxes: Float, cell: int, placed: int) -> tuple[Float, Float]:
    """Coefficients (N, K) and prototypes (K, h, w) of what a network gives.

    coefficients: (N, K), those of the plain prototypes first, then six a feature; boxes: (N, 4) xyxy in input pixels
    maps: (M, h, w), the plain prototypes first, then the features but the constant one, on cells of `cell` input pixels
    placed: number of features; 0 changes nothing
    """
    if not placed:
        return coefficients, maps
    plain = coefficients.shape[1] - TERMS * placed
    h, w = maps.shape[1:]
    half = np.array([w, h]) * cell / 2
    unit = float(half.max())  # places are measured from the middle of the input, so that no power is large
    corners = boxes.astype(np.float64)
    slope = 2 * unit / np.maximum(corners[:, 2:] - corners[:, :2], LEAST)
    start = -slope * ((corners[:, :2] + corners[:, 2:]) / 2 - half) / unit
    terms = coefficients[:, plain:].astype(np.float64).reshape(len(boxes), placed, TERMS)
    (p, r), (q, s) = slope.T[..., None], start.T[..., None]
    moved = np.stack(shifted(np.moveaxis(terms, -1, 0), p, q, r, s), -1).reshape(len(boxes), placed * TERMS)
    x, y = (((np.arange(n) + 0.5) * cell - middle) / unit for n, middle in zip((w, h), half, strict=True))
    across, down = np.broadcast_to(x, (h, w)), np.broadcast_to(y[:, None], (h, w))
    powers = np.stack((np.ones((h, w)), across, down, across**2, down**2, across * down)).astype(np.float32)
    features = np.concatenate((np.ones((1, h, w), np.float32), maps[plain:]))
    weighed = (features[:, None] * powers).reshape(-1, h, w)
    return (
        np.concatenate((coefficients[:, :plain], moved.astype(np.float32)), 1),
        np.concatenate((maps[:plain], weighed)),
    )


def shifted(terms: Any, p: Any, q: Any, r: Any, s: Any) -> tuple[Any, ...]:
    """Coefficients of 1, x, y, x^2, y^2, x y from those of 1, u, v, u^2, v^2, u v, where u = px + q and v = ry + s.

    Arrays of any library, of shapes that go together.
    """
    one, u, v, uu, vv, uv = terms
    return (
        one + u * q + v * s + uu * q * q + vv * s * s + uv * q * s,
        (u + 2 * uu * q + uv * s) * p,
        (v + 2 * vv * s + uv * q) * r,
        uu * p * p,
        vv * r * r,
        uv * p * r,
    )
