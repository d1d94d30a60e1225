"""Payments as each scheme wants them: what its own tests write, spoil and read."""

from dataclasses import replace
from datetime import UTC, date, datetime

from connector.domain.messages import CreditTransfer, Transfer

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
DAY = date(2026, 11, 23)

_FIRST = Transfer(
    instruction_id="INSTR0001",
    end_to_end_id="E2E0001",
    transaction_id="",
    amount_minor=12050,
    creditor_agent="UNIOXU22",
    creditor_name="Amina Yusuf",
    creditor_account="1000000001",
    remittance="Pension January",
    purpose="PENS",
)
_SECOND = _FIRST._replace(
    instruction_id="INSTR0002", end_to_end_id="E2E0002", amount_minor=8000, creditor_account="1000000002"
)
UETR = "8b3f1c52-6a0e-4c2b-a5d7-2f7c6f0e9a11"
PLAIN = CreditTransfer(
    message_id="MSG0001",
    created=NOW,
    currency="USD",
    total_minor=20050,
    initiating_party="Ministry of Labour",
    debtor_name="Ministry of Labour",
    debtor_account="9000000001",
    debtor_agent="TREAXU22",
    execution_date=DAY,
    transfers=[_FIRST, _SECOND],
    payment_information_id="PMT0001",
    modality="00",
    creditor_agent="UNIOXU22",
)
_SWITCHED = replace(
    PLAIN,
    instructing_agent="TREAXU22",
    instructed_agent="UNIOXU22",
    transfers=[
        _FIRST._replace(transaction_id="TX0001", uetr=UETR),
        _SECOND._replace(transaction_id="TX0002", uetr=UETR.replace("8b", "9c")),
    ],
)


def _in_euro(value: CreditTransfer) -> CreditTransfer:
    ibans = "DE89370400440532013000", "FR1420041010050500013M02606"
    transfers = [row._replace(creditor_account=iban) for row, iban in zip(value.transfers, ibans, strict=True)]
    return replace(value, currency="EUR", debtor_account="BE68539007547034", transfers=transfers)


def _alone(value: CreditTransfer) -> CreditTransfer:
    only = value.transfers[0]
    return replace(value, total_minor=only.amount_minor, transfers=[only])


def _addressed(value: CreditTransfer) -> CreditTransfer:
    transfers = [row._replace(creditor_town="Freetown", creditor_country="SL", uetr=UETR) for row in value.transfers]
    return _alone(replace(value, debtor_town="Mogadishu", debtor_country="SO", transfers=transfers))


INITIATIONS = {"cgi": PLAIN, "sepa": _in_euro(PLAIN), "cbprplus": _addressed(PLAIN), "othr": PLAIN}
"""A valid payment by each scheme's pain.001."""

INTERBANK = {
    "sepa": _in_euro(_SWITCHED),
    "cbprplus": _addressed(_SWITCHED),
    "instant-africa": replace(_alone(_SWITCHED), currency="SLE"),
    "othr": _SWITCHED,
}
"""A valid payment by each scheme's pacs.008."""


def with_first(value: CreditTransfer, **changed: object) -> CreditTransfer:
    """The same payment with something else in its first transaction."""
    first = value.transfers[0]._replace(**changed)  # type: ignore[arg-type] # the fields are given by name
    transfers = [first, *value.transfers[1:]]
    return replace(value, transfers=transfers, total_minor=sum(row.amount_minor for row in transfers))
