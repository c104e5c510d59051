"""The encoder of the paper: CLIP's two towers in ONNX, made by `fastsam weights get clip` or `weights convert`.

Enters: photos, masks and words. Leaves: chances. An `Encoder`; runs without torch.

The chance that a mask shows a word is the word's share of a softmax over CLIP's similarities with it and with a
vocabulary of everyday words: what is more like "grass" than like "dog" is not a dog, however many dogs there are.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError, require
from fastsam.masks.runs import Crop
from fastsam.words.classifier import NOTHING, everyday_words
from fastsam.words.crops import batches, to_input
from fastsam.words.minilm import softmax

Float32 = npt.NDArray[np.float32]
TEMPLATE = "a photo of a {}."
SAME_WORD_COSINE = 0.95  # minimum cosine for an everyday word to be a synonym of the wanted one
FILES = ("image.onnx", "text.onnx", "tokenizer.json", "clip.json")


@dataclass(frozen=True, eq=False)
class Clip:
    """The towers of a folder.

    size: side of a picture in pixels; length: maximum number of tokens; scale: of the similarities' logits
    """

    name: str
    image: Any
    text: Any
    tokenizer: Any
    size: int
    length: int
    scale: float
    known: dict[str, Float32] = field(default_factory=dict)

    threshold = 0.25
    limits = "Reads what CLIP reads; counts, places beside one another and fine parts are beyond it."

    def see(self, photo: npt.NDArray[np.uint8], masks: Iterable[Crop]) -> Float32:
        """(K, D) float32 unit vectors of the masks' crops."""
        rows = [self.look(pictures) for _, pictures in batches(photo, masks, self.size)]
        return np.concatenate(rows) if rows else np.zeros((0, len(self.read("thing"))), np.float32)

    def look(self, pictures: npt.NDArray[np.uint8]) -> Float32:
        """(N, D) unit vectors of pictures (N, size, size, 3) RGB."""
        vectors: Float32 = self.image.run(["vectors"], {"pictures": to_input(pictures)})[0]
        return vectors

    def read(self, text: str) -> Float32:
        """(D,) unit vector of a text, cached."""
        if text not in self.known:
            tokens = self.tokens(text)
            self.known[text] = self.text.run(["vectors"], {"tokens": np.array([tokens], np.int64)})[0][0]
        return self.known[text]

    def tokens(self, text: str) -> list[int]:
        """The ids of a text, cut to the length that the tower reads; the last one ends it."""
        ids: list[int] = self.tokenizer.encode(text).ids
        return ids if len(ids) <= self.length else [*ids[: self.length - 1], ids[-1]]

    def chances(self, seen: Float32, words: Sequence[str], among: bool = False) -> Float32:
        """(K, W) chances; see `Encoder`."""
        if not words:
            return np.zeros((len(seen), 0), np.float32)
        wanted = np.stack([self.read(TEMPLATE.format(word)) for word in words])
        if among:
            return self.shares(seen, wanted)
        return np.concatenate([self.shares(seen, wanted[k : k + 1]) for k in range(len(words))], 1)

    def shares(self, seen: Float32, wanted: Float32) -> Float32:
        """(K, W) shares of wanted vectors (W, D), and of the everyday words of other meaning, that the wanted have."""
        others = np.stack([self.read(TEMPLATE.format(word)) for word in everyday_words() if word != NOTHING])
        different = others[(others @ wanted.T).max(1) < SAME_WORD_COSINE]
        logits = self.scale * seen @ np.concatenate((wanted, different)).T
        return softmax(logits)[:, : len(wanted)]


def home() -> Path:
    """Where the towers of the `clip` encoder are kept."""
    from fastsam.weights.download import cache

    return cache() / "clip"


def is_installed() -> bool:
    """Whether the towers are there."""
    return all((home() / name).is_file() for name in FILES)


def load(folder: Path) -> Clip:
    """The towers of a folder. Raises UsageError if files or packages are missing."""
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise UsageError(
            f"{folder} lacks {', '.join(missing)}: fastsam weights get clip, or weights convert FILE FOLDER"
        )
    require("tokenizers", "text")
    return _load(folder.resolve(), (folder / "clip.json").stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load(folder: Path, changed: int) -> Clip:
    import tokenizers

    from fastsam.runtimes.onnx import open_file  # imports ONNX Runtime, which is slow

    image, text = (open_file(folder / name) for name in ("image.onnx", "text.onnx"))
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    facts = json.loads((folder / "clip.json").read_text())
    return Clip(f"clip:{folder}:{changed}", image, text, tokenizer, facts["size"], facts["length"], facts["scale"])
