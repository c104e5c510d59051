"""Counters for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from fastsam.serve.jobs import Jobs
from fastsam.serve.memory import Memory

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one service. Two services in one process count separately."""

    def __init__(self, jobs: Jobs, memory: Memory) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self.requests = Counter("fastsam_requests_total", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "fastsam_request_seconds", "From first byte to answer.", ("route",), registry=self.registry, buckets=BUCKETS
        )
        self._gauge("fastsam_jobs_pending", "Jobs running or waiting.", lambda: jobs.pending)
        self._gauge("fastsam_photos_kept", "Photos in memory.", lambda: len(memory.photos))
        self._gauge("fastsam_photos_bytes", "Their bytes.", lambda: memory.bytes)

    def saw(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts a request."""
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """What Prometheus reads."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, about: str, value: Callable[[], float]) -> None:
        Gauge(name, about, registry=self.registry).set_function(value)
