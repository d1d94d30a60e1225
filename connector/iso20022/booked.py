"""Totals of statements: what a camt.052, camt.053 or camt.054 says of its entries against the entries that are there.

Looked at only where all of the entries are at hand: on the only page, and where there are entries at all.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from lxml import etree

from connector.domain.errors import Fault
from connector.iso20022.parsing import Element

_STATEMENTS: Final = {
    "camt.052": ("Rpt", "RptPgntn"),
    "camt.053": ("Stmt", "StmtPgntn"),
    "camt.054": ("Ntfctn", "NtfctnPgntn"),
}
"""By family: the element of a statement, and the one that says which page of it this is."""

_TOTALS: Final = (
    ("TtlNtries", ""),
    ("TtlCdtNtries", '[n:CdtDbtInd="CRDT"]'),
    ("TtlDbtNtries", '[n:CdtDbtInd="DBIT"]'),
)
_BOOKED: Final = '[normalize-space(n:Sts)="BOOK"]'


class _Statement(NamedTuple):
    """One statement of a message, and where it stands."""

    element: Element
    path: str

    def texts(self, path: str) -> Sequence[str]:
        """The texts that an XPath finds; n: is the message's namespace."""
        names = {"n": str(etree.QName(self.element).namespace)}
        found = self.element.xpath(path, namespaces=names, smart_strings=False)
        return [str(text) for text in found] if isinstance(found, list) else []

    def amounts(self, which: str = "") -> Sequence[Decimal]:
        """The amounts of its entries, or of those that a predicate picks."""
        return [Decimal(text) for text in self.texts(f"n:Ntry{which}/n:Amt/text()")]


def faults(document: Element, message: str, *, balances: bool = True) -> tuple[Fault, ...]:
    """What is wrong with the totals and balances of a statement that is valid under its schema; none in the rest.

    balances: whether they are looked at as well.
    """
    content = next(iter(document), None)
    if message[:8] not in _STATEMENTS or content is None:
        return ()
    name, pagination = _STATEMENTS[message[:8]]
    top = etree.QName(content).localname
    statements = [
        _Statement(element, f"{top}/{name}[{position}]")
        for position, element in enumerate(content.iterchildren(f"{{*}}{name}"), 1)
        if _is_whole(element.find(f"{{*}}{pagination}"))
    ]
    return tuple(
        fault for statement in statements for fault in _faults(statement, balances and message.startswith("camt.053"))
    )


def _is_whole(page: Element | None) -> bool:
    if page is None:
        return True
    number, last = (page.findtext(f"{{*}}{name}") or "" for name in ("PgNb", "LastPgInd"))
    return number.strip().lstrip("0") == "1" and last.strip() in {"true", "1"}


def _faults(statement: _Statement, balances: bool) -> Iterator[Fault]:
    if statement.element.find("{*}Ntry") is None:
        return
    for name, which in _TOTALS:
        stated = statement.element.find(f"{{*}}TxsSummry/{{*}}{name}")
        if stated is not None:
            yield from _compare(stated, f"{statement.path}/TxsSummry/{name}", statement.amounts(which))
    if balances:
        yield from _balances(statement)


def _compare(stated: Element, path: str, amounts: Sequence[Decimal]) -> Iterator[Fault]:
    count, total = ((stated.findtext(f"{{*}}{name}") or "").strip() for name in ("NbOfNtries", "Sum"))
    if count and int(count) != len(amounts):
        yield Fault(f"{path}/NbOfNtries", "AM18", f"States {count} entries; there are {len(amounts)}.")
    if total and Decimal(total) != sum(amounts):
        yield Fault(f"{path}/Sum", "AM10", f"States a sum of {total}; the entries come to {sum(amounts)}.")


def _balances(statement: _Statement) -> Iterator[Fault]:
    """Opening balance and booked entries are the closing balance, where there is one of each in one currency."""
    opening, closing = (_balances_of(statement, kind) for kind in ("OPBD", "CLBD"))
    currencies = {*statement.texts(f"n:Ntry{_BOOKED}/n:Amt/@Ccy")}
    if len(opening) != 1 or len(closing) != 1 or not currencies:
        return
    ((opened, first), (closed, last)) = (*opening, *closing)
    if len({first, last, *currencies}) > 1:
        return
    credits_, debits = (
        sum(statement.amounts(f'{_BOOKED}[n:CdtDbtInd="{way}"]'), Decimal()) for way in ("CRDT", "DBIT")
    )
    if opened + credits_ - debits != closed:
        sentence = (
            f"The opening balance and the booked entries come to {opened + credits_ - debits}, not to {closed}."
        )
        yield Fault(f"{statement.path}/Bal", "AM10", sentence)


def _balances_of(statement: _Statement, kind: str) -> list[tuple[Decimal, str]]:
    """The balances of a kind: signed amount, and currency."""
    found = f'n:Bal[n:Tp/n:CdOrPrtry/n:Cd="{kind}"]'
    amounts = map(Decimal, statement.texts(f"{found}/n:Amt/text()"))
    ways, currencies = statement.texts(f"{found}/n:CdtDbtInd/text()"), statement.texts(f"{found}/n:Amt/@Ccy")
    return [
        (-amount if way == "DBIT" else amount, currency)
        for amount, way, currency in zip(amounts, ways, currencies, strict=True)
    ]
