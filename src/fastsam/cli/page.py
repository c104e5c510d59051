"""`fastsam page`: the page as a folder for any static host."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fastsam.cli.say import say
from fastsam.serve.static import BUILT, copy


def page(*, out: Path, built: Annotated[Path, Parameter(name="--from")] = BUILT) -> int:
    """Copy the page that segments in the visitor's own browser into a folder, for any static host.

    Parameters
    ----------
    out
        New or empty folder.
    built
        What `npm run build` in the folder web/ has made. Default: that of the clone which runs this command.
    """
    size = copy(built, out)
    say(f"{out}: {size / 1e6:.1f} MB, try it with: python -m http.server --directory {out}")
    return 0
