"""A scheme decides the versions, the sizes and the texts of what goes out."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from flow_world import World, pay, person

import mappings
from connector.channels import Channels
from connector.domain.batch import BatchState
from connector.flows import status
from connector.iso20022.engine import Engine
from iso20022_schemas import Catalogue

SCHEME = """
name: Test
extends: generic
messages: {initiation: pain.001.001.03, initiation-report: pain.002.001.03, inquiry: pacs.028.001.05}
characters:
  allowed: "[A-Za-z0-9 /?:().,'+-]"
  otherwise: {replace: "."}
limits: {transactions: 2}
timeouts: {answer_seconds: 7, inquiries: 1}
"""


STRICT = """
name: Strict
extends: generic
characters: {allowed: "[A-Za-z0-9 /?:().,'+-]", otherwise: refuse}
limits: {amount: {maximum: '50.00'}, required: [uetr]}
"""


@pytest.fixture
def rules() -> str:
    return SCHEME


@pytest.fixture
async def ruled(world: World, tmp_path: Path, rules: str) -> AsyncIterator[World]:
    """The world, its payer bank under a scheme of its own."""
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "scheme.yaml").write_text(rules)
    engine = Engine(Catalogue(), Path(mappings.__file__).parent, tmp_path)
    bank = (await world.services.store.directory.load()).institutions["TREAXU22"]
    bank = replace(bank, profile="test", answer_within_seconds=0)
    await world.services.store.directory.save_institution(bank)
    async with Channels(engine, connector_url=world.url, timeout_seconds=5) as channels:
        world.services = replace(world.services, engine=engine, channels=channels)
        yield world


async def test_versions_sizes_and_times_are_the_schemes(ruled: World, clock) -> None:
    await ruled.onboard(*(person(number) for number in range(5)))
    ruled.fsp.mode = "accept"
    batch = await ruled.submit(*(pay(number) for number in range(5)))
    await ruled.carry()
    assert ruled.fsp.names == ["pain.001.001.03"] * 3
    assert [len(message.transfers) for message in ruled.fsp.messages] == [2, 2, 1]
    clock.pass_seconds(8)
    await ruled.carry()
    assert ruled.fsp.names[3:] == ["pacs.028.001.05"] * 3
    assert {inquiry.original_message for inquiry in ruled.fsp.inquiries} == {"pain.001.001.03"}
    clock.pass_seconds(100)
    await ruled.carry()
    assert len(ruled.fsp.inquiries) == 3
    assert (await status.summary(ruled.services, batch.ref)).progress.state is BatchState.RUNNING


async def test_what_writing_has_changed_is_in_the_log(ruled: World) -> None:
    await ruled.onboard(person(1, name="Zoë_Öst"))
    batch = await ruled.submit(pay(1))
    await ruled.carry()
    events = [event for event in await status.events(ruled.services, batch.ref) if event.action == "text changed"]
    assert events
    assert not any("Zo" in repr(event) for event in events)


@pytest.mark.parametrize("rules", [STRICT])
async def test_a_payment_that_the_scheme_forbids_is_rejected_alone_with_place_and_reason(ruled: World) -> None:
    await ruled.onboard(person(1), person(2, name="Zoë"), person(3), person(4))
    dear = pay(3)._replace(amount_minor=5001)
    batch = await ruled.submit(pay(1), pay(2), dear, pay(4))
    await ruled.carry()
    records = await status.details(ruled.services, batch.ref, page=0, size=9)
    assert [record.status for record in records] == ["ACSC", "RJCT", "RJCT", "ACSC"]
    assert "creditor_name" in records[1].information
    assert "amount" in records[2].information
    assert not any("Zo" in record.information for record in records)
    assert [len(message.transfers) for message in ruled.fsp.messages] == [2]


@pytest.mark.parametrize("rules", [STRICT])
async def test_every_payment_has_a_uetr_of_its_own_where_the_scheme_wants_one(ruled: World) -> None:
    await ruled.onboard(person(1), person(2))
    await ruled.submit(pay(1), pay(2))
    await ruled.carry()
    uetrs = [transfer.uetr for transfer in ruled.fsp.messages[0].transfers]
    assert len(set(uetrs)) == 2
    assert all(len(uetr) == 36 for uetr in uetrs)
