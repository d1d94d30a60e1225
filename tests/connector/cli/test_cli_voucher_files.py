import json
import re

import pytest
from aiohttp.test_utils import unused_port
from typer.testing import CliRunner

from connector.cli import app
from connector.cli.voucher_desk import _line
from connector.domain.errors import Unavailable
from connector.flows.vouchers import envelope
from connector.flows.vouchers.exchange_keys import KeyHolder, fresh

runner = CliRunner()


def test_numbers_that_are_decrypted_into_a_file_are_for_its_owner_alone(tmp_path):
    ours, answer, out = KeyHolder.of_text(json.dumps(fresh())), tmp_path / "answer.jose", tmp_path / "answer.json"
    (tmp_path / "ours.json").write_text(json.dumps(ours.public()))
    assert runner.invoke(app, ["vouchers", "keys", "make", "MINISTRY", "--folder", str(tmp_path)]).exit_code == 0
    theirs = KeyHolder.of_text((tmp_path / "MINISTRY.public.json").read_text())
    answer.write_bytes(envelope.seal(b'{"number": "4000000000000002"}', envelope.RESPONSE, ours, theirs))
    keys = ["--source", "MINISTRY", "--folder", str(tmp_path), "--receiver", str(tmp_path / "ours.json")]
    result = runner.invoke(app, ["vouchers", "decrypt", str(answer), *keys, "--out", str(out)])
    assert (result.exit_code, json.loads(out.read_text())) == (0, {"number": "4000000000000002"})
    assert out.stat().st_mode & 0o777 == 0o600


def test_an_instance_that_does_not_run_is_told_in_a_sentence(monkeypatch):
    url = f"http://127.0.0.1:{unused_port()}"
    monkeypatch.delenv("ISOGATE_ADMIN_TOKEN", raising=False)
    for command in (["groups"], ["report", "--programme", "X"], ["keys", "show"]):
        refused = runner.invoke(app, ["vouchers", *command, "--url", url]).exception
        assert isinstance(refused, Unavailable)
        assert str(refused) == f"{url}: nothing listens there; is the instance running?"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"state": None, "fault": "unknown_serial"}, "1: There is no voucher with this serial number."),
        ({"state": "expired", "fault": "expired"}, "1 expired: It has expired."),
        ({"state": "activated", "fault": ""}, "1 activated"),
        ({"state": "activated", "fault": "", "repeated": True}, "1 activated (so already)"),
        ({"state": "blocked", "fault": "state"}, "1 blocked: Its state does not permit this."),
    ],
)
def test_what_became_of_a_voucher_is_told_in_a_sentence(said, line):
    assert _line({"serial": "1", "repeated": False, **said}) == line
    assert not re.search(r"[a-z]_[a-z]", line)
