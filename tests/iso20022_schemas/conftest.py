"""Our catalogue, and one of the official schemas where the reference data are at hand."""

from pathlib import Path

import pytest
from schema_reference import SHARED

from iso20022_schemas import Catalogue


@pytest.fixture(scope="session")
def ours() -> Catalogue:
    return Catalogue()


@pytest.fixture(scope="session")
def reference() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"no reference data at {SHARED}; set ISOGATE_SHARED")
    return SHARED


@pytest.fixture(scope="session")
def official(reference: Path) -> Catalogue:
    return Catalogue(reference / "xsd")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``message`` for each, one with ``compared`` for those with an official schema."""
    messages = Catalogue().messages()
    if "message" in metafunc.fixturenames:
        metafunc.parametrize("message", messages)
    if "compared" in metafunc.fixturenames:
        known = [message for message in messages if (SHARED / "xsd" / f"{message}.xsd").is_file()]
        metafunc.parametrize("compared", known)
