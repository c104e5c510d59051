"""ONNX Runtime: loads an exported file and runs it on batches of inputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from fastsam.errors import UsageError
from fastsam.runtimes.outputs import check
from fastsam.runtimes.settings import Settings, read_settings

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class OnnxNetwork:
    """A network in ONNX Runtime: see `Network`."""

    session: Any
    settings: Settings

    def run(self, images: Float32) -> tuple[Float32, Float32]:
        """Raw outputs, as in `Network.run`."""
        candidates, prototypes = self.session.run(["candidates", "prototypes"], {"images": images})
        return candidates, prototypes


def available() -> list[str]:
    """The installed execution providers, by ONNX Runtime's names."""
    return list(onnxruntime.get_available_providers())


def load(file: Path, threads: int | None = None, providers: Sequence[Any] | None = None) -> OnnxNetwork:
    """Loads an exported network.

    threads: number of CPU threads; None lets ONNX Runtime choose
    providers: execution providers by ONNX Runtime's names, or pairs of name and options; None means the CPU

    Raises UsageError for a file that is not an exported network, and for a provider that is not installed.
    """
    wanted = list(providers or ["CPUExecutionProvider"])
    missing = [p for p in (p if isinstance(p, str) else p[0] for p in wanted) if p not in available()]
    if missing:
        raise UsageError(
            f"provider {missing[0]!r} is not available in this ONNX Runtime: choose from {', '.join(available())}"
        )
    try:
        session = open_file(file, threads, wanted)
    except Exception as error:  # ONNX Runtime's error types share no base class
        raise UsageError(f"{file} is not a network that ONNX Runtime can load") from error
    first = wanted[0] if isinstance(wanted[0], str) else wanted[0][0]
    if first not in session.get_providers():
        raise UsageError(f"ONNX Runtime could not start {first!r}: check its driver and libraries")
    inputs, outputs = session.get_inputs(), {o.name for o in session.get_outputs()}
    if [i.name for i in inputs] != ["images"] or outputs != {"candidates", "prototypes"}:
        raise UsageError(
            f"{file} is not a network that `fastsam export` wrote: images, candidates or prototypes are missing"
        )
    size = inputs[0].shape[2:]
    if len(size) == 2 and all(isinstance(side, int) for side in size):
        raise UsageError(f"{file} only accepts inputs of {size[0]} x {size[1]}: export its source without --fixed")
    network = OnnxNetwork(session, read_settings(session.get_modelmeta().custom_metadata_map, file))
    if first == "CPUExecutionProvider":  # other providers compile for each input size, which can take minutes
        check(network, file)
    return network


def open_file(
    file: Path | bytes, threads: int | None = None, providers: Sequence[Any] = ("CPUExecutionProvider",)
) -> Any:
    """A session of any ONNX file, or of its bytes, which logs only errors. Raises what ONNX Runtime raises."""
    if hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()  # in case it was imported before `fastsam` (see `fastsam/__init__.py`)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        file if isinstance(file, bytes) else str(file), options, providers=list(providers)
    )
