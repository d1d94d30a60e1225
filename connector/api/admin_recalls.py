"""Administration of exceptions: ask for payments back, and ask what became of them."""

from dataclasses import asdict
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from connector.api import models_admin
from connector.api import models_recalls as models
from connector.api.admin import FORBIDDEN_STATE, GROUP, OPERATORS, REF, REFUSED, UNKNOWN
from connector.api.batch_lookup import reference
from connector.api.moments import moment
from connector.api.operation import Answer, Body, Call, Operation, Parameter
from connector.api.shapes import json_answer, plain
from connector.domain.instruction import Reason
from connector.domain.recall import RecallState
from connector.flows import ask_again, recall_order, recall_records
from connector.flows.recall_order import Order
from connector.flows.recall_records import RecallRecord

_EXAMPLE: Final = {"reason": "DUPL", "information": "Paid twice", "instructions": ["INSTR00000000001"]}


def _order(said: models.RecallOrder) -> Order:
    names = tuple(dict.fromkeys(said.instructions))
    return Order(Reason(said.reason, said.information), names, said.message_id)


async def recall(call: Call) -> web.Response:
    """Ask for payments back."""
    ref = await reference(call, call.parameters["ref"])
    done = await recall_order.ask(call.services, ref, call.body, call.actor, call.origin)
    return json_answer({"ref": ref, **asdict(done)}, 202)


async def list_recalls(call: Call) -> web.Response:
    """List the payments that were asked back, a page at a time."""
    ref = await reference(call, call.parameters["ref"])
    page, size = call.number("page"), call.number("size")
    found = await recall_records.records(call.services, ref, page=page, size=size, state=call.parameters["state"])
    return json_answer({"items": [_record(each) for each in found]})


async def inquire(call: Call) -> web.Response:
    """Ask the institution now about every message of a batch of which something is open."""
    ref = await reference(call, call.parameters["ref"])
    return json_answer(
        {"ref": ref, "messages": await ask_again.now(call.services, ref, call.actor, call.origin)}, 202
    )


def _record(record: RecallRecord) -> dict[str, object]:
    times = {"asked_at": moment(record.asked_at), "sent_at": moment(record.sent_at)}
    return {**asdict(record), "state": record.state.value, **times}


OPERATIONS: Final = (
    Operation(
        "POST",
        "/admin/batches/{ref}/recall",
        recall,
        "Ask for payments back",
        GROUP,
        plain,
        (
            Answer(202, "Asked; the same order again changes nothing.", models.RecallOrderTaken),
            REFUSED,
            UNKNOWN,
            FORBIDDEN_STATE,
        ),
        roles=OPERATORS,
        parameters=(REF,),
        body=Body(TypeAdapter(models.RecallOrder), TypeAdapter(models.RecallOrder), _order, _EXAMPLE),
        description=(
            "Goes out as a camt.055 to a payer bank or a camt.056 to a switch, as far as the programme allows; what "
            "has not been sent yet is cancelled. Without instructions and message_id, the whole batch is meant."
        ),
    ),
    Operation(
        "GET",
        "/admin/batches/{ref}/recalls",
        list_recalls,
        "List the payments that were asked back",
        GROUP,
        plain,
        (Answer(200, "Found.", models_admin.Page[models.RecallBody]), REFUSED, UNKNOWN),
        roles=OPERATORS,
        parameters=(
            REF,
            Parameter("page", "query", "Page, from 0.", kind="integer", maximum=10**7, default="0"),
            Parameter("size", "query", "Payments a page.", kind="integer", minimum=1, maximum=1000, default="100"),
            Parameter(
                "state", "query", "Only those in this state.", choices=tuple(state.value for state in RecallState)
            ),
        ),
    ),
    Operation(
        "POST",
        "/admin/batches/{ref}/inquire",
        inquire,
        "Ask what became of a batch's payments",
        GROUP,
        plain,
        (Answer(202, "Asked.", models.InquiryTaken), UNKNOWN),
        roles=OPERATORS,
        parameters=(REF,),
        description="Asks the institution at once, also where the configured number of inquiries is used up.",
    ),
)
