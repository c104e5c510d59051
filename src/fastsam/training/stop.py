"""Signals that wait until a run is saved.

Enters: SIGINT (Ctrl-C), SIGTERM, SIGHUP. Leaves: what came, and `Stopped` for who follows the run.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is sent when a terminal closes; Windows lacks it


class Stopped(KeyboardInterrupt):
    """A signal ended a run, and its state is saved. number: the signal; seen, total: samples of the run"""

    def __init__(self, number: int, seen: int, total: int) -> None:
        super().__init__(f"stopped at {seen} of {total}")
        self.number, self.seen, self.total = number, seen, total


@contextmanager
def deferred() -> Iterator[list[int]]:
    """Yields a list to which the first signal is added instead of ending the process; a second one acts as ever.

    Processes forked in the block inherit this, so that Ctrl-C, which reaches all of them, does not end them before the
    run is saved. What the process ignores (under nohup) stays ignored. Outside of the main thread nothing is deferred.
    """
    came: list[int] = []
    before: dict[int, Callable[[int, FrameType | None], object] | int] = {}

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        restore()

    def restore() -> None:
        while before:
            signal.signal(*before.popitem())

    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
            own = signal.getsignal(number)
            if own is not None and own != signal.SIG_IGN:
                before[number] = own
                signal.signal(number, note)
    try:
        yield came
    finally:
        restore()
