"""An experiment: everything that a run depends on, as one frozen value and one TOML file.

A file in `configs/` states what differs from the defaults here.
"""

import dataclasses
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from fastsam.network.head import COEFFICIENTS
from fastsam.training.losses import Gains
from fastsam.training.plan import Policy

PRECISIONS = ("auto", "bf16", "float32", "float64")


@dataclass(frozen=True)
class Run:
    """What every run has, whichever network it trains. Lengths are counted in samples seen, not in steps.

    data: COCO-style folders; cutouts: folders of RGBA objects; holdout: file of `set/file` lines to leave out
    set_weights: how often a set's photos are drawn, against 1
    min_score: machine-made masks below it count as unknown ground
    licences: what the licence of a photo may begin with; any if empty
    pretrained: file of backbone weights; start: checkpoint to start from
    frozen: leading backbone blocks without gradient; backbone_rate: their and the others' share of the rate
    photos: length of the run in samples; warmup: samples of linear warm-up; rate: peak of the cosine schedule
    decay: AdamW's weight decay; average: EMA decay reached after some thousand steps
    precision: `auto` (bf16 if the device computes in it), `bf16`, `float32`, or `float64` to compare runs
    synced: of several processes, whether batch norms take the statistics of all of them
    """

    data: tuple[str, ...] = ()
    cutouts: tuple[str, ...] = ()
    holdout: str | None = None
    set_weights: dict[str, float] = field(default_factory=dict)
    min_score: float = 0.0
    licences: tuple[str, ...] = ()
    pretrained: str | None = None
    start: str | None = None
    frozen: int = 0
    backbone_rate: float = 0.1
    batch: int = 8
    photos: int = 100_000
    warmup: int = 4_000
    rate: float = 1.5e-3
    decay: float = 0.02
    average: float = 0.9995
    seed: int = 0
    precision: str = "auto"
    synced: bool = False

    @property
    def steps(self) -> int:
        return -(-self.photos // self.batch)


@dataclass(frozen=True)
class Config(Run):
    """A run of the first network, which finds everything.

    backbone, size, reg_max, mask_channels, mask_towers, placed, coefficients: the network, as `Architecture` has them
    margin: share of a box's sides by which masks are learnt beyond it; reach: a further share for a box of the input's
    size, less for smaller ones
    """

    backbone: str = "yolov8"
    size: str = "n"
    reg_max: int = 16
    mask_channels: int = 0
    mask_towers: int = 0
    placed: int = 0
    coefficients: int = COEFFICIENTS
    imgsz: int = 320
    margin: float = 0.0
    reach: float = 0.0
    policy: Policy = field(default_factory=Policy)
    gains: Gains = field(default_factory=Gains)


def read_config(file: Path, kind: type[Run] = Config) -> dict[str, Any]:
    """The settings of a TOML file, checked by name, over those of the file beside it that its `base` names.

    kind: the network that the run trains, by its kind of config

    A table (`[policy]`, `[set_weights]`) replaces the base's entries one by one.
    Raises ValueError for a setting that does not exist or a file that is not TOML.
    """
    try:
        settings = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{file} is no readable config: {error}") from error
    base = settings.pop("base", None)
    known = {f.name for f in dataclasses.fields(kind)}
    for name in settings:
        if name not in known:
            raise ValueError(f"{file}: there is no setting {name!r}: choose from base, {', '.join(sorted(known))}")
    if base is None:
        return settings
    merged = read_config(file.parent / base, kind)
    for name, value in settings.items():
        merged[name] = {**merged.get(name, {}), **value} if isinstance(value, dict) else value
    return merged


def make_config(settings: dict[str, Any]) -> Config:
    """A Config from plain values, as a TOML file or a checkpoint holds them.

    Raises ValueError where a value does not fit.
    """
    values = with_tuples(settings, "data", "cutouts", "licences")
    try:
        policy = dict(values.pop("policy", {}))
        if "zoom" in policy:
            policy["zoom"] = tuple(policy["zoom"])
        config = Config(policy=Policy(**policy), gains=Gains(**values.pop("gains", {})), **values)
        check(config)
    except TypeError as error:
        raise ValueError(f"a setting does not fit: {error}") from error
    return config


def with_tuples(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    """The settings, those of the given names as tuples of strings."""
    return {**settings, **{name: tuple(str(v) for v in settings.get(name, ())) for name in names}}


def check_run(config: Run) -> None:
    """Raises ValueError (or TypeError for a value of the wrong kind) if what every run has makes no sense."""
    if config.batch < 1 or config.photos < 1:
        raise ValueError(f"batch {config.batch} and photos {config.photos} must be at least 1")
    if config.precision not in PRECISIONS:
        raise ValueError(f"unknown precision {config.precision!r}: choose from {', '.join(PRECISIONS)}")


def check(config: Config) -> None:
    """Raises ValueError (or TypeError for a value of the wrong kind) where a setting makes no sense."""
    if config.imgsz % 32 or config.imgsz <= 0:
        raise ValueError(f"imgsz {config.imgsz} is no multiple of 32")
    check_run(config)
    for name, share in (("margin", config.margin), ("reach", config.reach)):
        if share < 0:
            raise ValueError(f"{name} {share} is negative")
    if not 0 <= config.gains.quality <= 1:
        raise ValueError(f"quality {config.gains.quality} is not between 0 and 1")
    low, high = config.policy.zoom
    if not 0 < low <= high:
        raise ValueError(f"zoom {config.policy.zoom} is no range of positive factors")
