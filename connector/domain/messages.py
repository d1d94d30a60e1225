"""What crosses the border between IsoGate and an FSP, as values: the engine writes them to XML and reads them back.

The connector and the simulated banks use the same values but their own profiles. Amounts are minor units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


class Transfer(NamedTuple):
    """One credit transfer transaction (CdtTrfTxInf of pain.001 and pacs.008)."""

    instruction_id: str
    end_to_end_id: str
    transaction_id: str  # pacs.008 TxId; "" in pain.001
    amount_minor: int
    creditor_agent: str  # BIC or scheme's own id
    creditor_name: str
    creditor_account: str
    remittance: str = ""
    purpose: str = ""
    uetr: str = ""


@dataclass(frozen=True, slots=True)
class CreditTransfer:
    """A pain.001 or pacs.008. All transactions share currency, debtor and modality.

    clearing_system and instructed_agent are used by pacs.008; payment_information_id and modality by pain.001.
    modality is the GovStack code, which profiles may map to a local instrument or an account scheme.
    """

    message_id: str
    created: datetime
    currency: str
    total_minor: int
    initiating_party: str
    debtor_name: str
    debtor_account: str
    debtor_agent: str
    execution_date: date
    transfers: Sequence[Transfer]
    payment_information_id: str = ""
    modality: str = "00"
    creditor_agent: str = ""
    instructing_agent: str = ""
    instructed_agent: str = ""
    category_purpose: str = ""


class TransactionStatus(NamedTuple):
    """What a pain.002 / pacs.002 says of one transaction; fields that the report leaves out are ""."""

    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    status: str
    reason: str = ""
    information: str = ""


class BlockStatus(NamedTuple):
    """What a pain.002 says of one payment information block as a whole."""

    payment_information_id: str
    status: str
    reason: str = ""
    information: str = ""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A pain.002 or pacs.002.

    group_status may be "", and PART is possible there; tolerated: what the reader let pass.
    """

    message: str  # for example pain.002.001.10
    message_id: str
    created: datetime
    original_message_id: str
    original_message: str
    group_status: str = ""
    group_reason: str = ""
    group_information: str = ""
    original_count: int | None = None
    original_total: str = ""  # decimal text as it stands in the report
    blocks: Sequence[BlockStatus] = ()
    transactions: Sequence[TransactionStatus] = ()
    initiating_party: str = ""
    instructing_agent: str = ""
    instructed_agent: str = ""
    tolerated: Sequence[str] = ()


class AccountToVerify(NamedTuple):
    """One verification of an acmt.023: an account and the name it is expected to have."""

    id: str
    account: str
    name: str
    agent: str


@dataclass(frozen=True, slots=True)
class VerificationRequest:
    """An acmt.023."""

    message_id: str
    created: datetime
    initiating_party: str
    agent: str
    accounts: Sequence[AccountToVerify]


class Verification(NamedTuple):
    """One result of an acmt.024; id is the original identification, reason an ISO code or ""."""

    id: str
    verified: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """An acmt.024."""

    message_id: str
    created: datetime
    original_message_id: str
    initiating_party: str
    results: Sequence[Verification]


class ReturnedTransfer(NamedTuple):
    """One transaction of a pacs.004."""

    return_id: str
    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    amount_minor: int
    reason: str
    information: str = ""


@dataclass(frozen=True, slots=True)
class PaymentReturn:
    """A pacs.004; original_message is the name of the message whose transfers are returned."""

    message_id: str
    created: datetime
    currency: str
    total_minor: int
    original_message_id: str
    original_message: str
    settlement_date: date
    returns: Sequence[ReturnedTransfer]
    instructing_agent: str = ""
    instructed_agent: str = ""


class InquiredTransfer(NamedTuple):
    """One transaction that a pacs.028 asks about."""

    instruction_id: str
    end_to_end_id: str
    transaction_id: str


@dataclass(frozen=True, slots=True)
class StatusInquiry:
    """A pacs.028: what became of a message sent earlier, or (transactions given) of single transactions of it."""

    message_id: str
    created: datetime
    original_message_id: str
    original_message: str
    transactions: Sequence[InquiredTransfer] = ()
    instructing_agent: str = ""
    instructed_agent: str = ""


Message = CreditTransfer | StatusReport | VerificationRequest | VerificationReport | PaymentReturn | StatusInquiry
