"""CLIP's two towers (Radford et al. 2021, arXiv 2103.00020), vision transformers only, with the published names.

Enters: pictures (N, 3, S, S) in 0..1, or token ids (N, L). Leaves: unit vectors (N, D) of one space. Built by
`export/clip`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Tower:
    """width of its tokens; depth: blocks; heads of attention; hidden: width of the perceptrons; quick: which GELU."""

    width: int
    depth: int
    heads: int
    hidden: int
    quick: bool


class Attention(nn.Module):
    """Self-attention with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        n, length, width = x.shape
        parts = F.linear(x, self.in_proj_weight, self.in_proj_bias).view(n, length, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        logits = q @ k.transpose(2, 3) * (width // self.heads) ** -0.5
        if mask is not None:
            logits = logits + mask
        seen: Tensor = self.out_proj((logits.softmax(-1) @ v).transpose(1, 2).reshape(n, length, width))
        return seen


class Block(nn.Module):
    """Attention and perceptron, each after a norm and added to what it saw."""

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.quick = tower.quick
        self.ln_1, self.ln_2 = nn.LayerNorm(tower.width), nn.LayerNorm(tower.width)
        self.attn = Attention(tower.width, tower.heads)
        self.mlp = nn.ModuleDict(
            {"c_fc": nn.Linear(tower.width, tower.hidden), "c_proj": nn.Linear(tower.hidden, tower.width)}
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.attn(self.ln_1(x), mask)
        wide = self.mlp["c_fc"](self.ln_2(x))
        wide = wide * torch.sigmoid(1.702 * wide) if self.quick else F.gelu(wide)
        seen: Tensor = x + self.mlp["c_proj"](wide)
        return seen


class Blocks(nn.Module):
    """The tower's blocks in a row."""

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList([Block(tower) for _ in range(tower.depth)])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.resblocks:
            x = block(x, mask)
        return x


class ImageTower(nn.Module):
    """Pictures of `size` pixels a side in patches of `patch`; `mean` and `deviation` of their colours."""

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        tower: Tower,
        size: int,
        patch: int,
        space: int,
        mean: Sequence[float] = MEAN,
        deviation: Sequence[float] = DEVIATION,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, tower.width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(tower.width))
        self.positional_embedding = nn.Parameter(torch.empty((size // patch) ** 2 + 1, tower.width))
        self.ln_pre, self.ln_post = nn.LayerNorm(tower.width), nn.LayerNorm(tower.width)
        self.transformer = Blocks(tower)
        self.proj = nn.Parameter(torch.empty(tower.width, space))
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.conv1((pictures - self.mean) / self.deviation).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(x.shape[0], 1, -1)  # len() would be fixed in the exported graph
        x = self.ln_pre(torch.cat((first, x), 1) + self.positional_embedding)
        return F.normalize(self.ln_post(self.transformer(x)[:, 0]) @ self.proj, dim=-1)


class TextTower(nn.Module):
    """Token ids, read up to the first `end` token; what follows it is padding."""

    def __init__(self, tower: Tower, words: int, length: int, space: int, end: int) -> None:
        super().__init__()
        self.end = end
        self.token_embedding = nn.Embedding(words, tower.width)
        self.positional_embedding = nn.Parameter(torch.empty(length, tower.width))
        self.transformer = Blocks(tower)
        self.ln_final = nn.LayerNorm(tower.width)
        self.text_projection = nn.Parameter(torch.empty(tower.width, space))

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        x = self.token_embedding(tokens) + self.positional_embedding[:length]
        place = torch.arange(length, device=tokens.device)
        mask = (place[None] > place[:, None]).to(x.dtype) * -1e4  # a token sees those before it
        x = self.ln_final(self.transformer(x, mask))
        last = (tokens == self.end).int().argmax(1)
        ends = x.gather(1, last[:, None, None].expand(-1, 1, x.shape[2]))[:, 0]
        return F.normalize(ends @ self.text_projection, dim=-1)
