"""Requests to pay: accepted and paid, refused, thought about, expired."""

from datetime import date
from typing import Any

import pytest
from simulators_sandbox import KASH, NOW, UNION, Sandbox

from connector.domain.messages import PaymentRequest, RequestedPayment, StatusReport

BROUGHT = 1_000_000
CREDITOR = "2012345678"


def _request(account: str, minor: int = 1500, **changes: Any) -> PaymentRequest:
    asked = RequestedPayment("I1", "E1", minor, "HARBXU22", "Water Works", CREDITOR, "Bill 7")
    values: dict[str, Any] = {
        "message_id": "REQUEST1",
        "created": NOW,
        "initiating_party": "Water Works",
        "payment_information_id": "REQUEST1",
        "currency": "USD",
        "total_minor": minor,
        "debtor_name": "Ada",
        "debtor_account": account,
        "debtor_agent": KASH if account.startswith("+") else UNION,
        "execution_date": date(2026, 3, 2),
        "requests": [asked],
        "expiry_date": date(2026, 3, 5),
    }
    return PaymentRequest(**{**values, **changes})


async def _ask(sandbox: Sandbox, request: PaymentRequest) -> tuple[str, str]:
    to = request.debtor_agent
    status, answer = await sandbox.send(to, "pain.013.001.07", request)
    assert status == 200
    return _status(answer)


def _status(answer: object) -> tuple[str, str]:
    assert isinstance(answer, StatusReport)
    assert answer.message == "pain.014.001.07"
    reason = answer.group_reason or next((one.reason for one in answer.transactions), "")
    return answer.group_status, reason


def _pushed(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [_status(message) for message in sandbox.connector.messages()]


@pytest.mark.parametrize(("account", "to"), [("1012345678", UNION), ("+9997012345678", KASH)])
async def test_a_customer_agrees_and_the_creditor_is_paid(sandbox: Sandbox, account: str, to: str) -> None:
    assert await _ask(sandbox, _request(account)) == ("ACCP", "")
    await sandbox.advance()
    assert _pushed(sandbox) == [("ACCC", "")]
    assert await sandbox.balance("HARBXU22", CREDITOR) == 1500
    assert await sandbox.balance(to, account.removeprefix("+")) == BROUGHT - 1500
    assert (await _ask(sandbox, _request(account)))[0] == "ACCC"
    await sandbox.advance()
    assert await sandbox.balance("HARBXU22", CREDITOR) == 1500
    await sandbox.proof()


async def test_a_customer_refuses(sandbox: Sandbox) -> None:
    assert await _ask(sandbox, _request("1012349961")) == ("RJCT", "DS02")


async def test_a_customer_has_not_the_money(sandbox: Sandbox) -> None:
    assert await _ask(sandbox, _request("1012345678", BROUGHT + 1)) == ("RJCT", "AM04")


async def test_an_account_that_is_not_there(sandbox: Sandbox) -> None:
    assert await _ask(sandbox, _request("777")) == ("RJCT", "AC02")


async def test_a_customer_takes_an_hour(sandbox: Sandbox) -> None:
    assert await _ask(sandbox, _request("1012349962")) == ("RCVD", "")
    await sandbox.advance(seconds=3500)
    assert _pushed(sandbox) == []
    await sandbox.advance(seconds=100)
    assert _pushed(sandbox) == [("ACCC", "")]
    await sandbox.proof()


async def test_a_request_expires_at_the_end_of_its_last_day(sandbox: Sandbox) -> None:
    assert await _ask(sandbox, _request("1012349963")) == ("RCVD", "")
    await sandbox.advance(days=3)
    assert _pushed(sandbox) == []
    await sandbox.advance(days=1)
    assert _pushed(sandbox) == [("RJCT", "EDTR")]
    assert await sandbox.inquire("REQUEST1", UNION) is not None


async def test_a_request_that_comes_after_its_day_is_refused(sandbox: Sandbox) -> None:
    assert await _ask(sandbox, _request("1012345678", expiry_date=date(2026, 3, 1))) == ("RJCT", "AEXR")


async def test_what_the_creditors_bank_rejects_is_given_back(sandbox: Sandbox) -> None:
    asked = RequestedPayment("I1", "E1", 1500, "HARBXU22", "Water Works", "2012349904")
    await _ask(sandbox, _request("1012345678", requests=[asked]))
    await sandbox.advance()
    assert _pushed(sandbox) == [("RJCT", "AC04")]
    assert await sandbox.balance(UNION, "1012345678") == BROUGHT
    await sandbox.proof()
