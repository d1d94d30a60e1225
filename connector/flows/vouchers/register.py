"""The merchants of a directory by account and by name, indexed once a version of it."""

from typing import Final

from connector.domain.directory import Directory
from connector.domain.voucher import Merchant

MOST_PASSING: Final = 10_000


class Register:
    """Finds merchants; an active one goes before others of the same account or name."""

    def __init__(self) -> None:
        self._indexed: Directory | None = None
        self._by_account: dict[tuple[str, str], Merchant] = {}
        self._by_name: dict[str, Merchant] = {}
        self._kept_until: dict[str, float] = {}

    def by_account(self, directory: Directory, institution: str, address: str) -> Merchant | None:
        """Find who has an account; institution: "" for any."""
        self._index(directory)
        return self._by_account.get((institution, address))

    def by_name(self, directory: Directory, name: str) -> Merchant | None:
        """Find who goes by a name."""
        self._index(directory)
        return self._by_name.get(name)

    def is_kept(self, identifier: str, now: float) -> bool:
        """Tell whether this process has written a passing merchant down lately."""
        return self._kept_until.get(identifier, 0.0) > now

    def kept(self, identifier: str, until: float) -> None:
        """Note that a passing merchant was written down."""
        if len(self._kept_until) >= MOST_PASSING:
            self._kept_until.clear()
        self._kept_until[identifier] = until

    def _index(self, directory: Directory) -> None:
        if directory is self._indexed:
            return
        self._by_account, self._by_name = {}, {}
        for merchant in sorted(directory.merchants.values(), key=lambda one: not one.active):
            self._by_name.setdefault(merchant.name, merchant)
            if merchant.address:
                self._by_account.setdefault((merchant.institution, merchant.address), merchant)
                self._by_account.setdefault(("", merchant.address), merchant)
        self._indexed = directory
