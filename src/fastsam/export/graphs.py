"""Changes to an ONNX graph that leave what it computes as it is.

Enters and leaves: a model, in float32 if a function does not say otherwise.
"""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.utils import Extractor

SCALED = ("QuantizeLinear", "DequantizeLinear")  # their scales are too small for float16
SMALL_CONSTANT = 64  # values: constants below it stay float32


def fold_pads(model: ModelProto) -> None:
    """Padding with zeros before a convolution becomes a part of it."""
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    uses = [name for node in graph.node for name in node.input]
    for conv in graph.node:
        pad = makers.get(conv.input[0]) if conv.op_type == "Conv" else None
        if pad is None or pad.op_type != "Pad" or uses.count(pad.output[0]) > 1:
            continue
        amounts = value_of(model, pad.input[1])
        if amounts[[0, 1, 4, 5]].any() or not adds_zeros(model, pad):
            continue
        own = next((list(a.ints) for a in conv.attribute if a.name == "pads"), [0, 0, 0, 0])
        kept = [a for a in conv.attribute if a.name != "pads"]
        del conv.attribute[:]
        conv.attribute.extend(kept)
        both = [int(a + b) for a, b in zip(own, amounts[[2, 3, 6, 7]], strict=True)]
        conv.attribute.append(helper.make_attribute("pads", both))
        conv.input[0] = pad.input[0]
    prune(model)


def adds_zeros(model: ModelProto, pad: NodeProto) -> bool:
    """Whether a Pad node adds nothing but zeros."""
    if any(a.name == "mode" and a.s != b"constant" for a in pad.attribute):
        return False
    return len(pad.input) < 3 or not pad.input[2] or not value_of(model, pad.input[2]).any()


def value_of(model: ModelProto, name: str) -> npt.NDArray[np.generic]:
    """The value of a tensor that does not depend on an input."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            return numpy_helper.to_array(tensor)
    part = Extractor(typed(model, name, TensorProto.INT64)).extract_model([], [name])
    (value,) = ReferenceEvaluator(part).run(None, {})
    return np.asarray(value)


def typed(model: ModelProto, name: str, kind: int) -> ModelProto:
    """A copy that says the type of a tensor, which the extractor wants to know before it cuts the graph there."""
    probe = ModelProto()
    probe.CopyFrom(model)
    probe.graph.value_info.append(helper.make_tensor_value_info(name, kind, None))
    return probe


def prune(model: ModelProto) -> None:
    """Nodes and constants that no output needs go."""
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    needed: set[str] = set()
    todo: list[str] = [o.name for o in graph.output]
    while todo:
        name = todo.pop()
        if name in needed or not name:
            continue
        needed.add(name)
        if name in makers:
            todo += [*makers[name].input, *makers[name].output]
    nodes = [node for node in graph.node if needed & set(node.output)]
    constants = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)


def fold_bytes(model: ModelProto, name: str) -> None:
    """If the bytes of an input are themselves what the network quantises them to, they are used as they are.

    What was between, such as a mean and a scale, goes. name: an input of type uint8, whose dimensions are (N, H, W, C)
    """
    graph = model.graph
    step = next((node for node in graph.node if node.op_type == "QuantizeLinear" and made_of(model, node, name)), None)
    if step is None:
        return
    channels = next(i for i in graph.input if i.name == name).type.tensor_type.shape.dim[3].dim_value
    every = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (256, channels)).reshape(1, 16, 16, channels)
    part = Extractor(typed(model, step.output[0], TensorProto.UINT8)).extract_model([name], [step.output[0]])
    (found,) = ReferenceEvaluator(part).run(None, {name: every})
    if not np.array_equal(found, np.moveaxis(every, 3, 1)):
        return
    moved = helper.make_node("Transpose", [name], [step.output[0]], perm=[0, 3, 1, 2], name=f"{name}_as_they_are")
    nodes = [moved, *(node for node in graph.node if node.name != step.name)]
    del graph.node[:]
    graph.node.extend(nodes)
    prune(model)


def made_of(model: ModelProto, node: NodeProto, name: str) -> bool:
    """Whether a node depends on an input through other nodes that have that input alone, and constants."""
    makers = {output: maker for maker in model.graph.node for output in maker.output}
    inputs = {i.name for i in model.graph.input}
    todo, seen = [node.input[0]], set()
    while todo:
        one = todo.pop()
        seen.add(one)
        todo += makers[one].input if one in makers else []
    return seen & inputs == {name}


def name_nodes(model: ModelProto) -> None:
    """Every node has a name."""
    for k, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{k}"


def halved(model: ModelProto) -> ModelProto:
    """A copy with its large weights as float16, each with a cast to float32 that a runtime folds when it loads."""
    small = ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    casts: list[NodeProto] = []
    exact = {name for node in graph.node if node.op_type in SCALED for name in node.input}
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALL_CONSTANT or tensor.name in exact:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + ".half"))
        casts.append(helper.make_node("Cast", [name + ".half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return small


def content_of(model: ModelProto) -> bytes:
    """The file of a model, after a full check."""
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
