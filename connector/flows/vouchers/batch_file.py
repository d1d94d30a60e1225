"""A voucher file: taken, judged as a whole, its vouchers made, and the answer sealed for its sender.

What is refused is refused whole, with an answer that we sign; it is encrypted as well where the sender is known and
has a key for that. Nothing of a file's content is logged.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from connector.domain.batch import CallbackTarget
from connector.domain.directory import Directory, SourceBB
from connector.domain.errors import Conflict, Fault, NotFound, Refused, Unavailable
from connector.domain.voucher import VoucherState
from connector.flows import tasks
from connector.flows.services import Services
from connector.flows.vouchers import envelope, notices
from connector.flows.vouchers.batch_document import Batch, LineResponse, Refusal, RefusalFault, Response, read
from connector.flows.vouchers.batch_issue import decide
from connector.flows.vouchers.batch_record import CONTRACT, FileRecord, LineRecord, claim, load
from connector.flows.vouchers.exchange_keys import FileExchange, KeyHolder
from connector.store import Entry

AHEAD_SECONDS: Final = 300.0
"""That a sender's clock may be ahead of ours."""

KEPT_SECONDS: Final = 7 * 86_400.0
"""That a large file may wait for a worker."""

_HTTPS: Final = ("https://",)
_HTTP: Final = (*_HTTPS, "http://")


class _Issuer(msgspec.Struct):
    """The one claim that says whose keys count."""

    iss: str


_ISSUER: Final = msgspec.json.Decoder(_Issuer)


@dataclass(frozen=True, slots=True)
class Taken:
    """What is answered to a file: the envelope; empty while a large one is worked on. id: "" where it was refused."""

    id: str
    source: str = ""
    answer: bytes = b""


async def take(services: Services, file: bytes, *, sender: str = "", origin: str = "", wait: bool = False) -> Taken:
    """Take a file; a refusal is an answer as well. A repeat gets the same answer.

    sender: the Source BB that is known to have sent it ("": nobody is); wait: work on a large one here and now.
    Raises ``Unavailable`` where no keys are configured or the store does not answer; the file can be sent again.
    """
    directory = await services.store.directory.load()
    try:
        signed = await asyncio.to_thread(_signed, own_keys(services), directory, file)
    except Refused as refused:
        return await _refuse(services, file, refused, directory.sources.get(sender))
    source = directory.sources[signed.signers[0]]
    try:
        batch = await asyncio.to_thread(_checked, services, source, signed.content)
        if sender and sender != source.id:
            raise Refused.because("", "foreign_source", "Another Source BB signed it than the one that sent it.")
        record = await claim(services, batch)
    except (Refused, Conflict) as refused:
        return await _refuse(services, file, refused, source)
    if len(batch.instructions) > services.files.lines_at_once and not wait and not record.finished_at:
        return await _put_off(services, batch, record)
    return await _answered(services, source, await _worked(services, batch, record, origin))


async def run(services: Services, entry: Entry) -> None:
    """Work on a large file that was put off."""
    content = await services.store.records.get(CONTRACT, entry.task.batch)
    record = await load(services, entry.task.batch)
    if content and not record.finished_at:
        await _worked(services, msgspec.json.decode(content, type=Batch), record, "")
    await services.store.queue.done(entry)


async def response(services: Services, identifier: str) -> Taken:
    """Give the answer to a file by its reference; raises ``NotFound``."""
    record = await load(services, identifier)
    source = (await services.store.directory.load()).sources.get(record.source)
    if source is None:
        raise NotFound("Source BB", record.source)
    return await _answered(services, source, record)


def own_keys(services: Services) -> KeyHolder:
    """Give our keys; raises ``Unavailable`` where none are configured."""
    if services.files.keys is None:
        raise Unavailable("voucher files", "no exchange key is configured (ISOGATE_EXCHANGE_KEY)", 60.0)
    return services.files.keys


def keys_of(source: SourceBB) -> KeyHolder:
    """Read a Source BB's public keys; none where it has none."""
    return KeyHolder.of_text(source.public_key) if source.public_key else KeyHolder(())


def _signed(own: KeyHolder, directory: Directory, file: bytes) -> envelope.Signed:
    """Decrypt a file and find the Source BB that signed it and says so in it; raises ``Refused``."""
    document = envelope.opened(file, own)
    signed = envelope.verified(document, envelope.BATCH, lambda kid: _candidates(directory, kid))
    try:
        issuer = _ISSUER.decode(signed.content).iss
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return signed  # whoever signed is told what is wrong with it
    if issuer not in signed.signers:
        raise envelope.not_genuine()
    return signed._replace(signers=(issuer,))


def _candidates(directory: Directory, kid: str) -> list[envelope.Candidate]:
    holders = ((source.id, keys_of(source).named(kid)) for source in directory.sources.values() if source.public_key)
    return [envelope.Candidate(name, key) for name, key in holders if key]


def _checked(services: Services, source: SourceBB, content: bytes) -> Batch:
    """Read a signed document and check its claims; raises ``Refused``."""
    rules = services.files
    batch = read(content, rules.lines)
    if faults := _faults(batch, rules, own_keys(services), services.clock()):
        raise Refused(faults)
    if keys_of(source).encrypting() is None:
        sentence = "You have no key registered that the voucher numbers could be encrypted to."
        raise Refused.because("", "no_encryption_key", sentence)
    return batch


def _faults(batch: Batch, rules: FileExchange, own: KeyHolder, now: float) -> list[Fault]:
    checks = {
        "aud": (own.named(batch.aud), "It must be the id of the key that the file is encrypted to."),
        "iat": (
            now - rules.age_seconds <= batch.iat <= now + AHEAD_SECONDS,
            f"It must be now, or at most {int(rules.age_seconds)} seconds ago.",
        ),
        "exp": (not batch.exp or now < batch.exp, "The file has expired."),
        "callback": (
            not batch.callback or batch.callback.startswith(_HTTPS if rules.callback_https else _HTTP),
            "It must be an https URL.",
        ),
    }
    return [Fault(f"/{name}", name, sentence) for name, (fits, sentence) in checks.items() if not fits]


async def _put_off(services: Services, batch: Batch, record: FileRecord) -> Taken:
    """Leave a large file to the workers; a repeat puts it off again, which changes nothing."""
    await services.store.records.put(CONTRACT, record.id, msgspec.json.encode(batch).decode(), KEPT_SECONDS)
    await services.store.queue.put([tasks.voucher_file(record.id)])
    return Taken(record.id, record.source)


async def _worked(services: Services, batch: Batch, record: FileRecord, origin: str) -> FileRecord:
    """Make the vouchers and queue the callback."""
    finished = await decide(services, batch, record, origin)
    told = {"requestID": batch.request_id, "batchID": batch.batch_id, "response": location(services, finished.id)}
    target = CallbackTarget(batch.callback)
    await notices.notify(services, f"file-{finished.id}", target, msgspec.json.encode(told).decode())
    return finished


def location(services: Services, identifier: str) -> str:
    """Say where a response can be fetched."""
    return f"{services.settings.connector_url}/vouchers/batches/{identifier}/response"


async def _answered(services: Services, source: SourceBB, record: FileRecord) -> Taken:
    if not record.finished_at:
        return Taken(record.id, record.source)
    numbers = await _numbers(services, [line.serial for line in record.lines if line.serial])
    document = Response(
        iss=services.settings.connector_url,
        aud=record.source,
        iat=int(record.finished_at),
        request_id=record.request_id,
        batch_id=record.batch_id,
        issued=sum(1 for line in record.lines if line.serial),
        failed=sum(1 for line in record.lines if not line.serial),
        instructions=[_line(line, numbers) for line in record.lines],
    )
    sealed = asyncio.to_thread(
        envelope.seal, msgspec.json.encode(document), envelope.RESPONSE, own_keys(services), keys_of(source)
    )
    return Taken(record.id, record.source, await sealed)


async def _numbers(services: Services, serials: list[int]) -> dict[int, str]:
    """Fetch the secret numbers; those of purged vouchers are gone."""
    vouchers = services.store.vouchers
    try:
        return dict(zip(serials, await vouchers.numbers(serials), strict=True)) if serials else {}
    except NotFound:
        states = await vouchers.read(serials)
        there = [each.serial for each in states if each and each.state is not VoucherState.PURGED]
        return dict(zip(there, await vouchers.numbers(there), strict=True)) if there else {}


def _line(line: LineRecord, numbers: dict[int, str]) -> LineResponse:
    if not line.serial:
        return LineResponse(line.instruction_id, "failed", code=line.code, reason=line.sentence)
    state = VoucherState.ACTIVATED if line.activate else VoucherState.PRE_ACTIVATED
    expiry = datetime.fromtimestamp(line.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if line.expires_at else ""
    return LineResponse(line.instruction_id, state.value, numbers.get(line.serial, ""), str(line.serial), expiry)


async def _refuse(services: Services, file: bytes, refused: Refused | Conflict, source: SourceBB | None) -> Taken:
    """Sign a refusal, and encrypt it where somebody is known who can read it."""
    document = Refusal(
        iss=services.settings.connector_url,
        iat=int(services.clock()),
        file=hashlib.sha256(file).hexdigest(),
        faults=[RefusalFault(*fault) for fault in _faults_of(refused)],
        aud=source.id if source else "",
    )
    content, own = msgspec.json.encode(document), own_keys(services)
    reader = keys_of(source) if source else KeyHolder(())
    if reader.encrypting():
        return Taken("", answer=await asyncio.to_thread(envelope.seal, content, envelope.REFUSAL, own, reader))
    return Taken("", answer=await asyncio.to_thread(envelope.sign, content, envelope.REFUSAL, own))


def _faults_of(refused: Refused | Conflict) -> tuple[Fault, ...]:
    if isinstance(refused, Conflict):
        return (Fault(f"/{refused.what}", "conflict", "It was used before with different content."),)
    return refused.faults
