"""Prints lines safely: characters that would control a terminal or break a line are escaped. Durations as text.

Names of files, words from models and texts in files can contain any character.
"""

import sys
import warnings
from typing import TextIO

from fastsam.errors import PhotoWarning
from fastsam.untrusted.shown import escaped


def say(line: object, error: bool = False) -> None:
    """Prints a line on standard output, or on standard error."""
    stream = sys.stderr if error else sys.stdout
    known = stream.encoding or "utf-8"
    print(visible(str(line)).encode(known, "backslashreplace").decode(known), file=stream, flush=True)


def complain(line: object) -> None:
    """Prints a line on standard error that begins with `fastsam:`."""
    say(f"fastsam: {line}", error=True)


def visible(text: str) -> str:
    """The text as one line of visible characters.

    A newline becomes `\\n`, ESC `\\x1b`, an invalid UTF-8 byte `\\udcff`, a change of writing direction `\\u202e`.
    """
    return text if text.isprintable() else "".join(escaped(letter) for letter in text)


def clock(seconds: float) -> str:
    """A duration as hours, minutes and seconds."""
    return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d}:{int(seconds) % 60:02d}"


def say_warnings() -> None:
    """From now on, prints every PhotoWarning as a line on standard error."""
    others = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, PhotoWarning):
            complain(message)
        else:
            others(message, category, filename, lineno, file, line)

    warnings.simplefilter("always", PhotoWarning)
    warnings.showwarning = show
