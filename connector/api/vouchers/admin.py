"""Administration of vouchers: stock, single vouchers and their history, settlements, the archive. Never a number."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import hdrs, web

from connector.api.admin import FORBIDDEN_STATE, OPERATORS, REFUSED, UNKNOWN, batch_body
from connector.api.models_admin import BatchBody, Page
from connector.api.moments import moment
from connector.api.operation import Answer, Call, Handler, Operation, Parameter
from connector.api.shapes import json_answer, plain
from connector.api.vouchers import models_admin as models
from connector.api.vouchers.admin_directory import CODE, GROUP, body
from connector.api.vouchers.report import report_sums, table
from connector.domain.batch import REDEMPTIONS
from connector.domain.errors import NotFound
from connector.domain.voucher import (
    FIRST_SERIAL,
    Command,
    Redemption,
    Voucher,
    VoucherEvent,
    VoucherFault,
    VoucherRefused,
    is_serial,
)
from connector.flows import status
from connector.flows.status import BatchSummary
from connector.flows.vouchers import issue, lifecycle, purge, queries
from connector.flows.vouchers.caller import ADMIN, Caller
from connector.flows.vouchers.queries import StockLine

CSV: Final = "text/csv"
MOST_LOOKED_AT: Final = 2000
"""Batches that are gone through for one page of settlements."""

COMMANDS: Final = tuple(
    command.value
    for command in (
        Command.PRE_ACTIVATE,
        Command.ACTIVATE,
        Command.SUSPEND,
        Command.REACTIVATE,
        Command.CANCEL,
        Command.BLOCK,
        Command.UNBLOCK,
    )
)

_SERIAL: Final = Parameter(
    "serial", "path", "The serial number.", required=True, max_length=16, example=str(FIRST_SERIAL)
)


async def provision(call: Call) -> web.Response:
    """Put vouchers into stock."""
    said: models.ProvisionBody = call.body
    code = call.parameters["code"]
    try:
        made = await issue.provision(
            call.services, _caller(call), code, said.currency, said.amount_minor, said.count, said.reference
        )
    except VoucherRefused as refusal:
        raise _absent(refusal, VoucherFault.UNKNOWN_GROUP, "voucher group", code) from None
    last = made.first + made.count - 1
    answer = {"lot": made.lot, "first_serial": str(made.first), "last_serial": str(last), "count": made.count}
    return json_answer(answer, 201)


async def stock(call: Call) -> web.Response:
    """Count vouchers by group, state and currency."""
    return json_answer({"items": [_line(line) for line in await _stock(call, call.parameters["group"])]})


async def show(call: Call) -> web.Response:
    """Show a voucher."""
    return json_answer(_voucher(await _found(call)))


async def history(call: Call) -> web.Response:
    """Show what was done to a voucher."""
    serial = (await _found(call)).serial
    events = await queries.history(call.services, serial)
    return json_answer({"items": [_event(event) for event in events]})


async def redemptions(call: Call) -> web.Response:
    """Show how a voucher was redeemed."""
    serial = (await _found(call)).serial
    return json_answer({"items": [_redemption(each) for each in await queries.redemptions(call.services, serial)]})


async def read_redemption(call: Call) -> web.Response:
    """Show a redemption."""
    found = await call.services.store.vouchers.redemption(call.parameters["id"])
    if found is None:
        raise NotFound("redemption", call.parameters["id"])
    return json_answer(_redemption(found))


async def change(call: Call) -> web.Response:
    """Do a command to vouchers, each for itself."""
    said: models.SerialsBody = call.body
    serials = [int(serial) for serial in dict.fromkeys(said.serials)]
    command = Command(call.parameters["command"])
    moved = await lifecycle.change(call.services, _caller(call), command, serials, detail=said.reason)
    items = [
        {
            "serial": str(one.serial),
            "state": one.state and one.state.value,
            "fault": one.fault.value if one.fault else "",
            "repeated": one.repeated,
        }
        for one in moved
    ]
    return json_answer({"done": sum(one.fault is None for one in moved), "items": items})


async def archive(call: Call) -> web.Response:
    """Move vouchers that are over into the archive."""
    said: models.PurgeBody = call.body
    done = await purge.purge(call.services, said.older_than_days * 86_400, caller=_caller(call), most=said.most)
    return json_answer(done._asdict())


async def settlements(call: Call) -> web.Response:
    """List the batches that pay merchants, newest first."""
    asked, newest = call.parameters, call.number("newest")
    found: list[BatchSummary] = []
    before, looked_at = float(asked["before"] or "inf"), 0
    while len(found) < newest and looked_at < MOST_LOOKED_AT:
        refs = await call.services.store.batches.find(programme=asked["programme"], newest=200, before=before)
        for ref in refs:
            summary = await status.summary(call.services, ref)
            before, looked_at = summary.batch.accepted_at, looked_at + 1
            found += [summary] if summary.batch.contract == REDEMPTIONS else []
        if len(refs) < 200:
            before = 0.0
            break
    page = found[:newest]
    following = page[-1].batch.accepted_at if len(found) > newest else before
    return json_answer({"items": [batch_body(each) for each in page], "next_before": following or None})


async def report(call: Call) -> web.Response:
    """Report vouchers and budgets, as JSON or CSV."""
    lines = await _stock(call, "")
    directory = await call.services.store.directory.load()
    wanted = call.parameters["programme"]
    if wanted and wanted not in directory.programmes:
        raise NotFound("programme", wanted)
    programme_of = {code: group.programme for code, group in directory.groups.items()}
    mine = [line for line in lines if not wanted or programme_of.get(line.group) == wanted]
    funds = call.services.store.funds
    names = [wanted] if wanted else sorted(set(programme_of.values()))
    sums = report_sums(mine, programme_of, {name: await funds.balances(name) for name in names})
    if call.parameters["format"] == "csv" or CSV in call.request.headers.get(hdrs.ACCEPT, ""):
        headers = {hdrs.CONTENT_DISPOSITION: 'attachment; filename="vouchers.csv"'}
        return web.Response(body=table(mine, sums, programme_of), content_type=CSV, charset="utf-8", headers=headers)
    return json_answer({"sums": sums, "groups": [_line(line) for line in mine]})


async def _stock(call: Call, group: str) -> Sequence[StockLine]:
    try:
        return await queries.stock(call.services, group)
    except VoucherRefused as refusal:
        raise _absent(refusal, VoucherFault.UNKNOWN_GROUP, "voucher group", group) from None


async def _found(call: Call) -> Voucher:
    text = call.parameters["serial"]
    if not is_serial(text):
        raise NotFound("voucher", text)
    try:
        return await queries.voucher(call.services, int(text))
    except VoucherRefused as refusal:
        raise _absent(refusal, VoucherFault.UNKNOWN_SERIAL, "voucher", text) from None


def _absent(refusal: VoucherRefused, fault: VoucherFault, what: str, name: str) -> Exception:
    """What is not there is a 404 here; all else stays a refusal."""
    return NotFound(what, name) if refusal.fault is fault else refusal


def _caller(call: Call) -> Caller:
    return Caller(ADMIN, call.actor, call.origin)


def _voucher(found: Voucher) -> dict[str, Any]:
    return {
        "serial": str(found.serial),
        "group": found.group,
        "programme": found.programme,
        "state": found.state.value,
        "before": found.before and found.before.value,
        "currency": found.currency,
        "amount_minor": found.amount_minor,
        "balance_minor": found.balance_minor,
        "created_at": moment(found.created_at),
        "activated_at": moment(found.activated_at),
        "expires_at": moment(found.expires_at),
        "wrong_tries": found.wrong_tries,
        "redemptions": found.redemptions,
        "source": found.source,
        "lot": found.lot,
        "instruction_id": found.instruction_id,
        "payee_functional_id": found.payee_functional_id,
        "narration": found.narration,
    }


def _event(event: VoucherEvent) -> dict[str, Any]:
    return {**event._asdict(), "at": moment(event.at)}


def _redemption(found: Redemption) -> dict[str, Any]:
    return {
        "id": found.id,
        "serial": str(found.serial),
        "state": found.state.value,
        "amount_minor": found.amount_minor,
        "currency": found.currency,
        "merchant": found.merchant,
        "dialect": found.dialect,
        "request": found.request,
        "at": moment(found.at),
        "decided_at": moment(found.decided_at),
        "reason": found.reason,
        "batch": found.batch,
    }


def _line(line: StockLine) -> dict[str, Any]:
    return {
        "group": line.group,
        "state": line.state.value,
        "currency": line.currency,
        "count": line.vouchers,
        "face_minor": line.minor,
    }


def _reading(
    path: str, handler: Handler, summary: str, model: object, parameters: tuple[Parameter, ...] = ()
) -> Operation:
    answers = (Answer(200, "Found.", model), REFUSED, UNKNOWN)
    return Operation("GET", path, handler, summary, GROUP, plain, answers, OPERATORS, parameters)


OPERATIONS: Final = (
    Operation(
        "POST",
        "/admin/voucher-groups/{code}/stock",
        provision,
        "Put vouchers into stock",
        GROUP,
        plain,
        (Answer(201, "In stock, and the money reserved.", models.ProvisionedBody), REFUSED, UNKNOWN),
        roles=OPERATORS,
        parameters=(CODE,),
        body=body(models.ProvisionBody, {"currency": "USD", "count": 100, "reference": "STOCK-2030-01"}),
        description="A repeat under the same reference makes no more, and is answered alike.",
    ),
    _reading(
        "/admin/voucher-stock",
        stock,
        "Count vouchers by group and state",
        Page[models.StockBody],
        (Parameter("group", "query", "Only this group."),),
    ),
    _reading("/admin/vouchers/{serial}", show, "Show a voucher", models.VoucherBody, (_SERIAL,)),
    _reading(
        "/admin/vouchers/{serial}/history",
        history,
        "Show what was done to a voucher",
        Page[models.VoucherEventBody],
        (_SERIAL,),
    ),
    _reading(
        "/admin/vouchers/{serial}/redemptions",
        redemptions,
        "Show how a voucher was redeemed",
        Page[models.RedemptionBody],
        (_SERIAL,),
    ),
    _reading(
        "/admin/redemptions/{id}",
        read_redemption,
        "Show a redemption",
        models.RedemptionBody,
        (Parameter("id", "path", "The redemption's id.", required=True, max_length=24, example=f"{FIRST_SERIAL}-1"),),
    ),
    Operation(
        "POST",
        "/admin/vouchers",
        change,
        "Suspend, cancel, unblock ... vouchers",
        GROUP,
        plain,
        (Answer(200, "What became of each.", models.ChangedList), REFUSED),
        roles=OPERATORS,
        parameters=(Parameter("command", "query", "What to do.", required=True, choices=COMMANDS),),
        body=body(models.SerialsBody, {"serials": [str(FIRST_SERIAL)], "reason": "Reported as lost"}),
        description="unblock also lifts a block after wrong numbers, and forgets them.",
    ),
    Operation(
        "POST",
        "/admin/vouchers/purge",
        archive,
        "Move vouchers that are over into the archive",
        GROUP,
        plain,
        (Answer(200, "Done; asked again, it goes on where it stopped.", models.PurgedBody), REFUSED, FORBIDDEN_STATE),
        roles=OPERATORS,
        body=body(models.PurgeBody, {"older_than_days": 365}),
    ),
    _reading(
        "/admin/voucher-settlements",
        settlements,
        "List the batches that pay merchants",
        Page[BatchBody],
        (
            Parameter("programme", "query", "Only out of this programme's account."),
            Parameter("newest", "query", "How many at most.", kind="integer", minimum=1, maximum=200, default="50"),
            Parameter("before", "query", "Only before this (Unix seconds).", kind="number", maximum=10**11),
        ),
    ),
    Operation(
        "GET",
        "/admin/voucher-report",
        report,
        "Report vouchers and budgets",
        GROUP,
        plain,
        (Answer(200, "Found.", models.ReportBody), Answer(200, "Found.", str, media=CSV), REFUSED, UNKNOWN),
        roles=OPERATORS,
        parameters=(
            Parameter("programme", "query", "Only of this programme."),
            Parameter("format", "query", "csv: as with Accept: text/csv.", choices=("json", "csv")),
        ),
    ),
)
