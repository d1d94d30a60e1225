"""Whatever comes in, the engine answers with a verdict or a refusal, never with another error."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.domain.errors import Refused
from connector.domain.messages import BlockStatus

PIECES = st.sampled_from(
    [
        b"",
        b"<",
        b">",
        b"&amp;",
        b"\xff",
        b"<TxSts/>",
        b"9" * 40,
        b"-1",
        b"1e5",
        b"NaN",
        b"24:00:00",
        b"0001",
        b"PART",
        b" ",
    ]
) | st.binary(max_size=4)
fuzzed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", ["report", "interbank report", "transfer"])
@fuzzed
@given(cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES), min_size=1, max_size=3))
def test_mutated_messages_are_refused_or_read(connector, bank, report, transfer, kind, cuts):
    body = {
        "report": lambda: bank.write("generic", "pain.002.001.10", replace(report, blocks=[BlockStatus("P", "")])),
        "interbank report": lambda: bank.write("generic", "pacs.002.001.10", report),
        "transfer": lambda: connector.write("generic", "pain.001.001.09", transfer),
    }[kind]()
    for where, length, piece in cuts:
        start = int(where * len(body))
        body = body[:start] + piece + body[start + length :]
    reader = bank if kind == "transfer" else connector
    verdict = reader.validate(body)
    assert verdict.valid == (not verdict.faults)
    with suppress(Refused):
        reader.read(body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"2026-11-21T07:30:00.000+00:00", b"2026-11-21T24:00:00"),
        (b"2026-11-21T07:30:00.000+00:00", b"-2026-11-21T07:30:00"),
        (b"2026-11-21T07:30:00.000+00:00", b"12026-11-21T07:30:00Z"),
        (b"2026-11-21T07:30:00.000+00:00", b" 2026-11-21T07:30:00.123456789-12:00 "),
        (b"<Dt>2026-11-22<", b"<Dt>2026-11-22+14:00<"),
        (b"<Dt>2026-11-22<", b"<Dt>-0001-11-22<"),
        (b">20.00<", b">+20<"),
        (b">20.00<", b"> 20.0 <"),
        (b">20.00<", b">0<"),
        (b">20.00<", b">020.00000<"),
        (b'"USD"', b'"XXX"'),
        (b'"USD"', b'"ZZZ"'),
    ],
)
def test_unusual_spellings_of_the_schema_are_read_or_refused(connector, bank, transfer, old, new):
    body = connector.write("generic", "pain.001.001.09", transfer)
    assert old in body
    verdict = bank.validate(body.replace(old, new))
    with suppress(Refused):
        received = bank.read(body.replace(old, new))
        assert verdict.valid
        assert received.value.total_minor in {3050, 1050}
