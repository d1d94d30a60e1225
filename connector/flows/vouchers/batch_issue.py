"""From a batch to vouchers: each line for itself fails or gets one, and a repeated run decides nothing anew.

Which lines are to be made is written down before any is, so that a run after a crash asks for the same vouchers
again, which gives those that are there.
"""

from collections.abc import Sequence
from typing import Final

from connector.domain.directory import Directory
from connector.domain.errors import Conflict, Refused, Unavailable
from connector.domain.money import minor_units
from connector.domain.voucher import Issued, VoucherFault, VoucherRefused, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers.batch_document import Batch, VoucherLine
from connector.flows.vouchers.batch_record import FileRecord, LineRecord, keep, load, plan
from connector.flows.vouchers.caller import FILE, Caller
from connector.flows.vouchers.groups import group_for, price
from connector.flows.vouchers.issue import Wanted, issue

MOST_ROUNDS: Final = 100
"""Refusals after which the rest fails; each round decides at least one line, usually all of a group."""

_OF_THE_GROUP: Final = frozenset(
    {VoucherFault.BUDGET, VoucherFault.EXHAUSTED, VoucherFault.UNKNOWN_GROUP, VoucherFault.UNKNOWN_CALLER}
)


async def decide(services: Services, batch: Batch, record: FileRecord, origin: str = "") -> FileRecord:
    """Make the vouchers of a batch; gives the finished record. Can be repeated, also at the same time."""
    if record.finished_at:
        return record
    caller = Caller(FILE, batch.iss, origin)
    if not record.lines:
        directory = await services.store.directory.load()
        record.lines = await plan(
            services, record, [_planned(directory, caller, line) for line in batch.instructions]
        )
    try:
        for activate in (False, True):
            await _issue(services, caller, batch, record, activate=activate)
    except Conflict:  # another run had another plan and was faster: its outcome is the outcome
        return await _finished(services, record.id)
    record.finished_at = services.clock()
    await keep(services, record)
    return record


async def _finished(services: Services, identifier: str) -> FileRecord:
    record = await load(services, identifier)
    if not record.finished_at:
        raise Unavailable("voucher file", "is being worked on")
    return record


def _planned(directory: Directory, caller: Caller, line: VoucherLine) -> LineRecord:
    """Judge a line by what the directory says; what money and stock say is asked later."""
    record = LineRecord(line.instruction_id, line.activate)
    try:
        price(group_for(directory, caller, line.group_code), line.currency, _minor(line))
    except Refused as refused:
        _fail(record, refused)
    return record


def _minor(line: VoucherLine) -> int:
    return minor_units(line.amount, line.currency)


async def _issue(services: Services, caller: Caller, batch: Batch, record: FileRecord, *, activate: bool) -> None:
    """Make the open lines of one kind, without those that turn out not to be possible."""
    state = VoucherState.ACTIVATED if activate else VoucherState.PRE_ACTIVATED
    for _ in range(MOST_ROUNDS):
        places = [index for index, line in enumerate(record.lines) if line.open and line.activate is activate]
        if not places:
            return None
        wanted = [_wanted(batch.instructions[index]) for index in places]
        try:
            issued = await issue(services, caller, f"{batch.request_id}/{state}", wanted, state=state)
        except VoucherRefused as refused:
            _strike(record, batch, places, refused)
            await keep(services, record)
        else:
            return _note(record, places, issued, activate=activate)
    raise Unavailable("voucher file", "could not be decided; send it again")


def _wanted(line: VoucherLine) -> Wanted:
    return Wanted(
        line.group_code, line.currency, _minor(line), line.instruction_id, line.payee_functional_id, line.narration
    )


def _note(record: FileRecord, places: Sequence[int], issued: Sequence[Issued], *, activate: bool) -> None:
    for index, voucher in zip(places, issued, strict=True):
        record.lines[index].serial = voucher.serial
        record.lines[index].expires_at = voucher.expires_at if activate else 0.0


def _strike(record: FileRecord, batch: Batch, places: Sequence[int], refused: VoucherRefused) -> None:
    """Fail the lines that were refused; all of their groups where that is what the refusal is about."""
    named = {places[int(number)] for fault in refused.faults if (number := _number(fault.where)) is not None}
    if not named:
        named = set(places)
    elif refused.fault in _OF_THE_GROUP:
        groups = {batch.instructions[index].group_code for index in named}
        named = {index for index in places if batch.instructions[index].group_code in groups}
    for index in named:
        _fail(record.lines[index], refused)


def _number(where: str) -> int | None:
    head = where.removeprefix("/").partition("/")[0]
    return int(head) if head.isdecimal() else None


def _fail(line: LineRecord, refused: Refused) -> None:
    line.code, line.sentence = refused.faults[0].code, refused.faults[0].sentence
