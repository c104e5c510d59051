"""Renders photos with complete, exact masks from cut-outs, textures and backgrounds whose licence is permissive.

    python scripts/render_scenes.py CUTOUTS BACKGROUNDS -o runs/scenes --scenes 3000 --photos SET... --licences "CC BY"

CUTOUTS and BACKGROUNDS are folders with an index.json ({"file", "licence", "copyleft"?, "kind"?}); copyleft files are
left out. Each scene has a ground: a wall above a floor of two textures, one texture, or a photo. Objects lie on it from
far to near, with soft shadows, and hide each other. Objects are cut-outs and the drawn objects of --photos. Scenes on
textures are complete: wall and floor are regions. What writes the set is `images/` and `instances.json` as
docs/training.md describes them, with the files that each scene was made from (`made_of`).
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.masks import rle
from fastsam.training.data import load_set, read_holdout
from fastsam.untrusted.shown import shown

UInt8 = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]

LEAST_VISIBLE = 0.2  # share of an object's pixels that must be seen for it to have a mask
LEAST_PIXELS = 40
LEAST_AREA = 1500  # pixels of an object of a photo
MOST_PER_PHOTO = 12


@dataclass(frozen=True)
class Thing:
    """An object to paste: RGB (h, w, 3), alpha 0..255 (h, w), and the file that it comes from."""

    colours: UInt8
    alpha: UInt8
    source: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cutouts", type=Path)
    parser.add_argument("backgrounds", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=3000)
    parser.add_argument("--size", type=int, default=512, help="longest side in pixels")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="sets whose drawn objects are pasted too")
    parser.add_argument("--licences", nargs="*", default=[], help="what the licence of such a photo may begin with")
    parser.add_argument("--holdout", type=Path, help="file of set/file lines to leave out")
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    held = read_holdout(wanted.holdout)
    rendered = cutouts(wanted.cutouts)
    drawn = [thing for folder in wanted.photos for thing in objects(folder, tuple(wanted.licences), held)]
    textures, photos = grounds(wanted.backgrounds)
    print(f"{len(rendered)} cut-outs, {len(drawn)} drawn objects, {len(textures)} textures, {len(photos)} photos")
    (wanted.out / "images").mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(wanted.scenes):
        rng = np.random.default_rng((wanted.seed, number))
        picture, masks, complete, made_of = scene(rng, rendered, drawn, textures, photos, wanted.size)
        name = f"{number:06d}.webp"
        cv2.imwrite(str(wanted.out / "images" / name), picture[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 85])
        height, width = picture.shape[:2]
        images.append(
            {
                "id": number,
                "file_name": name,
                "width": width,
                "height": height,
                "complete": complete,
                "made_of": made_of,
            }
        )
        for mask in masks:
            ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            box = [int(xs[0]), int(ys[0]), int(xs[-1] - xs[0] + 1), int(ys[-1] - ys[0] + 1)]
            annotations.append(
                {
                    "id": len(annotations), "image_id": number, "category_id": 1, "iscrowd": 0, "bbox": box,
                    "area": int(mask.sum()), "segmentation": rle.encode(mask),
                }
            )  # fmt: skip
        if number % 200 == 199:
            print(f"{number + 1}/{wanted.scenes} scenes, {len(annotations)} masks", flush=True)
    info = {"name": "scenes", "licence": "CC BY 4.0", "complete": False, "note": "rendered by scripts/render_scenes.py"}
    text = json.dumps(
        {"info": info, "images": images, "annotations": annotations, "categories": [{"id": 1, "name": "object"}]}
    )
    (wanted.out / "instances.json").write_text(text)


# ------------------------------------------------------------------------------------------------------ material


def cutouts(folder: Path) -> list[Thing]:
    """The cut-outs of a folder that are not copyleft."""
    found = []
    for entry in json.loads((folder / "index.json").read_text()):
        if entry["file"].startswith("copyleft"):
            continue
        picture = cv2.imread(str(folder / entry["file"]), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
            raise SystemExit(f"{shown(entry['file'])} is not a picture with alpha")
        found.append(Thing(np.ascontiguousarray(picture[..., 2::-1]), picture[..., 3], f"cutouts/{entry['file']}"))
    return found


def objects(folder: Path, licences: tuple[str, ...], held: frozenset[str]) -> list[Thing]:
    """The objects that a person drew in a set's photos, that are large enough and touch no border."""
    found = []
    for photo in load_set(folder, held, licences=licences):
        height, width = photo.pixels.shape[:2]
        for region in photo.regions[:MOST_PER_PHOTO]:
            (x, y), (h, w), mask = region.offset, region.shape, region.crop()
            inside = x > 1 and y > 1 and x + w < width - 1 and y + h < height - 1
            if region.weight < 1 or region.ignored or not inside or np.count_nonzero(mask) < LEAST_AREA:
                continue
            if cv2.connectedComponents(mask)[0] == 2:
                soft = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3), np.uint8)), (3, 3), 0.8)
                colours = np.ascontiguousarray(photo.pixels[y : y + h, x : x + w])
                found.append(Thing(colours, np.asarray(soft, np.uint8), photo.name))
    return found


def grounds(folder: Path) -> tuple[list[tuple[UInt8, str]], list[tuple[UInt8, str]]]:
    """Textures and photos that are not copyleft, RGB, with their names."""
    textures, photos = [], []
    for entry in json.loads((folder / "index.json").read_text()):
        if entry["copyleft"]:
            continue
        picture = cv2.imread(str(folder / entry["file"]))[..., ::-1]
        (textures if entry["kind"] == "texture" else photos).append((picture, f"backgrounds/{entry['file']}"))
    return textures, photos


# ------------------------------------------------------------------------------------------------------ scenes


def scene(
    rng: np.random.Generator, rendered: Sequence[Thing], drawn: Sequence[Thing],
    textures: Sequence[tuple[UInt8, str]], photos: Sequence[tuple[UInt8, str]], size: int,
) -> tuple[UInt8, list[npt.NDArray[np.bool_]], bool, list[str]]:  # fmt: skip
    """One scene: the picture RGB uint8 (H, W, 3), its masks, whether they are all, and what it is made of."""
    height, width = size, round(size * rng.choice([0.67, 0.75, 1.0]))
    if rng.random() < 0.75:
        height, width = width, height
    canvas, labels, made_of, complete = ground(rng, textures, photos, height, width)
    whole = [int(n) for n in np.bincount(labels.ravel())[1:]]
    things = int(np.clip(rng.lognormal(2.4, 0.7), 2, 50))
    crowd = rng.random() < 0.25  # many of one kind, as on a shelf
    kind = rendered[rng.integers(len(rendered))]
    bases = np.sort(rng.uniform(0.25, 1.1, things))  # from far to near
    for base in bases:
        pool = drawn if drawn and rng.random() < 0.35 else rendered
        thing = kind if crowd and rng.random() < 0.6 else pool[rng.integers(len(pool))]
        share = np.exp(rng.normal(np.log(0.09 + 0.12 * base), 0.7)) if rng.random() < 0.85 else rng.uniform(0.4, 0.9)
        colours, alpha = turned(rng, thing, float(np.clip(share, 10 / size, 1.0)) * size)
        h, w = alpha.shape
        left, top = int(width * rng.random() - w * rng.uniform(0.3, 0.7)), int(base * height - h)
        if crowd or rng.random() < 0.2:
            top = int(height * rng.random() - h * rng.uniform(0.2, 0.8))
        part = clipped(left, top, w, h, width, height)
        if part is None:
            continue
        (x0, y0, x1, y1), (u0, v0) = part
        piece, soft = colours[v0 : v0 + y1 - y0, u0 : u0 + x1 - x0], alpha[v0 : v0 + y1 - y0, u0 : u0 + x1 - x0]
        if (soft > 0.5).sum() < LEAST_PIXELS:
            continue
        if rng.random() < 0.6:
            shade(rng, canvas, alpha, left, top)
        canvas[y0:y1, x0:x1] += soft[..., None] * (piece - canvas[y0:y1, x0:x1])
        whole.append(int((soft > 0.5).sum()))
        labels[y0:y1, x0:x1][soft > 0.5] = len(whole)
        made_of.append(thing.source)
    seen = np.bincount(labels.ravel(), minlength=len(whole) + 1)[1:]
    masks = []
    for k, (now, before) in enumerate(zip(seen, whole, strict=True), 1):
        if now >= LEAST_PIXELS and now >= LEAST_VISIBLE * before:
            masks.append(labels == k)
        else:
            complete = False
    return developed(rng, canvas), masks, complete, sorted(set(made_of))


def ground(
    rng: np.random.Generator, textures: Sequence[tuple[UInt8, str]], photos: Sequence[tuple[UInt8, str]],
    height: int, width: int,
) -> tuple[Float, npt.NDArray[np.int32], list[str], bool]:  # fmt: skip
    """What everything lies on: colours float32 (H, W, 3), labels (H, W), files, and whether each pixel has a region."""
    labels = np.zeros((height, width), np.int32)
    if rng.random() < 0.4:
        picture, name = photos[rng.integers(len(photos))]
        return cropped(rng, picture, height, width), labels, [name], False
    (first, one), (second, two) = (textures[rng.integers(len(textures))] for _ in range(2))
    canvas = tiled(rng, first, height, width)
    labels[:] = 1
    if rng.random() < 0.7:
        slope = rng.normal(0, 0.08)
        border = rng.uniform(0.25, 0.75) * height + slope * (np.arange(width) - width / 2)
        below = np.arange(height)[:, None] >= border[None]
        canvas = np.where(below[..., None], tiled(rng, second, height, width), canvas)
        labels[below] = 2
        return canvas, labels, [one, two], True
    return canvas, labels, [one], True


def cropped(rng: np.random.Generator, picture: UInt8, height: int, width: int) -> Float:
    """A part of a photo, mirrored half of the time."""
    h, w = picture.shape[:2]
    scale = max(height / h, width / w) * rng.uniform(1.0, 1.5)
    large = cv2.resize(picture, (max(width, round(w * scale)), max(height, round(h * scale))))
    y, x = rng.integers(large.shape[0] - height + 1), rng.integers(large.shape[1] - width + 1)
    part = large[y : y + height, x : x + width]
    return np.array(part[:, ::-1] if rng.random() < 0.5 else part, np.float32)


def tiled(rng: np.random.Generator, texture: UInt8, height: int, width: int) -> Float:
    """A texture repeated, turned a little and lit from a side."""
    scale = rng.uniform(0.3, 1.6)
    tile = cv2.resize(texture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.choice([0, 90]) + rng.normal(0, 6), 1.0)
    spread = cv2.warpAffine(tile, turn, (width, height), borderMode=cv2.BORDER_WRAP).astype(np.float32)
    slope = rng.normal(0, 0.25, 2)
    ys, xs = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    light: Float = (rng.uniform(0.5, 1.15) + slope[0] * ys + slope[1] * xs)[..., None].astype(np.float32)
    return spread * light * rng.uniform(0.85, 1.15, 3).astype(np.float32)


def turned(rng: np.random.Generator, thing: Thing, longest: float) -> tuple[Float, Float]:
    """An object scaled, turned, mirrored and tinted: colours (h, w, 3) and alpha 0..1 (h, w)."""
    h, w = thing.alpha.shape
    scale = longest / max(h, w)
    angle = rng.normal(0, 12) if rng.random() < 0.8 else rng.uniform(0, 360)
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), angle, scale)
    wide = int(np.ceil(h * abs(turn[0, 1]) + w * abs(turn[0, 0]))) + 2
    high = int(np.ceil(h * abs(turn[0, 0]) + w * abs(turn[0, 1]))) + 2
    turn[:, 2] += (wide / 2 - w / 2, high / 2 - h / 2)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    colours = cv2.warpAffine(thing.colours, turn, (wide, high), flags=how, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(thing.alpha, turn, (wide, high), flags=how).astype(np.float32) / 255
    if rng.random() < 0.5:
        colours, alpha = colours[:, ::-1], alpha[:, ::-1]
    gain = rng.uniform(0.7, 1.15) * rng.uniform(0.9, 1.1, 3)
    return (colours * gain).astype(np.float32), np.ascontiguousarray(alpha)


def clipped(
    left: int, top: int, w: int, h: int, width: int, height: int
) -> tuple[tuple[int, int, int, int], tuple[int, int]] | None:
    """The part of a box inside the scene, and where that part begins in the box; None if nothing is inside."""
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + w), min(height, top + h)
    return None if x0 >= x1 or y0 >= y1 else ((x0, y0, x1, y1), (x0 - left, y0 - top))


def shade(rng: np.random.Generator, canvas: Float, alpha: Float, left: int, top: int) -> None:
    """Darkens the canvas by an object's soft shadow, flattened towards its foot."""
    h, w = alpha.shape
    flat = rng.uniform(0.15, 0.9)
    low = max(1, round(h * flat))
    spread = max(0.8, 0.06 * max(w, h))
    rim = int(3 * spread) + 1  # or the blur would end in a straight edge
    cast = cv2.copyMakeBorder(cv2.resize(alpha, (w, low)), rim, rim, rim, rim, cv2.BORDER_CONSTANT)
    cast = cv2.GaussianBlur(cast, (0, 0), spread)
    x, y = left + int(rng.normal(0, 0.1) * w) - rim, top + h - low - rim
    part = clipped(x, y, w + 2 * rim, low + 2 * rim, canvas.shape[1], canvas.shape[0])
    if part is not None:
        (x0, y0, x1, y1), (u0, v0) = part
        dark = rng.uniform(0.2, 0.6) * cast[v0 : v0 + y1 - y0, u0 : u0 + x1 - x0]
        canvas[y0:y1, x0:x1] *= 1 - dark[..., None]


def developed(rng: np.random.Generator, canvas: Float) -> UInt8:
    """The scene as a camera gives it: blurred a little, noisy, with a tone of its own."""
    if rng.random() < 0.4:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 1.0))
    canvas = canvas + rng.normal(0, rng.uniform(0, 6), canvas.shape).astype(np.float32)
    toned = 255 * (np.clip(canvas, 0, 255) / 255) ** np.float32(rng.uniform(0.75, 1.35))
    return np.ascontiguousarray(toned.round().astype(np.uint8))


if __name__ == "__main__":
    main()
