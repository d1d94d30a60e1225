"""Administration of callbacks: what was not delivered, and delivering it again."""

from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from connector.api import models_admin as models
from connector.api.admin import FORBIDDEN_STATE, GROUP, OPERATORS, UNKNOWN
from connector.api.moments import moment
from connector.api.operation import Answer, Call, Operation, Parameter
from connector.api.shapes import json_answer, plain
from connector.domain.errors import NotPermitted
from connector.flows import tasks
from connector.store.callbacks import Callback, CallbackState

_STATE: Final = Parameter(
    "state",
    "query",
    "Which callbacks; dead ones were given up.",
    choices=tuple(state.value for state in CallbackState),
    default=CallbackState.DEAD.value,
)
_NEWEST: Final = Parameter(
    "newest", "query", "How many at most.", kind="integer", minimum=1, maximum=500, default="50"
)
_BATCH: Final = Parameter("batch", "path", "The batch's reference.", required=True, max_length=64)
_ID: Final = Parameter("id", "path", "The callback's id.", required=True, max_length=100)


async def list_callbacks(call: Call) -> web.Response:
    """List callbacks in a state, the last changed first."""
    state = CallbackState(call.parameters["state"])
    found = await call.services.store.callbacks.find(state, call.number("newest"))
    return json_answer({"items": [_callback(each) for each in found]})


async def read_callback(call: Call) -> web.Response:
    """Show a callback without its body, which may carry what people are paid."""
    return json_answer(_callback(await _named(call)))


async def redeliver(call: Call) -> web.Response:
    """Try a dead callback again, from the first attempt; raises ``NotPermitted`` for one that is not dead."""
    found = await _named(call)
    if found.state is not CallbackState.DEAD:
        raise NotPermitted("callback", found.id, found.state.value)
    again = replace(
        found,
        attempts=0,
        state=CallbackState.PENDING,
        last_outcome="redelivery asked for",
        changed_at=call.services.clock(),
    )
    await call.services.store.callbacks.save(again, then=[tasks.callback(again.batch, again.id)])
    return json_answer(_callback(again), 202)


async def _named(call: Call) -> Callback:
    return await call.services.store.callbacks.get(call.parameters["batch"], call.parameters["id"])


def _callback(callback: Callback) -> dict[str, Any]:
    return {
        "id": callback.id,
        "batch": callback.batch,
        "url": callback.url.split("?", 1)[0],
        "verb": callback.verb,
        "attempts": callback.attempts,
        "state": callback.state.value,
        "last_outcome": callback.last_outcome,
        "changed_at": moment(callback.changed_at),
    }


OPERATIONS: Final = (
    Operation(
        "GET",
        "/admin/callbacks",
        list_callbacks,
        "List callbacks",
        GROUP,
        plain,
        (Answer(200, "Found.", models.Page[models.CallbackBody]),),
        roles=OPERATORS,
        parameters=(_STATE, _NEWEST),
    ),
    Operation(
        "GET",
        "/admin/callbacks/{batch}/{id}",
        read_callback,
        "Show a callback",
        GROUP,
        plain,
        (Answer(200, "Found.", models.CallbackBody), UNKNOWN),
        roles=OPERATORS,
        parameters=(_BATCH, _ID),
    ),
    Operation(
        "POST",
        "/admin/callbacks/{batch}/{id}/redeliver",
        redeliver,
        "Deliver a dead callback again",
        GROUP,
        plain,
        (Answer(202, "Queued.", models.CallbackBody), UNKNOWN, FORBIDDEN_STATE),
        roles=OPERATORS,
        parameters=(_BATCH, _ID),
    ),
)
