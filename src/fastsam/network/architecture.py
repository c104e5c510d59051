"""What the first network is built from: one value for configs, checkpoints and exported files."""

from dataclasses import dataclass

BACKBONES = ("yolov8", "lite0")
COEFFICIENTS = 32  # per mask in the published networks


@dataclass(frozen=True)
class Architecture:
    """What the first network is built from: `[network]` in a config, `architecture` in checkpoints and exported files.

    backbone: `yolov8` (the published network) or `lite0` (EfficientNet-Lite0 under the same neck and head)
    size: n, s, m, l or x
    classes: number of class scores
    reg_max: bins per side of a box
    coefficients: per mask

    For `lite0` only:

    mask_channels: width of the prototypes' convolutions and of the coefficients' towers; 0 for the published widths
    mask_towers: width of the towers alone; 0 for that of `mask_channels`
    placed: features, a constant one first, weighed differently across a mask's box (see `masks/positional.py`), as
    relative coordinates let the masks of CondInst know their place (Tian et al. 2020, arXiv 2003.05664)
    """

    backbone: str = "yolov8"
    size: str = "n"
    classes: int = 1
    reg_max: int = 16
    mask_channels: int = 0
    mask_towers: int = 0
    placed: int = 0
    coefficients: int = COEFFICIENTS
