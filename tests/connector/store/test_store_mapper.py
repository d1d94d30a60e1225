"""The account mapper: one entry a person and source, failures one by one, nothing readable at rest."""

import asyncio

import pytest

from connector.domain.beneficiary import Beneficiary, FailedCase
from connector.store import Keyring, Store

pytestmark = pytest.mark.cluster

ADA = Beneficiary("P1", "00", "UNIOXU22", "10777123456", "Ada")
BEN = Beneficiary("P2", "01", "KASHXU22", "+99970123456", "Ben")


async def test_beneficiaries_are_found_in_the_order_asked(store: Store) -> None:
    assert await store.mapper.register("S", [ADA, BEN]) == []
    assert await store.mapper.resolve("S", ["P2", "nobody", "P1", "P2"]) == [BEN, None, ADA, BEN]
    assert await store.mapper.resolve("S", []) == []


async def test_each_source_has_its_own_people(store: Store) -> None:
    await store.mapper.register("S", [ADA])
    assert await store.mapper.resolve("T", ["P1"]) == [None]
    assert await store.mapper.register("T", [ADA._replace(address="10999")]) == []


async def test_the_same_again_is_fine_other_data_is_not(store: Store) -> None:
    await store.mapper.register("S", [ADA])
    assert await store.mapper.register("S", [ADA, BEN]) == []
    other = ADA._replace(address="10999999999")
    assert await store.mapper.register("S", [other]) == [
        FailedCase("P1", "00", "UNIOXU22", "Beneficiary already registered")
    ]
    assert await store.mapper.resolve("S", ["P1"]) == [ADA]


async def test_one_id_twice_in_a_request_with_other_data_fails_the_second(store: Store) -> None:
    failed = await store.mapper.register("S", [ADA, ADA._replace(name="Eve"), ADA])
    assert [case.functional_id for case in failed] == ["P1"]
    assert await store.mapper.resolve("S", ["P1"]) == [ADA]


async def test_of_racing_registrations_one_wins(store: Store) -> None:
    variants = [ADA._replace(name=f"Ada {n}") for n in range(8)]
    results = await asyncio.gather(*(store.mapper.register("S", [variant]) for variant in variants))
    [winner] = await store.mapper.resolve("S", ["P1"])
    assert [variant for variant, failed in zip(variants, results, strict=True) if not failed] == [winner]


async def test_an_update_keeps_what_it_leaves_empty(store: Store) -> None:
    await store.mapper.register("S", [ADA])
    failed = await store.mapper.update("S", [Beneficiary("P1", address="10888"), Beneficiary("P9")])
    assert failed == [FailedCase("P9", "", "", "Beneficiary not registered")]
    assert await store.mapper.resolve("S", ["P1"]) == [ADA._replace(address="10888")]


async def test_an_update_may_switch_somebody_off(store: Store) -> None:
    await store.mapper.register("S", [ADA])
    await store.mapper.update("S", [Beneficiary("P1", active=False)])
    assert await store.mapper.resolve("S", ["P1"]) == [ADA._replace(active=False)]


async def test_racing_and_repeated_updates_lose_nothing(store: Store) -> None:
    await store.mapper.register("S", [ADA])
    await asyncio.gather(
        store.mapper.update("S", [Beneficiary("P1", name="Ada L."), Beneficiary("P1", address="10888")]),
        store.mapper.update("S", [Beneficiary("P1", modality="01")]),
        store.mapper.update("S", [Beneficiary("P1", institution="HARBXU22")]),
    )
    assert await store.mapper.resolve("S", ["P1"]) == [Beneficiary("P1", "01", "HARBXU22", "10888", "Ada L.")]


async def test_entries_of_an_older_key_are_found_kept_and_changed(store: Store, store_url: str, clock) -> None:
    await store.mapper.register("S", [ADA])
    newer = await Store.connect(store_url, keys=Keyring({"test": bytes(range(32)), "new": b"n" * 32}), clock=clock)
    assert await newer.mapper.resolve("S", ["P1"]) == [ADA]
    assert await newer.mapper.register("S", [ADA]) == []
    assert await newer.mapper.register("S", [ADA._replace(name="Eve")]) != []
    assert await newer.mapper.update("S", [Beneficiary("P1", name="Ada L.")]) == []
    assert await newer.mapper.resolve("S", ["P1"]) == [ADA._replace(name="Ada L.")]
    await newer.close()
