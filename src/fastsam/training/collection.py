"""The photos and cut-outs that a config names, read into memory."""

from pathlib import Path

from fastsam.training.config import Run
from fastsam.training.data import AnnotatedPhoto, Cutout, load_cutouts, load_sets, read_holdout


def holdout_of(config: Run) -> frozenset[str]:
    """The photos that a run leaves out."""
    return read_holdout(Path(config.holdout) if config.holdout else None)


def photos_of(config: Run) -> list[AnnotatedPhoto]:
    """The photos of a run, read into memory."""
    return load_sets([Path(d) for d in config.data], holdout_of(config), config.min_score, config.licences)


def cutouts_of(config: Run) -> list[Cutout]:
    """The cut-outs of a run, read into memory."""
    return load_cutouts([Path(d) for d in config.cutouts])
