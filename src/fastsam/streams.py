"""Applies one function to many items, several at a time. The results stay in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ordered(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yields `function(item)` for each item, in order.

    `workers` threads run ahead of the caller, by no more than two results per worker. An error raised by `function` or
    by the iterable is raised when its turn comes.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        rest, failure = iter(items), None
        try:
            while failure is None:
                try:
                    waiting.append(pool.submit(function, next(rest)))
                except StopIteration:
                    break
                except Exception as error:  # whatever the iterable raises, when its turn comes
                    failure = error
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            if failure is not None:
                raise failure
        finally:
            for future in waiting:
                future.cancel()
