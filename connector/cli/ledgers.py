"""The books of an instance: the simulated institutions' and the programmes' own, compared with one another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from connector.domain.money import amount_text, exponent
from connector.settings import Settings


@dataclass
class LedgerProof:
    """What the books say.

    lines: what a person is shown; problems: what does not come out; spent_minor: by programme and currency.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    spent_minor: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        """Whether everything comes out."""
        return not self.problems

    def expect_spent(self, programme: str, currency: str, minor: int) -> None:
        """Compare what a programme spent with the sum of the payments that were completed."""
        spent = self.spent_minor.get((programme, currency), 0)
        if spent != minor:
            self.problems.append(f"programme {programme} spent {spent} minor units {currency}, {minor} were paid")


async def proof(settings: Settings) -> LedgerProof:
    """Check that every ledger adds up to zero, and that all positions mirror one another."""
    books = LedgerProof()
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        async with session.get(f"{settings.simulators_base}/sim/ledger") as answer:
            _read_institutions(books, await answer.json())
        async with session.get(f"{settings.api_url}/admin/programmes") as answer:
            programmes = [each["id"] for each in (await answer.json())["items"]]
        async with session.get(f"{settings.api_url}/admin/voucher-groups") as answer:
            with_vouchers = {each["programme"] for each in (await answer.json())["items"]}
        for programme in programmes:
            async with session.get(f"{settings.api_url}/admin/programmes/{programme}/funds") as answer:
                _read_funds(books, programme, await answer.json(), vouchers=programme in with_vouchers)
    return books


async def advance_clock(settings: Settings, seconds: float) -> None:
    """Let the simulated institutions' clock run on, and wait until all that fell due by it is done."""
    path = f"{settings.simulators_base}/sim/clock"
    limit = aiohttp.ClientTimeout(total=120)
    async with (
        aiohttp.ClientSession(raise_for_status=True, timeout=limit) as session,
        session.post(path, json={"seconds": seconds}) as answer,
    ):
        await answer.read()


def _read_institutions(books: LedgerProof, said: Mapping[str, Any]) -> None:
    for each in said["ledgers"]:
        if not each["balanced"]:
            books.problems.append(f"the ledger of {each['institution']} does not add up to zero")
        if each["dead"]:
            books.problems.append(f"{each['institution']} could not deliver {each['dead']} messages")
    if not said["quiet"]:
        books.problems.append("the simulated institutions have messages under way")
    for mirror in said["mirrors"]:
        if mirror["difference_minor"]:
            books.problems.append(f"{mirror['institution']} and the switch do not agree on its position")
    books.lines.append(f"ledgers: {len(said['ledgers'])} add up to zero, positions at the switch agree")


def _read_funds(books: LedgerProof, programme: str, said: Mapping[str, Any], *, vouchers: bool) -> None:
    """Compare a programme's balances; vouchers: it has some, and money stays reserved until they are redeemed."""
    for currency, funds in said.items():
        if funds["budget"] != funds["available"] + funds["reserved"] + funds["spent"]:
            books.problems.append(f"programme {programme}: budget is not available + reserved + spent in {currency}")
        if funds["reserved"] and not vouchers:
            books.problems.append(f"programme {programme}: {funds['reserved']} minor units {currency} still reserved")
        books.spent_minor[programme, currency] = funds["spent"]
        if funds["spent"] and not vouchers:
            spent = amount_text(funds["spent"], exponent(currency))
            books.lines.append(f"programme {programme}: spent {spent} {currency}, nothing reserved any more")
