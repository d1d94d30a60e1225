"""Reconciliation of programmes' accounts: ask for one, list them, and read the report as JSON or CSV."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aiohttp import hdrs, web
from pydantic import TypeAdapter

from connector.api import models_admin
from connector.api import models_reconciliations as models
from connector.api.admin import GROUP, OPERATORS, REFUSED, UNKNOWN
from connector.api.moments import moment
from connector.api.operation import Answer, Body, Call, Operation, Parameter
from connector.api.reconciliation_csv import table
from connector.api.shapes import json_answer, plain
from connector.domain.reconciliation import FindingKind
from connector.flows import reconciliation
from connector.store.reconciliations import ReconciliationProgress, Total

CSV: Final = "text/csv"

_KINDS: Final = tuple(kind.value for kind in FindingKind if kind is not FindingKind.NOT_DUE)
_ID: Final = Parameter("id", "path", "The reconciliation's id.", required=True, max_length=20)
_EXAMPLE: Final = {"programme": "PENSIONS", "from": "2026-11-20", "to": "2026-11-21"}


def _as_is(order: models.ReconciliationOrder) -> models.ReconciliationOrder:
    return order


async def start(call: Call) -> web.Response:
    """Begin a reconciliation."""
    order: models.ReconciliationOrder = call.body
    asked = await reconciliation.start(call.services, order.programme, order.first, order.last, call.actor)
    return json_answer(_summary(ReconciliationProgress(asked, ())), 202)


async def list_all(call: Call) -> web.Response:
    """List reconciliations, newest first."""
    kept = call.services.store.reconciliations
    ids = await kept.find(programme=call.parameters["programme"], newest=call.number("newest"))
    return json_answer({"items": [_summary(await kept.read(each)) for each in ids]})


async def show(call: Call) -> web.Response:
    """Show a reconciliation with its findings, as JSON a page at a time or as CSV whole."""
    found = await call.services.store.reconciliations.read(call.parameters["id"])
    kind = call.parameters["kind"]
    kinds = frozenset({kind} if kind else ())
    asked_for = call.parameters["format"] or ("csv" if CSV in call.request.headers.get(hdrs.ACCEPT, "") else "json")
    if asked_for == "csv":
        name = f"reconciliation-{found.asked.first}-{found.asked.last}.csv"
        headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'}
        body = table(reconciliation.findings(call.services, found, kinds))
        return web.Response(body=body, content_type=CSV, charset="utf-8", headers=headers)
    page, size = call.number("page"), call.number("size")
    rows = await reconciliation.page(call.services, found, kinds, page * size, size + 1)
    days = [
        {
            "day": one.day,
            "fetched": one.fetched,
            "statements": one.statements,
            "totals": [total._asdict() for total in one.totals],
        }
        for one in found.days
    ]
    following = page + 1 if len(rows) > size else None
    return json_answer(
        {**_summary(found), "days": days, "findings": [row._asdict() for row in rows[:size]], "next_page": following}
    )


def _summary(found: ReconciliationProgress) -> dict[str, Any]:
    asked = found.asked
    return {
        "id": asked.id,
        "state": "finished" if found.finished else "running",
        "programme": asked.programme,
        "programmes": asked.programmes,
        "institution": asked.institution,
        "from": asked.first,
        "to": asked.last,
        "tolerance_days": asked.tolerance_days,
        "requested_at": moment(asked.requested_at),
        "requested_by": asked.requested_by,
        "totals": [total._asdict() for total in _sums(total for day in found.days for total in day.totals)],
    }


def _sums(totals: Iterable[Total]) -> Sequence[Total]:
    """Add up the days."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for total in totals:
        for name in Total._fields[2:]:
            sums[total.kind, total.currency, name] += getattr(total, name)
    names = sorted({(kind, currency) for kind, currency, _ in sums})
    return [Total(*name, *(sums[*name, field] for field in Total._fields[2:])) for name in names]


OPERATIONS: Final = (
    Operation(
        "POST",
        "/admin/reconciliations",
        start,
        "Reconcile an account",
        GROUP,
        plain,
        (Answer(202, "Begun; ask for it by its id.", models.ReconciliationSummary), REFUSED, UNKNOWN),
        roles=OPERATORS,
        body=Body(TypeAdapter(models.ReconciliationOrder), TypeAdapter(models.ReconciliationOrder), _as_is, _EXAMPLE),
        description=(
            "Fetches the statements of the programme's account where the institution gives them, and compares them, "
            "and those that were pushed, with what was paid. Changes nothing but the report."
        ),
    ),
    Operation(
        "GET",
        "/admin/reconciliations",
        list_all,
        "List reconciliations",
        GROUP,
        plain,
        (Answer(200, "Found.", models_admin.Page[models.ReconciliationSummary]), REFUSED),
        roles=OPERATORS,
        parameters=(
            Parameter("programme", "query", "Only of the account that this programme pays from."),
            Parameter("newest", "query", "How many at most.", kind="integer", minimum=1, maximum=500, default="50"),
        ),
    ),
    Operation(
        "GET",
        "/admin/reconciliations/{id}",
        show,
        "Show a reconciliation",
        GROUP,
        plain,
        (
            Answer(200, "Found.", models.ReconciliationBody),
            Answer(200, "Found.", str, media=CSV),
            REFUSED,
            UNKNOWN,
        ),
        roles=OPERATORS,
        parameters=(
            _ID,
            Parameter("kind", "query", "Only findings of this kind.", choices=_KINDS),
            Parameter("format", "query", "csv: all findings, as with Accept: text/csv.", choices=("json", "csv")),
            Parameter("page", "query", "Page of the findings, from 0.", kind="integer", maximum=10**7, default="0"),
            Parameter("size", "query", "Findings a page.", kind="integer", minimum=1, maximum=1000, default="100"),
        ),
    ),
)
