"""Makes videos whose objects are known in every frame, for `fastsam eval track`.

    python benchmarks/render_tracks.py DATA OUT [--sequences 12] [--frames 75] [--seed 0]

DATA: the material of docs/material.md, with `cutouts/` and `backgrounds/`; copyleft folders are left out. OUT gets
`frames/NAME.mp4` and `instances_txt/NAME.txt` (MOTS). Five objects cross and cover each other, turn and change their
size; in every second video one stands still in front, so that others vanish behind it and come back; in every third
one the camera moves.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.formats.tracks import mots_line
from fastsam.image.read import read_image
from fastsam.masks.rle import encode
from fastsam.video.write import writer

HEIGHT, WIDTH, RATE, OBJECTS = 360, 640, 25, 5
UInt8 = npt.NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sequences", type=int, default=12)
    parser.add_argument("--frames", type=int, default=75)
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    cutouts = sorted(
        a.data / "cutouts" / one["file"]
        for one in json.loads((a.data / "cutouts" / "index.json").read_text())
        if not one["file"].startswith("copyleft")
    )
    grounds = sorted(f for f in (a.data / "backgrounds").glob("*.webp") if not f.name.startswith("copyleft"))
    for folder in ("frames", "instances_txt"):
        (a.out / folder).mkdir(parents=True, exist_ok=True)
    for number in range(a.sequences):
        rng = np.random.default_rng([a.seed, number])
        sequence(a.out, f"{number:04d}", a.frames, cutouts, grounds, number, rng)


def sequence(
    out: Path, name: str, frames: int, cutouts: list[Path], grounds: list[Path], number: int, rng: np.random.Generator
) -> None:
    """Writes one video and its truth."""
    ground = covering(read_image(grounds[rng.integers(len(grounds))]), HEIGHT + 40, WIDTH + 160)
    things = [cutout(cutouts, rng) for _ in range(OBJECTS)]
    paths = [path(frames, rng) for _ in things]
    if number % 2 == 0:
        paths[-1][:] = [WIDTH / 2, HEIGHT * 0.55, 0.0, 1.3]
    drift = np.linspace(0, 160, frames) if number % 3 == 2 else np.full(frames, 80)
    lines = []
    with writer(out / "frames" / f"{name}.mp4", RATE) as video:
        for k in range(frames):
            left = round(drift[k])
            picture = ground[20 : 20 + HEIGHT, left : left + WIDTH].astype(np.float32)
            owner = np.zeros((HEIGHT, WIDTH), np.uint8)
            for i, (thing, way) in enumerate(zip(things, paths, strict=True), 1):
                place(picture, owner, thing, way[k], i)
            video.write(np.clip(picture, 0, 255).round().astype(np.uint8))
            shown = [(i, owner == i) for i in range(1, OBJECTS + 1)]
            lines += [mots_line(k, i, encode(mask)) for i, mask in shown if mask.sum() >= 100]
    (out / "instances_txt" / f"{name}.txt").write_text("".join(lines))


def cutout(files: list[Path], rng: np.random.Generator) -> UInt8:
    """An object (h, w, 4) RGBA that is mostly opaque, no longer than 160 and no thinner than 40 pixels."""
    while True:
        pixels = cv2.imread(str(files[rng.integers(len(files))]), cv2.IMREAD_UNCHANGED)
        if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:
            continue
        scale = rng.uniform(90, 160) / max(pixels.shape[:2])
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        if scale < 2 and min(size) >= 40 and (pixels[..., 3] > 127).mean() > 0.45:
            return cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGRA2RGBA)


def path(frames: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(frames, 4) x, y of the centre, angle in degrees, and scale: through the middle, from one side to the other."""
    t = np.linspace(-1, 1, frames) + rng.uniform(-0.4, 0.4)
    way = rng.uniform(0, 2 * np.pi)
    reach = np.array([rng.uniform(0.3, 0.45) * WIDTH, rng.uniform(0.2, 0.35) * HEIGHT])
    centre = np.array([WIDTH, HEIGHT]) * rng.uniform(0.35, 0.65, 2)
    bend = rng.uniform(-30, 30) * np.sin(np.pi * t * rng.uniform(0.5, 2))
    x = centre[0] + reach[0] * np.cos(way) * t - bend * np.sin(way)
    y = centre[1] + reach[1] * np.sin(way) * t + bend * np.cos(way)
    angle = rng.uniform(-20, 20) * np.sin(np.pi * t)
    return np.stack((x, y, angle, 1 + 0.2 * rng.uniform(-1, 1) * t), 1)


def place(picture: npt.NDArray[np.float32], owner: UInt8, thing: UInt8, way: npt.NDArray[np.float64], i: int) -> None:
    """Puts an object on the picture (H, W, 3) and its number on the map of owners (H, W)."""
    x, y, angle, scale = way
    turn = cv2.getRotationMatrix2D((thing.shape[1] / 2, thing.shape[0] / 2), angle, scale)
    turn[:, 2] += (x - thing.shape[1] / 2, y - thing.shape[0] / 2)
    laid = cv2.warpAffine(thing, turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR).astype(np.float32)
    alpha = laid[..., 3:] / 255
    picture[:] = picture * (1 - alpha) + laid[..., :3] * alpha
    owner[alpha[..., 0] > 0.5] = i


def covering(pixels: UInt8, height: int, width: int) -> UInt8:
    """The photo, scaled so that it covers (height, width), and cut."""
    scale = max(height / pixels.shape[0], width / pixels.shape[1])
    size = (max(width, round(pixels.shape[1] * scale)), max(height, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)[:height, :width])


if __name__ == "__main__":
    main()
