"""The magic values of mobile-money operators: the same suffixes as at a bank, with a wallet's own reasons."""

from typing import Final

from simulators.bank.faults import ACCOUNT_REASONS, RETURNS
from simulators.faults import Magic, rejects

WALLET_REASONS: Final = {"9914": "AM21", "9915": "AC07"}
"""A wallet that is full (limit exceeded), and one whose number was given to somebody else (account closed)."""

PAYEE: Final = Magic(accounts={**rejects(ACCOUNT_REASONS), **rejects(WALLET_REASONS), **RETURNS})
