"""How many clicks an object takes on the page, beside the corners of a polygon: a robot that knows the truth labels a
folder in Chromium.

    python benchmarks/label_robot.py SET [--photos 20] [--iou 0.85] [--limit 15] [--no-tab] [--threads N] [--json FILE]

SET: a COCO-style folder; of its photos those with fewest objects are labelled, crowds left out. `fastsam label` runs on
a copy of them. For each object the robot clicks where the object is widest. Until the answer has the IoU it presses Tab
where another candidate is nearer to the truth, and clicks where the answer is wrong over the widest place: Shift-click
if that place is too much. Enter keeps the answer, also after the limit; brush and eraser are never used. N goes to the
next photo. What counts in the end is what the files beside the photos hold.

Polygons: the fewest corners with which the same IoU is reached, by Douglas and Peucker on the object's outlines, all
parts and holes, at the best tolerance. Needs the serve extra, playwright and Chromium.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from serving import served, visited

from fastsam.masks import rle
from fastsam.masks.annotations import decode
from fastsam.serve.projects.folder import Folder

TOLERANCES = np.geomspace(64, 0.25, 120)  # pixels
WATCH = """() => {
  const picked = document.getElementById('picked');
  window.waited = null;
  let since = null;
  picked.addEventListener('pointerdown', () => { since = performance.now(); window.waited = null; }, true);
  new MutationObserver(() => {
    if (picked.getAttribute('aria-busy') !== 'false' || since === null) return;
    const from = since;
    since = null;
    requestAnimationFrame(() => setTimeout(() => { window.waited = performance.now() - from; }, 0));
  }).observe(picked, { attributes: true, attributeFilter: ['aria-busy'] });
}"""
ANSWERS = """async () => {
  const { now } = await import('/page/state.js'), { bitmap, encode, letters } = await import('/page/pixels.js');
  if (!now.answer) return [[], -1];
  const { segments, width, height } = now.photo;
  const counts = (one) => {
    if (one.runs) return letters(one.runs);
    const found = new Uint8Array(width * height);
    const put = (indices, value) => {
      for (const i of indices) {
        bitmap(segments[i].runs, width, height).forEach((on, p) => { if (on) found[p] = value; });
      }
    };
    put(one.plus ?? [one.index], 1);
    put(one.minus ?? [], 0);
    return letters(encode(found));
  };
  return [now.answer.candidates.map(counts), now.answer.at];
}"""


@dataclass
class Tally:
    """What one object took. waits: seconds from each click to the painted answer; ious: after each click"""

    photo: str
    name: str
    clicks: int
    tabs: int
    iou: float
    corners: int
    waits: list[float]
    ious: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--iou", type=float, default=0.85)
    parser.add_argument("--limit", type=int, default=15, help="clicks for one object")
    parser.add_argument("--no-tab", action="store_true", help="without looking at other candidates")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    photos = simplest(given.set, given.photos)
    threads = ("--threads", str(given.threads)) if given.threads else ()
    tallies: list[Tally] = []
    opened: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        for name in photos:
            shutil.copy(given.set / "images" / name, home)
        with served(home, *threads, command="label") as (address, _), visited(address) as page:
            page.evaluate(WATCH)
            for k, (name, objects) in enumerate(photos.items()):
                opened.append(step_to(page, k, name))
                tallies += (work_on(page, name, *one, given) for one in objects)
                page.keyboard.press("d")
            page.locator("#saved", has_text="Saved").wait_for()
        check_files(Path(home), photos, tallies)
    report(tallies, opened, given)
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in tallies], indent=1) + "\n")


def simplest(folder: Path, most: int) -> dict[str, list[tuple[str, np.ndarray]]]:
    """The photos with fewest objects: names and masks of each, in the file's order of photos' names."""
    content = json.loads((folder / "instances.json").read_text())
    kinds = {kind["id"]: kind["name"] for kind in content["categories"]}
    rows: dict[int, list[Any]] = {image["id"]: [] for image in content["images"]}
    for row in content["annotations"]:
        if not row.get("iscrowd"):
            rows[row["image_id"]].append(row)
    images = sorted(content["images"], key=lambda image: (len(rows[image["id"]]), image["file_name"]))[:most]
    return {
        image["file_name"]: [
            (kinds[row["category_id"]], decode(row["segmentation"], (image["height"], image["width"])))
            for row in rows[image["id"]]
        ]
        for image in sorted(images, key=lambda image: str(image["file_name"]))
    }


def step_to(page: Any, k: int, name: str) -> float:
    """Goes to the photo by the key N, unless it is open; seconds until it can be clicked."""
    start = page.evaluate("performance.now()")
    if k:
        page.keyboard.press("n")
    page.locator("#facts", has_text=name).wait_for()
    page.locator("#working").wait_for(state="hidden")
    return float(page.evaluate("performance.now()") - start) / 1000


def work_on(page: Any, photo: str, name: str, truth: np.ndarray, given: argparse.Namespace) -> Tally:
    """Labels one object."""
    tally = Tally(photo, name, 0, 0, 0.0, corners_for(truth, given.iou), [], [])
    page.fill("#kind-name", name)
    page.press("#kind-name", "Enter")
    answer = np.zeros_like(truth)
    while tally.clicks < given.limit and tally.iou < given.iou:
        (x, y), take_away = worst(truth, answer)
        tally.waits.append(click(page, x, y, truth.shape, take_away))
        tally.clicks += 1
        found, at = candidates(page, truth.shape)
        ious = [agreement(one, truth) for one in found]
        best = int(np.argmax(ious)) if ious else -1
        if ious and not given.no_tab and ious[at] < given.iou and best != at:
            for _ in range(abs(best - at)):
                page.keyboard.press("Tab" if best > at else "Shift+Tab")
            tally.tabs += abs(best - at)
            at = best
        answer, tally.iou = (found[at], ious[at]) if ious else (np.zeros_like(truth), 0.0)
        tally.ious.append(tally.iou)
    count = page.locator("#objects li").count()
    page.keyboard.press("Enter")
    page.locator("#objects li").nth(count).wait_for()
    return tally


def worst(truth: np.ndarray, answer: np.ndarray) -> tuple[tuple[int, int], bool]:
    """The pixel x, y that lies farthest within what is missing or too much, and whether it is too much."""
    missing, surplus = (inner(one) for one in (truth & ~answer, answer & ~truth))
    depth, take_away = (surplus, True) if surplus.max() > missing.max() else (missing, False)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return (int(x), int(y)), take_away


def inner(mask: np.ndarray) -> np.ndarray:
    """Each pixel's distance from the outside, where the photo's border is outside too."""
    return cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]


def click(page: Any, x: int, y: int, size: tuple[int, int], take_away: bool) -> float:
    """Clicks a pixel; seconds until the answer is painted."""
    box = page.locator("#picked").bounding_box()
    if take_away:
        page.keyboard.down("Shift")
    page.mouse.click(box["x"] + (x + 0.5) * box["width"] / size[1], box["y"] + (y + 0.5) * box["height"] / size[0])
    if take_away:
        page.keyboard.up("Shift")
    return float(page.wait_for_function("() => window.waited").json_value()) / 1000


def candidates(page: Any, size: tuple[int, int]) -> tuple[list[np.ndarray], int]:
    """The masks that may answer, from part to whole, and which of them is shown."""
    found, at = page.evaluate(ANSWERS)
    return [rle.decode({"size": list(size), "counts": counts}) for counts in found], at


def agreement(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


def corners_for(truth: np.ndarray, iou: float) -> int:
    """The fewest corners of polygons that have the IoU."""
    rings, _ = cv2.findContours(truth.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    best = sum(len(ring) for ring in rings)
    for tolerance in TOLERANCES:
        few = [cv2.approxPolyDP(ring, float(tolerance), True) for ring in rings]
        few = [ring for ring in few if len(ring) > 2]
        count = sum(len(ring) for ring in few)
        if few and count < best:
            drawn = cv2.drawContours(np.zeros(truth.shape, np.uint8), few, -1, 1, -1)
            if agreement(drawn > 0, truth) >= iou:
                best = count
    return best


def check_files(home: Path, photos: dict[str, list[tuple[str, np.ndarray]]], tallies: list[Tally]) -> None:
    """Takes each object's IoU from the files; fails if they hold something else than was kept."""
    folder, rows = Folder(home.resolve(), 100_000_000), iter(tallies)
    for name, objects in photos.items():
        labels = folder.read(name)
        assert labels.done
        assert [one.name for one in labels.objects] == [kind for kind, _ in objects]
        for one, (_, truth), tally in zip(labels.objects, objects, rows, strict=False):
            saved = rle.decode({"size": [labels.height, labels.width], "counts": one.counts})
            assert abs(agreement(saved, truth) - tally.iou) < 1e-9, (name, one.name)


def report(tallies: list[Tally], opened: list[float], given: argparse.Namespace) -> None:
    """Prints the figures."""
    there = np.array([one.iou >= given.iou for one in tallies])
    clicks, corners = (np.array([getattr(one, key) for one in tallies]) for key in ("clicks", "corners"))
    waits = np.array([wait for one in tallies for wait in one.waits])
    seconds = np.array([sum(one.waits) for one in tallies])
    print(f"{len(opened)} photos, {len(tallies)} objects; {there.sum()} reach IoU {given.iou} in {given.limit} clicks")
    for most in (1, 2, 3, 5, 10, given.limit):
        print(f"within {most:2} clicks: {100 * (there & (clicks <= most)).mean():.0f}% of the objects")
    for what, some in (("all objects", np.ones_like(there)), ("those that reach it", there)):
        for name, values in (("clicks", clicks), ("corners of polygons", corners), ("seconds of waiting", seconds)):
            shown = values[some]
            print(f"{what}: {name}: mean {shown.mean():.2f}, median {np.median(shown):.2f}, sum {shown.sum():.0f}")
    print(f"Tab: {sum(one.tabs for one in tallies)} presses in all")
    median, high = 1000 * np.percentile(waits, (50, 90))
    print(f"a click waits {median:.0f} ms (median), {high:.0f} (90th percentile)")
    print(f"a photo opens in {np.median(opened):.2f} s (median)")
    print(f"mean IoU of what is kept {np.mean([one.iou for one in tallies]):.3f}")
    for one in sorted(missed(tallies, given.iou), key=lambda one: one.iou):
        print(f"not reached: {one.photo} {one.name}: {one.iou:.2f} after {one.clicks} clicks, {one.corners} corners")


def missed(tallies: list[Tally], iou: float) -> Iterator[Tally]:
    return (one for one in tallies if one.iou < iou)


if __name__ == "__main__":
    main()
