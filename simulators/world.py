"""The sandbox world: a fictional country (code XU) with its banks, mobile-money operators and one switch."""

import re
from types import MappingProxyType
from typing import Final, NamedTuple

from connector.domain.directory import InstitutionKind

SWITCH_CODE: Final = "NSWIXU22"
OPENING_MINOR: Final = 10_000_000_000_000
"""What a programme account holds in each currency when it is first used: 100 billion of a currency with cents."""

NET_DEBIT_CAP_MINOR: Final = 100_000_000_000_000
"""How far a participant may be in debt at the switch."""


class Player(NamedTuple):
    """An institution that is played.

    accounts: regular expression of the accounts or wallets that exist; programmes: accounts that may be debited, and
    whether they have money.
    """

    code: str
    name: str
    kind: InstitutionKind
    accounts: str = ""
    programmes: MappingProxyType[str, bool] = MappingProxyType({})

    def owns(self, account: str) -> bool:
        """Tell whether the account exists here by its form."""
        return bool(re.fullmatch(self.accounts, account))


_BANK: Final = InstitutionKind.BANK
_MOBILE: Final = InstitutionKind.MOBILE_MONEY
_PROGRAMMES: Final = MappingProxyType(
    {"9000000001": True, "9000000002": True, "9000000009": True, "9000000004": False, "XU52TREA9000000001": True}
)

WORLD: Final = MappingProxyType(
    {
        player.code: player
        for player in (
            Player("TREAXU22", "Treasury Bank", _BANK, r"90\d{8}|XU\d\dTREA90\d{8}", _PROGRAMMES),
            Player("UNIOXU22", "Union Bank", _BANK, r"10\d{8,12}|XU\d\dUNIO10\d{8}"),
            Player("HARBXU22", "Harbour Bank", _BANK, r"20\d{8,12}|XU\d\dHARB20\d{8}"),
            Player("KASHXU22", "Kash", _MOBILE, r"\+?99970\d{6,8}"),
            Player("TELAXU22", "Tela Money", _MOBILE, r"\+?99971\d{6,8}"),
            Player(SWITCH_CODE, "National Switch", InstitutionKind.SWITCH),
        )
    }
)


def institution_of(account: str) -> str:
    """Find who has an account by its form; "" where nobody does."""
    return next((player.code for player in WORLD.values() if player.accounts and player.owns(account)), "")
