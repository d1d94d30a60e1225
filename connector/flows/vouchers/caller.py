"""Who asks for something to be done with vouchers, and in which dialect."""

from typing import Final, NamedTuple

from connector.domain.directory import Directory
from connector.domain.voucher import VoucherFault, VoucherRefused

REGISTERED: Final = frozenset({"govstack-v1", "govstack-v3", "file"})
"""Dialects whose callers are building blocks; the others were let in by a token or password, or are our own."""


class Caller(NamedTuple):
    """Who asks: dialect (govstack-v1, govstack-v3, suv, admin, file or bulk), name within it, and from where."""

    dialect: str
    name: str
    origin: str = ""


def check_caller(directory: Directory, caller: Caller) -> None:
    """Refuse a building block that is not registered, in the sandbox as well: ``VoucherRefused`` UNKNOWN_CALLER."""
    if caller.dialect in REGISTERED and caller.name not in directory.sources:
        raise VoucherRefused(VoucherFault.UNKNOWN_CALLER, "The calling building block is not registered here.")
