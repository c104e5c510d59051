"""FastSAM answers osam's requests. Needs osam: `pip install '.[labelme]'`; `.ci/run` has an environment with it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("osam", reason="osam is not installed: pip install 'fast-segment-anything[labelme]'")

import osam

from fastsam import FastSAM, UsageError, read_image
from fastsam.plugins.osam import NAME, prompt_of, register


@pytest.fixture(scope="module")
def coffee(examples: Path) -> np.ndarray:
    return read_image(examples / "coffee.png")


def ask(image: Any, **prompt: Any) -> list[Any]:
    """What osam answers for FastSAM."""
    register()
    given = osam.types.Prompt(**prompt) if prompt else None
    request = osam.types.GenerateRequest(model="fastsam", image=image, prompt=given)
    response = osam.apis.generate(request=request)
    assert response.model == NAME
    return list(response.annotations)


def whole(annotation: Any, size: tuple[int, int]) -> np.ndarray:
    """An annotation's mask in the size of the photo."""
    mask, box = np.zeros(size, bool), annotation.bounding_box
    mask[box.ymin : box.ymax + 1, box.xmin : box.xmax + 1] = annotation.mask
    return mask


def test_it_is_registered_once() -> None:
    register()
    register()
    assert [one.name for one in osam.apis.registered_model_types].count(NAME) == 1
    kind = osam.apis.get_model_type_by_name("fastsam")
    assert kind.get_size() > 1e6  # labelme takes it for downloaded
    kind.pull()
    with pytest.raises(UsageError, match="pip uninstall"):
        kind.remove()


def test_points_and_boxes_mean_what_the_library_says(model: FastSAM, coffee: np.ndarray) -> None:
    segments = model(coffee)
    for points, labels, (pick,) in (
        ([[300, 100], [30, 380]], [1, 0], segments.select(points=[(300, 100), (30, 380)], labels=[1, 0])),
        ([[180, 10], [430, 250]], [2, 3], segments.select(boxes=[(180, 10, 430, 250)])),
        ([[430, 10], [180, 250]], [2, 3], segments.select(boxes=[(180, 10, 430, 250)])),
    ):
        (found,) = ask(coffee, points=points, point_labels=labels)
        np.testing.assert_array_equal(whole(found, (400, 600)), pick.mask)
        assert found.score == pytest.approx(pick.score, abs=1e-4)


def test_everything_is_found_without_a_prompt(model: FastSAM, coffee: np.ndarray) -> None:
    segments, found = model(coffee), ask(coffee)
    assert len(found) == len(segments)
    for annotation, mask in zip(found, segments.masks, strict=True):
        np.testing.assert_array_equal(whole(annotation, (400, 600)), mask)


def test_points_beyond_the_border_are_moved_to_it() -> None:
    prompt = prompt_of(np.array([[-5, 3], [600, 400], [7, 7]]), np.array([1, 0, -1]), (400, 600))
    assert prompt is not None
    assert prompt.points == ((0.0, 3.0), (599.99, 399.99))


def test_points_against_alone_have_no_answer(coffee: np.ndarray) -> None:
    assert ask(coffee, points=[[300, 100]], point_labels=[0]) == []


@pytest.mark.parametrize("shape", [(400, 600), (400, 600, 4), (20_000, 10, 3)])
def test_images_of_every_kind_are_taken(shape: tuple[int, ...]) -> None:
    assert isinstance(ask(np.full(shape, 90, np.uint8), points=[[5, 5]], point_labels=[1]), list)


@pytest.mark.parametrize(
    ("image", "prompt", "about"),
    [
        (None, {}, "no image"),
        (np.zeros((0, 512, 3), np.uint8), {}, "must be an RGB array"),
        (np.zeros((9, 9, 3), complex), {}, "uint8"),
        (np.zeros((9, 9, 3), np.uint8), {"points": [[1, 1]], "point_labels": [2]}, "two corners"),
        (np.zeros((9, 9, 3), np.uint8), {"points": [[1, 1], [1, 5]], "point_labels": [2, 3]}, "has no area"),
        (np.zeros((9, 9, 3), np.uint8), {"points": [[np.nan, 1]], "point_labels": [1]}, "finite"),
    ],
)
def test_what_makes_no_sense_is_one_line(image: Any, prompt: dict[str, Any], about: str) -> None:
    with pytest.raises(UsageError, match=about) as error:
        ask(image, **prompt)
    assert "\n" not in str(error.value)


def test_osams_own_command_runs_it(examples: Path) -> None:
    prompt = json.dumps({"points": [[300, 100]], "point_labels": [1]})
    words = ["run", "fastsam", "--image", str(examples / "coffee.png"), "--json", "--prompt", prompt]
    done = subprocess.run([sys.executable, "-m", "fastsam.plugins.osam", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (annotation,) = json.loads(done.stdout)["annotations"]
    assert annotation["bounding_box"]["xmin"] < 300 < annotation["bounding_box"]["xmax"]
