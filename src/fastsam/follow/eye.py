"""The second network with one more output: its features of the pixels, before it knows of any prompt.

Enters: the file of a second network. Leaves: an `Eye`, which draws masks and tells parts of pictures apart.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.refine import maps as m
from fastsam.refine.network import BUNDLED
from fastsam.refine.network import load as load_refiner
from fastsam.runtimes.onnx import open_file

Float = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
CELL = 8  # pixels of a crop per cell of features


@dataclass(frozen=True)
class Eye:
    """A loaded network. features: name of the output that depends on pixels alone"""

    session: Any
    features: str

    def draw(self, crop: UInt8, maps: Float) -> tuple[Float, float, Float]:
        """What the network draws of a crop (S, S, 3) with prompt maps (4, S / 2, S / 2).

        Returns logits (S / 2, S / 2), the predicted IoU 0..1, and features (S / 8, S / 8, C) of length 1. A mask that
        is not finite is empty.
        """
        feed = {"images": crop[None], "maps": maps[None]}
        masks, quality, features = self.session.run(["masks", "quality", self.features], feed)
        logits = np.nan_to_num(masks[0, 0], nan=-20.0, posinf=20.0, neginf=-20.0)
        judged = float(quality[0, 0])
        return logits, judged if 0 <= judged <= 1 else 0.0, level(features[0])

    def look(self, picture: UInt8) -> Float:
        """Features (H / 8, W / 8, C) of a picture (H, W, 3) whose sides are multiples of 32."""
        nothing = np.zeros((1, 4, picture.shape[0] // m.CELL, picture.shape[1] // m.CELL), np.float32)
        return level(self.session.run([self.features], {"images": picture[None], "maps": nothing})[0][0])


def level(features: Float) -> Float:
    """Features (C, h, w) as (h, w, C), each of length 1."""
    found = np.nan_to_num(np.moveaxis(features, 0, -1))
    return np.asarray(found / (np.linalg.norm(found, axis=-1, keepdims=True) + 1e-6), np.float32)


def load(file: str | os.PathLike[str] | None = None, threads: int | None = None) -> Eye:
    """Loads a second network, the bundled one by default. Raises UsageError if the file is not one."""
    if file is not None:
        load_refiner(file, threads)  # checks a file from elsewhere
    import onnx  # late: it takes a while, and only following needs it

    model = onnx.load(os.fspath(BUNDLED if file is None else file))
    name = before_prompts(model.graph)
    if name is None:
        raise UsageError(f"{file} cannot follow: its network does not add prompts to features. Export another one")
    model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return Eye(open_file(model.SerializeToString(), threads), name)


def before_prompts(graph: Any) -> str | None:
    """The tensor to which what was made of the maps is first added."""
    of_maps = {"maps"}
    for node in graph.node:
        told = [name in of_maps for name in node.input]
        if any(told):
            of_maps.update(node.output)
            if node.op_type == "Add" and not all(told):
                return str(node.input[told.index(False)])
    return None


@lru_cache(maxsize=4)
def shared(threads: int | None = None) -> Eye:
    """The bundled network, loaded once per process and number of threads."""
    return load(None, threads)
