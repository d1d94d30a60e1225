"""Around every request: a request id, security headers, metrics, and the last line of defence."""

import logging
import re
import time
import traceback
from itertools import count
from secrets import token_hex
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry

from connector.api.measures import RequestMeasures
from connector.api.serving import PATTERN, SHAPE
from connector.api.shapes import Failure, Shape, failure_of, plain
from connector.domain.errors import Fault, Misconfigured

REQUEST_ID: Final = web.RequestKey("request_id", str)
REGISTRY: Final = web.AppKey("registry", CollectorRegistry)

_PRESENTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UNMATCHED: Final = "unmatched"
_log = logging.getLogger(__name__)


def frame(registry: CollectorRegistry) -> Middleware:
    """Make the middleware; its metrics name path patterns, never the paths themselves."""
    measures = RequestMeasures()
    registry.register(measures)
    process, number = token_hex(6), count(1)

    @web.middleware
    async def framed(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        name = given if given and _PRESENTABLE_ID.fullmatch(given) else f"{process}-{next(number):x}"
        request[REQUEST_ID] = name
        answer = await _answer(request, handler)
        pattern = request.get(PATTERN, _UNMATCHED)
        method = request.method if pattern is not _UNMATCHED else ""
        measures.note(method, pattern, answer.status, time.perf_counter() - begun)
        if not answer.prepared:
            headers = answer.headers
            headers["X-Request-ID"] = name
            headers["Server"] = "isogate"
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Cache-Control", "no-store")
        return answer

    return framed


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer without innards
        failure = failure_of(error)
        if failure is None:
            log_defect(request, error)
            failure = Failure(500, (Fault("", "defect", "Something went wrong here; it has been logged."),))
        shape: Shape = request.get(SHAPE, plain)
        return shape(failure)


def log_defect(request: web.Request, error: Exception) -> None:
    """Log where it happened, but no text that may carry what was sent; what an operator has to mend is named."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}" for place in reversed(frames))
    what = f"{type(error).__name__} ({error})" if isinstance(error, Misconfigured) else type(error).__name__
    _log.error("defect %s %s %s", what, places, request[REQUEST_ID])
