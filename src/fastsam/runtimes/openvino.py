"""OpenVINO: loads an exported file, runs it on batches of inputs. Needs the `openvino` extra."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino

from fastsam.errors import UsageError
from fastsam.runtimes.outputs import check
from fastsam.runtimes.settings import Settings, read_settings

Float = npt.NDArray[np.float32]
PRECISIONS = {"float32": "f32", "bf16": "bf16"}


@dataclass(frozen=True)
class OpenVINONetwork:
    """A network in OpenVINO: see `Network`."""

    compiled: Any
    settings: Settings

    def run(self, images: Float) -> tuple[Float, Float]:
        """Raw outputs, as `Network.run` tells."""
        request = self.compiled.create_infer_request()  # one a call, so that threads may share a network
        outputs = request.infer({"images": images})
        return outputs["candidates"].copy(), outputs["prototypes"].copy()


def load(
    file: Path, threads: int | None = None, device: str = "cpu", precision: str = "float32", streams: int = 1
) -> OpenVINONetwork:
    """Loads an exported network.

    threads: of the CPU, all of them where left out; device: `cpu`, or another of OpenVINO's names (`gpu`, `npu`)
    precision: `float32`, or `bf16` for processors that have it; streams: how many calls run at the same time

    Raises UsageError for a file that is no exported network, a device that is not there, and an unknown precision.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"OpenVINO runs in no precision {precision!r} here: choose from {', '.join(PRECISIONS)}")
    core = openvino.Core()
    name = device.upper()
    if name not in core.available_devices:
        there = ", ".join(d.lower() for d in core.available_devices)
        raise UsageError(f"OpenVINO sees no device {device!r}: choose from {there}")
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
    if name == "CPU":
        options["NUM_STREAMS"] = streams
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads * streams
    try:
        model = core.read_model(file)
        if model.inputs and is_fixed(model.inputs[0].partial_shape):
            raise UsageError(f"{file} takes inputs of one size alone: export its source without --fixed")
        compiled = core.compile_model(model, name, options)
    except RuntimeError as error:
        raise UsageError(f"{file} is no network that OpenVINO can load") from error
    if {o.get_any_name() for o in model.outputs} != {"candidates", "prototypes"}:
        raise UsageError(f"{file} is no segmentation network of ours: it lacks candidates or prototypes")
    network = OpenVINONetwork(compiled, read_settings(metadata(file), file))
    if name == "CPU":  # others compile for each size of input
        check(network, file)
    return network


def is_fixed(shape: Any) -> bool:
    """Whether an input (N, 3, H, W) has a height or width of its own, or is for several photos.

    OpenVINO compares no sides when it runs: what leaves a picture of others is whatever was in memory.
    """
    if shape.rank.is_dynamic or len(shape) != 4:
        return False
    photos, _, height, width = shape
    return bool(height.is_static or width.is_static or (photos.is_static and photos.get_length() != 1))


def metadata(file: Path) -> dict[str, str]:
    """The properties of an ONNX file."""
    import onnx  # slow to import

    return {p.key: p.value for p in onnx.load(file, load_external_data=False).metadata_props}
