"""Administration: batches, their payments and events, callbacks and the queue."""

import asyncio
from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from connector.api import models_admin as models
from connector.api import models_fsp
from connector.api.batch_lookup import reference
from connector.api.moments import moment
from connector.api.operation import Answer, Call, Handler, Operation, Parameter
from connector.api.settings import Role
from connector.api.shapes import json_answer, plain
from connector.domain.batch import BatchState
from connector.domain.chunk import Tally
from connector.domain.stages import Spent
from connector.flows import archive, control, status
from connector.flows.status import BatchSummary, PaymentRecord

GROUP: Final = "Administration"
OPERATORS: Final = frozenset({Role.ADMIN})
UNKNOWN: Final = Answer(404, "There is none.", models_fsp.Errors)
FORBIDDEN_STATE: Final = Answer(409, "Its state forbids this.", models_fsp.Errors)
REFUSED: Final = Answer(400, "Refused; nothing was changed.", models_fsp.Errors)

REF: Final = Parameter(
    "ref", "path", "The batch's reference, or its batch id.", required=True, max_length=50,
    example="7Q3QZ4XWZ2V5YJ6K3L2A",
)  # fmt: skip
_NEWEST: Final = Parameter(
    "newest", "query", "How many at most.", kind="integer", minimum=1, maximum=500, default="50"
)
_FILTERS: Final = (
    Parameter("source", "query", "Only batches of this Source BB."),
    Parameter("programme", "query", "Only batches of this programme."),
    Parameter("state", "query", "Only batches in this state.", choices=tuple(state.value for state in BatchState)),
    _NEWEST,
    Parameter("before", "query", "Only batches accepted before this (Unix seconds).", kind="number", maximum=10**11),
)


async def list_batches(call: Call) -> web.Response:
    """List batches, newest first."""
    asked, newest = call.parameters, call.number("newest")
    refs = await call.services.store.batches.find(
        source=asked["source"],
        programme=asked["programme"],
        state=asked["state"],
        newest=newest,
        before=float(asked["before"] or "inf"),
    )
    found = await asyncio.gather(*(status.summary(call.services, ref) for ref in refs))
    following = found[-1].batch.accepted_at if len(found) == newest else None
    return json_answer({"items": [batch_body(each) for each in found], "next_before": following})


async def read_batch(call: Call) -> web.Response:
    """Show a batch."""
    return json_answer(batch_body(await status.summary(call.services, await reference(call, call.parameters["ref"]))))


async def list_instructions(call: Call) -> web.Response:
    """List a batch's payments, a page at a time."""
    ref = await reference(call, call.parameters["ref"])
    page, size = call.number("page"), call.number("size")
    records = await status.details(call.services, ref, page=page, size=size, status=call.parameters["status"])
    return json_answer({"items": [_payment(record) for record in records]})


async def list_events(call: Call) -> web.Response:
    """Show a batch's event log."""
    ref = await reference(call, call.parameters["ref"])
    events = await status.events(call.services, ref)
    return json_answer({"items": [{**event._asdict(), "at": moment(event.at)} for event in events]})


async def cancel(call: Call) -> web.Response:
    """Cancel a batch of which nothing was sent."""
    ref = await reference(call, call.parameters["ref"])
    await control.cancel(call.services, ref, call.actor, call.origin)
    return json_answer(batch_body(await status.summary(call.services, ref)))


async def retry(call: Call) -> web.Response:
    """Repeat the failed payments of a finished batch as a new batch."""
    ref = await reference(call, call.parameters["ref"])
    batch = await control.retry(call.services, ref, call.actor, call.origin)
    return json_answer(batch_body(await status.summary(call.services, batch.ref)), 202)


async def move_to_archive(call: Call) -> web.Response:
    """Move a finished batch out of the store, into a file."""
    ref = await reference(call, call.parameters["ref"])
    services = call.services
    await archive.archive_now(services.store, ref, call.actor, call.origin, services.clock())
    return json_answer(batch_body(await status.summary(services, ref)))


async def queue_depth(call: Call) -> web.Response:
    """Count the unfinished tasks by step; those that are not due are under timers."""
    return json_answer(await call.services.store.queue.depth())


def _tally(tally: Tally) -> dict[str, int]:
    return {"payments": tally.payments, "amount_minor": tally.minor}


def batch_body(summary: BatchSummary) -> dict[str, Any]:
    """Show a batch and how far it is."""
    batch, progress = summary.batch, summary.progress
    totals = {
        currency: {outcome.value: _tally(tally) for outcome, tally in outcomes.items()}
        for currency, outcomes in progress.totals.items()
    }
    return {
        "ref": batch.ref,
        "kind": batch.kind.value,
        "contract": batch.contract,
        "source": batch.source,
        "request_id": batch.request_id,
        "batch_id": batch.batch_id,
        "programme": batch.programme,
        "state": progress.state.value,
        "reason": progress.reason,
        "payments": batch.count,
        "expected": {currency: _tally(tally) for currency, tally in batch.expected.items()},
        "totals": totals,
        "slices": batch.slices,
        "slices_resolved": progress.resolved,
        "priority": batch.priority,
        "accepted_at": moment(batch.accepted_at),
        "execute_at": moment(batch.execute_at),
        "finished_at": moment(progress.finished_at),
        "archived_at": moment(progress.archived_at),
        "retry_of": batch.retry_of,
    }


async def stages(call: Call) -> web.Response:
    """Show what the stages of every process have cost."""
    said = await call.services.store.stages.all()
    return json_answer(
        {process: {stage: spent._asdict() for stage, spent in found.items()} for process, found in said.items()}
    )


def _payment(record: PaymentRecord) -> dict[str, Any]:
    times = {"started_at": moment(record.started_at), "completed_at": moment(record.completed_at)}
    return {**asdict(record), **times}


def _read(
    path: str, handler: Handler, summary: str, model: object, parameters: tuple[Parameter, ...] = ()
) -> Operation:
    return Operation(
        "GET", path, handler, summary, GROUP, plain, (Answer(200, "Found.", model), REFUSED, UNKNOWN), OPERATORS,
        parameters,
    )  # fmt: skip


OPERATIONS: Final = (
    _read("/admin/batches", list_batches, "List batches", models.Page[models.BatchBody], _FILTERS),
    _read("/admin/batches/{ref}", read_batch, "Show a batch", models.BatchBody, (REF,)),
    _read(
        "/admin/batches/{ref}/instructions",
        list_instructions,
        "List a batch's payments",
        models.Page[models.PaymentBody],
        (
            REF,
            Parameter("page", "query", "Page, from 0.", kind="integer", maximum=10**7, default="0"),
            Parameter("size", "query", "Payments a page.", kind="integer", minimum=1, maximum=1000, default="100"),
            Parameter("status", "query", "An ISO 20022 status, or ongoing, completed, failed, returned."),
        ),
    ),
    _read("/admin/batches/{ref}/events", list_events, "Show a batch's events", models.Page[models.EventBody], (REF,)),
    Operation(
        "POST",
        "/admin/batches/{ref}/cancel",
        cancel,
        "Cancel a batch",
        GROUP,
        plain,
        (Answer(200, "Cancelled.", models.BatchBody), UNKNOWN, FORBIDDEN_STATE),
        roles=OPERATORS,
        parameters=(REF,),
        description="Only before anything was sent.",
    ),
    Operation(
        "POST",
        "/admin/batches/{ref}/retry",
        retry,
        "Repeat a batch's failed payments",
        GROUP,
        plain,
        (Answer(202, "The new batch; the same one when asked again.", models.BatchBody), UNKNOWN, FORBIDDEN_STATE),
        roles=OPERATORS,
        parameters=(REF,),
    ),
    Operation(
        "POST",
        "/admin/batches/{ref}/archive",
        move_to_archive,
        "Archive a batch",
        GROUP,
        plain,
        (Answer(200, "Archived.", models.BatchBody), UNKNOWN, FORBIDDEN_STATE),
        roles=OPERATORS,
        parameters=(REF,),
        description="At once, instead of when its time comes. Everything about it is still told, and may change.",
    ),
    _read("/admin/queue", queue_depth, "Count unfinished tasks", dict[str, int]),
    _read("/admin/stages", stages, "Show processor time by stage", dict[str, dict[str, Spent]]),
)
