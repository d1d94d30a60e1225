"""The messages that the engine's scenarios work on: made from numbers, the same in every run."""

from datetime import UTC, datetime
from typing import Final

from connector.domain.messages import BlockStatus, CreditTransfer, StatusReport, TransactionStatus, Transfer

CURRENCY: Final = "EUR"
CREATED: Final = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
MODULUS: Final = 97
"""Of the check digits of an IBAN (ISO 13616, by ISO 7064)."""

REJECTED_EVERY: Final = 50
"""Of so many transactions one is rejected, for a reason given in words; the others are settled."""

_AGENTS: Final = ("UNIOXU22", "HARBXU22")


def iban(number: int) -> str:
    """Give an account number of the fictional country XU as an IBAN with right check digits."""
    own = f"{number:016d}"
    as_digits = "".join(str(int(character, 36)) for character in f"{own}XU00")
    return f"XU{98 - int(as_digits) % MODULUS:02d}{own}"


def amount(number: int) -> int:
    """Give the amount of the transaction with this number, in cents."""
    return 1000 + number % 9000


def credit_transfer(transactions: int, first: int = 0) -> CreditTransfer:
    """Make one pain.001: transactions ``first`` and following, to people at two banks, for a purpose and a remark."""
    transfers = [_transfer(number) for number in range(first, first + transactions)]
    return CreditTransfer(
        message_id=f"BENCH{first:010d}",
        created=CREATED,
        currency=CURRENCY,
        total_minor=sum(transfer.amount_minor for transfer in transfers),
        initiating_party="Ministry of Pensions",
        debtor_name="Ministry of Pensions",
        debtor_account=iban(9_000_000_001),
        debtor_agent="TREAXU22",
        execution_date=CREATED.date(),
        transfers=transfers,
        payment_information_id=f"BENCH{first:010d}",
    )


def _transfer(number: int) -> Transfer:
    return Transfer(
        instruction_id=f"INSTR{number:011d}",
        end_to_end_id=f"E2E{number:013d}",
        transaction_id="",
        amount_minor=amount(number),
        creditor_agent=_AGENTS[number % len(_AGENTS)],
        creditor_name=f"Person {number:07d}",
        creditor_account=iban(1_000_000_000 + number),
        remittance="Pension of January",
        purpose="PENS",
    )


def status_report(transfer: CreditTransfer) -> StatusReport:
    """Make the pain.002 that answers a pain.001 with a status for every one of its transactions."""
    return StatusReport(
        message="pain.002.001.10",
        message_id=f"RPT{transfer.message_id}",
        created=CREATED,
        original_message_id=transfer.message_id,
        original_message="pain.001.001.09",
        group_status="PART",
        original_count=len(transfer.transfers),
        original_total=f"{transfer.total_minor // 100}.{transfer.total_minor % 100:02d}",
        blocks=[BlockStatus(transfer.payment_information_id, "PART")],
        transactions=[_status(number, sent) for number, sent in enumerate(transfer.transfers)],
        initiating_party=transfer.initiating_party,
    )


def _status(number: int, sent: Transfer) -> TransactionStatus:
    if number % REJECTED_EVERY == REJECTED_EVERY - 1:
        return TransactionStatus(sent.instruction_id, sent.end_to_end_id, "", "RJCT", "AC04", "Closed in March")
    return TransactionStatus(sent.instruction_id, sent.end_to_end_id, "", "ACSC")
