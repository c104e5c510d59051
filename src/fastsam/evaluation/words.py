"""Measures how often true masks get the right word of the set's own vocabulary, without any segmentation network.

Enters: a set whose categories have names. Leaves: shares of masks and of area.

Every true mask gets the best of all words of the set, after similar category names are merged. Things (COCO's 80
objects) of at least 400 pixels count by number; stuff counts by area.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsam.evaluation.sets import Set
from fastsam.image.read import read_image
from fastsam.segments import Segments

LEAST_THING = 400  # minimum pixels of a thing
LEAST_STUFF = 100
# The 80 object categories of COCO (Lin et al. 2014).
OBJECTS = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,"
    "parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,"
    "suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,"
    "tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,"
    "hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,"
    "cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,"
    "toothbrush"
)
THINGS = frozenset(OBJECTS.split(","))
# Names of categories that differ from everyday words.
PLAIN = {
    "body": "person", "pedestrian": "person", "aeroplane": "airplane", "tv": "television", "tvmonitor": "television",
    "pottedplant": "potted plant", "diningtable": "dining table", "sofa": "couch", "motorbike": "motorcycle",
    "motorbikes": "motorcycle", "cars": "car", "signboard": "sign", "sports ball": "ball", "earth": "dirt",
    "playingfield": "playing field", "wall-brick": "wall", "wall-stone": "wall", "wall-tile": "wall",
    "wall-wood": "wall", "floor-wood": "floor", "window-blind": "blind", "region": "",
}  # fmt: skip


@dataclass(frozen=True)
class Naming:
    """Shares 0..1 with the right word: of things, of things without persons, of the area of stuff; and the numbers."""

    things: float
    things_without_persons: float
    stuff_area: float
    masks: tuple[int, int]
    words: int


@dataclass(frozen=True)
class Named:
    """A true mask: the name of its category, its plain word, the word that it got, and its area in pixels."""

    category: str
    word: str
    given: str | None
    area: int


def plain(name: str) -> str:
    """The everyday word for the name of a category."""
    word = PLAIN.get(name, name)
    return word.replace("-merged", "").replace("-other", "").replace("-stuff", "").replace("-", " ").replace("_", " ")


def vocabulary(content: dict[str, Any]) -> list[str]:
    """The plain words of a set's categories, each once."""
    return sorted({plain(c["name"]) for c in content["categories"]} - {""})


def name_all(one: Set, photo: dict[str, Any], encoder: str | None) -> list[Named]:
    """The true masks of a photo with the words that they get."""
    words, names = vocabulary(one.content), {c["id"]: c["name"] for c in one.content["categories"]}
    rows = one.annotations(photo)
    segments = Segments.from_masks(read_image(one.file(photo)), rows)
    given, areas = segments.name(words, encoder=encoder, all=True), segments.masks.areas.tolist()
    kinds = [names[row["category_id"]] for row in rows]
    return [Named(k, plain(k), g, a) for k, g, a in zip(kinds, given, areas, strict=True)]


def summary(named: Sequence[Named], words: int) -> Naming:
    """The shares."""
    things = [n for n in named if n.category in THINGS and n.area >= LEAST_THING]
    stuff = [n for n in named if n.category not in THINGS and n.area >= LEAST_STUFF]
    area = sum(n.area for n in stuff)
    return Naming(
        things=_share(things),
        things_without_persons=_share([n for n in things if n.word != "person"]),
        stuff_area=sum(n.area for n in stuff if n.given == n.word) / area if area else float("nan"),
        masks=(len(things), len(stuff)),
        words=words,
    )


def _share(named: Sequence[Named]) -> float:
    return float(np.mean([n.given == n.word for n in named])) if named else float("nan")
