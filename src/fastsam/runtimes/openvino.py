"""OpenVINO: loads an exported file and runs it on batches of inputs. Needs the `openvino` extra."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino

from fastsam.errors import UsageError
from fastsam.runtimes.outputs import check
from fastsam.runtimes.settings import Settings, read_settings

Float32 = npt.NDArray[np.float32]
PRECISIONS = {"float32": "f32", "bf16": "bf16"}


@dataclass(frozen=True)
class OpenVINONetwork:
    """A network in OpenVINO: see `Network`."""

    compiled: Any
    settings: Settings

    def run(self, images: Float32) -> tuple[Float32, Float32]:
        """Raw outputs, as in `Network.run`."""
        request = self.compiled.create_infer_request()  # one per call, so that threads can share a network
        outputs = request.infer({"images": images})
        return outputs["candidates"].copy(), outputs["prototypes"].copy()


def load(
    file: Path, threads: int | None = None, device: str = "cpu", precision: str = "float32", streams: int = 1
) -> OpenVINONetwork:
    """Loads an exported network.

    threads: number of CPU threads, None for all; device: `cpu`, or another of OpenVINO's names (`gpu`, `npu`)
    precision: `float32`, or `bf16` on processors that support it; streams: number of simultaneous calls

    Raises UsageError if the file is not an exported network, or the device or the precision is not available.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"unknown precision {precision!r} for OpenVINO: choose from {', '.join(PRECISIONS)}")
    core = openvino.Core()
    name = device.upper()
    if name not in core.available_devices:
        there = ", ".join(d.lower() for d in core.available_devices)
        raise UsageError(f"OpenVINO has no device {device!r} here: choose from {there}")
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
    if name == "CPU":
        options["NUM_STREAMS"] = streams
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads * streams
    try:
        model = core.read_model(file)
        if model.inputs and is_fixed(model.inputs[0].partial_shape):
            raise UsageError(f"{file} only accepts inputs of one size: export its source without --fixed")
        compiled = core.compile_model(model, name, options)
    except RuntimeError as error:
        raise UsageError(f"{file} is not a network that OpenVINO can load") from error
    if {o.get_any_name() for o in model.outputs} != {"candidates", "prototypes"}:
        raise UsageError(f"{file} is not a network that `fastsam export` wrote: candidates or prototypes are missing")
    network = OpenVINONetwork(compiled, read_settings(metadata(file), file))
    if name == "CPU":  # other devices compile for each input size
        check(network, file)
    return network


def is_fixed(shape: Any) -> bool:
    """Whether an input (N, 3, H, W) has a fixed height or width, or a fixed N other than 1.

    OpenVINO does not check sizes when it runs: for a picture of another size it returns whatever was in memory.
    """
    if shape.rank.is_dynamic or len(shape) != 4:
        return False
    photos, _, height, width = shape
    return bool(height.is_static or width.is_static or (photos.is_static and photos.get_length() != 1))


def metadata(file: Path) -> dict[str, str]:
    """The properties of an ONNX file."""
    import onnx  # slow to import

    return {p.key: p.value for p in onnx.load(file, load_external_data=False).metadata_props}
