"""Whatever happens to payments, in whatever order, the money adds up."""

import random
from dataclasses import replace
from datetime import date
from typing import Final

import pytest
from simulators_sandbox import NOW, PAYER, SWITCH, Sandbox, order, transfer

from connector.domain.messages import CreditTransfer, PaymentRequest, Recall, RecalledTransfer, RequestedPayment
from simulators.world import institution_of

FULL: Final = 10_000_000_000_000
SUFFIXES: Final = (
    "5678", "5679", "9904", "9920", "9921", "9922", "9925", "9927", "9928", "9929", "9930", "9931", "9932", "9940",
    "9948", "9953", "9961", "9962",
)  # fmt: skip
PLACES: Final = ("101234", "201234", "9997012")


def _order(chance: random.Random, number: int) -> CreditTransfer:
    """An order of today or of the days to come, its payments ordinary and magic."""
    accounts = [chance.choice(PLACES) + chance.choice(SUFFIXES) for _ in range(chance.randint(1, 6))]
    transfers = [
        transfer(number * 100 + place, account, chance.randint(1, 5000), institution_of(account))._replace(
            transaction_id=f"T{number}.{place}"
        )
        for place, account in enumerate(accounts)
    ]
    day = date(2026, 3, 2 + chance.choice((0, 0, 0, 1, 3)))
    return order(transfers, f"AAAAAAAAAAAAAAAAAAAAP{number}", creditor_agent="", execution_date=day)


def _recall(chance: random.Random, number: int, paid: CreditTransfer, to: str) -> Recall:
    """A recall of a whole order or of some of its payments."""
    some = [one for one in paid.transfers if chance.random() < 0.6] if chance.random() < 0.7 else []
    wishes = [
        RecalledTransfer(f"C{number}.{place}", one.instruction_id, one.end_to_end_id, "", one.amount_minor, "CUST")
        for place, one in enumerate(some)
    ]
    name = "pacs.008.001.08" if to == SWITCH else "pain.001.001.09"
    ids = (f"RECALL{number}", NOW, f"CASE{number}", PAYER, to)
    return Recall(*ids, paid.message_id, name, "USD", paid.execution_date, paid.message_id, "CUST", transfers=wishes)


def _request(chance: random.Random, number: int) -> tuple[str, PaymentRequest]:
    """A request to one customer to pay another."""
    debtor = chance.choice(PLACES) + chance.choice(SUFFIXES)
    creditor = chance.choice(PLACES) + chance.choice(("5678", "9904", "9921", "9930"))
    minor = chance.choice((1, 700, 1_000_001))
    asked = RequestedPayment("I1", f"R{number}", minor, institution_of(creditor), "Shop", creditor)
    name, today = f"REQUEST{number}", date(2026, 3, 2)
    place = institution_of(debtor)
    request = PaymentRequest(name, NOW, "Shop", name, "USD", minor, "Ada", debtor, place, today, [asked])
    return place, replace(request, expiry_date=date(2026, 3, 4))


@pytest.mark.parametrize("seed", range(3))
async def test_no_mixture_of_exceptions_makes_or_loses_money(sandbox: Sandbox, seed: int) -> None:
    await _live(sandbox, random.Random(seed))
    await _end(sandbox)


@pytest.mark.parametrize("seed", range(3, 6))
async def test_positions_mirror_when_nobody_waits_for_ever(sandbox: Sandbox, seed: int) -> None:
    for code in (PAYER, SWITCH):
        await sandbox.rules(code, {"when": {}, "then": {"time_out": "AB05"}})
    await _live(sandbox, random.Random(seed))
    await _end(sandbox)
    await sandbox.proof()
    rows = {code: await sandbox.admin("GET", f"{code}/balances") for code in (PAYER, SWITCH)}
    assert not [row for code in rows for row in rows[code] if row["account"] == "SUSPENSE" and row["minor"]]


async def _live(sandbox: Sandbox, chance: random.Random) -> None:
    paid: list[tuple[str, CreditTransfer]] = []
    for number in range(24):
        match chance.choice(("order", "order", "recall", "request", "wait")):
            case "order":
                to = chance.choice((PAYER, SWITCH))
                paid.append((to, _order(chance, number)))
                await sandbox.pay(paid[-1][1], to)
            case "recall" if paid:
                to, one = chance.choice(paid)
                name = "camt.056.001.08" if to == SWITCH else "camt.055.001.08"
                await sandbox.send(to, name, _recall(chance, number, one, to))
            case "request":
                place, request = _request(chance, number)
                await sandbox.send(place, "pain.013.001.07", request)
            case _:
                await sandbox.advance(seconds=chance.choice((0, 61, 4000, 90_000)))


async def _end(sandbox: Sandbox) -> None:
    """Everything that will ever be answered is answered; only the mute leave money in suspense."""
    for _ in range(10):
        await sandbox.advance(days=5)
    proof = await sandbox.admin("GET", "ledger")
    assert proof["balanced"], proof
    assert not [one for one in proof["ledgers"] if one["dead"]]
    rows = {code: await sandbox.admin("GET", f"{code}/balances") for code in (PAYER, SWITCH, "UNIOXU22", "HARBXU22")}
    assert all(row["minor"] >= 0 for row in rows["UNIOXU22"] + rows["HARBXU22"] if row["account"][0].isdigit())
    assert all(row["minor"] >= 0 for code in (PAYER, SWITCH) for row in rows[code] if row["account"] == "SUSPENSE")
