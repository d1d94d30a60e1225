"""Reconciliations over HTTP: asked for, listed, read as JSON and CSV."""

import csv
from datetime import UTC, date, datetime

import pytest

from connector.domain.reconciliation import Finding, FindingKind
from connector.flows.steps import STEPS
from connector.store.reconciliations import DayResult, Total

DAY = date(2027, 1, 15)
ORDER = {"programme": "PENSIONS", "from": "2027-01-15", "to": "2027-01-15"}


def finding(number: int, kind: FindingKind = FindingKind.MISSING, **fields: object) -> Finding:
    told = {"amount_minor": 1050, "currency": "USD", "paid_on": DAY, "instruction_id": f"INSTR{number:011d}"}
    return Finding(kind, "Paid, but not there.", **{**told, **fields})


@pytest.fixture
async def found(client, services):
    """A finished reconciliation with findings of three kinds in two pieces."""
    assert datetime.fromtimestamp(services.clock(), UTC).date() == DAY
    answer = await client.post("/admin/reconciliations", json=ORDER)
    body = await answer.json()
    assert (answer.status, body["state"], body["from"], body["totals"]) == (202, "running", "2027-01-15", [])
    kept, identifier = services.store.reconciliations, body["id"]
    (entry,) = await services.store.queue.take(["reconcile"], "w", 1, 0)
    strange = finding(
        9, FindingKind.UNEXPECTED, instruction_id="", end_to_end_id="=1+1", amount_minor=0, currency="", payments=0,
        statement_minor=-5, statement_currency="USD", booked_on=DAY, paid_on=None,
    )  # fmt: skip
    await kept.part(identifier, 0, 0, [finding(number) for number in range(3)])
    await kept.part(identifier, 0, 1, [strange, finding(4, FindingKind.MATCHED)])
    totals = Total("missing", "USD", 3, 3, 3150, 0), Total("unexpected", "USD", 1, 0, 0, -5)
    matched = Total("matched", "USD", 1, 1, 1050, 1050)
    result = DayResult(DAY, ("camt.053 S1",), (*totals, matched, Total("not due", "USD", 7, 7, 70, 0)), 2)
    await kept.day(identifier, 0, result, then=[], done=entry)
    return f"/admin/reconciliations/{identifier}"


async def got(client, url):
    answer = await client.get(url)
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def test_a_report_is_read_a_page_at_a_time(client, found):
    first = await got(client, f"{found}?size=3")
    assert (first["state"], len(first["findings"]), first["next_page"]) == ("finished", 3, 1)
    second = await got(client, f"{found}?size=3&page=1")
    assert ([one["kind"] for one in second["findings"]], second["next_page"]) == (["unexpected", "matched"], None)
    assert (await got(client, f"{found}?page=9"))["findings"] == []
    (day,) = first["days"]
    assert (day["day"], day["statements"], len(day["totals"])) == ("2027-01-15", ["camt.053 S1"], 4)


async def test_findings_of_one_kind_can_be_asked_for(client, found):
    assert len((await got(client, f"{found}?kind=missing"))["findings"]) == 3
    assert (await client.get(f"{found}?kind=lost")).status == 400


@pytest.mark.parametrize(("query", "headers"), [("?format=csv", {}), ("", {"Accept": "text/csv"})])
async def test_a_report_is_given_whole_as_csv(client, found, query, headers):
    answer = await client.get(found + query, headers=headers)
    assert (answer.status, answer.content_type, answer.charset) == (200, "text/csv", "utf-8")
    assert answer.headers["Content-Disposition"].endswith('2027-01-15.csv"')
    rows = list(csv.DictReader((await answer.text()).splitlines()))
    assert [(row["kind"], row["amount"], row["statement_amount"]) for row in rows] == [
        *[("missing", "10.50", "")] * 3,
        ("unexpected", "", "-0.05"),
        ("matched", "10.50", ""),
    ]
    assert rows[3]["end_to_end_id"] == "'=1+1"  # no formula for a spreadsheet


async def test_reconciliations_are_listed_for_every_programme_of_the_account(client, found):
    for programme in ("PENSIONS", "RELIEF"):
        (one,) = (await got(client, f"/admin/reconciliations?programme={programme}"))["items"]
        assert one["totals"][0]["kind"] == "matched"
    assert (await got(client, "/admin/reconciliations?programme=NOSUCH"))["items"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"from": "yesterday"},
        {"to": "2027-01-14"},
        {"to": None},
        {"from": "2026-01-01"},
        {"to": "2027-03-01"},
        {"x": 1},
    ],
)
async def test_a_wrong_order_is_refused(client, change):
    answer = await client.post("/admin/reconciliations", json={**ORDER, **change})
    assert answer.status == 400, await answer.text()
    assert (await got(client, "/admin/reconciliations"))["items"] == []


async def test_unknown_programmes_and_reconciliations_are_answered_404(client):
    assert (await client.post("/admin/reconciliations", json={**ORDER, "programme": "NOSUCH"})).status == 404
    assert (await client.get(f"/admin/reconciliations/{'A' * 20}")).status == 404


async def test_a_bank_that_is_not_reached_is_no_obstacle(client, services):
    identifier = (await (await client.post("/admin/reconciliations", json=ORDER)).json())["id"]
    for _ in range(2):
        (entry,) = await services.store.queue.take(["reconcile"], "w", 1, 0)
        await STEPS[entry.task.step].run(services, entry)
    report = await got(client, f"/admin/reconciliations/{identifier}")
    assert report["state"] == "finished"
    assert report["days"][0]["fetched"].startswith("Not all statements could be fetched: TREAXU22")
