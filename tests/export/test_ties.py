"""Runtimes round what lies exactly between two steps in different directions, so that no sum may lie there."""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fastsam.export.graphs import name_nodes
from fastsam.export.int8 import Feed, quantised
from fastsam.refine.network import BUNDLED

ALL = np.arange(256)


def ties(model: ModelProto) -> Iterator[float]:
    """Per sum of the network, the share of all pairs of values whose sum lies between two steps."""
    steps = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    made = {node.output[0]: node for node in model.graph.node}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear" and (added := made.get(node.input[0])) and added.op_type == "Add":
            a, b = (float(steps[made[name].input[1]]) for name in added.input)
            sums = (a * ALL[:, None] + b * ALL) / float(steps[node.input[1]])
            yield float((np.abs(sums % 1 - 0.5) < 1e-6).mean())


def test_no_sum_of_the_second_network_lies_between_two_steps() -> None:
    found = list(ties(onnx.load(BUNDLED)))
    assert len(found) > 10
    assert max(found) < 0.01


def test_no_sum_of_a_network_in_eight_bits_lies_between_two_steps() -> None:
    """Both inputs of the sum reach 6, their limit: their step is 6 / 255, and that of the sum would be 12 / 255."""
    wide = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 1, 8, 8)) for name in ("x", "y")]
    nodes = []
    for name in "abc":
        nodes.append(helper.make_node("Conv", [{"c": "a6"}.get(name, "x"), name], [name + "0"]))
        nodes.append(helper.make_node("Clip", [name + "0", "low", "high"], [name + "6"]))
    nodes.append(helper.make_node("Add", ["b6", "c6"], ["y"]))
    kernels = [numpy_helper.from_array(np.full((1, 1, 1, 1), 9, np.float32), name) for name in "abc"]
    limits = [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in (("low", 0), ("high", 6))]
    graph = helper.make_graph(nodes, "sum", wide[:1], wide[1:], [*kernels, *limits])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    name_nodes(model)
    random = np.random.default_rng(0)
    feeds: list[Feed] = [{"x": random.normal(size=(1, 1, 8, 8)).astype(np.float32)} for _ in range(3)]
    found = list(ties(quantised(model, feeds, [], ["Conv", "Clip", "Add"])))
    assert len(found) == 1
    assert found[0] < 0.01
