"""A scheme: the facts of a bank's or switch's rulebook that hold for all its messages.

Which message version does which job, the envelope, the characters, the limits, the timeouts, the signature. They
stand in ``<scheme>/scheme.yaml`` beside the scheme's profiles; ``schemefile`` reads them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Job(StrEnum):
    """What a message is for, whatever its name and version."""

    INITIATION = "initiation"
    INITIATION_REPORT = "initiation-report"
    INTERBANK = "interbank"
    INTERBANK_REPORT = "interbank-report"
    VERIFICATION = "verification"
    VERIFICATION_REPORT = "verification-report"
    INQUIRY = "inquiry"
    RETURN = "return"
    RECALL = "recall"  # camt.055, by the debtor to its bank
    INTERBANK_RECALL = "interbank-recall"  # camt.056, between participants
    RECALL_ANSWER = "recall-answer"
    REQUEST_TO_PAY = "request-to-pay"
    REQUEST_TO_PAY_REPORT = "request-to-pay-report"
    NOTIFICATION = "notification"
    STATEMENT = "statement"
    INTRADAY = "intraday"
    REJECTION = "rejection"


GENERIC_MESSAGES: Final[Mapping[Job, str]] = MappingProxyType(
    {
        Job.INITIATION: "pain.001.001.09",
        Job.INITIATION_REPORT: "pain.002.001.10",
        Job.INTERBANK: "pacs.008.001.08",
        Job.INTERBANK_REPORT: "pacs.002.001.10",
        Job.VERIFICATION: "acmt.023.001.03",
        Job.VERIFICATION_REPORT: "acmt.024.001.03",
        Job.INQUIRY: "pacs.028.001.03",
        Job.RETURN: "pacs.004.001.09",
        Job.RECALL: "camt.055.001.08",
        Job.INTERBANK_RECALL: "camt.056.001.08",
        Job.RECALL_ANSWER: "camt.029.001.09",
        Job.REQUEST_TO_PAY: "pain.013.001.07",
        Job.REQUEST_TO_PAY_REPORT: "pain.014.001.07",
        Job.NOTIFICATION: "camt.054.001.08",
        Job.STATEMENT: "camt.053.001.08",
        Job.INTRADAY: "camt.052.001.08",
        Job.REJECTION: "admi.002.001.01",
    }
)
"""The version of each job's message where a scheme does not name its own."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around a Document: a root element with a header of a version (``head.001.001.03``) in it.

    root: the root element's name, namespace its namespace ("" for none); header "": no AppHdr; service: BizSvc;
    bics: the header names institutions by BIC where they have one, otherwise always by other identification.
    """

    root: str
    namespace: str = ""
    header: str = ""
    service: str = ""
    bics: bool = True


@dataclass(frozen=True, slots=True)
class Characters:
    """Which characters texts may have.

    allowed: matches one character that is; transliterate: name of the table for the others ("" for none);
    replacement: what stands for a character that has no transliteration, None where it is refused.
    """

    allowed: re.Pattern[str]
    transliterate: str = ""
    replacement: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a scheme allows beyond the schema.

    currencies: empty for all; minimum and maximum: of one transaction, in whole units of its currency;
    transactions: most in one message, 0 for no limit; lengths: field to its most characters; required: fields that
    must not be empty.
    """

    currencies: frozenset[str] = frozenset()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    transactions: int = 0
    lengths: Mapping[str, int] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


class SignaturePlace(StrEnum):
    """Where a message's signature stands."""

    HEADER = "header"  # AppHdr/Sgntr
    DOCUMENT = "document"  # the last child of the root


@dataclass(frozen=True, slots=True)
class Signature:
    """Whether our messages are signed, and whether those of others must be."""

    make: bool = False
    require: bool = False
    place: SignaturePlace = SignaturePlace.HEADER


@dataclass(frozen=True, slots=True)
class Scheme:
    """The facts of one scheme; everything has the default of a scheme without ``scheme.yaml``.

    name: the folder's; title: for people; extends: the scheme whose profiles are used where it has none of its own;
    answer_seconds: silence after which a peer is asked, inquiries: how often (0: as the institution is configured).
    """

    name: str
    title: str = ""
    extends: str = ""
    messages: Mapping[Job, str] = field(default_factory=lambda: GENERIC_MESSAGES)
    envelope: Envelope | None = None
    characters: Characters | None = None
    limits: Limits = field(default_factory=Limits)
    signature: Signature = Signature()
    answer_seconds: float = 0.0
    inquiries: int = 0

    @property
    def transactions(self) -> int:
        """Most transactions in one message; 0 for no limit."""
        return self.limits.transactions

    @property
    def traced(self) -> bool:
        """Whether every payment needs a UETR."""
        return "uetr" in self.limits.required

    def message(self, job: Job) -> str:
        """The name of the message that does a job in this scheme."""
        return self.messages[job]
