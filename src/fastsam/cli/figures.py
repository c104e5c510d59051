"""Shows figures as tables, and writes them as JSON.

Enters: tables, figures as dataclasses, dictionaries and numbers. Leaves: lines on standard output, a file.
"""

import dataclasses
import json
import math
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fastsam.files import write


def show(table: Table) -> None:
    """Prints a table; as wide as it needs if the output is not a terminal."""
    Console(file=sys.stdout, width=200 if not sys.stdout.isatty() else None).print(table)


def write_json(file: Path | None, value: Any) -> None:
    """Writes a value as JSON if a file is given. Dataclasses become dictionaries, NaN becomes null."""
    if file:
        write(file, json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """The value with only lists, dictionaries, strings, numbers and None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and math.isnan(value) else value
