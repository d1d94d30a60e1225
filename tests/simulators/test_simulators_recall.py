"""Recalls: cancelled before settlement, given back after it, refused, thought about, met with silence."""

from datetime import date
from typing import Any

import pytest
from simulators_sandbox import HARBOUR, NOW, PAYER, SWITCH, UNION, Sandbox, order, statuses, transfer

from connector.domain.messages import PaymentReturn, Recall, RecallAnswer, RecalledTransfer, StatusReport

FULL = 10_000_000_000_000
ORDER_ID = "AAAAAAAAAAAAAAAAAAAAP0"
GOOD = transfer(1, "1012345678")
OTHER = transfer(2, "2012345678", 500, HARBOUR)


def _recalled(*numbers: int) -> list[RecalledTransfer]:
    return [RecalledTransfer(f"C{number}", f"I{number}", f"E{number}", "", 1000, "CUST") for number in numbers]


def _recall(transfers: list[RecalledTransfer], to: str = PAYER, **changes: Any) -> Recall:
    values: dict[str, Any] = {
        "message_id": "RECALL1",
        "created": NOW,
        "case_id": "CASE1",
        "assigner": "ISOGXU22",
        "assignee": to,
        "original_message_id": ORDER_ID,
        "original_message": "pacs.008.001.08" if to == SWITCH else "pain.001.001.09",
        "currency": "USD",
        "original_date": date(2026, 3, 2),
        "payment_information_id": ORDER_ID,
        "reason": "CUST",
        "transfers": transfers,
    }
    return Recall(**{**values, **changes})


async def _send(sandbox: Sandbox, recall: Recall, to: str = PAYER) -> tuple[int, Any]:
    return await sandbox.send(to, "camt.056.001.08" if to == SWITCH else "camt.055.001.08", recall)


def _answers(sandbox: Sandbox) -> list[RecallAnswer]:
    return [message for message in sandbox.connector.messages() if isinstance(message, RecallAnswer)]


def _returns(sandbox: Sandbox) -> list[PaymentReturn]:
    return [message for message in sandbox.connector.messages() if isinstance(message, PaymentReturn)]


def _told(answer: RecallAnswer) -> dict[str, tuple[str, str]]:
    return {one.end_to_end_id: (one.status, one.reason) for one in answer.results}


async def test_a_settled_payment_comes_back_when_the_payee_agrees(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD, transfer(3, "1012345679")]))
    await sandbox.advance()
    assert await _send(sandbox, _recall(_recalled(1))) == (202, None)
    await sandbox.advance()
    (answer,) = _answers(sandbox)
    assert (answer.case_id, answer.confirmation) == ("CASE1", "CNCL")
    assert _told(answer) == {"E1": ("ACCR", "")}
    (given,) = _returns(sandbox)
    assert given.original_message_id == ORDER_ID
    assert [(one.end_to_end_id, one.reason) for one in given.returns] == [("E1", "FOCR")]
    assert await sandbox.balance(UNION, "1012345678") == 0
    assert await sandbox.balance(PAYER, "9000000001") == FULL - 1000
    await sandbox.proof()


async def test_a_repeated_recall_is_answered_again_and_returns_once(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD]))
    await sandbox.advance()
    await _send(sandbox, _recall(_recalled(1)))
    await sandbox.advance()
    status, again = await _send(sandbox, _recall(_recalled(1)))
    assert (status, again.confirmation) == (200, "CNCL")
    _, asked = await sandbox.inquire("RECALL1")
    assert isinstance(asked, RecallAnswer)
    await _send(sandbox, _recall(_recalled(1), message_id="RECALL2", case_id="CASE2"))
    await sandbox.advance()
    assert _told(_answers(sandbox)[-1]) == {"E1": ("RJCR", "ARDT")}
    assert len(_returns(sandbox)) == 1
    await sandbox.proof()


async def test_a_whole_order_of_several_institutions_is_recalled(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD, OTHER, transfer(3, "1012349904")], creditor_agent=""))
    await sandbox.advance()
    await _send(sandbox, _recall([]))
    await sandbox.advance()
    (answer,) = _answers(sandbox)
    assert answer.confirmation == "PECR"
    assert _told(answer) == {"E1": ("ACCR", ""), "E2": ("ACCR", ""), "E3": ("RJCR", "ARJT")}
    assert await sandbox.balance(PAYER, "9000000001") == FULL
    await sandbox.proof()


async def test_what_did_not_go_out_yet_is_cancelled(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD, transfer(3, "1012345679", 70)], execution_date=date(2026, 3, 4)))
    status, answer = await _send(sandbox, _recall(_recalled(1)))
    assert (status, _told(answer)) == (200, {"E1": ("ACCR", "")})
    assert await sandbox.balance(PAYER, "9000000001") == FULL - 70
    await sandbox.advance(days=2)
    (report,) = sandbox.connector.messages()
    assert statuses(report) == {"E1": ("RJCT", "CUST"), "E3": ("ACCC", "")}
    assert await sandbox.balance(UNION, "1012345678") == 0
    await sandbox.proof()


async def test_an_order_is_cancelled_as_a_whole_before_its_day(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD, OTHER], creditor_agent="", execution_date=date(2026, 3, 4)))
    _, answer = await _send(sandbox, _recall([]))
    assert answer.confirmation == "CNCL"
    await sandbox.advance(days=3)
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert report.group_status == "RJCT"
    assert await sandbox.balance(PAYER, "9000000001") == FULL
    await sandbox.proof()


@pytest.mark.parametrize(("suffix", "reason"), [("9925", "CUST"), ("9926", "LEGL")])
async def test_a_payee_refuses(sandbox: Sandbox, suffix: str, reason: str) -> None:
    await sandbox.pay(order([transfer(1, f"101234{suffix}")]))
    await sandbox.advance()
    await _send(sandbox, _recall(_recalled(1)))
    await sandbox.advance()
    (answer,) = _answers(sandbox)
    assert (answer.confirmation, _told(answer)) == ("RJCR", {"E1": ("RJCR", reason)})
    assert await sandbox.balance(UNION, f"101234{suffix}") == 1000


@pytest.mark.parametrize(("suffix", "end"), [("9927", ("ACCR", "")), ("9928", ("RJCR", "NOAS"))])
async def test_a_payee_takes_a_day_to_think(sandbox: Sandbox, suffix: str, end: tuple[str, str]) -> None:
    await sandbox.pay(order([transfer(1, f"101234{suffix}"), transfer(3, "1012345679")]))
    await sandbox.advance()
    await _send(sandbox, _recall(_recalled(1, 3)))
    await sandbox.advance()
    (waiting,) = _answers(sandbox)
    assert waiting.confirmation == "PDCR"
    await sandbox.advance(days=1)
    final = _answers(sandbox)[-1]
    assert _told(final) == {"E1": end, "E3": ("ACCR", "")}
    assert await sandbox.balance(UNION, f"101234{suffix}") == (0 if end[0] == "ACCR" else 1000)
    await sandbox.proof()


async def test_a_payee_never_answers(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012349929")]))
    await sandbox.advance()
    await _send(sandbox, _recall(_recalled(1)))
    await sandbox.advance(days=10)
    assert _answers(sandbox) == []
    assert (await sandbox.inquire("RECALL1"))[0] == 204


async def test_unknown_payments_and_rules_of_the_payer_bank(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD]))
    await sandbox.advance()
    await sandbox.rules(PAYER, {"when": {}, "then": {"recall": "refuse", "reason": "AGNT"}})
    status, answer = await _send(sandbox, _recall(_recalled(1, 9)))
    assert (status, _told(answer)) == (200, {"E1": ("RJCR", "AGNT"), "E9": ("RJCR", "NOOR")})
    _, foreign = await _send(sandbox, _recall(_recalled(1), message_id="RECALL2", original_message_id="NEVERSENT"))
    assert _told(foreign) == {"E1": ("RJCR", "NOOR")}


async def test_the_switch_recalls_for_its_participant(sandbox: Sandbox) -> None:
    sent = [GOOD._replace(transaction_id="T1"), OTHER._replace(transaction_id="T2")]
    await sandbox.pay(order(sent, debtor_account="9000000002", creditor_agent=""), SWITCH)
    await sandbox.advance()
    wish = [one._replace(transaction_id="T1") for one in _recalled(1)]
    assert await _send(sandbox, _recall(wish, SWITCH, assigner=PAYER), SWITCH) == (202, None)
    await sandbox.advance()
    (answer,) = _answers(sandbox)
    assert _told(answer) == {"E1": ("ACCR", "")}
    assert await sandbox.balance(PAYER, "9000000002") == FULL - 500
    await sandbox.proof()


async def test_a_recall_and_a_planned_return_give_back_once(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012349920")]))
    await sandbox.advance()
    await _send(sandbox, _recall(_recalled(1)))
    await sandbox.advance(days=4)
    assert len(_returns(sandbox)) == 1
    assert await sandbox.balance(PAYER, "9000000001") == FULL
    await sandbox.proof()
