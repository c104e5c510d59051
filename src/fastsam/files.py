"""Writing files whole: under a temporary name first, then renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastsam.errors import UsageError


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Yields a temporary path beside `file` to write to, and renames it to `file` unless the block raises.

    Raises UsageError where the folder cannot be written.
    """
    folder = make_folder(file.parent)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.stem}-", suffix=file.suffix, dir=folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to ({error.strerror}): choose another folder") from None
    os.close(handle)
    part = Path(name)
    try:
        yield part
        os.chmod(part, 0o666 & ~_umask())
        os.replace(part, file)
    except IsADirectoryError:
        raise UsageError(f"{file} is a folder: choose another name") from None
    finally:
        part.unlink(missing_ok=True)


def write(file: Path, content: bytes | str) -> None:
    """Writes a file whole. Raises UsageError where the folder cannot be written."""
    with whole(file) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def make_folder(folder: Path) -> Path:
    """Creates `folder`. Raises UsageError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made a folder ({error.strerror}): choose another") from None
    return folder


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
