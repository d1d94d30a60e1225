"""What one process keeps in mind while it redeems vouchers; nothing that may not be forgotten."""

from dataclasses import dataclass, field

from connector.flows.vouchers.outcomes import Outcomes
from connector.flows.vouchers.pace import Pace
from connector.flows.vouchers.register import Register


@dataclass(frozen=True, slots=True)
class Desk:
    """outcomes: who waits for which redemption; pace: of the payouts; register: merchants by account and name."""

    outcomes: Outcomes = field(default_factory=Outcomes)
    pace: Pace = field(default_factory=Pace)
    register: Register = field(default_factory=Register)

    async def close(self) -> None:
        """Stop waiting for outcomes."""
        await self.outcomes.close()
