"""The commands run in the test's own process, where the engine need not be loaded anew for each of them."""

from pathlib import Path

import pytest

from connector import app

ENGINES = {}
LOAD = app.build_engine


def newest(folders):
    """When anything in the folders was changed last."""
    return max((file.stat().st_mtime_ns for folder in folders for file in Path(folder).rglob("*")), default=0)


def loaded(settings, _stages=None):
    folders = (*settings.schemas, *settings.profiles)
    keys = settings.signing_key, settings.signing_certificate, settings.trusted_certificates
    wanted = folders, newest(folders), keys
    if wanted not in ENGINES:
        ENGINES[wanted] = LOAD(settings)
    return ENGINES[wanted]


@pytest.fixture(autouse=True)
def engines_loaded_once(monkeypatch):
    monkeypatch.setattr(app, "build_engine", loaded)
