"""The labels of slices, one slice after the other.

Enters: a model, slices, marks. Leaves: number of a slice and its labels (H, W), int32, as they are ready; 0 is no
object, and small objects lie on top of large ones.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Runs
from fastsam.model import FastSAM
from fastsam.plugins.napari.marks import Mark
from fastsam.plugins.napari.pictures import Slices
from fastsam.prompts import Pick

Int32 = npt.NDArray[np.int32]
Labelled = tuple[int, Int32]


def everything(model: FastSAM, slices: Slices, numbers: Iterable[int], level: str) -> Iterator[Labelled]:
    """Every object of the slices with these numbers, each with a label of its own."""
    used = 0
    for number in numbers:
        found = model(slices[number]).filter(level=level)
        labels = found.label_map()
        labels[labels > 0] += used
        used += len(found)
        yield number, labels


def everything_followed(model: FastSAM, slices: Slices, level: str) -> Iterator[Labelled]:
    """Every object of a stack, with one label through all slices that show it."""
    for frame, found in model.track(slices):
        some = found.filter(level=level)
        assert some.tracks is not None
        yield frame.number, painted(zip(some.tracks.tolist(), some.masks.all_runs(), strict=True), some.size)


def marked(model: FastSAM, slices: Slices, marks: Sequence[Mark]) -> Iterator[Labelled]:
    """The marked objects, each in the slice where it is marked."""
    for number, here in by_slice(marks).items():
        segments = model(slices[number])
        yield number, answered(here, segments.select([mark.prompt for mark in here]), segments.size)


def marked_followed(model: FastSAM, slices: Slices, marks: Sequence[Mark]) -> Iterator[Labelled]:
    """The marked objects, each followed through all slices from the one where it is marked."""
    groups = by_slice(marks)
    ways = [model.follow(slices, [mark.prompt for mark in here], frame=k) for k, here in groups.items()]
    size = (slices.shape[-2], slices.shape[-1])
    every = [mark for here in groups.values() for mark in here]
    for shots in zip(*ways, strict=True):
        yield shots[0][0].number, answered(every, [pick for _, picks in shots for pick in picks], size)


def by_slice(marks: Sequence[Mark]) -> dict[int, list[Mark]]:
    """The marks of each slice that has some, in the order of slices."""
    return {k: [mark for mark in marks if mark.slice == k] for k in sorted({mark.slice for mark in marks})}


def answered(marks: Sequence[Mark], picks: Sequence[Pick], size: tuple[int, int]) -> Int32:
    """Labels of the marks that have an answer."""
    pairs = zip(marks, picks, strict=True)
    return painted(((mark.number, pick.candidates[0].runs) for mark, pick in pairs if pick), size)


def painted(objects: Iterable[tuple[int, Runs]], size: tuple[int, int]) -> Int32:
    """Objects with their labels, small ones on top of large ones."""
    labels = np.zeros(size, np.int32)
    for number, runs in sorted(objects, key=lambda one: -one[1].area):
        runs.crop().paint(labels, number)
    return labels
