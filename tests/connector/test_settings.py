import base64
import os

import pytest

from connector.app import tls_context
from connector.domain.errors import Misconfigured
from connector.settings import PREFIX, Profile, Settings, environment, load


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_a_sandbox_needs_nothing():
    settings = load()
    assert settings.profile is Profile.SANDBOX
    assert settings.api_url == "http://127.0.0.1:3333"
    assert settings.simulators_base == "http://127.0.0.1:3334"


def test_production_names_everything_that_is_missing():
    with pytest.raises(Misconfigured) as caught:
        load(profile="production")
    for name in (
        "SOURCE_TOKENS",
        "INSTITUTION_TOKENS",
        "ADMIN_TOKEN",
        "TLS_CERTIFICATE",
        "TLS_KEY",
        "ENCRYPTION_KEYS",
    ):
        assert PREFIX + name in str(caught.value)


def test_production_starts_when_everything_is_given(monkeypatch, tmp_path):
    for name in ("certificate", "key"):
        (tmp_path / name).write_text("PEM")
        monkeypatch.setenv(f"ISOGATE_TLS_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("ISOGATE_SOURCE_TOKENS", '{"MINISTRY0001": "hush"}')
    monkeypatch.setenv("ISOGATE_INSTITUTION_TOKENS", '{"TREAXU22": "hush"}')
    monkeypatch.setenv("ISOGATE_ADMIN_TOKEN", "hush")
    monkeypatch.setenv("ISOGATE_ENCRYPTION_KEYS", "k1:" + base64.b64encode(bytes(32)).decode())
    settings = load(profile="production")
    assert settings.api_url.startswith("https://")
    assert "hush" not in repr(settings)


def test_the_command_line_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("ISOGATE_PORT", "4000")
    assert load().port == 4000
    assert load(port=None).port == 4000
    assert load(port=5000).port == 5000


def test_a_wrong_value_is_refused_by_the_name_of_its_variable(monkeypatch):
    monkeypatch.setenv("ISOGATE_PORT", "many")
    with pytest.raises(Misconfigured, match="ISOGATE_PORT"):
        load()


def test_children_read_the_same_settings_and_no_secret_is_written_down(monkeypatch, tmp_path):
    given = load(port=4001, data_dir=tmp_path, workers=3, lengths_strict=False, admin_token="secret")
    variables = environment(given)
    assert not any("secret" in value for value in variables.values())
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert load() == load(port=4001, data_dir=tmp_path, workers=3, lengths_strict=False)


def test_every_setting_is_documented():
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


@pytest.mark.parametrize("name", ["SOURCE_TOKENS", "SCHEMAS"])
def test_a_setting_that_is_not_json_is_named_and_not_repeated(monkeypatch, name):
    monkeypatch.setenv(PREFIX + name, "{secret")
    with pytest.raises(Misconfigured, match=f"{PREFIX}{name}: is not valid JSON") as caught:
        load()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["foo://x", "localhost:6379", "redis://"])
def test_a_store_that_is_no_redis_url_is_refused(url):
    with pytest.raises(Misconfigured, match="REDIS_URL"):
        load(redis_url=url)


def test_a_certificate_that_is_none_is_named(tmp_path):
    for name in ("certificate", "key"):
        (tmp_path / name).write_text("PEM")
    settings = load(tls_certificate=tmp_path / "certificate", tls_key=tmp_path / "key")
    with pytest.raises(Misconfigured, match="certificate: is no PEM file"):
        tls_context(settings)


def test_a_sandbox_listens_for_its_simulators_too():
    assert load(port=4000).listening == [("127.0.0.1", 4000), ("127.0.0.1", 4001)]
    assert load(port=4000, simulators_url="http://elsewhere").listening == [("127.0.0.1", 4000)]
