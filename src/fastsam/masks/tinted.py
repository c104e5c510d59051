"""A photo with its masks tinted and outlined: the one rule of colours for pictures, thumbnails and `compat`.

Enters: pixels and a label map. Leaves: a picture.

The rule. The more of the picture a region shows, and the more of the frame it holds, the paler its colour and the
fainter its tint: ground stays calm, things stand out. From the largest to the smallest, a region takes a colour that is
unlike all its neighbours' and stands off from what the photo shows there; of several such, the one that the fewest
have. Where two regions meet, the smaller one has the line; what is too narrow to have an inside has none.
"""

from collections import defaultdict

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]
Float = npt.NDArray[np.float32]
TINT = 0.5  # of a small region
PALE = 0.3  # what a region that fills the picture keeps of colour and tint
OUT = 0.7  # what a region keeps at least that stands out
SMALL, LARGE = 0.01, 0.3  # shares of the picture up to which a region has its full colour, from which on it is pale
HELD = 0.1  # share of the frame from which on a region counts in full
WITHIN = 0.2  # what the size of a region that does not touch the frame counts
CHROMA = 62.0  # of CIELAB, of a small region
LIGHTS = (68.0, 82.0, 55.0)  # of CIELAB
CHOICE = 60  # colours among which regions choose
UNLIKE = 32.0  # least distance in CIELAB of neighbours' colours, if there is a choice
NEAR = 1 / 150  # of the longer side: regions with no wider gap between them are neighbours
GOLDEN = 0.61803398875  # of a turn: hues that far apart are spread evenly, however many there are


def draw_labels(
    photo: UInt8,
    labels: Labels,
    outlines: bool = True,
    colours: UInt8 | None = None,
    tint: bool = True,
    strong: Float | None = None,
) -> UInt8:
    """The photo (H, W, 3) RGB with each label (H, W) above 0 tinted in its colour, and outlined in a lighter one.

    colours: (labels + 1, 3), chosen by the rule if it is None; tint: False draws outlines alone, in full colour
    strong: (labels + 1,) 0..1 how much each keeps of colour and tint, by the rule if it is None
    """
    last = int(labels.max(initial=0)) if colours is None else len(colours) - 1
    strong = strength(labels, last) if strong is None else strong
    colours = choose(labels, last, photo, strong) if colours is None else colours
    picture = blend(photo, labels, colours, TINT * strong) if tint else photo.copy()
    if not outlines:
        return picture
    thick = max(1, round(max(photo.shape) / 1500)) * (1 if tint else 2)
    edge = lines(labels, thick)
    own = labels[edge]
    pure = colours.astype(np.float32)
    if tint:
        pure += (255 - pure) / 2
    opaque = (0.2 + 0.6 * strong if tint else np.ones_like(strong))[own, None]
    picture[edge] = np.round(picture[edge] * (1 - opaque) + pure[own] * opaque)
    return picture


def blend(photo: UInt8, labels: Labels, colours: UInt8, opaque: Float) -> UInt8:
    """The photo with each label's colour on it, as opaque (labels + 1,) as is said."""
    weights = np.round(256 * opaque).astype(np.uint16)
    weights[0] = 0
    added = colours.astype(np.uint16) * weights[:, None]
    return ((photo * (256 - weights)[labels][..., None] + added[labels]) >> 8).astype(np.uint8)


def strength(labels: Labels, last: int) -> Float:
    """(last + 1,) 1 for a small region, down to `PALE` for a large one and for one that holds much of the frame."""
    frame = np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))
    share = np.bincount(labels.reshape(-1), minlength=last + 1) / max(1, labels.size)
    held = np.bincount(frame, minlength=last + 1) / max(1, len(frame))
    size = share * (WITHIN + (1 - WITHIN) * np.minimum(1, held / HELD))
    pale = np.clip(np.log(np.maximum(size, 1e-9) / SMALL) / np.log(LARGE / SMALL), 0, 1)
    return np.asarray(1 - (1 - PALE) * pale, np.float32)


def standing(strong: Float, out: npt.NDArray[np.bool_]) -> Float:
    """What regions keep (last + 1,) if some stand out: those at least `OUT`, the others `PALE`."""
    kept: Float = np.where(out, np.maximum(strong, OUT), PALE).astype(np.float32)
    return kept


def choose(labels: Labels, last: int, photo: UInt8 | None = None, strong: Float | None = None) -> UInt8:
    """(last + 1, 3) RGB: a colour for each label, unlike its neighbours' and the photo's (H, W, 3) there, 0 black.

    strong: (last + 1,) how much of its chroma each keeps
    """
    strong = strength(labels, last) if strong is None else strong
    near, areas = neighbours(labels), np.bincount(labels.reshape(-1), minlength=last + 1)
    beneath = None if photo is None else means(photo, labels, last)
    chosen, every = np.zeros((last + 1, 3), np.float32), lab(CHOICE)
    used, given = np.zeros(CHOICE), np.zeros(last + 1, bool)
    for label in (1 + np.argsort(-areas[1:], kind="stable")).tolist():
        own = shown(every * np.array([1, strong[label], strong[label]], np.float32))
        others = chosen[[other for other in near[label] if given[other]]]
        away = np.linalg.norm(own[:, None] - others, axis=2).min(1, initial=UNLIKE)
        plain = np.zeros(CHOICE) if beneath is None else np.linalg.norm(own - beneath[label], axis=1)
        best = int(np.lexsort((used, -np.minimum(plain // (UNLIKE / 2), 4), -np.floor(away)))[0])
        chosen[label], given[label] = own[best], True
        used[best] += 1
    return rgb(chosen)


def means(photo: UInt8, labels: Labels, last: int) -> Float:
    """(last + 1, 3) the mean colour in CIELAB of the photo under each label."""
    step = max(1, max(labels.shape) // 500)
    flat = labels[::step, ::step].reshape(-1)
    seen = photo[::step, ::step].reshape(-1, 3)
    count = np.maximum(np.bincount(flat, minlength=last + 1), 1)
    mean = np.stack([np.bincount(flat, seen[:, k], last + 1) / count for k in range(3)], 1)
    return np.asarray(cv2.cvtColor((mean[None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)[0])


def neighbours(labels: Labels) -> dict[int, set[int]]:
    """For each label above 0 those that touch it, or lie just across a gap, above, below or beside it."""
    far = max(2, round(NEAR * max(labels.shape)))
    found: dict[int, set[int]] = defaultdict(set)
    last = int(labels.max(initial=0))
    for step in (1, far):
        for one, other in ((labels[:, :-step], labels[:, step:]), (labels[:-step], labels[step:])):
            meet = (one != other) & (one > 0) & (other > 0)
            for pair in np.unique(one[meet].astype(np.int64) * (last + 1) + other[meet]).tolist():
                a, b = divmod(pair, last + 1)
                found[a].add(b)
                found[b].add(a)
    return found


def borders(labels: Labels) -> npt.NDArray[np.bool_]:
    """(H, W) True where a labelled pixel has another label, or none, beside, above or below it."""
    across, down = labels[:, :-1] != labels[:, 1:], labels[:-1] != labels[1:]
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] |= across
    edge[:, 1:] |= across
    edge[:-1] |= down
    edge[1:] |= down
    return edge & (labels > 0)


def lines(labels: Labels, thick: int) -> npt.NDArray[np.bool_]:
    """(H, W) True on the outlines: `thick` pixels along the borders of each region, within it.

    Where two regions meet only the smaller one has a line; specks and slivers have none.
    """
    areas = np.bincount(labels.reshape(-1), minlength=int(labels.max(initial=0)) + 1)
    areas[0] = labels.size + 1
    rank = np.empty(len(areas), np.int32)
    rank[np.argsort(-areas, kind="stable")] = np.arange(len(areas))
    height = rank[labels].astype(np.float32)  # the smaller a region, the higher it lies; the ground has 0
    square = np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    edge = cv2.erode(height, square, borderType=cv2.BORDER_REPLICATE) < height
    inside = (~borders(labels) & (labels > 0)).astype(np.uint8)
    core = cv2.erode(inside, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    wide = cv2.dilate(height * core, np.ones((2 * thick + 5, 2 * thick + 5), np.uint8)) >= height
    return np.asarray(edge & wide)


def palette(n: int) -> UInt8:
    """(n + 1, 3) RGB colours for n kinds of things, 0 black: hues a golden angle apart, of three lightnesses."""
    return rgb(np.concatenate((np.zeros((1, 3), np.float32), lab(n))))


def by_id(ids: npt.NDArray[np.int64]) -> UInt8:
    """(N + 1, 3) RGB: the colour of each id (N,) from 1, the same in every frame of a video, after black."""
    colours = palette(CHOICE)
    return np.concatenate((colours[:1], colours[1 + (ids - 1) % CHOICE]))


def lab(n: int) -> Float:
    """(n, 3) the same colours in CIELAB."""
    steps = np.arange(n)
    turn = 2 * np.pi * GOLDEN * steps
    light = np.array(LIGHTS)[steps % len(LIGHTS)]
    return np.stack((light, CHROMA * np.cos(turn), CHROMA * np.sin(turn)), 1).astype(np.float32)


def shown(colours: Float) -> Float:
    """What a screen shows of CIELAB (K, 3), in CIELAB."""
    return np.asarray(cv2.cvtColor((rgb(colours)[None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)[0])


def rgb(colours: Float) -> UInt8:
    """CIELAB (K, 3) as RGB uint8."""
    found = cv2.cvtColor(colours[None], cv2.COLOR_Lab2RGB)[0] if len(colours) else colours
    return np.round(255 * np.clip(found, 0, 1)).astype(np.uint8)
