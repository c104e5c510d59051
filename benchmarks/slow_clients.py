"""Clients that are slow on purpose, for `serve_load.py`: they hold connections and finish nothing."""

import asyncio
import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

HALF = b"POST /v1/segment HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = HALF.replace(b"X-Slow: ", b"Content-Type: application/json\r\nContent-Length: 30000000\r\n\r\n")
PAUSE = 2.0  # seconds, at most, between two bytes


@contextmanager
def besieged(address: str, count: int) -> Iterator[dict[str, Any]]:
    """Holds `count` connections open while the block runs: two of three with half a head, one with the start of a body.
    Those that the service closes are opened anew. Gives how many it closed, once the block has ended."""
    counts: dict[str, Any] = {}
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=besiege, args=(address, count, theirs))
    process.start()
    ours.recv()  # all are open
    try:
        yield counts
    finally:
        ours.send("end")
        counts |= ours.recv()
        process.join()


def besiege(address: str, count: int, pipe: Any) -> None:
    """In a process of its own until it is told to end."""
    asyncio.run(hold(urlsplit(address).port or 80, count, pipe))


async def hold(port: int, count: int, pipe: Any) -> None:
    """Opens the connections, says so, and keeps as many."""
    counts = {"connections": 0, "closed by the service": 0}
    tasks = [asyncio.create_task(drip(port, BODY if k % 3 == 0 else HALF, counts)) for k in range(count)]
    while counts["connections"] < count:
        await asyncio.sleep(0.1)
    pipe.send("open")
    await asyncio.to_thread(pipe.recv)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    pipe.send(counts)


async def drip(port: int, start: bytes, counts: dict[str, int]) -> None:
    """One connection after another, a byte at a time."""
    rng = random.Random(counts["connections"])
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            counts["connections"] += 1
            writer.write(start)
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                try:
                    await asyncio.wait_for(reader.read(1000), PAUSE * rng.random())
                except TimeoutError:
                    continue
        except OSError:
            pass
        counts["closed by the service"] += 1
        writer.close()
