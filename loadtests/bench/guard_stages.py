"""The stages that are guarded: each does to one slice what the processes do to it, through the same functions."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from lxml import etree

from connector.api import govstack_v1, govstack_v3_batches
from connector.api.batch_body import BatchReading
from connector.api.json_array import PIECE_BYTES
from connector.api.operation import Operation
from connector.channels import Channels
from connector.domain.chunk import Chunk
from connector.flows.draft import Draft
from connector.flows.services import FlowSettings, Services
from connector.store import EmbeddedServer, Keyring, Store
from connector.store.packing import Sealer
from loadtests.bench.documents import ORDER, REPORT, SCHEME, Documents

SOURCE: Final = "BENCHSOURCE1"


class Stage(NamedTuple):
    """A stage's name, and its work on a whole slice."""

    name: str
    work: Callable[[], object]


def bare(documents: Documents) -> Callable[[], object]:
    """Parse the orders with lxml alone and check them under their schema."""
    schema, bodies = documents.catalogue.schema(ORDER), documents.orders

    def parse_and_validate() -> None:
        for body in bodies:
            if not schema.validate(etree.fromstring(body)):
                raise ValueError(str(schema.error_log))

    return parse_and_validate


@contextmanager
def prepared(documents: Documents) -> Iterator[list[Stage]]:
    """Give all stages, with a store whose account mapper knows everybody."""
    with tempfile.TemporaryDirectory(prefix="isogate-guard-") as folder, asyncio.Runner() as loop:
        keys = Keyring.of_file(Path(folder) / "keys")
        with EmbeddedServer(Path(folder) / "store") as server:
            store = loop.run(Store.connect(server.url, keys=keys, clock=time.time))
            try:
                yield [*_read(documents, store), *_pure(documents, keys), _looked_up(documents, store, loop)]
            finally:
                loop.run(store.close())


def _read(documents: Documents, store: Store) -> list[Stage]:
    """Requests of both contracts, until their slices are packed."""
    channels = Channels(documents.engine, connector_url="http://127.0.0.1:1")
    services = Services(store, documents.engine, channels, time.time, FlowSettings())
    v1, v3 = govstack_v1.OPERATIONS, govstack_v3_batches.OPERATIONS
    return [
        Stage("read request v1.0", _reading(v1, "/bulk-payment", documents.body_v1, services)),
        Stage("read request v3.0", _reading(v3, "/batchtransactions", documents.body_v3, services)),
    ]


def _pure(documents: Documents, keys: Keyring) -> list[Stage]:
    """The stages that need nothing but this process."""
    chunks = Sealer(keys, Chunk)
    sealed = [chunks.seal(chunk, str(chunk.id)) for chunk, _ in documents.cut]
    named = [(chunk, str(chunk.id)) for chunk, _ in documents.cut]
    engine, bank = documents.engine, documents.bank
    cut = documents.debulk.slice
    instructions, found = documents.instructions, documents.beneficiaries
    return [
        Stage("debulk", lambda: cut("7Q3QZ4XWZ2V5YJ6K3L2A", 0, 0, instructions, found, 0.0)),
        Stage("seal chunks", lambda: [chunks.seal(chunk, key) for chunk, key in named]),
        Stage("open chunks", lambda: [chunks.open(one, key) for one, (_, key) in zip(sealed, named, strict=True)]),
        Stage("compose", lambda: [documents.composed(chunk) for chunk, _ in documents.cut]),
        Stage("write pain.001", lambda: [engine.write(SCHEME, ORDER, value) for value in documents.transfers]),
        Stage("read pain.001", lambda: [bank.read(body) for body in documents.orders]),
        Stage("write pain.002", lambda: [bank.write(SCHEME, REPORT, value) for value in documents.reports]),
        Stage("read pain.002", lambda: [engine.read(body) for body in documents.written_reports]),
    ]


def _reading(
    operations: tuple[Operation, ...], path: str, content: bytes, services: Services
) -> Callable[[], object]:
    """Read, check and pack a body as the operation on that path does it."""
    parts = [content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES)]
    forms = next(each.body.batch for each in operations if each.path == path and each.body and each.body.batch)

    def read() -> object:
        reading = BatchReading(forms.form(strict=True), Draft(services), services.stages)
        for number, part in enumerate(parts, 1):
            reading.take(part, last=number == len(parts))
        return reading.parsed().accepted()

    return read


def _looked_up(documents: Documents, store: Store, loop: asyncio.Runner) -> Stage:
    loop.run(store.mapper.register(SOURCE, documents.beneficiaries))
    asked = [each.functional_id for each in documents.people]
    return Stage("look accounts up", lambda: loop.run(store.mapper.resolve(SOURCE, asked)))
