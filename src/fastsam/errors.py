"""Errors of wrong use, and warnings: one line each that names the value and the remedy."""

import importlib
from types import ModuleType


class UsageError(ValueError):
    """Wrong use that the caller can mend; its text is one line for a person."""


class UnreadableImageError(UsageError):
    """A photo or a video that cannot be read, or not whole."""


class PhotoWarning(UserWarning):
    """A photo that is read, but not as its owner may mean, or files that are left out; one line for a person."""


def require(module: str, extra: str) -> ModuleType:
    """Imports `module`, or raises UsageError that names the extra which brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise UsageError(
            f"this needs {module}, which the {extra!r} extra brings: pip install 'fast-segment-anything[{extra}]'"
        ) from error
