"""A run's state on disk: written under a temporary name and renamed, so that a kill leaves the last one whole."""

from pathlib import Path
from typing import Any, TypedDict, cast

import torch
from torch import Tensor

from fastsam.files import whole
from fastsam.network import Architecture
from fastsam.network.refine import DESCRIPTION
from fastsam.training.config import nested
from fastsam.training.fields import Plain, make

FOLDERS = ("data", "cutouts", "backgrounds")  # settings that name folders


class Final(TypedDict):
    """What a finished run leaves.

    architecture: what the network is built from; config: the run's settings; step: how many steps were made
    average: the running average of the network's entries
    """

    architecture: dict[str, object]
    config: Plain
    step: int
    average: dict[str, Tensor]


class State(Final, total=False):
    """A `Final`, and in `last.pt` what it takes to go on: network, optimiser and random numbers as they were."""

    network: dict[str, Tensor]
    optimiser: dict[str, Any]  # as torch has it
    generator: Tensor


def save(file: Path, state: State | Final) -> None:
    """Writes a checkpoint in one stroke."""
    with whole(file) as part:
        torch.save(state, part)


def halved(state: Final) -> Final:
    """The same for what is kept and shared: float16 weights, half the size; of its folders the names alone."""
    weights = state["average"].items()
    small = {name: w.half() if w.is_floating_point() else w for name, w in weights}
    config = {k: tuple(Path(f).name for f in v) if k in FOLDERS else v for k, v in state["config"].items()}
    return Final(architecture=state["architecture"], config=config, step=state["step"], average=small)


def load(file: Path) -> State:
    """A checkpoint of ours; only tensors and plain values are unpickled.

    The config of one from before `[network]` is given as it would be written now. Raises ValueError for anything else.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"checkpoint {file} not found") from error
    except Exception as error:  # torch raises a dozen kinds for a broken file
        raise ValueError(f"{file} is not a checkpoint of fastsam train") from error
    if not isinstance(state, dict) or not all(isinstance(state.get(n), dict) for n in ("architecture", "average")):
        raise ValueError(f"{file} is not a checkpoint of fastsam train")
    if isinstance(state.get("config"), dict):
        state["config"] = nested(state["config"])
    return cast(State, state)


def is_refiner(state: State) -> bool:
    """Whether a checkpoint holds a second network."""
    return state["architecture"] == DESCRIPTION


def architecture_of(state: State, file: Path) -> Architecture:
    """What network a checkpoint of the first network holds. Raises ValueError if it is one that is unknown here."""
    if is_refiner(state):
        raise ValueError(f"{file} holds a second network: only fastsam train refine and fastsam export take it")
    try:
        return make(Architecture, state["architecture"])
    except ValueError as error:
        raise ValueError(f"{file} holds a network that is unknown to this version: {error}") from None
