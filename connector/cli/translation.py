"""``isogate translate``: from a JSON batch of either contract to ISO 20022 messages, without a server.

The same pure code as in the server does the work: reading the contract, cutting into chunks, composing, writing.
"""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from connector.cli.files import content_of, load_engine
from connector.domain.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from connector.domain.batch import Batch
    from connector.domain.beneficiary import Beneficiary
    from connector.domain.chunk import Chunk, ChunkStatus
    from connector.domain.instruction import CreditInstruction

PROGRAMMES: Final = {"pain.001": "PENSIONS", "pacs.008": "RELIEF", "acmt.023": "PENSIONS"}
"""The sandbox programme whose rules stand for the message's family."""

BatchFile = Annotated[Path, typer.Argument(help="JSON body of /bulk-payment (v1.0) or /batchtransactions (v3.0)")]
MessageName = Annotated[str, typer.Option("--message", help="Message to write, for example pain.001.001.09")]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for the messages")]
People = Annotated[
    Path | None,
    typer.Option("--beneficiaries", help="JSON body of /register-beneficiary: where the payees want their money"),
]
Scheme = Annotated[str, typer.Option("--scheme", help="Mapping profile to write with")]


class Read(NamedTuple):
    """A batch file as it was understood."""

    source: str
    batch_id: str
    instructions: Sequence["CreditInstruction"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(translate)


def translate(
    batch: BatchFile,
    message: MessageName = "pain.001.001.09",
    out: Out = Path("out"),
    beneficiaries: People = None,
    scheme: Scheme = "generic",
) -> None:
    """Write the ISO 20022 messages that a JSON batch becomes, one file a chunk."""
    read = read_batch(content_of(batch))
    payees = _payees(read, beneficiaries)
    messages = list(_messages(read, payees, message, scheme))
    for name, body, credits_ in messages:
        _write(out / name, body)
        print(f"{out / name}: {credits_} payments")
    if not messages:
        raise typer.Exit(1)


def _write(file: Path, body: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    except OSError as error:
        raise Misconfigured(str(file), 0, "", error.strerror or "cannot be written") from None


def read_batch(body: bytes) -> Read:
    """Read a batch of either contract; ids may have up to 36 characters. Raises ``Refused``."""
    from pydantic import TypeAdapter

    from connector.api import models_v1, models_v3
    from connector.api.json_body import decode, parse

    if isinstance(decode(body), list):
        parsed = parse(body, TypeAdapter(models_v3.LenientBatchV3), models_v3.instructions)
        return Read("translate", "v3", _value(parsed))
    order = _value(parse(body, TypeAdapter(models_v1.LenientBulkPaymentV1), models_v1.order))
    return Read(order.source, order.batch_id, order.instructions)


def _value(parsed: Any) -> Any:  # noqa: ANN401 - whatever the adapter makes
    if parsed.refusal is not None:
        raise parsed.refusal
    return parsed.value


def _payees(read: Read, file: Path | None) -> list["Beneficiary | None"]:
    if file is None:
        return [None if each.address else _stand_in(each.payee_functional_id) for each in read.instructions]
    from pydantic import TypeAdapter

    from connector.api import models_v1
    from connector.api.json_body import parse

    body = parse(content_of(file), TypeAdapter(models_v1.LenientOnboardingV1), models_v1.onboarding)
    known = {entry.functional_id: entry for entry in _value(body).entries}
    return [known.get(each.payee_functional_id) for each in read.instructions]


def _stand_in(functional_id: str) -> "Beneficiary":
    """Without an account mapper, a functional id stands for an account at the sandbox's first bank."""
    from connector.domain.beneficiary import Beneficiary, PaymentModality

    return Beneficiary(functional_id, PaymentModality.BANK_ACCOUNT, "UNIOXU22", functional_id)


def _messages(
    read: Read, payees: list["Beneficiary | None"], message: str, scheme: str
) -> Iterator[tuple[str, bytes, int]]:
    from connector.domain.chunk import UNROUTED
    from connector.flows.compose import outgoing
    from connector.flows.debulk import Debulk
    from connector.flows.routing import terms_of, way_of
    from connector.sandbox import sandbox_directory

    engine, directory, now = load_engine(), sandbox_directory("http://localhost"), time.time()
    batch = _batch(read, message, now)
    way = way_of(directory, batch.programme, batch.kind)
    cut = Debulk(directory, terms_of(engine.scheme(scheme), way.executor).transactions).slice
    for chunk, status in cut(batch.ref, 0, 0, read.instructions, payees, now):
        if chunk.institution == UNROUTED:
            _say_unrouted(chunk, status)
            continue
        value = outgoing(batch, chunk, way, now, traced=engine.scheme(scheme).traced)
        written = engine.compose(scheme, message, value, receiver=way.executor.code)
        for note in written.notes:
            print(f"{value.message_id}: {note}", file=sys.stderr)
        yield f"{value.message_id}.{message}.xml", written.body, len(chunk.credits)


def _batch(read: Read, message: str, now: float) -> "Batch":
    from connector.domain.batch import Batch, BatchKind
    from connector.domain.ids import batch_reference

    programme = PROGRAMMES.get(message[:8])
    if programme is None:
        raise Refused.because("--message", "unsupported", f"Write one of {', '.join(PROGRAMMES)}, not {message}.")
    return Batch(
        ref=batch_reference("translate", read.source, read.batch_id),
        kind=BatchKind.PREVALIDATION if message.startswith("acmt") else BatchKind.DISBURSEMENT,
        contract="translate",
        source=read.source,
        request_id="",
        batch_id=read.batch_id,
        programme=programme,
        digest="",
        slices=1,
        expected={},
        accepted_at=now,
    )


def _say_unrouted(chunk: "Chunk", status: "ChunkStatus") -> None:
    for index, credit in enumerate(chunk.credits):
        reason = status.reasons[index]
        print(f"{credit.instruction_id}: not written, {reason.code} {reason.information}", file=sys.stderr)
