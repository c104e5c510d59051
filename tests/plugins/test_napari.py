"""napari's plugin: images and stacks, points and boxes in, labels out.

The tests of the panel need `pip install 'napari[pyside6]'`, in an environment of its own; `.ci/run` makes one. They
need no screen: the viewer is napari's model of one.
"""

import os
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastsam import FastSAM, UsageError, read_image
from fastsam.plugins.napari import labels
from fastsam.plugins.napari.marks import Mark, marks, read_boxes, read_points
from fastsam.plugins.napari.pictures import Slices
from fastsam.prompts import Prompt

CUP, SPOON, GROUND = (300.0, 100.0), (365.0, 285.0), (30.0, 380.0)  # x, y on the coffee
CUP_BOX = np.array([[10, 180], [10, 430], [250, 430], [250, 180]], float)  # y, x


@pytest.fixture(scope="module")
def coffee(examples: Path) -> np.ndarray:
    return read_image(examples / "coffee.png")


@pytest.fixture(scope="module")
def stack(coffee: np.ndarray) -> np.ndarray:
    """Three slices of grey: the coffee moves to the right."""
    return np.stack([np.roll(coffee.mean(2), 8 * k, 1) for k in range(3)]).astype(np.float32)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


@pytest.mark.parametrize(
    ("values", "limits", "light"),
    [
        (np.full((4, 6), 3000, np.uint16), (1000.0, 5000.0), 128),
        (np.full((4, 6), 9.0), (0.0, 1.0), 255),
        (np.full((4, 6), -0.5, np.float32), (-1.0, 1.0), 64),
        (np.full((4, 6), np.nan), (0.0, 1.0), 0),
        (np.ones((4, 6), bool), (0.0, 1.0), 255),
        (np.full((4, 6), 7, np.int64), (7.0, 7.0), 0),
        (np.full((4, 6), 77, np.uint8), (0.0, 255.0), 77),
    ],
)
def test_grey_values_are_seen_as_napari_shows_them(values: np.ndarray, limits: tuple[float, float], light: int) -> None:
    (picture,) = Slices(values, limits=limits)
    assert (picture.shape, picture.dtype) == ((4, 6, 3), np.uint8)
    assert np.abs(picture.astype(int) - light).max() <= 1


def test_colours_are_seen_as_they_are(coffee: np.ndarray) -> None:
    for values in (coffee, coffee.astype(np.float32) / 255, coffee.astype(np.uint16) * 257):
        np.testing.assert_array_equal(Slices(values, colour=True)[0], coffee)
    assert Slices(np.stack([coffee] * 2)[None], colour=True).lead == (1, 2)


@pytest.mark.parametrize(
    ("values", "colour", "about"),
    [
        (np.zeros((0, 512, 512)), False, "the image of shape \\(0, 512, 512\\) has no pixels"),
        (np.zeros(7), False, "must have axes"),
        (np.zeros((9, 9, 2)), True, "must have axes"),
        (np.zeros((9, 9), complex), False, "values are complex128"),
    ],
)
def test_what_is_no_picture_is_refused(values: np.ndarray, colour: bool, about: str) -> None:
    with pytest.raises(UsageError, match=about):
        Slices(values, colour)


@pytest.mark.parametrize("shape", [(20_000, 10), (1, 1), (10, 20_000)])
def test_odd_shapes_have_labels_of_their_shape(model: FastSAM, shape: tuple[int, int]) -> None:
    slices = Slices(np.random.default_rng(0).random(shape) > 0.5)
    ((number, found),) = labels.everything(model, slices, [0], "things")
    assert (number, found.shape, found.dtype) == (0, shape, np.int32)


def test_the_centre_of_the_first_pixel_is_at_nought(coffee: np.ndarray) -> None:
    slices = Slices(coffee, colour=True)
    assert read_points([np.array([2.0, 3.0])], slices) == [(0, (3.5, 2.5))]
    assert read_boxes([CUP_BOX], slices) == [(0, (180.5, 10.5, 430.5, 250.5))]


def test_points_in_a_box_are_part_of_it_and_others_are_objects(stack: np.ndarray) -> None:
    slices, box = Slices(stack), (180.0, 10.0, 430.0, 250.0)
    points, refused = [(1, CUP), (1, SPOON), (2, CUP)], [(1, GROUND), (1, (200.0, 20.0))]
    found = marks(slices, points, refused, [(1, box)])
    prompts = [(m.number, m.slice, m.prompt.points, m.prompt.labels, m.prompt.box) for m in found]
    assert prompts == [
        (1, 1, (CUP, (200.0, 20.0)), (1, 0), box),
        (2, 1, (SPOON, GROUND, (200.0, 20.0)), (1, 0, 0), None),
        (3, 2, (CUP,), (1,), None),
    ]
    together = marks(slices, [(0, CUP), (0, SPOON), (2, CUP)], [], [], one=True)
    assert [(m.slice, len(m.prompt.points)) for m in together] == [(0, 2), (2, 1)]


@pytest.mark.parametrize(
    ("place", "about"),
    [
        ([1, 10, 900], "point 900.5,10.5 lies outside the photo of 600 x 400 pixels"),
        ([3, 10, 10], "a point lies on slice 3, but the stack has 3"),
        ([-1, 10, 10], "a point lies on slice -1"),
        ([np.nan, 10, 10], "a point lies on slice nan"),
        ([0, np.inf, 10], "point must be 2 finite numbers"),
    ],
)
def test_points_outside_are_named(stack: np.ndarray, place: list[float], about: str) -> None:
    slices = Slices(stack)
    with pytest.raises(UsageError, match=about) as error:
        marks(slices, read_points([np.array(place)], slices), [], [])
    assert "\n" not in str(error.value)


def test_no_marks_and_boxes_across_slices_are_refused(stack: np.ndarray) -> None:
    slices = Slices(stack)
    with pytest.raises(UsageError, match="nothing is marked"):
        marks(slices, [], [], [])
    with pytest.raises(UsageError, match="nothing is marked"):
        marks(slices, [], [(0, CUP)], [])
    with pytest.raises(UsageError, match="across slices"):
        read_boxes([np.array([[0, 1, 1], [1, 9, 9]], float)], slices)
    with pytest.raises(UsageError, match="has no area"):
        marks(slices, [], [], read_boxes([np.array([[0, 1, 1], [0, 1, 9]], float)], slices))


def test_everything_has_labels_of_its_own_in_each_slice(model: FastSAM, stack: np.ndarray) -> None:
    found = dict(labels.everything(model, Slices(stack, limits=(0, 255)), range(3), "parts"))
    seen = [set(np.unique(found[k])) - {0} for k in range(3)]
    assert all(len(some) > 5 for some in seen)
    assert not seen[0] & seen[1]
    assert not seen[1] & seen[2]


def test_everything_keeps_its_labels_through_the_stack(model: FastSAM, stack: np.ndarray) -> None:
    found = dict(labels.everything_followed(model, Slices(stack, limits=(0, 255)), "things"))
    cup = int(found[0][100, 300])
    assert cup
    assert iou(np.roll(found[0] == cup, 16, 1), found[2] == cup) > 0.8


def test_marks_are_labelled_with_their_numbers(model: FastSAM, coffee: np.ndarray) -> None:
    slices = Slices(coffee, colour=True)
    found = marks(slices, [(0, SPOON)], [], read_boxes([CUP_BOX], slices))
    ((_, map_),) = labels.marked(model, slices, found)
    cup, spoon = model(coffee).select([mark.prompt for mark in found])
    assert iou(map_ == 2, spoon.mask) > 0.99
    assert iou(map_ == 1, cup.mask & ~spoon.mask) > 0.99


def test_marks_of_two_slices_are_followed_both_ways(model: FastSAM, stack: np.ndarray) -> None:
    slices = Slices(stack, limits=(0, 255))
    found = [Mark(1, 1, Prompt(points=[(308.0, 100.0)])), Mark(2, 2, Prompt(points=[(381.0, 285.0)]))]
    maps = dict(labels.marked_followed(model, slices, found))
    assert sorted(maps) == [0, 1, 2]
    for k in range(3):
        assert maps[k][100, 300 + 8 * k] == 1
        assert maps[k][285, 365 + 8 * k] == 2


# The panel, in napari


@pytest.fixture
def viewer() -> Any:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    pytest.importorskip("napari", reason="napari is not installed: pip install 'napari[pyside6]'")
    pytest.importorskip("qtpy.QtWidgets", reason="napari has no Qt: pip install 'napari[pyside6]'", exc_type=Exception)
    return import_module("napari.components").ViewerModel()


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What napari's notifications say."""
    manager = import_module("napari.utils.notifications").notification_manager
    texts: list[str] = []
    manager.notification_ready.connect(told := lambda event: texts.append(event.message))
    yield texts
    manager.notification_ready.disconnect(told)


@pytest.fixture
def panel(viewer: Any, said: list[str]) -> Callable[..., Any]:
    application = import_module("qtpy.QtWidgets").QApplication
    import_module("napari.qt").get_qapp()

    def run(button: str, **choices: Any) -> Any:
        """Sets the panel's choices, presses a button and waits until the job is done."""
        made = import_module("fastsam.plugins.napari.panel").Panel(viewer)
        for name, value in choices.items():
            widget = getattr(made, name)
            if name in ("image", "points", "refused", "boxes"):
                widget.choices = [value]  # in a window they come from it
            widget.value = value
        getattr(made, button).changed.emit(True)
        end = time.monotonic() + 120
        while made._worker is not None and time.monotonic() < end:
            application.processEvents()
            time.sleep(0.01)
        assert made._worker is None
        return made

    return run


def test_napari_finds_the_panel(viewer: Any) -> None:
    npe2 = pytest.importorskip("npe2")
    manifest = npe2.PluginManifest.from_distribution("fast-segment-anything")
    (widget,) = manifest.contributions.widgets
    command = next(c for c in manifest.contributions.commands if c.id == widget.command)
    assert command.python_name == "fastsam.plugins.napari.panel:Panel"
    module, name = command.python_name.split(":")
    assert issubclass(getattr(import_module(module), name), import_module("magicgui.widgets").Widget)


def test_everything_becomes_a_labels_layer(viewer: Any, panel: Any, said: list[str], coffee: np.ndarray) -> None:
    image = viewer.add_image(coffee, name="coffee", scale=(0.5, 0.5), translate=(3, 4))
    panel("everything", image=image)
    layer = viewer.layers["coffee objects"]
    assert type(layer).__name__ == "Labels"
    assert layer.data.shape == (400, 600)
    assert layer.data[100, 300] > 0
    np.testing.assert_array_equal((layer.scale, layer.translate), (image.scale, image.translate))
    assert said == []


def test_layers_of_another_scale_mark_the_same_place(viewer: Any, panel: Any, stack: np.ndarray) -> None:
    image = viewer.add_image(stack, name="stack", scale=(2, 0.5, 0.5))
    points = viewer.add_points([[2, 50, 154]])  # the cup on slice 1, in the world's units
    boxes = viewer.add_shapes([[[0, *corner] for corner in CUP_BOX]], scale=(2, 0.5, 0.5))
    panel("marked", image=image, points=points, boxes=boxes)
    data = viewer.layers["stack objects"].data
    assert data[0, 100, 300] == 1
    assert data[1, 100, 308] == 2
    assert not data[2].any()


def test_a_flat_layer_is_about_the_slice_that_is_shown(viewer: Any, panel: Any, stack: np.ndarray) -> None:
    image = viewer.add_image(stack, name="stack", scale=(2, 0.5, 0.5))
    points = viewer.add_points([[50, 154]])
    viewer.dims.set_point(0, 2.0)
    panel("marked", image=image, points=points)
    assert [bool(slice_.any()) for slice_ in viewer.layers["stack objects"].data] == [False, True, False]


def test_the_shown_slice_alone_leaves_the_others(viewer: Any, panel: Any, stack: np.ndarray) -> None:
    image = viewer.add_image(stack, name="stack")
    panel("everything", image=image)
    layer = viewer.layers["stack objects"]
    before = layer.data.copy()
    points = viewer.add_points([[1, 100, 308]])
    viewer.dims.set_point(0, 1)
    panel("marked", image=image, points=points, slices="the shown slice alone")
    assert len(viewer.layers) == 3
    assert set(np.unique(layer.data[1])) == {0, 1}
    np.testing.assert_array_equal(layer.data[[0, 2]], before[[0, 2]])


def test_objects_go_through_the_stack(viewer: Any, panel: Any, said: list[str], stack: np.ndarray) -> None:
    image = viewer.add_image(stack, name="stack")
    points = viewer.add_points([[1, 100, 308]])
    panel("marked", image=image, points=points, slices="objects go through the stack")
    data = viewer.layers["stack objects"].data
    assert all(data[k, 100, 300 + 8 * k] == 1 for k in range(3))
    assert said == []


def test_of_several_resolutions_the_finest_is_used(viewer: Any, panel: Any, coffee: np.ndarray) -> None:
    image = viewer.add_image([coffee, coffee[::2, ::2]], name="coffee", multiscale=True)
    panel("everything", image=image)
    assert viewer.layers["coffee objects"].data.shape == (400, 600)


def test_labels_larger_than_memory_are_said_in_a_line(viewer: Any, panel: Any, said: list[str]) -> None:
    values = np.broadcast_to(np.uint8(0), (10**12, 64, 64))  # in one byte
    image = viewer.add_image(values, name="endless", contrast_limits=(0, 255), multiscale=False)
    panel("everything", image=image, slices="the shown slice alone")
    assert said == ["labels of shape (1000000000000, 64, 64) need more memory than there is: crop the image"]
    assert len(viewer.layers) == 1


def test_one_job_runs_at_a_time_and_can_be_stopped(viewer: Any, said: list[str], stack: np.ndarray) -> None:
    application = import_module("qtpy.QtWidgets").QApplication
    import_module("napari.qt").get_qapp()
    made = import_module("fastsam.plugins.napari.panel").Panel(viewer)
    made.image.choices = [viewer.add_image(np.concatenate([stack] * 20), name="stack")]
    for button in (made.everything, made.everything, made.stop):
        button.changed.emit(True)
    assert said == ["a job is running: wait for it, or stop it", "stopped: the slices that are done stay"]
    end = time.monotonic() + 120
    while made._worker is not None and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.01)
    assert made._worker is None
    assert not made.progress.visible
    assert "stack objects" not in viewer.layers or not viewer.layers["stack objects"].data[-1].any()


def test_what_cannot_be_done_is_one_line(viewer: Any, panel: Any, said: list[str], stack: np.ndarray) -> None:
    panel("everything")
    image = viewer.add_image(stack, name="stack")
    panel("marked", image=image)
    panel("marked", image=image, points=viewer.add_points([[1, 100, 6000]]))
    flat = viewer.add_image(stack[0])
    panel("everything", image=flat, slices="objects go through the stack")
    through = viewer.add_points([[1, 100, 308]])
    panel("marked", image=flat, points=through, slices="objects go through the stack")
    assert len(said) == 5
    expected = ("there is no image", "nothing is marked", "6000.5,100.5 lies outside", "go through a stack", "a stack")
    for text, about in zip(said, expected, strict=True):
        assert about in text
        assert "\n" not in text
    assert not any(type(layer).__name__ == "Labels" for layer in viewer.layers)
