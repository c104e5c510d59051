"""One crop with the mask of one thing in it: cut from a photo, or made of cut-outs on one.

Enters: `AnnotatedPhoto`s, `Cutout`s, backgrounds and a random generator. Leaves: a `Scene`, for `prompts`.

Whatever is pasted hides what lies beneath it, in the picture and in the masks: a thing's mask is what is seen of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.refine.crop import SHARP, look
from fastsam.training.data import AnnotatedPhoto, Cutout, Region

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
LEAST_PIXELS = 24  # crop pixels of a thing that can be learnt
LEAST_VISIBLE = 0.45  # share of a thing that must be seen


@dataclass(frozen=True)
class Policy:
    """How scenes are made. Probabilities 0..1.

    pasted: that the thing is a cut-out on a photo, not drawn in one; cut: that such a cut-out comes from a photo's mask
    hidden: that other things are pasted upon a drawn one
    rotate: that the crop is turned, by a dozen degrees or so; colour: strength of changes of colour
    blur: that the crop loses detail, as small things have lost it; motion: that it is blurred along a line
    twins: that a second copy of a pasted thing lies beside it
    pairs: that two things which touch are meant together, as a rider and a horse are by a box about both
    context: range of the crop's side over the thing's longer side; around: the same for a click alone, which says
    nothing of how far the thing reaches: it may be a speck in the crop, or reach beyond it
    """

    pasted: float = 0.4
    cut: float = 0.3
    hidden: float = 0.3
    rotate: float = 0.4
    colour: float = 0.4
    blur: float = 0.3
    context: tuple[float, float] = (1.15, 2.2)
    around: tuple[float, float] = (0.55, 7.0)
    motion: float = 0.0
    twins: float = 0.0
    pairs: float = 0.0


@dataclass(frozen=True)
class Scene:
    """A crop with one thing.

    pixels: (S, S, 3) uint8 RGB; mask: (S, S) uint8 0..255 of the thing; other: of a neighbour, or None
    click: x, y in crop pixels where a click alone falls; None if the crop was not made for one
    beyond: pixels of the thing that lie outside the crop, in crop pixels
    before: (S, S) uint8 0..255 of the thing without what hides it, if that is known
    """

    pixels: UInt8
    mask: UInt8
    other: UInt8 | None
    click: tuple[float, float] | None = None
    beyond: float = 0.0
    before: UInt8 | None = None


@dataclass(frozen=True)
class Material:
    """What scenes are made of.

    photos: with regions; backgrounds: without
    regions: (R, 2) photo and region of each that can be learnt, drawn with `chances` (R,)
    """

    photos: Sequence[AnnotatedPhoto]
    cutouts: Sequence[Cutout]
    backgrounds: Sequence[UInt8]
    regions: npt.NDArray[np.int64]
    chances: npt.NDArray[np.float64] = field(repr=False)


def material(
    photos: Sequence[AnnotatedPhoto], cutouts: Sequence[Cutout], backgrounds: Sequence[UInt8], weights: dict[str, float]
) -> Material:
    """What scenes are made of; `weights`: how often a set's regions are drawn in all, against 1.

    Within a set photos are drawn alike, within a photo larger regions more often than small ones. A weight may name a
    set or the beginning of its photos' names (`misc-clean/facade`); the longest that fits counts.
    """
    found: list[tuple[int, int]] = []
    chances: list[float] = []
    groups: dict[str, list[int]] = {}
    for k, photo in enumerate(photos):
        groups.setdefault(group_of(photo.name, weights), []).append(k)
    for name, members in groups.items():
        share = weights.get(name, 1.0) / len(members)
        for k in members:
            good = [j for j, r in enumerate(photos[k].regions) if not r.ignored and min(r.shape) >= 5]
            sizes = np.array([max(photos[k].regions[j].shape) for j in good], np.float64)
            own = np.sqrt(sizes) * [photos[k].regions[j].weight for j in good]
            found += [(k, j) for j in good]
            chances += list(share * own / own.sum()) if len(good) else []
    if not found:
        raise ValueError("no region is large enough to learn from: name other sets")
    values = np.array(chances)
    return Material(photos, cutouts, backgrounds, np.array(found), values / values.sum())


def group_of(name: str, weights: dict[str, float]) -> str:
    """The entry of `weights` that a photo `set/name-1.webp` falls under, `set` or `set/name`; else its set."""
    fitting = [key for key in weights if f"{name}/".startswith((f"{key}/", f"{key}-"))]
    return max(fitting, key=len, default=name.split("/")[0])


def draw(source: Material, size: int, clicked: bool, policy: Policy, rng: np.random.Generator) -> Scene:
    """A scene of `size` pixels; `clicked`: for a click alone, about which the crop lies."""
    while True:
        pasted = len(source.cutouts) and rng.random() < policy.pasted
        scene = (compose if pasted else from_photo)(source, size, clicked, policy, rng)
        if scene is not None and int((scene.mask > 127).sum()) >= LEAST_PIXELS:
            return replace(scene, pixels=degrade(scene.pixels, policy, rng))


def context_of(clicked: bool, policy: Policy, rng: np.random.Generator) -> float:
    """The crop's side over the thing's longer side."""
    low, high = policy.around if clicked else policy.context
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def astray(size: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """How far a click lies from the middle of the crop about it: far only where a photo ends."""
    return np.asarray(rng.uniform(-1, 1, 2) * size * (0.42 if rng.random() < 0.3 else 0.06))


def inner_point(mask: UInt8, rng: np.random.Generator) -> tuple[float, float]:
    """A pixel of a mask (S, S) uint8, at its own centre half the time, else anywhere not too near its edge."""
    on = np.pad((mask > 127).astype(np.uint8), 1)
    depth = cv2.distanceTransform(on, cv2.DIST_L2, 3)[1:-1, 1:-1]
    deepest = float(depth.max())
    least = deepest * (0.9 if rng.random() < 0.5 else 0.3)
    ys, xs = np.nonzero(depth >= max(least, 1e-6))
    k = int(rng.integers(len(xs)))
    return float(xs[k]) + 0.5, float(ys[k]) + 0.5


def held(mask: UInt8, click: tuple[float, float] | None) -> bool:
    """Whether a click, if there is one, lies in the crop and on the mask."""
    if click is None:
        return True
    x, y = int(np.floor(click[0])), int(np.floor(click[1]))
    return 0 <= x < mask.shape[1] and 0 <= y < mask.shape[0] and bool(mask[y, x] > 127)


def from_photo(source: Material, size: int, clicked: bool, policy: Policy, rng: np.random.Generator) -> Scene | None:
    """A drawn region, seen through a window about it."""
    k, j = source.regions[rng.choice(len(source.regions), p=source.chances)]
    photo = source.photos[k]
    target = photo.regions[j]
    if not clicked and policy.pairs > 0 and rng.random() < policy.pairs:
        target = with_neighbour(photo, target, rng)
    (x, y), (h, w) = target.offset, target.shape
    side = max(w, h) * context_of(clicked, policy, rng)
    click = None
    if clicked:
        click = np.array([x, y]) + inner_point(target.crop(), rng)
        centre = click + astray(side, rng)
    else:
        free = np.maximum(side - np.array([w, h]), 0) / 2
        centre = np.array([x + w / 2, y + h / 2]) + rng.uniform(-0.5, 0.5, 2) * free
    matrix = window(centre, side, size, policy, rng)
    pixels = look(photo.pixels, matrix, size)
    mask = look(whole(target.crop(), target.offset, photo.pixels.shape[:2]), matrix, size)
    beyond = max(0.0, target.fill * h * w * (size / side) ** 2 - float((mask > 127).sum())) if clicked else 0.0
    place = None if click is None else on_crop(click, matrix)
    if not held(mask, place):
        return None
    others = [i for i in range(len(photo.regions)) if i != j and near(photo.regions[i], centre, side)]
    other = None
    if others:
        r = photo.regions[others[rng.integers(len(others))]]
        other = look(whole(r.crop(), r.offset, photo.pixels.shape[:2]), matrix, size)
    bare, before = mask, int((mask > 127).sum())
    if len(source.cutouts) and rng.random() < policy.hidden:
        for _ in range(rng.integers(1, 3)):
            item = choose(source, policy, rng)
            layer = laid(item, rng.uniform(0, size, 2), size * rng.uniform(0.2, 0.7), size, policy, rng)
            covered = np.minimum(mask, 255 - layer[1])
            if (covered > 127).sum() > max(LEAST_VISIBLE * before, LEAST_PIXELS) and held(covered, place):
                pixels, mask, other = blend(pixels, *layer), covered, layer[1]
    return Scene(pixels, mask, other, place, beyond, bare)


def with_neighbour(photo: AnnotatedPhoto, target: Region, rng: np.random.Generator) -> Region:
    """A region and one that touches it, as one; the region alone if nothing of a like size does."""
    (x, y), (h, w) = target.offset, target.shape
    size = photo.pixels.shape[:2]
    own = whole(target.crop(), target.offset, size) > 127
    rim = cv2.dilate(own.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    partners = []
    for region in photo.regions:
        (u, v), (high, wide) = region.offset, region.shape
        meets = u <= x + w and v <= y + h and u + wide >= x and v + high >= y
        if region is target or region.ignored or not meets:
            continue
        mask = whole(region.crop(), region.offset, size) > 127
        like = 0.15 * own.sum() < mask.sum() < 6 * own.sum()
        if like and (mask & rim).any() and (mask & own).sum() < 0.2 * min(mask.sum(), own.sum()):
            partners.append(mask)
    if not partners:
        return target
    both = own | partners[int(rng.integers(len(partners)))]
    ys, xs = np.flatnonzero(both.any(1)), np.flatnonzero(both.any(0))
    crop = both[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    return Region((int(xs[0]), int(ys[0])), crop.shape, np.packbits(crop, axis=1), float(crop.mean()), 1.0, False)


def on_crop(point: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64]) -> tuple[float, float]:
    """A place of the photo, in pixels of the crop that an affine map shows."""
    x, y = np.linalg.solve(matrix[:, :2], point - 0.5 - matrix[:, 2]) + 0.5
    return float(x), float(y)


def near(region: Region, centre: npt.NDArray[np.float64], side: float) -> bool:
    """Whether a region's box meets a window."""
    (x, y), (h, w) = region.offset, region.shape
    low, high = centre - side / 2, centre + side / 2
    return bool(x < high[0] and y < high[1] and x + w > low[0] and y + h > low[1])


def compose(source: Material, size: int, clicked: bool, policy: Policy, rng: np.random.Generator) -> Scene | None:
    """Cut-outs on a part of a photo; one of them is the thing."""
    pixels = ground(source, size, policy, rng)
    length = size / context_of(clicked, policy, rng)
    paired = not clicked and policy.pairs > 0 and rng.random() < policy.pairs
    length *= 0.6 if paired else 1.0  # both must fit
    item = choose(source, policy, rng)
    anchor = inner_point(np.ascontiguousarray(item[..., 3]), rng) if clicked and item[..., 3].max() > 127 else None
    away = astray(size, rng) if clicked else rng.uniform(-0.2, 0.2, 2) * (size - length)
    layers = [laid(item, size / 2 + away, length, size, policy, rng, anchor)]
    if paired:
        layers.append(beside(size / 2 + away, length, choose(source, policy, rng), size, policy, rng))
    for _ in range(rng.integers(0, 5)):
        place = rng.uniform(-0.1, 1.1, 2) * size
        layers.append(laid(choose(source, policy, rng), place, length * rng.uniform(0.4, 1.5), size, policy, rng))
    if policy.twins > 0 and rng.random() < policy.twins:
        angle, far = rng.uniform(0, 2 * np.pi), length * rng.uniform(0.5, 1.1)
        place = size / 2 + away + far * np.array([np.cos(angle), np.sin(angle)])
        layers.append(laid(item, place, length * rng.uniform(0.7, 1.3), size, policy, rng))
    order = list(rng.permutation(len(layers)))
    meant = {0, 1} if paired else {0}
    mask, whole_area, other = np.zeros((size, size), np.uint8), 0, None
    for k in order:
        colours, alpha = layers[k]
        pixels = blend(pixels, colours, alpha)
        if k in meant:
            whole_area += int((alpha > np.maximum(mask, 127)).sum())
            mask = np.maximum(mask, alpha)
        else:
            mask, other = np.minimum(mask, 255 - alpha), alpha
    click = (float(size / 2 + away[0]), float(size / 2 + away[1])) if anchor else None
    if (mask > 127).sum() < LEAST_VISIBLE * whole_area or not held(mask, click) or (clicked and click is None):
        return None
    before = np.maximum.reduce([layers[k][1] for k in meant])
    entire = float((item[..., 3] > 127).sum()) * (length / max(item.shape[:2])) ** 2
    return Scene(pixels, mask, other, click, max(0.0, entire - whole_area) if clicked else 0.0, before)


def beside(
    place: npt.NDArray[np.float64], length: float, item: UInt8, size: int, policy: Policy, rng: np.random.Generator
) -> tuple[UInt8, UInt8]:
    """A cut-out that touches the thing of `length` pixels about `place`."""
    angle, far = rng.uniform(0, 2 * np.pi), length * rng.uniform(0.25, 0.55)
    there = place + far * np.array([np.cos(angle), np.sin(angle)])
    return laid(item, there, length * rng.uniform(0.4, 1.1), size, policy, rng)


def ground(source: Material, size: int, policy: Policy, rng: np.random.Generator) -> UInt8:
    """A part of a photo or of a background to paste upon."""
    n = len(source.photos) + len(source.backgrounds)
    k = int(rng.integers(n))
    picture = source.photos[k].pixels if k < len(source.photos) else source.backgrounds[k - len(source.photos)]
    h, w = picture.shape[:2]
    side = min(h, w) * rng.uniform(0.35, 1.0)
    centre = np.array([rng.uniform(side / 2, w - side / 2), rng.uniform(side / 2, h - side / 2)])
    return look(picture, window(centre, side, size, policy, rng), size)


def choose(source: Material, policy: Policy, rng: np.random.Generator) -> UInt8:
    """An RGBA cut-out: from the folders, or cut along a drawn region."""
    if rng.random() >= policy.cut:
        return source.cutouts[int(rng.integers(len(source.cutouts)))].pixels
    for _ in range(8):
        k, j = source.regions[rng.choice(len(source.regions), p=source.chances)]
        region = source.photos[k].regions[j]
        if min(region.shape) >= 32 and region.fill > 0.25:
            (x, y), (h, w) = region.offset, region.shape
            alpha = cv2.GaussianBlur(region.crop(), (3, 3), 0)
            return np.asarray(np.dstack((source.photos[k].pixels[y : y + h, x : x + w], alpha)), np.uint8)
    return source.cutouts[int(rng.integers(len(source.cutouts)))].pixels


def laid(
    item: UInt8,
    place: npt.NDArray[np.float64],
    length: float,
    size: int,
    policy: Policy,
    rng: np.random.Generator,
    anchor: tuple[float, float] | None = None,
) -> tuple[UInt8, UInt8]:
    """A cut-out's colours (S, S, 3) and alpha (S, S), its longer side `length` pixels.

    anchor: what of it, in its own pixels, lies at `place`; its middle by default
    """
    h, w = item.shape[:2]
    shares = np.array([0.5, 0.5]) if anchor is None else np.array(anchor) / (w, h)
    scale = length / max(h, w)
    if scale < 1 / SHARP:
        item = cv2.resize(item, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=cv2.INTER_AREA)
        h, w = item.shape[:2]
        scale = length / max(h, w)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    angle = rng.normal(0, 0.25) if rng.random() < policy.rotate else 0.0
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[c * flip, -s], [s * flip, c]])
    shift = place - linear @ (shares * (w, h) - 0.5) - 0.5
    matrix = np.hstack((linear, shift[:, None]))
    drawn = cv2.warpAffine(item, matrix, (size, size), flags=cv2.INTER_LINEAR)
    colours = tint(drawn[..., :3], policy.colour * 0.7, rng)
    return colours, np.ascontiguousarray(drawn[..., 3])


def blend(pixels: UInt8, colours: UInt8, alpha: UInt8) -> UInt8:
    """Colours over pixels by alpha."""
    share = alpha[..., None].astype(np.float32) / 255
    return np.asarray(pixels + (colours.astype(np.float32) - pixels) * share + 0.5, np.uint8)


def window(
    centre: npt.NDArray[np.float64], side: float, size: int, policy: Policy, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """The affine map (2, 3) from crop pixels to photo pixels; sometimes turned, half the time mirrored."""
    scale = side / size
    angle = rng.normal(0, 0.2) if rng.random() < policy.rotate else 0.0
    flip = -1.0 if rng.random() < 0.5 else 1.0
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[c * flip, -s], [s * flip, c]])
    return np.hstack((linear, (centre - 0.5 - linear @ np.full(2, size / 2 - 0.5))[:, None]))


def whole(crop: UInt8, offset: tuple[int, int], size: tuple[int, int]) -> UInt8:
    """A region's crop on an empty photo."""
    canvas = np.zeros(size, np.uint8)
    x, y = offset
    canvas[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    return canvas


def tint(pixels: UInt8, strength: float, rng: np.random.Generator) -> UInt8:
    """Other brightness, contrast, saturation and tint; none if `strength` is 0."""
    if strength == 0:
        return pixels
    gain = 1 + strength * rng.uniform(-1, 1)
    grey = 1 + strength * rng.uniform(-1, 1) if rng.random() < 0.96 else 0.0
    luma = np.tile(np.array([0.299, 0.587, 0.114]) * (1 - grey), (3, 1))
    mix = (np.eye(3) * grey + luma) * gain * (1 + 0.3 * strength * rng.uniform(-1, 1, (3, 1)))
    shift = 128 * (1 - gain) + 90 * strength * rng.uniform(-1, 1)
    return np.asarray(cv2.transform(pixels, np.hstack((mix, np.full((3, 1), shift)))), np.uint8)


def degrade(pixels: UInt8, policy: Policy, rng: np.random.Generator) -> UInt8:
    """Other colours, less detail, noise."""
    pixels = tint(pixels, policy.colour, rng)
    if rng.random() < policy.blur:
        size = pixels.shape[0]
        small = max(16, round(size * rng.uniform(0.25, 0.8)))
        pixels = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
        pixels = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < policy.blur:
        noise = rng.normal(0, rng.uniform(2, 12), (*pixels.shape[:2], 1))
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if policy.motion > 0 and rng.random() < policy.motion:
        pixels = smeared(pixels, rng.uniform(2, pixels.shape[0] / 12), rng.uniform(0, np.pi))
    return np.asarray(pixels, np.uint8)


def smeared(pixels: UInt8, length: float, angle: float) -> UInt8:
    """Pixels blurred along a line of `length` pixels, as by motion while a frame was taken."""
    side = 2 * int(np.ceil(length / 2)) + 1
    half = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    kernel = np.zeros((side, side), np.float32)
    for share in np.linspace(-1, 1, 4 * side):
        x, y = np.rint(side // 2 + share * half).astype(int)
        kernel[y, x] += 1
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)
