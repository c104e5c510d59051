"""Many items through one function, several at a time, answers in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ordered(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """`function` of every item, in order, computed by `workers` threads that run ahead of whoever takes the answers.

    No more than two answers a worker wait at a time. What `function` or
    the items' own source raises is raised at its turn.
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
                except Exception as error:  # whatever the items' own source raises, at its turn
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
