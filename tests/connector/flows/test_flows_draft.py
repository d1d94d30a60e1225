"""A batch on its way in: kept in slices under a token of its own, dropped unless it becomes a batch."""

import asyncio
from dataclasses import replace

import pytest
from flow_world import pay, submission

from connector.domain.batch import Batch
from connector.domain.chunk import Tally
from connector.domain.errors import Conflict, Refused, Unavailable
from connector.flows import draft as drafts
from connector.flows.draft import Draft
from connector.flows.intake import accept, reference, submit
from connector.flows.services import Services

SIZE = 4


@pytest.fixture
def small(world) -> Services:
    services = world.services
    return replace(services, settings=replace(services.settings, slice_size=SIZE, ceiling=50))


async def staged(services: Services) -> int:
    return len(await services.store.link.ask("KEYS", "*:staged:*"))


def ref_of(given) -> str:
    return reference(given.contract, given.kind, given.source, given.batch_id)


async def accepted(services: Services, pieces, ref: str = "", **fields) -> Batch:
    cover = submission(**fields)
    async with Draft(services, ref) as draft:
        for piece in pieces:
            await draft.add(piece)
        await draft.finish()
        return await accept(services, draft, replace(cover, digest=draft.digest(())))


async def kept(services: Services, batch: Batch) -> list:
    return [each for number in range(batch.slices) for each in await services.store.batches.slice(batch.ref, number)]


@pytest.mark.parametrize("known", [True, False])
async def test_pieces_of_any_size_become_slices_of_one(small, known):
    payments = [pay(n) for n in range(10)]
    ref = ref_of(submission()) if known else ""
    batch = await accepted(small, [payments[:1], payments[1:8], [], payments[8:]], ref)
    assert (batch.slices, batch.expected) == (3, {"USD": Tally(10, 10_000)})
    assert await kept(small, batch) == payments
    assert await staged(small) == 0


async def test_full_slices_are_staged_at_once_where_the_batch_is_known(small):
    async with Draft(small, ref_of(submission())) as draft:
        await draft.add([pay(n) for n in range(9)])
        assert await staged(small) == 2
    assert await staged(small) == 0


async def test_a_draft_can_turn_out_to_be_another_batch(small):
    payments = [pay(n) for n in range(9)]
    batch = await accepted(small, [payments], "B" * 20)
    assert batch.ref != "B" * 20
    assert await kept(small, batch) == payments
    assert await staged(small) == 0


async def test_the_content_is_the_same_however_it_is_cut(small):
    payments = [pay(n) for n in range(10)]
    first = await accepted(small, [payments])
    assert await accepted(small, [payments[:3], payments[3:]], first.ref) == first
    larger = replace(small, settings=replace(small.settings, slice_size=7))
    assert await accepted(larger, [payments]) == first
    with pytest.raises(Conflict):
        await accepted(small, [payments[:9]], first.ref)
    with pytest.raises(Conflict):
        await accepted(small, [payments[::-1]], first.ref)
    assert await staged(small) == 0
    assert await kept(small, first) == payments


async def test_two_senders_under_one_id_do_not_mix(small):
    ref = ref_of(submission())
    sent = [[pay(n, minor) for n in range(10)] for minor in (100, 200)]
    answers = await asyncio.gather(*(accepted(small, [each], ref) for each in sent), return_exceptions=True)
    [batch] = [each for each in answers if isinstance(each, Batch)]
    [other] = [each for each in answers if not isinstance(each, Batch)]
    assert isinstance(other, Conflict)
    assert await kept(small, batch) in sent
    assert await staged(small) == 0


@pytest.mark.parametrize("known", [True, False])
async def test_duplicates_are_named_by_their_places(small, known):
    payments = [pay(n % 7) for n in range(10)]
    with pytest.raises(Refused) as refused:
        await accepted(small, [payments], ref_of(submission()) if known else "")
    assert [fault.where for fault in refused.value.faults] == [
        f"/CreditInstructions/{place}/InstructionID" for place in (7, 8, 9)
    ]
    assert await staged(small) == 0


async def test_only_so_many_duplicates_are_named(small):
    with pytest.raises(Refused) as refused:
        await submit(small, submission(*[pay(1)] * 50))
    assert [fault.where.split("/")[2] for fault in refused.value.faults] == [str(n) for n in range(1, 21)]


async def test_equal_hashes_are_no_duplicates(small, monkeypatch):
    monkeypatch.setattr(drafts, "hash", len, raising=False)
    assert (await accepted(small, [[pay(n) for n in range(10)]])).count == 10


async def test_many_ids_are_looked_through_in_parts(small, monkeypatch):
    monkeypatch.setattr(drafts, "HASHES_AT_ONCE", 3)
    with pytest.raises(Refused) as refused:
        await submit(small, submission(*[pay(n % 9) for n in range(10)]))
    assert [fault.where for fault in refused.value.faults] == ["/CreditInstructions/9/InstructionID"]
    assert (await submit(small, submission(*[pay(n) for n in range(10)]))).count == 10


async def test_more_than_the_ceiling_is_refused_and_not_kept(small):
    with pytest.raises(Refused, match="at most 50"):
        await accepted(small, [[pay(n) for n in range(45)], [pay(n) for n in range(45, 60)]], "B" * 20)
    assert await staged(small) == 0


async def test_a_draft_that_is_cleared_begins_again(small):
    ref = ref_of(submission())
    async with Draft(small, ref) as draft:
        await draft.add([pay(n) for n in range(10)])
        draft.clear()
        await draft.add([pay(1)])
        await draft.finish()
        batch = await accept(small, draft, submission())
    assert await kept(small, batch) == [pay(1)]
    assert await staged(small) == 0


async def test_what_cannot_be_dropped_goes_by_itself(small, monkeypatch):
    async def away(*_: object) -> None:
        raise Unavailable("store", "away")

    async with Draft(small, ref_of(submission())) as draft:
        await draft.add([pay(n) for n in range(9)])
        monkeypatch.setattr(small.store.staging, "drop", away)
    [key, *_] = await small.store.link.ask("KEYS", "*:staged:*")
    assert await small.store.link.ask("TTL", key) > 0


async def test_what_was_staged_before_it_was_cleared_does_not_come_back_with_another_name(small):
    payments = [pay(n) for n in range(20, 26)]
    async with Draft(small, "B" * 20) as draft:
        await draft.add([pay(n) for n in range(9)])
        draft.clear()
        draft.take(payments)
        await draft.finish()
        batch = await accept(small, draft, submission())
    assert await kept(small, batch) == payments
    assert await staged(small) == 0
