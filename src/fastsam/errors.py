"""Errors that a user can mend, and warnings. Each is one line that names the value and the remedy."""

import importlib
from types import ModuleType


class UsageError(ValueError):
    """An invalid argument, file or installation that the caller can mend.

    The text is one line that names the value and the remedy. `UsageError` is a `ValueError`.
    """


class UnreadableImageError(UsageError):
    """A photo or a video that is missing, damaged, or of an unknown kind. It is a `UsageError`."""


class PhotoWarning(UserWarning):
    """A photo that was read but may not look as intended, or files that were skipped. The text is one line."""


def without_photo(what: str) -> UsageError:
    """The error for a result without its photo. what: the argument or thing that needs it"""
    return UsageError(f"{what} needs the photo, which a saved result lacks: Segments.load(file, photo=...)")


def require(module: str, extra: str) -> ModuleType:
    """Imports `module`. Raises UsageError that names the extra to install if the module is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise UsageError(f"{module} is not installed: pip install 'fast-segment-anything[{extra}]'") from error
