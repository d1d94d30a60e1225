"""Every published magic value does what docs/simulators.md says."""

import pytest
from simulators_sandbox import KASH, PAYER, UNION, Sandbox, order, statuses, transfer

from connector.domain.errors import Refused
from connector.domain.messages import PaymentReturn, StatusReport
from simulators.bank.faults import ACCOUNT_REASONS, AMOUNT_REASONS, REPORTS_BY_SUFFIX, RETURNS
from simulators.mobile_money.faults import WALLET_REASONS

ORDER_ID = "AAAAAAAAAAAAAAAAAAAAP0"
GOOD = transfer(1, "1012345678")


async def test_account_suffixes_are_rejected_with_their_reasons(sandbox: Sandbox) -> None:
    accounts = [transfer(number, f"101234{suffix}") for number, suffix in enumerate(ACCOUNT_REASONS)]
    await sandbox.pay(order([*accounts, transfer(99, "1012345678")]))
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    told = statuses(report)
    assert told.pop("E99") == ("ACCC", "")
    assert told == {f"E{number}": ("RJCT", code) for number, code in enumerate(ACCOUNT_REASONS.values())}
    await sandbox.proof()


async def test_wallet_suffixes_are_rejected_with_their_reasons(sandbox: Sandbox) -> None:
    wallets = [transfer(number, f"9997012{suffix}", agent=KASH) for number, suffix in enumerate(WALLET_REASONS)]
    await sandbox.pay(order(wallets))
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    assert statuses(report) == {f"E{number}": ("RJCT", code) for number, code in enumerate(WALLET_REASONS.values())}
    await sandbox.proof()


async def test_amounts_are_rejected_by_the_payer_bank(sandbox: Sandbox) -> None:
    transfers = [transfer(number, "1012345678", minor) for number, minor in enumerate(AMOUNT_REASONS)]
    await sandbox.pay(order([*transfers, transfer(99, "1012345678")]))
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    told = statuses(report)
    assert told.pop("E99") == ("ACCC", "")
    assert told == {f"E{number}": ("RJCT", code) for number, code in enumerate(AMOUNT_REASONS.values())}
    await sandbox.proof()


@pytest.mark.parametrize("suffix", RETURNS)
async def test_returns_come_on_their_day(sandbox: Sandbox, suffix: str) -> None:
    days = RETURNS[suffix].return_after_days or 0
    await sandbox.pay(order([GOOD, transfer(2, f"101234{suffix}", 2500)]))
    await sandbox.advance()
    if days:
        assert len(sandbox.connector.pushed) == 1
        assert await sandbox.balance(UNION, f"101234{suffix}") == 2500
    await sandbox.advance(days=days or 1)
    report, given = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert isinstance(given, PaymentReturn)
    assert given.original_message_id == ORDER_ID
    assert [(one.end_to_end_id, one.amount_minor, one.reason) for one in given.returns] == [
        ("E2", 2500, RETURNS[suffix].reason)
    ]
    assert await sandbox.balance(UNION, f"101234{suffix}") == 0
    await sandbox.proof()


async def _report_with(sandbox: Sandbox, suffix: str) -> tuple[int, StatusReport | None]:
    status, answer = await sandbox.pay(order([GOOD, transfer(2, f"101234{suffix}"), transfer(3, "1012345680")]))
    await sandbox.advance()
    assert answer is None or isinstance(answer, StatusReport)
    return status, answer


def _group_statuses(sandbox: Sandbox) -> list[str]:
    return [message.group_status for message in sandbox.connector.messages() if isinstance(message, StatusReport)]


async def test_a_silent_report_is_only_given_when_asked_for(sandbox: Sandbox) -> None:
    await _report_with(sandbox, "9940")
    assert sandbox.connector.pushed == []
    status, report = await sandbox.inquire(ORDER_ID)
    assert isinstance(report, StatusReport)
    assert (status, report.group_status) == (200, "ACCC")


async def test_a_late_report_comes_an_hour_later(sandbox: Sandbox) -> None:
    await _report_with(sandbox, "9941")
    _, before = await sandbox.inquire(ORDER_ID)
    assert isinstance(before, StatusReport)
    assert before.group_status == "ACCP"
    assert sandbox.connector.pushed == []
    await sandbox.advance(seconds=3600)
    assert _group_statuses(sandbox) == ["ACCC"]


async def test_a_report_comes_twice(sandbox: Sandbox) -> None:
    await _report_with(sandbox, "9942")
    assert _group_statuses(sandbox) == ["ACCC", "ACCC"]


async def test_reports_come_out_of_order(sandbox: Sandbox) -> None:
    status, answer = await _report_with(sandbox, "9943")
    assert (status, answer) == (202, None)
    assert _group_statuses(sandbox) == ["ACCC", "ACSP"]


async def test_a_malformed_report_is_followed_by_a_good_one_on_inquiry(sandbox: Sandbox) -> None:
    await _report_with(sandbox, "9944")
    with pytest.raises(Refused):
        sandbox.connector.messages()
    _, report = await sandbox.inquire(ORDER_ID)
    assert isinstance(report, StatusReport)
    assert report.group_status == "ACCC"


async def test_a_report_has_wrong_totals(sandbox: Sandbox) -> None:
    await _report_with(sandbox, "9945")
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert (report.original_count, report.original_total) == (4, "0.01")


async def test_a_report_comes_in_parts(sandbox: Sandbox) -> None:
    await _report_with(sandbox, "9946")
    parts = [statuses(message) for message in sandbox.connector.messages()]
    assert [list(part) for part in parts] == [["E3"], ["E2"], ["E1"]]


async def test_a_mute_bank_says_nothing_even_when_asked(sandbox: Sandbox) -> None:
    status, _ = await _report_with(sandbox, "9947")
    assert status == 202
    assert await sandbox.inquire(ORDER_ID) == (204, None)
    assert sandbox.connector.pushed == []


async def test_a_pending_report_is_final_an_hour_later(sandbox: Sandbox) -> None:
    await _report_with(sandbox, "9948")
    assert _group_statuses(sandbox) == ["ACSP"]
    await sandbox.advance(seconds=3600)
    assert _group_statuses(sandbox) == ["ACSP", "ACCC"]


async def test_a_report_is_about_a_message_that_was_never_sent(sandbox: Sandbox) -> None:
    await _report_with(sandbox, "9949")
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert report.original_message_id == "ZZZZZZZZZZZZZZZZZZZZP0"


async def test_an_answer_is_lost_after_the_order_was_taken(sandbox: Sandbox) -> None:
    status, _ = await sandbox.pay(order([transfer(2, "1012349950")]))
    assert status == 503
    status, again = await sandbox.pay(order([transfer(2, "1012349950")]))
    assert isinstance(again, StatusReport)
    await sandbox.advance()
    assert await sandbox.balance(UNION, "1012349950") == 1000
    assert _group_statuses(sandbox) == ["ACCC"]


@pytest.mark.parametrize(("suffix", "reason"), [("9951", "NARR"), ("9952", "DU01")])
async def test_a_whole_message_is_refused(sandbox: Sandbox, suffix: str, reason: str) -> None:
    status, answer = await _report_with(sandbox, suffix)
    assert isinstance(answer, StatusReport)
    assert (status, answer.group_status, answer.group_reason) == (200, "RJCT", reason)
    assert await sandbox.balance(UNION, "1012345678") == 0
    await sandbox.proof()


def test_every_report_suffix_has_a_test() -> None:
    assert sorted(REPORTS_BY_SUFFIX) == [f"99{number}" for number in range(40, 53)]


async def test_an_account_without_money_is_short_of_funds(sandbox: Sandbox) -> None:
    _, answer = await sandbox.pay(order([GOOD], debtor_account="9000000004"))
    assert isinstance(answer, StatusReport)
    assert (answer.group_status, answer.group_reason) == ("RJCT", "AM04")


async def test_a_foreign_debtor_is_refused(sandbox: Sandbox) -> None:
    _, answer = await sandbox.pay(order([GOOD], debtor_account="9000000003"))
    assert isinstance(answer, StatusReport)
    assert (answer.group_status, answer.group_reason) == ("RJCT", "AC02")
    assert await sandbox.balance(PAYER, "SUSPENSE") == 0
