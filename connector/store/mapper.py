"""The account mapper: where each person is paid, sealed, found by a keyed hash of source and functional id."""

from collections.abc import Sequence

from connector.domain.beneficiary import Beneficiary, FailedCase

ALREADY_REGISTERED = "Beneficiary already registered"
NOT_REGISTERED = "Beneficiary not registered"


class Mapper:
    """Registers, updates and looks up beneficiaries of a Source BB."""

    async def register(self, source: str, entries: Sequence[Beneficiary]) -> list[FailedCase]:
        """Add beneficiaries. The same data again is fine; other data under a registered id is a failed case."""
        raise NotImplementedError

    async def update(self, source: str, entries: Sequence[Beneficiary]) -> list[FailedCase]:
        """Change beneficiaries; empty fields keep what is there. An unknown one is a failed case."""
        raise NotImplementedError

    async def resolve(self, source: str, functional_ids: Sequence[str]) -> list[Beneficiary | None]:
        """Look up beneficiaries in one round trip; ``None`` where unknown. Same order as asked."""
        raise NotImplementedError
