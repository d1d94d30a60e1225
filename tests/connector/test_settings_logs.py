import json
import logging

import pytest
import structlog

from connector.logs import configure


@pytest.fixture
def _restored_logging():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, root.level = before[0], before[1]
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.usefixtures("_restored_logging")
def test_log_lines_are_json_and_hide_personal_data(capsys):
    configure("api", as_json=True)
    structlog.get_logger().info("registered", account="1000000001", token="abc", count=3)
    logging.getLogger("some.library").warning("slow")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["event"] == "registered"
    assert first["process"] == "api"
    assert first["count"] == 3
    assert first["account"] == first["token"] == "***"
    assert second["event"] == "slow"
