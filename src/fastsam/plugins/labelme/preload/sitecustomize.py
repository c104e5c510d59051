"""Python runs this when labelme's process starts (`launch.py` puts this folder on its path).

The environment's own sitecustomize runs too, and programs that labelme starts get the path as it was.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

FOLDER = str(Path(__file__).parent)


def outside(folders: list[str]) -> list[str]:
    """The folders without this one."""
    return [folder for folder in folders if folder and os.path.realpath(folder) != os.path.realpath(FOLDER)]


sys.path[:] = outside(sys.path)
os.environ["PYTHONPATH"] = os.pathsep.join(outside(os.environ.get("PYTHONPATH", "").split(os.pathsep)))
if (spec := PathFinder.find_spec("sitecustomize")) is not None and spec.loader is not None:
    spec.loader.exec_module(module_from_spec(spec))

from fastsam.plugins.labelme.listed import wait  # noqa: E402  # the path has been put in order before

wait()
