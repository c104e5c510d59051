"""Weights to start from: a checkpoint of the trainer or of Ultralytics, safetensors, a bundled model's name, or a file
of ImageNet weights for the backbone.

Enters: a name or a path. Leaves: a network with these weights.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from fastsam.network import Architecture
from fastsam.network.lite import backbone_of
from fastsam.network.yolov8 import SIZES
from fastsam.runtimes.torch import size_of
from fastsam.training import checkpoint
from fastsam.training.config import Run
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


def prepare(network: nn.Module, config: Run, put_start: Callable[[str], None]) -> None:
    """Puts the weights into a network that a new run of `config` starts from; random ones stay if it names none.

    put_start: puts `start` into the network

    Raises ValueError if an entry's name or shape does not fit, and if a frozen backbone would stay random.
    """
    if config.start:
        put_start(config.start)
    elif config.pretrained:
        load_pretrained(config.pretrained, network)
    elif config.frozen:
        raise ValueError(
            "a frozen backbone needs weights: name the ImageNet file with --pretrained, or others with --from"
        )


def load_pretrained(file: str, network: nn.Module) -> None:
    """Loads the backbone's entries from an EfficientNet-Lite file, without those of blocks that the network lacks.

    Raises ValueError if an entry's name or shape does not fit.
    """
    backbone = backbone_of(network)
    if backbone is None:
        raise ValueError(f"{file} is for the backbone lite0: choose it, or leave --pretrained out")
    own = backbone.state_dict()
    try:
        entries = torch.load(file, map_location="cpu", weights_only=True)
        backbone.load_state_dict({name: entries[name] if name in entries else own[name] for name in own})
        missing = [name for name in own if name not in entries and not name.endswith("num_batches_tracked")]
        if missing:
            raise RuntimeError(f"it lacks {missing[0]}")
    except FileNotFoundError:
        raise ValueError(f"{file} not found: name a file of EfficientNet-Lite0's weights (docs/training.md)") from None
    except Exception as error:  # torch raises a dozen kinds for a broken file
        reason = str(error).strip().splitlines()[-1].strip()
        raise ValueError(f"{file} does not fit the backbone: {reason}") from None


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
        return Start(source, checkpoint.architecture_of(state, file), state["average"])
    entries = {name: torch.from_numpy(values.copy()) for name, values in found.entries.items()}
    try:
        return Start(source, describe(entries), entries)
    except (KeyError, IndexError, StopIteration):
        raise ValueError(f"{source} holds no network of a published size") from None


def describe(entries: Mapping[str, Tensor]) -> Architecture:
    """The architecture of a published network, read from its shapes."""
    size = next(letter for letter, known in SIZES.items() if known.width == size_of(entries).width)
    head = "model.22"
    reg_max = entries[f"{head}.dfl.conv.weight"].numel()
    return Architecture("yolov8", size, len(entries[f"{head}.cv3.0.2.weight"]), reg_max)


def put(start: Start, network: nn.Module, architecture: Architecture) -> None:
    """Loads a start into a network. Scores begin anew if the classes differ, masks if what makes them differs.

    Towers of coefficients that are merely wider begin as what they were (see `grown`).

    Raises ValueError if anything else does not fit.
    """
    theirs = start.architecture
    anew: list[re.Pattern[str]] = []
    if theirs.classes != architecture.classes:
        anew.append(SCORES)
    wider = architecture.mask_towers > (theirs.mask_towers or theirs.mask_channels) > 0
    if masks_of(architecture) != masks_of(replace(theirs, mask_towers=architecture.mask_towers) if wider else theirs):
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
            f"{start.source} does not fit the network ({reason}): it is {theirs}; give the same [network], or none"
        ) from None


def masks_of(architecture: Architecture) -> tuple[int, int, int, int]:
    """The part of an architecture that says how masks are made."""
    a = architecture
    return a.mask_channels, a.mask_towers, a.placed, a.coefficients


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


def put_second(file: str, network: nn.Module) -> None:
    """Loads a checkpoint's averaged weights into a second network. Raises ValueError if it holds anything else."""
    state = checkpoint.load(Path(file))
    if not checkpoint.is_refiner(state):
        raise ValueError(f"{file} does not hold a second network: name a checkpoint of fastsam train refine")
    try:
        network.load_state_dict(state["average"])
    except RuntimeError as error:
        raise ValueError(f"{file} does not fit the network: {str(error).splitlines()[-1].strip()}") from None
