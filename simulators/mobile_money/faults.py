"""The magic values of mobile-money operators: the same suffixes as at a bank, with a wallet's own reasons."""

from typing import Final

from simulators.bank import faults
from simulators.faults import Magic, rejects

WALLET_REASONS: Final = {"9914": "AM21", "9915": "AC07"}
"""A wallet that is full (limit exceeded), and one whose number was given to somebody else (account closed)."""

PAYEE: Final = Magic(accounts={**faults.PAYEE.accounts, **rejects(WALLET_REASONS)})
DEBTOR: Final = faults.DEBTOR
