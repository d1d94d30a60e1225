"""Intake, authorisation, prevalidation, cancellation, repetition, onboarding: what stands beside the walk."""

import asyncio
from dataclasses import replace

import pytest
from flow_world import World, pay, person, submission

from connector.domain.batch import BatchKind, BatchState
from connector.domain.beneficiary import Beneficiary
from connector.domain.directory import ChannelKind
from connector.domain.errors import Conflict, NotPermitted, Refused
from connector.flows import collect, control, onboarding, prevalidation, status
from connector.flows.intake import submit
from connector.flows.steps import STEPS

pytestmark = pytest.mark.archiving


async def state(world: World, ref: str) -> BatchState:
    return (await status.summary(world.services, ref)).progress.state


async def test_an_identical_repeat_gives_the_same_batch(world: World) -> None:
    first = await world.submit(pay(1))
    again = await asyncio.gather(*(world.submit(pay(1)) for _ in range(5)))
    assert {batch.ref for batch in again} == {first.ref}
    await world.onboard(person(1))
    await world.carry()
    assert len(world.fsp.messages) == 1


async def test_a_used_id_with_other_content_is_a_conflict(world: World) -> None:
    await world.submit(pay(1))
    with pytest.raises(Conflict):
        await world.submit(pay(2), digest="e" * 64)
    with pytest.raises(Conflict):
        await world.submit(pay(1), batch_id="BATCH0000002")
    with pytest.raises(Conflict):
        await world.submit(pay(1), request_id="REQ000000002", digest="e" * 64)


async def test_of_two_batches_under_one_id_at_once_only_one_is_taken(world: World) -> None:
    orders = [{"request_id": f"REQ{n:09d}", "digest": f"{n:064d}", "programme": "PENSIONS"} for n in range(6)]
    results = await asyncio.gather(
        *(world.submit(pay(n), **order) for n, order in enumerate(orders)), return_exceptions=True
    )
    taken = [result for result in results if not isinstance(result, Conflict)]
    assert len(taken) == 1
    batch = taken[0]
    kept = await world.services.store.batches.slice(batch.ref, 0)
    assert kept == [pay(int(batch.digest))]
    free = next(order for order in orders if order["digest"] != batch.digest)
    await world.submit(pay(9), batch_id="BATCH0000009", **free)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"instructions": ()}, "empty"),
        ({"instructions": (pay(1), pay(2), pay(1))}, "AM05"),
        ({"instructions": tuple(pay(n, currency=f"X{n:02d}") for n in range(30))}, "AM03"),
        ({"source": "STRANGER"}, "unknown_source"),
        ({"programme": "NOTHING"}, "unknown_programme"),
    ],
)
async def test_a_refused_batch_leaves_its_ids_free(world: World, fields: dict, code: str) -> None:
    with pytest.raises(Refused) as refused:
        await submit(world.services, submission(pay(1), **fields))
    assert refused.value.faults[0].code == code
    await world.submit(pay(1), digest="f" * 64)


async def test_authorisation_is_asked_for_and_awaited(world: World) -> None:
    await world.onboard(person(1))
    batch = await world.submit(pay(1), programme="ASKING")
    await world.carry()
    path, headers, body = world.fsp.calls[0]
    assert path == f"/TREAXU22/batches/{batch.ref}?command=authorize"
    assert headers["X-Callback-URL"].endswith(f"/fsp/TREAXU22/callbacks/authorisation/{batch.ref}/0")
    assert body == {"batchID": batch.ref, "payerIdentifier": "9000000001", "currency": "USD", "amount": 10.0}
    assert await state(world, batch.ref) is BatchState.AWAITING_AUTHORISATION
    with pytest.raises(Refused):
        await collect.authorisation_answer(world.services, "UNIOXU22", batch.ref, True, "")
    await collect.authorisation_answer(world.services, "TREAXU22", batch.ref, True, "")
    await collect.authorisation_answer(world.services, "TREAXU22", batch.ref, False, "changed my mind")
    await world.carry()
    assert await state(world, batch.ref) is BatchState.COMPLETED


async def test_every_currency_is_authorised_by_itself(world: World, clock) -> None:
    await world.onboard(person(1))
    batch = await world.submit(pay(1), pay(2, currency="EUR"), programme="ASKING")
    await world.carry()
    assert sorted(body["currency"] for _, _, body in world.fsp.calls) == ["EUR", "USD"]
    await collect.authorisation_answer(world.services, "TREAXU22", batch.ref, True, "", 0)
    await world.carry()
    assert await state(world, batch.ref) is BatchState.AWAITING_AUTHORISATION
    clock.pass_seconds(31)
    await world.carry()
    assert [body["currency"] for _, _, body in world.fsp.calls[2:]] == ["USD"]
    with pytest.raises(Refused):
        await collect.authorisation_answer(world.services, "TREAXU22", batch.ref, True, "", 2)
    await collect.authorisation_answer(world.services, "TREAXU22", batch.ref, True, "", 1)
    assert await state(world, batch.ref) is BatchState.RUNNING


async def test_without_authorisation_the_funds_are_free_again(world: World) -> None:
    batch = await world.submit(pay(1), programme="ASKING")
    await world.carry()
    await collect.authorisation_answer(world.services, "TREAXU22", batch.ref, False, "limit")
    await world.carry()
    assert await state(world, batch.ref) is BatchState.REFUSED
    balance = (await world.services.store.funds.balances("ASKING"))["USD"]
    assert (balance.reserved, balance.available) == (0, 1_000_000)


async def test_prevalidation_by_iso_names_what_would_fail(world: World) -> None:
    await world.onboard(*(person(number) for number in range(3)))
    world.fsp.reject = {pay(1).instruction_id: "AC04"}
    instructions = tuple(pay(number) for number in range(4))
    batch = await world.submit(*instructions, kind=BatchKind.PREVALIDATION)
    paid = await world.submit(*instructions)
    assert paid.ref != batch.ref
    result = await prevalidation.result(world.services, "", "REQ000000001", "BATCH0000001")
    assert result is not None
    assert not result.finished
    await world.carry()
    result = await prevalidation.result(world.services, "MINISTRY", "", "BATCH0000001")
    assert result is not None
    assert (result.ref, result.finished) == (batch.ref, True)
    assert [instruction for instruction, _ in result.failed] == [pay(3).instruction_id, pay(1).instruction_id]
    assert await prevalidation.result(world.services, "", "", "NOTHING") is None


async def test_prevalidation_by_json_waits_for_the_callback(world: World) -> None:
    directory = await world.services.store.directory.load()
    bank = directory.institutions["TREAXU22"]
    object.__setattr__(bank, "channel", ChannelKind.GOVSTACK_JSON)
    await world.services.store.directory.save_institution(bank)
    await world.onboard(*(person(number) for number in range(2)))
    batch = await world.submit(pay(0), pay(1), kind=BatchKind.PREVALIDATION)
    await world.carry()
    path, headers, body = world.fsp.calls[0]
    assert path == "/TREAXU22/beneficiaries?command=validate"
    assert headers["X-Callback-URL"].endswith(f"/fsp/TREAXU22/callbacks/validation/{batch.ref}/0")
    assert [case["instructionID"] for case in body["creditInstructions"]] == [
        pay(0).instruction_id,
        pay(1).instruction_id,
    ]
    await collect.validation_answer(world.services, "TREAXU22", batch.ref, 0, {pay(1).instruction_id: "closed"})
    result = await prevalidation.result(world.services, "MINISTRY", "", "BATCH0000001")
    assert result is not None
    assert result.finished
    assert result.failed == [(pay(1).instruction_id, "NARR closed")]


async def test_a_status_push_decides_where_all_fared_alike(world: World) -> None:
    bank = (await world.services.store.directory.load()).institutions["TREAXU22"]
    object.__setattr__(bank, "channel", ChannelKind.GOVSTACK_JSON)
    await world.services.store.directory.save_institution(bank)
    await world.onboard(person(0), person(1))
    batch = await world.submit(pay(0), pay(1))
    await world.carry()
    assert world.fsp.calls[0][0] == "/TREAXU22/batchtransactions?type=raw"
    counts = {"TotalTransactions": 2, "ongoing": 0, "failed": 0, "completed": 2}
    with pytest.raises(Refused):
        await collect.status_push(world.services, "TREAXU22", "PEER-1", {**counts, "completed": 3})
    await collect.status_push(world.services, "TREAXU22", "PEER-1", counts)
    await world.carry()
    assert await state(world, batch.ref) is BatchState.COMPLETED


async def test_a_batch_is_cancelled_before_it_starts(world: World, clock) -> None:
    batch = await world.submit(pay(1), execute_at=clock() + 60)
    await world.carry()
    await control.cancel(world.services, batch.ref, "operator", "test")
    clock.pass_seconds(61)
    await world.carry()
    assert await state(world, batch.ref) is BatchState.CANCELLED
    records = await status.details(world.services, batch.ref, page=0, size=5)
    assert [record.status for record in records] == ["CANC"]
    with pytest.raises(NotPermitted):
        await control.cancel(world.services, batch.ref, "operator", "test")


async def test_a_running_batch_is_cancelled_while_nothing_was_sent(world: World) -> None:
    await world.onboard(*(person(number) for number in range(15)))
    batch = await world.submit(*(pay(number) for number in range(15)))
    for step in ("admit", "resolve"):
        entry = (await world.take(step))[0]
        await STEPS[step].run(world.services, entry)
    await control.cancel(world.services, batch.ref, "operator", "test")
    await world.carry()
    records = await status.details(world.services, batch.ref, page=0, size=50)
    assert {record.status for record in records} == {"CANC"}
    assert len(records) == 15
    assert world.fsp.messages == []
    assert await state(world, batch.ref) is BatchState.COMPLETED
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.reserved, balance.available) == (0, 1_000_000)


async def test_what_was_sent_is_not_cancelled(world: World) -> None:
    await world.onboard(person(1))
    world.fsp.mode = "accept"
    batch = await world.submit(pay(1))
    await world.carry()
    with pytest.raises(NotPermitted):
        await control.cancel(world.services, batch.ref, "operator", "test")


async def test_failed_payments_are_repeated_once_as_a_new_batch(world: World) -> None:
    await world.onboard(person(0))
    batch = await world.submit(pay(0), pay(1))
    with pytest.raises(NotPermitted):
        await control.retry(world.services, batch.ref, "operator", "test")
    await world.carry()
    await world.onboard(person(1))
    again = await control.retry(world.services, batch.ref, "operator", "test")
    assert await control.retry(world.services, batch.ref, "operator", "test") == again
    await world.carry()
    records = await status.details(world.services, again.ref, page=0, size=5)
    assert [(record.instruction_id, record.status) for record in records] == [(pay(1).instruction_id, "ACSC")]
    assert again.retry_of == batch.ref
    with pytest.raises(NotPermitted):
        await control.retry(world.services, again.ref, "operator", "test")


async def test_onboarding_names_each_failed_case_and_calls_back(world: World) -> None:
    entries = [
        person(1),
        person(2, institution="NOBANK"),
        person(3, institution="UNIOXU22", address="2000000001"),
        person(4, modality="99"),
        Beneficiary("PERSON00000000000005"),
    ]
    about = {"request_id": "REQ000000009", "callback": world.callback, "origin": "test"}
    failed = await onboarding.register(world.services, "MINISTRY", entries, **about)
    assert [case.functional_id[-1] for case in failed] == ["2", "3", "4"]
    assert await onboarding.register(world.services, "MINISTRY", entries, **about) == failed
    await world.carry()
    assert len(world.fsp.callbacks) == 1
    body = world.fsp.callbacks[0]
    assert (body["registerRequestID"], body["numberFailedCases"], len(body["requestID"])) == ("REQ000000009", 3, 12)
    assert body["failedCases"][0]["payeeIdentity"] == "PERSON00000000000002"
    missing = await onboarding.update(world.services, "MINISTRY", [person(7)], **about)
    assert [case.functional_id for case in missing] == ["PERSON00000000000007"]
    found = await onboarding.lookup(world.services, "MINISTRY", ["PERSON00000000000001", "PERSON00000000000007"])
    assert found[0] is not None
    assert found[1] is None


async def test_progress_is_told_while_the_batch_runs(world: World, clock) -> None:
    world.services = replace(world.services, settings=replace(world.services.settings, progress_interval_seconds=5))
    await world.onboard(person(1))
    world.fsp.mode = "accept"
    batch = await world.submit(pay(1), callback=world.callback)
    for _ in range(2):
        await world.carry()
        clock.pass_seconds(6)
    await world.carry()
    assert [body["ongoing"] for body in world.fsp.callbacks] == [1, 1]
    first, second = (body["callback_id"] for body in world.fsp.callbacks)
    assert first.startswith(f"{batch.ref}-progress-USD-")
    assert first != second
    world.fsp.mode = "report"
    clock.pass_seconds(60)
    await world.carry()
    clock.pass_seconds(60)
    await world.carry()
    assert [body["callback_id"] for body in world.fsp.callbacks][-1] == f"{batch.ref}-final-USD"
    assert not sum((await world.services.store.queue.depth()).values())


async def test_a_callback_is_tried_again_and_then_given_up(world: World, clock) -> None:
    await world.onboard(person(1))
    world.fsp.callback_answers = [500, 503]
    await world.submit(pay(1), callback=world.callback)
    await world.carry()
    assert len(world.fsp.callbacks) == 1
    for _ in range(4):
        clock.pass_seconds(10)
        await world.carry()
    assert len(world.fsp.callbacks) == 3
    assert len({body["callback_id"] for body in world.fsp.callbacks}) == 1
    world.fsp.callback_answers = [500] * 50
    await world.submit(pay(1), callback=world.callback, batch_id="BATCH0000002", request_id="REQ000000002")
    for _ in range(20):
        clock.pass_seconds(4000)
        await world.carry()
    assert len(world.fsp.callbacks) == 3 + world.services.settings.callback_attempts


async def test_what_the_sender_named_itself_is_repeated_as_named(world: World) -> None:
    await world.onboard(person(4))
    named = [
        pay(1)._replace(address="1000000001", institution="NOBANK"),
        pay(2)._replace(address="1000000002", modality="02"),
        pay(3)._replace(address="1000000003", payee_functional_id=""),
        pay(4)._replace(address="1000000005"),
        pay(5),
    ]
    world.fsp.reject = {pay(number).instruction_id: "AC04" for number in (3, 4)}
    batch = await world.submit(*named)
    await world.carry()
    again = await control.retry(world.services, batch.ref, "operator", "test")
    repeated = await world.services.store.batches.slice(again.ref, 0)
    assert sorted(repeated) == sorted(named)
