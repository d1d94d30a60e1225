"""The reference pages say what the code says."""

from pathlib import Path

import pytest

from connector.cli.reference import pages

FOLDER = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_committed_page_is_what_the_code_writes(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "run `make reference`"


def test_no_other_page_lies_in_the_folder() -> None:
    assert sorted(page.name for page in FOLDER.iterdir()) == sorted(pages())
