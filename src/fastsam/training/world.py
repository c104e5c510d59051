"""Several processes that train one network together, each on its share of every batch (torchrun starts them).

Enters: torchrun's environment. Leaves: a `World`, sums over it, norms whose statistics are the whole
batch's.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

from fastsam.errors import UsageError
from fastsam.network.head import wide


@dataclass(frozen=True)
class World:
    """This process among those that train together. rank: 0 to size - 1"""

    rank: int = 0
    size: int = 1

    def share(self, numbers: range) -> range:
        """This process's part of the samples of a batch."""
        each = len(numbers) // self.size
        return numbers[self.rank * each : (self.rank + 1) * each]

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes, without gradient."""
        value = value.detach().clone()
        if self.size > 1:
            dist.all_reduce(value)
        return value

    def place(self, count: int, device: torch.device) -> tuple[int, int]:
        """How many of something the processes before this one have, and all together."""
        if self.size == 1:
            return 0, count
        counts = torch.zeros(self.size, dtype=torch.int64, device=device)
        counts[self.rank] = count
        every = self.total(counts).tolist()
        return sum(every[: self.rank]), sum(every)

    def agree(self, number: int, device: torch.device) -> bool:
        """Whether all have the same number."""
        return self.size == 1 or int(self.total(torch.tensor(number, device=device))) == number * self.size

    def some(self, flag: bool) -> bool:
        """Whether a flag is set in any of them. No device is waited for: the processes themselves talk."""
        return flag if self.size == 1 else bool(self.total(torch.tensor(int(flag))))

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            dist.barrier()


ALONE = World()


@contextmanager
def joined(device: torch.device, batch: int) -> Iterator[World]:
    """The processes that torchrun started, or this one alone. Raises UsageError if they cannot share a batch."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    if batch % size:
        raise UsageError(f"a batch of {batch} photos cannot be shared by {size} processes: choose a multiple of {size}")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


def summed(values: Tensor) -> Tensor:
    """The sum of all processes' values, through which gradients pass."""
    every: Tensor = all_reduce(values)  # type: ignore[no-untyped-call]  # torch gives this function no types
    return every


class SyncedNorm(nn.BatchNorm2d):
    """Batch normalisation by the mean and variance of the photos of all processes, on any device.

    torch's own does the same on GPUs alone.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) normalised; while training the running statistics follow those of all processes."""
        if not self.training or not dist.is_initialized():
            return super().forward(x)
        values = wide(x)
        count = values.new_full((1,), x.numel() // x.shape[1])
        sums = summed(torch.cat((values.sum((0, 2, 3)), count)))
        n = sums[-1].detach()
        mean = sums[:-1] / n
        away = values - mean[:, None, None]  # squares about the mean: those about 0 lose all digits of a small variance
        variance = summed((away * away).sum((0, 2, 3))) / n
        self.follow(mean.detach(), variance.detach() * n / (n - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        made: Tensor = away * scale[:, None, None] + self.bias[:, None, None]
        return made.to(x.dtype)

    @torch.no_grad()
    def follow(self, mean: Tensor, variance: Tensor) -> None:
        """Moves the running statistics."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean.to(self.running_mean), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var), self.momentum)
        self.num_batches_tracked += 1


def synchronise(network: nn.Module) -> None:
    """Makes every batch norm of a network a synced one; entries keep their names."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedNorm
