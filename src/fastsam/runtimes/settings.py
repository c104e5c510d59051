"""What belongs to a network's weights and is stored in their file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastsam.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """Class names, the defaults chosen for the weights, and how their output is to be read.

    margin: share of a photo-sized box's sides by which its mask may reach beyond it, less for smaller ones
    soft: how slowly scores fall with the overlap with better ones (see `candidates.py`); 0 where they do not
    placed: features that masks weigh differently across their boxes (see `masks/placed.py`)
    port: boxes and masks exactly as the popular port makes them, for weights that were trained with it
    """

    names: tuple[str, ...] = ("object",)
    imgsz: int = 640
    conf: float = 0.25
    iou: float = 0.7
    max_det: int = 300
    margin: float = 0.0
    soft: float = 0.0
    placed: int = 0
    port: bool = False


def read_settings(metadata: Mapping[str, str], file: Path) -> Settings:
    """The settings in a file's metadata, defaults where it has none. Raises UsageError."""
    try:
        stored = json.loads(metadata.get("fastsam", "{}"))
        fields = {k: stored[k] for k in Settings.__dataclass_fields__ if k in stored}
        if "names" in fields:
            fields["names"] = tuple(fields["names"])
        return Settings(**fields)
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} holds settings that cannot be read: export it again") from error
