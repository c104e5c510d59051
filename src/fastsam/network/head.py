"""The Segment head: boxes as distributions, class scores, mask coefficients, and prototypes at stride 4.

Enters: features at strides 8, 16, 32 (and, if the network has them, at stride 4 for the prototypes).
Leaves: `RawOutput` (what the losses need); `decode` turns it into what leaves an exported network.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fastsam.network.architecture import COEFFICIENTS, Architecture
from fastsam.network.blocks import Conv

STRIDES = (8, 16, 32)
PLACES = 6  # coefficients per feature that a mask weighs by the place in its box


@dataclass(frozen=True)
class RawOutput:
    """What the head computes, anchors in order of level (stride 8, 16, 32) and row-major within one.

    distributions: (N, A, 4 * reg_max) logits over distances left, top, right, bottom, in units of the stride
    scores: (N, A, classes) logits
    coefficients: (N, A, K); prototypes: (N, M, H / 4, W / 4); K and M are 32 in the published networks
    anchors: (A, 2) anchor centres x, y in input pixels
    strides: (A,) stride of each anchor in input pixels
    """

    distributions: Tensor
    scores: Tensor
    coefficients: Tensor
    prototypes: Tensor
    anchors: Tensor
    strides: Tensor


def anchor_grid(shapes: list[tuple[int, int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Anchor centres (A, 2) and strides (A,) in input pixels, for feature maps of the given (height, width)."""
    centres, strides = [], []
    for (h, w), stride in zip(shapes, STRIDES, strict=True):
        y = (torch.arange(h, device=device, dtype=torch.float32) + 0.5) * stride
        x = (torch.arange(w, device=device, dtype=torch.float32) + 0.5) * stride
        grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
        centres.append(torch.stack((grid_x.reshape(-1), grid_y.reshape(-1)), 1))
        strides.append(torch.full_like(grid_x.reshape(-1), stride))
    return torch.cat(centres), torch.cat(strides)


def wide(values: Tensor) -> Tensor:
    """Numbers of 16 bits in float32, others as they are."""
    return values.float() if values.element_size() < 4 else values


def decode_boxes(distributions: Tensor, anchors: Tensor, strides: Tensor, bins: Tensor) -> Tensor:
    """Boxes (N, A, 4) xyxy in input pixels: each side's distance is the mean of its distribution over `bins`."""
    n, a, _ = distributions.shape
    probabilities = wide(distributions).reshape(n, a, 4, -1).softmax(-1)
    distances = (probabilities * bins).sum(-1) * strides[:, None]
    return torch.cat((anchors - distances[..., :2], anchors + distances[..., 2:]), -1)


class DFL(nn.Module):
    """Holds 0..reg_max-1 as a 1x1 convolution's weight, as published checkpoints do."""

    def __init__(self, reg_max: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(reg_max, 1, 1, bias=False).requires_grad_(False)
        self.conv.weight.data[:] = torch.arange(reg_max, dtype=torch.float32).view(1, reg_max, 1, 1)

    def forward(self) -> Tensor:
        return self.conv.weight.view(-1)


class Proto(nn.Module):
    """Prototypes at stride 4 from stride-8 features; `c_skip` > 0 adds stride-4 features of the backbone."""

    def __init__(self, c1: int, c: int, c_skip: int = 0, out: int = COEFFICIENTS) -> None:
        super().__init__()
        self.cv1 = Conv(c1, c, 3)
        self.upsample = nn.ConvTranspose2d(c, c, 2, 2)
        self.cv2 = Conv(c, c, 3)
        self.cv3 = Conv(c, out)
        self.skip = Conv(c_skip, c) if c_skip else None

    def forward(self, x: Tensor, fine: Tensor | None = None) -> Tensor:
        y = self.upsample(self.cv1(x))
        if self.skip is not None:
            y = y + self.skip(fine)
        prototypes: Tensor = self.cv3(self.cv2(y))
        return prototypes


class Segment(nn.Module):
    """The head of YOLOv8-seg on features with `channels` at strides 8, 16 and 32.

    c_skip: channels of the backbone's stride-4 features that the prototypes see; 0 without them
    """

    def __init__(self, architecture: Architecture, channels: tuple[int, int, int], c_skip: int = 0) -> None:
        super().__init__()
        a = architecture
        c_box = max(16, channels[0] // 4, a.reg_max * 4)
        c_score = max(channels[0], min(a.classes, 100))
        c_mask = a.mask_towers or a.mask_channels or max(channels[0] // 4, a.coefficients)
        self.cv2 = _towers(channels, c_box, 4 * a.reg_max)
        self.cv3 = _towers(channels, c_score, a.classes)
        self.cv4 = _towers(channels, c_mask, a.coefficients)
        self.dfl = DFL(a.reg_max)
        plain = a.coefficients - PLACES * a.placed  # prototypes that weigh the same everywhere
        self.proto = Proto(channels[0], a.mask_channels or channels[0], c_skip, plain + max(0, a.placed - 1))
        self.set_initial_biases(a.classes)

    def set_initial_biases(self, classes: int) -> None:
        """Starts with short distances and with about five objects in a 640 px photo."""
        for box, score, stride in zip(self.cv2, self.cv3, STRIDES, strict=True):
            box[-1].bias.data.fill_(1.0)  # type: ignore[index]  # Sequential of _towers
            prior = math.log(5 / classes / (640 / stride) ** 2)
            score[-1].bias.data.fill_(prior)  # type: ignore[index]

    def forward(self, features: tuple[Tensor, Tensor, Tensor], fine: Tensor | None = None) -> RawOutput:
        shapes = [(f.shape[2], f.shape[3]) for f in features]
        anchors, strides = anchor_grid(shapes, features[0].device)
        return RawOutput(
            distributions=_over_levels(self.cv2, features),
            scores=_over_levels(self.cv3, features),
            coefficients=_over_levels(self.cv4, features),
            prototypes=self.proto(features[0], fine),
            anchors=anchors,
            strides=strides,
        )

    def decode(self, raw: RawOutput) -> tuple[Tensor, Tensor]:
        """What leaves an exported network: candidates and prototypes (N, M, H / 4, W / 4).

        Candidates (N, 4 + classes + K, A): cx, cy, w, h in input pixels, scores 0..1, coefficients.
        """
        boxes = decode_boxes(raw.distributions, raw.anchors, raw.strides, self.dfl())
        centre, size = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
        candidates = torch.cat((centre, size, raw.scores.sigmoid(), raw.coefficients), -1)
        return candidates.transpose(1, 2), raw.prototypes


def _towers(channels: tuple[int, int, int], c: int, out: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Sequential(Conv(c1, c, 3), Conv(c, c, 3), nn.Conv2d(c, out, 1)) for c1 in channels)


def _over_levels(towers: nn.ModuleList, features: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    maps = [tower(f) for tower, f in zip(towers, features, strict=True)]
    return torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1)


def upsample2(x: Tensor) -> Tensor:
    """Nearest-neighbour doubling."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
