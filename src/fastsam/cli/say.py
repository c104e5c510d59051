"""Prints lines that hold names: what would steer a terminal or break a line is shown as its escape.

Names of files, words of models and what files say of themselves may hold anything.
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
    """Prints a line on standard error that says who complains."""
    say(f"fastsam: {line}", error=True)


def visible(text: str) -> str:
    """The text as one line of characters that can be seen: a newline is `\\n`, ESC is `\\x1b`, a byte that is no UTF-8
    `\\udcff`, what turns the direction of writing `\\u202e`."""
    return text if text.isprintable() else "".join(escaped(letter) for letter in text)


def say_warnings() -> None:
    """From now on a PhotoWarning is a line on standard error like any other, each time."""
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
