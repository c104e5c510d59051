"""What Label Studio's results say, and masks as its results. Pure values: runs in worker processes.

Enters: a labelling configuration, a context, masks. Leaves: prompts, results. Called by `labelstudio`.
"""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from fastsam import __version__
from fastsam.errors import UsageError
from fastsam.masks import rle
from fastsam.masks.polygons import joined, polygons, through_centres
from fastsam.prompts import Prompt
from fastsam.refine.network import shared
from fastsam.serve import work
from fastsam.serve.photo import File

TAGS = {"BrushLabels": "brushlabels", "PolygonLabels": "polygonlabels", "RectangleLabels": "rectanglelabels"}
SIZES = (3, 4, 8, 16)  # bits of a run's length
VERSION = f"fastsam-{__version__}"


@dataclass(frozen=True)
class Project:
    """What a project labels with.

    kind: the control's tag; name: of the control; to: of the picture; labels: its labels
    picture: under which name tasks have their picture's address
    """

    kind: str
    name: str
    to: str
    labels: tuple[str, ...]
    picture: str

    @property
    def field(self) -> str:
        """What the control's values are called."""
        return TAGS[self.kind]


def read_project(config: str) -> Project:
    """A labelling configuration: its first control that masks can fill. Raises UsageError for any other."""
    if "<!DOCTYPE" in config or "<!ENTITY" in config:  # nothing that a configuration needs
        raise UsageError("the labelling configuration declares entities")
    try:
        root = ElementTree.fromstring(config)
    except ElementTree.ParseError as error:
        raise UsageError(f"the labelling configuration is no XML ({error})") from None
    control = next((node for node in root.iter() if node.tag in TAGS), None)
    if control is None:
        raise UsageError(f"the project labels with none of {', '.join(TAGS)}")
    image = next(root.iter("Image"), None)
    labels = tuple(child.get("value", "object") for child in control) or ("object",)
    picture = "" if image is None else image.get("value", "").lstrip("$")
    return Project(control.tag, control.get("name", "label"), control.get("toName", "image"), labels, picture)


def predict(use: work.Use, data: bytes, project: Project, drawn: list[dict[str, Any]]) -> dict[str, Any]:
    """Results of a picture: everything, every mask drawn anew, or what was `drawn` so far means."""
    segments, refiner = work.model(use)(File(data).pixels(use.pixels)), shared(use.threads)
    prompt = prompt_of(drawn, segments.size)
    if prompt is None:
        redrawn = segments.refine(refiner=refiner)
        masks = list(zip(redrawn.scores.tolist(), redrawn.to_rle(), strict=True))
    else:
        pick = segments.select(prompt, refine=refiner)[0]
        masks = [] if pick.mask is None else [(pick.score, rle.encode(pick.mask))]
    height, width = segments.size
    label = label_of(project, drawn)
    results = [
        {
            "id": f"mask{k}-{part}",
            "from_name": project.name,
            "to_name": project.to,
            "type": project.field,
            "score": score,
            "value": {**value, project.field: [label]},
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
        }
        for k, (score, packed) in enumerate(masks)
        for part, value in enumerate(values_of(rle.decode(packed), project.kind))
    ]
    score = max((float(score) for score, _ in masks), default=0.0)
    return {"result": results, "score": score, "model_version": VERSION}


def prompt_of(drawn: list[dict[str, Any]], size: tuple[int, int]) -> Prompt | None:
    """The prompt that key points and rectangles are, None where there is none. Raises UsageError."""
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    box = None
    height, width = size
    for result in drawn:
        try:
            kind, value = result.get("type"), result.get("value") or {}
            if kind not in ("keypointlabels", "rectanglelabels"):
                continue
            x, y = float(value["x"]) * width / 100, float(value["y"]) * height / 100
            if kind == "keypointlabels":
                points.append((min(x, width - 0.01), min(y, height - 0.01)))
                labels.append(int(bool(result.get("is_positive", 1))))
            else:
                box = (x, y, x + float(value["width"]) * width / 100, y + float(value["height"]) * height / 100)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
            raise UsageError("a point or a box of the context has no numbers x and y") from None
    return Prompt(points=points, labels=labels or None, box=box) if points or box else None


def label_of(project: Project, drawn: list[dict[str, Any]]) -> str:
    """The label that the last thing drawn has, where the control knows it; else the control's first."""
    for result in reversed(drawn):
        value, kind = result.get("value"), result.get("type")
        named = value.get(kind) if isinstance(value, dict) and isinstance(kind, str) else None
        if isinstance(named, list) and named and named[0] in project.labels:
            return str(named[0])
    return project.labels[0]


def values_of(mask: Any, kind: str) -> list[dict[str, Any]]:
    """A mask as a control's values: one, or a polygon for each of its parts; places in percent."""
    height, width = mask.shape
    if kind == "BrushLabels":
        return [{"format": "rle", "rle": brush(mask)}]
    if kind == "PolygonLabels":
        outlines = (joined([through_centres(p)]) * (100 / width, 100 / height) for p in polygons(mask, (0, 0)))
        return [{"points": corners.tolist(), "closed": True} for corners in outlines if len(corners) > 2]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return []
    x, y = 100 * columns[0] / width, 100 * rows[0] / height
    w, h = 100 * (columns[-1] + 1 - columns[0]) / width, 100 * (rows[-1] + 1 - rows[0]) / height
    return [{"x": float(x), "y": float(y), "width": float(w), "height": float(h), "rotation": 0}]


def brush(mask: Any) -> list[int]:
    """A mask in Label Studio's brush encoding: RGBA pixels row by row, packed as the JavaScript package rle-pack does.

    32 bits: number of values; 5 bits: bits a value, less one (7); four times 4 bits: bits of a length, less one, of
    which four sizes there are; then runs: one bit 1 for a run of equal values, 0 for differing ones; two bits: which
    size; the length, less one; and the value, or the values.
    """
    pixels = mask.reshape(-1)
    bits = [f"{4 * len(pixels):032b}", f"{7:05b}", *(f"{size - 1:04b}" for size in SIZES)]
    starts = np.concatenate(([0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1))
    lengths = 4 * np.diff(np.concatenate((starts, [len(pixels)])))
    for inside, length in zip(pixels[starts].tolist(), lengths.tolist(), strict=True):
        rest = length
        while rest:
            part = min(rest, 1 << SIZES[-1])
            which = next(k for k, size in enumerate(SIZES) if part <= 1 << size)
            bits.append(f"1{which:02b}{part - 1:0{SIZES[which]}b}{255 * inside:08b}")
            rest -= part
    string = "".join(bits)
    string += "0" * (-len(string) % 8)
    packed: list[int] = np.packbits(np.frombuffer(string.encode(), np.uint8) - 48).tolist()
    return packed
