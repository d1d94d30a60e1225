"""Liveness, readiness and metrics."""

from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from connector.api.frame import REGISTRY
from connector.api.measures import StageMeasures
from connector.api.operation import Answer, Call, Operation
from connector.api.settings import Role
from connector.api.shapes import json_answer, plain

GROUP: Final = "Operation"


async def healthcheck(call: Call) -> web.Response:  # noqa: ARG001 (every handler takes the call)
    """Say that the process lives."""
    return json_answer({"status": "alive"})


async def ready(call: Call) -> web.Response:
    """Say that requests can be served: the store answers. Raises ``Unavailable``."""
    await call.services.store.ping()
    return json_answer({"status": "ready"})


async def metrics(call: Call) -> web.Response:
    """Give the metrics; labels are path patterns, so there are no ids and no personal data in them."""
    content = generate_latest(call.request.app[REGISTRY])
    stages = StageMeasures(await call.services.store.stages.all())
    return web.Response(body=content + generate_latest(stages), headers={"Content-Type": CONTENT_TYPE_LATEST})


_UNAVAILABLE: Final = Answer(503, "The store does not answer.")

OPERATIONS: Final = (
    Operation("GET", "/healthcheck", healthcheck, "Is the process alive?", GROUP, plain, (Answer(200, "Alive."),)),
    Operation("GET", "/ready", ready, "Can it serve?", GROUP, plain, (Answer(200, "Ready."), _UNAVAILABLE)),
    Operation(
        "GET",
        "/metrics",
        metrics,
        "Metrics for Prometheus",
        GROUP,
        plain,
        (Answer(200, "Text exposition format.", str, media="text/plain"),),
        roles=frozenset({Role.ADMIN}),
    ),
)
