"""CVAT's functions without Nuclio, against CVAT's own package. They need cvat-cli, in an environment of its own."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cvat_sdk", reason="cvat-cli is not installed: pip install 'fast-segment-anything[cvat]'")

import PIL.Image
from cvat_sdk.masks import decode_mask

from fastsam import FastSAM, UsageError
from fastsam.masks.annotations import fill
from fastsam.plugins.cvat_agent import create

SIZE = (400, 600)


@pytest.fixture(scope="module")
def image(examples: Path) -> Any:
    return PIL.Image.open(examples / "coffee.png")


def decoded(points: list[float]) -> np.ndarray:
    return np.asarray(decode_mask(points, image_width=SIZE[1], image_height=SIZE[0]))


def test_every_thing_is_a_mask_or_a_polygon(model: FastSAM, image: Any) -> None:
    detector = create()
    (label,) = detector.spec.labels
    assert (label.name, label.type) == ("object", "mask")
    masks = model(image).filter(level="things").refine().masks
    for polygons in (False, True):
        context = SimpleNamespace(conf_threshold=None, conv_mask_to_poly=polygons)
        found = detector.detect(context, image)
        assert len(found) == len(masks) > 3
        for shape, mask in zip(found, masks, strict=True):
            assert (str(shape.type), shape.label_id, shape.frame) == ("polygon" if polygons else "mask", label.id, 0)
            drawn = fill(shape.points, SIZE) if polygons else decoded(shape.points)
            assert (drawn & mask).sum() / (drawn | mask).sum() > (0.85 if polygons else 0.9999)
    strict = SimpleNamespace(conf_threshold=1.0, conv_mask_to_poly=False)
    assert detector.detect(strict, image) == []


def test_points_and_a_box_mean_what_the_library_says(model: FastSAM, image: Any) -> None:
    interactor, segments = create("interactor"), model(image)
    seen = interactor.preprocess_image(None, image)
    for prompts, (pick,) in (
        (((300, 100),), segments.select(points=[(300, 100)])),
        (((300, 100), (30, 380)), segments.select(points=[(300, 100), (30, 380)], labels=[1, 0])),
    ):
        given = SimpleNamespace(pos_points=prompts[:1], neg_points=prompts[1:], bounding_box=None)
        (shape,) = interactor.detect(None, seen, given)
        assert shape.type == "mask"
        np.testing.assert_array_equal(decoded(shape.points), pick.mask)
    (pick,) = segments.select(boxes=[(180, 10, 430, 250)])
    given = SimpleNamespace(pos_points=[], neg_points=[], bounding_box=((180, 10), (430, 250)))
    (shape,) = interactor.detect(None, seen, given)
    np.testing.assert_array_equal(decoded(shape.points), pick.mask)


def test_what_makes_no_sense_is_one_line(image: Any) -> None:
    interactor = create("interactor")
    nothing = SimpleNamespace(pos_points=[], neg_points=[(3, 3)], bounding_box=None)
    with pytest.raises(UsageError, match="nothing says where the object is"):
        interactor.detect(None, interactor.preprocess_image(None, image), nothing)
    with pytest.raises(UsageError, match="kind must be detector or interactor, not 'tracker'"):
        create("tracker")
