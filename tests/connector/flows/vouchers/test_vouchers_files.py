"""Voucher files: taken as a whole or refused as a whole, decided line by line, answered once."""

import asyncio
import json
from dataclasses import replace

import pytest
from file_world import OURS, SOURCE, THEIRS, FileWorld, line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from connector.domain.directory import Directory, SourceBB
from connector.domain.errors import NotFound, Refused, Unavailable
from connector.domain.voucher import VoucherGroup, VoucherRefused, VoucherState
from connector.flows.services import FlowSettings, Services
from connector.flows.vouchers import batch_issue, envelope, secrecy
from connector.flows.vouchers.batch_file import response, run
from connector.flows.vouchers.batch_record import load
from connector.flows.vouchers.exchange_keys import FileExchange, KeyHolder, fresh
from connector.store import Store


@pytest.fixture
async def ministry(store: Store, engine, clock):
    services = Services(store, engine, None, clock, FlowSettings(connector_url="http://pay.example"))
    world = FileWorld(services)
    await world.furnish()
    return world


async def test_every_line_gets_a_voucher_and_the_answer_tells_its_number(ministry):
    taken = await ministry.send(ministry.file(line(1), line(2, amount=7.25, activate=True), batchID="B1"))
    answer = ministry.read(taken.answer)
    assert (answer["requestID"], answer["batchID"], answer["aud"]) == ("REQ1", "B1", SOURCE)
    assert (answer["issued"], answer["failed"]) == (2, 0)
    first, second = answer["instructions"]
    store = ministry.services.store.vouchers
    for told in (first, second):
        assert await store.serial_of(told["number"]) == int(told["serial"])
    kept = await store.read([int(first["serial"]), int(second["serial"])])
    assert [voucher.amount_minor for voucher in kept] == [1050, 725]
    assert [voucher.state for voucher in kept] == [VoucherState.PRE_ACTIVATED, VoucherState.ACTIVATED]
    assert [voucher.instruction_id for voucher in kept] == ["I1", "I2"]
    assert first["status"] == "pre-activated"
    assert "expiry" not in first
    assert second["status"] == "activated"
    assert second["expiry"].startswith("2027-")


async def test_lines_fail_for_themselves(ministry):
    lines = [
        line(1),
        line(2, groupCode="NONE"),
        line(3, currency="EUR"),
        line(4, amount="0"),
        line(5, amount="1.005"),
        line(6, currency="XXZ"),
        line(7, groupCode="DEAR", amount="10.00"),
        line(8, groupCode="DEAR", amount="10.00"),
        line(9, activate=True),
    ]
    answer = ministry.read((await ministry.send(ministry.file(*lines))).answer)
    codes = [told.get("code", "") for told in answer["instructions"]]
    assert codes == ["", "unknown_group", "currency", "AM01", "AM12", "AM03", "budget", "budget", ""]
    assert (answer["issued"], answer["failed"]) == (2, 7)
    assert all(told["reason"] for told in answer["instructions"] if told["status"] == "failed")


async def test_a_repeat_gets_the_same_answer_and_makes_nothing(ministry):
    lines = line(1), line(2, activate=True), line(3, groupCode="NONE")
    first = ministry.read((await ministry.send(ministry.file(*lines))).answer)
    ministry.services.clock.pass_seconds(60)
    again = ministry.read((await ministry.send(ministry.file(*lines))).answer)
    assert again == first
    assert await ministry.vouchers() == 2


@pytest.mark.parametrize(("second", "where"), [({}, "/requestID"), ({"requestID": "REQ2"}, "/batchID")])
async def test_a_used_id_with_other_content_is_refused(ministry, second, where):
    await ministry.send(ministry.file(line(1), batchID="B1"))
    faults, sealed = await ministry.refused(ministry.file(line(2), batchID="B1", **second))
    assert ([fault["where"] for fault in faults], sealed) == ([where], True)
    assert await ministry.vouchers() == 1


@pytest.mark.parametrize(("place", "survived"), [("plan", 0), ("issue", 0), ("keep", 0), ("issue", 1), ("keep", 1)])
async def test_a_run_that_was_killed_is_continued(ministry, monkeypatch, place, survived):
    """Before and after each write a process may die."""
    dear = line(3, groupCode="DEAR", amount="20.00")
    file, done, step = ministry.file(line(1), line(2, activate=True), dear), 0, getattr(batch_issue, place)

    async def dying(*arguments, **options):
        nonlocal done
        if done == survived:
            raise ConnectionError
        done += 1
        return await step(*arguments, **options)

    monkeypatch.setattr(batch_issue, place, dying)
    with pytest.raises(ConnectionError):
        await ministry.send(file)
    monkeypatch.setattr(batch_issue, place, step)
    answer = ministry.read((await ministry.send(file)).answer)
    assert [told["status"] for told in answer["instructions"]] == ["pre-activated", "activated", "failed"]
    assert await ministry.vouchers() == 2


async def test_two_runs_at_once_make_the_same(ministry):
    """Also where the directory changes between them: what was settled on first counts."""
    file, store = ministry.file(line(1), line(2, groupCode="NEW")), ministry.services.store
    answers = await asyncio.gather(ministry.send(file), ministry.send(file))
    await store.directory.save_group(VoucherGroup("NEW", "New", "PENSIONS", "USD"))
    answers.append(await ministry.send(file))
    assert len({json.dumps(ministry.read(taken.answer)) for taken in answers}) == 1
    assert await ministry.vouchers() == 1


async def test_a_large_file_is_answered_later(ministry):
    lines = [line(number) for number in range(30)]
    taken = await ministry.send(ministry.file(*lines))
    assert not taken.answer
    assert not (await response(ministry.services, taken.id)).answer
    (entry,) = await ministry.services.store.queue.take(["voucher-file"], "test", 5, 0.1)
    await run(ministry.services, entry)
    answer = ministry.read((await response(ministry.services, taken.id)).answer)
    assert answer["issued"] == 30
    assert ministry.read((await ministry.send(ministry.file(*lines))).answer) == answer


async def test_there_is_no_response_to_a_file_that_nobody_sent(ministry):
    with pytest.raises(NotFound):
        await response(ministry.services, "7Q3QZ4XWZ2V5YJ6K3L2A")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"aud": "another's"}, "/aud"),
        ({"iat": 1}, "/iat"),
        ({"iat": 1_800_001_000}, "/iat"),
        ({"exp": 1_799_999_999}, "/exp"),
        ({"requestID": ""}, "/requestID"),
        ({"callback": "ftp://x"}, "/callback"),
        ({"extra": 1}, ""),
        ({"instructions": []}, "/instructions"),
        ({"instructions": [line(1), line(2, amount=True)]}, "/instructions/1/amount"),
        ({"instructions": [line(1), line(2, amount="1e999999")]}, "/instructions/1/amount"),
        ({"instructions": [line(1), line(2, amount="NaN")]}, "/instructions/1/amount"),
        ({"instructions": [line(1), line(2, payeeFunctionalId="x")]}, "/instructions/1"),
        ({"instructions": [line(1), line(1)]}, "/instructions/0/instructionID"),
        ({"instructions": [line(number) for number in range(51)]}, "/instructions"),
    ],
)
async def test_a_badly_formed_file_is_refused_whole(ministry, fields, where):
    faults, sealed = await ministry.refused(ministry.file(line(1), **fields))
    assert (faults[0]["where"], sealed) == (where, True)
    assert await ministry.vouchers() == 0


async def test_what_is_signed_but_no_json_is_refused_to_its_signer_alone(ministry):
    file = envelope.seal(b"[]", envelope.BATCH, THEIRS, OURS)
    assert (await ministry.refused(file))[1]


@pytest.mark.parametrize("issuer", ["OTHER", "", 3])
async def test_nobody_speaks_for_another(ministry, issuer):
    faults, _ = await ministry.refused(ministry.file(line(1), iss=issuer))
    assert faults[0]["code"] in {"not_genuine", "form"}
    assert await ministry.vouchers() == 0


async def test_a_file_of_another_than_its_sender_is_refused(ministry):
    faults, sealed = await ministry.refused(ministry.file(line(1)), sender="OTHER")
    assert (faults[0]["code"], sealed) == ("foreign_source", True)


async def test_a_stranger_gets_a_signed_refusal_that_tells_nothing(ministry):
    faults, sealed = await ministry.refused(ministry.file(line(1), signer=KeyHolder.of_text(json.dumps(fresh()))))
    assert not sealed
    assert [fault["code"] for fault in faults] == ["not_genuine"]


async def test_a_known_sender_of_an_unreadable_file_gets_an_encrypted_refusal(ministry):
    _, sealed = await ministry.refused(b"rubbish", sender=SOURCE)
    assert sealed


async def test_without_a_key_to_encrypt_to_no_number_is_sent(ministry):
    signer = OKPKey.generate_key("Ed25519")
    text = json.dumps(signer.as_dict(private=False))
    await ministry.services.store.directory.save_source(SourceBB(SOURCE, SOURCE, public_key=text))
    file = ministry.file(line(1), signer=KeyHolder.of_text(json.dumps(signer.as_dict(private=True))))
    faults, sealed = await ministry.refused(file)
    assert ([fault["code"] for fault in faults], sealed) == (["no_encryption_key"], False)
    assert await ministry.vouchers() == 0


async def test_production_wants_https_callbacks_and_takes_no_files_without_keys(ministry):
    services = ministry.services
    ministry.services = replace(services, files=replace(services.files, callback_https=True))
    faults, _ = await ministry.refused(ministry.file(line(1), callback="http://x/y"))
    assert faults[0]["where"] == "/callback"
    ministry.services = replace(services, files=FileExchange())
    with pytest.raises(Unavailable):
        await ministry.send(ministry.file(line(1)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_file_tampered_with_makes_nothing(ministry, data):
    file = ministry.file(line(1))
    place, change = data.draw(st.integers(0, len(file) - 1)), data.draw(st.integers(1, 255))
    faults, _ = await ministry.refused(file[:place] + bytes([file[place] ^ change]) + file[place + 1 :])
    assert faults
    assert await ministry.vouchers() == 0


async def test_the_record_of_a_file_has_no_number_in_it(ministry):
    taken = await ministry.send(ministry.file(line(1)))
    (told,) = ministry.read(taken.answer)["instructions"]
    kept = await load(ministry.services, taken.id)
    assert told["number"] not in repr(kept)
    assert str(kept.lines[0].serial) == told["serial"]


async def test_the_callback_says_where_the_response_is(ministry):
    taken = await ministry.send(ministry.file(line(1), callback="http://ministry.example/told"))
    kept = await ministry.services.store.callbacks.get(f"file-{taken.id}", "voucher")
    assert json.loads(kept.body)["response"] == f"http://pay.example/vouchers/batches/{taken.id}/response"


def test_numbers_are_sealed_for_their_building_block():
    source = secrecy.correspondent(Directory({}, {}, {}, open_sources=True), SOURCE)
    sealed = secrecy.sealed_number(source, 10**15, "1234567890123456")
    assert len(sealed) == 44
    assert secrecy.opened_number(source, 10**15, sealed) == "1234567890123456"
    for serial, text in ((10**15 + 1, sealed), (10**15, "A" + sealed[1:]), (10**15, ""), (10**15, "é")):
        with pytest.raises(Refused):
            secrecy.opened_number(source, serial, text)


def test_a_building_block_without_a_key_is_sent_no_number_in_production():
    closed = Directory({}, {}, {SOURCE: SourceBB(SOURCE, SOURCE)})
    with pytest.raises(Refused, match="No voucher key"):
        secrecy.sealed_number(secrecy.correspondent(closed, SOURCE), 10**15, "1234567890123456")
    with pytest.raises(VoucherRefused):
        secrecy.correspondent(closed, "STRANGER")
