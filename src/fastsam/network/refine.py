"""The second network: the mask of one thing, from the pixels around it and what was said of it.

Enters: square crops and prompt maps (see `refine/maps.py`). Leaves: four mask logits at stride 2 and the IoU that each
is predicted to reach. The first answers a prompt that means one thing; the others are the part, the object and the
group that a single click may mean.

EfficientNet-Lite0's first fifteen blocks carry what ImageNet taught. Prompts enter at stride 8, behind the blocks that
are usually frozen, and once more at stride 4, where the mask is drawn: they are added to features, not to pixels (as in
RITM, Sofiiuk et al. 2021, arXiv 2102.06583). Every activation is ReLU6, so that eight bits will do.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fastsam.network.lite import LiteBackbone

DESCRIPTION: dict[str, object] = {"network": "refiner"}  # what a checkpoint says of its network
MAPS = 4  # mask, box, positive clicks, negative clicks
MASKS = 4  # the one answer; part, object, group
BLOCKS = 15  # of the backbone; the last one has 320 channels and a fifth of all weights
ENTRY = 4  # the block behind which prompts enter: the last at stride 8


class ConvReLU(nn.Sequential):
    """Convolution without bias, batch norm, ReLU6; keeps the size."""

    def __init__(self, c1: int, c2: int, k: int = 3) -> None:
        super().__init__(nn.Conv2d(c1, c2, k, 1, k // 2, bias=False), nn.BatchNorm2d(c2), nn.ReLU6(inplace=True))


class Entry(nn.Sequential):
    """Prompt maps at stride 2 to features at stride 8, by one convolution over 3 x 3 of its cells."""

    def __init__(self, c1: int, c2: int, hidden: int = 64) -> None:
        every = nn.Conv2d(c1, hidden, 12, 4, 4, bias=False)
        super().__init__(every, nn.BatchNorm2d(hidden), nn.ReLU6(inplace=True), nn.Conv2d(hidden, c2, 1))


class Level(nn.Module):
    """Joins coarse features to finer ones, then two 3x3 convolutions, the second with a residual connection.

    finest: channels of features that are twice as fine as the fine ones, and join them; 0 if there are none
    """

    def __init__(self, coarse: int, fine: int, c: int, finest: int = 0) -> None:
        super().__init__()
        self.coarse = nn.Conv2d(coarse, c, 1, bias=False)
        self.fine = nn.Conv2d(fine, c, 1, bias=False)
        self.finest = nn.Conv2d(finest, c, 2, 2, bias=False) if finest else None
        self.norm: nn.Module = nn.BatchNorm2d(c)
        self.first = ConvReLU(c, c)
        self.second = ConvReLU(c, c)

    def forward(self, coarse: Tensor, fine: Tensor, finest: Tensor | None = None) -> Tensor:
        x = F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest") + self.fine(fine)
        if self.finest is not None:
            x = x + self.finest(finest)
        x = self.first(F.relu6(self.norm(x)))
        y: Tensor = x + self.second(x)
        return y


class Quality(nn.Module):
    """The IoU that each mask will reach, as a logit: from features averaged under the mask and over the crop."""

    def __init__(self, fine: int, coarse: int, c: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(fine + coarse + 3, c), nn.ReLU6(), nn.Linear(c, 1))

    def forward(self, logits: Tensor, fine: Tensor, context: Tensor) -> Tensor:
        """(N, M) logits from mask logits (N, M, 4h, 4w), features (N, C, h, w) and a context (N, D)."""
        return torch.cat([self.one(mask, fine, context) for mask in torch.split(logits.detach(), 1, 1)], 1)

    def one(self, mask: Tensor, fine: Tensor, context: Tensor) -> Tensor:
        """(N, 1) logits for one mask (N, 1, 4h, 4w)."""
        shares = mask.sigmoid()
        p, sure = F.avg_pool2d(shares, 4), F.avg_pool2d((2 * shares - 1).abs(), 4)
        total = p.sum((2, 3)) + 1e-3
        inside = (p * fine).sum((2, 3)) / total
        facts = p.mean((2, 3)), sure.mean((2, 3)), (p * sure).sum((2, 3)) / total
        found: Tensor = self.layers(torch.cat((inside, context, *facts), 1))
        return found


class RefineNetwork(nn.Module):
    """See above. The first `frozen` blocks of the backbone do not learn; ENTRY + 1 is the maximum."""

    def __init__(self, frozen: int = ENTRY + 1) -> None:
        super().__init__()
        self.backbone = LiteBackbone(frozen, BLOCKS)
        self.entry = Entry(MAPS, 40)
        self.top = ConvReLU(192, 128, 1)
        self.context = nn.Linear(128, 128)
        self.at16 = Level(128, 112, 96)
        self.at8 = Level(96, 40, 64)
        self.at4 = Level(64, 24, 48, finest=16 + MAPS)
        self.masks = nn.Conv2d(48, 4 * MASKS, 1)
        self.quality = Quality(64, 128)

    def forward(self, images: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Mask logits (N, MASKS, S / 2, S / 2) and quality logits (N, MASKS).

        images: (N, 3, S, S) RGB in 0..1, S a multiple of 32; maps: (N, MAPS, S / 2, S / 2)
        """
        b = self.backbone
        at2 = b.block(0, b.stem(images))
        at4 = b.block(2, b.block(1, at2))
        at8 = b.block(ENTRY, b.block(3, at4))
        x = at8 + self.entry(maps)
        for i in range(ENTRY + 1, 11):
            x = b.block(i, x)
        at16 = x
        for i in range(11, BLOCKS):
            x = b.block(i, x)
        x = self.top(x)
        context = F.relu6(self.context(x.mean((2, 3))))
        x = self.at16(x + context[:, :, None, None], at16)
        y = self.at8(x, at8)
        logits = F.pixel_shuffle(self.masks(self.at4(y, at4, torch.cat((at2, maps), 1))), 2)
        return logits, self.quality(logits, y, context)
