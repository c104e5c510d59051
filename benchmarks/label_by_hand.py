"""Labels ten photos on the page as a hand would, exports them, and opens the files in labelme and in Ultralytics.

    python benchmarks/label_by_hand.py DATA --labelme PYTHON --ultralytics PYTHON [--out DIR]

DATA: the folder that docs/material.md describes. The two Pythons are of environments of their own, with labelme and
with ultralytics (and torch). Both programs are asked what they read, and the masks that they make of it are compared
with what the page kept. --out keeps the photos, labels, exports, a picture of each photo with its labels, and one of
labelme's window. Needs the serve extra, playwright and Chromium.
"""

import argparse
import json
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from label_robot import agreement
from serving import served, visited

from fastsam.image.read import read_image
from fastsam.masks import rle
from fastsam.serve.projects.folder import Folder

FULL = "data/eval/coco-full/images"
Place = tuple[
    float, ...
]  # x, y of a click; of a box x, y, x, y; x, y, 0 of a Shift-click; in shares of the photo's sides
STEPS: dict[str, list[tuple[str, list[Place]]]] = {
    "photos/bus.jpg": [
        ("bus", [(0.7, 0.5)]),
        ("person", [(0.07, 0.36, 0.3, 0.85)]),
        ("person", [(0.28, 0.37, 0.43, 0.81)]),
        ("person", [(0.82, 0.35, 1.0, 0.82)]),
    ],
    "photos/cat.jpg": [("cat", [(0.55, 0.45), (0.5, 0.24)])],
    "photos/dogs.jpg": [("dog", [(0.42, 0.31, 0.56, 0.96)]), ("dog", [(0.54, 0.38, 0.72, 0.98)])],
    "photos/sa_10039.jpg": [
        ("dome", [(0.39, 0.46)]),
        ("dome", [(0.655, 0.48)]),
        ("dome", [(0.56, 0.59)]),
        ("statue", [(0.24, 0.72, 0.37, 0.99)]),
    ],
    "photos/sa_8776.jpg": [
        ("car", [(0.11, 0.31, 0.84, 0.75)]),
        ("person", [(0.88, 0.23, 0.96, 0.52)]),
    ],
    f"{FULL}/000000000285.jpg": [("bear", [(0.5, 0.4), (0.2, 0.85)])],
    f"{FULL}/000000001675.jpg": [("cat", [(0.6, 0.4), (0.12, 0.35)]), ("laptop", [(0.5, 0.84), (0.45, 0.92)])],
    f"{FULL}/000000002149.jpg": [
        ("apple", [(0.8, 0.35)]),
        ("apple", [(0.35, 0.5)]),
        ("apple", [(0.12, 0.8)]),
        ("apple", [(0.88, 0.85)]),
    ],
    f"{FULL}/000000002261.jpg": [("person", [(0.5, 0.36), (0.53, 0.55)]), ("surfboard", [(0.5, 0.645)])],
    f"{FULL}/000000006012.jpg": [("pomegranate", [(0.5, 0.7)]), ("banana", [(0.35, 0.4)]), ("banana", [(0.67, 0.4)])],
}
LABELME = """
import json, sys
from pathlib import Path
import numpy as np
from PyQt5 import QtWidgets
from labelme.app import MainWindow
from labelme.utils import shape_to_mask, img_b64_to_arr
app, home, masks = QtWidgets.QApplication(sys.argv), Path(sys.argv[1]), {}
window = MainWindow(file_or_dir=str(home))
window.resize(1200, 800)
window.show()
for file in sorted(home.glob("*.json")):
    window._load_file(str(file))
    app.processEvents()
    (canvas,) = [one for one in window.findChildren(QtWidgets.QWidget) if type(one).__name__ == "Canvas"]
    size = (canvas.pixmap.height(), canvas.pixmap.width())
    for k, shape in enumerate(canvas.shapes):
        points = [[p.x(), p.y()] if hasattr(p, "x") else list(p) for p in shape.points]
        if shape.shape_type == "mask":
            (x0, y0), (x1, y1) = np.round(points).astype(int).tolist()
            found = np.zeros(size, bool)
            found[y0 : y1 + 1, x0 : x1 + 1] = shape.mask
        else:
            found = shape_to_mask(size, points, shape.shape_type)
        masks[f"{file.stem}|{k}|{shape.label}|{shape.group_id}"] = found
    if file.stem == "bus":
        window.grab().save(sys.argv[3])
np.savez_compressed(sys.argv[2], **masks)
window.close()
"""
ULTRALYTICS = """
import sys
from pathlib import Path
import cv2, numpy as np
from ultralytics.data.dataset import YOLODataset
from ultralytics.data.utils import check_det_dataset
home, masks = Path(sys.argv[1]), {}
data = check_det_dataset(str(home / "data.yaml"), autodownload=False)
found = YOLODataset(img_path=data["train"], data=data, task="segment", augment=False, imgsz=640)
for label in found.labels:
    height, width = label["shape"]
    for k, (segment, kind) in enumerate(zip(label["segments"], label["cls"][:, 0])):
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [(segment * (width, height)).astype(np.int32)], 1)
        masks[f"{Path(label['im_file']).stem}|{k}|{data['names'][int(kind)]}|"] = mask > 0
np.savez_compressed(sys.argv[2], **masks)
sample = found[0]  # as training reads it
kinds = sample["cls"][:, 0].tolist()
print(f"{len(found)} photos; the first one has masks {tuple(sample['masks'].shape)} and classes {kinds}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--labelme", type=Path, help="the Python that has labelme")
    parser.add_argument("--ultralytics", type=Path, help="the Python that has ultralytics")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = (given.out or Path(temporary)).resolve()
        home = out / "photos"
        home.mkdir(parents=True)
        for photo in STEPS:  # as JPEG, whatever it is
            cv2.imwrite(str(home / Path(photo).name), read_image(given.data / photo)[..., ::-1])
        with served(str(home), command="label") as (address, _), visited(address) as page:
            for k, (photo, objects) in enumerate(sorted(STEPS.items(), key=lambda one: order(page, one[0]))):
                label(page, k, Path(photo).name, objects)
            page.locator("#saved", has_text="Saved").wait_for()
            for format_ in ("yolo", "labelme"):
                export(page, format_, out / format_)
        kept = kept_in(home)
        draw(home, out)
        print(f"{len(STEPS)} photos, {sum(map(len, kept.values()))} objects are kept")
        if given.labelme:
            environment = {"QT_QPA_PLATFORM": "offscreen"}
            for what, folder in (("the folder", home), ("the export", beside(home, out / "labelme"))):
                read = asked(given.labelme, LABELME, environment, folder, out / "labelme.npz", out / "labelme.png")
                compare(f"labelme reads {what}", kept, read)
        if given.ultralytics:
            environment = {"YOLO_CONFIG_DIR": str(out), "YOLO_OFFLINE": "1"}
            arranged(home, out / "yolo")
            compare(
                "Ultralytics reads the export",
                kept,
                asked(given.ultralytics, ULTRALYTICS, environment, out / "yolo", out / "yolo.npz"),
            )


def order(page: Any, photo: str) -> int:
    """The photo's place in the strip."""
    names = [one.get_attribute("title") for one in page.locator("#strip button").all()]
    return names.index(Path(photo).name)


def label(page: Any, k: int, name: str, objects: Sequence[tuple[str, list[Place]]]) -> None:
    """Labels a photo: a class, clicks or a box, Enter; then D, and N for the next one."""
    if k:
        page.keyboard.press("n")
    page.locator("#facts", has_text=f"{name} ·").wait_for()
    page.locator("#working").wait_for(state="hidden")
    for kind, places in objects:
        page.fill("#kind-name", kind)
        page.press("#kind-name", "Enter")
        for place in places:
            act(page, place)
        page.keyboard.press("Enter")
    page.keyboard.press("d")


def act(page: Any, place: Place) -> None:
    """One click or box, and the answer."""
    box = page.locator("#picked").bounding_box()
    x, y = box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]
    page.mouse.move(x, y, steps=8)
    if len(place) == 3:
        page.keyboard.down("Shift")
    page.mouse.down()
    if len(place) == 4:
        page.mouse.move(box["x"] + place[2] * box["width"] - 1, box["y"] + place[3] * box["height"] - 1, steps=8)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.locator("#picked[aria-busy=false]").wait_for()


def export(page: Any, format_: str, folder: Path) -> None:
    """Exports all photos, and unpacks the zip."""
    page.select_option("#export-format", format_)
    with page.expect_download() as download:
        page.click("#export")
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(folder)


Masks = dict[str, list[tuple[str, np.ndarray]]]


def kept_in(home: Path) -> Masks:
    """Names and masks of what the page kept, by the photo's name without its suffix."""
    folder = Folder(home, 100_000_000)
    found: Masks = {}
    for photo in folder.photos():
        labels = folder.read(photo)
        size = [labels.height, labels.width]
        found[Path(photo).stem] = [
            (one.name, rle.decode({"size": size, "counts": one.counts})) for one in labels.objects
        ]
    return found


def beside(home: Path, folder: Path) -> Path:
    """The export with the photos beside its files, where labelme looks for them."""
    for photo in home.glob("*.jpg"):
        (folder / photo.name).hardlink_to(photo)
    return folder


def arranged(home: Path, folder: Path) -> None:
    """The export with its photos in `images`, as data.yaml says."""
    (folder / "images").mkdir()
    for photo in home.glob("*.jpg"):
        (folder / "images" / photo.name).hardlink_to(photo)
    text = (folder / "data.yaml").read_text()
    (folder / "data.yaml").write_text(text.replace("path: .", f"path: {json.dumps(str(folder))}"))


def asked(python: Path, code: str, environment: dict[str, str], folder: Path, file: Path, *more: Path) -> Masks:
    """What another program reads: its masks, those of one group together."""
    words = [str(python), "-c", code, str(folder), str(file), *map(str, more)]
    done = subprocess.run(words, env={**os.environ, **environment, "PYTHONPATH": ""}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    print(done.stdout.strip().rpartition("\n")[2])
    found: dict[str, dict[str, tuple[str, np.ndarray]]] = {}
    for key, mask in np.load(file).items():
        stem, number, name, group = key.split("|")
        objects = found.setdefault(stem, {})
        whole = number if group in ("", "None") else f"group {group}"
        objects[whole] = (name, mask | objects[whole][1] if whole in objects else mask)
    return {stem: list(objects.values()) for stem, objects in found.items()}


def compare(what: str, kept: Masks, read: Masks) -> None:
    """Prints how well what was read agrees with what was kept; fails for other objects or names."""
    ious = []
    for stem, objects in kept.items():
        assert [name for name, _ in objects] == [name for name, _ in read[stem]], stem
        ious += [agreement(mask, other) for (_, mask), (_, other) in zip(objects, read[stem], strict=True)]
    print(f"{what}: {len(ious)} objects with their names, IoU with what was kept {min(ious):.4f} to {max(ious):.4f}")


def draw(home: Path, out: Path) -> None:
    """A picture of each photo with its labels."""
    for stem, objects in kept_in(home).items():
        picture = read_image(home / f"{stem}.jpg")[..., ::-1].copy()
        for k, (_, mask) in enumerate(objects):
            colour = np.array(((46, 92, 214), (214, 130, 46), (82, 163, 58), (190, 76, 178))[k % 4])
            picture[mask] = (0.5 * picture[mask] + 0.5 * colour).astype(np.uint8)
        cv2.imwrite(str(out / f"{stem}-labels.jpg"), picture)


if __name__ == "__main__":
    main()
