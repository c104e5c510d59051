"""Weights to start from: a checkpoint of the trainer or of the popular port, safetensors, or a bundled model's name.

Enters: a name or a path. Leaves: a `Start`, put into a network by `put`. Called by `loop` and `cli/train`.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fastsam.network import Architecture
from fastsam.network.build import branch
from fastsam.network.yolov8 import SIZES
from fastsam.runtimes.torch import size_of
from fastsam.training import checkpoint
from fastsam.weights import catalogue

SCORES = re.compile(r"^(head|model\.22)\.cv3\.")  # entries that depend on the number of classes
MASKS = re.compile(r"^(head|model\.22)\.(cv4|proto)\.")  # entries that make masks
TOWERS = re.compile(r"^head\.cv4\.")  # those of them that make coefficients


@dataclass(frozen=True)
class Start:
    """A network's entries, and the architecture that they belong to."""

    source: str
    architecture: Architecture
    entries: dict[str, Tensor]


def read_start(source: str) -> Start:
    """What a name or a path holds. Raises ValueError for what cannot be trained further."""
    file = catalogue.TRAINABLE.get(source) or catalogue.locate(source)
    if not catalogue.is_checkpoint(file):
        raise ValueError(f"{source} cannot be trained further: name a .pt or .safetensors file, or fastsam-tiny")
    try:
        state = checkpoint.load(file)
    except ValueError:
        found = catalogue.read(file)
    else:
        try:
            return Start(source, checkpoint.architecture_of(state), state["average"])
        except TypeError:
            raise ValueError(f"{source} is of another version: its network has settings unknown here") from None
    entries = {name: torch.from_numpy(values.copy()) for name, values in found.entries.items()}
    try:
        return Start(source, describe(entries), entries)
    except (KeyError, IndexError, StopIteration):
        raise ValueError(f"{source} holds no network of a published size") from None


def describe(entries: dict[str, Any]) -> Architecture:
    """The architecture of a published network, read from its shapes."""
    size = next(letter for letter, known in SIZES.items() if known.width == size_of(entries).width)
    head = "model.22"
    reg_max = entries[f"{head}.dfl.conv.weight"].numel()
    return Architecture("yolov8", size, len(entries[f"{head}.cv3.0.2.weight"]), reg_max)


def put(start: Start, network: nn.Module, architecture: Architecture) -> None:
    """Loads a start into a network. Scores begin anew where the classes differ, masks where what makes them does.

    Towers of coefficients that are merely wider begin as what they were (see `grown`).

    Raises ValueError where anything else does not fit.
    """
    theirs = start.architecture
    anew: list[re.Pattern[str]] = []
    if theirs.classes != architecture.classes:
        anew.append(SCORES)
    wanted = branch(architecture)
    wider = wanted.towers > (theirs.mask_towers or theirs.mask_channels) > 0
    if wanted != (replace(branch(theirs), towers=wanted.towers) if wider else branch(theirs)):
        anew.append(MASKS)
    entries = {}
    try:
        for name, own in network.state_dict().items():
            counter = name.endswith("num_batches_tracked")  # which few formats keep
            begins = any(kind.search(name) for kind in anew) or (counter and name not in start.entries)
            entries[name] = own if begins else start.entries[name]
            if wider and not begins and TOWERS.search(name):
                entries[name] = grown(entries[name], own)
        network.load_state_dict(entries)
    except (KeyError, RuntimeError) as error:
        reason = str(error).strip("'").splitlines()[-1].strip()
        raise ValueError(
            f"{start.source} does not fit the network ({reason}): it is {theirs}; say the same, or nothing of it"
        ) from None


def grown(small: Tensor, large: Tensor) -> Tensor:
    """An entry of a wider tower that computes what the narrower one did.

    New outputs are as drawn in `large`; the old ones take nothing from new inputs (Net2Net, Chen et al. 2015,
    arXiv 1511.05641, by zeros instead of copies).
    """
    if small.shape == large.shape:
        return small
    entry = large.clone()
    if small.ndim > 1:
        entry[: len(small)] = 0
        entry[: small.shape[0], : small.shape[1]] = small
    else:
        entry[: len(small)] = small
    return entry


def put_whole(file: str, network: nn.Module, description: dict[str, Any]) -> None:
    """Loads a checkpoint's averaged weights into a network. Raises ValueError if its description is another."""
    state = checkpoint.load(Path(file))
    if state["architecture"] != description:
        raise ValueError(f"{file} holds another network: {state['architecture']}")
    try:
        network.load_state_dict(state["average"])
    except RuntimeError as error:
        raise ValueError(f"{file} does not fit the network: {str(error).splitlines()[-1].strip()}") from None
