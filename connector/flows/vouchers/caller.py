"""Who asks for something to be done to vouchers."""

from typing import Final, NamedTuple

from connector.domain.directory import Directory, Programme
from connector.domain.voucher import VoucherFault, VoucherRefused

GOVSTACK_V1: Final = "govstack-v1"
GOVSTACK_V3: Final = "govstack-v3"
SUV: Final = "suv"
ADMIN: Final = "admin"
FILE: Final = "file"
BULK: Final = "bulk"

REGISTERED: Final = frozenset({GOVSTACK_V1, GOVSTACK_V3, FILE})
"""Dialects whose callers are building blocks; the others were let in by a token or password, or are our own."""


class Caller(NamedTuple):
    """Who asks, and by which dialect. name: Source BB, SUV client or operator; origin: network address, if known."""

    dialect: str
    name: str
    origin: str = ""

    @property
    def actor(self) -> str:
        """How a voucher's history names the caller."""
        return f"{self.dialect} {self.name}"


ISOGATE: Final = Caller("isogate", "isogate")
"""The house itself: the sweep, the archive, the completion of what a crash interrupted."""


def check_caller(directory: Directory, caller: Caller) -> None:
    """Raise ``VoucherRefused`` for a building block that is not in the directory, be the sandbox ever so open."""
    if caller.dialect in REGISTERED and caller.name not in directory.sources:
        raise VoucherRefused(VoucherFault.UNKNOWN_CALLER, "The calling building block is not registered here.")


def check_programme(programme: Programme, caller: Caller) -> None:
    """Raise ``VoucherRefused`` for a building block that may not use the programme's money."""
    if caller.dialect in REGISTERED and programme.sources and caller.name not in programme.sources:
        sentence = f"The calling building block may not use programme {programme.id}."
        raise VoucherRefused(VoucherFault.UNKNOWN_CALLER, sentence)
