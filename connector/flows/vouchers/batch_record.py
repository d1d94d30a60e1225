"""What became of a voucher file, line by line: kept under its reference, sealed and without any voucher number."""

from typing import Final

import msgspec

from connector.domain.errors import Conflict, NotFound
from connector.domain.ids import batch_reference
from connector.flows.services import Services
from connector.flows.vouchers.batch_document import Batch, digest

CONTRACT: Final = "voucher-file"


class LineRecord(msgspec.Struct, array_like=True, omit_defaults=True):
    """A line; serial 0 and no code: not decided. expires_at: Unix seconds, 0 before activation."""

    instruction_id: str
    activate: bool = False
    serial: int = 0
    expires_at: float = 0.0
    code: str = ""
    sentence: str = ""

    @property
    def open(self) -> bool:
        """Whether the line is not decided."""
        return not self.serial and not self.code


class FileRecord(msgspec.Struct):
    """A file; finished_at: Unix seconds, 0 while it is worked on; lines: empty until that has begun."""

    id: str
    source: str
    request_id: str
    batch_id: str
    finished_at: float = 0.0
    lines: list[LineRecord] = []


def reference(batch: Batch) -> str:
    """Derive the file's reference from who sent it and the sender's request id."""
    return batch_reference(CONTRACT, batch.iss, batch.request_id)


async def claim(services: Services, batch: Batch) -> FileRecord:
    """Claim the ids of a file; a repeat gives the record that was there. Raises ``Conflict``."""
    identifier, requests = reference(batch), services.store.requests
    claimed = await requests.claim(CONTRACT, "", identifier, digest(batch), identifier)
    if claimed == "conflict":
        raise Conflict("requestID", batch.request_id)
    known = await requests.answer_of(CONTRACT, "", identifier) if claimed == "repeat" else None
    if known:
        return msgspec.json.decode(known, type=FileRecord)
    await _claim_batch_id(services, batch, identifier, new=claimed == "new")
    record = FileRecord(identifier, batch.iss, batch.request_id, batch.batch_id)
    if claimed == "new":
        await keep(services, record)
    return record


async def _claim_batch_id(services: Services, batch: Batch, identifier: str, *, new: bool) -> None:
    if not batch.batch_id:
        return
    requests = services.store.requests
    if await requests.claim(f"{CONTRACT}/batch", batch.iss, batch.batch_id, "", identifier) == "conflict":
        if new:
            await requests.give_back(CONTRACT, "", identifier, identifier)
        raise Conflict("batchID", batch.batch_id)


async def plan(services: Services, record: FileRecord, lines: list[LineRecord]) -> list[LineRecord]:
    """Settle on which lines are to be made; gives what a run before, or at the same time, has settled on."""
    said = msgspec.json.encode(lines).decode()
    settled = await services.store.requests.keep_plan(CONTRACT, "", record.id, said)
    return msgspec.json.decode(settled, type=list[LineRecord])


async def keep(services: Services, record: FileRecord) -> None:
    """Write the record down."""
    await services.store.requests.keep_answer(CONTRACT, "", record.id, msgspec.json.encode(record).decode())


async def load(services: Services, identifier: str) -> FileRecord:
    """Give a record; raises ``NotFound``."""
    known = await services.store.requests.answer_of(CONTRACT, "", identifier)
    if known is None:
        raise NotFound("voucher file", identifier)
    return msgspec.json.decode(known, type=FileRecord)
