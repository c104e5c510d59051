"""The published script's commands, on this library: see docs/switching.md."""

import sys

from fastsam.compat.inference import main

if __name__ == "__main__":
    sys.exit(main())
