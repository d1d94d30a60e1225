"""The totals of a batch: counters a currency and outcome, moved by differences."""

from typing import Final

from connector.domain.batch import Batch, BatchProgress, BatchState
from connector.domain.chunk import Chunk, Tally
from connector.domain.errors import Refused
from connector.domain.status import Outcome
from connector.store.funds import LARGEST_AMOUNT

LARGEST_TOTAL: Final = LARGEST_AMOUNT
"""What cannot be reserved is not taken in."""

Change = tuple[str, str, str, str]
"""Currency, outcome, payments and minor units to add, as text: a function must not calculate with them."""


def check(batch: Batch) -> None:
    """Refuse sums that the counters cannot hold; raises ``Refused``."""
    if any(tally.minor > LARGEST_TOTAL for tally in batch.expected.values()):
        raise Refused.because("/", "AM12", "The sum of the batch is too large; split it.")


def all_ongoing(chunk: Chunk) -> dict[Outcome, Tally]:
    """Say how a chunk's credits were counted while they were part of a slice."""
    totals = dict.fromkeys(Outcome, Tally(0, 0))
    totals[Outcome.ONGOING] = Tally(len(chunk.credits), chunk.total_minor)
    return totals


def changes(currency: str, before: dict[Outcome, Tally], after: dict[Outcome, Tally]) -> list[Change]:
    """Give the totals that move, and by how much."""
    return [
        (currency, outcome.value, str(now.payments - then.payments), str(now.minor - then.minor))
        for outcome, then, now in ((outcome, before[outcome], after[outcome]) for outcome in Outcome)
        if now != then
    ]


def progress(fields: dict[bytes, bytes]) -> BatchProgress:
    """Read the changing part of a batch."""
    currencies = filter(None, fields[b"currencies"].decode().split(","))
    return BatchProgress(
        state=BatchState(fields[b"state"].decode()),
        totals={currency: _totals(fields, currency) for currency in currencies},
        resolved=int(fields[b"resolved"]),
        finished_at=float(fields[b"finished_at"]),
        reason=fields[b"reason"].decode(),
        archived_at=float(fields.get(b"archived_at", 0)),
    )


def _totals(fields: dict[bytes, bytes], currency: str) -> dict[Outcome, Tally]:
    """Read one currency's totals; every outcome is present."""

    def counter(kind: str, outcome: Outcome) -> int:
        return int(fields.get(f"{kind}:{currency}:{outcome.value}".encode(), 0))

    return {outcome: Tally(counter("n", outcome), counter("m", outcome)) for outcome in Outcome}
