"""A worker's hands, divided: so that no kind of work can keep another waiting."""

import asyncio
from collections import ChainMap
from collections.abc import Sequence
from typing import Final

from connector.flows.steps import STEPS
from connector.store import Entry

URGENT_HANDS: Final = 2
LEAST_CALLERS: Final = 2

Hands = dict[str, asyncio.Task[None]]
"""What is being carried, by stream and id of its entry."""


class Lane:
    """Some hands that take entries of some steps, urgent ones first or urgent ones alone.

    gathering: what is in no hand, since it mostly waits for company.
    """

    def __init__(self, steps: Sequence[str], hands: int, *, urgent_only: bool = False) -> None:
        """Have so many hands for these steps."""
        self.steps = tuple(steps)
        self.urgent_only = urgent_only
        self.running: Hands = {}
        self.gathering: Hands = {}
        self._hands = hands

    @property
    def free(self) -> int:
        """How many hands have nothing to carry; what a worker resumes can be more than its hands."""
        return max(0, self._hands - len(self.running))

    @property
    def wants(self) -> int:
        """How many entries to take at once: half of what it could, so that other workers get theirs as well."""
        return -(-self.free // 2)

    def takes(self, entry: Entry) -> bool:
        """Tell whether an entry is for this lane, when it is taken without regard to urgency."""
        return not self.urgent_only and entry.task.step in self.steps

    @property
    def held(self) -> ChainMap[str, asyncio.Task[None]]:
        """All that it carries."""
        return ChainMap(self.running, self.gathering)

    def hands_for(self, entry: Entry) -> Hands:
        """Tell where an entry is kept while it is carried."""
        return self.gathering if STEPS[entry.task.step].gathers else self.running


def lanes_of(concurrency: int) -> tuple[Lane, Lane, Lane]:
    """Divide a worker: hands for payments, some that call Source BBs back, and some for urgent work of all kinds.

    Callbacks have their own, since work on payments may never end, and a Source BB may be slow to answer.
    """
    calling = [name for name, step in STEPS.items() if step.calls]
    paying = [name for name, step in STEPS.items() if not step.calls]
    return (
        Lane(paying, concurrency),
        Lane(calling, max(LEAST_CALLERS, concurrency // 2)),
        Lane([*STEPS], URGENT_HANDS, urgent_only=True),
    )
