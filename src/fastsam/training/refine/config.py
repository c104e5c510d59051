"""A run of the second network, as one frozen value and one TOML file."""

from dataclasses import dataclass, field
from typing import Any

from fastsam.training.config import Run, check_run, with_tuples
from fastsam.training.refine.prompts import Habits
from fastsam.training.refine.scenes import Policy


@dataclass(frozen=True)
class RefineConfig(Run):
    """A run of the second network; its `photos` are crops.

    backgrounds: folders of photos without annotation to paste upon
    sizes: of crops in pixels, each a multiple of 32; shares: how often batches have each
    clicks: the most clicks that follow a first answer
    """

    backgrounds: tuple[str, ...] = ()
    frozen: int = 5
    batch: int = 32
    sizes: tuple[int, ...] = (96, 128, 192)
    shares: tuple[float, ...] = (0.2, 0.45, 0.35)
    clicks: int = 3
    policy: Policy = field(default_factory=Policy)
    habits: Habits = field(default_factory=Habits)


def make_config(settings: dict[str, Any]) -> RefineConfig:
    """A RefineConfig from plain values, as a TOML file or a checkpoint holds them.

    Raises ValueError if a value does not fit.
    """
    values = with_tuples(settings, "data", "cutouts", "licences", "backgrounds")
    try:
        policy = dict(values.pop("policy", {}))
        for name in ("context", "around"):
            if name in policy:
                policy[name] = tuple(policy[name])
        for name in ("sizes", "shares"):
            if name in values:
                values[name] = tuple(values[name])
        config = RefineConfig(policy=Policy(**policy), habits=Habits(**values.pop("habits", {})), **values)
        check(config)
    except TypeError as error:
        raise ValueError(f"a setting does not fit: {error}") from error
    return config


def check(config: RefineConfig) -> None:
    """Raises ValueError (or TypeError for a value of the wrong kind) if a setting makes no sense."""
    check_run(config)
    if not config.sizes or any(size % 32 or size <= 0 for size in config.sizes):
        raise ValueError(f"sizes {config.sizes} must be multiples of 32")
    if len(config.shares) != len(config.sizes) or min(config.shares) < 0 or sum(config.shares) <= 0:
        raise ValueError(f"shares {config.shares} must be as many as the sizes, 0 or more, and not all 0")
    if config.clicks < 0:
        raise ValueError(f"clicks {config.clicks} must be at least 0")
