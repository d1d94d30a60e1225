import asyncio
import base64
import subprocess
import sys

from typer.testing import CliRunner

from connector.cli import app
from connector.cli.direct import opened_store
from connector.cli.people import FATES, payable_people, people_of_all_fates
from connector.domain.directory import Programme
from connector.store import EmbeddedServer

runner = CliRunner()


def test_every_command_has_a_help_text():
    for command in (
        "up",
        "serve",
        "worker",
        "simulators",
        "store",
        "demo",
        "translate",
        "validate",
        "explain",
        "check",
    ):
        result = runner.invoke(app, [command, "--help"])
        assert result.exit_code == 0, command


def test_help_is_fast_because_nothing_heavy_is_imported():
    code = (
        "import sys, connector.cli\n"
        "print([name for name in ('aiohttp', 'lxml', 'redis', 'pydantic.main') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


def test_check_finds_the_installation_sound():
    result = runner.invoke(app, ["check"])
    assert result.exit_code == 0, result.output


def test_check_reports_settings_that_cannot_be_used(monkeypatch):
    monkeypatch.setenv("ISOGATE_PROFILE", "production")
    result = runner.invoke(app, ["check"])
    assert result.exit_code == 1
    assert "ISOGATE_ADMIN_TOKEN" in result.output


PRODUCTION = {
    "ISOGATE_PROFILE": "production",
    "ISOGATE_ADMIN_TOKEN": "admin-token",
    "ISOGATE_SOURCE_TOKENS": '{"MINISTRY0001": "source-token"}',
    "ISOGATE_INSTITUTION_TOKENS": '{"TREAXU22": "bank-token"}',
    "ISOGATE_ENCRYPTION_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
}


def test_a_programme_that_every_source_may_use_is_warned_of_in_production(monkeypatch, tmp_path):
    for name in ("TLS_CERTIFICATE", "TLS_KEY"):
        (tmp_path / name).write_text("")
        monkeypatch.setenv(f"ISOGATE_{name}", str(tmp_path / name))
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)

    async def save():
        async with opened_store(tmp_path, None) as (store, _):
            await store.directory.save_programme(Programme("OPEN", "Open", "T", "T", "1", "M"))
            await store.directory.save_programme(Programme("OWN", "Own", "T", "T", "1", "M", sources=("M",)))

    checked = ["check", "--data-dir", str(tmp_path)]
    with EmbeddedServer(tmp_path / "store"):
        asyncio.run(save())
        told = runner.invoke(app, checked)
    assert told.exit_code == 0, told.output
    assert [line.split(" names")[0] for line in told.output.splitlines()[2:]] == ["Warning: programme OPEN"]
    away = runner.invoke(app, checked)
    assert (away.exit_code, "not looked at" in away.output) == (0, True), away.output


def test_invented_people_have_distinct_addresses_of_their_institution():
    people = list(payable_people(4000))
    assert len({person.address for person in people}) == 4000
    assert {person.institution for person in people} == {"UNIOXU22", "HARBXU22", "KASHXU22", "TELAXU22"}
    assert not any(person.address[-4:-2] == "99" and person.address[-2:] != "00" for person in people)


def test_fates_are_dealt_the_same_way_each_time():
    first, second = list(people_of_all_fates(2000)), list(people_of_all_fates(2000))
    assert first == second
    for suffix, _ in FATES:
        assert any(person.address.endswith(suffix) if suffix else not person.address for person in first)
