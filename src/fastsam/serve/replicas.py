"""Replicas of the service on a Ray cluster: serve run fastsam.serve.replicas:app

FASTSAM_REPLICAS, FASTSAM_THREADS and FASTSAM_TOKEN say how many, of how many threads each, and who may ask. Any replica
answers POST /v1/segment with `Accept: application/vnd.fastsam.segments+npz` and POST /v1/select, which keep nothing; a
photo that is kept (`/v1/images/...`, the page) is in one replica's memory alone.
"""

import os

from fastapi import FastAPI
from ray import serve

from fastsam.serve.app import make_app

REPLICAS, THREADS = (int(os.environ.get(name, "1")) for name in ("FASTSAM_REPLICAS", "FASTSAM_THREADS"))


def service() -> FastAPI:
    """The application of one replica. Ray Serve's proxy calls it, under any host name."""
    return make_app(threads=THREADS, token=os.environ.get("FASTSAM_TOKEN"), hosts=("*",))


@serve.deployment(
    num_replicas=REPLICAS,
    ray_actor_options={"num_cpus": THREADS},
    max_ongoing_requests=16,
    health_check_period_s=2,
    health_check_timeout_s=10,
)
@serve.ingress(service)
class FastSAM:
    """The service, behind Ray Serve."""


app = FastSAM.bind()  # type: ignore[attr-defined]  # which Ray's decorator adds
