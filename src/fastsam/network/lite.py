"""YOLOv8's neck and head on an EfficientNet-Lite0 backbone that comes with ImageNet knowledge.

EfficientNet-Lite (Google, Apache-2.0): EfficientNet (Tan and Le 2019, arXiv 1905.11946) without squeeze-excitation
and with ReLU6. Entry names are those of the PyTorch conversion, so that its file loads by name.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fastsam.network.architecture import Architecture
from fastsam.network.blocks import SPPF
from fastsam.network.head import RawOutput, Segment
from fastsam.network.yolov8 import SIZES, neck, neck_layers

# expansion, kernel, stride, channels out: one row per block
BLOCKS = (
    (1, 3, 1, 16),
    *((6, 3, 2, 24), (6, 3, 1, 24)),
    *((6, 5, 2, 40), (6, 5, 1, 40)),
    *((6, 3, 2, 80), (6, 3, 1, 80), (6, 3, 1, 80)),
    *((6, 5, 1, 112), (6, 5, 1, 112), (6, 5, 1, 112)),
    *((6, 5, 2, 192), (6, 5, 1, 192), (6, 5, 1, 192), (6, 5, 1, 192)),
    (6, 3, 1, 320),
)
TAPS = {2: 24, 4: 40, 10: 112, 15: 320}  # block: channels, at strides 4, 8, 16, 32


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's padding: at stride 2 the odd pixel is added below and on the right."""

    def forward(self, x: Tensor) -> Tensor:
        k, s = self.kernel_size[0], self.stride[0]
        if s == 1:
            return F.conv2d(x, self.weight, None, 1, k // 2, 1, self.groups)
        before, after = (k - s) // 2, k - s - (k - s) // 2
        x = F.pad(x, (before, after, before, after))
        if self.groups > 1 and x.requires_grad and x.device.type == "cpu":
            # In bf16 the gradient of a depthwise convolution of stride 2 takes ten times as long as in float32.
            with torch.autocast("cpu", enabled=False):
                return F.conv2d(x.float(), self.weight.float(), None, s, 0, 1, self.groups).to(x.dtype)
        return F.conv2d(x, self.weight, None, s, 0, 1, self.groups)


class LiteBlock(nn.Module):
    """Inverted residual: 1x1 expansion, depthwise convolution, 1x1 projection."""

    def __init__(self, c1: int, expansion: int, k: int, s: int, c2: int) -> None:
        super().__init__()
        c = c1 * expansion
        if expansion > 1:
            self._expand_conv = SameConv(c1, c, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(c, eps=1e-3, momentum=0.01)
        self._depthwise_conv = SameConv(c, c, k, s, groups=c, bias=False)
        self._bn1 = nn.BatchNorm2d(c, eps=1e-3, momentum=0.01)
        self._project_conv = SameConv(c, c2, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(c2, eps=1e-3, momentum=0.01)
        self.expands = expansion > 1
        self.residual = s == 1 and c1 == c2

    def forward(self, x: Tensor) -> Tensor:
        y = x
        if self.expands:
            y = F.relu6(self._bn0(self._expand_conv(y)), inplace=True)
        y = F.relu6(self._bn1(self._depthwise_conv(y)), inplace=True)
        y = self._bn2(self._project_conv(y))
        out: Tensor = x + y if self.residual else y
        return out


class LiteBackbone(nn.Module):
    """EfficientNet-Lite0 without its classifier.

    frozen: leading blocks that do not learn, the stem with them; 0 lets all of it learn
    blocks: how many of its blocks there are

    Depthwise kernels never learn: on a CPU the gradient of the 5x5 ones alone costs two fifths of a step.
    """

    def __init__(self, frozen: int = 0, blocks: int = len(BLOCKS)) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3, momentum=0.01)
        channels = [32, *(row[3] for row in BLOCKS)]
        self._blocks = nn.ModuleList(LiteBlock(channels[i], *row) for i, row in enumerate(BLOCKS[:blocks]))
        for block in self._blocks:
            block._depthwise_conv.requires_grad_(False)
        if frozen:
            for part in (self._conv_stem, self._bn0, *self._blocks[:frozen]):
                part.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features at strides 4, 8, 16, 32 with 24, 40, 112, 320 channels."""
        taps = []
        x = self.stem(images)
        for i in range(len(self._blocks)):
            x = self.block(i, x)
            if i in TAPS:
                taps.append(x)
        return taps

    def stem(self, images: Tensor) -> Tensor:
        """32 channels at stride 2, of RGB images in 0..1."""
        return F.relu6(self._bn0(self._conv_stem((images - 0.498) / 0.502)), inplace=True)

    def block(self, i: int, x: Tensor) -> Tensor:
        """What block number i makes of its input."""
        y: Tensor = self._blocks[i](x)
        return y

    def train(self, mode: bool = True) -> "LiteBackbone":
        """Batch norms stay as ImageNet left them: a batch of a few photos would only add noise."""
        return super().train(False)


class LiteSeg(nn.Module):
    """Backbone, SPPF at stride 32, the YOLOv8 neck and head; prototypes see the backbone's stride-4 features."""

    def __init__(self, architecture: Architecture, frozen: int = 0) -> None:
        super().__init__()
        size = SIZES[architecture.size]
        c256, c512, c1024 = (size.channels(n) for n in (256, 512, 1024))
        self.backbone = LiteBackbone(frozen)
        self.pool = SPPF(320, c1024)
        self.neck = nn.ModuleList(neck_layers(size, (40, 112, c1024)))
        self.head = Segment(architecture, (c256, c512, c1024), 24)

    def forward(self, images: Tensor) -> RawOutput:
        fine, p3, p4, p5 = self.backbone(images)
        raw: RawOutput = self.head(neck(self.neck, p3, p4, self.pool(p5)), fine)
        return raw


def backbone_of(network: nn.Module) -> LiteBackbone | None:
    """The part of a network that comes with ImageNet knowledge; None if it has no such part."""
    part = getattr(network, "backbone", None)
    return part if isinstance(part, LiteBackbone) else None
