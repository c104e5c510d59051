"""Renders short sequences with exact masks, on which following is developed: `python scripts/render_sequences.py OUT`.

Objects are cut-outs and drawn objects of photos that no run is trained on. They move, turn, bend and grow over a photo
that a hand-held camera sees; others of their kind cross their way; light changes, motion blurs.
`fastsam eval follow OUT` reads what this writes: a folder per sequence with 00000.webp, 00000.png and so on.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fastsam.training.data import load_set, read_holdout

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("FASTSAM_DATA", "../shared")) / "data"
SIZE = (640, 360)  # width and height of a frame
SETS = ("coco", "coco-full", "misc-clean", "ecssd", "horses", "vggiseg", "voc", "underwater", "tabletop")
EXPOSED = (-0.25, 0.0, 0.25)  # moments of a frame that are averaged; its mask is that of the middle one


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("out", type=Path)
    words.add_argument("--sequences", type=int, default=24)
    words.add_argument("--frames", type=int, default=40)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--clean", action="store_true", help="cut-outs and backgrounds that may be shown anywhere alone")
    given = words.parse_args()
    objects, grounds = cut_outs() if given.clean else cut_outs() + drawn(), backgrounds(given.clean)
    for k in range(given.sequences):
        rng = np.random.default_rng((given.seed, k))
        folder = given.out / f"rendered-{k:02}"
        folder.mkdir(parents=True, exist_ok=True)
        scene = Scene.draw(objects, grounds, given.frames, rng)
        for t in range(given.frames):
            pixels, mask = scene.frame(t, rng)
            quality = [cv2.IMWRITE_WEBP_QUALITY, int(scene.quality)]
            cv2.imwrite(str(folder / f"{t:05}.webp"), pixels[..., ::-1], quality)
            cv2.imwrite(str(folder / f"{t:05}.png"), mask * np.uint8(255), [cv2.IMWRITE_PNG_BILEVEL, 1])


def cut_outs() -> list[np.ndarray]:
    """Photographic and rendered objects, RGBA, in two halves of the list."""
    index = json.loads((DATA / "cutouts" / "index.json").read_text())
    names = [row["file"] for row in index if row["file"].startswith(("scans", "sweethome3d", "kenney"))]
    read = (cv2.imread(str(DATA / "cutouts" / name), cv2.IMREAD_UNCHANGED) for name in names[::6])
    found = [cv2.cvtColor(p, cv2.COLOR_BGRA2RGBA) for p in read if p is not None and p.ndim == 3 and p.shape[2] == 4]
    return [item for item in found if min(item.shape[:2]) > 60]


def drawn() -> list[np.ndarray]:
    """Objects of held-out training photos, cut along their drawn masks, RGBA."""
    holdout, found = read_holdout(ROOT / "configs" / "dev-split.txt"), []
    for photo in (p for name in SETS for p in load_set(DATA / "train" / name) if p.name in holdout):
        for r in photo.regions:
            (x, y), (h, w) = r.offset, r.shape
            whole = x > 1 and y > 1 and x + w < photo.pixels.shape[1] - 1 and y + h < photo.pixels.shape[0] - 1
            if whole and not r.ignored and r.weight == 1 and max(h, w) > 90 and min(h, w) > 40 and r.fill > 0.3:
                alpha = cv2.GaussianBlur(cv2.erode(r.crop(), np.ones((3, 3))), (3, 3), 0)
                found.append(np.dstack((photo.pixels[y : y + h, x : x + w], alpha)))
    return found


def backgrounds(clean: bool) -> list[np.ndarray]:
    names = ("budgie-[b-z]*", "kodak-*", "pop-*", "lomiri16-*", "mdn-*", "sklearn-*", "skimage-coffee*")
    files = [f for name in names for f in sorted((DATA / "backgrounds").glob(f"{name}.webp"))]
    found = [cv2.imread(str(f))[..., ::-1] for f in files]
    if not clean:
        holdout = read_holdout(ROOT / "configs" / "dev-split.txt")
        photos = [p for name in ("coco-full", "ade", "scenes", "coco-street") for p in load_set(DATA / "train" / name)]
        found += [p.pixels for p in photos if p.name in holdout]
    return found


@dataclass(frozen=True)
class Wave:
    """A smooth function of time around 0: two sines for each of its dimensions."""

    heights: np.ndarray
    rates: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, size: float, dimensions: int, rng: np.random.Generator, fast: float = 1.0) -> "Wave":
        shape = (2, dimensions)
        heights = rng.normal(0, size, shape) * [[1.0], [0.3]]
        return cls(heights, rng.uniform(0.02, 0.12, shape) * fast * [[1.0], [2.5]], rng.uniform(0, 6.28, shape))

    def at(self, t: float) -> np.ndarray:
        return (self.heights * np.sin(self.rates * t + self.phases)).sum(0)


@dataclass(frozen=True)
class Thing:
    """An object: its picture RGBA, where it is, and how it changes.

    start: place in the first frame, in pixels of the frame; speed: pixels a frame; length: of its longer side
    """

    item: np.ndarray
    start: np.ndarray
    speed: np.ndarray
    length: float
    sway: Wave
    angle: Wave
    growth: Wave
    squeeze: Wave
    bends: Wave
    swing: Wave
    hinge: np.ndarray

    @classmethod
    def draw(
        cls, item: np.ndarray, start: np.ndarray, speed: np.ndarray, length: float, rng: np.random.Generator
    ) -> "Thing":
        lively = rng.uniform(0.3, 1.5)
        return cls(
            item, start, speed, length,
            sway=Wave.draw(18 * lively, 2, rng, 2), angle=Wave.draw(0.18 * lively, 1, rng),
            growth=Wave.draw(0.2 * lively, 1, rng), squeeze=Wave.draw(0.55 * lively, 1, rng),
            bends=Wave.draw(0.035 * lively, 8, rng, 2), swing=Wave.draw(0.35 * lively, 1, rng, 2.5),
            hinge=rng.uniform(0, 6.28, 1),
        )  # fmt: skip

    def place(self, t: float) -> np.ndarray:
        return self.start + self.speed * t + self.sway.at(t) - self.sway.at(0)

    def seen(self, t: float, camera: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray]:
        """The part of the frame that shows it, and how, (h, w, 4) float32. camera: (2, 3) from places to pixels"""
        h, w = self.item.shape[:2]
        scale = self.length / max(h, w) * float(np.exp(self.growth.at(t)[0] - self.growth.at(0)[0]))
        turn = float(self.angle.at(t)[0])
        c, s = np.cos(turn), np.sin(turn)
        flat = max(0.35, float(np.cos(self.squeeze.at(t)[0] - self.squeeze.at(0)[0])))
        linear = camera[:, :2] @ np.array([[c, -s], [s, c]]) @ np.diag([flat, 1.0]) * scale
        centre = camera[:, :2] @ self.place(t) + camera[:, 2]
        reach = 0.8 * float(np.abs(linear).sum(1).max()) * max(h, w)
        (x0, y0), (x1, y1) = np.clip(centre - reach, 0, SIZE).astype(int), np.clip(centre + reach, 0, SIZE).astype(int)
        if x0 >= x1 or y0 >= y1:
            return (slice(0), slice(0)), np.zeros((0, 0, 4), np.float32)
        places = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), -1).astype(np.float32)
        own = (places - np.float32(centre)) @ np.linalg.inv(linear).T.astype(np.float32)  # from the item's middle
        size = max(h, w)
        u = own / size
        d = np.array([np.cos(self.hinge[0]), np.sin(self.hinge[0])], np.float32)
        far = np.clip((u @ d - 0.05) / 0.25, 0, 1)
        bend = np.float32(self.swing.at(t)[0]) * far * far * (3 - 2 * far)
        c, s = np.cos(bend), np.sin(bend)
        pivot = 0.05 * d
        v = u - pivot
        u = np.stack((v[..., 0] * c - v[..., 1] * s, v[..., 0] * s + v[..., 1] * c), -1) + pivot
        b = np.float32(self.bends.at(t))
        ripple = [
            b[4 * k] * np.sin(7 * u[..., 0] + 81 * b[4 * k + 1])
            + b[4 * k + 2] * np.sin(6 * u[..., 1] + 40 * b[4 * k + 3])
            for k in (0, 1)
        ]
        at = ((u + np.stack(ripple, -1)) * size + np.array([w, h], np.float32) / 2 - 0.5).astype(np.float32)
        shown = cv2.remap(self.item, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0))
        return (slice(y0, y1), slice(x0, x1)), shown.astype(np.float32)


@dataclass(frozen=True)
class Scene:
    """Things over a ground, the followed one first; `order` says which is painted when."""

    ground: np.ndarray
    things: list[Thing]
    order: list[int]
    pan: Wave
    shake: float
    zoom: Wave
    light: Wave
    noise: float
    quality: float

    @classmethod
    def draw(cls, objects: list, grounds: list, frames: int, rng: np.random.Generator) -> "Scene":
        ground = grounds[rng.integers(len(grounds))]
        fit = 1.5 * max(SIZE[0] / ground.shape[1], SIZE[1] / ground.shape[0])
        ground = cv2.resize(ground, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA if fit < 1 else cv2.INTER_CUBIC)
        length = rng.uniform(70, 280)
        start = np.array([rng.uniform(0.25, 0.75) * SIZE[0], rng.uniform(0.3, 0.7) * SIZE[1]])
        goal = np.array([rng.uniform(0.2, 0.8) * SIZE[0], rng.uniform(0.3, 0.7) * SIZE[1]])
        item = blended(objects[rng.integers(len(objects))], ground, rng)
        main = Thing.draw(item, start, (goal - start) / frames, length, rng)
        things = [main]
        for k in range(int(rng.integers(1, 5))):
            like = item if k == 0 and rng.random() < 0.4 else objects[rng.integers(len(objects))]
            t = rng.uniform(0.3, 1) * frames  # when it meets the main one, more or less
            speed = rng.normal(0, 5, 2)
            met = main.place(t) + rng.normal(0, 0.4 * length, 2)
            things.append(Thing.draw(like, met - speed * t, speed, length * rng.uniform(0.4, 1.2), rng))
        order = [int(k) for k in rng.permutation(len(things))]
        return cls(
            ground, things, order,
            pan=Wave.draw(45 * rng.uniform(0, 1.5), 2, rng), shake=rng.choice([0, 0, 1.5, 4.0]),
            zoom=Wave.draw(0.06, 1, rng), light=Wave.draw(0.15 * rng.uniform(0, 1.5), 4, rng),
            noise=rng.uniform(0, 6), quality=rng.uniform(40, 95),
        )  # fmt: skip

    def camera(self, t: float, jerk: np.ndarray) -> np.ndarray:
        scale = float(np.exp(self.zoom.at(t)[0] - self.zoom.at(0)[0]))
        middle = np.array(SIZE) / 2
        shift = middle - scale * middle + self.pan.at(t) - self.pan.at(0) + jerk
        return np.hstack((np.eye(2) * scale, shift[:, None]))

    def frame(self, t: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (H, W, 3) uint8 and the followed thing's mask (H, W) 0 or 1."""
        jerk, colours, mask = rng.normal(0, 1, 2) * self.shake, [], None
        for moment in EXPOSED:
            camera = self.camera(t + moment, jerk * (1 + moment))
            h, w = self.ground.shape[:2]
            under = camera.copy()
            under[:, 2] -= camera[:, :2] @ ((np.array([w, h]) - SIZE) / 2)
            pixels = cv2.warpAffine(self.ground, under, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            pixels, left = pixels.astype(np.float32), np.zeros(SIZE[::-1], np.float32)
            for k in self.order:
                where, layer = self.things[k].seen(t + moment, camera)
                share = layer[..., 3:] / 255
                pixels[where] += (layer[..., :3] - pixels[where]) * share
                left[where] = share[..., 0] if k == 0 else left[where] * (1 - share[..., 0])
            colours.append(pixels)
            mask = (left > 0.5).astype(np.uint8) if moment == 0 else mask
        gain = np.exp(self.light.at(t)) @ np.array([[1, 1, 1], [0.3, 0, 0], [0, 0.3, 0], [0, 0, 0.3]]) / 1.3
        mean = np.mean(colours, 0) * gain + rng.normal(0, self.noise, (*SIZE[::-1], 1))
        return np.clip(mean, 0, 255).astype(np.uint8), mask


def blended(item: np.ndarray, ground: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The object in colours nearer to those of the ground, as things of one photo are."""
    on = item[..., 3] > 127
    mean, spread = item[on][:, :3].mean(0), item[on][:, :3].std() + 1
    share = rng.uniform(0, 0.8)
    goal = mean + share * (ground.reshape(-1, 3).mean(0) - mean)
    factor = (ground.std() / spread) ** share
    colours = np.clip((item[..., :3] - mean) * factor + goal, 0, 255)
    return np.dstack((colours, item[..., 3])).astype(np.uint8)


if __name__ == "__main__":
    main()
