"""The log of a run, `log.jsonl`: one line per report.

Enters: reports. Leaves: the file, which ends where the run stands.
"""

import json
from pathlib import Path
from typing import NamedTuple

from fastsam.files import whole
from fastsam.training.config import Run
from fastsam.training.optimiser import rate_at


class Report(NamedTuple):
    """One line of the log: photos seen of all, photos per second, seconds left, mean losses since the last."""

    seen: int
    total: int
    rate: float
    left: float
    losses: dict[str, float]


def make_report(step: int, config: Run, rate: float, losses: dict[str, float]) -> Report:
    """The report after a step. rate: photos per second"""
    seen, total = step * config.batch, config.steps * config.batch
    return Report(seen, total, rate, (total - seen) / rate, losses)


def write_line(file: Path, report: Report, step: int, config: Run) -> None:
    """Appends a report to the log."""
    line = {
        "step": step,
        "photos": report.seen,
        "photos_per_second": round(report.rate, 2),
        "learning_rate": rate_at(step, config),
        **{name: round(value, 4) for name, value in report.losses.items()},
    }
    with file.open("a") as log:
        log.write(json.dumps(line) + "\n")


def cut(file: Path, step: int) -> None:
    """Drops the lines after `step`, which are learnt again, and a line that a crash cut short."""
    if not file.exists():  # a run that was stopped before its first line
        return

    def kept(line: str) -> bool:
        try:
            return bool(json.loads(line)["step"] <= step)
        except ValueError:
            return False

    lines = file.read_text().splitlines(keepends=True)
    with whole(file) as part:
        part.write_text("".join(filter(kept, lines)))
