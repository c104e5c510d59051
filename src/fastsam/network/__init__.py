"""The networks of stage 1, written out in torch: YOLOv8-seg, and its neck and head on EfficientNet-Lite0.

Enters: photos as (N, 3, H, W) float in 0..1, H and W multiples of 32.
Leaves: `RawOutput` for the losses, or `candidates` and `prototypes` for the export.
Nothing of it is needed to segment a photo with an exported file.
"""

from fastsam.network.architecture import Architecture
from fastsam.network.build import build
from fastsam.network.head import RawOutput

__all__ = ["Architecture", "RawOutput", "build"]
