"""Batches read piece by piece say what reading them as a whole says, wherever the pieces end."""

import asyncio
import json
import os
import time
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.api import govstack_v1, govstack_v3_batches, models_v1, models_v3
from connector.api.batch_body import BatchReading
from connector.api.json_body import parse
from connector.domain.stages import Stages
from connector.flows.draft import Draft
from connector.flows.services import FlowSettings
from connector.store.staging import unpack

FORMS = {
    "v1": (govstack_v1._BULK.batch.strict, models_v1.order),
    "v1 lenient": (govstack_v1._BULK.batch.lenient, models_v1.order),
    "v1 narrated": (govstack_v1._PREVALIDATION.batch.strict, models_v1.order),
    "v3": (govstack_v3_batches._STRICT, models_v3.instructions),
    "v3 lenient": (govstack_v3_batches._LENIENT, models_v3.instructions),
}
TINY = 64


def in_pieces(form, body: bytes, part: int, piece_bytes: int):
    """Verdict and content of a body that comes in parts of so many bytes."""
    stages = Stages(time.thread_time)
    settings = FlowSettings(slice_size=3)
    store = SimpleNamespace(staging=None)
    draft = Draft(SimpleNamespace(random=os.urandom, stages=stages, store=store, settings=settings))
    reading = BatchReading(form, draft, stages, piece_bytes)
    for start in range(0, len(body), part):
        reading.take(body[start : start + part])
    reading.take(b"", last=True)
    parsed = reading.parsed()
    asyncio.run(draft.finish())
    packed = [draft._packed[number] for number in range(draft.slices)]
    return parsed, [each for piece in packed for each in unpack(piece)]


def check(name: str, body: bytes, part: int = 1000, piece_bytes: int = TINY) -> str:
    """Both ways say the same; gives the code of the first fault."""
    form, read = FORMS[name]
    whole = parse(body, form.whole, read)
    parsed, instructions = in_pieces(form, body, part, piece_bytes)
    expected = whole.refusal.faults if whole.refusal else ()
    if expected and parsed.refusal.faults[0].code == "too_large":  # damage may make one thing of all
        return "too_large"
    assert (parsed.refusal.faults if parsed.refusal else ()) == expected
    assert parsed.request_id == whole.request_id
    if whole.refusal is None:
        assert instructions == list(getattr(whole.value, "instructions", whole.value))
    if whole.refusal is None and form.cover:
        assert (parsed.value.RequestID, parsed.value.BatchID) == (whole.value.request_id, whole.value.batch_id)
    return expected[0].code if expected else ""


def element(name: str, number: int = 1, **changes) -> dict:
    if name.startswith("v1"):
        plain = {
            "InstructionID": f"INSTR{number:011d}",
            "PayeeFunctionalID": f"PERSON{number:014d}",
            "Amount": 150.25,
            "Currency": "USD",
            "Narration": "January",
        }
    else:
        plain = {
            "requestId": f"INSTR{number:011d}",
            "creditParty": [{"key": "functionalId", "value": f"PERSON{number:014d}"}],
            "paymentMode": "mojaloop",
            "amount": 150.25,
            "currency": "USD",
            "descriptionText": "January",
        }
    return {key: value for key, value in (plain | changes).items() if value is not ...}


def body_of(name: str, elements: str, tail: bool = False) -> str:
    if not name.startswith("v1"):
        return elements
    ids = '"RequestID":"REQ000000001","SourceBBID":"MINISTRY0001","BatchID":"BATCH0000001"'
    array = f'"CreditInstructions":{elements}'
    return "{" + (f"{array},{ids}" if tail else f"{ids},{array}") + "}"


AMOUNTS = st.one_of(
    st.sampled_from(
        [
            1,
            0,
            -1,
            0.01,
            150.25,
            "150.25",
            "007.50",
            "1e3",
            " 1",
            "1_0",
            "\u0661",
            "\u00b2",
            "",
            "NaN",
            "Infinity",
            True,
            None,
            [],
        ]
    ),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    st.integers(-10, 10**20),
    st.floats(0, 1e17),
)
TEXTS = st.one_of(
    st.sampled_from(
        ["", "x" * 16, "x" * 20, "x" * 50, "}, {", "[[", "]", '"', "\\", "a\nb", "tab\t", "\x7f", "\x85"]
    ),
    st.sampled_from(["é" * 16, "😀" * 16, "\ufffe", "x" * 51, 5, None, {}, [{}], "a\n", "INSTR00000000009"]),
    st.text(max_size=20),
)


@st.composite
def elements_of(draw, name: str) -> dict:
    """An element with at most a few oddities."""
    made = element(name, draw(st.integers(0, 99)))
    amount = "Amount" if name.startswith("v1") else "amount"
    for key in draw(st.lists(st.sampled_from([*made, "Unknown", "AMOUNT", "requestid"]), max_size=2)):
        made[key] = draw(AMOUNTS if key.lower() == amount.lower() else TEXTS)
    if draw(st.integers(0, 9)) == 0:
        made["debitParty"] = draw(st.sampled_from([None, [], [{"key": "a", "value": "b"}] * 11, [{"key": "a"}]]))
    if not name.startswith("v1") and draw(st.integers(0, 4)) == 0:
        made["creditParty"] = draw(st.sampled_from(PARTIES))
    return made


PARTIES = [
    [],
    [{"key": "functional_ID", "value": "P1"}, {"key": "bic", "value": "UNIOXU22"}],
    [{"key": "accountNumber", "value": "1000000001"}, {"key": "institution", "value": "UNIOXU22"}],
    [{"Key": "msisdn", "VALUE": "+99970123456"}],
    [{"key": "nobody", "value": "x"}],
    [{"key": "functionalId", "value": ""}],
]


@settings(max_examples=120, deadline=None)
@given(data=st.data(), name=st.sampled_from(list(FORMS)), ascii_only=st.booleans(), tail=st.booleans())
def test_both_ways_say_the_same(data, name, ascii_only, tail):
    elements = data.draw(st.lists(elements_of(name), max_size=6))
    text = json.dumps(elements, ensure_ascii=ascii_only, indent=data.draw(st.sampled_from([None, 1])))
    body = body_of(name, text, tail).encode("utf-8", "surrogatepass")
    check(name, body, data.draw(st.sampled_from([7, 64, 500])), data.draw(st.sampled_from([TINY * 16, 2000, 10**6])))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(["v1", "v3"]), tail=st.booleans())
def test_damaged_bodies_get_the_same_verdict_both_ways(data, name, tail):
    text = json.dumps([element(name, number) for number in range(5)])
    body = bytearray(body_of(name, text, tail).encode())
    place = data.draw(st.integers(0, len(body)))
    end = min(len(body), place + data.draw(st.integers(0, 3)))
    body[place:end] = data.draw(
        st.sampled_from([b"", b",", b"]", b"}", b"[", b'"', b"\\", b"\xff", b"\x00", b" ", b"1"])
    )
    check(name, bytes(body), 50, 700)


DAMAGE = [b"", b",", b"]", b"}", b"[", b'"', b"\\", b"\xff", b"\x00", b" ", b"1"]
ODD = {
    "nothing": b"",
    "blank": b" \n ",
    "BOM": b"\xef\xbb\xbf[]",
    "no array": b'{"a": 1}',
    "a string": b'"x"',
    "empty": b"[]",
    "blank array": b"[  \n ]",
    "comma last": b"[{},]",
    "comma first": b"[,{}]",
    "two commas": b"[{},,{}]",
    "closed twice": b"[{}]]",
    "garbage behind": b"[{}] x",
    "two arrays": b"[{}][{}]",
    "numbers": b"[1,2,3]",
    "unclosed": b"[{}",
    "unclosed text": b'[{"a":"b',
    "deep": b"[" * 3000,
    "deep within": b'[{"a":' + b"[" * 3000 + b"]" * 3000 + b"}]",
    "deep objects": b'[{"a":' * 3000,
    "wrong UTF-8": b'[{"a":"\xff"}]',
    "half a character": '[{"a":"é"}]'.encode()[:7] + b'"}]',
    "control character": b'[{"a":"\x01"}]',
    "NaN": b"[NaN]",
}


@pytest.mark.parametrize("parts", [1, 20])
@pytest.mark.parametrize("what", ODD)
def test_odd_bodies_get_the_same_verdict_both_ways(what, parts):
    part = len(ODD[what]) // parts + 1
    for name in ("v1", "v3"):
        check(name, ODD[what], part, 10_000)
    check("v1", body_of("v1", "@").encode().replace(b"@", ODD[what]), part, 10_000)


@pytest.mark.parametrize(
    "text",
    [
        '{"CreditInstructions":[{"bad":1}],@"CreditInstructions":[E]}',
        '{"CreditInstructions":[E,E],@"CreditInstructions":[]}',
        '{"CreditInstructions":[E,E],@"CreditInstructions":"x"}',
        '{"CreditInstructions":5,@"CreditInstructions":[E]}',
        '{@"Credit\\u0049nstructions":[E]}',
        '{@"x":{"CreditInstructions":[1]},"CreditInstructions":[E],"y":[[{}],{}]}',
        '{@"x":"CreditInstructions","CreditInstructions" : [E] , "y" : "]}, {"}',
        '{@"creditinstructions":[E]}',
        '{@"CreditInstructions":null}',
        '{@"x":1}',
        '[{@"CreditInstructions":[E]}]',
        '{@"CreditInstructions":[E]}{}',
        '{@"CreditInstructions":[E],}',
        '{@"CreditInstructions":[E]',
    ],
)
@pytest.mark.parametrize("part", [5, 1000])
def test_an_array_in_an_object_is_found_as_the_decoder_finds_it(text, part):
    ids = '"RequestID":"REQ000000001","SourceBBID":"MINISTRY0001","BatchID":"BATCH0000001",'
    body = text.replace("E", json.dumps(element("v1"))).replace("@", ids)
    check("v1", body.encode(), part, 700)
    check("v1", body.replace("REQ000000001", "").encode(), part, 700)


def test_what_is_wrong_last_is_said_first_where_the_whole_says_it_first():
    good, bad, unpayable = (json.dumps(element("v3", n, **change)) for n, change in enumerate(CHANGES))
    assert check("v3", f"[{unpayable},{good},{bad}]".encode(), 50, 500) == "string_too_long"
    assert check("v3", f"[{unpayable},{bad},{good}{{]".encode(), 50, 500) == "malformed"
    assert check("v3", f"[{good},{unpayable},{good},{unpayable}]".encode(), 50, 500) == "AM12"


CHANGES = ({}, {"requestId": "x" * 17}, {"amount": 1.001})


@pytest.mark.parametrize(
    "amount", ["0", "1." + "0" * 50, "1e999999999", "[" * 2000, '"\\ud800"', "01", "-1", "1" * 30]
)
def test_amounts_that_are_no_json_or_no_money_get_the_same_verdict(amount):
    for name in ("v1", "v3"):
        text = json.dumps([element(name, 1), element(name, 2), element(name, 3)]).replace("150.25", "@", 1)
        check(name, body_of(name, text).replace("@", amount).encode(), 100, 500)


def test_keys_that_occur_twice_count_the_last_time():
    for twice in ('"amount":5,"amount":"x"', '"amount":"x","amount":5', '"amount":"\\ud800","\\u0061mount":5'):
        check("v3", f"[{json.dumps(element('v3'))}]".replace('"amount": 150.25', twice).encode())


def test_an_element_without_end_is_refused_without_being_kept():
    form, _ = FORMS["v3"]
    parsed, _ = in_pieces(form, b'[{"requestId":"' + b"x" * 5000, 100, 1000)
    assert parsed.refusal.faults[0].code == "too_large"
    parsed, _ = in_pieces(FORMS["v1"][0], b'{"x":[' + b"1," * 5000, 100, 1000)
    assert parsed.refusal.faults[0].code == "too_large"


def test_floods_of_white_space_between_elements_are_no_matter():
    one = json.dumps(element("v3")).encode()
    assert check("v3", b" " * 5000 + b"[" + b" " * 5000 + one + b"," + b"\n" * 5000 + one + b"]" + b" " * 5000) == ""


def test_floods_of_escapes_are_read_in_one_pass():
    text = json.dumps(element("v3", 1, requestId="\\" * 100_000)).encode()
    began = time.thread_time()
    assert FORMS["v3"][0].quick.read(b"[" + text + b"]") is None
    assert time.thread_time() - began < 1.0  # a second look at each of them takes half a minute


def test_an_escaped_key_is_seen_whatever_its_escapes_are():
    for key in ('"\\u0061mount"', '"am\\u006fun\\u0074" \n ', '"amount\\\\"', '"amount\\""'):
        check("v3", f"[{json.dumps(element('v3'))}]".replace('"requestId"', f'{key}:"x","requestId"', 1).encode())


def test_one_name_again_and_again_is_refused_before_it_costs_anything():
    began = time.thread_time()
    parsed, _ = in_pieces(FORMS["v1"][0], b'{"x":1' + b',"CreditInstructions":[]' * 10_000 + b"}", 1 << 20, 1 << 20)
    assert parsed.refusal.faults[0].code == "too_many"
    assert time.thread_time() - began < 1.0
