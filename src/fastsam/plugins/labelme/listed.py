"""Adds FastSAM to labelme's list, in labelme's process, when labelme has made it.

Enters: the module with the list, once labelme imports it. Leaves: the list with one more entry, and osam with one more
model. Everything else is imported only when a person chooses FastSAM.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

HOME, HOLDER, LIST = "labelme.widgets._ai_assisted_annotation_widget", "AiAssistedAnnotationWidget", "_available_models"
SHOWN = "FastSAM"


class Finder(MetaPathFinder):
    """Finds the module with the list where Python would, and adds to the list when it has been loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec with another loader; None for every other module."""
        spec = PathFinder.find_spec(name, path, target) if name == HOME else None
        if spec is not None and spec.loader is not None:
            spec.loader = After(spec.loader)
        return spec


class After(Loader):
    """A loader that does what another one does, and then adds to the list."""

    def __init__(self, own: Loader) -> None:
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The other loader's module."""
        return self.own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module, then adds to its list. labelme starts in any case."""
        self.own.exec_module(module)
        try:
            add(module)
        except Exception as error:
            print(f"fastsam-labelme: FastSAM is not in the list ({type(error).__name__}: {error})", file=sys.stderr)


def add(module: ModuleType) -> None:
    """Adds FastSAM to osam, and to the list of (osam's name, shown name) in labelme's module, first."""
    from fastsam.plugins.osam import NAME, register

    models: list[tuple[str, str]] = getattr(getattr(module, HOLDER), LIST)
    register()
    models.insert(0, (NAME, SHOWN))


def wait() -> None:
    """Waits for the module with the list."""
    sys.meta_path.insert(0, Finder())
