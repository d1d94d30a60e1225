"""The client of the disbursement: registers people, posts bodies, waits for the final callbacks."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from connector.cli.people import Person, payable_people
from connector.cli.source_bb import SourceBB
from loadtests.bench.bodies import Body

PROGRAMME: Final = "PENSIONS"
LONGEST_SECONDS: Final = 1800.0
REGISTER_IN_ONE: Final = 10_000
REGISTER_AT_ONCE: Final = 3


@dataclass
class Paid:
    """A batch from its post to its final callback; moments in Unix seconds."""

    body: Body
    posted_at: float
    answered_at: float = 0.0
    final_at: float = 0.0
    batch_id: str = ""
    final: Mapping[str, Any] = field(default_factory=dict)


async def register(ministry: SourceBB, people: int, first: int = 0) -> None:
    """Put so many people into the account mapper, a few requests at once; first: the number of the first one."""
    pieces = _pieces(people, first)

    async def some() -> None:
        for number, piece in pieces:
            await ministry.register(f"REG{number:09d}", piece)

    await asyncio.gather(*(some() for _ in range(REGISTER_AT_ONCE)))


async def pay(ministry: SourceBB, bodies: Sequence[Body]) -> list[Paid]:
    """Post one body after the other, and wait until every batch is called final."""
    waiting = []
    for body in bodies:
        paid = Paid(body, time.time())
        paid.batch_id = await ministry.pay(body.path, PROGRAMME, f"BENCH{body.first:07d}")
        paid.answered_at = time.time()
        waiting.append(asyncio.create_task(_called_final(ministry, paid)))
    return await asyncio.gather(*waiting)


async def _called_final(ministry: SourceBB, paid: Paid) -> Paid:
    paid.final = await ministry.finished(paid.batch_id, LONGEST_SECONDS)
    paid.final_at = time.time()
    return paid


def _pieces(people: int, first: int) -> Iterator[tuple[int, list[Person]]]:
    everybody, number = payable_people(people, first), 0
    while piece := list(islice(everybody, REGISTER_IN_ONE)):
        yield number, piece
        number += 1
