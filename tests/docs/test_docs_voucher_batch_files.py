"""The page on voucher files does what it says: its lines are run as they stand, in an instance of their own."""

import asyncio
import os
import re
import sys
from pathlib import Path

from connector.cli.instance import fresh_instance

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "voucher-batch-files.md"


def lines(base: str) -> str:
    """The page's shell lines, but for the one that starts an instance."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    script = "\n".join(block for block in blocks if "isogate up" not in block)
    return script.replace("localhost:3333", base).replace(
        "isogate vouchers", f"{sys.executable} -m connector.cli vouchers"
    )


async def test_every_line_of_the_page_works(tmp_path):
    folders = {"voucher_inbox": tmp_path / "inbox", "voucher_outbox": tmp_path / "outbox"}
    async with fresh_instance(tmp_path / "data", lambda _: None, log_level="ERROR", **folders) as (settings, _):
        (tmp_path / "page.sh").write_text(lines(settings.api_url), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *("bash", "-e", "page.sh"),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PAGE.parents[2]), "ISOGATE_PORT": str(settings.port)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = (text.decode() for text in await process.communicate())
    assert (errors, process.returncode) == ("", 0), output
    assert output.count('"issued": 2') == output.count('"failed": 1') == 2
    assert output.count('"code": "budget"') == 2
    assert '"requestID": "FILE00000002"' in output
    assert output.endswith("refused\n")
    assert [file.name for file in (tmp_path / "inbox" / "processed").iterdir()]
