"""Batches: slices as received, chunks as paid, states and totals. Every commit is one server-side function."""

import math
from collections.abc import Sequence

from connector.domain.batch import Batch, BatchProgress, BatchState
from connector.domain.chunk import Chunk, ChunkStatus, Tally
from connector.domain.event import Event
from connector.domain.instruction import CreditInstruction
from connector.domain.status import Outcome
from connector.store.queue import Entry, Task


class Batches:
    """A batch's facts, progress, slices and chunks.

    Each commit takes what becomes true with it: ``then``, tasks to append (all of the same batch); ``event``, a line
    of the event log; ``done``, the entry that it finishes. Where a commit gives False nothing at all has changed, and
    the entry is still to be struck off by the caller.
    """

    async def put_slice(self, ref: str, number: int, instructions: Sequence[CreditInstruction]) -> None:
        """Keep a slice for a batch about to be created, for a day.

        Changes nothing where the batch is there already. The caller has claimed the batch's ids before (``Requests``),
        so that no two writers with different content meet here.
        """
        raise NotImplementedError

    async def create(self, batch: Batch, then: Sequence[Task], event: Event) -> Batch | None:
        """Make the batch from the slices put before, all its payments ongoing.

        ``None`` when created, otherwise the batch that was there: same digest means a repeat. Raises NotFound for a
        slice that is missing and Refused for sums that do not fit into 63 bits.
        """
        raise NotImplementedError

    async def read(self, ref: str) -> tuple[Batch, BatchProgress]:
        """Give the batch and how far it is. Raises NotFound."""
        raise NotImplementedError

    async def slice(self, ref: str, number: int) -> list[CreditInstruction]:
        """Give a slice's instructions. Raises NotFound, also when the slice has been resolved."""
        raise NotImplementedError

    async def move(  # noqa: PLR0913 (one commit: what becomes true together is said together)
        self,
        ref: str,
        expected: BatchState,
        to: BatchState,
        *,
        then: Sequence[Task] = (),
        event: Event | None = None,
        done: Entry | None = None,
        reason: str = "",
        now: float = 0.0,
    ) -> bool:
        """Change the state if it is the expected one; False if not.

        REFUSED and CANCELLED make every ongoing payment a failed one and finish the batch at ``now``.
        Raises NotPermitted for a step that the table of transitions does not have.
        """
        raise NotImplementedError

    async def resolved(  # noqa: PLR0913 (one commit: what becomes true together is said together)
        self,
        ref: str,
        number: int,
        chunks: Sequence[tuple[Chunk, ChunkStatus]],
        *,
        then: Sequence[Task] = (),
        event: Event | None = None,
        done: Entry | None = None,
        then_if_finished: Sequence[Task] = (),
        now: float,
    ) -> bool:
        """Replace a slice of a running batch by its chunks, moving the totals; False if that was done before."""
        raise NotImplementedError

    async def chunk(self, ref: str, number: int) -> tuple[Chunk, ChunkStatus]:
        """Give a chunk whole. Raises NotFound."""
        raise NotImplementedError

    async def chunk_status(self, ref: str, number: int) -> ChunkStatus:
        """Give a chunk's changing part. Raises NotFound."""
        raise NotImplementedError

    async def chunk_numbers(self, ref: str) -> list[int]:
        """Give the numbers of a batch's chunks so far, in order."""
        raise NotImplementedError

    async def advance(  # noqa: PLR0913 (one commit: what becomes true together is said together)
        self,
        ref: str,
        number: int,
        expected_version: int,
        status: ChunkStatus,
        before: dict[Outcome, Tally],
        after: dict[Outcome, Tally],
        currency: str,
        *,
        then: Sequence[Task] = (),
        then_if_finished: Sequence[Task] = (),
        event: Event | None = None,
        done: Entry | None = None,
        now: float,
    ) -> bool:
        """Swap a chunk's changing part if its version is still the expected one; False: read again and retry.

        The totals move from ``before`` to ``after``. A running batch of which nothing is ongoing any more is COMPLETED
        in the same step, and ``then_if_finished`` appended.
        """
        raise NotImplementedError

    async def find(  # noqa: PLR0913 (filters of a list, all by name)
        self,
        *,
        source: str = "",
        programme: str = "",
        state: str = "",
        newest: int = 50,
        before: float = math.inf,
    ) -> list[str]:
        """List references, newest first, of batches accepted earlier than ``before`` (Unix seconds)."""
        raise NotImplementedError

    async def by_sender_id(self, batch_id: str, source: str = "") -> str | None:
        """Find the reference behind a batch id as the Source BB knows it; the newest, where several sources use it."""
        raise NotImplementedError
