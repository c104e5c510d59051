"""The progress line of a job."""

import pytest

from fastsam.cli.cluster import line
from fastsam.cluster.job import Progress, Speed


def test_it_tells_if_workers_get_no_processor() -> None:
    fine = Progress(64, 0, 138, 4, 9, 2.5, 6.0, 0.95)
    assert line(fine) == "64 of 138 photos  2.5 per second  0:00:29 left  0 failed"
    assert line(Progress(64, 0, 138, 4, 9, 2.5, 6.0, 0.25)).endswith("workers wait for a processor 75% of the time")


def test_the_share_is_of_all_workers_by_what_each_last_said() -> None:
    speed = Speed()
    assert speed.share(1, 0, 0) == 1.0  # a system that does not tell
    assert speed.share(1, 30, 10) == pytest.approx(0.75)
    assert speed.share(2, 10, 30) == pytest.approx(0.5)
    assert speed.share(1, 90, 10) == pytest.approx(100 / 140)
