"""Each scheme spoken with a simulated institution over HTTP: pay, be told, ask; each side by its own profiles."""

from datetime import date

import pytest
from simulators_sandbox import KASH, NOW, PAYER, SWITCH, UNION, order, statuses, transfer

from connector.domain.messages import CreditTransfer, InquiredTransfer, StatusInquiry, StatusReport
from connector.iso20022.scheme import Job

UETR = "8b3f1c52-6a0e-4c2b-a5d7-2f7c6f0e9a11"
PAID, CLOSED = "1000000001", "1000009904"


async def speak(sandbox, code: str, scheme: str, job: Job, value) -> StatusReport:
    """Hand a message over in its scheme, wait until it was carried out, and read the last that was said of it."""
    await sandbox.admin("PUT", f"{code}/scheme", {"scheme": scheme})
    message = sandbox.engine.scheme(scheme).message(job)
    body = sandbox.engine.compose(scheme, message, value, receiver=code).body
    async with sandbox.http.post(f"{sandbox.url}/{code}/iso20022", data=body) as response:
        answered = await response.read()
        assert response.status in {200, 202}, answered
    await sandbox.advance()
    said = [body for sender, body in sandbox.connector.pushed if sender == code] or [answered]
    report = sandbox.engine.read(said[-1], profile=scheme).value
    assert isinstance(report, StatusReport)
    return report


def payment(scheme: str, *accounts: str, agent: str = UNION) -> CreditTransfer:
    """A payment as the scheme wants it, to these accounts."""
    rows = [
        transfer(number, account, agent=agent)._replace(transaction_id=f"T{number}", uetr=UETR)
        for number, account in enumerate(accounts)
    ]
    return order(rows, modality="01" if agent == KASH else "00", debtor_town="Capital", debtor_country="SL")


@pytest.mark.parametrize("scheme", ["cgi", "othr"])
async def test_a_payer_bank_reports_payment_by_payment(sandbox, scheme):
    report = await speak(sandbox, PAYER, scheme, Job.INITIATION, payment(scheme, PAID, CLOSED))
    told = statuses(report)
    assert told["E0"][0].startswith("AC")
    assert told["E1"] == ("RJCT", "AC04")
    await sandbox.proof()


@pytest.mark.parametrize(("account", "reason"), [(PAID, ""), (CLOSED, "AC04")])
@pytest.mark.parametrize(
    ("scheme", "code", "job"),
    [
        ("cbprplus", PAYER, Job.INITIATION),
        ("cbprplus", SWITCH, Job.INTERBANK),
        ("instant-africa", SWITCH, Job.INTERBANK),
        ("othr", SWITCH, Job.INTERBANK),
    ],
)
async def test_single_payments_are_paid_or_say_why_not(sandbox, scheme, code, job, account, reason):
    report = await speak(sandbox, code, scheme, job, payment(scheme, account))
    ((status, why),) = statuses(report).values() or [(report.group_status, report.group_reason)]
    assert why == reason
    assert status == ("RJCT" if reason else status)
    assert reason or status.startswith("AC")
    await sandbox.proof()


async def test_a_wallet_is_paid_through_the_instant_switch(sandbox):
    value = payment("instant-africa", "99970000001", agent=KASH)
    report = await speak(sandbox, SWITCH, "instant-africa", Job.INTERBANK, value)
    assert all(status.startswith("AC") for status, _ in statuses(report).values())
    assert await sandbox.balance(KASH, "99970000001") == 1000


async def test_the_instant_switch_answers_an_inquiry(sandbox):
    paid = payment("instant-africa", PAID)
    await speak(sandbox, SWITCH, "instant-africa", Job.INTERBANK, paid)
    asked = StatusInquiry(
        message_id="ASK1",
        created=NOW,
        original_message_id=paid.message_id,
        original_message="pacs.008.001.10",
        transactions=[InquiredTransfer("I0", "E0", "T0")],
        instructing_agent=PAYER,
        instructed_agent=SWITCH,
    )
    report = await speak(sandbox, SWITCH, "instant-africa", Job.INQUIRY, asked)
    assert report.original_message_id == paid.message_id


async def test_a_sepa_bank_pays_to_ibans(sandbox):
    value = payment("sepa", "XU37UNIO1000000001", "XU85UNIO1000009904")
    value = order(
        value.transfers, currency="EUR", debtor_account="XU52TREA9000000001", execution_date=date(2026, 3, 2)
    )
    report = await speak(sandbox, PAYER, "sepa", Job.INITIATION, value)
    assert statuses(report) == {"E0": ("ACCC", ""), "E1": ("RJCT", "AC04")}
    assert await sandbox.balance(UNION, "XU37UNIO1000000001", "EUR") == 1000
    await sandbox.proof()


async def test_an_iban_that_is_nobodys_is_refused(sandbox):
    value = payment("sepa", "DE89370400440532013000")
    value = order(value.transfers, currency="EUR", debtor_account="BE68539007547034", execution_date=date(2026, 3, 2))
    report = await speak(sandbox, PAYER, "sepa", Job.INITIATION, value)
    told = set(statuses(report).values()) or {(report.group_status, report.group_reason)}
    assert told == {("RJCT", "AC02")}
