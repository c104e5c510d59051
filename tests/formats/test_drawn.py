"""A drawn answer is written as it was drawn in every format, with its quality where there is room."""

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fastsam import Candidate, Pick, Prompt, Segments
from fastsam.formats.answers import picks_of
from fastsam.formats.coco import rows_of
from fastsam.formats.content import FORMATS, Subject, packed
from fastsam.masks.annotations import decode
from fastsam.masks.drawn import collect
from fastsam.masks.lazy import from_grids
from fastsam.masks.rle import decode as decode_rle

BOX = (20.0, 10.0, 60.0, 50.0)
PHOTO = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)


@pytest.fixture
def segments() -> Segments:
    """Two masks that are no answer themselves, of two classes."""
    masks = np.zeros((2, 60, 80), bool)
    masks[0, 0:5, 0:5] = masks[1, 12:45, 25:60] = True
    found = Segments.from_masks(PHOTO, masks, [0.9, 0.8])
    return Segments(found.masks, found.scores, np.array([2, 1]), ("thing", "spoon", "cup"), photo=found.photo)


@pytest.fixture
def picks(segments: Segments) -> list[Pick]:
    """A disc, drawn from nothing, and a smaller one, drawn from mask 0; nothing; mask 1 as it is."""
    at = np.hypot(*np.meshgrid(*[np.arange(40) - 19.5] * 2))
    grids = [(15 - at).astype(np.float32), (8 - at).astype(np.float32)]
    masks = from_grids(collect(grids, np.array([[20, 10, 40.0]] * 2), (60, 80)))
    first = Candidate(masks, (0,), 0.7, quality=0.71234567)
    second = Candidate(masks, (1,), 0.5, quality=0.5, origin=0)
    plain = Candidate(segments.masks, (1,), 0.4)
    asked = Prompt(box=BOX)
    return [Pick(asked, (first, second)), Pick(asked, ()), Pick(asked, (second,)), Pick(asked, (plain,))]


def only(name: str, segments: Segments, picks: list[Pick]) -> bytes:
    return packed(FORMATS[name], "a", Subject("a.png", segments, picks))[1]


def masks_of(picks: list[Pick]) -> list[np.ndarray]:
    return [pick.mask for pick in picks if pick.mask is not None]


def test_json_says_how_good_and_drawn_from_what(segments: Segments, picks: list[Pick]) -> None:
    first, nothing, second, plain = json.loads(json.dumps(picks_of(segments, picks)))
    assert nothing is None
    assert (first["how"], first["quality"], first["index"], first["score"]) == ("drawn", 0.71235, None, 0.7)
    assert (second["how"], second["quality"], second["index"]) == ("drawn", 0.5, 0)
    assert (plain["how"], plain["index"], "quality" in plain) == ("mask", 1, False)
    assert first["candidates"] == [
        {"index": None, "score": 0.7, "how": "drawn", "quality": 0.71235},
        {"index": 0, "score": 0.5, "how": "drawn", "quality": 0.5},
    ]
    assert plain["candidates"] == [{"index": 1, "score": 0.4}]
    for one, mask in zip((first, second, plain), masks_of(picks), strict=True):
        np.testing.assert_array_equal(decode_rle(one["segmentation"]), mask)
        assert one["area"] == mask.sum()


def test_coco_has_the_drawn_mask_and_its_quality(segments: Segments, picks: list[Pick]) -> None:
    rows = rows_of(segments, picks)
    assert [row["prompt"] for row in rows] == [0, 2, 3]
    assert [row.get("quality") for row in rows] == [0.71235, 0.5, None]
    assert "quality" not in rows[2]
    assert all("quality" not in row for row in rows_of(segments))
    for row, mask in zip(rows, masks_of(picks), strict=True):
        np.testing.assert_array_equal(decode_rle(row["segmentation"]), mask)
        assert row["area"] == mask.sum()
        y, x = np.nonzero(mask)
        assert row["bbox"] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
    assert json.loads(only("coco", segments, picks))["annotations"][0]["quality"] == 0.71235


def test_outlines_are_those_of_the_drawn_masks(segments: Segments, picks: list[Pick]) -> None:
    whole = masks_of(picks)
    features = json.loads(only("polygons", segments, picks))["features"]
    assert [f["properties"].get("quality") for f in features] == [0.71235, 0.5, None]
    assert [f["properties"]["area"] for f in features] == [mask.sum() for mask in whole]
    shapes = json.loads(only("labelme", segments, picks))["shapes"]
    assert [s["description"] for s in shapes] == [
        "score 0.7000, quality 0.7123",
        "score 0.5000, quality 0.5000",
        "score 0.4000",
    ]
    lines = only("yolo", segments, picks).decode().splitlines()
    for f, s, line, mask in zip(features, shapes, lines, whole, strict=True):
        ((ring,),) = f["geometry"]["coordinates"]
        np.testing.assert_array_equal(decode([np.ravel(ring).tolist()], mask.shape), mask)
        rough = decode([np.ravel(s["points"]).tolist()], mask.shape)
        assert (rough & mask).sum() / mask.sum() > 0.7
        assert not (rough & ~mask).any()
        points = np.array(line.split()[1:], float).reshape(-1, 2) * (80, 60)
        np.testing.assert_allclose(points, s["points"], atol=1e-3)


def test_pictures_show_the_drawn_masks(segments: Segments, picks: list[Pick]) -> None:
    disc, small, plain = masks_of(picks)
    labels = np.asarray(Image.open(io.BytesIO(only("png", segments, picks))))
    np.testing.assert_array_equal(labels > 0, disc | small | plain)
    np.testing.assert_array_equal(labels == 3, small)  # small ones on large ones
    nameless = replace(segments, names=("object",) * 3)
    overlay = np.asarray(Image.open(io.BytesIO(only("overlay", nameless, picks[:1]))).convert("RGB"))
    changed = (overlay != PHOTO).any(2)
    assert changed[disc].mean() > 0.95
    outside = ~disc
    outside[10:51, 20:61] = False  # where the prompt's box is drawn
    assert not changed[outside].any()
    assert json.loads(only("coco", nameless, picks))["categories"] == [{"id": 1, "name": "object"}]
    cut = dict(FORMATS["cutouts"].make(Subject("a.png", segments, picks)))
    assert sorted(cut) == ["prompt00-00.png", "prompt02-00.png", "prompt03-00.png"]
    alpha = np.asarray(Image.open(io.BytesIO(cut["prompt00-00.png"])))[..., 3]
    assert 0.9 < (alpha > 127).sum() / disc.sum() < 1.1


def test_npz_partition_and_edges_hold_everything_all_the_same(segments: Segments, picks: list[Pick]) -> None:
    for name, format_ in FORMATS.items():
        if name != "overlay":  # its picture of this photo is compared above
            alike = only(name, segments, picks) == only(name, segments, picks[1:2])
            assert alike == format_.everything, name
    back = Segments.from_npz(only("npz", segments, picks))
    np.testing.assert_array_equal(back.masks.stack(), segments.masks.stack())


def test_a_drawn_answer_has_the_class_of_what_it_was_drawn_from_or_lies_on(
    segments: Segments, picks: list[Pick]
) -> None:
    assert [segments.class_of(pick.candidates[0]) for pick in picks if pick] == [1, 2, 1]
    assert [json.loads(only("labelme", segments, [pick]))["shapes"][0]["label"] for pick in picks if pick] == [
        *("spoon", "cup", "spoon")
    ]
    alone = from_grids(collect([np.ones((4, 4), np.float32)], np.array([[70, 50, 8.0]]), (60, 80)))
    nowhere = Candidate(alone, (0,), 0.6, quality=0.6)
    assert segments.class_of(nowhere) == 0
    empty: Any = Segments.from_masks(PHOTO, [])
    assert empty.class_of(nowhere) == 0
    assert json.loads(only("coco", empty, [Pick(Prompt(box=BOX), (nowhere,))]))["annotations"][0]["category_id"] == 1
