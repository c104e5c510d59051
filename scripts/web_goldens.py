"""Writes what Python answers on the photos of web/test/photos, for the tests of the library for browsers.

    python scripts/web_goldens.py [-o web/test/golden.json] [--photos FOLDER]

One line per photo: its detections in order (boxes, scores, RLE), and answers to clicks, boxes and corrected masks,
plain and drawn. The clicks are drawn from a generator that is seeded with the photo's name. The detections are those of
the weights in floating point. Some layers of the weights in eight bits add floats, which each runtime does in its own
order, and later layers amplify the difference; what these weights find of the detections again is beside them.
"""

import argparse
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from fastsam import FastSAM, Pick, Prompt, Segments
from fastsam.boxes import iou
from fastsam.files import write
from fastsam.masks.rle import encode

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS, EIGHT_BITS = "fastsam-tiny", "fastsam-tiny-int8"
MOST = 100  # detections per photo
CLICKS = 5  # per photo
FOUND = 0.8  # IoU of boxes from which on a detection is found again


def main() -> None:
    """Reads the arguments and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "web" / "test" / "golden.json")
    parser.add_argument("--photos", type=Path, default=ROOT / "web" / "test" / "photos")
    given = parser.parse_args()
    model, small = FastSAM(WEIGHTS), FastSAM(EIGHT_BITS)
    lines = []
    for photo in sorted(given.photos.glob("*.jpg")):
        found = golden(photo, model(photo, max_det=MOST), small(photo, max_det=MOST))
        lines.append(json.dumps(found, separators=(",", ":")))
    write(given.output, ("[\n" + ",\n".join(lines) + "\n]\n").encode())


def golden(photo: Path, segments: Segments, small: Segments) -> dict[str, Any]:
    """Everything that is compared on one photo."""
    assert segments.photo is not None
    height, width = segments.size
    return {
        "photo": photo.name,
        "width": width,
        "height": height,
        "sum": int(segments.photo.astype(np.int64).sum()),  # shows whether two decoders agree
        "boxes": segments.boxes.astype(float).round(3).tolist(),
        "scores": segments.scores.astype(float).round(6).tolist(),
        "masks": [rle["counts"] for rle in segments.to_rle()],
        "again": again(segments, small),
        "polygons": [[len(p.outline), len(p.holes)] for p in segments.masks.to_polygons(0)] if len(segments) else [],
        "answers": [answered(segments, prompt) for prompt in prompts(photo.name, segments)],
    }


def again(segments: Segments, small: Segments) -> int:
    """How many segments the others have, too."""
    found = (iou(small.boxes, box).max(initial=0) >= FOUND for box in segments.boxes)
    return sum(map(int, found))


def prompts(name: str, segments: Segments) -> list[Prompt]:
    """Clicks, most of them on something; then a correction, two clicks, a box, and a mask with a click."""
    height, width = segments.size
    draws = np.random.default_rng(zlib.crc32(name.encode()))
    places = draws.uniform((0, 0), (width, height), (CLICKS + 2, 2)).round(1)
    points: list[tuple[float, float]] = [(float(x), float(y)) for x, y in places]
    found: list[Prompt] = [Prompt(points=[point]) for point in points[:CLICKS]]
    found.append(Prompt(points=points[-2:], labels=[1, 0]))
    found.append(Prompt(points=points[-2:]))
    if len(segments):
        i = int(draws.integers(min(10, len(segments))))
        x0, y0, x1, y1 = segments.boxes[i].astype(float).round(1).tolist()
        found.append(Prompt(box=(x0, y0, x1 + 1, y1 + 1)))
        found.append(Prompt(mask=segments.masks[i], points=[segments.masks.runs(i).points(3)[1].tolist()]))
    return found


def answered(segments: Segments, prompt: Prompt) -> dict[str, Any]:
    """A prompt and both of its answers."""
    asked: dict[str, Any] = {"points": prompt.points, "labels": prompt.labels}
    if prompt.box is not None:
        asked["box"] = prompt.box
    if prompt.mask is not None:
        asked["mask"] = encode(prompt.mask)["counts"]
    (plain,) = segments.select(prompt, refine=False)
    (drawn,) = segments.select(prompt, refine=True)
    return {"prompt": asked, "plain": said(plain), "drawn": said(drawn)}


def said(pick: Pick) -> dict[str, Any] | None:
    """The best candidate of a pick."""
    if pick.mask is None:
        return None
    return {"how": pick.how, "index": pick.index, "score": round(pick.score, 5), "mask": encode(pick.mask)["counts"]}


if __name__ == "__main__":
    main()
