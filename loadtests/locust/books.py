"""The books of an instance before and after a run, compared with what its users were told."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

SETTLING_SECONDS: Final = 15.0
LOOK_EVERY_SECONDS: Final = 0.25


@dataclass(frozen=True)
class Books:
    """What programmes have spent and reserved, in minor units; ledgers: what simulated institutions say, if any."""

    spent: Mapping[str, int]
    reserved: Mapping[str, int]
    voucher_programme: str = ""
    ledgers: Mapping[str, Any] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Difference:
    """What the books say of a run; reason: why they could not be compared."""

    checked: bool = False
    lost_minor: int = 0
    doubled_minor: int = 0
    problems: Sequence[str] = field(default_factory=tuple)
    reason: str = ""


def compare(before: Books, after: Books, expected: Mapping[str, int], *, ours_alone: bool) -> Difference:
    """Compare what was spent with what users were told was paid, by programme in minor units.

    ours_alone: nobody else used the instance, so that nothing may be under way any more.
    """
    if reason := before.reason or after.reason:
        return Difference(reason=reason)
    differences = [
        after.spent.get(programme, 0) - before.spent.get(programme, 0) - minor
        for programme, minor in expected.items()
    ]
    return Difference(
        checked=True,
        lost_minor=-sum(each for each in differences if each < 0),
        doubled_minor=sum(each for each in differences if each > 0),
        problems=tuple(_problems(before, after, expected, ours_alone=ours_alone)),
    )


def _problems(before: Books, after: Books, expected: Mapping[str, int], *, ours_alone: bool) -> list[str]:
    found = [
        f"the ledger of {each['institution']} does not add up to zero"
        for each in (after.ledgers or {}).get("ledgers", ())
        if not each["balanced"]
    ]
    found += [
        f"{each['institution']} and the switch do not agree on its position"
        for each in (after.ledgers or {}).get("mirrors", ())
        if each["difference_minor"]
    ]
    if ours_alone:
        kept = {
            programme: after.reserved.get(programme, 0) - before.reserved.get(programme, 0) for programme in expected
        }
        found += [
            f"programme {programme}: {minor} minor units are still reserved"
            for programme, minor in kept.items()
            if minor and programme != after.voucher_programme
        ]
    return found


async def read_books(session: aiohttp.ClientSession, base: str, currency: str, voucher_group: str) -> Books:
    """Read the books through the admin API; where that is not open to us, say why."""
    try:
        programmes = [each["id"] for each in (await _get(session, f"{base}/admin/programmes"))["items"]]
        funds = {each: await _get(session, f"{base}/admin/programmes/{each}/funds") for each in programmes}
        groups = (await _get(session, f"{base}/admin/voucher-groups"))["items"]
    except (aiohttp.ClientError, TimeoutError) as error:
        status = getattr(error, "status", "")
        return Books(
            {}, {}, reason=f"the admin API could not be read ({type(error).__name__} {status})".replace(" )", ")")
        )
    return Books(
        {name: said.get(currency, {}).get("spent", 0) for name, said in funds.items()},
        {name: said.get(currency, {}).get("reserved", 0) for name, said in funds.items()},
        next((each["programme"] for each in groups if each["code"] == voucher_group), ""),
        await _ledgers(session, base),
    )


async def settled_books(session: aiohttp.ClientSession, base: str, currency: str, voucher_group: str) -> Books:
    """Read the books when two looks in a row agree, so that what settles after the last word is in them."""
    deadline, books = asyncio.get_running_loop().time() + SETTLING_SECONDS, Books({}, {})
    while asyncio.get_running_loop().time() < deadline:
        newer = await read_books(session, base, currency, voucher_group)
        if newer.reason or (newer.spent, newer.reserved) == (books.spent, books.reserved):
            return newer
        books = newer
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    return books


async def _ledgers(session: aiohttp.ClientSession, base: str) -> Mapping[str, Any] | None:
    """Read the simulated institutions' ledgers; only a sandbox has them."""
    try:
        found: Mapping[str, Any] = await _get(session, f"{base}/sim/ledger")
    except (aiohttp.ClientError, TimeoutError):
        return None
    return found


async def _get(session: aiohttp.ClientSession, url: str) -> Any:  # noqa: ANN401 - any JSON
    async with session.get(url) as answer:
        answer.raise_for_status()
        return await answer.json()
