"""The page for a static host, as `npm run build` in web/ makes it: a folder of files that segments in the browser.

It is not part of the wheel, which would grow by a third. Enters: the built folder. Leaves: a copy.
"""

import shutil
from pathlib import Path

from fastsam.errors import UsageError
from fastsam.files import make_folder

BUILT = Path(__file__).parents[3] / "web" / "dist"  # of a clone
KEPT = ("index.html", "sw.js", "lib", "page", "weights")  # what a host needs, without the library's types
UNUSED = ("types", "node.js")


def copy(built: Path, out: Path) -> int:
    """Copies a built page into the folder `out`, which must be new or empty. Returns the number of bytes.

    Raises UsageError if there is no built page, or if `out` has files.
    """
    if not all((built / name).exists() for name in KEPT):
        raise UsageError(
            f"there is no built page in {built}: run `npm ci && npm run build` in the folder web/ of a clone, "
            "then give its dist with --from"
        )
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty: choose a new folder")
    make_folder(out)
    for name in KEPT:
        source, target = built / name, out / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*UNUSED))
        else:
            shutil.copyfile(source, target)
    return sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
