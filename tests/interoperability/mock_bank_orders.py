"""Payment orders to mock-bank: people at another bank, and the two accounts to which it refuses to pay."""

from datetime import UTC, date, datetime

from connector.domain.messages import CreditTransfer, Transfer

PAYEES = 150
REJECTED = {"E2E-CLOSED": ("AC04", 340050), "E2E-NOBANK": ("RC01", 99)}
"""What mock-bank's own seeded accounts make of a payment to them."""


def checked_iban(own: str) -> str:
    """An IBAN of the Netherlands with right check digits (ISO 13616)."""
    digits = "".join(str(int(character, 36)) for character in f"{own}NL00")
    return f"NL{98 - int(digits) % 97:02d}{own}"


def payments_of(transfers: list[Transfer], message_id: str = "ISOGATE-1") -> CreditTransfer:
    return CreditTransfer(
        message_id=message_id,
        created=datetime(2026, 10, 1, 9, 0, tzinfo=UTC),
        currency="EUR",
        total_minor=sum(transfer.amount_minor for transfer in transfers),
        initiating_party="Ministry of Pensions",
        debtor_name="ACME Corporation",
        debtor_account="NL41MOCK0000000001",
        debtor_agent="MOCKNL2A",
        execution_date=date(2026, 10, 1),
        transfers=transfers,
        payment_information_id=f"{message_id}-P",
        category_purpose="PENS",
    )


def to_people(count: int = PAYEES) -> list[Transfer]:
    """Payments to people at another bank: each for another amount, with all that a payment may have."""
    return [
        Transfer(
            instruction_id=f"INSTR{number:04d}",
            end_to_end_id=f"E2E{number:04d}",
            transaction_id="",
            amount_minor=1000 + 7 * number,
            creditor_agent="UNIONL2AXXX",
            creditor_name=f"Müller & <Søn> {number}",
            creditor_account=checked_iban(f"UNIO{number:010d}"),
            remittance="Pension of October & arrears",
            purpose="PENS",
        )
        for number in range(count)
    ]


def settled(transfers: list[Transfer]) -> dict[str, int]:
    """What the bank pays, by end-to-end id."""
    return {each.end_to_end_id: each.amount_minor for each in transfers if each.end_to_end_id not in REJECTED}


def refused(closed: dict[str, str], nobank: dict[str, str]) -> list[Transfer]:
    """Payments that the bank rejects: one to a closed account, one to a bank that there is not."""
    to_them = [("E2E-CLOSED", closed), ("E2E-NOBANK", nobank)]
    return [
        Transfer(f"I-{name}", name, "", REJECTED[name][1], to["bic"], to["name"], to["iban"]) for name, to in to_them
    ]


def only(values: list[bytes]) -> bytes:
    """The one message that there must be."""
    (value,) = values
    return value
