"""A payment's way through payer bank, payee institution and switch."""

import pytest
from simulators_sandbox import KASH, PAYER, UNION, Sandbox, order, statuses, transfer

from connector.domain.messages import StatusReport


async def test_a_good_order_is_acknowledged_then_reported_settled(sandbox: Sandbox) -> None:
    status, ack = await sandbox.pay(order([transfer(1, "1012345678"), transfer(2, "1012345679", 2500)]))
    assert status == 200
    assert isinstance(ack, StatusReport)
    assert ack.group_status == "ACCP"
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert (report.original_message_id, report.group_status) == ("AAAAAAAAAAAAAAAAAAAAP0", "ACCC")
    assert await sandbox.balance(UNION, "1012345679") == 2500
    assert await sandbox.balance("NSWIXU22", UNION) == 3500
    await sandbox.proof()


async def test_what_the_payee_bank_rejects_goes_back_to_the_debtor(sandbox: Sandbox) -> None:
    before = 10_000_000_000_000
    await sandbox.pay(order([transfer(1, "1012345678"), transfer(2, "1012349904", 2500), transfer(3, "777", 1)]))
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert report.group_status == "PART"
    assert statuses(report) == {"E1": ("ACCC", ""), "E2": ("RJCT", "AC04"), "E3": ("RJCT", "AC01")}
    assert await sandbox.balance(PAYER, "9000000001") == before - 1000
    await sandbox.proof()


async def test_wallets_take_the_same_credits(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "+99970123456", 700, KASH)], modality="01"))
    await sandbox.advance()
    assert await sandbox.balance(KASH, "99970123456") == 700
    await sandbox.proof()


@pytest.mark.parametrize("reports_each", [True])
async def test_a_bank_may_list_every_payment_in_its_report(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012345678"), transfer(2, "1012345679", 2500)]))
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert report.group_status == "ACCC"
    assert statuses(report) == {"E1": ("ACCC", ""), "E2": ("ACCC", "")}
    assert await sandbox.balance(UNION, "1012345679") == 2500
    await sandbox.proof()


@pytest.mark.parametrize("reports_each", [True])
async def test_a_report_on_every_payment_says_which_were_rejected(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012345678"), transfer(2, "1012349904", 2500)]))
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert statuses(report) == {"E1": ("ACCC", ""), "E2": ("RJCT", "AC04")}
    await sandbox.proof()
