"""The life of an instruction, in ISO 20022 status codes, forward only.

Source: external code set ExternalPaymentTransactionStatus1Code. One value is ours: ``RTND``, settled and
later given back by a pacs.004, for which ISO has no status.
"""

from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final


class InstructionStatus(StrEnum):
    """What is known of one instruction."""

    RCVD = "RCVD"  # received by IsoGate
    PDNG = "PDNG"  # handed to the bank or switch, not yet answered
    ACTC = "ACTC"  # technically valid
    ACCP = "ACCP"  # customer profile checked
    ACFC = "ACFC"  # funds checked
    ACWC = "ACWC"  # accepted with a change
    PATC = "PATC"  # partially authorised
    ACSP = "ACSP"  # settlement in process
    ACPD = "ACPD"  # accepted by the clearing
    ACWP = "ACWP"  # accepted, not yet posted
    ACIS = "ACIS"  # cheque issued
    ACSC = "ACSC"  # settled on the debtor's account
    ACCC = "ACCC"  # settled on the creditor's account
    CPUC = "CPUC"  # cash picked up
    BLCK = "BLCK"  # blocked after ACWP
    RJCT = "RJCT"  # rejected
    CANC = "CANC"  # cancelled
    RTND = "RTND"  # returned after settlement (ours)


class Outcome(Enum):
    """What a status means for the ministry."""

    ONGOING = "ongoing"
    COMPLETED = "completed"
    FAILED = "failed"
    RETURNED = "returned"


_S = InstructionStatus
_FORWARD: Final = (
    _S.RCVD, _S.PDNG, _S.ACTC, _S.PATC, _S.ACCP, _S.ACFC, _S.ACWC, _S.ACSP, _S.ACPD, _S.ACWP, _S.ACIS,
)  # fmt: skip
_SETTLED: Final = frozenset({_S.ACSC, _S.ACCC, _S.CPUC})
_FAILED: Final = frozenset({_S.RJCT, _S.CANC, _S.BLCK})

TRANSITIONS: Final = MappingProxyType(
    {
        **{
            status: frozenset(_FORWARD[rank + 1 :]) | _SETTLED | {_S.RJCT, _S.CANC}
            for rank, status in enumerate(_FORWARD)
        },
        _S.ACWP: _SETTLED | {_S.BLCK, _S.RJCT, _S.CANC, _S.ACIS},
        _S.ACSC: frozenset({_S.ACCC, _S.CPUC, _S.RTND}),
        _S.ACCC: frozenset({_S.RTND}),
        _S.CPUC: frozenset({_S.RTND}),
        _S.BLCK: frozenset(),
        _S.RJCT: frozenset(),
        _S.CANC: frozenset(),
        _S.RTND: frozenset(),
    }
)
"""From each status, those that may follow. What is not here is ignored (late, repeated or out of order)."""

CODES: Final = tuple(_S)
"""The order in which a status is stored as one byte; append only."""

BYTE_OF: Final = MappingProxyType({status: index for index, status in enumerate(CODES)})


def may_follow(now: InstructionStatus, then: InstructionStatus) -> bool:
    """Tell whether an instruction may go from ``now`` to ``then``."""
    return then in TRANSITIONS[now]


def outcome(status: InstructionStatus) -> Outcome:
    """Say what a payment's status means for the ministry."""
    if status in _SETTLED:
        return Outcome.COMPLETED
    if status in _FAILED:
        return Outcome.FAILED
    return Outcome.RETURNED if status is _S.RTND else Outcome.ONGOING


OUTCOME_OF_BYTE: Final = tuple(outcome(status) for status in CODES)
