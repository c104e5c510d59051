"""From TOML files and plain values to frozen dataclasses, checked by name and by type.

Enters: a file, or the plain values that a file, flags or a checkpoint hold. Leaves: a dataclass of any kind.
"""

import dataclasses
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VARIABLE = "FASTSAM_DATA"  # names the folder of the material outside the repository (docs/material.md)
MATERIAL = "../shared"  # if the variable is not set
KINDS = {int: "an integer", float: "a number", str: "a text", bool: "true or false"}
Plain = dict[str, Any]  # numbers, texts, lists and tables, as a TOML file has them
Kind = TypeVar("Kind")


def read(file: Path, kind: type[object], above: tuple[Path, ...] = ()) -> Plain:
    """The settings of a TOML file, checked by name, over those of the file beside it that its `base` names.

    kind: the dataclass that they are meant for; above: files that lead here by their `base`

    A table (`[policy]`, `[set_weights]`) replaces the base's entries one by one. Texts that begin with `$FASTSAM_DATA`
    lie in the folder that this variable names. Raises ValueError for an unknown setting, a file that is not TOML, and
    one that leads back to itself.
    """
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{file} is not a readable config: {error}") from error
    base = settings.pop("base", None)
    try:
        check_names(kind, settings)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    settings = {name: located(value) for name, value in settings.items()}
    if base is None:
        return settings
    if file.resolve() in above:
        raise ValueError(f"{file} leads back to itself by its base")
    merged = read(file.parent / str(base), kind, (*above, file.resolve()))
    for name, value in settings.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = {**merged[name], **value} if both else value
    return merged


def located(value: Any) -> Any:
    """A value of a config, `$FASTSAM_DATA` at the beginning of its texts replaced by the folder."""
    if isinstance(value, list):
        return [located(v) for v in value]
    if isinstance(value, str) and value.startswith(f"${VARIABLE}/"):
        return (os.environ.get(VARIABLE) or MATERIAL).rstrip("/") + value[len(VARIABLE) + 1 :]
    return value


def check_names(kind: type[object], settings: Plain, where: str = "") -> None:
    """Raises ValueError for a name that a dataclass, or one in it, lacks. where: the table that it stands in"""
    hints = get_type_hints(kind)
    for name, value in settings.items():
        if name not in hints:
            raise ValueError(unknown(kind, name, where))
        if dataclasses.is_dataclass(hints[name]) and isinstance(value, dict):
            check_names(hints[name], value, f"[{name}] ")


def unknown(kind: type[object], name: str, where: str) -> str:
    """What to say of a name that a dataclass lacks."""
    hints = get_type_hints(kind)
    for table, hint in hints.items():
        if dataclasses.is_dataclass(hint) and name in get_type_hints(hint):
            return f"{where}{name} belongs into the table [{table}]"
    return f"{where}unknown setting {name!r}: choose from {', '.join(sorted(hints))}"


def make(kind: type[Kind], settings: Mapping[str, Any], where: str = "") -> Kind:
    """A dataclass from plain values: tables become the dataclasses that its fields have, lists become tuples.

    Raises ValueError for an unknown name and for a value of another type, with the name.
    """
    hints = get_type_hints(kind)
    for name in settings:
        if name not in hints:
            raise ValueError(unknown(kind, name, where))
    return kind(**{name: fitted(hints[name], value, f"{where}{name}") for name, value in settings.items()})


def fitted(hint: Any, value: Any, name: str) -> Any:
    """A plain value as a field of the type `hint` has it. Raises ValueError, with the name, if it does not fit."""
    if dataclasses.is_dataclass(hint):
        if isinstance(value, hint):  # type: ignore[arg-type]  # a dataclass is a class here
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"{name} must be a table, not {value!r}")
        return make(hint, value, f"[{name}] ")  # type: ignore[arg-type]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        kinds = inner[:1] * len(value) if isinstance(value, (list, tuple)) and inner[-1] is ... else inner
        if not isinstance(value, (list, tuple)) or len(kinds) != len(value):
            count = "a list" if inner[-1] is ... else f"a list of {len(inner)}"
            raise ValueError(f"{name} must be {count}, not {value!r}")
        return tuple(fitted(k, v, f"{name}, entry {n}") for n, (k, v) in enumerate(zip(kinds, value, strict=True), 1))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ValueError(f"{name} must be a table, not {value!r}")
        return {str(key): fitted(inner[1], v, f"[{name}] {key}") for key, v in value.items()}
    kinds = tuple(k for k in inner or (hint,) if k is not type(None))
    if value is None and len(inner) > len(kinds):
        return None
    if float in kinds and type(value) is int:
        return float(value)
    if type(value) not in kinds:
        raise ValueError(f"{name} must be {' or '.join(KINDS[k] for k in kinds)}, not {value!r}")
    return value
