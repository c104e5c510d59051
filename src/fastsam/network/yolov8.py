"""YOLOv8-seg, layer by layer, in sizes n, s, m, l, x.

The layers stand in one list under the numbers of the published description, so that checkpoint entries
(`model.4.m.0.cv1.conv.weight`) load by name.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fastsam.network.architecture import Architecture
from fastsam.network.blocks import SPPF, C2f, Conv
from fastsam.network.head import RawOutput, Segment, upsample2


@dataclass(frozen=True)
class Size:
    """Multipliers of one size: `depth` of repeats, `width` of channels, `max_channels` before the width applies."""

    depth: float
    width: float
    max_channels: int

    def channels(self, c: int) -> int:
        return math.ceil(min(c, self.max_channels) * self.width / 8) * 8

    def repeats(self, n: int) -> int:
        return max(round(n * self.depth), 1)


SIZES = {
    "n": Size(0.33, 0.25, 1024),
    "s": Size(0.33, 0.50, 1024),
    "m": Size(0.67, 0.75, 768),
    "l": Size(1.00, 1.00, 512),
    "x": Size(1.00, 1.25, 512),
}


class YOLOv8Seg(nn.Module):
    """The published network: `forward` for training, `decode` of its output for everything else."""

    def __init__(self, size: Size, classes: int = 1, reg_max: int = 16) -> None:
        super().__init__()
        c, r = size.channels, size.repeats
        c64, c128, c256, c512, c1024 = (c(n) for n in (64, 128, 256, 512, 1024))
        self.model = nn.ModuleList(
            [
                Conv(3, c64, 3, 2),
                Conv(c64, c128, 3, 2),
                C2f(c128, c128, r(3), shortcut=True),
                Conv(c128, c256, 3, 2),
                C2f(c256, c256, r(6), shortcut=True),
                Conv(c256, c512, 3, 2),
                C2f(c512, c512, r(6), shortcut=True),
                Conv(c512, c1024, 3, 2),
                C2f(c1024, c1024, r(3), shortcut=True),
                SPPF(c1024, c1024),
                nn.Identity(),  # 10: upsample
                nn.Identity(),  # 11: concat with 6
                *neck_layers(size, (c256, c512, c1024)),
                Segment(Architecture(classes=classes, reg_max=reg_max), (c256, c512, c1024)),
            ]
        )

    def forward(self, images: Tensor) -> RawOutput:
        layers = self.model
        p3 = layers[4](layers[3](layers[2](layers[1](layers[0](images)))))
        p4 = layers[6](layers[5](p3))
        p5 = layers[9](layers[8](layers[7](p4)))
        raw: RawOutput = self.head(neck(layers[12:22], p3, p4, p5))
        return raw

    @property
    def head(self) -> Segment:
        head = self.model[22]
        assert isinstance(head, Segment)
        return head


def neck_layers(size: Size, incoming: tuple[int, int, int]) -> list[nn.Module]:
    """Layers 12 to 21 of the description on features with `incoming` channels at strides 8, 16, 32."""
    c256, c512, c1024 = (size.channels(n) for n in (256, 512, 1024))
    in3, in4, in5 = incoming
    n = size.repeats(3)
    return [
        C2f(in5 + in4, c512, n),  # 12
        nn.Identity(),  # 13: upsample
        nn.Identity(),  # 14: concat with 4
        C2f(c512 + in3, c256, n),  # 15: P3
        Conv(c256, c256, 3, 2),  # 16
        nn.Identity(),  # 17: concat with 12
        C2f(c256 + c512, c512, n),  # 18: P4
        Conv(c512, c512, 3, 2),  # 19
        nn.Identity(),  # 20: concat with 9
        C2f(c512 + in5, c1024, n),  # 21: P5
    ]


def neck(layers: nn.ModuleList, p3: Tensor, p4: Tensor, p5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The feature pyramid, coarse to fine and back (`layers` as `neck_layers` lists them)."""
    top, fine, down3, middle, down4, coarse = (layers[i] for i in (0, 3, 4, 6, 7, 9))
    m4 = top(torch.cat((upsample2(p5), p4), 1))
    n3 = fine(torch.cat((upsample2(m4), p3), 1))
    n4 = middle(torch.cat((down3(n3), m4), 1))
    n5 = coarse(torch.cat((down4(n4), p5), 1))
    return n3, n4, n5
