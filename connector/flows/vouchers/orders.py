"""What a Source BB orders for many vouchers at once: create or change them, with callbacks; ask about its batch."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from connector.domain.batch import CallbackTarget
from connector.domain.chunk import Tally
from connector.domain.directory import SourceBB
from connector.domain.errors import Conflict, NotFound, Refused
from connector.domain.voucher import Command, Issued, Moved, VoucherFault, VoucherState, is_serial
from connector.flows.bodies import derived_request_id
from connector.flows.services import Services
from connector.flows.vouchers import issue, lifecycle, notices
from connector.flows.vouchers.bodies import FailedVoucher, confirmation_body, creation_body, reason_of
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.issue import Wanted
from connector.flows.vouchers.secrecy import correspondent, sealed_number
from connector.store.requests import Requests

LARGE: Final = 200
"""Vouchers from which on their numbers are sealed in a thread."""

PAGE: Final = 5000
"""Vouchers read at once for the status of a batch."""


class _Run(NamedTuple):
    """Consecutive serial numbers."""

    first: int
    length: int


class _Kept(msgspec.Struct):
    """What is kept of a batch: the request that made it, and its vouchers."""

    request_id: str
    runs: list[_Run]


class VoucherBatch(NamedTuple):
    """How the vouchers of a batch stand, by state and currency (Tally.minor: face value)."""

    request_id: str
    total: int
    tallies: Mapping[tuple[VoucherState, str], Tally]


async def create(
    services: Services,
    caller: Caller,
    request_id: str,
    batch_id: str,
    wanted: Sequence[Wanted],
    target: CallbackTarget,
) -> None:
    """Create vouchers, all or none, and queue the callback with their details; a repeated request does it once.

    Raises what ``issue.issue`` raises, ``Refused`` where no key was exchanged to seal the numbers with, and
    ``Conflict`` for a batch id of another request.
    """
    source = correspondent(await services.store.directory.load(), caller.name)
    sealed_number(source, 0, "0")  # before anything is made that could not be told
    own = _Claim(services.store.requests, f"{caller.dialect} voucher batches", caller.name, batch_id)
    async with own.claimed("batchID", request_id) if batch_id else nullcontext():
        issued = await issue.issue(services, caller, request_id, wanted)
    if batch_id:
        kept = _Kept(request_id, _runs([voucher.serial for voucher in issued]))
        await own.keep(msgspec.json.encode(kept).decode())
    identifier = derived_request_id(caller.dialect, caller.name, "create", request_id)
    body = await _creation_body(source, identifier, batch_id, issued)
    await notices.notify(services, identifier, target, body)


async def change(
    services: Services,
    caller: Caller,
    command: Command,
    request_id: str,
    serials: Sequence[str],
    target: CallbackTarget,
) -> None:
    """Do a command to vouchers, each for itself, and queue the callback with the failed cases; once a request.

    serials: as they were sent, each once. Raises ``VoucherRefused`` UNKNOWN_CALLER, and ``Conflict`` for a request
    id that came with other content before.
    """
    own = _Claim(services.store.requests, f"{caller.dialect} vouchers {command}", caller.name, request_id)
    async with own.claimed("requestID", _digest(serials)) as repeated:
        if repeated and await own.kept() is not None:
            return
        failed = await _changed(services, caller, command, serials, repeated=repeated)
    identifier = derived_request_id(caller.dialect, caller.name, command, request_id)
    await notices.notify(services, identifier, target, confirmation_body(identifier, request_id, failed))
    await own.keep("done")


async def batch(services: Services, caller: Caller, batch_id: str) -> VoucherBatch:
    """Count the vouchers of a batch; raises ``NotFound``, also for somebody else's."""
    own = _Claim(services.store.requests, f"{caller.dialect} voucher batches", caller.name, batch_id)
    answer = await own.kept()
    if answer is None:
        raise NotFound("voucher batch", batch_id)
    kept = msgspec.json.decode(answer, type=_Kept)
    serials = [serial for run in kept.runs for serial in range(run.first, run.first + run.length)]
    tallies: dict[tuple[VoucherState, str], Tally] = {}
    for start in range(0, len(serials), PAGE):
        for voucher in await services.store.vouchers.read(serials[start : start + PAGE]):
            if voucher:
                key = voucher.state, voucher.currency
                before = tallies.get(key, Tally(0, 0))
                tallies[key] = Tally(before.payments + 1, before.minor + voucher.amount_minor)
    return VoucherBatch(kept.request_id, len(serials), tallies)


@dataclass(frozen=True, slots=True)
class _Claim:
    """The claim of an id by a source within a contract, with what is kept under it."""

    requests: Requests
    contract: str
    source: str
    identifier: str

    @asynccontextmanager
    async def claimed(self, what: str, digest: str) -> AsyncIterator[bool]:
        """Claim the id, and tell whether the same request did so before; what is refused first time burns nothing.

        Raises ``Conflict`` where another request has it.
        """
        outcome = await self.requests.claim(self.contract, self.source, self.identifier, digest, self.identifier)
        if outcome == "conflict":
            raise Conflict(what, self.identifier)
        try:
            yield outcome == "repeat"
        except (Refused, Conflict):
            if outcome == "new":
                await self.requests.give_back(self.contract, self.source, self.identifier, self.identifier)
            raise

    async def keep(self, answer: str) -> None:
        await self.requests.keep_answer(self.contract, self.source, self.identifier, answer)

    async def kept(self) -> str | None:
        return await self.requests.answer_of(self.contract, self.source, self.identifier)


def _digest(serials: Sequence[str]) -> str:
    return sha256(msgspec.msgpack.encode(serials)).hexdigest()


async def _changed(
    services: Services, caller: Caller, command: Command, serials: Sequence[str], *, repeated: bool
) -> list[FailedVoucher]:
    """Do the command; gives the vouchers to which it could not be applied.

    repeated: an earlier attempt may have been interrupted, so that what it cancelled is no failure.
    """
    known = [int(each) for each in serials if is_serial(each)]
    moved = {each.serial: each for each in await lifecycle.change(services, caller, command, known)}
    failed: list[FailedVoucher] = []
    for text in serials:
        outcome = moved[int(text)] if is_serial(text) else Moved(0, None, VoucherFault.UNKNOWN_SERIAL)
        cancelled = command is Command.CANCEL and outcome.state is VoucherState.CANCELLED
        if outcome.fault and not (repeated and cancelled):
            failed.append(FailedVoucher(text, reason_of(outcome)))
    return failed


def _runs(serials: Sequence[int]) -> list[_Run]:
    """Write growing serial numbers as runs of consecutive ones."""
    runs: list[_Run] = []
    for serial in serials:
        if runs and serial == runs[-1].first + runs[-1].length:
            runs[-1] = _Run(runs[-1].first, runs[-1].length + 1)
        else:
            runs.append(_Run(serial, 1))
    return runs


async def _creation_body(source: SourceBB, identifier: str, batch_id: str, issued: Sequence[Issued]) -> str:
    """Seal the numbers and write the body, in a thread where they are many."""

    def write() -> str:
        sealed = ((voucher, sealed_number(source, voucher.serial, voucher.number)) for voucher in issued)
        return creation_body(identifier, batch_id, sealed)

    return await asyncio.to_thread(write) if len(issued) >= LARGE else write()
