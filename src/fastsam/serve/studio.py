"""What Label Studio's results say, and masks as its results. Pure values: runs in worker processes.

Enters: a labelling configuration, a context, masks. Leaves: prompts, results.
"""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from fastsam import __version__
from fastsam.errors import UsageError
from fastsam.masks import rle
from fastsam.masks.bridged import bridged
from fastsam.masks.polygons import polygons
from fastsam.masks.simplified import simplified
from fastsam.prompts import Prompt
from fastsam.refine.network import shared
from fastsam.serve import work
from fastsam.serve.photo import File

# Controls that masks can fill, the ones that hold most of a mask first. Those without labels of their own come with
# `Labels` beside them.
TAGS = {
    "BrushLabels": "brushlabels",
    "Brush": "brush",
    "PolygonLabels": "polygonlabels",
    "Polygon": "polygon",
    "RectangleLabels": "rectanglelabels",
    "Rectangle": "rectangle",
}
POINTS = ("keypointlabels", "keypoint")  # what a person clicks,
DRAWN = (*POINTS, "rectanglelabels", "rectangle")  # and draws
TOLERANCE = 1.0  # pixels, of a polygon
SIZES = (3, 4, 8, 16)  # bits of a run's length
VERSION = f"fastsam-{__version__}"


@dataclass(frozen=True)
class Project:
    """What a project labels with.

    kind: the control's tag; name: of the control; to: of the picture; labels: the control's own, in order
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
    """Reads a labelling configuration: of the controls that masks can fill, the one that holds most of a mask.

    A project that has rectangles for prompts and brushes for masks gets brushes, wherever they stand. Raises UsageError
    if there is no such control or no picture.
    """
    if "<!DOCTYPE" in config or "<!ENTITY" in config:  # nothing that a configuration needs
        raise UsageError("the labelling configuration must not declare entities: remove its DOCTYPE")
    try:
        root = ElementTree.fromstring(config)
    except ElementTree.ParseError as error:
        raise UsageError(f"the labelling configuration is not XML ({error})") from None
    pictures = {node.get("name", ""): node for node in root.iter("Image")}
    controls = [node for node in root.iter() if node.tag in TAGS]
    about = [node for node in controls if node.get("toName", "").split(",")[0] in pictures]
    if not controls:
        raise UsageError(f"the project must label with one of {', '.join(TAGS)}")
    if not about:
        raise UsageError("the project's controls must label a picture: toName of one must be the name of an Image")
    control = min(about, key=lambda node: list(TAGS).index(node.tag))
    to = control.get("toName", "").split(",")[0]
    own = tuple(child.get("value", "") for child in control.iter("Label"))
    labels = tuple(label for label in own if label) or (("object",) if control.tag.endswith("Labels") else ())
    return Project(control.tag, control.get("name", "label"), to, labels, pictures[to].get("value", "").lstrip("$"))


def predict(use: work.Use, data: bytes, project: Project, drawn: list[dict[str, Any]]) -> dict[str, Any]:
    """Results of a picture: all things, each drawn anew, or what was `drawn` so far means."""
    segments, refiner = work.model(use)(File(data).pixels(use.pixels)), shared(use.threads)
    prompts = asked(drawn, segments.size)
    if prompts is None:
        redrawn = segments.refine(refiner=refiner).filter(level="things")
        masks = list(zip(redrawn.scores.tolist(), redrawn.to_rle(), strict=True))
    else:
        picks = segments.select(prompts, refine=refiner) if prompts else []
        masks = [(pick.score, rle.encode(pick.mask)) for pick in picks if pick.mask is not None]
    height, width = segments.size
    label = label_of(project, drawn)
    results = [
        {
            "id": f"mask{k}-{part}",
            "from_name": project.name,
            "to_name": project.to,
            "type": project.field,
            "score": score,
            "value": {**value, **({} if label is None else {project.field: [label]})},
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
        }
        for k, (score, packed) in enumerate(masks)
        for part, value in enumerate(values_of(rle.decode(packed), project.kind))
    ]
    score = max((float(score) for score, _ in masks), default=0.0)
    return {"result": results, "score": score, "model_version": VERSION}


def asked(drawn: list[dict[str, Any]], size: tuple[int, int]) -> list[Prompt] | None:
    """What is asked for: None for everything if nothing was drawn; else one prompt of all key points and the rectangle.

    The list is empty if nothing says what is meant: background points alone, a rectangle without an area, other kinds
    of drawings. Places are in percent of the photo; points beyond its border are moved to it. Raises UsageError.
    """
    if not drawn:
        return None
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    box = None
    height, width = size
    for result in drawn:
        try:
            kind, value = result.get("type"), result.get("value") or {}
            if kind not in DRAWN:
                continue
            x, y = float(value["x"]) * width / 100, float(value["y"]) * height / 100
            if kind in POINTS:
                points.append((min(max(x, 0), width - 0.01), min(max(y, 0), height - 0.01)))
                labels.append(int(bool(result.get("is_positive", 1))))
                continue
            w, h = float(value["width"]) * width / 100, float(value["height"]) * height / 100
            box = (x, y, x + w, y + h) if w > 0 and h > 0 else box
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
            raise UsageError("each point and box of the context must have numbers x and y") from None
    return [Prompt(points=points, labels=labels or None, box=box)] if box or 1 in labels else []


def label_of(project: Project, drawn: list[dict[str, Any]]) -> str | None:
    """The label that the last thing drawn has, if the control knows it; else the control's first, None without any."""
    for result in reversed(drawn):
        value, kind = result.get("value"), result.get("type")
        named = value.get(kind) if isinstance(value, dict) and isinstance(kind, str) else None
        if isinstance(named, list) and named and named[0] in project.labels:
            return str(named[0])
    return project.labels[0] if project.labels else None


def values_of(mask: Any, kind: str) -> list[dict[str, Any]]:
    """A mask as a control's values: one, or a polygon for each of its parts; places in percent."""
    height, width = mask.shape
    if kind.startswith("Brush"):
        return [{"format": "rle", "rle": brush(mask)}]
    if kind.startswith("Polygon"):
        rings = (bridged(part) for part in simplified(polygons(mask, (0, 0)), TOLERANCE))
        return [{"points": (ring * (100 / width, 100 / height)).tolist(), "closed": True} for ring in rings]
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


def unbrush(packed: Any, size: tuple[int, int]) -> Any:
    """The mask (H, W) of Label Studio's brush encoding, see `brush`. Raises ValueError for another size or none."""
    try:
        bits = "".join(f"{value:08b}" for value in bytes(packed))
        at, values = 53, 4 * size[0] * size[1]
        if int(bits[:32], 2) != values:
            raise ValueError(f"the brush is not of {size[1]} x {size[0]} pixels")
        word = int(bits[32:37], 2) + 1
        sizes = [int(bits[k : k + 4], 2) + 1 for k in range(37, 53, 4)]
        found = np.zeros(values, np.int64)
        filled = 0
        while filled < values:
            wide = sizes[int(bits[at + 1 : at + 3], 2)]
            length = int(bits[at + 3 : at + 3 + wide], 2) + 1
            if filled + length > values:
                raise ValueError("the brush has too many pixels")
            same, at = bits[at] == "1", at + 3 + wide
            count = 1 if same else length
            read = [int(bits[k : k + word], 2) for k in range(at, at + count * word, word)]
            found[filled : filled + length] = read[0] if same else read
            at += count * word
            filled += length
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise ValueError(f"the brush cannot be read: {str(error)[:80]}") from None
    return found[3::4].reshape(size) > 0
