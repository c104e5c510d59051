"""Nodes that are added to an ONNX graph.

Enters: a model. Leaves: the same with more nodes, in place.
"""

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, helper, numpy_helper


class Nodes:
    """Nodes and constants that are added to a model; every method returns the name of its result."""

    def __init__(self, model: ModelProto) -> None:
        self.graph, self.count = model.graph, 0

    def op(self, kind: str, *inputs: str, **attributes: int | list[int]) -> str:
        """A node of a kind with one output."""
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, outputs: int, *inputs: str, **attributes: int | list[int]) -> list[str]:
        """A node of a kind with several outputs."""
        self.count += 1
        names = [f"masks/{kind}_{self.count}_{k}" for k in range(outputs)]
        name = f"masks/{kind}_{self.count}"
        node = helper.make_node(kind, list(inputs), names, name=name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        self.graph.node.append(node)
        return names

    def constant(self, value: npt.ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        self.count += 1
        name = f"masks/constant_{self.count}"
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def rows(self, x: str, start: int | str, end: int | str | None) -> str:
        """Rows start to end of a matrix, which may be results too."""
        return self._slice(x, start, end, 0)

    def columns(self, x: str, start: int, end: int | None) -> str:
        """Columns start to end of a matrix."""
        return self._slice(x, start, end, 1)

    def deep(self, x: str, column: int) -> str:
        """(N, 1, 1): a column of a matrix (N, C)."""
        return self.op("Unsqueeze", self.columns(x, column, column + 1), self.constant([2], np.int64))

    def _slice(self, x: str, start: int | str, end: int | str | None, axis: int) -> str:
        places = (start, np.iinfo(np.int64).max if end is None else end, axis)
        return self.op("Slice", x, *(v if isinstance(v, str) else self.constant([v], np.int64) for v in places))

    def finish(self, outputs: dict[str, tuple[str, int, list[str | int]]]) -> None:
        """Replaces the outputs of the model. outputs: by name, each with its result, type and shape"""
        del self.graph.output[:]
        for name, (source, kind, shape) in outputs.items():
            self.graph.node.append(helper.make_node("Identity", [source], [name], name=f"masks/{name}"))
            self.graph.output.append(helper.make_tensor_value_info(name, kind, shape))
