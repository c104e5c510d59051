"""Runs a job's workers with Ray, on this machine or on a cluster.

Enters: a `Task`, chunks, an address. Leaves: the workers' answer for each chunk.
"""

import logging
import os
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from fastsam.cluster.actor import Task, Worker
from fastsam.cluster.chunks import Chunk
from fastsam.cluster.storage import one_line
from fastsam.errors import UsageError, require
from fastsam.machine import cores

TASKS = 4096  # maximum number of Ray tasks; if there are more chunks, several share a task
STORE = 128 << 20  # bytes of Ray's object store on this machine: chunks and counts are small
CLIENT_TRIES = 3
PATIENCE, POLL = 10.0, 0.5  # seconds to wait for a cluster, and between two polls of its progress


def run(
    address: str | None, task: Task, todo: list[Chunk], workers: int | None, gpus: float
) -> Iterator[dict[str, int]]:
    """Segments the chunks, and yields the workers' answer for each, in any order.

    address: of a cluster, None to start Ray on this machine; workers: their number, None for as many as fit

    Raises UsageError if the cluster does not answer or has no room, or if a worker fails for good.
    """
    through = by_proxy if (address or "").startswith("ray://") else answers
    with cluster(address) as ray:
        try:
            yield from through(ray, task, todo, workers, gpus)
        except UsageError:
            raise
        except Exception as error:  # however Ray wraps a worker's error
            last = [line for line in str(error).splitlines() if line.strip()][-1:] or [type(error).__name__]
            raise UsageError(f"the job stopped ({one_line(last[0])}): run it again to continue") from error


def answers(ray: Any, task: Task, todo: list[Chunk], workers: int | None, gpus: float) -> Iterator[dict[str, int]]:
    """The workers' answer for each finished chunk, in any order."""
    threads = task.use["threads"]
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    most = sum(int(node.get("GPU", 0) / gpus if gpus else node.get("CPU", 0) // threads) for node in nodes)
    if most < 1 and workers is None:
        raise UsageError(
            f"the cluster has no room for a worker of {threads} threads and {gpus:g} GPUs: lower --threads"
        )
    rows = [asdict(chunk) for chunk in todo]
    made = ray.data.from_items(rows, override_num_blocks=min(len(todo), TASKS)).map(
        Worker,
        fn_constructor_args=(task,),
        compute=ray.data.ActorPoolStrategy(
            size=workers or min(most, len(todo)),
            max_concurrent_calls_per_actor=2,
            enable_true_multi_threading=True,
        ),
        num_cpus=threads,
        num_gpus=gpus,
    )
    yield from made.iter_rows()


def by_proxy(ray: Any, task: Task, todo: list[Chunk], workers: int | None, gpus: float) -> Iterator[dict[str, int]]:
    """The same with a driver inside the cluster, because Ray Data cannot run through Ray's client."""
    driver = ray.remote(num_cpus=0, max_concurrency=2)(Driver).remote()
    ended = driver.run.remote(task, todo, workers, gpus)
    while True:
        last = bool(ray.wait([ended], timeout=POLL)[0])
        yield from ray.get(driver.take.remote())
        if last:
            ray.get(ended)  # raises what it raised
            return


class Driver:
    """A driver of a job, as an actor: `run` does the work, `take` returns the answers since the last call."""

    def __init__(self) -> None:
        self.new: deque[dict[str, int]] = deque()

    def run(self, task: Task, todo: list[Chunk], workers: int | None, gpus: float) -> None:
        """Does all the work."""
        import ray

        quieten(ray)
        self.new.extend(answers(ray, task, todo, workers, gpus))

    def take(self) -> list[dict[str, int]]:
        """The workers' answers since the last call."""
        return [self.new.popleft() for _ in range(len(self.new))]


@contextmanager
def silent() -> Iterator[None]:
    """Discards what native code writes to standard error during the block."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def quieten(ray: Any) -> None:
    """Turns off Ray Data's own progress bars and messages in this process."""
    require("ray.data", "cluster")
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def reach(address: str) -> None:
    """Raises UsageError if nothing listens at a cluster's address. Ray itself would keep trying for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():  # such as `auto`
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"no Ray cluster answers at {address} ({one_line(error)}): run `ray status` there") from None


def connect(ray: Any, address: str, options: dict[str, Any]) -> None:
    """Connects to Ray. Retries the client, because the server that a cluster starts for it sometimes fails to start."""
    tries = CLIENT_TRIES if address.startswith("ray://") else 1
    for left in reversed(range(tries)):
        try:
            with silent():
                ray.init(address, **options)
            return
        except (ConnectionError, RuntimeError):
            if not left:
                raise


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """Connects to a cluster, or starts Ray on this machine for the time of the block. Raises UsageError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # send no statistics
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # Ray's messages stay in its own files
    ray = require("ray", "cluster")
    if address:
        reach(address)
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    mine = not ray.is_initialized()
    if mine:
        own = {"num_cpus": cores(), "include_dashboard": False, "object_store_memory": STORE}
        try:
            connect(ray, address or "local", {**quiet, **({} if address else own)})
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            hint = ", or it asks for a token: RAY_AUTH_MODE=token" if (address or "").startswith("ray://") else ""
            raise UsageError(f"Ray at {address or 'this machine'} cannot be reached: {one_line(error)}{hint}") from None
    quieten(ray)
    try:
        yield ray
    finally:
        if mine:
            ray.shutdown()
