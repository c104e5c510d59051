"""What learns: a network with its optimiser and running average.

Enters: a `Run` and batches. Leaves: losses, and the state that a checkpoint holds. The two networks' own learners say
what their losses are.
"""

import copy
import dataclasses
import math
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from fastsam import machine
from fastsam.training.checkpoint import Final, State
from fastsam.training.config import Run
from fastsam.training.optimiser import parameter_groups, rate_at
from fastsam.training.world import ALONE, World, synchronise

Batch = TypeVar("Batch")
Settings = TypeVar("Settings", bound=Run)


class Learner(ABC, Generic[Settings, Batch]):
    """A network with its optimiser and running average: the state that a step changes and a checkpoint holds.

    description: plain values that say which network it is
    """

    def __init__(
        self,
        config: Settings,
        network: nn.Module,
        description: dict[str, object],
        device: torch.device,
        world: World = ALONE,
    ) -> None:
        self.config, self.device, self.world, self.description = config, device, world, description
        self.network = network.to(device, torch.float64 if config.precision == "float64" else torch.float32)
        channels_last(self.network)
        if config.synced:
            synchronise(self.network)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        groups = map(dict, parameter_groups(self.network, config))
        self.optimiser = torch.optim.AdamW(groups, lr=config.rate, fused=True)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.bf16 = config.precision == "bf16" or (config.precision == "auto" and faster_in_bf16(device))
        self.step = 0
        self.shared: nn.Module = self.network if world.size == 1 else DistributedDataParallel(self.network)

    @abstractmethod
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The losses of a batch, whose sum is to become small."""

    def images(self, pixels: Tensor) -> Tensor:
        """uint8 images (N, 3, H, W) in 0..1, in the network's kind of number and layout."""
        kind = next(self.network.parameters()).dtype
        return pixels.to(self.device).to(kind).div_(255).contiguous(memory_format=torch.channels_last)

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """One step on a batch, or this process's share of it; returns its losses, or their shares.

        They are still on the device: reading them would wait for it.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = group["share"] * rate_at(self.step, self.config)
        self.network.train()
        parts = self.losses(batch)
        total = torch.stack(list(parts.values())).sum() * self.world.size  # gradients are averaged
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimiser.step()
        self.step += 1
        self.follow()
        return {name: value.detach() for name, value in parts.items()}

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the running average towards the network, faster in the first thousands of steps."""
        share = 1 - self.config.average * (1 - math.exp(-self.step / 1000))
        pairs = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
        floats: list[tuple[Tensor, Tensor]] = []
        others: list[tuple[Tensor, Tensor]] = []
        for mean, value in pairs:
            (floats if mean.dtype.is_floating_point else others).append((mean, value))
        torch._foreach_lerp_([m for m, _ in floats], [v for _, v in floats], share)
        for mean, value in others:
            mean.copy_(value)

    def state(self) -> State:
        """What a later call goes on from."""
        return State(
            **self.final(),
            network=self.network.state_dict(),
            optimiser=self.optimiser.state_dict(),
            generator=self.generator.get_state(),
        )

    def final(self) -> Final:
        """What a finished run leaves."""
        return Final(
            architecture=self.description,
            config=dataclasses.asdict(self.config),
            step=self.step,
            average=self.average.state_dict(),
        )

    def restore(self, state: State) -> None:
        """Continues exactly where `state` was taken."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]


def faster_in_bf16(device: torch.device) -> bool:
    """Whether bf16 is faster than float32: on any CUDA device of today, and on some CPUs."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return machine.faster_in_bf16()


def channels_last(network: nn.Module) -> None:
    """Lays out convolution weights as the fast kernels of CPUs and tensor cores want them."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the stubs lack it
