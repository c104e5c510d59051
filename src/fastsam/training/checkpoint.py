"""A run's state on disk: written under a temporary name and renamed, so that a kill leaves the last one whole."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from fastsam.files import whole
from fastsam.network import Architecture


def save(file: Path, state: dict[str, Any]) -> None:
    """Writes a checkpoint in one stroke."""
    with whole(file) as part:
        torch.save(state, part)


def halved(state: dict[str, Any]) -> dict[str, Any]:
    """The same with float16 weights: half the size, for what is kept and shared."""
    weights = state["average"].items()
    return state | {"average": {name: w.half() if w.is_floating_point() else w for name, w in weights}}


def load(file: Path) -> dict[str, Any]:
    """A checkpoint of ours; only tensors and plain values are unpickled.

    Raises ValueError for anything else.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"there is no checkpoint {file}") from error
    except Exception as error:  # torch raises a dozen kinds for a broken file
        raise ValueError(f"{file} is no checkpoint of fastsam train") from error
    if not isinstance(state, dict) or not {"architecture", "average"} <= state.keys():
        raise ValueError(f"{file} is no checkpoint of fastsam train")
    return state


def architecture_of(state: dict[str, Any]) -> Architecture:
    """What network a checkpoint holds."""
    return Architecture(**state["architecture"])


def describe(architecture: Architecture) -> dict[str, Any]:
    """The plain values of an architecture."""
    return dataclasses.asdict(architecture)
