"""Reads ONNX files without any other file, and checks them before a runtime sees them.

Enters: a path. Leaves: a model whose tensors have as many numbers as their shapes state. What the graph computes is not
checked here: a network is a program, but one that can only compute.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.untrusted.budget import Budget
from fastsam.untrusted.shown import reason, shown

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")  # of the operators that ONNX Runtime contains
DEEPEST = 8  # maximum levels of nested graphs


def read(file: Path) -> "ModelProto":
    """The model of an ONNX file.

    Raises UsageError, which names the file and the tensor, if the file is not an ONNX file, if it is too large, if its
    numbers are in other files, or if its tensors contradict themselves.
    """
    import onnx  # slow to import
    from google.protobuf.message import DecodeError

    budget = Budget(str(file))
    try:
        budget.spend("bytes", file.stat().st_size)
        model = onnx.load_model_from_string(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except DecodeError:
        raise UsageError(f"{file} is not an ONNX file") from None
    check(model, budget)
    return model


def check(model: "ModelProto", budget: Budget) -> None:
    """Raises UsageError for a model with invalid tensors or unknown operators."""
    for graph in graphs(model.graph, budget):
        budget.spend("nodes", len(graph.node))
        for node in graph.node:
            if node.domain not in DOMAINS:
                budget.refuse(f"it asks for operators of {shown(node.domain)}, which ONNX Runtime does not have")
        budget.spend("tensors", len(graph.initializer))
        for tensor in (*graph.initializer, *constants(graph)):
            check_tensor(tensor, budget)
        for sparse in graph.sparse_initializer:
            budget.refuse(f"tensor {shown(sparse.values.name)} is sparse, which is not supported")


def constants(graph: "GraphProto") -> Iterator["TensorProto"]:
    """The tensors that are attributes of a graph's own nodes."""
    for node in graph.node:
        for attribute in node.attribute:
            yield from attribute.tensors
            if attribute.HasField("t"):
                yield attribute.t


def graphs(graph: "GraphProto", budget: Budget) -> Iterator["GraphProto"]:
    """The graph and the graphs nested in it."""
    waiting = [(graph, 0)]
    while waiting:
        current, depth = waiting.pop()
        if depth > DEEPEST:
            budget.refuse("its graphs are nested too deeply")
        yield current
        for node in current.node:
            for attribute in node.attribute:
                inner = [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]
                waiting.extend((g, depth + 1) for g in inner)


def check_tensor(tensor: "TensorProto", budget: Budget) -> None:
    """Raises UsageError for a tensor with numbers in another file, of an unknown type, or too many or too few."""
    from onnx import TensorProto, helper

    if not isinstance(tensor.name, str):  # protobuf gives bytes for invalid UTF-8
        budget.refuse("the name of a tensor in it is not text")
    name = shown(tensor.name) or "without a name"
    if tensor.data_location == TensorProto.EXTERNAL or len(tensor.external_data):
        budget.refuse(f"tensor {name} is in another file, which is not read: save the network in one file")
    if tensor.data_type not in helper.get_all_tensor_dtypes() or tensor.data_type == TensorProto.UNDEFINED:
        budget.refuse(f"tensor {name} is of the unknown type {tensor.data_type}")
    if min(tensor.dims, default=0) < 0:
        budget.refuse(f"tensor {name} has the shape {shown(str(list(tensor.dims)))}")
    if tensor.HasField("raw_data"):
        size = math.prod(tensor.dims)
        bits = width(tensor.data_type)
        if bits and len(tensor.raw_data) != -(-size * bits // 8):
            budget.refuse(f"tensor {name} has {len(tensor.raw_data)} bytes for {size} numbers")


def width(kind: int) -> int:
    """Bits of a number of an ONNX type, 0 for text."""
    from onnx import TensorProto, helper

    if kind == TensorProto.STRING:
        return 0
    name = TensorProto.DataType.Name(kind)
    if name.endswith(("INT4", "4E2M1")):
        return 4
    if name.endswith("INT2"):
        return 2
    return helper.tensor_dtype_to_np_dtype(kind).itemsize * 8


def array(file: Path, tensor: "TensorProto") -> npt.NDArray[Any]:
    """The numbers of a checked tensor. Raises UsageError if they cannot be read or do not fit its shape."""
    from onnx import numpy_helper

    try:
        values = numpy_helper.to_array(tensor)
    except Exception as error:  # of numbers in a field of another type
        wrong = f"cannot be read: {reason(error)}"
    else:
        if values.dtype.kind in "fiub":
            return np.asarray(values)
        wrong = "holds no plain numbers"
    return Budget(str(file)).refuse(f"tensor {shown(tensor.name)} {wrong}")
