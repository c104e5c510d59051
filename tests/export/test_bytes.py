"""A network in eight bits takes a photo's bytes as they are where its own steps are those of the bytes."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fastsam.export.graphs import fold_bytes
from fastsam.refine.network import BUNDLED


def network(step: float, zero: int) -> ModelProto:
    """Bytes (N, H, W, 3) to the sum of their channels: scaled to -1..1, then on a grid of a step about zero."""
    constants: dict[str, np.generic | np.ndarray] = {
        "most": np.float32(255),
        "mean": np.float32(127 / 255),
        "spread": np.float32(128 / 255),
    }
    constants |= {"step": np.float32(step), "zero": np.uint8(zero), "ones": np.ones((1, 3, 1, 1), np.float32)}
    nodes = [
        helper.make_node("Transpose", ["images"], ["moved"], perm=[0, 3, 1, 2], name="moved"),
        helper.make_node("Cast", ["moved"], ["real"], to=TensorProto.FLOAT, name="real"),
        helper.make_node("Div", ["real", "most"], ["share"], name="share"),
        helper.make_node("Sub", ["share", "mean"], ["centred"], name="centred"),
        helper.make_node("Div", ["centred", "spread"], ["scaled"], name="scaled"),
        helper.make_node("QuantizeLinear", ["scaled", "step", "zero"], ["grid"], name="grid"),
        helper.make_node("DequantizeLinear", ["grid", "step", "zero"], ["near"], name="near"),
        helper.make_node("Conv", ["near", "ones"], ["y"], name="y"),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ("n", "h", "w", 3))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ("n", 1, "h", "w"))
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "bytes", [images], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(model: ModelProto) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    return np.asarray(onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"images": images})[0])


def test_bytes_that_are_on_the_networks_grid_go_in_as_they_are() -> None:
    model = network(1 / 128, 127)
    before = answer(model)
    fold_bytes(model, "images")
    assert [node.op_type for node in model.graph.node] == ["Transpose", "DequantizeLinear", "Conv"]
    np.testing.assert_array_equal(answer(model), before)


@pytest.mark.parametrize(("step", "zero"), [(1 / 100, 127), (1 / 128, 126)])
def test_bytes_that_are_not_stay_scaled(step: float, zero: int) -> None:
    model = network(step, zero)
    before = model.SerializeToString()
    fold_bytes(model, "images")
    assert model.SerializeToString() == before


def test_the_second_network_takes_bytes_as_they_are() -> None:
    nodes = onnx.load(BUNDLED).graph.node
    (moved,) = (node for node in nodes if "images" in node.input)
    assert [node.op_type for node in nodes if moved.output[0] in node.input] == ["DequantizeLinear"]
