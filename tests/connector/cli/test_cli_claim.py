import asyncio
import fcntl
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli import app
from connector.cli.claim import check_port, claim, claim_file
from connector.domain.errors import Misconfigured, Refused, Unavailable

needs_proc = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nothing can be made")


async def test_what_is_left_of_another_instance_is_waited_for_and_said_once(tmp_path):
    notices = []
    with claim_file(tmp_path) as held, claim_file(tmp_path) as wanted:
        await claim(held, tmp_path, notices.append)
        waiting = asyncio.create_task(claim(wanted, tmp_path, notices.append))
        while not notices:  # noqa: ASYNC110 - the claim looks again and again
            await asyncio.sleep(0)
        fcntl.flock(held, fcntl.LOCK_UN)
        await waiting
    assert len(notices) == 1
    assert "another instance" in notices[0]


def test_a_port_that_somebody_listens_on_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="cannot be listened on"):
            check_port("127.0.0.1", taken.getsockname()[1])


def test_a_free_port_is_fine_again_and_again():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


def test_there_is_no_port_after_the_last_one():
    with pytest.raises(Unavailable, match="65535"):
        check_port("127.0.0.1", 65536)


@needs_proc
def test_a_data_folder_that_cannot_be_made_is_named():
    with pytest.raises(Unavailable, match="/proc/isogate cannot be used"), claim_file(Path("/proc/isogate")):
        pass


@needs_proc
def test_messages_that_cannot_be_written_are_one_sentence(tmp_path):
    batch = tmp_path / "batch.json"
    batch.write_text(
        '[{"requestId": "I1", "creditParty": [{"key": "accountNumber", "value": "1000000001"}],'
        ' "paymentMode": "x", "amount": 1, "currency": "USD"}]'
    )
    result = CliRunner().invoke(app, ["translate", str(batch), "-o", "/proc/isogate"])
    assert isinstance(result.exception, Misconfigured)


def test_a_file_that_cannot_be_read_does_not_keep_others_from_being_judged(tmp_path):
    (tmp_path / "empty.xml").touch()
    result = CliRunner().invoke(app, ["validate", str(tmp_path / "none.xml"), str(tmp_path / "empty.xml")])
    assert result.exit_code == 1
    assert "unreadable: No such file or directory." in result.output
    assert "empty.xml: not valid" in result.output


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Misconfigured("a.yaml", 3, "group.id", "Unknown."), "a.yaml:3: group.id: Unknown."),
        (Misconfigured("a.json", 0, "", "No such file."), "a.json: No such file."),
        (Refused.because("", "malformed", "No JSON."), "No JSON."),
        (Refused.because("/Amount", "AM01", "Too small."), "/Amount: Too small."),
    ],
)
def test_errors_leave_out_the_places_that_they_have_not(error, text):
    assert str(error) == text
