"""`fastsam page`: the page as a folder for any static host."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fastsam.cli.say import say
from fastsam.serve.static import BUILT, copy


def page(*, out: Path, built: Annotated[Path, Parameter(name="--from", show_default=False)] = BUILT) -> int:
    """Copy the page that segments in the visitor's own browser into a folder, for any static host.

    Parameters
    ----------
    out
        Folder to copy to; it must be new or empty.
    built
        Folder that `npm run build` made. Default: web/dist of the clone that this command runs from.
    """
    size = copy(built, out)
    say(f"{out}: {size / 1e6:.1f} MB, try it with: python -m http.server --directory {out}")
    return 0
