"""`fastsam weights`: lists models, downloads them, and converts their files."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.table import Table

from fastsam.cli import figures
from fastsam.cli.say import say
from fastsam.errors import UsageError, require
from fastsam.weights import download
from fastsam.weights.catalogue import BUNDLED, CREDITS, LICENCES
from fastsam.weights.convert import convert as convert_file
from fastsam.weights.download import FILES, PUBLISHED
from fastsam.words import clip


def show() -> int:
    """List the models that can be used by name, with size, licence, source, and whether they are on this machine."""
    table = Table("name", "MB", "licence", "from", "here")
    for name, file in BUNDLED.items():
        table.add_row(name, f"{file.stat().st_size / 1e6:.1f}", LICENCES[name], "this package", str(file))
    for name, model in FILES.items():
        here = download.present(name) if name in PUBLISHED else clip.home() if clip.is_installed() else None
        table.add_row(name, f"{model.bytes / 1e6:.1f}", model.licence, model.source, str(here or "no"))
    figures.show(table)
    return 0


def get(name: str, /, *, file: Annotated[Path | None, Parameter(name="--from")] = None) -> int:
    """Download a published model into the cache, or copy it from a file. An interrupted download is resumed.

    `clip`, which compares words with pictures, is then converted to two networks (needs the export and text extras).

    Parameters
    ----------
    name
        Name of the model, from `fastsam weights list`.
    file
        The model's file on this machine, to check and copy instead of downloading.
    """
    if name in BUNDLED:
        say(BUNDLED[name])
        return 0
    if name not in FILES:
        raise UsageError(f"unknown model {name!r}: choose from {', '.join([*BUNDLED, *FILES])}")
    if name == "clip":
        if not clip.is_installed():
            convert_clip(fetched(name, file), clip.home())
        say(clip.home())
        return 0
    say(fetched(name, file))
    return 0


def credits(name: str, /) -> int:
    """Print what a network was trained on, as CSV: each photo, cut-out and background, its licence and its source.

    Parameters
    ----------
    name
        Name of a network whose training material may be used commercially.
    """
    if name not in CREDITS:
        choices = ", ".join(CREDITS)
        raise UsageError(f"{name!r} has no list of credits, choose from {choices}: model cards name the sets of others")
    print(CREDITS[name].read_text(encoding="utf-8"), end="")
    return 0


def fetched(name: str, file: Path | None) -> Path:
    """A published model's file in the cache: already there, copied from `file`, or downloaded."""
    if (have := download.present(name)) is not None:
        return have
    print(FILES[name].notice, file=sys.stderr)
    if file is not None:
        return download.take(name, file)
    err = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(name, total=FILES[name].bytes)
        tell = partial(say, error=True)
        return download.fetch(name, lambda done: bar.update(task, completed=done), tell)


def convert_clip(source: Path, folder: Path) -> None:
    """Writes the two networks of CLIP into a folder. Raises UsageError if an extra is missing."""
    require("torch", "export")
    require("onnx", "export")
    from fastsam.export.clip import convert

    convert(source, folder)


def convert(source: Path, target: Path, /) -> int:
    """Convert a checkpoint (.pt), a safetensors file, or an ONNX file made from one, to .safetensors or .onnx.

    If the target has no suffix, it is a folder, and the source is CLIP: its published file, or a Hugging Face folder.
    Use the result with `--encoder FOLDER`.
    Checkpoints (.pt) cannot be written. Weights read back from an ONNX file have folded batch norms: they run the same,
    but cannot be trained further.

    Parameters
    ----------
    source
        The file to read, or a Hugging Face folder of CLIP.
    target
        The file to write; its suffix decides the format.
    """
    if not target.suffix:
        convert_clip(source, target)
    else:
        convert_file(source, target)
    say(target)
    return 0
