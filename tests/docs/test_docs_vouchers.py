"""The page on vouchers does what it says: its lines are run as they stand, in an instance of their own."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

from connector.cli.instance import fresh_instance
from connector.demo import DemoData

DOCS = Path(__file__).parents[2] / "docs"


def lines(base: str, folder: Path) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / "how-to" / "vouchers.md").read_text(encoding="utf-8"), re.DOTALL)
    script = "\n".join(block for block in blocks if "keys rotate" not in block)  # which waits; see test_cli_keys.py
    script = script.replace("http://localhost:3333", base).replace("localhost:3333", base)
    script = re.sub(r"^isogate ", f"{sys.executable} -m connector.cli ", script, flags=re.MULTILINE)
    return "set -e\n" + script.replace("isogate-data", str(folder))


async def test_every_line_of_the_page_works(tmp_path):
    async with fresh_instance(tmp_path / "data", lambda _: None, log_level="ERROR") as (settings, _):
        (tmp_path / "page.sh").write_text(lines(settings.api_url, tmp_path / "data"), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *("bash", "page.sh"),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(DOCS.parent)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = (text.decode() for text in await process.communicate())
    assert process.returncode == 0, errors
    assert '"result_status":"Voucher redeemed"' in output
    assert '"contract":"vouchers"' in output
    assert (tmp_path / "sheet.html").read_text().count("<article") == 20
    assert (tmp_path / "printed.html").read_text().count("<article") == 20
    number = json.loads((tmp_path / "voucher.json").read_text())["voucher_number"]
    assert number not in output + errors
    assert number not in (tmp_path / "school.csv").read_text()


def test_the_example_of_demo_data_is_what_the_format_says():
    [example] = re.findall(r"```json\n(.*?)```", (DOCS / "demo-data.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(DemoData.model_validate_json(example).vouchers) == 2
