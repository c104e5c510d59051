"""Reads YOLO's labels: a line an object, with the number of its class and an outline in shares of the photo's sides.

Enters: the text of a photo's file, the names of the classes. Leaves: objects. The files say neither names nor sizes:
names are in `classes.txt` or `data.yaml`, sizes are those of the photos.
"""

import re
from collections.abc import Mapping, Sequence

from fastsam.errors import UsageError
from fastsam.serve.projects import labels as files
from fastsam.serve.projects.labels import Object

BOX = 5  # numbers of a line that has no outline: class, middle, size
KEY = re.compile(r"^\s*(\d+)\s*:\s*(.+?)\s*$")


def read(text: str, names: Mapping[int, str], size: tuple[int, int], file: str) -> list[Object]:
    """The objects of a photo of `size` (height, width). Raises UsageError for a line that is none."""
    height, width = size
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            kind, *shares = (float(word) for word in line.split())
            if len(shares) < BOX - 1 or len(shares) % 2 or kind != int(kind):
                raise ValueError("it is no class with an outline or a box")
            points = [(x * width, y * height) for x, y in zip(shares[::2], shares[1::2], strict=True)]
            if len(shares) == BOX - 1:
                (x, y), (w, h) = points
                points = [(x - w / 2, y - h / 2), (x + w / 2 - 1, y + h / 2 - 1)]
            shape = {"points": points, "shape_type": "polygon" if len(points) > 2 else "rectangle"}
            left, top, mask = files.area_of([shape], size)
        except (ValueError, OverflowError) as error:
            raise UsageError(f"{file}, line {number}, is no object of YOLO's labels: {str(error)[:80]}") from None
        if mask.any():
            found.append(files.object_of(mask, names.get(int(kind), f"class {int(kind)}"), None, (left, top), size))
    return found


def names_of(files: Sequence[tuple[str, bytes]]) -> dict[int, str]:
    """The names of the classes, by number, of `classes.txt`, else of a YAML file's `names`."""
    for name, content in files:
        if name.rsplit("/", 1)[-1] == "classes.txt":
            return numbered([line.strip() for line in content.decode(errors="replace").splitlines() if line.strip()])
    for name, content in files:
        if name.endswith((".yaml", ".yml")) and (found := of_yaml(content.decode(errors="replace"))):
            return found
    return {}


def of_yaml(text: str) -> dict[int, str]:
    """What `names` says in a data.yaml: `[a, b]`, a `- a` a line, or a `0: a` a line."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.startswith("names:"):
            continue
        rest = line.removeprefix("names:").split(" #")[0].strip()
        if rest.startswith("["):
            return numbered([plain(word) for word in rest.strip("[]").split(",") if word.strip()])
        if rest.startswith("{"):
            found = [KEY.match(word) for word in rest.strip("{}").split(",")]
            return {int(one[1]): plain(one[2]) for one in found if one}
        below = []
        for row in lines:
            if row.strip() and not row.startswith((" ", "-")):
                break
            below.append(row.split(" #")[0])
        rows = [row.strip().removeprefix("-") for row in below if row.strip().startswith("-")]
        keyed = [KEY.match(row) for row in below]
        return numbered([plain(row) for row in rows]) or {int(one[1]): plain(one[2]) for one in keyed if one}
    return {}


def numbered(names: Sequence[str]) -> dict[int, str]:
    """Names by their place."""
    return {k: name[:200] for k, name in enumerate(names)}


def plain(word: str) -> str:
    """A word of YAML without its quotes."""
    word = word.strip()
    return (word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word)[:200]
