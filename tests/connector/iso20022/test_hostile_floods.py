"""Hostile XML by the megabyte: refused in words, in bounded memory; what is only damaged is refused or read."""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_messages import BOMBS, FLOODS, cut_off, damaged

from connector.domain.errors import Refused
from connector.domain.messages import BlockStatus

GUARD_SECONDS = 60
"""Only so that a hanging test ends; each takes a few seconds at most where the machine has nothing else to do."""

MEMORY_MB = 1500
"""What a process may take, with interpreter and schemas: no more than for a real message of the largest size."""

JUDGE = f"""
import json, resource, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from hostile_messages import FLOODS
from pathlib import Path
import mappings
from connector.domain.errors import Refused
from connector.iso20022.engine import Engine
from iso20022_schemas import Catalogue

engine = Engine(Catalogue(), Path(mappings.__file__).parent)
body = FLOODS[sys.argv[1]]()
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_MB} * 2**20, {MEMORY_MB} * 2**20))
verdict = engine.validate(body)
try:
    engine.read(body)
    code = ""
except Refused as refused:
    code = refused.faults[0].code
print(json.dumps([verdict.valid, verdict.faults[0].code, code]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory work on Linux only")
@pytest.mark.parametrize("name", FLOODS)
def test_floods_are_refused_in_bounded_memory(name):
    done = subprocess.run(
        [sys.executable, "-c", JUDGE, name], capture_output=True, text=True, timeout=GUARD_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    valid, code, read_code = json.loads(done.stdout)
    assert not valid
    assert code
    assert code == read_code


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_and_not_quoted(connector, name):
    verdict = connector.validate(BOMBS[name])
    assert not verdict.valid
    assert 0 < len(verdict.faults) <= 20
    assert all(fault.where and fault.code and fault.sentence for fault in verdict.faults)
    assert "root:" not in str(verdict)
    with pytest.raises(Refused):
        connector.read(BOMBS[name])


def test_a_message_cut_off_anywhere_is_refused(connector, bank, report):
    body = bank.write("generic", "pain.002.001.10", report_of(report))
    for part in cut_off(body):
        with pytest.raises(Refused) as refused:
            connector.read(part)
        assert refused.value.faults[0].code == "malformed"


def test_a_damaged_message_is_refused_or_read(connector, bank, report):
    body = bank.write("generic", "pain.002.001.10", report_of(report))
    read = 0
    for other in damaged(body, 300):
        verdict = connector.validate(other)
        assert verdict.valid or verdict.faults
        with suppress(Refused):
            connector.read(other)
            read += 1
            assert verdict.valid
    assert read < 300


def test_a_large_message_with_few_faults_has_all_of_them_named(connector, bank, report):
    body = bank.write("generic", "pacs.002.001.10", report)
    row = body[body.rindex(b"<TxInfAndSts>") : body.rindex(b"</FIToFIPmtStsRpt>")]
    wrong = row.replace(b"<TxSts>RJCT", b"<TxSts>TOO-LONG")
    large = body.replace(row, (row * 9999 + wrong) * 2)
    assert len(large) > 2 * 1024 * 1024
    assert [fault.where for fault in connector.validate(large).faults] == [
        "FIToFIPmtStsRpt/TxInfAndSts[10001]/TxSts",
        "FIToFIPmtStsRpt/TxInfAndSts[20001]/TxSts",
    ]


def test_a_large_message_with_very_many_faults_has_the_first_of_them_named(connector, bank, report):
    body = bank.write("generic", "pacs.002.001.10", report)
    row = body[body.rindex(b"<TxInfAndSts>") : body.rindex(b"</FIToFIPmtStsRpt>")]
    large = body.replace(row, row.replace(b"<TxSts>RJCT", b"<TxSts>TOO-LONG") * 20_000)
    places = [fault.where for fault in connector.validate(large).faults]
    assert places == [f"FIToFIPmtStsRpt/TxInfAndSts[{number}]/TxSts" for number in range(2, 22)]


def test_a_large_report_whose_ids_are_all_a_little_long_is_read(connector, bank, report):
    body = bank.write("generic", "pacs.002.001.10", report)
    row = body[body.rindex(b"<TxInfAndSts>") : body.rindex(b"</FIToFIPmtStsRpt>")]
    large = body.replace(row, row.replace(b">E2<", b">%s<" % (b"E" * 36)) * 20_000)
    received = connector.read(large)
    assert len(received.value.transactions) == 20_001
    assert received.value.transactions[-1].end_to_end_id == "E" * 36
    assert any("OrgnlEndToEndId" in note for note in received.tolerated)


def report_of(report):
    return replace(report, blocks=[BlockStatus("PMT1", "PART")])
