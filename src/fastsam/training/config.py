"""An experiment: everything that a run depends on, as one frozen value and one TOML file.

A file in `configs/` states what differs from the defaults here.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from fastsam.network import Architecture
from fastsam.network.build import check as check_network
from fastsam.training import fields
from fastsam.training.fields import Plain
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
    frozen: leading blocks of the backbone that do not learn; backbone_rate: share of the rate for its other blocks
    photos: length of the run in samples; warmup: samples of linear warm-up; rate: peak of the cosine schedule
    decay: AdamW's weight decay; average: EMA decay reached after some thousand steps
    precision: `auto` (bf16 where that is faster), `bf16`, `float32`, or `float64` to compare runs
    synced: whether batch norms take the statistics of all processes, if there are several
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

    network: what it is built from; one class, since categories are ignored
    margin: share of a box's sides by which masks are learnt beyond it
    reach: a further share for a box of the input's size, less for smaller ones
    """

    network: Architecture = field(default_factory=Architecture)
    imgsz: int = 320
    margin: float = 0.0
    reach: float = 0.0
    policy: Policy = field(default_factory=Policy)
    gains: Gains = field(default_factory=Gains)


def read_config(file: Path, kind: type[Run] = Config) -> Plain:
    """The settings of a TOML file; see `fields.read`. kind: the network that the run trains, by its kind of config"""
    return fields.read(file, kind)


def make_config(values: Plain) -> Config:
    """A Config from plain values, as a TOML file or a checkpoint holds them.

    Raises ValueError if a value does not fit.
    """
    config = fields.make(Config, values)
    check(config)
    return config


def check_run(config: Run) -> None:
    """Raises ValueError for values of what every run has that cannot be used."""
    for name, least in (("batch", 1), ("photos", 1), ("warmup", 0), ("frozen", 0), ("seed", 0)):
        if getattr(config, name) < least:
            raise ValueError(f"{name} must be at least {least}, not {getattr(config, name)}")
    if config.precision not in PRECISIONS:
        raise ValueError(f"unknown precision {config.precision!r}: choose one of {', '.join(PRECISIONS)}")


def check(config: Config) -> None:
    """Raises ValueError for settings that cannot be used."""
    if config.imgsz % 32 or config.imgsz <= 0:
        raise ValueError(f"imgsz must be a multiple of 32, not {config.imgsz}")
    check_run(config)
    check_network(config.network)
    if config.network.classes != 1:
        raise ValueError(f"[network] classes must be 1, not {config.network.classes}: categories are not learnt")
    if config.frozen and config.network.backbone != "lite0":
        raise ValueError(f"frozen must be 0, not {config.frozen}: the backbone {config.network.backbone} always learns")
    for name, share in (("margin", config.margin), ("reach", config.reach)):
        if share < 0:
            raise ValueError(f"{name} must not be negative: {share}")
    if not 0 <= config.gains.quality <= 1:
        raise ValueError(f"[gains] quality must be 0 to 1, not {config.gains.quality}")
    low, high = config.policy.zoom
    if not 0 < low <= high:
        raise ValueError(f"[policy] zoom must be two positive numbers, the smaller first, not {config.policy.zoom}")


def nested(values: Plain) -> Plain:
    """Settings of a checkpoint from before `[network]`: what the network is built from, moved into that table."""
    names = {f.name for f in dataclasses.fields(Architecture)} & values.keys()
    if not names:
        return values
    rest = {name: value for name, value in values.items() if name not in names}
    return {**rest, "network": {name: values[name] for name in sorted(names)}}
