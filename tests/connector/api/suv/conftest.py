"""The retail dialect over a real store, without workers."""

import pytest
from retail_till import Till


@pytest.fixture
async def till(client, services) -> Till:
    return Till(client, services)
