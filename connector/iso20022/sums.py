"""Counts and control sums: what a message says of its transactions against the transactions that are there."""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Final, NamedTuple

from lxml import etree

from connector.domain.errors import Fault, Refused
from connector.domain.messages import CreditTransfer, Message, PaymentRequest, PaymentReturn
from connector.iso20022.parsing import Element


class _Family(NamedTuple):
    """Where a family of messages says how many transactions it has and how much they come to.

    block: the element that groups transactions and counts them too ("" for none); amounts: the alternatives in
    which a transaction gives its amount; total: an amount in the header beside CtrlSum.
    """

    transaction: str
    amounts: tuple[str, ...]
    block: str = ""
    total: str = ""


_FAMILIES: Final = {
    "pain.001": _Family("CdtTrfTxInf", ("Amt/InstdAmt", "Amt/EqvtAmt/Amt"), block="PmtInf"),
    "pain.008": _Family("DrctDbtTxInf", ("InstdAmt",), block="PmtInf"),
    "pain.013": _Family("CdtTrfTx", ("Amt/InstdAmt", "Amt/EqvtAmt/Amt"), block="PmtInf"),
    "pacs.008": _Family("CdtTrfTxInf", ("IntrBkSttlmAmt",), total="TtlIntrBkSttlmAmt"),
    "pacs.004": _Family("TxInf", ("RtrdIntrBkSttlmAmt",), total="TtlRtrdIntrBkSttlmAmt"),
}

_CENTS: Final = re.compile(r"(?:[0-9]++\.[0-9]{2} )++")

_AMOUNT: Final = attrgetter("amount_minor")

_RECALLED: Final = {
    "camt.055": ("OrgnlPmtInfAndCxl", "OrgnlInstdAmt"),
    "camt.056": ("", "OrgnlIntrBkSttlmAmt"),
}
"""By family: the block below Undrlyg that lists transactions, and the amount of each."""


def check_value(value: Message, message: str) -> None:
    """Refuse to write a value whose own total is not the sum of its transactions."""
    if isinstance(value, CreditTransfer):
        total = sum(map(_AMOUNT, value.transfers))
    elif isinstance(value, PaymentReturn):
        total = sum(map(_AMOUNT, value.returns))
    elif isinstance(value, PaymentRequest):
        total = sum(map(_AMOUNT, value.requests))
    else:
        return
    if total != value.total_minor:
        raise Refused.because(message, "AM10", "The total is not the sum of the transactions.")


def faults(document: Element, message: str) -> tuple[Fault, ...]:
    """What is wrong with the counts and sums of a message that is valid under its schema."""
    family, recalled = _FAMILIES.get(message[:8]), _RECALLED.get(message[:8])
    content = next(iter(document), None)
    if content is not None and recalled:
        return tuple(_recall_faults(content, recalled))
    if family is None or content is None:
        return ()
    header = content.find("{*}GrpHdr")
    name = etree.QName(content).localname
    return () if header is None else tuple(_faults(content, header, name, family))


def _faults(content: Element, header: Element, name: str, family: _Family) -> Iterator[Fault]:
    namespace = etree.QName(content).namespace
    blocks = list(content.iterchildren(f"{{{namespace}}}{family.block}")) if family.block else [content]
    counted = [_counted(block, family, str(namespace)) for block in blocks]
    everything = _sum(total for _, total in counted)
    count = sum(size for size, _ in counted)
    yield from _compare(header, f"{name}/GrpHdr", count, everything)
    yield from _compare_total(header, f"{name}/GrpHdr/{family.total}", family.total, everything)
    if family.block:
        for position, (block, (size, total)) in enumerate(zip(blocks, counted, strict=True), 1):
            yield from _compare(block, f"{name}/{family.block}[{position}]", size, total)


def _recall_faults(content: Element, recalled: tuple[str, str]) -> Iterator[Fault]:
    """The control data of a recall; nothing can be said where it asks for whole messages or blocks, unlisted."""
    block, amount = recalled
    control = content.find("{*}CtrlData")
    underlying = content.findall("{*}Undrlyg")
    parts = [part for each in underlying for part in (block and each.findall(f"{{*}}{block}")) or [each]]
    if control is None or not parts or any(part.find("{*}TxInf") is None for part in parts):
        return
    listed = [transaction for part in parts for transaction in part.iterfind("{*}TxInf")]
    amounts = [text for each in listed if (text := each.findtext(f"{{*}}{amount}"))]
    path = f"{etree.QName(content).localname}/CtrlData"
    found = list(_compare(control, path, len(listed), _total(amounts)))
    yield from (fault for fault in found if fault.code == "AM18" or len(amounts) == len(listed))


def _counted(block: Element, family: _Family, namespace: str) -> tuple[int, Decimal | None]:
    """How many transactions a block has, and their sum; alternatives are sought only for what is left."""
    names = {"n": namespace}
    count = int(float(str(block.xpath(f"count(n:{family.transaction})", namespaces=names))))
    texts: list[str] = []
    for path in family.amounts:
        steps = f"n:{family.transaction}/n:{path.replace('/', '/n:')}/text()"
        found = block.xpath(steps, namespaces=names, smart_strings=False) if len(texts) < count else ()
        texts += [str(text) for text in found] if isinstance(found, list) else []
    return count, _total(texts)


def _total(amounts: Sequence[str]) -> Decimal | None:
    """Add up; None where something is no number. Amounts with two decimals, as nearly all, are added as cents."""
    column = "".join([f"{amount} " for amount in amounts])
    if _CENTS.fullmatch(column):
        return Decimal(sum(map(int, column.replace(".", "").split()))).scaleb(-2)
    try:
        return _sum(map(Decimal, amounts))
    except InvalidOperation:
        return None


def _sum(totals: Iterable[Decimal | None]) -> Decimal | None:
    """Add totals up, exactly; None where one of them is."""
    found = list(totals)
    known = [total for total in found if total is not None]
    return sum(known, Decimal()) if len(known) == len(found) else None


def _compare(place: Element, path: str, count: int, total: Decimal | None) -> Iterator[Fault]:
    stated = (place.findtext("{*}NbOfTxs") or "").strip()
    if stated and int(stated) != count:
        yield Fault(f"{path}/NbOfTxs", "AM18", f"States {stated} transactions; there are {count}.")
    yield from _compare_total(place, f"{path}/CtrlSum", "CtrlSum", total)


def _compare_total(place: Element, path: str, name: str, total: Decimal | None) -> Iterator[Fault]:
    stated = (place.findtext(f"{{*}}{name}") or "").strip() if name else ""
    if not stated:
        return
    try:
        right = Decimal(stated) == total
    except InvalidOperation:
        right = False
    if not right:
        yield Fault(path, "AM10", f"States a sum of {stated}; the transactions come to {total or 0}.")
