"""The table of subcommands, and what a user sees of an error: one line, never a traceback."""

import sys

from cyclopts import App

from fastsam.errors import UsageError

app = App(name="fastsam", help="Segment everything in a photo, then pick what you mean.")
app.command("fastsam.cli.segment:segment", name="segment")
app.command("fastsam.cli.train:train", name="train")
app.command("fastsam.cli.export:export", name="export")
evaluate = App(name="eval", help="Figures on annotated sets.")
evaluate.command("fastsam.cli.evaluate:recall", name="recall")
app.command(evaluate)


def main() -> None:
    """Entry point: exit code 0 done, 1 some photos failed, 2 wrong use."""
    try:
        code = app()
    except (UsageError, ValueError, FileNotFoundError) as error:
        print(f"fastsam: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
