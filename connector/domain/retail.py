"""Vouchers in retail: why a message about a provision, redemption or refund is declined.

Source: Single Use Voucher Service Interface 1.14: requests happen at most once, advices (confirmations, reversals)
come in any order and any number of times.
"""

from enum import StrEnum
from typing import Final

from connector.domain.errors import Refused, Unavailable


class RetailKind(StrEnum):
    """What a request asks for."""

    PROVISION = "provision"
    REDEMPTION = "redemption"
    REFUND = "refund"


class RetailFault(StrEnum):
    """Why a message is declined, beside what is wrong with the voucher itself (``VoucherFault``)."""

    NOT_BEGUN = "not_begun"  # the store does not answer, and nothing was done
    DUPLICATE = "duplicate"
    UNKNOWN_REQUEST = "unknown_request"  # an advice about a request that was never seen, or came to nothing
    NOT_CONFIRMED = "not_confirmed"  # the redemption is
    CONFIRMED = "confirmed"  # what was asked for was confirmed before
    REVERSED = "reversed"  # what was asked for was reversed before, or before it came
    NOT_REDEEMED = "not_redeemed"
    NOT_REFUNDED = "not_refunded"
    REFUNDED = "refunded"
    CODE = "code"  # the caller may not choose the number
    PIN = "pin"  # encrypted in a way that is not spoken here
    PARTIAL = "partial"  # a provision can only be confirmed or reversed whole
    AMOUNT = "amount"
    VOUCHER = "voucher"  # it is not the voucher of that redemption
    NOT_YOURS = "not_yours"  # another client's request
    LAPSED = "lapsed"  # begun, never finished, and given up


class RetailRefused(Refused):
    """A message that is declined; nothing was changed.

    kind: of which request; other: id of the message that stands against it; serial: of the voucher that the request
    of the same id made, 0 where that is not the reason.
    """

    def __init__(
        self, fault: RetailFault, sentence: str, kind: RetailKind, *, other: str = "", serial: int = 0
    ) -> None:
        """Say why; the sentence never has a voucher number."""
        self.fault = fault
        self.kind = kind
        self.other = other
        self.serial = serial
        super().__init__(Refused.because("", fault.value, sentence).faults)


class Undecided(Unavailable):
    """What becomes of a request is not known yet; ask again."""

    def __init__(self, kind: RetailKind) -> None:
        """Name the kind of request."""
        super().__init__(kind, "it is being processed")


ANSWER_WITHIN_SECONDS: Final = 60.0
"""After that a client counts a request as lost; nothing comes of it later."""
