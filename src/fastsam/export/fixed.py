"""A network of one input size, for programs that want every shape in the file: OpenCV's DNN, TensorRT.

Enters: a model whose batch, height and width are free. Leaves: the same for one photo of one size, without the nodes
that only compute shapes: ONNX Runtime folds them.
"""

import tempfile
from pathlib import Path

import onnx
import onnxruntime
from onnx import ModelProto, helper

from fastsam.errors import UsageError
from fastsam.image.letterbox import STRIDE

STANDARD = ("", "ai.onnx")


def read_size(text: str) -> tuple[int, int]:
    """HEIGHT,WIDTH in pixels. Raises UsageError unless both are multiples of 32."""
    try:
        height, width = (int(part) for part in text.split(","))
    except ValueError:
        height = width = 0
    if min(height, width) < STRIDE or height % STRIDE or width % STRIDE:
        raise UsageError(f"--fixed {text!r} must be HEIGHT,WIDTH in pixels, both multiples of {STRIDE}: 480,640")
    return height, width


def fix(model: ModelProto, size: tuple[int, int]) -> ModelProto:
    """The model for inputs (1, 3, height, width) alone. Metadata stays."""
    bound = ModelProto()
    bound.CopyFrom(model)
    dims = bound.graph.input[0].type.tensor_type.shape.dim
    for dim, length in zip(dims, (1, 3, *size), strict=True):
        dim.dim_value = length
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # standard operators alone
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fixed.onnx"
        options.optimized_model_filepath = str(file)
        session = onnxruntime.InferenceSession(bound.SerializeToString(), options, providers=["CPUExecutionProvider"])
        del session  # lets go of the file, which some systems would not delete otherwise
        folded = onnx.load(file)
    kept = [opset for opset in folded.opset_import if opset.domain in STANDARD]
    del folded.opset_import[:]
    folded.opset_import.extend(kept)
    helper.set_model_props(folded, {p.key: p.value for p in model.metadata_props})
    return folded


def is_fixed(model: ModelProto) -> bool:
    """Whether a model takes inputs of one size alone."""
    return all(dim.HasField("dim_value") for dim in model.graph.input[0].type.tensor_type.shape.dim[2:])
