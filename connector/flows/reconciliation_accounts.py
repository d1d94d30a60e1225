"""Which accounts are reconciled: those that programmes pay from, by the institution that holds them. Pure."""

from dataclasses import dataclass

from connector.domain.directory import Directory, Programme, Route
from connector.domain.errors import NotFound


@dataclass(frozen=True, slots=True)
class Account:
    """An account, and every programme that pays from it. The number is not for logs."""

    institution: str
    number: str
    programmes: tuple[str, ...]


def accounts(directory: Directory) -> list[Account]:
    """List the accounts of all programmes, each once."""
    programmes: dict[tuple[str, str], list[str]] = {}
    for programme in directory.programmes.values():
        programmes.setdefault((holder(directory, programme), plain(programme.account)), []).append(programme.id)
    return [Account(*where, tuple(names)) for where, names in programmes.items()]


def account_of(directory: Directory, programme: str) -> Account:
    """Find the account of a programme; raises ``NotFound``."""
    found = next((one for one in accounts(directory) if programme in one.programmes), None)
    if found is None:
        raise NotFound("programme", programme)
    return found


def holder(directory: Directory, programme: Programme) -> str:
    """The institution that tells of a programme's account: the debtor agent, else the payer bank."""
    known = programme.debtor_agent in directory.institutions
    return programme.debtor_agent if known or programme.route is Route.SWITCH else programme.payer_bank


def plain(account: str) -> str:
    """An account number without the spaces that IBANs are printed with."""
    return account.replace(" ", "").upper()
