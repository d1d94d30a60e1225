"""How errors look: one function a contract, from the same failure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from aiohttp import hdrs, web

from connector.domain.errors import Conflict, Fault, NotFound, NotPermitted, Refused, Unavailable

NOT_ACKNOWLEDGED: Final = "Request not acknowledged by Pay-BB"
ACKNOWLEDGED: Final = "Request successfully received by Pay-BB"
MAXIMUM_DESCRIPTION: Final = 200

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request is not answered as hoped. request_id: for echoing, "" where none is known."""

    status: int
    faults: tuple[Fault, ...]
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """All faults in one line of at most 200 characters."""
        text = "; ".join(
            f"{fault.where}: {fault.sentence}" if fault.where else fault.sentence for fault in self.faults
        )
        whole = f"{NOT_ACKNOWLEDGED}: {text}"
        return whole if len(whole) <= MAXIMUM_DESCRIPTION else f"{whole[: MAXIMUM_DESCRIPTION - 3]}..."


Shape = Callable[[Failure], web.Response]


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with JSON; ``Decimal`` values are written as exact numbers."""
    return web.Response(body=_ENCODER.encode(body), status=status, headers=headers, content_type="application/json")


def govstack_v1(failure: Failure) -> web.Response:
    """{ResponseCode "01", ResponseDescription, RequestID} with 400 for everything that is wrong with the request."""
    echo = {"RequestID": failure.request_id} if failure.request_id else {}
    body = {"ResponseCode": "01", "ResponseDescription": failure.sentence, **echo}
    return json_answer(body, _bad_request(failure.status), failure.headers)


def govstack_v1_prevalidation(failure: Failure) -> web.Response:
    """As ``govstack_v1``, but refusals come with HTTP 200 (conformance rule of the contract)."""
    answer = govstack_v1(failure)
    answer.set_status(200 if answer.status == web.HTTPBadRequest.status_code else answer.status)
    return answer


def govstack_v3(failure: Failure) -> web.Response:
    """{responseCode "01", responseDescription, requestID, errors}."""
    echo = {"requestID": failure.request_id} if failure.request_id else {}
    body = {"responseCode": "01", "responseDescription": failure.sentence, **echo, "errors": _listed(failure)}
    return json_answer(body, _bad_request(failure.status), failure.headers)


def plain(failure: Failure) -> web.Response:
    """{errors: [{where, code, sentence}]} with the exact HTTP status: FSP side and administration."""
    return json_answer({"errors": _listed(failure)}, failure.status, failure.headers)


def failure_of(error: Exception, request_id: str = "") -> Failure | None:
    """Translate an error into a failure; ``None`` for one that nobody raised on purpose."""
    if isinstance(error, web.HTTPException):
        return _of_http(error, request_id)
    if isinstance(error, Unavailable | ConnectionError | TimeoutError):
        seconds = error.retry_after_seconds if isinstance(error, Unavailable) else 1.0
        wait = {str(hdrs.RETRY_AFTER): str(max(1, round(seconds)))}
        return Failure(503, (Fault("", "unavailable", "Try again later."),), request_id, wait)
    if isinstance(error, web.RequestPayloadError):
        fault = Fault("", "encoding", "The body cannot be read in the encoding that it claims.")
        return Failure(400, (fault,), request_id, {"Connection": "close"})
    if isinstance(error, Refused):
        return Failure(400, error.faults, request_id)
    return _of_state(error, request_id)


def _of_state(error: Exception, request_id: str) -> Failure | None:
    match error:
        case NotFound():
            return Failure(404, (Fault("", "not_found", f"There is no such {error.what}."),), request_id)
        case Conflict():
            sentence = f"The {error.what} was used before with different content."
            return Failure(409, (Fault("", "conflict", sentence),), request_id)
        case NotPermitted():
            sentence = f"The {error.what} is {error.state}, which does not permit this."
            return Failure(409, (Fault("", "not_permitted", sentence),), request_id)
    return None


def _of_http(error: web.HTTPException, request_id: str) -> Failure:
    kept = {str(name): error.headers[name] for name in (hdrs.ALLOW, hdrs.WWW_AUTHENTICATE) if name in error.headers}
    code = error.reason.lower().replace(" ", "_")
    return Failure(error.status, (Fault("", code, f"{error.reason}."),), request_id, kept)


def _bad_request(status: int) -> int:
    """GovStack knows one answer for a bad request, whatever is wrong with it."""
    return 400 if status in {409, 415} else status


def _listed(failure: Failure) -> list[dict[str, str]]:
    return [fault._asdict() for fault in failure.faults]
