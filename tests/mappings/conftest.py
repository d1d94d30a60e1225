"""The engines of both sides with their own profiles, and the official schemas and samples where they are present."""

import pytest
from mapping_places import REPOSITORY, SHARED

from connector.iso20022.engine import Engine
from iso20022_schemas.catalogue import Catalogue


@pytest.fixture(scope="session")
def connector() -> Engine:
    return Engine(Catalogue(), REPOSITORY / "mappings")


@pytest.fixture(scope="session")
def bank() -> Engine:
    return Engine(Catalogue(), REPOSITORY / "simulators" / "profiles")


@pytest.fixture(scope="session")
def official() -> Catalogue:
    folder = SHARED / "xsd"
    if not folder.is_dir():
        pytest.skip(f"no official schemas at {folder}")
    return Catalogue(folder)
