"""The panel in napari's window: layers in, a labels layer out.

A thread does the work; each slice appears when it is ready. What cannot be done is one line of napari's notifications.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from magicgui.widgets import CheckBox, ComboBox, Container, ProgressBar, PushButton, create_widget
from napari.qt.threading import thread_worker
from napari.utils.notifications import show_error, show_info

from fastsam.errors import UsageError
from fastsam.masks.levels import LEVELS
from fastsam.model import FastSAM
from fastsam.plugins.napari import labels
from fastsam.plugins.napari.marks import marks, read_boxes, read_points
from fastsam.plugins.napari.pictures import Slices

OWN = "fastsam"  # in the metadata of labels layers: the image that they belong to
ALONE, EACH, THROUGH = "the shown slice alone", "each slice on its own", "objects go through the stack"
Step = tuple[int, Any]


@cache
def bundled() -> FastSAM:
    """The bundled weights, loaded once."""
    return FastSAM()


class Panel(Container):  # type: ignore[misc]  # napari is in no environment that checks types
    """What to segment, of which layers, and the buttons."""

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined]  # noqa: F821
        """Makes the widgets. viewer: napari gives it by this annotation"""
        super().__init__()
        self._viewer = viewer
        self._worker: Any = None
        layer = "napari.layers."
        self.image = create_widget(annotation=layer + "Image", label="image")
        self.slices = ComboBox(choices=[EACH, ALONE, THROUGH], label="slices")
        self.level = ComboBox(choices=list(LEVELS), value="things", label="everything as")
        self.everything = PushButton(text="Segment everything")
        optional: dict[str, Any] = {"options": {"nullable": True}}
        self.points = create_widget(annotation=layer + "Points", label="points", **optional)
        self.refused = create_widget(annotation=layer + "Points", label="points that are not it", **optional)
        self.boxes = create_widget(annotation=layer + "Shapes", label="boxes", **optional)
        self.one = CheckBox(text="all points of a slice are one object")
        self.marked = PushButton(text="Segment points and boxes")
        self.progress = ProgressBar(value=0, visible=False, label="slices done")
        self.stop = PushButton(text="Stop", visible=False)
        everything = [self.image, self.slices, self.level, self.everything]
        prompts = [self.points, self.refused, self.boxes, self.one, self.marked]
        self.extend([*everything, *prompts, self.progress, self.stop])
        self.everything.changed.connect(self._everything)
        self.marked.changed.connect(self._marked)
        self.stop.changed.connect(self._stopped)

    def _everything(self) -> None:
        self._try(self._everything_of)

    def _marked(self) -> None:
        self._try(self._marked_of)

    def _try(self, asked: Callable[[Any, Slices], Iterator[Step]]) -> None:
        """Starts a job, or says in a line why it cannot start."""
        try:
            image = self.image.value
            if image is None:
                raise UsageError("there is no image: open one first")
            if self._worker is not None:
                raise UsageError("a job is running: wait for it, or stop it")
            slices = slices_of(image)
            self._start(image, slices, asked(image, slices))
        except UsageError as error:
            show_error(str(error))

    def _everything_of(self, image: Any, slices: Slices) -> Iterator[Step]:
        """Every object: the labels of the slices, made when they are asked for."""
        if self.slices.value == THROUGH:
            check_stack(slices)
            return labels.everything_followed(bundled(), slices, self.level.value)
        numbers = [self._shown(image, slices)] if self.slices.value == ALONE else range(len(slices))
        return labels.everything(bundled(), slices, numbers, self.level.value)

    def _marked_of(self, image: Any, slices: Slices) -> Iterator[Step]:
        """What points and boxes mean: the labels of the slices, made when they are asked for."""
        shown = slices.place(self._shown(image, slices))
        points, refused = (read_points(places(layer, image, shown), slices) for layer in (self.points, self.refused))
        boxes = read_boxes(places(self.boxes, image, shown), slices)
        if self.slices.value == ALONE:
            here = self._shown(image, slices)
            points, refused, boxes = ([one for one in some if one[0] == here] for some in (points, refused, boxes))
        found = marks(slices, points, refused, boxes, self.one.value)
        if self.slices.value == THROUGH:
            check_stack(slices)
            return labels.marked_followed(bundled(), slices, found)
        return labels.marked(bundled(), slices, found)

    def _shown(self, image: Any, slices: Slices) -> int:
        """The number of the slice that the viewer shows."""
        lead = np.round(image.world_to_data(self._viewer.dims.point)[: len(slices.lead)]).astype(int)
        place = [min(max(int(k), 0), n - 1) for k, n in zip(lead, slices.lead, strict=True)]
        return int(np.ravel_multi_index(place, slices.lead)) if place else 0

    def _start(self, image: Any, slices: Slices, steps: Iterator[Step]) -> None:
        """Runs a job in a thread and shows its labels as they come."""
        fresh = self.slices.value != ALONE
        layer: Any = None

        def work() -> Iterator[Step | str]:
            try:
                yield from steps
            except (UsageError, MemoryError) as error:
                yield str(error) or "there is not enough memory"

        def show(step: Step | str) -> None:
            nonlocal layer
            if isinstance(step, str):
                show_error(step)
                return
            try:
                layer = self._layer_of(image, slices, fresh) if layer is None else layer
            except MemoryError:
                self._worker.quit()
                show_error(f"labels of shape {slices.shape} need more memory than there is: crop the image")
                return
            layer.data[slices.place(step[0])] = step[1]
            layer.refresh()
            self.progress.value += 1

        self._worker = thread_worker(work, connect={"yielded": show, "finished": self._done})()
        self.progress.max, self.progress.value = (1 if self.slices.value == ALONE else len(slices)), 0
        self.progress.visible = self.stop.visible = True

    def _layer_of(self, image: Any, slices: Slices, fresh: bool) -> Any:
        """The labels layer of an image, made if there is none. fresh: empties it"""
        for layer in self._viewer.layers:
            if layer.metadata.get(OWN) == image.name and layer.data.shape == slices.shape:
                if fresh:
                    layer.data[:] = 0
                return layer
        empty = np.zeros(slices.shape, np.int32)
        place = {name: getattr(image, name) for name in ("scale", "translate", "rotate", "shear", "affine", "units")}
        return self._viewer.add_labels(empty, name=f"{image.name} objects", metadata={OWN: image.name}, **place)

    def _stopped(self) -> None:
        if self._worker is not None:
            self._worker.quit()
            show_info("stopped: the slices that are done stay")

    def _done(self) -> None:
        self._worker = None
        self.progress.visible = self.stop.visible = False


def slices_of(image: Any) -> Slices:
    """The slices of an image layer; of several resolutions the finest. Raises UsageError."""
    data = image.data[0] if image.multiscale else image.data
    if image.rgb:
        return Slices(data, True)
    low, high = image.contrast_limits
    return Slices(data, limits=(float(low), float(high)))


def check_stack(slices: Slices) -> None:
    """Raises UsageError unless there is one axis to go through."""
    if len(slices.lead) != 1:
        raise UsageError(f"objects go through a stack (z, y, x), not an image of shape {slices.shape}: choose {EACH!r}")


def places(choice: Any, image: Any, shown: tuple[int, ...]) -> list[Any]:
    """The points (ndim,) or outlines (N, ndim) of a chosen layer, in pixels of the image; [] if none is chosen.

    A layer of fewer axes than the image is about the slice that is shown.
    """
    layer = choice.value
    if layer is None:
        return []

    def moved(place: Any) -> Any:
        found = np.array(image.world_to_data(layer.data_to_world(place)), np.float64)
        lacking = max(0, image.ndim - layer.ndim)
        found[:lacking] = shown[:lacking]
        return found

    return [moved(one) if np.ndim(one) == 1 else np.stack([moved(corner) for corner in one]) for one in layer.data]
