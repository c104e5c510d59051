"""Writes files whole or not at all: under a temporary name first, then renamed."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from fastsam.errors import UsageError


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Yields a temporary path beside `file`, and renames it to `file` unless the block raises.

    Raises UsageError if the folder cannot be written to, and OSError that names `file` if, say, the disk is full.
    """
    folder = make_folder(file.parent)
    part = folder / f".{secrets.token_hex(8)}{file.suffix}"
    try:
        part.touch(exist_ok=False)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to ({error.strerror}): choose another folder") from None
    try:
        yield part
        os.replace(part, file)
    except IsADirectoryError:
        raise UsageError(f"{file} is a folder: choose another name") from None
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(part), part):
            raise
        raise OSError(error.errno, error.strerror, str(file)) from None
    finally:
        part.unlink(missing_ok=True)


class Growing(Protocol):
    """What grows in a file, piece by piece. frames: how many pieces it has"""

    frames: int

    def close(self) -> None:
        """Completes the file."""
        ...


G = TypeVar("G", bound=Growing)


@contextmanager
def growing(file: Path, begin: Callable[[Path], G]) -> Iterator[G]:
    """Yields what `begin` makes of a temporary path beside `file`; it becomes `file` when it is complete.

    If the block raises, by Ctrl-C too, what was added until then is completed and kept, and the error goes on.

    Raises UsageError without a frame, and as `whole` does.
    """
    failure: BaseException | None = None
    with whole(file) as part:
        made = begin(part)
        try:
            yield made
        except BaseException as error:
            failure = error
        made.close()
        if made.frames == 0:
            raise failure or UsageError(f"{file}: there is no frame to write")
    if failure is not None:
        raise failure


def write(file: Path, content: bytes | str, durable: bool = False) -> None:
    """Writes a file whole or not at all. Raises as `whole` does.

    durable: whether it is on the disk when this returns, so that the machine may lose its power then
    """
    with whole(file) as part, part.open("wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    if durable and hasattr(os, "O_DIRECTORY"):
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the new name too
        finally:
            os.close(folder)


def make_folder(folder: Path) -> Path:
    """Creates `folder`. Raises UsageError if that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be created ({error.strerror}): choose another") from None
    return folder
