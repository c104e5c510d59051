"""`fastsam-labelme`: starts labelme with FastSAM in its list of AI models.

    fastsam-labelme [labelme's own arguments]

Enters: arguments for labelme. Leaves: labelme's exit code.
"""

import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastsam.errors import UsageError, require

PRELOAD = Path(__file__).parent / "preload"
LEAST = (5, 11)  # version of labelme whose list can be added to


def main() -> None:
    """Starts labelme. What is lacking is one line, and exit code 2."""
    try:
        command = [find_command(), *sys.argv[1:]]
    except UsageError as error:
        sys.exit(say(str(error)))
    path = os.pathsep.join(filter(None, (str(PRELOAD), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False).returncode
    except KeyboardInterrupt:
        done = 130
    sys.exit(done)


def find_command() -> str:
    """The path of labelme's command in this environment. Raises UsageError if it or osam is missing, or too old."""
    try:
        found = version("labelme")
    except PackageNotFoundError:
        raise UsageError("labelme is not installed in this environment: pip install labelme") from None
    if tuple(int(part) for part in found.split(".")[:2] if part.isdecimal()) < LEAST:
        least = ".".join(map(str, LEAST))
        raise UsageError(f"labelme {found} takes no other models: pip install 'labelme>={least}'")
    require("osam", "labelme")
    beside = Path(sys.executable).parent
    command = shutil.which("labelme", path=os.pathsep.join((str(beside), str(beside / "Scripts"))))
    if command is None:
        raise UsageError(f"there is no labelme command in {beside}: pip install --force-reinstall labelme")
    return command


def say(text: str) -> int:
    """Prints an error. Returns the exit code of an invalid call."""
    print(f"fastsam-labelme: {text}", file=sys.stderr)
    return 2
