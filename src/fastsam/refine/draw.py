"""Redraws the answers to prompts with the second network.

Enters: a photo, and per prompt the `Pick` that stage 2 chose. Leaves: a `Pick` per prompt with redrawn candidates, in
the order of `rank`.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks import drawn
from fastsam.masks.lazy import Masks, probability
from fastsam.masks.runs import Runs, iou_of
from fastsam.prompts import Candidate, Pick, Prompt
from fastsam.refine import maps as m
from fastsam.refine.crop import Window, about, see_in
from fastsam.refine.network import Refiner
from fastsam.refine.rank import Drawing, qualities, ranks
from fastsam.refine.tidy import reaching, tidied
from fastsam.refine.views import CONTEXT, View, reach, said, views

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
LEAST_QUALITY = 0.2  # minimum expected IoU for a drawing to answer a box or a single click
CLOSER = (96, 128, 160)  # sizes of crops for a second look; 192 gains nothing there and costs a fifth of a click
COPY_IOU = 0.8  # minimum IoU for two candidates of a prompt to count as one
MOST_CANDIDATES = 3  # maximum number of candidates per prompt: part, object, group
TOGETHER = 16  # number of prompts whose views are in memory at a time


def draw(levels: Sequence[UInt8], picks: Sequence[Pick], refiner: Refiner) -> list[Pick]:
    """The picks of stage 2 for a photo, redrawn. A pick for words stays as it is. levels: the photo, from `pyramid`"""
    answers = list(picks)
    asked = [k for k, pick in enumerate(picks) if pick.prompt.text is None]
    for some in (asked[k : k + TOGETHER] for k in range(0, len(asked), TOGETHER)):
        for k, found in zip(some, looked(levels, [picks[k] for k in some], refiner), strict=True):
            answers[k] = answer(picks[k], found, (levels[0].shape[0], levels[0].shape[1]), refiner)
    return answers


def looked(levels: Sequence[UInt8], picks: Sequence[Pick], refiner: Refiner) -> list[list[Drawing]]:
    """All drawings for a few picks: first all views at once, then a second look at the best drawing of each click.

    levels: the photo, from `pyramid`
    """
    size = levels[0].shape[0], levels[0].shape[1]
    first = [views(pick.prompt, pick, size) for pick in picks]
    found = drawings(levels, first, refiner)
    second = [closer(own, pick.prompt, size) for own, pick in zip(found, picks, strict=True)]
    more = drawings(levels, second, refiner)
    return [[*a, *b] for a, b in zip(found, more, strict=True)]


def drawings(levels: Sequence[UInt8], looks: Sequence[Sequence[View]], refiner: Refiner) -> list[list[Drawing]]:
    """The network's drawings of each prompt's views."""
    every = [view for own in looks for view in own]
    if not every:
        return [[] for _ in looks]
    logits, quality = refiner.run([see_in(levels, v.window) for v in every], [v.maps for v in every])
    made = iter(Drawing(v, a, float(q)) for v, a, q in zip(every, logits, quality, strict=True))
    return [[next(made) for _ in own] for own in looks]


def closer(found: Sequence[Drawing], prompt: Prompt, size: tuple[int, int]) -> list[View]:
    """A second look at the best drawing of a prompt with points, through a window that fits it.

    If the first window came from a mask or a box, there is a second look only if the drawing reaches beyond it.
    """
    rated = ranks(found, prompt, size)
    best = found[int(rated.argmax())] if rated.any() else None
    if not prompt.points or best is None or best.box is None:
        return []
    if (prompt.mask is not None or prompt.box is not None) and not best.cuts(size):
        return []
    return [seen_again(best, prompt, about(reach(best.box, prompt.points), CONTEXT, CLOSER))]


def seen_again(drawing: Drawing, prompt: Prompt, window: Window) -> View:
    """A view through another window, with the drawing as its rough mask."""
    old, n = drawing.view.window, len(drawing.logits)
    cells, own = window.size // m.CELL, old.side / n
    places = (np.arange(cells) + 0.5) * window.side / cells
    columns, rows = ((places + new - low) / own - 0.5 for new, low in ((window.x0, old.x0), (window.y0, old.y0)))
    grid = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    logits = cv2.remap(drawing.logits, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=-10)
    shares = probability(logits).astype(np.float32)
    return replace(drawing.view, window=window, maps=said(prompt, window, shares))


def cells_of(prompt: Prompt, window: Window) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Foreground and background points of a prompt, in cells of a window's grid."""
    found: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for (x, y), label in zip(prompt.points, prompt.labels or (), strict=True):
        column, row = window.point(x, y)
        found[0 if label else 1].append((column / m.CELL, row / m.CELL))
    return found


def answer(pick: Pick, found: Sequence[Drawing], size: tuple[int, int], refiner: Refiner) -> Pick:
    """A pick of redrawn candidates, best first. Several points or a mask always get the best one, however poor."""
    prompt = pick.prompt
    quality = qualities(ranks(found, prompt, size), prompt, refiner)
    asked = len(prompt.points) > 1 or prompt.mask is not None
    kept: list[tuple[float, Drawing, Float32, Runs]] = []
    for k in np.argsort(-quality, kind="stable"):
        drawing = found[int(k)]
        if quality[k] <= 0 or len(kept) == MOST_CANDIDATES or (quality[k] < LEAST_QUALITY and (kept or not asked)):
            break
        window = drawing.view.window
        inside, outside = cells_of(prompt, window)
        alone = inside if prompt.mask is None and prompt.box is None else []  # a mask or a box may mean several pieces
        logits = tidied(reaching(drawing.logits, window, size), alone, background=outside)
        runs = drawn.collect([logits], np.array([drawing.square]), size).runs_of(np.arange(1))[0]
        if runs.area and all(iou_of(runs, other, size[0]) < COPY_IOU for *_, other in kept):
            kept.append((float(quality[k]), drawing, logits, runs))
    source = drawn.collect([g for _, _, g, _ in kept], np.array([d.square for _, d, _, _ in kept]), size)
    masks = Masks(np.array([runs.bounds for *_, runs in kept], np.float32).reshape(-1, 4), source)
    candidates = tuple(
        Candidate(masks, (i,), expected, quality=expected, origin=drawing.view.origin)
        for i, (expected, drawing, _, _) in enumerate(kept)
    )
    return Pick(prompt, candidates)
