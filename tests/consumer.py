"""What a user's program may do with `fastsam.__all__`, as its own type checker sees it.

    mypy tests/consumer.py

Nothing here may be `Any`: `assert_type` fails if the type of what a call gives is lost.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

import fastsam
from fastsam import (
    Candidate,
    FastSAM,
    FastSAMDecoder,
    FastSAMPrompt,
    Follower,
    PhotoWarning,
    Pick,
    Prompt,
    Segments,
    UnreadableImageError,
    UsageError,
    read_image,
)

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]


def everything(photo: Path) -> Segments:
    """Segments a photo, in each of the ways in which one can be given."""
    model = FastSAM(threads=1)
    pixels = assert_type(read_image(photo), UInt8)
    assert_type(model(str(photo)), Segments)
    assert_type(model(pixels, imgsz=(320, 480), conf=0.1, iou=0.7, max_det=50), Segments)
    assert_type(model([photo, pixels], imgsz=320), list[Segments])
    assert_type(model.batch([photo], imgsz=320), list[Segments])
    for _, found in model.stream([photo], imgsz=320):
        assert_type(found, Segments)
    return assert_type(model(photo, refine=False), Segments)


def one_object(segments: Segments) -> UInt8:
    """What is known of one object."""
    segment = segments[0]
    assert_type(segment.mask, Bool)
    assert_type(segment.box, tuple[float, float, float, float])
    assert_type(segment.area, int)
    assert_type(segment.score, float)
    assert_type(segment.name, str)
    return assert_type(segment.cutout, UInt8)


def results(segments: Segments, folder: Path) -> Segments:
    """What a result gives."""
    assert_type(len(segments), int)
    assert_type(segments.size, tuple[int, int])
    assert_type(segments.boxes, Float)
    assert_type(segments.scores, Float)
    assert_type(segments.masks[0], Bool)
    assert_type(segments.edges(), Float)
    assert_type(segments.partition(fill=True).labels, npt.NDArray[np.int32])
    assert_type(segments.hierarchy(), npt.NDArray[np.int64])
    assert_type(segments.label_map(), npt.NDArray[np.int32])
    assert_type(segments.cutout(0), UInt8)
    assert_type(segments.to_npz(), bytes)
    assert_type(segments[:3], Segments)
    assert_type(segments[segments.scores > 0.3], Segments)
    assert_type(segments.filter(conf=0.1, area=(100, None)), Segments)
    for outlines in segments.to_polygons():
        assert_type(outlines[0].outline, Float)
    for packed in segments.to_rle():
        assert_type(packed["size"], list[int])
    segments.save(folder / "result.npz")
    return assert_type(Segments.load(folder / "result.npz"), Segments)


def asking(segments: Segments) -> Bool:
    """Points, boxes and masks, and what answers them."""
    picks = segments.select(
        [Prompt(points=[(365, 285)], labels=[1], box=(320, 220, 410, 330))], boxes=np.array([[320, 220, 410, 330]])
    )
    assert_type(picks, list[Pick])
    pick = picks[0]
    assert_type(pick.prompt, Prompt)
    assert_type(pick.candidates, tuple[Candidate, ...])
    assert_type(pick.mask, Bool | None)
    assert_type(pick.quality, float | None)
    assert_type(pick.index, int | None)
    best = pick.candidates[0]
    assert_type(best.mask, Bool)
    assert_type(best.how, str)
    assert_type(segments.picked(picks), Segments)
    return assert_type(segments.merge(picks), Bool)


def follow(model: FastSAM, frames: list[npt.NDArray[np.uint8]]) -> list[Pick]:
    """A video as a whole, and a live stream."""
    for frame, picks in model.follow("clip.mp4", Prompt(points=[(320, 180)]), frame=12):
        assert_type(frame.number, int)
        assert_type(frame.pixels, npt.NDArray[np.uint8])
        assert_type(picks, list[Pick])
    follower = Follower(model, frames[0], [Prompt(box=(10, 20, 90, 140))])
    assert_type(follower.step(frames[1]), list[Pick])
    return assert_type(follower.correct({0: Prompt(points=[(30, 40)])}), list[Pick])


def mistakes(model: FastSAM) -> str:
    """Errors are values of one family, each a line for a person."""
    try:
        model("nowhere.jpg")
    except UnreadableImageError as error:
        usage: UsageError = error
        return str(usage)
    return PhotoWarning.__name__


def published(photo: Path, segments: Segments) -> tuple[type[FastSAMPrompt], type[FastSAMDecoder], str]:
    """Names of the published code, for programs that were written for it."""
    return FastSAMPrompt, FastSAMDecoder, assert_type(fastsam.__version__, str)
