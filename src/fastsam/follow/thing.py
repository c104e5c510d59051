"""One thing, followed from one frame to the next.

Enters: a `Thing` as it was, two frames. Leaves: the `Thing` as it is.

The rule. The last mask moves as the picture moved. The second network draws it anew through a window around it; what
the thing and its surroundings looked like before speaks for and against each part of that draft, and of the moved mask;
through a window around what is left of each the network draws again, and the drawing that is more like the thing
counts. A drawing that does not look like the thing, is poor, or has shrunk to
nothing is dropped: then the thing is lost, and is looked for (`search.py`) until it is found again.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.follow.eye import CELL, Eye
from fastsam.follow.memory import Memory, evidence, remember, spread
from fastsam.follow.sight import Seen, moved
from fastsam.masks.lazy import probability
from fastsam.refine import maps as m
from fastsam.refine.crop import Window, about, see
from fastsam.refine.tidy import reaching, tidied

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
SIZE = 192  # side of crops in pixels
CONTEXT = 1.45  # side of a window, relative to the longer side of the thing's box
TRUST = 2.0  # weight of evidence beside the draft's logits
SURE = 4.0  # maximum logit of the draft that evidence is added to
STAYS = 3.0  # logit of the last mask, moved, that evidence is added to
ALIKE, USUAL = 1.8, 0.4  # least contrast for a drawing to be the thing: this, or a share of the usual one if less
POOR = 0.25  # predicted IoU below which a drawing is not kept
LEARNT = 0.6  # predicted IoU from which on a view is remembered as the latest
EVERY, RECENT = 7, 3  # every n-th such view is remembered for longer, and how many of them are
THIN = 2  # of which every n-th cell suffices
SHRUNK = 0.04  # share of its usual area below which a thing is lost
ANCHORS = 4  # maximum number of views that the user confirmed and that are remembered


@dataclass(frozen=True)
class Thing:
    """A followed thing in one frame.

    seen: where it is, or where it was last seen; logits: its drawing on the window of `seen`
    anchors: what it looked like where the user picked it; last: what it looked like last, if that is known
    recent: what it looked like now and then before that; views: how often it was drawn well
    quality: predicted IoU of the drawing, 0..1; likeness: contrast of the evidence on and beside it
    area: its usual area in photo pixels; usual: its usual likeness, 0 before it is known
    lost: for how many frames it was not seen
    """

    seen: Seen
    logits: Float
    anchors: tuple[Memory, ...]
    last: Memory | None
    quality: float
    likeness: float
    area: float
    usual: float = 0.0
    lost: int = 0
    recent: tuple[Memory, ...] = ()
    views: int = 0

    @property
    def memories(self) -> list[Memory]:
        """All that is remembered of it."""
        return [*self.anchors, *self.recent, *([] if self.last is None else [self.last])]


def begin(frame: UInt8, seen: Seen, logits: Float, quality: float, eye: Eye, known: Thing | None = None) -> Thing:
    """A thing where the user picked it. known: the thing so far, if this corrects it"""
    anchor = view(frame, seen, eye)
    anchors = (anchor, *(() if known is None else known.anchors))[:ANCHORS]
    return Thing(seen, logits, anchors, None, quality, 0.0, seen.area)


def step(thing: Thing, before: UInt8, now: UInt8, eye: Eye) -> Thing:
    """The thing in the frame (H, W, 3) after `before`; lost if nothing there is it."""
    return kept(thing, drawn(thing, now, moved(thing.seen, before, now), eye))


def drawn(thing: Thing, frame: UInt8, rough: Seen, eye: Eye) -> Thing:
    """The thing drawn where a rough mask says that it is; it may be something else.

    Two drafts are drawn: what the network makes of the rough mask, and that mask itself, each with what memory says.
    """
    window, shares = around(rough)
    crop = see(frame, window)
    features = eye.look(crop)
    speaks = evidence(features, thing.memories)
    added = TRUST * spread(speaks, SIZE // m.CELL)
    logits, _ = eye.draw(crop, told(shares))
    drafts = np.clip(logits, -SURE, SURE) + added, STAYS * (2 * shares - 1) + added
    tries = [again(thing, frame, Seen(window, probability(draft).astype(np.float32)), eye) for draft in drafts]
    rated = [replace(one, likeness=contrast(speaks, within(one.seen, window))) for one in tries]
    best = max(rated, key=lambda one: -np.inf if one.seen.box is None else one.likeness * one.quality)
    if best.quality < LEARNT:
        return best
    return replace(best, last=remember(features, within(best.seen, window), [*thing.anchors, *thing.recent]))


def again(thing: Thing, frame: UInt8, draft: Seen, eye: Eye) -> Thing:
    """The thing drawn through a window about a draft of it."""
    window, shares = around(draft)
    logits, quality = eye.draw(see(frame, window), told(shares))
    logits = tidied(reaching(logits, window, (frame.shape[0], frame.shape[1])))
    return replace(thing, seen=Seen(window, probability(logits).astype(np.float32)), logits=logits, quality=quality)


def contrast(values: Float, cells: Float) -> float:
    """Mean evidence (n, n) on a mask less that beside it; cells: shares (n, n) that the mask covers."""
    inside, outside = float(cells.sum()), float((1 - cells).sum())
    on, beside = float((values * cells).sum()), float((values * (1 - cells)).sum())
    return on / max(inside, 1e-6) - beside / max(outside, 1e-6)


def kept(thing: Thing, found: Thing) -> Thing:
    """What was found, if it is the thing; else the thing where it was last, lost for one frame more."""
    if not itself(found):
        return replace(thing, lost=thing.lost + 1)
    found = replace(found, area=0.9 * thing.area + 0.1 * found.seen.area, lost=0)
    return found if found.quality < LEARNT or found.last is None else learnt(found, found.last)


def learnt(found: Thing, view: Memory) -> Thing:
    """A thing that was drawn well, with this view of it remembered."""
    usual = found.usual or found.likeness
    usual = 0.9 * usual + 0.1 * max(found.likeness, usual / 2)
    views = found.views + 1
    view = Memory(view.thing[::THIN], view.around[::THIN])
    recent = found.recent if views % EVERY else (*found.recent, view)[-RECENT:]
    return replace(found, usual=usual, views=views, recent=recent)


def itself(found: Thing) -> bool:
    """Whether a drawing shows the thing."""
    if found.seen.box is None or found.quality < POOR or found.likeness < min(ALIKE, USUAL * found.usual):
        return False
    return found.seen.area >= SHRUNK * found.area


def view(frame: UInt8, seen: Seen, eye: Eye) -> Memory:
    """The memory of a thing in a frame."""
    window, shares = around(seen)
    return remember(eye.look(see(frame, window)), coarse(shares))


def around(seen: Seen) -> tuple[Window, Float]:
    """The window about a mask, and its shares (SIZE / 2, SIZE / 2) there."""
    box = seen.box
    window = seen.window if box is None else about(box, CONTEXT, (SIZE,))
    return window, seen.through(window, SIZE // m.CELL)


def told(shares: Float) -> Float:
    """The prompt maps of a given mask."""
    maps = m.empty(SIZE)
    m.put_mask(maps, shares)
    return maps


def within(seen: Seen, window: Window) -> Float:
    """The shares of a mask on a window, on the grid of features."""
    return coarse(seen.through(window, SIZE // m.CELL))


def coarse(shares: Float) -> Float:
    """Shares on the grid of features."""
    n = len(shares) * m.CELL // CELL
    return np.asarray(cv2.resize(shares, (n, n), interpolation=cv2.INTER_AREA), np.float32)
