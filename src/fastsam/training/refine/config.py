"""A run of the second network, as one frozen value and one TOML file."""

from dataclasses import dataclass, field

from fastsam.training import fields
from fastsam.training.config import Run, check_run
from fastsam.training.fields import Plain
from fastsam.training.refine.prompts import Habits
from fastsam.training.refine.scenes import Policy


@dataclass(frozen=True)
class RefineConfig(Run):
    """A run of the second network; its `photos` are crops.

    backgrounds: folders of photos without annotation to paste upon
    sizes: of crops in pixels, each a multiple of 32; shares: how often batches have each
    clicks: maximum number of clicks that follow a first answer
    """

    backgrounds: tuple[str, ...] = ()
    frozen: int = 5
    batch: int = 32
    sizes: tuple[int, ...] = (96, 128, 192)
    shares: tuple[float, ...] = (0.2, 0.45, 0.35)
    clicks: int = 3
    policy: Policy = field(default_factory=Policy)
    habits: Habits = field(default_factory=Habits)


def make_config(values: Plain) -> RefineConfig:
    """A RefineConfig from plain values, as a TOML file or a checkpoint holds them.

    Raises ValueError if a value does not fit.
    """
    config = fields.make(RefineConfig, values)
    check(config)
    return config


def check(config: RefineConfig) -> None:
    """Raises ValueError for settings that cannot be used."""
    check_run(config)
    if not config.sizes or any(size % 32 or size <= 0 for size in config.sizes):
        raise ValueError(f"sizes must be multiples of 32: {config.sizes}")
    if len(config.shares) != len(config.sizes) or min(config.shares) < 0 or sum(config.shares) <= 0:
        raise ValueError(f"shares must be one number of at least 0 per size, not all of them 0: {config.shares}")
    if config.clicks < 0:
        raise ValueError(f"clicks must be at least 0, not {config.clicks}")
