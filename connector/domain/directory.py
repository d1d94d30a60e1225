"""Who takes part: programmes that pay, institutions that are paid at, Source BBs that may ask."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from connector.domain.voucher import Merchant, VoucherGroup


class InstitutionKind(StrEnum):
    """What an institution is."""

    BANK = "bank"
    MOBILE_MONEY = "mobile money"
    WALLET = "wallet"
    SWITCH = "switch"


class ChannelKind(StrEnum):
    """How an institution is spoken to."""

    ISO20022 = "iso20022"
    GOVSTACK_JSON = "govstack-json"


class Route(StrEnum):
    """Which way a programme's money goes."""

    PAYER_BANK = "payer-bank"  # pain.001 to the bank that holds the programme's account
    SWITCH = "switch"  # pacs.008 to the switch, the funding agent being a participant


class Inquiry(StrEnum):
    """How an institution on an ISO 20022 channel is asked what became of a message."""

    MESSAGE = "message"  # by a pacs.028
    FETCH = "fetch"  # by fetching the report over HTTP
    MESSAGE_OR_FETCH = "message-or-fetch"  # by a pacs.028, and by fetching where that brings no report at once


class Unanswered(StrEnum):
    """What happens when the last inquiry has brought nothing. Never is anything sent again or rejected for that."""

    HOLD = "hold"  # the payments stay pending, the operator is alerted, the report is waited for
    KEEP_ASKING = "keep-asking"  # the operator is alerted, and the questions go on


class RecallPolicy(StrEnum):
    """Whether a programme asks for money back that was sent."""

    ALLOWED = "allowed"  # also after the payee has it
    BEFORE_SETTLEMENT = "before-settlement"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Institution:
    """A payer bank, payee institution or switch.

    code: BIC or the scheme's own identifier (≤ 11); addresses: regular expressions of the account numbers or MSISDNs
    that belong to it, for beneficiaries registered without an institution; url, channel, profile: how it is reached,
    for those that IsoGate itself speaks to; in_flight: messages at once; chunk_size: credits per message,
    fewer where its scheme says so; answer_within_seconds: after that silence is asked about, and inquiries: how often
    (both 0: as its scheme says, else the default); inquiry: by what means; unanswered: what follows the last inquiry;
    signer: subject or SHA-256 fingerprint of the certificate that signs its messages ("": any trusted one).
    """

    code: str
    name: str
    kind: InstitutionKind
    addresses: tuple[str, ...] = ()
    url: str = ""
    channel: ChannelKind = ChannelKind.ISO20022
    profile: str = "generic"
    in_flight: int = 4
    chunk_size: int = 2000
    answer_within_seconds: float = 0.0
    inquiries: int = 0
    inquiry: Inquiry = Inquiry.MESSAGE
    unanswered: Unanswered = Unanswered.HOLD
    signer: str = ""

    def owns(self, address: str) -> bool:
        """Tell whether the address is one of this institution's by its form."""
        return any(re.fullmatch(pattern, address) for pattern in self.addresses)


@dataclass(frozen=True, slots=True)
class Programme:
    """A payment programme: whose money it is, and the rules for paying it out.

    payer_bank: the institution that executes (or the switch, by route); account and account_name: the debtor;
    debtor_agent: BIC of the bank that holds the account; budgets: minor units per currency, a currency that is not
    listed has no budget unless ``open_budget``; sources: Source BBs that may use it (empty: all); recall: whether
    payments may be asked back; town and country (ISO 3166, two letters): the debtor's, for schemes that want them;
    voucher_group: of which payees are given vouchers whose payment modality that is ("": they cannot be paid).
    """

    id: str
    name: str
    payer_bank: str
    debtor_agent: str
    account: str
    account_name: str
    route: Route = Route.PAYER_BANK
    budgets: dict[str, int] = field(default_factory=dict)
    open_budget: bool = False
    authorisation: bool = False
    priority: int = 5
    sources: tuple[str, ...] = ()
    recall: RecallPolicy = RecallPolicy.BEFORE_SETTLEMENT
    town: str = ""
    country: str = ""
    voucher_group: str = ""


@dataclass(frozen=True, slots=True)
class SourceBB:
    """A building block that may hand over batches; programme: what it pays from unless it names another.

    voucher_key: 64 bytes in base64, exchanged with it, under which it is told voucher numbers ("": none);
    public_key: JWK or JWK set (JSON text) that its voucher files are signed with and its answers are encrypted to.
    """

    id: str
    name: str
    programme: str = ""
    callback_url: str = ""
    voucher_key: str = field(default="", repr=False)
    public_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Directory:
    """All of them, by id. ``open_sources``: unknown Source BBs are let in (sandbox)."""

    programmes: dict[str, Programme]
    institutions: dict[str, Institution]
    sources: dict[str, SourceBB]
    default_programme: str = ""
    open_sources: bool = False
    groups: dict[str, VoucherGroup] = field(default_factory=dict)
    merchants: dict[str, Merchant] = field(default_factory=dict)

    def institution_of(self, address: str) -> Institution | None:
        """Find the institution that an address belongs to by its form, the first that claims it."""
        return next((place for place in self.institutions.values() if place.owns(address)), None)
