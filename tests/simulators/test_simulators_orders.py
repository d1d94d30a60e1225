"""What banks check, what they do with repetitions, verification, the switch route, JSON, rules and the clock."""

import json
from datetime import date
from typing import Any

import pytest
from simulators_sandbox import HARBOUR, NOW, PAYER, SWITCH, UNION, Sandbox, order, statuses, transfer

from connector.domain.messages import AccountToVerify, StatusReport, VerificationReport, VerificationRequest

FULL = 10_000_000_000_000
GOOD = transfer(1, "1012345678")
ORDER_ID = "AAAAAAAAAAAAAAAAAAAAP0"


def _last(sandbox: Sandbox) -> StatusReport:
    report = sandbox.connector.messages()[-1]
    assert isinstance(report, StatusReport)
    return report


async def test_a_repeated_order_is_answered_again_and_booked_once(sandbox: Sandbox) -> None:
    for _ in range(3):
        status, ack = await sandbox.pay(order([GOOD]))
        assert status == 200
        assert isinstance(ack, StatusReport)
        assert ack.group_status == "ACCP"
    await sandbox.advance()
    assert await sandbox.balance(PAYER, "9000000001") == FULL - 1000
    assert len(sandbox.connector.pushed) == 1
    await sandbox.proof()


async def test_a_used_message_id_with_other_content_is_refused(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD]))
    _, answer = await sandbox.pay(order([transfer(1, "1012345678", 2000)]))
    assert isinstance(answer, StatusReport)
    assert (answer.group_status, answer.group_reason) == ("RJCT", "DU01")
    await sandbox.advance()
    assert await sandbox.balance(UNION, "1012345678") == 1000


async def test_a_payee_bank_credits_a_repeated_transfer_once(sandbox: Sandbox) -> None:
    message = order([GOOD._replace(transaction_id="T1")], instructed_agent=UNION)
    answers = [await sandbox.send(UNION, "pacs.008.001.08", message) for _ in range(2)]
    assert [answer.group_status for _, answer in answers if isinstance(answer, StatusReport)] == ["ACCC", "ACCC"]
    assert await sandbox.balance(UNION, "1012345678") == 1000


async def test_one_transaction_id_twice_in_a_message_is_credited_once(sandbox: Sandbox) -> None:
    twice = [GOOD._replace(transaction_id="T1"), transfer(2, "1012345679")._replace(transaction_id="T1")]
    _, answer = await sandbox.send(UNION, "pacs.008.001.08", order(twice, instructed_agent=UNION))
    assert statuses(answer) == {"E2": ("RJCT", "AM05")}


async def test_an_order_for_several_institutions_is_split_and_reported_once(sandbox: Sandbox) -> None:
    transfers = [GOOD, transfer(2, "2012345678", 500, HARBOUR), transfer(3, "1012345678", 7, "NOBKXU22")]
    await sandbox.pay(order(transfers, creditor_agent=""))
    await sandbox.advance()
    assert statuses(_last(sandbox)) == {"E1": ("ACCC", ""), "E2": ("ACCC", ""), "E3": ("RJCT", "RC01")}
    assert await sandbox.balance(PAYER, "9000000001") == FULL - 1500
    await sandbox.proof()


async def test_an_order_for_another_day_waits_for_it(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD], execution_date=date(2026, 3, 4)))
    await sandbox.advance(days=1)
    assert sandbox.connector.pushed == []
    await sandbox.advance(days=1)
    assert _last(sandbox).group_status == "ACCC"


async def test_an_order_after_the_cut_off_waits_for_tomorrow(sandbox: Sandbox) -> None:
    await sandbox.rules(PAYER, {"when": {}, "then": {"cut_off": "09:59"}})
    await sandbox.pay(order([GOOD]))
    await sandbox.advance(seconds=23 * 3600)
    assert sandbox.connector.pushed == []
    await sandbox.advance(seconds=3600)
    assert _last(sandbox).group_status == "ACCC"


async def test_the_switch_routes_and_advises_the_funding_bank(sandbox: Sandbox) -> None:
    transfers = [
        GOOD._replace(transaction_id="T1"),
        transfer(2, "2012349904", 500, HARBOUR)._replace(transaction_id="T2"),
        transfer(3, "1012349920", 70)._replace(transaction_id="T3"),
    ]
    message = order(transfers, debtor_account="9000000002", creditor_agent="")
    status, ack = await sandbox.pay(message, SWITCH)
    assert status == 200
    assert isinstance(ack, StatusReport)
    await sandbox.advance()
    assert statuses(_last(sandbox))["E2"] == ("RJCT", "AC04")
    assert await sandbox.balance(PAYER, "9000000002") == FULL - 1070
    await sandbox.proof()
    await sandbox.advance(days=3)
    assert sandbox.connector.pushed[-1][0] == SWITCH
    assert await sandbox.balance(PAYER, "9000000002") == FULL - 1000
    await sandbox.proof()


async def test_accounts_are_verified_at_their_institutions(sandbox: Sandbox) -> None:
    asked = [
        AccountToVerify("V1", "1012345678", "Ada", UNION),
        AccountToVerify("V2", "1012349904", "Ada", UNION),
        AccountToVerify("V3", "2012345678", "Ada", HARBOUR),
        AccountToVerify("V4", "777", "Ada", HARBOUR),
    ]
    request = VerificationRequest("AAAAAAAAAAAAAAAAAAAAV0", NOW, "Ministry", PAYER, asked)
    status, _ = await sandbox.send(PAYER, "acmt.023.001.03", request)
    assert status == 202
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    assert isinstance(report, VerificationReport)
    results = {one.id: (one.verified, one.reason) for one in report.results}
    assert results == {"V1": (True, ""), "V2": (False, "AC04"), "V3": (True, ""), "V4": (False, "AC01")}
    status, again = await sandbox.inquire("AAAAAAAAAAAAAAAAAAAAV0")
    assert isinstance(again, VerificationReport)


async def test_reports_are_sent_again_until_the_connector_takes_them(sandbox: Sandbox) -> None:
    sandbox.connector.status = 503
    await sandbox.pay(order([GOOD]))
    await sandbox.advance()
    assert sandbox.connector.pushed == []
    sandbox.connector.status = 200
    await sandbox.advance(seconds=60)
    assert _last(sandbox).group_status == "ACCC"


async def test_an_inquiry_about_an_unknown_message_finds_nothing(sandbox: Sandbox) -> None:
    assert await sandbox.inquire("NEVERSENT") == (404, None)


@pytest.mark.parametrize("body", [b"", b"<a/>", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", b"\x00" * 10])
@pytest.mark.parametrize("code", [PAYER, SWITCH, "KASHXU22"])
async def test_what_is_no_message_is_refused(sandbox: Sandbox, body: bytes, code: str) -> None:
    assert await sandbox.post(code, body) == (400, None)


async def test_a_rule_rejects_a_share_of_the_payments(sandbox: Sandbox) -> None:
    await sandbox.rules(UNION, {"when": {"share": 0.5}, "then": {"status": "RJCT", "reason": "AC06"}})
    await sandbox.pay(order([transfer(number, f"10123456{number:02}") for number in range(60)]))
    await sandbox.advance()
    rejected = [code for code in statuses(_last(sandbox)).values() if code == ("RJCT", "AC06")]
    assert 15 < len(rejected) < 45
    await sandbox.proof()


async def test_a_rule_is_good_for_so_many_messages(sandbox: Sandbox) -> None:
    await sandbox.rules(PAYER, {"when": {}, "then": {"http": 503}, "times": 1})
    assert (await sandbox.pay(order([GOOD])))[0] == 503
    assert await sandbox.inquire(ORDER_ID) == (404, None)
    assert (await sandbox.pay(order([GOOD])))[0] == 200


async def test_rules_by_amount_account_and_currency(sandbox: Sandbox) -> None:
    await sandbox.rules(
        UNION,
        {"when": {"amount_minor": 5}, "then": {"status": "RJCT", "reason": "AM02"}},
        {"when": {"account": "78$"}, "then": {"status": "RJCT", "reason": "AC07"}},
        {"when": {"currency": "EUR"}, "then": {"status": "RJCT", "reason": "AM03"}},
    )
    await sandbox.pay(order([GOOD, transfer(2, "1012345679", 5), transfer(3, "1012345679")]))
    await sandbox.advance()
    assert statuses(_last(sandbox)) == {"E1": ("RJCT", "AC07"), "E2": ("RJCT", "AM02"), "E3": ("ACCC", "")}
    await sandbox.admin("DELETE", f"{UNION}/rules")
    assert await sandbox.admin("GET", f"{UNION}/rules") == []


@pytest.mark.parametrize(
    "rule",
    [
        {"when": {"account": "("}, "then": {}},
        {"when": {}, "then": {"report": "sideways"}},
        {"when": {}, "then": {"reason": "much too long"}},
        {"when": {}, "else": {}},
    ],
)
async def test_a_wrong_rule_is_refused(sandbox: Sandbox, rule: dict[str, Any]) -> None:
    async with sandbox.http.put(f"{sandbox.url}/sim/{PAYER}/rules", data=json.dumps([rule])) as response:
        assert response.status == 400
        assert (await response.json())["errors"][0]["sentence"]


async def test_a_late_payee_is_waited_for(sandbox: Sandbox) -> None:
    await sandbox.rules(UNION, {"when": {}, "then": {"report": "late", "delay_seconds": 600}})
    await sandbox.pay(order([GOOD]))
    await sandbox.advance()
    assert sandbox.connector.pushed == []
    await sandbox.advance(seconds=600)
    assert _last(sandbox).group_status == "ACCC"
    await sandbox.proof()


async def test_a_reset_forgets_everything(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD]))
    await sandbox.advance(days=5)
    await sandbox.admin("POST", "reset")
    assert await sandbox.admin("GET", f"{PAYER}/balances") == []
    assert (await sandbox.admin("GET", "clock"))["offset_seconds"] == 0


async def test_lists_show_ids_and_states_only(sandbox: Sandbox) -> None:
    await sandbox.pay(order([GOOD]))
    await sandbox.advance()
    (message,) = await sandbox.admin("GET", f"{PAYER}/messages")
    assert (message["message_id"], message["state"]) == (ORDER_ID, "final")
    (movement,) = await sandbox.admin("GET", f"{UNION}/statements/1012345678")
    assert movement["minor"] == 1000
    assert len(await sandbox.admin("GET", "institutions")) == 6
