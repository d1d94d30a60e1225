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
    creditor_town: str = ""
    creditor_country: str = ""


@dataclass(frozen=True, slots=True)
class CreditTransfer:
    """A pain.001 or pacs.008. All transactions share currency, debtor and modality.

    clearing_system and instructed_agent are used by pacs.008; payment_information_id and modality by pain.001.
    modality is the GovStack code, which profiles may map to a local instrument or an account scheme. Towns and
    countries (ISO 3166, two letters) are for schemes that want structured addresses of the parties.
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
    debtor_town: str = ""
    debtor_country: str = ""


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
    """An acmt.023. modality: as of a ``CreditTransfer``, of all its accounts."""

    message_id: str
    created: datetime
    initiating_party: str
    agent: str
    accounts: Sequence[AccountToVerify]
    modality: str = "00"


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
    """A pacs.028: what became of a message sent earlier, or (transactions given) of single transactions of it.

    initiating_party: who asks, for the header, where it is no institution.
    """

    message_id: str
    created: datetime
    original_message_id: str
    original_message: str
    transactions: Sequence[InquiredTransfer] = ()
    instructing_agent: str = ""
    instructed_agent: str = ""
    initiating_party: str = ""


class RecalledTransfer(NamedTuple):
    """One transaction whose cancellation is asked for (camt.055, camt.056)."""

    recall_id: str
    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    amount_minor: int
    reason: str
    information: str = ""


@dataclass(frozen=True, slots=True)
class Recall:
    """A camt.055 (to a payer bank) or a camt.056 (between participants of a switch).

    No transfers: the whole original message is to be cancelled, for ``reason``. assigner, assignee: who asks whom.
    """

    message_id: str
    created: datetime
    case_id: str
    assigner: str
    assignee: str
    original_message_id: str
    original_message: str
    currency: str
    original_date: date
    payment_information_id: str = ""
    reason: str = ""
    information: str = ""
    transfers: Sequence[RecalledTransfer] = ()


class RecallResult(NamedTuple):
    """What a camt.029 says of one transaction; status: ACCR accepted, RJCR refused, PDCR pending."""

    recall_id: str
    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    status: str
    reason: str = ""
    information: str = ""


@dataclass(frozen=True, slots=True)
class RecallAnswer:
    """A camt.029; confirmation: of the whole case (CNCL cancelled, RJCR refused, PDCR pending, PECR partly)."""

    message_id: str
    created: datetime
    case_id: str
    assigner: str
    assignee: str
    confirmation: str
    original_message_id: str = ""
    original_message: str = ""
    reason: str = ""
    information: str = ""
    results: Sequence[RecallResult] = ()


class RequestedPayment(NamedTuple):
    """One payment that a pain.013 asks the debtor for."""

    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    creditor_agent: str
    creditor_name: str
    creditor_account: str
    remittance: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A pain.013, answered by a pain.014 (a ``StatusReport``). All payments share debtor and currency."""

    message_id: str
    created: datetime
    initiating_party: str
    payment_information_id: str
    currency: str
    total_minor: int
    debtor_name: str
    debtor_account: str
    debtor_agent: str
    execution_date: date
    requests: Sequence[RequestedPayment]
    expiry_date: date | None = None


class EntryTransaction(NamedTuple):
    """One transaction of a statement's entry; minor units; credit: from the account owner's view."""

    message_id: str
    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    amount_minor: int
    currency: str
    credit: bool
    counterparty_account: str = ""
    reason: str = ""
    remittance: str = ""


class StatementEntry(NamedTuple):
    """One entry (Ntry); status: BOOK, PDNG, INFO or FUTR; code: bank transaction code, ``PMNT/ICDT/ESCT`` or own."""

    reference: str
    amount_minor: int
    currency: str
    credit: bool
    reversal: bool
    status: str
    booking_date: date | None
    value_date: date | None
    code: str
    servicer_reference: str
    transactions: Sequence[EntryTransaction] = ()


class Balance(NamedTuple):
    """A balance of a statement; kind: OPBD, CLBD, CLAV, ...; amount as signed by ``credit``."""

    kind: str
    amount_minor: int
    currency: str
    credit: bool
    on: date | None


class AccountStatement(NamedTuple):
    """One statement, report or notification about one account; page: its number where the bank sends it in pages."""

    id: str
    account: str
    currency: str
    created: datetime
    balances: Sequence[Balance] = ()
    entries: Sequence[StatementEntry] = ()
    page: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A camt.052, camt.053 or camt.054."""

    message: str
    message_id: str
    created: datetime
    statements: Sequence[AccountStatement]


@dataclass(frozen=True, slots=True)
class Rejection:
    """An admi.002: a message was refused before it was processed; reference: the refused message's id."""

    reference: str
    reason: str
    description: str = ""
    location: str = ""
    rejected_at: datetime | None = None


Message = (
    CreditTransfer
    | StatusReport
    | VerificationRequest
    | VerificationReport
    | PaymentReturn
    | StatusInquiry
    | Recall
    | RecallAnswer
    | PaymentRequest
    | Statement
    | Rejection
)
