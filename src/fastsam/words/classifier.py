"""What a mask may be: chances of some hundred everyday words and of ImageNet's thousand classes.

Enters: a photo and masks. Leaves: one row of chances per mask.

EfficientNet-Lite0 as ImageNet left it looks at the mask's crop and at the whole photo; a linear layer on its features
and on the mask's place and colour knows the everyday words (person, sky, road, wall), which ImageNet lacks.
`scripts/make_words.py` made both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.masks.runs import Crop
from fastsam.words import pooled
from fastsam.words.crops import batches, describe, to_input
from fastsam.words.minilm import softmax

Float32 = npt.NDArray[np.float32]
DATA = Path(__file__).parent / "data"
NOTHING = "(nothing)"  # the class of masks that are not objects


@dataclass(frozen=True, eq=False)
class Classifier:
    """The network and the linear layer.

    names: (C,) everyday words, then ImageNet's; vectors: (C, 384) their MiniLM vectors
    """

    session: Any
    weight: Float32
    bias: Float32
    mean: Float32
    deviation: Float32
    names: tuple[str, ...]
    vectors: Float32

    def chances(self, photo: npt.NDArray[np.uint8], masks: Iterable[Crop]) -> Float32:
        """(N, C) float32: two distributions side by side, over the everyday words and over ImageNet's classes."""
        rows = []
        for seen, logits in look(self.session, photo, masks):
            words = ((seen - self.mean) / self.deviation) @ self.weight.T + self.bias
            rows.append(np.concatenate((softmax(words), softmax(logits)), 1))
        return np.concatenate(rows) if rows else np.zeros((0, len(self.names)), np.float32)


def look(session: Any, photo: npt.NDArray[np.uint8], masks: Iterable[Crop]) -> Iterator[tuple[Float32, Float32]]:
    """What the linear layer sees (n, D), and ImageNet's logits (n, 1000), of some masks at a time.

    The layer sees the features of the masks' crops, those of the photo over the masks, the numbers of `describe`, their
    squares and roots.
    """
    maps = None
    for some, pictures in batches(photo, masks):
        maps = pooled.look(session, photo) if maps is None else maps
        features, logits = session.run(["features", "logits"], {"pictures": to_input(pictures)})
        place = np.stack([describe(photo, m) for m in some])
        over = np.stack([maps.over(m, photo.shape[:2]) for m in some])
        yield np.concatenate((features, over, place, place**2, np.sqrt(np.abs(place))), 1), logits


@lru_cache(maxsize=1)
def everyday_words() -> tuple[str, ...]:
    """The words that the linear layer knows."""
    with np.load(DATA / "words.npz", allow_pickle=False) as z:
        return tuple(str(n) for n in z["names"][: len(z["bias"])])


@lru_cache(maxsize=1)
def load() -> Classifier:
    """The classifier that comes with the package."""
    from fastsam.runtimes.onnx import open_file  # imports ONNX Runtime, which is slow

    session = open_file(DATA / "lite0.onnx")
    with np.load(DATA / "words.npz", allow_pickle=False) as z:
        arrays = {name: z[name].astype(np.float32) for name in ("weight", "bias", "mean", "deviation", "vectors")}
        return Classifier(session, names=tuple(str(n) for n in z["names"]), **arrays)
