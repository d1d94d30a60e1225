import json

from typer.testing import CliRunner

from connector.cli import app
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
