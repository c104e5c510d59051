"""Positional masks, whose weights vary across their own box, as plain coefficients and prototypes.

Enters: a network's coefficients and maps, and the boxes. Leaves: coefficients and prototypes for `Prototyped`.

A mask is a weighted sum of plain prototypes and of a few features; the first feature is 1 everywhere. The weight of a
feature is a polynomial of degree two in the position within the mask's box: 1, u, v, u^2, v^2, u v, with u and v from
-1 to 1 across the box. So a mask depends on where its middle is. A polynomial in the position within the box is also
one in the position within the input, with other coefficients. Those are computed here, one per feature and power.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.boxes import centre, lengths

Float32 = npt.NDArray[np.float32]
TERMS = 6
LEAST_SIDE = 4.0  # input pixels: minimum length of a box's side; shorter sides count as this


def coefficients_of(maps: int, positional: int) -> int:
    """Number of coefficients per mask, for a network with `maps` maps and `positional` positional features."""
    return maps + (TERMS - 1) * positional + 1 if positional else maps


def place(coefficients: Float32, maps: Float32, boxes: Float32, cell: int, positional: int) -> tuple[Float32, Float32]:
    """Plain coefficients (N, K) and prototypes (K, h, w) float32, from the output of a network.

    coefficients: (N, C), first those of the plain prototypes, then six per feature; boxes: (N, 4) xyxy in input pixels
    maps: (M, h, w), first the plain prototypes, then the features except the constant one
    cell: input pixels per cell of the maps; positional: number of features, 0 changes nothing
    """
    if not positional:
        return coefficients, maps
    plain = coefficients.shape[1] - TERMS * positional
    h, w = maps.shape[1:]
    half = np.array([w, h]) * cell / 2
    unit = float(half.max())  # positions are measured from the middle of the input, so that powers stay small
    corners = boxes.astype(np.float64)
    slope = 2 * unit / np.maximum(lengths(corners), LEAST_SIDE)
    start = -slope * (centre(corners) - half) / unit
    terms = coefficients[:, plain:].astype(np.float64).reshape(len(boxes), positional, TERMS)
    (p, r), (q, s) = slope.T[..., None], start.T[..., None]
    moved = np.stack(shifted(np.moveaxis(terms, -1, 0), p, q, r, s), -1).reshape(len(boxes), positional * TERMS)
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
    """Coefficients of 1, x, y, x^2, y^2, x y from those of 1, u, v, u^2, v^2, u v, with u = px + q and v = ry + s.

    The arguments are arrays of any library, with shapes that broadcast.
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
