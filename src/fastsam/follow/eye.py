"""The second network with two more outputs: its features of the pixels, at strides 8 and 16, without any prompt.

Enters: the file of a second network. Leaves: an `Eye`, which draws masks and tells parts of pictures apart.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
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
COARSE = 0.3  # weight of the coarser features, of 1


@dataclass(frozen=True)
class Eye:
    """A loaded network. features: names of its outputs at strides 8 and 16"""

    session: Any
    features: tuple[str, str]

    def draw(self, crop: UInt8, maps: Float) -> tuple[Float, float]:
        """What the network draws of a crop (S, S, 3) with prompt maps (4, S / 2, S / 2).

        Returns logits (S / 2, S / 2) and the predicted IoU 0..1. A mask that is not finite is empty.
        """
        masks, quality = self.session.run(["masks", "quality"], {"images": crop[None], "maps": maps[None]})
        logits = np.nan_to_num(masks[0, 0], nan=-20.0, posinf=20.0, neginf=-20.0)
        judged = float(quality[0, 0])
        return logits, judged if 0 <= judged <= 1 else 0.0

    def look(self, picture: UInt8) -> Float:
        """Features (H / 8, W / 8, C) of length 1 of a picture (H, W, 3) whose sides are multiples of 32.

        The finer ones tell edges and colours apart, the coarser ones kinds of things.
        """
        nothing = np.zeros((1, 4, picture.shape[0] // m.CELL, picture.shape[1] // m.CELL), np.float32)
        found = self.session.run(list(self.features), {"images": picture[None], "maps": nothing})
        fine, coarse = (np.moveaxis(features[0], 0, -1) for features in found)
        wide = cv2.resize(coarse, fine.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        weights = (1 - COARSE) ** 0.5, COARSE**0.5
        return np.concatenate([level(f) * np.float32(w) for f, w in zip((fine, wide), weights, strict=True)], -1)


def level(features: Float) -> Float:
    """Features (h, w, C), each of length 1."""
    found = np.nan_to_num(features)
    return np.asarray(found / (np.linalg.norm(found, axis=-1, keepdims=True) + 1e-6), np.float32)


def load(file: str | os.PathLike[str] | None = None, threads: int | None = None) -> Eye:
    """Loads a second network, the bundled one by default. Raises UsageError if the file is not one."""
    if file is not None:
        load_refiner(file, threads)  # checks a file from elsewhere
    import onnx  # late: it takes a while, and only following needs it

    model = onnx.load(os.fspath(BUNDLED if file is None else file))
    names = joined(model.graph)
    if names is None:
        raise UsageError(f"{file} cannot follow: its network has no features at8 and at16. Export another one")
    for name in names:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return Eye(open_file(model.SerializeToString(), threads), names)


def joined(graph: Any) -> tuple[str, str] | None:
    """The tensors of the backbone, at strides 8 and 16, that the decoder joins."""
    weighs = {node.input[1]: node.input[0] for node in graph.node if node.op_type == "Conv"}
    found = [data for level in ("at8", "at16") for name, data in weighs.items() if f"{level}.fine.weight" in name]
    return (found[0], found[1]) if len(found) == 2 else None


@lru_cache(maxsize=4)
def shared(threads: int | None = None) -> Eye:
    """The bundled network, loaded once per process and number of threads."""
    return load(None, threads)
