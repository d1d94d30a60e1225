"""What happens about silence: questions (pacs.028), payees that never answer, orders that get lost."""

from typing import Any

import pytest
from simulators_sandbox import NOW, PAYER, SWITCH, UNION, Sandbox, order, statuses, transfer

from connector.domain.messages import InquiredTransfer, StatusInquiry, StatusReport

FULL = 10_000_000_000_000
ORDER_ID = "AAAAAAAAAAAAAAAAAAAAP0"
GOOD = transfer(1, "1012345678")
HOUR = 3600


def _inquiry(*numbers: int, version: str = "pain.001.001.09") -> StatusInquiry:
    asked = [InquiredTransfer(f"I{number}", f"E{number}", "") for number in numbers]
    return StatusInquiry("ASK1", NOW, ORDER_ID, version, asked)


async def _ask(sandbox: Sandbox, *numbers: int, name: str = "pacs.028.001.03", to: str = PAYER) -> tuple[int, Any]:
    return await sandbox.send(to, name, _inquiry(*numbers))


@pytest.mark.parametrize("name", ["pacs.028.001.03", "pacs.028.001.05"])
async def test_an_inquiry_is_answered_with_the_current_status(sandbox: Sandbox, name: str) -> None:
    assert (await _ask(sandbox, name=name))[0] == 404
    await sandbox.pay(order([transfer(1, "1012349940")]))
    await sandbox.advance()
    status, report = await _ask(sandbox, name=name)
    assert (status, report.group_status) == (200, "ACCC")


async def test_an_inquiry_about_single_payments_is_answered_about_those(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD, transfer(2, "1012349904"), transfer(3, "1012349904")]))
    await sandbox.advance()
    _, report = await _ask(sandbox, 1, 2)
    assert statuses(report) == {"E1": ("ACCC", ""), "E2": ("RJCT", "AC04")}


async def test_an_inquiry_finds_payments_still_under_way(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012349931")]))
    _, report = await _ask(sandbox, 1)
    assert statuses(report) == {"E1": ("ACSP", "")}


@pytest.mark.parametrize(("word", "status"), [("silent", 204), ("unknown", 404)])
async def test_a_rule_spoils_the_answer_to_an_inquiry(sandbox: Sandbox, word: str, status: int) -> None:
    await sandbox.rules(PAYER, {"when": {}, "then": {"inquiry": word}})
    await sandbox.pay(order([GOOD]))
    await sandbox.advance()
    assert (await _ask(sandbox))[0] == status
    assert (await sandbox.inquire(ORDER_ID))[0] == status


async def test_a_lost_order_is_carried_out_when_it_comes_again(sandbox: Sandbox) -> None:
    lost = order([transfer(1, "1012349953")])
    assert (await sandbox.pay(lost))[0] == 202
    await sandbox.advance(days=1)
    assert (await _ask(sandbox))[0] == 404
    assert (await sandbox.pay(lost))[0] == 200
    await sandbox.advance()
    assert await sandbox.balance(UNION, "1012349953") == 1000
    await sandbox.proof()


async def test_a_silent_payee_answers_when_the_payer_bank_asks(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012349930"), GOOD._replace(end_to_end_id="E2", instruction_id="I2")]))
    await sandbox.advance()
    assert sandbox.connector.pushed == []
    await sandbox.advance(seconds=60)
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert report.group_status == "ACCC"
    await sandbox.proof()


async def test_a_mute_payee_leaves_the_payments_pending(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012349931")]))
    for _ in range(8):
        await sandbox.advance(seconds=HOUR)
    assert sandbox.connector.pushed == []
    _, report = await _ask(sandbox)
    assert report.group_status == "ACCP"
    jobs = await sandbox.admin("GET", f"{PAYER}/jobs")
    assert jobs == {"done": 6}  # the transfer, and five questions about it


async def test_the_payer_bank_gives_up_where_a_rule_says_so(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012349932"), transfer(2, "1012345679", 70)]))
    for _ in range(8):
        await sandbox.advance(seconds=HOUR)
    (report,) = sandbox.connector.messages()
    assert statuses(report) == {"E1": ("RJCT", "AB05"), "E2": ("RJCT", "AB05")}
    assert await sandbox.balance(PAYER, "9000000001") == FULL
    assert await sandbox.balance(UNION, "1012349932") == 0
    await sandbox.proof()


async def test_the_switch_gives_up_too(sandbox: Sandbox) -> None:
    await sandbox.rules(SWITCH, {"when": {}, "then": {"time_out": "AB06"}})
    await sandbox.rules(UNION, {"when": {}, "then": {"report": "mute"}})
    await sandbox.pay(order([GOOD._replace(transaction_id="T1")], debtor_account="9000000002"), SWITCH)
    for _ in range(8):
        await sandbox.advance(seconds=HOUR)
    (report,) = sandbox.connector.messages()
    assert statuses(report) == {"E1": ("RJCT", "AB06")}
    assert await sandbox.balance(UNION, "1012345678") == 0
    await sandbox.proof()


async def test_a_transfer_that_the_payee_lost_is_sent_again(sandbox: Sandbox) -> None:
    await sandbox.rules(UNION, {"when": {}, "then": {"report": "lost"}, "times": 1})
    await sandbox.pay(order([GOOD]))
    await sandbox.advance()
    assert await sandbox.balance(UNION, "1012345678") == 0
    await sandbox.advance(seconds=60)
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert report.group_status == "ACCC"
    assert await sandbox.balance(UNION, "1012345678") == 1000
    await sandbox.proof()
