"""The photos of a folder and of the folders in it, by their paths from there on; nothing outside of it.

Enters: names as requests and files of annotations have them. Leaves: paths.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fastsam.image.kinds import SUFFIXES
from fastsam.serve.problems import Problem


@dataclass(eq=False)
class Photos:
    """A folder. root: resolved; bases: how many photos have each name, folders aside"""

    root: Path
    bases: Counter[str] = field(default_factory=Counter, init=False)

    def photos(self) -> list[str]:
        """Paths of all photos from the folder on, with slashes, in order of their names."""
        found = []
        for folder, inner, names in os.walk(self.root):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in names:
                path = (Path(folder) / name).relative_to(self.root).as_posix()
                if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".") and is_text(path):
                    found.append(path)
        inside = [path for path in found if self.is_inside(self.root / path)]
        self.bases = Counter(PurePosixPath(path).name for path in inside)
        return sorted(inside, key=numbered)

    def known_as(self, photo: str, names: Container[str]) -> str:
        """The name of a photo in a COCO file: its path, or its name alone if no other photo has that."""
        base = PurePosixPath(photo).name
        if photo in names or base not in names:
            return photo
        if not self.bases:
            self.photos()
        return base if self.bases[base] == 1 else photo

    def finder(self) -> Callable[[str], str | None]:
        """What finds a photo by its path without the suffix, after any folders, or by its name alone."""
        photos = {PurePosixPath(photo).with_suffix("").as_posix(): photo for photo in self.photos()}
        bases = Counter(stem.rpartition("/")[2] for stem in photos)
        alone = {base: photo for stem, photo in photos.items() if bases[base := stem.rpartition("/")[2]] == 1}

        def find(stem: str) -> str | None:
            parts = stem.split("/")
            paths = ("/".join(parts[first:]) for first in range(len(parts)))
            return next((photos[path] for path in paths if path in photos), None) or alone.get(parts[-1])

        return find

    def is_inside(self, file: Path) -> bool:
        """Whether a file is there, and in the folder, wherever links lead."""
        try:
            return file.resolve(strict=True).is_relative_to(self.root) and file.is_file()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a name with a zero
            return False

    def path_of(self, photo: str) -> Path:
        """A photo's file. Raises a problem (404) for anything else."""
        parts = PurePosixPath(photo)
        plain = not parts.is_absolute() and parts.as_posix() == photo and (os.sep == "/" or os.sep not in photo)
        hidden = any(part.startswith(".") for part in parts.parts)  # .. too
        file = self.root / photo if plain and not hidden else None
        if file is None or file.suffix.lower() not in SUFFIXES or not self.is_inside(file):
            raise Problem(404, f"there is no photo {photo[:60]!r} in this project, or no longer")
        return file


def is_text(path: str) -> bool:
    """Whether a name can be sent: some file systems have names that are no text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def numbered(path: str) -> list[tuple[int, str]]:
    """Order in which 9.jpg comes before 10.jpg."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path)]
