"""Draws what prompts mean.

Enters: a photo, its masks, prompts with what stage 2 chose for each. Leaves: a `Pick` for each prompt, its candidates
drawn, ranked by the IoU that the network predicts for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks import drawn
from fastsam.masks.lazy import from_grids
from fastsam.masks.runs import Runs, iou_of
from fastsam.prompts import Candidate, Pick
from fastsam.refine import maps as m
from fastsam.refine.crop import Window, about, see
from fastsam.refine.network import Refiner
from fastsam.refine.tidy import tidied
from fastsam.refine.views import CONTEXT, View, reach, views

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
LEAST_QUALITY = 0.25  # predicted IoU below which a drawing is no answer
SAME = 0.8  # IoU from which on two candidates of a click are one
MOST = 3  # candidates of a prompt: part, object, group
BROKEN = 0.5  # what a quality is multiplied with if a foreground point lies outside, or a background point inside


@dataclass(frozen=True)
class Drawing:
    """One mask on a window: logits (G, G), the predicted IoU, and the view that it answers."""

    view: View
    logits: Float
    quality: float

    @property
    def square(self) -> tuple[float, float, float]:
        """Left, top and side of the window in photo pixels."""
        w = self.view.window
        return w.x0, w.y0, w.side


def draw(photo: UInt8, picks: Sequence[Pick], refiner: Refiner) -> list[Pick]:
    """The picks of stage 2 for a photo (H, W, 3), drawn; one that words are a part of stays as it is."""
    size = photo.shape[0], photo.shape[1]
    asked = [k for k, pick in enumerate(picks) if pick.prompt.text is None]
    looks = [look for k in asked for look in views(k, picks[k].prompt, picks[k], size)]
    found = drawings(photo, looks, refiner)
    again = [k for k in asked if picks[k].prompt.points and picks[k].prompt.mask is None]
    found += drawings(photo, closer(found, picks, again), refiner)
    answers = list(picks)
    for k in asked:
        answers[k] = answer(picks[k], [d for d in found if d.view.prompt == k], size)
    return answers


def drawings(photo: UInt8, looks: Sequence[View], refiner: Refiner) -> list[Drawing]:
    """Everything that the network draws for views."""
    if not looks:
        return []
    logits, quality = refiner.run([see(photo, v.window) for v in looks], [v.maps for v in looks])
    return [
        Drawing(look, own[j], float(judged[j]))
        for look, own, judged in zip(looks, logits, quality, strict=True)
        for j in (range(len(own)) if look.several else (0,))
    ]


def closer(found: Sequence[Drawing], picks: Sequence[Pick], numbers: Sequence[int]) -> list[View]:
    """Of each prompt's best drawing a second look, through a window that fits it."""
    looks = []
    for k in numbers:
        own = [d for d in found if d.view.prompt == k and (d.logits > 0).any()]
        if not own:
            continue
        best = max(own, key=lambda d: judged(d, picks[k]))
        rows, columns = np.nonzero(best.logits > 0)
        step = best.view.window.side / len(best.logits)
        left, top, _ = best.square
        box = (
            left + columns.min() * step,
            top + rows.min() * step,
            left + (columns.max() + 1) * step,
            top + (rows.max() + 1) * step,
        )
        window = about(reach(box, picks[k].prompt.points), CONTEXT)
        looks.append(seen_again(best, picks[k], window))
    return looks


def seen_again(drawing: Drawing, pick: Pick, window: Window) -> View:
    """A view of a drawing through another window, the drawing as its rough mask."""
    old, n = drawing.view.window, len(drawing.logits)
    cells = window.size // m.CELL
    step, own = window.side / cells, old.side / n
    at = [(np.arange(cells) + 0.5) * step + low for low in (window.x0, window.y0)]
    columns, rows = ((v - low) / own - 0.5 for v, low in zip(at, (old.x0, old.y0), strict=True))
    grid = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    logits = cv2.remap(drawing.logits, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=-10)
    maps = m.empty(window.size)
    m.put_mask(maps, (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32))
    for (x, y), label in zip(pick.prompt.points, pick.prompt.labels or (), strict=True):
        m.put_click(maps, *window.point(x, y), bool(label))
    if pick.prompt.box is not None:
        m.put_box(maps, window.box(pick.prompt.box))
    return replace(drawing.view, window=window, maps=maps, several=False)


def judged(drawing: Drawing, pick: Pick) -> float:
    """A drawing's quality, less if it does not hold what the prompt says."""
    w, n = drawing.view.window, len(drawing.logits)
    quality = drawing.quality
    for (x, y), label in zip(pick.prompt.points, pick.prompt.labels or (), strict=True):
        column, row = (int(v / m.CELL) for v in w.point(x, y))
        held = drawing.logits[min(max(row, 0), n - 1), min(max(column, 0), n - 1)] > 0
        if bool(held) != bool(label):
            quality *= BROKEN
    return quality


def answer(pick: Pick, found: Sequence[Drawing], size: tuple[int, int]) -> Pick:
    """A pick of drawn candidates, best first."""
    ranked = sorted(((judged(d, pick), k) for k, d in enumerate(found)), reverse=True)
    kept: list[tuple[float, Drawing, Float, Runs]] = []
    for quality, k in ranked:
        if quality < LEAST_QUALITY or len(kept) == MOST:
            break
        drawing = found[k]
        clicks = [tuple(v / m.CELL for v in drawing.view.window.point(x, y)) for x, y in drawing.view.clicks]
        logits = tidied(drawing.logits, clicks)  # type: ignore[arg-type]
        runs = drawn.collect([logits], np.array([drawing.square]), size).runs_of(np.arange(1))[0]
        if runs.area and all(iou_of(runs, other, size[0]) < SAME for *_, other in kept):
            kept.append((quality, drawing, logits, runs))
    masks = from_grids(drawn.collect([g for _, _, g, _ in kept], np.array([d.square for _, d, _, _ in kept]), size))
    candidates = tuple(
        Candidate(masks, (i,), quality, quality=quality, origin=drawing.view.origin)
        for i, (quality, drawing, _, _) in enumerate(kept)
    )
    return Pick(pick.prompt, candidates)
